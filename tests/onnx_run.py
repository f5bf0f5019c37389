"""Runs an ONNX file on a data set, in plain Python from the pages of ONNX and protobuf alone: onnx_run.py MODEL.onnx IMAGES.tns PREDICTED.tns
[TOLERANCE]. Compares each output with predict's tensor (points: predicted, score, confidence, reconstruction) and prints the largest
difference of each, exit 1 where one is above TOLERANCE (1e-4) or the file is not well formed. Slow: for small nets and images."""
import itertools, math, os, struct, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tns_reader

def need(good, why):
    if not good: raise SystemExit("onnx_run: " + why)
# ---- protobuf: a message as a list of (field, value), value an int or bytes
def varint(b, at):
    v = shift = 0
    while True:
        v |= (b[at] & 127) << shift; shift += 7; at += 1
        if b[at - 1] < 128: return v - (1 << 64) if v >> 63 else v, at
def message(b):
    at, out = 0, []
    while at < len(b):
        tag, at = varint(b, at)
        if tag & 7 == 0: v, at = varint(b, at)
        elif tag & 7 == 2:
            n, at = varint(b, at); v = b[at:at + n]; at += n
            need(len(v) == n, "a field is cut")
        elif tag & 7 == 5: v = struct.unpack_from("<f", b, at)[0]; at += 4
        else: need(False, f"wire type {tag & 7}")
        out.append((tag >> 3, v))
    return out
def every(m, field): return [v for k, v in m if k == field]
def one(m, field, default=None):
    v = every(m, field); need(len(v) < 2, f"field {field} comes twice"); return v[0] if v else default

# ---- arrays: shape and flat values
class A:
    def __init__(self, shape, v):
        self.shape, self.v = list(shape), v
        need(len(v) == math.prod(shape), f"{len(v)} values for shape {shape}")
def strides(shape):
    s = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1): s[i] = s[i + 1] * shape[i + 1]
    return s
def places(shape): return itertools.product(*map(range, shape))
def broadcast(f, *a):
    n = max(len(x.shape) for x in a)
    pad = [[1] * (n - len(x.shape)) + x.shape for x in a]
    shape = [max(d) for d in zip(*pad)]
    for p in pad: need(all(d in (1, s) for d, s in zip(p, shape)), f"shapes {pad} don't go together")
    st = [[0 if d == 1 else s for d, s in zip(p, strides(p))] for p in pad]
    return A(shape, [f(*(x.v[sum(i * k for i, k in zip(at, s))] for x, s in zip(a, st))) for at in places(shape)])
def each(f): return lambda x: A(x.shape, [f(v) for v in x.v])
def take(x, axis, index):
    s, shape = strides(x.shape), list(x.shape)
    shape[axis] = len(index)
    return A(shape, [x.v[sum((index[i] if k == axis else i) * s[k] for k, i in enumerate(at))] for at in places(shape)])
def reduce(x, axis, f):
    s, shape = strides(x.shape), list(x.shape)
    shape[axis] = 1
    return A(shape, [f([x.v[sum(i * k for i, k in zip(at, s)) + j * s[axis]] for j in range(x.shape[axis])]) for at in places(shape)])
