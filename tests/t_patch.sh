#!/usr/bin/env bash
# patch-extract and tns-info: output, refusals, the same bytes from file and pipe.
. tests/sh.sh
cd "$TMP" || exit 1
face-synth -q -n 60 --size 96x80 | csv-clean -q --size 96x80 -o faces.tns || { bad "fixtures"; done_tests; exit 1; }
rows() { tns-info --json "$1" | sed -n 's/.*"name": "label", "dtype": "u8", "shape": \[\([0-9]*\)\].*/\1/p'; }
key() { tns-info "$2" | sed -n "s/^$1: //p"; }

# presets equal the options that they stand for
ok "eyes" patch-extract -q --preset eyes faces.tns -o eyes.tns
is "$(tns-info eyes.tns | awk '$1 == "image" {print $2, $3}' | sed 's/ [0-9]*,/ N,/')" "u8 N,19,25" "an eye's patch is 25 wide and 19 high"
is "$(key classes eyes.tns)" other,eye "classes of the preset"
ok "eyes in full" patch-extract -q --around left_eye_inner_corner,left_eye_outer_corner --around right_eye_inner_corner,right_eye_outer_corner \
	--size 25x19 --flip --negatives 1 --hard mouth_left_corner,mouth_right_corner --name eye faces.tns -o full.tns
values() { for t in image label source; do tns-info --head 99 --tensor $t "$1"; done | grep '\['; }
is "$(values eyes.tns | cksum)" "$(values full.tns | cksum)" "the preset's options by name"
ok "mouths" patch-extract -q --preset mouths --size 31x17 --name lips faces.tns -o mouths.tns
is "$(tns-info mouths.tns | awk '$1 == "image" {print $3}' | sed 's/[0-9]*,/N,/')" N,17,31 "what is given goes before the preset"
is "$(key classes mouths.tns)" other,lips "--name goes before the preset"

# the same bytes from file and pipe, and again; another seed changes random positions only
ok "from a pipe" bash -c 'patch-extract -q --preset eyes <faces.tns >pipe.tns'
same eyes.tns pipe.tns "file and pipe"
ok "another seed" patch-extract -q -s 2 --preset eyes faces.tns -o seed.tns
is "$(rows eyes.tns)" "$(rows seed.tns)" "a seed does not change how many"
cmp -s eyes.tns seed.tns && bad "two seeds, the same patches" || good
ok "no faces at all" bash -c 'face-synth -q -n 1 | csv-clean -q --keep-all | tns-split -q --parts 0.5,0.5 -o a.tns -o b.tns'
for f in a b; do ok "part $f, perhaps empty" patch-extract -q --random 3 --size 5x5 $f.tns -o $f.p.tns; done
is "$(($(rows a.p.tns) + $(rows b.p.tns)))" 3 "three places of one face"
is "$(patch-extract -q --random 4 --size 96x80 faces.tns | tns-info --head 1 | grep -c '^label\[1\] 0$')" 1 "a patch as large as the image"

# options override a preset's negatives
negatives() { patch-extract --preset eyes --hard nose_tip "$@" faces.tns -o n.tns 2>&1 | sed 's/.* positives, \([0-9]*\) negatives.*/\1/'; }
is "$(negatives)" $((60 * 3)) "one negative a face and its nose twice"
is "$(negatives --negatives 4)" $((60 * 6)) "four"
is "$(negatives --negatives 0)" $((60 * 2)) "none"

# a face's patches don't depend on the other rows
patches() { for t in image label source; do tns-info --head 100000 --tensor $t "$1"; done | awk '/^(image|label|source)\[/ {split($1, a, "["); k = a[2]; $1 = ""; v[k, a[1]] = $0; n[k]} END {for (k in n) print v[k, "source"] v[k, "label"] v[k, "image"]}' | sort; }
ok "parts" tns-split -q -s 5 --parts 0.3,0.7 faces.tns -o a.tns -o b.tns
for f in faces a b; do patch-extract -q --preset mouths --size 9x7 --jitter 2 --random 2 --negatives 2 $f.tns -o $f.p.tns; done
patches faces.p.tns >whole
{ patches a.p.tns; patches b.p.tns; } | sort >parts
is "$(wc -l <whole)" $((60 * (2 + 4 + 2 + 2))) "patches of the whole"
same whole parts "patches of the parts"

