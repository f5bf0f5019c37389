#!/usr/bin/env bash
# Slips of the hand: outputs that can't be written, options that a checkpoint was not made with, producers that failed, models from pipes.
. tests/sh.sh
cd "$TMP" || exit 1
export LC_ALL=C
face-synth -q -n 60 --size 24x24 -s 3 --test-lookup lookup.csv --test test.csv -o faces.csv
csv-clean -q faces.csv -o faces.tns
patch-extract -q --preset eyes --size 9x7 faces.tns -o eyes.tns
net='pool4 fc'
cnn-train -q -n "$net" -e 1 faces.tns -o model.tns 2>/dev/null

# ---- a destination that can't be written is told before any work: within a second, of a training that takes minutes
mkdir folder readonly && chmod 555 readonly
# soon TEXT COMMAND...: fails within the time of its start
soon() { local text=$1; shift; fails 1 "$text" timeout 20 "$@"; }
long="-n conv5x5x64 -e 10000"
[ "$(id -u)" = 0 ] && no="/proc/nothing" || no=readonly/m.tns
for to in nowhere/m.tns folder "$no"; do
	soon "$to: " cnn-train -q $long faces.tns -o $to
	soon "$to: " cnn-train -q $long faces.tns --checkpoint $to -o m.tns
	soon "$to: " cnn-train -q $long faces.tns --suspects $to -o m.tns
	soon "$to: " cnn-train -q $long faces.tns --log $to -o m.tns
	soon "$to: " dae-pretrain -q -e 100000 eyes.tns -o $to
	soon "$to: " dae-pretrain -q -e 100000 eyes.tns --checkpoint $to -o m.tns
	soon "$to: " csv-clean -q --report $to faces.csv -o m.tns
done
is "$(ls m.tns 2>/dev/null)" "" "no failure left an output"
is "$(find . -name '.*.tmp' | wc -l)" 0 "nor a temporary file"
echo old >kept.tns
soon "faces.none: " cnn-train -q $long faces.none -o kept.tns
is "$(cat kept.tns)" old "an output that is there stays"
terminals && for p in "cnn-train -n fc faces.tns" "dae-pretrain eyes.tns" "csv-clean faces.csv" "predict model.tns faces.tns" "patch-extract --preset eyes faces.tns"; do
	is "$(script -qec "$p" /dev/null </dev/null | grep -c 'binary is not written to a terminal')" 1 "a terminal is refused: $p"
done
ok "a pipe that is waited for is not opened twice" bash -c "cnn-train -q -n '$net' -e 1 faces.tns -o >(cat >piped.tns); sleep 0.2"
ok "and got the model" tns-info --check piped.tns

# ---- no output is an input, or another output, however it is named
cp faces.tns copy.tns && cp eyes.tns eyes-2.tns
for c in "cnn-train -q -n fc -e 1 copy.tns -o new.tns --suspects copy.tns" "cnn-train -q -n fc -e 1 faces.tns --valid copy.tns --suspects copy.tns -o new.tns" \
	"cnn-train -q -n fc -e 1 faces.tns -o new.tns --suspects ./new.tns" "cnn-train -q -n fc -e 1 faces.tns -o new.tns --checkpoint new.tns" \
	"csv-clean -q faces.csv -o new.tns --report new.tns" "tns-select -q --rows 1-5 -o copy.tns <copy.tns" "cnn-train -q -n fc -e 1 --log copy.tns -o new.tns <copy.tns" \
	"dae-pretrain -q -e 2 -H 3 --snapshot 1,2 eyes-2.tns -o eyes.tns" "dae-pretrain -q -e 2 -H 3 --snapshot 1 eyes.tns -o new.tns --log new-1.tns" \
	"face-synth -n 3 -o new.tns --people new.tns" "predict -q model.tns <copy.tns -o copy.tns" "tns-select -q --rows 1-5 copy.tns >>copy.tns"; do
	got=0; bash -c "$c" 2>err || got=$?
	is "$got $(wc -l <err)" "2 1" "wrong use: $c ($(cat err))"
	same faces.tns copy.tns "not touched: $c"
	same eyes.tns eyes-2.tns "not touched: $c"
	is "$(ls new.tns new-1.tns 2>/dev/null)" "" "nothing written: $c"
