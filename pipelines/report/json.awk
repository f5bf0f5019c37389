# JSON to lines: the names and places (from 1) that lead to a value, then the value, separated by tabs. Strings keep their escapes, so that
# no value holds a tab or a newline; html.awk's text() resolves them. BEFORE (environment): fields put before each line.
{ rest = rest $0 "\n" }
END { value(ENVIRON["BEFORE"] == "" ? "" : ENVIRON["BEFORE"] "\t") }
function blanks() { sub(/^[ \t\r\n]+/, "", rest) }
function skip(n) { rest = substr(rest, n + 1); blanks() }
function token(pattern,   t) {
	if (!match(rest, pattern)) exit 1
	t = substr(rest, 1, RLENGTH)
	skip(RLENGTH)
	return t
}
function string(   t) { t = token("^\"([^\"\\\\]|\\\\.)*\""); return substr(t, 2, length(t) - 2) }
function value(path,   open, name, n) {
	blanks()
	open = substr(rest, 1, 1)
	if (open == "{" || open == "[") {
		skip(1)
		while (rest !~ /^[\]}]/) {
			if (open == "{") { name = string(); skip(1) } else name = ++n
			value(path name "\t")
			if (rest ~ /^,/) skip(1)
		}
		skip(1)
	} else print path (open == "\"" ? string() : token("^[^],} \t\r\n]+"))
}
