"""Files that make readers crash, hang or swell: one for each class of fault that was found in readers of npy, npz and zip, safetensors, GGUF, HDF5,
darknet, PNG, JPEG, PNM, JSON, XML, gzip and CSV, in the forms that our programs read. usage: hostile.py FOLDER MODEL FACES: writes them into FOLDER
and runs the programs of PATH on each: it is refused with exit 1 and one line, without an output, in less than 100 ms of processor time and 64 MiB of
memory. HOSTILE=loose: no limits (programs with sanitizers). Prints `FAILED: ...`, and at the end the numbers for the table of trust."""
import json, os, resource, struct, subprocess, sys, zipfile, zlib
from arrays import *
import tns_reader
folder, model, faces = sys.argv[1:]
loose = os.environ.get("HOSTILE") == "loose"
os.makedirs(folder)
files = []
OUT = os.path.join(folder, "out.tns")
TNS, CONVERT, CSV = ["tns-info", "--check", "{}"], ["tns-convert", "-q", "-o", OUT, "{}"], ["csv-clean", "-q", "-o", OUT, "{}"]
PREDICT, EXPORT = ["predict", "-q", "-t1", "-o", OUT, "{}", faces], ["model-export", "-q", "-o", OUT, "{}"]
TABLE, NET = ["tns-table", "-q", "--read", "-o", OUT, "{}"], ["cnn-train", "-q", "-t1", "-e1", "-n", "@{}", "-o", OUT, faces]
def form(name): return ["tns-import", "-q", "-t1", "--form", name, "-o", OUT, "{}"]
def bad(what, command, suffix, data):
    path = f"{folder}/{len(files) + 1}.{suffix}"
    write(path, data.encode() if isinstance(data, str) else data)
    files.append((what, path, [a.replace("{}", path) for a in command]))

# ---- npy and npz ----
x = values("f32", 3, 4)
def header(shape="(3, 4)", descr="'<f4'"): return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
bad("npy: a product of dimensions that wraps to the length there is", CONVERT, "npy", npy(x, header=header("(4611686018427387907, 4)")))
bad("npy: a product of three that wraps to 0", CONVERT, "npy", npy(x, header=header("(4294967296, 4294967296, 4)")))
bad("npy: a length of 2^63", CONVERT, "npy", npy(x, header=header("(9223372036854775808,)")))
bad("npy: a gigabyte that isn't there", CONVERT, "npy", npy(x, header=header("(268435456, 4)")))
bad("npy: 100,000 dimensions", CONVERT, "npy", npy(x, version=2, header=header("(" + "1, " * 100000 + ")")))
bad("npy: a header of 100,000 bytes, all brackets", CONVERT, "npy", npy(x, version=2, header="(" * 100000))
bad("npy: a header longer than the file", CONVERT, "npy", npy(x)[:6] + b"\2\0" + struct.pack("<I", 2**32 - 1) + npy(x)[10:])
bad("npy: Python objects, a pickle", CONVERT, "npy", npy(x, descr="|O") + b"\x80\4cos\nsystem\n(S'true'\ntR.")
bad("npy: code in the header", CONVERT, "npy", npy(x, header=header("__import__('os').abort()")))
bad("npy: a structured type, nested", CONVERT, "npy", npy(x, header=header(descr="[('a', " * 2000 + "'<f4'" + ")]" * 2000)))
bad("npy: a negative dimension", CONVERT, "npy", npy(x, header=header("(-1, -12)")))
bad("pickle: a bare one", CONVERT, "npy", b"\x80\4\x95" + b"\xff" * 8 + b"cos\nsystem\n")
def directory(b, offset, value, i=0):  # a field of the zip's directory entry i
    at = -1
    for _ in range(i + 1): at = b.index(b"PK\1\2", at + 1)
    return b[:at + offset] + value + b[at + offset + len(value):]