def squeeze(x, axes): return A([d for i, d in enumerate(x.shape) if i not in axes], x.v)
def reshape(x, dim):
    rest = math.prod(d for d in dim if d != -1)
    return A([len(x.v) // rest if d == -1 else d for d in dim], x.v)
def softmax(v):
    top = max(v); e = [math.exp(x - top) for x in v]; t = sum(e); return [x / t for x in e]
def sigmoid(v): return 1 / (1 + math.exp(-v)) if v > -700 else 0.0

def conv(x, w, b, at):
    (N, C, H, W), (F, _, KH, KW) = x.shape, w.shape
    need(at["kernel_shape"] == [KH, KW] and C == w.shape[1], "Conv: shapes")
    (SH, SW), (T, L, B, R), (DH, DW) = at["strides"], at["pads"], at.get("dilations", (1, 1))
    OH, OW = (H + T + B - DH * (KH - 1) - 1) // SH + 1, (W + L + R - DW * (KW - 1) - 1) // SW + 1
    out = []
    for n, f, oy, ox in places([N, F, OH, OW]):
        t = b.v[f]
        for c, ky in places([C, KH]):
            y = oy * SH + ky * DH - T
            if 0 <= y < H:
                row, base = (n * C + c) * H * W + y * W, ((f * C + c) * KH + ky) * KW
                for kx in range(KW):
                    xx = ox * SW + kx * DW - L
                    if 0 <= xx < W: t += x.v[row + xx] * w.v[base + kx]
        out.append(t)
    return A([N, F, OH, OW], out)
def max_pool(x, at):
    (N, C, H, W), (KH, KW), (SH, SW) = x.shape, at["kernel_shape"], at["strides"]
    OH, OW = (H - KH) // SH + 1, (W - KW) // SW + 1
    return A([N, C, OH, OW], [max(x.v[((n * C + c) * H + oy * SH + i) * W + ox * SW + j] for i in range(KH) for j in range(KW))
                              for n, c, oy, ox in places([N, C, OH, OW])])
def resize(x, scales, at):
    need((at["mode"], at["coordinate_transformation_mode"], at["nearest_mode"]) == (b"nearest", b"asymmetric", b"floor"), "Resize: mode")
    shape = [int(d * s) for d, s in zip(x.shape, scales.v)]
    s = strides(x.shape)
    return A(shape, [x.v[sum(int(i / k) * t for i, k, t in zip(p, scales.v, s))] for p in places(shape)])
def matmul(x, w):
    K, M = w.shape
    need(x.shape[-1] == K, "MatMul: shapes")
    return A(x.shape[:-1] + [M], [sum(x.v[r * K + k] * w.v[k * M + j] for k in range(K)) for r in range(len(x.v) // K) for j in range(M)])
def gemm(x, w, b, at):
    need(at.get("transB") == 1 and x.shape[1] == w.shape[1], "Gemm: shapes")
    K = w.shape[1]
    return A([x.shape[0], w.shape[0]], [b.v[o] + sum(p * q for p, q in zip(x.v[r * K:r * K + K], w.v[o * K:o * K + K]))
                                        for r in range(x.shape[0]) for o in range(w.shape[0])])
def batch_norm(x, scale, b, mean, var, at):
    inner = math.prod(x.shape[2:])
    return A(x.shape, [(v - mean.v[c]) / math.sqrt(var.v[c] + at["epsilon"]) * scale.v[c] + b.v[c]
                       for i, v in enumerate(x.v) for c in [i // inner % x.shape[1]]])
def sole(a):  # the one number of a list
    need(a.shape == [1] and len(a.v) == 1, f"{a.shape}: {a.v} where one number is expected"); return a.v[0]
def sliced(x, start, end, axis, step):
    need((sole(start), sole(end) <= -(1 << 31), sole(step)) == (-1, True, -1), "Slice: not a reversal")
    return take(x, sole(axis), list(range(x.shape[sole(axis)]))[::-1])
def concat(a, b, axis):
    if axis == 0: return A([a.shape[0] + b.shape[0]] + a.shape[1:], a.v + b.v)
    need(axis == len(a.shape) - 1, "Concat: axis")
    n, m = a.shape[-1], b.shape[-1]
    return A(a.shape[:-1] + [n + m], [v for i in range(len(a.v) // n) for v in a.v[i * n:i * n + n] + b.v[i * m:i * m + m]])
OPS = {
    "Cast": lambda a, x: each(float)(x), "Concat": lambda a, x, y: concat(x, y, a["axis"]), "Slice": lambda a, *x: sliced(*x),
    "Mul": lambda a, x, y: broadcast(lambda p, q: p * q, x, y), "Add": lambda a, x, y: broadcast(lambda p, q: p + q, x, y),
    "Sub": lambda a, x, y: broadcast(lambda p, q: p - q, x, y), "Mod": lambda a, x, y: broadcast(lambda p, q: p % q, x, y),
    "Div": lambda a, x, y: broadcast(lambda p, q: p // q if isinstance(p, int) else p / q if q else math.nan, x, y),
    "LessOrEqual": lambda a, x, y: broadcast(lambda p, q: p <= q, x, y), "Greater": lambda a, x, y: broadcast(lambda p, q: p > q, x, y),
    "Where": lambda a, c, x, y: broadcast(lambda k, p, q: p if k else q, c, x, y),
    "Neg": lambda a, x: each(lambda v: -v)(x), "Exp": lambda a, x: each(math.exp)(x), "Sqrt": lambda a, x: each(math.sqrt)(x),
    "Relu": lambda a, x: each(lambda v: v if v > 0 or v != v else 0.0)(x), "Tanh": lambda a, x: each(math.tanh)(x),
    "Sigmoid": lambda a, x: each(sigmoid)(x), "Reciprocal": lambda a, x: each(lambda v: 1 / v)(x), "Identity": lambda a, x: x,
    "Clip": lambda a, x, lo, hi: each(lambda v: min(max(v, lo.v[0]), hi.v[0]))(x),
    "Unsqueeze": lambda a, x, axes: A(x.shape[:sole(axes)] + [1] + x.shape[sole(axes):], x.v), "Squeeze": lambda a, x, axes: squeeze(x, axes.v),
    "Flatten": lambda a, x: A([x.shape[0], math.prod(x.shape[1:])], x.v), "Reshape": lambda a, x, dim: reshape(x, dim.v),
    "Gather": lambda a, x, i: take(x, a["axis"], i.v),
    "ReduceSum": lambda a, x, axes: (lambda y: y if a["keepdims"] else squeeze(y, axes.v))(reduce(x, sole(axes), math.fsum)),
    "ReduceMean": lambda a, x: reduce(x, a["axes"][0], lambda v: math.fsum(v) / len(v)),
    "ArgMax": lambda a, x: reduce(x, a["axis"], lambda v: v.index(max(v))),
    "Softmax": lambda a, x: (need(a["axis"] == len(x.shape) - 1, "Softmax: axis"),
                             A(x.shape, [p for i in range(0, len(x.v), x.shape[-1]) for p in softmax(x.v[i:i + x.shape[-1]])]))[1],
    "MatMul": lambda a, x, w: matmul(x, w), "Gemm": lambda a, x, w, b: gemm(x, w, b, a), "Conv": lambda a, x, w, b: conv(x, w, b, a),
    "MaxPool": lambda a, x: max_pool(x, a), "Resize": lambda a, x, s: resize(x, s, a), "BatchNormalization": lambda a, *x: batch_norm(*x, a),
}
def value(m):  # ValueInfoProto: name, element type, dimensions
    tensor = message(one(message(one(m, 2)), 1))
    return one(m, 1).decode(), one(tensor, 1), [one(message(d), 1, one(message(d), 2)) for d in every(message(one(tensor, 2)), 1)]
def attribute(m):
    kind = one(m, 20)
    return one(m, 1).decode(), {1: one(m, 2), 2: one(m, 3), 3: one(m, 4), 7: every(m, 8)}[kind]
def tensor(m):
    letter, n = {1: ("f", 4), 7: ("q", 8)}[one(m, 2)]
    raw = one(m, 9)
    return one(m, 8).decode(), A(every(m, 1), list(struct.unpack(f"<{len(raw) // n}{letter}", raw)))
def run(model, image):
    need(one(model, 1) == 8 and one(message(one(model, 8)), 2) == 17, "IR version or operator set")
    graph = message(one(model, 7))
    inputs = [value(message(v)) for v in every(graph, 11)]
    need(len(inputs) == 1 and inputs[0][0] == "image" and inputs[0][1] in (1, 2) and inputs[0][2] == [b"batch"] + image.shape[1:], f"inputs {inputs}")
    known = {"image": each(float)(image) if inputs[0][1] == 1 else image}
    for t in every(graph, 5):
        name, a = tensor(message(t))
        need(name not in known, f"{name} twice"); known[name] = a
    for n in map(message, every(graph, 1)):
        names, out, op = [v.decode() for v in every(n, 1)], one(n, 2).decode(), one(n, 4).decode()
        need(all(i in known or not i for i in names), f"{out}: {names} is not known yet"); need(out not in known, f"{out} twice")
        known[out] = OPS[op](dict(attribute(message(a)) for a in every(n, 5)), *(known[i] for i in names if i))
    outputs = [value(message(v)) for v in every(graph, 12)]
    for name, kind, dim in outputs: need(kind == 1 and dim == [b"batch"] + known[name].shape[1:], f"{name} is {known[name].shape}, declared {dim}")
    return {name: known[name] for name, _, _ in outputs}

def load(path):
    return {k: A(t.shape, list(struct.unpack(f"<{math.prod(t.shape)}{t.type}", t.data))) for k, t in tns_reader.read(open(path, "rb").read())[0].items()}
if __name__ == "__main__":
    want, tolerance, bad = load(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 1e-4, 0
    out = run(message(open(sys.argv[1], "rb").read()), load(sys.argv[2])["image"])
    need(out, "no outputs")
    for name, a in out.items():
        b = want["predicted" if name == "points" else name]
        scale = 255 if name == "reconstruction" else 1  # bytes there, rounded
        need(a.shape == b.shape, f"{name} is {a.shape}, predicted {b.shape}")
        need(all((p != p) == (q != q) for p, q in zip(a.v, b.v)), f"{name}: NaN elsewhere")
        most = max((abs(p - q / scale) for p, q in zip(a.v, b.v) if p == p), default=0) - (0.5 / 255 if scale > 1 else 0)
        print(name, "x".join(map(str, a.shape)), f"{max(most, 0):.1e}")
        bad |= not most <= tolerance
    sys.exit(bad)
