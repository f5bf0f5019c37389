#!/usr/bin/env bash
# usage: tests/kernel_table.sh [--all] BUILD [README]
# Table of the cuda backend's kernels as the compiler reports them: the most registers a thread by compute capability, the most bytes of
# shared memory that a launch in the tests on the host used, bytes spilled. --all: a line a kernel; else a line a source file, and one for
# each precision and tile size of tile_gemm_kernel. Written into the README too, if named. Exit status 1 where a kernel spills.
set -euo pipefail
all=0
[ "${1-}" = --all ] && { all=1; shift; }
B=$1 T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
ls "$B"/obj/kernels/cuda/*.usage >/dev/null 2>&1 || { echo "kernel_table: nvcc has built nothing in $B" >&2; exit 2; }
# file, kernel, compute capability, registers, spilled
for f in "$B"/obj/kernels/cuda/*.usage; do
	[ -f "kernels/cuda/$(basename "$f" .usage).cu" ] || continue # of a file that is gone
	c++filt <"$f" | awk -v file="$(basename "$f" .usage).cu" -v OFS='\t' '
		/Compiling entry function/ { arch = $NF; gsub(/[^0-9]/, "", arch); name = $0; sub(/.*function .(void )?/, "", name); sub(/\(.*/, "", name); spill = 0 }
		/Function properties/ { ours = $0 !~ /__internal/ }
		/bytes spill/ { spill += $5 + $9 }
		/: Used [0-9]+ registers/ { print file, name, arch, $5, spill }'
done >"$T/kernels"
for p in fp32 tf32 bf16; do # few multiprocessors, so that all tile sizes are used
	for t in backend conv; do
		CK_VERBOSITY=silent BACKEND=cuda PRECISION=$p KEYPIPE_GPU_SMS=3 KEYPIPE_GPU_TRACE="$T/trace" "$B/host/tests/check_$t" >/dev/null
	done
done
awk -F'\t' -v OFS='\t' -v all="$all" '
	function sort_of(file, name,    a) {
		if (name ~ /^tile_gemm_kernel</) {
			split(name, a, /[<,> ]+/)
			return "tile_gemm_kernel " substr("fp32tf32bf16", 4 * a[2] + 1, 4) " " a[3] "x" a[4]
		}
		sub(/<.*/, "", name)
		return all ? name : "others of " file
	}
	NR == FNR { n = split($1, w, /[< ]/); k = $1 ~ /^tile_gemm_kernel/ ? $1 : w[1]; if ($4 + 0 > shared[k]) shared[k] = $4; next }
	{
		s = sort_of($1, $2); plain = $2; sub(/<.*/, "", plain)
		if (!(s in count)) order[++rows] = s
		if (!seen[s, $2]++) count[s]++
		if ($4 + 0 > regs[s, $3]) regs[s, $3] = $4
		arch[$3] = 1; spill[s] += $5
		k = plain == "tile_gemm_kernel" ? s : plain
		if (shared[k] + 0 > room[s]) room[s] = shared[k]
	}
	END {
		archs = "75 80 90 120"; na = split(archs, a, " "); head = "| Kernels | number |"; line = "| --- | ---: |"
		for (i = 1; i <= na; i++) if (a[i] in arch) { head = head " sm_" a[i] " |"; line = line " ---: |" }
		print head " shared, bytes | spilled |"; print line " ---: | ---: |"
		for (r = 1; r <= rows; r++) {
			s = order[r]; out = "| " s " | " count[s] " |"
			for (i = 1; i <= na; i++) if (a[i] in arch) { v = regs[s, a[i]]; out = out " " (v ? v : "-") " |" }
			print out " " room[s] + 0 " | " spill[s] + 0 " |"; bad += spill[s]
		}
		exit bad > 0
	}' "$T/trace" "$T/kernels" >"$T/table" || status=$?
{
	echo "By $("${NVCC:-nvcc}" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p'), commit $(git rev-parse --short=7 HEAD 2>/dev/null || echo unknown), $(date +%F), \`make kernel-table\`:"
	echo
	sed -n 1,2p "$T/table"
	sed 1,2d "$T/table" | sort
} >"$T/sorted"
cat "$T/sorted"
[ $# -lt 2 ] || tests/into.sh "$2" kernels <"$T/sorted"
exit "${status:-0}"
