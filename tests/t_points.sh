#!/usr/bin/env bash
# Points that a training set never or hardly labels: who learned them, what predict, score, render and submit make of them; points in
# another order; a test image that comes twice; two sources that label points differently.
. tests/sh.sh
cd "$TMP" || exit 1
export LC_ALL=C

face-synth -q -n 80 --size 26x20 --point-count 4 -s 3 --test test.csv --test-count 12 --test-lookup lookup.csv -o all.csv
clean() { csv-clean --size 26x20 "$@"; }
IFS=, read -r -a column < <(sed 's/_[xy]//g; 1q' all.csv)
P=("${column[0]}" "${column[2]}" "${column[4]}" "${column[6]}")
# blank N COLUMN: the labels of a point (from 0) go, but in N rows
blank() { awk -F, -v OFS=, -v n="$1" -v c="$2" 'NR > n + 1 { $(2 * c + 1) = $(2 * c + 2) = "" } 1' all.csv; }
clean -q --keep-all all.csv -o all.tns
blank 0 3 | clean -q --keep-all -o never.tns 2>/dev/null
blank 3 2 | clean -q --keep-all -o few.tns 2>/dev/null
clean -q test.csv -o test.tns
train() { cnn-train -q -n 'pool2 fc' -e 150 --optimizer adam -r 0.005 "$@"; }
# values TENSOR FILE: a line of values a row
values() { tns-info --head 100 --tensor "$1" "$2" | sed -n "s/^$1\[[0-9]*\] *//p"; }

# ---- never labelled
train never.tns -o never.model 2>err
grep -q "never labelled, so never learned: ${P[3]}; predict will leave them out" err && good || bad "not told: $(cat err)"
is "$(tns-info never.model | sed -n 's/^unlearned: //p')" "${P[3]}" "the model carries it"
train all.tns -o all.model 2>err
is "$(cat err)" "" "nothing to tell where all is labelled"
is "$(tns-info all.model | grep -c ^unlearned)" 0 "nor to carry"
for target in coords heatmap map; do
	net=fc; [ $target = heatmap ] && net='conv3x3p1'
	cnn-train -q -n "$net" -e 1 --target $target never.tns -o one.model 2>/dev/null
	predict -q one.model all.tns -o one.tns
	is "$(values predicted one.tns | awk '{ for (i = 1; i <= NF; i++) n += ($i == "nan") == (i > 6) } END { print n }')" 640 "$target: NaN for it alone"
	is "$(values confidence one.tns | awk '{ n += $4 == "nan" } END { print n }')" 80 "$target: and no confidence"
done
predict -q never.model all.tns -o never-all.tns
is "$(tns-info never-all.tns | sed -n 's/^unlearned: //p')" "${P[3]}" "predictions carry it"
ok "scored without it" score never-all.tns -o score.txt
grep -q "160 labelled coordinates are not measured: no model learned ${P[3]}" .err && good || bad "score doesn't tell: $(cat .err)"
is "$(sed -n 's/^coordinates //p' score.txt)" 480 "the others' coordinates"
grep -q "^${P[3]} *unlearned$" score.txt && good || bad "no line for it: $(cat score.txt)"
is "$(score --json never-all.tns 2>/dev/null | tr -d ' \n' | grep -c "\"unlearned\":\[\"${P[3]}\"\]")" 1 "in JSON too"
ok "drawn" render faces --worst never-all.tns -o never.png

# a NaN of a point that was learned is an error still
train all.tns --init never.model -o taught.model 2>/dev/null
is "$(tns-info taught.model | grep -c ^unlearned)" 0 "taught later"
train never.tns --init all.model -o again.model 2>err
is "$(cat err; tns-info again.model | grep -c ^unlearned)" 0 "learned before"

