"""Photographs with labels, and where marks are in pictures of them. Nothing here is our programs'.

draw_over.py draw DIR: photographs DIR/NAME.png and DIR/labels.csv, of eight EXIF orientations, and one as stored though it has a tag; some with two faces
draw_over.py predict FROM TO: a stream with predicted points beside its keypoints
draw_over.py check DIR STREAM FOLDER: each label's dot and each prediction's cross lie in FOLDER's pictures where `labels.csv` and `crop` say, and no others;
what is unmarked are the photograph's pixels. Prints the largest distance in pixels; exit 1 where it is over 0.1"""
import csv, math, os, struct, sys, zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from arrays import Array, tns
from tns_reader import read

W, H, SHIFT = 150, 130, (-9.0, 7.5)  # of photographs as they are seen; of predictions, in pixels of rows
# EXIF: on which side of what is seen the first row and the first column of the file are
SIDES = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "lt", 6: "rt", 7: "rb", 8: "lb"}
FACES = [((20, 18, 60, 62), [(34.25, 40.5), (60.75, 36.0)]), ((88, 60, 50, 56), [(104.0, 80.25), (124.5, 100.75)])]


def seen(x, y):
    return (x * 2 + y * 3 + (x > 100) * 40) % 160 + 40


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def photograph(path, turn, tag):
    """As it is seen turned by tag, if turn is tag; turn 1: as it is stored."""
    w, h = (H, W) if turn >= 5 else (W, H)
    rows = []
    for r in range(h):
        row = []
        for c in range(w):
            at = {}
            for side, n in zip(SIDES[turn], (r, c)):
                at["xy"[side in "tb"]] = n if side in "tl" else (H if side == "b" else W) - 1 - n
            row.append(seen(at["x"], at["y"]))
        rows.append(b"\0" + bytes(row))
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([tag]) + b"\0\0\0\0\0\0"
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) + chunk(b"eXIf", exif)
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))


def draw(dir):
    lines = ["filename,width,height,a_x,a_y,b_x,b_y,x,y,w,h"]
    for turn in range(1, 10):
        name = f"t{turn}.png" if turn < 9 else "stored.png"
        photograph(os.path.join(dir, name), turn % 9 or 1, turn if turn < 9 else 6)
        for box, points in FACES[:1 + turn % 2]:
            size = f"{W},{H}" if turn > 4 else ","  # told or not
            lines.append(f"{name},{size}," + ",".join(f"{x},{y}" for x, y in points) + "," + ",".join(map(str, box)))
    open(os.path.join(dir, "labels.csv"), "w").write("\n".join(lines) + "\n")


def rows_of(t):
    n = len(t.data) // 4 // t.shape[0]
    v = struct.unpack(f"<{len(t.data) // 4}f", t.data)
    return [v[i * n:(i + 1) * n] for i in range(t.shape[0])]


def predict(source, to):
    t, metas, _ = read(open(source, "rb").read())
    rows = [[p + SHIFT[i % 2] for i, p in enumerate(r)] for r in rows_of(t["keypoints"])]
    t = {k: Array({"B": "u8", "I": "u32", "f": "f32"}[v.type], v.shape, v.data) for k, v in t.items()}
    t["predicted"] = Array("f32", t["keypoints"].shape, b"".join(struct.pack(f"<{len(r)}f", *r) for r in rows))
    open(to, "wb").write(tns(t, [(k, v) for k, v in metas.items() if k != "history"], open_rows=t))


def png(path):
    b, at, data = open(path, "rb").read(), 8, b""
    while at < len(b):
        n, kind = struct.unpack_from(">I4s", b, at)
        if kind == b"IHDR":
            w, h, depth, colour = struct.unpack_from(">IIBB", b, at + 8)
        data += b[at + 8:at + 8 + n] if kind == b"IDAT" else b""
        at += 12 + n
    assert depth == 8 and colour == 2, (depth, colour)
    raw, above, rows = zlib.decompress(data), bytes(3 * w), []
    for y in range(h):
        how, line = raw[y * (3 * w + 1)], bytearray(raw[y * (3 * w + 1) + 1:(y + 1) * (3 * w + 1)])
        for i in range(3 * w):
            a, b, c = line[i - 3] if i > 2 else 0, above[i], above[i - 3] if i > 2 else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + [0, a, b, (a + b) // 2, paeth][how]) & 255
        rows.append(line)
        above = line
    return w, h, rows


def centroid(rows, x, y, blue):
    """Of a mark near (x, y): its colour's surplus, and where its centre is."""
    s = sx = sy = 0
    for j in range(max(0, round(y) - 6), min(len(rows), round(y) + 7)):
        for i in range(max(0, round(x) - 6), min(len(rows[0]) // 3, round(x) + 7)):
            v = max(0, (rows[j][3 * i + 2] - rows[j][3 * i]) * (1 if blue else -1))
            s, sx, sy = s + v, sx + v * i, sy + v * j
    return s, (sx / s, sy / s) if s else (-99, -99)


def check(dir, stream, folder):
    t, _, _ = read(open(stream, "rb").read())
    labels = list(csv.DictReader(open(os.path.join(dir, "labels.csv"))))
    marks = {}  # of a picture: labels, predictions
    for row, predicted, crop in zip(labels, rows_of(t["predicted"]), rows_of(t["crop"])):
        dots, crosses, boxes = marks.setdefault(row["filename"], ([], [], []))
        dots += [(float(row[p + "_x"]), float(row[p + "_y"])) for p in "ab"]
        a, b, c, d, e, f = crop
        crosses += [(a * predicted[i] + b * predicted[i + 1] + c, d * predicted[i] + e * predicted[i + 1] + f) for i in (0, 2)]
        boxes.append([float(row[k]) for k in "xywh"])
    worst = 0
    assert sorted(os.listdir(folder)) == sorted(marks), os.listdir(folder)
    for name, (dots, crosses, boxes) in marks.items():
        w, h, rows = png(os.path.join(folder, name))
        assert (w, h) == (W, H), (name, w, h)
        for points, blue in (dots, True), (crosses, False):
            total = 0
            for x, y in points:
                mass, (cx, cy) = centroid(rows, x, y, blue)
                worst, total = max(worst, math.hypot(cx - x, cy - y)), total + mass
            everywhere = sum(max(0, (r[i + 2] - r[i]) * (1 if blue else -1)) for r in rows for i in range(0, 3 * w, 3))
            assert total > 100 * len(points) and everywhere == total, (name, blue, total, everywhere)
        far = 0
        for y in range(h):
            for x in range(w):
                line = any(min(abs(x + 0.5 - e) for e in (bx, bx + bw)) < 3 or min(abs(y + 0.5 - e) for e in (by, by + bh)) < 3 for bx, by, bw, bh in boxes)
                mark = any(abs(x - p) < 16 and abs(y - q) < 16 for p, q in dots + crosses)
                if not line and not mark:
                    far += 1
                    assert set(rows[y][3 * x:3 * x + 3]) == {seen(x, y)}, (name, x, y, list(rows[y][3 * x:3 * x + 3]))
        assert far > 3000, far
        for bx, by, bw, bh in boxes:  # a line around each face
            i, j = int(bx + bw / 2), int(by)
            assert max(abs(rows[j + d][3 * i] - seen(i, j + d)) for d in (-1, 0)) > 10, (name, "no line")
    print(worst)
    if worst > 0.1:
        sys.exit(f"a mark lies {worst:.3f} px from its point")


if __name__ == "__main__":
    {"draw": draw, "predict": predict, "check": check}[sys.argv[1]](*sys.argv[2:])
