# A frame of a training's log (TSV, the first column epochs): the error, else the loss, as a curve of text, the other columns as lines of their
# own. Variables: width, height (of the terminal), utf8 (1: dots of braille, blocks; else ASCII), colour (1: escapes), log_name.
BEGIN { FS = "\t" }
FNR == 1 {
	columns = NF
	for (i = 2; i <= NF; i++) {
		name[i] = $i
		if ($i ~ /^valid_/ && $i !~ /loss$/) shown = i
		else if ($i ~ /^(valid|train)_/) { if (!loss || $i ~ /^valid_/) loss = i }
		if ($i == "seconds") clock = i
	}
	if (!shown) shown = loss
	next
}
NF == columns && $1 ~ /^[0-9.]+$/ { n++; for (i = 1; i <= NF; i++) v[n, i] = $i }
function number(s) { return s ~ /^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$/ }
function duration(s) {
	if (s >= 3600) return sprintf("%d h %d min", s / 3600, s % 3600 / 60)
	if (s >= 60) return sprintf("%d min %d s", s / 60, s % 60)
	return sprintf(s < 10 ? "%.1f s" : "%.0f s", s)
}
function paint(s, code) { return colour ? "\033[" code "m" s "\033[0m" : s }
function repeat(s, times,   out) { while (times-- > 0) out = out s; return out }
function cut(s) { return length(s) > width ? substr(s, 1, width) : s }
END {
	if (!shown) { print log_name ": no column valid_... or train_... to draw"; exit 1 }
	head = log_name
	if (n) head = head ": epoch " v[n, 1]
	if (n && clock) head = head ", " duration(v[n, clock])
	if (n > 1 && clock && v[n, clock] > v[1, clock]) head = head ", " duration((v[n, clock] - v[1, clock]) / (n - 1)) " an epoch"
	print paint(cut(head), 1)
	if (!n) { print "waiting for the first epoch"; exit }
	best = 0
	for (i = 1; i <= n; i++) if (number(v[i, shown])) { last = i; if (!best || v[i, shown] + 0 < v[best, shown] + 0) best = i; if (!most || v[i, shown] + 0 > v[most, shown] + 0) most = i }
	if (!best) { print name[shown] ": no numbers"; exit }
	word = "least"
	if (name[shown] ~ /likelihood$/) { word = "most"; best = most }
	print paint(cut(name[shown] " " v[last, shown] ", the " word " " v[best, shown] " in epoch " v[best, 1]), "36")
	rest = 0
	for (i = 2; i <= columns; i++) if (i != shown && name[i] ~ /^(valid|train)_/) rest++
	curve(height - 5 - rest)
	for (i = 2; i <= columns; i++) if (i != shown && name[i] ~ /^(valid|train)_/) spark(i)
}
# a value's height, from 0 to 1; logarithmic where values differ twentyfold
function level(x) { x += 0; if (steep) x = log(x); return hi > lo ? (x - lo) / (hi - lo) : 0.5 }
function scale(column,   i, x, some) {
	lo = hi = 0
	for (i = 1; i <= n; i++) if (number(v[i, column])) { x = v[i, column] + 0; if (!some++) lo = hi = x; if (x < lo) lo = x; if (x > hi) hi = x }
	steep = lo > 0 && hi > 20 * lo
	if (steep) { lo = log(lo); hi = log(hi) }
}
function dot(x, y) { on[x, y] = 1 }
function curve(rows,   label, cols, wide, high, i, x, y, px, py, k, r, c, a, first, span, bits, line, pad) {
	scale(shown)
	label = 10; cols = width - label - 2
	if (rows < 3) rows = 3
	if (cols < 8) cols = 8
	wide = utf8 ? 2 * cols : cols; high = utf8 ? 4 * rows : rows
	first = v[1, 1]; span = v[n, 1] - first
	digits = 4 # or as many as tell the axis' numbers apart
	if (!steep && hi > lo) { a = log((hi > -lo ? hi : -lo) / (hi - lo)) / log(10) + 2; if (a > digits) digits = int(a < 8 ? a + 0.5 : 8) }
	px = -1
	for (i = 1; i <= n; i++) {
		if (!number(v[i, shown])) { px = -1; continue }
		x = span > 0 ? int((v[i, 1] - first) / span * (wide - 1) + 0.5) : 0
		y = int(level(v[i, shown]) * (high - 1) + 0.5)
		if (px < 0) dot(x, y)
		else for (k = x > px ? 1 : 0; k <= x - px; k++) {
			# one column of dots, from where the last one ended
			a = x > px ? py + (y - py) * k / (x - px) : y
			r = int(a + 0.5); c = x > px ? int(py + (y - py) * (k - 1) / (x - px) + 0.5) : py
			dot(px + k, r)
			while (utf8 && c != r) { c += r > c ? 1 : -1; dot(px + k, c) }
		}
		px = x; py = y
	}
	for (r = rows - 1; r >= 0; r--) {
		line = ""
		for (c = 0; c < cols; c++) {
			if (!utf8) { line = line (((c, r) in on) ? "*" : " "); continue }
			bits = 0
			for (i = 0; i < 4; i++) {
				if ((2 * c, 4 * r + 3 - i) in on) bits += i < 3 ? 2 ^ i : 64
				if ((2 * c + 1, 4 * r + 3 - i) in on) bits += i < 3 ? 2 ^ (i + 3) : 128
			}
			line = line (bits ? sprintf("%c%c%c", 226, 160 + int(bits / 64), 128 + bits % 64) : " ")
		}
		sub(/ +$/, "", line)
		a = ""
		if (r == rows - 1 || r == 0 || (r == int(rows / 2) && rows > 4)) { a = lo + (hi - lo) * r / (rows - 1); a = sprintf("%." digits "g", steep ? exp(a) : a) }
		printf "%*s %s%s\n", label, a, utf8 ? (a == "" ? "│" : "┤") : (a == "" ? "|" : "+"), paint(line, "36")
	}
	pad = cols - length(v[1, 1]) - length(v[n, 1])
	printf "%*s %s%s\n", label, "", utf8 ? "└" : "+", repeat(utf8 ? "─" : "-", cols)
	printf "%*s  %s%*s%s\n", label, steep ? "log scale" : "", v[1, 1], (pad > 0 ? pad : 1), "", v[n, 1]
}
# a column in one line: its last values, by height
function spark(column,   cols, i, from, line, k) {
	scale(column)
	cols = width - 14 - 12
	for (i = 1; i <= cols && i <= n; i++) {
		# of more epochs than places each place shows one
		k = n <= cols ? i : 1 + int((i - 1) * (n - 1) / (cols - 1) + 0.5)
		line = line (number(v[k, column]) ? block(int(level(v[k, column]) * 7 + 0.5)) : " ")
	}
	printf "%-13s %s %s\n", name[column], paint(line, "33"), v[n, column]
}
function block(k) { return utf8 ? sprintf("%c%c%c", 226, 150, 129 + k) : substr("_.-~=+*#", k + 1, 1) }
