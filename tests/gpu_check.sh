#!/usr/bin/env bash
# usage: tests/gpu_check.sh DIR FROM
# Tests the cuda backend on this machine's GPU: results against ref, reproducibility, speed. DIR has bin/ and tests/ of a build with cuda,
# FROM the other programs. PEERS=DIR2 (with `compare`) and PYTHON add PyTorch's speed. One table on stdout; ends within SECONDS_IN_ALL (480).
# LOG (DIR/gpu-check.log) has all that was written by what failed.
set -u
D=$1 FROM=$2 T=$(mktemp -d) all=${SECONDS_IN_ALL:-480} failed=0 log=${LOG:-$1/gpu-check.log}
trap 'rm -rf "$T"' EXIT
export TMP=$T CK_VERBOSITY=normal CK_DEFAULT_TIMEOUT=100
: >"$log" || exit 1
left() { echo $((all - SECONDS)); }
row() { printf '%-34s %-10s %s\n' "$@"; }
# why FILE: the first line of a check's output that says what failed
why() { grep -vE '^(Running|[0-9]+%|backend: |skipped: |=+ COMPUTE-SANITIZER)|nothing was learned|is done without' "$1" | head -1 | cut -c1-150; }
# passes WHAT COMMAND...: runs a check in the time left and prints its row. A fault in a kernel: once more, so that it says in which
passes() {
	local what=$1 t0=$SECONDS status=0; shift
	for c in "$@"; do # programs of the build must exist
		case $c in "$D"/*) [ -x "$c" ] || { row "$what" FAILED "$c was not built"; failed=$((failed + 1)); return; } ;; esac
	done
	[ "$(left)" -gt 5 ] || { row "$what" "not run" "no time left"; return; }
	local most; most=$(left)
	[ -z "${limit:-}" ] || [ "$most" -lt "$limit" ] || most=$limit
	timeout -k 5 "$most" "$@" >"$T/out" 2>&1 || status=$?
	if [ $status != 0 ] && grep -q 'KEYPIPE_CUDA_SYNC=1 says' "$T/out"; then
		mv "$T/out" "$T/first"
		KEYPIPE_CUDA_SYNC=1 timeout -k 5 60 "$@" >"$T/out" 2>&1
		[ -n "$(why "$T/out")" ] || cat "$T/first" >>"$T/out"
	fi
	[ $status = 0 ] || { echo "==== $what: exit status $status: $*"; head -n 300 "$T/out"; } >>"$log"
	case $status in
	0) row "$what" ok "$((SECONDS - t0)) s${more:+, $more}" ;;
	124) row "$what" FAILED "not done in $most s"; failed=$((failed + 1)) ;;
	*) row "$what" FAILED "$(why "$T/out")"; failed=$((failed + 1)) ;;
	esac
}
gpu() { timeout -k 5 60 "$D/bin/bench" --device cuda --seconds 0 mlp-32 2>"$T/err" | sed -n '1s/^# keypipe, cuda by //p'; }
GPU=$(gpu)
[ -n "$GPU" ] || { cat "$T/err"; exit 1; }
# cuBLAS outside the loader's path, as Python packages install it: the first that starts
if [[ $GPU != *cuBLAS* && -z ${KEYPIPE_CUBLAS:-} ]]; then
	while read -r file; do
		with=$(KEYPIPE_CUBLAS=$file gpu)
		[[ $with != *cuBLAS* ]] || { export KEYPIPE_CUBLAS=$file GPU=$with; break; }
	done < <(find / /opt -xdev -name 'libcublas.so.1[23]' 2>/dev/null | sort -ur)
fi
echo "gpu-check on ${GPU%, * threads}, $(date +%F)"
row check result remarks
for precision in fp32 tf32 bf16; do
	for t in backend conv; do
		passes "$t, $precision, against ref" env BACKEND=cuda PRECISION=$precision LARGE=1 "$D/tests/check_$t"
		passes "$t, $precision, large tiles" env BACKEND=cuda PRECISION=$precision KEYPIPE_GPU_SMS=3 "$D/tests/check_$t"
	done
done
passes "the queue and its graphs" env BACKEND=cuda "$D/device/tests/check_queue"
passes "streams, copies, arguments" env BACKEND=cuda "$D/device/tests/check_device"
# each of their tests opens the GPU, and none has a product for cuBLAS, which takes time to start
for t in steps dae rbm train infer augment; do passes "$t against PyTorch's dump or by hand" env BACKEND=cuda KEYPIPE_CUBLAS=0 "$D/tests/check_$t"; done

# ---- three nets, trained twice each: the same bits
"$FROM/face-synth" -q -n "${FACES:-1200}" -s 5 | "$FROM/csv-clean" -q -o "$T/faces.tns"
"$FROM/tns-split" -q --parts 0.9,0.1 "$T/faces.tns" -o "$T/train.tns" -o "$T/valid.tns"
"$FROM/patch-extract" -q --preset eyes "$T/faces.tns" -o "$T/eyes.tns"
trains() { # WHAT EPOCHS PROGRAM ARGUMENTS...
	local epochs=$2 program=$3; shift 3
	rm -f "$T/one.tns" "$T/two.tns" "$T/log.tsv" # of the net before
	"$D/bin/$program" -q -d cuda -e "$epochs" "$@" -o "$T/one.tns" && "$D/bin/$program" -q -d cuda -e "$epochs" "$@" -o "$T/two.tns" --log "$T/log.tsv" &&
		cmp "$T/one.tns" "$T/two.tns"
}
export -f trains; export D T
e=${EPOCHS:-20}
last() { awk -F'\t' -v c="${1:-}" 'END { print c ? $c : $NF }' "$T/log.tsv" 2>/dev/null; }
more= passes "trains an autoencoder, twice alike" bash -c 'trains dae "$@"' - "$e" dae-pretrain -H 500 -b 128 "$T/eyes.tns"
row "  loss, seconds of $e epochs" "$(last 3)" "$(last 5)"
passes "trains conv.net, twice alike" bash -c 'trains conv "$@"' - "$e" cnn-train -n @pipelines/nets/conv.net --valid "$T/valid.tns" --augment default "$T/train.tns"
row "  pixels, seconds of $e epochs" "$(last 5)" "$(last 6)"
passes "trains heat.net, twice alike" bash -c 'trains heat "$@"' - "$e" cnn-train -n @pipelines/nets/heat.net --target heatmap --loss smooth -b 32 -r 0.002 \
	--optimizer adam --valid "$T/valid.tns" --augment default "$T/train.tns"
row "  pixels, seconds of $e epochs" "$(last 5)" "$(last 6)"
passes "predicts" "$D/bin/predict" -q -d cuda --flip "$T/one.tns" "$T/faces.tns" -o "$T/predicted.tns"
cp "$T/one.tns" "$T/heat.tns" 2>/dev/null
limit=60 passes "predicts, batch after batch" bash -c '"$D/bin/bench" --device cuda --seconds 2 "$T/heat.tns-128" >"$T/streams" && grep -q samples/s "$T/streams"'
row "  images a second, bytes to points" "$(awk '$3 == "samples/s" { print $2 }' "$T/streams" 2>/dev/null)" "batches of 128, the next copied while one is computed"

# ---- ranks: a batch in four shards, in one process and on ranks, which take the GPUs in turn: the same bits
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
shared() { # RANKS [OPTION...]: NCCL must be used unless KEYPIPE_NCCL is 0
	local n=$1 train=("$D/bin/cnn-train" -q -d cuda -e "$e" -b 32 --shards 4 --target heatmap --loss smooth -n @pipelines/nets/small.net --optimizer adam --augment default "$T/train.tns")
	shift
	rm -f "$T/one.tns" "$T/two.tns" "$T/log.tsv"
	"${train[@]}" -o "$T/one.tns" && mpirun -q --bind-to none --oversubscribe -np "$n" "${train[@]}" "$@" --log "$T/log.tsv" -o "$T/two.tns" 2>"$T/err" || { cat "$T/err"; return 1; }
	[ "${KEYPIPE_NCCL:-}" = 0 ] || ! sed -n 's/.*NCCL is done without.* memory: /NCCL was not used: /p' "$T/err" | grep . || return 1
	[ $# -gt 0 ] || cmp "$T/one.tns" "$T/two.tns"
}
export -f shared; export e
gpus=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU ') ranks=2
[ -z "${CUDA_VISIBLE_DEVICES:-}" ] || gpus=$(tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .)
while [ $((ranks * 2)) -le "$gpus" ] && [ $ranks -lt 4 ]; do ranks=$((ranks * 2)); done
if ! mpirun --version 2>/dev/null | grep -q 'Open MPI'; then
	row ranks "not run" "there is no Open MPI"
elif mpirun -q --bind-to none --oversubscribe -np 2 "$D/bin/cnn-train" -q -n fc -e 1 "$T/train.tns" -o "$T/two.tns" 2>&1 | grep -q 'has no MPI'; then
	row ranks "not run" "these programs were built without MPI"
else
	if [ -z "${KEYPIPE_NCCL:-}" ] && ! ldconfig -p 2>/dev/null | grep -q libnccl.so.2; then
		KEYPIPE_NCCL=$(find / /opt -xdev -name libnccl.so.2 2>/dev/null | head -1) # as Python packages install it
		[ -z "$KEYPIPE_NCCL" ] || export KEYPIPE_NCCL
	fi
	KEYPIPE_NCCL=0 passes "2 ranks, gradients by the host" bash -c 'shared "$@"' - 2
	row "  seconds of $e epochs" "$(last)"
	if [ "$gpus" -lt 2 ]; then
		row "ranks by NCCL" "not run" "one GPU, and NCCL takes a rank each"
	elif [ "${KEYPIPE_NCCL:-}" = 0 ]; then
		row "ranks by NCCL" "not run" "KEYPIPE_NCCL is 0"
	else
		passes "$ranks ranks, gradients by NCCL" bash -c 'shared "$@"' - $ranks
		row "  seconds of $e epochs" "$(last)"
		passes "$ranks ranks, --fast" bash -c 'shared "$@"' - $ranks --fast
		row "  seconds of $e epochs" "$(last)"
	fi
fi

# ---- speed
workloads=${WORKLOADS:-dae-1000 conv-train-128 heat-train-32 infer-conv-1 dae-128 mlp-32 conv-train-32 infer-conv-128 infer-heat-1 infer-heat-32 sgemm-4096 map-train-64}
# timed FORMAT WORKLOAD COMMAND...: the line that is the workload's, or, with status 1, what is wrong
timed() {
	local format=$1 w=$2; shift 2
	[ "$(left)" -gt 20 ] || { printf '%-20s %12s\n' "$w" "no time left"; return; }
	timeout -k 5 "$(left)" "$@" "$w" 2>"$T/err" | awk -v w="$w" -v f="$format" '$1 == w { printf f, $1, $2, $3, $4; seen = 1 } END { exit !seen }' ||
		{ printf '%-20s FAILED %s\n' "$w" "$(tail -1 "$T/err" | cut -c1-100)"; return 1; }
}
printf '%-20s %12s\n' workload samples/s
for w in $workloads; do timed '%-20s %12s\n' "$w" "$D/bin/bench" --device cuda --seconds 1 || failed=$((failed + 1)); done

# compute-sanitizer: memory, races in shared memory, barriers, memory read before it is written, on two small nets
small() { # TOOL PRECISION
	local under=(env KEYPIPE_CUBLAS=0 compute-sanitizer --tool "$1" --error-exitcode 9) train=("$D/bin/cnn-train" -q -d cuda --precision "$2" -e 1)
	"${under[@]}" "${train[@]}" -b 17 --optimizer adam --augment default -n 'conv3x3x8p1 bn relu pool2 dropout0.2 conv3x3x12 relu fc33 relu fc' "$T/small.tns" -o "$T/three.tns" &&
		"${under[@]}" "${train[@]}" -b 13 --target heatmap -n 'conv3x3x8s2p1 bn relu ( conv3x3x8p1 bn )+ relu up2 conv1x1' "$T/small.tns" -o "$T/three.tns"
}
export -f small
PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer
if command -v compute-sanitizer >/dev/null; then
	"$FROM/face-synth" -q -n 26 --size 24x20 -s 3 | "$FROM/csv-clean" -q --size 24x20 --keep-all -o "$T/small.tns"
	for tool in memcheck racecheck synccheck initcheck; do
		for precision in fp32 tf32; do limit=60 passes "compute-sanitizer $tool, $precision" bash -c 'small "$@"' - $tool $precision; done
	done
else
	row compute-sanitizer "not run" "it is not there"
fi

# PyTorch's, last: it compiles each workload first
if [ -n "${PEERS:-}" ]; then
	printf '%-20s %12s %12s %8s\n' workload samples/s PyTorch ratio
	for w in ${workloads//sgemm-4096/}; do
		timed '%-20s %12s %12s %8s\n' "$w" "$PEERS/compare" --bench "$D/bin/bench" --python "${PYTHON:-python3}" --rounds 1 --seconds 1 --device cuda --compile
	done
fi

[ "$failed" = 0 ] || echo "gpu-check: $log has all that was written by what failed"
echo "gpu-check: $failed failed, $SECONDS s"
[ "$failed" = 0 ]
