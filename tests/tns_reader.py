"""A reader of tensor streams, written from the page alone: tns_reader.py FILE prints what is in it, or why it is refused (exit 1).
read(bytes) gives ({name: Tensor}, {key: text}, fingerprint); a Tensor's data are bytes, its type is struct's letter (of bf16: H)."""
import collections, math, struct, sys, zlib
TYPES = [None, "B", "b", "H", "h", "I", "i", "f", "Q", "q", "d", "e", "H", "?"]
Tensor = collections.namedtuple("Tensor", "type shape data")
OPEN, NONE, LIMIT = 2**64 - 1, 2**32 - 1, 16 << 20
def need(good, why):
    if not good: raise ValueError(why)
def read(b):
    need(len(b) >= 32 and b[:8] == bytes.fromhex("89544E530D0A1A0A"), "not a tensor stream")
    major, _, zero, chain = struct.unpack_from("<HH16sI", b, 8)
    need(chain == zlib.crc32(b[:28]) and major == 1 and not any(zero), "bad preamble")
    defs, parts, metas, at, seq, phase, used = [], [], {}, 32, 0, 0, 0  # phase 1: rows came; 2: a META came after them
    while True:
        need(at + 32 <= len(b), f"record {seq}: cut")
        kind, number, tid, flags, stored, raw, crc, head = struct.unpack_from("<4s7I", b, at)
        chain = zlib.crc32(b[at:at + 28], chain)
        need(chain == head and number == seq and flags < 2, f"record {seq}: bad header")
        need(stored <= LIMIT and raw <= LIMIT and (raw <= 1032 * stored if flags else raw == stored), f"record {seq}: bad lengths")
        need(tid == NONE or kind in (b"TDEF", b"DATA"), f"record {seq}: has a tensor id")
        end = at + 32 + stored + (-(at + 32 + stored) + (0 if kind in (b"END\0", b"ABRT") else 32)) % 64
        need(end <= len(b) and zlib.crc32(b[at + 32:end]) == crc and not any(b[at + 32 + stored:end]), f"record {seq}: bad payload")
        p, z = b[at + 32:at + 32 + stored], zlib.decompressobj()
        if flags:
            p = z.decompress(p, raw + 1)
            need(z.eof and not z.unused_data and len(p) == raw, f"record {seq}: bad zlib stream")
        if kind == b"TDEF":
            dtype, ndim, n, zero = struct.unpack_from("<BBHI", p)
            dim, name = struct.unpack_from(f"<{ndim}Q", p, 8), p[8 + 8 * ndim:].decode("ascii")
            need(0 < dtype < len(TYPES) and ndim <= 8 and not zero and n == len(name) and 0 < n < 256, f"record {seq}: bad definition")
            need(all(c.isalnum() or c in "._/-" for c in name) and name not in [d[0] for d in defs], f"record {seq}: bad name {name}")
            size = struct.calcsize("<" + TYPES[dtype]) * math.prod(dim[1:])
            need(tid == len(defs) < 4096 and not phase and 0 < size <= LIMIT, f"record {seq}: {name} can't be")
            need(not dim or dim[0] == OPEN or (dim[0] <= 2**48 and dim[0] * size < 2**64), f"record {seq}: {name}: too many rows")
            defs.append((name, TYPES[dtype], dim, size)), parts.append([])
        elif kind == b"META":
            nk, nv = struct.unpack_from("<HI", p)
            key, value = p[6:6 + nk].decode(), p[6 + nk:].decode()
            used, phase = used + nk + nv, 2 if phase else 0
            need(nk and "\0" not in key and len(p) == 6 + nk + nv and key not in metas and used <= 1 << 20, f"record {seq}: bad META")
            metas[key] = value
        elif kind == b"DATA":
            need(tid < len(defs) and phase < 2 and p and len(p) % defs[tid][3] == 0, f"record {seq}: rows that can't be")
            phase = parts[tid].append(p) or 1
        elif kind == b"END\0":
            rows = [sum(map(len, c)) // d[3] for c, d in zip(parts, defs)]
            need(p == struct.pack(f"<II{len(rows)}Q", len(rows), 0, *rows) and end == len(b), f"record {seq}: bad END")
            need(all(r == (d[2][0] if d[2] else 1) for r, d in zip(rows, defs) if d[2][:1] != (OPEN,)), "rows are missing")
            return {d[0]: Tensor(d[1], (r,) + d[2][1:] if d[2] else (), b"".join(c)) for d, c, r in zip(defs, parts, rows)}, metas, chain
        else:
            need(97 <= kind[0] <= 122, f"record {seq}: gave up: {p.decode(errors='replace')}" if kind == b"ABRT" else f"record {seq}: unknown type")
        at, seq = end, seq + 1
if __name__ == "__main__":
    try:
        tensors, metas, fingerprint = read(open(sys.argv[1], "rb").read())
    except (ValueError, struct.error, zlib.error) as e:
        sys.exit(f"{sys.argv[1]}: {e}")
    print(*(f"{k} {a.type} {list(a.shape)} {zlib.crc32(a.data):08x}" for k, a in tensors.items()), sep="\n")
    print(*(f"{k}: {v!r}" for k, v in metas.items()), f"fingerprint: {fingerprint:08x}", sep="\n")
