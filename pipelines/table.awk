# Lines "FACES KIND WHAT X" to a table: mean, spread and range over seeds; a row a number of faces, a column a kind. Variables: title, first
# (of the first column), scale (100: percent).
BEGIN {
	if (title == "") title = "error rate on test patches in percent: mean +- standard deviation (range) over seeds, by what the weights started from"
	if (first == "") first = "faces"
	if (scale == "") scale = 100
}
{
	key = $1 " " $2
	if (!($1 in rows)) { rows[$1] = 1; row[++nrows] = $1 }
	if (!($2 in cols)) { cols[$2] = 1; col[++ncols] = $2 }
	count[key]++; sum[key] += $4; square[key] += $4 * $4
	if (count[key] == 1 || $4 < min[key]) min[key] = $4
	if (count[key] == 1 || $4 > max[key]) max[key] = $4
}
function cell(key,   m, v) {
	if (!count[key]) return "-"
	m = sum[key] / count[key]
	v = count[key] > 1 ? (square[key] - count[key] * m * m) / (count[key] - 1) : 0
	return sprintf("%5.2f +- %4.2f (%5.2f to %5.2f)", scale * m, scale * sqrt(v > 0 ? v : 0), scale * min[key], scale * max[key])
}
END {
	print title
	printf "%-8s", first
	for (k = 1; k <= ncols; k++) printf "  %-30s", col[k]
	print ""
	for (i = 1; i <= nrows; i++) {
		printf "%-8s", row[i]
		for (k = 1; k <= ncols; k++) printf "  %-30s", cell(row[i] " " col[k])
		print ""
	}
}
