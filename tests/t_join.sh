#!/usr/bin/env bash
# tns-join: each row gets its partner's tensors by id, position or another tensor, whatever the order of rows and points; who has no
# partner; tensors that both have; the same bytes by file and pipe; refusals without a file.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 40 --size 12x10 --point-count 4 -s 3 -o all.csv
IFS=, read -r -a column < <(sed 's/_[xy]//g; 1q' all.csv)
P=("${column[0]}" "${column[2]}" "${column[4]}" "${column[6]}")
clean() { csv-clean -q --keep-all --size 12x10 "$@" 2>/dev/null; }
awk -F, -v OFS=, 'NR == 1 {print "ImageId", $0; next} {print 500 - 3 * NR, $0}' all.csv >id.csv
clean id.csv -o faces.tns
train() { cnn-train -q -n 'conv3x3p1' --target heatmap -e 1 faces.tns "$@" 2>/dev/null; }
train -o model.tns
predict -q --maps model.tns faces.tns -o want.tns
# the same rows and points in another order, then predicted: what B gives must not depend on it
{ head -1 id.csv; sed 1d id.csv | sort -t, -k4; } | awk -F, -v OFS=, '{print $6, $7, $2, $3, $8, $9, $1, $4, $5, $10}' >other.csv
clean other.csv -o other.tns
predict -q --maps model.tns other.tns -o answers.tns
is "$(tns-info answers.tns | sed -n 's/^points: //p')" "${P[2]},${P[0]},${P[3]},${P[1]}" "B's points stand in another order"
values() { tns-info --head 1000 --tensor "$1" "$2" | sed '/^tensor/,$d'; }
tensors() { tns-info "$1" | awk '$2 ~ /^[uif][0-9]+$/ {print $1, $2, $3}' | paste -sd ' '; }
# refused STATUS TEXT ARGUMENT...: one line, and no file
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "tns-join: $text" tns-join "$@" -o out.tns
	[ -z "$(ls -A | grep -E '^\.?out\.tns')" ] || bad "$text: something was left: $(ls -A)"
}

# ---- by id ----
ok "by id" tns-join faces.tns answers.tns -o joined.tns
is "$(cat .out .err)" "" "nothing to say where all have partners"
is "$(tensors joined.tns)" "$(tensors want.tns)" "A's tensors, then those that A lacks"
for t in image keypoints id predicted confidence maps; do
	is "$(values $t joined.tns | cksum)" "$(values $t want.tns | cksum)" "$t, whatever the order of B's rows and points"
done
is "$(tns-info joined.tns | sed -n 's/^points: //p')" "${P[0]},${P[1]},${P[2]},${P[3]}" "A's META points stays"
is "$(score joined.tns)" "$(score want.tns)" "the same score"
is "$(tns-info joined.tns | sed -n '/^history/,/^fingerprint/p' | tail -2 | head -1)" "  tns-join $VERSION < $(print_of faces.tns) $(print_of answers.tns)" "its line in the history"
is "$(tns-info joined.tns | grep -c "^  predict $VERSION")" 1 "B's history"
tns-join - answers.tns <faces.tns >out.tns && same joined.tns out.tns "A from stdin"
cat answers.tns | tns-join -q -t 2 faces.tns - | cat >out.tns && same joined.tns out.tns "B from a pipe"
tns-join <(cat faces.tns) <(cat answers.tns) >out.tns && same joined.tns out.tns "both from pipes"
gzip -k answers.tns
tns-join faces.tns answers.tns.gz >out.tns
is "$(values maps out.tns | cksum)" "$(values maps want.tns | cksum)" "B as gzip"
rm -f out.tns

