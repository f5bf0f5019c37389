# Streams as a table, and how each came to be. Input: all of the run (digest.awk, with seconds); output those whose path begins with FOLDER.
BEGIN { FS = "\t"; folder = ENVIRON["FOLDER"] }
{
	if (!($4 in of)) of[$4] = $1
	if (index($1, folder) == 1 && substr($1, length(folder) + 1) !~ /\//) { n++; for (i = 1; i <= NF; i++) f[n, i] = $i }
}
END {
	if (!n) exit
	print "<div class=\"wide\"><table class=\"figures streams\"><caption>Streams of this folder</caption><thead><tr><th scope=\"col\">file</th><th scope=\"col\">rows</th><th scope=\"col\">parameters</th><th scope=\"col\">images</th><th scope=\"col\">size</th><th scope=\"col\">seconds</th><th scope=\"col\">fingerprint</th></tr></thead><tbody>"
	for (i = 1; i <= n; i++) {
		model = f[i, 2] == "model"
		printf "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td><code>%s</code></td></tr>\n", html(name(f[i, 1])), \
			model ? "" : count(f[i, 3]), model ? count(f[i, 3]) : "", html(f[i, 6]), bytes(f[i, 5]), f[i, 11] == "" ? "" : sprintf("%.2f", f[i, 11]), html(f[i, 4])
	}
	print "</tbody></table></div>"
	print "<details><summary>How each came to be</summary>"
	for (i = 1; i <= n; i++) {
		lines = split(text(f[i, 10]), h, "\n")
		printf "<p><b>%s</b>", html(name(f[i, 1]))
		if (f[i, 2] == "data") printf ": %s%s", html(f[i, 7]), (f[i, 9] == "" ? "" : "; " html(f[i, 9]))
		printf "</p><ol class=\"history\">"
		for (k = 1; k <= lines; k++) if (h[k] != "") printf "<li><code>%s</code></li>", command(h[k])
		print "</ol>"
	}
	print "</details>"
}
function name(s) { return substr(s, length(folder) + 1) }
# a line of a history, fingerprints with the files that have them
function command(s,   at, p, m, k, out) {
	if (!match(s, / < [0-9a-f ]+$/)) return html(s)
	out = html(substr(s, 1, RSTART - 1)) " &lt;"
	m = split(substr(s, RSTART + 3), p, " ")
	for (k = 1; k <= m; k++) out = out " " p[k] (p[k] in of ? " <em>" html(index(of[p[k]], folder) == 1 ? name(of[p[k]]) : of[p[k]]) "</em>" : "")
	return out
}
