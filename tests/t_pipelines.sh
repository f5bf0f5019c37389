#!/usr/bin/env bash
# The pipelines by make: killed and run again, with one job and with many; nothing to do when nothing changed; what they were given is kept, and
# refused where it is other. What make says where something is missing.
. tests/sh.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
# slay TEXT: kills every process whose command line contains TEXT (not all machines have pkill)
slay() {
	local p
	for p in /proc/[0-9]*; do
		if tr '\0' ' ' 2>/dev/null <"$p/cmdline" | grep -qF -- "$1"; then kill -KILL "${p#/proc/}" 2>/dev/null; fi
	done
	true
}
mk() { make --no-print-directory ${SAN:+SAN=1} ${COV:+COV=1} "$@"; }
face-synth -n 160 --dirt --test "$TMP/test.csv" --test-count 20 --test-lookup "$TMP/lookup.csv" -o "$TMP/training.csv" || bad "face-synth"
set -- CSV="$TMP/training.csv" TEST="$TMP/test.csv" LOOKUP="$TMP/lookup.csv" KEYPOINTS_PARTS=0.7,0.3
train='-e 3 -b 32 -r 0.001 --optimizer adam --keep last'
printf 'conv5x5x4s4 sigmoid dropout0.3 fc' >"$TMP/map.net"
printf '# small\nconv5x5x4s4 relu pool2 fc16 relu fc\n' >"$TMP/tiny.net"
keypoints() { mk keypoints "$@" NET="$TMP/tiny.net" KEYPOINTS_TRAIN="$train"; }

ok "make keypoints" keypoints "$@" KEYPOINTS="$TMP/whole"
is "$(wc -l <"$TMP/whole/submission.csv")" "$(wc -l <"$TMP/lookup.csv")" "every row answered"
grep -q "<b>$(awk '{print $2; exit}' "$TMP/whole/score.txt")</b>" "$TMP/whole/report.html" && good || bad "no report of the run, or not of its score"
stamp() { (cd "$1" && find . -type f ! -name '*.is' -printf '%p %T@\n' | sort); }
before=$(stamp "$TMP/whole")
ok "make keypoints again" keypoints "$@" KEYPOINTS="$TMP/whole"
is "$(stamp "$TMP/whole")" "$before" "nothing to do, nothing done"
# idle TARGET...: make has nothing to do, and says so
idle() {
	ok "make -q $*" mk -q "$@"
	is "$(mk -n "$@" 2>&1 | grep -vE "^make: (Nothing to be done for '.*'|'.*' is up to date)\.$")" "" "make -n $*"
}
idle keypoints "$@" NET="$TMP/tiny.net" KEYPOINTS_TRAIN="$train" KEYPOINTS="$TMP/whole"

# faces of TEST are predicted by a model that was trained on both parts; REFIT=0: by the one that is scored
joined() { tns-info "$1" | grep -c '^ *tns-cat '; }
is "$(joined "$TMP/whole/valid-predicted.tns") $(joined "$TMP/whole/test-predicted.tns")" "0 1" "which models have seen both parts"
cp -r "$TMP/whole" "$TMP/scored"
ok "REFIT=0" mk "$TMP/scored/submission.csv" KEYPOINTS="$TMP/scored" REFIT=0 AGAIN=1
is "$(joined "$TMP/scored/test-predicted.tns")" 0 "the scored model has seen one part"

cp -r "$TMP/whole" "$TMP/unlabelled"
ok "UNLABELLED=1" mk "$TMP/unlabelled/submission.csv" KEYPOINTS="$TMP/unlabelled" UNLABELLED=1 AGAIN=1
is "$(tns-info "$TMP/unlabelled/final-1.tns" | grep -c "cnn-train .* $(tns-info "$TMP/unlabelled/test-first.tns" | sed -n 's/^fingerprint: //p')") $(joined "$TMP/unlabelled/test-predicted.tns") $(cmp -s "$TMP/unlabelled/model-1.tns" "$TMP/whole/model-1.tns" && echo same)" "1 1 same" "the model of all faces learned from TEST, the scored one did not"
fails 2 "UNLABELLED=1 needs REFIT=1 and --keep last" mk "$TMP/scored/submission.csv" KEYPOINTS="$TMP/scored" UNLABELLED=1 AGAIN=1

