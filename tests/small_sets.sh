#!/usr/bin/env bash
# What csv-clean finds in small sets: synthetic faces with planted faults (face-synth --dirt), in SETS sets (else 3000 rows, 20 sets at least)
# of each number of rows. Found, of planted: the row is reported with a fault of geometry, whichever.
# usage: small_sets.sh BIN ROWS... [-- OPTION of face-synth...]
set -eu -o pipefail
bin=$1 rows=()
shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do rows+=("$1") && shift; done
[ $# = 0 ] || shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
size=() && for ((i = 1; i < $#; i++)); do [ "${!i}" != --size ] || { j=$((i + 1)) && size=(--size "${!j}"); }; done

printf '%5s %5s %9s %9s %9s %9s %7s %10s %12s\n' rows sets swapped far shifted scrambled recall precision 'right rows'
for n in "${rows[@]}"; do
	sets=${SETS:-$((n < 150 ? 3000 / n : 20))}
	for ((seed = 1; seed <= sets; seed++)); do
		"$bin/face-synth" -q -t 1 -n "$n" -s "$seed" --dirt "$@" --planted "$tmp/truth" |
			"$bin/csv-clean" -q "${size[@]}" --report "$tmp/report" -o "$tmp/clean.tns"
		tail -n +2 "$tmp/truth" | sed "s/^/truth	$seed./"
		tail -n +2 "$tmp/report" | sed "s/^/report	$seed./"
	done | awk -F '\t' -v n="$n" -v sets="$sets" '
		BEGIN { kinds = split("swapped far shifted scrambled", kind, " "); for (k in kind) geometry[kind[k]] = 1 }
		$1 == "truth" && $4 in geometry { planted[$4]++; is[$2] = $4 }
		$1 == "report" && $4 in geometry { if (!reported[$2]++) rows[++m] = $2 }
		END {
			for (i = 1; i <= m; i++) if (rows[i] in is) { found[is[rows[i]]]++; all++ } else wrong++
			printf "%5d %5d", n, sets
			for (k = 1; k <= kinds; k++) { printf " %9s", found[kind[k]] + 0 "/" planted[kind[k]] + 0; p += planted[kind[k]] }
			printf " %7.3f %10.3f %12s\n", (p ? all / p : 1), (m ? all / m : 1), wrong + 0 "/" n * sets - p
		}'
done
