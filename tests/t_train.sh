#!/usr/bin/env bash
# Training gives the same bits for any number of threads, from file or pipe, uninterrupted or killed and resumed; errors are one line.
# TRUST=1: a hundred kills instead of a few, in both precisions; larger files than the address space. Lines that begin with `trust:` are the
# counts.
. tests/sh.sh
cd "$TMP" || exit 1
long=${TRUST:+1} long=${long:-0}

# ---- small data: faces of 24x20 with labels missing, patches of 25x19
face-synth -q -n 90 --size 24x20 -s 3 --dirt | csv-clean -q --size 24x20 --keep-all -o faces.tns 2>/dev/null
face-synth -q -n 40 -s 4 | csv-clean -q -o big.tns 2>/dev/null
patch-extract -q --preset eyes big.tns -o eyes.tns 2>/dev/null
ok "faces" tns-info --check faces.tns
ok "patches" tns-info --check eyes.tns
dae-pretrain -q -H 20 -e 5 -b 37 eyes.tns -o dae20.tns

# the log without its column of seconds
steady() { awk -F'\t' '{ NF--; print }' OFS='\t' "$1"; }

# ---- trust.md line 11: one fingerprint
alike=0
# alike WHAT DATA COMMAND...: the same model and log for every number of threads, from a file and from a pipe, and again
alike() {
	local what=$1 data=$2 t; shift 2
	alike=$((alike + 10))
	ok "$what: first" "$@" -q -t 1 --log one.tsv "$data" -o one.tns
	steady one.tsv >one.log
	for t in 2 3 4 8 0 1; do
		ok "$what: $t threads" "$@" -q -t $t --log more.tsv "$data" -o more.tns
		same one.tns more.tns "$what: $t threads"
		steady more.tsv >more.log
		same one.log more.log "$what: log of $t threads"
	done
	"$@" -q -t 2 <"$data" >more.tns
	same one.tns more.tns "$what: stdin and stdout"
	cat "$data" | "$@" -q -t 3 --log more.tsv | cat >more.tns
	same one.tns more.tns "$what: pipes"
	"$@" -q -t 2 -o more.tns <(cat "$data")
	same one.tns more.tns "$what: a named pipe"
}
cnn='conv3x3x5p1 bn relu pool2 dropout0.2 fc17 relu fc'
alike "coords, adam, averaged" faces.tns cnn-train --average 0.9 --warmup 1.5 -n "$cnn" -e 9 -b 17 --optimizer adam -r 0.003 --augment default,squared,blur=1,motion=3,elastic=1,late=0.5 --valid-part 0.25 --schedule cosine
alike "coords, nesterov, patience" faces.tns cnn-train -n 'conv2x3x4s2p1 tanh fc11 sigmoid fc' -e 30 -b 20 -r 0.2 --decay 0.001 --valid-part 0.3 --patience 2 -s 2
is "$(($(wc -l <one.tsv) < 30))" 1 "patience stopped it early"
alike "label, sgd" eyes.tns cnn-train --target label -n 'fc20 sigmoid dropout0.3 fc' -e 5 --optimizer sgd -m 0 --valid-part 0.3 --init dae20.tns --schedule step
alike "label, adam, the last epoch" eyes.tns cnn-train --valid-part 0.2 --keep last --target label -n 'conv5x5x3 bn relu pool3 fc' -e 3 --optimizer adam -r 0.01 --augment flip=alternate,shift=2,noise=0.1
alike "autoencoder" eyes.tns dae-pretrain -H 23 -e 4 -b 64
alike "stacked" eyes.tns dae-pretrain -H 23,11,5 -e 3 -b 33 -r 0.3 -c 0.4 -s 7
alike "of eyes only" eyes.tns dae-pretrain -H 9 -e 3 --patches positive
alike "CD-2, stacked" eyes.tns rbm-pretrain -H 23,11 -e 3 -b 33 --steps 2 --valid eyes.tns
alike "PCD, Gaussian" eyes.tns rbm-pretrain -H 23 -e 3 -b 33 -r 0.01 --persistent --visible gaussian --sparsity 0.1 --sparsity-cost 0.2 --decay 0.001

# products large enough for many tasks, and batches smaller than the number of threads
for b in 90 3; do
	alike "wide, batch $b" faces.tns cnn-train -n 'fc700 relu fc500 relu fc' -e 2 -b $b
done

echo "trust: 11 | trainings by 1, 2, 3, 4, 8 threads, again, from files and pipes | $alike | $failed checks failed: one fingerprint each"

# ---- a data set larger than memory: the address space is 9/10 of the file (long: 3/10 of one ten times as large), beside the program's own
# file, which has kernels for many GPUs where it was built with nvcc
# larger WHAT FILE COMMAND...: the model and log that there are in as much memory as there is; the file is found too large, so read row by row
larger() {
	local what=$1 file=$2 kib own; shift 2
	own=$(($(stat -L -c %s "$(command -v "$1")") / 1024))
	kib=$(($(stat -c %s "$file") * (long ? 3 : 9) / 10 / 1024))
	ok "$what: in memory" "$@" -q -t 2 --log one.tsv "$file" -o one.tns
	steady one.tsv >one.log
	ok "$what: larger than memory" bash -c 'ulimit -v $1 && shift && "$@"' - $((kib + own)) "$@" -q -t 2 --log more.tsv "$file" -o more.tns
	same one.tns more.tns "$what: larger than memory"
	steady more.tsv >more.log
	same one.log more.log "$what: log of what is larger than memory"
	echo "trust: 20 | trained from a file larger than memory: $what | $(stat -c %s "$file") | bytes; the same bits in $kib KiB of address space beside the program's file"
}
case $BIN in
*-san* | *-cov*) skip "data larger than memory: this build takes address space of its own" ;;
*)
	# shellcheck disable=SC2046
	tns-cat -q $(yes big.tns | head -$((long ? 900 : 90))) -o larger.tns
	# shellcheck disable=SC2046
	tns-cat -q $(yes eyes.tns | head -$(((long ? 10 : 1) * 40000000 / $(stat -c %s eyes.tns) + 1))) -o patches.tns
	larger "coords" larger.tns cnn-train -n 'conv9x9x2s8 relu fc' -e 1 -b 16 --optimizer adam -r 0.003 --augment shift=2,rotate=9,elastic=1 --valid-part 0.25
	larger "label" patches.tns cnn-train --target label -n fc -e 1 -b 99 -r 0.01 --valid patches.tns
	larger "autoencoder" larger.tns dae-pretrain -H 5,3 -e 1 -b 64 --valid big.tns
	larger "Gaussian, codes in a file" patches.tns rbm-pretrain -H 90,5 -e 1 -b 100 --visible gaussian -r 0.001 --patches positive --valid eyes.tns
	rm larger.tns patches.tns
	fails 1 "training in batches of 16 rows (--batch) needs" bash -c 'ulimit -v 1500000; exec cnn-train -q -t 1 -n "fc300000 relu fc" -e 1 -b 16 faces.tns -o no.tns' ;;
