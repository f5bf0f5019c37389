# Errors by point: on the mean face, circles whose radius is a point's mean distance, in the image's pixels; and a table. Input: part=score, lines
# of score --json by json.awk; part=image, what a picture of the mean face is (or nothing); part=table, tns-table's. SIZE: WxH of images.
BEGIN { FS = "\t"; split(ENVIRON["SIZE"], size, "x"); W = size[1]; H = size[2] }
part == "score" && $1 == "by_point" {
	name = text($2)
	if (!(name in seen)) { seen[name] = 1; scored[++n] = name }
	value[name, $3] = $4
	if ($3 == "mean_px" && $4 != "null" && $4 > most) most = $4
}
part == "score" && $1 == "by_level" { if ($2 > levels) levels = $2; level[$2, $3] = $4 }
part == "image" { image = $0 }
part == "table" && !points { header(); next }
part == "table" {
	for (p = 1; p <= points; p++) {
		k = px[point[p]]
		if (k && $k != "" && $(k + 1) != "") { sx[point[p]] += $k; sy[point[p]] += $(k + 1); labels[point[p]]++ }
	}
}
function px2(v) { return v == "" || v == "null" ? "–" : sprintf("%.2f", v) }
function share(v) { return v == "" || v == "null" ? "–" : sprintf("%.1f", 100 * v) }
function row(head, key, from,   v) {
	print "<tr>" head "<td>" count(from ? level[key, "points"] : value[key, "points"]) "</td><td>" \
		px2(from ? level[key, "rmse_px"] : value[key, "rmse_px"]) "</td><td>" px2(v = from ? level[key, "mean_px"] : value[key, "mean_px"]) "</td><td>" \
		share(from ? level[key, "within_1px"] : value[key, "within_1px"]) "</td><td>" share(from ? level[key, "within_2px"] : value[key, "within_2px"]) "</td><td>" \
		share(from ? level[key, "within_5px"] : value[key, "within_5px"]) "</td>" \
		(from ? "" : sprintf("<td class=\"bar\"><svg viewBox=\"0 0 100 8\" aria-hidden=\"true\"><rect class=\"e%d\" width=\"%.1f\" height=\"8\" rx=\"2\"/></svg></td>", class(v), most > 0 && v != "null" ? 100 * v / most : 0)) "</tr>"
}
function class(v) { return most > 0 && v != "null" ? int(4.999 * v / most) : 0 }
END {
	if (!n) exit
	heads = "<th scope=\"col\">labels</th><th scope=\"col\"><abbr title=\"root mean square over coordinates, in pixels\">RMSE</abbr></th><th scope=\"col\"><abbr title=\"mean distance, in pixels\">mean</abbr></th><th scope=\"col\">≤ 1 px, %</th><th scope=\"col\">≤ 2 px, %</th><th scope=\"col\">≤ 5 px, %</th>"
	print "<div class=\"beside\">"
	for (i = 1; i <= n; i++) drawn += labels[scored[i]] > 0 && value[scored[i], "mean_px"] + 0 > 0
	if (drawn && W && H) {
		m = W > H ? W : H
		printf "<figure class=\"mean\"><svg role=\"img\" aria-label=\"Mean face with the mean error of %d points as circles; the table has the numbers\" viewBox=\"-0.5 -0.5 %d %d\" width=\"440\">", drawn, W, H
		if (image != "") printf "<image x=\"-0.5\" y=\"-0.5\" width=\"%d\" height=\"%d\" href=\"%s\"/>", W, H, image
		else printf "<rect class=\"ground\" x=\"-0.5\" y=\"-0.5\" width=\"%d\" height=\"%d\"/>", W, H
		for (i = 1; i <= n; i++) {
			name = scored[i]; v = value[name, "mean_px"]
			if (!labels[name] || !(v + 0 > 0)) continue
			r = v < m / 150 ? m / 150 : v > m / 4 ? m / 4 : v
			x = sx[name] / labels[name]; y = sy[name] / labels[name]
			print dot(x, y, r, "error e" class(v), i " " name ": mean " sprintf("%.2f", v) " px")
			if (n <= 40) printf "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\">%d</text>", x + r + m / 140, y + m / 90, m / 32, i
		}
		print "</svg><figcaption>Radius: mean distance between label and prediction, in the scale of the image, at the mean place of the point; colour: from the least to the largest. Numbers as in the table.</figcaption></figure>"
	}
	print "<div class=\"wide\"><table class=\"figures\"><caption>Error by point, in pixels</caption><thead><tr><th scope=\"col\">point</th>" heads "<td></td></tr></thead><tbody>"
	for (i = 1; i <= n; i++) row("<th scope=\"row\"><span class=\"place\">" i "</span>" html(scored[i]) "</th>", scored[i], 0)
	print "</tbody></table>"
	if (levels > 1) {
		print "<table class=\"figures\"><caption>Error by level of the cascade, in pixels</caption><thead><tr><th scope=\"col\">level</th>" heads "</tr></thead><tbody>"
		for (i = 1; i <= levels; i++) row("<th scope=\"row\">" i "</th>", i, 1)
		print "</tbody></table>"
	}
	print "</div></div>"
}
