#!/usr/bin/env bash
# tns-table: what the columns hold, by other means; there and back the same bytes; csv-clean reads it; tables of others; cuts and faults.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 60 --size 16x12 --point-count 4 -s 5 --dirt --test test.csv --test-count 7 -o all.csv
csv-clean -q --keep-all --size 16x12 all.csv -o faces.tns 2>/dev/null
csv-clean -q --size 16x12 test.csv -o test.tns
cnn-train -q -n 'conv3x3p1' --target heatmap -e 1 faces.tns -o model.tns 2>/dev/null
predict -q --maps model.tns faces.tns -o predicted.tns
patch-extract -q --around left_eye_center --size 9x7 --negatives 1 faces.tns -o patches.tns
cnn-train -q --target label -n 'fc' -e 1 -r 0.001 patches.tns -o label.tns 2>/dev/null
predict -q label.tns patches.tns -o labels.tns
is "$(ls -s faces.tns test.tns predicted.tns labels.tns | awk '$1 > 0' | wc -l)" 4 "there are streams"
values() { tns-info --head 1000 --tensor "$1" "$2" | sed -n "s/^[^ ]*\[[0-9]*\] //p"; }
# refused STATUS TEXT ARGUMENT...: one line, and no file
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "tns-table: $text" tns-table "$@" -o out.tns
	[ -z "$(ls -A | grep -E '^\.?out\.tns')" ] || bad "$text: something was left: $(ls -A)"
}

# ---- what the columns hold ----
ok "a table" tns-table predicted.tns -o table.csv
is "$(cat .err)" "tns-table: predicted.tns: left out: maps, image (--image has what has more than 64 values a row)" "what it says"
points=$(tns-info faces.tns | sed -n 's/^points: //p')
xy() { tr , '\n' <<<"$points" | sed "s/.*/$1&_x\n$1&_y/"; }
{ echo id; xy ''; xy predicted_; tr , '\n' <<<"$points" | sed 's/^/confidence_/'; echo trained; echo error; } | paste -sd , >want.csv
paste -d ' ' <(values id predicted.tns) <(values keypoints predicted.tns) <(values predicted predicted.tns) <(values confidence predicted.tns) <(values trained predicted.tns) | awk '
	{s = n = 0; for (i = 2; i <= 9; i++) if ($i != "nan") {s += ($i - $(i + 8)) ^ 2; n++}
	gsub(/nan/, ""); gsub(/ /, ","); print $0 "," (n ? sqrt(s / n) : "")}' >>want.csv
is "$(cut -d, -f1-22 table.csv | cksum)" "$(cut -d, -f1-22 want.csv | cksum)" "ids, points, predictions, confidence as tns-info prints them: $(diff table.csv want.csv | head -2)"
is "$(paste -d, <(cut -d, -f23 table.csv) <(cut -d, -f23 want.csv) | awk -F, 'NR > 1 && ($1 - $2 > 1e-5 || $2 - $1 > 1e-5 || ($1 == "") != ($2 == ""))')" "" "the error"
is "$(($(grep -c ',,' table.csv) > 10))" 1 "NaN is an empty field"
tns-table -q labels.tns >labels.csv
is "$(head -1 labels.csv)" "label,score,source,trained" "columns of patches"
is "$(sed 1d labels.csv | cut -d, -f1,2)" "$(paste -d, <(values label labels.tns) <(values score labels.tns))" "labels and scores"
tns-table -q --tsv predicted.tns >table.tsv
is "$(tr '\t' , <table.tsv | cksum)" "$(cksum <table.csv)" "TSV"
ok "columns" tns-table --fields 'error,id,predicted_left*_x,*eye_center_x' predicted.tns -o some.csv
is "$(head -1 some.csv)" "error,id,$(tr , '\n' <<<"$(head -1 want.csv)" | grep '^predicted_left.*_x$' | paste -sd ,),left_eye_center_x,right_eye_center_x,predicted_right_eye_center_x" "in their order"
is "$(cut -d, -f1,2 some.csv | cksum)" "$(paste -d, <(cut -d, -f23 table.csv) <(cut -d, -f1 table.csv) | cksum)" "their values"

