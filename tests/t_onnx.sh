#!/usr/bin/env bash
# model-export: safetensors, whose weights are those of the stream; ONNX files of every target, run by tests/onnx_run.py (written from the pages of ONNX and protobuf alone) to the same points as
# predict's; where onnxruntime is at hand (PYTHON has it), by that too, after its checker.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1
PYTHON=${PYTHON:-python3}
python3 -c 'import math; math.prod' 2>/dev/null || { skip "a python3 of 3.8 or later, to run ONNX files"; done_tests; exit; }

face-synth -q -n 24 --size 24x16 | csv-clean -q --size 24x16 | tns-select --points 'left_eye_center,right_eye_center,nose_tip' -o faces.tns
tns-select --rows 1-3 faces.tns -o three.tns
patch-extract -q --around left_eye_center --size 8x6 --negatives 1 faces.tns | tns-select --only image,label -o patches.tns
tns-select --rows 1-5 patches.tns -o five.tns
# train NAME NET OPTION...: one epoch unless told, which may learn nothing
train() {
	local name=$1 net=$2
	shift 2
	cnn-train -q -n "$net" -e 1 -r 1e-4 "$@" -o "$name.tns" 2>/dev/null || bad "cnn-train $name"
}
train heat 'conv3x3x3s2p1 bn relu pool2 conv2x2x3p1 tanh up2 conv3x3' --target heatmap faces.tns
train small 'conv3x3x3s2p1 bn relu conv1x1' --target heatmap faces.tns
train coords 'conv3x3x2 pool3 relu dropout0.2 fc6 bn sigmoid fc' --target coords --augment flip faces.tns
is "$(tns-info coords.tns | grep -c '^asymmetry: left_eye_center [-0-9.]* [-0-9.]*,')" 1 "labels that are no mirror images"
train map 'conv3x3x2 pool2 sigmoid fc' --target map faces.tns
train again 'fc4 relu conv1x1x5 tanh up2 fc' --target coords faces.tns
# skips: of blocks, long, of rows of one pixel that are maps before or after
train skips 'conv3x3x3s2p1 bn relu ( conv3x3x4s2p1 bn relu ( conv3x3x4p2d2 bn )+ relu up2 conv1x1x3 bn )+ relu conv1x1' --target heatmap faces.tns
train rows '( pool1 )+ fc6 bn relu ( conv1x1x6 )+ ( dropout0.1 fc6 bn )+ tanh conv1x1x4 ( fc5 relu fc4 )+ fc' --target coords -e 8 -r 0.01 faces.tns
train label 'fc5 relu fc' --target label patches.tns
dae-pretrain -q -H 6 -e 1 patches.tns -o image.tns
pca-fit -q -k 3 --whiten pca patches.tns -o linear.tns
# exported MODEL DATA [OPTION...]: the graph gives what predict gives
exported() {
	local model=$1 data=$2 got
	shift 2
	ok "$model $*" model-export "$@" "$model.tns" -o "$model.onnx"
	predict -q $(grep -o -- --flip <<<"$*") "$model.tns" "$data.tns" -o predicted.tns
	if got=$(python3 "$ROOT/tests/onnx_run.py" "$model.onnx" "$data.tns" predicted.tns 2>&1); then good; else bad "$model $*: $got"; fi
	is "$(cut -d' ' -f1 <<<"$got" | paste -sd ' ')" "$outputs" "outputs of $model $*"
}
outputs="points confidence"
exported heat three
exported heat three --fold
exported heat three --flip --input floats
exported small three
exported skips three
exported skips three --flip --fold
exported map three
exported map three --flip
exported coords three --flip --fold
outputs=points
exported coords three
exported rows three
exported rows three --fold
exported again three
outputs=score
exported label five
exported label five --flip
outputs=reconstruction
exported image five
exported image five --flip
exported linear five

