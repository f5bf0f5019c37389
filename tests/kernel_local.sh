#!/usr/bin/env bash
# usage: tests/kernel_local.sh FILE.usage...
# Kernels that spill registers or use local memory, by the compiler's reports (nvcc --resource-usage), beyond what is allowed here: a line
# each and exit status 1.
set -eu -o pipefail
cat "$@" | c++filt | awk '
	# kernel, bytes of its stack frame that are allowed, and why
	BEGIN { allowed["augment_draw_params"] = 32 } # sinf and cosf of huge angles, which it never gets
	/Compiling entry function/ { arch = $NF; gsub(/\047/, "", arch); name = $0; sub(/.*entry function .(void )?/, "", name); sub(/\(.*/, "", name) }
	/bytes stack frame/ { # of the kernel, or of a function that it calls
		if ($5 + $9 > 0 || $1 > allowed[name] + 0) { print "kernel_local: " name " for " arch ": " $1 " bytes of local memory, " $5 " of spill stores, " $9 " of spill loads"; bad = 1 }
	}
	END { exit bad }' >&2
