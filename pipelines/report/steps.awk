# The pipeline as boxes: input (digest.awk) all streams of the run with a field more, seconds; output an inline SVG of those whose path begins
# with FOLDER (environment; "" or ending in /), their inputs, and the files CSV and TEST that csv-clean read.
# Layers from left to right by the longest way from an input; links over more than one layer get a place in each; order by barycentres.
BEGIN { FS = "\t"; folder = ENVIRON["FOLDER"]; W = 164; H = 58; GAP = 44; ROW = 16 }
{
	path[NR] = $1; kind[NR] = $2; n[NR] = $3; shape[NR] = $6; seconds[NR] = $11
	history[NR] = $10
	mine[NR] = index($1, folder) == 1 && substr($1, length(folder) + 1) !~ /\// 
	run[NR] = index($1, folder "runs/") == 1
	# of equal streams the one with the shorter name stands for all
	if (!($4 in of) || length($1) < length(path[of[$4]])) of[$4] = NR
	print_of[NR] = $4
}
END {
	for (i = 1; i <= NR; i++) {
		lines = split(text(history[i]), h, "\n")
		while (lines > 0 && h[lines] == "") lines--
		if (mine[i] && of[print_of[i]] == i) { node(i); trace(i, i) }
		else if (run[i]) { node("runs"); trace("runs", i); runs[kind[i]]++; run_seconds += seconds[i] }
	}
	if (nodes < 2) exit
	layers(); places(); draw()
}
# node NAME of the drawing, made where it is not yet there
function node(name) { if (!(name in node_of)) { node_of[name] = ++nodes; name_of[nodes] = name; height[nodes] = H } return node_of[name] }
function link(from, to) { if (from != to && !((from, to) in linked)) { linked[from, to] = 1; a[++links] = from; b[links] = to } }
# Links the inputs of stream i, whose lines are h[1..lines], to the node named to. What no file has came by a pipe, of which earlier lines tell.
function trace(to, i,   k, open, command) {
	split("", told)
	command = program(h[lines]); open = inputs(h[lines], to)
	first_line = h[lines]
	for (k = lines - 1; k > 0 && open > 0; k--) {
		if (h[k] in told) continue
		command = program(h[k]) " | " command
		first_line = h[k]
		open += inputs(h[k], to) - 1
	}
	if (first_line ~ /^csv-clean / && first_line !~ / < /) {
		k = first_line ~ / --keep-all/ ? "TEST" : "CSV"
		if (ENVIRON[k] != "") link(node("\001" k), node(to))
	}
	if (!(to in does)) does[to] = command
}
function program(line) { sub(/ .*/, "", line); return line }
# Links what the fingerprints at the line's end are of; returns how many of them no file has.
function inputs(line, to,   f, k, unknown, m, g, j) {
	if (line !~ / < [0-9a-f ]+$/) return 0
	sub(/^.* < /, "", line)
	m = split(line, f, " ")
	for (k = 1; k <= m; k++)
		if (f[k] in of) {
			j = of[f[k]]
			link(run[j] ? node("runs") : node(j), node(to))
			g = split(text(history[j]), parent, "\n")
			while (g > 0) told[parent[g--]] = 1
		} else unknown++
	return unknown + 0
}
function layers(   again, k, guard) {
	do {
		again = 0
		for (k = 1; k <= links; k++) if (layer[b[k]] < layer[a[k]] + 1) { layer[b[k]] = layer[a[k]] + 1; again = 1 }
	} while (again && guard++ < nodes)
	# an input stands before the first that needs it
	for (k = 1; k <= nodes; k++) into[k] = 0
	for (k = 1; k <= links; k++) { into[b[k]]++; if (!(a[k] in next_layer) || next_layer[a[k]] > layer[b[k]]) next_layer[a[k]] = layer[b[k]] }
	for (k = 1; k <= nodes; k++) if (!into[k] && k in next_layer) layer[k] = next_layer[k] - 1
	pieces = 0
	for (k = 1; k <= links; k++) {
		from = a[k]
		for (l = layer[a[k]] + 1; l < layer[b[k]]; l++) { height[++nodes] = 6; layer[nodes] = l; piece(from, nodes, k); from = nodes }
		piece(from, b[k], k)
	}
	for (k = 1; k <= nodes; k++) { l = layer[k]; order[l, ++depth[l]] = k; if (l > deepest) deepest = l }
}
function piece(from, to, k) { pa[++pieces] = from; pb[pieces] = to; whole[pieces] = k }
function places(   sweep, l, k) {
	for (l = 0; l <= deepest; l++) stack(l)
	for (sweep = 1; sweep <= 8; sweep++) {
		if (sweep % 2) { for (l = 1; l <= deepest; l++) arrange(l, 1) }
		else for (l = deepest - 1; l >= 0; l--) arrange(l, 0)
	}
	top = 1e9; bottom = -1e9
	for (k = 1; k <= nodes; k++) { if (y[k] < top) top = y[k]; if (y[k] + height[k] > bottom) bottom = y[k] + height[k] }
}
function stack(l,   k, at, total) {
	for (k = 1; k <= depth[l]; k++) total += height[order[l, k]] + ROW
	at = -total / 2
	for (k = 1; k <= depth[l]; k++) { y[order[l, k]] = at; at += height[order[l, k]] + ROW }
}
# Sorts a layer by the mean place of its neighbours before (or after) it.
function arrange(l, before,   k, j, p, t, sum, number) {
	for (k = 1; k <= depth[l]; k++) {
		t = order[l, k]; sum = number = 0
		for (p = 1; p <= pieces; p++) {
			if (before && pb[p] == t) { sum += y[pa[p]] + height[pa[p]] / 2; number++ }
			if (!before && pa[p] == t) { sum += y[pb[p]] + height[pb[p]] / 2; number++ }
		}
		want[t] = number ? sum / number : y[t] + height[t] / 2
	}
	for (k = 2; k <= depth[l]; k++) {
		t = order[l, k]
		for (j = k - 1; j > 0 && want[order[l, j]] > want[t] + 0.01; j--) order[l, j + 1] = order[l, j]
		order[l, j + 1] = t
	}
	stack(l)
}
function x(k) { return layer[k] * (W + GAP) }
function draw(   k, width) {
	width = (deepest + 1) * (W + GAP) - GAP
	printf "<div class=\"wide\"><svg class=\"steps\" role=\"img\" aria-label=\"The pipeline: %d boxes, one a file, linked to those they were made from\" viewBox=\"-2 %.0f %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n",
		boxes(), top - 2, width + 4, bottom - top + 4, width + 4, bottom - top + 4
	for (k = 1; k <= pieces; k++) {
		u = x(pa[k]) + W; v = y[pa[k]] + height[pa[k]] / 2; s = x(pb[k]); t = y[pb[k]] + height[pb[k]] / 2
		printf "<path class=\"link\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f%s\"/>\n", u, v, u + GAP * 0.6, v, s - GAP * 0.6, t, s, t, height[pb[k]] == H ? "" : "h" W
	}
	for (k = 1; k <= nodes; k++) if (height[k] == H) box(k, name_of[k])
	print "</svg></div>"
}
function boxes(   k, c) { for (k = 1; k <= nodes; k++) c += height[k] == H; return c }
function box(k, name,   title, class, what, how, file, time) {
	if (name ~ /^\001/) {
		file = ENVIRON[substr(name, 2)]
		title = file; sub(/^.*\//, "", title); class = "file"; how = "file"; what = ENVIRON[substr(name, 2) "_BYTES"]
		what = what == "" ? "" : bytes(what)
	} else if (name == "runs") {
		title = "runs/"; class = "model"; how = does[name]; file = folder "runs/"
		what = runs["model"] ? plural(runs["model"], "model", "models") : plural(runs["data"], "stream", "streams")
		if (run_seconds) time = duration(run_seconds)
	} else {
		file = path[name]
		title = file; if (index(title, folder) == 1) title = substr(title, length(folder) + 1)
		class = kind[name]; how = does[name] == "" ? "from " (title ~ /\// ? "another part" : "outside") : does[name]
		if (title ~ /\//) class = class " outer"
		sub(/\.tns$/, "", title)
		what = kind[name] == "model" ? plural(n[name], "parameter", "parameters") : plural(n[name], "row", "rows")
		if (seconds[name] != "" && title !~ /\//) time = duration(seconds[name])
	}
	printf "<g class=\"%s\" transform=\"translate(%.1f %.1f)\"><title>%s: %s; %s%s</title><rect width=\"%d\" height=\"%d\" rx=\"6\"/><text class=\"name\" x=\"11\" y=\"20\">%s</text><text x=\"11\" y=\"35\">%s</text><text class=\"count\" x=\"11\" y=\"49\">%s</text>%s</g>\n", \
		class, x(k), y[k], html(file), html(how), html(what), time == "" ? "" : "; " time, W, H, html(short(title, 20)), html(short(how, 24)), html(what), \
		time == "" ? "" : sprintf("<text class=\"count\" x=\"%d\" y=\"35\" text-anchor=\"end\">%s</text>", W - 11, time)
}
