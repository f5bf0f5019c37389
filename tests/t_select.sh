#!/usr/bin/env bash
# tns-select: wrong use and bad data in one line, rows against awk, samples and orders, points with their METAs, tensors of any stream; the
# same bytes from file and pipe.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

# every 40th row has no label
face-synth -q -n 160 --size 16x16 --dirt | awk -F, -v OFS=, 'NR % 40 == 0 {for (i = 1; i < NF; i++) $i = ""} 1' | csv-clean -q --keep-all -o faces.tns 2>/dev/null
cnn-train -q -n 'conv3x3x4s2p1 relu conv1x1' --target heatmap -e 3 faces.tns -o model.tns --checkpoint check.tns 2>/dev/null
predict -q model.tns faces.tns -o all.tns
patch-extract -q --around nose_tip --size 5x5 --random 1 faces.tns -o patches.tns
[ -s all.tns ] && [ -s patches.tns ] || bad "no streams to select from"
# values FILE TENSOR: a line a row
values() { tns-info --head 100000 --tensor "$2" "$1" | sed -n "s/^$2\[[0-9]*\] //p"; }
ids() { values "$1" id | paste -sd ' '; }
tensors() { tns-info "$1" | awk 'NR == 1 {next} /^[a-z._]*: / {exit} {print $1 ":" $3}' | paste -sd ' '; }
# refused STATUS TEXT ARGUMENT...: one line, no file
refused() {
	local status=$1 text=$2; shift 2
	rm -f out.tns
	fails "$status" "tns-select: $text" tns-select "$@" -o out.tns
	[ -z "$(ls -A | grep -E '^\.?out\.tns')" ] || bad "$text: a file was left"
}
# take ARGUMENT...: out.tns, the same from file and pipe
take() {
	rm -f out.tns
	ok "$*" tns-select -q "$@" all.tns -o out.tns
	tns-select -q "$@" <all.tns >out2.tns && same out.tns out2.tns "stdin: $*"
	cat all.tns | tns-select -q -t 2 "$@" - | cat >out2.tns && same out.tns out2.tns "a pipe: $*"
}
n=$(values all.tns id | wc -l)
is "$n" 160 "rows to select from"

# ---- wrong use ----
refused 2 "--rows: 20-10 is reversed; try tns-select --help" --rows 20-10 all.tns
refused 2 "--rows: 0-3: numbers begin at 1" --rows 0-3 all.tns
refused 2 "--rows: 'x' is no number, no A-B and no A-" --rows 1,x all.tns
refused 2 "--id: '7,': an empty item" --id 7, all.tns
refused 2 "--where 'error>': at 7: a number or a name is missing" --where 'error>' all.tns
refused 2 "--where 'id=3': at 3: equal is ==" --where id=3 all.tns
refused 2 "--where '(id>3': at 6: the '(' at 1 is not closed" --where '(id>3' all.tns
refused 2 "--sample: -1 is below 0" --sample -1 all.tns
refused 2 "--sort and --shuffle exclude each other" --sort id --shuffle all.tns
refused 2 "--sort: '-' names no value" --sort - all.tns
for list in '' , a, ,a a,,b; do
	for option in points drop only without rename; do
		refused 2 "--$option: '$list': an empty item" --$option "$list" all.tns
	done
done
for list in a a= =b a=b,c; do refused 2 "--rename: '${list##*,}' is not OLD=NEW" --rename "$list" all.tns; done
for option in --shuffle '--sort id'; do
	refused 2 "${option% *} reads the data twice and needs a file" $option <all.tns
	refused 2 "${option% *} reads the data twice and needs a file" $option - <all.tns
	refused 2 "${option% *} reads the data twice and needs a file" $option <(cat all.tns)
done

