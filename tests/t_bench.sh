#!/usr/bin/env bash
# The benchmark's words, and the innermost loops of every kind of processor that this one can be: against the readable hand, and in training.
source tests/sh.sh
bench=$BIN/bench

ok "bench --help" "$bench" --help
fails 2 "no such workload" "$bench" nothing
for device in ref cpu; do
	for w in mlp-2 dae-4096 infer-heat-1@16 heat-train-2@16 conv-train-2@24; do
		[ "$device $w" = "ref dae-4096" ] && continue # a minute
		line=$("$bench" --seconds 0 --device "$device" "$w" | tail -1)
		if [[ $line =~ ^$w\ +[0-9.]+\ samples/s\ +[0-9.]+\ GFLOP/s ]]; then good; else bad "bench $w on $device: $line"; fi
	done
done

cd "$TMP" || exit 1
face-synth -q -n 60 -s 3 -o faces.csv
csv-clean -q faces.csv -o faces.tns
net='conv3x3x20 relu pool2 conv2x2x33p1 tanh pool3 up2 conv3x3x9p1 sigmoid fc40 relu fc'
for isa in avx512 avx2 plain; do
	if ! KEYPIPE_ISA=$isa "$bench" --seconds 0 mlp-1 >/dev/null 2>&1; then
		skip "this processor has no $isa"
		continue
	fi
	ok "$isa: every operation against the readable hand" env KEYPIPE_ISA=$isa "$(dirname "$BIN")/tests/check_ops"
	ok "$isa: training against another framework's" env KEYPIPE_ISA=$isa bash -c "cd '$ROOT' && '$(dirname "$BIN")/tests/check_steps'"
	for t in 1 2 3 4 8; do
		ok "$isa: $t threads" env KEYPIPE_ISA=$isa cnn-train -q -t $t -n "$net" -e 2 -b 13 --augment default --valid-part 0.2 faces.tns -o $isa.$t.tns
		same $isa.1.tns $isa.$t.tns "$isa: $t threads give other bits"
	done
done
fails 1 "KEYPIPE_ISA=sse9" env KEYPIPE_ISA=sse9 "$bench" --seconds 0 mlp-1
done_tests