esac

# a Gaussian's width that changes, an elastic field: from which epoch on they are seen
first() { cnn-train -q --target heatmap -n 'conv3x3x4s2p1 relu conv1x1' -e 3 -s 1 --log one.tsv faces.tns -o one.tns "$@" 2>/dev/null; cut -f3 one.tsv | sed 1d; }
first >plain.log
is "$(first --sigma-last 2 | cksum)" "$(cksum <plain.log)" "--sigma-last: the same width"
is "$(diff <(first --sigma-last 1) plain.log | grep -c '^<')" 2 "--sigma-last: from the second epoch on"
is "$(diff <(first --augment elastic=1) plain.log | grep -c '^<')" 3 "elastic: from the first on"

# prediction: any number of threads, from file or pipe
cnn-train -q -n 'conv3x3x4 bn relu pool2 fc' -e 1 -s 1 faces.tns -o a.tns
cnn-train -q -n 'fc9 tanh fc' -e 1 -s 2 faces.tns -o b.tns
predict -q --flip -t 1 a.tns b.tns faces.tns -o one.tns
ok "predicted" tns-info --check one.tns
for t in 2 3 8; do
	cat faces.tns | predict -q --flip -t $t a.tns b.tns >more.tns
	same one.tns more.tns "predict with $t threads"
done

# another model's predictions are passed through, this model's replace its former ones
face-synth -q -n 10 -s 5 | csv-clean -q -o ten.tns 2>/dev/null
cnn-train -q -n 'conv9x9x2s9 relu fc' -e 1 ten.tns -o c.tns
patch-extract -q --preset eyes ten.tns -o p10.tns
dae-pretrain -q -H 3 -e 1 p10.tns -o d.tns
cnn-train -q --target label -n 'fc' -e 1 p10.tns -o l.tns
names() { tns-info "$1" | awk 'NR > 1 && $2 ~ /^[uf][0-9]+$/ { printf "%s ", $1 }'; }
predict -q l.tns p10.tns | predict -q d.tns | predict -q --flip l.tns -o all.tns
is "$(names all.tns)" "image label source reconstruction score trained " "outputs of several models"
predict -q c.tns ten.tns | predict -q --flip c.tns -o all.tns
is "$(names all.tns)" "image keypoints id predicted confidence trained " "the same model again"
fails 2 "--refine: the model predicts no points" predict l.tns --refine c.tns ten.tns -o no.tns

# ---- trust.md line 10: kill -9 at random moments, then --resume
KILLS=${KILLS:-$((long ? 100 : 6))}
# killed WHAT COMMAND...: a run killed KILLS times gives the bits of one that isn't; every third kill is while it writes a checkpoint
killed() {
	local what=$1 n=0 hits=0 midst=0 p; shift
	ok "$what: unbroken" "$@" -q -t 2 --log whole.tsv -o whole.tns
	steady whole.tsv >whole.log
	rm -f c.tns .c.tns.tmp part.tns
	while [ $hits -lt "$KILLS" ] && [ $n -lt $((long ? 9 * KILLS : KILLS)) ]; do
		n=$((n + 1))
		"$@" -q -t $((n % 3 + 1)) --checkpoint c.tns --resume --log part.tsv -o part.tns & p=$!
		if [ $((n % 3)) = 0 ]; then
			sleep 0.$((RANDOM % 2))$((RANDOM % 10))
			while ! [ -e .c.tns.tmp ] && kill -0 $p 2>/dev/null; do :; done
		else
			sleep 0.$((RANDOM % 4))$((RANDOM % 10))
		fi
		kill -9 $p 2>/dev/null && hits=$((hits + 1))
		wait $p 2>/dev/null
		[ -e .c.tns.tmp ] && midst=$((midst + 1))
		if [ -e part.tns ]; then # it ended before the kill: start again
			same whole.tns part.tns "$what: done after $n kills"
			rm -f c.tns part.tns
		fi
	done
	ok "$what: resumed after $n kills" "$@" -q --checkpoint c.tns --resume --log part.tsv -o part.tns
	same whole.tns part.tns "$what: the model after $n kills"
	steady part.tsv >part.log
	same whole.log part.log "$what: the log after $n kills"
	ok "$what: resumed at its end" "$@" -q --checkpoint c.tns --resume --log part.tsv -o part.tns
	same whole.tns part.tns "$what: all that is left to do is to take the best weights"
	steady part.tsv >part.log
	same whole.log part.log "$what: the log of a run that was done"
	is "$(($(find . -name '.*.tmp' | wc -l)))" 0 "$what: what kills left is gone"
	is "$((hits >= 1))" 1 "$what: $hits of $n kills met a run"
	echo "trust: 10 | kill -9, then --resume: $what | $hits | $midst of them in the midst of a checkpoint; the same bits as unbroken"
	all_midst=$((${all_midst:-0} + midst))
}
killed "coords" cnn-train -n "$cnn" -e 170 -b 17 --optimizer adam -r 0.004 --augment default --valid-part 0.25 --schedule cosine faces.tns
cp c.tns coords.c.tns
killed "label" cnn-train --target label -n 'fc200 relu fc' -e 240 -b 16 -r 0.05 --valid-part 0.3 --patience 239 eyes.tns
is "$(awk -F'\t' 'NR > 1 && (m == "" || $4 < m) { m = $4; e = $1 } END { print e < 200 }' whole.tsv)" 1 "the best weights are early ones"
killed "stacked" dae-pretrain -H 60,20 -e 70 -b 50 --snapshot 5,60 eyes.tns
same whole-5.tns part-5.tns "an early snapshot after the kills"
same whole-60.tns part-60.tns "a late snapshot after the kills"
killed "a Boltzmann machine with chains" rbm-pretrain -H 60,20 -e 50 -b 50 --persistent --snapshot 5,40 eyes.tns
same whole-40.tns part-40.tns "its snapshot after the kills"
is "$((all_midst > 0))" 1 "some died in the midst of a checkpoint"
if [ $long = 1 ]; then
	killed "coords, bf16" cnn-train --precision bf16 -n "$cnn" -e 170 -b 17 --optimizer adam -r 0.004 --augment default,elastic=1 --valid-part 0.25 --average 0.9 faces.tns
	killed "label, bf16" cnn-train --precision bf16 --target label -n 'fc200 relu fc' -e 240 -b 16 -r 0.05 --valid-part 0.3 --patience 239 eyes.tns
	killed "stacked, bf16" dae-pretrain --precision bf16 -H 60,20 -e 70 -b 50 eyes.tns
	killed "a Boltzmann machine with chains, bf16" rbm-pretrain --precision bf16 -H 60,20 -e 50 -b 50 --persistent eyes.tns