# but not where its output layer was not copied
for c in 6 7; do cnn-train -q -n "conv3x3x4p1 relu conv3x3x${c}p1 relu conv1x1" -e 1 --target heatmap all.tns -o wide$c.model 2>/dev/null; done
cnn-train -q -n 'conv3x3x4p1 relu conv3x3x7p1 relu conv1x1' -e 1 --target heatmap --init wide6.model never.tns -o fresh.model 2>/dev/null
is "$(meta fresh.model unlearned)" "${P[3]}" "of another width, its last layer is new"
cnn-train -q -n 'conv3x3x4p1 relu conv3x3x7p1 relu conv1x1' -e 1 --target heatmap --init wide7.model never.tns -o fresh.model 2>/dev/null
is "$(meta fresh.model unlearned)" "" "of the same width, it is taken over"
# nor where labels have no weight
cnn-train -q -n fc -e 1 --weigh "${P[3]}=0" all.tns -o weightless.model 2>/dev/null
is "$(meta weightless.model unlearned)" "${P[3]}" "labels of no weight"
# maps of several models are those of the models that learned a point
for f in all never; do cnn-train -q -n 'conv3x3x4p1 relu conv1x1' -e 1 --target heatmap $f.tns -o $f.map.model 2>/dev/null; done
predict -q --maps never.map.model all.map.model all.tns | tns-info --head 1 --tensor maps | sed -n 's/^maps\[[0-9]*\] *//p' | tr -s ' ' '\n' >both.txt
predict -q --maps all.map.model all.tns | tns-info --head 1 --tensor maps | sed -n 's/^maps\[[0-9]*\] *//p' | tr -s ' ' '\n' >one.txt
predict -q --maps never.map.model all.tns | tns-info --head 1 --tensor maps | sed -n 's/^maps\[[0-9]*\] *//p' | tr -s ' ' '\n' >none.txt
n=$(($(wc -l <one.txt) / 4))
is "$(tail -n $n both.txt | cksum)" "$(tail -n $n one.txt | cksum)" "the map of a point that one model learned"
is "$(tail -n $n none.txt | sort -u)" 0 "the map of a point that none learned"
# the table of changed faces leaves it out
changed() { (cd "$ROOT" && bash pipelines/robust.sh "$BIN" "$TMP/$1.model" "$TMP/$2.tns"); }
is "$(changed never all | awk '/^as they are/ {print $5, $6}' | xargs)" "240" "changed faces"
tns-select -q --rename "${P[0]}=#1 \"x\"" all.tns -o quoted.tns
cnn-train -q -n fc -e 1 quoted.tns -o quoted.model 2>/dev/null
is "$(changed quoted quoted | awk '/^as they are/ {print $5, $6}' | xargs)" "320" "a name that tables quote"
awk -F, -v OFS=, 'NR > 1 && NR < 7 {$2 = ""} 1' all.csv | clean -q --keep-all -o half.tns 2>/dev/null
changed all half >half.txt && changed all all >whole.txt
is "$(awk '/^as they are/ {print $4}' half.txt)" "$(predict -q all.model half.tns | score -q 2>/dev/null | awk 'NR == 1 {printf "%.3f", $2}')" "half a label"
is "$(awk '/^turned by 15/ {print $7 + 5}' half.txt)" "$(awk '/^turned by 15/ {print $7}' whole.txt)" "which no turned face has"

