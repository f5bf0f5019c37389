#!/usr/bin/env bash
# usage: tests/fuzz_run.sh FUZZER FOLDER OPTION...
# Runs a fuzzer from its seeds, the committed inputs and what it found before, which are in FOLDER, and prints its line of the table of trust. Where
# it finds something the end of its log follows, and the status is 1. Time is the processor's, since machines do other work too.
set -u
fuzzer=$1 d=$2 found=0
shift 2
mkdir -p "$d/corpus"
large=$(find "$d/large" -type f)
[ -z "$large" ] || "$fuzzer" -artifact_prefix="$d/" -rss_limit_mb=512 -print_funcs=0 $large 2>"$d/log" || { tail -30 "$d/log"; exit 1; }
TIMEFORMAT='%U %S'
{ time "$fuzzer" "$@" -print_final_stats=1 -verbosity=0 -artifact_prefix="$d/" "$d/corpus" "$d/seeds" "$d/committed" 2>"$d/log" || found=1; } 2>"$d/time"
awk -v name="${d##*/}" -v found=$found '
	NR == FNR {seconds += $1 + $2; next}
	/number_of_executed_units/ {n = $2} /peak_rss_mb/ {m = $2} /slowest_unit_time_sec/ {s = $2} /Test unit written to/ {at = ", " $NF}
	END {printf "trust: 3 | fuzzer of %s | %d | %d found%s; %s us a run, slowest under %d s, %s MiB, with sanitizers\n", name, n, found, at,
		n ? sprintf("%.0f", 1e6 * seconds / n) : "-", s + 1, m}' "$d/time" "$d/log"
[ $found = 0 ] || { tail -30 "$d/log"; exit 1; }
