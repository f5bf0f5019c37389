#!/usr/bin/env bash
# window-extract and face-find: a small finder learns from made faces and finds others in made scenes; the same bits for any number of
# threads, from file and pipe; what comes out goes on through predict and tns-export; refusals. And pipelines/finder.awk by hand.
. tests/sh.sh
cd "$TMP" || exit 1
rows() { tns-info "$1" | awk -v t="$2" '$1 == t {split($3, d, ","); print d[1]}'; }

# photographs with faces, and without any
ok "photographs to learn from" face-synth -q --photos 150 --photo-size 160x120 --faces 2 --face-min 40 --face-max 90 --form table -s 1 -o photos
ok "photographs without faces" face-synth -q --photos 100 --photo-size 160x120 --faces 0 --form table -s 2 -o backs
is "$(ls backs | grep -c pgm) $(wc -l <backs/labels.csv)" "100 1" "no face is on them"
ok "scenes" face-synth -q --photos 30 --photo-size 240x180 --faces 3 --face-min 40 --face-max 90 --form table -s 3 -o scenes
ok "faces" tns-import -q --form table --margin 0.25 --size 48x64 photos/labels.csv -o crops.tns
ok "backgrounds" tns-import -q --form folder --size 160x120 backs -o backs.tns

# windows: two of each face, so many of others; from file and pipe
windows() { window-extract -q --size 18x24 --margin 0.25 --negatives 3 --windows 30 "$@"; }
ok "windows" windows crops.tns --others backs.tns -o windows.tns
n=$(rows crops.tns image)
is "$(rows windows.tns label) $(meta windows.tns classes)" "$((5 * n + 3000)) other,face" "windows of $n faces and 100 backgrounds"
is "$(tns-info windows.tns | awk '$1 == "image" {sub(/[0-9]*,/, "", $3); print $3}')" 24,18 "18 wide and 24 high"
is "$(tns-table -q windows.tns | awk -F, 'NR > 1 {n[$1]++} END {print n[1], n[0]}')" "$((2 * n)) $((3 * n + 3000))" "of faces and of others"
ok "from pipes" bash -c 'cat crops.tns | window-extract -q -t 2 --size 18x24 --margin 0.25 --negatives 3 --windows 30 --others <(cat backs.tns) -o pipe.tns'
same windows.tns pipe.tns "file and pipe"
ok "another seed" windows -s 2 crops.tns --others backs.tns -o seed.tns
is "$(rows seed.tns label) $(cmp -s windows.tns seed.tns && echo the same)" "$((5 * n + 3000)) " "another seed, other windows, as many"
# a face's windows, and a background's, don't depend on others
ok "one face, one background" bash -c 'tns-select --rows 7 crops.tns -o one.tns && tns-select --rows 9 backs.tns -o back.tns'
ok "their windows" windows one.tns --others back.tns -o w.tns
images() { tns-info --tensor image --head 100000 "$1" | sed -n 's/^image\[\([0-9]*\)\]/\1/p' | sed -n "$2"; }
is "$(images w.tns 1,5p | cut -d' ' -f2- | cksum)" "$(images windows.tns "31,35p" | cut -d' ' -f2- | cksum)" "the windows of face 7"
is "$(images w.tns 6,35p | cut -d' ' -f2- | cksum)" "$(images windows.tns "$((5 * n + 8 * 30 + 1)),$((5 * n + 9 * 30))p" | cut -d' ' -f2- | cksum)" "the windows of background 9"
# what has the windows' size is taken whole
ok "windows of windows" bash -c 'tns-import -q --form folder --size 18x24 backs -o whole.tns && tns-select --rows 1 crops.tns -o one.tns'
ok "as they are" window-extract -q --size 18x24 --negatives -1 --others whole.tns one.tns -o w.tns
is "$(rows w.tns label) $(images w.tns '3,$p' | cut -d' ' -f2- | cksum)" "102 $(images whole.tns '1,$p' | cut -d' ' -f2- | cksum)" "each is a negative"

fails 2 "--jitter 5: a quarter of a window's shorter side, 18, at most" windows --jitter 5 crops.tns -o no.tns
fails 2 "--margin: -0.5 is neither -1 nor 0 or more" window-extract --margin -0.5 crops.tns -o no.tns
fails 1 "windows.tns: there is no tensor id" window-extract windows.tns -o no.tns
fails 1 "windows.tns: there is no tensor id" window-extract -q crops.tns --others windows.tns -o no.tns
fails 1 "none.tns: No such file or directory" window-extract -q crops.tns --others none.tns -o no.tns

