# A list of faults (row name kind value action): how many of each kind, and up to MOST lines in a table that is folded.
BEGIN { FS = "\t"; if (most == "") most = 400 }
FNR == 1 { next }
{
	n++
	what = $3 "\t" $5
	if (!(what in number)) kinds[++k] = what
	number[what]++
	if (n <= most) lines = lines "<tr><td>" html($1) "</td><td>" html($2 == "-" ? "" : $2) "</td><td>" html($3) "</td><td>" html($4) "</td><td>" html($5) "</td></tr>\n"
}
END {
	if (!n) { print "<p>None.</p>"; exit }
	printf "<ul class=\"kinds\">"
	for (i = 1; i <= k; i++) { split(kinds[i], w, "\t"); printf "<li><b>%s</b> %s%s</li>", count(number[kinds[i]]), html(w[1]), w[2] == "none" ? "" : ", " html(w[2]) }
	print "</ul>"
	printf "<details><summary>All %s</summary><div class=\"wide\"><table class=\"list\"><caption>%s</caption><thead><tr><th scope=\"col\">row</th><th scope=\"col\">point</th><th scope=\"col\">kind</th><th scope=\"col\">value</th><th scope=\"col\">action</th></tr></thead><tbody>\n%s</tbody></table></div>%s</details>\n", \
		plural(n, "line", "lines"), html(ENVIRON["NAME"]), lines, (n > most ? "<p>and " count(n - most) " more in " html(ENVIRON["NAME"]) "</p>" : "")
}
