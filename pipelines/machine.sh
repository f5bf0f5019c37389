#!/usr/bin/env bash
# One line for the foot of a table: processor, its best instruction set, threads, commit, date.
set -eu
field() { sed -n "/^$1[[:space:]]*:/{s/[^:]*: *//p;q}" /proc/cpuinfo; }
flags=" $(field flags) "
for isa in amx_bf16 avx512_bf16 avx512f avx2 plain; do [[ $isa = plain || $flags = *" $isa "* ]] && break; done
cd "$(dirname "$0")"
commit=$(git rev-parse --short=7 HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain -- .. 2>/dev/null | grep -v '^??' || true)" ] || commit=$commit+changes
echo "$(field 'model name'), family $(field 'cpu family') model $(field model), $isa, commit $commit, $(date +%F), $(nproc) threads"
