#!/usr/bin/env bash
# tns-info: ranges recomputed by awk from --head; valid JSON; the same from file and pipe; --check silent on whole streams.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 80 --size 16x12 --dirt | csv-clean -q --keep-all --size 16x12 -o faces.tns 2>/dev/null
cnn-train -q -n 'fc4 relu fc' -e 1 faces.tns -o model.tns

# ---- the same output from file and pipe ----
for f in faces model; do
	for args in "" "--json" "--head 3" "--head 3 --json" "--head 2 --tensor $([ $f = faces ] && echo image || echo 0.weight)"; do
		ok "$f $args" tns-info $args $f.tns -o want.txt
		tns-info $args $f.tns >out.txt && same want.txt out.txt "stdout"
		tns-info $args <$f.tns >out.txt && same want.txt out.txt "stdin"
		cat $f.tns | tns-info -q -t 2 $args - | cat >out.txt && same want.txt out.txt "pipes"
	done
done

# ---- ranges, recomputed ----
tns-info faces.tns >info.txt
is "$(head -1 info.txt | xargs)" "tensor type shape min max mean nan" "the header"
for t in image keypoints id; do tns-info --head 80 --tensor $t faces.tns | sed -n '/^tensor/q; p'; done >values
is "$(awk '{sub(/\[.*/, ""); print}' values | sort | uniq -c | awk '{print $1}' | sort -u)" 80 "every row of every tensor"
for t in image keypoints id; do
	grep "^$t\[" values | cut -d' ' -f2- | tr ' ' '\n' | awk '
		$1 == "nan" {nan++; next}
		n++ == 0 || $1 < lo {lo = $1} n == 1 || $1 > hi {hi = $1} {s += $1}
		END {printf "%s %s %.6g %d\n", lo, hi, s / n, nan}' OFMT=%.9g >want.txt
	is "$(awk -v t=$t '$1 == t {print $4, $5, $6, $7}' info.txt)" "$(cat want.txt)" "range, mean and NaN of $t"
done
is "$(awk '$1 == "image" {print $2, $3}' info.txt)" "u8 80,12,16" "type and shape, rows first, then height and width"
is "$(($(awk '$1 == "keypoints" {print $7}' info.txt) > 100))" 1 "labels are missing in what was looked at"
# --head: numbers, one line a row, no more rows than given
is "$(tns-info --head 2 faces.tns | grep -c '^[a-z]*\[[12]\] ')" 6 "two rows of three tensors"
is "$(tns-info --head 2 faces.tns | grep -c '^[a-z]*\[[03]\] ')" 0 "no third, and none before the first"
is "$(tns-info --head 1000000000000 faces.tns | cksum)" "$(tns-info --head 80 faces.tns | cksum)" "more than there is"
is "$(tns-info --head 0 faces.tns | cksum)" "$(cksum <info.txt)" "--head 0"
# small tensors first, numbered from 1; of images the range, which is that of the pixels; --tensor: that one alone, with all its values
tns-info --head 2 faces.tns >head.txt
is "$(sed '/^tensor/,$d; s/ .*//' head.txt | paste -sd ' ')" "id[1] id[2] keypoints[1] keypoints[2] image[1] image[2]" "the order of --head"
is "$(sed -n 's/^image\[2\] //p' head.txt)" "$(sed -n 's/^image\[2\] //p' values | tr ' ' '\n' |
	awk 'n++ == 0 || $1 < lo {lo = $1} n == 1 || $1 > hi {hi = $1} {s += $1} END {printf "%d values: min %d, max %d, mean %.6g", n, lo, hi, s / n}')" "an image's line"
is "$(grep -c nan head.txt)" "$(sed -n '1,/^tensor/p' head.txt | grep -c nan)" "NaN is readable"
tns-info --head 3 --tensor keypoints faces.tns >head.txt
is "$(sed 's/[[ ].*//' head.txt | paste -sd ' ')" "keypoints keypoints keypoints tensor keypoints" "--tensor shows one alone"
is "$(tail -2 head.txt | xargs -n 7 | tail -1)" "$(awk '$1 == "keypoints"' info.txt | xargs)" "its line"
fails 1 "tns-info: faces.tns: there is no tensor images (did you mean image?)" tns-info --tensor images faces.tns
# gzip, from a file and a pipe, whole or not
gzip -k faces.tns
cp faces.tns.gz renamed.tns
{ head -c 5000 faces.tns | gzip; tail -c +5001 faces.tns | gzip; } >two.tns.gz
for f in faces.tns.gz renamed.tns two.tns.gz; do
	tns-info $f >out.txt && same info.txt out.txt "$f"
	cat $f | tns-info --head 0 >out.txt && same info.txt out.txt "$f from a pipe"
	ok "--check of $f" tns-info --check $f
