# Draws faults to plant: usage: awk -v seed=1 -v want=300 -f mutants.awk REACH FILE... REACH is tests/coverage's list of lines of code.
# Prints at most one fault a line, in random order: FILE, line, column, kind, what stands there, what is planted; parted by tabs.
# Every line with a place for a fault is as likely as every other; then each place on it. Lines: code that the compiler knows, what continues
# it, and tables of constants. Statements that free memory stay: no result depends on them.

function random(n) {state = (state * 16807) % 2147483647; return state % n} # the minimal standard generator: the same in every awk

# the line with its comments and texts blanked out, as long as it was
function masked(s,    out, i, c, quote) {
	out = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (comment) {
			if (substr(s, i, 2) == "*/") {comment = 0; out = out "  "; i++} else out = out " "
		} else if (quote != "") {
			if (c == "\\") {out = out "@@"; i++} else if (c == quote) {out = out c; quote = ""} else out = out "@"
		} else if (substr(s, i, 2) == "/*") {comment = 1; out = out "  "; i++}
		else if (substr(s, i, 2) == "//") {while (length(out) < length(s)) out = out " "; break}
		else {
			if (c == "\"" || (c == "'" && substr(s, i - 1, 3) !~ /[0-9a-f]'[0-9a-f]/)) quote = c
			out = out c
		}
	}
	return out
}

function place(at, kind, old, new) {
	n++
	P[n] = at "\t" kind "\t" old "\t" new
}

# every match of re in the line: what it becomes is in a table, or asked of a function by kind
function each(re, kind,    rest, at, s, before, after) {
	rest = m; at = 0
	while (match(rest, re)) {
		s = substr(line, at + RSTART, RLENGTH)
		before = substr(m, at + RSTART - 1, 1); after = substr(m, at + RSTART + RLENGTH, 1)
		becomes(kind, s, at + RSTART, before, after)
		at += RSTART + (kind == "operator" ? RLENGTH - 2 : RLENGTH - 1) # operators share the blank between them
		rest = substr(m, at + 1)
	}
}

function becomes(kind, s, at, before, after,    w) {
	if (kind == "operator") {
		if (s in operators) place(at, index(" < <= > >= == != ", s) ? "comparison" : "operator", s, operators[s])
	} else if (kind == "integer") {
		if (before ~ /[A-Za-z0-9_.]/ || after ~ /[A-Za-z0-9_.]/) return
		if (declares && before == "[") return # sizes of arrays
		if (line ~ /OPT_(FLAG|STR|SIZE|CHOICE|LIST|SEED),/ && after != "}") return # options without a range
		w = s == "0" ? "1" : s != "1" ? s + 1 : substr(m, 1, at - 1) ~ /(return|=) $/ && after ~ /[;,]/ ? "0" : random(2) ? "2" : "0" # 1 and 2 are both true
		place(at, "constant", s, w)
	} else if (kind == "fraction") {
		if (before ~ /[A-Za-z0-9_]/) return
		place(at, "constant", s, s ~ /^0\.?0*f?$/ ? "1" (s ~ /f$/ ? ".0f" : ".0") : "(1.25f * " s ")")
	} else if (kind == "word") {
		if (before ~ /[A-Za-z0-9_]/ || after ~ /[A-Za-z0-9_]/) return
		if (s in pairs && near(pairs[s])) place(at, "name", s, pairs[s])
		else if (s in functions && after == "(") place(at, "function", s, functions[s])
	} else if (kind == "not") {
		if (after != "=") place(at, "negation", s, substr(s, 2))
	} else if (kind == "minus")
		place(at, "sign", s, substr(s, 1, index(s, "-") - 1) substr(s, index(s, "-") + 1))
	else if (kind == "if")
		place(at, "negation", s, substr(s, 1, index(s, "(")) "!" substr(s, index(s, "(") + 1))
	else if (kind == "arguments") {
		w = s
		sub(/^[(]/, "", w); split(w, A, ", ")
		if (A[1] != A[2] && after ~ /[,)]/ && before ~ /[a-z0-9_]/) place(at, "arguments", s, "(" A[2] ", " A[1])
	} else if (kind == "indices") {
		split(s, A, "]")
		if (A[1] != A[2]) place(at, "indices", s, A[2] "]" A[1] "]")
	}
}

# the name stands within twelve lines: it is declared here
function near(name,    i) {
	for (i = NR_ - 12; i <= NR_ + 12; i++) if (i in M && (" " M[i] " ") ~ ("[^A-Za-z0-9_]" name "[^A-Za-z0-9_]")) return 1
	return 0
}

function places(    first) {
	n = 0
	first = line; sub(/^[\t ]+/, "", first)
	declares = m ~ /^[\t ]*(static |const |_Alignas[^ ]* )*(unsigned|signed|char|int|long|short|float[0-9]?|double|real|size_t|ssize_t|void|u?int[0-9]+_t|u?int[0-9]|struct [a-z_]+|enum [a-z_]+|FILE|bool|auto|template|__shared__|__m[0-9]+[a-z]*) /
	each(" ([-+*/%<>&|^]|<=|>=|==|!=|&&|[|][|]|<<|>>|[-+*/|&]=) ", "operator")
	each("[0-9]+", "integer")
	each("([0-9]+\\.[0-9]*|[0-9]*\\.[0-9]+)(e-?[0-9]+)?f?", "fraction")
	each("[A-Za-z_]+", "word")
	each("![a-z_(]", "not")
	each("([(=,?:] ?|return )-[a-z0-9(]", "minus")
	each("(if|while) \\([a-z_]", "if")
	each("[(][a-z_][A-Za-z0-9_.>-]*, [a-z_][A-Za-z0-9_.>-]*", "arguments")
	each("\\[[a-z0-9]+\\]\\[[a-z0-9]+\\]", "indices")
	if (m ~ /^\t+[a-z_*][^;{}]*;[ ]*$/ && !declares && begins && m !~ /^\t+(return|break|continue|goto|case|default|if|for|while|do|else|switch|va_start|va_end|assert|static_assert|typedef|extern|using|free|[a-z_]*_free)[^a-z_]/ && m !~ /^\t+[a-z_]+ [*]?[a-z_]+( =|;|\[|,)/)
		place(index(line, first), "statement", substr(line, index(line, first)), ";")
}

function file_done(    i, depth, table, code, last, k) {
	if (!NR_) return
	depth = table = code = 0; last = ""
	for (i = 1; i <= NR_; i++) {
		m = M[i]
		if (T[i] ~ /^#/ || hash) {hash = T[i] ~ /\\$/; continue}
		if (!depth && m ~ /= \{/) table = 1
		if (!depth && m ~ /^(static_assert|enum|struct [a-z_]+ \{)/) table = 0
		if ((file, i) in known) code = i
		else if (code && last ~ /[;{}:]$/) code = 0
		if ((code || table) && m !~ /^[\t ]*(static_)?assert\(/ && m !~ /^[\t ]*$/) {
			line = T[i]; begins = last ~ /([;{})]|else|:)$/; keep = NR_
			NR_ = i; here(code + 0); NR_ = keep
		}
		k = gsub(/\{/, "{", m) - gsub(/\}/, "}", m)
		depth += k
		if (!depth) table = 0
		m = M[i]; gsub(/[\t ]+$/, "", m)
		if (m != "") last = m
	}
	for (i in M) {delete M[i]; delete T[i]}
	NR_ = comment = hash = 0
}

function here(code,    k) {
	places()
	if (!n) return
	sites++
	k = 1 + random(n)
	site[sites] = file "\t" NR_ "\t" P[k]
	# how near the code's line is that the compiler knows: what reaches it reaches this
	from[sites] = code
}

BEGIN {
	state = seed * 7919 % 2147483646 + 1
	for (i = 0; i < 20; i++) random(2)
	k = split(" + , - , - , + , * , / , / , * , % , * , < , <= , <= , < , > , >= , >= , > , == , != , != , == , && , || , || , && , << , >> , >> , << , & , | , | , & , ^ , | , += , -= , -= , += , *= , /= , /= , *= , |= , = , &= , = ", all, ",")
	for (i = 1; i < k; i += 2) operators[all[i]] = all[i + 1]
	k = split("x y w h W H X Y i j dx dy width height a b row col rows cols mean var left right min max first last lo hi begin end from to", all, " ")
	for (i = 1; i < k; i += 2) {pairs[all[i]] = all[i + 1]; pairs[all[i + 1]] = all[i]}
	k = split("fminf fmaxf fmin fmax sinf cosf sin cos floorf ceilf floor ceil MIN MAX lroundf floorf", all, " ")
	for (i = 1; i < k; i += 2) {functions[all[i]] = all[i + 1]; if (!(all[i + 1] in functions)) functions[all[i + 1]] = all[i]}
}
FILENAME == ARGV[1] {known[$1, $2 + 0]; next}
FNR == 1 {file_done(); file = FILENAME}
{NR_ = FNR; T[FNR] = $0; M[FNR] = masked($0)}
END {
	file_done()
	for (i = sites; i > 1; i--) {
		j = 1 + random(i)
		t = site[i]; site[i] = site[j]; site[j] = t
		t = from[i]; from[i] = from[j]; from[j] = t
	}
	for (i = 1; i <= sites && i <= want; i++) print from[i] "\t" site[i]
	print sites " lines have a place for a fault" >"/dev/stderr"
}