# a run keeps what it was given
idle keypoints KEYPOINTS="$TMP/whole"
idle "$TMP/whole/submission.csv" KEYPOINTS="$TMP/whole" CSV="$TMP/../$(basename "$TMP")/training.csv"
other() { mk keypoints KEYPOINTS="$TMP/whole" "$@"; }
fails 2 "$TMP/whole was made with KEYPOINTS_PARTS='0.7,0.3', not '0.6,0.4': AGAIN=1 " other KEYPOINTS_PARTS=0.6,0.4
fails 2 "with KEYPOINTS_PARTS='0.7,0.3', not '':" other KEYPOINTS_PARTS=
fails 2 "with GROUPS='', not '$TMP/training.csv':" env GROUPS="$TMP/training.csv" make --no-print-directory KEYPOINTS="$TMP/whole" "$TMP/whole/score.txt"
fails 2 "with CSV='$TMP/training.csv', not '$TMP/test.csv' and NET='$TMP/tiny.net', not 'pipelines/nets/small.net' and EPOCHS='60', not '2' and MODELS='1', not '3':" \
	other CSV="$TMP/test.csv" NET=small EPOCHS=2 MODELS=3
fails 2 "with LOOKUP='$TMP/lookup.csv', not '':" other LOOKUP=
for slip in GROUP=groups.csv csv=training.csv CLEAN_=1; do
	fails 2 "${slip%=*}: there is no such variable; make keypoints takes KEYPOINTS CSV CLEAN GROUPS " other $slip
done
fails 2 "FOLDS: make keypoints does not take it, but " other FOLDS=3
fails 2 "LOOKUP=$TMP/lookup.csv: without TEST there is nothing that answers it" mk keypoints KEYPOINTS="$TMP/no-test" CSV="$TMP/training.csv" LOOKUP="$TMP/lookup.csv"
fails 2 "MODELS=x: this is no whole number from 1 on" other MODELS=x AGAIN=1
is "$(stamp "$TMP/whole")" "$before" "what is refused does nothing"
{ echo id,group; seq 160 | awk '{print $1 "," int($1 / 4)}'; } >"$TMP/the groups.csv"
# another split: no model of the old one stays beside it
cp -r "$TMP/whole" "$TMP/parted"
ok "another split" mk "$TMP/parted/train.tns" KEYPOINTS="$TMP/parted" KEYPOINTS_PARTS=0.6,0.4 AGAIN=1
is "$(ls "$TMP/parted" | grep -c '^model-.*tns$') $(sed -n 's/^KEYPOINTS_PARTS := //p' "$TMP/parted/settings.mk")" "0 0.6,0.4" "models that the new split would flatter, the new setting"
ok "and a model" mk keypoints KEYPOINTS="$TMP/parted"

results() { (cd "$1" && for f in *.tns *.csv *.txt *.png; do sum=$(cksum <"$f"); echo "$f $sum"; done); }
whole=$(results "$TMP/whole")
ok "make -j8 keypoints" keypoints -j8 "$@" KEYPOINTS="$TMP/many"
is "$(results "$TMP/many")" "$whole" "-j8 gives the same bytes"

for i in $(seq "${KILLS:-3}"); do
	(keypoints -j2 "$@" KEYPOINTS="$TMP/killed" >"$TMP/make.log" 2>&1) &
	sleep "$(awk -v i="$i" -v n="${KILLS:-3}" -v r=$RANDOM 'BEGIN {printf "%.3f", 0.1 + 1.2 * (i - 1 + r / 32768) / n}')"
	slay "KEYPOINTS=$TMP/killed"
	slay "$TMP/killed/"
	wait
