#!/usr/bin/env bash
# tns-cat: rows of all inputs in order, points, classes and sources by name, METAs merged; what doesn't match names both files; memory.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 60 --size 16x16 --test test.csv --test-count 5 | csv-clean -q --keep-all -o all.tns 2>/dev/null
tns-select -q --rows 1-20 all.tns -o a.tns
tns-select -q --rows 21-22 all.tns -o b.tns
tns-select -q --rows 23- all.tns -o c.tns
[ -s c.tns ] || bad "no data sets to join"
values() { tns-info --head 100000 "$1" | sed -n "s/^$2\[[0-9]*\] //p"; }
ids() { values "$1" id | paste -sd ' '; }
tensors() { tns-info "$1" | awk 'NR == 1 {next} /^[a-z._]*:/ {exit} {print $1 ":" $3}' | paste -sd ' '; }
# refused STATUS TEXT ARGUMENT...: one line, no file
refused() {
	local status=$1 text=$2; shift 2
	rm -f out.tns
	fails "$status" "tns-cat: $text" tns-cat "$@" -o out.tns
	[ -z "$(ls -A | grep -E '^\.?out\.tns')" ] || bad "$text: a file was left"
}

# ---- the parts of a set make the set ----
ok "three" tns-cat a.tns b.tns c.tns -o out.tns
is "$(cat .err)" "" "nothing is said"
is "$(tns-info out.tns | sed '/^rows\./d; /^labels\./d; /^history/,$d')" "$(tns-info all.tns | sed '/^rows\./d; /^labels\./d; /^history/,$d')" "tensors and METAs"
for t in image keypoints id; do is "$(values out.tns $t | cksum)" "$(values all.tns $t | cksum)" "rows: $t"; done
is "$(tns-info out.tns | sed -n '/^history/,/^finger/p' | sed -n '2,5p')" "  csv-clean $VERSION --keep-all
  tns-select $VERSION --rows 1-20 < $(print_of all.tns)
  tns-select $VERSION --rows 21-22 < $(print_of all.tns)
  tns-select $VERSION --rows 23- < $(print_of all.tns)" "the histories of all"
is "$(tns-info out.tns | grep '^  tns-cat')" "  tns-cat $VERSION < $(print_of a.tns) $(print_of b.tns) $(print_of c.tns)" "its own line"
tns-cat -q all.tns all.tns -o twice.tns && tns-select -q --sort -id all.tns -o sorted.tns && tns-split -q all.tns -o part1.tns -o part2.tns
tns-join -q --inner all.tns a.tns -o inner.tns
is "$(for f in all twice sorted; do meta $f.tns rows.read; done)" $'60\n120\n60' "counts are added up"
is "$(for f in a part1 inner out; do meta $f.tns rows.read; done)" "" "what lacks rows has none"
cp out.tns want.tns
cat b.tns | tns-cat -q a.tns - c.tns >out.tns && same want.tns out.tns "stdin in the middle"
tns-cat -t 2 <(cat a.tns) b.tns <(cat c.tns) | cat >out.tns && same want.tns out.tns "pipes"
ok "one" tns-cat a.tns -o out.tns
is "$(tns-info out.tns | sed '/^history/,$d')" "$(tns-info a.tns | sed '/^history/,$d')" "one input stays as it is"
tns-cat <a.tns >out2.tns && same out.tns out2.tns "no operand is stdin"
tns-select -q --where 'id<0' all.tns -o empty.tns
ok "with one without rows" tns-cat empty.tns a.tns empty.tns -o out.tns
is "$(ids out.tns)" "$(ids a.tns)" "its rows"
ok "without any" tns-cat empty.tns empty.tns -o out.tns
is "$(tensors out.tns | cut -d' ' -f3)" "id:0" "an empty data set"

# ---- ids ----
is "$(tns-cat a.tns b.tns a.tns 2>&1 >out.tns)" "tns-cat: 20 rows have an id that a row before them has, the first is 1 in a.tns (--renumber makes them 1, 2, ...)" "repeated ids"
is "$(ids out.tns)" "$(ids a.tns) $(ids b.tns) $(ids a.tns)" "they stay"
is "$(tns-cat -q a.tns a.tns 2>&1 >out.tns)" "" "-q"
is "$(tns-cat --renumber c.tns a.tns a.tns 2>&1 >out.tns)" "" "renumbered"
is "$(ids out.tns)" "$(seq -s ' ' 78)" "ids from 1"
tns-select --without id a.tns -o ni.tns
refused 1 "ni.tns: there is no tensor id, one u32 a row, to renumber" --renumber ni.tns

# ---- points ----
tns-select --points 'nose_tip,left_eye_center,right_eye_center' a.tns -o three.tns
tns-select --points 'right_eye_center,mouth_left_corner,left_eye_center' b.tns -o other.tns
ok "other points" tns-cat three.tns other.tns -o out.tns
is "$(meta out.tns points)" "nose_tip,left_eye_center,right_eye_center,mouth_left_corner" "in the order of their first appearance"
is "$(meta out.tns pairs)" "nose_tip,left_eye_center:right_eye_center" "pairs"
is "$(values out.tns keypoints)" "$(values a.tns keypoints | awk '{print $21, $22, $1, $2, $3, $4, "nan", "nan"}'
	values b.tns keypoints | awk '{print "nan", "nan", $1, $2, $3, $4, $23, $24}')" "coordinates, and NaN"
