#!/usr/bin/env bash
# The cuda backend in whole programs, with its kernels run on the host: losses near ref's, the same bits each time, killed and resumed or
# not; one line where there is no GPU or too little memory.
. tests/sh.sh
HOST=${BIN%/bin}/host/bin
cd "$TMP" || exit 1
face-synth -q -n 40 --size 24x20 -s 3 --dirt | csv-clean -q --size 24x20 --keep-all -o faces.tns 2>/dev/null
face-synth -q -n 20 -s 4 --size 96x80 | csv-clean -q --size 96x80 -o big.tns 2>/dev/null
patch-extract -q --preset eyes big.tns -o eyes.tns 2>/dev/null

# near WHAT A B LIMIT COLUMN: a column of two logs differs by less than LIMIT, relatively
near() {
	if paste "$2" "$3" | awk -F'\t' -v limit="$4" -v c="$5" 'NR > 1 { n = NF / 2; d = $c / $(c + n) - 1; if (!(d < limit && d > -limit)) bad = 1; seen++ }
		END { exit bad || !seen }'; then good; else bad "$1: losses $(cut -f"$5" "$2" | paste -sd' ') and $(cut -f"$5" "$3" | paste -sd' ')"; fi
}
steady() { awk -F'\t' '{ NF--; print }' OFS='\t' "$1"; }
# learns WHAT COLUMN TF32 BF16 PROGRAM ARGUMENTS...: by ref and by cuda in its three precisions; TF32, BF16: how far losses may be from ref's,
# three times what they were measured to be
order=reverse
learns() {
	local what=$1 column=$2 tf32=$3 bf16=$4 program=$5; shift 5
	ok "$what: ref" "$program" -q -d ref --log ref.tsv "$@" -o ref.tns
	ok "$what: fp32" "$HOST/$program" -q -d cuda --precision fp32 --log fp32.tsv "$@" -o fp32.tns
	near "$what: fp32" ref.tsv fp32.tsv 1e-6 "$column"
	ok "$what: tf32" "$HOST/$program" -q -d cuda --log tf32.tsv "$@" -o tf32.tns
	near "$what: tf32" ref.tsv tf32.tsv "$tf32" "$column"
	ok "$what: bf16" "$HOST/$program" -q -d cuda --precision bf16 --log bf16.tsv "$@" -o bf16.tns
	near "$what: bf16" ref.tsv bf16.tsv "$bf16" "$column"
	if cmp -s fp32.tns tf32.tns || cmp -s tf32.tns bf16.tns; then bad "$what: a precision is not heeded"; else good; fi
	steady tf32.tsv >tf32.log
	# blocks, warps and lanes in reverse, or in an order drawn: shows results that depend on the order
	order=$([ "$order" = reverse ] && echo 5 || echo reverse)
	ok "$what: in order $order" env KEYPIPE_GPU_ORDER=$order "$HOST/$program" -q -d cuda --log again.tsv "$@" -o again.tns
	same tf32.tns again.tns "$what: in order $order"
	steady again.tsv >again.log
	same tf32.log again.log "$what: log in order $order"
}
learns "points" 3 5e-4 7e-3 cnn-train -n 'conv3x3x5p1 bn relu pool2 dropout0.2 fc17 relu fc' -e 4 -b 17 --optimizer adam -r 0.003 --augment default faces.tns
learns "heat maps" 3 3e-4 3e-4 cnn-train --target heatmap --loss smooth --distrust 4 \
	-n 'conv3x3x8s2p1 bn relu conv3x3x12s2p1 relu up2 conv3x3x8p1 relu conv1x1' -e 4 -b 13 --optimizer adam -r 0.003 --augment flip,shift=2,blur=1 faces.tns
learns "skips" 3 1.5e-4 2e-3 cnn-train --target heatmap \
	-n 'conv3x3x8s2p1 bn relu ( conv3x3x8s2p1 bn relu ( conv3x3x8p1 bn dropout0.2 )+ relu up2 conv3x3x8p1 )+ conv1x1' -e 3 -b 13 --optimizer adam -r 0.003 faces.tns
learns "one map" 3 1e-5 3e-4 cnn-train --target map -n 'conv5x5x4 pool2 sigmoid dropout0.3 fc' -e 3 -b 16 -r 0.0005 -m 0.9 faces.tns
learns "labels" 3 2e-4 2e-4 cnn-train --target label -n 'conv5x5x3 tanh pool3 fc9 sigmoid fc' -e 3 --optimizer nesterov -r 0.05 eyes.tns
learns "a Boltzmann machine" 3 6e-4 6e-3 rbm-pretrain -H 23,11 -e 3 -b 33 eyes.tns
learns "an autoencoder" 3 6e-5 1e-3 dae-pretrain -H 23,11 -e 3 -b 33 eyes.tns

