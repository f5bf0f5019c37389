#!/usr/bin/env bash
# tns-export: what it writes, read back by parsers of Python's and held against numbers computed there; faults.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1
if ! python3 -c 'import csv, json, struct, xml.etree.ElementTree, zipfile, zlib; from math import prod' 2>/dev/null; then
	skip "a python3 of 3.8 or later, to read what is written"
	done_tests
	exit
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TMP:$ROOT/tests

# Streams of faces in crops of images, and where each point is there.
cat >faces.py <<'END'
import math, struct
from arrays import Array, tns
nan = float("nan")
LETTER = {"u8": "B", "u32": "I", "f32": "f", "i64": "q"}

def write(path, tensors, metas):  # tensors: name -> (type, dimensions of a row, rows of numbers)
    arrays = {name: Array(t, (len(rows), *dims), b"".join(struct.pack("<%d%s" % (len(r), LETTER[t]), *r) for r in rows)) for name, (t, dims, rows) in tensors.items()}
    open(path, "wb").write(tns(arrays, metas.items(), open_rows=arrays))

def f32(x): return struct.unpack("<f", struct.pack("<f", x))[0]
def padded(name): return list(name.encode("utf-8", "surrogateescape").ljust(256, b"\0"))

names = ["nose", "left eye", "chin"]
crops = [[0.37, 0, 12.25, 0, 0.37, -3.5], [2.5, 0, 100, 0, 2.5, 200.125], [0.6, -0.8, 50, 0.8, 0.6, 7], [1, 0, 0, 0, 1, 0], [0.37, 0, 0.1, 0, 0.37, 0.2]]
points = [[10, 20, 30.5, 21.25, nan, nan], [0, 0, 95, 95, 47.3, -2.6], [1, 2, 3, 4, 5, 6], [nan] * 6, [7, 8, nan, nan, 9, 10]]
truth = [[p + 1 for p in r] for r in points]
sure = [[0.5, 0.25, nan], [1, 1, 0.125], [0.1, 0.2, 0.3], [nan] * 3, [0.75, 0.5, 0.25]]
files = ["a/one.png", "a/one.png", "b \"q\", <&'>ü.JPG", "empty.png", "a/one.png"]
image_ids = [7, 7, 2**40, 9, 7]
boxes = [[1.5, 2, 30, 40.25], [nan] * 4, [10, 20, 5, 5], [nan] * 4, [nan] * 4]
ids = [11, 12, 13, 14, 4000000000]
tensors = {"image": ("u8", [4, 6], [[0] * 24] * 5), "keypoints": ("f32", [3, 2], truth), "predicted": ("f32", [3, 2], points), "confidence": ("f32", [3], sure),
           "crop": ("f32", [6], crops), "source": ("u8", [256], [padded(f) for f in files]), "id": ("u32", [], [[i] for i in ids]),
           "image_id": ("i64", [], [[i] for i in image_ids]), "box": ("f32", [4], boxes)}
metas = {"points": ",".join(names)}
def without(*drop): return {k: v for k, v in tensors.items() if k not in drop}
# in pixels of the images, by the crops as floats
def there(rows=points, cut=True, origin=0):
    out = []
    for r, c in zip(rows, crops):
        a, b, cc, d, e, f = [f32(x) for x in c] if cut else (1, 0, 0, 0, 1, 0)
        p = [f32(x) for x in r]
        out.append([(a * p[2 * k] + b * p[2 * k + 1] + cc + origin, d * p[2 * k] + e * p[2 * k + 1] + f + origin) for k in range(3)])
    return out
def near(x, y, tolerance=2e-5): # a float of a hundred pixels has steps of 8e-6
    assert (math.isnan(x) and math.isnan(y)) or abs(x - y) <= tolerance, (x, y)
def whole_box(r): # corner and size of the pixels around points
    p = [q for q in r if not math.isnan(q[0])]
    low = [math.floor(min(q[i] for q in p) + 0.5) for i in (0, 1)]
    return low + [math.floor(max(q[i] for q in p) + 0.5) - low[i] + 1 for i in (0, 1)]