# a teacher that knows the point fills its labels
predict -q all.model never.tns -o lesson.tns
ok "taught by predictions" train never.tns --teacher lesson.tns --teach 1 -o pupil.model
is "$(cat .err; tns-info pupil.model | grep -c ^unlearned)" 0 "never labelled, but taught"
error() { predict -q "$1" all.tns | score | awk -v p="${P[3]}" '$1 == p {print $3}'; }
awk -v a="$(error pupil.model)" -v b="$(error all.model)" 'BEGIN {exit !(a < b + 0.5 && a > 0)}' && good || bad "the pupil's error: $(error pupil.model), the teacher's $(error all.model)"
is "$(cnn-train -n fc -e 1 never.tns --teacher lesson.tns -o x.model 2>&1 | grep -c 'lesson.tns: 80 of 80 rows are taught, 80 missing labels filled$')" 1 "told"
is "$(cnn-train -n fc -e 1 never.tns --pseudo lesson.tns --dry-run -o x.model 2>/dev/null | grep -c '^rows: 160 to train on')" 1 "rows without labels"
few() { cnn-train -q -n fc -e 4 -b 16 never.tns --teacher lesson.tns --teach 0.3 "$@"; }
few -t 1 -o one.model && few -t 2 -o two.model && few --checkpoint c -e 2 -o x.model && few --checkpoint c --resume -o resumed.model
is "$(cksum <two.model)" "$(cksum <one.model)" "the same for any number of threads"
is "$(tns-info resumed.model | grep '^[0-9]*\.')" "$(tns-info one.model | grep '^[0-9]*\.')" "resumed"
predict -q again.model never.tns -o lesson.tns
fails 1 "c: is a checkpoint of other options or data: other data" few --checkpoint c --resume -o x.model
fails 2 "--teach needs --teacher or --pseudo" cnn-train -q -n fc never.tns --teach 0.3 -o x.model
fails 2 "--teacher is for the targets coords and heatmap, not label" cnn-train -q -n fc --target label never.tns --teacher lesson.tns -o x.model
fails 2 "--pseudo is for the targets coords and heatmap, not map" cnn-train -q -n fc --target map never.tns --pseudo lesson.tns -o x.model
# predictions are no labels: the five that lie far off are no suspects; without weight they are in no mean
at=$(tns-table --image lesson.tns | grep -v '^#' | head -1 | tr , '\n' | grep -n predicted | head -1 | cut -d: -f1)
tns-table --image lesson.tns | awk -F, -v OFS=, -v c="$at" '/^#/ {print; next} {n++; if (n > 1 && n < 7) $c = $c + 30; print}' | tns-table --read -o odd.tns
train never.tns -e 40 -s 7 --pseudo odd.tns --teach 1 --suspects far.tsv -o x.model 2>/dev/null
is "$(awk 'NR > 1 && $1 > 80' far.tsv | wc -l) $(awk 'END {print (NR > 3)}' far.tsv)" "0 1" "no predicted point is a suspect label"
cnn-train -q -n fc -s 7 -e 3 -b 16 --pseudo lesson.tns --teach 0 never.tns -o x.model 2>/dev/null && cnn-train -q -n fc -s 7 -e 3 -b 16 never.tns -o y.model 2>/dev/null
is "$(meta x.model mean_face)" "$(meta y.model mean_face)" "predictions that weigh nothing are in no mean face"
predict -q all.model never.tns -o lesson.tns
for f in x "y --teacher lesson.tns --teach 0"; do cnn-train -q -n fc -s 7 -e 3 -b 16 never.tns -o ${f%% *}.model --log ${f%% *}.tsv ${f#?} 2>/dev/null; done
losses() { awk 'NR > 1 {printf "%.5g ", $3}' "$1"; }
is "$(losses y.tsv)" "$(losses x.tsv)" "a teacher that weighs nothing"
fails 1 "never.tns: there is no tensor predicted" cnn-train -q -n fc never.tns --teacher never.tns -o x.model

# an ensemble takes the point from who learned it
predict -q all.model all.tns -o all-all.tns
predict -q never.model all.model all.tns -o both.tns
is "$(values predicted both.tns | awk '{ print $7, $8 }')" "$(values predicted all-all.tns | awk '{ print $7, $8 }')" "an ensemble, the point that one learned"
paste <(values predicted both.tns) <(values predicted all-all.tns) <(values predicted never-all.tns) |
	awk '{ for (i = 1; i <= 6; i++) { d = $i - ($(i + 8) + $(i + 16)) / 2; bad += d > 1e-3 || d < -1e-3 } } END { exit bad > 0 }' && good || bad "an ensemble, the other points"

# a validation set's labels of it don't count
train never.tns --valid all.tns --log never.tsv -o v.model 2>/dev/null
predict -q v.model all.tns | score >v.txt 2>/dev/null
is "$(awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i } NR > 1 && (!best || $c["valid_rmse_px"] < best) { best = $c["valid_rmse_px"] } END { printf "%.3f", best }' never.tsv)" \
	"$(awk 'NR == 1 { printf "%.3f", $2 }' v.txt)" "validated on what is learned"
awk -F, -v OFS=, 'NR > 1 { $1 = $2 = $3 = $4 = $5 = $6 = "" } 1' all.csv | clean -q --keep-all -o only.tns 2>/dev/null
got=0; train never.tns --valid only.tns -o no.tns 2>err || got=$?
is "$got $(tail -1 err)" "1 cnn-train: never.tns: the held-out rows have no label of a point that is learned" "nothing to validate on"

# ---- mirrored images teach the partner
face-synth -q -n 30 --size 20x20 -s 4 | awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i } NR > 1 { $c["left_eye_center_x"] = $c["left_eye_center_y"] = "" } 1' |
	csv-clean -q --keep-all --pairs "$(face-synth -q -n 120 --size 20x20 | csv-clean -q | tns-info | sed -n 's/^pairs: //p')" -o half.tns 2>/dev/null
