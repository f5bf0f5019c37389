#!/usr/bin/env bash
# Mirror pairs through whole programs: whatever the points are called, training with mirror images gives the same bits; a set with one side
# only is not mirrored, and says why.
. tests/sh.sh
cd "$TMP" || exit 1
face-synth -q -n 150 --size 32x32 -s 5 -o source.csv
# called FILE WORDS: the same labels under other names; WORDS is a sed script on one name
called() { { head -1 source.csv | tr ',' '\n' | sed "$2" | paste -sd,; tail -n +2 source.csv; } >"$1.csv"; csv-clean "$1.csv" -o "$1.tns" 2>"$1.txt" || bad "csv-clean $1.csv"; }
called named ''
called initials 's/left_/l_/; s/right_/r_/'
called capitals 's/left/LEFT/; s/right/RIGHT/'
called camel 's/left_eye/leftEye/; s/right_eye/rightEye/'
called changed 's/left/sinistra/; s/right/dextra/'
i=0
called numbers "$(head -1 source.csv | tr ',' '\n' | sed -n 's/_x$//p' | while read -r name; do echo "s/^${name}_/p$((i += 1))_/;"; done)"
[ "$(tns-info numbers.tns | sed -n 's/^points: //p')" = p1,p2,p3,p4,p5,p6,p7,p8,p9,p10,p11,p12,p13,p14,p15 ] || bad "the numbers"
train() { cnn-train -q -n 'pool2 fc20 relu fc' -e 3 --augment flip --valid "$1.tns" --log "$1.tsv" "$1.tns" -o "$1-model.tns" && predict -q --flip "$1-model.tns" "$1.tns" | score --json | tr ',' '\n' | grep rmse_px | head -1; }
want=$(train named)
cut -f1-5 named.tsv >want.tsv
for n in initials capitals camel changed numbers; do
	is "$(train $n)" "$want" "the score with $n"
	is "$(cut -f1-5 $n.tsv)" "$(cat want.tsv)" "the log with $n"
	grep -q '6 pairs, 3 points on the axis' $n.txt && good || bad "the summary with $n: $(cat $n.txt)"
done
is "$(tns-info numbers-model.tns | sed -n 's/^pairs: //p')" p1:p2,p3:p5,p4:p6,p7:p9,p8:p10,p11,p12:p13,p14,p15 "a model's pairs"
tns-info numbers.tns | grep -q '^pairs: ' && good || bad "META pairs"
# names that contradict the labels: columns were exchanged, of two points that are far from each other, or near
for two in "left_eye_inner_corner mouth_left_corner mouth_right_corner:right_eye_inner_corner" \
	"left_eye_inner_corner left_eye_outer_corner right_eye_outer_corner:right_eye_inner_corner"; do
	read -r a b others <<<"$two"
	sed "1s/${a}_/A_/g; 1s/${b}_/${a}_/g; 1s/A_/${b}_/g" source.csv >exchanged.csv
	csv-clean exchanged.csv 2>exchanged.txt >exchanged.tns
	is "$(grep -o 'rather show .*: are' exchanged.txt)" "rather show $b:${others#*:}, $a:${others%:*}: are" "$a and $b exchanged"
