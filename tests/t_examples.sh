#!/usr/bin/env bash
# Every example of every --help runs as printed, on files of the names it uses.
. tests/sh.sh
cd "$TMP" || exit 1
{
	face-synth -n 120 --test test.csv --test-count 12 --test-lookup IdLookupTable.csv --solution solution.csv -o training.csv
	gzip -k training.csv test.csv
	csv-clean -q training.csv -o faces.tns
	csv-clean -q --keep-all solution.csv -o labelled.tns
	csv-clean -q test.csv -o test.tns
	cp faces.tns valid.tns
	patch-extract -q --preset eyes faces.tns -o patches.tns
	cnn-train -q -n 'conv5x5x4s4 relu fc16 relu fc' -e 1 --log a.tsv faces.tns -o a.tns
	cnn-train -q -n 'conv5x5x4s4 relu fc16 relu fc' -e 2 -s 2 --log b.tsv faces.tns -o b.tns
	cnn-train -q -n "conv3x3x8s4p1 relu conv1x1" --target heatmap -e 1 faces.tns -o heat.tns
	cp a.tns model.tns
	predict -q a.tns faces.tns -o predicted.tns
	predict -q b.tns faces.tns -o other.tns
	awk 'BEGIN {print "id,group"; for (i = 1; i <= 120; i++) print i "," i % 40}' >groups.csv
	patch-extract -q --around predicted --size 24x24 --jitter 2 predicted.tns -o around.tns
	cnn-train -q -n 'conv5x5x4s4 relu fc' -e 1 around.tns -o level2.tns
	dae-pretrain -q -e 1 patches.tns -o dae.tns
	predict -q dae.tns patches.tns -o reconstructed.tns
	cnn-train -q --target label --valid-part 0.3 -e 2 -n 'fc5 sigmoid fc' --log a.tsv patches.tns -o /dev/null
	mkdir photos bin # photographs, their table, and what stands in for ffmpeg
	awk -F, 'NR == 1 {print "filename," $1 "," $2 "," $3 "," $4}
		NR > 1 && NR < 7 {f = "face " NR ".pgm"; print f "," $1 "," $2 "," $3 "," $4; print "P2 96 96 255\n" $NF >"photos/" f}' training.csv >labels.csv
	awk -F, 'BEGIN {print "{\"categories\": [{\"id\": 1, \"name\": \"face\", \"keypoints\": [\"left\", \"right\"]}], \"annotations\": ["}
		NR > 1 {images = images (NR > 2 ? "," : "") "{\"id\": " NR ", \"file_name\": \"" $1 "\", \"width\": 96, \"height\": 96}"
			print (NR > 2 ? "," : "") "{\"id\": " NR ", \"image_id\": " NR ", \"category_id\": 1, \"keypoints\": [" $2 "," $3 ",2," $4 "," $5 ",2]}"}
		END {print "], \"images\": [" images "]}"}' labels.csv >labels.json
	cp labels.csv photos/labels.csv
	tns-import -q --form folder photos -o crops.tns && cp crops.tns backgrounds.tns
	window-extract -q crops.tns --others backgrounds.tns -o windows.tns
	cnn-train -q --target label -n 'fc4 relu fc' -e 1 windows.tns -o finder.tns
	printf '#!/bin/sh\ncase $* in *"-i - "*) cat >/dev/null ;; *) cat photos/*.pgm ;; esac\n' >bin/ffmpeg
	chmod +x bin/ffmpeg
	PATH=$PWD/bin:$PATH
	for f in b old1 old2 new1 new2; do cp a.tsv $f.tsv; done
} 2>err.log || { bad "fixtures: $(cat err.log)"; done_tests; exit 1; }

