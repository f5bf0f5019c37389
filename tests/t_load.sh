#!/usr/bin/env bash
# Load: made faces, piped and never stored, through csv-clean, predict and submit, each stage in constant memory: a limit of its data that does
# not grow with the rows. TRUST=1: 200,000 faces (LOAD=N: N), 6.6 GB of CSV. Lines that begin with `trust:` are the counts.
source tests/sh.sh
long=${TRUST:+1} long=${long:-0}
cd "$TMP" || exit 1
case $BIN in *-san* | *-cov*) skip "the memory of this build is not that of the programs"; done_tests; exit ;; esac

n=$((long ? ${LOAD:-200000} : 2000)) mib=64
face-synth -q -n 30 -o training.csv
csv-clean -q -o faces.tns training.csv
cnn-train -q -n 'conv5x5x4s4 relu fc' -e 1 -b 8 --optimizer sgd -r 0.001 -o model.tns faces.tns 2>/dev/null
# what is asked: both coordinates of one point, of every face of the last thousand
awk -v n=$n 'BEGIN {print "RowId,ImageId,FeatureName,Location"; for (i = n - 999; i <= n; i++) {print ++r "," i ",nose_tip_x,"; print ++r "," i ",nose_tip_y,"}}' >lookup.csv
# stage NAME COMMAND...: in the limit; its largest resident memory, KiB, goes to NAME.kib
stage() {
	local name=$1
	shift
	prlimit --data=$((mib << 20)) bash -c 'python3 -c "
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open(sys.argv[1], \"w\"))
sys.exit(status)" "$@"' - "$name.kib" "$@"
}
if ! python3 -c 'import resource' 2>/dev/null; then
	stage() { shift; prlimit --data=$((mib << 20)) "$@"; }
fi
face-synth -q -n $n | stage clean csv-clean -q --keep-all -t 2 | stage predict predict -q -t 2 model.tns | stage submit submit -q --lookup lookup.csv -o submission.csv
is "${PIPESTATUS[*]}" "0 0 0 0" "the chain"
is "$(wc -l <submission.csv)" 2001 "answers"
most=0
for f in *.kib; do [ -e "$f" ] && [ "$(<"$f")" -gt $most ] && most=$(<"$f"); done
if [ $most != 0 ]; then is "$((most < 100000))" 1 "under 100 MB a stage: $(head *.kib | paste -sd ' ')"; else skip "no python3 to measure resident memory"; fi
echo "trust: 19 | faces piped through csv-clean, predict, submit | $n | each in $mib MiB of data; largest resident $((most / 1024)) MiB: $(for f in *.kib; do printf '%s %d ' "${f%.kib}" $(($(<"$f") / 1024)); done)"
done_tests