# ---- there and back ----
head -1 all.csv | csv-clean -q --size 16x12 -o none.tns 2>/dev/null
tns-split -q --parts 0.7,0.3 predicted.tns -o part.tns -o rest.tns
tns-join -q --prefix b/ part.tns part.tns -o joined.tns
for f in faces test predicted patches labels none part joined; do
	ok "$f" tns-table --image $f.tns -o $f.csv
	ok "$f back" tns-table --read $f.csv -o back.tns
	same $f.tns back.tns "$f, there and back"
	tns-table --image --tsv <$f.tns | gzip | tns-table --read | cat >back.tns
	same $f.tns back.tns "$f as TSV, by pipes and gzip"
done
ok "with notes, without images" tns-table -q --notes yes predicted.tns -o noted.csv
ok "back" tns-table --read noted.csv -o back.tns
is "$(tns-info back.tns | awk '$1 !~ /:$/ && $2 ~ /^[uf]/ {print $1, $2, $3}' | paste -sd ' ')" "keypoints f32 60,4,2 id u32 60 predicted f32 60,4,2 confidence f32 60,4 trained u8 60" "what was in it"
is "$(tns-info back.tns | sed '/^history/,$d' | grep '^[a-z.]*:')" "$(tns-info predicted.tns | sed '/^history/,$d' | grep '^[a-z.]*:')" "METAs survive"
is "$(tns-info back.tns | sed -n '/^history/,$p' | grep -c 'tns-table '"$VERSION"' --read \[table [0-9a-f]*\] < '"$(tns-info predicted.tns | sed -n 's/^fingerprint: //p')")" 1 "part of a stream: a line in the history"
# a label is corrected by hand: the rest stays, and the history says so
awk -F, -v OFS=, '/^5,/ {$2 = 7.5} {print}' faces.csv >edited.csv
ok "edited" tns-table --read edited.csv -o edited.tns
is "$(diff <(values keypoints faces.tns) <(values keypoints edited.tns) | grep -c '^>')" 1 "one row differs"
is "$(values keypoints edited.tns | sed -n '5s/ .*//p')" 7.5 "the label"
is "$(tns-info edited.tns | grep -c "^  tns-table $VERSION --read \[table [0-9a-f]*\] < ")" 1 "its line"
is "$(tns-info edited.tns | sed '/^history/,$d' | grep '^[a-z.]*:' | cksum)" "$(tns-info faces.tns | sed '/^history/,$d' | grep '^[a-z.]*:' | cksum)" "its METAs"
# as a spreadsheet writes it: CR LF, a byte order mark, as many fields in notes as in rows
{ printf '\xef\xbb\xbf'; sed 's/^#.*/&,,,,,,,/; s/$/\r/' faces.csv; } >sheet.csv
ok "a spreadsheet's" tns-table --read sheet.csv -o back.tns
same faces.tns back.tns "a spreadsheet's"

# ---- the competition's form ----
for notes in auto no; do
	tns-table --image --notes $notes faces.tns >comp.csv
	csv-clean -q --keep-all --size 16x12 comp.csv -o back.tns 2>/dev/null
	same faces.tns back.tns "csv-clean of it, notes $notes"
done
is "$(head -1 comp.csv)" "id,$(xy '' | paste -sd ,),Image" "without notes: the header first"
is "$(sed 1d comp.csv | sed 's/.*,//' | cksum)" "$(sed 1d all.csv | sed 's/.*,//' | cksum)" "Image as the competition writes it"
is "$(paste -d, <(cut -d, -f1-8 all.csv) <(cut -d, -f2-9 comp.csv) | awk -F, 'NR > 1 {for (i = 1; i <= 8; i++) if (($i == "") != ($(i + 8) == "") || $i - $(i + 8) > 1e-5 || $(i + 8) - $i > 1e-5) print}')" "" "labels as they were"
{ cat faces.csv; tail -1 comp.csv; } >behind.csv
fails 1 "behind.csv: row 61: a comment (#)" csv-clean -q --size 16x12 behind.csv -o out.tns
{ cat comp.csv; echo '# behind'; } >behind.csv
fails 1 "behind.csv: row 61: " csv-clean -q --size 16x12 behind.csv -o out.tns

