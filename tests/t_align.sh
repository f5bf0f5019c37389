#!/usr/bin/env bash
# predict --align and --denoise: faces that are turned, moved, smaller or noisy are found nearly as well as others, others as well as ever;
# the same bits however rows come and whoever computes; further levels see aligned faces; labels' offset where images are turned.
. tests/sh.sh
cd "$TMP" || exit 1
export LC_ALL=C

for f in train:700:3 test:60:9; do
	IFS=: read -r name n seed <<<"$f"
	face-synth -q -n "$n" --size 32x32 -s "$seed" -o "$name.csv" && csv-clean -q --size 32x32 "$name.csv" -o "$name.tns"
done
cnn-train -q --preset fast -e 20 train.tns -o model.tns
# shellcheck disable=SC2086
error() { image-augment -q --labels-of model.tns $1 test.tns | predict -q $2 model.tns | score -q | awk 'NR == 1 {print $2}'; }
below() { awk -v a="$1" -v b="$2" -v f="$3" 'BEGIN {exit !(a > 0 && a < f * b)}' && good || bad "$4: $1, not below $3 times $2"; }
own=$(error "" "")
below "$(error "" --align)" "$own" 1.02 "as they are, aligned"
below "$(error "" --denoise)" "$own" 1.02 "as they are, without noise"
below "$(error "--rotate 25" --align)" "$(error "--rotate 25" "")" 0.85 "turned"
below "$(error "--shift 5,3" --align)" "$(error "--shift 5,3" "")" 0.85 "moved"
below "$(error "--scale 0.7" --align)" "$(error "--scale 0.7" "")" 0.85 "smaller"
below "$(error "--noise 20" --denoise)" "$(error "--noise 20" "")" 0.85 "with noise"

# the same bits: by one thread and two, through a pipe, a row alone, a batch of others before it
image-augment -q --rotate 25 --noise 10 test.tns -o turned.tns
said() { tns-table -q --notes no --fields 'predicted*,confidence*' "$1" | sed 1d; }
predict -q -t 1 --align --denoise --flip model.tns turned.tns -o one.tns
predict -q -t 2 --align --denoise --flip model.tns <turned.tns | said - >two.txt
is "$(cksum <two.txt)" "$(said one.tns | cksum)" "two threads and a pipe"
is "$(tns-select -q --rows 17 turned.tns | predict -q --align --denoise --flip model.tns | said - | cksum)" "$(said one.tns | sed -n 17p | cksum)" "a row alone"
is "$(tns-cat -q train.tns turned.tns --renumber | predict -q --align --denoise --flip model.tns | said - | tail -60 | cksum)" "$(said one.tns | cksum)" "after others"
is "$(said one.tns | grep -c -i nan)" 0 "all are numbers"
# a face of the mean face's pose has no second estimate
is "$(predict -q --align model.tns test.tns | said - | diff - <(predict -q model.tns test.tns | said -) | grep -c '^<' | awk '{print ($1 > 5 && $1 < 50)}')" 1 "some are aligned, not all"

# a further level: its steps begin with what the first one says by itself
predict -q model.tns train.tns | patch-extract -q --around predicted --size 11x11 -o patches.tns
cnn-train -q -n 'fc24 relu fc' -e 15 --optimizer adam -r 0.002 patches.tns -o level2.tns
predict -q --align model.tns --refine level2.tns turned.tns -o refined.tns
steps() { tns-info --head 100 --tensor "$1" "$2" | sed -n "s/^$1\[[0-9]*\] *//p" | tr -s ' ' '\n'; }
paste <(steps steps refined.tns) <(predict -q --align model.tns turned.tns >first.tns && steps predicted first.tns) |
	awk '{d = $1 - $2; if (d * d > 1e-6) n++} END {exit !(NR > 1000 && !n)}' && good || bad "steps are not the first level's points"
image-augment -q --labels-of model.tns --rotate 25 test.tns -o clear.tns
below "$(predict -q --align model.tns --refine level2.tns clear.tns | score -q | awk 'NR == 1 {print $2}')" "$(predict -q model.tns --refine level2.tns clear.tns | score -q | awk 'NR == 1 {print $2}')" 0.9 "patches of aligned faces"

# wrong use, and models that can't
fails 2 "--align is for models of points, and without --maps" predict --align --maps model.tns test.tns
dae-pretrain -q -H 40 -e 20 train.tns -o dae.tns
fails 2 "--align is for models of points, and without --maps" predict --align dae.tns train.tns
cut -d, -f1,2,31 train.csv >single.csv && csv-clean -q --size 32x32 single.csv -o single.tns && cnn-train -q --preset fast --augment '' -e 12 single.tns -o single.model
is "$(predict -q --align single.model single.tns 2>&1 >aligned.tns)" "predict: no face is aligned: the model doesn't know the mean places of two points (META mean_face)" "one point"
is "$(said aligned.tns | cksum)" "$(predict -q single.model single.tns | said - | cksum)" "which stays where it is"

# labels that are off by what a model found are so in turned images: half a turn about the centre, 15.5, changes the offset's sign twice
read -r ox oy < <(tns-info model.tns | awk '$1 == "scale:" {print (0.5 * $6 - 0.5 - $7) / $6, (0.5 * $9 - 0.5 - $10) / $9}')
paste -d, <(tns-table -q --notes no test.tns) <(image-augment -q --rotate 180 --labels-of model.tns test.tns | tns-table -q --notes no) |
	awk -F, -v ox="$ox" -v oy="$oy" 'NR == 1 {for (i = 1; i <= NF / 2; i++) o[i] = $i ~ /_x$/ ? ox : $i ~ /_y$/ ? oy : ""; next}
		{for (i = 1; i <= NF / 2; i++) if (o[i] != "" && $i != "") {d = $i + $(i + NF / 2) - 31 - 2 * o[i]; n++; if (d * d > 1e-4) bad++}}
		END {exit !(n > 500 && !bad)}' && good || bad "labels' offset in turned images"
# points go back through the crops to where they were in the photograph
face-synth -q --photos 3 --photo-size 160x120 --faces 1 --form table -o photos
tns-import -q --form table --margin 0.2 --size 32x32 photos/labels.csv -o crops.tns
exported() { tns-export -q --form csv "$1" | cut -d, -f1-20; }
image-augment -q --rotate 170 --labels-of model.tns crops.tns -o moved.tns
is "$(paste -d, <(exported crops.tns) <(exported moved.tns) | awk -F, 'NR > 1 {for (i = 2; i <= 20; i++) if ($i != "") {n++; if (($i - $(i + 20)) ^ 2 > 1e-4) print i}} END {print (n > 50)}')" 1 "points in the photographs' pixels"
fails 2 "--augment and --labels-of exclude each other" image-augment --augment flip --labels-of model.tns test.tns
fails 1 "dae.tns: a model of no points" image-augment --rotate 3 --labels-of dae.tns test.tns
fails 1 "model.tns: a model of images of 32x32, not 11x11" image-augment --rotate 3 --labels-of model.tns patches.tns
fails 1 "test.tns" image-augment --rotate 3 --labels-of test.tns test.tns
done_tests