# as many models and estimates at once as there may be
cnn-train -q -n fc -e 1 -r 0.001 faces.tns -o fc.tns 2>/dev/null
models=$(for i in {1..15}; do cp fc.tns fc$i.tns; echo fc$i.tns; done)
tns-cat -q faces.tns faces.tns faces.tns faces.tns --renumber -o many.tns
ok "15 models of 18 views" env KEYPIPE_GPU_RUN=0 "$HOST/predict" -q -d cuda --flip --tta 9 $models many.tns -o no.tns
rm -f fc?*.tns

# packing and updates of all layers are one launch each a step
KEYPIPE_GPU_TRACE=trace "$HOST/cnn-train" -q -d cuda -e 1 -b 20 -n 'conv3x3x4 bn relu conv3x3x4 relu pool2 conv3x3x4 relu fc9 relu fc' faces.tns -o no.tns && rm no.tns
steps=$((($(tns-info --json faces.tns | sed -n 's/.*"name": "image"[^[]*\[\([0-9]*\),.*/\1/p') + 19) / 20))
launched() { awk -F'\t' -v k="$1" '$1 == k { n += $2 } END { print n + 0 }' trace; }
is "$(launched optimizer_step)" "$steps" "launches of optimizer_step in $steps steps"
is "$(launched pack)" $((steps + 1)) "launches of pack in $steps steps and the evaluation at the end"

# traced only: the same launches, though nothing is computed
KEYPIPE_GPU_RUN=0 KEYPIPE_GPU_TRACE=traced "$HOST/cnn-train" -q -d cuda -e 1 -b 20 -n 'conv3x3x4 bn relu conv3x3x4 relu pool2 conv3x3x4 relu fc9 relu fc' \
	faces.tns -o no.tns 2>/dev/null; rm -f no.tns
same trace traced "launches traced only"

# no kernel spills registers or uses local memory, by the compiler's report, where there is one
usage=()
for f in "$ROOT"/kernels/cuda/*.cu; do
	u=${BIN%/bin}/obj/kernels/cuda/$(basename "$f" .cu).usage
	[ ! -e "$u" ] || usage+=("$u")
done
if [ ${#usage[@]} -gt 0 ]; then
	# the list of what is allowed is of CUDA 13's compiler
	if "$ROOT/tests/kernel_local.sh" "${usage[@]}" 2>local; then
		good
	elif "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)" --version | grep -q 'release 13\.'; then
		bad "kernels use local memory: $(cat local)"
	else
		skip "by another nvcc than 13 kernels use local memory: $(head -1 local)"
	fi
	(cd "$ROOT" && tests/gpu_model.sh "${BIN%/bin}") >model 2>&1 && good || bad "occupancy: $(tail -1 model)"
else
	skip "nvcc has built nothing here"
fi
# and one that does is told of: by an nvcc that reports it
mkdir none; touch none/ready
reports() { # STACK STORES: make's exit status, where a kernel has so many bytes of stack frame and of spill stores
	printf '%s\n' '#!/bin/sh' 'case $1 in --list-gpu-code) echo sm_80; exit ;; esac' 'for a; do [ "$last" != -o ] || touch "$a"; last=$a; done' 'cat >&2 <<END' \
		"ptxas info    : Compiling entry function '_Z3addPf' for 'sm_80'" 'ptxas info    : Function properties for _Z3addPf' \
		"    $1 bytes stack frame, $2 bytes spill stores, 0 bytes spill loads" 'END' >nvcc
	chmod +x nvcc
	rm -f none/obj/kernels/cuda/queue.o
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN -u COV make -C "$ROOT" B="$TMP/none" NVCC="$TMP/nvcc" "$TMP/none/obj/kernels/cuda/queue.o" >made 2>&1
	echo "$?, $([ -e none/obj/kernels/cuda/queue.o ] && echo built), $(sed -n 's/^kernel_local: //p' made)"
}
is "$(reports 0 0)" "0, built, " "a kernel without local memory is built"
is "$(reports 8 0)" "0, built, add for sm_80: 8 bytes of local memory, 0 of spill stores, 0 of spill loads" "one with is told of"
is "$(reports 0 4)" "0, built, add for sm_80: 0 bytes of local memory, 4 of spill stores, 0 of spill loads" "one that spills, too"

# what is built for, by what the toolkit knows: CUDA 12.2, 12.8, 13.0, and what users choose
built_for() { # KINDS ARGUMENTS...: by an nvcc that knows them
	printf '#!/bin/sh\ncase $1 in --list-gpu-code) printf "sm_%%s\\n" %s ;; esac\n' "$1" >nvcc
	chmod +x nvcc
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN -u COV make -C "$ROOT" -n V=1 B="$TMP/none" NVCC="$TMP/nvcc" "${@:2}" "$TMP/none/obj/kernels/cuda/gpu.o" 2>&1 |
		grep -- "$TMP/nvcc " | grep -oE 'code=[a-z0-9_]*' | sed 's/code=//' | xargs
}
is "$(built_for '50 52 60 70 75 80 86 87 89 90 90a')" "sm_75 sm_80 sm_90 compute_80" "kinds of GPU by CUDA 12.2"
is "$(built_for '50 70 75 80 86 89 90 100 101 120')" "sm_75 sm_80 sm_90 sm_100 sm_120 compute_80" "kinds of GPU by CUDA 12.8"
is "$(built_for '75 80 86 87 88 89 90 100 110 103 120 121')" "sm_75 sm_80 sm_90 sm_100 sm_120 compute_80" "kinds of GPU by CUDA 13.0"
is "$(built_for '75 80' ARCHS=90 PTX=)" "sm_90" "the kind of GPU that is asked for"

# make gpu-check builds all that gpu_check.sh runs
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN -u COV make -C "$ROOT" -n B="$TMP/none" NVCC="$TMP/nvcc" ARCHS=90 PTX= gpu-check-build 2>&1 |
	grep -oE "^echo 'link [^']*" | sed "s|.*$TMP/none/||" | sort >built
{ grep -oE '"\$(D|FROM)/(bin/)?[a-z]+(-[a-z]+)?"' "$ROOT/tests/gpu_check.sh" | sed 's|.*/|bin/|'; grep -oE 'device/tests/check_[a-z]+' "$ROOT/tests/gpu_check.sh"; echo bin/dae-pretrain
	grep -oE '^\s*for t in [a-z ]*' "$ROOT/tests/gpu_check.sh" | sed 's/.* in //' | xargs -n 1 | sed 's|^|tests/check_|'; } | tr -d '"' | sort -u >run
