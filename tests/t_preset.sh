#!/usr/bin/env bash
# Training with hardly any option: the default net and settings do what detectors of points need; options that are given stand.
. tests/sh.sh
cd "$TMP" || exit 1
export LC_ALL=C
option() { tns-info "$2" | sed -n "s/.*cnn-train .* --$1 \('[^']*'\|[^ ]*\).*/\1/p" | tail -1; }

# ---- no option but fewer epochs: far better than the mean face
face-synth -q -n 220 | csv-clean -q -o faces.tns
ok "no net given" cnn-train -e 8 -b 8 faces.tns -o m.tns
cp .err said
mean=$(sed -n 's/.*mean face: \(.*\) px/\1/p' said) best=$(sed -n 's/.*best epoch .*: valid rmse px \([0-9.]*\).*/\1/p' said)
ok "better than the mean face by a quarter: $best and $mean px" awk -v a="$best" -v b="$mean" 'BEGIN { exit !(a < 0.75 * b) }'
is "$(option net m.tns)" "'conv5x5x16s2p2 bn relu conv3x3x32s2p1 bn relu conv3x3x64s2p1 bn relu conv3x3x64p1 bn relu conv3x3x64p1 bn relu conv3x3x64p1 bn relu conv3x3x64p1 bn relu up2 conv3x3x32p1 bn relu conv1x1'" "the net, which the history tells"
for o in "target heatmap" "epochs 8" "optimizer adam" "decay 0.5" "valid-part 0.1" "sigma 3" "distrust 8" "augment flip,shift=4,rotate=12,scale=0.1,contrast=0.3,brightness=0.15,cutout=0.2"; do
	is "$(option ${o% *} m.tns)" "${o#* }" "the history tells it"
done

# ---- the net follows the images' size, lengths follow it too
for s in 12x12 24x24 40x56 160x128; do
	face-synth -q -n 60 --size $s | csv-clean -q --size $s -o s.tns
	cnn-train -q -e 1 s.tns -o s.model 2>/dev/null
	echo "$s $(option net s.model | grep -o 's2' | wc -l) $(tns-info s.model | sed -n 's/^scale: .* x \([0-9.]*\) .*/\1/p') $(option sigma s.model)"
done >sizes.txt
is "$(cat sizes.txt)" "12x12 1 1 0.375
24x24 1 1 0.75
40x56 2 0.5 1.25
160x128 3 0.25 4" "halvings, cells a pixel, sigma"

is "$(cnn-train --dry-run --preset fast --optimizer sgd s.tns 2>/dev/null | sed -n 's/^  decay: //p')" 0 "weight decay is AdamW's"

# ---- what is given stands; small sets hold nothing out; a point without a partner
head() { sed -n "1,$1p"; }
face-synth -q -n 40 --size 24x24 | csv-clean -q -o small.tns
cnn-train -q --preset fast -e 1 --sigma 2.5 --augment shift=1 -r 0.003 small.tns -o s.model 2>/dev/null
is "$(for o in epochs sigma augment rate valid-part; do option $o s.model; done | tr '\n' ' ')" "1 2.5 shift=1 0.003 " "what is given stands, and 40 rows hold nothing out"
cnn-train -q --preset best -n 'conv3x3' -e 1 small.tns -o s.model 2>/dev/null
is "$(option net s.model) $(option loss s.model)" "conv3x3 smooth" "a net beside a preset"
face-synth -q -n 120 --size 24x24 --point-count 4 | csv-clean -q -o unpaired.tns 2>/dev/null
cnn-train -q -e 1 unpaired.tns -o s.model 2>err
grep -q "images are not mirrored: point 'left_eye_inner_corner' has no partner" err && good || bad "not told: $(cat err)"
is "$(option augment s.model | cut -c1-5)" "shift" "so there is no flip"
is "$(cnn-train --dry-run --preset fast --valid-part 0 unpaired.tns 2>err | sed -n 's/^  patience: //p')" 0 "nothing held out, nothing to wait for"
is "$(for keep in best last; do cnn-train --dry-run --preset fast --keep $keep unpaired.tns 2>err | sed -n 's/^  patience: //p'; done | paste -sd ' ')" "15 0" "who keeps the last epoch trains to the last"
cnn-train -q -n 'pool4 fc' -e 1 small.tns -o s.model 2>/dev/null
is "$(tns-info s.model | grep -c 'cnn-train .* --net .pool4 fc. --epochs 1 ')" 1 "a net without a preset: as ever"
printf 'a_x,a_y,Image\n0,0,7\n0,0,8\n' | csv-clean -q -o dot.tns
fails 1 "images of 1x1 are too small for --preset default, which needs 4x4: give a net, as --net fc" cnn-train -q dot.tns -o no.tns
fails 2 "--preset fast: is for the target heatmap, not coords" cnn-train -q --preset fast --target coords small.tns -o no.tns
done_tests
