#!/usr/bin/env python3
"""Ten training steps by PyTorch, dumped for tests/check_steps.c: data, first weights, losses and last weights, in one tensor stream.

    python3 tests/torch_dump.py >data/torch_steps.tns

All is computed in double and rounded to float once, as the reference. Philox and the stream are implemented here from their paper and
specification, not from lib, so that no error is common to both.
"""
import struct
import sys
import zlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
EPOCHS = 10


# ---- Philox4x32-10 (Salmon et al., 2011): the order of rows, and the autoencoder's mask
def philox(seed, purpose, epoch, row, element):
    c = [element, row, epoch, purpose]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


PHILOX_SHUFFLE, PHILOX_MASK = 1, 2


def shuffled(seed, epoch, n):
    """Fisher and Yates."""
    order = list(range(n))
    for i in range(n, 1, -1):
        k = philox(seed, PHILOX_SHUFFLE, epoch, i, 0)[0] * i >> 32
        order[k], order[i - 1] = order[i - 1], order[k]
    return order


def kept(seed, layer, epoch, rows, inputs, share):
    """1 where an input is kept, 0 where it is set to zero."""
    m = np.zeros((rows, inputs))
    for r in range(rows):
        for k in range(inputs):
            word = philox(seed, PHILOX_MASK | layer << 8, epoch, r, k // 4)[k % 4]
            m[r, k] = (word >> 8) / 16777216 >= np.float32(share)
    return torch.tensor(m)


# ---- the stream (lib/stream/format.md)
class Stream:
    DTYPES = {"uint8": 1, "float32": 7, "float64": 10}

    def __init__(self, out):
        head = b"\x89TNS\r\n\x1a\n" + struct.pack("<HH", 1, 0) + bytes(16)
        self.chain, self.seq, self.out, self.at = zlib.crc32(head), 0, out, 32
        out.write(head + struct.pack("<I", self.chain))

    def record(self, kind, tensor, payload, last=False):
        pad = -len(payload) % 64 if last else (32 - len(payload)) % 64
        body = payload + bytes(pad)
        head = kind + struct.pack("<IIIIII", self.seq, tensor, 0, len(payload), len(payload), zlib.crc32(body))
        self.chain, self.seq = zlib.crc32(head, self.chain), self.seq + 1
        self.out.write(head + struct.pack("<I", self.chain) + body)

    def write(self, meta, tensors):
        none = 0xFFFFFFFF
        for key, value in meta.items():
            k, v = key.encode(), value.encode()
            self.record(b"META", none, struct.pack("<HI", len(k), len(v)) + k + v)
        for i, (name, t) in enumerate(tensors.items()):
            n = name.encode()
            dims = b"".join(struct.pack("<Q", d) for d in t.shape)
            self.record(b"TDEF", i, struct.pack("<BBHI", self.DTYPES[str(t.dtype)], t.ndim, len(n), 0) + dims + n)
        for i, t in enumerate(tensors.values()):  # all are below a chunk of 1 MiB
            self.record(b"DATA", i, np.ascontiguousarray(t).tobytes())
        rows = b"".join(struct.pack("<Q", t.shape[0]) for t in tensors.values())
        self.record(b"END\0", none, struct.pack("<II", len(tensors), 0) + rows, last=True)


# ---- the nets. The gradient of a convolution's bias before a bn is 0 but for rounding errors, which Adam would scale up to steps of full
# size: the nets that Adam trains have a nonlinear activation between the two.
class Net(torch.nn.Module):
    def __init__(self, outputs, bn_first):
        super().__init__()
        self.bn = "1" if bn_first else "2"
        self.layers = torch.nn.ModuleDict({
            "0": torch.nn.Conv2d(1, 4, 3, padding=1), self.bn: torch.nn.BatchNorm2d(4), "4": torch.nn.Conv2d(4, 6, 2, stride=2),
            "6": torch.nn.Linear(6 * 2 * 3, 10), "8": torch.nn.Linear(10, outputs)})

    def forward(self, x):
        n = self.layers
        x = n["0"](x)
        x = torch.relu(n["1"](x)) if self.bn == "1" else n["2"](torch.tanh(x))
        x = n["4"](torch.max_pool2d(x, 2))
        x = torch.tanh(x) if self.bn == "1" else torch.relu(x)
        return n["8"](torch.tanh(n["6"](x.flatten(1))))

    def tensors(self, prefix):
        names = {"weight": "weight", "bias": "bias", "running_mean": "mean", "running_var": "var"}
        return {f"{prefix}{i}.{names[k]}": v.detach().numpy().astype(np.float32)
                for i, l in self.layers.items() for k, v in l.state_dict().items() if k in names}


NETS = {True: "conv3x3x4p1 bn relu pool2 conv2x2x6s2 tanh fc10 tanh fc", False: "conv3x3x4p1 tanh bn pool2 conv2x2x6s2 relu fc10 tanh fc"}
N, H, W, POINTS, CLASSES = 24, 9, 12, 3, 4
rng = np.random.default_rng(20120912)
image = rng.integers(0, 256, (N, H, W), dtype=np.uint8)
keypoints = rng.uniform(-1, [W, H], (N, POINTS, 2)).astype(np.float32)
keypoints[rng.uniform(size=(N, POINTS)) < 0.3] = np.nan  # unlabelled points
keypoints[5, 1, 0] = np.nan  # a half-labelled one
keypoints[0, 0] = 3, 4  # so that each row has a labelled point
label2 = rng.integers(0, 2, N).astype(np.uint8)
label4 = (np.arange(N) % CLASSES).astype(np.uint8)
tensors = {"image": image, "keypoints": keypoints, "label2": label2, "label4": label4}
x = torch.tensor(image / 255.0)[:, None]


def rounded(module):
    """Rounds initial values to floats, so that both sides start from the same."""
    with torch.no_grad():
        for p in list(module.parameters()) + list(module.buffers()):
            if p.dtype == torch.float64:
                p.copy_(p.float().double())


# losses: the sum over some rows, and its number of terms
def coords_loss(z, rows):
    size = torch.tensor([W, H])
    t = torch.tensor(keypoints[rows].astype(np.float64)) * 2 / size - (size - 1) / size
    t = t.flatten(1)
    known = ~torch.isnan(t)
    return ((z - torch.nan_to_num(t)) ** 2)[known].sum(), known.sum().item()


def class_loss(z, rows):
    return torch.nn.functional.cross_entropy(z, torch.tensor(label4[rows].astype(np.int64)), reduction="sum"), len(rows)


def two_loss(z, rows):
    t = torch.tensor(label2[rows].astype(np.float64))
    return torch.nn.functional.binary_cross_entropy_with_logits(z[:, 0], t, reduction="sum"), len(rows)


def steps(name, outputs, bn_first, loss_of, optimizer, schedule=lambda e: 1, batch=N, seed=0):
    torch.manual_seed(len(name))
    net = Net(outputs, bn_first)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.2 * torch.randn_like(p))
    rounded(net)
    tensors.update(net.tensors(f"{name}/first/"))
    # weight decay is on weights, not on biases and batch norm
    weights = [l.weight for i, l in net.layers.items() if i != net.bn]
    others = [p for p in net.parameters() if not any(p is w for w in weights)]
    opt = optimizer([{"params": weights}, {"params": others, "weight_decay": 0}])
    rates = [g["lr"] for g in opt.param_groups]
    losses, valid = [], []
    for e in range(1, EPOCHS + 1):
        for g, r in zip(opt.param_groups, rates):
            g["lr"] = r * schedule(e)
        net.train()
        order, total, count = shuffled(seed, e, N), 0, 0
        for at in range(0, N, batch):
            rows = order[at:at + batch]
            loss, n = loss_of(net(x[rows]), rows)
            opt.zero_grad()
            (loss / n).backward()
            opt.step()
            total, count = total + loss.item(), count + n
        losses.append(total / count)
        net.eval()
        with torch.no_grad():
            loss, n = loss_of(net(x), list(range(N)))
            valid.append(loss.item() / n)
    tensors[f"{name}/loss"] = np.array(losses)
    tensors[f"{name}/valid"] = np.array(valid)
    tensors.update(net.tensors(f"{name}/last/"))
    print(name, losses[0], losses[-1], valid[-1], file=sys.stderr)