fi

# ---- from a model whose labels count from elsewhere; small Gaussians; rows, points and files that were passed over in silence
heat() { cnn-train -q --target heatmap -n 'conv3x3x4s2p1 relu conv3x3x4p1 relu conv1x1' --optimizer adam "$@" 2>.err; }
face-synth -q -n 90 --size 24x20 -s 3 | awk -F, -v OFS=, 'NR > 1 {for (i = 1; i < NF; i++) if ($i != "") $i += 1.5} 1' | csv-clean -q --size 24x20 --keep-all -o off.tns 2>/dev/null
heat -e 12 -r 0.02 --augment shift=3,scale=0.1 off.tns -o heat.tns
heat -e 1 -r 1e-12 --augment shift=3 --init heat.tns off.tns -o again.tns
heat -e 1 -r 1e-12 --offset none --init heat.tns off.tns -o at0.tns
is "$([ "$(meta heat.tns scale)" = "$(meta at0.tns scale)" ]; echo $?) $(meta again.tns scale)" "1 $(meta heat.tns scale)" "--init goes on from the labels' offset"
ok "a Gaussian of no cell" cnn-train -q --target heatmap -n 'conv4x4x4s4 relu conv1x1' -e 2 -r 0.001 --sigma 0.1 --sigma-last 0.001 --log small.tsv faces.tns -o small.tns
is "$(grep -c nan small.tsv)" 0 "its loss is a number"
echo note >note.txt
fails 1 "note.txt: is no checkpoint, so it is not written over" cnn-train -q --fresh -n fc -e 1 --checkpoint note.txt faces.tns -o no.tns
cp faces.tns copy.tns
fails 1 "copy.tns: is no checkpoint, so it is not written over" dae-pretrain -q --fresh -H 5 -e 1 --checkpoint copy.tns eyes.tns -o no.tns
is "$(cat note.txt) $(cmp copy.tns faces.tns && echo whole)" "note whole" "--fresh starts over, and writes over checkpoints alone"
cnn-train -q -n 'fc9 tanh fc' -e 2 -r 0.001 --weigh nose_tip=0 faces.tns -o weight.tns 2>.err
is "$(grep -c '^cnn-train: of weight 0, so never learned: nose_tip;' .err)" 1 "a point of weight 0 is not called unlabelled"
face-synth -q -n 20 --size 24x20 | awk -F, -v OFS=, 'NR > 1 && NR < 7 {for (i = 1; i < NF; i++) $i = ""} 1' | csv-clean -q --size 24x20 --keep-all -o bare.tns 2>/dev/null
cnn-train -q -n 'fc9 tanh fc' -e 1 -r 0.001 bare.tns -o no.tns 2>.err
is "$(grep -c '^cnn-train: bare.tns: 5 rows without any label are left out (--pseudo takes such rows with predictions)$' .err)" 1 "rows without labels are told"
ok "--fresh after a run" bash -c 'cnn-train -q -n fc -e 1 -r 0.001 --checkpoint over.tns faces.tns -o over.m && cnn-train -q -n fc -e 1 -r 0.001 --fresh --checkpoint over.tns faces.tns -o over.m'
cnn-train -q -n 'fc9 tanh fc' -e 3 -b 30 -r 0.001 --checkpoint plain.c.tns faces.tns -o plain.tns 2>/dev/null
fails 1 "plain.c.tns: is of a run without --suspects and --distrust, which kept no labels' distances" cnn-train -q -n 'fc9 tanh fc' -e 5 -b 30 -r 0.001 --checkpoint plain.c.tns --resume --suspects q.tsv faces.tns -o no.tns
head -c 3000 plain.c.tns >cut.c.tns
: >empty.c.tns
ok "--fresh over a damaged checkpoint" cnn-train -q --fresh -n fc -e 1 -r 0.001 --checkpoint cut.c.tns faces.tns -o no.m
ok "--fresh over an empty file" cnn-train -q --fresh -n fc -e 1 -r 0.001 --checkpoint empty.c.tns faces.tns -o no.m

# ---- checkpoints of other runs
other="is a checkpoint of other options or data"
fails 1 "coords.c.tns: $other" cnn-train -q -n "$cnn" -e 1 faces.tns --checkpoint coords.c.tns --resume -o no.tns
fails 1 "$other" cnn-train -q -n "$cnn" -e 170 -b 17 --optimizer adam -r 0.004 --augment default --valid-part 0.25 --schedule cosine -s 2 faces.tns --checkpoint coords.c.tns --resume -o no.tns
fails 1 "$other" cnn-train -q -n "$cnn" -e 170 -b 17 --optimizer adam -r 0.004 --augment default --valid-part 0.25 --schedule cosine one.tns --checkpoint coords.c.tns --resume -o no.tns
fails 1 "$other" dae-pretrain -q eyes.tns --checkpoint coords.c.tns --resume -o no.tns
fails 1 "$other" dae-pretrain -q -H 60,20 -e 70 -b 51 eyes.tns --checkpoint c.tns --resume -o no.tns
fails 1 "a.tns: is no checkpoint" cnn-train -q faces.tns --checkpoint a.tns --resume -o no.tns
cp faces.tns copy.tns
fails 1 "copy.tns: is no checkpoint" cnn-train -q faces.tns --checkpoint copy.tns --resume -o no.tns

# ---- more epochs than the checkpoint was made for
# more EPOCHS OUT OPTION...: resumes a copy of the checkpoint of 8 epochs
more() { local e=$1 out=$2; shift 2; rm -f more.tsv; cp eight.$kind.c.tns c.tns; cnn-train -q -n 'fc9 tanh fc' -b 30 -e $e "$@" faces.tns --checkpoint c.tns --resume --log more.tsv -o $out; }
rates() { cut -f2 more.tsv | sed 1d | tr '\n' ' '; }
for kind in constant cosine; do
	cnn-train -q -n 'fc9 tanh fc' -b 30 -e 8 --schedule $kind --checkpoint eight.$kind.c.tns faces.tns -o eight.tns 2>/dev/null