is "$(comm -3 built run)" "" "what gpu-check builds, and what it runs"
tables=$(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN -u COV make -C "$ROOT" -n B="$TMP/none" NVCC="$TMP/nvcc" kernel-table gpu-model gpu-mutants 2>&1)
for p in $(cd "$ROOT/tests" && grep -ohE '\$B/(host|race)/[a-z]+/[a-z-]*[a-z]"' kernel_table.sh gpu_model.sh gpu_mutants.sh | tr -d '"' | sort -u); do
	case $tables in *"echo 'link $TMP/none${p#\$B}'"*) good ;; *) bad "$p is not built for the tables" ;; esac
done

# gpu_check.sh says what failed, and what compute-sanitizer found: on programs that do nothing, but write what they are asked to
mkdir -p gpu/bin gpu/tests gpu/device/tests tools
cat >gpu/bin/cnn-train <<'END'
#!/bin/sh
for a; do case $last in -o) echo model >"$a" ;; --log) printf '1\t2\t3\t4\t5\t6\n' >"$a" ;; esac; last=$a; done
END
cat >gpu/bin/bench <<'END'
#!/bin/sh
case "$FAULT $*" in stream*heat.tns-128) echo "bench: wait: an illegal memory access was encountered" >&2; exit 1 ;; esac
echo "# keypipe, cuda by GPU of none, 2 threads"; echo "mlp-32 7.0 samples/s"
END
# what it is asked to run; finds a fault in what FAULT says
printf '#!/bin/sh\necho "$2 $*" >>asked; case "$2 $*" in $FAULT) echo "a hazard"; exit 9 ;; esac; shift 4; exec "$@"\n' >tools/compute-sanitizer
cat >tools/mpirun <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo "mpirun (Open MPI) 4"; exit; }
while [ "$1" != -np ]; do shift; done
[ "$FAULT" != nccl ] || echo "cnn-train: NCCL is done without, and gradients go through the host's memory: rank 1 (here): it is old" >&2
shift 2
"$@"
[ "$FAULT" != bits ] || for a; do case $last in -o) echo other >"$a" ;; esac; last=$a; done
END
printf '#!/bin/sh\nprintf "GPU %%d: none\\n" 0 1 2\n' >tools/nvidia-smi
chmod +x gpu/bin/* tools/*
for p in dae-pretrain predict; do cp gpu/bin/cnn-train gpu/bin/$p; done
for c in augment backend conv dae infer rbm steps train; do printf '#!/bin/sh\n' >gpu/tests/check_$c; done
for c in queue device; do printf '#!/bin/sh\n[ "$FAULT" != %s ] || { printf "Running suite(s): x\\n50%%%%: Checks: 2\\n%s: it is wrong\\n"; exit 1; }\n' $c $c >gpu/device/tests/check_$c; done
cat >>gpu/device/tests/check_device <<'END'
[ "$FAULT" != kernel ] || { [ -n "$KEYPIPE_CUDA_SYNC" ] && echo "a fault in kernel add" || echo "a fault; KEYPIPE_CUDA_SYNC=1 says in which kernel"; exit 1; }
END
chmod +x gpu/tests/* gpu/device/tests/*
checked() { # FAULT: exit status, how many rows are ok, what failed
	rm -f asked
	local status=0
	PATH=$TMP/tools:$PATH FAULT=$1 KEYPIPE_CUBLAS=0 FACES=40 WORKLOADS=mlp-32 "$ROOT/tests/gpu_check.sh" gpu "$BIN" >rows 2>&1 || status=$?
	echo "$status, $(grep -cE ' ok +[0-9]+ s' rows), $(sed -nE 's/ +FAILED +/: /p' rows | paste -sd';')"
}
is "$(checked none)" "0, 36, " "gpu_check.sh: all is well"
is "$(cut -d' ' -f1 asked | sort | uniq -c | xargs)" "4 initcheck 4 memcheck 4 racecheck 4 synccheck" "gpu_check.sh: tools on two nets in two precisions"
is "$(grep -c -- '--precision fp32' asked)" 8 "gpu_check.sh: precisions"
is "$(checked stream)" "1, 35, predicts, batch after batch: bench: wait: an illegal memory access was encountered" "gpu_check.sh: batches that fail"
is "$(checked queue)" "1, 35, the queue and its graphs: queue: it is wrong" "gpu_check.sh: a queue that is wrong"
is "$(checked device)" "1, 35, streams, copies, arguments: device: it is wrong" "gpu_check.sh: a stream that is wrong"
is "$(grep -c . gpu/gpu-check.log), $(head -1 gpu/gpu-check.log)" "4, ==== streams, copies, arguments: exit status 1: env BACKEND=cuda gpu/device/tests/check_device" "gpu_check.sh: all that it wrote"
is "$(WORKLOADS="mlp-32 mlp-33" PATH=$TMP/tools:$PATH FAULT=none KEYPIPE_CUBLAS=0 FACES=40 "$ROOT/tests/gpu_check.sh" gpu "$BIN" 2>&1 | grep -E '^mlp-33|^gpu-check: 1' | sed 's/,.*//' | xargs)" \
	"mlp-33 FAILED gpu-check: 1 failed" "gpu_check.sh: a workload that fails"