z = npz({"x": x, "y": x})
bad("zip: two entries are one member", CONVERT, "npz", directory(directory(z, 42, struct.pack("<I", 0), 1), 46, b"x", 1))
inner = npz({"y": x})
inner = inner[:inner.index(b"PK\1\2")]
b = npz({"x": Array("u8", (len(inner),), inner), "y": x})
bad("zip: a member that lies in another", CONVERT, "npz", directory(b, 42, struct.pack("<I", b.index(inner)), 1))
bad("zip: an offset beyond the file", CONVERT, "npz", directory(z, 42, struct.pack("<I", 2**32 - 2)))
bad("zip: sizes of 2^32 - 2", CONVERT, "npz", directory(z, 20, struct.pack("<II", 2**32 - 2, 2**32 - 2)))
bomb = npy(x, header="{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,), }")[:-48] + bytes(64 << 20)
bomb = npz({"x": bomb}, zipfile.ZIP_DEFLATED)
bad("zip: a bomb, 64 MiB of zeros under a false size", CONVERT, "npz", directory(bomb, 24, struct.pack("<I", 1000)))
bad("zip: a size that can't be packed in so little", CONVERT, "npz", directory(npz({"x": x}, zipfile.ZIP_DEFLATED), 24, struct.pack("<I", 2**31)))
bad("zip: a directory of 65535 entries that isn't there", CONVERT, "npz", z[:-22] + z[-22:-14] + struct.pack("<HH", 65535, 65535) + z[-10:])
bad("zip: a model file of pickles", CONVERT, "npz", npz({"x": x}).replace(b"x.npy", b"x.pkl"))
bad("zip: METAs that are JSON of 100,000 brackets", CONVERT, "npz", npz({"__meta__": Array("u8", (100000,), b"[" * 100000)}))

# ---- safetensors ----
def tensor(shape="[3,4]", offsets="[0,48]", type="F32"): return f'{{"dtype":"{type}","shape":{shape},"data_offsets":{offsets}}}'
def safe(what, header, data=x.data, n=None): bad("safetensors: " + what, CONVERT, "safetensors", packed(header, data, n))
safe("a header of 2^63 bytes", "{}", bytes(48), 2**63)
safe("a header of 100,000,001 bytes", '{"x":%s}' % tensor(), b"", 100000001)
safe("a header of 100,000 tensors of one name", "{" + ",".join('"x":' + tensor() for _ in range(100000)) + "}")
safe("a header of 100,000 tensors in the same bytes", "{" + ",".join('"t%d":%s' % (i, tensor()) for i in range(100000)) + "}")
safe("a product that wraps to the length", '{"x":%s}' % tensor(shape="[4611686018427387907,4]"))
safe("offsets that wrap", '{"x":%s}' % tensor(offsets="[18446744073709551568,0]"))
safe("offsets of 2^63", '{"x":%s}' % tensor(offsets="[9223372036854775808,9223372036854775856]"))
safe("tensors that overlap", '{"x":%s,"y":%s}' % (tensor("[8]", "[0,32]"), tensor("[8]", "[16,48]")))
safe("a hole between tensors", '{"x":%s}' % tensor("[8]", "[16,48]"))
safe("nesting of 100,000", '{"x":' + '{"x":' * 100000)
safe("100,000 dimensions", '{"x":%s}' % tensor(shape="[" + "1," * 100000 + "1]"))
safe("a name of a megabyte", '{"%s":%s}' % ("n" * (1 << 20), tensor()))

# ---- streams ----
class Raw:  # records with right checksums, whatever they say
    def __init__(self):
        self.b = bytearray(b"\x89TNS\r\n\x1a\n" + struct.pack("<HH16x", 1, 0))
        self.seq, self.chain = 0, zlib.crc32(self.b)
        self.b += struct.pack("<I", self.chain)
    def record(self, kind, tensor, payload, flags=0, stored=None, raw=None):
        padding = bytes((32 - len(payload)) % 64)
        n = len(payload)
        h = kind + struct.pack("<6I", self.seq, tensor, flags, n if stored is None else stored, n if raw is None else raw, zlib.crc32(payload + padding))
        self.chain, self.seq = zlib.crc32(h, self.chain), self.seq + 1
        self.b += h + struct.pack("<I", self.chain) + payload + padding
        return self
    def tdef(self, i, dims, name=b"x", type=7, ndim=None, n=None):
        return self.record(b"TDEF", i, struct.pack(f"<BBHI{len(dims)}Q", type, len(dims) if ndim is None else ndim, len(name) if n is None else n, 0, *dims) + name)
    def bytes(self): return bytes(self.b)