END
python3 - <<'END'
from faces import *
write("all.tns", tensors, metas)
write("plain.tns", {k: tensors[k] for k in ("image", "keypoints")}, metas)
sizes = [[640, 480], [640, 480], [7, 9], [0, 0], [640, 480]] # 0: not known
write("sized.tns", {**tensors, "image_size": ("u32", [2], sizes)}, metas)
write("unequal.tns", {**tensors, "image_size": ("u32", [2], sizes[:4] + [[480, 640]])}, metas)
write("ids.tns", {k: tensors[k] for k in ("image", "keypoints", "id")}, metas)
write("nobox.tns", without("box", "image_id", "id", "confidence"), metas)
write("none.tns", {k: (t, d, []) for k, (t, d, r) in tensors.items()}, metas)
END
ok "the streams" tns-info --check all.tns

# ---- CSV ----
ok "csv" tns-export --form csv all.tns -o all.csv
is "$(cat .err)" "" "nothing to say"
tns-export --form csv <all.tns | cmp - all.csv && good || bad "by pipes"
tns-export --form csv --origin corner all.tns >corner.csv
tns-export --form csv plain.tns >plain.csv
ok "what csv holds" python3 - <<'END'
import csv
from faces import *
def check(path, want, files, sure):
    rows = list(csv.reader(open(path, encoding="utf-8", newline="")))
    head = ["filename"]
    for n in names: head += [n + "_x", n + "_y"] + ([n + "_confidence"] if sure else [])
    assert rows[0] == head, rows[0]
    assert len(rows) == 6
    for i, r in enumerate(rows[1:]):
        assert r[0] == files[i], r
        step = 3 if sure else 2
        for k in range(3):
            for c in (0, 1):
                v = r[1 + step * k + c]
                near(float(v or "nan"), want[i][k][c])
                digits = len(v.lstrip("-0.").replace(".", "").split("e")[0])
                assert digits <= 6 or f32(float("%.*g" % (digits - 1, float(v)))) != f32(float(v)), v # no shorter one
            if sure: near(float(r[3 + step * k] or "nan"), sure[i][k], 1e-7)
check("all.csv", there(), files, sure)
check("corner.csv", there(origin=0.5), files, sure)
check("plain.csv", there(truth, False), ["1", "2", "3", "4", "5"], None)
END
is "$(sed -n '4s/"b ""q"", .*ü.JPG",//p' all.csv)" "49,9,0.1,48.6,11.8,0.2,48.2,14.6,0.3" "shortest digits: a turned crop"

# ---- COCO ----
ok "coco" tns-export --form coco all.tns -o coco.json
ok "coco-results" tns-export --form coco-results --category-id 3 all.tns -o results.json
tns-export --form coco plain.tns >plain.json
tns-export --form coco sized.tns >sized.json
tns-export --form coco --origin one nobox.tns >nobox.json
tns-export --form coco-results plain.tns >plain_results.json
tns-select --rows 2,5 --sort -id ids.tns | tns-export --form coco-results >some.json
ok "what coco holds" python3 - <<'END'
import json
from faces import *
def no_nan(x): raise ValueError(x)
def load(path): return json.load(open(path, encoding="utf-8"), parse_constant=no_nan)
def flat(r, third):
    out = []
    for k, p in enumerate(r): out += [0, 0, 0] if math.isnan(p[0]) else [p[0], p[1], third(k)]
    return out
def same(a, b):
    assert len(a) == len(b), (a, b)
    for x, y in zip(a, b): near(x, y)
d = load("coco.json")
assert d["categories"] == [{"id": 1, "name": "face", "keypoints": names, "skeleton": []}]
assert d["images"] == [{"id": 7, "file_name": files[0]}, {"id": 2**40, "file_name": files[2]}, {"id": 9, "file_name": "empty.png"}], d["images"]
rows = [0, 1, 2, 4]
assert [a["id"] for a in d["annotations"]] == [ids[i] for i in rows]
for i, a in zip(rows, d["annotations"]):
    assert a["image_id"] == image_ids[i] and a["category_id"] == 1 and a["iscrowd"] == 0
    same(a["keypoints"], flat(there()[i], lambda k: 2))
    assert a["num_keypoints"] == sum(v == 2 for v in a["keypoints"][2::3])
    box = whole_box(there()[i]) if math.isnan(boxes[i][0]) else boxes[i]
    same(a["bbox"], box)
    near(a["area"], box[2] * box[3], 1e-2)
