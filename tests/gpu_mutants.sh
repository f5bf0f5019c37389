#!/usr/bin/env bash
# usage: tests/gpu_mutants.sh BUILD [README]
# Leaves out each barrier, fence, wait for copies and warp operation of the CUDA kernels, and each kernel's waiting for the launches before it, one at a time
# (KEYPIPE_GPU_SKIP), and says whether the checks under the race detector see it. Without README the table is printed alone, else it goes there.
set -u -o pipefail
B=$(realpath "$1") T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export BACKEND=cuda INSTANCES=1 CK_VERBOSITY=silent
PATH=$B/bin:$PATH
face-synth -q -n 40 --size 24x20 -s 3 --dirt | csv-clean -q --size 24x20 --keep-all -o "$T/faces.tns" 2>/dev/null
face-synth -q -n 20 -s 4 --size 96x80 | csv-clean -q --size 96x80 -o "$T/big.tns" 2>/dev/null
for k in eyes mouths; do patch-extract -q --preset $k --size 25x19 "$T/big.tns" -o "$T/$k.tns"; done
tns-cat "$T/eyes.tns" "$T/mouths.tns" -o "$T/classes.tns" # three
train() { KEYPIPE_GPU_SMS=3 "$B/race/bin/cnn-train" -q -d cuda -b 17 "$@" -o "$T/net.tns"; }
# the checks, quickest first
checks=(points heat rows map label rbm points,fp32 backend,tf32 conv,tf32)
check() {
	case $1 in
	points | points,*) train --precision "$(sed "s/.*,//; s/points/tf32/" <<<"$1")" -n 'conv3x3x8p1 bn relu pool2 dropout0.2 conv3x3x5 relu up2 conv3x3x3s2 relu fc17 relu fc' -e 1 --optimizer adam --augment default,motion=3 "$T/faces.tns" ;;
	heat) train --target heatmap -n 'conv3x3x8s2p1 bn relu ( conv3x3x8p1 bn )+ relu conv1x1' -e 1 "$T/faces.tns" ;;
	rows) train -n 'fc17 bn relu fc9 tanh dropout0.2 fc' -e 2 --average 0.9 "$T/faces.tns" ;;
	map) train --target map -n 'conv5x5x4 pool9 sigmoid dropout0.3 fc' -r 0.0005 -e 1 "$T/faces.tns" ;;
	label) train --target label -n 'fc7 relu fc' -e 1 "$T/classes.tns" ;;
	rbm) KEYPIPE_GPU_SMS=3 "$B/race/bin/rbm-pretrain" -q -d cuda -H 23,11 -e 1 -b 33 "$T/eyes.tns" -o "$T/net.tns" ;;
	conv,*) KEYPIPE_GPU_SMS=3 PRECISION=${1#*,} "$B/race/tests/check_conv" ;; # large tiles
	backend,*) PRECISION=${1#*,} "$B/race/tests/check_backend" ;;		   # many splits
	esac
}
# how a check's failure was told: a race, a divided barrier or warp, or by its results
how() {
	case $(<"$T/log") in
	*": a race: "*) echo race ;;
	*": a divergent "*) echo divergence ;;
	*) echo results ;;
	esac
}
sites() {
	grep -nE '__syncthreads\(|__syncwarp\(|__threadfence\(|__(shfl|ballot|any|all)[a-z_]*sync\(|cp_async_wait<.*>\(' kernels/cuda/*.cu kernels/cuda/*.h | grep -v '/host_cuda.h:' |
		sed -nE 's,^kernels/cuda/([^:]*:[0-9]*):.*\b(__[a-z_]*|cp_async_wait<.*>)\(.*,\1 \2,p'
	KEYPIPE_GPU_TRACE=$T/trace; export KEYPIPE_GPU_TRACE
	for c in "${checks[@]}"; do check "$c" >/dev/null 2>&1 || { echo "gpu_mutants: $c fails without a fault" >&2; exit 1; }; done
	unset KEYPIPE_GPU_TRACE
	cut -f1 "$T/trace" | sort -u | sed 's/$/\tlaunch/'
}
sites >"$T/sites" || exit 1
n=0 seen=0
while IFS= read -r line; do
	case $line in
	*$'\t'launch) site=${line%$'\t'*} what="order of launches" ;;
	*) site=${line% *} what=${line##* } ;;
	esac
	by="" reached=0
	for c in "${checks[@]}"; do
		KEYPIPE_GPU_SKIP=$site check "$c" >"$T/log" 2>&1 </dev/null || { by="$(how), $c"; break; }
		grep -q ' left out [1-9]' "$T/log" && reached=1
	done
	n=$((n + 1))
	if [ -n "$by" ]; then seen=$((seen + 1)); elif [ $reached = 1 ]; then by="**not seen**"; else by="**not reached**"; fi
	echo "| \`$site\` | $what | $by |" | tee -a "$T/table" >&2
done <"$T/sites"
{
	echo "$seen of $n seen, $(git log -1 --format='commit %h, %cs'), \`make gpu-mutants\`:"
	echo
	echo "| left out | what | seen by |"
	echo "| --- | --- | --- |"
	cat "$T/table"
} >"$T/out"
if [ $# -gt 1 ]; then tests/into.sh "$2" gpu-mutants <"$T/out"; else cat "$T/out"; fi
