#!/usr/bin/env bash
# Rewrites the README's table of speed: our bench and its peers, set side by side by PEERS/compare in one run. On a quiet machine.
# usage: PEERS=DIR PYTHON=python3 bench_table.sh BENCH README; WORKLOADS names others than all
set -eu -o pipefail
bench=$1 readme=$2
: "${PEERS:?the folder that holds compare and its peers}"
python=${PYTHON:-python3}
workloads=${WORKLOADS:-dae-1000 dae-128 dae-32 mlp-32 conv-train-128 conv-train-32 heat-train-32 infer-conv-1 infer-conv-128 infer-heat-1 infer-heat-32 map-train-64}
awk '/<!-- bench:begin -->/ { if (n++) bad = 1 } /<!-- bench:end -->/ { if (n++ != 1) bad = 1 } END { exit bad || n != 2 }' "$readme" || {
	echo "bench_table.sh: $readme: not one <!-- bench:begin --> and after it one <!-- bench:end -->" >&2
	exit 1
}
out=$(mktemp)
trap 'rm -f "$out" "$readme.new"' EXIT
{
	echo "$(sed -n '/^model name/{s/[^:]*: *//p;q}' /proc/cpuinfo), $(nproc) threads; $("$bench" --seconds 0 infer-heat-1 | sed -n '1s/^# //p');" \
		"by \`make bench-table PEERS=... PYTHON=...\`:"
	echo
	echo '| Workload | samples/s | the best peer | ratio | which peer |'
	echo '| --- | ---: | ---: | ---: | --- |'
	for w in $workloads; do # one at a time, so that a line is seen as it is made
		"$python" "$PEERS/compare" --bench "$bench" --python "$python" "$w" |
			awk -v w="$w" '$1 == w { n++; printf "| **%s** | %.0f | %.0f | %s | %s |\n", $1, $2, $3, $4, $5 == "torch" ? "PyTorch" : "ONNX Runtime" }
				END { exit !n }'
	done
} | tee "$out"
awk -v table="$out" '
	/<!-- bench:begin -->/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
	/<!-- bench:end -->/ { skip = 0 }
	!skip' "$readme" >"$readme.new"
mv "$readme.new" "$readme"