# ---- tables without notes ----
ok "a plain table" tns-table --read table.csv -o back.tns
for t in keypoints id predicted confidence; do is "$(values $t back.tns | cksum)" "$(values $t predicted.tns | cksum)" "$t of a plain table"; done
figures() { score -q "$1" | grep -v '^mean_face\|^trained'; } # a plain table has not what the model says of its training
is "$(figures back.tns)" "$(figures predicted.tns)" "the same score"
ok "joined to the images" tns-join --take image back.tns faces.tns -o out.tns
rm -f out.tns
sed 's/,/;/g; s/\./,/g' table.csv >german.csv
tns-table --read german.csv -o german.tns && is "$(values predicted german.tns | cksum)" "$(values predicted predicted.tns | cksum)" "semicolons and decimal commas"
tr , '|' <table.csv >bars.csv
tns-table --read bars.csv -o bars.tns && is "$(values predicted bars.tns | cksum)" "$(values predicted predicted.tns | cksum)" "bars"
tns-table --image --notes no faces.tns | tns-table --read --size 16x12 -o back.tns
is "$(values image back.tns | cksum)" "$(values image faces.tns | cksum)" "images"
printf 'name,ImageId,pixels,age,a_y,a_x\nx,7,"1 2 3 4",40,NA," +1.5 "\ny,9,4 3 2 1,1e1,2,nan\n' >hand.csv
ok "a table by hand" tns-table --read --fields age hand.csv -o hand.tns
is "$(cat .err)" "tns-table: hand.csv: columns that are ignored: 'name'" "what is ignored"
sed '1s/$/,b_x,b_y,b_w,b_h/; 2,$s/$/,1,2,3,4/' hand.csv >box.csv
ok "a table with a box" tns-table --read --columns age box.csv -o box.tns
is "$(cat .err) $(tns-info box.tns | grep ^points)" "tns-table: box.csv: columns that are ignored: 'name', 'b_x', 'b_y', 'b_w', 'b_h' points: a" "a box is no point"
is "$(for t in id image keypoints age; do values $t hand.tns; done | paste -sd ';')" "7;9;1 2 3 4;4 3 2 1;1.5 nan;nan 2;40;10" "its values"
is "$(tns-info hand.tns | awk '$1 == "image" {print $2, $3} /^points/')" "u8 2,2,2
points: a" "its types"

# ---- cut, damaged, refused ----
n=$(stat -c %s faces.csv)
first=$(grep -n '^id,' faces.csv | cut -d: -f1)
for at in 0 1 40 300 $((n / 3)) $((n / 2)) $((n - 300)) $((n - 60)) $((n - 9)) $((n - 2)); do
	head -c "$at" faces.csv >cut.csv
	refused 1 "cut.csv: " --read cut.csv
	fails 1 "tns-table: stdin: " tns-table --read - <cut.csv
