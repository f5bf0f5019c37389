#!/usr/bin/env bash
# A file that a program has written survives a loss of power: its last byte is written, then it is synced, then it gets its name, then the
# folder that holds the name is synced; by every program, as recorded by a library of ours that is preloaded. Several files of one program
# are all synced before the first gets its name. Where a system call fails, as another library makes each do in turn, no output is half written.
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
durable 4 rbm-pretrain -q -H 5 -e 2 --snapshot 2 --checkpoint out/c.tns --log out/log.tsv -o out/x.tns in/patches.tns
durable 1 pca-fit -q -k 3 -o out/x.tns in/patches.tns
durable 3 cnn-train -q -n 'pool4 fc' -e 1 -r 0.001 --checkpoint out/c.tns --suspects out/s.tsv --log out/log.tsv -o out/x.tns in/faces.tns
durable 1 predict -q -o out/x.tns in/model.tns in/faces.tns
durable 1 score -o out/x.txt in/predicted.tns
durable 1 submit -q --lookup in/lookup.csv -o out/x.csv in/answers.tns
for f in png svg pdf; do
	durable 1 render faces -q --format $f -o out/x.$f in/predicted.tns
done
durable 1 tns-info -o out/x.txt in/faces.tns
durable 1 tns-select --rows 1-5 -o out/x.tns in/faces.tns
durable 1 image-augment -q --shift 2,1 -o out/x.tns in/faces.tns
durable 1 tns-cat -q -o out/x.tns in/faces.tns in/faces.tns
durable 1 tns-join -o out/x.tns in/faces.tns in/faces.tns
durable 1 tns-table -o out/x.csv in/faces.tns
durable 1 model-export -q -o out/x.onnx in/model.tns
mkdir in/photos
printf 'P5 4 3 255 abcdefghijkl' >in/photos/a.pgm
durable 1 tns-import -q --form folder -o out/x.tns in/photos
window-extract -q --size 16x16 -o in/windows.tns in/faces.tns
cnn-train -q --target label -n fc -e 1 -o in/finder.tns in/windows.tns 2>/dev/null
durable 1 window-extract -q --size 16x16 -o out/x.tns in/faces.tns
durable 1 face-find -q -o out/x.tns in/finder.tns in/photos
durable 1 tns-export -q --form csv -o out/x.csv in/predicted.tns
durable 1 tns-convert -o out/x.npz in/faces.tns
tns-convert in/faces.tns -o in/faces.npz
durable 1 tns-convert -o out/x.tns in/faces.npz
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

