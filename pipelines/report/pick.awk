# Of a list of faults (row name kind value action) up to MOST rows to show, in turn by kind, those of the largest value first where values are
# numbers; sorted, comma-separated. part=rows before: a table whose rows (by id) alone can be shown.
BEGIN { FS = "\t" }
part == "rows" { if (!id_column) { header(); id_column = column["id"] ? column["id"] : -1; some = 1; next } can[id_column > 0 ? $id_column : ++at] = 1; next }
FNR == 1 || $3 == "duplicate" || $1 !~ /^[0-9]+$/ { next }
some && !($1 in can) { next }
{
	if (!($3 in rows)) kinds[++n] = $3
	if (!(($3, $1) in had)) { had[$3, $1] = 1; row[$3, ++rows[$3]] = $1; worth[$3, rows[$3]] = $4 ~ /^[0-9.]+$/ ? $4 + 0 : 0 }
}
END {
	for (k = 1; k <= n; k++)
		for (i = 2; i <= rows[kinds[k]]; i++) {
			key = kinds[k]; a = row[key, i]; w = worth[key, i]
			for (j = i - 1; j > 0 && worth[key, j] < w; j--) { row[key, j + 1] = row[key, j]; worth[key, j + 1] = worth[key, j] }
			row[key, j + 1] = a; worth[key, j + 1] = w
		}
	for (i = 1; picked < most; i++) {
		more = 0
		for (k = 1; k <= n && picked < most; k++)
			if (i <= rows[kinds[k]]) { more = 1; a = row[kinds[k], i]; if (!(a in taken)) { taken[a] = 1; list[++picked] = a } }
		if (!more) break
	}
	for (i = 2; i <= picked; i++) { a = list[i]; for (j = i - 1; j > 0 && list[j] + 0 > a + 0; j--) list[j + 1] = list[j]; list[j + 1] = a }
	for (i = 1; i <= picked; i++) printf "%s%s", (i > 1 ? "," : ""), list[i]
}