is "$(checked kernel)" "1, 35, streams, copies, arguments: a fault in kernel add" "gpu_check.sh: a kernel that fails"
is "$(checked bits | sed 's/: [^:;]*differ[^;]*/: differ/g')" "1, 34, 2 ranks, gradients by the host: differ;2 ranks, gradients by NCCL: differ" "gpu_check.sh: ranks of other bits"
is "$(CUDA_VISIBLE_DEVICES=1 checked none) $(grep -c "^ranks by NCCL  *not run  *one GPU" rows)" "0, 34,  1" "gpu_check.sh: one GPU of three"
is "$(checked nccl)" "1, 34, 2 ranks, gradients by NCCL: NCCL was not used: rank 1 (here): it is old;2 ranks, --fast: NCCL was not used: rank 1 (here): it is old" "gpu_check.sh: ranks without NCCL"
is "$(checked 'racecheck*fp32*heatmap*')" "1, 35, compute-sanitizer racecheck, fp32: a hazard" "gpu_check.sh: a race in the second net"

# no races in a training (kernels/cuda/race.h)
RACE=${BIN%/bin}/race/bin
if [ -x "$RACE/cnn-train" ]; then
	ok "no race" "$RACE/cnn-train" -q -d cuda -n 'conv3x3x8p1 bn relu pool2 dropout0.2 conv3x3x5 relu up2 conv3x3x3s2 relu fc17 relu fc' -e 1 -b 17 \
		--optimizer adam --augment default,motion=3 faces.tns -o race.tns
	ok "no race: heat maps" "$RACE/cnn-train" -q -d cuda --target heatmap -n 'conv3x3x8s2p1 bn relu ( conv3x3x8p1 bn )+ relu conv1x1' -e 1 -b 13 faces.tns -o race.tns