# ---- which tensors ----
ok "--take" tns-join --take confidence,predicted faces.tns answers.tns -o out.tns
is "$(tensors out.tns)" "image u8 40,10,12 keypoints f32 40,4,2 id u32 40 predicted f32 40,4,2 confidence f32 40,4" "in B's order"
ok "--prefix" tns-join --prefix b/ want.tns answers.tns -o out.tns
is "$(tensors out.tns | tr ' ' '\n' | grep / | paste -sd ' ')" "b/image b/keypoints b/predicted b/confidence b/maps b/trained" "equal names with a prefix"
for t in image keypoints predicted confidence maps; do is "$(values b/$t out.tns | sed 's,^b/,,' | cksum)" "$(values $t want.tns | cksum)" "b/$t"; done
ok "a joined set once more, with a prefix" tns-join --take b/predicted other.tns out.tns -o again.tns
is "$(values b/predicted again.tns | sed 's/.*\] //' | sort)" "$(values predicted answers.tns | sed 's/.*\] //' | sort)" "points behind a prefix, too"
rm -f again.tns
mv out.tns twice.tns
refused 1 "answers.tns: image would be called b/image, which twice.tns has; another --prefix" --prefix b/ twice.tns answers.tns
ok "tensors that are the same" tns-join want.tns answers.tns -o out.tns
is "$(tensors out.tns)" "$(tensors want.tns)" "are not taken twice"
rm -f out.tns
train -s 2 -o model2.tns
predict -q --maps model2.tns other.tns -o second.tns
refused 1 "want.tns: row 1 (id 494): its predicted is not that of second.tns; --prefix P keeps both, --take NAMES chooses others" want.tns second.tns
csv-clean -q --keep-all <(sed '2,$s/,[^,]*$/,1 2 3 4 5 6/' id.csv) --size 3x2 -o small.tns
refused 1 "small.tns: image is of another type or shape than in faces.tns; --prefix renames it, --take chooses others" faces.tns small.tns
ok "another size beside it" tns-join --prefix small. --take image faces.tns small.tns -o out.tns
is "$(tensors out.tns)" "image u8 40,10,12 keypoints f32 40,4,2 id u32 40 small.image u8 40,2,3" "images of two sizes"
rm -f out.tns

# ---- rows without a partner ----
tns-split -q --parts 0.5,0.5 answers.tns -o half.tns -o rest.tns
ids() { values id "$1" | sed 's/.* //'; }
first=$(ids faces.tns | grep -nvxFf <(ids half.tns) | head -1)
refused 1 "faces.tns: row ${first%:*} (id ${first#*:}): no partner in half.tns; --inner drops such rows, --left keeps them" faces.tns half.tns
tns-split -q --parts 0.5,0.5 -s 4 faces.tns -o some.tns -o more.tns
ok "only B's rows are too many" tns-join --left some.tns answers.tns -o out.tns
is "$(cat .err)" "tns-join: $(ids some.tns | wc -l) rows; without a partner: 0 of some.tns (NaN), $(ids more.tns | wc -l) of answers.tns (dropped)" "counted"
rm -f out.tns
first=$(ids answers.tns | grep -nvxFf <(ids some.tns) | head -1)
refused 1 "answers.tns: row ${first%:*} (id ${first#*:}): no partner in some.tns; --inner drops such rows" some.tns answers.tns
ok "--inner" tns-join --inner some.tns half.tns -o out.tns
is "$(ids out.tns)" "$(ids some.tns | grep -xFf <(ids half.tns))" "A's order, who has a partner"
n=$(ids out.tns | wc -l)
is "$(cat .err)" "tns-join: $n rows; without a partner: $(($(ids some.tns | wc -l) - n)) of some.tns (dropped), $(($(ids half.tns | wc -l) - n)) of half.tns (dropped)" "both counted"
tns-join -q --inner some.tns half.tns -o out.tns 2>.err
is "$(cat .err)" "" "-q"
ok "--left" tns-join --left --take predicted,confidence faces.tns half.tns -o out.tns
is "$(ids out.tns)" "$(ids faces.tns)" "all rows of A"
is "$(paste -d ' ' <(ids out.tns) <(values confidence out.tns) | awk '$3 == "nan" && $6 == "nan" {print $1}')" "$(ids faces.tns | grep -vxFf <(ids half.tns))" "NaN without a partner"
is "$(values predicted out.tns | grep -v nan)" "$(paste -d '\t' <(ids faces.tns) <(values predicted want.tns) | awk -F'\t' 'NR == FNR {has[$1]; next} $1 in has {print $2}' <(ids half.tns) -)" "values with one"
rm -f out.tns
tns-join -q --prefix b/ --take image faces.tns half.tns --inner -o with.tns
first=$(ids faces.tns | grep -nvxFf <(ids with.tns) | head -1)
refused 1 "faces.tns: row ${first%:*} (id ${first#*:}): no partner in with.tns, and its b/image is u8, which has no NaN; --take names tensors without it" --left faces.tns with.tns

