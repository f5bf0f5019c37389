#!/usr/bin/env bash
# Point targets and the cascade, end to end, on images and points unlike the competition's: heat maps, one map, refining levels; refusals;
# diverging training; labels that a net finds suspect.
: "${BIN:=$PWD/build/bin}"
if [ -z "${TMP-}" ]; then TMP=$(mktemp -d) && trap 'rm -rf "$TMP"' EXIT; fi
export BIN TMP
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

figure() { awk -v k="$2" '$1 == k {print $2; exit}' "$1"; }
less() { awk -v a="$1" -v b="$2" 'BEGIN {exit !(a < b)}' && good || bad "$3: $1 is not below $2"; }
rows() { tns-info "$1" | awk -v t="$2" '$1 == t {split($3, d, ","); print d[1]}'; }

# ---- wide images with 6 points: every target is learned ----
face-synth -q -n 420 --points 6 --size 64x48 --seed 3 | csv-clean -q --size 64x48 -o faces.tns
tns-split -q --seed 1 --parts 0.8,0.2 faces.tns -o train.tns -o valid.tns
train() { cnn-train -q --seed 5 -b 16 "$@"; }
mean=$(cnn-train -q -n fc -e 1 -r 0 -o still.tns train.tns && predict -q still.tns valid.tns | score | head -1 | cut -d' ' -f2)
heat='conv3x3x8s2p1 bn relu conv3x3x8p1 bn relu conv3x3x16s2p1 bn relu up2 conv3x3x8p1 bn relu conv1x1'
ok heatmap train -n "$heat" --target heatmap -r 0.005 --optimizer adam -e 12 --augment flip,shift=2,blur=1,cutout=0.2 --loss smooth -o heat.tns train.tns
ok map train -n 'conv5x5x4p2 pool2 sigmoid fc' --target map -r 0.002 --optimizer adam -e 12 -o map.tns train.tns
ok coords train -n 'conv5x5x6s2p2 relu pool2 fc' --loss wing -r 0.002 --optimizer adam -e 12 -o coords.tns train.tns
for m in heat map coords; do
	predict -q --flip $m.tns valid.tns -o $m-valid.tns
	score $m-valid.tns -o $m.txt
	less "$(figure $m.txt rmse_px)" "$mean" "target of $m against standing still"
done
ok "models of different targets are averaged" predict -q heat.tns coords.tns valid.tns -o both.tns
ok --maps predict -q --maps heat.tns valid.tns -o maps.tns
tns-info maps.tns | grep -q "^maps *f32 *$(rows valid.tns image),6,24,32 " && good || bad "maps: $(tns-info maps.tns)"
predict -q --maps map.tns valid.tns | tns-info | grep -q "^maps *f32 *$(rows valid.tns image),1,48,64 *[0-9.e-]* *0*.[0-9]* " && good || bad "the map: $(predict -q --maps map.tns valid.tns | tns-info)"
fails 1 "model 2 has no maps like those of model 1" predict --maps heat.tns map.tns valid.tns -o /dev/null
ok "heat over faces" render maps --count 4 maps.tns -o heat.png
fails 1 "no maps to draw" render maps valid.tns -o none.png
fails 2 "--maps: the model makes no maps" predict --maps coords.tns valid.tns

