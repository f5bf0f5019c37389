#!/usr/bin/env bash
# usage: tests/gpu_model.sh [--all] BUILD [README]
# Occupancy and modelled time of the cuda backend's launches, by net and GPU: launches as the host has them (traced, not run), registers as
# nvcc reports them, limits and peaks of the GPUs below. Nothing of it is measured. Exit status 1 where no block of a GEMM fits a
# multiprocessor, or a launch's kernel is not among the compiler's. --all: a line a launch: net, GPU,
# launches a step, kernel and shape, registers, blocks, blocks a multiprocessor, waves, how full the last is, modelled us. Written into the README too, if named.
set -euo pipefail
all=0
[ "${1-}" = --all ] && { all=1; shift; }
B=$1 T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
ls "$B"/obj/kernels/cuda/*.usage >/dev/null 2>&1 || { echo "gpu_model: nvcc has built nothing in $B" >&2; exit 2; }
# name, compute capability of the code, multiprocessors, GHz, threads, blocks and KiB of shared memory a multiprocessor, GB/s, tf32 operations a
# clock and multiprocessor (dense, sums in fp32): data sheets and the CUDA programming guide's table of compute capabilities; the share of
# these that mma.sync reaches (Luo et al., 2024, "Benchmarking and dissecting the Nvidia Hopper GPU architecture via microbenchmarking"); bytes
# a clock of L2 (A100: NVIDIA's white paper, H100: taken to be the same; RTX 4090: 5 TB/s, as measured by Chips and Cheese)
gpus='H100 SXM|90|132|1.83|2048|32|228|3350|2048|0.63|5120
A100 80GB|80|108|1.41|2048|32|164|2039|1024|1|5120
RTX 4090|80|128|2.52|1536|24|100|1008|256|1|2048'
export KEYPIPE_GPU_RUN=0
PATH=$B/bin:$PATH
face-synth -q -n 320 -s 5 | csv-clean -q --keep-all -o "$T/faces.tns" 2>/dev/null
# traced NET STEPS BENCH-WORKLOAD: launches a step, after the net's name; program and place name the kernel
per_step() { awk -F'\t' -v OFS='\t' -v net="$1" -v steps="$2" -v program="$3" '{ k = $1 FS $4 FS $5 FS $6 FS $7 FS $8 }
	FNR == 1 { file++ } { if (!(k in n)) order[++keys] = k; n[k] += file == ARGC - 1 ? $2 : -$2 }
	END { for (i = 1; i <= keys; i++) if (n[order[i]] >= steps / 2) print net, program, n[order[i]] / steps, order[i] }' "${@:4}"; }
traced() { # GPU MULTIPROCESSORS
	export KEYPIPE_GPU_SMS=$2
	local t="$T/$2"
	for w in dae-1000,48 conv-train-128,120 infer-heat-32,120; do # 6 epochs of 8 steps; 3 and 3 times 20 steps
		KEYPIPE_GPU_TRACE="$t.${w%,*}" "$B/host/bin/bench" --device cuda --seconds 0 "${w%,*}" >/dev/null
		per_step "${w%,*}" "${w#*,}" bench "$t.${w%,*}"
	done
	for e in 1 2; do # what the second epoch adds: 10 steps
		KEYPIPE_GPU_TRACE="$t.heat$e" "$B/host/bin/cnn-train" -q -d cuda -n @pipelines/nets/heat.net --target heatmap --loss smooth -b 32 -r 0.002 \
			--optimizer adam --augment default -e $e "$T/faces.tns" -o "$T/model.tns" >/dev/null 2>&1 || true # nothing was computed, so nothing learned
	done
	per_step heat-train-32 10 cnn-train "$t.heat1" "$t.heat2"
}
for p in bench cnn-train; do nm -C "$B/host/bin/$p" | sed -nE "s/^0*([0-9a-f]+) t (void )?([^(]*)\(.*/$p\t\1\t\3/p"; done >"$T/names"
for f in "$B"/obj/kernels/cuda/*.usage; do # kernel, compute capability, registers
	[ ! -f "kernels/cuda/$(basename "$f" .usage).cu" ] || c++filt <"$f"
done | awk -v OFS='\t' '/Compiling entry function/ { arch = $NF; gsub(/[^0-9]/, "", arch); name = $0; sub(/.*function .(void )?/, "", name); sub(/\(.*/, "", name) }
	/: Used [0-9]+ registers/ { print name, arch, $5 }' >"$T/registers"