done
ok "a loaded set" tns-split -q --by near faces.tns.gz -o a.tns -o b.tns
tns-split -q --by near faces.tns -o a2.tns -o b2.tns
same a.tns a2.tns "the parts of a gzip"
zipped=$(stat -c %s faces.tns.gz)
for cut in 3 40 5000 $((zipped - 8)) $((zipped - 1)); do
	head -c $cut faces.tns.gz >cut.tns.gz
	fails 1 "tns-info: cut.tns.gz: " tns-info cut.tns.gz -o out.txt
	fails 1 "tns-info: stdin: " tns-info --check <cut.tns.gz
done
head -c 4000 faces.tns | gzip >short.tns.gz
fails 1 "the input ends" tns-info short.tns.gz
{ cat faces.tns; echo; } | gzip >long.tns.gz
fails 1 "bytes after END" tns-info long.tns.gz
{ cat faces.tns.gz; echo; } >behind.tns.gz
fails 1 "the gzip data are followed by something else" tns-info behind.tns.gz
printf '' | gzip >none.tns.gz
fails 1 "tns-info: none.tns.gz: preamble: the input is empty" tns-info none.tns.gz
# pixels are the CSV's
is "$(tns-info --head 1 --tensor image faces.tns | sed -n 's/^image\[1\] //p')" "$(face-synth -q -n 80 --size 16x12 --dirt | sed -n 2p | sed 's/.*,//')" "the first row's pixels"

# ---- METAs, history, fingerprint ----
is "$(grep -A1 '^history:$' info.txt | tail -1)" "  csv-clean $VERSION --size 16x12 --keep-all" "the history on lines of its own"
is "$(tns-info model.tns | sed -n 's/^net: //p')" "fc4 relu fc" "the net of a model"
# the net, layer by layer: 24 x 32 pixels, four 5x5 filters, halved, fc
face-synth -q -n 30 --size 32x24 | csv-clean -q --keep-all --size 32x24 | cnn-train -q -n 'conv5x5x4s1p2 relu pool2 fc' -e 1 -o conv.tns 2>/dev/null
is "$(tns-info conv.tns | sed -n '/^layer/,/^memory/p' | tr -s ' ' | sed 's/ *$//')" "layer net output CxHxW parameters MFLOP tensors
 input 1x24x32
 1 conv5x5x4s1p2 4x24x32 104 0.154 0.*
 2 relu 4x24x32 0 0.000
 3 pool2 4x12x16 0 0.000
 4 fc 30x1x1 23070 0.046 3.*
 total 23174 0.200
