# What a run was given, a name and a value each: lines `NAME := value` of settings.mk (part=settings), then FILE.is (part=is, NAME: its stem).
function say(name, value) {
	gsub(/^[ \t]+|[ \t]+$/, "", value)
	if (value == "" || (name, value) in told) return
	told[name, value] = 1
	if (!n++) print "<dl class=\"settings\">"
	printf "<div><dt>%s</dt><dd><code>%s</code></dd></div>\n", html(name), html(value)
}
part == "settings" && /^[A-Za-z_]+ := / { value = $0; name = $1; sub(/^[A-Za-z_]+ := /, "", value); gsub(/\\#/, "#", value); gsub(/\$\$/, "$", value); say(name, value) }
part == "is" { name = FILENAME; sub(/^.*\//, "", name); sub(/\.is$/, "", name); say(name, $0) }
END { if (n) print "</dl>" }
