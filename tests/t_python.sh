#!/usr/bin/env bash
# The specification suffices: a Python reader of under 60 lines, written from it alone, reads our streams as our programs do, and refuses
# what they refuse.
source tests/sh.sh
reader=tests/tns_reader.py
ok "the reader is short" test "$(wc -l <$reader)" -lt 60
if ! python3 -c 'import struct, zlib' 2>/dev/null; then
	skip "no python3 here"
	done_tests
	exit
fi
export PYTHONDONTWRITEBYTECODE=1

# compare FILE: names, types, shapes, ranges, METAs, fingerprint as in tns-info --json
compare() {
	tns-info --json -o "$TMP/info.json" "$1" && PYTHONPATH=tests python3 - "$1" "$TMP/info.json" <<'END'
import json, math, struct, sys
from tns_reader import read
tensors, metas, fingerprint = read(open(sys.argv[1], "rb").read())
info = json.load(open(sys.argv[2]))
assert "%08x" % fingerprint == info["fingerprint"], "fingerprint"
assert metas == info["meta"], "META"
assert list(tensors) == [t["name"] for t in info["tensors"]], "names"
letters = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q", "f64": "d", "f16": "e", "bf16": "H", "bool": "?"}
for t in info["tensors"]:
    a = tensors[t["name"]]
    assert list(a.shape) == t["shape"], "shape of " + t["name"]
    assert a.type == letters[t["dtype"]], "type of " + t["name"]
    v = struct.unpack(f"<{math.prod(a.shape)}{a.type}", a.data)
    if "mean" in t and v and t["min"] is not None:
        known = [x for x in v if x == x]
        assert len(v) - len(known) == t["nan"], "NaN in " + t["name"]
        low, high = (struct.unpack("<" + a.type, struct.pack("<" + a.type, t[k]))[0] for k in ("min", "max"))
        assert min(known) == low and max(known) == high, "range of " + t["name"]
        assert abs(math.fsum(known) / len(known) - t["mean"]) <= 1e-9 * max(1, abs(t["mean"])), "mean of " + t["name"]
END
}

cd "$TMP" || exit 1
ln -s "$ROOT/tests" tests
face-synth -q -n 150 --dirt --test test.csv --test-lookup lookup.csv -o training.csv
csv-clean -q -o faces.tns training.csv
csv-clean -q -o test.tns test.csv
patch-extract -q --preset eyes -o eyes.tns faces.tns
tns-split -q --parts 0.5,0.5 -o half.tns -o rest.tns faces.tns
dae-pretrain -q -H 20 -e 1 -b 50 -o dae.tns eyes.tns
cnn-train -q -n 'pool2 conv3x3x4 relu pool2 fc' --target coords -e 1 -b 32 -o cnn.tns faces.tns 2>nothing.txt
predict -q -o predicted.tns cnn.tns faces.tns
for f in *.tns; do ok "$f is seen alike" compare "$f"; done
ok "enough streams were compared" test "$(ls ./*.tns | wc -l)" -ge 8

# streams to refuse, and unusual but valid ones
streams=${BIN%/bin}/tests/check_tns_bad
if [ -x "$streams" ]; then
	mkdir all
	WIRE_DUMP=all "$streams" >/dev/null
	python3 - <<'END' >verdicts
import glob, struct, sys, zlib
sys.path.insert(0, "tests")
from tns_reader import read
for path in sorted(glob.glob("all/*.tns")):
    try:
        read(open(path, "rb").read())
        print(path, "right")
    except (ValueError, struct.error, zlib.error):
        print(path, "wrong")
END
	alike=0
	while read -r f verdict; do
		mine=right
		tns-info --check "$f" 2>.why || mine=wrong
		if [ "$mine" = "$verdict" ]; then alike=$((alike + 1))
		else bad "$f is $mine here and $verdict in Python: $(cat .why)"; fi
	done <verdicts
	ok "verdicts alike: $alike" test "$alike" -ge 140
else
	skip "no $streams"
fi
done_tests
