#!/usr/bin/env bash
# Programs with damaged input, full disks, closed pipes and signals: lines 1, 2, 8 and 9 of the table of trust.
# Alone: it fills disks, kills at moments and measures time.
# TRUST=1: the long form. Lines that begin with `trust:` are the counts.
source tests/sh.sh
long=${TRUST:+1} long=${long:-0}
cd "$TMP" || exit 1
has() { [ -x "$BIN/$1" ]; }
say() { echo "trust: $1 | $2 | $3 | $4"; }
RANDOM=2026

# ---- the programs' inputs, each made by the ones before it ----
face-synth -q -n 40 --test test.csv --test-count 20 --test-lookup lookup.csv -o training.csv
csv-clean -q -o faces.tns training.csv
csv-clean -q -o test.tns test.csv
has tns-table && tns-table --image -o faces.csv faces.tns
mkdir photos
{ printf 'P5 96 96 255\n' && tail -c 9216 faces.tns; } >photos/a.pgm
echo 'pool4 fc20 relu fc' >net.txt
has patch-extract && patch-extract -q --preset eyes -o eyes.tns faces.tns
has dae-pretrain && dae-pretrain -q -H 60 -e 1 -b 50 -o dae.tns --checkpoint dae.check eyes.tns
has rbm-pretrain && rbm-pretrain -q -H 20 -e 1 -b 50 --persistent -o rbm.tns --checkpoint rbm.check eyes.tns
has cnn-train && cnn-train -q -n @net.txt -e 1 -b 8 -o cnn.tns --checkpoint cnn.check faces.tns
has window-extract && window-extract -q -o windows.tns faces.tns && cnn-train -q --target label -n 'fc4 relu fc' -e 1 -b 8 -o finder.tns windows.tns
has predict && predict -q -o predicted.tns cnn.tns faces.tns && predict -q -o asked.tns cnn.tns test.tns && predict -q -o pairs.tns dae.tns eyes.tns
ok "there are streams to break" test -s faces.tns

