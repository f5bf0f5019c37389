# One row of robust.sh's table, of two tables of points and predictions, a line a face: as they are, and changed. Variables: name; factor, by
# which faces were scaled; changed: 1, or 0: the first row; size: "WIDTH HEIGHT POINTS" of the data; model and data, for messages.
function fail(text) { printf "robust.sh: %s\n", text >"/dev/stderr"; failed = 1; exit 1 }
function beyond(value, side) { return value != "" && (value < -0.5 || value >= side - 0.5) }
function unquoted(s) { if (s ~ /^".*"$/) { s = substr(s, 2, length(s) - 2); gsub(/""/, "\"", s) } return s }
function square(label, guess) { return label == "" ? 0 : (label - guess) ^ 2 }
FNR == 1 {
	if (++file == 2) next
	split(size, side, " ")
	for (i = 1; i <= NF; i++) column[unquoted($i)] = i
	for (point in column) # with a prediction
		if (point ~ /_x$/ && ("predicted_" point) in column) {
			y_of = substr(point, 1, length(point) - 1) "y"
			x[++n] = column[point]; y[n] = column[y_of]
			guess_x[n] = column["predicted_" point]; guess_y[n] = column["predicted_" y_of]
		}
	if (!n) fail(/(^|,)predicted_/ ? data ": there are no keypoints to compare with" : model ": predicts no points")
	if (n != side[3]) fail(data ": of its " side[3] " points the table has " n)
	next
}
file == 1 { was[FNR] = $0; next }
{
	split(was[FNR], w, ",")
	for (i = 1; i <= n; i++) {
		labels = (w[x[i]] != "") + (w[y[i]] != "")
		if (!labels || w[guess_x[i]] == "") continue # no label, or no model learned the point
		all++
		if (changed && ($x[i] $y[i] == "" || beyond($x[i], side[1]) || beyond($y[i], side[2]))) continue
		points++; coordinates += labels
		before += square(w[x[i]], w[guess_x[i]]) + square(w[y[i]], w[guess_y[i]])
		after += square($x[i], $guess_x[i]) + square($y[i], $guess_y[i])
	}
}
END {
	if (failed) exit 1
	if (!all) fail(data ": no point has a label")
	if (!changed) printf "%-24s %9s %13s %12s %15s\n", "faces", "RMSE, px", "own pixels", "as they are", "points"
	if (!points) printf "%-24s %9s %13s %12s %15s\n", name, "-", "", "-", "0 of " all
	else {
		now = sqrt(after / coordinates)
		printf "%-24s %9.3f %13s %12s %15s\n", name, now, factor == 1 ? "" : sprintf("%.3f", now / factor), \
			changed ? sprintf("%.3f", sqrt(before / coordinates)) : "", points == all ? all : points " of " all
	}
}