done
ok "make after being killed" keypoints "$@" KEYPOINTS="$TMP/killed"
is "$(results "$TMP/killed")" "$whole" "killed and run again gives the same bytes"
is "$(find "$TMP/killed" -name '.*.tmp' | head -3)" "" "no temporary files stay"
before=$(stamp "$TMP/killed")
ok "and again" keypoints "$@" KEYPOINTS="$TMP/killed"
is "$(stamp "$TMP/killed")" "$before" "nothing rebuilt after the repair"

echo "trust: 14 | make keypoints killed at a random moment, then make | ${KILLS:-3} | $failed checks failed: the bytes of a clean build, nothing built again"

# killed in training, then run with other options: training starts again
(train='-e 500 -b 32 -r 0.001 --optimizer adam' && keypoints "$@" KEYPOINTS="$TMP/killed" AGAIN=1 >"$TMP/make.log" 2>&1) &
for i in $(seq 600); do [ -e "$TMP/killed/.model-1.checkpoint" ] && break; sleep 0.1; done
slay "$TMP/killed/"
wait
[ -e "$TMP/killed/.model-1.checkpoint" ] && good || bad "no checkpoint was kept"
ok "make with other options after being killed" keypoints "$@" KEYPOINTS="$TMP/killed" AGAIN=1
is "$(results "$TMP/killed")" "$whole" "options changed and changed back give the same bytes"
is "$(ls -A "$TMP/killed" | grep checkpoint)" "" "the checkpoint goes"

# after one step is repeated only what depends on it is made again
touch "$TMP/whole/valid-predicted.tns"
ok "one step" mk "$TMP/whole/score.txt" "$@" NET="$TMP/tiny.net" KEYPOINTS_TRAIN="$train" KEYPOINTS="$TMP/whole"
is "$(results "$TMP/whole")" "$whole" "a step run again gives the same bytes"
train='-e 2 -b 32 -r 0.001 --optimizer adam'
ok "other options" keypoints "$@" KEYPOINTS="$TMP/whole" AGAIN=1
if [ "$(results "$TMP/whole")" = "$whole" ]; then bad "other options changed nothing"; else good; fi

# 60 faces: both parts have some, and it is said what to expect; the fewer, the likelier one part has none at first
face-synth -q -n 60 -s 2 --dirt --test "$TMP/test.csv" --test-count 20 --test-lookup "$TMP/lookup.csv" -o "$TMP/sixty.csv"
ok "make keypoints of 60 faces" mk keypoints CSV="$TMP/sixty.csv" TEST="$TMP/test.csv" LOOKUP="$TMP/lookup.csv" KEYPOINTS="$TMP/sixty" \
	NET="$TMP/tiny.net" KEYPOINTS_TRAIN="$train --augment flip,shift=4"
is "$(wc -l <"$TMP/sixty/submission.csv")" "$(wc -l <"$TMP/lookup.csv")" "every row answered by 60 faces"
grep -q 'few faces: [0-9]* to train on; the score of [0-9]* held out is rough' "$TMP/.err" && grep -q 'a rough score, of [0-9]* held-out' "$TMP/.out" && good ||
	bad "what 60 faces are told: $(cat "$TMP/.err")"
faces() { tns-info "$1" | awk '$1 == "image" {print $3 + 0}'; }
for seed in 1 2 3 4 5 6 7 8; do
	face-synth -q -n 12 -s $seed -o - | csv-clean -q -o "$TMP/dozen.tns"
	ok "12 faces, parted" pipelines/split.sh "$BIN" "" "" "$TMP/dozen.tns" "$TMP/a.tns" "$TMP/b.tns"
	[ "$(faces "$TMP/b.tns")" -ge 1 ] && [ "$(faces "$TMP/a.tns")" -ge 4 ] && good || bad "12 faces, seed $seed: $(faces "$TMP/a.tns") and $(faces "$TMP/b.tns")"