# ---- system calls that fail: each call in turn, by a library of ours that is preloaded ----
# A program whose call fails ends with 1 and one line that says why, and leaves its outputs as they were, or whole and new where they have
# their names already; its temporary files are removed. No failure is a success with half a file.
cd "$TMP" || exit 1
"$cc" -shared -fPIC -D_GNU_SOURCE -O1 -Wall -Wextra -o failing.so "$ROOT/tests/failing.c" -ldl 2>.err || bad "failing.c is not built: $(head -3 .err)"
declare -A errno=([EINTR]=4 [EIO]=5 [ENOMEM]=12 [EACCES]=13 [ENOSPC]=28 [ESPIPE]=29 [EPERM]=1 [ENOLCK]=37 [EDQUOT]=122 [NONE]=0)
declare -A reason=([EIO]='Input/output error' [ENOSPC]='No space left on device' [EDQUOT]='Disk quota exceeded' [EACCES]='Permission denied' [NONE]='')
# outputs COMMAND...: what the command writes into out, kept in good; the sweeps are of it
outputs() {
	local f
	command=("$@")
	rm -rf out good old && mkdir out old
	ok "$*" "$@"
	mv out good
	rm -f good/log.tsv # it has seconds
	[ -n "${resumed+yes}" ] || for f in good/*; do echo "old ${f#good/}" >"old/${f#good/}"; done
}
# judge STATUS: adds to faults how what a run left differs from what it may leave
judge() {
	local f first was=0 new=0 said=$(<.err)
	for f in good/*; do
		f=${f#good/} first=
		[ ! -e "out/$f" ] || read -r first <"out/$f" 2>/dev/null
		if [ "$first" = "${resumed-old $f}" ]; then was=$((was + 1))
		elif cmp -s "out/$f" "good/$f"; then new=$((new + 1))
		elif [ "$f" != c.tns ] || ! tns-info --check out/c.tns 2>/dev/null; then faults+="call $n: $f is neither old nor whole; "
		fi
	done
	# what can't be locked may be another's, and stays; the next run uses it again
	for f in out/.*.tmp; do [ ! -e "$f" ] || [ "$call" = flock ] || faults+="call $n: $f is left; "; done
	case $1:$want in
	0:pass | 0:either) [ "$was" = 0 ] || faults+="call $n: success, and $was files are old; " ;;
	1:fail | 1:either)
		[[ $said = "${command[0]}: "*"${reason[$err]}" && $said != *$'\n'* ]] || faults+="call $n: $said; "
		[ -z "${unnamed-}" ] || [ "$new" = 0 ] || faults+="call $n: $new files are new; " ;;
	*) faults+="call $n: exit $1: $said; " ;;
	esac
	if [ -n "${resumed+yes}" ] && [ "$1" = 1 ]; then
		"${command[@]}" >.out 2>.err || faults+="call $n: then exit $?: $(<.err)"
		for f in good/*; do cmp -s "out/${f#good/}" "$f" || faults+="call $n: then ${f#good/} differs; "; done
	fi
}
# sweep WANT CALL ERRNO [WHERE]: with the first, the second, ... such call on files in out (or WHERE) failing, the command ends as WANT:
# pass, fail, either (some of them are of no matter)
sweep() {
	local want=$1 call=$2 err=$3 where=${4:-out} n=0 status faults='' ended=0
	while n=$((n + 1)); do
		rm -rf out failed && cp -r old out
		status=0
		FAIL=$call:$n:${errno[$err]} FAIL_IN=$TMP/$where FAILED=$TMP/failed LD_PRELOAD=$TMP/failing.so ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 \
			timeout 20 "${command[@]}" >.out 2>.err </dev/null || status=$?
		[ -e failed ] || break
		ended=$((ended + status))
		judge $status
	done
	is "$faults" "" "${command[*]}: $call $err"
	is "$((n > 1)) $((ended > 0)) $status" "1 $([ "$want" = pass ] && echo 0 || echo 1) 0" "${command[*]}: $call $err was tried"
}

tns-select --rows 1-5 -o in/five.tns in/faces.tns
outputs tns-select --rows 1-3 -o out/x.tns in/five.tns
for e in EIO ENOSPC EDQUOT; do unnamed=1 sweep fail write $e; done
for c in ftruncate fchmod flock rename; do unnamed=1 sweep fail $c EIO; done
unnamed=1 sweep fail write NONE
sweep pass write EINTR; sweep pass close EINTR; sweep pass fchmod EPERM; sweep pass flock ENOLCK
for c in open fsync; do sweep fail $c EIO; done
sweep either close EIO; sweep either open EACCES
unnamed=1 sweep fail open EIO in
sweep pass read EINTR in
unnamed=1 sweep fail read EIO in
outputs csv-clean -q --keep-all --report out/report.tsv -o out/x.tns in/training.csv
for c in write ftruncate fchmod fsync rename close open; do sweep either $c EIO; done
sweep fail write ENOSPC; sweep pass write EINTR
unnamed=1 sweep fail read EIO in
sweep pass read EINTR in

outputs face-synth -q -n 9 --size 32x32 --planted out/truth.csv --test out/test.csv --test-count 3 --test-lookup out/lookup.csv -o out/x.csv
for c in write ftruncate fchmod; do unnamed=1 sweep fail $c EIO; done
for c in rename fsync open; do sweep fail $c EIO; done
unnamed=1 sweep fail write ENOSPC
sweep pass write EINTR

for f in png svg pdf; do
	outputs render faces -q --format $f --count 1 -o out/x.$f in/predicted.tns
	for c in write fsync rename; do sweep either $c EIO; done
	unnamed=1 sweep fail write ENOSPC
	sweep pass write EINTR
done

# names of what has none, or has another one already
rm -rf out && mkdir out
fails 1 "tns-select: /dev/fd/3: its name can't be found" bash -c 'exec 3>gone; rm gone; tns-select --rows 1 -o /dev/fd/3 in/five.tns'
cnn-train -q -t 1 -n fc -e 1 -r 0.001 -o out/a.tns in/faces.tns 2>/dev/null
cnn-train -q -t 1 -n fc -e 1 -r 0.001 -o /dev/stdout in/faces.tns >out/b.tns 2>/dev/null
same out/a.tns out/b.tns "/dev/stdout is a file"

# a log is written as it comes; a checkpoint that is there is a whole one, from which the run goes on to the same end
resumed='' # what is in a file that is not there
outputs cnn-train -q -t 1 -n 'pool8 fc' -e 1 -r 0.001 --valid in/faces.tns --resume --checkpoint out/c.tns --log out/log.tsv -o out/x.tns in/faces.tns
for c in write ftruncate fsync rename; do sweep fail $c EIO; done
for c in open close mmap fopen fwrite; do sweep either $c EIO; done
sweep either fread EIO
sweep fail write ENOSPC
sweep pass write EINTR; sweep pass close EINTR
sweep pass mmap ENOMEM in; sweep pass lseek ESPIPE in
sweep fail open EIO in
done_tests