# the finder: nine in ten of other faces, boxes that fit, few false ones
ok "training" cnn-train -q --target label -n 'conv3x3x8 relu pool2 conv3x3x12 relu pool2 conv3x3x24 relu fc24 relu fc' -e 12 -b 32 -r 0.003 \
	--optimizer adam --schedule cosine --augment contrast=0.3,brightness=0.1 windows.tns -o finder.tns
ok "finding" face-find finder.tns scenes -o found.tns
is "$(grep -c ' faces in 30 images, .* of them without$' .err)" 1 "what it says"
tns-export --form csv found.tns -o found.csv
awk -v images=30 -f "$ROOT/pipelines/finder.awk" scenes/labels.csv found.csv >figures
ok "most faces are found, and little else ($(tail -1 figures))" awk 'END {exit !($4 >= 0.6 && $6 <= 1.5)}' figures
ok "three threads, one image after the other" face-find -q -t 3 finder.tns scenes/0000{01..30}.pgm -o files.tns
# files are called as they were named, those of a folder by their names in it; all else is the same
tns-export --form csv files.tns | sed 's,^scenes/,,' | cmp -s - found.csv && good || bad "-t 3, named one by one, differs"
ok "one thread" face-find -q -t 1 finder.tns scenes -o one.tns
same found.tns one.tns "-t 1"
if [ -x "${BIN%/bin}/host/bin/face-find" ]; then # kernels of a GPU, on the host
	ok "the same by cuda" "${BIN%/bin}/host/bin/face-find" -q -t 1 -d cuda --precision fp32 finder.tns scenes/00000{1..3}.pgm -o cuda.tns
	face-find -q finder.tns scenes/00000{1..3}.pgm -o cpu.tns
	boxes() { tns-table --fields box_1,box_2,box_3,box_4,face_score "$1" | awk -F, 'NR > 1 {printf "%.0f %.0f %.0f %.0f %.3f\n", $1, $2, $3, $4, $5}'; }
	is "$(boxes cuda.tns)" "$(boxes cpu.tns)" "boxes and scores by cuda"
else
	skip "no face-find for cuda on the host"
fi
ok "to a pipe" bash -c 'face-find -q finder.tns scenes | cat >pipe.tns'
same found.tns pipe.tns "file and pipe"
is "$(tns-table -q found.tns | awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; next}
	{a = $at["box_3"] > $at["box_4"] ? $at["box_3"] : $at["box_4"]; a /= 96; c = $at["box_1"] + $at["box_3"] / 2 - 0.5 - a * 47.5; d = $at["box_2"] + $at["box_4"] / 2 - 0.5 - a * 47.5
	off += (a - $at["crop_1"])^2 > 1e-8 || (c - $at["crop_3"])^2 > 1e-6 || (d - $at["crop_6"])^2 > 1e-6; n++} END {print (n > 0), off + 0}')" "1 0" "crops are the boxes, grown to squares"
ok "wider" face-find -q --margin 0.5 --size 24x24 finder.tns scenes -o wide.tns
is "$(tns-table --fields crop_1 wide.tns | awk 'NR > 1 {printf "%.3f\n", $1}' | paste -sd ' ')" "$(tns-table --fields crop_1 found.tns | awk 'NR > 1 {printf "%.3f\n", $1 * 2 * 4}' | paste -sd ' ')" "--margin 0.5: twice as wide"
# options that leave out
least=$(tns-table --fields face_score found.tns | awk 'NR > 1 && $1 > 0.8' | wc -l)
ok "--threshold" face-find -q --threshold 0.8 finder.tns scenes -o few.tns
is "$(rows few.tns id)" "$least" "those of a higher score"
ok "--max-size" face-find -q --min-size 50 --max-size 60 finder.tns scenes -o few.tns
is "$(tns-table --fields box_4 few.tns | awk 'NR > 1 && ($1 < 42 || $1 > 72)' | wc -l)" 0 "sizes, but for the last look's"

# held-out faces share no photograph with others
ok "a net with held-out faces" bash -c 'tns-select -q --sample 60 crops.tns | cnn-train -q -n "pool8 fc" --valid-part 0.3 -e 1 -r 0.001 -o parted.tns && tns-select -q --sample 60 crops.tns | predict -q parted.tns -o parts.tns'
is "$(tns-table --fields source,trained parts.tns | awk -F, 'NR > 1 {n++; if (!(($1, $2) in seen)) kinds[$1]++; seen[$1, $2]; in_part[$2]++; photo[$1]} END {for (p in photo) {both += kinds[p] > 1; photos++}; print both + 0, photos < n, (in_part[0] > 4), (in_part[1] > 4)}')" "0 1 1 1" "--valid-part keeps a photograph's faces together"