done
{ echo id,group; seq 12 | sed 's/$/,1/'; } >"$TMP/one.csv"
pipelines/split.sh "$BIN" "" "$TMP/one.csv" "$TMP/dozen.tns" "$TMP/a.tns" "$TMP/b.tns" 2>"$TMP/.err" && bad "one person is parted" || good
is "$(cat "$TMP/.err")" "split.sh: $TMP/dozen.tns: 12 faces can't be parted 0.8,0.2: they show too few people ($TMP/one.csv)" "one person"
[ -e "$TMP/b.tns" ] && bad "parts of one person" || good

# files by names with blanks and an apostrophe
cp "$TMP/training.csv" "$TMP/the faces.csv"
{ echo id,group; seq 160 | sed 's/.*/&,&/'; } >"$TMP/who's who.csv"
set -- CSV="$TMP/the faces.csv" GROUPS="$TMP/who's who.csv" EYES="$TMP/eyes" EPOCHS=3 SEEDS='1 2' FEW='20 all' EYES_CLASSIFY="-n 'fc20 sigmoid fc' --target label -e 2" EYES_DAE='-H 20' EYES_DAE_ALL='-H 20 -e 2'
ok "make eyes" mk eyes -j2 "$@"
ok "the table has all ways" grep -q '^all .*+-.*+-.*+-' "$TMP/eyes/table.txt"
before=$(stamp "$TMP/eyes")
ok "make eyes again" mk eyes "$@"
is "$(stamp "$TMP/eyes")" "$before" "nothing to do in eyes"
idle eyes EYES="$TMP/eyes"
# the other pipelines with hardly any training: they make their targets, and have nothing to do when run again
again() { # DIR TARGET...
	local dir=$1 stamps; shift
	ok "make $1" mk "$@"
	stamps=$(stamp "$dir")
	ok "make $1 again" mk "$@"
	is "$(stamp "$dir")" "$stamps" "nothing to do in $1"
	idle "$@"
}
heat='--target heatmap -e 2 -b 32 -r 0.003 --optimizer adam'
printf 'conv3x3x8s4p1 bn relu conv3x3x8p1 bn relu conv1x1' >"$TMP/heat.net"
set -- CSV="$TMP/training.csv" KEYPOINTS_PARTS=0.7,0.3
own=fp32
! grep -qwE 'avx512_bf16|amx_bf16' /proc/cpuinfo || own=bf16
again "$TMP/ensemble" ensemble "$@" ENSEMBLE="$TMP/ensemble" MODELS=2 NET="$TMP/heat.net" EPOCHS=3
# what the figures in pipelines/README.md were measured with
is "$(tns-info "$TMP/ensemble/model-2.tns" | sed -n "s/.*cnn-train .*heat.net' //p; s/.*cnn-train .* conv1x1' \(.*\) < .*/\1/p")" \
	"--target heatmap --loss smooth --sigma 3 --distrust 8 --augment flip,shift=4,rotate=12,scale=0.1,contrast=0.3,brightness=0.15,cutout=0.2 --epochs 3 --rate 0.002 --optimizer adam --schedule cosine --decay 0.5 --keep last --seed 2 --precision $own" \
	"the settings of nets of heat maps"