done
for n in named changed; do grep -q 'are columns exchanged' $n.txt && bad "said of $n: $(cat $n.txt)" || good; done
# one side only
cut -d, -f1-2,5-8,13-16,21-24,27-31 source.csv >side.csv
csv-clean side.csv -o side.tns 2>side.txt
grep -q 'without a partner, so that faces can.t be mirrored: left_eye_center' side.txt && good || bad "the summary of one side: $(cat side.txt)"
fails 2 "--augment flip: point 'left_eye_center' has no partner" cnn-train -q -n 'pool2 fc' -e 1 --augment flip side.tns -o no.tns
ok "one side without mirror images" cnn-train -q -n 'pool2 fc' -e 1 side.tns -o side-model.tns
fails 2 "--flip: point 'left_eye_center' has no partner" predict -q --flip side-model.tns side.tns -o no.tns
fails 2 "--flip needs the point of the other side of 'left_eye_center'" patch-extract -q --around left_eye_center --size 9x9 --flip side.tns -o no.tns
# stated
ok "stated" csv-clean -q --pairs p1:p2,p11:p12,p13 numbers.csv -o stated.tns
is "$(tns-info stated.tns | sed -n 's/^pairs: //p')" p1:p2,p3:p5,p4:p6,p7:p9,p8:p10,p11:p12,p13,p14,p15 "stated pairs"
fails 2 "'nose_tpi' is no point and no two points (did you mean nose_tip?)" csv-clean -q --pairs nose_tpi named.csv -o no.tns
fails 2 "'nose_tip:nose_tpi' is no point and no two points (did you mean nose_tip?)" csv-clean -q --pairs nose_tip:nose_tpi named.csv -o no.tns
fails 2 "'p1:p99' is no point and no two points" csv-clean -q --pairs p1:p99 numbers.csv -o no.tns
fails 2 "'p1' has two partners, 'p2' and 'p3'" csv-clean -q --pairs p1:p2,p3:p1 numbers.csv -o no.tns
fails 2 "'p13' has two partners, 'p13' and 'p14'" csv-clean -q --pairs p13,p13:p14 numbers.csv -o no.tns
fails 2 "'p1:p1': a point on the axis, its own mirror image, stands alone: p1" csv-clean -q --pairs p1:p1 numbers.csv -o no.tns
# predictions of data without labels have the model's points and pairs; models that mirror otherwise can't be averaged
tns-select -q --points p1,p2,p11 numbers.tns -o three.tns
cnn-train -q -n fc -e 1 three.tns -o three.model 2>/dev/null
tns-select -q --without keypoints numbers.tns | predict -q three.model >bare.tns
is "$(meta bare.tns points) $(meta bare.tns pairs)" "p1,p2,p11 p1:p2,p11" "the model's points and pairs"
ok "joined" tns-cat -q bare.tns bare.tns -o twice.tns
cnn-train -q -n fc -e 1 stated.tns -o stated.model 2>/dev/null
cnn-train -q -n fc -e 1 numbers.tns -o numbers.model 2>/dev/null
fails 1 "models 1 and 2 differ in META pairs: 'p11' is the mirror image of 'p11', and of 'p12': they can't be averaged with --flip" predict -q --flip numbers.model stated.model numbers.tns -o no.tns
ok "but without" predict -q numbers.model stated.model numbers.tns -o both.tns

# labels outside the image, which are blanked, tell nothing of pairs
awk -F, -v OFS=, 'NR > 1 && NR % 2 {$1 = $2 = -300} 1' source.csv | csv-clean -q -o outside.tns
is "$(meta outside.tns pairs)" "$(meta named.tns pairs)" "pairs beside labels outside"
# hands, left and right, upright or turned at will: labels tell no pairs
for turn in 0 6.28; do
	awk -v turn=$turn 'BEGIN {srand(1); for (i = 0; i < 9; i++) printf "h%d_x,h%d_y,", i, i; print "Image"
		for (r = 0; r < 80; r++) {m = rand() < 0.5 ? 1 : -1; t = turn * rand(); for (i = 0; i < 9; i++) {
			x = m * (i % 3 ? (i % 5) * 5 - 12 : 9 - i * 2); y = i ? i * 3 - 14 : 14; printf "%.3f,%.3f,", 32 + x * cos(t) - y * sin(t) + rand(), 32 + x * sin(t) + y * cos(t) + rand()}
			for (p = 0; p < 4096; p++) printf "%d ", (p * 7 + r) % 251; print ""}}' >hands.csv
	rm -f hands.tns
	ok "hands" csv-clean -q hands.csv -o hands.tns
	is "$(meta hands.tns pairs | tr , '\n' | grep -c :)" 0 "hands, turned by up to $turn: $(meta hands.tns pairs)"
done

# imported: found from labels where names don't tell, for all programs; not written where names do; stated
mkdir photos
face-synth -q --photos 30 --faces 1 --photo-size 96x96 --form table -s 3 -o photos
sed '1s/mouth_left_corner/m1/g; 1s/mouth_right_corner/m2/g' photos/labels.csv >photos/mixed.csv
ok "import" tns-import -q --form table photos/labels.csv -o photos.tns
ok "import of other names" tns-import -q --form table photos/mixed.csv -o mixed.tns
is "$(meta photos.tns pairs)" "" "no META pairs where names tell"
is "$(meta mixed.tns pairs | grep -o 'm1:m2')" "m1:m2" "META pairs of other names"
for f in photos mixed; do
	ok "mirrored" image-augment -q --augment flip $f.tns -o $f-flip.tns
	ok "patches" patch-extract -q --around "$([ $f = mixed ] && echo m1 || echo mouth_left_corner)" --flip --size 9x9 $f.tns -o $f-patches.tns
	tns-info --json $f-flip.tns | grep -o '"tensors.*"points"' >$f.txt
	tns-info --json $f-patches.tns | grep -o '"tensors.*"classes"' >>$f.txt
