#!/usr/bin/env bash
# The stream's reader and writer on other machines: big-endian (s390x) and of 32 bits (i686), by cross compilers and qemu, give the same bytes,
# values and messages as here. Where there is no zlib for them, a stub has its checksums, and streams with packed records are left out.
source tests/sh.sh
work=$TMP/work
mkdir "$work"
files=(tests/foreign.c lib/stream/tns.c lib/stream/tns_record.c lib/stream/tns_type.c lib/stream/tns_write.c lib/stream/tns_map.c lib/base/crc.c
	lib/base/each_thread.c lib/base/err.c lib/base/magic.c lib/base/out.c lib/base/temp_files.c lib/base/unpack.c lib/base/unpack_gzip.c lib/base/unpack_zip.c lib/base/utf8.c)
build() { # COMPILER NAME ZLIB...
	"$1" -std=gnu11 -O1 -w -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -static -I. -idirafter /usr/include "${files[@]}" "${@:3}" -lm -lpthread -o "$work/$2" 2>"$work/log"
}
if ! build gcc here -lz; then
	bad "here: $(head -3 "$work/log")"
	done_tests
	exit
fi
cd "$TMP" || exit 1

# ---- streams: our programs', every type of numbers, and one a rule that can be broken ----
mkdir in
face-synth -q -n 20 --size 24x24 | csv-clean -q --keep-all -o in/faces.tns
patch-extract -q --around left_eye_center --size 9x7 -o in/patches.tns in/faces.tns
cnn-train -q -n 'conv3x3x2 bn relu pool4 fc' -e 1 -b 8 --optimizer sgd -r 0.001 -o in/model.tns in/faces.tns 2>/dev/null
predict -q -o in/predicted.tns in/model.tns in/faces.tns
ok "hostile streams" env CK_DEFAULT_TIMEOUT=240 WIRE_DUMP=in "${BIN%/bin}/tests/check_tns_bad"
[ -n "${TRUST-}" ] || for f in in/bad-*[1-9].tns; do rm "$f"; done # the short form: every tenth

same_as_here() { # NAME COMMAND...
	local name=$1 f way wrong=0 tried=0 packed=0 s t
	shift
	for f in in/*.tns; do
		[ "$(stat -c %s "$f")" -lt 2000000 ] || continue
		for way in pipe file; do
			s=0 t=0
			"$work/here" $way "$f" here.out >here.txt 2>here.err || s=$?
			"$@" $way "$f" there.out >there.txt 2>there.err || t=$?
			if grep -q 'zlib stream' there.err; then
				packed=$((packed + 1))
			elif [ $s != $t ] || ! cmp -s here.err there.err || { [ $s = 0 ] && ! { cmp -s here.txt there.txt && cmp -s here.out there.out; }; }; then
				bad "$name, $f as a $way: exit $s and $t, '$(head -1 here.err)' and '$(head -1 there.err)'"
				wrong=$((wrong + 1))
			fi
			tried=$((tried + 1))
			rm -f here.out there.out
		done
	done
	[ $wrong = 0 ] && [ $tried -gt 40 ] && good
	echo "trust: 18 | streams read and written on $name | $((tried - packed)) | $wrong of other bytes, values or messages; $packed packed ones left out"
}
# written here as they were read: of our own writer the same bytes
"$work/here" file in/faces.tns again.tns >/dev/null
same in/faces.tns again.tns "read and written"

try() { # NAME COMPILER RUN...
	local zlib=(tests/foreign_zlib.c)
	command -v "$2" >/dev/null || { skip "$1: no $2"; return; }
	[ -z "${4-}" ] || command -v "$3" >/dev/null || { skip "$1: no $3"; return; }
	(cd "$ROOT" && build "$2" "$1" "${zlib[@]}") || { skip "$1: $2 builds nothing here: $(head -1 "$work/log")"; return; }
	"${@:3}" "$work/$1" 2>/dev/null
	[ $? = 2 ] || { skip "$1: what $2 builds does not run here"; return; }
	same_as_here "$1" "${@:3}" "$work/$1"
}
try s390x s390x-linux-gnu-gcc qemu-s390x -L /usr/s390x-linux-gnu
try i686 i686-linux-gnu-gcc
done_tests