is "$(cut -d' ' -f1 "$TMP/ensemble/scores.txt" | xargs)" "model-1 model-2 averaged" "what each model reaches, and the two"
is "$(awk '$1 == "all" {print NF}' "$TMP/ensemble/common.txt")" 5 "what they err in common"
ok "make distil" mk distil BEST="$TMP/ensemble" DISTIL_NET="$TMP/heat.net" DISTIL_TRAIN='-e 2 --preset fast --keep last' AGAIN=1
is "$(tns-info "$TMP/ensemble/small.tns" | grep -c '^ *cnn-train ')" 3 "a net taught by two"
again "$TMP/cascade" cascade "$@" CASCADE="$TMP/cascade" LEVEL1="$TMP/heat.net" LEVEL2="$TMP/heat.net" SINGLE="$TMP/heat.net" CASCADE_TRAIN="$heat" CASCADE_LEVEL2="$heat"
is "$(grep -c '^level 1\|^one net' "$TMP/cascade/table.txt")" 3 "the table of the cascade"
again "$TMP/origin" origin "$@" ORIGIN="$TMP/origin" ORIGIN_NET="$TMP/map.net" ORIGIN_TRAIN='-e 2 -r 0.0001'
again "$TMP/nets" nets "$@" TABLE="$TMP/nets" NETS=small NETS_TRAIN="$heat -e 1"
# intermediate files are kept when what is made from them is deleted
before=$(stat -c %Y.%y "$TMP/nets/small.tns")
rm "$TMP/nets/table.txt" "$TMP/nets/small.score"
ok "make nets, some results gone" mk nets "$@" TABLE="$TMP/nets" NETS=small NETS_TRAIN="$heat -e 1"
is "$(stat -c %Y.%y "$TMP/nets/small.tns")" "$before" "a model is not trained again for want of its score"
grep -q '^small *191023 *76.7 *[0-9]* *[0-9]* *[0-9.]*$' "$TMP/nets/table.txt" && good || bad "nets: $(cat "$TMP/nets/table.txt")"
mk "$TMP/eyes/faces-few-999.tns" EYES="$TMP/eyes" >"$TMP/.out" 2>&1 && bad "999 of fewer faces" || good
grep -q "faces-few-999.tns: there are fewer faces than 999: $TMP/eyes/faces-train.tns; FEW=" "$TMP/.out" && good || bad "what is said of it: $(cat "$TMP/.out")"
again "$TMP/few" fewlabels "$@" FEWLABELS="$TMP/few" LABELLED='20 50' FEWLABELS_SEEDS='1 2' FEWLABELS_STEPS=20 FEWLABELS_DENSE='-H 300 -e 1' FEWLABELS_CONV='-H 32 -e 1'
is "$(grep -c '^[25]0 .*+-.*+-.*+-.*+-' "$TMP/few/table.txt")" 2 "the table of few labels"