bad("stream: 9 dimensions", TNS, "tns", Raw().tdef(0, [1] * 9).bytes())
bad("stream: 255 dimensions, of which 2 are there", TNS, "tns", Raw().tdef(0, [1] * 2, ndim=255).bytes())
bad("stream: a product of dimensions that wraps to 0", TNS, "tns", Raw().tdef(0, [1, 2**32, 2**32]).bytes())
bad("stream: a row of 2^63 bytes", TNS, "tns", Raw().tdef(0, [1, 2**61]).bytes())
bad("stream: 2^64 - 2 rows", TNS, "tns", Raw().tdef(0, [2**64 - 2, 4]).record(b"DATA", 0, bytes(16)).bytes())
bad("stream: two tensors of one name", TNS, "tns", Raw().tdef(0, [1]).tdef(1, [1]).bytes())
r = Raw()
for i in range(4100): r.tdef(i, [1], b"t%d" % i)
bad("stream: 4,100 tensors", TNS, "tns", r.bytes())
r = Raw()
for i in range(4100): r.record(b"META", 2**32 - 1, struct.pack("<HI", 5, 1) + b"%05d" % i + b"v")
bad("stream: 4,100 METAs", TNS, "tns", r.bytes())
bad("stream: a name longer than its record", TNS, "tns", Raw().tdef(0, [1], n=65535).bytes())
bad("stream: a META's value of 2^32 - 1 bytes", TNS, "tns", Raw().record(b"META", 2**32 - 1, struct.pack("<HI", 1, 2**32 - 1) + b"kv").bytes())
bad("stream: a chunk of 4 GiB", TNS, "tns", Raw().tdef(0, [2**64 - 1]).record(b"DATA", 0, b"", stored=2**32 - 4, raw=2**32 - 4).bytes())
flat = zlib.compress(bytes(16 << 20), 9)
bad("stream: a packed chunk that is a bomb", TNS, "tns", Raw().tdef(0, [2**64 - 1, 2]).record(b"DATA", 0, flat, 1, raw=8).bytes())
gz = zlib.compressobj(9, zlib.DEFLATED, 31)
bad("gzip: a bomb of 64 MiB", TNS, "tns.gz", gz.compress(bytes(64 << 20)) + gz.flush())
bad("gzip: a header whose name has no end", TNS, "tns.gz", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 1000000)

# ---- models: right checksums over absurd nets ----
was, metas, _ = tns_reader.read(open(model, "rb").read())
letters = {None: "", "B": "u8", "I": "u32", "f": "f32", "Q": "u64"}
weights = {k: Array(letters[t.type], tuple(t.shape), bytes(t.data)) for k, t in was.items()}
metas = {k: v for k, v in metas.items() if k != "history"}
def net(what, text, command=PREDICT, **more): bad("net: " + what, command, "tns", tns(weights, {**metas, "net": text, **more}.items()))
net("a million times a million weights", "fc1000000 fc1000000 fc")
net("100,000 layers", "relu " * 100000 + "fc")
net("a convolution larger than memory", "conv3x3x1000000 conv3x3x1000000 fc")
net("sizes that wrap as an int", "conv65536x65536x65536 fc", EXPORT)
net("a size of 2^64", "fc18446744073709551616 fc")
net("a negative size", "conv3x3x-8 fc")
net("a size of 0", "pool0 fc")
net("an input of 2^31 by 2^31", metas["net"], input="2147483648x2147483648")
net("a net that is no net", "[net]\nbatch=-1\nwidth=0\n[route]\nlayers=-1000")
net("fewer weights than it asks for", "pool4 fc999 fc", EXPORT)
bad("net: not a number among the scales", PREDICT, "tns", tns(weights, {**metas, "scale": "pixel nan 0 x inf 0 y 1e999 0"}.items()))
bad("net: a description of a megabyte", NET, "txt", "relu " * 200000)
bad("net: a description that is binary", NET, "txt", b"fc\0" + os.urandom(1000))

# ---- files of others: refused by what they are ----
gguf = lambda tensors, kvs, rest=b"": b"GGUF" + struct.pack("<IQQ", 3, tensors, kvs) + rest
bad("GGUF: 2^63 tensors", CONVERT, "gguf", gguf(2**63, 2**63))
bad("GGUF: a key of 2^64 - 1 bytes", CONVERT, "gguf", gguf(1, 1, struct.pack("<Q", 2**64 - 1) + b"k"))
bad("HDF5: a superblock whose addresses are beyond the file", CONVERT, "h5", b"\x89HDF\r\n\x1a\n" + bytes(4) + b"\0\x08\x08\0" + b"\xff" * 80)
bad("darknet: weights without a net", CONVERT, "weights", struct.pack("<iii", 0, 2, 0) + b"\xff" * 100)