done
kind=constant
cnn-train -q -n 'fc9 tanh fc' -b 30 -e 12 faces.tns -o twelve.tns
ok "eight epochs go on to twelve" more 12 more.tns
tns-info --json twelve.tns | sed 's/"fingerprint.*//' >twelve.txt
is "$(tns-info --json more.tns | sed 's/"fingerprint.*//' | sed 's/--checkpoint [^ ]*//')" "$(cat twelve.txt)" "with the figures of a run of twelve"
same more.tns twelve.tns "and its bits"
fails 1 "c.tns: has 8 epochs already, more than --epochs 5" more 5 no.tns
kind=cosine
fails 1 "c.tns: its schedule is for 8 epochs, not 12: --extend stretch goes on as if it were for 12, --extend hold keeps to it" more 12 no.tns --schedule cosine
ok "stretched" more 12 more.tns --schedule cosine --extend stretch
is "$(rates)" "$(awk 'BEGIN { for (e = 9; e <= 12; e++) printf "%.6g ", 0.01 * 0.5 * (1 + cos(3.141592653589793 * (e - 1) / 12)) }')" "the rates of twelve epochs"
ok "held" more 12 more.tns --schedule cosine --extend hold
is "$(rates)" "$(awk 'BEGIN { for (e = 9; e <= 12; e++) printf "%.6g ", 0.01 * 0.5 * (1 + cos(3.141592653589793 * 7 / 8)) }')" "the last rate"
cp c.tns held.c.tns; cp more.tns held.tns
# held where it was made for more epochs than are left: its own schedule, not one for fewer
timeout -s INT 1 cnn-train -q -n 'fc9 tanh fc' -b 30 -e 1000000 --schedule cosine faces.tns --checkpoint cut.c.tns -o no.tns 2>/dev/null
more=$(($(tns-info cut.c.tns | sed -n 's|^opt/epoch: ||p') + 3))
ok "held for fewer" cnn-train -q -n 'fc9 tanh fc' -b 30 -e $more --schedule cosine --extend hold faces.tns --checkpoint cut.c.tns --resume --log cut.tsv -o more.tns
is "$(awk 'NR > 1 {printf "%.3f ", $2}' cut.tsv)" "0.010 0.010 0.010 " "the rates of a million epochs"
cnn-train -q -n 'fc9 tanh fc' -b 30 -e 12 --schedule cosine --extend hold faces.tns --checkpoint c.tns --resume -o more.tns
same held.tns more.tns "held, and resumed at its end"
# held-out classes without names may lack the highest one
tns-table --image eyes.tns | awk -F, -v OFS=, '/^# meta classes/ {next} /^#/ {print; next} n++ && n % 5 == 0 {$1 = 2} 1' | tns-table --read -o three.tns
tns-select -q --where 'label < 2' three.tns -o two.tns
ok "a held-out set without a class" cnn-train -q --target label -n fc -e 1 -r 0.0001 three.tns --valid two.tns -o x.tns
fails 1 "three.tns: 25x19 images of 0,1,2 are not like those of two.tns: 25x19 of 0,1" cnn-train -q --target label -n fc -e 1 two.tns --valid three.tns -o no.tns
fails 2 "--extend needs --resume" cnn-train -q -e 12 --extend hold faces.tns -o no.tns
for l in 7 7,5; do
	dae-pretrain -q -H $l -e 3 eyes.tns --checkpoint d$l.c.tns -o d.tns
done
dae-pretrain -q -H 7 -e 5 eyes.tns -o d5.tns
ok "an autoencoder goes on" dae-pretrain -q -H 7 -e 5 eyes.tns --checkpoint d7.c.tns --resume -o more.tns
same more.tns d5.tns "to the bits of a run of five"
fails 1 "the layers below have 3 epochs, so this one can't have 5" dae-pretrain -q -H 7,5 -e 5 eyes.tns --checkpoint d7,5.c.tns --resume -o no.tns
fails 1 "has 5 epochs already, more than --epochs 2" dae-pretrain -q -H 7 -e 2 eyes.tns --checkpoint d7.c.tns --resume -o no.tns

# ---- an output that is an input
for name in faces.tns ./faces.tns link.tns; do
	[ $name = link.tns ] && ln -s faces.tns link.tns
	fails 2 "--output $name: is the input faces.tns" cnn-train -q faces.tns -o $name
	fails 2 "--output $name: is the file of --valid too" cnn-train -q eyes.tns --valid faces.tns -o $name
	fails 2 "--checkpoint $name: is the input faces.tns" cnn-train -q faces.tns --checkpoint $name -o no.tns
	fails 2 "--log $name: is the input faces.tns" cnn-train -q faces.tns --log $name -o no.tns
done
same faces.tns copy.tns "nothing was written"
echo 'fc9 relu fc' >net
cnn-train -q -n @net -e 2 faces.tns --checkpoint net.c.tns -o yes.tns
ok "the same again" cnn-train -q -n @net -e 2 faces.tns --checkpoint net.c.tns --resume -o more.tns
same yes.tns more.tns "a run that was done, resumed"
echo 'fc9 tanh fc' >net
fails 1 "net.c.tns: $other: --net is 'fc9 tanh fc', was 'fc9 relu fc'" cnn-train -q -n @net -e 2 faces.tns --checkpoint net.c.tns --resume -o no.tns
head -c 3000 net.c.tns >cut.c.tns
fails 1 "cut.c.tns: record" cnn-train -q -n @net -e 2 faces.tns --checkpoint cut.c.tns --resume -o no.tns
fails 2 "--resume needs --checkpoint" cnn-train -q faces.tns --resume
fails 2 "--resume needs --checkpoint" dae-pretrain -q eyes.tns --resume