d = load("sized.json")
assert [(m["id"], m.get("width"), m.get("height")) for m in d["images"]] == [(7, 640, 480), (2**40, 7, 9), (9, None, None)], d["images"]
d = load("nobox.json") # --origin moves points; boxes stay. Images are numbered by their names, annotations by row
assert [(m["id"], m["file_name"]) for m in d["images"]] == [(1, files[0]), (2, files[2]), (3, files[3])]
assert [(a["id"], a["image_id"]) for a in d["annotations"]] == [(1, 1), (2, 1), (3, 2), (5, 1)]
for i, a in zip(rows, d["annotations"]):
    same(a["keypoints"], flat(there(origin=1)[i], lambda k: 2))
    same(a["bbox"], whole_box(there()[i]))
d = load("plain.json")
assert d["images"] == [{"id": i + 1, "file_name": str(i + 1), "width": 6, "height": 4} for i in range(5)]
same(d["annotations"][1]["keypoints"], [1, 1, 2, 96, 96, 2, 48.3, -1.6, 2])
d = load("some.json") # of other rows of the same set, which are images: they keep their numbers
assert [a["image_id"] for a in d] == [ids[4], ids[1]], d
d = load("results.json")
assert len(d) == 5
for i, a in enumerate(d):
    assert set(a) == {"image_id", "category_id", "keypoints", "score"} and a["image_id"] == image_ids[i] and a["category_id"] == 3
    same(a["keypoints"], flat(there()[i], lambda k: sure[i][k]))
    known = [s for p, s in zip(there()[i], sure[i]) if not math.isnan(p[0])]
    near(a["score"], sum(known) / len(known) if known else 0)
d = load("plain_results.json")
assert [a["score"] for a in d] == [1] * 5 and d[0]["keypoints"][2::3] == [1, 1, 0] and [a["image_id"] for a in d] == [1, 2, 3, 4, 5]
END

# ---- JSON lines, imglab ----
ok "jsonl" tns-export --form jsonl all.tns -o all.jsonl
tns-export --form jsonl plain.tns >plain.jsonl
ok "imglab" tns-export --form imglab all.tns -o all.xml
tns-export --form imglab --origin one plain.tns >plain.xml
ok "what they hold" python3 - <<'END'
import json
import xml.etree.ElementTree as xml
from faces import *
for path, rows, s, f, n in (("all.jsonl", there(), sure, files, ids), ("plain.jsonl", there(truth, False), None, ["1", "2", "3", "4", "5"], [1, 2, 3, 4, 5])):
    lines = open(path, encoding="utf-8").read().splitlines()
    assert len(lines) == 5
    for i, line in enumerate(lines):
        o = json.loads(line)
        assert list(o) == ["file", "id", "points"] and o["file"] == f[i] and o["id"] == n[i] and list(o["points"]) == names
        for k, p in enumerate(o["points"].values()):
            want = rows[i][k]
            if math.isnan(want[0]): assert p is None
            else:
                near(p[0], want[0]), near(p[1], want[1])
                assert len(p) == (3 if s else 2)
                if s: near(p[2], s[i][k], 1e-7)
root = xml.parse("all.xml").getroot()
assert root.tag == "dataset"
images = root.find("images").findall("image")
assert [i.get("file") for i in images] == ["a/one.png", files[2], "empty.png", "a/one.png"]
assert [len(i.findall("box")) for i in images] == [2, 1, 0, 1]
found = [b for i in images for b in i.findall("box")]
for i, b in zip([0, 1, 2, 4], found):
    r = there()[i]
    box = whole_box(r) if math.isnan(boxes[i][0]) else [2, 2, 30, 40] if i == 0 else boxes[i] # 1.5 to 31.5, 2 to 42.25
    assert [int(b.get(k)) for k in ("left", "top", "width", "height")] == box, (b.attrib, box)
    want = {n: (math.floor(p[0] + 0.5), math.floor(p[1] + 0.5)) for n, p in zip(names, r) if not math.isnan(p[0])}
    assert {p.get("name"): (int(p.get("x")), int(p.get("y"))) for p in b.findall("part")} == want
b = xml.parse("plain.xml").getroot().find("images").findall("image")[0].find("box")
assert b.attrib == {"left": "11", "top": "21", "width": "22", "height": "2"} and b[0].attrib == {"name": "nose", "x": "12", "y": "22"}, (b.attrib, b[0].attrib)
END