# ---- images ----
def chunk(kind, data, crc=None): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)
def png(w, h, rest, depth=8, colour=0, interlace=0): return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlace)) + rest
end, dot = chunk(b"IEND", b""), chunk(b"IDAT", zlib.compress(b"\0\0"))
FOLDER = form("folder")
bad("PNG: 2^31 - 1 squared", FOLDER, "png", png(2**31 - 1, 2**31 - 1, dot + end))
bad("PNG: 65535 squared, 16 bits of four colours, interlaced", FOLDER, "png", png(65535, 65535, dot + end, 16, 6, 1))
bad("PNG: a million wide, no row of it there", FOLDER, "png", png(1000000, 1, dot + end))
bad("PNG: no size", FOLDER, "png", png(0, 0, dot + end))
bad("PNG: a chunk of 2^31 bytes", FOLDER, "png", png(1, 1, struct.pack(">I", 2**31) + b"tEXt"))
bad("PNG: a text that is a bomb, and no image", FOLDER, "png", png(1, 1, chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(32 << 20), 9)) + end))
bad("PNG: a colour profile that is a bomb, and no image", FOLDER, "png", png(1, 1, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(32 << 20), 9)) + end))
bad("PNG: rows that end too soon", FOLDER, "png", png(4000, 4000, dot + end))
bad("PNG: 100,000 chunks of nothing, and no image", FOLDER, "png", png(1, 1, chunk(b"teSt", b"") * 100000 + end))
def jpeg(w, h, scans=0, quantizer=bytes([1] * 64)):
    seg = lambda m, d: b"\xff" + bytes([m]) + struct.pack(">H", len(d) + 2) + d
    dht = seg(0xc4, bytes([0]) + bytes([1] + [0] * 15) + b"\0") + seg(0xc4, bytes([0x10]) + bytes([1] + [0] * 15) + b"\0")
    return b"\xff\xd8" + seg(0xdb, b"\0" + quantizer) + seg(0xc2 if scans else 0xc0, struct.pack(">BHHB", 8, h, w, 1) + b"\1\x11\0") + dht + seg(0xda, b"\1\1\0" + (b"\0\0\0" if scans else b"\0\x3f\0")) + (seg(0xda, b"\1\1\0\1\1\0") * scans)
bad("JPEG: 65535 squared", FOLDER, "jpg", jpeg(65535, 65535))
bad("JPEG: 20,000 scans", FOLDER, "jpg", jpeg(2000, 2000, 20000))
bad("JPEG: a segment longer than the file", FOLDER, "jpg", b"\xff\xd8\xff\xe1\xff\xffExif\0\0")
bad("PNM: 99999 squared", FOLDER, "pgm", "P5 99999 99999 255\n")
bad("PNM: a size that wraps to 1", FOLDER, "pgm", "P5 4294967297 1 255\nx")
bad("PNM: a comment of a megabyte", FOLDER, "pgm", "P5 #" + "c" * 1000000)

