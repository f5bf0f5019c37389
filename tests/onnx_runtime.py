"""onnx_runtime.py MODEL.onnx IMAGES.tns PREDICTED.tns: checks the file by ONNX's checker and compares what onnxruntime makes of it with
predict's tensors, to 1e-4. Needs numpy, onnx, onnxruntime."""
import os, sys
import numpy, onnx, onnxruntime
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tns_reader

def load(path):
    return {k: numpy.frombuffer(t.data, "<" + {"B": "u1", "f": "f4", "I": "u4"}[t.type]).reshape(t.shape)
            for k, t in tns_reader.read(open(path, "rb").read())[0].items() if t.type in "BfI"}
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
images, want, bad = load(sys.argv[2])["image"], load(sys.argv[3]), 0
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
if session.get_inputs()[0].type == "tensor(float)": images = images.astype(numpy.float32)
for o, got in zip(session.get_outputs(), session.run(None, {"image": images})):
    scale = 255 if o.name == "reconstruction" else 1
    expected = want["predicted" if o.name == "points" else o.name].astype(float) / scale
    most = numpy.nanmax(abs(got - expected)) - (0.5 / 255 if scale > 1 else 0)
    print(o.name, got.shape, f"{most:.1e}")
    bad |= not most <= 1e-4 or not numpy.array_equal(numpy.isnan(got), numpy.isnan(expected))
sys.exit(bad)
