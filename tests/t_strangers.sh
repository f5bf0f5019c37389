#!/usr/bin/env bash
# Models and data sets from strangers: tests/strangers.c says how they are changed. TRUST=1: a million of them. Lines that begin with `trust:`
# are the counts.
source tests/sh.sh
long=${TRUST:+1} long=${long:-0}
strangers=${BIN%/bin}/tests/strangers
cd "$TMP" || exit 1
say() { echo "trust: $1 | $2 | $3 | $4"; }

# ---- valid streams, small ones of every kind ----
mkdir seeds
face-synth -q -n 16 --size 32x32 -o training.csv
csv-clean -q --keep-all -o seeds/d-faces.tns training.csv
cp seeds/d-faces.tns faces.tns
patch-extract -q --around left_eye_center --size 9x7 --random 1 -o seeds/d-patches.tns faces.tns
train() { cnn-train -q -e 1 -b 8 --optimizer sgd -r 0.001 "$@"; }
train -n 'conv3x3x2 relu pool4 fc3 relu fc' -o seeds/m-coords.tns faces.tns
train -n 'conv3x3x4s2p1 bn relu ( conv3x3x4p1 bn relu conv3x3x4p1 bn )+ relu up2 conv1x1' --target heatmap -o seeds/m-heat.tns faces.tns
train -n 'conv3x3x2p1 sigmoid pool4 fc2 fc' --target map -o seeds/m-map.tns faces.tns
train -n 'conv3x3x2 tanh dropout0.3 fc2 relu fc' --target label -o seeds/m-label.tns seeds/d-patches.tns
dae-pretrain -q -H 5,3 -e 1 -b 8 -o seeds/m-dae.tns seeds/d-patches.tns
pca-fit -q -k 4 -o seeds/m-pca.tns seeds/d-patches.tns
train -n 'fc4 relu fc' --init none -o level.tns faces.tns 2>/dev/null || train -n 'fc4 relu fc' -o level.tns faces.tns
cp level.tns seeds/m-dense.tns
predict -q -o seeds/d-predicted.tns seeds/m-coords.tns faces.tns
predict -q --maps -o seeds/d-maps.tns seeds/m-heat.tns faces.tns
predict -q --maps -o seeds/d-map.tns seeds/m-map.tns faces.tns
predict -q -o seeds/d-score.tns seeds/m-label.tns seeds/d-patches.tns
predict -q -o seeds/d-pairs.tns seeds/m-dae.tns seeds/d-patches.tns
is "$(ls seeds/*.tns | wc -l)" 14 "seeds"

# ---- changed, checksums mended, through the programs ----
n=$((long ? ${STRANGERS:-1000000} : 600))
each=$((n / 2))
SEEDS=seeds nice "$strangers" $each >log.1 2>&1 &
SEEDS=seeds nice "$strangers" $((n - each)) $each >log.2 2>&1
status=$?
wait $! || status=$?
cat log.[12] | grep -v '^strangers: ' | head -40
read -r taken refused wrong slowest < <(sed -n 's/^strangers: //p' log.[12] | awk '{a += $1; b += $2; c += $3; d = $4 > d ? $4 : d} END {print a, b, NR == 2 ? c : "lost", d}')
is "$status ${wrong:-}" '0 0' "strangers' files"
# cases that once asked for more memory than there was: maps of 4000x4000 in an ONNX file, a batch that just fits
for k in 54257 66299 19310 54229 57896 57844; do SEEDS=seeds "$strangers" 1 $k >log.k 2>&1 && good || bad "case $k: $(head -1 log.k)"; done
say 17 'models and data changed, checksums mended, through 4 programs' $n "$taken taken, $refused refused in one line, ${wrong:-?} else; slowest $slowest s"

# ---- after opening what they need the programs have given up the rest (tests/check_confine.c tries what) ----
mkfifo data
# confined WORDS...: while it waits for its data
confined() {
	env --default-signal=INT "$@" <data >/dev/null 2>.err &
	local pid=$! got='' i
	exec 9>data # it waits
	for ((i = 0; i < 100; i++)); do
		got=$(awk '/^(NoNewPrivs|Seccomp):/ {printf "%s", $2}' /proc/$pid/status)
		[ "$got" != 12 ] || break
		sleep 0.05
	done
	is "$got" 12 "confined: $*"
	exec 9>&-
	wait $pid
}
case $BIN in *-cov*) skip "a build that counts is not confined" ;; *)
	if grep -q '^Seccomp:' /proc/self/status && [[ $(uname -m) = @(x86_64|aarch64) ]]; then
		confined predict -q -o out.tns seeds/m-coords.tns -
		confined predict -q -d ref seeds/m-coords.tns -
		confined tns-info
		confined tns-info --check
		confined tns-info -o out.txt
		confined model-export -q --form onnx
		confined model-export -q -o out.onnx
		confined model-export -q -o out.safetensors
		confined render faces -q -o out.png
		confined render tiles -q --format svg
		confined render video -q
	else
		skip "no seccomp here"
	fi ;;
esac
done_tests