# ---- NaN
echo old >no.tns
fails 1 "the loss" cnn-train -q -n 'fc30 relu fc30 relu fc' -r 100 -b 1000 -e 60 --optimizer sgd faces.tns -o no.tns
fails 1 "a smaller --rate may help" cnn-train -q -n 'fc30 relu fc30 relu fc' -r 100 -b 1000 -e 4 --optimizer sgd faces.tns -o no.tns
cnn-train -q -n 'fc30 relu fc30 relu fc' -r 100 -b 1000 -e 4 --optimizer sgd --checkpoint nan.c.tns faces.tns -o no.tns 2>/dev/null
is "$(tns-info nan.c.tns | awk '/^[0-9]/ && ($NF || /inf/)' | wc -l)" 0 "no checkpoint of what is no number"
is "$(head -c 100 no.tns)" old "nothing was written"
rm no.tns
# autoencoders and Boltzmann machines beside the mean patch: far worse leaves no model, nor the checkpoint that the run kept for itself
for p in dae rbm; do
	fails 1 "$p-pretrain: layer 1, epoch 3: nothing was learned: loss " $p-pretrain -q -H 9 -b 20 -r 100 -e 3 eyes.tns -o no.tns
	is "$(grep -c 'on the training set, where the mean patch has [0-9.]*; no model is written: another --rate, or more --epochs, may help' "$TMP/.err")" 1 "$p: why"
	fails 1 "layer 1, epoch 3: nothing was learned: loss " $p-pretrain -q -H 9 -b 20 -r 100 -e 3 --checkpoint far.c eyes.tns -o no.tns
	fails 1 "layer 1, epoch 3: nothing was learned: loss " $p-pretrain -q -H 9 -b 20 -r 100 -e 3 --checkpoint far.c --resume eyes.tns -o no.tns
	[ -e no.tns ] && bad "$p: resumed, a model that was refused is written" || good
	rm far.c
	fails 0 "layer 1: nothing was learned: loss " $p-pretrain -q -H 9 -r 1e-9 -e 1 --valid eyes.tns eyes.tns -o start.tns
	is "$(grep -c 'on the held-out set, where the mean patch has [0-9.]*; another' "$TMP/.err")" 1 "$p: beside the held-out set"
done
fails 0 "layer 1: nothing was learned: loss " dae-pretrain -q -H 9,5 -r 1e-9 -e 2 --log layers.tsv --checkpoint near.c eyes.tns -o start.tns
fails 0 "layer 1: nothing was learned: loss " dae-pretrain -q -H 9,5 -r 1e-9 -e 2 --checkpoint near.c --resume eyes.tns -o start.tns
is "$(cut -f1,2 layers.tsv | sed 1d | paste -sd" ")" "1	1 2	1 3	2 4	2" "layers of the log are counted from 1"
# what passes the mean patch in pseudo-likelihood has learned, whatever its loss: by the log's last line
base=$(rbm-pretrain -q -H 3 -r 1e-9 -e 1 eyes.tns -o start.tns 2>&1 | sed -n 's/.*mean patch has \([0-9.]*\);.*/\1/p')
for r in 0.2 1 10; do
	told=$(rbm-pretrain -q --persistent -H 3 -b 20 -r $r -e 5 eyes.tns --log machine.tsv -o start.tns 2>&1 | grep -c "nothing was learned")
	is "$told" "$(awk -v base="$base" 'END {print ($3 >= base && -$5 >= base)}' machine.tsv)" "rbm at rate $r, beside $base: $(tail -1 machine.tsv)"
done
fails 1 ": the loss is nan; a smaller --rate may help" rbm-pretrain -q --visible gaussian -H 9 -b 20 -r 100 -e 9 eyes.tns -o no.tns
fails 1 ": the loss has exploded, it is " rbm-pretrain -q --visible gaussian -H 9 -b 20 -r 0.7 -e 9 eyes.tns --log layers.tsv -o no.tns
[ ! -e no.tns ] && [ ! -e no.tns.last ] && good || bad "what learned nothing leaves a file"

# ---- snapshots
about() { tns-info "$1" | grep -E '^[0-9]+\.(weight|bias)'; }
ok "snapshots" dae-pretrain -H 12,7 -e 5 -b 50 --snapshot 2,5,3 eyes.tns -o snap.tns
is "$(grep -o 'layer [0-9]*, epoch [15]:' "$TMP/.err" | paste -sd' ')" "layer 1, epoch 1: layer 1, epoch 5: layer 2, epoch 1: layer 2, epoch 5:" "layers are counted from 1"
is "$(echo snap*.tns)" "snap-2.tns snap-3.tns snap-5.tns snap.tns" "snapshots' names"
is "$(about snap-5.tns)" "$(about snap.tns)" "the last snapshot is the model"
is "$([ "$(about snap-2.tns)" = "$(about snap.tns)" ]; echo $?)" 1 "an early snapshot is not"
fails 2 "--snapshot 7: there are 5 epochs" dae-pretrain -q -H 12 -e 5 --snapshot 2,7 eyes.tns -o snap7.tns
ok "one layer" dae-pretrain -q -H 12 -e 4 -b 50 --snapshot 2 eyes.tns -o layer
ok "half of it" dae-pretrain -q -H 12 -e 2 -b 50 eyes.tns -o half.tns
is "$(about layer-2)" "$(about half.tns)" "a snapshot is the shorter run"
is "$(tns-info layer-2 | grep -c 'epoch 2')" 1 "its history says so"
# of a run that goes on: the one of the checkpoint's epoch is written, and one before it is missed aloud
ok "4 epochs" dae-pretrain -q -H 12 -e 4 -b 50 --checkpoint snap.last eyes.tns -o four
is "$(dae-pretrain -q -H 12 -e 6 -b 50 --checkpoint snap.last --resume --snapshot 2,4,6 eyes.tns -o on 2>&1)" \
	"dae-pretrain: --snapshot 2: on-2 is not written, the checkpoint is of epoch 4" "an epoch that is gone"
is "$(echo on-*) $(about on-4)" "on-4 on-6 $(about four)" "snapshots of a run that goes on"
fails 2 "--snapshot needs --output FILE" dae-pretrain -q --snapshot 2 eyes.tns
fails 2 "--snapshot: '3,x' is not at most 64 numbers from 1 to 10000000" dae-pretrain -q --snapshot 3,x eyes.tns -o no.tns
for h in 0 -1 x '' 5, 5,,6 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 1000001; do
	is "$(dae-pretrain -q -H "$h" eyes.tns -o no.tns 2>/dev/null; echo $?)" 2 "-H $h"
done
fails 2 "--rate: 0 is outside 1e-12 to 100" dae-pretrain -q -r 0 eyes.tns -o no.tns
fails 2 "--rate: 0 is outside 1e-12 to 100" cnn-train -q -r 0 -n fc faces.tns -o no.tns

