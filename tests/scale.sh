#!/usr/bin/env bash
# Tables of samples a second by threads, batch size and image size; SECONDS_EACH (1) for each measurement.
# usage: scale.sh BENCH
set -eu -o pipefail
bench=$1 each=${SECONDS_EACH:-1} all=$(nproc)
# rate THREADS WORKLOAD: samples a second
rate() { "$bench" --seconds "$each" --threads "$1" "$2" | awk '$3 == "samples/s" { print $2 }'; }
echo "on $(pipelines/machine.sh)"
# sed reads to the end; head would close the writer's pipe
"$bench" --seconds 0 --threads "$all" infer-heat-1 | sed -n 1p

printf '\n%-16s' 'samples/s'
threads=()
for ((t = 1; t < all; t *= 2)); do threads+=("$t"); done
threads+=("$all")
for t in "${threads[@]}"; do printf '%12s' "$t thread$([ "$t" = 1 ] || echo s)"; done
echo
for w in dae-128 mlp-32 conv-train-32 heat-train-32 infer-conv-32 infer-heat-32; do
	printf '%-16s' "$w"
	for t in "${threads[@]}"; do printf '%12.0f' "$(rate "$t" "$w")"; done
	echo
done

printf '\n%-16s%12s%12s%12s%12s\n' 'samples/s' 'batch 1' 'batch 8' 'batch 32' 'batch 128'
for w in conv-train heat-train infer-conv infer-heat; do
	printf '%-16s' "$w"
	for b in 1 8 32 128; do printf '%12.0f' "$(rate "$all" "$w-$b")"; done
	echo
done

printf '\n%-16s%12s%12s%12s\n' 'samples/s' '48x48' '96x96' '192x192'
for w in conv-train-32 heat-train-32 infer-conv-32 infer-heat-32; do
	printf '%-16s' "$w"
	for s in 48 96 192; do printf '%12.0f' "$(rate "$all" "$w@$s")"; done
	echo
done
