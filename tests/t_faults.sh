#!/usr/bin/env bash
# Every program where reads and writes are short and interrupted, where memory can't be had, and where a system call fails: lines 5, 6 and 7 of
# the table of trust, by libraries of ours that are preloaded (failing.c) and a program that runs each command again and again (sweep.c).
# TRUST=1: every call and every allocation in turn. Lines that begin with `trust:` are the counts.
source tests/sh.sh
source tests/runs.sh
export LC_ALL=C
long=${TRUST:+1} long=${long:-0}
say() { echo "trust: $1 | $2 | $3 | $4"; }
cc=$(command -v "${CC:-cc}" || command -v gcc || command -v clang)
flags=(-D_GNU_SOURCE -I. -O1 -Wall -Wextra)
case $BIN in *-san*) flags+=(-DSANITIZED) ;; esac
if ! "$cc" "${flags[@]}" -shared -fPIC -static-libgcc -o "$TMP/failing.so" tests/failing.c -ldl 2>"$TMP/.err" ||
	! "$cc" "${flags[@]}" -o "$TMP/sweep" tests/sweep.c 2>"$TMP/.err"; then
	bad "the tools are not built: $(head -3 "$TMP/.err")"
	done_tests
	exit
fi
cd "$TMP" || exit 1
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
inputs
all_tried
declare -A errno=([EINTR]=4 [EIO]=5 [ENOMEM]=12 [EACCES]=13 [ENOSPC]=28 [ESPIPE]=29 [EPERM]=1 [ENOLCK]=37 [EDQUOT]=122 [NONE]=0)

# swept FEW COMMAND -- SPEC...: runs sweep; adds its counts to those of each call: total, asked, failed, passed, signals
declare -A calls asked failed survived signals
swept() {
	local few=$1 command=$2 options=() call err a b c d e
	shift 2
	case $command in *log.tsv*) options=(-x log.tsv) ;; esac # it has seconds
	[ "$few" = 0 ] || options+=(-n "$few")
	./sweep "${options[@]}" ./failing.so "$@" -- $command >.counts 2>.faults
	is "$? $(head -5 .faults)" "0 " "$command"
	[ -s .counts ] || bad "$command: no counts"
	while read -r call err a b c d e; do
		calls[$call]=$((${calls[$call]-0} + a)) asked[$call]=$((${asked[$call]-0} + b)) failed[$call]=$((${failed[$call]-0} + c))
		survived[$call]=$((${survived[$call]-0} + d)) signals[$call]=$((${signals[$call]-0} + e))
	done <.counts
}
few=$((long ? 0 : 1))
[ $long = 0 ] || runs+=$more
if [ $long = 1 ]; then
	specs=(pass:short:9)
	for e in EIO ENOSPC; do
		for c in read write fsync rename ftruncate fchmod flock; do specs+=("fail:$c:${errno[$e]}"); done
		for c in open close unlink lseek stat fstat fopen; do specs+=("either:$c:${errno[$e]}"); done
		specs+=("pass:mmap:${errno[$e]}")
	done
else
	specs=(pass:short:1 either:open:5 fail:read:5 fail:write:28 fail:fsync:5 fail:rename:28 either:close:5 fail:ftruncate:5 pass:mmap:5 either:unlink:5 either:stat:5 either:fstat:5)
fi
case $BIN in *-san*) skip 'allocations that fail: a sanitizer has its own memory' ;; *) specs+=(either:alloc:12 either:thread:11) ;; esac
while read -r _ command; do
	[ -n "$command" ] || continue
	case $long,$command in
	0,*.svg* | 0,*.pdf*) swept 1 "$command" pass:short:1 fail:write:28; continue ;; # fonts take long; the rest is the PNG's
	esac
	swept "$few" "$command" "${specs[@]}"
	case $BIN,$command in
	*-san*) ;;
	*,render*) swept $((long ? 300 : 2)) "$command" any:library:12 ;; # fontconfig and cairo
	*) swept $((long ? 0 : 2)) "$command" either:library:12 ;;
	esac
done <<<"$runs"