while IFS='|' read -r name rest; do
	traced "$name" "$(cut -d'|' -f2 <<<"$rest")" | sed "s/^/$name|$rest\t/"
done <<<"$gpus" >"$T/launches"
awk -F'\t' -v OFS='\t' -v all=$all '
	function ceil(x) { return x > int(x) ? int(x) + 1 : int(x) }
	function min(a, b) { return a < b ? a : b }
	function max(a, b) { return a > b ? a : b }
	function thin_list(net, name, w,    k, m, x, list, text) {
		m = split(order[net, name, w], list, "\t")
		for (x = 1; x <= m; x++) {
			k = thin_one[net, name, w, list[x]]
			text = text (x > 1 ? ", " : "") (k > 1.5 ? sprintf("%d x ", k + 0.5) : "") list[x]
		}
		return m ? text : "none"
	}
	# bytes that a thread reads and writes of device memory, by its kernel: what is assumed of kernels other than products
	BEGIN {
		split("bn_apply 32 bn_backward_apply 64 bn_backward_apply_d 48 bn_sums 64 bn_backward_sums 192 act_forward 32 act_backward 48 add 48 upsample 20 upsample_backward 80 max_pool 84 " \
			"max_pool_backward 21 tile_to_maps 32 tile_to_rows 32 pixel_to_maps 32 pixel_to_rows 32 optimizer_step 112 pack 8 compute_dz 48 load_plain 5 " \
			"heatmap_losses 40 loss_values 40 column_sums 64", t, " ")
		for (i = 1; i in t; i += 2) bytes_of[t[i]] = t[i + 1]
		GAP = 1.5; L1 = 128; L2 = 64; REUSE = 9; OTHER = 8; LATENCY = 700
		# instructions of a warp for a slice of maps, counted in the machine code for sm_90, by loaders: k, dgrad, mn, dz
		split("k,160x64 651 k,128x128 728 k,128x64 478 k,80x64 353 k,64x64 302 k,128x32 388 dgrad,160x64 727 dgrad,128x128 857 dgrad,128x64 550 dgrad,80x64 425 " \
			"dgrad,64x64 367 dgrad,128x32 437 mn,128x128 1041 mn,128x64 711 mn,64x64 497 dz,128x128 2298 dz,128x64 1354 dz,64x64 1148 mn,32x32 300 dz,32x32 700", t, " ")
		for (i = 1; i in t; i += 2) { split(t[i], key_of, ","); issue[key_of[1], key_of[2]] = t[i + 1] }
	}
	FILENAME ~ /names$/ { symbol[$1, $2] = $3; next }
	FILENAME ~ /registers$/ { regs[$1, $2] = max(regs[$1, $2], $3); next }
	{
		split($1, g, "|"); net = $2; n = $4; kernel = $5; shared = $6; split($7, grid, " "); threads = $8; split($9, shape, " ")
		name = symbol[$3, $10]; blocks = grid[1] * grid[2] * grid[3]; SMs = g[3]; key = net SUBSEP g[1]
		if (!(net in seen_net)) { seen_net[net] = 1; nets[++net_count] = net }
		if (!(g[1] in seen_gpu)) { seen_gpu[g[1]] = 1; gpu[++gpu_count] = g[1] }
		launches[key] += n
		if (kernel == "product") { # by cuBLAS: as a product of tiles of 128 x 64 in whole waves
			library[key] += n; flop = 2 * shape[1] * shape[2] * shape[3]; compute = flop / (SMs * g[4] * g[9] * 1e3) * 2
			memory = 4 * (shape[1] * shape[3] + shape[2] * shape[3] + shape[1] * shape[2]) / (g[8] * 1e3)
			time = max(compute, memory) + GAP; limit[key, compute > memory ? 1 : 2] += n * (time - GAP); step[key] += n * time
			if (all) print net, g[1], n, "product (cuBLAS) " $9, "-", "-", "-", "-", "-", sprintf("%.1f", time)
			next
		}
		if (!((name, g[2]) in regs)) { print "gpu_model: no registers of " kernel " (" name ") for sm_" g[2] >"/dev/stderr"; bad = 1; exit 1 }
		r = regs[name, g[2]]; warps = threads / 32
		# registers are given in 256 a warp, from the quarter of 65536 of the warp; shared memory in 128 bytes, and 1 KiB a block more
		fit = int(4 * int(16384 / (ceil(r * 32 / 256) * 256)) / warps); fit = min(fit, int(g[5] / threads)); fit = min(fit, g[6])
		fit = min(fit, int(g[7] * 1024 / (ceil(shared / 128) * 128 + 1024)))
		if (kernel ~ /^tile_gemm/ && fit < 1) { print "gpu_model: no block of " name " (" r " registers, " shared " bytes) fits a multiprocessor of " g[1] >"/dev/stderr"; bad = 1; exit 1 }
		waves = blocks / (fit * SMs); tail = waves - int(waves); if (!tail) tail = 1
		compute = 0
		if (kernel ~ /^tile_gemm/) {
			match(kernel, /[0-9]+x[0-9]+/); size = substr(kernel, RSTART, RLENGTH); split(size, tile, "x"); BM = tile[1]; BN = tile[2]
			# as tile_async.h has them: parts of four warps, and by how many of these k are shared
			wm = BM < 128 ? BM : BM / 2; wn = BM < 64 ? 16 : BM <= 128 && BM / wm * BN >= 128 ? 64 : 32; wk = 4 / (BM / wm * BN / wn)
			# clocks of a slice of 32 of K
			clock[1] = 2 * BM * BN * 32 / (g[9] * g[10]); clock[2] = ((BM + BN) * 32 * 4 + 4 * (wm + wn) * 32 * 4 / wk) / L1
			way = name ~ /, loader_dz,/ ? "dz" : name ~ /, loader_dgrad,/ ? "dgrad" : name ~ /<[0-9]+, [0-9]+, [0-9]+, loader_(im2col_)?mn_major,/ ? "mn" : "k"
			clock[3] = issue[way, size]; clock[4] = (BM + BN) * 32 * 4 * SMs / g[11]
			slice = 0; for (i = 1; i <= 4; i++) slice = max(slice, clock[i])
			peak[size, g[1]] = max(peak[size, g[1]], 2 * BM * BN * 32 / g[9] / slice)
			partial = grid[2] > 1 ? BM * BN * 4 / L2 : 0
			sums = name ~ /, epilogue_[a-z_]*norm[<>]/ ? ceil(shape[1] / BM) * grid[3] * BN * 8 / L2 : 0
			added = grid[2] <= 4 ? grid[2] : ceil(sqrt(grid[2])) + ceil(grid[2] / ceil(sqrt(grid[2]))) + 1
			compute = (ceil(ceil(blocks / SMs) / fit) * LATENCY + ceil(blocks / SMs) * (ceil(min(shape[3], shape[4]) / 32) * slice + BM * BN / 8 + partial) + added * partial + sums) / (g[4] * 1e3)
			gathered = name ~ /, loader_(im2col|im2col_mn_major|dgrad|up),/
			shape[1] *= grid[3] # phases
			bytes = 4 * (shape[1] * shape[3] / (gathered ? min(REUSE, shape[3]) : 1) + shape[2] * shape[3] + shape[1] * shape[2] * (name ~ /epilogue_dx_norm/ ? 3 : 1))
		} else {
			plain = name; sub(/<.*/, "", plain); per = plain in bytes_of ? bytes_of[plain] : OTHER
			if (name ~ /<float>$/) per /= 4
			bytes = per * blocks * threads
		}
		memory = bytes / (g[8] * 1e3); time = max(compute, memory) + GAP
		limit[key, compute > memory ? 1 : 2] += n * (time - GAP); step[key] += n * time
		if (kernel ~ /^tile_gemm/ && (!few[key] || fit < few[key])) few[key] = fit
		if (waves > most[key]) most[key] = waves
		if (tail < 0.25) {
			thin[key] += n; short = kernel; sub(/tile_gemm_kernel tf32/, "GEMM", short)
			if (waves > 1) short = short sprintf(" of %d blocks (%.2f waves)", blocks, waves)
			w = waves > 1 ? 2 : 1
			if (!((key, w, short) in thin_one)) order[key, w] = order[key, w] (order[key, w] ? "\t" : "") short
			thin_one[key, w, short] += n
		}
		if (all) print net, g[1], n, kernel (shape[1] == "-" ? "" : " " $9), r, blocks, fit, sprintf("%.2f", waves), sprintf("%.2f", tail), sprintf("%.1f", time)
	}
	END {
		if (bad) exit 1
		if (all) exit
		print "| net | GPU | launches a step | blocks of a GEMM a multiprocessor | most waves | last wave under a quarter full | products, us | memory, us | between launches, us | step, us |"
		print "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
		for (i = 1; i <= net_count; i++) for (j = 1; j <= gpu_count; j++) {
			k = nets[i] SUBSEP gpu[j]
			printf "| %s | %s | %d%s | %d | %.1f | %d | %.0f | %.0f | %.0f | **%.0f** |\n", nets[i], gpu[j], launches[k] + 0.5, library[k] ? sprintf(", %d by cuBLAS", library[k]) : "",
				few[k], most[k], thin[k], limit[k, 1], limit[k, 2], launches[k] * GAP, step[k]
		}
		print "\nLaunches whose last wave is under a quarter full, by net: of several waves, where a part of the GPU waits for the last, and of one, which are too small for the GPU.\n"
		print "| net | GPU | several waves | one wave |\n| --- | --- | --- | --- |"
		for (i = 1; i <= net_count; i++) for (j = 1; j <= gpu_count; j++) {
			printf "| %s | %s | %s | %s |\n", nets[i], gpu[j], thin_list(nets[i], gpu[j], 2), thin_list(nets[i], gpu[j], 1)
		}
		print "\nWhat is assumed; a run of `make gpu-check` on one of them can refute it:\n"
		print "| | " gpu[1] " | " gpu[2] " | " gpu[3] " |\n| --- | ---: | ---: | ---: |"
		m = split("128x128 160x64 128x64 80x64 64x64 128x32 32x32", sizes, " ")
		for (i = 1; i <= m; i++) {
			line = "| of the peak, at most, in tiles of " sizes[i] " |"
			for (j = 1; j <= gpu_count; j++) line = line ((sizes[i], gpu[j]) in peak ? sprintf(" %.0f %% |", 100 * peak[sizes[i], gpu[j]]) : " - |")
			print line
		}
	}' "$T/names" "$T/registers" "$T/launches" >"$T/table"
{
	if [ $all = 0 ]; then
		echo "**Modelled, not measured**, with the default precision, tf32: commit $(git rev-parse --short=7 HEAD 2>/dev/null || echo unknown), $(date +%F), \`make gpu-model\` (\`tests/gpu_model.sh --all build\`: a line a launch):"
		echo
	fi
	cat "$T/table"
	if [ $all = 0 ]; then
		while IFS='|' read -r what field; do
			echo "| $what |$(awk -F'|' -v f="$field" '{ printf " %s |", f == "peak" ? sprintf("%.0f", $3 * $4 * $9 / 1e3) : f == 2 ? "sm_" $f : $f }' <<<"$gpus")"
		done <<'END'
tf32 peak, dense, TFLOP/s|peak
code that runs|2
multiprocessors|3
clock, GHz|4
threads a multiprocessor|5
blocks a multiprocessor|6
shared memory a multiprocessor, KiB|7
device memory, GB/s|8
of the peak by mma.sync|10
L2, bytes a clock|11
END
		cat <<'END'

A launch takes the longer of its product and its memory, and 1.5 us to begin and end, none beside another. A product's blocks are spread evenly over the multiprocessors, and
a multiprocessor needs for a slice of 32 of K the longest of four: its tensor cores, at the share of their peak that mma.sync reaches; shared memory at 128 bytes
a clock, without bank conflicts: the slice copied there, and read as fragments by four warps; instructions of a warp, one a clock, as counted in the machine code
(the script lists them); and its share of L2, from which all slices come, nothing left in L1. Stages overlap these. What does not overlap: 700 clocks of latency of blocks that fit a
multiprocessor together, and a block's tile written to shared memory, read and written to L2. Partial sums of splits and of batch norm, which stay in L2, take 64 bytes a clock to and
from it, those that are added by a last block by itself. Memory: all from device memory, nothing left in L2 by the launch before; matrices
once, those gathered from maps a ninth of their im2col size; kernels other than products the bytes a thread that
`tests/gpu_model.sh` lists, 8 where it lists none. Products by cuBLAS run at half of the peak, as one launch.
END
	fi
} >"$T/out"
cat "$T/out"
[ $# -lt 2 ] || [ $all = 1 ] || tests/into.sh "$2" gpu-model <"$T/out"
