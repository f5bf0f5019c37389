# Faces with labels and predictions, a figure each. Input: part=image, a picture a line (data:...); part=table, tns-table's lines of the same
# rows. SIZE: WxH of images.
BEGIN { FS = "\t"; split(ENVIRON["SIZE"], size, "x"); W = size[1]; H = size[2]; r = (W < H ? W : H) / 72 }
part == "image" { image[++images] = $0; next }
!points { header(); next }
{
	n++
	who = column["id"] ? "id " $column["id"] : "row " n
	error = column["error"] ? $column["error"] : ""
	said = error == "" ? "" : error ~ /inf/ ? "no prediction" : sprintf("%.2f px", error)
	printf "<figure><svg role=\"img\" aria-label=\"Face, %s%s\" viewBox=\"-0.5 -0.5 %d %d\"><image x=\"-0.5\" y=\"-0.5\" width=\"%d\" height=\"%d\" href=\"%s\"/>", who, said == "" ? "" : ", error " said, W, H, W, H, image[n]
	labelled = predicted = ""
	for (p = 1; p <= points; p++) {
		k = px[point[p]]; q = qx[point[p]]
		has = k && number($k) && number($(k + 1)); guessed = q && number($q) && number($(q + 1))
		if (has && guessed) printf "%s", stroke($k, $(k + 1), $q, $(q + 1), "off")
		if (guessed) predicted = predicted cross($q, $(q + 1), r, "predicted", point[p])
		if (has) labelled = labelled dot($k, $(k + 1), r * 0.8, "label", point[p])
	}
	printf "%s%s</svg><figcaption><span>%s</span><span>%s</span></figcaption></figure>\n", predicted, labelled, who, said
}
function number(s) { return s ~ /^-?[0-9]/ }
