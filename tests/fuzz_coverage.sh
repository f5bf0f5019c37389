#!/usr/bin/env bash
# usage: tests/fuzz_coverage.sh BUILD FUZZER...
# Runs the inputs of each fuzzer, its seeds, the committed ones and what it found, through the build that counts, and through one of what the
# programs are made of. Prints a row a parser: the branches that were taken of those that its files have (each condition has two), and its
# fuzzer's inputs, peak memory and slowest input. BUILD/fuzz/FILE.missed has the branches that were not; those that tests/fuzz.md gives a
# reason for are told apart.
set -eu -o pipefail
B=$1
shift
llvm-profdata merge --help >/dev/null 2>&1 && command -v llvm-cov >/dev/null || { echo "skipped: no llvm-cov, so no coverage"; exit 0; }
out=$B/fuzz/coverage

mkdir -p "$out"
for f; do
	mkdir -p "$B/fuzz/$f/corpus"
	find "$B/fuzz/$f"/{seeds,large,committed,corpus} -type f | sort >"$out/$f.inputs"
	LLVM_PROFILE_FILE=$out/$f.profraw xargs -a "$out/$f.inputs" "$B/tests/covered_$f" >/dev/null 2>"$out/$f.log" || { echo "$f: an input ends it"; tail -5 "$out/$f.log"; exit 1; }
	llvm-profdata merge -sparse "$out/$f.profraw" -o "$out/$f.profdata"
	xargs -a "$out/$f.inputs" "$B/tests/plain_$f" >"$out/$f.cost" 2>"$out/$f.log" || { echo "$f: an input ends it"; tail -5 "$out/$f.log"; exit 1; }
done
# lines `FILE FUNCTION true|false LINE SOURCE` of branches that were never taken
missed() { # FUZZER FILE...
	local f=$1 file
	shift
	for file; do
		llvm-cov show "$B/tests/covered_$f" -instr-profile="$out/$f.profdata" -show-branches=count "$file" | awk -v file="$file" '
			/^ *[0-9]+\|/ {
				n = $0; sub(/\|.*/, "", n); n += 0
				s = $0; sub(/^[^|]*\|[^|]*\|/, "", s)
				if (s ~ /^[A-Za-z_].*\(/ && s !~ /;$/) {name = s; sub(/\(.*/, "", name); if (name == "__attribute__") {name = s; sub(/.*[ *]/, "", name)}; sub(/.*[ *]/, "", name); sub(/\(.*/, "", name)}
				sub(/^[ \t]*/, "", s); text[n] = s; within[n] = name
			}
			/Branch \([0-9]+:[0-9]+\): \[/ {
				match($0, /\([0-9]+/); at = substr($0, RSTART + 1, RLENGTH - 1) + 0
				if (/True: 0,/) print file, within[at], "true", at, text[at]
				if (/False: 0\]/) print file, within[at], "false", at, text[at]}'
	done
}
printf '%-28s %-10s %8s %8s %6s %8s %6s %8s %5s %7s\n' parser fuzzer branches taken % 'can not' % inputs MiB ms
awk -F ' *[|] *' '/^\| parser /{on = 1} /^$/{on = 0} on && NF > 4 && $2 !~ /^(parser|---)/ {print $2 "|" $3 "|" $4}' tests/fuzz.md | while IFS='|' read -r name f files; do
	[[ " $* " = *" $f "* ]] || continue
	read -r all left < <(llvm-cov report "$B/tests/covered_$f" -instr-profile="$out/$f.profdata" -show-functions=false $files |
		awk '$1 ~ /\.c$/ || $1 == "TOTAL" {last = $(NF - 2) " " $(NF - 1)} END {print last}')
	missed "$f" $files >"$out/$name.all"
	# those with a reason in fuzz.md: | file | function | part of the line | true, false or both | reason |
	awk -F ' *[|] *' -v unexplained="$out/$name.missed" -v explained="$out/$name.cannot" '
		NR == FNR {if ($2 ~ /\.c$/ && NF == 7) {n++; file[n] = $2; fn[n] = $3; part[n] = $4; side[n] = $5}; next}
		{split($0, w, " "); rest = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ ?/, "", rest)
		for (i = 1; i <= n; i++) if (file[i] == w[1] && fn[i] == w[2] && (side[i] == "both" || side[i] == w[3]) && (part[i] == "" || index(rest, part[i]))) {
			print >explained; next}
		print >unexplained}' tests/fuzz.md "$out/$name.all"
	touch "$out/$name.cannot" "$out/$name.missed"
	cannot=$(wc -l <"$out/$name.cannot")
	read -r inputs ms _ kib <"$out/$f.cost"
	awk -v name="$name" -v f="$f" -v a="$all" -v m="$left" -v c="$cannot" -v i="$inputs" -v k="$kib" -v ms="$ms" 'BEGIN {
		printf "%-28s %-10s %8d %8d %6.1f %8d %6.1f %8d %5.0f %7s\n", name, f, a, a - m, int(1000 * (a - m) / a) / 10, c,
			int(1000 * (a - m) / (a - c)) / 10, i, k / 1024, ms}'
done
