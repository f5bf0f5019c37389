# What the shells' completions know, of what programs say of their options (PROGRAM --help=table), one table after the other: shell=bash, zsh or
# fish makes what stands at @WORDS@ in cmd/keypipe.SHELL. A key is a program, or a program and its kind ("render faces"); kinds have their
# program's options too, whose table comes before theirs.
BEGIN { FS = "\t" }
function quoted(s) {
	gsub(/'/, shell == "fish" ? "\\'" : "'\\''", s)
	return "'" s "'"
}
# a help's first clause
function clause(s) {
	sub(/(; | \(|: ).*/, "", s)
	return s
}
function is_file(arg) { return arg ~ /^(FILE|MODEL|TABLE|OUT|DIR|DESC)/ }
function words_of(arg) {
	gsub(/\|/, " ", arg)
	return arg
}
function bash_case(key, words) { printf "\t'%s') echo '%s' ;;\n", key, words }
# a specification of _arguments: (-o --output)'{-o+,--output=}'[help]:ARG:action
function zsh_option(   help, action, value, names) {
	help = clause($8)
	gsub(/\[/, "\\[", help)
	gsub(/\]/, "\\]", help)
	gsub(/:/, "\\:", help)
	gsub(/:/, "\\:", $5)
	action = $4 == "choice" ? "(" words_of($5) ")" : is_file($5) ? "_files" : " "
	value = $4 == "flag" ? "" : ":" $5 ":" action
	names = $2 == "" ? "'--" $3 ($4 == "flag" ? "" : "=") : "'{-" $2 ($4 == "flag" ? "" : "+") ",--" $3 ($4 == "flag" ? "" : "=") "}'"
	if ($4 == "list")
		names = "'*" ($2 == "" ? substr(names, 2) : names)
	else if ($2 != "")
		names = "'(-" $2 " --" $3 ")" names
	help = quoted("[" help "]" value)
	printf "\t\t%s%s\n", names, substr(help, 2)
}
function fish_option(   what) {
	what = ($2 == "" ? "" : " -s " $2) " -l " $3
	if ($4 == "choice")
		what = what " -x -a " quoted(words_of($5))
	else if ($4 != "flag")
		what = what (is_file($5) ? " -r -F" : " -x")
	printf "__keypipe_option %s%s -d %s\n", quoted(key), what, quoted(clause($8))
}
function end_table() {
	if (key == "")
		return
	if (shell == "bash")
		bash_case(key, substr(options, 2))
	if (shell == "zsh")
		print "\t) ;;"
}
$1 == "name" {
	end_table()
	key = $2
	program = key
	sub(/ .*/, "", program)
	options = key == program ? "" : of_program
	if (shell == "zsh")
		print "\t" quoted(key) ") reply+=("
	if (key == program)
		programs = programs " " key
}
$1 == "what" && key == program {
	what = clause($2)
	sub(/[.].*/, "", what)
	abouts[key] = tolower(substr(what, 1, 1)) substr(what, 2)
}
$1 == "operands" && match($2, /^[a-z]+([|][a-z]+)+/) { kinds[key] = words_of(substr($2, 1, RLENGTH)) }
$1 == "option" && key != program && (program, $3, $5) in seen { next }
$1 == "option" {
	seen[key, $3, $5] = 1
	options = options " --" $3
	if (key == program)
		of_program = options
	if (shell == "bash" && $4 == "choice") {
		bash_case(key ":--" $3, words_of($5))
		if ($2 != "")
			bash_case(key ":-" $2, words_of($5))
	}
	if (shell == "zsh")
		zsh_option()
	if (shell == "fish")
		fish_option()
}
END {
	end_table()
	n = split(programs, name_of, " ")
	if (shell == "bash")
		bash_case("programs", substr(programs, 2))
	if (shell == "zsh")
		print "\tprograms) reply+=("
	for (i = 1; i <= n; i++)
		if (shell == "zsh")
			print "\t\t" quoted(name_of[i] ":" abouts[name_of[i]])
		else if (shell == "fish")
			printf "__keypipe_program %s %s\n", name_of[i], quoted(abouts[name_of[i]])
	if (shell == "zsh")
		print "\t) ;;"
	for (key in kinds)
		if (shell == "bash")
			bash_case(key ":operands", kinds[key])
		else if (shell == "zsh")
			printf "\t%s:operands) reply+=(%s) ;;\n", key, kinds[key]
		else
			printf "__keypipe_kinds %s %s\n", key, quoted(kinds[key])
}
