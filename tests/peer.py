"""What pca_peer.py and rbm_peer.py share: tensors of streams as arrays, and two programs timed turn about."""
import os, subprocess, sys, time
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tns_reader import read

REST = 0.1  # seconds before each: threads of the other's BLAS, which wait for work by computing, fall asleep


def tensor(path, name):
    t = read(open(path, "rb").read())[0][name]
    return np.frombuffer(t.data, {"B": np.uint8, "f": np.float32}[t.type]).reshape(t.shape)


def rows(path):
    x = tensor(path, "image")
    return x.reshape(len(x), -1)


class Turns:
    """Calls of each name, and how long they took."""

    def __init__(self):
        self.took = {}

    def take(self, name, call):
        time.sleep(REST)
        start = time.perf_counter()
        result = call()
        self.took.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def run(self, name, *command):
        self.take(name, lambda: subprocess.run(command, check=True))

    def median(self, name):
        return sorted(self.took[name])[len(self.took[name]) // 2]
