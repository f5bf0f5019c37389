# Faces whose labels were found faulty, a figure each: what stays as a dot, what is blanked, dropped or named as a cross, and where the others
# put it as a ring. Input: part=report, the list; part=after, the cleaned rows by tns-table (or none); part=image, a picture a line; part=before,
# the rows as they came, those numbered ROWS (comma-separated; by=id: their ids). SIZE: WxH of images.
BEGIN { FS = "\t"; split(ENVIRON["SIZE"], size, "x"); W = size[1]; H = size[2]; r = (W < H ? W : H) / 75; numbers = split(ENVIRON["ROWS"], number, ",") }
part == "report" {
	if (FNR == 1) next
	k = ++faults[$1]
	name[$1, k] = $2; kind[$1, k] = $3; value[$1, k] = $4; action[$1, k] = $5
	named[$1, $2] = 1
	if ($3 == "swapped") named[$1, $4] = 1
	if ($2 == "-" && $3 != "duplicate") named[$1] = 1
	next
}
part == "after" {
	if (!points) { header(); cleaned = 1; next }
	id = column["id"] ? $column["id"] : ++at
	kept[id] = 1
	for (p = 1; p <= points; p++) if ($px[point[p]] != "") stays[id, point[p]] = 1
	next
}
part == "image" { image[++images] = $0; next }
!begun { points = 0; split("", known); header(); begun = 1; next }
{
	n++
	row = number[n]; id = column["id"] ? $column["id"] : row
	marks = rings = ""
	left = top = -0.5; right = W - 0.5; bottom = H - 0.5
	for (p = 1; p <= points; p++) {
		k = px[point[p]]
		if (!k || $k !~ /^-?[0-9]/ || $(k + 1) !~ /^-?[0-9]/) continue
		x = $k + 0; y = $(k + 1) + 0
		if (x < -W || x > 2 * W || y < -H || y > 2 * H) continue
		if (x - r < left) left = x - r; if (x + r > right) right = x + r; if (y - r < top) top = y - r; if (y + r > bottom) bottom = y + r
		gone = cleaned && id in kept ? !((id, point[p]) in stays) : ((row, point[p]) in named || row in named)
		if ((row, point[p]) in named && !cleaned) gone = 1
		marks = marks (gone ? cross(x, y, r, "predicted", point[p] ", faulty") : dot(x, y, r * 0.8, "label", point[p]))
	}
	for (f = 1; f <= faults[row]; f++)
		if (split(value[row, f], v, / not |,/) == 4 && v[3] > -W && v[3] < 2 * W && v[4] > -H && v[4] < 2 * H)
			rings = rings stroke(v[1], v[2], v[3], v[4], "off") dot(v[3], v[4], r * 1.4, "ring", name[row, f] " by the other points")
	printf "<figure><svg role=\"img\" aria-label=\"Face of row %s: %s\" viewBox=\"%.2f %.2f %.2f %.2f\"><image x=\"-0.5\" y=\"-0.5\" width=\"%d\" height=\"%d\" href=\"%s\"/>%s%s</svg><figcaption><b>row %s</b>", \
		row, html(kind[row, 1] " " name[row, 1]), left, top, right - left, bottom - top, W, H, image[n], rings, marks, row
	for (f = 1; f <= faults[row] && f <= 4; f++) printf "<br>%s", html((name[row, f] == "-" ? "" : name[row, f] " ") kind[row, f] (value[row, f] == "-" ? "" : (kind[row, f] == "swapped" ? " with " : " ") brief(value[row, f])) (action[row, f] == "none" ? "" : ": " action[row, f]))
	if (faults[row] > 4) printf "<br>and %d more", faults[row] - 4
	print "</figcaption></figure>"
}
# numbers to a tenth of a pixel
function brief(s,   out) {
	while (match(s, /-?[0-9]+\.[0-9][0-9]+/)) { out = out substr(s, 1, RSTART - 1) sprintf("%.1f", substr(s, RSTART, RLENGTH)); s = substr(s, RSTART + RLENGTH) }
	return out s
}