again "$TMP/folds" folds CSV="$TMP/training.csv" GROUPS="$TMP/the groups.csv" FOLDED="$TMP/folds" FOLDS=3 NET="$TMP/heat.net" FOLDS_TRAIN="$heat -e 1"
is "$(faces "$TMP/folds/predicted.tns")" "$(faces "$TMP/folds/clean.tns")" "each face is predicted"
is "$(tns-info --tensor trained --head 1000 "$TMP/folds/predicted.tns" | grep -c '^trained\[')" "$(faces "$TMP/folds/clean.tns")" "of each it is known who was trained on it"
is "$(tns-info --tensor trained --head 1000 "$TMP/folds/predicted.tns" | grep '^trained\[' | grep -vc ' 0$')" 0 "no net was trained on a face that it predicts"
people() { tns-info --tensor id --head 1000 "$TMP/folds/fold-$1.tns" | awk '/^id\[/ {print int($NF / 4)}' | sort -u; }
is "$( (people 1; people 2; people 3) | sort | uniq -d)" "" "no person is in two folds"
# interrupted, it goes on, and starts over where it is asked for something else; fewer folds leave nothing of more
mk folds CSV="$TMP/training.csv" FOLDED="$TMP/cut" FOLDS=3 NET="$TMP/heat.net" EPOCHS=2000 >/dev/null 2>&1 &
for ((i = 0; i < 600; i++)); do [ -s "$TMP/cut/model-1.tns.last" ] && break; sleep 0.1; done
slay "$TMP/cut"
wait
[ -s "$TMP/cut/model-1.tns.last" ] && [ ! -e "$TMP/cut/model-1.tns" ] && good || bad "nothing was interrupted"
cp -r "$TMP/cut" "$TMP/on"
sed -i "s|/cut|/on|g" "$TMP/on"/*.is "$TMP/on/settings.mk"
timeout -s INT 2 make --no-print-directory ${SAN:+SAN=1} ${COV:+COV=1} "$TMP/on/model-1.tns" FOLDED="$TMP/on" >"$TMP/.out" 2>&1
grep -q -- 'keeps epoch.*--resume goes on, --fresh starts over' "$TMP/.out" && bad "an interrupted fold does not go on: $(cat "$TMP/.out")" || good
ok "other epochs after it" mk folds FOLDED="$TMP/cut" EPOCHS=1 FOLDS=2 AGAIN=1
is "$(cd "$TMP/cut" && ls fold-* model-* predicted-* | xargs)" "fold-1.tns fold-2.tns model-1.tns model-1.tsv model-2.tns model-2.tsv predicted-1.tns predicted-2.tns" "two folds' files"
for slip in '' x 65; do fails 2 "FOLDS=$slip: " mk folds CSV="$TMP/training.csv" FOLDED="$TMP/none" FOLDS="$slip"; done
fails 2 "FLIP=x: 1 or 0" mk robust MODEL="$TMP/whole/model-1.tns" DATA="$TMP/whole/valid.tns" FLIP=x
fails 2 "FOLDS=1: at least 2" mk folds CSV="$TMP/training.csv" FOLDED="$TMP/none" FOLDS=1

# the demo's files, each there
mkdir -p "$TMP/demo/eyes" "$TMP/demo/keypoints" "$TMP/demo/cascade"
for f in {training,test,lookup,solution}.csv eyes/table.txt keypoints/submission.csv cascade/score.txt figures.txt .made; do touch "$TMP/demo/$f"; done
idle demo DEMO="$TMP/demo"
is "$(mk -n demo DEMO="$TMP/no-demo" 2>&1 >/dev/null | head -3)" "" "make -n of a demo that was not made"

# one line, before anything runs
none() { mk keypoints KEYPOINTS="$TMP/none" "$@"; }
fails 2 "usage: make keypoints CSV=" none
fails 2 "CSV=$TMP/missing.csv: there is no such file" none CSV="$TMP/missing.csv"
fails 2 "LOOKUP=no such.csv: there is no such file in $ROOT" none CSV="$TMP/training.csv" LOOKUP='no such.csv'
fails 2 "NET=nosuch: there is no such net; pipelines/nets has best conv heat " none CSV="$TMP/training.csv" NET=nosuch
for slip in x 0 '1 2' 2.5 -1; do fails 2 "EPOCHS=$slip: this is no whole number from 1 on" none CSV="$TMP/training.csv" EPOCHS="$slip"; done
fails 2 "FEW=20 alle: 'alle' is no whole number" mk eyes CSV="$TMP/training.csv" EYES="$TMP/none" FEW='20 alle'
fails 2 "$TMP/a b: the folder's name must not have blanks" mk keypoints CSV="$TMP/training.csv" KEYPOINTS="$TMP/a b"
fails 2 "BEST=out/keypoints is another pipeline's folder" mk best BEST=out/keypoints
fails 2 "this Makefile works in its own folder: make -C $ROOT/ keypoints" env -C "$TMP" make --no-print-directory -f "$ROOT/Makefile" keypoints CSV=training.csv
[ ! -e "$TMP/none" ] && good || bad "what can't run leaves a folder"
for n in small small.net pipelines/nets/small.net; do
	is "$(none -n CSV="$TMP/training.csv" NET=$n PRECISION=bf16 | grep -c 'cnn-train -n @pipelines/nets/small.net -e 60 --preset default --keep last --precision bf16 -s 1')" 1 "NET=$n"
done
# what nets are trained in is the processor's, unless it is said, or the folder has a model
is "$(mk -n best BEST="$TMP/none" CSV="$TMP/training.csv" | grep -c "cnn-train -n @pipelines/nets/best.net -e 60 --preset default --keep last --precision $own -s [1-5]")" 5 "make best"
mkdir "$TMP/other"
for own in fp32 bf16; do
	echo "x.net -e 60 --precision $own" >"$TMP/other/train.is"
	is "$(mk -n keypoints KEYPOINTS="$TMP/other" CSV="$TMP/training.csv" | grep -c -- "--keep last --precision $own -s 1")" 1 "of a folder in $own"
done
# a model's error on changed faces: what score says of them, of those points that stay in the image
robust() { mk robust MODEL="$TMP/whole/model-1.tns" DATA="$TMP/whole/valid.tns" "$@"; }
ok "make robust" robust
cp "$TMP/.out" "$TMP/robust.txt"
of() { sed -n "s/^$1  *//p" "$TMP/robust.txt"; }
rmse() { predict -q "$TMP/whole/model-1.tns" "$1" | score | awk 'NR == 1 {printf "%.3f", $2}'; }
is "$(of 'as they are' | awk '{print $1, NF}')" "$(rmse "$TMP/whole/valid.tns") 2" "as they are"
image-augment -q --noise 15 "$TMP/whole/valid.tns" -o "$TMP/noisy.tns"
is "$(of 'noise of 15 grey levels' | awk '{print $1, $2}')" "$(rmse "$TMP/noisy.tns") $(rmse "$TMP/whole/valid.tns")" "with noise, and as they are"
image-augment -q --scale 1.3 "$TMP/whole/valid.tns" | predict -q "$TMP/whole/model-1.tns" | tns-table -q --notes no |
	awk -F, 'NR == 1 {for (i = 2; i <= 31; i += 2) if ($(i + 30) != "predicted_" $i) print "other columns"}
		NR > 1 {for (i = 2; i <= 31; i += 2) if ($i != "" && $i >= -0.5 && $i < 95.5 && $(i + 1) >= -0.5 && $(i + 1) < 95.5) {s += ($i - $(i + 30)) ^ 2 + ($(i + 1) - $(i + 31)) ^ 2; n++}}
		END {r = sqrt(s / 2 / n); printf "%.3f %.3f %d\n", r, r / 1.3, n}' >"$TMP/scaled"