# refused
fails 2 "there is no point 'nosetip' in the data (did you mean nose_tip?)" patch-extract --around nosetip --size 5x5 faces.tns -o x.tns
fails 2 "there is no point 'chin' in the data (there are left_eye_center, right_eye_center, " patch-extract --around chin --size 5x5 faces.tns -o x.tns
fails 2 "there is no point 'beard' in the data" patch-extract --preset eyes --hard beard faces.tns -o x.tns
fails 2 "97x5 is larger than the images, 96x80" patch-extract --around nose_tip --size 97x5 faces.tns -o x.tns
fails 2 "--size or --preset must be given" patch-extract --around nose_tip faces.tns -o x.tns
fails 2 "--name: 'other' is the class of the negatives" patch-extract --preset eyes --name other faces.tns -o x.tns
fails 2 "--negatives needs --around" patch-extract --random 1 --negatives 1 --size 5x5 faces.tns -o x.tns
for list in '' , nose_tip, ,nose_tip nose_tip,,nose_tip; do
	fails 2 "--around: '$list': an empty item; try patch-extract --help" patch-extract --around "$list" --size 5x5 faces.tns -o x.tns
done
fails 2 "is too many; try" patch-extract --around "$(yes nose_tip | head -17 | paste -sd,)" --size 5x5 faces.tns -o x.tns
fails 2 "--hard: '': an empty item" patch-extract --preset eyes --hard '' faces.tns -o x.tns
fails 2 "--name: 'nose,lips' is not one name" patch-extract --around nose_tip --size 5x5 --name nose,lips faces.tns -o x.tns
fails 2 "--name: 'a\\nb' is not one name" patch-extract --around nose_tip --size 5x5 --name $'a\nb' faces.tns -o x.tns
fails 2 "--name: '' is not one name" patch-extract --around nose_tip --size 5x5 --name '' faces.tns -o x.tns
fails 2 "--around, --random or --preset must be given" patch-extract --hard nose_tip --size 5x5 faces.tns -o x.tns
fails 2 "--around and --hard both name 'mouth_left_corner,mouth_right_corner': --hard says what takes the place of the preset's" patch-extract --preset eyes --around mouth_left_corner,mouth_right_corner faces.tns -o x.tns
fails 2 "5x81 is larger than the images, 96x80" patch-extract --random 1 --size 5x81 faces.tns -o x.tns
fails 1 "patch-extract: stdin: preamble: the input is empty" patch-extract --random 1 --size 5x9 -o x.tns </dev/null
fails 1 "there is no tensor id" patch-extract --preset eyes eyes.tns -o x.tns
head -c 300000 faces.tns >cut.tns
fails 1 "cut.tns" patch-extract -q --preset eyes cut.tns -o x.tns
is "$(find . -name '*x.tns*')" "" "nothing left of what failed"

# tns-info
ok "--check of a whole stream" tns-info --check eyes.tns
is "$(cat .out .err)" "" "--check is silent"
fails 1 "cut.tns: record" tns-info --check cut.tns
is "$(cat .out)" "" "--check of a cut stream prints nothing on stdout"
fails 1 "nowhere.tns" tns-info nowhere.tns
is "$(tns-info <eyes.tns | cksum)" "$(tns-info eyes.tns | cksum)" "tns-info by file and by pipe"
is "$(tns-info --head 2 eyes.tns | grep -c '^source\[')" 2 "--head prints so many rows"
is "$(tns-info --head 1 --tensor image eyes.tns | awk '/^image/ && /\[1\]/ {print NF - 1}')" 475 "--tensor prints all values of a row"
is "$(tns-info --json eyes.tns | tr -d '\n' | sed 's/.*"fingerprint": "\(.*\)"}/\1/')" "$(key fingerprint eyes.tns)" "text and JSON agree"
is "$(face-synth -q -n 60 --dirt | csv-clean -q | tns-info | awk '$1 == "keypoints" {print ($7 > 0)}')" 1 "missing labels are counted as NaN"
is "$(tns-info eyes.tns | grep -c '^  [a-z-]* 0\.')" 2 "a line of history for each program"
if python3 -c 'import json' 2>/dev/null; then
	ok "--json is JSON" bash -c 'tns-info --json --head 3 faces.tns | python3 -m json.tool'
else
	skip "no python3 to read JSON with"
fi
done_tests