# ---- bad data ----
refused 1 "all.tns: --rows: 500: there are $n rows" --rows 3,500 all.tns
refused 1 "all.tns: --rows: 110-500: there are $n rows" --rows 110-500 all.tns
refused 1 "stdin: --rows: 500-: there are $n rows" --rows 500- <all.tns
refused 1 "all.tns: --rows: 500: there are $n rows" --rows 500 --shuffle all.tns
refused 1 "all.tns: --where: at 9: there is no value 'errr' in a row: TENSOR (of one value), error, " --where 'id>3 && errr>2' all.tns
refused 1 "all.tns: --where: at 1: there is no value 'keypoints' in a row" --where 'keypoints>3' all.tns
has="TENSOR (of one value), error, error.POINT, labels, row, POINT.x, POINT.y, TENSOR.POINT.x, TENSOR.POINT"
refused 1 "all.tns: --where: at 1: there is no value 'nosetip.x' in a row: $has (did you mean nose_tip.x?)" --where 'nosetip.x>3' all.tns
refused 1 "all.tns: --where: at 1: there is no value 'keypoint.nose_tip.y' in a row: $has (did you mean keypoints.nose_tip.y?)" --where 'keypoint.nose_tip.y>3' all.tns
refused 1 "all.tns: --sort: there is no value 'label' in a row: $has (did you mean labels?)" --sort label all.tns
refused 1 "all.tns: --where: at 1: there is no value 'chin.x' in a row" --where 'chin.x>3' all.tns
refused 1 "all.tns: --where: at 1: there is no value 'nose_tip' in a row" --where 'nose_tip>3' all.tns
refused 1 "all.tns: --where: at 1: there is no value 'confidence.nose_tip.x' in a row" --where 'confidence.nose_tip.x>3' all.tns
refused 1 "all.tns: --where: at 1: there is no value 'error.chin' in a row" --where 'error.chin>3' all.tns
refused 1 "faces.tns: --where: at 1: there is no tensor predicted for error; predict adds it" --where 'error>3' faces.tns
refused 1 "patches.tns: --where: at 1: there is no tensor keypoints for labels" --where 'labels>3' patches.tns
refused 1 "all.tns: --sort: there is no value 'image' in a row" --sort image all.tns
refused 1 "patches.tns: there is no tensor id" --id 3 patches.tns
refused 1 "all.tns: --points: none of its 15 points is 'chin*'" --points 'nose*,chin*' all.tns
refused 1 "all.tns: --drop: none of its 15 points is 'nose_tpi' (did you mean nose_tip?)" --drop nose_tpi all.tns
refused 1 "all.tns: no point is left" --points 'nose*' --drop '*tip' all.tns
refused 1 "all.tns: --rename: 'nosetip' is none of the points (did you mean nose_tip?)" --rename nosetip=x all.tns
refused 1 "all.tns: --rename: 'nose_tip' is none of the points" --drop nose_tip --rename nose_tip=x all.tns
refused 1 "all.tns: --rename: nose_tip gets two names, x and y" --rename nose_tip=x,nose_tip=y all.tns
refused 1 "all.tns: --rename: 'x' is none of the points (there are left_eye_center" --rename nose_tip=x --rename x=y all.tns
refused 2 "--rename: 'nose_tip=a\\nb': a name is one line" --rename $'nose_tip=a\nb' all.tns
refused 1 "all.tns: two points would be named mouth_left_corner" --rename nose_tip=mouth_left_corner all.tns
refused 1 "patches.tns: there is no META points" --points nose_tip patches.tns
refused 1 "all.tns: --only: there is no tensor 'imag' (did you mean image?)" --only id,imag all.tns
refused 1 "all.tns: --without: there is no tensor 'x*'" --without 'x*' all.tns
refused 1 "all.tns: no tensor is left" --only id,image --without 'i*' all.tns
refused 1 "model.tns: is a model, whose points can be renamed, but not cut" --points nose_tip model.tns
refused 1 "model.tns: a model, not a data set: it has no rows" --rows 1 model.tns
refused 1 "model.tns: a model, not a data set: it has no rows" --shuffle model.tns
refused 1 "gone.tns: No such file or directory" --shuffle gone.tns
refused 1 "gone.tns: No such file or directory" gone.tns
refused 1 "stdin: preamble: the input is empty" --rows 1 </dev/null
size=$(stat -c %s all.tns)
head -c $((size - 70)) all.tns >cut.tns
{ head -c 9000 all.tns; printf '\377\377'; tail -c +9003 all.tns; } >flip.tns
for args in '' '--rows 1' '--sample 3' '--shuffle' '--sort -error' '--points nose_tip' '--only id'; do
	for f in cut flip; do
		refused 1 "$f.tns: record " $args $f.tns
		case $args in --sh* | --so*) ;; *) refused 1 "stdin: record " $args <$f.tns ;; esac
	done
