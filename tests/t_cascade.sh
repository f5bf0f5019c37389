#!/usr/bin/env bash
# Point targets and the cascade, end to end, on images and points unlike the competition's: heat maps, one map, refining levels; refusals;
# diverging training; labels that a net finds suspect.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

figure() { awk -v k="$2" '$1 == k {print $2; exit}' "$1"; }
less() { awk -v a="$1" -v b="$2" 'BEGIN {exit !(a != "" && a < b)}' && good || bad "$3: $1 is not below $2"; }
# share F A: that share of figure A, as the bound of `less`
share() { awk -v f="$1" -v a="$2" 'BEGIN {print f * a}'; }
rows() { tns-info "$1" | awk -v t="$2" '$1 == t {split($3, d, ","); print d[1]}'; }
labels() { tns-info --head 100000 "$1" | sed -n 's/^keypoints\[[0-9]*\] *//p'; }
# mean_face TRAIN VALID: RMSE on VALID of who answers with the mean labels of TRAIN
mean_face() {
	awk 'NR == FNR {for (i = 1; i <= NF; i++) if ($i != "nan") {s[i] += $i; n[i]++}; next}
		{for (i = 1; i <= NF; i++) if ($i != "nan" && n[i]) {d = $i - s[i] / n[i]; e += d * d; m++}} END {print sqrt(e / m)}' <(labels "$1") <(labels "$2")
}
train() { cnn-train -q --seed 5 -b 16 "$@"; }
rmse() { predict -q "$@" | score | awk 'NR == 1 {print $2}'; }

# images of 24x16 with two bright spots, left_eye in the right half and right_eye in the left one, and a dark one below; each anywhere within
# several pixels, so that who looks at no image is far off
spots() {
	awk -v n="$1" -v seed="$2" '
	function bump(x, y, cx, cy) {return exp(-((x - cx) ^ 2 + (y - cy) ^ 2) / 4.5)}
	BEGIN {
		srand(seed); print "left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,Image"
		for (i = 0; i < n; i++) {
			lx = 14 + 6 * rand(); ly = 3 + 6 * rand(); rx = 4 + 6 * rand(); ry = 3 + 6 * rand(); nx = 9 + 6 * rand(); ny = 10 + 3 * rand()
			printf "%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,", lx, ly, rx, ry, nx, ny
			for (y = 0; y < 16; y++)
				for (x = 0; x < 24; x++)
					printf "%s%d", x + y ? " " : "", 100 + 110 * (bump(x, y, lx, ly) + bump(x, y, rx, ry)) - 80 * bump(x, y, nx, ny) + 10 * rand()
			print ""
		}
	}'
}
clean() { csv-clean -q --keep-all --size 24x16 "$@"; }

# ---- every target is learned ----
spots 400 1 >spots.csv
clean spots.csv -o spots.tns
tns-split -q --seed 1 --parts 0.75,0.25 spots.tns -o train.tns -o valid.tns
mean=$(mean_face train.tns valid.tns)
heat='conv5x5x8s2p2 bn relu conv5x5x8p2 bn relu conv3x3p1'
ok heatmap train -n "$heat" --target heatmap -r 0.01 --schedule cosine --optimizer adam -e 10 --augment flip,shift=2,blur=1,cutout=0.2 --loss smooth -o heat.tns train.tns
ok map train -n 'conv5x5x8p2 relu conv5x5p2' --target map -r 0.01 --schedule cosine --optimizer adam -e 12 -o map.tns train.tns
ok coords train -n 'conv5x5x6s2p2 relu fc32 relu fc' --loss wing -r 0.003 --schedule cosine --optimizer adam -e 30 --augment flip,shift=2 -o coords.tns train.tns
for m in heat map coords; do
	less "$(rmse $m.tns valid.tns)" "$(share 0.4 "$mean")" "target of $m against the mean face, $mean"
	less "$(rmse --flip $m.tns valid.tns)" "$(share 0.4 "$mean")" "target of $m, with mirror images"
done
points() { predict -q "$@" | tns-info --head 1000 | sed -n 's/^predicted\[[0-9]*\] *//p' | tr ' ' '\n'; }
is "$(paste <(points heat.tns coords.tns valid.tns) <(points heat.tns valid.tns) <(points coords.tns valid.tns) |
	awk '{d = $1 - ($2 + $3) / 2; n += d < 1e-3 && d > -1e-3} END {print n}')" $((6 * $(rows valid.tns image))) "models of different targets are averaged"
