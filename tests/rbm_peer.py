"""Beside scikit-learn's BernoulliRBM (persistent CD-1), on patches of a stream: how long both take for the same epochs, batch and rate, turn about, and the
pseudo-log-likelihood that each reaches on the training set and on held-out rows, by one function for both, in double, over ten draws of the flipped pixel.
usage: rbm_peer.py RBM-PRETRAIN TRAIN.tns VALID.tns UNITS EPOCHS [REPEATS [OPTION...]]: OPTIONs are rbm-pretrain's
Of rbm-pretrain the whole program is timed, reading and writing too; of scikit-learn fit() on float32, nothing else. Ends with 1 where ours is worse by more
than the spread over seeds of theirs."""
import os, sys, tempfile
import numpy as np
from sklearn.neural_network import BernoulliRBM

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer import Turns, rows, tensor

BATCH, RATE = 100, 0.05


def patches(path):
    return (rows(path) / np.float32(255)).astype(np.float32)


def pseudo_likelihood(x, w, b, c):
    x, w, b, c = (a.astype(np.float64) for a in (x, w, b, c))
    draw, every, found = np.random.default_rng(0), np.arange(len(x)), []

    def energy(v):
        return -(v @ c) - np.logaddexp(0, v @ w.T + b).sum(1)

    for _ in range(10):
        i, flipped = draw.integers(0, x.shape[1], len(x)), x.copy()
        flipped[every, i] = 1 - flipped[every, i]
        found.append(-x.shape[1] * np.logaddexp(0, energy(x) - energy(flipped)).mean())
    return np.mean(found)


program, train, valid, units, epochs, repeats = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int((sys.argv + ["3"])[6])
x, held_out, turns = patches(train), patches(valid), Turns()
reached = {"rbm-pretrain": [], "scikit-learn": []}
with tempfile.TemporaryDirectory() as folder:
    model = os.path.join(folder, "rbm.tns")
    for seed in range(1, repeats + 1):
        turns.run("rbm-pretrain", program, "-q", "--persistent", "-H", str(units), "-b", str(BATCH), "-r", str(RATE), "-m", "0", "-e", str(epochs), "-s", str(seed),
                  *sys.argv[7:], train, "-o", model)
        ours = [tensor(model, n) for n in ("0.weight", "0.bias", "2.bias")]
        m = turns.take("scikit-learn", lambda: BernoulliRBM(units, learning_rate=RATE, batch_size=BATCH, n_iter=epochs, random_state=seed).fit(x))
        theirs = m.components_, m.intercept_hidden_, m.intercept_visible_
        for name, parts in (("rbm-pretrain", ours), ("scikit-learn", theirs)):
            reached[name].append([pseudo_likelihood(y, *parts) for y in (x, held_out)])
for name, values in reached.items():
    v = np.array(values)
    print(f"{name}: {turns.median(name):.2f} s; pseudo-log-likelihood of the training set {v[:, 0].mean():.2f} ({v[:, 0].min():.2f} to {v[:, 0].max():.2f}), "
          f"held out {v[:, 1].mean():.2f} ({v[:, 1].min():.2f} to {v[:, 1].max():.2f})")
print(f"{len(x)} rows of {x.shape[1]} pixels, {units} units, {epochs} epochs: ratio {turns.median('scikit-learn') / turns.median('rbm-pretrain'):.2f}")
o, t = (np.array(reached[n])[:, 1] for n in ("rbm-pretrain", "scikit-learn"))
sys.exit(1 if o.mean() < t.min() - (t.max() - t.min()) else 0)
