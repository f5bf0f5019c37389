#!/usr/bin/env bash
# tns-convert: what it writes, read by Python's own library and, where PYTHON has it, NumPy; what it reads, written by them; there and back
# the same bytes; files that lie.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1
PYTHON=${PYTHON:-python3}
if ! python3 -c 'import sys, json, zipfile; assert sys.version_info >= (3, 9)' 2>/dev/null; then
	skip "a python3 of 3.9 or later, to read and write arrays"
	done_tests
	exit
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests
# refused STATUS TEXT ARGUMENT...: one line, and no file
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "tns-convert: $text" tns-convert "$@"
	[ -z "$(ls -A | grep -E '^\.?out\.')" ] || { bad "$text: something was left: $(ls -A | grep out)"; rm -f out.* .out.*; }
}

# ---- streams into other forms, and back the same stream ----
python3 - <<'END'
from arrays import *
all = {"a/" + t: values(t, 3 + i, 2 + i % 3, 5) for i, t in enumerate(SIZE)}  # first dimensions differ
all |= {"scalar": values("f64"), "none": values("i16", 0, 4), "flat": values("u8", 7), "eight": values("u16", 2, 1, 3, 1, 1, 2, 1, 2), "one": values("f32", 1, 1)}
metas = [("points", "nose,\u00e9\U0001f642"), ('quote" \\', 'tab\t, nul\0, "quotes" \\ and\nlines\x7f'), ("empty", ""), ("mean", "1 2")]
write("all.tns", tns(all, metas, [("rows", "9"), ("history", "someone 1.0\nother 2 < 01234567\n")], ("flat", "a/u32")))
write("numpy.tns", tns({k: v for k, v in all.items() if v.type != "bf16"}, metas))
write("zero.tns", tns({}))
write("bare.tns", tns({"x": values("i32", 4, 3)}))
END
face-synth -q -n 30 --size 16x12 --point-count 4 | csv-clean -q --size 16x12 -o faces.tns
tns-select --points "$(tns-info faces.tns | sed -n 's/^points: \([^,]*\).*/\1/p')" faces.tns -o one-point.tns
cnn-train -q -n 'conv3x3x2s2p1 bn relu conv1x1' --target heatmap -e 1 -r 1e-4 --checkpoint check.tns faces.tns -o model.tns 2>/dev/null
predict -q --maps model.tns faces.tns -o predicted.tns
gzip -k faces.tns
for f in all numpy zero bare faces predicted model check one-point; do
	for form in safetensors npz; do
		[ $f.$form != all.npz ] || continue
		ok "$f as $form" tns-convert $f.tns -o $f.$form
		ok "$f of $form" tns-convert $f.$form -o back.tns
		same $f.tns back.tns "$f, by $form and back"
	done
done
# the fingerprint says so too: of the data, and in any form by way of another
is "$(tns-convert numpy.npz --to safetensors | tns-convert --to npz | tns-convert | tns-info | sed -n 's/^fingerprint: //p')" "$(tns-info numpy.tns | sed -n 's/^fingerprint: //p')" "by pipes, through both forms"
tns-convert --to npz <faces.tns | cmp -s - faces.npz && good || bad "pipe and file give other bytes"
tns-convert --to npz faces.tns.gz | cmp -s - faces.npz && good || bad "a packed stream gives other bytes"
ok "what Python reads" python3 - <<'END'
from arrays import *
import tns_reader
for name in ("all", "numpy", "faces", "predicted", "model", "zero", "bare"):
    tensors, metas, fingerprint = tns_reader.read(open(name + ".tns", "rb").read())
    files = [read_safetensors(name + ".safetensors")] + ([read_npz(name + ".npz")] if name != "all" else [])
    for arrays, texts in files:
        note = texts.pop("keypipe.stream").split()
        assert note[1] == "%08x" % fingerprint and len(note) == 4
        assert texts == metas and list(texts) == list(metas), (texts, metas)
        assert list(arrays) == list(tensors)
        for k, t in tensors.items():
            assert arrays[k].shape == t.shape and arrays[k].data == t.data, k
            assert tns_reader.TYPES[TYPES.index(arrays[k].type)] == t.type
