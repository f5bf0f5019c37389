#!/usr/bin/env bash
# image-augment: what passes through it and what does not, points and crops that follow the pixels, its words, wrong use. Pixels by hand are
# in check_augment.c.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1
face-synth -q -n 40 --size 32x32 | csv-clean -q -o faces.tns
patch-extract -q --around nose_tip --size 9x7 -o patches.tns faces.tns
table() { tns-table --image --notes no "$1"; }

ok "no change" image-augment -q faces.tns -o same.tns
is "$(table same.tns | cksum)" "$(table faces.tns | cksum)" "images, points and ids, unchanged"
is "$(meta same.tns pairs)" "$(meta faces.tns pairs)" "METAs"
is "$(tns-info same.tns | grep -c '^  image-augment [0-9.]* < ')" 1 "its line in the history"
ok "all at once" image-augment --shift 2,-1.5 --rotate -20 --scale 1.1 --light 0.8 --contrast 1.2 --blur 0.7 --motion 3,45 --noise 4 --jpeg 60 -s 3 faces.tns -o all.tns
image-augment --shift 2,-1.5 --rotate -20 --scale 1.1 --light 0.8 --contrast 1.2 --blur 0.7 --motion 3,45 --noise 4 --jpeg 60 -s 3 <faces.tns | cat >piped.tns
same all.tns piped.tns "from a file and through pipes"
ok "its history" grep -qaF -- "--shift 2,-1.5 --rotate -20 --scale 1.1 --light 0.8 --contrast 1.2 --blur 0.7 --motion 3,45 --noise 4 --jpeg 60 --seed 3 <" all.tns
for by in "--noise 9 -s 1" "--noise 9 -s 2" "--augment noise=0.04 -s 1" "--augment noise=0.04 -s 1 --epoch 2" "--jpeg 30" "--jpeg 31" "--motion 4" "--motion 4,90" "--blur 1"; do
	# shellcheck disable=SC2086
	image-augment -q $by faces.tns | table - | cksum
done >sums
is "$(sort -u sums | wc -l)" 9 "each gives other pixels"
# of half a label the other half stays, but where the image is turned
tns-table -q --notes no faces.tns | awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "nose_tip_y") y = i} NR > 1 && NR < 8 {$y = ""} {print}' >half.csv
tns-table -q --read half.csv -o labels.tns && tns-join -q labels.tns <(tns-select -q --only image,id faces.tns) -o half.tns
halves() { tns-table -q --notes no --fields nose_tip_x,nose_tip_y "$1" | awk -F, 'NR > 1 && $1 != "" && $2 == "" {n++; x += $1} END {printf "%d %.3f\n", n, x}'; }
moved() { image-augment -q "$@" half.tns 2>lost | halves -; }
is "$(halves half.tns; moved; moved --scale 0.5 --shift 3,1; cat lost)" "$(halves half.tns | awk '{print; print; printf "%d %.3f\n", $1, ($2 + $1 * 15.5) / 2 + 3 * $1}')" "halves"
is "$(moved --rotate 1; cat lost)" "0 0.000
image-augment: 6 labels have one coordinate alone, which can't be turned: they are left out" "turned"
is "$(moved --augment shift=1)" "0 0.000" "as in training"
# there and back: the middle face's points are where they were
points() { tns-table --notes no --fields '*_x,*_y' "$1" | awk -F, 'NR > 1 { for (i = 1; i <= NF; i++) printf "%.3f\n", $i }'; }
image-augment -q --scale 2 faces.tns | image-augment -q --rotate 70 | image-augment -q --rotate -70 --scale 0.5 | image-augment -q --shift 3,40 | image-augment -q --shift -3,-40 -o back.tns
is "$(paste <(points back.tns) <(points faces.tns) | awk '{ d = $1 - $2; if (d * d > 1e-6) n++ } END { print (NR > 1000), n + 0 }')" "1 0" "points there and back, whether or not they left the image"
is "$(image-augment -q --shift 5,0 faces.tns | table - | cut -d, -f1 | cksum)" "$(image-augment -q --augment shift=0 faces.tns | image-augment -q --shift 5,0 | table - | cut -d, -f1 | cksum)" "words of no effect"
is "$(image-augment -q --augment '' faces.tns | table - | cksum)" "$(table faces.tns | cksum)" "no words"
fails 2 "--augment and --noise exclude each other" image-augment --augment '' --noise 3 faces.tns

