#!/usr/bin/env bash
# A file that a program has written survives a loss of power: its last byte is written, then it is synced, then it gets its name, then the
# folder that holds the name is synced; by every program, as recorded by a library of ours that is preloaded. Several files of one program
# are all synced before the first gets its name.
source tests/sh.sh
export LC_ALL=C
cc=$(command -v "${CC:-cc}" || command -v gcc || command -v clang)
if ! "$cc" -shared -fPIC -D_GNU_SOURCE -O1 -Wall -Wextra -o "$TMP/record.so" tests/record.c 2>"$TMP/.err"; then
	bad "the recorder is not built: $(cat "$TMP/.err")"
	done_tests
	exit
fi
cd "$TMP" || exit 1
mkdir in out
face-synth -q -n 40 --size 32x32 --dirt --test in/test.csv --test-count 9 --test-lookup in/lookup.csv -o in/training.csv
csv-clean -q --keep-all -o in/faces.tns in/training.csv 2>/dev/null
csv-clean -q -o in/test.tns in/test.csv
patch-extract -q --around nose_tip --size 8x8 -o in/patches.tns in/faces.tns
cnn-train -q -n 'pool4 fc' -e 40 -r 0.1 -o in/model.tns in/faces.tns 2>/dev/null
predict -q -o in/answers.tns in/model.tns in/test.tns
predict -q -o in/predicted.tns in/model.tns in/faces.tns
dae-pretrain -q -H 5 -e 1 -o in/dae.tns in/patches.tns

# recorded COMMAND...: runs it; record has what it did
recorded() {
	rm -rf "$TMP"/record "$TMP"/out/*
	# a sanitizer's library wants to be the first one that is loaded
	RECORD=$TMP/record LD_PRELOAD=$TMP/record.so ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 "$@"
}
# faults: a line for each rename of the record that is out of order, then how many renames there are
faults() {
	awk -F'\t' '
		$1 == "write" { if ($2 in renamed) print $2 ": written under its own name"; written[$2] = NR }
		$1 == "sync" { synced[$2] = NR }
		$1 == "rename" {
			n++
			if (!($2 in written)) print $3 ": renamed, and nothing was written"
			if (!(synced[$2] > written[$2])) print $3 ": renamed, and what was written last is not synced"
			renamed[$3] = NR
			delete written[$2]; delete synced[$2] # the name may be used again
		}
		END {
			for (f in renamed) {
				folder = f
				sub(/\/[^\/]*$/, "", folder)
				if (!(synced[folder] > renamed[f])) print f ": the folder is not synced after the rename"
			}
			print n + 0
		}' record
}
# durable N COMMAND...: it renames N files, in order
durable() {
	local n=$1; shift
	ok "$*" recorded "$@"
	is "$(faults)" "$n" "$*"
	is "$(ls -A out | grep -c '\.tmp$')" 0 "nothing else is left"
}
# together N: N files were synced before the first one got its name
together() { is "$(awk -F'\t' '$1 == "rename" { exit } $1 == "sync" && !($2 in seen) { seen[$2]; n++ } END { print n + 0 }' record)" "$1" "synced before one has its name"; }
durable 4 face-synth -q -n 9 --size 32x32 --planted out/truth.csv --test out/test.csv --test-count 3 --test-lookup out/lookup.csv -o out/x.csv
together 4
durable 2 csv-clean -q --keep-all --report out/report.tsv -o out/x.tns in/training.csv
durable 1 patch-extract -q --around nose_tip --size 8x8 -o out/x.tns in/faces.tns
durable 2 tns-split -q -o out/a.tns -o out/b.tns in/faces.tns
together 2
durable 5 dae-pretrain -q -H 5 -e 2 --snapshot 1,2 --checkpoint out/c.tns -o out/x.tns in/patches.tns
durable 3 cnn-train -q -n 'pool4 fc' -e 1 -r 0.001 --checkpoint out/c.tns --suspects out/s.tsv --log out/log.tsv -o out/x.tns in/faces.tns
durable 1 predict -q -o out/x.tns in/model.tns in/faces.tns
durable 1 score -o out/x.txt in/predicted.tns
durable 1 submit -q --lookup in/lookup.csv -o out/x.csv in/answers.tns
for f in png svg pdf; do
	durable 1 render faces -q --format $f -o out/x.$f in/predicted.tns
done
durable 1 tns-info -o out/x.txt in/faces.tns
durable 1 tns-select --rows 1-5 -o out/x.tns in/faces.tns
durable 1 tns-cat -q -o out/x.tns in/faces.tns in/faces.tns
durable 1 tns-join -o out/x.tns in/faces.tns in/faces.tns
durable 1 tns-table -o out/x.csv in/faces.tns
cd out
durable() { # the same in the folder itself: a name without one
	ok "$*" recorded "$@"
	is "$(cd .. && faults)" 1 "$*"
}
durable tns-info -o x.txt ../in/faces.tns
is "$(ls)" x.txt "in the folder itself"
for p in "$BIN"/*; do
	grep -qE "^(durable|for f).*[ 0-9]${p##*/} |^	durable 1 ${p##*/} " "$ROOT/tests/t_durable.sh" || [ "${p##*/}" = bench ] || bad "${p##*/} is not tried here"
done
done_tests