cnn-train -q -n fc -e 1 half.tns -o half.model 2>/dev/null
is "$(tns-info half.model | sed -n 's/^unlearned: //p')" left_eye_center "one side alone"
cnn-train -q -n fc -e 1 --augment flip half.tns -o half.model 2>/dev/null
is "$(tns-info half.model | grep -c ^unlearned)" 0 "and its mirror image"

# ---- hardly labelled
train few.tns -o few.model 2>err
grep -q "fewer than 10 labels, so hardly learned: ${P[2]} (3)" err && good || bad "not told: $(cat err)"
is "$(tns-info few.model | grep -c ^unlearned)" 0 "but learned"

# ---- labels that no cell of a map can say
cnn-train -q -n 'conv17x17' --target heatmap -e 1 all.tns -o beyond.model 2>err
grep -q "labels lie beyond the heat map, whose cells reach from 7.5,7.5 to 17.5,11.5" err && good || bad "not told: $(cat err)"

# ---- what is asked and can't be answered
predict -q never.model test.tns -o never-test.tns
asked=$(grep -c ",${P[3]}_[xy]," lookup.csv)
fails 1 "$asked questions in all are open" submit -l lookup.csv never-test.tns
fails 1 "no model learned ${P[3]} (csv-clean --keep-all keeps every image, --fill mean answers with means)" submit -l lookup.csv never-test.tns
ok "filled" submit --fill mean -l lookup.csv never-test.tns -o filled.csv
grep -q "^submit: $asked questions without a prediction are answered with means" .err && good || bad "filling is not told: $(cat .err)"
is "$(wc -l <filled.csv)" "$(wc -l <lookup.csv)" "every question is answered"
join -t, <(sed 1d lookup.csv | sort -t, -k1,1) <(sed 1d filled.csv | sort -t, -k1,1) |
	awk -F, -v p="${P[3]}" -v asked="$asked" '{ axis = substr($3, length($3)); if (index($3, p "_") == 1) fill[$2, axis] = $NF; else { sum[$2, axis] += $NF; n[$2, axis]++ } }
	END { for (k in fill) { d = fill[k] - sum[k] / n[k]; bad += d > 1e-4 || d < -1e-4; m++ } exit bad || m != asked }' && good || bad "the fill is not the mean of the image's other points"
# an image that is not there: each coordinate's mean over the others
awk -F, 'NR != 3' test.csv | clean -q | predict -q all.model -o less.tns
fails 1 "$(grep -c ^[0-9]*,2, lookup.csv) questions in all are open" submit -l lookup.csv less.tns
ok "an image filled" submit --fill mean -l lookup.csv less.tns -o filled.csv
awk -F, 'NR == FNR { if (FNR == 1) for (i = 1; i <= NF; i++) name[i] = substr($i, 11); else for (i = 1; i <= NF; i++) { top = name[i] ~ /_x$/ ? 25 : 19; v = $i < 0 ? 0 : $i > top ? top : $i; sum[name[i]] += v; n[name[i]]++ } next }
	$2 == 2 { d = $NF - sum[$3] / n[$3]; bad += d > 1e-4 || d < -1e-4; m++ } END { exit bad || !m }' <(tns-table -q --notes no --fields 'predicted_*' less.tns) \
	<(join -t, <(sed 1d lookup.csv | sort -t, -k1,1) <(sed 1d filled.csv | sort -t, -k1,1)) && good || bad "the fill is not the mean of the other images"

# ---- a test image that comes twice
{ cat test.csv; sed -n 4p test.csv; } | clean -q --keep-all | predict -q all.model -o twice.tns 2>/dev/null
ok "twice the same image" submit -l lookup.csv twice.tns -o twice.csv
clean -q test.csv | predict -q all.model | submit -l lookup.csv -o once.csv
same once.csv twice.csv "one answer"
{ cat test.csv; sed -n '4s/^[0-9]*/5/p' test.csv; } | clean -q --keep-all | predict -q all.model -o other.tns 2>/dev/null
fails 1 "other.tns: row 13: image 5 comes a second time, with other predictions" submit -l lookup.csv other.tns

