#!/usr/bin/env bash
# Line 3 of the table of trust in its short form: every fuzzer, the committed inputs and 10,000 more, or 4 s.
source tests/sh.sh
if ! echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }' | clang -x c -fsanitize=fuzzer,address - -o "$TMP/try" 2>/dev/null; then
	skip "no clang with libFuzzer here"
	done_tests
	exit
fi
unset MAKEFLAGS MFLAGS MAKELEVEL SAN
ok "fuzzers find nothing" make -s fuzz -j2 RUNS=10000 FUZZ_SECONDS=4
grep '^trust:' "$TMP/.out"
grep -v '^trust:' "$TMP/.out" # of one that found something, the end of its log
is "$(grep -c '^trust: 3' "$TMP/.out")" "$(find tests -name 'fuzz_*.c' | wc -l)" "all fuzzers ran"
done_tests