done
echo precious >notes.txt
fails 1 "notes.txt: is no log, so it is not written over" cnn-train -q -n fc -e 1 faces.tns --log notes.txt -o new.tns
is "$(cat notes.txt)" precious "it stays"
timeout 20 cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 40000 -r 0.001 faces.tns --log shared.tsv -o slow.tns 2>/dev/null & p=$!
for ((i = 0; i < 200; i++)); do [ -s shared.tsv ] && break; sleep 0.05; done
fails 1 "shared.tsv: another run is writing it" cnn-train -q -n fc -e 1 faces.tns --log shared.tsv -o new.tns
# two trainings into one file: the second says so at its start, and the first goes on
fails 1 "slow.tns: another run is writing it" cnn-train -q -n fc -e 1 faces.tns -o slow.tns
fails 1 "slow.tns: another run is writing it" predict -q model.tns faces.tns -o slow.tns
ok "the first goes on" kill -0 $p
kill $p; wait $p 2>/dev/null
ok "one that was killed is no hindrance" cnn-train -q -n "$net" -e 1 --fresh faces.tns -o slow.tns
# a training that went nowhere leaves the model that is there
cp model.tns good.tns
fails 1 "nothing was learned" cnn-train -q -n 'pool4 fc' -e 3 --optimizer adam -r 100 --valid faces.tns faces.tns -o good.tns
same model.tns good.tns "a model that is there, after a training that went nowhere"
rm -f new.tns slow.tns*

# ---- a checkpoint of other options: only what differs, by name
cnn-train -q -n "$net" -e 2 -b 50 --augment 'flip,shift=2' faces.tns --checkpoint c.tns -o one.tns 2>/dev/null
resume() { cnn-train -q -e 2 faces.tns --checkpoint c.tns --resume -o no.tns "$@"; }
differs() { local text=$1; shift; fails 1 "c.tns: is a checkpoint of other options or data: $text" resume "$@"; is "$(sed 's/.*data: //' .err)" "$text" "and nothing else"; }
differs "--batch is 51, was 50" -n "$net" -b 51 --augment flip,shift=2
differs "--augment is flip,shift=3, was flip,shift=2" -n "$net" -b 50 --augment flip,shift=3
differs "--net is 'pool4 fc9 relu fc', was 'pool4 fc'; --seed is 5, was 1, the default; --augment is default, was flip,shift=2" -n 'pool4 fc9 relu fc' -b 50 -s 5
# every option that a model depends on, a value, and its default
while read -r o value default; do
	differs "--$o is $value, was ${default:+$default, the }default" -n "$net" -b 50 --augment flip,shift=2 --"$o" "$value"
done <<'END'
loss wing squared
weigh nose_tip=2
distrust 3 0
offset none auto
rate 0.02 0.01
momentum 0.5 0.9
optimizer sgd nesterov
schedule cosine constant
decay 0.1 0
valid-part 0.2 0
END
heat=(-n 'conv3x3x2s4p1 relu conv1x1' --target heatmap --loss smooth)
cnn-train -q "${heat[@]}" -e 2 faces.tns --checkpoint c.tns --fresh -o one.tns 2>/dev/null
differs "--width is 2, was 0, the default" "${heat[@]}" --width 2
differs "--sigma is 3, was 2, the default" "${heat[@]}" --sigma 3
differs "--sigma-last is 1, was 0, the default" "${heat[@]}" --sigma-last 1
differs "--entropy is 2, was 1, the default" "${heat[@]}" --entropy 2
cnn-train -q -n "$net" -e 2 -b 50 --augment 'flip,shift=2' faces.tns --checkpoint c.tns --fresh -o one.tns 2>/dev/null
fails 2 "--patience: there are no held-out rows to stop by" cnn-train -q -n "$net" --patience 3 faces.tns -o no.tns
head -40 faces.csv | csv-clean -q -o fewer.tns
fails 1 "c.tns: is a checkpoint of other options or data: --batch is 51, was 50; other data" cnn-train -q -n "$net" -e 2 -b 51 --augment flip,shift=2 fewer.tns --checkpoint c.tns --resume -o no.tns
fails 1 "model.tns: is no checkpoint" cnn-train -q -n "$net" -e 2 faces.tns --checkpoint model.tns --resume -o no.tns
dae-pretrain -q -H 5 -e 2 eyes.tns --checkpoint d.tns -o one.tns
fails 1 "d.tns: is a checkpoint of other options or data: --hidden is 6, was 5; --rate is 0.1, the default, was 0.3" \
	bash -c "dae-pretrain -q -H 5 -r 0.3 -e 2 eyes.tns --checkpoint d.tns -o one.tns 2>/dev/null; dae-pretrain -q -H 6 -e 2 eyes.tns --checkpoint d.tns --resume -o no.tns"
