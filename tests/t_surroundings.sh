#!/usr/bin/env bash
# Outputs depend on nothing but inputs and options: not on the time zone, the umask, the terminal, the environment, where files lie and what they
# are called, or how many rows come. Locales: t_locale.sh; threads and pipes: each program's own test.
source tests/sh.sh
cd "$TMP" || exit 1

face-synth -q -n 40 --size 24x24 --test test.csv --test-count 9 --test-lookup lookup.csv -o training.csv
csv-clean -q --keep-all -o faces.tns training.csv
csv-clean -q -o test.tns test.csv
cnn-train -q -n 'conv3x3x2s2 tanh fc' -e 5 -b 8 -r 0.002 -o model.tns faces.tns 2>/dev/null

# chain DIR: programs of each kind, in this folder
chain() {
	mkdir -p "$1" && cp training.csv test.csv lookup.csv "$1" && cd "$1" || return
	csv-clean -q --keep-all -o faces.tns training.csv
	csv-clean -q -o test.tns test.csv
	cnn-train -q -n 'conv3x3x2s2 tanh fc' -e 5 -b 8 -r 0.002 -o model.tns faces.tns 2>/dev/null
	predict -q -o predicted.tns model.tns faces.tns
	predict -q model.tns test.tns | submit -q --lookup lookup.csv -o submission.csv
	score -o score.txt predicted.tns 2>/dev/null
	tns-info predicted.tns >info.txt
	tns-table -q -o table.csv predicted.tns
	model-export -q -o model.onnx model.tns
	render faces -q --count 2 -o faces.png predicted.tns
	render tiles -q -o tiles.pdf model.tns
}
files='faces.tns test.tns model.tns predicted.tns submission.csv score.txt info.txt table.csv model.onnx faces.png tiles.pdf'
(chain plain)
# alike DIR WHAT: its files are those of the plain run
alike() {
	local f wrong=''
	for f in $files; do cmp -s "plain/$f" "$1/$f" || wrong+=" $f"; done
	is "$wrong" '' "$2"
}
is "$(cd plain && find $files -type f -size +0 | wc -l)" 11 "the chain"
(TZ=Pacific/Kiritimati; export TZ; chain zone)
alike zone "a time zone"
(umask 077; chain mask)
alike mask "a umask"
is "$(stat -c %a mask/faces.tns plain/faces.tns | paste -sd ' ')" "600 $(printf %o $((0666 & ~$(umask))))" "which says who may read"
(export TERM=dumb COLUMNS=7 LINES=2 NO_COLOR=1 POSIXLY_CORRECT=1 OMP_NUM_THREADS=1 TMPDIR=/nowhere HOME=/nowhere SOURCE_DATE_EPOCH=1; chain settings)
alike settings "variables"
env -i PATH="$PATH" bash -c "$(declare -f chain); chain none"
alike none "no variables"
(chain $' a folder\n  of "two" lines; $(date) *')
alike $' a folder\n  of "two" lines; $(date) *' "a path with blanks, newlines and quotes"
if terminals; then
	declare -f chain >chain.sh
	script -qec "bash -c 'source ./chain.sh; chain screen'" /dev/null >/dev/null 2>&1 </dev/null
	alike screen "a terminal"
fi

# names that begin with - : after -- , or as a value
mkdir dashes
cp faces.tns model.tns dashes
(
	cd dashes && mv -- faces.tns -faces.tns && mv -- model.tns --model.tns
	predict -q --output=-o.tns -- --model.tns -faces.tns
	predict -q -o./-same.tns ./--model.tns ./-faces.tns
	tns-info -- -o.tns >../dash.txt
	render faces -q --count 2 --output=-o.png -- -o.tns
)
same plain/predicted.tns dashes/-o.tns "names of dashes"
same plain/predicted.tns dashes/-same.tns "names of dashes behind ./"
same plain/faces.png dashes/-o.png "a picture of such a name"
same plain/info.txt dash.txt "a summary of such a name"

# a folder that can only be read: inputs from it; an output there is refused in one line
mkdir locked
cp faces.tns model.tns locked
chmod 555 locked
other=()
[ "$(id -u)" != 0 ] || other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
chmod 755 "$TMP" .
if "${other[@]}" test -r locked/faces.tns 2>/dev/null && ! "${other[@]}" test -w locked; then
	"${other[@]}" "$BIN/predict" -q locked/model.tns locked/faces.tns >from.tns
	same plain/predicted.tns from.tns "from a folder that can only be read"
	fails 1 'locked/out.tns: Permission denied' "${other[@]}" "$BIN/predict" -q -o locked/out.tns locked/model.tns locked/faces.tns
	is "$(ls -A locked | paste -sd ' ')" 'faces.tns model.tns' "nothing is left there"
else
	skip "no other user to be here"
fi
chmod 755 locked

# no row, one row
for n in 0 1; do
	head -n $((n + 1)) test.csv >some.csv
	csv-clean -q --size 24x24 -o some.tns some.csv || bad "csv-clean of $n rows"
	predict -q -o out.tns model.tns some.tns || bad "predict of $n rows"
	predict -q model.tns <some.tns | cmp -s - out.tns || bad "a pipe of $n rows"
	is "$(tns-info out.tns | awk '$1 == "predicted" {print $3}')" "$n,15,2" "$n rows"
	tns-info --check out.tns && tns-table -q -o out.csv out.tns && [ "$(wc -l <out.csv)" = $((n + 1)) ] || bad "a table of $n rows"
	tns-cat -q -o both.tns out.tns out.tns && tns-select -q --where 'id>0' -o kept.tns both.tns || bad "$n rows, twice"
	is "$(tns-info kept.tns | awk '$1 == "predicted" {print $3}')" "$((2 * n)),15,2" "$n rows, twice"
done
# 2^20 rows
{
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (1048576, 2, 2), }"
	head -c 4194304 /dev/zero
} >image.npy
tns-convert -q --to tns -o many.tns image.npy || bad "2^20 rows"
is "$(tns-info many.tns | awk '$2 == "u8" {print $3}')" "1048576,2,2" "2^20 rows"
tns-cat -q -o - many.tns | cmp -s - <(tns-cat -q many.tns) && good || bad "2^20 rows by a pipe"
is "$(tns-select -q --rows 1048576 many.tns | tns-info | awk '$2 == "u8" {print $3}')" "1,2,2" "the last of 2^20 rows"
done_tests