# on through predict and tns-export; boxes alone, and back
ok "a net of points" cnn-train -q -n 'pool8 fc' -e 1 -r 0.001 <(tns-import -q --form table --margin 0.25 --size 24x24 photos/labels.csv) -o points.tns
ok "through pipes" bash -o pipefail -c 'face-find -q --margin 0.25 --size 24x24 finder.tns scenes | predict -q points.tns | tee predicted.tns | tns-export --form csv -o points.csv'
is "$(cat .err)" "" "faces cut as those that the net learned from: nothing to say"
ok "cut otherwise" bash -c 'face-find -q --size 24x24 finder.tns scenes | tee tight.tns | predict -q points.tns -o out.tns'
is "$(grep -c '^predict: stdin: faces are cut out otherwise (box 0) than those that the model learned from (box 0.25)' .err)" 1 "is told"
ok "parts and patches of them" bash -c 'tns-select -q --rows 1 tight.tns | tns-cat -q - tight.tns --renumber | predict -q points.tns | patch-extract -q --random 3 --size 8x8 -o patches.tns'
is "$(grep -c '^predict: stdin: faces are cut' .err) $(tns-info patches.tns | grep -c '^crop:')" "1 0" "parts are told of, patches are no such crops"
ok "whole images" bash -c 'tns-import -q --form folder --size 24x24 scenes | predict -q points.tns -o out.tns'
is "$(cat .err)" "" "whole images may be what they fill"
ok "a net of faces cut otherwise" bash -c 'tns-import -q --form table --margin 0.5 --size 24x24 photos/labels.csv | cnn-train -q -n "pool8 fc" -e 1 -r 0.001 -o other.tns'
ok "two nets" bash -c 'face-find -q --margin 0.25 --size 24x24 finder.tns scenes | predict -q points.tns other.tns -o out.tns'
is "$(grep -c '(box 0.25) than those that the model learned from (box 0.5)' .err)" 1 "of two nets either is compared"
ok "boxes of others" bash -c 'tns-select -q --only image,keypoints,id crops.tns | tns-table -q --image --notes no | tns-table -q --read --size 48x64 -o bare.tns && tns-join -q --take box bare.tns crops.tns -o joined.tns && tns-join -q --take image --prefix its. bare.tns crops.tns -o its.tns'
is "$(tns-info bare.tns | grep -c '^crop:') $(tns-info joined.tns | grep -c '^crop:') $(tns-info its.tns | grep -c '^crop:')" "0 0 0" "how others' images were cut is not said of these"
# few photographs: the preset holds out none, and who asks for a part is told of them
few=$(tns-table -q --fields source crops.tns | awk 'NR > 1 && !($0 in seen) {seen[$0]; n++} NR > 1 && n <= 4 {last = NR - 1} END {print last}')
ok "rows of four photographs" bash -c "tns-select -q --rows 1-$few crops.tns -o few.tns && tns-cat -q \$(yes few.tns | head -20) --renumber -o many.tns && cnn-train -q --preset fast -e 1 many.tns -o few.m"
fails 1 "rows of 4 groups (tensor source) can't be parted by --valid-part 0.001" cnn-train -q -n fc -e 1 --valid-part 0.001 many.tns -o no.tns

