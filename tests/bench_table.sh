#!/usr/bin/env bash
# Rewrites a README's table of speed: bench and its peers, compared by PEERS/compare in one run, on an idle machine.
# usage: PEERS=DIR PYTHON=python3 bench_table.sh BENCH README; WORKLOADS names others than all
set -eu -o pipefail
bench=$1 readme=$2
: "${PEERS:?the folder that holds compare and its peers}"
python=${PYTHON:-python3}
workloads=${WORKLOADS:-dae-1000 dae-128 dae-32 mlp-32 conv-train-128 conv-train-32 heat-train-32 infer-conv-1 infer-conv-128 infer-heat-1 infer-heat-32 map-train-64}
tests/into.sh "$readme" bench <<<"$(sed -n '/<!-- bench:begin -->/,/<!-- bench:end -->/{//!p}' "$readme")" # fails before hours of timing if the markers are missing
out=$(mktemp)
trap 'rm -f "$out"' EXIT
{
	echo "On $(pipelines/machine.sh); $("$bench" --seconds 0 infer-heat-1 | sed -n '1s/^# //p');" \
		"by \`make bench-table PEERS=... PYTHON=...\`:"
	echo
	echo '| Workload | samples/s | the best peer | ratio | which peer |'
	echo '| --- | ---: | ---: | ---: | --- |'
	for w in $workloads; do # one at a time, so that each line is printed when it is done
		"$python" "$PEERS/compare" --bench "$bench" --python "$python" "$w" |
			awk -v w="$w" '$1 == w { n++; printf "| **%s** | %.0f | %.0f | %s | %s |\n", $1, $2, $3, $4, $5 == "torch" ? "PyTorch" : "ONNX Runtime" }
				END { exit !n }'
	done
} | tee "$out"
tests/into.sh "$readme" bench <"$out"