while read -r o value was; do
	fails 1 "d.tns: is a checkpoint of other options or data: --$o is $value, was $was" dae-pretrain -q -H 5 --"$o" "$value" -e 2 eyes.tns --checkpoint d.tns --resume -o no.tns
done <<'END'
batch 7 1000, the default
rate 0.4 0.3
corruption 0.5 0.2, the default
seed 3 1, the default
END
fails 1 "c.tns: is a checkpoint of other options or data: " dae-pretrain -q -H 5 -e 2 eyes.tns --checkpoint c.tns --resume -o no.tns
grep -q "it is of cnn-train" .err && good || bad "not told whose it is: $(cat .err)"

# ---- a producer that failed before its first byte: each stage says why, in one line
csv-clean none.csv 2>1.err | predict model.tns 2>2.err | score >3.out 2>3.err
is "$(cat 1.err)" "csv-clean: none.csv: No such file or directory" "the first stage"
is "$(cat 2.err)" "predict: stdin: record 0: its producer gave up: none.csv: No such file or directory" "the second stage"
is "$(cat 3.err)" "score: stdin: record 0: its producer gave up: stdin: record 0: its producer gave up: none.csv: No such file or directory" "the third stage"
predict none.tns faces.tns 2>/dev/null | score 2>3.err >3.out
grep -q "score: stdin: record 0: its producer gave up: none.tns: No such file" 3.err && good || bad "predict without a model: $(cat 3.err)"
csv-clean faces.csv 2>/dev/null | cnn-train -q -n fcx 2>/dev/null | tns-info >3.out 2>3.err
grep -q "its producer gave up: --net: column 1: layer 1: 'fcx' is no layer" 3.err && good || bad "cnn-train without a net: $(cat 3.err)"
csv-clean none.csv -o 4.tns 2>/dev/null >4.out
is "$(wc -c <4.out)" 0 "nothing goes to stdout where it was not asked for"

# ---- models from pipes
predict -q model.tns faces.tns -o file.tns
ok "a model from a pipe" predict -q <(cat model.tns) faces.tns -o pipe.tns
is "$(tns-info pipe.tns | grep '^fingerprint')" "$(tns-info file.tns | grep '^fingerprint')" "with the same predictions"
ok "a model from stdin" bash -c 'cat model.tns | predict -q - faces.tns -o pipe.tns'
same pipe.tns file.tns "from stdin"
ok "two models from pipes, data from a third" predict -q <(cat model.tns) <(cat model.tns) <(cat faces.tns) -o two.tns
ok "a model from a pipe, data from stdin" bash -c 'cat faces.tns | predict -q <(cat model.tns) -o pipe.tns'
same pipe.tns file.tns "data from stdin"
fails 1 "a model needs META net" predict -q <(cat faces.tns) faces.tns -o no.tns