# ---- 5: the same through pipes ----
tried=0 same=0
while read -r _ command; do
	[[ $command = *" -o out/x."* && $command != *log.tsv* && $command != *--checkpoint* ]] || continue
	read -ra words <<<"${command/ -o out\/x.??? / }"
	[[ ${#words[@]} -lt $(wc -w <<<"$command") ]] || read -ra words <<<"${command/ -o out\/x.???? / }"
	last=${words[-1]}
	[ -f "$last" ] || continue
	words[-1]=-
	cat "$last" | "${words[@]}" 2>.err | cat >plain
	[ "${PIPESTATUS[*]}" = "0 0 0" ] || continue # one that is not for pipes
	tried=$((tried + 1))
	cat "$last" | SHORT=$tried FAIL_IN=$TMP LD_PRELOAD=$TMP/failing.so "${words[@]}" 2>.err | cat >short
	if cmp -s plain short; then same=$((same + 1)); else bad "short reads and writes: ${words[*]} <$last: $(head -1 .err)"; fi
done <<<"$runs"
[ $tried -gt 15 ] || bad "only $tried programs can be piped"
good

say 5 'reads, writes of 1 to 7 bytes, EINTR: every program, files' "${asked[short]}/${asked[short]}" "${survived[short]} with the same bytes"
say 5 'the same through pipes, stdin to stdout' $tried/$tried "$same with the same bytes"
[ -z "${asked[alloc]-}" ] || {
	say 6 'the k-th allocation fails: every program' "${asked[alloc]}/${calls[alloc]}" "${failed[alloc]} ended with 1 and a line, ${survived[alloc]} with the same bytes as ever"
	say 6 'that of a library but OpenBLAS' "${asked[library]}/${calls[library]}" "${failed[library]} ended with 1, ${survived[library]} with 0, ${signals[library]} by a signal in fontconfig or cairo"
	say 6 'the k-th thread can not be started' "${asked[thread]-0}/${calls[thread]-0}" "${failed[thread]-0} ended with 1 and a line, ${survived[thread]-0} with the same bytes"
}
for c in open read write fsync rename close mmap lseek ftruncate fchmod flock unlink stat fstat fopen; do
	[ -z "${asked[$c]-}" ] || say 7 "the k-th $c fails$([ $long = 1 ] && echo ' with EIO, with ENOSPC'): every program" "${asked[$c]}/${calls[$c]}" \
		"${failed[$c]} ended with 1 and a line that names the file, ${survived[$c]} with the same bytes"
done

# ---- 7: other reasons, and calls whose failure is of no matter ----
few=0
swept "$few" 'tns-select -q --rows 1-3 -o out/x.tns in/five.tns' fail:write:${errno[EDQUOT]} fail:write:${errno[NONE]} pass:write:${errno[EINTR]} \
	pass:close:${errno[EINTR]} pass:fchmod:${errno[EPERM]} pass:flock:${errno[ENOLCK]} either:open:${errno[EACCES]}:out pass:read:${errno[EINTR]} \
	pass:mmap:${errno[ENOMEM]} pass:lseek:${errno[ESPIPE]}
case $BIN in *-san*) ;; *) swept 0 'tns-info -o out/x.txt in/five.tns' either:alloc:12 ;; esac

# names of what has none, or has another one already
rm -rf out && mkdir out
fails 1 "tns-select: /dev/fd/3: its name can't be found" bash -c 'exec 3>gone; rm gone; tns-select --rows 1 -o /dev/fd/3 in/five.tns'
cnn-train -q -t 1 -n fc -e 1 -r 0.001 -o out/a.tns in/faces.tns 2>/dev/null
cnn-train -q -t 1 -n fc -e 1 -r 0.001 -o /dev/stdout in/faces.tns >out/b.tns 2>/dev/null
same out/a.tns out/b.tns "/dev/stdout is a file"

# a log is written as it comes; a checkpoint that is there is a whole one, from which the run goes on to the same end
options=(-r -x log.tsv)
[ $long = 1 ] || options+=(-n 1)
./sweep "${options[@]}" ./failing.so fail:write:5:out fail:write:28:out fail:ftruncate:5:out fail:fsync:5:out fail:rename:5:out either:open:5:out \
	either:close:5:out either:mmap:5:out either:fopen:5:out either:fwrite:5:out either:fread:5:out pass:write:4:out pass:close:4:out pass:mmap:12:in \
	pass:lseek:29:in either:open:5:in -- cnn-train -q -t 1 -n 'pool8 fc' -e 1 -r 0.001 --valid in/faces.tns --resume --checkpoint out/c.tns --log out/log.tsv \
	-o out/x.tns in/faces.tns >.counts 2>.faults
is "$? $(head -5 .faults)" "0 " "a run that resumes"
say 7 'the k-th of 12 calls fails, then --resume' "$(awk '{a += $4; t += $3} END {print a "/" t}' .counts)" 'the same weights in the end'
# fail CALL:NTH:ERRNO COMMAND...: runs it with that call on files in out failing
fail() {
	local what=$1
	shift
	rm -f reached && head -c 8192 /dev/zero >reached
	FAIL=$what FAIL_IN=$TMP/out FAILED=$TMP/reached LD_PRELOAD=$TMP/failing.so "$@" >.out 2>.err
}
# a file that can't be read is not taken for a folder
cp in/five.tns out/five.tns
fail read:1:5 tns-info out/five.tns
is "$?, $(wc -l <.err) line, $(grep -c 'Input/output error' .err), $(grep -c folder .err)" "1, 1 line, 1, 0" "a stream whose first read fails: $(<.err)"
# rows that don't fit in memory, in a file without a name
case $BIN in
*-san* | *-cov*) skip "a temporary file for rows: this build takes address space of its own" ;;
*)
	# shellcheck disable=SC2046
	tns-cat -q $(yes in/patches.tns | head -100) -o some.tns && tns-cat -q $(yes some.tns | head -15) -o large.tns
	kib=$((($(stat -L -c %s "$(command -v rbm-pretrain)") + $(stat -c %s large.tns)) / 1024 + 20000))
	for nth in 1 30; do
		(ulimit -v $kib && fail write:$nth:28 rbm-pretrain -q -t 1 -H 90,5 -e 1 -b 100 --valid in/patches.tns -o out/rows.tns large.tns)
		is "$? $(<.err)" "1 rbm-pretrain: a temporary file for rows that don't fit in memory: No space left on device" "write $nth of rows fails"
		[ -e out/rows.tns ] && bad "an output after rows that could not be kept" || good
	done
	rm some.tns large.tns ;;