# ---- the same points in another order
awk -F, -v OFS=, '{ print $5, $6, $1, $2, $7, $8, $3, $4, $9 }' all.csv | clean -q --keep-all -o order.tns
predict -q all.model order.tns -o order-all.tns
is "$(tns-info order-all.tns | sed -n 's/^points: //p')" "${P[2]},${P[0]},${P[3]},${P[1]}" "the data's order stays"
is "$(values predicted order-all.tns | awk '{ print $3, $4, $7, $8, $1, $2, $5, $6 }')" "$(values predicted all-all.tns | awk '{ print $1, $2, $3, $4, $5, $6, $7, $8 }')" "points by name"
is "$(values confidence order-all.tns | awk '{ print $2, $4, $1, $3 }')" "$(values confidence all-all.tns | awk '{ print $1, $2, $3, $4 }')" "confidence by name"
is "$(score order-all.tns | head -1)" "$(score all-all.tns | head -1)" "the same score"
is "$(score order-all.tns --truth all.tns | head -1)" "$(score all-all.tns --truth order.tns | head -1)" "and with a truth in another order"
cnn-train -q -n 'conv5x5s2p2' -e 1 --target heatmap all.tns -o heat.model
for d in all order; do predict -q --maps heat.model $d.tns -o $d-maps.tns; done
is "$(values maps order-maps.tns | awk '{ print $131, $261 }')" "$(values maps all-maps.tns | awk '{ print $1, $391 }')" "maps by name"
is "$(values maps all-maps.tns | awk 'NR == 1 { print NF }')" 520 "of 13x10 cells"
train all.tns --valid all.tns --log one.tsv -o one.model
train all.tns --valid order.tns --log two.tsv -o two.model
is "$(cut -f1-5 two.tsv)" "$(cut -f1-5 one.tsv)" "validation by name"
clean -q --keep-all <(sed "1s/${P[0]}_/chin_/g" all.csv) -o chin.tns
fails 1 "chin.tns: its points are not the model's: chin," predict -q all.model chin.tns -o no.tns
grep -q "; tns-select --without keypoints drops them, for predictions alone$" .err && good || bad "no way out: $(cat .err)"
ok "a truth without one of the points" score all-all.tns --truth chin.tns
grep -q "point ${P[0]} is not in chin.tns, so it is not measured" .err && good || bad "score doesn't tell: $(cat .err)"