# Every program that reads a stream: the stream, then the command with IN and OUT. A name that ends in * is only read as a file.
readers="
tns-info      faces.tns     tns-info -o OUT IN
tns-info      cnn.tns       tns-info --json -o OUT IN
tns-info      predicted.tns tns-info --check IN
tns-select    faces.tns     tns-select -q --where labels>3 --points *eye* -o OUT IN
tns-select    faces.tns     tns-select -q --sample 9 -o OUT IN
tns-select    predicted.tns* tns-select -q --sort -error -o OUT IN
tns-select    cnn.tns       tns-select -q --without *.bias -o OUT IN
tns-cat       faces.tns     tns-cat -q -o OUT IN faces.tns
tns-cat       eyes.tns      tns-cat -q --source -o OUT eyes.tns IN
patch-extract faces.tns     patch-extract -q --preset eyes -o OUT IN
tns-split     faces.tns     tns-split -q -o OUT -o OUT.2 IN
tns-split     faces.tns*    tns-split -q --by near -o OUT -o OUT.2 IN
tns-table     predicted.tns tns-table -q -o OUT IN
tns-table     faces.tns     tns-table --image -o OUT IN
tns-join      faces.tns     tns-join -q -o OUT IN predicted.tns
tns-join      predicted.tns tns-join -q -o OUT faces.tns IN
predict       faces.tns     predict -q -o OUT cnn.tns IN
predict       cnn.tns       predict -q -o OUT IN faces.tns
predict       eyes.tns      predict -q -o OUT dae.tns IN
tns-export    predicted.tns tns-export -q --form coco -o OUT IN
tns-convert   predicted.tns tns-convert -q --to npz -o OUT IN
tns-convert   eyes.tns      tns-convert -q --to safetensors -o OUT IN
model-export  cnn.tns       model-export -q --form onnx -o OUT IN
window-extract faces.tns    window-extract -q --others faces.tns -o OUT IN
window-extract faces.tns*   window-extract -q -o OUT faces.tns --others IN
image-augment faces.tns    image-augment -q --rotate 9 --noise 5 -o OUT IN
face-find     finder.tns    face-find -q -o OUT IN photos
score         predicted.tns score -o OUT IN
score         faces.tns     score -o OUT --truth IN predicted.tns
submit        asked.tns     submit -q --lookup lookup.csv -o OUT IN
render        faces.tns     render faces -q --format png -o OUT IN
render        eyes.tns      render tiles -q --format png -o OUT IN
render        dae.tns       render tiles -q --format svg -o OUT IN
render        pairs.tns     render pairs -q --format pdf -o OUT IN
dae-pretrain  eyes.tns      dae-pretrain -q -H 9 -e 1 -b 50 -o OUT IN
rbm-pretrain  eyes.tns      rbm-pretrain -q -H 9 -e 1 -b 50 -o OUT IN
rbm-pretrain  eyes.tns      rbm-pretrain -q -H 9 -e 1 -b 50 -o OUT --valid IN eyes.tns
rbm-pretrain  rbm.check*    rbm-pretrain -q -H 20 -e 1 -b 50 --persistent --resume --checkpoint IN -o OUT eyes.tns
dae-pretrain  dae.check*    dae-pretrain -q -H 60 -e 1 -b 50 --resume --checkpoint IN -o OUT eyes.tns
pca-fit       eyes.tns      pca-fit -q -k 9 -o OUT IN
cnn-train     faces.tns     cnn-train -q -n @net.txt -e 1 -b 8 -o OUT IN
cnn-train     faces.tns     cnn-train -q -n @net.txt -e 1 -b 8 --valid IN -o OUT faces.tns
cnn-train     cnn.tns       cnn-train -q -n @net.txt -e 1 -b 8 --init IN -o OUT faces.tns
cnn-train     cnn.check*    cnn-train -q -n @net.txt -e 1 -b 8 --resume --checkpoint IN -o OUT faces.tns
"
# Programs that write: command with OUT.
writers="
face-synth    face-synth -q -n 40 -o OUT
csv-clean     csv-clean -q -o OUT training.csv
patch-extract patch-extract -q --preset eyes -o OUT faces.tns
tns-split     tns-split -q -o OUT -o OUT.2 faces.tns
tns-join      tns-join -q -o OUT faces.tns predicted.tns
tns-table     tns-table -q -o OUT predicted.tns
tns-table     tns-table --read -q -o OUT faces.csv
dae-pretrain  dae-pretrain -q -H 60 -e 1 -b 50 -o OUT eyes.tns
rbm-pretrain  rbm-pretrain -q -H 60 -e 1 -b 50 -o OUT eyes.tns
pca-fit       pca-fit -q -k 60 -o OUT eyes.tns
cnn-train     cnn-train -q -n @net.txt -e 1 -b 8 -o OUT faces.tns
predict       predict -q -o OUT cnn.tns faces.tns
score         score -o OUT predicted.tns
submit        submit -q --lookup lookup.csv -o OUT asked.tns
render        render faces -q --format png -o OUT faces.tns
tns-info      tns-info -o OUT faces.tns
tns-select    tns-select -q --rows 1-20 -o OUT faces.tns
tns-cat       tns-cat -q -o OUT faces.tns faces.tns
tns-import    tns-import -q --form folder -o OUT photos
tns-export    tns-export -q --form jsonl -o OUT predicted.tns
window-extract window-extract -q -o OUT faces.tns
image-augment image-augment -q --scale 0.9 --jpeg 40 -o OUT faces.tns
face-find     face-find -q -o OUT finder.tns photos
tns-convert   tns-convert -q --to npz -o OUT faces.tns
model-export  model-export -q --form onnx -o OUT cnn.tns
"
for p in "$BIN"/*; do
	p=$(basename "$p")
	case $p in bench) continue ;; face-synth | csv-clean | tns-import) ;; *) grep -q "^$p " <<<"$readers" || bad "$p reads streams, but is not tried here" ;; esac
	grep -q "^$p " <<<"$writers" || bad "$p writes, but is not tried here"
done
list() { while read -r p rest; do if [ -n "$p" ] && has "$p"; then echo "$rest"; fi; done <<<"$1"; }
mapfile -t reads < <(list "$readers")
mapfile -t writes < <(list "$writers")
for p in $(awk '{print $1}' <<<"$writers$readers" | sort -u); do has "$p" || bad "no $p"; done

size() { stat -c %s "$1"; }
strays() { find . -maxdepth 2 \( -name '.*.tmp' -o -name 'out*' \) ! -name '.out' ! -name '.err' | sort; }
# run COMMAND: with IN on stdin if $3 is pipe; leaves status
attempt() { # COMMAND IN pipe|file
	local words
	status=0
	read -ra words <<<"${1//OUT/out.x}"
	if [ "$3" = pipe ]; then
		cat "$2" | "${words[@]/#IN/-}" >.out 2>.err
		status=${PIPESTATUS[1]}
	else
		"${words[@]/#IN/$2}" >.out 2>.err || status=$?
	fi
}
clear_out() { rm -f out.x out.x.* .out.x*; }

# ---- the commands work on whole input ----
for r in "${reads[@]}"; do
	read -r in cmd <<<"$r"
	cp "${in%\*}" whole.tns
	attempt "$cmd" whole.tns file
	if [ $status = 0 ]; then good; else bad "exit $status: $cmd ($(head -2 .err))"; fi
	clear_out
done

# ---- 1 and 2: cut anywhere, a bit flipped anywhere ----
broken() { # cut|flip each
	local tried=0 wrong=0 r in cmd how way n at byte i
	for r in "${reads[@]}"; do
		read -r in cmd <<<"$r"
		for ((i = 0; i < $2; i++)); do
			n=$(size "${in%\*}")
			at=$(((RANDOM << 15 | RANDOM) % n))
			[ "$i" = 1 ] && at=$((n - 64)) # END's payload is missing
			[ "$i" = 3 ] && at=$((i == 3 ? 0 : at))
			[ "$i" = 5 ] && at=32
			[ "$i" = 7 ] && at=$((n - 1))
			if [ "$1" = cut ]; then
				head -c "$at" "${in%\*}" >broken.tns
			else
				cp "${in%\*}" broken.tns
				byte=$(od -An -tu1 -j "$at" -N 1 broken.tns)
				printf "\\x$(printf %02x $((byte ^ 1 << RANDOM % 8)))" | dd of=broken.tns bs=1 seek="$at" conv=notrunc status=none
			fi
			cp broken.tns broken.before
			way=file
			case $in in *\*) ;; *) [ $(((tried + i) % 2)) = 0 ] && way=pipe ;; esac
			case $cmd in *"--init IN"* | *"--valid IN"* | *"--truth IN"* | *"-o OUT IN faces.tns"*) way=file ;; esac
			attempt "$cmd" broken.tns $way
			tried=$((tried + 1))
			if [ $status != 1 ] || [ "$(wc -l <.err)" != 1 ] || [ -n "$(strays)" ] || { [ -s .out ] && [ $status = 0 ]; } || ! cmp -s broken.tns broken.before; then
				wrong=$((wrong + 1))
				bad "$1 at $at of ${in%\*} ($way): exit $status, $(head -1 .err) $(strays | paste -sd ' '): $cmd"
				cp broken.before "wrong-$wrong.tns"
			fi
			clear_out
		done
	done
	say "$3" "streams $4, real programs" $tried "$wrong accepted, half written or without one line"
	[ $wrong = 0 ] && good
}
broken cut $((long ? 2000 / ${#reads[@]} + 1 : 5)) 1 'truncated'
broken flip $((long ? 500 / ${#reads[@]} + 1 : 2)) 2 'with one bit flipped'

# truncated input of the first program ends all programs of the chain; the last one reports the reason if the stream had begun
if has patch-extract && has tns-info; then
	face-synth -q -n 300 | csv-clean -q -o big.tns
	n=0 first=$((113 * 9216 + 20000)) # the first chunk: 113 rows in a MiB
	for ((i = 0; i < (long ? 50 : 4); i++)); do
		at=$(((RANDOM << 15 | RANDOM) % $(size big.tns)))
		head -c $at big.tns | patch-extract -q --preset eyes 2>.err1 | tee copy.tns | tns-info -o out.x 2>.err2
		s="${PIPESTATUS[*]}"
		[ "${s:2}" = "1 0 1" ] && [ ! -e out.x ] && ! tns-info --check copy.tns 2>/dev/null || bad "cut at $at, a chain: $s"
		if ((at > first)); then grep -q 'its producer gave up: .*the input ends' .err2 || bad "cut at $at: the reason is not passed on: $(cat .err2)"; fi
		n=$((n + 1))
	done
	say 1 'a cut at the head of a chain' $n '0 accepted at its end'
	good
fi

# ---- 4: a stream for every rule that can be broken is refused in little time and memory ----
streams=${BIN%/bin}/tests/check_tns_bad
if has tns-info && [ -x "$streams" ]; then
	mkdir hostile
	WIRE_DUMP=hostile "$streams" >/dev/null
	n=0 slowest=0 limit=(prlimit --data=67108864)
	case $BIN in *-san*) limit=(env) ;; esac # a sanitizer's shadow memory is larger
	for f in hostile/bad-*.tns; do
		t0=${EPOCHREALTIME/./}
		fails 1 "$f: " "${limit[@]}" tns-info --check "$f"
		t1=${EPOCHREALTIME/./}
		((t1 - t0 > slowest)) && slowest=$((t1 - t0))
		n=$((n + 1))
	done
	for f in hostile/good-*.tns; do ok "$f is right" "${limit[@]}" tns-info --check "$f"; done
	rm -r hostile
	say 4 'hostile streams, one a broken rule, in 64 MiB' $n "refused in one line; slowest $((slowest / 1000)) ms"
else
	skip "no $streams"
fi
if python3 -c 'import os; os.waitstatus_to_exitcode' 2>/dev/null; then
	case $BIN in *-san*) loose=loose ;; *) loose='' ;; esac
	HOSTILE=$loose PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/hostile.py" corpus cnn.tns faces.tns >.hostile 2>&1 && good || bad "hostile files: $(grep -v '^trust:' .hostile)"
	grep '^trust:' .hostile
	rm -rf corpus
else
	skip 'a python3 of 3.9 or later, to write hostile files'
fi

# ---- 8: full disks ----
if [ -e /dev/full ]; then
	n=0
	for cmd in "${writes[@]}"; do
		case $cmd in *OUT.2*) continue ;; esac
		read -ra words <<<"$cmd"
		fails 1 'No space left on device' "${words[@]/#OUT//dev/full}"
		case $cmd in *-q*) ;; *) words+=("") ;; esac
		read -ra words <<<"${cmd/-o OUT/}"
		"${words[@]}" >/dev/full 2>.err && bad "success into a full stdout: $cmd"
		grep -q 'No space left' .err || bad "into a full stdout: $(head -1 .err)"
		n=$((n + 2))
	done
	say 8 '/dev/full as file and as stdout' $n '0 taken for success'
else
	skip 'no /dev/full'
fi

# full WHAT COMMAND...: it failed, the old file is whole, no temporary is left. Its stderr goes through a pipe, as files are limited
full() {
	local what=$1 got
	shift
	"$@" 2>&1 >/dev/null | cat >.err
	got=${PIPESTATUS[0]}
	[ "$got" = 1 ] && [ "$(wc -l <.err)" = 1 ] && grep -qE 'No space left|File too large' .err && cmp -s disk/out.x old && [ "$(ls -A disk)" = out.x ] || {
		bad "$what: exit $got, $(head -1 .err), $(ls -A disk | paste -sd ' '): $*"
		return
	}
	filled=$((filled + 1))
}
# fill KIND: every program that writes, at 8 [3] sizes from nothing to just too little
fill() {
	local cmd words n i room
	filled=0 tried=0
	for cmd in "${writes[@]}"; do
		read -ra words <<<"${cmd//OUT/out.x}"
		"${words[@]}" >/dev/null 2>&1
		n=$(size out.x)
		clear_out
		read -ra words <<<"${cmd//OUT/disk/out.x}"
		for i in $([ $long = 1 ] && seq 0 7 || echo 0 3 7); do
			cp old disk/out.x
			if [ "$1" = limit ]; then
				full "a limit of $((n * i / 8)) bytes" prlimit --fsize=$((n * i / 8)) "${words[@]}"
			else
				room=$(((n + 4095) / 4096 * i / 8)) # pages; the old file has one too
				mount -o remount,size=$(((1 + room) * 4096)) disk
				full "a tmpfs with $room pages left" "${words[@]}"
			fi
			tried=$((tried + 1))
			rm -rf disk/* disk/.[!.]*
		done
	done
	is $filled $tried "full: $1"
}
mkdir disk
echo 'the old file, whole' >old
clear_out
fill limit
say 8 'file size limits' $tried "$filled failed with the old file whole and nothing lying about"
if mount -t tmpfs -o size=64k none disk 2>/dev/null; then
	trap 'umount disk 2>/dev/null' EXIT
	fill tmpfs
	umount disk
	say 8 'small tmpfs' $tried "$filled failed with the old file whole and nothing lying about"
else
	skip 'no right to mount a tmpfs'
fi

# ---- 9: pipes closed by their readers ----
left=0 tried=0
for cmd in "face-synth -q -n 400 --planted out.side --dirt" "csv-clean -q --report out.side training.csv" "patch-extract -q --preset eyes faces.tns" \
	"predict -q cnn.tns faces.tns" "cnn-train -q -n @wide.txt -e 1 -b 8 --log side.tsv faces.tns" "dae-pretrain -q -H 200 -e 1 -b 50 eyes.tns"; do
	has "${cmd%% *}" || continue
	echo 'fc60 relu fc' >wide.txt
	for n in 0 1 32 4096; do
		read -ra words <<<"$cmd"
		# more than a pipe's capacity, so that the writer gets EPIPE
		"${words[@]}" 2>.err | head -c $n >/dev/null
		s=${PIPESTATUS[0]}
		tried=$((tried + 1))
		if [ "$s" != 0 ] && [ -z "$(strays)" ]; then left=$((left + 1)); else bad "reader leaves after $n bytes: exit $s, $(strays | paste -sd ' '): $cmd"; fi
		clear_out
		rm -f out.side
	done
done
say 9 'readers that leave after 0, 1, 32, 4096 bytes' $tried "$left failed, and left nothing"
is $left $tried 'readers that leave'

# ---- 9: every stage of a pipeline killed in turn ----
chain=("face-synth -q -n 4000000000 -t 1" "csv-clean -q")
has predict && chain+=("predict -q cnn.tns")
has patch-extract && chain+=("patch-extract -q --preset eyes")
has tns-split && chain+=("tns-split -q -o made.tns -o made.2.tns") || chain[-1]+=" -o made.tns"
last=$((${#chain[@]} - 1))
for ((i = 0; i < last; i++)); do mkfifo "fifo$i"; done
# Starts all stages with default signal handlers (a shell ignores INT in background commands); pid[i]
start() {
	local i words in out
	for ((i = 0; i <= last; i++)); do
		read -ra words <<<"${chain[i]}"
		in=/dev/null out=/dev/null
		((i > 0)) && in=fifo$((i - 1))
		((i < last)) && out=fifo$i
		env --default-signal=INT,TERM,PIPE "${words[@]}" <$in >$out 2>>.errs &
		pid[i]=$!
	done
}
rounds=$((long ? 5 : 1)) tried=0 clean=0 leftover=0
for ((round = 0; round < rounds; round++)); do
	for sig in TERM INT KILL; do
		for ((stage = 0; stage <= last; stage++)); do
			rm -f made* .made*
			start
			for ((i = 0; i < 100 && stage == last; i++)); do # its temporary file is there
				compgen -G '.made*.tmp' >/dev/null && break
				sleep 0.05
			done
			sleep "0.$((1 + RANDOM % 3))"
			kill -$sig "${pid[stage]}"
			(sleep 60; kill -9 "${pid[@]}") 2>/dev/null &
			guard=$!
			bad_stages=0
			for ((i = 0; i <= last; i++)); do
				wait "${pid[i]}" 2>/dev/null || bad_stages=$((bad_stages + 1))
			done
			kill $guard 2>/dev/null
			wait $guard 2>/dev/null
			tried=$((tried + 1))
			tmps=$(find . -maxdepth 1 -name '.*.tmp' | sort | paste -sd ' ')
			allowed=''
			[ $sig = KILL ] && [ $stage = $last ] && allowed=$tmps # at most one a target
			[ -n "$allowed" ] && leftover=$((leftover + 1))
			if [ $bad_stages -ge 1 ] && [ ! -e made.tns ] && [ ! -e made.2.tns ] && [ "$tmps" = "$allowed" ] && [ "$(wc -w <<<"$tmps")" -le 2 ]; then
				clean=$((clean + 1))
			else
				bad "SIG$sig to '${chain[stage]}': $bad_stages stages failed; there are: $(ls -A | grep made | paste -sd ' ')"
			fi
			if [ -n "$allowed" ] && has tns-split; then # the next run overwrites them
				tns-split -q -o made.tns -o made.2.tns faces.tns || bad "the run after a kill fails"
				[ -z "$(find . -maxdepth 1 -name '.*.tmp')" ] && [ -s made.tns ] && [ -s made.2.tns ] || bad "the run after a kill leaves $(ls -A | grep made | paste -sd ' ')"
			fi
		done
	done
done
say 9 "stages of a pipeline of ${#chain[@]} killed by TERM, INT, KILL" $tried "$clean without a target; $leftover left .NAME.tmp, which the next run removed"
is $clean $tried 'stages killed'
done_tests
