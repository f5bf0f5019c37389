# Lines "FACES KIND error_rate X" to a table: mean, spread and range over seeds, a row a number of faces.
{
	key = $1 " " $2
	if (!($1 in seen)) { seen[$1] = 1; order[++n] = $1 }
	count[key]++; sum[key] += $4; square[key] += $4 * $4
	if (count[key] == 1 || $4 < min[key]) min[key] = $4
	if (count[key] == 1 || $4 > max[key]) max[key] = $4
}
function cell(key,   m, v) {
	m = sum[key] / count[key]
	v = count[key] > 1 ? (square[key] - count[key] * m * m) / (count[key] - 1) : 0
	return sprintf("%5.2f +- %4.2f  (%5.2f to %5.2f)", 100 * m, 100 * sqrt(v > 0 ? v : 0), 100 * min[key], 100 * max[key])
}
END {
	print "error rate on test patches in percent: mean +- standard deviation (range) over seeds"
	printf "%-8s  %-32s  %-32s\n", "faces", "random weights", "from the autoencoder"
	for (i = 1; i <= n; i++) printf "%-8s  %-32s  %-32s\n", order[i], cell(order[i] " random"), cell(order[i] " pretrained")
}
