#!/usr/bin/env bash
# pca-fit: models of principal components as predict, render and cnn-train take them; any number of threads, from file or pipe; what it
# refuses. What the components are: tests/check_pca.c.
. tests/sh.sh
cd "$TMP" || exit 1
face-synth -q -n 60 -s 4 | csv-clean -q -o faces.tns 2>/dev/null
patch-extract -q --preset eyes faces.tns -o eyes.tns 2>/dev/null
ok "patches" tns-info --check eyes.tns
n=$(tns-info --json eyes.tns | grep -o '"shape": *\[[0-9]*' | head -1 | grep -o '[0-9]*$')

# OpenBLAS is linked to this program alone
if command -v ldd >/dev/null; then
	is "$(for p in "$BIN"/*; do [[ $(ldd "$p") = *openblas* ]] && basename "$p"; done)" pca-fit "programs that OpenBLAS is linked to"
else
	skip "no ldd"
fi

# alike WHAT DATA OPTION...: the same bytes for any number of threads, from file and pipe
alike() {
	local what=$1 data=$2 t
	shift 2
	ok "$what" pca-fit -q -t 1 "$@" "$data" -o one.tns
	for t in 2 3 8 0; do
		ok "$what: $t threads" pca-fit -q -t $t "$@" "$data" -o more.tns
		same one.tns more.tns "$what: $t threads"
	done
	cat "$data" | pca-fit -q -t 2 "$@" | cat >more.tns
	same one.tns more.tns "$what: pipes"
	OPENBLAS_NUM_THREADS=2 pca-fit -q "$@" "$data" -o more.tns
	same one.tns more.tns "$what: threads of OpenBLAS"
}
alike "whole covariance" eyes.tns -k 20
alike "leading eigenvectors" faces.tns -k 12
alike "as many as needed" faces.tns --energy 0.8
pca-fit -q -k 0 --energy 0.8 faces.tns -o none.tns
is "$(meta none.tns net)" "$(meta one.tns net)" "-k 0: as many as needed"
alike "eyes alone, whitened" eyes.tns --patches positive --whiten pca --energy 0.9

# the model, and what takes it
ok "summary" pca-fit -k 20 eyes.tns -o pca.tns
is "$(sed 's/explain 0\.[0-9]*/explain F/; s/OpenBLAS [0-9.]*, .*/OpenBLAS V/; s/[0-9.]* s, [0-9]* MiB/T/' .err | paste -sd ';')" \
	"pca-fit: 20 components explain F of the variance of $n rows of 475 pixels;pca-fit: computed by OpenBLAS V;pca-fit $VERSION, T" "summary"
is "$(meta pca.tns net) $(meta pca.tns target) $(meta pca.tns input)" "fc20 fc475 image 25x19" "the model's METAs"
is "$(tns-info pca.tns | awk '$2 == "f32" {print $1, $3}' | paste -sd ' ')" "0.weight 20,475 0.bias 20 1.weight 475,20 1.bias 475 variance 20" "its tensors"
ok "reconstruction" predict -q pca.tns eyes.tns -o reconstructed.tns
ok "filters" render tiles pca.tns -o filters.png
ok "pairs" render pairs reconstructed.tns -o pairs.png
ok "as the first layer" cnn-train -q --target label -n 'fc20 sigmoid fc' --init pca.tns -e 1 -r 1e-9 -m 0 eyes.tns -o label.tns
range() { tns-info "$1" | awk '$1 == "0.weight" {printf "%s %.5f %.5f", $3, $4, $5}'; }
is "$(range label.tns)" "$(range pca.tns)" "the first layer is the components"
# rmse_of MODEL: of the reconstructed patches, grey levels. Whitening changes codes, not what is reconstructed; more components lose less, all of them
# nothing that a byte shows
rmse_of() { predict -q "$1" eyes.tns | score | sed -n 's/^rmse_grey //p'; }
pca-fit -q -k 20 --whiten zca eyes.tns -o zca.tns
pca-fit -q -k 20 --whiten pca eyes.tns -o white.tns
pca-fit -q -k 100 eyes.tns -o more.tns
pca-fit -q --energy 1 eyes.tns -o all.tns
read -r -a e < <(for m in pca zca white more all; do rmse_of $m.tns; done | paste -sd ' ')
if awk -v e="${e[*]}" 'BEGIN {split(e, v, " "); d = v[1] / 1e3; exit !((v[1] - v[2]) ^ 2 < d ^ 2 && (v[1] - v[3]) ^ 2 < d ^ 2 && v[1] > 1.5 * v[4] && v[4] > 1.5 * v[5] && v[5] < 0.05)}'; then
	good
else
	bad "errors of 20 components, zca, pca, 100, all: ${e[*]}"
fi
# the share that the program tells is the one that score finds in bytes, which are clipped and rounded
says=$(pca-fit -k 20 eyes.tns 2>&1 >/dev/null | sed -n 's/.*explain \(0[.0-9]*\).*/\1/p') finds=$(score reconstructed.tns | sed -n 's/^explained //p')
ok "explained: $says, by score $finds" awk -v a="$says" -v b="$finds" 'BEGIN {exit !(a > 0.5 && a - b < 2e-3 && b - a < 2e-3)}'

# for people who have scikit-learn (PYTHON=...), so its absence is no skip
PYTHON=${PYTHON:-python3}
if "$PYTHON" -c 'import sklearn' 2>/dev/null; then
	for f in eyes faces; do ok "scikit-learn: $f" env PYTHONDONTWRITEBYTECODE=1 "$PYTHON" "$ROOT/tests/pca_peer.py" "$BIN/pca-fit" $f.tns 20 1; done
fi

# refusals
fails 1 "eyes.tns: --components 476 of $n rows of 475 pixels: there are not as many" pca-fit -q -k 476 eyes.tns -o no.tns
tns-select --rows 1-10 eyes.tns -o ten.tns
fails 1 "ten.tns: --components 11 of 10 rows of 475 pixels: there are not as many" pca-fit -q -k 11 ten.tns -o no.tns
fails 1 "ten.tns: 10 rows of 475 pixels vary in 9 directions, fewer than --components 10" pca-fit -q -k 10 ten.tns -o no.tns
tns-select --rows 1-10 faces.tns -o few.tns
fails 1 "few.tns: 10 rows of 9216 pixels vary in 9 directions, fewer than --components 10" pca-fit -q -k 10 few.tns -o no.tns
tns-select --rows 1 eyes.tns -o single.tns
fails 1 "single.tns: one row alone varies in nothing" pca-fit -q -k 1 single.tns -o no.tns
tns-cat -q single.tns single.tns -o same.tns
fails 1 "same.tns: all rows hold the same image, so nothing varies" pca-fit -q same.tns -o no.tns
fails 2 "--components: -1 is outside 0 to 1000000" pca-fit -q -k -1 eyes.tns -o no.tns
fails 2 "--energy: 0 is outside 1e-06 to 1" pca-fit -q --energy 0 eyes.tns -o no.tns
fails 2 "--components and --energy exclude each other" pca-fit -q -k 3 --energy 0.5 eyes.tns -o no.tns
fails 1 "faces.tns: there is no tensor label" pca-fit -q --patches positive faces.tns -o no.tns
fails 1 "pca.tns: a model, not a data set: it has no rows" pca-fit -q pca.tns -o no.tns
[ ! -e no.tns ] && good || bad "a refusal leaves a file"
done_tests
