#!/usr/bin/env bash
# A file that a program has written survives a loss of power: its last byte is written, then it is synced, then it gets its name, then the
# folder that holds the name is synced; by every program, as recorded by a library of ours that is preloaded. Several files of one program
# are all synced before the first gets its name.
source tests/sh.sh
source tests/runs.sh
export LC_ALL=C
cc=$(command -v "${CC:-cc}" || command -v gcc || command -v clang)
if ! "$cc" -shared -fPIC -D_GNU_SOURCE -O1 -Wall -Wextra -o "$TMP/record.so" tests/record.c 2>"$TMP/.err"; then
	bad "the recorder is not built: $(cat "$TMP/.err")"
	done_tests
	exit
fi
cd "$TMP" || exit 1
inputs

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
all_tried
while read -r n command; do
	[ -n "$n" ] || continue
	read -ra words <<<"$command"
	durable "$n" "${words[@]}"
	case $command in face-synth*) together 4 ;; tns-split*) together 2 ;; esac
done <<<"$runs"
cd out
durable() { # the same in the folder itself: a name without one
	ok "$*" recorded "$@"
	is "$(cd .. && faults)" 1 "$*"
}
durable tns-info -o x.txt ../in/faces.tns
is "$(ls)" x.txt "in the folder itself"
done_tests
