#!/usr/bin/env bash
# The specification suffices: a Python reader of under 60 lines, written from it alone, reads our streams as our programs do, and refuses
# what they refuse.
source tests/sh.sh
if ! python3 -c 'import numpy' 2>/dev/null; then
	skip "no python3 with numpy here"
	good
	done_tests
	exit
fi
reader=tests/tns_reader.py
ok "the reader is short" test "$(wc -l <$reader)" -lt 60
export PYTHONDONTWRITEBYTECODE=1

# compare FILE: names, types, shapes, ranges, METAs, fingerprint as in tns-info --json
compare() {
	tns-info --json -o "$TMP/info.json" "$1" && PYTHONPATH=tests python3 - "$1" "$TMP/info.json" <<'END'
import json, sys
import numpy as np
from tns_reader import read
tensors, metas, fingerprint = read(open(sys.argv[1], "rb").read())
info = json.load(open(sys.argv[2]))
assert "%08x" % fingerprint == info["fingerprint"], "fingerprint"
assert metas == info["meta"], "META"
assert list(tensors) == [t["name"] for t in info["tensors"]], "names"
kinds = {"u": "uint", "i": "int", "f": "float", "b": "bool"}
for t in info["tensors"]:
    a = tensors[t["name"]]
    assert list(a.shape) == t["shape"], "shape of " + t["name"]
    if t["dtype"] not in ("bool", "bf16"):
        assert a.dtype.name == kinds[t["dtype"][0]] + str(8 * int(t["dtype"][1:]) // 8), "type of " + t["name"]
    if "mean" in t and a.size and t["min"] is not None:
        v = a[~np.isnan(a)].astype(np.float64)
        assert int(np.isnan(a).sum()) == t["nan"], "NaN in " + t["name"]
        assert v.min() == float(a.dtype.type(t["min"])) and v.max() == float(a.dtype.type(t["max"])), "range of " + t["name"]
        assert abs(v.mean() - t["mean"]) <= 1e-9 * max(1, abs(t["mean"])), "mean of " + t["name"]
END
}

want() { # program: exists, or is reported as skipped
	[ -x "$BIN/$1" ] || { skip "no $1"; return 1; }
}
cd "$TMP" || exit 1
ln -s "$ROOT/tests" tests
for p in tns-info face-synth csv-clean; do want $p || { good; done_tests; exit; }; done
face-synth -q -n 150 --dirt --test test.csv --lookup lookup.csv -o training.csv
csv-clean -q -o faces.tns training.csv
csv-clean -q -o test.tns test.csv
if want patch-extract; then patch-extract -q --preset eyes -o eyes.tns faces.tns; fi
if want tns-split; then tns-split -q --parts 0.5,0.5 -o half.tns -o rest.tns faces.tns; fi
if want dae-pretrain && [ -e eyes.tns ]; then dae-pretrain -q -H 20 -e 1 -b 50 -o dae.tns eyes.tns; fi
if want cnn-train; then cnn-train -q -n 'pool2 conv3x3x4 relu pool2 fc' --target coords -e 1 -b 32 -o cnn.tns faces.tns; fi
if want predict && [ -e cnn.tns ]; then predict -q -o predicted.tns cnn.tns faces.tns; fi
for f in *.tns; do ok "$f is seen alike" compare "$f"; done
ok "enough streams were compared" test "$(ls ./*.tns | wc -l)" -ge 2

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
		# the specification allows a zero byte in a key; a C string doesn't
		elif grep -q 'a META that is not UTF-8' .why; then skip "$f: $(cat .why)"
		else bad "$f is $mine here and $verdict in Python: $(cat .why)"; fi
	done <verdicts
	ok "verdicts alike: $alike" test "$alike" -ge 140
else
	skip "no $streams"
fi
done_tests