ok "more points of a pair" tns-cat other.tns c.tns -o out.tns
is "$(meta out.tns pairs | tr , '\n' | sort)" "$(meta all.tns pairs | sed 's/left_eye_center:right_eye_center/right_eye_center:left_eye_center/' | tr , '\n' | sort)" "pairs of both"
cnn-train -q -n 'conv3x3x4s4p1 relu conv1x1' --target heatmap -e 1 three.tns -o three.model 2>/dev/null
cnn-train -q -n 'conv3x3x4s4p1 relu conv1x1' --target heatmap -e 1 other.tns -o other.model 2>/dev/null
predict -q --maps three.model three.tns -o p3.tns
predict -q --maps other.model other.tns -o po.tns
ok "predictions" tns-cat p3.tns po.tns -o out.tns
is "$(values out.tns predicted)" "$(values p3.tns predicted | sed 's/$/ nan nan/'; values po.tns predicted | awk '{print "nan", "nan", $5, $6, $1, $2, $3, $4}')" "predicted"
is "$(values out.tns confidence)" "$(values p3.tns confidence | sed 's/$/ nan/'; values po.tns confidence | awk '{print "nan", $3, $1, $2}')" "confidence"
is "$(tensors out.tns | tr ' ' '\n' | grep ^maps)" "maps:22,4,4,4" "maps"
is "$(values out.tns maps | awk 'NR > 20 {print $17, $33, $49, $1}')" "$(values po.tns maps | awk '{print $33, $1, $17, "nan"}')" "maps of points"
is "$(tns-select --where 'error>=0' --sort error --only id out.tns | tns-info --head 100 | sed -n 's/^id\[.* //p' | sort -n | xargs)" "$(seq -s ' ' 22)" "each row has its error"

# what does not match names both
tns-select --rename left_eye_center=x,right_eye_center=left_eye_center --rename mouth_left_corner=right_eye_center --points '*eye_center,mouth*' b.tns -o swap.tns
refused 1 "swap.tns: META pairs: the partner of left_eye_center is not the one that a.tns says" a.tns swap.tns
tns-select --drop right_eye_center b.tns | tns-select --rename left_eye_inner_corner=right_eye_center -o swap.tns
refused 1 "swap.tns: META pairs: the partner of right_eye_center is not the one that a.tns says" a.tns swap.tns
face-synth -q -n 9 --size 12x16 | csv-clean -q --keep-all --size 12x16 -o size.tns 2>/dev/null
refused 1 "size.tns: image is u8 (rows, 16, 12), in a.tns it is u8 (rows, 16, 16)" a.tns size.tns
refused 1 "b.tns: image is u8 (rows, 16, 16), in size.tns it is u8 (rows, 16, 12)" size.tns b.tns
csv-clean -q test.csv -o test.tns
refused 1 "test.tns: there is no tensor keypoints, which a.tns has (--common takes those that all have)" a.tns test.tns
refused 1 "test.tns: there is no tensor keypoints, which a.tns has" test.tns a.tns
ok "common" tns-cat -q --common a.tns test.tns -o out.tns
is "$(tensors out.tns) $(meta out.tns points)$(meta out.tns pairs)" "image:25,16,16 id:25 " "what all have; no METAs of points"
tns-select --only keypoints a.tns -o k.tns
tns-select --only id a.tns -o i.tns
refused 1 "k.tns: there is no tensor that all have" --common k.tns i.tns
patch-extract -q --around nose_tip --size 5x5 --random 1 a.tns -o pa.tns
patch-extract -q --around nose_tip --size 5x5 --random 1 --name nose b.tns -o pb.tns
cnn-train -q --target label -n fc -e 1 pa.tns -o label.model 2>/dev/null
refused 1 "label.model: a model, not a data set: it has no rows" a.tns label.model
refused 1 "gone.tns: No such file or directory" a.tns gone.tns
refused 2 "stdin can be read only once" a.tns - - <b.tns
refused 1 "stdin: preamble: the input is empty" a.tns - </dev/null
fails 2 "tns-cat: --output a2.tns: is the input a2.tns" bash -c 'cp a.tns a2.tns; tns-cat b.tns a2.tns -o a2.tns'
same a.tns a2.tns "an input as output"

# ---- classes ----
ok "classes" tns-cat pa.tns pb.tns pa.tns -o out.tns
is "$(meta out.tns classes)" "other,part,nose" "by name"
is "$(values out.tns label | xargs)" "$({ values pa.tns label; values pb.tns label | sed s/1/2/; values pa.tns label; } | xargs)" "labels renumbered"
is "$(values out.tns source | cksum)" "$({ values pa.tns source; values pb.tns source; values pa.tns source; } | cksum)" "sources of patches stay"
predict -q label.model pa.tns -o sa.tns
predict -q label.model pa.tns | tns-cat sa.tns - -o out.tns && is "$(meta out.tns classes)" "other,part" "scores of the same classes" || bad "scores of the same classes"

