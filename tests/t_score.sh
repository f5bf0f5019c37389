#!/usr/bin/env bash
# score on predict's output: its figures recomputed by awk from the values; the same from file, pipe and --truth; refusals.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

# with labels missing as in the competition's data
face-synth -q -n 120 --size 36x28 --dirt --test test.csv --test-count 10 | csv-clean -q --keep-all --size 36x28 -o faces.tns 2>/dev/null
cnn-train -q -n 'fc8 relu fc' -e 1 faces.tns -o model.tns
ok "predictions" predict -q model.tns faces.tns -o answers.tns
[ "$(tns-info answers.tns | awk '/^keypoints/ {print $NF}')" -gt 100 ] && good || bad "no label is missing, so masks aren't tested"
figure() { sed -n "s/^$1 //p" "$2"; }
close() { is "$(awk -v a="$1" -v b="$2" 'BEGIN {d = a - b; print (d < 2e-5 && d > -2e-5 && a != "" && b != "") ? "close" : a " and " b}')" close "$3"; }

# ---- figures, recomputed ----
ok "points" score answers.tns -o score.txt
tns-info --head 1000 answers.tns | awk '
	/^keypoints\[/ {sub(/^keypoints/, ""); for (i = 2; i <= NF; i++) t[$1, i] = $i}
	/^predicted\[/ {sub(/^predicted/, ""); for (i = 2; i <= NF; i++) p[$1, i] = $i; n = NF; row[$1]}
	END {
		for (r in row)
			for (i = 2; i < n; i += 2) {
				for (k = i; k < i + 2; k++) if (t[r, k] != "nan") {e = p[r, k] - t[r, k]; s += e * e; c++}
				if (t[r, i] == "nan" || t[r, i + 1] == "nan") continue
				d = sqrt((p[r, i] - t[r, i]) ^ 2 + (p[r, i + 1] - t[r, i + 1]) ^ 2)
				sum += d; points++; w1 += d <= 1; w2 += d <= 2; w3 += d <= 3; w5 += d <= 5
				ex = t[r, 2] - t[r, 4]; ey = t[r, 3] - t[r, 5]
				if (t[r, 2] != "nan" && t[r, 3] != "nan" && t[r, 4] != "nan" && t[r, 5] != "nan") {norm += d / sqrt(ex * ex + ey * ey); m++}
			}
		print "rmse_px", sqrt(s / c); print "coordinates", c; print "points", points; print "mean_px", sum / points
		print "within_1px", w1 / points; print "within_2px", w2 / points; print "within_3px", w3 / points; print "within_5px", w5 / points
		print "normalised_error", norm / m
	}' OFMT=%.9g >want.txt
is "$(head -1 score.txt | cut -d' ' -f1)" rmse_px "the first line is the figure to quote"
for f in rmse_px mean_px normalised_error; do close "$(figure $f score.txt)" "$(figure $f want.txt)" "$f"; done
for f in coordinates points; do is "$(figure $f score.txt)" "$(figure $f want.txt)" "$f"; done
for f in 1 2 3 5; do is "$(figure within_${f}px score.txt)" "$(printf %.4f "$(figure within_${f}px want.txt)")" "within ${f}px"; done
is "$(figure rows score.txt)" 120 rows
is "$(grep -c '^[a-z_]* *[0-9]* *[0-9.]* *[0-9.]* *[01]\.[0-9]\{4\} ' score.txt)" 15 "a line a point"
is "$(awk '$1 == "point" {on = 1; next} on {n += $2} END {print n}' score.txt)" "$(figure coordinates score.txt)" "coordinates by point add up"

# ---- the same output from file, pipe and --truth ----
score <answers.tns >out.txt
same score.txt out.txt stdin
cat answers.tns | score -q -t 2 - | cat >out.txt
same score.txt out.txt pipes
predict -q model.tns faces.tns | score >out.txt
same score.txt out.txt "behind predict"
score --truth faces.tns answers.tns >out.txt
same score.txt out.txt "the truth from its own stream"
tns-split -q faces.tns --parts 0.5,0.5 -o half1.tns -o half2.tns
predict -q model.tns half1.tns | score >one.txt
predict -q model.tns half1.tns | score --truth half1.tns >out.txt
same one.txt out.txt "a part's truth"
score --json answers.tns >score.json
is "$(wc -l <score.json)" 1 "JSON in one line"
close "$(sed 's/^{"rmse_px": \([0-9.]*\),.*/\1/' score.json)" "$(figure rmse_px score.txt)" "rmse_px as JSON"
if python3 -c 'import json' 2>/dev/null; then
	ok "it is JSON" python3 -c 'import json, sys; d = json.load(open("score.json")); assert len(d["by_point"]) == 15 and d["rows"] == 120; assert sum(p["coordinates"] for p in d["by_point"].values()) == d["coordinates"]'
else
	skip "JSON by another reader: no python3"
fi

# ---- labels ----
face-synth -q -n 40 -s 4 | csv-clean -q | patch-extract -q --preset mouths -o mouths.tns
cnn-train -q --target label -n 'fc3 sigmoid fc' -e 3 mouths.tns -o label.tns
ok "labels predicted" predict -q label.tns mouths.tns -o labels.tns
ok "labels" score labels.tns -o score.txt
tns-info --head 10000 labels.tns | awk '
	/^label\[/ {sub(/^label/, ""); t[$1] = $2}
	/^score\[/ {sub(/^score/, ""); p[$1] = $2; n++}
	END {
		for (r in p) {a = p[r] >= 0.5; wrong += a != t[r]; c[t[r], a]++}
		for (r in p) if (t[r]) for (q in p) if (!t[q]) {all++; right += p[r] > p[q] ? 1 : p[r] == p[q] ? 0.5 : 0}
		print "error_rate", wrong / n; print "rows", n; print "wrong", wrong + 0; print "auc", right / all
		print "other", c[0, 0] + 0, c[0, 1] + 0; print "mouth", c[1, 0] + 0, c[1, 1] + 0
	}' OFMT=%.9g >want.txt
is "$(head -1 score.txt | cut -d' ' -f1)" error_rate "the first line"
for f in error_rate auc; do close "$(figure $f score.txt)" "$(figure $f want.txt)" $f; done
for f in rows wrong other mouth; do is "$(figure $f score.txt | xargs)" "$(figure $f want.txt)" "$f"; done

# ---- the mean face and the rows that the model was trained on ----
mean=$(cnn-train -n 'fc8 relu fc' -e 1 half1.tns --valid half2.tns -o half1-model.tns 2>&1 | sed -n 's/.*mean face: \(.*\) px/\1/p')
predict -q half1-model.tns half2.tns -o held.tns
ok "a held-out part" score held.tns -o score.txt
is "$(cat .err)" "" "nothing to warn of"
is "$(awk '/^mean_face/ {printf "%.4g", $3}' score.txt)" "$mean" "the mean face of the training set, as training said"
is "$(grep -c "^mean_face .*the training set's mean labels$" score.txt)" 1 "and which it is"
is "$(grep -c flatter score.txt)" "$(grep -c '^split' score.txt)" "no row was trained on"
# the split made anew; gone on with from the checkpoint; and weights that begin from that model's
tns-split -q -s 2 faces.tns --parts 0.4,0.6 -o again1.tns -o again2.tns
comm -12 <(tns-info --tensor id --head 999 half1.tns | grep '^id\[' | awk '{print $2}' | sort) <(tns-info --tensor id --head 999 again2.tns | grep '^id\[' | awk '{print $2}' | sort) >both.txt
n=$(wc -l <both.txt) rows=$(tns-info again2.tns | awk '/^id / {print $3}')
ok "rows that are in both" test "$n" -gt 10 -a "$n" -lt "$rows"
cnn-train -q -n 'fc8 relu fc' -e 1 half1.tns --checkpoint half1.check -o one.tns
cnn-train -q -n 'fc8 relu fc' -e 2 half1.tns --checkpoint half1.check --resume -o resumed.tns
cnn-train -q -n 'fc8 relu fc' -e 2 half1.tns -o through.tns
same resumed.tns through.tns "a training that was resumed"
cnn-train -q -n 'fc8 relu fc' -e 1 again1.tns --init half1-model.tns -o both.tns 2>/dev/null
for m in half1-model.tns half1.check resumed.tns; do
	predict -q $m again2.tns | score >score.txt 2>.err
	is "$(cat .err)" "score: stdin: the model was trained on $n of its $rows rows: the figures flatter" "$m on other parts of the same faces"
	is "$(grep -c "^trained $n: of $rows rows" score.txt)" 1 "the report of $m"
done
predict -q both.tns again2.tns | score -q >score.txt
is "$(grep -c "^trained $n: of $rows rows" score.txt)" 1 "what a model learned that it began from"
is "$(predict -q both.tns faces.tns | score -q --json | grep -o '"trained_rows": [0-9]*' | grep -o '[0-9]*$')" \
	"$(cat <(tns-info --tensor id --head 999 half1.tns) <(tns-info --tensor id --head 999 again1.tns) | grep '^id\[' | awk '{print $2}' | sort -u | wc -l)" "rows of either"

# ---- refused: one line, no file, the old one stays ----
echo old >out.txt
# refused STATUS TEXT ARGUMENT...
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "score: $text" score "$@" -o out.txt
	is "$(cat out.txt; ls -A | grep '^\.out\.txt')" old "after: $text"
}
csv-clean -q --size 36x28 test.csv | predict -q model.tns -o blind.tns
refused 1 "blind.tns: there is no tensor keypoints" blind.tns
refused 1 "faces.tns: no tensor predicted, score or reconstruction: there is nothing to measure" faces.tns
refused 1 "model.tns: " model.tns
refused 1 "gone.tns: No such file or directory" gone.tns
# classes in another order: labels are matched by the classes' names, in predict and from another stream; others are refused
relabel() { tns-table --image "$1" | awk -F, -v OFS=, -v to="$2" '/^# meta classes/ {print "# meta classes: " to; next} /^#/ {print; next} !c {for (c = 1; $c != "label"; c++); print; next} to != "other,a,b" {$c = 1 - $c} 1' | tns-table --read; }
tns-select -q --sample 60 mouths.tns | tns-table --image | awk -F, -v OFS=, '/^# tensor label/ {print "# tensor id u32"} /^#/ {print; next} {print (n++ ? n : "id"), $0}' >numbered.txt
awk -F, -v OFS=, '!/^#/ {t = $1; $1 = $2; $2 = t} 1' numbered.txt | sed 's/^# tensor id u32/# tensor label u8/; t; s/^# tensor label u8/# tensor id u32/' | tns-table --read -o some.tns
relabel some.tns mouth,other >swapped.tns
predict -q label.tns some.tns -o some-labels.tns
ok "classes in another order" predict -q label.tns swapped.tns -o swapped-labels.tns
score some-labels.tns >some.txt
is "$(meta swapped-labels.tns classes)" "mouth,other" "the data's classes stay"
is "$(score swapped-labels.tns | head -1)" "$(head -1 some.txt)" "their score"
is "$(score --truth swapped.tns some-labels.tns | head -1)" "$(head -1 some.txt)" "a truth with its classes in another order"
relabel some.tns other,a,b >three.tns
fails 1 "predict: three.tns: its classes are not the model's: other,a,b, not other,mouth" predict -q label.tns three.tns -o no.tns
fails 1 "score: three.tns: its classes are not those of some-labels.tns: other,a,b, not other,mouth" score --truth three.tns some-labels.tns
ok "labels dropped" predict -q label.tns <(tns-select -q --without label three.tns) -o three-labels.tns
is "$(meta three-labels.tns classes)" "other,mouth" "the model's classes"

# some of the model's classes will do, and classes without names are numbers
for f in eye:left_eye_center nose:nose_tip; do patch-extract -q --around ${f#*:} --name ${f%:*} --size 9x9 --negatives 1 faces.tns -o ${f%:*}.tns; done
tns-cat -q eye.tns nose.tns -o both.tns
cnn-train -q --target label -n 'fc5 sigmoid fc' -e 2 both.tns -o both.model 2>/dev/null
ok "some of its classes" predict -q both.model nose.tns -o nose-labels.tns
is "$(meta nose-labels.tns classes)" "other,nose,eye" "the data's classes first"
tns-cat -q both.tns nose.tns | tns-select -q --rows $(($(tns-info both.tns | awk '$1 == "label" {print $3 + 1}')))- | predict -q both.model >same-labels.tns
is "$(score -q nose-labels.tns | head -1)" "$(score -q same-labels.tns | head -1)" "the score by some of the classes"
awk -F, -v OFS=, '!/^#/ {t = $1; $1 = $2; $2 = t} 1' numbered.txt | grep -v '^# meta classes' | sed 's/^# tensor id u32/# tensor label u8/; t; s/^# tensor label u8/# tensor id u32/' | tns-table --read -o plain.tns
cnn-train -q --target label -n 'fc3 sigmoid fc' -e 3 plain.tns -o plain.model 2>/dev/null
predict -q plain.model some.tns -o named-labels.tns
predict -q plain.model <(tns-select -q --without label some.tns) -o plain-labels.tns
is "$(score -q named-labels.tns | head -1)" "$(score -q --truth some.tns plain-labels.tns | head -1)" "classes of numbers"

# points are pixels of crops: those of other crops, or of other sizes, are no truth
face-synth -q --photos 6 --faces 1 --photo-size 96x96 --form table -s 3 -o photos
for m in 0 0.2; do
	tns-import -q --form table --size 40x40 --margin $m photos/labels.csv -o v$m.tns
	cnn-train -q -n fc -e 1 v$m.tns -o v$m.model 2>/dev/null
	predict -q v$m.model v$m.tns -o p$m.tns
done
tns-import -q --form table --size 40x40 --crop whole photos/labels.csv -o whole.tns
tns-import -q --form table --size 30x30 photos/labels.csv -o small.tns
is "$(score -q --truth v0.2.tns p0.2.tns | head -1)" "$(score -q p0.2.tns | head -1)" "a truth of the same crops"
other="is cut otherwise from its photograph than row 1 of"
refused 1 "p0.2.tns: row 1 $other v0.tns, which has its id" --truth v0.tns p0.2.tns
refused 1 "p0.2.tns: row 1 $other whole.tns, which has its id" --truth whole.tns p0.2.tns
refused 1 "p0.tns: row 1 $other p0.2.tns, which has its id" p0.2.tns p0.tns
refused 1 "p0.tns: row 1 $other p0.2.tns, which has its id" --truth v0.2.tns p0.2.tns p0.tns
tns-select -q --rows 1-3 v0.2.tns -o some.tns
tns-join -q --left --take crop <(tns-select -q --without crop p0.2.tns) some.tns -o left.tns
is "$(score -q --truth v0.2.tns left.tns | head -1)" "$(score -q p0.2.tns | head -1)" "crops that are not known"
refused 1 "p0.tns: images are 40x40, those of small.tns 30x30: points are pixels of them" --truth small.tns p0.tns

refused 1 "gone.tns: No such file or directory" --truth gone.tns answers.tns
refused 1 "mouths.tns: there is no tensor keypoints" --truth mouths.tns answers.tns
fails 1 " is not in half1.tns" score --truth half1.tns answers.tns
predict -q model.tns half1.tns -o half.tns
refused 1 "half.tns: no row for id " --truth faces.tns half.tns
refused 1 "labels.tns: there is no tensor id" --truth faces.tns labels.tns
head -c $(($(stat -c %s answers.tns) - 64)) answers.tns >cut.tns
refused 1 "cut.tns: record " cut.tns
refused 1 "stdin: preamble: the input is empty" </dev/null
refused 1 "labels.tns: there is no tensor predicted: several files are several models' points" answers.tns labels.tns
# ---- rows that were held out by rows or by likeness may flatter, and the score says so; by groups they don't
said() { score "$@" | grep -c 'rows of one person may be in several parts, so these figures may flatter'; }
awk 'BEGIN { print "id,group"; for (i = 1; i <= 120; i++) print i "," i % 9 }' >groups.csv
for by in '--by row' '--by near' '--by id' '--groups groups.csv'; do
	tns-split -q faces.tns $by --parts 0.5,0.5 -o part.tns -o held.tns
	predict -q model.tns held.tns -o held-answers.tns
	case $by in *row | *near | *id) want=1 ;; *) want=0 ;; esac
	is "$(said held-answers.tns)" $want "the text of a set held out $by"
	is "$(score --json held-answers.tns | grep -c '"split".*"may_flatter": *true')" $want "the JSON of a set held out $by"
	is "$(cnn-train -n fc -e 1 part.tns --valid held.tns -o v.tns 2>&1 | grep -cE 'best epoch .*which (may flatter: rows were held out, not people|flatters: 1 of)')" $want "a training validated $by"
done
is "$(said answers.tns)" 0 "a set that is no part"
# nor are those held out that were trained on
count() { tns-info "$1" | awk '$1 == "image" { split($3, d, ","); print d[1] }'; }
is "$(cnn-train -n fc -e 1 part.tns --valid faces.tns -o v.tns 2>&1 | sed -n 's/.*best epoch.*, which/which/p')" \
	"which flatters: $(count part.tns) of its $(count faces.tns) rows are among those trained on" "a training validated on its own rows"
is "$(cnn-train -n fc -e 1 faces.tns --valid-part 0.3 -o v.tns 2>&1 | grep -c 'which may flatter')" 1 "a training that holds out rows"
is "$(score answers.tns | sed -n 1p | cut -d' ' -f1)" rmse_px "the first line stays"
# ---- what three models err in common, and each by itself, recomputed by awk
for s in 2 3; do cnn-train -q -n 'fc8 relu fc' -e 1 -s $s faces.tns -o model$s.tns && predict -q model$s.tns faces.tns -o answers$s.tns; done
ok "three models" score -q answers.tns answers2.tns answers3.tns -o three.txt
for f in answers.tns answers2.tns answers3.tns; do tns-info --head 1000 $f | sed "s/^/$f /"; done | awk '
	$2 ~ /^keypoints\[/ {sub(/keypoints/, "", $2); for (i = 3; i <= NF; i++) t[$2, i] = $i; row[$2]}
	$2 ~ /^predicted\[/ {sub(/predicted/, "", $2); for (i = 3; i <= NF; i++) p[$1, $2, i] = $i; n = NF}
	END {for (r in row) for (i = 3; i <= n; i++) if (t[r, i] != "nan") {
		a = p["answers.tns", r, i] - t[r, i]; b = p["answers2.tns", r, i] - t[r, i]; c = p["answers3.tns", r, i] - t[r, i]
		shared += (a * b + a * c + b * c) / 3; own += ((a - b) ^ 2 + (a - c) ^ 2 + (b - c) ^ 2) / 6; m++}
		print "shared", sqrt(shared / m); print "own", sqrt(own / m)}' OFMT=%.9g >want.txt
close "$(awk '$1 == "all" {print $4}' three.txt)" "$(figure shared want.txt)" "the common error"
close "$(awk '$1 == "all" {print $5}' three.txt)" "$(figure own want.txt)" "each one's own"
close "$(score -q --json answers.tns answers2.tns answers3.tns | sed -n '/"shared_px"/,/}/s/.*"all": *\([0-9.]*\).*/\1/p')" "$(figure shared want.txt)" "in JSON"
# an infinite label
tns-table -q --notes no answers.tns | awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "nose_tip_y") y = i} NR == 3 {$y = "inf"} {print}' | tns-table --read -q - -o infinite.tns
fails 1 "score: infinite.tns: row 2: labelled nose_tip_y is inf" score infinite.tns
fails 1 "score: infinite.tns: row 2: labelled nose_tip_y is inf" score infinite.tns infinite.tns
fails 1 "score: infinite.tns: nose_tip_y is inf where row 2 of answers.tns is labelled" score --truth infinite.tns answers.tns
fails 1 "score: infinite.tns: nose_tip_y is inf where row 2 of answers.tns is labelled" score --truth infinite.tns answers.tns answers.tns
done_tests
