#!/usr/bin/env bash
# The CPU kernels of every instruction set that this processor supports (KEYPIPE_ISA), against ref and in training.
source tests/sh.sh
bench=$BIN/bench
cd "$TMP" || exit 1
face-synth -q -n 60 -s 3 -o faces.csv
csv-clean -q faces.csv -o faces.tns
net='conv3x3x20 relu pool2 conv2x2x33p1 tanh pool6 conv3x3x64p1 bn relu conv3x3x64p1 relu up2 conv3x3x9p1 sigmoid fc40 relu fc'
for isa in amx avx512_bf16 avx512 avx2 plain; do
	# any other failure counts
	if [[ $isa != plain && $(KEYPIPE_ISA=$isa "$bench" --seconds 0 mlp-1 2>&1) = *"this processor has no $isa"* ]]; then
		skip "this processor has no $isa"
		continue
	fi
	# the best is what the checks take by themselves; amx and avx512_bf16 are avx512 where products are in fp32
	fp32=$isa
	[[ $isa != *bf16 && $isa != amx ]] || fp32=avx512
	if [ -n "${best:=$isa}${best_fp32:=$fp32}" ] && [ $isa != $best ]; then
		for check in backend conv; do
			[ $best_fp32 = $fp32 ] || ok "$isa: $check against the reference backend" env KEYPIPE_ISA=$isa "$(dirname "$BIN")/tests/check_$check"
			ok "$isa: $check of factors in bf16" env KEYPIPE_ISA=$isa PRECISION=bf16 FACTORS=rounded "$(dirname "$BIN")/tests/check_$check"
		done
		[ $best_fp32 = $fp32 ] || ok "$isa: training against another framework's" env KEYPIPE_ISA=$isa bash -c "cd '$ROOT' && '$(dirname "$BIN")/tests/check_steps'"
	fi
	for t in 1 2 3 4 8; do
		ok "$isa: $t threads" env KEYPIPE_ISA=$isa cnn-train -q -t $t -n "$net" -e 2 -b 13 --augment default --valid-part 0.2 faces.tns -o $isa.$t.tns
		same $isa.1.tns $isa.$t.tns "$isa: $t threads give other bits"
		ok "$isa: $t threads in bf16" env KEYPIPE_ISA=$isa cnn-train -q -t $t --precision bf16 -n "$net" -e 2 -b 13 --log $isa.$t.tsv --valid-part 0.2 faces.tns -o $isa.bf16.$t.tns
		same $isa.bf16.1.tns $isa.bf16.$t.tns "$isa: $t threads give other bits in bf16"
	done
	cmp -s $isa.1.tns $isa.bf16.1.tns && bad "$isa: --precision bf16 is not heeded" || good
done
# AMX's tiles in memory
for check in backend conv; do
	ok "amx_emulated: $check of factors in bf16" env KEYPIPE_ISA=amx_emulated PRECISION=bf16 FACTORS=rounded "$(dirname "$BIN")/tests/check_$check"
done
for t in 1 3; do
	ok "amx_emulated: $t threads" env KEYPIPE_ISA=amx_emulated cnn-train -q -t $t --precision bf16 -n "$net" -e 2 -b 13 --valid-part 0.2 faces.tns -o emulated.$t.tns
done
same emulated.1.tns emulated.3.tns "amx_emulated: 3 threads give other bits"
# the precision is in the history, and a run does not go on in another
is "$(tns-info plain.bf16.1.tns | grep -c -- ' --precision bf16 ')" 1 "the model's history says bf16"
cnn-train -q -n fc -e 2 -r 0.001 --checkpoint c.tns faces.tns -o fp32.tns
fails 1 "c.tns: is a checkpoint of other options or data: --precision is bf16, was default" cnn-train -q -n fc -e 2 -r 0.001 --precision bf16 --resume --checkpoint c.tns faces.tns -o no.tns
fails 1 "KEYPIPE_ISA=sse9: plain, avx2, avx512, avx512_bf16 and amx are known" env KEYPIPE_ISA=sse9 "$bench" --seconds 0 mlp-1
fails 1 "csv-clean: KEYPIPE_ISA=sse9: plain, avx2, avx512, avx512_bf16 and amx are known" env KEYPIPE_ISA=sse9 csv-clean faces.csv -o no.tns
ok "an empty one is none" env KEYPIPE_ISA= csv-clean -q faces.csv -o faces.tns
done_tests