# ---- sources ----
mkdir d
cp b.tns d/a.tns
ok "sources" tns-cat --source a.tns d/a.tns b.tns -o out.tns
is "$(meta out.tns sources)" "a.tns,a.tns (2),b.tns" "base names"
is "$(values out.tns file | xargs)" "$({ yes 0 | head -20; echo 1 1 2 2; } | xargs)" "numbers into them"
is "$(tensors out.tns)" "image:24,16,16 keypoints:24,15,2 id:24 file:24" "after the other tensors"
mv out.tns ab.tns
cat c.tns | tns-cat -q --source c.tns ab.tns - b.tns -o out.tns
is "$(meta out.tns sources)" "c.tns,a.tns,a.tns (2),b.tns,stdin,b.tns (2)" "sources of sources"
is "$(values out.tns file | uniq -c | awk '{print $1 "x" $2}' | xargs)" "38x0 20x1 2x2 2x3 38x4 2x5" "numbers into all"
tns-cat -q --source b.tns a.tns -o ba.tns
ok "sources by name" tns-cat -q ab.tns ba.tns -o out.tns
is "$(meta out.tns sources)" "a.tns,a.tns (2),b.tns" "sources by name"
is "$(values out.tns file | uniq -c | awk '{print $1 "x" $2}' | xargs)" "20x0 2x1 4x2 20x0" "renumbered"
refused 1 "a.tns: there is no tensor file, which ab.tns has" ab.tns a.tns

# ---- broken inputs: none is taken, and nothing is left ----
size=$(stat -c %s b.tns)
head -c $((size - 70)) b.tns >cut.tns
head -c 100 b.tns >head.tns
{ head -c 900 b.tns; printf '\377\377'; tail -c +903 b.tns; } >flip.tns
for f in cut head flip; do
	refused 1 "$f.tns: record " a.tns $f.tns
	refused 1 "$f.tns: record " $f.tns a.tns
	refused 1 "stdin: record " a.tns - c.tns <$f.tns
done
echo old >old.tns
fails 1 "tns-cat: cut.tns: record " tns-cat a.tns cut.tns -o old.tns
is "$(cat old.tns)" old "the old file stays"
tns-select -q --rows 99 b.tns 2>/dev/null | tns-cat a.tns - 2>err1 | tns-info --check 2>err2
is "${PIPESTATUS[*]}" "1 1 1" "a producer that fails"
grep -q "^tns-cat: stdin: record .*: its producer gave up: b.tns: --rows: 99: there are 2 rows" err1 && grep -q "its producer gave up: stdin: " err2 && good || bad "the reason: $(cat err1 err2)"

# a file that changes after its head was read, before its rows
cp a.tns first.tns
mkfifo fifo
{ exec >fifo; mv size.tns first.tns; cat b.tns; } & # opens after the first head was read
refused 1 "first.tns: changed while it was read" first.tns fifo
wait
cp a.tns first.tns
tns-select -q --rename left_eye_center=eye a.tns -o renamed.tns
is "$(tns-info a.tns | grep -c '^points:.*left_eye_center,')" 1 "a point to rename"
{ exec >fifo; mv renamed.tns first.tns; cat b.tns; } & # only the value of a META
refused 1 "first.tns: changed while it was read" first.tns fifo
wait

# ---- memory: many files and many rows, one input's block at a time ----
face-synth -q -n 1500 --size 96x96 | csv-clean -q -o big.tns
limit=(prlimit --data=50331648)
case $BIN in *-san*) limit=(env) ;; esac
ok "much in 48 MiB" bash -o pipefail -c "${limit[*]} $BIN/tns-cat -q $(for i in $(seq 40); do echo -n 'big.tns '; done) | tns-info --check"
# points of a set without META pairs have the partners that names spell, beside a set with it
tns-select -q --points 'left_eye_center,right_eye_center,nose_tip' a.tns -o few.tns
tns-table -q --notes no --image a.tns | tns-table --read -q - -o unpaired.tns
is "$(meta few.tns pairs) $(meta unpaired.tns pairs)" "left_eye_center:right_eye_center,nose_tip " "one has META pairs"
tns-cat -q --renumber few.tns unpaired.tns -o both.tns
n=0; rename=(); for p in $(meta unpaired.tns points | tr , ' '); do rename+=(--rename "$p=$((n += 1))"); done
tns-select -q "${rename[@]}" unpaired.tns | tns-cat -q --renumber few.tns - -o numbers.tns
is "$(meta numbers.tns pairs)" "$(meta few.tns pairs)" "numbers say nothing"
is "$(meta both.tns pairs | tr , '\n' | grep -c ':')" "$(meta a.tns pairs | tr , '\n' | grep -c ':')" "pairs by names"
done_tests
