#!/usr/bin/env bash
# tns-info: ranges recomputed by awk from --head; valid JSON; the same from file and pipe; --check silent on whole streams.
: "${BIN:=$PWD/build/bin}"
if [ -z "${TMP-}" ]; then TMP=$(mktemp -d) && trap 'rm -rf "$TMP"' EXIT; fi
export BIN TMP
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 80 --size 16x12 --dirt | csv-clean -q --keep-all --size 16x12 -o faces.tns 2>/dev/null
cnn-train -q -n 'fc4 relu fc' -e 1 faces.tns -o model.tns

# ---- the same output from file and pipe ----
for f in faces model; do
	for args in "" "--json" "--head 3" "--head 3 --json"; do
		ok "$f $args" tns-info $args $f.tns -o want.txt
		tns-info $args $f.tns >out.txt && same want.txt out.txt "stdout"
		tns-info $args <$f.tns >out.txt && same want.txt out.txt "stdin"
		cat $f.tns | tns-info -q -t 2 $args - | cat >out.txt && same want.txt out.txt "pipes"
	done
done

# ---- ranges, recomputed ----
tns-info faces.tns >info.txt
is "$(head -1 info.txt | xargs)" "tensor type shape min max mean nan" "the header"
tns-info --head 80 faces.tns | sed -n '/^tensor/q; p' >values
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
is "$(tns-info --head 2 faces.tns | grep -c '^[a-z]*\[[01]\] ')" 6 "two rows of three tensors"
is "$(tns-info --head 2 faces.tns | grep -c '^[a-z]*\[2\] ')" 0 "no third"
is "$(tns-info --head 1000000000000 faces.tns | cksum)" "$(tns-info --head 80 faces.tns | cksum)" "more than there is"
is "$(tns-info --head 0 faces.tns | cksum)" "$(cksum <info.txt)" "--head 0"
# pixels are the CSV's
is "$(tns-info --head 1 faces.tns | sed -n 's/^image\[0\] //p')" "$(face-synth -q -n 80 --size 16x12 --dirt | sed -n 2p | sed 's/.*,//')" "the first row's pixels"

# ---- METAs, history, fingerprint ----
is "$(grep -A1 '^history:$' info.txt | tail -1)" "  csv-clean 0.1.0 --size 16x12 --keep-all" "the history on lines of its own"
is "$(tns-info model.tns | sed -n 's/^net: //p')" "fc4 relu fc" "the net of a model"
print=$(sed -n 's/^fingerprint: //p' info.txt)
is "$(tns-info model.tns | grep -c "^  cnn-train .* < $print$")" 1 "the fingerprint that the model's history names"
is "$(tail -1 info.txt)" "fingerprint: $print" "the last line"
if python3 -c 'import json' 2>/dev/null; then
	tns-info --json --head 2 faces.tns >info.json
	ok "JSON" python3 - "$print" <<'PY'
import json, sys
d = json.load(open("info.json"))
assert [t["name"] for t in d["tensors"]] == ["image", "keypoints", "id"]
assert d["tensors"][0]["shape"] == [80, 12, 16] and d["tensors"][2]["min"] == 1 and d["tensors"][2]["max"] == 80
assert d["fingerprint"] == sys.argv[1] and d["meta"]["history"].startswith("csv-clean 0.1.0")
assert len(d["head"]) == 6 and len(d["head"][0]["values"]) == 192 and d["head"][0]["row"] == 0
PY
else
	skip "JSON by another reader: no python3"
fi

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