END
for t in image keypoints id; do
	ok "$t" tns-convert --tensor $t faces.tns -o $t.npy
	tns-convert --tensor $t faces.npz --to npy | cmp -s - $t.npy && good || bad "$t of an npz"
	tns-convert --tensor $t <faces.safetensors --to npy | cmp -s - $t.npy && good || bad "$t of safetensors"
	ok "$t back" tns-convert --tensor $t $t.npy -o back.tns
	is "$(tns-info --tensor $t back.tns | head -2)" "$(tns-info --tensor $t faces.tns | head -2)" "$t of an npy"
	is "$(tns-info back.tns | sed -n '/^history/,/^fing/p' | sed -n 2p)" "  tns-convert $VERSION --tensor $t [npy $(gzip -c <$t.npy | tail -c 8 | head -c 4 | od -An -tx4 | tr -d ' ')]" "its history"
done
ok "without a name" tns-convert id.npy -o back.tns
is "$(tns-info back.tns | sed -n '2s/ .*//p')" array "its name"

# ---- a change is seen: what comes back has a line of history more; METAs stay ----
ok "changed" python3 - <<'END'
from arrays import *
arrays, metas = read_npz("faces.npz")
a = arrays["keypoints"]
arrays["keypoints"] = a._replace(data=struct.pack("<f", 7.5) + a.data[4:])
write("changed.npz", npz({**arrays, "__meta__": Array("u8", (len(json.dumps(metas)),), json.dumps(metas).encode())}))
names = metas["points"].upper()
text = json.dumps({"points": names}).encode()
write("named.npz", npz({"image": arrays["image"], "keypoints": a, "__meta__": Array("u8", (len(text),), text)}))
write("bare.npz", npz({"image": arrays["image"], "keypoints": a}))
metas["keypipe.stream"] = metas["keypipe.stream"].replace("ooo", "oog")  # a stream of other records, and the same content
write("given.safetensors", safetensors(read_npz("faces.npz")[0], metas))
END
ok "changed" tns-convert changed.npz -o changed.tns
is "$(tns-info changed.tns | sed -n '/^history/,/^fing/p' | grep -c '')" "$(($(tns-info faces.tns | sed -n '/^history/,/^fing/p' | grep -c '') + 1))" "a line more"
is "$(tns-info changed.tns | sed '/^history/,$d' | tail -n +5)" "$(tns-info faces.tns | sed '/^history/,$d' | tail -n +5)" "its METAs"
is "$(tns-info --tensor keypoints --head 1 changed.tns | sed -n 's/^keypoints\[1\] \([^ ]*\) .*/\1/p')" 7.5 "the value"
ok "as a data set" predict -q model.tns changed.tns -o out.tns
rm -f out.tns
ok "names alone" tns-convert named.npz -o named.tns
is "$(meta named.tns points)" "$(meta faces.tns points | tr a-z A-Z)" "META points as --help has it"
ok "no names" tns-convert bare.npz -o bare.tns
fails 1 "bare.tns: there is no META points, the names of its points (tns-convert --help: how arrays have it)" tns-select --points a bare.tns -o no.tns
ok "given rows" tns-convert given.safetensors -o given.tns
is "$(tns-info given.tns | grep -v ^fingerprint | cksum)" "$(tns-info faces.tns | grep -v ^fingerprint | cksum)" "the same content in other records"
ok "one of several" tns-convert --tensor id faces.npz -o id.tns
is "$(tns-info id.tns | grep -c "^  tns-convert $VERSION --tensor id \[npz ")" 1 "part of a stream has its line"

# ---- written by others ----
mkdir -p foreign
ok "foreign files" python3 - <<'END'
from arrays import *
n, want = 0, []
def put(b, arrays, suffix):
    global n
    write(f"foreign/{n}.{suffix}", b)
    want.append((f"foreign/{n}.{suffix}", arrays))
    n += 1
for t in NUMPY:
    a = values(t, 3, 4, 2)
    put(npy(a, fortran=n % 2 == 1, swap=SIZE[t] > 1 and n % 3 > 0, version=1 + n % 3), {"array": a}, "npy")
for shape in [(), (1,), (5,), (0,), (0, 3), (1, 1), (2, 3, 4, 5), (4, 1, 300), (70000, 3), (3, 70000)]:
    for fortran in (False, True):
        a = values("i16", *shape)
        put(npy(a, fortran, swap=fortran), {"array": a}, "npy")
a = values("f64", 2, 3)
put(npy(a, header="{ \"shape\":(2L , 3),'fortran_order' :False,'descr':'=f8'}"), {"array": a}, "npy")
put(npy(values("u8", 4), descr="<u1"), {"array": values("u8", 4)}, "npy")
put(npy(values("bool", 4), descr="b1"), {"array": values("bool", 4)}, "npy")
many = {"x": values("f32", 6, 5), "deep/y": values("u8", 6), "z.w": values("i64", 3, 2), "s": values("f64"), "empty": values("u32", 0, 2)}
for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
    for pipe in (False, True):
        put(npz(many, method, pipe), many, "npz")
        put(npz(many, method, pipe, fortran=True), many, "npz")
put(npz({}), {}, "npz")
b = npz({"x": many["x"]})
put(b[:-2] + struct.pack("<H", 7) + b"comment", {"x": many["x"]}, "npz")
with zipfile.ZipFile("foreign/noise", "w") as z:
    z.writestr("folder/", b"")
    z.writestr("x.npy", npy(many["x"]))
put(open("foreign/noise", "rb").read(), {"x": many["x"]}, "npz")
every = {t: values(t, 2 + i % 2, 3) for i, t in enumerate(SIZE)} | {"scalar": values("bf16"), "empty": values("f32", 0)}
put(safetensors(every), every, "safetensors")
put(safetensors(every, order=sorted(every)), {k: every[k] for k in sorted(every)}, "safetensors")
put(safetensors(every, {"format": "pt", "\u00fc": "\u0001\ud83d\ude42"}), every, "safetensors")
put(packed("{}"), {}, "safetensors")
with open("want.py", "w") as f: f.write(f"want = {want!r}".replace("Array(", "A("))
END
for f in foreign/*.*; do
	tns-convert "$f" -o "${f%.*}.tns" 2>err.txt && [ ! -s err.txt ] || bad "$f: $(cat err.txt)"
done
ok "what was in them" env VERSION="$VERSION" python3 - <<'END'
from arrays import *
import os, tns_reader
for path, arrays in eval(open("want.py").read()[7:], {"A": Array}):
    tensors, metas, _ = tns_reader.read(open(os.path.splitext(path)[0] + ".tns", "rb").read())
    assert list(tensors) == list(arrays), (path, list(tensors))
    for k, t in tensors.items():
        assert t.shape == arrays[k].shape and t.data == arrays[k].data, (path, k)
    assert list(metas)[-1] == "history" and metas["history"].startswith(f"tns-convert {os.environ['VERSION']} ["), path
    if len(metas) > 1: assert dict(metas, history="") == {"format": "pt", "\u00fc": "\u0001\U0001f642", "history": ""}, metas
END

# places beyond 4 GiB (Zip64), in a file that is mostly a hole
ok "a far zip" python3 - <<'END'
from arrays import *
with open("far.npz", "wb") as f:
    f.write(b"PK\3\4")
    f.seek(5 << 30)
    with zipfile.ZipFile(f, "w") as z:
        z.writestr("x.npy", npy(values("u16", 9)))
        z.writestr("y.npy", npy(values("u16", 7)))
write("y.npy", npy(values("u16", 7)))
END
ok "of a far zip" tns-convert --tensor y far.npz -o far.npy
is "$(tail -c 14 far.npy | cksum)" "$(tail -c 14 y.npy | cksum)" "what it holds"
rm far.npz

# ---- shapes that no stream has ----
ok "rows over 16 MiB, and other shapes" python3 - <<'END'
from arrays import *
data = (bytes(range(251)) * (1 << 17))[:17 << 20] * 2
write("wide.safetensors", safetensors({"big": Array("u8", (2, 17, 1 << 20), data), "nine": values("i8", 1, 2, 1, 2, 1, 2, 1, 2, 1), "hole": values("f32", 3, 0, 7), "x": values("f32", 3, 2)}, {"a": "b"}))
END
ok "as a stream" tns-convert wide.safetensors -o wide.tns
is "$(tns-info wide.tns | sed -n '2,5s/  */ /gp' | cut -d' ' -f1-3 | paste -sd ';')" "big u8 35651584;nine i8 16;hole f32 0;x f32 3,2" "flat tensors"
is "$(tns-info wide.tns | grep '^[a-z.]*: ' | sed '/^fingerprint/d' | paste -sd ';')" "shape.big: 2,17,1048576;shape.nine: 1,2,1,2,1,2,1,2,1;shape.hole: 3,0,7;a: b" "their shapes"
for form in npz safetensors; do
	ok "as $form" tns-convert wide.tns -o again.$form
	ok "$form back" tns-convert again.$form -o back.tns
	same wide.tns back.tns "flat tensors by $form"
done
ok "their shapes again" python3 - <<'END'
from arrays import *
arrays, metas = read_safetensors("wide.safetensors")
for got, texts in (read_safetensors("again.safetensors"), read_npz("again.npz")):
    assert list(got) == list(arrays) and all(got[k] == arrays[k] for k in arrays), "arrays"
    assert [k for k in texts] == ["a", "history", "keypipe.stream"], texts
for i, shape in enumerate(("3,0,7,1", "1,2", "", "3,,0", "3,0,7,", "x", "-1", "18446744073709551616,1", "4294967296,4294967296,4294967296,4294967296", ",".join("1" * 65))):
    write(f"shape{i}.tns", tns({"x": values("u8", 6)}, [("shape.x", shape)]))
write("others.tns", tns({"x": values("u8", 6)}, [("shape.y", "77")]))
write("two.tns", tns({"x": values("u8", 2, 3)}, [("shape.x", "3,2")]))
write("key.safetensors", safetensors({"hole": values("f32", 3, 0, 7)}, {"shape.hole": "0"}))
write("note.tns", tns({"x": values("u8", 6)}, [("keypipe.stream", "")]))
END
rm -f wide.* again.* back.tns
for i in 0 1 2 3 4 5 6 7 8 9; do refused 1 "shape$i.tns: META shape.x is '" -o out.npz shape$i.tns; done
refused 1 "two.tns: META shape.x is '3,2', which is no shape of its 6 values" -o out.npz two.tns
refused 1 "key.safetensors: META shape.hole would be read as the shape of hole" -o out.tns key.safetensors
refused 1 "note.tns: META keypipe.stream is a name that files of other forms need" -o out.npz note.tns
ok "a shape of another tensor" tns-convert others.tns -o others.npz
ok "a suffix in capitals" tns-convert others.tns -o OTHERS.NPZ
same others.npz OTHERS.NPZ "a suffix in capitals"

# ---- wrong use, and what a form can't hold ----
refused 2 "out.bin: its suffix tells no form: --to npy|npz|safetensors|tns" faces.tns -o out.bin
refused 2 "out: its suffix tells no form" faces.tns -o out
refused 2 "faces.tns is a tensor stream already: --to tells what to make of it" faces.tns
refused 2 "stdin is a tensor stream already" -o out.tns <faces.tns
refused 2 "faces.tns has 3 tensors, an npy holds one: --tensor tells which (there are image, keypoints, id)" faces.tns -o out.npy
refused 2 "zero.tns has 0 tensors, an npy holds one: --tensor tells which" zero.tns -o out.npy
refused 1 "faces.tns: there is no tensor keypoint (did you mean keypoints?)" --tensor keypoint faces.tns -o out.npy
refused 1 "all.tns: a/bf16 is bf16, which NumPy lacks: safetensors holds it" all.tns -o out.npz
refused 1 "all.tns: a/bf16 is bf16, which NumPy lacks: safetensors holds it" --tensor a/bf16 all.tns -o out.npy
ok "the others of it" tns-convert --tensor a/f16 all.tns -o f16.npy
refused 1 "none.npz: No such file or directory" none.npz -o out.tns
refused 1 "foreign: Is a directory" foreign -o out.tns
: >empty.npz
refused 1 "empty.npz: is empty" empty.npz -o out.tns
echo '{"a": [1, 2]}' >text.json
refused 1 "text.json: is JSON: tensor streams, npy, npz and safetensors are read" text.json -o out.tns
head -c 1000 /dev/zero >zeros
refused 1 "zeros: is none of these: tensor streams, npy, npz and safetensors are read" zeros -o out.tns
fails 1 "this is not a tensor stream but a NumPy array (npy): tns-convert makes a tensor stream of it" tns-info id.npy
fails 1 "tns-convert makes a tensor stream of it" tns-info faces.npz
fails 1 "tns-convert makes a tensor stream of it" tns-info faces.safetensors

# ---- files that lie: one line, at once, and no memory for what they only speak of ----
ok "files that lie" python3 - <<'END'
from arrays import *
import os
os.mkdir("bad")
lines = []
def bad(b, suffix, text):
    path = f"bad/{len(lines)}.{suffix}"
    write(path, b)
    lines.append(f"{path}: {text}")
x = values("f32", 3, 4)
head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"
good = npy(x)
for descr, text in (("|O", "array: it holds Python objects (type '|O', a pickle), which are not read"), ("<c8", "array: its type, <c8, is none"), ("<U7", "array: its type, <U7, is none"),
                    ("|S3", "array: its type, |S3, is none"), ("<M8[ns]", "array: its type, <M8[ns], is none"), ("<f3", "array: its type, <f3, is none"), ("", "array: its type, , is none"),
                    ("|V2", "array: its type, |V2, is none"), ("f" * 40, "the header is no dict")):
    bad(npy(x, descr=descr), "npy", text) if descr else bad(npy(x, header=head.replace("<f4", "")), "npy", text)
bad(npy(x, header=head.replace("'<f4'", "[('a', '<f4')]")), "npy", "array: its type, of several fields, is none")
for old, new, text in (("(3, 4)", "(3, 5)", "its header speaks of 60 bytes of values, there are 48"), ("(3, 4)", "(3, 3)", "its header speaks of 36 bytes of values, there are 48"),
                       ("(3, 4)", "(3, 4611686018427387905)", "its shape has more values than can be"), ("(3, 4)", "(4294967296, 4294967296, 4294967296)", "its shape has more values than can be"),
                       ("(3, 4)", "(3, 18446744073709551616)", "shape has a number that is too large"), ("(3, 4)", "(4611686018427387904,)", "its shape has more values than can be"),
                       ("(3, 4)", "(3, 1152921504606846976)", "its shape has more values than can be"), ("(3, 4)", "(3, 268435456)", "its header speaks of 3221225472 bytes of values, there are 48"),
                       ("(3, 4)", "(-3, 4)", "shape is no tuple"), ("(3, 4)", "(12)", "shape is no tuple"), ("(3, 4)", "12", "shape is no tuple"), ("(3, 4)", "(3 4)", "shape is no tuple"), ("(3, 4)", "(3, 4", "shape is no tuple"),
                       ("(3, 4)", "(03, 4)", "shape is no tuple"), ("(3, 4)", "(,)", "shape is no tuple"), ("(3, 4)", "(3,, 4)", "shape is no tuple"), ("(3, 4)", "(3.0, 4)", "shape is no tuple"), ("(3, 4)", "(" + "1, " * 65 + ")", "shape has more than 64 dimensions"),
                       ("False", "false", "fortran_order is neither True nor False"), ("'shape'", "'shapes'", "the header has an unknown key 'shapes'"), ("'shape'", "'descr'", "the header has twice the key 'descr'"),
                       (", 'shape': (3, 4)", "", "the header lacks shape"), ("'descr': '<f4', ", "", "the header lacks descr"), ("}", "", "the header is no dict"), ("}", "} x", "something follows the header's dict"), ("{", "[", "the header is no dict"),
                       ("'<f4'", "'<f4", "the header is no dict"), ("'<f4',", "'<f4'", "the header is no dict"), ("'descr':", "'descr'", "the header is no dict")):
    bad(npy(x, header=head.replace(old, new)), "npy", text)
bad(good + b"\0", "npy", "its header speaks of 48 bytes of values, there are 49")
bad(good + good, "npy", "its header speaks of 48 bytes of values, there are 224")
for version in ((0, 0), (4, 0), (1, 1)):
    bad(good[:6] + bytes(version) + good[8:], "npy", "it is npy of version %d.%d, not 1.0, 2.0 or 3.0" % version)
bad(good[:8] + struct.pack("<H", 65535) + good[10:], "npy", "its header would have 65535 bytes, the file has 176")
bad(good[:6] + b"\2\0" + struct.pack("<I", 2**32 - 1) + good[10:], "npy", "its header would have 4294967295 bytes")
bad(npy(x, version=2, header=head + " " * 70000), "npy", "its header has 70068 bytes: more than of any type that is read here")
for n in (6, 7, 8, 9, 10, 40, 127, 128, 170): bad(good[:n], "npy", "")

z = npz({"x": x, "y": x})
def entry(b, offset, value, i=0):  # a field of directory entry i
    at = -1
    for _ in range(i + 1): at = b.index(b"PK\1\2", at + 1)
    return b[:at + offset] + value + b[at + offset + len(value):]
bad(entry(z, 42, struct.pack("<I", 7)), "npz", "x.npy: it is not where the zip's directory says")
bad(entry(z, 42, struct.pack("<I", 2**31)), "npz", "x.npy: it is not where the zip's directory says")
bad(entry(z, 20, struct.pack("<II", 2**31, 2**31)), "npz", "x.npy: it would have 2147483648 bytes")
bad(entry(z, 24, struct.pack("<I", 9)), "npz", "x.npy: 9 bytes can't be what 176 packed ones hold")
bad(entry(z, 16, b"\0\0\0\0"), "npz", "x: the zip data are damaged: incorrect checksum")
bad(entry(z, 10, struct.pack("<H", 12)), "npz", "x.npy: its compression (method 12) is not read here")
bad(entry(z, 8, struct.pack("<H", 1)), "npz", "x.npy: it is encrypted")
bad(entry(z, 46, b"y"), "npz", "y.npy: the zip's directory has it under another name than its header")
bad(entry(entry(z, 46, b"x", 1), 42, struct.pack("<I", 0), 1), "npz", "two members are named x.npy")
bad(npz({"x": x})[:-22] + npz({"x": x})[-22:-12] + struct.pack("<H", 9) + npz({"x": x})[-10:], "npz", "the zip's directory of")
inner = npz({"y": x})
inner = inner[:inner.index(b"PK\1\2")]  # a member whose values hold another member
b = npz({"x": Array("u8", (len(inner),), inner), "y": x})
bad(entry(b, 42, struct.pack("<I", b.index(inner)), 1), "npz", "x.npy and y.npy lie in the same bytes")
bad(z + b"more", "npz", "the zip has no end: it is cut, or something follows it")
for n in (4, 30, len(z) // 2, len(z) - 1): bad(z[:n], "npz", "the zip has no end")
bad(z.replace(b"\x93NUMPY", b"\x93NUMPX", 1), "npz", "x.npy: it does not begin as a NumPy array (npy)")
bad(z[:150] + bytes([z[150] ^ 1]) + z[151:], "npz", "")
flip = z.rindex(x.data) + 5
bad(z[:flip] + bytes([z[flip] ^ 16]) + z[flip + 1:], "npz", "y: the zip data are damaged: incorrect checksum")
d = npz({"x": values("u8", 3000)}, zipfile.ZIP_DEFLATED)
bad(d[:1500] + bytes([d[1500] ^ 255]) + d[1501:], "npz", "x: the zip data are damaged: ")
bad(entry(d, 24, struct.pack("<I", 3129)), "npz", "x.npy: the zip data are damaged")
bad(entry(d, 24, struct.pack("<I", 2**31)), "npz", "x.npy: 2147483648 bytes can't be what")
b = npz({"x": values("u8", 3000)})
bad(entry(d, 24, struct.pack("<I", 3127)), "npz", "x.npy: its header speaks of 3000 bytes of values, there are 2999")
bad(npz({"x": npy(values("u8", 5), descr="|O")}), "npz", "x: it holds Python objects")
bad(npz({"__meta__": values("u16", 5)}), "npz", "__meta__ is no row of bytes of JSON")
for text in ("[]", "{", '{"a": 1}', '{"a": "b"} x', '{"a" "b"}', '{"a": "b",}', '{"": "b"}', '{"a": "b", "a": "c"}', '{"\\u0000": "b"}', '{"a": "\\x"}', '{"a": "\\ud800"}', '{"a": "\\ud800\\u0041"}', '{"a": "\\u12"}', '{"a": "\n"}'):
    bad(npz({"__meta__": Array("u8", (len(text),), text.encode())}), "npz", "")
bad(npz({"my image": x}), "npz", "'my image' is no name of a tensor, which has 1 to 255 of A-Z a-z 0-9 . _ / -")
bad(npz({"\u00fc": x}), "npz", "'")
bad(npz({"n" * 256: x}), "npz", "'nnn")
with zipfile.ZipFile("bad/zip", "w") as t: t.writestr("a.csv", "1,2")
bad(open("bad/zip", "rb").read(), "npz", "is a zip without arrays (.npy), of a.csv")

def tensor(dtype="F32", shape="[3,4]", offsets="[0,48]", more=""): return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}{more}}}'
def safe(header, text, data=x.data, n=None): bad(packed(header, data, n), "safetensors", text)
safe("{}", "its header would have 9223372036854775808 bytes, the file has 64", n=2**63, data=bytes(48))
safe("{}", "its header would have 57 bytes, the file has 64", n=57, data=bytes(48))
safe('{"x":%s}' % tensor(), "its header would have 100000001 bytes", n=100000001, data=b"")
safe('{"%s":%s}' % ("n" * (9 << 20), tensor()), "header: byte 1: a text or number of more than 8 MiB")
safe('{"x":%s}' % tensor(shape="[3,5]"), "header: x: byte 56: its shape is not that of 48 bytes")
safe('{"x":%s}' % tensor(shape="[4611686018427387905,4]"), "header: x: ")
safe('{"x":%s}' % tensor(offsets="[0,49]"), "header: x: byte 56: data_offsets are 0 and 49, of 48 bytes")
safe('{"x":%s}' % tensor(offsets="[18446744073709551568,0]"), "header: x: byte ")
safe('{"x":%s}' % tensor(offsets="[0]"), "header: x: byte 53: a tensor without dtype, shape or two data_offsets")
safe('{"x":%s}' % tensor(offsets="[0,1,2]"), "header: x: byte ")
safe('{"x":%s}' % tensor(offsets="[0,48.0]"), "header: x: byte ")
safe('{"x":%s}' % tensor(offsets="[0,4e1]"), "header: x: byte ")
safe('{"x":%s}' % tensor(offsets="[-1,48]"), "header: x: byte ")
safe('{"x":%s}' % tensor(shape="[" + "1," * 70 + "1]"), "header: x: byte ")
safe('{"x":%s,"x":%s}' % (tensor(), tensor()), "two arrays are named x")
safe('{"x":%s,"y":%s}' % (tensor(), tensor()), "x and y lie in the same bytes")
safe('{"x":%s,"y":%s}' % (tensor(shape="[8]", offsets="[0,32]"), tensor(shape="[8]", offsets="[16,48]")), "x and y lie in the same bytes")
safe('{"x":%s}' % tensor(shape="[8]", offsets="[0,32]"), "the last 16 bytes are no tensor's")
safe('{"x":%s}' % tensor(shape="[8]", offsets="[16,48]"), "16 bytes before those of x are no tensor's")
safe('{"x":%s}' % tensor(more=',"strides":[1]'), "header: x: byte 65: the key 'strides' does not belong here")
safe('{"x":%s}' % tensor(more=',"shape":[1]'), "header: x: byte 63: the key 'shape' does not belong here")
safe('{"x":%s}' % tensor(dtype="F8_E4M3"), "x: its type, F8_E4M3, is none of a tensor stream")
safe('{"x":%s}' % tensor(dtype="C64"), "x: its type, C64, is none of a tensor stream")
safe('{"x y":%s}' % tensor(), "'x y' is no name of a tensor")
safe('{"x\\u0000y":%s}' % tensor(), "header: byte 11: a name that holds a zero byte")
safe('{"":%s}' % tensor(), "'' is no name of a tensor")
safe('{"__metadata__":{"a":1},"x":%s}' % tensor(), "METAs: byte 20: not the '\"' that belongs here")
safe('{"__metadata__":{},"__metadata__":{},"x":%s}' % tensor(), "header: two keys __metadata__")
safe('{"__metadata__":{"a":"b","a":"c"}}', "two METAs are named 'a'", data=b"")
safe('{"__metadata__":{"keypipe.stream":"b","keypipe.stream":"c"}}', "two METAs are named 'keypipe.stream'", data=b"")
safe('{"__metadata__":{"a":"%s"}}' % ("b" * (1 << 20)), "more METAs than a stream may have, at 'a'", data=b"")
safe('{"__metadata__":{%s}}' % ",".join(f'"{i}":""' for i in range(4097)), "more METAs than a stream may have, at '4096'", data=b"")
safe("{%s}" % ",".join(f'"{i}":{tensor(shape="[0]", offsets="[0,0]")}' for i in range(4097)), "more arrays than a stream may have, at 4096", data=b"")
for h in ('{"x"}', '{"x":}', '{"x":%s' % tensor(), '{"x":%s,}' % tensor(), '{"x":%s} y' % tensor(), '{"x":[]}', '{"x":{}}', '{"x', '{"x":{"dtype":"F32"}}', "{'x':1}"):
    safe(h, "header: ")