steps("nesterov", 2 * POINTS, True, coords_loss, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01))
steps("adam", CLASSES, False, class_loss, lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05),
      lambda e: 1 - (e - 1) / EPOCHS)
steps("momentum", 1, True, two_loss, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8), batch=10, seed=3)
steps("batches", 2 * POINTS, False, coords_loss, lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.999), eps=1e-8), batch=7, seed=2**40 + 5)


# ---- the autoencoder: tied weights, masked inputs
def dae(name, hidden, share, rate, seed, batch):
    inputs = H * W
    clean = torch.tensor(image.reshape(N, inputs) / 255.0)
    w = torch.tensor(rng.uniform(-0.4, 0.4, (hidden, inputs)).astype(np.float32).astype(np.float64), requires_grad=True)
    b = torch.tensor(rng.uniform(-0.4, 0.4, hidden).astype(np.float32).astype(np.float64), requires_grad=True)
    c = torch.tensor(rng.uniform(-0.4, 0.4, inputs).astype(np.float32).astype(np.float64), requires_grad=True)

    def block():
        return np.concatenate([p.detach().numpy().ravel() for p in (w, b, c)]).astype(np.float32)

    tensors[f"{name}/first"] = block()
    losses = []
    opt = torch.optim.SGD([w, b, c], lr=rate)
    for e in range(1, EPOCHS + 1):
        noisy, order, total = clean * kept(seed, 0, e, N, inputs, share), shuffled(seed, e, N), 0
        for at in range(0, N, batch):
            rows = order[at:at + batch]
            z = torch.sigmoid(noisy[rows] @ w.T + b) @ w + c
            loss = torch.nn.functional.binary_cross_entropy_with_logits(z, clean[rows], reduction="sum")
            opt.zero_grad()
            (loss / len(rows)).backward()
            opt.step()
            total += loss.item()
        losses.append(total / N)
    tensors[f"{name}/loss"] = np.array(losses)
    tensors[f"{name}/last"] = block()
    print(name, losses[0], losses[-1], file=sys.stderr)


dae("dae", 17, 0.3, 0.05, 77, 24)
dae("daes", 17, 0.3, 0.02, 78, 9)

meta = {"net.bn": NETS[True], "net.tanh": NETS[False], "points": ",".join("abc"), "history": f"tests/torch_dump.py, PyTorch {torch.__version__.split('+')[0]}"}
Stream(sys.stdout.buffer).write(meta, tensors)