# what predict added is of the images as they were
cnn-train -q -n 'pool4 fc' -e 1 -r 0.001 faces.tns -o model.tns 2>/dev/null
predict -q model.tns faces.tns -o predicted.tns
ok "of predictions" image-augment -q --rotate 10 predicted.tns -o turned.tns
is "$(tns-info turned.tns | awk '$2 ~ /^[uf][0-9]/ {print $1}' | sort | paste -sd ' ')" "id image keypoints" "predictions are left out"
is "$(meta turned.tns mean_face)" "" "and what they said of their model"
fails 1 "no tensor predicted" score turned.tns
tns-join -q --take predicted,confidence --prefix other/ predicted.tns predicted.tns -o both.tns
is "$(tns-info both.tns | grep -c ^other/) $(image-augment -q --rotate 10 both.tns | tns-info | grep -c other/.*f32)" "2 0" "those of another model, too"
ok "and predicted anew" bash -o pipefail -c 'predict -q model.tns turned.tns | score'
# mirrored points trade names; patches have none
image-augment -q --augment flip -s 1 faces.tns -o flips.tns
is "$(tns-table --notes no --fields left_eye_center_x,right_eye_center_x flips.tns | awk -F, 'NR > 1 && $1 < $2' | wc -l)" 0 "the left eye stays on the right of the image"
is "$(table flips.tns | cksum | cut -d' ' -f1)" "$(image-augment -q --augment flip -s 1 flips.tns | image-augment -q --augment flip -s 1 | table - | cksum | cut -d' ' -f1)" "mirrored twice more"
ok "patches" image-augment -q --augment flip,shift=1 patches.tns -o some.tns
is "$(tns-table --notes no --fields label,source some.tns | cksum)" "$(tns-table --notes no --fields label,source patches.tns | cksum)" "labels of patches"
# crops: points in the photographs' pixels are where they were
face-synth -q --photos 3 --photo-size 160x120 --faces 1 --form table -o photos
tns-import -q --form table --margin 0.2 --size 48x48 photos/labels.csv -o crops.tns
exported() { tns-export -q --form csv "$1" | cut -d, -f1-20; }
image-augment -q --rotate 25 --scale 0.8 --shift 3,2 crops.tns -o moved.tns
is "$(paste -d, <(exported crops.tns) <(exported moved.tns) | awk -F, 'NR > 1 { for (i = 2; i <= 20; i++) if ($i != "" && ($i - $(i + 20))^2 > 1e-4) print i }')" "" "points in the photographs' pixels"

known() { tns-table -q --notes no "$1" | awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "crop_1") c = i} NR > 1 {n += $c != "" && $c !~ /inf/} END {print NR - 1, n + 0}'; }
is "$(known crops.tns; known moved.tns; image-augment -q --augment rotate=5 crops.tns | known -)" "3 3
3 3
3 3" "known crops"
image-augment -q --augment flip=alternate crops.tns -o flip1.tns && image-augment -q --augment flip=alternate --epoch 2 crops.tns -o flip2.tns
is "$({ known flip1.tns; known flip2.tns; } | awk '{n += $2} END {print n}') $(image-augment -q --augment elastic=1 crops.tns | known -)" "3 3 0" "but not of mirrored and bent images"

fails 2 "--shift: '3' is not two numbers X,Y" image-augment --shift 3 faces.tns
fails 2 "--shift: '3,x' is not two numbers X,Y" image-augment --shift 3,x faces.tns
fails 2 "--shift: 70000 is outside -65535 to 65535" image-augment --shift 1,70000 faces.tns
fails 2 "--motion: '4,5,6' is not a number or two, PX,DEG" image-augment --motion 4,5,6 faces.tns
fails 2 "--motion: 31 is outside 0 to 30" image-augment --motion 31 faces.tns
fails 2 "--scale: 0 is outside 0.05 to 20" image-augment --scale 0 faces.tns
fails 2 "--jpeg: 101 is outside 0 to 100" image-augment --jpeg 101 faces.tns
fails 2 "--augment and --noise exclude each other" image-augment --augment default --noise 3 faces.tns
fails 2 "--augment: 'shaft=3' is not known" image-augment --augment shaft=3 faces.tns
fails 2 "--epoch is of --augment" image-augment --epoch 3 faces.tns
fails 1 "model.tns: a model, not a data set" image-augment model.tns
fails 1 "no tensor image" image-augment <(tns-select -q --without image faces.tns)
tns-select -q --drop left_eye_center faces.tns -o side.tns
fails 2 "--augment flip: point 'right_eye_center' has no partner on the other side" image-augment --augment flip side.tns
ok "without flip" image-augment -q --augment shift=2 side.tns -o some.tns
# numbers don't say which points mirror each other
n=0; rename=(); for p in $(meta faces.tns points | tr , ' '); do rename+=(--rename "$p=$((n += 1))"); done
tns-select -q "${rename[@]}" faces.tns -o numbered.tns
is "$(image-augment -q --augment flip=alternate numbered.tns | tns-table -q --fields '*_x' | sed 1d | cksum)" \
	"$(image-augment -q --augment flip=alternate faces.tns | tns-table -q --fields '*_x' | sed 1d | cksum)" "numbered points with META pairs"
tns-table -q --notes no --image numbered.tns | tns-table --read -q - -o unpaired.tns
fails 2 "--augment flip: point '1' has no partner on the other side" image-augment -q --augment flip unpaired.tns -o out.tns
done_tests