# ---- .pts ----
ok "pts" tns-export --form pts all.tns -o points/
is "$(cat .err)" "tns-export: all.tns: 1 row without points: no file" "what has no file"
is "$(find points -type f | sort | paste -sd ' ')" "points/a/one.pts points/a/one_2.pts points/a/one_3.pts points/b \"q\", <&'>ü.pts" "its files"
tns-export -q --form pts --origin index plain.tns -o plain
is "$(paste -sd ' ' plain/1.pts)" "version: 1 n_points: 3 { 11 21 31.5 22.25 nan nan }" "a file"
ok "what pts holds" python3 - <<'END'
from faces import *
for i, path in ((0, "a/one"), (1, "a/one_2"), (2, files[2][:-4]), (4, "a/one_3")):
    lines = open("points/" + path + ".pts", encoding="utf-8").read().splitlines()
    assert lines[:3] == ["version: 1", "n_points: 3", "{"] and lines[6:] == ["}"], lines
    for k, line in enumerate(lines[3:6]):
        for c, v in enumerate(line.split(" ")): near(float(v), there(origin=1)[i][k][c])
END
echo old >points/a/one.pts
ok "again" tns-export -q --form pts all.tns -o points
is "$(head -1 points/a/one.pts)" "version: 1" "files are replaced"

# ---- imported, exported, imported again: points lie on the crosses of images that are drawn by others, boxes and names stay ----
draw=$ROOT/tests/draw_cross.py
forms=$(tns-import --help 2>/dev/null | sed -n 's/^ *--form \([a-z|]*\).*/\1/p')
again() { # SET FORM CROP MARGIN OUT ARGUMENT...: the set, exported as FORM to OUT, imported with these arguments
	local set=$1 form=$2 crop=$3 margin=$4 out=$1/$5 args
	shift 5
	mapfile -t args <"$set/args"
	ok "$set" tns-import -q "${args[@]}" -o "$set.tns"
	ok "$set as $form" tns-export -q --form "$form" "$set.tns" -o "$out"
	ok "$set as $form, again" tns-import -q "$@" "$out" -o "$set-$form.tns"
	ok "$set as $form, against what was drawn" python3 "$draw" check "$set" "$set-$form.tns" "$crop" "$margin"
}
for set in coco imglab pts; do
	if ! grep -qw "$set" <<<"$forms"; then
		skip "$set, there and back: tns-import reads none"
		continue
	fi
	python3 "$draw" draw $set $set
	case $set in
	coco) again coco coco box 0 again.json --form coco --images coco/img ;;
	imglab) again imglab imglab box 0 again.xml --form imglab ;;
	pts)
		again pts pts points 0.25 again --form pts --images pts/img
		again pts csv points 0.25 again.csv --form table --images pts/img ;;
	esac
done

# ---- no rows, cuts, faults ----
for f in coco coco-results csv imglab jsonl; do
	ok "$f of no rows" tns-export --form $f none.tns -o none.out
done
is "$(tns-export --form csv none.tns)" "filename,nose_x,nose_y,nose_confidence,left eye_x,left eye_y,left eye_confidence,chin_x,chin_y,chin_confidence" "the header alone"
is "$(tns-export --form coco-results none.tns | tr -d '\n')" "[]" "no results"
is "$(tns-export --form jsonl none.tns)" "" "no lines"
rm -f none.out
refused() { # STATUS TEXT ARGUMENT...
	local status=$1 text=$2; shift 2
	fails "$status" "tns-export: $text" tns-export "$@" -o made
	[ -z "$(ls -A | grep -E '^\.?made')" ] || { bad "$text: something was left: $(ls -A | grep made)"; rm -rf made; }
}
python3 - <<'END'
from faces import *
def changed(path, name, row, at, value):
    t, d, rows = tensors[name]
    rows = [list(r) for r in rows]
    if at is None: rows[row] = value
    else: rows[row][at] = value
    write(path, {**tensors, name: (t, d, rows)}, metas)