# ---- two sources of labels: the second has four points 2 px elsewhere
face-synth -q -n 500 --size 24x24 -s 6 --test t.csv --test-count 150 --solution truth.csv -o faces.csv
# moved FROM TO FEW FILE: rows FROM to TO, those four points moved; FEW 1: the others without labels
moved() {
	awk -F, -v OFS=, -v from="$1" -v to="$2" -v few="$3" '
	BEGIN { by["nose_tip_x"] = 2; by["left_eye_center_y"] = 2; by["mouth_center_top_lip_x"] = -1.2; by["mouth_center_top_lip_y"] = 1.6; by["right_eyebrow_outer_end_x"] = -2 }
	NR == 1 { for (i = 1; i < NF; i++) name[i] = $i }
	NR > 1 && few { for (i = 1; i < NF; i++) if (name[i] !~ /^(nose_tip|left_eye_center|mouth_center_top_lip|right_eyebrow_outer_end)_/) $i = "" }
	NR > 1 { for (i = 1; i < NF; i++) if ($i != "" && name[i] in by) $i += by[name[i]] }
	NR == 1 || (NR > from && NR <= to + 1)' "$4"
}
pairs=$(csv-clean -q --keep-all --size 24x24 faces.csv | tns-info | sed -n 's/^pairs: //p')
rows() { csv-clean -q --keep-all --size 24x24 --pairs "$pairs" - -o "$1" 2>/dev/null; }
sed -n 1,251p faces.csv | rows ours.tns
moved 251 500 0 faces.csv | rows theirs.tns
moved 251 500 1 faces.csv | rows four.tns
rows all.tns <faces.csv
rows truth.tns <truth.csv
moved 1 150 0 truth.csv | rows truth-theirs.tns
tns-cat -q --source --renumber ours.tns theirs.tns -o both.tns
tns-cat -q --renumber ours.tns four.tns -o fewer.tns
maps() {
	cnn-train --target heatmap -n 'conv3x3x12s2p1 bn relu conv3x3x24s2p1 bn relu conv3x3x24p1 bn relu up2 conv3x3x16p1 bn relu conv1x1' -e 24 -b 16 \
		-r 0.005 --optimizer adam --schedule cosine --loss smooth --sigma 1.2 --augment flip,shift=2,rotate=8 "$@"
}
ok "sources by a tensor" maps --sources file both.tns -o both.model
grep -q "sources of labels: ours.tns (250 rows), theirs.tns (250 rows)" .err && good || bad "not told: $(cat .err)"
ok "by the points that rows have" maps --sources missing fewer.tns -o fewer.model
ok "without a second source" maps -q all.tns -o all.model
# apart MODEL FIRST SECOND: how far the largest error of the distances between the sources is, of those planted, in pixels
apart() {
	{ meta "$1" "source.$2"; meta "$1" "source.$3"; } | awk -F, '
	BEGIN { want["nose_tip"] = "2 0"; want["left_eye_center"] = "0 2"; want["mouth_center_top_lip"] = "-1.2 1.6"; want["right_eyebrow_outer_end"] = "-2 0" }
	{ for (i = 1; i <= NF; i++) { split($i, w, " "); x[NR, w[1]] = w[2]; y[NR, w[1]] = w[3]; point[w[1]] } }
	END { for (p in point) { split(p in want ? want[p] : "0 0", v, " "); d = sqrt((x[2, p] - x[1, p] - v[1]) ^ 2 + (y[2, p] - y[1, p] - v[2]) ^ 2); if (d > most) most = d }
		print NR == 2 ? most : "no sources" }'
}
within() { awk -v v="$1" -v most="$2" 'BEGIN { exit !(v + 0 > 0 && v + 0 <= most) }' && good || bad "$3: $1, not up to $2"; }
within "$(apart both.model ours.tns theirs.tns)" 0.2 "the planted distances are found"
within "$(apart fewer.model 15points 4points)" 0.2 "and where only these points are labelled"
# error MODEL TRUTH OPTION...: RMSE in pixels
error() { local m=$1 t=$2; shift 2; predict -q "$@" $m $t | score | sed -n 's/^rmse_px //p'; }
least=$(error all.model truth.tns)
for m in both fewer; do
	first=ours.tns second=theirs.tns && [ $m = both ] || first=15points second=4points
	within "$(error $m.model truth.tns --as-source $first)" "$(awk -v v="$least" 'BEGIN { print 1.15 * v }')" "$m: as the first source has them"
	within "$(error $m.model truth-theirs.tns --as-source $second)" "$(awk -v v="$least" 'BEGIN { print 1.15 * v }')" "$m: as the second has them"
done
echo "RMSE px: one source $least, two $(error both.model truth.tns --as-source ours.tns) $(error both.model truth-theirs.tns --as-source theirs.tns) $(error fewer.model truth.tns --as-source 15points) $(error fewer.model truth-theirs.tns --as-source 4points), their mean $(error both.model truth.tns)"
predict -q both.model truth.tns -o mean.tns
predict -q --as-source theirs.tns both.model truth.tns -o second.tns
is "$(paste <(values predicted mean.tns) <(values predicted second.tns) | awk '{ printf "%.3f\n", $51 - $21 }' | sort -u)" \
	"$(meta both.model source.theirs.tns | tr , '\n' | awk '/^nose_tip/ { printf "%.3f\n", $2 }')" "else the mean of both"
fails 2 "--as-source nobody: the sources of model 1 are ours.tns,theirs.tns" predict --as-source nobody both.model truth.tns -o no.tns
fails 2 "--as-source ours.tns: model 2 was not trained with cnn-train --sources" predict --as-source ours.tns both.model all.model truth.tns -o no.tns
fails 2 "--as-source and --refine exclude each other" predict --as-source ours.tns --refine all.model both.model truth.tns -o no.tns
fails 1 "both.tns: there is no tensor fil (did you mean file?)" cnn-train -q --sources fil -n fc both.tns -o no.tns
fails 1 "all.tns: row 65: id has more than 64 values, too many for sources of labels" cnn-train -q --sources id -n fc all.tns -o no.tns
fails 1 "all.tns: --sources missing: 1 sets of labelled points have a tenth of the rows" cnn-train -q --sources missing -n fc all.tns -o no.tns
fails 2 "--sources is for the targets coords and heatmap, not map" cnn-train -q --sources file --target map both.tns -o no.tns
fails 2 "--sources and --teacher exclude each other" cnn-train -q --sources file --teacher mean.tns both.tns -o no.tns

is "$(ls no.tns 2>/dev/null)" "" "no failure left an output"
done_tests