is "$(of 'scaled by 1.3' | awk '{print $1, $2, $4}')" "$(cat "$TMP/scaled")" "scaled, in pixels and in the face's own, of points within"
ok "some have left" awk '/^scaled by 1.3/ {exit !($9 > $7)}' "$TMP/robust.txt"
is "$(grep -c '^[a-zJ].* [0-9.]* .* [0-9]' "$TMP/robust.txt") $(tail -1 "$TMP/robust.txt" | cut -c1-3)" "12 on " "rows of the table, and the machine"
fails 2 "usage: make robust MODEL=model.tns DATA=faces.tns" mk robust MODEL=x
fails 2 "DATA=$TMP/no.tns: there is no such file" robust DATA="$TMP/no.tns"
fails 2 "DATUM: there is no such variable; make robust takes MODEL DATA FLIP ROBUST_PREDICT" robust DATUM=1
tns-select -q --without keypoints "$TMP/whole/valid.tns" -o "$TMP/plain.tns"
robust DATA="$TMP/plain.tns" >"$TMP/.out" 2>"$TMP/.err" && bad "nothing to compare with" || good
is "$(head -1 "$TMP/.err") $(wc -c <"$TMP/.out")" "robust.sh: $TMP/plain.tns: there are no keypoints to compare with 0" "nothing to compare with"

