# Sourced by every shell test: counts what passed, works in the fresh directory $TMP. BIN holds the programs. Without either, as by hand: a
# directory that goes at the end, build/bin.
set -u -o pipefail
: "${BIN:=$PWD/build/bin}"
if [ -z "${TMP-}" ]; then TMP=$(mktemp -d) && trap 'rm -rf "$TMP"' EXIT; fi
export BIN TMP
PATH=$BIN:$PATH
ROOT=$PWD
VERSION=$(sed -n 's/^#define KEYPIPE_VERSION "\(.*\)"/\1/p' lib/base/opt.h)
passed=0 failed=0 skipped=0
good() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED: $*"; }
# ok WHAT COMMAND...: the command succeeds
ok() {
	local what=$1; shift
	if "$@" >"$TMP/.out" 2>"$TMP/.err"; then good; else bad "$what (exit $?): $(head -3 "$TMP/.err")"; fi
}
# fails STATUS TEXT COMMAND...: exit status STATUS and one line on stderr that holds TEXT
fails() {
	local want=$1 text=$2 got=0; shift 2
	"$@" >"$TMP/.out" 2>"$TMP/.err" || got=$?
	if [ "$got" != "$want" ]; then bad "exit $got, not $want: $* ($(head -2 "$TMP/.err"))"
	elif ! grep -qF -- "$text" "$TMP/.err"; then bad "no '$text' in: $(head -2 "$TMP/.err") ($*)"
	elif [ "$(wc -l <"$TMP/.err")" != 1 ]; then bad "not one line on stderr: $* ($(head -3 "$TMP/.err"))"
	else good; fi
}
# same A B WHAT: two files hold the same bytes
same() { if cmp -s "$1" "$2"; then good; else bad "$3: $1 and $2 differ"; fi; }
# is A B WHAT: two strings are equal
is() { if [ "$1" = "$2" ]; then good; else bad "$3: '$1' is not '$2'"; fi; }
# skip WHAT: says and counts what is not tested here; a skip is nothing that passed
skip() { skipped=$((skipped + 1)); echo "skipped: $*"; }
# print_of FILE: a stream's fingerprint; meta FILE KEY: one of its METAs
print_of() { tns-info "$1" | sed -n 's/^fingerprint: //p'; }
meta() { tns-info "$1" | sed -n "s/^$2: //p"; }
# terminals: script(1) makes some here, else that is a skip
terminals() { script -qec true /dev/null >/dev/null 2>&1 </dev/null || { skip "terminals: script(1) makes none here"; false; }; }
done_tests() { echo "$passed passed, $failed failed, $skipped skipped"; [ "$failed" = 0 ]; }