done
head -n 20 faces.csv >cut.csv
refused 1 "cut.csv: the table was cut after row $((20 - first)): its last line, '# end: ...', is missing" --read cut.csv
gzip -c faces.csv | head -c 2000 >cut.csv.gz
refused 1 "cut.csv.gz: " --read cut.csv.gz
# broken SED TEXT: the table so changed is refused
broken() {
	sed "$1" "${3-faces.csv}" >broken.csv
	cmp -s "${3-faces.csv}" broken.csv && bad "$1 changes nothing"
	refused 1 "broken.csv: $2" --read broken.csv
}
broken "$((first + 2))s/,[^,]*,/,x,/" "row 2: left_eye_center_x is 'x', not a number (f32)"
broken "$((first + 2))s/^2,/-2,/" "row 2: id is '-2', not a whole number of its type (u32)"
broken "$((first + 2))s/^2,/,/" "row 2: id is '', not a whole number of its type (u32)"
broken "$((first + 2))s/ [0-9]*\$//" "row 2: Image has 191 numbers instead of 192"
broken "$((first + 2))s/ [0-9]*\$/ 256/" "row 2: Image, number 192, is '256', not a whole number of its type (u8)"
broken "$((first + 2))s/,/,,/" "row 2: 11 fields instead of 10"
broken "$((first + 2))s/^/\"/" "row 2: field 1: the quotes are not closed, or not at the field's ends"
broken "$((first + 3))s/.*//" "row 3: before it is an empty line or a comment"
broken "${first}s/left_eye_center_y/eye_y/" "header: no column is called 'left_eye_center_y', which tensor keypoints needs"
broken "${first}s/right_eye_center_y/left_eye_center_y/" "header: two columns are called 'left_eye_center_y'"
broken "1s/1/2/" "header: notes of a version that is not known here"
broken "2s/u8/u9/" "a note with no type and dimensions of a tensor: 'image u9 12,16'"
broken "2s/12,16/0,16/" "a note with no type and dimensions of a tensor: 'image u8 0,16'"
broken "2s/12,16/4294967295,16/" "a note with no type and dimensions of a tensor"
broken "2s/image/$(printf 'a%.0s' {1..256})/" "a note with no name of a tensor: 'aaaa"
broken "2s/image/im;ge/" "a note with no name of a tensor: 'im;ge"
broken "2s/image/keypoints/" "two tensors are named keypoints"
broken "s/^# meta pairs: /# meta points: /" "two METAs are named points"
broken "s/^# meta pairs: /# pairs: /" "'# pairs: "
broken "s/^# meta history: /&\\\\q/" "a note with no META: 'history: "
broken '$s/stream/strem/' "a note with no end: '# end: text "
{ cat faces.csv; echo '1,2'; } >broken.csv
refused 1 "broken.csv: lines follow the last one, # end" --read broken.csv
printf 'a,b\n1,2\n' >hand.csv
refused 1 "hand.csv: header: no column has a name that is known here" --read -q hand.csv
printf 'a_x,a_y,predicted_b_x,predicted_b_y\n1,2,3,4\n' >hand.csv
refused 1 "hand.csv: header: there is no column of predicted for the point 'a'" --read hand.csv
printf 'id,Image\n1,1 2 3\n' >hand.csv
refused 1 "hand.csv: row 1: 3 pixels, which is no square: --size WxH tells the shape" --read hand.csv
printf 'id,Image\n' >hand.csv
refused 1 "hand.csv: no rows, and no --size to tell the images' size" --read hand.csv
# headers: each with a row of numbers
header() { # TEXT HEADER [OPTION...]
	local text=$1; shift
	printf '%b\n1,2,3\n' "$1" >hand.csv; shift
	refused 1 "hand.csv: header: $text" --read "$@" hand.csv
}
header "column 1: the quotes are not closed, or not at the field's ends" '"a_x,a_y,id'
header "column 2: the quotes are not closed, or not at the field's ends" 'a_x,"a_y"b,id'
header "column 2 is no name" "id,$(printf 'a%.0s' {1..1001}),b"
header "more than 4096 columns" "$(seq -s, 1 4097)"
header "a column of confidence for 'b', which is none of the other points" 'a_x,a_y,confidence_a,confidence_b'
header "there is no column of confidence for the point 'a'" 'a_x,a_y,confidence_b'
header "two columns are called 'a_x'" 'a_x,a_y,a_x'
header "two columns would be called 'a_x'" 'a_x,a_y,b' --fields a_x
header "'a b' is no name of a tensor" 'id,a b' --fields 'a b'
header "'id' is known: it needs not be named" 'id,a' --fields id
header "no column is called 'age'" 'id,a' --fields age
printf 'id,Image\n1,"1 2 3 4\n' >hand.csv
refused 1 "hand.csv: row 1: field 2: the quotes are not closed, or not at the field's ends" --read hand.csv
printf 'image_id,ImageId,label,score,"a""b_x","a""b_y"\n1,2,1,0.5,3,4\n' >hand.csv
ok "labels and scores" tns-table --read hand.csv -o hand.tns
is "$(cat .err)" "tns-table: hand.csv: columns that are ignored: 'ImageId'" "one id is enough"
is "$(for t in id label score keypoints; do values $t hand.tns; done | paste -sd ';')" "1;1;0.5;3 4" "their values"
is "$(tns-info hand.tns | awk '$1 == "label" || $1 == "score" {print $2} /^points/')" 'u8
f32
points: a"b' "their types"
printf 'id,a_x\n1,2\n' | tns-table --read 2>.err | tns-info --check && is "$(cat .err)" "tns-table: stdin: columns that are ignored: 'a_x'" "half a point is none"
# notes
note() { # TEXT LINE
	printf '# keypipe table 1 (tns-table --read)\n%b\n# tensor id u32\nid\n1\n# end: text 00000000, stream 00000000\n' "$2" >hand.csv
	refused 1 "hand.csv: a note with $1" --read hand.csv
}
for l in k k:v k:; do note "no 'key: value': '$l'" "# meta $l"; done
note "no 'key: value': 'k?" '# meta k\0001'
note "no META: ': v'" '# meta : v'
for e in '\\' '\\x4' '\\xg0' '\\x4g' '\\x4G'; do note "no META: 'k: v" "# meta k: v$e"; done
note "no META: 'a" '# meta a\\x00b: v'
note "no META: '" "# meta $(head -c 65536 /dev/zero | tr '\0' k): v"
note "no name of a tensor: ''" '# tensor '
note "no type and dimensions of a tensor: 'x'" '# tensor x'
note "no type and dimensions of a tensor: 'x u32 1,1,1,1,1,1,1,1'" '# tensor x u32 1,1,1,1,1,1,1,1'
note "no type and dimensions of a tensor: 'x u8 18446744073709551615,2'" '# tensor x u8 18446744073709551615,2'
note "no type and dimensions of a tensor: 'x u8 a'" '# tensor x u8 a'
note "no tensor: 'xxx" "# tensor $(head -c 600 /dev/zero | tr '\0' x)"
note "no tensor: 'x?'" '# tensor x\0000'
{ sed 1q faces.csv; seq -f '# tensor t%g u8' 4097; } >hand.csv
refused 1 "hand.csv: more than 4096 tensors" --read hand.csv
{ sed 1q faces.csv; seq -f '# meta k%g: v' 4097; } >hand.csv
refused 1 "hand.csv: more METAs than a stream may have, at k4097" --read hand.csv
for l in '# end: text 0000000' '# end: text 00000000, stream 0000000' '# end: text 0000000G, stream 00000000' '# end: text 00000000; stream 00000000' \
	'# end: text 00000000, stream 000000001' '# end: text 00000000, part of stream'; do
	printf '# keypipe table 1 (tns-table --read)\n# tensor id u32\nid\n1\n%s\n' "$l" >hand.csv
	refused 1 "hand.csv: a note with no end: '${l:0:40}" --read hand.csv
