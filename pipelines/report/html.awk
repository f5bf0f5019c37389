# What the report's parts share: text into HTML, numbers, marks of points on a face.
# Bytes that HTML takes for markup, and control characters that it doesn't know.
function html(s) {
	gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); gsub(/"/, "\\&quot;", s); gsub(/'/, "\\&#39;", s)
	gsub(/[\001-\010\013-\037\177]/, "?", s)
	return s
}
# the text of a JSON string; \u00XX are control characters, which become ?
function text(s,   out, i, c) {
	while ((i = index(s, "\\")) > 0) {
		out = out substr(s, 1, i - 1)
		c = substr(s, i + 1, 1)
		out = out (c == "n" ? "\n" : c == "t" ? "\t" : c == "u" ? "?" : c ~ /[bfr]/ ? " " : c)
		s = substr(s, i + (c == "u" ? 6 : 2))
	}
	return out s
}
# 191023: 191,023
function count(n,   s, i) {
	s = sprintf("%.0f", n)
	for (i = length(s) - 3; i > 0; i -= 3) s = substr(s, 1, i) "," substr(s, i + 1)
	return s
}
function plural(n, one, many) { return count(n) " " (n == 1 ? one : many) }
function duration(s) {
	if (s >= 3600) return sprintf("%d h %d min", s / 3600, s % 3600 / 60)
	if (s >= 60) return sprintf("%d min %d s", s / 60, s % 60)
	return sprintf(s < 10 ? "%.2f s" : "%.1f s", s)
}
function bytes(n) { return n < 1e6 ? sprintf("%.0f kB", n / 1e3 + 0.5) : n < 1e9 ? sprintf("%.1f MB", n / 1e6) : sprintf("%.2f GB", n / 1e9) }
# at most n characters, with a sign that some are missing
function short(s, n) { return length(s) > n ? substr(s, 1, n - 1) "…" : s }
# marks on a face, in its pixels; r about a pixel and more
function dot(x, y, r, kind, title) {
	return sprintf("<circle class=\"%s\" cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\"><title>%s</title></circle>", kind, x, y, r, html(title))
}
function cross(x, y, r, kind, title) {
	return sprintf("<path class=\"%s\" d=\"M%.2f %.2fL%.2f %.2fM%.2f %.2fL%.2f %.2f\"><title>%s</title></path>", kind, x - r, y - r, x + r, y + r, x - r, y + r, x + r, y - r, html(title))
}
function stroke(x, y, u, v, kind) { return sprintf("<path class=\"%s\" d=\"M%.2f %.2fL%.2f %.2f\"/>", kind, x, y, u, v) }
# a cell of a table, whose quotes stand about what would be read otherwise
function unquoted(s) { if (s ~ /^".*"$/) { s = substr(s, 2, length(s) - 2); gsub(/""/, "\"", s) } return s }
# columns of a table by tns-table: point names, and the fields of each point in columns px, py (labels) and qx, qy (predicted); column of id
function header(   i, of, name) {
	for (i = 1; i <= NF; i++) {
		of = unquoted($i)
		if (of == "id" || of == "error") { column[of] = i; continue }
		if (of !~ /_x$/ || of ~ /^confidence_/) continue
		name = substr(of, 1, length(of) - 2)
		if (of ~ /^predicted_/) { name = substr(name, 11); qx[name] = i } else px[name] = i
		if (!(name in known)) { known[name] = 1; point[++points] = name }
	}
}
