#!/usr/bin/env bash
# The whole chain where a decimal point is a comma: the same bytes as in the locale C.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

# A locale of our own, of ASCII alone and a comma in numbers: Debian has localedef, but no sources of locales before one installs them.
{
	printf '<code_set_name> ASCII\n<comment_char> %%\n<escape_char> /\nCHARMAP\n'
	for ((i = 0; i < 128; i++)); do printf '<U%04X> /x%02x\n' $i $i; done
	echo 'END CHARMAP'
} >charmap
cat >source <<'END'
comment_char %
escape_char /
LC_NUMERIC
decimal_point "<U002C>"
thousands_sep "<U002E>"
grouping 3;3
END LC_NUMERIC
END
mkdir locales
localedef -c -f ./charmap -i ./source ./locales/de_DE 2>localedef.txt # its status is 1: it misses the other categories
# comma COMMAND...: in that locale; a name that fontconfig takes for a language
comma() { LOCPATH=$TMP/locales LC_ALL=de_DE LANG=de_DE "$@"; }
if [ "$(comma env printf '%.1f' 1,5 2>/dev/null)" != 1,5 ]; then
	skip "localedef makes no locale here: $(tail -1 localedef.txt)"
	done_tests
	exit
fi
good

# chain DIR [comma]: every program, and every number that one reads or writes as text
chain() {
	mkdir "$1" && cd "$1" || return
	face-synth -n 130 --size 32x32 --dirt --planted truth.csv --test test.csv --test-count 9 --test-lookup lookup.csv -o training.csv 2>/dev/null
	csv-clean --report report.tsv -o faces.tns training.csv 2>clean.all
	sed '/ MiB$/d' clean.all >clean.txt
	csv-clean -q -o test.tns test.csv
	tns-split -q --parts 0.75,0.25 -o train.tns -o valid.tns faces.tns
	patch-extract -q --around nose_tip --size 8x8 --jitter 1.5 -o patches.tns faces.tns
	dae-pretrain -q -H 5 -e 2 -r 0.25 -c 0.1 --log dae.log -o dae.tns patches.tns
	for e in 2 4; do # killed, as it were, and resumed: the checkpoint has numbers as text
		cnn-train -n 'conv3x3x4s2p1 bn relu dropout0.1 conv3x3p1' --target heatmap --sigma 1.5 --entropy 0.5 --distrust 2.5 --weigh nose_tip=1.5 --optimizer adam -r 2.5e-3 \
			--decay 0.001 --augment flip,rotate=7.5,scale=0.1,noise=0.02 --valid valid.tns -e $e --checkpoint c.tns --resume --suspects suspects.tsv --log heat.log \
			train.tns -o heat.tns 2>train.txt
		sed '/ MiB$/d; /computed by/d' train.txt >train.$e.txt # without seconds
	done
	cnn-train -q -n 'fc8 tanh fc' -e 9 -r 0.05 -m 0.5 faces.tns -o coords.tns
	predict -q --flip heat.tns coords.tns test.tns -o answers.tns
	predict -q heat.tns faces.tns | tee predicted.tns | score -o score.txt
	score --json predicted.tns -o score.json
	submit -q --lookup lookup.csv answers.tns -o submission.csv
	tns-info --head 3 predicted.tns -o info.txt
	for f in faces heat predicted; do tns-info --json $f.tns -o $f.json; done
	for f in png svg; do
		render faces -q --format $f -o faces.$f predicted.tns
		render tiles -q --format $f -o tiles.$f dae.tns
		render curves -q --format $f -o curves.$f heat.log
	done
	for p in "$BIN"/*; do
		if [ "${p##*/}" != bench ]; then "$p" --help >"help.${p##*/}.txt"; fi
	done
	predict -r 0,5 >wrong.txt 2>&1
	cnn-train -r 0,5 faces.tns >wrong.cnn.txt 2>&1
	cd ..
}
steady() { awk -F'\t' '{ NF--; print }' OFS='\t' "$1" >"$1.steady" && rm "$1"; } # without the column of seconds
run() { (chain "$1") >"$1.out" 2>"$1.err"; }
run c
comma bash -c "$(declare -f chain run); run other"
same c.err other.err "messages"
is "$(grep -vc 'nothing was learned\|the model was trained on' c.err)" 0 "nothing failed: $(cat c.err)"
for d in c other; do
	for f in dae heat; do steady $d/$f.log; done
	rm -f $d/train.txt $d/clean.all
done
is "$(cd other && ls)" "$(cd c && ls)" "files"
for f in c/*; do
	f=${f#c/}
	if [ -e "other/$f" ]; then same "c/$f" "other/$f" "with a comma"; fi
done
is "$(($(ls c | wc -l) >= 45))" 1 "there is much to compare: $(ls c | wc -l) files"
is "$(find c -empty)" "" "none is empty"
is "$(cat c/wrong.cnn.txt)" "cnn-train: --rate: '0,5' is not a number; try cnn-train --help" "a comma is refused"
done_tests