# ---- a second level, on patches around what the first one found ----
predict -q heat.tns train.tns -o predicted.tns
ok "patches" patch-extract -q --around predicted --size 20x20 --jitter 3 --copies 2 predicted.tns -o patches.tns
labelled=$(score predicted.tns | awk '$1 == "points" {print $2; exit}')
[ "$(rows patches.tns image)" -le $((2 * labelled)) ] && [ "$(rows patches.tns image)" -gt $((labelled * 3 / 2)) ] && good || bad "patches: $(rows patches.tns image) of 2 x $labelled"
tns-info patches.tns | grep -q '^keypoints *f32 *[0-9]*,6,2 ' && good || bad "patches: $(tns-info patches.tns)"
ok "the same patches on one thread" patch-extract -q -t 1 --around predicted --size 20x20 --jitter 3 --copies 2 predicted.tns -o one.tns
same patches.tns one.tns "patches"
ok "level 2" train -n 'conv3x3x8p1 bn relu pool2 conv3x3x8p1 bn relu pool2 fc' -r 0.003 --optimizer adam -e 6 -b 64 -o level2.tns patches.tns
ok refine predict -q heat.tns --refine level2.tns valid.tns -o refined.tns
ok "refine twice" predict -q heat.tns --refine level2.tns --refine level2.tns,level2.tns valid.tns -o twice.tns
predict -q heat.tns valid.tns | score -o first.txt
score refined.tns -o refined.txt && score twice.tns -o twice.txt
ok "steps over faces" render faces --count 4 twice.tns -o steps.png
level() { awk -v l="$2" '/^level/ {on = 1} on && $1 == l {print $2}' "$1"; }
is "$(level refined.txt 1)" "$(figure first.txt rmse_px)" "level 1 is what the first model gives"
is "$(level refined.txt 2)" "$(figure refined.txt rmse_px)" "the last level is the prediction"
is "$(level twice.txt 2)" "$(level refined.txt 2)" "the second level, whatever follows"
is "$(level twice.txt 3)" "$(figure twice.txt rmse_px)" "three levels"
python3 - <<'P' && good || bad "score --json of levels"
import json, subprocess
j = json.loads(subprocess.check_output(["score", "--json", "twice.tns"]))
assert len(j["by_level"]) == 3 and j["by_level"][2]["rmse_px"] == j["rmse_px"]
P
ok "on ref" predict -q -d ref heat.tns --refine level2.tns valid.tns -o ref.tns
score ref.tns -o ref.txt
awk -v a="$(figure ref.txt rmse_px)" -v b="$(figure refined.txt rmse_px)" 'BEGIN {exit !((a - b)^2 < 1e-6)}' && good || bad "ref refines to $(head -1 ref.txt)"
face-synth -q -n 60 --size 64x48 | csv-clean -q --size 64x48 -o fifteen.tns
train -n 'fc' -e 1 -o fifteen-model.tns fifteen.tns
fails 1 "fifteen-model.tns: its points are not those of the model it is to refine" predict heat.tns --refine fifteen-model.tns valid.tns -o out.tns
fails 1 "there is no tensor predicted" patch-extract --around predicted --size 20x20 valid.tns -o out.tns
fails 2 "do not go with it" patch-extract --around predicted --size 20x20 --negatives 3 predicted.tns -o out.tns
fails 2 "--copies goes with --around predicted" patch-extract --around nose_tip --copies 2 --size 20x20 predicted.tns -o out.tns
[ -e out.tns ] && bad "something was written" || good

# ---- 68 points of large images; few labels ----
face-synth -q -n 120 --points 68 --size 128x128 --seed 4 | csv-clean -q -o many.tns
ok "68 points, 128x128" train -n 'conv3x3x8s4p1 bn relu conv3x3x8s2p1 bn relu up2 conv1x1' --target heatmap --optimizer adam -e 2 -o many-model.tns many.tns
predict -q many-model.tns many.tns | score -o many.txt
less "$(figure many.txt rmse_px)" 40 "68 points"
csv-clean -q --keep-all <(face-synth -q -n 300 --seed 6 | awk -F, -v OFS=, 'NR > 1 {for (i = 1; i <= 30; i++) if (NR % 40 || i > 2) $i = ""} {print}') -o few.tns
ok "one point in forty rows is labelled" train -n 'conv5x5x4s4 relu fc' -e 2 -r 0.001 --augment flip,shift=2 -o few-model.tns few.tns

