"""npy, npz and safetensors by Python's own library, from their specifications: for tests of tns-convert, tns-export and model-export. An Array's data are
bytes in C order, little-endian; its type is a stream's word. tns() writes a tensor stream; tns_reader.py reads one."""
import ast, collections, io, json, math, random, struct, zipfile, zlib
Array = collections.namedtuple("Array", "type shape data")
TYPES = ["", "u8", "i8", "u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64", "f16", "bf16", "bool"]
SIZE = {t: 1 if t == "bool" else 2 if t == "bf16" else int(t[1:]) // 8 for t in TYPES[1:]}
NUMPY = {t: ("|" if SIZE[t] == 1 else "<") + t[0].replace("b", "b" if t == "bool" else "?") + str(SIZE[t]) for t in SIZE if t != "bf16"}
SAFE = {t: t.upper() for t in SIZE}

def values(type, *shape, seed=1):  # all bit patterns, those of NaN too; of bool 0 and 1
    n = math.prod(shape)
    r = random.Random(f"{seed} {type} {shape}")
    return Array(type, tuple(shape), bytes(r.randrange(2) for _ in range(n)) if type == "bool" else r.randbytes(n * SIZE[type]))

def reorder(a, fortran=False, swap=False):  # the bytes of a in another order
    size, n = SIZE[a.type], math.prod(a.shape)
    cells = [a.data[i * size:(i + 1) * size] for i in range(n)]
    if fortran and n:
        index = []
        for i in range(n):  # i counts in Fortran's order; the place in C's
            at, left = 0, i
            coordinates = []
            for d in a.shape:
                coordinates.append(left % d)
                left //= d
            for d, c in zip(a.shape, coordinates):
                at = at * d + c
            index.append(at)
        cells = [cells[i] for i in index]
    return b"".join(c[::-1] if swap else c for c in cells)

def npy(a, fortran=False, swap=False, version=1, header=None, descr=None):
    descr = descr or (NUMPY[a.type].replace("<", ">") if swap else NUMPY[a.type])
    text = (header or f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {a.shape!r}, }}").encode()
    head = b"\x93NUMPY" + bytes([version, 0])
    text += b" " * (-(len(head) + (2 if version == 1 else 4) + len(text) + 1) % 64) + b"\n"
    return head + struct.pack("<H" if version == 1 else "<I", len(text)) + text + reorder(a, fortran, swap)

def read_npy(b):
    assert b[:8] == b"\x93NUMPY\1\0"
    n, = struct.unpack_from("<H", b, 8)
    assert (10 + n) % 64 == 0 and b[9 + n:10 + n] == b"\n"
    d = ast.literal_eval(b[10:10 + n].decode("ascii").strip())
    assert set(d) == {"descr", "fortran_order", "shape"} and d["fortran_order"] is False
    a = Array(next(t for t, v in NUMPY.items() if v == d["descr"]), d["shape"], b[10 + n:])
    assert len(a.data) == math.prod(a.shape) * SIZE[a.type]
    return a

def npz(arrays, method=zipfile.ZIP_STORED, pipe=False, **how):
    class Pipe(io.RawIOBase):  # cannot seek: lengths come behind the data
        def __init__(self): self.b = bytearray()
        def writable(self): return True
        def write(self, p): self.b += p; return len(p)
    to = Pipe() if pipe else io.BytesIO()
    with zipfile.ZipFile(to, "w", method) as z:
        for name, a in arrays.items():
            with z.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) if method == zipfile.ZIP_STORED else z.open(name + ".npy", "w") as f:
                f.write(a if isinstance(a, bytes) else npy(a, **how))
    return bytes(to.b) if pipe else to.getvalue()

def read_npz(path):
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None and all(n.endswith(".npy") for n in z.namelist())
        arrays = {n[:-4]: read_npy(z.read(n)) for n in z.namelist()}
    metas = arrays.pop("__meta__", None)
    return arrays, json.loads(metas.data) if metas else {}

def safetensors(arrays, metas=None, order=None):
    data, header = b"", {} if metas is None else {"__metadata__": metas}
    for name in order or arrays:
        a = arrays[name]
        header[name] = {"dtype": SAFE[a.type], "shape": list(a.shape), "data_offsets": [len(data), len(data) + len(a.data)]}
        data += a.data
    return packed(json.dumps(header), data)

def packed(header, data=b"", n=None):
    header = header.encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header) if n is None else n) + header + data

def read_safetensors(path):
    b = open(path, "rb").read()
    n, = struct.unpack_from("<Q", b)
    assert n % 8 == 0 and b[8:9] == b"{"
    pairs = json.loads(b[8:8 + n], object_pairs_hook=lambda p: p)
    assert len({k for k, _ in pairs}) == len(pairs)
    metas = dict(next((v for k, v in pairs if k == "__metadata__"), []))
    arrays, places = {}, []
    for name, info in pairs:
        if name == "__metadata__": continue
        info = dict(info)
        assert set(info) == {"dtype", "shape", "data_offsets"}
        type = next(t for t, v in SAFE.items() if v == info["dtype"])
        first, last = info["data_offsets"]
        assert first % SIZE[type] == 0 and last - first == math.prod(info["shape"]) * SIZE[type]
        arrays[name] = Array(type, tuple(info["shape"]), b[8 + n + first:8 + n + last])
        places.append((first, last))
    places.sort()
    assert [p[0] for p in places] == [0] * bool(places) + [p[1] for p in places][:-1] and 8 + n + (places[-1][1] if places else 0) == len(b)
    return arrays, metas

def tns(arrays, metas=(), late=(), open_rows=()):  # open_rows: names of those whose number of rows stands at the end
    out, seq = bytearray(b"\x89TNS\r\n\x1a\n" + struct.pack("<HH16x", 1, 0)), 0
    chain = zlib.crc32(out)
    out += struct.pack("<I", chain)
    def record(kind, tensor, payload, end=32):
        nonlocal seq, chain, out
        padding = bytes((end - len(payload)) % 64)
        h = kind + struct.pack("<6I", seq, tensor, 0, len(payload), len(payload), zlib.crc32(payload + padding))
        chain, seq = zlib.crc32(h, chain), seq + 1
        out += h + struct.pack("<I", chain) + payload + padding
    def put_metas(metas):
        for k, v in metas:
            k, v = k.encode(), v.encode()
            record(b"META", 2**32 - 1, struct.pack("<HI", len(k), len(v)) + k + v)
    for i, (name, a) in enumerate(arrays.items()):
        dims = [2**64 - 1, *a.shape[1:]] if name in open_rows else a.shape
        record(b"TDEF", i, struct.pack(f"<BBHI{len(dims)}Q", TYPES.index(a.type), len(dims), len(name), 0, *dims) + name.encode())
    put_metas(metas)
    for i, (name, a) in sorted(enumerate(arrays.items()), key=lambda x: x[1][0] not in open_rows):  # as our writer has them, below 1 MiB
        row = math.prod(a.shape[1:]) * SIZE[a.type]
        step = max(1, (1 << 20) // row) * row
        for at in range(0, len(a.data), step):
            record(b"DATA", i, a.data[at:at + step])
    put_metas(late)
    record(b"END\0", 2**32 - 1, struct.pack(f"<II{len(arrays)}Q", len(arrays), 0, *(a.shape[0] if a.shape else 1 for a in arrays.values())), 0)
    return bytes(out)

def write(path, b):
    with open(path, "wb") as f: f.write(b)