done
echo old >old.tns
fails 1 "tns-select: all.tns: --rows: 999: " tns-select --rows 999 all.tns -o old.tns
is "$(cat old.tns)" old "the old file stays"
# its readers fail with it
tns-select --rows 999 all.tns 2>/dev/null | tns-info --check 2>.err
is "${PIPESTATUS[*]}" "1 1" "an error in a pipe"
grep -q "its producer gave up: all.tns: --rows: 999: there are $n rows" .err && good || bad "the reason in a pipe: $(cat .err)"

# ---- rows ----
all=$(ids all.tns)
# awk's own error, labels, ... of each row
paste -d ' ' <(values all.tns id) <(values all.tns keypoints) <(values all.tns predicted) >table
column() { # AWK-EXPRESSION: the ids of the rows where it is true; t, p: arrays of coordinates from 1; e: error, l: labels
	awk "{id = \$1; s = c = l = 0
		for (i = 1; i <= 30; i++) {t[i] = \$(i + 1); p[i] = \$(i + 31); if (t[i] != \"nan\") {s += (t[i] - p[i]) ^ 2; c++}}
		for (i = 1; i < 30; i += 2) l += t[i] != \"nan\" && t[i + 1] != \"nan\"
		e = c ? sqrt(s / c) : -1} $1 {print id}" table | paste -sd ' '
}
take --rows 10-20,35,110-
is "$(ids out.tns)" "$(tr ' ' '\n' <<<"$all" | sed -n '10,20p; 35p; 110,$p' | paste -sd ' ')" "rows"
take --rows 35,12-15,13-20,35-35
is "$(ids out.tns)" "$(tr ' ' '\n' <<<"$all" | sed -n '12,20p; 35p' | paste -sd ' ')" "rows, overlapping, keep their order"
take --rows 1-
is "$(ids out.tns)" "$all" "all rows"
for t in image keypoints predicted confidence; do is "$(values out.tns $t | cksum)" "$(values all.tns $t | cksum)" "all rows: $t"; done
take --rows 7
for t in image keypoints predicted confidence; do is "$(values out.tns $t | cksum)" "$(values all.tns $t | sed -n 7p | cksum)" "row 7: $t"; done
take --id 7,30-40
is "$(ids out.tns)" "$(column '(id == 7 || (id >= 30 && id <= 40))')" "ids"
half=$(awk '{s = c = 0; for (i = 2; i <= 31; i++) if ($i != "nan") {s += ($i - $(i + 30)) ^ 2; c++} if (c) print sqrt(s / c)}' table | sort -g | sed -n 70p)
take --where "error>$half"
is "$(ids out.tns)" "$(column "e > $half")" "error"
is "$(($(ids out.tns | wc -w) > 5 && $(ids out.tns | wc -w) < n - 5))" 1 "some have this error, some not"
take --where '!(error>=0)'
is "$(ids out.tns)" "$(column 'e < 0')" "no error where nothing is labelled"
take --where 'labels<15 and labels>=4'
is "$(ids out.tns)" "$(column '(l < 15 && l >= 4)')" "labels"
is "$(($(ids out.tns | wc -w) > 5))" 1 "some have fewer labels"
take --where 'left_eye_center.x>10 || nose_tip.y<=9'
is "$(ids out.tns)" "$(column '(t[1] != "nan" && t[1] > 10) || (t[22] != "nan" && t[22] <= 9)')" "points"
take --where 'predicted.nose_tip.y < nose_tip.y && id > 20'
is "$(ids out.tns)" "$(column '(t[22] != "nan" && p[22] < t[22] && id > 20)')" "two values compared"
take --where 'error.nose_tip > 1'
is "$(ids out.tns)" "$(column '(t[21] != "nan" && t[22] != "nan" && sqrt((t[21] - p[21]) ^ 2 + (t[22] - p[22]) ^ 2) > 1)')" "a point's error"
take --where 'row<=4 || row == 9'
is "$(ids out.tns)" "$(tr ' ' '\n' <<<"$all" | sed -n '1,4p; 9p' | paste -sd ' ')" "row"
c=$(values all.tns confidence | awk '{print $11}' | sort -g | sed -n 80p)
take --where "confidence.nose_tip > $c"
is "$(ids out.tns)" "$(paste -d ' ' <(values all.tns id) <(values all.tns confidence) | awk -v c="$c" '$12 > c + 0 {print $1}' | paste -sd ' ')" "confidence"
take --rows 20-120 --id 1-90 --where 'labels>3'
is "$(ids out.tns)" "$(column '(NR >= 20 && NR <= 120 && id <= 90 && l > 3)')" "all together"
ok "label" tns-select -q --where 'label==1' patches.tns -o out.tns
is "$(values out.tns label | sort | uniq -c | xargs)" "$(values patches.tns label | grep -c 1) 1" "label"
# the error is the one that render --worst shows: the same row is the worst
is "$(tns-select -q --sort -error all.tns | tns-info --head 1 | sed -n 's/^id\[1\] //p')" "$(awk '{s = c = 0; for (i = 2; i <= 31; i++) if ($i != "nan") {s += ($i - $(i + 30)) ^ 2; c++} if (c && s / c > w) {w = s / c; b = $1}} END {print b}' table)" "the worst row"

# none, and ids that are not there: said, but no error
ok "none" tns-select --where 'id<0' all.tns -o out.tns
is "$(cat .err)" "tns-select: all.tns: none of its $n rows is taken" "none is said"
is "$(tensors out.tns | tr ' ' '\n' | sed -n '3p')" "id:0" "no rows"
tns-select -q --where 'id<0' all.tns 2>&1 >/dev/null | grep -q . && bad "-q speaks" || good
is "$(tns-select --id 3,777,5555-6666 all.tns 2>&1 >out.tns)" "tns-select: all.tns: no row has id 777, nor 1 more of --id" "ids that are not there"
is "$(tns-select --id 3,777 <all.tns 2>&1 >out.tns)" "tns-select: stdin: no row has id 777" "an id that is not there"
is "$(tns-select --rows 3-9 all.tns 2>&1 >out.tns)" "" "nothing is said otherwise"

# ---- samples and orders ----
take --sample 30
is "$(ids out.tns | wc -w)" 30 "a sample"
is "$(ids out.tns)" "$(ids out.tns | tr ' ' '\n' | sort -n | paste -sd ' ')" "it keeps the order"
for t in image keypoints predicted; do
	is "$(paste <(values out.tns id) <(values out.tns $t) | cksum)" \
		"$(paste <(values all.tns id) <(values all.tns $t) | awk -v ids="$(ids out.tns)" 'BEGIN {split(ids, a, " "); for (i in a) has[a[i]]} $1 in has' | cksum)" "rows of a sample are whole: $t"
done
cp out.tns sample.tns
take --sample 30 --seed 2
[ "$(ids out.tns)" != "$(ids sample.tns)" ] && good || bad "another seed, the same sample"
take --sample 30 --where 'id>100'
is "$(ids out.tns | wc -w) $(ids out.tns | tr ' ' '\n' | awk '$1 <= 100' | wc -l)" "30 0" "a sample of what is taken"
take --sample 30 --points nose_tip,left_eye_center --only keypoints,id
is "$(ids out.tns) $(tensors out.tns)" "$(ids sample.tns) keypoints:30,2,2 id:30" "a sample of some points"
is "$(values out.tns keypoints)" "$(values sample.tns keypoints | awk '{print $21, $22, $1, $2}')" "their coordinates"
take --sample 100000
is "$(ids out.tns)" "$all" "a sample of more than there are"
is "$(tns-select --sample 1000 all.tns 2>&1 >out.tns)" "tns-select: all.tns: a sample of all $n rows" "which is said"
ok "shuffle" tns-select --shuffle all.tns -o out.tns
is "$(ids out.tns | tr ' ' '\n' | sort -n | paste -sd ' ')" "$all" "shuffled: all rows"
[ "$(ids out.tns)" != "$all" ] && good || bad "shuffled: in order"
is "$(paste -d ' ' <(values out.tns id) <(values out.tns keypoints) | sort -n | cksum)" "$(paste -d ' ' <(values all.tns id) <(values all.tns keypoints) | cksum)" "shuffled: rows are whole"
ok "shuffle again" tns-select --shuffle -t 1 all.tns -o out2.tns
same out.tns out2.tns "the same order"
tns-select --shuffle -s 9 all.tns -o out2.tns
[ "$(ids out.tns)" != "$(ids out2.tns)" ] && good || bad "another seed, the same order"
tns-select --shuffle --sample 30 all.tns -o out.tns
is "$(ids out.tns | tr ' ' '\n' | sort -n | paste -sd ' ')" "$(ids sample.tns)" "a sample, shuffled"
for sort in error:-g -error:-gr; do
	ok "sort ${sort%:*}" tns-select --sort "${sort%:*}" --where 'error>=0' all.tns -o out.tns
	is "$(ids out.tns)" "$(awk '{s = c = 0; for (i = 2; i <= 31; i++) if ($i != "nan") {s += ($i - $(i + 30)) ^ 2; c++} if (c) printf "%.17g %s\n", s / c, $1}' table | sort -s "${sort#*:}" -k1,1 | cut -d' ' -f2 | paste -sd ' ')" "sorted by ${sort%:*}"
done
for sort in labels -labels; do
	tns-select --sort $sort all.tns -o out.tns
	is "$(ids out.tns)" "$(awk '{l = 0; for (i = 2; i < 32; i += 2) l += $i != "nan" && $(i + 1) != "nan"; print l, $1}' table | sort -s -n $([ $sort = labels ] || echo -r) -k1,1 | cut -d' ' -f2 | paste -sd ' ')" "sorted by $sort, equal ones in order"
done
tns-select --sort error all.tns -o out.tns
tns-select --sort -error all.tns -o out2.tns
none=$(column 'e < 0')
is "$(ids out.tns | sed "s/.* $none\$/$none/") $(ids out2.tns | sed "s/.* $none\$/$none/")" "$none $none" "no error comes last either way"

# ---- points ----
take --points 'nose_tip,*eye_center'
is "$(meta out.tns points)" "nose_tip,left_eye_center,right_eye_center" "points in their order"
is "$(meta out.tns pairs)" "nose_tip,left_eye_center:right_eye_center" "pairs"
is "$(tensors out.tns)" "image:$n,16,16 keypoints:$n,3,2 id:$n predicted:$n,3,2 confidence:$n,3 trained:$n" "tensors of points"
is "$(values out.tns keypoints | cksum)" "$(values all.tns keypoints | awk '{print $21, $22, $1, $2, $3, $4}' | cksum)" "their coordinates"
is "$(values out.tns confidence | cksum)" "$(values all.tns confidence | awk '{print $11, $1, $2}' | cksum)" "their confidence"
take --drop '*eye*,*lip'
is "$(meta out.tns points)" "nose_tip,mouth_left_corner,mouth_right_corner" "points dropped"
take --points '*eye*' --drop '*brow*,right*' --rename left_eye_center=c,left_eye_inner_corner=left_eye_center --rename left_eye_outer_corner=o
is "$(meta out.tns points)" "c,left_eye_center,o" "points renamed, also crosswise"
mean() { meta all.tns mean_face | tr , '\n' | sed -n "s/^$1 //p"; }
is "$(meta out.tns mean_face)" "c $(mean left_eye_center),left_eye_center $(mean left_eye_inner_corner),o $(mean left_eye_outer_corner)" "and the mean face"
is "$(meta out.tns pairs)" "" "no pair is left"
is "$(tns-info out.tns | grep -c '^pairs:')" 1 "which is said"
is "$(values out.tns predicted | cksum)" "$(values all.tns predicted | awk '{print $1, $2, $5, $6, $7, $8}' | cksum)" "their predictions"
take --rename left_eye_center=l,right_eye_center=r,nose_tip=n
is "$(meta out.tns points | cut -d, -f1,2,11)" "l,r,n" "renamed"
is "$(meta out.tns pairs | cut -d, -f1,6)" "l:r,n" "in pairs too"
is "$(values out.tns keypoints | cksum)" "$(values all.tns keypoints | cksum)" "renamed, not moved"
is "$(score -q <(tns-select --rename left_eye_center=l all.tns) | head -1)" "$(score -q all.tns | head -1)" "the score of renamed points"
ok "a net on some points" bash -o pipefail -c "tns-select --points '*eye*' faces.tns | cnn-train -q -n 'fc4 relu fc' -e 1 -o eyes.tns 2>/dev/null; tns-info --check eyes.tns"
# maps
tns-select -q --only image,id,keypoints faces.tns | predict -q --maps model.tns - -o maps.tns
h=$(tensors maps.tns | tr ' ' '\n' | sed -n 's/^maps:[0-9]*,15//p')
ok "maps" tns-select --points 'mouth*,nose_tip' maps.tns -o out.tns
is "$(tensors out.tns | tr ' ' '\n' | grep ^maps)" "maps:$n,5$h" "maps cut"
k=$(values maps.tns maps | awk '{print NF / 15; exit}')
is "$(values out.tns maps | cksum)" "$(values maps.tns maps | awk -v k="$k" '{s = ""; for (p = 1; p <= 5; p++) {q = p < 5 ? 10 + p : 10; for (i = 1; i <= k; i++) s = s (s == "" ? "" : " ") $(q * k + i)} print s}' | cksum)" "the maps of these points"

# ---- tensors ----
take --only id,image
is "$(tensors out.tns)" "id:$n image:$n,16,16" "tensors in their order"
take --without 'pred*,confidence,trained'
is "$(tensors out.tns)" "$(tensors faces.tns)" "tensors left out"
for t in image keypoints id; do is "$(values out.tns $t | cksum)" "$(values faces.tns $t | cksum)" "without predictions: $t"; done
is "$(tns-info out.tns | grep '^rows\.')" "$(tns-info faces.tns | grep '^rows\.')" "METAs that come after the rows"
take --only '*' --without 'i*,k*'
is "$(tensors out.tns)" "predicted:$n,15,2 confidence:$n,15 trained:$n" "only, without"
ok "a checkpoint without its optimizer" tns-select --without 'opt/*' check.tns -o out.tns
is "$(tns-info out.tns | grep -c '^opt/.* f32')" 0 "no optimizer"
is "$(tensors out.tns | tr ' ' '\n' | grep -vc '^opt')" "$(tensors model.tns | wc -w)" "the layers"
ok "a model's points renamed" tns-select --rename nose_tip=n model.tns -o out.tns
is "$(meta out.tns points | cut -d, -f11) $(meta out.tns net)" "n conv3x3x4s2p1 relu conv1x1" "in its META"
ok "it predicts" predict -q out.tns <(tns-select --rename nose_tip=n faces.tns) -o out2.tns
is "$(values out2.tns predicted | cksum)" "$(values all.tns predicted | cksum)" "the same"
ok "nothing asked" tns-select model.tns -o out.tns
is "$(tns-info out.tns | sed '/^history/,$d')" "$(tns-info model.tns | sed '/^history/,$d')" "the same model"
tns-select <model.tns >out2.tns && same out.tns out2.tns "a model by a pipe"

# ---- memory: a condition on a pipe, a sample of all rows of a file ----
face-synth -q -n 1200 --size 96x96 | csv-clean -q | tns-cat -q - -o big.tns
tns-cat -q big.tns big.tns big.tns big.tns -o huge.tns
limit=(prlimit --data=25165824)
case $BIN in *-san*) limit=(env) ;; esac
ok "a condition in 24 MiB" bash -o pipefail -c "cat huge.tns | ${limit[*]} tns-select --where 'labels>3' -o out.tns"
ok "a sample in 24 MiB" "${limit[@]}" tns-select -q --sample 100000 huge.tns -o out.tns

# ---- history ----
take --where 'error>1' --points '*eye*' --sample 9
is "$(tns-info out.tns | grep '^  tns-select')" "  tns-select $VERSION --where 'error>1' --sample 9 --points '*eye*' < $(tns-info all.tns | sed -n 's/^fingerprint: //p')" "its line"
is "$(tns-info out.tns | grep -c '^  predict')" 1 "and the lines before"
done_tests
