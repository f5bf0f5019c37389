#!/bin/sh
# keypipe - one name for all programs: keypipe predict ... is predict ...
# `make install` (pipelines/install.sh) puts the programs' names, and their first lines of help, below.
version=@VERSION@
prefix=@PREFIX@ # of the programs' names beside this script
programs() {
	cat <<'END'
@PROGRAMS@
END
}
here=$(dirname "$(readlink -f "$0")")
list() {
	echo "usage: keypipe PROGRAM ..."
	echo "       keypipe help [PROGRAM]"
	echo
	programs
	echo
	echo "keypipe help PROGRAM tells a program's options and shows examples."
}
known() { programs | awk -v word="$1" '$1 == word { found = 1 } END { exit !found }'; }
# a name with that word in it, else the one that the fewest letters make of it, if at most half of its own
nearest() {
	programs | awk -v word="$1" '
		function least(a, b, c) { return a <= b && a <= c ? a : b <= c ? b : c }
		function edits(a, b,   i, j, d) {
			for (i = 0; i <= length(a); i++)
				for (j = 0; j <= length(b); j++)
					d[i, j] = !i || !j ? i + j : least(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (substr(a, i, 1) != substr(b, j, 1)))
			return d[length(a), length(b)]
		}
		{
			n = length(word) > 2 && index($1, word) ? 0 : edits(word, $1)
			if (NR == 1 || n < best) { best = n; name = $1 }
		}
		END { if (2 * best <= length(name)) print name }'
}
unknown() {
	near=$(nearest "$1")
	echo "keypipe: unknown program '$1'${near:+ (did you mean $near?)}; try keypipe --help" >&2
	exit 2
}
case ${1-} in
'' | -h | --help) list ;;
-V | --version) echo "keypipe $version" ;;
help)
	shift
	[ $# -gt 0 ] || { list && exit; }
	known "$1" || unknown "$1"
	name=$1
	shift
	exec "$here/$prefix$name" "$@" --help
	;;
-*)
	echo "keypipe: unknown option '$1'; try keypipe --help" >&2
	exit 2
	;;
*)
	known "$1" || unknown "$1"
	name=$1
	shift
	exec "$here/$prefix$name" "$@"
	;;
esac