esac
# a checkpoint that can't be looked at is not taken for none: a run that would start over leaves it, one that resumes goes on from it
for p in "cnn-train -q -t 1 -n fc -r 0.001" "rbm-pretrain -q -t 1 -H 5"; do
	case $p in cnn*) data=in/faces.tns ;; *) data=in/patches.tns ;; esac
	rm -rf out before && mkdir out
	fail rename:2:5 $p -e 3 --checkpoint out/c.tns -o out/x.tns $data && bad "$p: its output can't be renamed, and it succeeds"
	mv out before
	fails 1 'keeps epoch' $p -e 3 --checkpoint before/c.tns -o before/x.tns $data
	for ((n = 1; ; n++)); do
		rm -rf out && cp -r before out
		fail stat:$n:5 $p -e 3 --checkpoint out/c.tns -o out/x.tns $data && bad "$p: starts over, call $n"
		cmp -s out/c.tns before/c.tns || bad "$p: the checkpoint is another, call $n"
		tr -d '\0' <reached | grep -q out/ || break
	done
	[ $n -gt 5 ] && good || bad "$p: $n calls"
	./sweep -n $((long ? 99 : 3)) -r -o before ./failing.so either:stat:5:out either:open:5:out -- $p -e 3 --resume --checkpoint out/c.tns -o out/x.tns $data >.counts 2>.faults
	is "$? $(head -5 .faults)" "0 " "${p%% *} goes on"
done
done_tests