memory of a forward pass: 0.093 MB of weights, 0.006 MB of activations a row of a batch" "the net as a table" # relu and pool are the convolution's
is "$(tns-info conv.tns | sed -n 's/^parameters: //p; s/^operations: //p' | xargs)" "23174 199680" "the sums"
is "$(tns-info conv.tns | awk '$2 ~ /^f32/ {n = split($3, d, ","); c = 1; for (i = 1; i <= n; i++) c *= d[i]; s += c} END {print s}')" 23174 "parameters are the tensors'"
is "$(for p in 0 3; do tns-select -q --only "$p.*" conv.tns | tns-info --json | grep -o '"name": "[^"]*"'; done | xargs)" \
	"name: 0.weight name: 0.bias name: 3.weight name: 3.bias" "its last column names the tensors"
tns-select --rows 1-6 faces.tns | cnn-train -q -n 'conv3x3x2s2p1 ( conv3x3x2p1 relu )+ tanh fc' -e 1 -o skip.tns 2>/dev/null
is "$(tns-info skip.tns | sed -n '/^layer/,/^memory/p' | tr -s ' ' | sed 's/ *$//')" "layer net output CxHxW parameters MFLOP tensors
 input 1x12x16
 1 conv3x3x2s2p1 2x6x8 20 0.002 0.*
 2 ( 2x6x8 0 0.000
 3 conv3x3x2p1 2x6x8 38 0.003 2.*
 4 relu 2x6x8 0 0.000
 5 )+ 2x6x8 0 0.000
 6 tanh 2x6x8 0 0.000
 7 fc 30x1x1 2910 0.006 6.*
 total 2968 0.011
memory of a forward pass: 0.012 MB of weights, 0.002 MB of activations a row of a batch" "a net with a skip as a table"
is "$(tns-info faces.tns | grep -c '^layer')" 0 "a data set has no net"
print=$(sed -n 's/^fingerprint: //p' info.txt)
is "$(tns-info model.tns | grep -c "^  cnn-train .* < $print$")" 1 "the fingerprint that the model's history names"
is "$(tail -1 info.txt)" "fingerprint: $print" "the last line"
# --inputs: names of what is there, by its content; the stream itself holds none, so it is the same from a pipe
predict -q model.tns faces.tns -o named.tns
predict -q <(cat model.tns) <faces.tns >piped.tns
same named.tns piped.tns "no names in a stream: piped or not, the same bits"
mkdir there there/below && cp model.tns there/m.tns && cp model.tns "there/a copy" && gzip -c faces.tns >there/f.tns.gz
head -c 900 faces.tns >there/cut.tns && cp faces.tns there/below && mkfifo there/pipe && echo text >there/text
has=$(print_of faces.tns) of=$(print_of model.tns) its="csv-clean $VERSION --size 16x12 --keep-all"
is "$(tns-info --inputs there named.tns | sed -n '/^history/,/^fingerprint/p')" "history:
  $its
$(tns-info model.tns | grep '^  cnn-train' | sed "s/ < $has\$/ < $has (f.tns.gz)/")
  predict $VERSION < $has (f.tns.gz) $of (a copy, m.tns)
fingerprint: $(print_of named.tns)" "names behind the fingerprints of inputs"
tns-info --inputs there named.tns >named.txt
cat named.tns | tns-info --inputs there >piped.txt
same named.txt piped.txt "--inputs of a pipe"
is "$(tns-info --inputs there/below named.tns | tail -2 | head -1)" "  predict $VERSION < $has (faces.tns) $of" "an input that is not there has no name"
is "$(tns-info --inputs there/below --json named.tns | grep -o '"history": "[^"]*"' | grep -c "predict $VERSION < $has (faces.tns) $of.n\"")" 1 "the same in JSON"
is "$(tns-info --json --inputs there faces.tns | grep -c "\"history\": \"$its.n\"}, \"history\": \"$its.n\", \"fingerprint")" 1 "a history without inputs"
fails 1 "tns-info: none: No such file or directory" tns-info --inputs none named.tns -o none.txt
[ -e none.txt ] && bad "none.txt was left behind" || good
tns-select -q --where 'id < 10 || row < 12' faces.tns -o some.tns
is "$(tns-info --inputs . some.tns | tail -2 | head -1 | sed 's/(.*/(/')" "  tns-select $VERSION --where 'id < 10 || row < 12' < $has (" "a < among options"
is "$(tns-info --head 1 conv.tns | sed '/^tensor/,$d; s/[ [].*values:/ range of/; s/\[1\].*//; s/ range of.*/ range/')" "0.bias
3.bias
trained
0.weight
3.weight range" "--head of a model: small rows first, of wide ones the range"
face-synth -q -n 3 --size 16x12 | awk -F, -v OFS=, 'NR > 1 { for (i = 1; i <= 30; i++) $i = "" } 1' | csv-clean -q --keep-all --size 16x12 -o unlabelled.tns
if python3 -c 'import json' 2>/dev/null; then
	tns-info --json --head 1 unlabelled.tns >nan.json
	tns-info --json --head 1 conv.tns >model.json
	ok "JSON without NaN" python3 - <<'PY'
import json, sys
def no(word): raise ValueError(word)
d, m = (json.load(open(f), parse_constant=no) for f in ("nan.json", "model.json"))
k = [t for t in d["tensors"] if t["name"] == "keypoints"][0]
assert k["nan"] == 90 and k["min"] is None and k["max"] is None and k["mean"] is None, k
assert [r["values"] for r in d["head"] if r["tensor"] == "keypoints"] == [[None] * 30]
assert [r["tensor"] for r in m["head"]] == ["0.bias", "3.bias", "trained", "0.weight", "3.weight"]
assert len(m["head"][3]["values"]) == 25 and m["head"][4]["count"] == 768 and "values" not in m["head"][4]
assert [l["tensors"] for l in m["layers"] if "tensors" in l] == ["0.*", "3.*"] and [l["layer"] for l in m["layers"]] == [1, 2, 3, 4]
PY
	tns-info --json --head 2 faces.tns >info.json
	ok "JSON" python3 - "$print" "$VERSION" <<'PY'
import json, sys
d = json.load(open("info.json"))
assert [t["name"] for t in d["tensors"]] == ["image", "keypoints", "id"]
assert d["tensors"][0]["shape"] == [80, 12, 16] and d["tensors"][2]["min"] == 1 and d["tensors"][2]["max"] == 80
assert d["fingerprint"] == sys.argv[1] and d["meta"]["history"].startswith("csv-clean " + sys.argv[2])
assert [(r["tensor"], r["row"]) for r in d["head"]] == [("id", 1), ("id", 2), ("keypoints", 1), ("keypoints", 2), ("image", 1), ("image", 2)]
assert len(d["head"][2]["values"]) == 30 and d["head"][4]["count"] == 192 and d["head"][4]["max"] <= 255 and "values" not in d["head"][4]
PY
else
	skip "JSON by another reader: no python3"
fi
is "$(tns-info --json conv.tns | grep -o '"layers": .*"activations_mb": [0-9.]*' | cut -c 1-110)" \
	'"layers": [{"layer": 1, "net": "conv5x5x4s1p2", "tensors": "0.*", "output": [4, 24, 32], "parameters": 104, "m' "the net in JSON"
is "$(tns-info --json conv.tns | grep -o '"weights_mb": [0-9.]*, "activations_mb": [0-9.]*')" '"weights_mb": 0.092696, "activations_mb": 0.006264' "its memory"
is "$(tns-info --json --head 1 --tensor id faces.tns | cut -c 1-100)" '{"head": [{"tensor": "id", "row": 1, "values": [1]}], "tensors": [{"name": "id", "dtype": "u32", "sh' "one tensor in JSON"

# ---- --check ----
ok "whole" tns-info --check faces.tns
is "$(cat .out .err)" "" "nothing is said of a whole stream"
ok "whole, piped" bash -c 'cat faces.tns | tns-info --check'
tns-info --check --json --head 3 -o check.out faces.tns
[ ! -e check.out ] && good || bad "--check writes a file"
size=$(stat -c %s faces.tns)
for cut in 0 1 31 64 1000 $((size / 2)) $((size - 64)) $((size - 1)); do
	head -c "$cut" faces.tns >cut.tns
	fails 1 "tns-info: cut.tns: " tns-info --check cut.tns
	is "$(cat .out)" "" "nothing on stdout"
	fails 1 "tns-info: stdin: " tns-info --check <cut.tns
	for args in "" --json "--head 1"; do
		rm -f out.txt
		fails 1 "tns-info: cut.tns: " tns-info $args cut.tns -o out.txt
		[ -z "$(ls -A | grep -E '^\.?out\.txt')" ] && good || bad "a file after a cut at $cut"
	done
done
{ cat faces.tns; echo; } >long.tns
fails 1 "tns-info: long.tns: record " tns-info --check long.tns
{ head -c 3000 faces.tns; printf '\377'; tail -c +3002 faces.tns; } >flip.tns
cmp -s faces.tns flip.tns || fails 1 "tns-info: flip.tns: record " tns-info --check flip.tns

# ---- a model of a net that is not known here: all else is shown
for net in 'conv9q' ''; do
	tns-select -q --rows 1-2 faces.tns | tns-table --image | sed "2i # meta net: $net" | tns-table --read -o odd.tns
	ok "tns-info of '$net'" tns-info odd.tns
	is "$(grep -c '^image \|^points: \|^fingerprint: ' "$TMP/.out") $(sed 's/: its net.*/: its net/' "$TMP/.err")" "3 tns-info: odd.tns: its net" "what is shown"
	ok "as JSON" tns-info --json odd.tns
	is "$(grep -c '"fingerprint": "' "$TMP/.out")" 1 "as JSON"
done

# ---- wrong use ----
fails 1 "tns-info: gone.tns: No such file or directory" tns-info gone.tns
fails 1 "tns-info: .: preamble: Is a directory" tns-info .
fails 1 "tns-info: stdin: preamble: the input is empty" tns-info </dev/null
fails 1 "tns-info: /dev/null: preamble: the input is empty" tns-info --check /dev/null
face-synth -q -n 3 >faces.csv
fails 1 "tns-info: faces.csv: preamble: " tns-info faces.csv
fails 2 "tns-info: unexpected operand" tns-info faces.tns model.tns
fails 2 "tns-info: --head: -1 is below 0" tns-info --head -1 faces.tns
fails 2 "tns-info: --head: 'x' is not a whole number" tns-info --head x faces.tns
done_tests
