"""Beside scikit-learn's PCA, on patches or images of a stream: how long both take, turn about, and how exact they are: by residuals |C v - value v| / value
of the covariance C in double, and, of few pixels, by NumPy's eigenvectors of it. Ends with 1 where ours are off by 1e-4.
usage: pca_peer.py PCA-FIT DATA.tns K [REPEATS]
Of pca-fit the whole program is timed, reading and writing too; of scikit-learn float32 of the bytes and fit(), nothing else."""
import os, sys, tempfile
import numpy as np
from sklearn.decomposition import PCA

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer import Turns, rows, tensor


def theirs(x, k):
    few = x.shape[1] <= 2048
    return PCA(k, svd_solver="covariance_eigh" if few else "randomized", random_state=1).fit(x.astype(np.float32))


program, data, k, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3]), int((sys.argv + ["3"])[4])
x, turns = rows(data), Turns()
with tempfile.TemporaryDirectory() as folder:
    model = os.path.join(folder, "pca.tns")
    for _ in range(repeats):
        turns.run("pca-fit", program, "-q", "-k", str(k), data, "-o", model)
        fitted = turns.take("scikit-learn", lambda: theirs(x, k))
    ours, share = tensor(model, "0.weight"), tensor(model, "variance")
    # the judge where theirs is an approximation: residuals of both, as shares of the eigenvalue
    centred = x - x.mean(0, dtype=np.float64)


def residual(v):
    v = v.astype(np.float64)
    c = (centred @ v.T).T @ centred / (len(x) - 1)
    value = (c * v).sum(1)
    return (np.linalg.norm(c - value[:, None] * v, axis=1) / value).max()


def apart(v):
    if x.shape[1] > 2048:
        return float("nan")
    exact = np.linalg.eigh(centred.T @ centred)[1].T[::-1][:k]
    return np.abs(v * np.sign((v * exact).sum(1))[:, None] - exact).max()


ours_took, theirs_took = turns.median("pca-fit"), turns.median("scikit-learn")
theirs_too = fitted.components_
print(f"{len(x)} rows of {x.shape[1]} pixels, {k} components: pca-fit {ours_took:.3f} s, scikit-learn {theirs_took:.3f} s, "
      f"ratio {theirs_took / ours_took:.2f}; residuals {residual(ours):.1g} and {residual(theirs_too):.1g}, from NumPy's "
      f"{apart(ours):.1g} and {apart(theirs_too):.1g}, shares of the variance apart by {np.abs(share - fitted.explained_variance_ratio_).max():.1g}")
sys.exit(1 if residual(ours) > 1e-4 or apart(ours) > 1e-4 else 0)