# ---- a film that begins in the dark: what the mean patch reaches is measured all over it, not at its beginning
patch-extract -q --random 20 --size 6x6 faces.tns -o light.tns
image-augment -q --light 0 light.tns | tns-cat -q - light.tns -o dark_first.tns
is "$(tns-info light.tns | awk '$1 == "image" {print ($3 + 0 > 1000)}')" 1 "over 1000 dark rows"
for p in dae rbm; do
	ok "$p-pretrain of what begins in the dark" $p-pretrain -q -H 10 -e 2 -b 50 dark_first.tns -o dark.tns
done

# ---- --init: the first layer is the autoencoder's; unchanged with a learning rate that moves no weight
cnn-train -q --target label -n 'fc20 sigmoid fc' -e 1 -r 1e-12 --init dae20.tns eyes.tns -o init.tns
is "$(about init.tns | grep '^0')" "$(about dae20.tns | grep '^0')" "--init takes the first layer"
is "$([ "$(about init.tns | grep '^2.w')" = "$(about dae20.tns | grep '^2.w')" ]; echo $?)" 1 "and no other"
fails 1 "dae20.tns: its first layer does not fit: its weights are 20x475, this net's 21x475" cnn-train -q --target label -n 'fc21 sigmoid fc' --init dae20.tns eyes.tns -o no.tns
fails 1 "dae20.tns: its first layer does not fit: it looks at 1x19x25, channels, height and width, this net's at 1x25x19" cnn-train -q --target label -n 'conv25x19x20p3 sigmoid fc' --init dae20.tns eyes.tns -o no.tns
ok "--init and a further layer" cnn-train --target label -n 'fc20 sigmoid dropout0.5 fc30 sigmoid fc' -e 1 --init dae20.tns eyes.tns -o init2.tns
is "$(grep -c '^cnn-train: 1 of 3 layers with weights start from dae20.tns$' .err)" 1 "how many layers start from the model's is told"
fails 1 "eyes.tns: a model needs META net: cnn-train and dae-pretrain write models" cnn-train -q --target label -n 'fc20 sigmoid fc' --init eyes.tns eyes.tns -o no.tns
fails 1 "nosuch.tns: No such file" cnn-train -q --target label --init nosuch.tns eyes.tns -o no.tns

# ---- --keep last: the score told is the last epoch's of the log, and the model's; the best one is told as not kept
ok "the last epoch" cnn-train -n 'pool2 fc' -e 51 -b 10 --optimizer adam -r 0.015 --valid faces.tns --keep last --log last.tsv faces.tns -o last.tns
told=$(sed -n 's/.*last epoch 51: valid rmse px \([0-9.]*\), which [^;]*; the best\(, not kept, was epoch \([0-9]*\): [0-9.]*\|, too\)$/\1 \3/p' .err)
is "$(awk -F'\t' 'NR > 1 && (m == "" || $5 < m) { m = $5; e = $1 } END { print (e < NR - 1 ? e : "") }' last.tsv)" "${told#* }" "the best epoch"
ok "${told% *} is the log's" awk -F'\t' -v a="${told% *}" 'END { exit !(a > 0 && ($5 - a) ^ 2 < 1e-6 * a * a) }' last.tsv
is "$(tns-info last.tns | awk '$1 == "rmse_px:" { printf "%.3f", $2 }')" "$(awk -v a="${told% *}" 'BEGIN { printf "%.3f", a }')" "and the model's"
fails 2 "--warmup 21: there are 20 epochs" cnn-train -q -n fc --warmup 21 faces.tns -o no.tns
fails 2 "--keep last and --patience exclude each other: patience chooses the last epoch by the held-out rows" cnn-train -q --keep last --patience 3 faces.tns -o no.tns

# ---- unsuitable data
fails 2 "--weigh: there is no point 'nose_tipp' in the data (did you mean nose_tip?)" cnn-train -q -n fc --weigh nose_tipp=2 faces.tns -o no.tns
fails 1 "eyes.tns: there is no tensor keypoints (there are image, label" cnn-train -q eyes.tns -o no.tns
fails 1 "faces.tns: there is no tensor label" cnn-train -q --target label faces.tns -o no.tns
fails 1 "a.tns: a model, not a data set: it has no rows" cnn-train -q a.tns -o no.tns
fails 1 "a.tns: a model, not a data set: it has no rows" dae-pretrain -q a.tns -o no.tns
fails 1 "faces.tns: there is no tensor label" dae-pretrain -q --patches positive faces.tns -o no.tns
fails 1 "nosuch.tns: No such file" cnn-train -q nosuch.tns -o no.tns
fails 1 "are not like those of faces.tns" cnn-train -q faces.tns --valid big.tns -o no.tns
face-synth -q -n 30 --size 24x20 --point-count 9 | csv-clean -q --size 24x20 --keep-all -o nine.tns
fails 1 "are not like those of faces.tns" cnn-train -q faces.tns --valid nine.tns -o no.tns
fails 1 "can't be parted" cnn-train -q -n fc --valid-part 0.001 nine.tns -o no.tns
fails 2 "exclude each other" cnn-train -q --valid nine.tns --valid-part 0.3 faces.tns -o no.tns
fails 2 "cnn-train: --net: column 5: layer 2: 'fcx' is no layer (write fcN" cnn-train -q -n 'fc5 fcx' faces.tns -o no.tns
fails 2 "cnn-train: --net: line 2, column 8: layer 3: 'foo' is no layer (there are convHxWxC[sS][pP][dD], poolN, " cnn-train -q -n $'fc5\n relu  foo' faces.tns -o no.tns
fails 2 "cnn-train: --net: column 23: layer 4: )+ can't add 4x10x12 to the 1x20x24 (CxHxW) at its (, layer 1" cnn-train -q -n '( conv3x3x4s2p1 relu  )+ fc' faces.tns -o no.tns
fails 2 "cnn-train: --net: column 6: layer 2: ( has no )+ after it" cnn-train -q -n 'tanh ( conv3x3x4' faces.tns -o no.tns
fails 2 "cnn-train: --net: column 5: layer 2: '(relu)+' is no layer (write ( and )+, each as a word of its own)" cnn-train -q -n 'fc5 (relu)+ fc' faces.tns -o no.tns
fails 1 "nosuch: No such file" cnn-train -q -n @nosuch faces.tns -o no.tns
printf '# no layer\n' >none.net
fails 2 "none.net: the net has no layers" cnn-train -q -n @none.net faces.tns -o no.tns
for none in '' ' ' '# fc'; do fails 2 "--net: the net has no layers" cnn-train -q -n "$none" faces.tns -o no.tns; done
fails 2 "--net: column 1: the net ends with 5 values, the target has 30" cnn-train -q -n fc5 faces.tns -o no.tns
# where a layer stands in a file; a net of maps for another target; sizes are HxW
printf '# a net\nconv3x3x4 relu\n  pool2  dropoff0.3 fc\n' >bad.net
fails 2 "cnn-train: bad.net:3:10: layer 4: 'dropoff0.3' is no layer (did you mean dropout0.3?)" cnn-train -q -n @bad.net faces.tns -o no.tns
fails 2 "small.net:6:1: the net ends with 30x6x6 values (CxHxW), the target has 30: these are maps, for --target heatmap; for --target coords the last layer is fc" cnn-train -q -n "@$ROOT/pipelines/nets/small.net" faces.tns -o no.tns
fails 2 "these are maps, for --target heatmap; for --target label the last layer is fc" cnn-train -q --target label -n conv3x3 eyes.tns -o no.tns
face-synth -q -n 12 --size 25x19 | csv-clean -q --keep-all --size 25x19 -o wide.tns
fails 2 "the net ends with a map of 17x23 (HxW), the target's is 19x25" cnn-train -q --target map -n conv3x3 wide.tns -o no.tns
fails 2 "--net: column 1: layer 1: 'pool30' is no layer (write poolN, N from 1 to 15" cnn-train -q -n pool30 faces.tns -o no.tns