# ---- interrupted: the last whole epoch is kept beside the output, and SIGINT says so
slow() { cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 40000 -r 0.001 faces.tns -o slow.tns "$@"; }
# interrupt SIGNAL FILE COMMAND...: once FILE is there and was replaced, so that the line for its first writing stands
interrupt() {
	local signal=$1 file=$2 p first; shift 2
	env --default-signal=INT "$@" 2>int.err & # what runs beside a script has SIGINT ignored
	p=$!
	for ((i = 0; i < 600; i++)); do [ -e "$file" ] && break; sleep 0.05; done
	first=$(stat -c %i "$file")
	for ((i = 0; i < 600; i++)); do [ "$(stat -c %i "$file")" != "$first" ] && break; sleep 0.05; done
	kill -"$signal" $p
	wait $p 2>/dev/null
}
interrupt INT slow.tns.last cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 40000 -r 0.001 faces.tns -o slow.tns
grep -qE "^cnn-train: interrupted: epoch [0-9]+ is kept in slow.tns.last; this goes on: cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 40000 -r 0.001 faces.tns -o slow.tns --resume$" int.err && good || bad "SIGINT: $(cat int.err)"
is "$(ls slow.tns 2>/dev/null)" "" "no output yet"
fails 1 "slow.tns.last: keeps epoch" slow
grep -q "of 40000 of a run: --resume goes on, --fresh starts over" .err && good || bad "forgotten --resume: $(cat .err)"
kept=$(tns-info slow.tns.last | sed -n 's/^opt.epoch: //p')
ok "it goes on" slow -e $((kept + 3)) --resume
is "$(ls slow.tns.last 2>/dev/null)" "" "what was kept is gone"
cp slow.tns resumed.tns
ok "unbroken" slow -e $((kept + 3))
same slow.tns resumed.tns "to the bits of a run that was not interrupted"
interrupt KILL dae.tns.last dae-pretrain -q -H 60 -e 100000 eyes.tns -o dae.tns
ok "a killed one keeps it too" tns-info --check dae.tns.last
fails 1 "dae.tns.last: keeps epoch" dae-pretrain -q -H 60 -e 100000 eyes.tns -o dae.tns
ok "and starts over" dae-pretrain -q -H 60 -e 2 eyes.tns -o dae.tns --fresh
is "$(ls dae.tns.last 2>/dev/null)" "" "what was kept is gone"
timeout -s INT 1 cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 4000 faces.tns 2>int.err >/dev/null
grep -q "^cnn-train: interrupted: nothing is kept, as nothing is of a run to stdout (--checkpoint FILE keeps its epochs)$" int.err && good || bad "SIGINT of a run to stdout: $(cat int.err)"
# a checkpoint that the user names
(timeout --foreground -s KILL 1 cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 4000 faces.tns --checkpoint run.tns -o m.tns) 2>/dev/null
fails 1 "of 4000 of a run: --resume goes on, --fresh starts over" cnn-train -q -n 'conv5x5x24 relu pool2 fc' -e 4000 faces.tns --checkpoint run.tns -o m.tns
ok "fresh" cnn-train -q -n 'pool4 fc' -e 1 faces.tns --checkpoint run.tns --fresh -o m.tns
ok "one that is at its end is replaced" cnn-train -q -n 'pool4 fc' -e 2 faces.tns --checkpoint run.tns -o m.tns
cnn-train -q -n 'pool4 fc' -e 50 -r 1e-12 --valid faces.tns --patience 2 faces.tns --checkpoint run.tns -o m.tns 2>/dev/null # stuck: exit 1
is "$(tns-info run.tns | sed -n 's/^opt.epoch: //p')" 3 "patience was at its end"
ok "one whose patience was at its end is replaced too" cnn-train -q -n 'pool4 fc' -e 2 faces.tns --checkpoint run.tns -o m.tns
cp eyes.tns eyes-copy.tns
fails 1 "eyes-copy.tns: is no checkpoint, so it is not written over" cnn-train -q -n 'pool4 fc' -e 1 faces.tns --checkpoint eyes-copy.tns -o m.tns
fails 2 "--resume goes on, --fresh starts over: not both" cnn-train -q faces.tns --checkpoint run.tns --resume --fresh -o m.tns
# a start that fails empties no log
cnn-train -q -n 'pool4 fc' -e 3 faces.tns --log kept.tsv --checkpoint run.tns -o m.tns
cp kept.tsv copy.tsv
cnn-train -q -n 'pool4 fcx' -e 3 faces.tns --log kept.tsv -o m.tns 2>/dev/null
cnn-train -q -n 'pool4 fc' -e 3 faces.none --log kept.tsv -o m.tns 2>/dev/null
cnn-train -q -n 'pool4 fc9 relu fc' -e 3 faces.tns --log kept.tsv --checkpoint run.tns --resume -o m.tns 2>/dev/null
same kept.tsv copy.tsv "a log outlives starts that failed"