s = packed('{"x":%s}' % tensor(), x.data)
for n in (9, 20, len(s) - 49, len(s) - 1): bad(s[:n], "safetensors", "")
with open("bad.txt", "w") as f: f.write("".join(l + "\n" for l in lines))
END
is "$(($(wc -l <bad.txt) > 140))" 1 "how many: $(wc -l <bad.txt)"
while IFS= read -r line; do # at most 500 MB of addresses
	got=0
	(ulimit -v 500000 && exec tns-convert "${line%%: *}" -o out.tns) >.out 2>.err || got=$?
	if [ "$got,$(wc -l <.err)" = 1,1 ] && grep -qF -- "tns-convert: $line" .err && [ ! -e out.tns ] && [ ! -e .out.tns.tmp ]; then good; else bad "$line: exit $got, $(head -c 300 .err)"; fi
done < <(if [ -n "${SAN-}" ]; then head -0 bad.txt; else cat bad.txt; fi)
[ -z "${SAN-}" ] || while IFS= read -r line; do fails 1 "tns-convert: $line" tns-convert "${line%%: *}" -o out.tns; done <bad.txt
# a stream that ends too early gives no file, and one that gave up gives its reason
head -c 3000 faces.tns >cut.tns
for form in npz safetensors; do refused 1 "cut.tns: record " cut.tns -o out.$form; done
refused 1 "cut.tns: record " --tensor id cut.tns -o out.npy
fails 1 "its producer gave up" bash -c "tns-convert bad/0.npy 2>/dev/null | tns-info"