# mirrored images are no longer cut from photographs as the truth is; a box's score is no prediction of its image
fails 1 "is cut otherwise from its photograph" bash -o pipefail -c 'tns-import -q --form table --margin 0.25 --size 24x24 photos/labels.csv -o small.tns && image-augment -q --augment flip=alternate small.tns | predict -q points.tns | score -q --truth small.tns'
ok "noise" image-augment -q --noise 5 found.tns -o noise.tns
is "$(tns-table -q --fields face_score noise.tns | cksum)" "$(tns-table -q --fields face_score found.tns | cksum)" "boxes' scores stay"
is "$(wc -l <points.csv) $(head -1 points.csv | cut -d, -f1-3)" "$(($(rows found.tns id) + 1)) filename,left_eye_center_x,left_eye_center_y" "a line a face"
is "$(tns-table --fields box_1,box_2,face_score predicted.tns | cksum)" "$(tns-table --fields box_1,box_2,face_score found.tns | cksum)" "boxes and scores stay"
ok "boxes into COCO" tns-export --form coco found.tns -o found.json
ok "and back" bash -c 'cp scenes/*.pgm . && tns-import -q --form coco found.json -o back.tns'
crops() { tns-table --fields crop_1,crop_3,crop_5,crop_6 "$1" | awk -F, 'NR > 1 {printf "%.2f %.1f %.2f %.1f\n", $1, $2, $3, $4}' | cksum; }
is "$(crops back.tns)" "$(crops found.tns)" "COCO holds the same boxes, which are cut alike"
is "$(tns-export --form coco-results found.tns | awk 'NR == 2')" "$(tns-table --fields box_1,box_2,box_3,box_4,face_score found.tns |
	awk -F, 'NR == 2 {printf "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [%s, %s, %s, %s], \"score\": %s}", $1, $2, $3, $4, $5}')" "COCO's results of boxes"
is "$(tns-export --form jsonl found.tns | head -1 | grep -cE '^\{"file": "0000[0-9]*.pgm", "id": 1, "box": \[[^]]*\], "score": 0\.[0-9]*\}$')" 1 "boxes as lines of JSON"
fails 1 "found.tns: there are no points" tns-export --form pts found.tns -o pts

# no face, no image, no photograph
mkdir flat && { printf 'P5 100 80 255\n' && head -c 8000 /dev/zero | tr '\0' 'x'; } >flat/a.pgm
{ printf 'P5 9 5 255\n' && head -c 45 /dev/zero; } >flat/b.pgm
ok "no face at all" face-find finder.tns flat -o none.tns
is "$(cat .err) $(rows none.tns id)" "face-find: 0 faces in 2 images, 2 of them without 0" "is said, and no row"
is "$(predict -q points.tns <(face-find -q --size 24x24 finder.tns flat) | tns-export --form csv | wc -l)" 1 "and goes on through pipes"
echo nothing >flat/c.png
fails 1 "face-find: image flat/c.png: is of a kind that is not known here" face-find -q finder.tns flat -o no.tns
ok "--keep-going" face-find --keep-going finder.tns flat -o none.tns
is "$(meta none.tns images.dropped) $(grep -c 'image flat/c.png: is of a kind' .err)" "1 1" "what is passed by is named and counted"
fails 1 "face-find: flat/c.png: no image is left: 1 bad" face-find -q --keep-going finder.tns flat/c.png -o no.tns
mkdir empty
fails 1 "empty: no image is in it" face-find finder.tns empty -o no.tns
mkdir -p deep/er && cp flat/a.pgm deep && cp flat/a.pgm deep/er
ok "a folder within" face-find finder.tns deep -o none.tns
is "$(paste -sd ' ' .err)" "face-find: folders within are not read: 'deep/er'; name them, too face-find: 0 faces in 1 image, 1 of them without" "is told"
fails 1 "nowhere: No such file or directory" face-find finder.tns nowhere -o no.tns
fails 1 "the model is no finder of faces: it tells points, not two classes" face-find points.tns scenes -o no.tns
fails 1 "windows.tns: a model needs META net" face-find windows.tns scenes -o no.tns
fails 2 "--max-size 30: --min-size is 40" face-find --max-size 30 finder.tns scenes -o no.tns
fails 2 "--margin: -0.5 is neither -1 nor 0 or more" face-find --margin -0.5 finder.tns scenes -o no.tns
fails 2 "too few operands: 1 given" face-find finder.tns
fails 2 "--output flat/b.pgm: is the image flat/b.pgm" face-find -q finder.tns flat/a.pgm flat -o flat/b.pgm
is "$(find . -name '*no.tns*')" "" "nothing left of what failed"

# the figures, by hand: two of three faces, of which one box lies half in half out, one twice
cat >truth.csv <<'END'
filename,left,top,right,bottom
a,0,0,10,10
a,20,0,30,10
b,5,5,15,25
END
cat >boxes.csv <<'END'
filename,left,top,right,bottom,score
a,0,0,10,5,0.9
a,1,0,11,10,0.8
a,100,0,110,10,0.95
b,5,5,15,24,0.7
b,5,6,15,25,0.6
c,5,5,15,25,0.5
END
is "$(awk -v images=4 -f "$ROOT/pipelines/finder.awk" truth.csv boxes.csv | tail -1 | xargs)" "0.50 3 2 0.6667 4 1.000" "recall and false boxes by hand"
done_tests
