# Man pages, of what programs say of their options (PROGRAM --help=table). page=one: the page of the program whose table comes first, those of its
# kinds (render faces) behind it; page=list: the list of programs in keypipe(1) and keypipe(7); page=plain: the one that keypipe prints. prefix:
# of the programs' names; names: all programs', by blanks.
BEGIN {
	FS = "\t"
	split(names, name_of, " ")
}
# text as roff: no character has another meaning, and what is typed stays ASCII
function roff(s) {
	gsub(/\\/, "\\e", s)
	s = " " s
	gsub(/--/, "\\-\\-", s)
	while (match(s, /[ (=|]-[^ ]/))
		s = substr(s, 1, RSTART) "\\" substr(s, RSTART + 1)
	gsub(/'/, "\\(aq", s)
	gsub(/`/, "\\(ga", s)
	gsub(/\^/, "\\(ha", s)
	gsub(/~/, "\\(ti", s)
	s = substr(s, 2)
	return s ~ /^\./ ? "\\&" s : s
}
# as it is typed: every hyphen is a minus
function typed(s) {
	s = roff(s)
	gsub(/\\-/, "-", s)
	gsub(/-/, "\\-", s)
	return s
}
# an argument or operands: what stands for something in italics, what is typed as it is in bold
function argument(s,   out, word) {
	while (match(s, /[A-Za-z0-9-]+/)) {
		word = substr(s, RSTART, RLENGTH)
		out = out substr(s, 1, RSTART - 1)
		s = substr(s, RSTART + RLENGTH)
		out = out (word ~ /[A-Z]/ ? "\\fI" : "\\fB") typed(word) "\\fR"
	}
	return out s
}
# a sentence of what a program says that it does
function sentence(s) {
	return roff(toupper(substr(s, 1, 1)) substr(s, 2) (s ~ /\.$/ ? "" : "."))
}
# its first clause
function clause(s) {
	if (match(s, /[.:;]( |$)/))
		s = substr(s, 1, RSTART - 1)
	return tolower(substr(s, 1, 1)) substr(s, 2)
}
# programs at the beginning of a line or behind | and && by their installed names
function installed(s,   i) {
	for (i in name_of) {
		if (index(s, name_of[i] " ") == 1)
			s = prefix s
		gsub("[|] " name_of[i] " ", "| " prefix name_of[i] " ", s)
		gsub("&& " name_of[i] " ", "\\&\\& " prefix name_of[i] " ", s)
	}
	return s
}
# an example, broken behind | and &&, else at a blank outside of quotes, to lines that 80 columns hold
function example(s,   rest, at, i, quoted, c) {
	s = installed(s)
	for (rest = ""; length(rest s) > 70; rest = "    ") {
		at = 0
		for (i = quoted = 0; i <= 70 - length(rest); i++) {
			c = substr(s, i, 1)
			if (c == "'")
				quoted = !quoted
			else if (!quoted && c == " " && i > 1 && substr(s, i - 1, 1) ~ /[|&]/)
				at = i
		}
		if (at)
			print typed(rest substr(s, 1, at - 1))
		else {
			for (i = quoted = 0; i <= 68 - length(rest); i++) {
				c = substr(s, i, 1)
				if (c == "'")
					quoted = !quoted
				else if (!quoted && c == " " && substr(s, i + 1, 1) == "-")
					at = i
			}
			if (!at)
				break
			print typed(rest substr(s, 1, at)) "\\e"
		}
		s = substr(s, at + 1)
	}
	print typed(rest s)
}
function option(   more) {
	print ".TP"
	print ($2 ? "\\fB\\-" $2 "\\fR, " : "") "\\fB\\-\\-" typed($3) "\\fR" ($5 ? " " argument($5) : "")
	more = $7
	if ($6 != "")
		more = more (more ? "; " : "") "default " $6
	more = roff($8 (more ? " (" more ")" : ""))
	while (match(more, /,[^ \\]/)) # long lists may be broken
		more = substr(more, 1, RSTART) "\\:" substr(more, RSTART + 1)
	print more
}
function begin_page(   title) {
	title = toupper(prefix program)
	printf ".TH %s 1 \"\" \"Keypipe %s\" Keypipe\n", typed(title), version
	print ".nh\n.ad l"
	printf ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n\\fB%s\\fR [\\fIoptions\\fR] %s\n", typed(prefix program), roff(clause($2)), typed(prefix program), argument(operands)
	printf ".SH DESCRIPTION\n%s\n", sentence($2)
	print ".SH OPTIONS"
}
$1 == "name" {
	ntables++
	name = $2
	if (ntables == 1)
		program = name
}
$1 == "version" { version = $2 }
page == "list" && $1 == "what" && name !~ / / { printf ".TP\n.BR %s (1)\n%s\n", typed(prefix name), sentence(clause($2)) }
page == "plain" && $1 == "what" && name !~ / / { printf "%-14s %s\n", name, clause($2) }
page != "one" { next }
$1 == "what" { what = $2 }
$1 == "operands" {
	operands = $2
	$2 = what
	if (ntables == 1)
		begin_page()
	else
		printf ".SS %s\n\\fB%s\\fR [\\fIoptions\\fR] %s\n.PP\n%s\n", typed(prefix name), typed(prefix name), argument(operands), sentence(what)
}
# a kind's options are those of the program, and these
$1 == "option" && (ntables == 1 || !(($3, $5) in seen)) { option() }
$1 == "option" && ntables == 1 { seen[$3, $5] = 1 }
$1 == "example" && !($2 in shown) {
	shown[$2] = 1
	examples[++nexamples] = $2
}
END {
	if (page != "one")
		exit
	print ".SH EXIT STATUS\n0: done. 1: the data or the machine failed, as one line on stderr says. 2: wrong use."
	print ".SH EXAMPLES\n.nf"
	for (i = 1; i <= nexamples; i++)
		example(examples[i])
	print ".fi\n.SH SEE ALSO\n.BR keypipe (1),\n.BR keypipe (7)"
}