# ---- NumPy reads what was written, and what it writes is read; its own files come out byte for byte ----
if "$PYTHON" -c 'import numpy' 2>/dev/null; then
	ok "NumPy" "$PYTHON" - <<'END'
import numpy, tns_reader, subprocess
from arrays import NUMPY, TYPES
tensors, metas, _ = tns_reader.read(open("numpy.tns", "rb").read())
z = numpy.load("numpy.npz", allow_pickle=False)
assert z.files == list(tensors) + ["__meta__"]
for k, t in tensors.items():
    a = z[k]
    assert a.shape == t.shape and a.tobytes() == t.data and (k == "__meta__" or a.dtype.str == NUMPY[TYPES[tns_reader.TYPES.index(t.type)]]), k
    numpy.save("a.npy", a)
    if k != "__meta__":
        mine = subprocess.run(["tns-convert", "--tensor", k, "numpy.tns", "--to", "npy"], stdout=subprocess.PIPE, check=True).stdout
        assert mine == open("a.npy", "rb").read(), k
for save, name in ((numpy.savez, "s.npz"), (numpy.savez_compressed, "c.npz")):
    save(name, **{k: z[k] for k in z.files})
save_all = {k: z[k].astype(z[k].dtype.newbyteorder(">"), order="F") for k in z.files if k != "__meta__"}
numpy.savez("f.npz", **save_all, __meta__=z["__meta__"])
END
	for f in s c f; do
		ok "an npz of NumPy" tns-convert $f.npz -o back.tns
		same numpy.tns back.tns "NumPy's $f.npz"
	done
	if "$PYTHON" -c 'import safetensors.numpy' 2>/dev/null; then
		ok "safetensors" "$PYTHON" - <<'END'
import safetensors.numpy, tns_reader
tensors, _, _ = tns_reader.read(open("numpy.tns", "rb").read())
got = safetensors.numpy.load_file("numpy.safetensors")
assert set(got) == set(tensors) and all(got[k].tobytes() == t.data and got[k].shape == t.shape for k, t in tensors.items())
END
	fi
fi # NumPy is for people who have it (PYTHON=...): its absence is no skip
is "$(find . -name '.*.tmp')" "" "temporary files left behind"
done_tests
