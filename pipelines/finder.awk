# Boxes that were found against true ones: awk -v images=N -f finder.awk TRUTH FOUND, two tables (CSV) with columns filename, left, top, right,
# bottom, and, of the found ones, score. From the highest score down each found box takes the true one that it overlaps most, if their
# intersection is half of their union at least and none has taken it; else it is a false box. Prints both shares, and with -v curve=1 a line
# for each tenth of the score, too.
BEGIN { FS = "," }
FNR == 1 { split("", at); for (i = 1; i <= NF; i++) at[$i] = i; table++; next }
{ box = $at["left"] " " $at["top"] " " $at["right"] " " $at["bottom"] }
table == 1 { truth[$at["filename"], ++n[$at["filename"]]] = box; faces++; next }
{ file[++found] = $at["filename"]; where[found] = box; score[found] = $at["score"] }
function overlap(a, b, p, q, w, h) {
	split(a, p, " "); split(b, q, " ")
	w = (p[3] < q[3] ? p[3] : q[3]) - (p[1] > q[1] ? p[1] : q[1])
	h = (p[4] < q[4] ? p[4] : q[4]) - (p[2] > q[2] ? p[2] : q[2])
	return w <= 0 || h <= 0 ? 0 : w * h / ((p[3] - p[1]) * (p[4] - p[2]) + (q[3] - q[1]) * (q[4] - q[2]) - w * h)
}
function line(least, right, wrong) {
	printf "%5.2f %8d %8d %9.4f %8d %12.3f\n", least, faces, right, faces ? right / faces : 0, wrong, images ? wrong / images : 0
}
END {
	for (i = 1; i <= found; i++) order[i] = i
	for (i = 2; i <= found; i++) { # by insertion: rows of an image are in order already
		v = order[i]
		for (k = i - 1; k >= 1 && score[order[k]] < score[v]; k--) order[k + 1] = order[k]
		order[k + 1] = v
	}
	print "score    faces    found    recall    false    per image"
	next_line = 0.95
	for (i = 1; i <= found; i++) {
		v = order[i]
		for (; curve && score[v] < next_line && next_line > 0.05; next_line -= 0.05) line(next_line, right, wrong)
		best = 0.5; which = 0
		for (k = 1; k <= n[file[v]]; k++) {
			o = overlap(where[v], truth[file[v], k])
			if (o >= best && !((file[v], k) in taken)) { best = o; which = k }
		}
		if (which) { taken[file[v], which] = 1; right++ } else wrong++
	}
	line(found ? score[order[found]] : 1, right, wrong)
}
