"""Images with crosses at known places, their annotations in each form, and where the crosses are after an import. Nothing here is our programs'.

draw_cross.py draw FORM DIR: images in DIR/img, annotations, DIR/truth.json, DIR/args (the command line) and DIR/crops (what there is to crop by)
draw_cross.py check DIR [STREAM CROP MARGIN]...: each point's cross in its row lies where the row says, and `crop` maps it to where it was drawn:
prints the largest distance in pixels of a crop; exit 1 where it is over 0.05"""
import json, math, os, random, struct, sys, zlib

# of a cross: bars of 18 x 9 pixels. Whole numbers, so that its centroid is its centre wherever it lies; wide, so that it stays so in a crop
ARM, HALF = 9, 4.5
GREY, DEPTH = 200, 180
NAMES = ["left", "right", "chin"]


def cover(i, a, b):
    """The share of pixel i, [i - 0.5, i + 0.5], in [a, b]."""
    return max(0.0, min(b, i + 0.5) - max(a, i - 0.5))


def draw(W, H, points):
    v = [[0.0] * W for _ in range(H)]
    for x, y in points:
        for j in range(max(0, int(y) - ARM - 2), min(H, int(y) + ARM + 3)):
            for i in range(max(0, int(x) - ARM - 2), min(W, int(x) + ARM + 3)):
                across = cover(i, x - ARM, x + ARM) * cover(j, y - HALF, y + HALF)
                down = cover(i, x - HALF, x + HALF) * cover(j, y - ARM, y + ARM)
                both = cover(i, x - HALF, x + HALF) * cover(j, y - HALF, y + HALF)
                v[j][i] += across + down - both
    return [[int(GREY - DEPTH * p + 0.5) for p in row] for row in v]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_image(path, rows):
    W, H, flat = len(rows[0]), len(rows), b"".join(map(bytes, rows))
    colour = bytes(x for row in rows for p in row for x in (p, p, p))
    kind = path[-3:].lower()
    if kind == "png":
        rgb = W % 2 == 0
        raw = b"".join(b"\0" + (colour[3 * W * y:3 * W * (y + 1)] if rgb else flat[W * y:W * (y + 1)]) for y in range(H))
        head = struct.pack(">IIBBBBB", W, H, 8, 2 if rgb else 0, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    elif kind == "ppm":
        data = b"P6\n# crosses\n%d %d\n255\n" % (W, H) + colour
    else:
        data = b"P5 %d %d 255\n" % (W, H) + flat
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(data)


def faces_of(form):
    """Images (file, W, H) with their faces: box (x, y, w, h, whole pixels) and points, None where missing."""
    rng = random.Random(7)
    whole = form == "imglab"
    one = form in ("pts", "dlc")  # face an image
    images = [("a.png", 160, 120, [(22, 13, 90, 88)]), ("b c.pgm", 201, 141, [(8, 20, 80, 96), (104, 21, 85, 91)]), ("sub/d.ppm", 150, 170, [(30, 40, 95, 99)])]
    if form == "folder":
        images = images[:2]
    out = []
    for name, W, H, boxes in images:
        faces = []
        for k, (bx, by, bw, bh) in enumerate(boxes[:1 if one else 2]):
            at = [(0.2, 0.3), (0.8, 0.25), (0.5, 0.8)]
            points = [[bx + bw * u + rng.uniform(-2, 2), by + bh * v + rng.uniform(-2, 2)] for u, v in at]
            if whole:
                points = [[round(x), round(y)] for x, y in points]
            points = [[round(x, 4), round(y, 4)] for x, y in points]
            if k == 1 and form not in ("wflw",):
                points[1] = None
            faces.append({"box": [bx, by, bw, bh], "points": points})
        out.append({"file": name, "W": W, "H": H, "faces": faces})
    return out


def write_form(form, dir, images):
    """Returns the command line's arguments."""
    def text(name, s):
        path = os.path.join(dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(s)
        return path

    img = os.path.join(dir, "img")
    if form in ("table", "table-corner", "table-one", "table-edges"):
        shift = {"table-corner": 0.5, "table-one": 1}.get(form, 0)
        s = "filename," + ",".join(f"{n}_x,{n}_y" for n in NAMES) + (",left,top,right,bottom\n" if form == "table-edges" else ",x,y,w,h\n")
        for im in images:
            for f in im["faces"]:
                x, y, w, h = f["box"]
                box = [x, y, x + w, y + h] if form == "table-edges" else [x, y, w, h]
                xy = ["," if p is None else f"{p[0] + shift},{p[1] + shift}" for p in f["points"]]
                s += ",".join([im["file"]] + xy + [str(b) for b in box]) + "\n"
        args = ["--images", img, text("faces.csv", s)]
        if shift:
            args = ["--origin", "corner" if shift == 0.5 else "one"] + args
        return ["--form", "table"] + args
    if form == "coco":
        anns, pics = [], []
        for i, im in enumerate(images):
            pics.append({"id": 40 + i, "file_name": im["file"], "width": im["W"], "height": im["H"]})
            for f in im["faces"]:
                kp = [c for p in f["points"] for c in ([0, 0, 0] if p is None else [p[0], p[1], 2])]
                anns.append({"id": 7 * len(anns) + 3, "image_id": 40 + i, "category_id": 5, "iscrowd": 0, "bbox": f["box"], "area": 1.5,
                             "keypoints": kp, "num_keypoints": sum(p is not None for p in f["points"])})
        cats = [{"id": 5, "name": "face", "supercategory": "person", "keypoints": NAMES, "skeleton": [[1, 2], [2, 3]]}]
        return ["--form", "coco", "--images", img, text("faces.json", json.dumps({"annotations": anns, "images": pics, "categories": cats}))]
    if form == "imglab":
        s = "<?xml version='1.0' encoding='ISO-8859-1'?>\n<?xml-stylesheet type='text/xsl' href='x.xsl'?>\n<dataset>\n<images>\n"
        for im in images:
            s += f"  <image file='img/{im['file']}'>\n"
            for f in im["faces"]:
                x, y, w, h = f["box"]
                s += f"    <box top='{y}' left='{x}' width='{w}' height='{h}'>\n"
                for n, p in reversed(list(zip(NAMES, f["points"]))):
                    s += "" if p is None else f"      <part name='{n}' x='{p[0]}' y='{p[1]}'/>\n"
                s += "    </box>\n"
            s += "  </image>\n"
        return ["--form", "imglab", text("faces.xml", s + "</images>\n</dataset>\n")]
    if form == "pts":
        for im in images:
            p = im["faces"][0]["points"]
            text(os.path.join("img", os.path.splitext(im["file"])[0] + ".pts"),
                 "version: 1\nn_points:  3\n{\n" + "".join(f"{x + 1} {y + 1}\n" for x, y in p) + "}\n")
        return ["--form", "pts", img]
    if form == "wflw":
        s = ""
        for im in images:
            for f in im["faces"]:
                x, y, w, h = f["box"]
                s += " ".join(str(c) for p in f["points"] for c in p) + f" {x} {y} {x + w - 1} {y + h - 1} 0 0 1 0 0 0 {im['file']}\n"
        return ["--form", "wflw", "--images", img, text("list.txt", s)]
    if form == "yolo":
        for im in images:
            s, W, H = "", im["W"], im["H"]
            for f in im["faces"]:
                x, y, w, h = f["box"]
                kp = " ".join("0 0 0" if p is None else f"{p[0] / W:.9f} {p[1] / H:.9f} 2" for p in f["points"])
                s += f"0 {(x + w / 2) / W:.9f} {(y + h / 2) / H:.9f} {w / W:.9f} {h / H:.9f} {kp}\n"
            text(os.path.join("labels", os.path.splitext(im["file"])[0] + ".txt"), s)
        return ["--form", "yolo", "--images", img, "--point-names", ",".join(NAMES), os.path.join(dir, "labels")]
    if form == "dlc":
        s = "scorer" + ",me" * 6 + "\nbodyparts," + ",".join(f"{n},{n}" for n in NAMES) + "\ncoords" + ",x,y" * 3 + "\n"
        for im in images:
            s += im["file"] + "".join(f",{x},{y}" for x, y in im["faces"][0]["points"]) + "\n"
        return ["--form", "dlc", "--images", img, text("faces.csv", s)]
    sys.exit(f"draw_cross.py: no form {form}")


def draw_all(form, dir):
    images = faces_of(form)
    for im in images:
        write_image(os.path.join(dir, "img", im["file"]), draw(im["W"], im["H"], [p for f in im["faces"] for p in f["points"] if p]))
    args = write_form(form, dir, images)
    boxes = form not in ("pts", "dlc")
    if not boxes:
        for im in images:
            im["faces"][0]["box"] = None
    if form == "imglab":  # names begin at the folder of the XML
        for im in images:
            im["file"] = "img/" + im["file"]
    json.dump(images, open(os.path.join(dir, "truth.json"), "w"))
    open(os.path.join(dir, "args"), "w").write("\n".join(args) + "\n")
    open(os.path.join(dir, "crops"), "w").write("box points whole\n" if boxes else "points whole\n")


def rows_of(t, n, letter):
    size = len(t.data) // t.shape[0]
    return struct.unpack_from(f"<{size // struct.calcsize(letter)}{letter}", t.data, n * size)


def expected_crop(kind, margin, im, face, w, h):
    """Scale and the crop's centre in pixel indices of the image."""
    if kind == "box":
        x, y, bw, bh = face["box"]
        bw, bh, cx, cy = bw * (1 + 2 * margin), bh * (1 + 2 * margin), x + bw / 2, y + bh / 2
    elif kind == "points":
        xs, ys = [[p[i] for p in face["points"] if p] for i in (0, 1)]
        bw, bh, cx, cy = max(xs) - min(xs), max(ys) - min(ys), (max(xs) + min(xs)) / 2 + 0.5, (max(ys) + min(ys)) / 2 + 0.5
        side = max(bw, bh)
        bw, bh = bw + 2 * margin * side, bh + 2 * margin * side
    else:
        bw, bh, cx, cy = im["W"], im["H"], im["W"] / 2, im["H"] / 2
    return max(bw / w, bh / h), cx - 0.5, cy - 0.5


def check(dir, stream, kind, margin):
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from tns_reader import read
    tensors, metas, _ = read(open(stream, "rb").read())
    images = json.load(open(os.path.join(dir, "truth.json")))
    N, h, w = tensors["image"].shape
    names = metas["points"].split(",")
    order = [names.index(n) for n in NAMES] if set(names) == set(NAMES) else list(range(len(NAMES)))
    by_source = {im["file"]: list(im["faces"]) for im in images}
    size = {im["file"]: im for im in images}
    worst, faults = 0.0, []
    for n in range(N):
        source = bytes(rows_of(tensors["source"], n, "B")).rstrip(b"\0").decode()
        face, im = by_source[source].pop(0), size[source]
        pixels, xy = rows_of(tensors["image"], n, "B"), rows_of(tensors["keypoints"], n, "f")
        a, b, c, d, e, f = rows_of(tensors["crop"], n, "f")
        box = rows_of(tensors["box"], n, "f")
        if face["box"] is None and not all(math.isnan(v) for v in box) or face["box"] and any(abs(v - t) > 1e-4 for v, t in zip(box, face["box"])):
            faults.append(f"{source}: box {box}, not {face['box']}")
        scale, cx, cy = expected_crop(kind, margin, im, face, w, h)
        if abs(a - scale) > 1e-5 or a != e or b or d or abs(a * (w - 1) / 2 + c - cx) > 1e-3 or abs(e * (h - 1) / 2 + f - cy) > 1e-3:
            faults.append(f"{source}: crop {a} {c} {f}, not scale {scale} about {cx} {cy}")
        for k, p in enumerate(face["points"]):
            u, v = xy[2 * order[k]:2 * order[k] + 2]
            if p is None or math.isnan(u):
                if p is not None or not math.isnan(u):
                    faults.append(f"{source}: {NAMES[k]} is {u}, {v}, not {p}")
                continue
            if math.hypot(a * u + c - p[0], e * v + f - p[1]) > 2e-3:
                faults.append(f"{source}: {NAMES[k]} is {a * u + c}, {e * v + f} in its image, not {p}")
            reach = (ARM + 1) / a + 2
            sums = [0.0, 0.0, 0.0]
            for j in range(max(0, math.floor(v - reach)), min(h, math.ceil(v + reach) + 1)):
                for i in range(max(0, math.floor(u - reach)), min(w, math.ceil(u + reach) + 1)):
                    dark = GREY - pixels[j * w + i]
                    sums = [sums[0] + dark, sums[1] + dark * i, sums[2] + dark * j]
            off = math.hypot(sums[1] / sums[0] - u, sums[2] / sums[0] - v) if sums[0] > 0 else 99
            worst = max(worst, off)
    if any(by_source.values()):
        faults.append(f"faces without a row: {[k for k, v in by_source.items() if v]}")
    if faults or worst > 0.05:
        sys.exit(f"{stream}: " + ("; ".join(faults[:3]) or f"a cross lies {worst:.3f} px from its point"))
    return worst


if sys.argv[1] == "draw":
    draw_all(sys.argv[2], sys.argv[3])
else:
    print(max(check(sys.argv[2], sys.argv[i], sys.argv[i + 1], float(sys.argv[i + 2])) for i in range(3, len(sys.argv), 3)))
