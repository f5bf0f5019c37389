#!/usr/bin/env bash
# Rewrites a README's table of speed: bench and its peers, compared by PEERS/compare in one run, on an idle machine.
# usage: PEERS=DIR PYTHON=python3 bench_table.sh BENCH README; WORKLOADS names others than all
set -eu -o pipefail
bench=$1 readme=$2
: "${PEERS:?the folder that holds compare and its peers}"
python=${PYTHON:-python3}
workloads=${WORKLOADS:-dae-1000 dae-128 dae-32 mlp-32 conv-train-128 conv-train-32 heat-train-32 infer-conv-1 infer-conv-128 infer-heat-1 infer-heat-32 map-train-64}
machine=$(pipelines/machine.sh)
name="bench $(sed 's/, [a-z0-9_]*, commit .*//' <<<"$machine")"
# fails before hours of timing if the markers are missing. Each processor's table has its own within them; a new one stands last
all=$(sed -n '/<!-- bench:begin -->/,/<!-- bench:end -->/{//!p}' "$readme")
tests/into.sh "$readme" bench <<<"$all"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# compared PRECISION WORKLOAD: ours, the best peer's, ratio, the peer
compared() {
	"$python" "$PEERS/compare" --bench "$bench" --python "$python" --precision "$1" "$2" | awk -v w="$2" '
		$1 == w { n++; peer = $5 == "torch" ? "PyTorch" : "ONNX Runtime"; printf "| %.0f | %.0f | %s | %s ", $2, $3, $4, $6 ? peer " " $6 : peer }
		END { exit !n }'
}
{
	echo "On $machine; $("$bench" --seconds 0 infer-heat-1 | sed -n '1s/^# //p'), in bf16" \
		"$("$bench" --precision bf16 --seconds 0 infer-heat-1 | sed -n '1s/^# keypipe, cpu \(by .*\), [0-9]* threads*$/\1/p');" \
		"by \`make bench-table PEERS=... PYTHON=...\`:"
	echo
	echo '| Workload | fp32, samples/s | the best peer in fp32 | ratio | which peer | bf16, samples/s | the best peer in any precision | ratio | which peer |'
	echo '| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |'
	for w in $workloads; do # one at a time, so that each line is printed when it is done
		fp32=$(compared fp32 "$w")
		bf16=$(compared bf16 "$w")
		echo "| **$w** $fp32$bf16|"
	done
} | tee "$out"
grep -qxF "<!-- $name:begin -->" "$readme" ||
	printf '%s\n' ${all:+"$all" ''} "<!-- $name:begin -->" "<!-- $name:end -->" | tests/into.sh "$readme" bench
tests/into.sh "$readme" "$name" <"$out"