# ---- annotations ----
coco = lambda annotation, images='{"id":1,"file_name":"a.pgm","width":4,"height":3}': '{"images":[' + images + '],"annotations":[' + annotation + '],"categories":[{"id":1,"keypoints":["a"]}]}'
bad("JSON: nesting of 100,000 brackets", form("coco"), "json", "[" * 100000)
bad("JSON: nesting of 100,000 objects in a key that is passed by", form("coco"), "json", '{"info":' + '{"a":' * 100000)
bad("JSON: a number of a megabyte", form("coco"), "json", coco('{"id":1,"image_id":' + "9" * 1000000 + "}"))
bad("JSON: a string of 32 MiB", form("coco"), "json", '{"info":"' + "x" * (32 << 20) + '"}')
bad("JSON: a string that has no end", form("coco"), "json", '{"info":"' + "x" * 1000000)
bad("JSON: a number of 1e999999", form("coco"), "json", coco('{"id":1,"image_id":1,"category_id":1,"num_keypoints":1,"keypoints":[1e999999,1,2],"bbox":[0,0,4,3]}'))
bad("JSON: 30,000 images of one id", form("coco"), "json", coco("", ",".join(['{"id":1,"file_name":"a.pgm","width":4,"height":3}'] * 30000)))
bad("JSON: half a surrogate", form("coco"), "json", coco('{"id":1,"image_id":1,"category_id":1,"num_keypoints":1,"keypoints":[1,1,2],"bbox":[0,0,4,3]}', '{"id":1,"file_name":"\\ud800","width":4,"height":3}'))
bad("XML: a billion laughs", form("imglab"), "xml", "<!DOCTYPE d [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 10)) + "]><dataset>&a9;</dataset>")
bad("XML: an entity of a file", form("imglab"), "xml", "<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><dataset>&a;</dataset>")
bad("XML: nesting of 100,000", form("imglab"), "xml", "<dataset>" * 100000)
bad("XML: a tag of 4 MiB, read again for each piece", form("imglab"), "xml", "<dataset a='" + "x" * (4 << 20))
bad("XML: 20,000 attributes", form("imglab"), "xml", "<dataset " + " ".join(f"a{i}='1'" for i in range(20000)) + "></dataset>")
bad("XML: an attribute of a megabyte of references", form("imglab"), "xml", "<dataset a='" + "&#65;" * 200000 + "'/>")
bad("pts: 2^31 points", form("pts"), "pts", "version: 1\nn_points: 2147483648\n{\n1 1\n}\n")
bad("CSV: a field of 8 MB", CSV, "csv", "left_eye_center_x,left_eye_center_y,Image\n1,1," + "x" * 8000000)
bad("CSV: 100,000 columns", CSV, "csv", ",".join(f"p{i}_x,p{i}_y" for i in range(50000)) + ",Image\n")
bad("CSV: a quote that has no end", TABLE, "csv", 'id,a_x,a_y\n1,"' + "x" * 4000000)
bad("CSV: a zero byte", TABLE, "csv", b"id,a_x,a_y\n1,1\0,1\n")
gz = zlib.compressobj(9, zlib.DEFLATED, 31)
bad("CSV: a gzip bomb of one line", CSV, "csv.gz", gz.compress(b"0" * (64 << 20)) + gz.flush())

# ---- each of them: in a new process, as what a program takes at most counts from before its exec ----
RUN = """
import json, os, resource, subprocess, sys
folder, loose, files = sys.argv[1], sys.argv[2] == "1", json.load(sys.stdin)
slowest, largest, wrong = (0, ""), (0, ""), 0
def limits():
    if not loose: resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for what, path, command in files:
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limits)
    out, err = p.stdout.read(), p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = 0
    status, ms, mib = os.waitstatus_to_exitcode(status), 1000 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024
    faults = [f"exit {status}"] * (status != 1) + ["not one line"] * (err.count(b"\\n") != 1 or not err.startswith(command[0].encode() + b": ")) + ["stdout"] * bool(out)
    faults += ["an output"] * any(n.startswith(("out", ".")) for n in os.listdir(folder))
    faults += ["no name of the file"] * (path.encode() not in err)
    faults += [f"{ms:.0f} ms"] * (not loose and ms >= 100) + [f"{mib:.0f} MiB"] * (not loose and mib >= 64)
    slowest, largest = max(slowest, (ms, what)), max(largest, (mib, what))
    if "SHOW" in os.environ: print(f"{what}: {ms:.0f} ms, {mib:.0f} MiB: {err.decode(errors='replace').strip()[:300]}")
    if faults:
        wrong += 1
        for n in os.listdir(folder):
            if n.startswith(("out", ".")): os.remove(os.path.join(folder, n))
        print(f"FAILED: {what}: {', '.join(faults)}: {err.decode(errors='replace')[:300]!r} ({' '.join(command)})")
print(f"trust: 4 | hostile files, one for each class of fault | {len(files)}/{len(files)} | {len(files) - wrong} refused in one line; slowest {slowest[0]:.0f} ms of processor time ({slowest[1]}), largest {largest[0]:.0f} MiB ({largest[1]})")
sys.exit(wrong != 0)
"""
sys.exit(subprocess.run([sys.executable, "-c", RUN, folder, str(int(loose))], input=json.dumps(files).encode()).returncode)
