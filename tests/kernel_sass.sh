#!/usr/bin/env bash
# usage: tests/kernel_sass.sh BUILD [README]
# Counts machine instructions of the cuda backend's kernels, by cuobjdump (CUOBJDUMP says which; nvdisasm beside it): a line a source file, and one
# for each precision and tile size of tile_gemm_kernel, as kernel_table.sh has them. Exit status 1 where a kernel with tensor cores has no
# matrix operation or one without has, where one uses local memory, or doubles, other than those below. Written into the README too, if named.
set -euo pipefail
B=$1 T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
dump=${CUOBJDUMP:-$(command -v cuobjdump || ls /usr/local/cuda/bin/cuobjdump 2>/dev/null || true)}
[ -n "$dump" ] || { echo "kernel_sass: there is no cuobjdump (CUOBJDUMP=FILE says where)" >&2; exit 2; }
PATH=$(dirname "$dump"):$PATH
for f in kernels/cuda/*.cu; do
	o=$B/obj/${f%.cu}.o
	[ -e "$o" ] || { echo "kernel_sass: nvcc has built no $o" >&2; exit 2; }
	for arch in 80 90; do
		"$dump" -sass -arch sm_$arch "$o" 2>/dev/null | c++filt | awk -v OFS='\t' -v file="$(basename "$f")" -v arch=$arch '
			function close_kernel() { if (name) print file, arch, name, hmma + 0, local + 0, fp64 + 0, lds + 0, lds128 + 0, sts + 0, sts128 + 0, generic + 0, tf32k4 + 0, ldsm + 0, ldgsts + 0
				hmma = local = fp64 = lds = lds128 = sts = sts128 = generic = tf32k4 = ldsm = ldgsts = 0 }
			/Function : / { close_kernel(); name = $0; sub(/.*Function : (void )?/, "", name); sub(/\(.*/, "", name) }
			/^ +\/\*[0-9a-f]+\*\/ / {
				op = $2 ~ /^@/ ? $3 : $2
				if (op ~ /^(HMMA|HGMMA)/) { hmma++; if (op ~ /1684/) tf32k4++ }
				else if (op ~ /^(LDL|STL)/) local++
				else if (op ~ /^(DADD|DFMA|DMUL|DSETP|DMNMX)/) fp64++
				else if (op ~ /^LDSM/) ldsm++
				else if (op ~ /^LDGSTS/) ldgsts++
				else if (op ~ /^LDS/) { lds++; if (op ~ /\.128/) lds128++ }
				else if (op ~ /^STS/) { sts++; if (op ~ /\.128/) sts128++ }
				else if (op ~ /^(LD|ST)(\.|$)/) generic++
			}
			END { close_kernel() }'
	done
done >"$T/kernels"
awk -F'\t' '
	# kernels that are meant to compute in double (sums over batches and maps, random numbers, weights summed for upsampling) or to use local memory (kernel_local.sh)
	BEGIN {
		m = split("augment_draw_params bn_backward_finalize bn_backward_sums bn_finalize bn_finalize_running bn_sums column_sums_reduce draw_gaussians heatmap_losses loss_softmax loss_values pack", t, " "); for (i = 1; i <= m; i++) doubles[t[i]] = 1
		local["augment_draw_params"] = 1
	}
	function share(part, all) { return all ? sprintf("%d %%", 100 * part / all + 0.5) : "-" }
	function wrong(text) { print "kernel_sass: " $3 " for sm_" $2 ": " text >"/dev/stderr"; bad = 1 }
	{
		plain = $3; sub(/<.*/, "", plain); s = "others of " $1; cores = 0
		if (plain == "tile_gemm_kernel") {
			split($3, a, /[<,> ]+/); s = plain " " substr("fp32tf32bf16", 4 * a[2] + 1, 4) " " a[3] "x" a[4]; cores = a[2] > 0
			if (cores && !$4) wrong("no matrix operation")
			if (!cores && $4) wrong("matrix operations")
			if ($12) wrong("matrix operations of depth 4")
			if (cores && !$14) wrong("no asynchronous copy")
		}
		if ($5 && !(plain in local)) wrong("local memory")
		if ($6 && !(plain in doubles) && $3 !~ /epilogue_[a-z_]*norm[<>]/) wrong($6 " operations on doubles")
		if (!((s, $2) in n)) order[++rows] = s SUBSEP $2
		n[s, $2]++
		for (i = 4; i <= 14; i++) sum[s, $2, i] += $i
	}
	END {
		print "| Kernels | for | number | HMMA | of depth 4 | LDSM | LDGSTS | LDL, STL | doubles | LDS | of 128 bits | STS | of 128 bits | generic LD, ST |"
		print "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
		for (r = 1; r <= rows; r++) {
			k = order[r]; split(k, a, SUBSEP)
			printf "| %s | sm_%s | %d | %d | %d | %d | %d | %d | %d | %d | %s | %d | %s | %d |\n", a[1], a[2], n[k], sum[k, 4], sum[k, 12], sum[k, 13], sum[k, 14], sum[k, 5], sum[k, 6], sum[k, 7], share(sum[k, 8], sum[k, 7]), sum[k, 9], share(sum[k, 10], sum[k, 9]), sum[k, 11]
		}
		exit bad
	}' "$T/kernels" >"$T/table" || status=$?
{
	echo "By $("$dump" --version | sed -n 's/.*release \([0-9.]*\).*/cuobjdump \1/p'), commit $(git rev-parse --short=7 HEAD 2>/dev/null || echo unknown), $(date +%F), \`make kernel-sass\`:"
	echo
	sed -n 1,2p "$T/table"
	sed 1,2d "$T/table" | sort
} >"$T/out"
cat "$T/out"
[ $# -lt 2 ] || tests/into.sh "$2" kernel-sass <"$T/out"
exit "${status:-0}"
