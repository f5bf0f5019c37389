#!/usr/bin/env bash
# A file that a program has written survives a loss of power: its last byte is written, then it is synced, then it gets its name, then the
# folder that holds the name is synced; by every program, as recorded by a library of ours that is preloaded. Several files of one program
# are all synced before the first gets its name. What is recorded is replayed (replay.c), with the power cut after each call: whatever of names and
# unsynced data a file system has kept by then, each name holds the old file or the new one, whole. TRUST=1: more and larger files.
source tests/sh.sh
source tests/runs.sh
export LC_ALL=C
cc=$(command -v "${CC:-cc}" || command -v gcc || command -v clang)
if ! "$cc" -shared -fPIC -D_GNU_SOURCE -O1 -Wall -Wextra -o "$TMP/record.so" tests/record.c 2>"$TMP/.err" ||
	! "$cc" -D_GNU_SOURCE -O1 -Wall -Wextra -o "$TMP/replay" tests/replay.c 2>"$TMP/.err"; then
	bad "the recorder is not built: $(cat "$TMP/.err")"
	done_tests
	exit
fi
cd "$TMP" || exit 1
inputs
long=${TRUST:+1} long=${long:-0} cuts=0 states=0 names=0 halves=0

# recorded COMMAND...: runs it; record has what it did
recorded() {
	rm -rf "$TMP"/record "$TMP"/record.data "$TMP"/out/*
	[ ! -e "$TMP/old" ] || cp "$TMP"/old/* "$TMP/out/"
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
is_one_of() { # FILE OTHER...
	local f=$1 o
	shift
	for o; do cmp -s "$f" "$o" && return; done
	false
}
# replayed COMMAND: after a loss of power at any moment of what is recorded, each name in out holds what was there before, or a whole new file
replayed() {
	local n s k h
	rm -rf dest && mkdir dest
	./replay record "$TMP/out" old dest >.counts 2>.faults || bad "$1: $(head -3 .faults)"
	read -r n s k h <.counts || bad "$1: no counts"
	cuts=$((cuts + n + 1)) states=$((states + s)) names=$((names + k)) halves=$((halves + h))
	[ "$s" -gt "$n" ] && good || bad "$1: $s states of $n calls"
	for h in dest/half.*; do # a temporary file is read only if it is whole
		if tns-info --check "$h" 2>/dev/null; then
			is_one_of "$h" dest/*.tns.* || bad "$1: $h is read"
		fi
	done
}
# together N: N files were synced before the first one got its name
together() { is "$(awk -F'\t' '$1 == "rename" { exit } $1 == "sync" && !($2 in seen) { seen[$2]; n++ } END { print n + 0 }' record)" "$1" "synced before one has its name"; }
all_tried
while read -r n command; do
	[ -n "$n" ] || continue
	read -ra words <<<"$command"
	durable "$n" "${words[@]}"
	# again, over old files of these names
	mv out old && mkdir out && rm -f old/log.tsv
	for f in old/*; do echo "old ${f#old/} opt/epoch" >"$f"; done
	durable "$n" "${words[@]}"
	replayed "$command"
	rm -rf old
	case $command in face-synth*) together 4 ;; tns-split*) together 2 ;; esac
done <<<"$runs"
# larger files, in many writes, of which several wait for the sync; checkpoints of a run, each of which is resumed from
face-synth -q -n $((long ? 300 : 60)) --size 96x96 -o in/large.csv
csv-clean -q --keep-all -o in/large.tns in/large.csv 2>/dev/null
mkdir old && echo 'old' >old/x.csv
durable 1 face-synth -q -n $((long ? 300 : 30)) --size 96x96 -o out/x.csv && replayed 'face-synth'
mkdir -p old && rm -f old/* && echo old >old/x.tns
durable 1 tns-select -q --sample $((long ? 200 : 40)) -o out/x.tns in/large.tns && replayed 'tns-select'
rm -rf old
go_on() { cnn-train -q -t 1 -n 'pool4 fc60 relu fc' -e "$1" -r 0.001 --valid in/five.tns --resume --checkpoint out/c.tns -o out/x.tns in/faces.tns; }
train() { local e; for ((e = 1; e <= epochs; e++)); do go_on $e || return; done; } # each run writes a checkpoint, or more, as time allows
mkdir old
epochs=$((long ? 20 : 4))
ok "training" recorded train
replayed 'checkpoints'
cp out/x.tns whole.tns
n=0
for f in dest/c.tns.*; do
	rm -f out/* && cp "$f" out/c.tns
	ok "a run resumes from $f" go_on $epochs
	same out/x.tns whole.tns "resumed from $f"
	n=$((n + 1))
done
[ $n -ge $epochs ] && good || bad "$n checkpoints of $epochs epochs"
echo "trust: 8 | power fails after each recorded call, names before data, after | $cuts/$cuts | $states states, $names names, each old or new and whole; none of $halves temporary contents is read but whole ones; $n checkpoints resumed"
rm -rf old
cd out
durable() { # the same in the folder itself: a name without one
	ok "$*" recorded "$@"
	is "$(cd .. && faults)" 1 "$*"
}
durable tns-info -o x.txt ../in/faces.tns
is "$(ls)" x.txt "in the folder itself"
done_tests
