#!/usr/bin/env bash
# usage: tests/fuzz_merge.sh FUZZER FOLDER ARCHIVE LIMIT...
# Packs into ARCHIVE the inputs of FOLDER/committed and FOLDER/corpus that reach code which those of FOLDER/seeds, and smaller ones, do not;
# how often a line runs does not count, else there are ten times as many. All stay that are named keep-*, made by hand for conditions that an
# optimised build has as one, or large-[0-9]*, which are longer than fuzzers try, or slow, and run once. Equal inputs give an equal archive.
set -eu -o pipefail
fuzzer=$1 d=$2 archive=$3
shift 3
rm -rf "$d/merged" "$d/packed"
mkdir "$d/merged" "$d/packed"
cp "$d"/seeds/* "$d/merged"
find "$d/committed" "$d/corpus" -name 'keep-*' -exec cp -t "$d/merged" {} +
find "$d/large" -name 'large-[0-9]*' -exec cp -t "$d/packed" {} +
"$fuzzer" -merge=1 -use_counters=0 "$@" -max_len=200000 "$d/merged" "$d/committed" "$d/corpus" 2>"$d/merge.log" || { tail -30 "$d/merge.log"; exit 1; }
for f in "$d"/seeds/*; do rm -f "$d/merged/${f##*/}"; done
find "$d/merged" -name 'keep-*' -exec mv -t "$d/packed" {} +
n=0
while read -r f; do
	n=$((n + 1))
	cp "$d/merged/$f" "$d/packed/$(printf %04d $n)"
done < <(cd "$d/merged" && find . -type f -printf '%s %f\n' | sort -k1,1n -k2 | cut -d ' ' -f 2)
tar --sort=name --owner=0 --group=0 --numeric-owner --mode=644 --mtime=@0 -C "$d/packed" -cf - . | gzip -n9 >"$archive.tmp"
mv "$archive.tmp" "$archive"
echo "$archive: $n inputs, $(stat -c %s "$archive") bytes"