# ---- by position, by another tensor ----
clean all.csv -o plain.tns
refused 1 "plain.tns: row 1 (id 1): no partner in answers.tns" plain.tns answers.tns
ok "by row" tns-join --by row --take predicted,keypoints,image plain.tns want.tns -o out.tns
is "$(values predicted out.tns | cksum)" "$(values predicted want.tns | cksum)" "by position"
rm -f out.tns
refused 1 "plain.tns: row 1: its id is not that of want.tns" --by row plain.tns want.tns
tns-split -q --parts 0.5,0.5 plain.tns -o short.tns -o long.tns
n=$(ids short.tns | wc -l)
refused 1 "plain.tns: row $((n + 1)): no partner in short.tns" --by row --prefix b/ plain.tns short.tns
refused 1 "plain.tns: row $((n + 1)): no partner in short.tns; --inner drops such rows" --by row --prefix b/ short.tns plain.tns
patch-extract -q --around "${P[0]}" --size 3x3 --flip --negatives 2 plain.tns -o patches.tns
refused 1 "patches.tns: there is no tensor id to join by (there are image, label, source); --by row joins by position" patches.tns plain.tns
# several rows of A may have one partner
patch-extract -q --around "${P[1]}" --size 3x3 plain.tns -o eyes.tns
tns-join -q --by source --prefix eye. patches.tns eyes.tns -o out.tns
is "$(paste -d ' ' <(values source out.tns) <(values eye.image out.tns) | cut -d' ' -f2,4- | sort -u)" "$(paste -d ' ' <(values source eyes.tns) <(values image eyes.tns) | cut -d' ' -f2,4- | sort -u)" "by source"
is "$(values source out.tns | cksum)" "$(values source patches.tns | cksum)" "rows of A that share a partner"
rm -f out.tns
refused 1 "patches.tns: row 2 (source 1) stands in row 1 already" --by source patches.tns patches.tns
refused 1 "patches.tns: image is not one whole number a row" --by image patches.tns patches.tns
refused 1 "faces.tns: there is no tensor nobody to join by" --by nobody faces.tns answers.tns

# ---- points that are not the same ----
clean <(sed "1s/${P[0]}_/chin_/g" id.csv) -o chin.tns
refused 1 "chin.tns: its points are not those of want.tns, so its keypoints is not joined; --take names what is" want.tns chin.tns
ok "but for their points" tns-join --take image want.tns chin.tns -o out.tns
is "$(tns-info out.tns | sed -n 's/^p[oa]i[a-z]*: //p')" "$(tns-info want.tns | sed -n 's/^p[oa]i[a-z]*: //p')" "A's METAs of points"