done
same photos.txt mixed.txt "mirror images under other names"
ok "stated at import" tns-import -q --form table --pairs nose_tip:m1 photos/mixed.csv -o mixed.tns
is "$(meta mixed.tns pairs | grep -o 'nose_tip:m1'; meta mixed.tns pairs | grep -c m2)" "nose_tip:m1
0" "stated pairs of an import"
ok "stated as names spell them" tns-import -q --form table --pairs left_eye_center:right_eye_center photos/labels.csv -o same.tns
is "$(meta same.tns pairs | grep -c left_eye_center:right_eye_center)" 1 "what is stated is written"
fails 2 "--pairs: this data: 'm3' is no point and no two points" tns-import -q --form table --pairs m3 photos/mixed.csv -o no.tns
fails 2 "--pairs: there are no points" tns-import -q --form folder --pairs a:b photos -o no.tns
is "$(tns-import --form table photos/mixed.csv 2>&1 >mixed.tns | head -1)" \
	"tns-import: mirror images, by names and the first rows' labels (--pairs states them): $(meta mixed.tns pairs)" "told"
# of a set larger than what is held back: rows in their order, META pairs by the first ones
sed 1d photos/mixed.csv >rows && { head -1 photos/mixed.csv; for i in {1..11}; do cat rows; done; } >photos/many.csv
ok "330 faces" tns-import -q --size 24x24 --form table photos/many.csv -o many.tns
ok "30 faces" tns-import -q --size 24x24 --form table photos/mixed.csv -o few.tns
is "$(meta many.tns pairs)" "$(meta few.tns pairs)" "pairs of 330 faces"
tns-select -q --rows 301-330 --without id many.tns -o last.tns
tns-select -q --without id few.tns -o first.tns
is "$(tns-info --json last.tns | grep -o '"tensors.*"points"')" "$(tns-info --json first.tns | grep -o '"tensors.*"points"')" "the last of 330 faces"
# contours of numbers beside named sides, whose ends are numbered against each other; one bad row in six; a point of three rows
sed '1s/left_eyebrow_inner_end/left_brow_0/g; 1s/left_eyebrow_outer_end/left_brow_1/g; 1s/right_eyebrow_outer_end/right_brow_0/g; 1s/right_eyebrow_inner_end/right_brow_1/g
	1s/left_eye_center/eye_0/g; 1s/right_eye_center/eye_1/g; 1s/left_eye_outer_corner/eye_2/g; 1s/right_eye_outer_corner/eye_3/g; 1s/left_eye_inner_corner/eye_4/g; 1s/right_eye_inner_corner/eye_5/g' photos/mixed.csv >photos/parts.csv
ok "numbered parts" tns-import -q --form table photos/parts.csv -o parts.tns
is "$(meta parts.tns pairs | grep -o 'eye_0:eye_1\|eye_2:eye_3\|eye_4:eye_5\|m1:m2' | xargs)" "eye_0:eye_1 eye_4:eye_5 eye_2:eye_3 m1:m2" "pairs of numbered parts: $(meta parts.tns pairs)"
cnn-train -q -n fc -e 1 -r 1e-6 parts.tns -o parts.model 2>/dev/null
is "$(meta parts.model pairs)" "$(meta parts.tns pairs)" "of the model"
awk -F, -v OFS=, 'NR > 1 && NR % 6 == 2 {t = $1; $1 = $3; $3 = t} 1' <(head -31 numbers.csv) >sixth.csv
ok "one in six exchanged" csv-clean -q sixth.csv -o sixth.tns
is "$(meta sixth.tns pairs | grep -c '^p1:p2,')" 1 "pairs beside bad rows: $(meta sixth.tns pairs)"
awk -F, -v OFS=, 'NR == 1 {print "hat_x,hat_y", $0; next} {print NR < 5 ? 16 "," (NR == 2 ? 60 : -0.9) : ",", $0}' numbers.csv >hat.csv
ok "a rare point" csv-clean -q hat.csv -o hat.tns
is "$(meta hat.tns pairs | grep -o 'p1:p2.*')" "$(meta numbers.tns pairs)" "pairs beside a rare point"
# names stand where labels are few, or contradict them: faces off the middle, turned ones
head -16 photos/mixed.csv >photos/few.csv
ok "15 faces" tns-import -q --form table photos/few.csv -o few.tns
awk -F, -v OFS=, 'NR > 1 {for (i = 6; i <= NF; i += 2) {x = $i - 48; y = $(i + 1) - 48; a = (NR % 9 - 4) / 5; $i = 48 + x * cos(a) - y * sin(a); $(i + 1) = 48 + x * sin(a) + y * cos(a)}} 1' photos/mixed.csv >photos/turned.csv
ok "turned" tns-import -q --form table --crop whole photos/turned.csv -o turned.tns
awk -F, -v OFS=, 'NR > 1 {for (i = 6; i <= NF; i += 2) $i = $i * 0.3} 1' photos/labels.csv >photos/aside.csv
ok "off the middle" tns-import -q --form table --crop whole photos/aside.csv -o aside.tns
for f in few aside; do is "$(meta $f.tns pairs)" "" "$f: no META pairs"; ok "$f: mirrored" image-augment -q --augment flip $f.tns -o no.tns; done
ok "turned: mirrored" image-augment -q --augment flip turned.tns -o no.tns
done_tests
