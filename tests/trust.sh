#!/usr/bin/env bash
# usage: tests/trust.sh BUILD [PART...]
# The table of trust: what the tests promise, in its long form. Prints a line a promise: its number, what was tried, how many were asked and how
# many tried, the seconds since the line of that part before it, what came out; then who ran it. Two parts run at once (J: so many); those that
# fill disks, kill at moments or measure time run after the others, one by one. Each part's own words are in BUILD/trust/PART.log.
# FUZZ_SECONDS=N (60 for each parser), STRANGERS=N (300,000): less or more of these.
set -u -o pipefail
B=$1 J=${J:-$(nproc)} dir=$PWD/$1/trust begin=$SECONDS
shift
export BIN=$PWD/$B/bin TRUST=1 STRANGERS=${STRANGERS:-300000} CK_DEFAULT_TIMEOUT=1200
beside=(strangers faults durable train foreign load damage tests analyze fuzz) alone=(trust pipelines)
[ $# = 0 ] || { beside=("$@") alone=(); }
rm -rf "$dir" && mkdir -p "$dir"

# line NUMBER WHAT COMMAND...: a promise that tests/run's totals answer
line() {
	local no=$1 what=$2 got
	shift 2
	got=$(env -u TRUST tests/run "$@" | tee -a /dev/stderr | tail -1)
	echo "trust: $no | $what | ${got%% *} | $(awk '{print $3 + 0}' <<<"$got") checks failed"
	[[ $got == *' 0 failed,'* ]]
}
tests() {
	local status=0
	line 12 'gradients by differences, backends against ref, steps against PyTorch' "$B"/tests/check_{grad,backend,conv,steps} PRECISION=bf16,"$B"/tests/check_backend || status=1
	line 13 'CUDA kernels on the host against ref, tf32, and fp32 in reverse thread order' \
		BACKEND=cuda,PRECISION=tf32,KEYPIPE_GPU_SMS=3,"$B"/host/tests/check_{backend,conv} \
		BACKEND=cuda,PRECISION=fp32,KEYPIPE_GPU_ORDER=reverse,INSTANCES=1,"$B"/host/tests/check_{backend,conv} || status=1
	line 15 'help, version, wrong options, numbers out of range, terminals' tests/t_options.sh tests/t_slips.sh || status=1
	return $status
}
run() {
	case $1 in
	damage) "$B"/tests/check_trust ;;
	tests) tests ;;
	fuzz) make --no-print-directory -j"$J" fuzz RUNS=10000000 FUZZ_SECONDS="${FUZZ_SECONDS:-60}" ;;
	pipelines) KILLS=50 tests/t_pipelines.sh ;;
	analyze) make --no-print-directory analyze ;;
	*) tests/t_"$1".sh ;;
	esac
}
# asked NUMBER WHAT TRIED: ../shared/trust.md's number, or that of an issue
asked() {
	case $1:$2 in
	1:*bytes* | 1:trunc* | 1:'the same'* | 2:every* | 5:* | 6:* | 7:*) echo every ;;
	1:*chain | 2:*programs) echo - ;;
	2:*) echo '1000000 all' ;;
	*) awk -F '\t' -v no="$1" -v what="$2" '$1 == no && index(what, $2) {print $3; exit}' <<'NUMBERS'
1		2000
3		10000000
4		60
8	tmpfs	8 sizes
8	power	every
8		every
9		every
10		100
11		5 threads
12		every
13		every
14		50
15		every
16		every
17		1000000
18		every
19		200000
20		larger
NUMBERS
	esac
}
part() {
	local p=$1 status=0
	mkdir "$dir/$p"
	{ TMP=$dir/$p run "$p" 2>&1 </dev/null || echo "FAILED: $p"; } | {
		last=$SECONDS
		while IFS= read -r l; do
			[[ $l != 'trust: '* ]] || { echo "$l | $((SECONDS - last))"; last=$SECONDS; continue; }
			echo "$l"
		done
	} >"$dir/$p.log"
	rm -rf "${dir:?}/$p"
	echo "$p: $((SECONDS - begin)) s after the beginning" >&2
}
running=0
for p in "${beside[@]}"; do
	[ $running -lt "$J" ] || { wait -n; running=$((running - 1)); }
	part "$p" &
	running=$((running + 1))
done
wait
for p in "${alone[@]}"; do part "$p"; done

row='%-4s %-76s %11s %12s %5s  %s\n'
printf "$row" no. promise asked tried s result
cat "$dir"/*.log | sed -n 's/^trust: //p' | sort -t' ' -s -n -k1,1 | awk -F ' [|] ' -v OFS='\t' '{print $1, $2, $3, $5, $4}' |
	while IFS=$'\t' read -r no what tried seconds result; do printf "$row" "$no" "$what" "$(asked "$no" "$what")" "$tried" "$seconds" "$result"; done
grep -hE '^(FAILED|skipped)' "$dir"/*.log
for f in "$dir"/*.log; do ! grep -q '^FAILED' "$f" || { echo "--- $f"; tail -20 "$f"; } ; done
echo "$((SECONDS - begin)) s; $(pipelines/machine.sh)"
! grep -q '^FAILED' "$dir"/*.log