# ---- refused ----
rm -f out.tns
refused 1 "model.tns: a model, not a data set: it has no rows" faces.tns model.tns
refused 1 "model.tns: a model, not a data set: it has no rows" model.tns faces.tns
refused 1 "answers.tns: there is no tensor nothing" --take predicted,nothing faces.tns answers.tns
refused 1 "gone.tns: No such file or directory" faces.tns gone.tns
refused 1 "gone.tns: No such file or directory" gone.tns faces.tns
refused 1 "stdin: preamble: the input is empty" faces.tns - </dev/null
refused 2 "A and B can't both be stdin; try tns-join --help" - -
refused 2 "too few operands" faces.tns
refused 2 "--inner and --left exclude each other" --inner --left faces.tns answers.tns
refused 2 "--prefix: 'b b' is no beginning of a tensor's name" --prefix 'b b' faces.tns answers.tns
refused 2 "--prefix: '' is no beginning" --prefix '' faces.tns answers.tns
for f in faces answers; do
	head -c $(($(stat -c %s $f.tns) - 70)) $f.tns >cut.tns
	{ head -c 3000 $f.tns; printf '\377'; tail -c +3002 $f.tns; } >flip.tns
	for bad in cut flip; do
		if [ $f = faces ]; then set -- $bad.tns answers.tns; else set -- faces.tns $bad.tns; fi
		refused 1 "$bad.tns: record " "$@"
	done
done
echo old >old.tns
fails 1 "tns-join: cut.tns: record " tns-join faces.tns cut.tns -o old.tns
is "$(cat old.tns)" old "the old file stays"
head -c $(($(stat -c %s faces.tns) - 70)) faces.tns | tns-join - answers.tns 2>/dev/null | tns-info --check 2>.err
grep -q 'its producer gave up: stdin: record' .err && good || bad "the reason is not passed on: $(cat .err)"

# METAs of predictions go with them: another model's, which learned a point less, beside these, and instead of none
awk -F, -v OFS=, -v p="${P[3]}" 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == p "_x" || $i == p "_y") gone[i]} NR > 1 {for (i in gone) $i = ""} {print}' id.csv >less.csv
clean less.csv -o less.tns
cnn-train -q -n 'conv3x3p1' --target heatmap -e 1 less.tns -o less-model.tns 2>/dev/null
predict -q less-model.tns faces.tns -o less-answers.tns
is "$(meta less-answers.tns unlearned)" "${P[3]}" "a point that was not learned"
tns-join --take predicted --prefix other. want.tns less-answers.tns -o beside.tns
is "$(score -q beside.tns | head -1)" "$(score -q want.tns | head -1)" "the first one's score, with the other's predictions beside it"
is "$(meta beside.tns unlearned)" "" "no META of what is not taken"
tns-select -q --without predicted,confidence less-answers.tns -o without.tns
is "$(meta without.tns unlearned)$(meta without.tns mean_face)" "" "tns-select: predictions go with their METAs"
for a in faces less-answers; do
	tns-select -q --without predicted,confidence $a.tns -o bare.tns 2>/dev/null || cp $a.tns bare.tns
	tns-join --take predicted,confidence bare.tns want.tns -o taken.tns
	is "$(score -q taken.tns | head -1), $(meta taken.tns mean_face)" "$(score -q want.tns | head -1), $(meta want.tns mean_face)" "$a: METAs of what is taken"
done

# points behind a prefix, and any that the data set's names count: in the order of META points
tns-select -q --points "${P[3]},${P[0]},*" beside.tns -o turned.tns
for c in predicted other.predicted; do
	for p in "${P[@]}"; do is "$(tns-table -q --fields "${c}_${p}_x" turned.tns | cksum)" "$(tns-table -q --fields "${c}_${p}_x" beside.tns | cksum)" "$c $p: chosen in another order"; done
done
is "$(tns-cat -q --renumber beside.tns turned.tns | tns-table -q --fields "other.predicted_${P[0]}_x" | sed 1d | sort | uniq -c | awk '$1 % 2' | wc -l)" 0 "tns-cat: likewise"

# points without names are matched with none
if command -v unzip >/dev/null && command -v zip >/dev/null; then
	tns-convert -q faces.tns -o faces.npz && unzip -qo faces.npz -d arrays && rm -f arrays/__meta__* && (cd arrays && zip -q0 ../bare.npz ./*.npy)
	tns-convert -q bare.npz -o nameless.tns
	fails 1 "predict: nameless.tns: there is no META points to match the model's by" predict -q model.tns nameless.tns -o out.tns
else
	skip "no zip here: predictions for points without names"
fi
done_tests