# a difference is seen: the same net with one weight less
model-export heat.tns >a.onnx
model-export small.tns >b.onnx
predict -q heat.tns three.tns -o predicted.tns
if python3 "$ROOT/tests/onnx_run.py" b.onnx three.tns predicted.tns >/dev/null 2>&1; then bad "another model's graph passes"; else good; fi
is "$(model-export skips.tns | grep -ao 'Add_[0-9]*' | sort -u | wc -l)" $(($(model-export heat.tns | grep -ao 'Add_[0-9]*' | sort -u | wc -l) + 2)) "an Add a skip"
same a.onnx <(model-export <heat.tns) "the same bytes from file and pipe"
head -c 2000 a.onnx >cut.onnx
if python3 "$ROOT/tests/onnx_run.py" cut.onnx three.tns predicted.tns >/dev/null 2>&1; then bad "a file that is cut passes"; else good; fi

# points that were not learned are NaN
tns-table --image faces.tns | awk -F, -v OFS=, '/^#/ {next} !n++ {for (i = 1; i <= NF; i++) if ($i ~ /^nose_tip/) drop[i]} n > 1 {for (i in drop) $i = ""} {print}' | tns-table --read --size 24x16 -o without.tns
train some 'conv3x3x3s2p1 bn relu conv1x1' --target heatmap without.tns
outputs="points confidence"
exported some three
fails 2 "nose_tip" model-export --flip some.tns -o flip.onnx
ok "no file of it" test ! -e flip.onnx

# as other programs have it: for people who have onnxruntime (PYTHON=...), so its absence is no skip
if "$PYTHON" -c 'import onnx, onnxruntime' 2>/dev/null; then
	for m in heat small skips rows map coords again some; do
		model-export $m.tns -o $m.onnx
		predict -q $m.tns faces.tns -o predicted.tns
		ok "onnxruntime: $m" "$PYTHON" "$ROOT/tests/onnx_runtime.py" $m.onnx faces.tns predicted.tns
	done
fi

# the weights alone, read by Python's own library
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests
for m in heat skips coords map label image; do
	ok "weights of $m" model-export $m.tns -o $m.safetensors
	model-export --form safetensors <$m.tns | cmp -s - $m.safetensors && good || bad "weights of $m by pipes"
	model-export $m.tns -o $m.SafeTensors && same $m.SafeTensors $m.safetensors "a suffix in capitals"
	tns-convert $m.safetensors -o back.tns
	case $m in label) data=five tensor=score ;; image) data=five tensor=reconstruction ;; *) data=three tensor=predicted ;; esac
	for f in $m back; do predict -q $f.tns $data.tns | tns-convert --tensor $tensor --to npy >$f.npy || bad "predict by $f.tns of $m"; done
	same $m.npy back.npy "$tensor of $m, from its safetensors"
done
ok "what they hold" python3 - <<'END'
from arrays import read_safetensors
import tns_reader
for m in ("heat", "skips", "coords", "map", "label", "image"):
    tensors, metas, _ = tns_reader.read(open(m + ".tns", "rb").read())
    arrays, texts = read_safetensors(m + ".safetensors")
    texts.pop("keypipe.stream", None)
    assert texts == metas and {"net", "target", "scale", "input", "history"} <= set(texts), m
    want = {k: t for k, t in tensors.items() if k != "trained"}
    assert list(arrays) == list(want) and len(want) > 1 and ("prior" in want) == (m == "map"), m
    for k, t in want.items():
        assert arrays[k] == ("f32", t.shape, t.data), (m, k)
END
fails 1 "a model needs META net" model-export faces.tns -o none.safetensors
fails 1 "a model is a tensor stream, which this is not" model-export heat.safetensors -o none.safetensors
fails 2 "--flip is for --form onnx: safetensors holds the weights as they are" model-export --flip heat.tns -o none.safetensors
fails 2 "--fold is for --form onnx" model-export --fold --form safetensors heat.tns
tns-select --without 0.bias heat.tns -o less.tns
fails 1 "there is no tensor 0.bias" model-export less.tns -o none.safetensors
ok "no file of these" test ! -e none.safetensors

# refused: one line, no file
fails 1 "a model needs META net" model-export faces.tns -o none.onnx
fails 2 "--output none.PT: ONNX and safetensors are written; --form says which, whatever the file's name" model-export faces.tns -o none.PT
fails 1 "nothing.tns" model-export nothing.tns -o none.onnx
head -c 3000 heat.tns >cut.tns
fails 1 "cut.tns" model-export cut.tns -o none.onnx
ok "no file" test ! -e none.onnx
ok "a full disk" eval '! model-export heat.tns >/dev/full 2>/dev/null'
done_tests