ok --maps predict -q --maps heat.tns valid.tns -o maps.tns
tns-info maps.tns | grep -q "^maps *f32 *$(rows valid.tns image),3,8,12 " && good || bad "maps: $(tns-info maps.tns)"
predict -q --maps map.tns valid.tns | tns-info | grep -q "^maps *f32 *$(rows valid.tns image),1,16,24 *[0-9.e-]* *0*.[0-9]* " && good || bad "the map: $(predict -q --maps map.tns valid.tns | tns-info)"
fails 1 "model 2 has no maps like those of model 1" predict --maps heat.tns map.tns valid.tns -o /dev/null
ok "heat over faces" render maps --count 4 --columns 2 --zoom 5 maps.tns -o heat.png
is "$(od -An -tu1 -j16 -N8 heat.png | awk '{print $3 * 256 + $4 "x" $7 * 256 + $8}')" $((2 * 16 + 2 * (24 * 5 + 14) - 14))x$((2 * 16 + 30 + 2 * (16 * 5 + 18 + 14) - 14)) "its size"
fails 1 "no maps to draw" render maps valid.tns -o none.png
fails 2 "--maps: the model makes no maps" predict --maps coords.tns valid.tns

# ---- a second level, on patches around what a weak first one found ----
ok "level 1" train -n 'pool2 conv3x3x6s2p1 relu fc' -r 0.003 --optimizer adam -e 15 -o weak.tns train.tns
predict -q weak.tns train.tns -o predicted.tns
ok "patches" patch-extract -q --around predicted --size 11x9 --jitter 1 --copies 2 predicted.tns -o patches.tns
labelled=$(score predicted.tns | awk '$1 == "points" {print $2; exit}')
[ "$(rows patches.tns image)" -le $((2 * labelled)) ] && [ "$(rows patches.tns image)" -gt $((labelled * 19 / 10)) ] && good || bad "patches: $(rows patches.tns image) of 2 x $labelled"
tns-info patches.tns | grep -q '^keypoints *f32 *[0-9]*,3,2 ' && good || bad "patches: $(tns-info patches.tns)"
ok "the same patches on one thread" patch-extract -q -t 1 --around predicted --size 11x9 --jitter 1 --copies 2 predicted.tns -o one.tns
same patches.tns one.tns "patches"
ok "level 2" train -n 'fc32 relu fc' -r 0.003 --schedule cosine --optimizer adam -e 15 -b 32 -o level2.tns patches.tns
ok refine predict -q weak.tns --refine level2.tns valid.tns -o refined.tns
ok "refine twice" predict -q weak.tns --refine level2.tns --refine level2.tns,level2.tns valid.tns -o twice.tns
predict -q weak.tns valid.tns | score -o first.txt
score refined.tns -o refined.txt && score twice.tns -o twice.txt
less "$(figure refined.txt rmse_px)" "$(share 0.6 "$(figure first.txt rmse_px)")" "what the second level adds"
less "$(figure twice.txt rmse_px)" "$(share 0.6 "$(figure first.txt rmse_px)")" "and the third"
level() { awk -v l="$2" '/^level/ {on = 1} on && $1 == l {print $2}' "$1"; }
# each level's figure, from the stream's own values: those of steps, and of predicted at the end
by_hand() {
	tns-info --head 1000 twice.tns | awk -v l="$1" '
		/^keypoints\[/ {sub(/^keypoints/, ""); for (i = 2; i <= NF; i++) t[$1, i] = $i; n = NF; row[$1]}
		/^steps\[/ && l < 3 {sub(/^steps/, ""); for (i = 2; i <= 7; i++) p[$1, i] = $(i + 6 * (l - 1))}
		/^predicted\[/ && l == 3 {sub(/^predicted/, ""); for (i = 2; i <= 7; i++) p[$1, i] = $i}
		END {for (r in row) for (i = 2; i <= 7; i++) {d = p[r, i] - t[r, i]; s += d * d; m++}; printf "%.5f", sqrt(s / m)}'
}
for l in 1 2 3; do
	awk -v a="$(level twice.txt $l)" -v b="$(by_hand $l)" 'BEGIN {exit !(a != "" && (a - b) ^ 2 < 1e-9)}' && good || bad "level $l: $(level twice.txt $l), not $(by_hand $l)"
done
is "$(level refined.txt 2)" "$(level twice.txt 2)" "the second level, whatever follows"
if python3 -c 'import json' 2>/dev/null; then
	python3 - "$(level twice.txt 1)" "$(level twice.txt 2)" "$(level twice.txt 3)" <<-'P' && good || bad "score --json of levels"
		import json, subprocess, sys
		j = json.loads(subprocess.check_output(["score", "--json", "twice.tns"]))
		assert len(j["by_level"]) == 3 and all(abs(l["rmse_px"] - float(v)) < 1e-4 for l, v in zip(j["by_level"], sys.argv[1:]))
	P
else
	skip "no python3 to read JSON with"
fi
ok "on ref" predict -q -d ref weak.tns --refine level2.tns valid.tns -o ref.tns
score ref.tns -o ref.txt
awk -v a="$(figure ref.txt rmse_px)" -v b="$(figure refined.txt rmse_px)" 'BEGIN {exit !((a - b)^2 < 1e-6)}' && good || bad "ref refines to $(head -1 ref.txt)"
face-synth -q -n 60 --size 24x16 | csv-clean -q --size 24x16 -o fifteen.tns
train -n 'fc' -e 1 -o fifteen-model.tns fifteen.tns 2>/dev/null
fails 2 "unexpected operand 'heat.tns'" predict $(yes heat.tns | head -66) -o out.tns
fails 2 "heat.tns: more than 64 models of one level" predict heat.tns --refine "$(yes heat.tns | head -65 | paste -sd ,)" valid.tns -o out.tns
fails 2 "--refine: more than 15 levels" predict heat.tns $(yes -- '--refine heat.tns' | head -16) valid.tns -o out.tns
fails 1 "fifteen-model.tns: its points are not those of the model it is to refine" predict heat.tns --refine fifteen-model.tns valid.tns -o out.tns
fails 1 "heat.tns: its input of 24x16 is no patch of images of 24x16" predict heat.tns --refine heat.tns valid.tns -o out.tns
fails 1 "there is no tensor predicted" patch-extract --around predicted --size 11x9 valid.tns -o out.tns
fails 2 "do not go with it" patch-extract --around predicted --size 11x9 --negatives 3 predicted.tns -o out.tns
fails 2 "--copies goes with --around predicted" patch-extract --around nose --copies 2 --size 11x9 predicted.tns -o out.tns
[ -e out.tns ] && bad "something was written" || good

# ---- 68 points; few labels ----
face-synth -q -n 120 --point-count 68 --size 64x48 --seed 4 | csv-clean -q --size 64x48 -o many.tns
ok "68 points" train -n 'conv5x5x8s4p2 bn relu fc128 relu fc' --optimizer adam -r 0.003 --schedule cosine -e 120 -o many-model.tns many.tns
less "$(rmse many-model.tns many.tns)" "$(share 0.8 "$(mean_face many.tns many.tns)")" "68 points against the mean face"
# of 400 rows ten have one label: it is learned from them, and meets the others too
awk -F, -v OFS=, 'NR > 1 {for (i = 1; i <= 6; i++) if (NR % 40 || i > 2) $i = ""} 1' spots.csv | clean -o few.tns
train -n 'conv5x5x6s2p2 relu fc32 relu fc' -r 0.003 --schedule cosine --optimizer adam -e 200 --augment shift=2 -o few-model.tns few.tns 2>/dev/null
is "$(tns-info few-model.tns | sed -n 's/^unlearned: //p')" right_eye,nose "one point in forty rows is labelled"
predict -q few-model.tns few.tns | score -o few.txt 2>/dev/null
is "$(figure few.txt coordinates)" 20 "its labels are measured"
less "$(figure few.txt rmse_px)" "$(share 0.4 "$(mean_face few.tns few.tns)")" "ten labels against their mean"
less "$(rmse few-model.tns valid.tns 2>/dev/null)" "$(share 0.8 "$(mean_face few.tns valid.tns)")" "on other rows"

# ---- labels whose origin is not the first pixel's centre: the offset is estimated, stored in the model, used when mirroring ----
awk -F, -v OFS=, 'NR > 1 {for (i = 1; i <= 6; i += 2) {$i += 2; $(i + 1) -= 1.5}} 1' spots.csv | clean -o shifted.tns
tns-split -q --parts 0.75,0.25 shifted.tns -o shifted-train.tns -o shifted-valid.tns
offset() { tns-info "$1" | awk '/^scale:/ {printf "%.2f %.2f", (0.5 * $6 - 0.5 - $7) / $6, (0.5 * $9 - 0.5 - $10) / $9}'; }
for how in auto none; do
	train -n "$heat" --target heatmap -r 0.01 --schedule cosine --optimizer adam -e 20 --augment flip,rotate=30 --offset $how -o $how.tns shifted-train.tns 2>/dev/null
done
is "$(offset none.tns)" "0.00 0.00" "--offset none"
offset auto.tns | awk '{exit !(($1 - 2)^2 < 0.04 && ($2 + 1.5)^2 < 0.09)}' && good || bad "the offset is 2 -1.5, found was $(offset auto.tns)"
less "$(rmse --flip auto.tns shifted-valid.tns)" "$(share 0.4 "$mean")" "an offset that is known"
less "$(share 2.5 "$(rmse --flip auto.tns shifted-valid.tns)")" "$(rmse --flip none.tns shifted-valid.tns)" "one that is not"
# a killed and resumed run keeps it; killed after five epochs, and started anew where it was done before that
again=(train -n "$heat" --target heatmap -r 0.01 --optimizer adam -e 60 --augment flip,rotate=30 shifted-train.tns)
for try in 1 2 3; do
	rm -f c.tns cut.tns cut.tsv
	cnn-train -q --seed 5 -b 16 "${again[@]:1}" --checkpoint c.tns --log cut.tsv -o cut.tns &
	pid=$!
	while kill -0 $pid 2>/dev/null && [ "$(wc -l 2>/dev/null <cut.tsv || echo 0)" -lt 7 ]; do :; done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ -e cut.tns ] || break
done
[ -e c.tns ] && [ ! -e cut.tns ] && good || bad "the run was not killed"
ok "goes on" "${again[@]}" --checkpoint c.tns --resume -o cut.tns
ok "at once" "${again[@]}" -o once.tns
is "$(tns-info cut.tns | grep '^scale')" "$(tns-info once.tns | grep '^scale')" "the offset of a run that went on"
[ "$(offset once.tns)" != "0.00 0.00" ] && good || bad "it has none"

# ---- labels that stay far off ----
awk -F, -v OFS=, 'NR == 31 || NR == 91 {$5 = 3; $6 = 3} 1' spots.csv >planted.csv # nose of rows 30 and 90
clean planted.csv -o planted.tns
ok suspects train -n 'conv5x5x6s2p2 relu fc16 relu fc' -e 30 -r 0.003 --schedule cosine --optimizer adam --augment shift=1 --distrust 4 --suspects doubts.tsv -o doubter.tns planted.tns
is "$(sed 1d doubts.tsv | cut -f1-3)" "30	nose	suspect
90	nose	suspect" "planted labels are suspect, and no others"
clean --blank doubts.tsv planted.csv -o cleared.tns --report cleared.tsv
is "$(grep -c '^\(30\|90\)	nose	\(suspect\|far\)' cleared.tsv)" 2 "csv-clean tells of them"
fails 2 "--distrust is for the targets coords and heatmap, not label" cnn-train -q --target label -n fc --distrust 3 planted.tns -o out.tns

# ---- diverging training: one line with epoch and layer, exit 1, the best weights kept where they are of use ----
explode() { cnn-train -q -n fc -m 0 --optimizer sgd --valid valid.tns "$@" train.tns; }
fails 1 "epoch 1, layer 1: the loss is nan" cnn-train -q -n 'conv5x5x4s4 relu fc32 relu fc' -e 40 -r 80 -m 0.99 --optimizer sgd --valid valid.tns -o no.tns train.tns
[ -e no.tns ] && bad "weights of no epoch" || good
fails 1 "a smaller --rate may help; no epoch was better than the mean face, RMSE px " explode -e 40 -r 0.084 -o no.tns
[ -e no.tns ] && bad "weights that are of no use" || good
# from a model that is good already, which the first step moves a little
explode() { cnn-train -q -n 'conv5x5x6s2p2 relu fc32 relu fc' --init coords.tns -b 1000 -m 0 --optimizer sgd -r 4 --valid valid.tns "$@" train.tns; }
fails 1 "a smaller --rate may help; the best weights, of epoch 1, are kept" explode -e 40 -o kept.tns
explode -e 1 -o good.tns 2>/dev/null
fails 1 "a smaller --rate may help" explode -e 40 --keep last -o last.tns
[ -e last.tns ] && bad "weights of an epoch that was not the last" || good
is "$(rmse kept.tns valid.tns)" "$(rmse good.tns valid.tns)" "they are those of a run of one epoch"
done_tests