changed("inf.tns", "predicted", 1, 3, float("inf"))
changed("far.tns", "predicted", 2, 0, 3e7)
changed("crop.tns", "crop", 4, 2, nan)
changed("box.tns", "box", 2, 2, -5)
changed("image_id.tns", "image_id", 3, 0, -1)
changed("two.tns", "source", 1, None, padded("a/two.png"))
changed("id.tns", "id", 2, 0, 11)
changed("latin.tns", "source", 2, None, padded("b\udcfc.png"))
changed("bell.tns", "source", 2, None, padded("b\a.png"))
changed("up.tns", "source", 2, None, padded("a/../../b.png"))
changed("dots.tns", "source", 2, None, padded("/../b./.c.png"))
changed("suffix.tns", "source", 4, None, padded("a/one.jpg"))
changed("nameless.tns", "source", 4, None, padded(""))
write("nopoints.tns", without("keypoints", "predicted", "box"), metas)
write("boxes.tns", {**without("keypoints", "predicted", "confidence"), "face_score": ("f32", [], [[0.75], [0.5], [0.25], [0.125], [1]])}, {})
write("noscore.tns", without("keypoints", "predicted", "confidence"), {})
write("nometa.tns", tensors, {})
write("f4.tns", {**tensors, "crop": ("f32", [4], [[1, 0, 0, 1]] * 5)}, metas)
write("patches.tns", {**without("source"), "source": ("u32", [], [[9]] * 5)}, metas)
END
for f in csv coco; do
	refused 1 "inf.tns: row 2: left eye is at 95,inf, which is no pixel of its image" --form $f inf.tns
	refused 1 "far.tns: row 3: nose is at 3e+07,2, which is no pixel of its image" --form $f far.tns
	refused 1 "crop.tns: row 5: crop holds nan, so that it is not known where in its image the row is" --form $f crop.tns
	refused 1 "box.tns: row 3: box holds -5" --form $f box.tns
	refused 1 "image_id.tns: row 4: image_id is -1; without it (tns-select --without image_id) images are numbered by their names" --form $f image_id.tns
	refused 1 "nopoints.tns: there are no points: neither predicted nor keypoints" --form $f nopoints.tns
	refused 1 "nometa.tns: there is no META points" --form $f nometa.tns
	refused 1 "f4.tns: crop has 4 values a row, not 6" --form $f f4.tns
	head -c $(($(stat -c %s all.tns) - 100)) all.tns >cut.tns
	refused 1 "cut.tns: record " --form $f cut.tns
done

# ---- boxes alone, as face-find writes them ----
is "$(tns-export --form csv boxes.tns)" "filename,left,top,right,bottom,score
a/one.png,1.5,2,31.5,42.25,0.75
a/one.png,,,,,0.5
\"b \"\"q\"\", <&'>ü.JPG\",10,20,15,25,0.25
empty.png,,,,,0.125
a/one.png,,,,,1" "boxes as CSV"
is "$(tns-export --form csv noscore.tns | head -2 | paste -sd ' ')" "filename,left,top,right,bottom a/one.png,1.5,2,31.5,42.25" "without scores"
is "$(tns-export --form jsonl boxes.tns | head -2 | paste -sd ' ')" '{"file": "a/one.png", "id": 11, "box": [1.5, 2, 30, 40.25], "score": 0.75} {"file": "a/one.png", "id": 12, "box": [], "score": 0.5}' "boxes as lines of JSON"
is "$(tns-export --form imglab boxes.tns | grep -c '<box')$(tns-export --form imglab boxes.tns | grep -c '<part')" 20 "boxes as imglab's, without parts"
for f in coco coco-results; do tns-export --form $f boxes.tns -o boxes.$f; done
tns-export --form coco-results noscore.tns -o noscore.json
refused 1 "boxes.tns: there are no points: neither predicted nor keypoints" --form pts boxes.tns
ok "boxes as COCO's" python3 - <<'END'
import json
boxes = [[1.5, 2, 30, 40.25], [10, 20, 5, 5]]
all, results, ones = (json.load(open(f)) for f in ("boxes.coco", "boxes.coco-results", "noscore.json"))
assert [(a["id"], a["image_id"], a["bbox"], a["num_keypoints"], a["keypoints"]) for a in all["annotations"]] == [(11, 7, boxes[0], 0, []), (13, 2**40, boxes[1], 0, [])]
assert [i["id"] for i in all["images"]] == [7, 2**40, 9]
assert results == [{"image_id": i, "category_id": 1, "bbox": b, "score": s} for i, b, s in ((7, boxes[0], 0.75), (2**40, boxes[1], 0.25))], results
assert [r["score"] for r in ones] == [1, 1]
END
for f in coco coco-results; do
	refused 1 "two.tns: row 2: image_id 7 is 'a/two.png', but that of row 1, 'a/one.png'" --form $f two.tns