else
	skip "no kernels watched for races in this build"
fi

# killed while it trains, and resumed
cnn=(-q -d cuda -n 'conv3x3x5p1 bn relu pool2 fc17 relu fc' -b 10 -e 60 --optimizer adam -r 0.004 --augment shift=1,noise=0.02 --valid faces.tns faces.tns)
ok "not killed" "$HOST/cnn-train" "${cnn[@]}" -o whole.tns
killed=0
for pause in 0.1 0.2 0.4 0.8; do
	"$HOST/cnn-train" "${cnn[@]}" --checkpoint check.tns --resume -o parts.tns &
	pid=$!
	sleep $pause
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
done
ok "resumed" "$HOST/cnn-train" "${cnn[@]}" --checkpoint check.tns --resume -o parts.tns
is "$((killed > 0))" 1 "it was killed at all"
same whole.tns parts.tns "killed and resumed"

# predictions of several models and mirror images agree with the cpu backend's
cnn-train -q -n 'conv3x3x4 bn relu pool2 fc' -e 1 -s 1 faces.tns -o a.tns
cnn-train -q --target heatmap -n 'conv3x3x6s2p1 bn relu conv1x1' -e 1 -s 2 faces.tns -o b.tns
predict -q --flip a.tns b.tns faces.tns | score --json >cpu.json
ok "predicted" "$HOST/predict" -q -d cuda --precision fp32 --flip a.tns b.tns faces.tns -o cuda.tns
rmse() { grep -o '"rmse_px": *[0-9.]*' "$1" | head -1 | grep -o '[0-9.]*$'; }
score --json cuda.tns >cuda.json
is "$(awk "BEGIN { d = $(rmse cpu.json) - $(rmse cuda.json); print (d < 1e-3 && d > -1e-3) }")" 1 "points as the CPU backend has them"

# out of memory; options of cuda alone
fails 1 "out of the GPU's memory" env KEYPIPE_GPU_BYTES=100000 "$HOST/cnn-train" -q -d cuda -n 'fc500 relu fc' -e 1 faces.tns -o no.tns
fails 1 "MiB are wanted" env KEYPIPE_GPU_BYTES=100000 "$HOST/predict" -q -d cuda a.tns faces.tns -o no.tns
fails 1 "--device cuda:1: there is 1 GPU here, counted from 0" "$HOST/predict" -q -d cuda:1 a.tns faces.tns -o no.tns
ok "GPU 0 by number" "$HOST/predict" -q -d cuda:0 --precision fp32 --flip a.tns b.tns faces.tns -o zero.tns
is "$(score --json zero.tns | grep rmse_px | head -1)" "$(score --json cuda.tns | grep rmse_px | head -1)" "GPU 0 by number"
is "$("$HOST/predict" -d cuda a.tns faces.tns 2>&1 >/dev/null | grep -o 'computed by cuda (host (sm_90), tf32, cuBLAS)')" "computed by cuda (host (sm_90), tf32, cuBLAS)" "predict says which GPU"
# each launch by itself gives the same bits
ok "launches waited for" env KEYPIPE_CUDA_SYNC=1 "$HOST/predict" -q -d cuda --precision fp32 --flip a.tns b.tns faces.tns -o sync.tns
is "$(score --json sync.tns | grep rmse_px | head -1)" "$(score --json cuda.tns | grep rmse_px | head -1)" "launches waited for"
fails 2 "--precision tf32: the device cpu does not have it, only cuda" cnn-train -q --precision tf32 -n fc -e 1 faces.tns -o no.tns
ok "nothing is left" test ! -e no.tns
# the programs as installed: no such backend or no GPU; skipped where there is one
if "$BIN/cnn-train" -q -d cuda -n fc -e 1 faces.tns -o no.tns 2>err; then
	skip "there is a GPU here"
else
	is "$?" 1 "without a GPU: exit status"
	is "$(wc -l <err)" 1 "without a GPU: one line"
	is "$(grep -cE 'no such backend|--device cuda: ' err)" 1 "without a GPU: $(cat err)"
	ok "without a GPU nothing is written" test ! -e no.tns
fi
done_tests