# ---- --dry-run: the net, rows and settings, computed apart; nothing is written, nothing is there that was not
# warns LINE COMMAND...: exit 0, and just that on stderr
warns() { local want=$1; shift; "$@" 2>.err >.out; is "$?,$(cat .err)" "0,cnn-train: $want" "$* warns"; }
cnn-train -q -n fc -e 900 --checkpoint dry.c faces.tns -o dry.tns & sleep 0.3; kill $!; wait $! 2>/dev/null
[ -e dry.c ] && ok "--dry-run beside a run that was ended" cnn-train --dry-run -n fc --checkpoint dry.c faces.tns || bad "no checkpoint was left"
rm -f dry.c dry.tns
fails 2 "--sigma is for the targets heatmap and map, not coords" cnn-train --dry-run -n fc --sigma 9 faces.tns
fails 2 "--entropy is for the target heatmap, not map" cnn-train --dry-run -n fc --target map --entropy 2 faces.tns
fails 2 "--loss is for the targets coords and heatmap, not label" cnn-train --dry-run -n fc --target label --loss wing eyes.tns
fails 2 "--width is for --loss smooth and wing" cnn-train --dry-run -n fc --width 5 faces.tns
fails 2 "--patience: there are no held-out rows to stop by" cnn-train --dry-run -n fc --patience 2 faces.tns
warns "--net: column 10: layer 3: this relu changes nothing: its input is nowhere below 0" cnn-train --dry-run -n 'fc3 relu relu fc' faces.tns
warns "--net: column 4: layer 2: no output is below 0, where the left and the upper half of an image are: end the net with fc" cnn-train --dry-run -n 'fc sigmoid' faces.tns
printf '# half\nfc relu\n' >half.net
warns "half.net:2:4: layer 2: no output is below 0, where the left and the upper half of an image are: end the net with fc" cnn-train --dry-run -n @half.net faces.tns
warns "--net: column 4: layer 2: no output is below 0, where the first of two labels is: end the net with fc" cnn-train --dry-run --target label -n 'fc relu' eyes.tns
cp coords.c.tns old.last && echo old >old
ls -A | grep -vE '^(\.out|\.err|dry.*)$' >before.txt && cksum old old.last >>before.txt
ok "a dry run" cnn-train --dry-run -n 'fc3 relu fc' -b 40 -e 7 --augment default --average 0.99 --warmup 0.5 faces.tns -o new.tns --log new.tsv --suspects new.suspects.tsv --checkpoint new.c.tns
cp .out dry.txt
is "$(cat .err)" "" "nothing on stderr"
rows=$(tns-table -q faces.tns | awk -F, 'NR > 1 { for (i = 2; i <= 31; i++) if ($i != "") { n++; next } } END { print n }')
is "$(sed -n 's/^rows: //p; s/^steps: //p' dry.txt)" "$rows to train on, none to validate on
$(((rows + 39) / 40)) an epoch, $(((rows + 39) / 40 * 7)) in 7 epochs" "rows with a label, batches of 40"
# the mean face, from the table: each column's mean, the RMS of what labels are off it
mean=$(tns-table -q faces.tns | awk -F, 'NR > 1 { for (i = 2; i <= 31; i++) if ($i != "") { v[i, ++n[i]] = $i; s[i] += $i } }
	END { for (i in n) for (k = 1; k <= n[i]; k++) { q += (v[i, k] - s[i] / n[i]) ^ 2; c++ } printf "%.4g px", sqrt(q / c) }')
is "$(sed -n 's/^mean face: //p' dry.txt)" "$mean" "the mean face's error"
# 24 20 3 + 3 and 3 30 + 30 parameters, as many moments, as many averages, gradients of the 33 biases: 4 (3 1563 + 33) bytes
is "$(grep -c '^memory of training on cpu: 0.019 MB of weights, gradients and moments, 0\.[0-9]* MB for a batch of 40 rows$' dry.txt)" 1 "memory"
is "$(sed -n 's/^  augment: //p; s/^  optimizer: //p; s/^  warmup: //p; s/^  average: //p; s/^  epochs: //p' dry.txt | paste -sd ' ')" "flip,shift=4,rotate=10,scale=0.1,contrast=0.2,brightness=0.1,noise=0.02 nesterov 0.5 0.99 7" "settings, default is what it means"
is "$(cnn-train --dry-run -n fc --augment robust,rotate=70 faces.tns | sed -n 's/^  augment: //p')" \
	"flip,squared,shift=8,rotate=55,scale=0.4,contrast=0.4,brightness=0.25,noise=0.1,blur=1,motion=8,cutout=0.2,late=0.25,last=0.1,rotate=70" "and robust with what differs"
ok "with a checkpoint that is there" cnn-train --dry-run -n "$cnn" -e 170 --resume -o old faces.tns
ls -A | grep -vE '^(\.out|\.err|dry.*|before.txt)$' >dry.after && cksum old old.last >>dry.after
same <(grep -v before.txt before.txt) dry.after "what was there, and nothing else"
# the same net and settings as a training's
tns-cat -q faces.tns faces.tns --renumber -o many.tns
cnn-train -q -e 1 --preset fast many.tns -o m.tns 2>/dev/null
ok "a preset's dry run" cnn-train --dry-run -e 1 --preset fast many.tns
cp .out dry.txt
is "$(sed -n '/^layer/,/^memory of a/p' dry.txt)" "$(tns-info m.tns | sed -n '/^layer/,/^memory of a/p')" "the net of the preset"
for o in target epochs sigma loss rate optimizer schedule augment valid-part distrust patience; do
	is "$(sed -n "s/^  $o: //p" dry.txt)" "$(tns-info m.tns | sed -n "s/.*cnn-train .* --$o \('[^']*'\|[^ ]*\).*/\1/p")" "the preset's --$o"
done
is "$(sed -n 's/^rows: [0-9]* to train on, \([0-9]*\) to validate on, held out/\1/p' dry.txt | awk '{ print ($1 > 0) }')" 1 "rows held out"
ok "from a pipe, against a file" bash -c 'cat faces.tns | cnn-train --dry-run -n fc --valid faces.tns >dry.piped'
ok "labels" cnn-train --dry-run --target label -n 'fc' eyes.tns
is "$(grep -c '^most frequent class: error 0\.[0-9]*, loss 0\.[0-9]*$' .out),$(grep -c sigma .out)" "1,0" "their baseline, and no settings of points"
ok "an autoencoder's" dae-pretrain --dry-run -H 20,10 -b 100 -e 3 eyes.tns -o new.tns --snapshot 2
n=$(tns-info --json eyes.tns | sed 's/.*"image", "dtype": "u8", "shape": \[\([0-9]*\),.*/\1/')
is "$(sed -n 's/^rows: //p; s/^steps: //p' .out)" "$n to train on
$(((n + 99) / 100)) an epoch, $(((n + 99) / 100 * 3)) in 3 epochs" "its rows and steps"
is "$(awk '$1 == "total" { print $2 }' .out)" $((475 * 20 + 20 + 20 * 10 + 10 + 10 * 20 + 20 + 20 * 475 + 475)) "its parameters"
is "$(sed -n '/^settings:/,$s/^  //p' .out | paste -sd ' ')" "patches: all hidden: 20,10 corruption: 0.2 init-range: 0 decay: 0 rate: 0.1 batch: 100 epochs: 3 seed: 1" "its settings"
for how in "" --persistent; do
	ok "a Boltzmann machine's" rbm-pretrain --dry-run -H 20 $how eyes.tns
	is "$(sed -n 's/^  persistent: //p' .out)" "$([ "$how" ] && echo yes || echo no)" "a flag among its settings"
done
[ -z "$(ls -A | grep '^new')" ] && good || bad "a dry run wrote something"
fails 2 "--augment: 'shaft=3' is not known" cnn-train -q --augment flip,shaft=3 faces.tns -o no.tns
is "$(face-synth -q -n 30 --size 24x24 | sed 1q | csv-clean -q -o none.tns 2>/dev/null; [ -e none.tns ] && { cnn-train -q none.tns -o no.tns 2>&1 | grep -c 'there are no rows'; } || echo 1)" 1 "no rows"

fails 2 "faces.tns: is no model" predict -q faces.tns
fails 2 "faces.tns: is no model (it has no META net), and only the last operand is data" predict -q faces.tns a.tns
fails 2 "is no model" predict -q a.tns faces.tns b.tns
fails 1 "nosuch.tns: No such file" predict -q nosuch.tns faces.tns
fails 1 "big.tns: image is 96x96, the model takes 24x20" predict -q a.tns big.tns -o no.tns
fails 1 "nine.tns: its points are not the model's" predict -q a.tns nine.tns -o no.tns
fails 1 "models 1 and 2 differ in target, input or names" predict -q a.tns init.tns faces.tns -o no.tns
fails 1 "stdin: a model, not a data set: it has no rows" predict -q a.tns -o no.tns <b.tns
head -c 2500 a.tns >cut.tns
fails 1 "cut.tns: record" predict -q cut.tns faces.tns -o no.tns
head -c 30000 faces.tns >cut.tns
fails 1 "cut.tns: record" predict -q a.tns cut.tns -o no.tns
fails 1 "cut.tns: record" cnn-train -q cut.tns -o no.tns
# ---- a training that went nowhere is measured by what a model that looks at no image has
mean=$(cnn-train -n 'pool2 fc' -e 1 faces.tns -o mean.tns 2>&1 | sed -n 's/.*mean face: \(.*\) px/\1/p')
ok "the mean face is told first" test -n "$mean"
for bad in '--optimizer adam -r 100' '--optimizer sgd -m 0 -r 10' '--optimizer adam -r 100 --valid faces.tns'; do
	got=0; cnn-train -q -n 'pool2 fc9 relu fc' -e 4 $bad faces.tns -o bad.tns 2>bad.txt || got=$?
	[[ $got = 0 || $(cat bad.txt) = *"no model is written"* || $(cat bad.txt) = *"the loss "* ]] && good || bad "with $bad: $(cat bad.txt)"
	[[ $bad = *sgd* ]] || is "$got" 1 "exit status with $bad" # with sgd all units die: constant points, bad, but not by a factor of ten
	grep -qE "nothing was learned: .*mean face has $mean;|the loss (is|has exploded)" bad.txt && good || bad "with $bad: $(cat bad.txt)"
done
# stuck: not better in its last epoch; a first epoch can't be told from one
for e in 1 4; do
	got=0; cnn-train -q -n 'pool2 fc9 relu fc' -e $e --optimizer adam -r 0.$((e > 1 ? 5 : 1)) --valid faces.tns --log stuck.tsv faces.tns -o stuck.tns 2>bad.txt || got=$?
	is "$got" $((e > 1)) "exit status of a training that is stuck, $e epochs: $(cat bad.txt)"
done
cnn-train -q -n 'pool2 fc' -e 1 -r 1e-6 faces.tns -o slow.tns 2>slow.txt && good || bad "a slow training: $(cat slow.txt)"
grep -q "nothing was learned: RMSE px .* on the training set, where the mean face has $mean; another" slow.txt && good || bad "a slow training: $(cat slow.txt)"
ok "a training that learns" cnn-train -q -n 'pool2 fc' -e 150 --optimizer adam -r 0.005 faces.tns -o fine.tns
is "$(cat "$TMP/.err")" "" "a training that learns says nothing"
rm -f bad.tns
is "$(ls no.tns 2>/dev/null)" "" "no failure left an output"
is "$(find . -name '.*.tmp' | wc -l)" 0 "nor a temporary file"
done_tests