done
refused 1 "unequal.tns: row 5: its image 'a/one.png' has 480x640 pixels, but in row 1 640x480" --form coco unequal.tns
refused 1 "id.tns: rows 1 and 3 have one id, 11; without it (tns-select --without id) they are numbered" --form coco id.tns
for f in coco coco-results imglab jsonl; do
	refused 1 "latin.tns: row 3: the image's name 'b\\xfc.png' is not UTF-8, and $f holds no other text" --form $f latin.tns
done
is "$(tns-export --form csv latin.tns | sed -n '4s/,.*//p')" "$(printf 'b\xfc.png')" "bytes of a name in CSV"
refused 1 "bell.tns: row 3: the name '\\x07.png' holds a control character, which XML can't hold" --form imglab bell.tns
is "$(tns-export --form csv nameless.tns | sed -n '6s/,.*//p')" 4000000000 "no name: the id"
is "$(tns-export --form csv patches.tns | sed -n '2s/,.*//p')" 11 "source of patches is no name"
fails 1 "tns-export: up.tns: row 3: of 'a/../../b.png' no name of a file can be made" tns-export --form pts up.tns -o up
ok "a path that begins outside" tns-export -q --form pts dots.tns -o dots
is "$(find dots -name '.c*')" "dots/b./.c.pts" "stays in the folder"
fails 1 "tns-export: suffix.tns: row 5: 'a/one.jpg' would be suffix/a/one.pts, as row 1 is" tns-export --form pts suffix.tns -o suffix
fails 1 "tns-export: all.csv: is no folder" tns-export --form pts all.tns -o all.csv
fails 1 "tns-export: no/such: No such file or directory" tns-export --form pts all.tns -o no/such/
fails 1 "tns-export: dots: Is a directory" tns-export --form csv all.tns -o dots
refused 2 "--form tells what is written: coco|coco-results|csv|imglab|pts|jsonl" all.tns
refused 2 "--category-id is not for --form csv, which has no categories" --form csv --category-id 2 all.tns
fails 2 "tns-export: --form pts writes a file a row: --output tells the folder" tns-export --form pts all.tns
fails 2 "tns-export: --form pts writes a file a row: --output tells the folder" tns-export --form pts all.tns -o -
is "$(find . -name '.*.tmp')" "" "temporary files left behind"
# rows whose crop is gone, of photographs of another size
face-synth -q --photos 2 --faces 1 --photo-size 96x96 --form table -s 3 -o photographs
tns-import -q --form table --size 40x40 photographs/labels.csv -o cropped.tns
tns-select -q --without crop cropped.tns -o bare.tns
fails 1 "bare.tns: row 1: there is no crop to tell where in its image of 96x96 the row is" tns-export --form csv bare.tns -o no.csv
ok "its crop brought back" bash -o pipefail -c 'tns-join -q --take crop bare.tns cropped.tns | tns-export --form csv -o back.csv'
tns-export --form csv cropped.tns -o cropped.csv
same back.csv cropped.csv "points of a crop that was brought back"
ok "pixels of rows" bash -o pipefail -c 'tns-select -q --without image_size bare.tns | tns-export --form csv -o rows.csv'
tns-import -q --form table --crop whole --size 96x96 photographs/labels.csv | tns-select -q --without crop -o whole.tns
ok "whole images" tns-export --form csv whole.tns -o whole.csv
# the category of the COCO file that rows were imported from
echo '{"images": [{"id": 1, "file_name": "000001.pgm"}], "categories": [{"id": 2, "name": "cat", "keypoints": ["a", "b"]}], "annotations": [{"id": 5, "image_id": 1, "category_id": 2, "keypoints": [10, 12, 2, 30, 40, 2]}]}' >photographs/cat.json
tns-import -q --form coco photographs/cat.json -o cat.tns
is "$(tns-export --form coco cat.tns | grep -o '{"id": 2, "name": "cat"\|"category_id": [0-9]*' | paste -sd ' ')" '{"id": 2, "name": "cat" "category_id": 2' "the file's category"
is "$(tns-export --form coco-results --category-id 7 cat.tns | grep -o '"category_id": [0-9]*')" '"category_id": 7' "another one"
done_tests