learns_or_says() {
	mv model.tns kept.model
	if bash -eu -o pipefail -c "$1" >.out 2>.err; then
		tns-info --check model.tns && good || bad "$1: no model"
	elif grep -q "nothing was learned: RMSE px .* on the held-out set" .err && [ ! -e model.tns ]; then
		good
	else
		bad "$1: $(cat .err)"
	fi
	mv kept.model model.tns
}
examples() { "$@" --help | sed -n '/^examples:/,$s/^  //p'; }
for p in "$BIN"/*; do
	p=$(basename "$p")
	[ "$p" = bench ] && continue
	{
		examples "$p"
		[ "$p" = render ] && for k in faces maps tiles pairs curves video; do examples render $k; done
	} >examples.txt
	[ -s examples.txt ] || bad "$p --help has no examples"
	while IFS= read -r line; do
		case $line in # 120 faces are too few for a net of this kind to beat the mean face, and cnn-train says so
		*--valid-part*) learns_or_says "$line" ;;
		*) ok "$line" bash -eu -o pipefail -c "$line" ;;
		esac
	done <examples.txt
done

# the README: its pipeline as printed, its two commands are targets, its table names every program and no other
grep '^    zcat' "$ROOT/README.md" >examples.txt
[ -s examples.txt ] || bad "the README shows no pipeline"
while IFS= read -r line; do
	ok "README: $line" bash -eu -o pipefail -c "$line"
done <examples.txt
# its commands by hand, one after the other, as printed but for the number of epochs; and what it says of a stream at hand
sed -n '/^## The same by hand/,/^## From photographs/s/^    //p' "$ROOT/README.md" | grep -v '^export' | sed 's/cnn-train /cnn-train -e 1 /' >by-hand.sh
is "$(wc -l <by-hand.sh)" 7 "commands by hand"
ok "README: by hand" bash -eu -o pipefail by-hand.sh
is "$(wc -l <submission.csv)" "$(wc -l <IdLookupTable.csv)" "README: by hand: every row answered"
# its three stories of photographs, as printed but for their number, the rows' size, a small net and 20 epochs
mkdir stories
sed -n '/^## From photographs/,/^## A stream/s/^    //p' "$ROOT/README.md" >stories/printed.sh
sed 's/--photos 500/--photos 150/; s/--photos 40/--photos 6/; s/--film 250/--film 9/; s/tns-import /&--size 48x48 /
	s/cnn-train /&-e 20 -b 16 -r 0.01 --target heatmap -n "conv5x5x8s4p2 bn relu conv5x5x16p2 bn relu conv5x5x16p2 bn relu conv1x1" /' stories/printed.sh >stories/run.sh
is "$(wc -l <stories/printed.sh) $(diff stories/printed.sh stories/run.sh | grep -c '^>')" "14 6" "commands of photographs"
if (cd stories && bash -eu -o pipefail run.sh) >story.out 2>story.err; then good; else bad "README: photographs: $(tail -3 story.err)"; fi
# what came out are pixels of the photographs and frames: the painter's points are a tenth of the picture away at most, on average. A small net is off by half of that, what is not brought back from the rows by half the picture
near() { # CSV TRUTH: the table of predictions, of three columns a point, lies within 24 px of the truth on average
	awk -F, 'NR == FNR { truth[FNR] = $0; next }
		FNR > 1 { split(truth[FNR], t, ","); rows += $1 == t[1]; for (i = 0; i < 15; i++) { s += sqrt(($(2 + 3 * i) - t[6 + 2 * i])^2 + ($(3 + 3 * i) - t[7 + 2 * i])^2); n++ } }
		END { print (n && s / n < 24 ? "near" : s "/" n), rows }' "$2" "$1"
}
{
	face-synth --photos 6 --faces 1 --photo-size 240x240 --face-min 150 --face-max 180 -s 2 --form table -o portraits
	face-synth --film 9 --photo-size 240x240 --solution film.csv -o film.pgm
}
is "$(near stories/portraits.csv portraits/labels.csv)" "near 6" "README: portraits: points in pixels of the photographs"
is "$(near stories/film.csv film.csv)" "near 9" "README: film: points in pixels of the frames"
is "$(cd stories/drawn && ls | wc -l) $(head -qc 4 stories/drawn/* | tr -cd PNG)" "6 PNGPNGPNGPNGPNGPNG" "README: portraits: a picture of each"
# the exported model, run by others, says the same
tns-select --rows 1-2 stories/valid.tns -o two.tns
predict -q --flip stories/model.tns two.tns -o predicted.of.two.tns
if python3 -c 'import math; math.prod' 2>/dev/null; then
	ok "README: the ONNX file" env PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/onnx_run.py" stories/model.onnx two.tns predicted.of.two.tns
else
	skip "a python3 of 3.8 or later, to run the ONNX file"
fi
if "${PYTHON:-python3}" -c 'import onnx, onnxruntime' 2>/dev/null; then # for people who have it: its absence is no skip
	ok "README: the ONNX file in onnxruntime" "${PYTHON:-python3}" "$ROOT/tests/onnx_runtime.py" stories/model.onnx two.tns predicted.of.two.tns
fi
cp predicted.tns other.tns
sed -n '/^## A stream at hand/,/^## One/s/^| [^|]* | `\(.*\)` |$/\1/p' "$ROOT/README.md" >at-hand.txt
is "$(wc -l <at-hand.txt)" 16 "commands for a stream at hand"
while IFS= read -r line; do
	ok "README: $line" bash -eu -o pipefail -c "$line"
done <at-hand.txt
for t in $(sed -n 's/^    make \([a-z-]*\).*/\1/p' "$ROOT/README.md"); do
	ok "README: make $t" grep -q "^$t:" "$ROOT/Makefile" "$ROOT"/pipelines/*.mk
done
is "$(sed -n 's/^| \([a-z][a-z-]*\) | .* | .* | .*/\1/p' "$ROOT/README.md" | grep -vx program | sort | tr '\n' ' ')" \
	"$(cd "$ROOT/cmd" && ls *.c | sed 's/\.c$//' | sort | tr '\n' ' ')" "the README's table of programs"
done_tests
