#!/usr/bin/env bash
# bench's workload names, output and tables.
# Alone: it measures speed and memory.
source tests/sh.sh
bench=$BIN/bench

ok "bench --help" "$bench" --help
fails 2 "no such workload" "$bench" nothing
fails 2 "no such workload" "$bench" mlp-1 train-2 # before anything is timed
fails 2 "no such workload" "$bench" infer-mlp-1
fails 2 "'2x' is no whole number" "$bench" mlp-2x
fails 2 "'0' is no whole number" "$bench" mlp-0
fails 2 "'99999999999999999999' is no whole number" "$bench" infer-conv-99999999999999999999
fails 2 "'24x' is no whole number" "$bench" infer-conv-1@24x
fails 2 "'' is no whole number" "$bench" infer-conv-1@
fails 2 "no size" "$bench" dae-8@24
fails 2 "conv-train-2@4" "$bench" conv-train-2@4 # the image is too small for the net
fails 2 "--seconds" "$bench" --seconds 1x mlp-1
fails 2 "--seconds" "$bench" --seconds -1 mlp-1
fails 2 "--threads" "$bench" --threads 1.5 mlp-1
fails 2 "--device" "$bench" --device gpu mlp-1
line='[0-9]+\.[0-9] samples/s +[0-9]+\.[0-9] GFLOP/s +[0-9]+ MiB$'
for device in ref cpu; do
	for w in mlp-2 dae-4096 infer-heat-1@16 infer-heat-1@21 heat-train-2@20 conv-train-2@24 infer-conv-1@24; do
		[ "$device $w" = "ref dae-4096" ] && continue # a minute
		out=$("$bench" --seconds 0 --device "$device" --threads 3 "$w") || bad "bench $w on $device: exit $?"
		if [[ $out =~ ^'# keypipe, '$device\ by\ [a-z0-9_\ ]+,\ [13]\ threads$'\n'$w\ +$line ]]; then good; else bad "bench $w on $device: $out"; fi
	done
done
# a net in a file, with batch norm
printf 'conv3x3x8s2p1 bn relu conv1x1 # a comment\n' >"$TMP/maps.net"
ok "a net in a file" "$bench" --seconds 0 "$TMP/maps.net-4@32"
if [[ $(tail -n 1 "$TMP/.out") =~ ^"$TMP/maps.net-4@32 "\ *$line ]]; then good; else bad "a net in a file: $(cat "$TMP/.out")"; fi
fails 2 "maps.net-4@1" "$bench" "$TMP/maps.net-4@1" # a map of 1x1 is none
fails 1 "none.net" "$bench" "$TMP/none.net-4"
is "$("$bench" --seconds 0 --threads 3 mlp-1 | sed -n 's/^#.*, //p')" "3 threads" "threads asked for"
# the tasks of a step: a dense layer of 500 x 475 weights has several, the bias' gradient of one output one
ok "--tasks" "$bench" --tasks --seconds 0 mlp-32
n=' +[0-9.]+' # a batch of 32 through 475 x 500: 2 x 32 x 475 x 500 operations, 4 x (32 x 475 + 32 x 500 + 475 x 500) bytes
for line in "dense$n$n$n +15.200 +1049.6$n$n  [0-9]+ [0-9]+$" "dense_backward_weight$n$n$n$n$n$n$n  1$" "all$n +100.00$n$n$n$" "processors, speed, GB/s: 1 1.0$n, 2$n$n, .* 64$n$n$"; do
	grep -qE "^$line" "$TMP/.out" && good || bad "--tasks: no line $line: $(cat "$TMP/.out")"
done
fails 2 "--tasks is of --device cpu" "$bench" --tasks --device ref mlp-1
# peak memory is each workload's alone: 32 MB of weights and as much momentum are not counted for the next one
read -r one two < <("$bench" --seconds 0 conv-train-1 mlp-1 | awk '$NF == "MiB" { print $(NF - 1) }' | paste -sd ' ')
ok "two workloads" "$bench" --seconds 0 mlp-1 mlp-2
is "$(wc -l <"$TMP/.out")" 3 "two workloads, lines"
fails 1 "stdout" bash -c "'$bench' --seconds 0 mlp-1 >/dev/full"
fails 1 "stdout" bash -c "'$bench' --seconds 0 mlp-1 mlp-2 >/dev/full"
ok "peak memory: $one MiB, then $two" test "$two" -lt "$one" -a "$one" -gt 60

# the README's table, with a dummy peer
mkdir "$TMP/peers"
cat >"$TMP/peers/compare" <<'END'
[ "${*: -1}" != mlp-9 ] || exit 1
echo 'workload ours peer ratio peer is'
[[ " $* " = *" --precision bf16 "* ]] && echo "${*: -1} 300.4 150.2 2.00 torch bf16" || echo "${*: -1} 200.4 100.2 2.00 onnxruntime"
END
name="bench $(pipelines/machine.sh | sed 's/, [a-z0-9_]*, commit .*//')"
table() { PEERS=$TMP/peers PYTHON=bash WORKLOADS=$1 tests/bench_table.sh "$bench" "$TMP/README"; }
# another processor's table stays, ours comes after it, and is replaced the next time
printf '%s\n' before '<!-- bench:begin -->' '<!-- bench other:begin -->' old '<!-- bench other:end -->' '<!-- bench:end -->' after >"$TMP/README"
for again in 1 2; do
	ok "a table" table "mlp-1 infer-heat-1"
	is "$(grep -v '^.* threads; keypipe, cpu by .*, [0-9]* threads, in bf16 by .*; by .make bench-table.*$' "$TMP/README" | paste -sd ';')" \
		"before;<!-- bench:begin -->;<!-- bench other:begin -->;old;<!-- bench other:end -->;;<!-- $name:begin -->;;$(
		)| Workload | fp32, samples/s | the best peer in fp32 | ratio | which peer | bf16, samples/s | the best peer in any precision | ratio | which peer |;$(
		)| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |;$(
		)| **mlp-1** | 200 | 100 | 2.00 | ONNX Runtime | 300 | 150 | 2.00 | PyTorch bf16 |;$(
		)| **infer-heat-1** | 200 | 100 | 2.00 | ONNX Runtime | 300 | 150 | 2.00 | PyTorch bf16 |;<!-- $name:end -->;<!-- bench:end -->;after" "the table, $again"
done
cp "$TMP/README" "$TMP/was"
if table "mlp-1 mlp-9" >/dev/null 2>&1; then bad "a table whose peer fails"; else good; fi
same "$TMP/was" "$TMP/README" "the peer failed, the README changed"
# more than a pipe's capacity after the markers
{ cat "$TMP/was"; seq 100000; } >"$TMP/README"
ok "a table in a long README" table mlp-1
printf '%s\n' before '<!-- bench:begin -->' after >"$TMP/README"
fails 1 "bench:end" table mlp-1
is "$(wc -l <"$TMP/README")" 3 "a README without an end"
printf '%s\n' '<!-- bench:end -->' '<!-- bench:begin -->' after >"$TMP/README"
fails 1 "bench:end" table mlp-1
done_tests