done
for l in '# keypipe table 1' '# keypipe table 10 ' '# keypipe table 1x'; do
	printf '%s\nid\n1\n' "$l" >hand.csv
	refused 1 "hand.csv: header: notes of a version that is not known here" --read hand.csv
done
printf '# a remark\n#\nid\n1\n' >hand.csv
ok "remarks of others" tns-table --read hand.csv -o hand.tns
# a line of more than 64 MiB
long() { head -c $((64 << 20 | 1)) /dev/zero | tr '\0' 1; }
fails 1 "tns-table: stdin: a line is longer than 67108864 bytes" tns-table --read < <(long)
fails 1 "tns-table: stdin: row 1: a line is longer than 67108864 bytes" tns-table --read < <(echo id,Image; long)
fails 1 "tns-table: stdin: row 1: a line is longer than 67108864 bytes" tns-table --read < <(echo id; long)
fails 1 "csv-clean: stdin: a line is longer than 8388608 bytes" csv-clean < <(long)
fails 1 "tns-import: stdin: a line is longer than 8388608 bytes" tns-import --form table - < <(long)
fails 1 "csv-clean: stdin: row 1: a line is longer than 67108864 bytes" csv-clean < <(echo a_x,a_y,Image; long)
: >empty.csv
refused 1 "empty.csv: empty, not even a header" --read empty.csv
refused 1 "faces.tns: this is a tensor stream" --read faces.tns
refused 1 "gone.csv: No such file or directory" --read gone.csv
refused 1 "faces.csv: its notes say what its columns are: --fields is for tables without notes" --read --fields id faces.csv
refused 2 "--read finds out what the table is: --tsv, --image and --notes are for writing one" --read --image faces.csv
refused 2 "--size is for --read" --size 3x2 faces.tns
refused 1 "model.tns: a model, not a data set: it has no rows; predict applies it to a data set, tns-info shows what is in it" model.tns
refused 1 "gone.tns: No such file or directory" gone.tns
refused 1 "faces.tns: no column is called 'idd' (did you mean id?)" --fields idd faces.tns
refused 1 "faces.tns: no column is called 'tail_x'" --fields id,tail_x faces.tns
refused 1 "faces.csv: preamble: this is not a tensor stream but text" faces.csv
head -c $(($(stat -c %s faces.tns) - 70)) faces.tns >cut.tns
refused 1 "cut.tns: record " cut.tns
refused 1 "cut.tns: record " --image cut.tns
{ head -c 3000 faces.tns; printf '\377'; tail -c +3002 faces.tns; } >flip.tns
refused 1 "flip.tns: record " flip.tns
sed '1s/right_eye_center_/predicted_left_eye_center_/g' all.csv | csv-clean -q --keep-all --size 16x12 -o odd.tns 2>/dev/null
cnn-train -q -n 'conv3x3p1' --target heatmap -e 1 odd.tns -o model.tns 2>/dev/null
predict -q model.tns odd.tns -o two.tns
refused 1 "two.tns: two columns would be called 'predicted_left_eye_center_x'" two.tns
tns-table --read edited.csv | tns-table -q >/dev/null && good || bad "behind itself"
head -c 4000 faces.csv | tns-table --read 2>/dev/null | tns-info --check 2>.err
grep -q 'its producer gave up: stdin: ' .err && good || bad "the reason is not passed on: $(cat .err)"
# a coordinate that is labelled and not predicted
tns-table -q --notes no predicted.tns | awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
	NR == 2 {for (n in at) if (n ~ /^predicted_/ && $at[substr(n, 11)] != "") {$at[n] = ""; break}} {$at["error"] = ""; print}' | sed '1s/,$/,error/' >hole.csv
tns-table --read -q hole.csv -o hole.tns
is "$(tns-table -q --fields error hole.tns | sed -n 2p), $(tns-select -q --where 'error>1000' hole.tns | tns-table -q --fields error - | sed 1d)" "inf, inf" "the error is infinite, for tns-select, too"
# names of photographs are text in a table without notes, and bytes in one with
mkdir -p photographs && face-synth -q --photos 2 --faces 1 --photo-size 96x96 -o made && cp made/000001.pgm 'photographs/a, "b".pgm' && cp made/000002.pgm photographs/c.pgm
tns-import -q --form folder photographs -o named.tns
is "$(tns-table --fields id,source named.tns | paste -sd '|')" 'id,source|1,"a, ""b"".pgm"|2,c.pgm' "photographs' names"
is "$(tns-table -q named.tns | head -1 | grep -o source)" source "among the columns"
tns-table --image named.tns | tns-table --read -o again.tns
is "$(print_of again.tns)" "$(print_of named.tns)" "names with notes"
done_tests