# scenes of faces that are no squares keep their aspect, and show what the data set shows
face-synth -q -n 3 --size 64x48 -s 4 | csv-clean -q --size 64x48 -o "$TMP/wide.tns"
ok "scenes" pipelines/scenes.sh "$BIN" "$TMP/wide.tns" 2 104 "$TMP/scenes"
is "$(awk -F, 'NR > 1 {r = ($4 - $2) / ($5 - $3); n++; bad += r < 1.29 || r > 1.38} END {print (n > 0), bad + 0}' "$TMP/scenes/labels.csv")" "1 0" "boxes of 4:3"
tns-import -q --form table --crop box --size 64x48 "$TMP/scenes/labels.csv" -o "$TMP/pasted.tns"
# the best correlation of the first pasted face with one of the set
is "$(for f in wide pasted; do tns-table -q --image --fields Image "$TMP/$f.tns" | grep -v '^#' | tail -n +2; done | awk '
	{n = split($0, p, " "); for (i = 1; i <= n; i++) {v[NR, i] = p[i]; m[NR] += p[i] / n}; for (i = 1; i <= n; i++) s[NR] += (p[i] - m[NR]) ^ 2}
	END {for (k = 1; k <= 3; k++) {r = 0; for (i = 1; i <= n; i++) r += (v[k, i] - m[k]) * (v[4, i] - m[4]); r /= sqrt(s[k] * s[4]); if (r > best) best = r}; print (best > 0.9)}')" 1 "what is pasted"

# a finder of faces of one's own; without CSV of synthetic ones
set -- FINDER="$TMP/finder" FINDER_BACKGROUNDS=4 FINDER_SCENES=2 FINDER_WINDOWS='--negatives 1 --windows 9' FINDER_TRAIN='-e 1 -b 64 -r 0.003 --optimizer adam'
ok "make finder" mk finder CSV="$TMP/training.csv" "$@"
idle finder FINDER="$TMP/finder"
is "$(awk '/^ /{print $2; exit}' "$TMP/finder/table.txt")" "$(($(wc -l <"$TMP/finder/scenes/labels.csv") - 1))" "the scenes' faces are counted"
is "$(mk -n finder FINDER="$TMP/none" | grep -c 'face-find --threshold 0.1 --size 20x28')" 2 "false alarms are looked for twice"
# a first run that went wrong leaves nothing that needs AGAIN=1
echo nonsense >"$TMP/nonsense.csv"
none CSV="$TMP/nonsense.csv" >"$TMP/.out" 2>&1 && bad "nonsense passes" || good
ok "the right file after a wrong one" mk "$TMP/none/clean.tns" KEYPOINTS="$TMP/none" CSV="$TMP/training.csv" NET=small
idle "$TMP/none/clean.tns" KEYPOINTS="$TMP/none"

# what is missing is said, and installed by setup, demo and test alone
mkdir -p "$TMP/fake"
cat >"$TMP/fake/apt-get" <<'END'
#!/bin/sh
echo "$@" >>"$(dirname "$0")/log"
END
cat >"$TMP/fake/cc" <<'END'
#!/bin/sh
! grep -q 'zlib.h\|check.h'
END
printf '#!/bin/sh\nexec "$@"\n' >"$TMP/fake/sudo"
chmod +x "$TMP"/fake/*
lacks() { env PATH="$TMP/fake:$PATH" make --no-print-directory B="$TMP/fresh" CC="$TMP/fake/cc" "$@"; }
lacks >"$TMP/.out" 2>&1 && bad "built without zlib" || good
is "$(grep -v '^make' "$TMP/.out")" "set-up: missing: zlib1g-dev (zlib with its headers); on Debian \`make setup\` installs it, as root or with sudo" "what make says"
[ ! -e "$TMP/fake/log" ] && good || bad "plain make calls apt-get: $(cat "$TMP/fake/log")"
ok "make setup" lacks setup
is "$(cut -d' ' -f1-2 "$TMP/fake/log" | xargs) $(tail -1 "$TMP/fake/log" | grep -o ' zlib.*')" "-qq update -qq install  zlib1g-dev check" "make setup installs what is missing"
rm "$TMP/fake/log"
lacks "$TMP/fresh/ready" no-such-target demo >"$TMP/.out" 2>&1
grep -q 'install .* zlib1g-dev$' "$TMP/fake/log" && good || bad "make demo doesn't install: $(cat "$TMP/fake/log")"
done_tests
