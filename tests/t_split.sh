#!/usr/bin/env bash
# tns-split: wrong use and bad side files, the same parts from file and pipe, no row lost, persons kept together, all outputs or none.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 300 --size 24x20 | csv-clean -q --size 24x20 -o faces.tns
[ -s faces.tns ] || bad "no faces to split"
ids() { tns-info --head 100000 "$1" | sed -n 's/^id\[[0-9]*\] //p'; }
rows() { ids "$1" | wc -l; }
# refused STATUS TEXT ARGUMENT...: one line, and neither part, nor a temporary file
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "tns-split: $text" tns-split -q "$@"
	[ -z "$(ls -A | grep -E '^\.?(a|b|c)\.tns')" ] || bad "$text: something was left: $(ls -A)"
	rm -f ./*[abc].tns ./.*.tmp
}
two="-o a.tns -o b.tns"

# ---- wrong use ----
refused 2 "--output is given 0 times, not 2 to 64: one for each of --parts 0.8,0.2; try tns-split --help" faces.tns
refused 2 "--output is given 1 times, not 2 to 64" faces.tns -o a.tns
refused 2 "--output: given more than 64 times" faces.tns $(for i in $(seq 65); do echo "-o $i.tns"; done)
refused 2 "--output: two parts can't both go to '-'" faces.tns -o - -o -
refused 2 "--output: two parts can't both go to 'a.tns'" faces.tns -o a.tns -o b.tns -o a.tns --parts 0.5,0.25,0.25
refused 1 "./a.tns: another run is writing it" faces.tns -o a.tns -o ./a.tns
for parts in 0.6,0.3 0.6,0.6 1,0 0.6,0.4,0 0.5,0.25,0.25 x,y 1.5,-0.5 nan,1 '0.6, 0.4' 60,40; do
	refused 2 "--parts: '$parts' is not 2 shares that add up to 1; try tns-split --help" faces.tns --parts "$parts" $two
done
refused 2 "--parts: '0.8,0.2' is not 3 shares that add up to 1" faces.tns $two -o c.tns
for parts in '' 0.5,0.5, ,0.5; do refused 2 "--parts: '$parts': an empty item" faces.tns --parts "$parts" $two; done
refused 1 "faces.tns: there is no tensor idd (did you mean id?)" --by idd faces.tns $two
refused 2 "--by near reads the data twice and needs a file" --by near $two <faces.tns
refused 2 "--by near reads the data twice and needs a file" --by near - $two <faces.tns
refused 2 "--by near reads the data twice and needs a file" --by near <(cat faces.tns) $two
refused 2 "--by and --groups exclude each other" faces.tns --by id --groups g.csv $two
refused 1 "faces.tns: there is no tensor nobody" faces.tns --by nobody $two
refused 1 "faces.tns: image is not one whole number or text a row" faces.tns --by image $two
refused 1 "faces.tns: keypoints is not one whole number or text a row" faces.tns --by keypoints $two
refused 1 "gone.tns: No such file or directory" gone.tns $two
refused 1 "gone.tns: No such file or directory" gone.tns --by near $two
refused 1 "stdin: preamble: the input is empty" $two </dev/null

# ---- wrong groups ----
{ echo id,group; ids faces.tns | awk '{print $1 "," int($1 / 7)}'; } >groups.csv
sed 5d groups.csv >lacks.csv
refused 1 "faces.tns: id 4 has no group in lacks.csv" faces.tns --groups lacks.csv $two
{ cat groups.csv; echo 9,1; } >twice.csv
refused 1 "twice.csv: id 9 stands twice" faces.tns --groups twice.csv $two
sed 's/^8,1$/8,/' groups.csv >none.csv
refused 1 "none.csv: row 8: its group is empty" faces.tns --groups none.csv $two
sed 's/^8,1$/8.5,1/' groups.csv >word.csv
refused 1 "word.csv: row 8: id '8.5' is no whole number from 0 to 4294967295" faces.tns --groups word.csv $two
sed 's/^8,1$/8,1,2/' groups.csv >wide.csv
refused 1 "wide.csv: row 8: 3 fields where the header has 2" faces.tns --groups wide.csv $two
sed '1s/group/person/' groups.csv >header.csv
refused 1 "header.csv: no column group in the header" faces.tns --groups header.csv $two
sed '1s/id/face/' groups.csv >header.csv
refused 1 "header.csv: no column id in the header" faces.tns --groups header.csv $two
: >empty.csv
refused 1 "empty.csv: empty" faces.tns --groups empty.csv $two
refused 1 "gone.csv: No such file or directory" faces.tns --groups gone.csv $two

# ---- all parts or none ----
size=$(stat -c %s faces.tns)
head -c $((size - 70)) faces.tns >cut.tns
refused 1 "cut.tns: record " cut.tns $two
refused 1 "no/such/c.tns: No such file or directory" faces.tns --parts 0.5,0.3,0.2 $two -o no/such/c.tns
refused 1 "/dev/full: No space left on device" faces.tns -o a.tns -o /dev/full
refused 1 "/dev/full: No space left on device" faces.tns -o /dev/full -o a.tns
echo old >a.tns
fails 1 "tns-split: cut.tns: record " tns-split -q cut.tns $two
is "$(cat a.tns)" old "the old file stays"
[ ! -e b.tns ] && good || bad "a part beside a failure"
rm -f a.tns

# ---- parts ----
is "$(tns-info faces.tns | grep -c '^rows\.')" 5 "METAs that come after the rows"
ok "three parts" tns-split -q faces.tns --parts 0.6,0.15,0.25 $two -o c.tns
is "$(for p in a b c; do ids $p.tns; done | sort -n)" "$(ids faces.tns)" "every row in one part"
for p in a b c; do
	is "$(ids $p.tns)" "$(ids $p.tns | sort -n)" "part $p keeps the order"
	is "$(tns-info $p.tns | grep -c '^points: left_eye_center')" 1 "part $p keeps METAs"
	is "$(tns-info $p.tns | grep '^rows\.')" "" "part $p lacks counts of all rows"
	is "$(tns-info $p.tns | grep -c "^  tns-split $VERSION --parts 0.6,0.15,0.25 \[part [123] of 3\] < $(tns-info faces.tns | sed -n 's/fingerprint: //p')$")" 1 "part $p: its history"
done
is "$(($(rows a.tns) > 150 && $(rows a.tns) < 210 && $(rows c.tns) > 45 && $(rows c.tns) < 105))" 1 "shares ($(rows a.tns) of 300)"
# a row's values stay together: one row compared
n=$(ids b.tns | head -1)
is "$(tns-info --head 1 --tensor image b.tns | grep '^image\[1\]' | cut -d' ' -f2- | cksum)" \
	"$(tns-info --head 300 --tensor image faces.tns | grep "^image\[$n\]" | cut -d' ' -f2- | cksum)" "the row's image"
tns-split -q <faces.tns --parts 0.6,0.15,0.25 -o a2.tns -o b2.tns -o c2.tns
cat faces.tns | tns-split -q -t 3 --parts 0.6,0.15,0.25 -o a3.tns -o b3.tns -o - >c3.tns
for p in a b c; do same $p.tns ${p}2.tns "stdin"; same $p.tns ${p}3.tns "a pipe in, a pipe out"; done
tns-split -q faces.tns --seed 2 --parts 0.6,0.15,0.25 -o a2.tns -o b2.tns -o c2.tns
[ "$(ids a.tns)" != "$(ids a2.tns)" ] && good || bad "another seed, the same parts"
ok "what it says" tns-split faces.tns $two
is "$(cat .err)" "tns-split: a.tns: $(rows a.tns) rows
tns-split: b.tns: $(rows b.tns) rows" "the summary"

# ---- groups ----
# together FILE PART...: no group of the CSV is in two parts
together() {
	local csv=$1 p; shift
	for p; do ids "$p" | sed "s/$/ $p/"; done >where
	is "$(awk -F, 'NR == FNR {if (FNR > 1) g[$1] = $2; next} {split($0, w, " "); k = g[w[1]]; if (k in part && part[k] != w[2]) n++; part[k] = w[2]} END {print n + 0}' "$csv" where)" 0 "groups of $csv torn"
}
ok "groups" tns-split -q faces.tns --groups groups.csv --parts 0.5,0.5 $two
together groups.csv a.tns b.tns
is "$(($(rows a.tns) > 60 && $(rows b.tns) > 60))" 1 "both parts have rows"
{ head -1 groups.csv; sed 1d groups.csv | sort -R; } | sed '1s/id/row/' | gzip >mixed.csv.gz
ok "groups in another order, gzip, column row" tns-split -q faces.tns --groups mixed.csv.gz --parts 0.5,0.5 -o a2.tns -o b2.tns
is "$(ids a.tns)" "$(ids a2.tns)" "the same parts from them"
is "$(tns-info a.tns | grep -c '\[part 1 of 2, groups [0-9a-f]\{8\}\]')" 1 "the groups' checksum in the history"
tns-info a.tns | grep -q 'groups.csv' && bad "a path in the history" || good
sed '2,$s/,/.0,/; 2,$s/$/.0/' groups.csv >real.csv
ok "numbers as data frames write them" tns-split -q faces.tns --groups real.csv --parts 0.5,0.5 -o a2.tns -o b2.tns
is "$(ids a.tns)" "$(ids a2.tns)" "the same parts from them"
# the parts of these numbers with seed 1 are what they always were
is "$(ids a.tns | cksum)" "2769489572 427" "the parts of numbers"
# names: together, the same in any order, other parts by another seed; beside them numbers keep their parts
awk -F, -v OFS=, 'NR > 1 {$2 = "Anna " $2 "-B\303\244r"} {print}' groups.csv >names.csv
ok "groups by name" tns-split -q faces.tns --groups names.csv --parts 0.5,0.5 $two
together names.csv a.tns b.tns
is "$(($(rows a.tns) > 60 && $(rows b.tns) > 60))" 1 "both parts have rows of names ($(rows a.tns))"
sed 's/,\(Anna.*\)/, "\1" /' names.csv | { read -r h; echo "$h"; sort -R; } >names2.csv
ok "names in quotes, in another order" tns-split -q faces.tns --groups names2.csv --parts 0.5,0.5 -o a2.tns -o b2.tns
is "$(ids a.tns)" "$(ids a2.tns)" "the same parts from them"
ok "another seed" tns-split -q faces.tns --groups names.csv --seed 2 --parts 0.5,0.5 -o a2.tns -o b2.tns
[ "$(ids a.tns)" != "$(ids a2.tns)" ] && good || bad "names: another seed, the same parts"
tns-split -q faces.tns --groups groups.csv --parts 0.5,0.5 -o a2.tns -o b2.tns
awk -F, -v OFS=, 'NR == FNR {name[$1] = $2; next} FNR > 1 && $2 % 2 {$2 = name[$1]} {print}' names.csv groups.csv >both.csv
ok "numbers and names" tns-split -q faces.tns --groups both.csv --parts 0.5,0.5 -o a3.tns -o b3.tns
together both.csv a3.tns b3.tns
is "$(ids a3.tns)" "$({ ids a.tns | awk 'int($1 / 7) % 2'; ids a2.tns | awk 'int($1 / 7) % 2 == 0'; } | sort -n)" "each keeps its part"
ok "by id" tns-split -q faces.tns --by id --parts 0.5,0.5 $two
ok "near" tns-split -q faces.tns --by near --parts 0.5,0.5 $two
is "$(for p in a b; do ids $p.tns; done | sort -n)" "$(ids faces.tns)" "near: every row in one part"
for n in 1 2; do tns-split -q -t $n faces.tns --by near --parts 0.5,0.5 -o a$n.tns -o b$n.tns; done
same a1.tns a2.tns "near: threads"
ok "near, not quiet" tns-split faces.tns --by near --parts 0.5,0.5 $two
is "$(head -1 .err)" "tns-split: near: rows of one person may still be in several parts, and flatter held-out scores; --groups FILE prevents it" "near: what it can't do"

# ---- META split: how rows were kept apart ----
# word WORD OPTION...: both parts have it
word() {
	local word=$1; shift
	tns-split -q faces.tns --parts 0.5,0.5 "$@" $two
	is "$(for p in a b; do tns-info $p.tns | grep '^split:'; done)" "split: $word
split: $word" "META split of: $*"
}
word rows
word rows --by row
word "tensor id" --by id
word near --by near
word groups --groups groups.csv
tns-split -q a.tns --parts 0.5,0.5 -o a2.tns -o b2.tns
is "$(tns-info a2.tns | grep '^split:')" "split: groups,rows" "a part of a part"
tns-split -q --by near a2.tns --parts 0.5,0.5 -o a3.tns -o b3.tns
is "$(tns-info b3.tns | grep '^split:')" "split: groups,rows,near" "a part of that"
ok "a net" cnn-train -q -n fc -e 1 a.tns -o fc.tns
is "$(predict -q fc.tns b.tns | tns-info - | grep '^split:')" "split: groups" "predict keeps it"
is "$(patch-extract -q --around nose_tip --size 5x5 b.tns | tns-info - | grep '^split:')" "split: groups" "patch-extract keeps it"

done_tests