# ---- labels whose origin is not the first pixel's centre: the offset is estimated, stored in the model, used when mirroring ----
face-synth -q -n 300 --seed 9 | awk -F, -v OFS=, 'NR > 1 {for (i = 1; i <= 30; i += 2) if ($i != "") {$i += 2; $(i + 1) -= 1.5}} {print}' >shifted.csv
csv-clean -q --keep-all shifted.csv -o shifted.tns
tns-split -q --parts 0.8,0.2 shifted.tns -o shifted-train.tns -o shifted-valid.tns
offset() { tns-info "$1" | awk '/^scale:/ {printf "%.2f %.2f", (0.5 * $6 - 0.5 - $7) / $6, (0.5 * $9 - 0.5 - $10) / $9}'; }
for how in auto none; do
	ok "--offset $how" train -n "@$ROOT/pipelines/nets/small.net" --target heatmap --sigma 3 -r 0.003 --schedule cosine --optimizer adam -e 12 --augment flip,rotate=30 --offset $how -o $how.tns shifted-train.tns
	predict -q --flip $how.tns shifted-valid.tns | score -o $how.txt
done
is "$(offset none.tns)" "0.00 0.00" "--offset none"
offset auto.tns | awk '{exit !(($1 - 2)^2 < 0.16 && ($2 + 1.5)^2 < 0.36)}' && good || bad "the offset is 2 -1.5, found was $(offset auto.tns)"
less "$(figure auto.txt rmse_px)" "$(figure none.txt rmse_px)" "an offset that is known"
# a killed and resumed run keeps it: the same bytes
(timeout -s KILL 1.5 cnn-train -q -n "$heat" --target heatmap -r 0.005 --optimizer adam -b 16 -e 16 --augment flip,rotate=30 --checkpoint c.tns shifted-train.tns -o cut.tns)
ok "goes on" cnn-train -q -n "$heat" --target heatmap -r 0.005 --optimizer adam -b 16 -e 16 --augment flip,rotate=30 --checkpoint c.tns --resume shifted-train.tns -o cut.tns
ok "at once" cnn-train -q -n "$heat" --target heatmap -r 0.005 --optimizer adam -b 16 -e 16 --augment flip,rotate=30 --checkpoint c2.tns --resume shifted-train.tns -o once.tns
is "$(tns-info --json cut.tns | sed 's/.*"scale"//; s/history.*//')" "$(tns-info --json once.tns | sed 's/.*"scale"//; s/history.*//')" "the offset of a run that went on"

# ---- labels that stay far off ----
face-synth -q -n 300 --seed 8 -o clean.csv
awk -F, -v OFS=, 'NR == 31 || NR == 91 {$21 = 8; $22 = 8} {print}' clean.csv >planted.csv # nose_tip of rows 30 and 90
csv-clean -q --keep-all planted.csv -o planted.tns
ok suspects train -n 'conv5x5x8s4p2 relu fc64 relu fc' -e 25 -r 0.003 --schedule cosine --optimizer adam --distrust 8 --suspects doubts.tsv -o doubter.tns planted.tns
cut -f1-3 doubts.tsv | grep -c "^\(30\|90\)	nose_tip	suspect$" >found
is "$(cat found)" 2 "planted labels are suspect"
less "$(wc -l <doubts.tsv)" 60 "few others are"
csv-clean -q --suspects doubts.tsv planted.csv -o cleared.tns --report cleared.tsv
is "$(grep -c '^\(30\|90\)	nose_tip' cleared.tsv)" 2 "csv-clean tells of them"
fails 2 "are for the targets coords and heatmap" cnn-train -q --target label --distrust 3 planted.tns -o out.tns

# ---- diverging training: one line with epoch and layer, exit 1, the best weights kept ----
explode() { cnn-train -q -n 'conv5x5x4s4 relu fc32 relu fc' -e 40 "$@"; }
fails 1 "epoch" explode -r 80 -m 0.99 --optimizer sgd --valid valid.tns -o kept.tns train.tns
if [ -e kept.tns ]; then ok "what was kept predicts" predict -q kept.tns valid.tns -o /dev/null; fi
ok "two good epochs" cnn-train -q -n 'fc32 relu fc' -e 2 -r 0.001 --valid valid.tns -o good.tns train.tns
done_tests