# ---- the wrong kind of file: what makes the right one is said
fails 1 "there is no tensor predicted (there are image, keypoints, id); predict adds it" submit -l lookup.csv faces.tns
fails 1 "there is no tensor predicted (there are image, keypoints, id); predict adds it" patch-extract --around predicted --size 9x7 faces.tns -o no.tns
fails 1 "nothing to measure; predict adds them" score faces.tns
fails 1 "eyes.tns: there is no tensor keypoints (there are image, label, source); it has labels (cnn-train --target label)" cnn-train -n fc eyes.tns -o no.tns
fails 1 "faces.tns: there is no tensor label (there are image, keypoints, id); patches have it, which patch-extract cuts out" cnn-train -n fc --target label faces.tns -o no.tns
fails 1 "model.tns: a model, not a data set: it has no rows; predict applies it to a data set, tns-info shows what is in it" score model.tns
fails 2 "faces.tns: is no model (it has no META net), and models come before the data; try" predict faces.tns
fails 1 "eyes.tns: image is 9x7, the model takes 24x24: tns-import and patch-extract make that size by --size" predict model.tns eyes.tns -o no.tns
fails 1 "a model needs META net: cnn-train and dae-pretrain write models" model-export faces.tns -o no.tns
fails 1 "no tensor 'reconstruction' (predict adds it, by a model of dae-pretrain, rbm-pretrain or pca-fit)" render pairs faces.tns -o no.png
fails 1 "row 1: its image's name '" tns-import --form table faces.csv -o no.tns
grep -q 'bytes, over 255: csv-clean reads tables of pixels$' .err && good || bad "a table of pixels: $(cat .err)"
fails 1 "no column is called Image (image, pixels; --image-column names another); tables that name files are for tns-import --form table" csv-clean lookup.csv -o no.tns
fails 1 "folder: preamble: Is a directory: tns-import --form folder makes a data set of its images" tns-info folder
fails 1 "nowhere/no.tns: No such file or directory: its folder is not there" cnn-train -n fc faces.tns -o nowhere/no.tns
fails 2 "'heat.net' is no layer (a file is named @heat.net)" cnn-train -n heat.net faces.tns -o no.tns
is "$(ls no.* 2>/dev/null)" "" "no failure left an output"
# a variable of the shell that is not set, where a file's name is wanted
for o in "cnn-train --valid" "cnn-train -o" "submit --lookup" "score --groups" "csv-clean --report" "tns-import --form folder --images" "predict --refine"; do
	read -r -a run <<<"$o"
	got=0
	"${run[@]}" "" >.out 2>.err </dev/null || got=$?
	is "$got $(grep -c "the name of a file is empty\|an empty item" .err)" "2 1" "$o '': $(cat .err)"
done
# ---- stdout holds one thing
for to in - /dev/stdout; do
	fails 2 "--report $to: stdout is that of --output" csv-clean -q faces.csv --report $to
	fails 2 "--suspects $to: stdout is that of --output" cnn-train -q -n "$net" -e 1 faces.tns --suspects $to
	fails 2 "--people $to: stdout is that of --output" face-synth -n 2 --size 8x8 --people $to
	fails 2 "--log $to: it must be a file" cnn-train -q -n "$net" -e 1 faces.tns --log $to -o new.tns
done
fails 2 "--solution -: stdout is that of --people" face-synth -n 2 --size 8x8 --people - --solution - -o new.csv
ok "beside a file" csv-clean -q --size 24x24 faces.csv --report - -o new.tns
done_tests
