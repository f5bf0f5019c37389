#!/usr/bin/env bash
# Every program of build/bin but bench: --help (pinned in tests/help), --version, wrong use, terminals, full disks.
# UPDATE=1 tests/t_options.sh rewrites the pinned texts.
source tests/sh.sh
export LC_ALL=C
here=$PWD
cd "$TMP" || exit 1

programs=$(for p in "$BIN"/*; do [ -x "$p" ] && basename "$p"; done | grep -vx bench)
has() { [ -x "$BIN/$1" ]; }

# options P: a line `letter long argument` for each one of its help; - for none
options() {
	sed -n 's/^  -\(.\), --\([a-z0-9-]*\)/\1 \2/p; s/^      --\([a-z0-9-]*\)/- \1/p' "help/$1" | awk '{print $1, $2, (NF > 2 && $0 !~ /^[^ ]+ [^ ]+  /) ? $3 : "-"}'
}
takes() { options "$1" | grep -q "^. $2 "; }

mkdir help
for p in $programs; do
	ok "$p --help" "$p" --help
	cp .out "help/$p"
	[ ! -s .err ] || bad "$p --help writes to stderr"
	is "$(head -1 "help/$p" | cut -d' ' -f1-3)" "usage: $p [options]" "$p's usage line"
	is "$("$p" -h | cksum)" "$(cksum <"help/$p")" "$p -h"
	is "$(awk 'length > 80 && !/^  / {n++} END {print n+0}' "help/$p")" 0 "lines of $p --help over 80 columns"
	pinned=$here/tests/help/$p.txt
	if [ "${UPDATE-}" = 1 ]; then
		mkdir -p "$here/tests/help" && cp "help/$p" "$pinned"
	elif [ ! -e "$pinned" ]; then
		bad "$p: its help isn't pinned (UPDATE=1 tests/t_options.sh)"
	elif diff "$pinned" "help/$p" >.diff; then
		good
	else
		bad "$p --help is not the pinned text (UPDATE=1 tests/t_options.sh): $(head -5 .diff)"
	fi
	is "$("$p" --version)" "$p $VERSION" "$p --version"
	is "$("$p" -V)" "$p $VERSION" "$p -V"
	for o in output help version; do
		takes "$p" $o || bad "$p --help doesn't list --$o"
	done
	[ "$(grep -c '^examples:$' "help/$p")" = 1 ] || bad "$p --help shows no example"

	fails 2 "$p: unknown option '--no-such-option'; try $p --help" "$p" --no-such-option
	fails 2 "$p: unknown option '--no-such'; try $p --help" "$p" --no-such=3
	fails 2 "$p: unknown option '-%'; try $p --help" "$p" -%
	fails 2 "$p: --help takes no value" "$p" --help=1
	fails 1 "$p: stdout: No space left on device" bash -c "$p --help >/dev/full"
	fails 1 "$p: stdout: No space left on device" bash -c "$p --version >/dev/full"
done

# Every option alone, with --help behind it, so that an accepted value runs nothing.
for p in $programs; do
	while read -r letter name arg; do
		case $name in help | version) continue ;; esac
		if [ "$arg" = - ]; then
			fails 2 "$p: --$name takes no value" "$p" "--$name=1"
			continue
		fi
		fails 2 "$p: --$name needs $arg" "$p" "--$name"
		[ "$letter" = - ] || fails 2 "$p: --$name needs $arg" "$p" "-$letter"
		case $arg in
		N)
			for v in x 1.5x '' 99999999999999999999999999; do fails 2 "$p: --$name: " "$p" "--$name=$v" --help; done ;;
		*'|'*)
			fails 2 "$p: --$name: 'no such' is not one of $arg" "$p" "--$name" 'no such' --help ;;
		*,*)
			for v in a,,b a, ,a ,; do fails 2 "$p: --$name: '$v': an empty item" "$p" "--$name" "$v" --help; done ;;
		*)
			# a string is accepted; a bad number or size is refused in one line
			"$p" "--$name" 1e999x --help >.out 2>.err
			case $?,$(wc -l <.err) in
			0,0) good ;;
			2,1) fails 2 "$p: --$name: '1e999x' is not " "$p" "--$name" 1e999x --help ;;
			*) bad "$p --$name 1e999x: $(head -2 .err)" ;;
			esac ;;
		esac
	done < <(options "$p")
	if takes "$p" threads; then
		fails 2 "$p: --threads: 1025 is outside 0 to 1024" "$p" --threads 1025
		fails 2 "$p: --threads: -1 is outside 0 to 1024" "$p" -t -1
	fi
	if takes "$p" seed; then
		fails 2 "$p: --seed: '-1' is not a whole number" "$p" -s -1
	fi
	usage=$(head -1 "help/$p" | cut -d' ' -f4-)
	case $usage in
	*...*) ;;
	*) fails 2 "$p: unexpected operand" "$p" a b c d e f g h i j ;;
	esac
	case $(sed 's/\[[^]]*\]//g' <<<"$usage") in
	*[A-Z]*) fails 2 "$p: too few operands: 0 given" "$p" </dev/null ;;
	esac
done

# An option letter means the same in all programs; -n is the allowed exception.
for p in $programs; do options "$p"; done | awk '$1 != "-" && $1 != "n" {print $1, $2}' | sort -u >letters
is "$(cut -d' ' -f1 letters | uniq -d | tr -d '\n')" "" "letters with two meanings ($(cut -d' ' -f1 letters | uniq -d | while read -r l; do grep "^$l " letters; done | tr '\n' ';'))"

# A long name means the same in all programs, and in all kinds of render: its argument is the same everywhere, and a FILE is written everywhere
# (its help begins with write, list or keep all) or nowhere. Presets and forms differ by what they are for; an output OUT may be a folder.
has render && for k in faces maps tiles pairs curves video; do render $k --help >"help/render-$k"; done
meanings() { # FILE...: a line `name argument written|read|-`
	awk '
	function put() { if (name) print name, arg, arg ~ /FILE|TABLE|MODEL/ ? (text ~ /^(write|list|keep all)/ ? "written" : "read") : "-" }
	/^  -., --|^      --/ { put(); sub(/^ *(-., )?--/, ""); at = match($0, /  +/); text = at ? substr($0, at + RLENGTH) : ""
		left = at ? substr($0, 1, at - 1) : $0; name = left; sub(/ .*/, "", name); arg = substr(left, length(name) + 2); arg = arg ? arg : "-"; next }
	/^examples:/ { put(); name = ""; next }
	name { sub(/^ +/, ""); text = text ? text " " $0 : $0 }' "$@" | grep -vE '^(preset|form) |^output OUT ' | sort -u
}
meanings help/* >meant
ok "options are found" test "$(wc -l <meant)" -gt 80
is "$(cut -d' ' -f1 meant | uniq -d | while read -r l; do grep "^$l " meant; done | paste -sd ';')" "" "long names with two meanings"
printf '  -o, --output FILE  write it\n      --a FILE  read it\n      --a-very-long-name FILE\n          list it\nexamples:\n' >seen
is "$(meanings seen | paste -sd ';')" "a FILE read;a-very-long-name FILE written;output FILE written" "how meanings are seen"

# What other tools' names are said to be here is an option of some program, or its old name's successor; and no other tool's name is an option's.
sed -n 's/^\t{"\([^"]*\)", "\([a-z0-9-]*\)", 0},$/\1 \2/p; s/^\t{"\([^"]*\)", "[^"]* [^"]*", "\([a-z-]*\)"},$/\1 \2/p' "$here/lib/base/opt_unknown.c" >others
ok "other tools' names are found" test "$(wc -l <others)" -gt 80
is "$(cut -d' ' -f2 others | sort -u | while read -r o; do grep -q "^$o " meant || echo "$o"; done | paste -sd ' ')" "" "said to be here, but no option"
for words in "cnn-train --lr:--rate" "cnn-train --batch_size:--batch" "dae-pretrain --num-epochs:--epochs" "predict --num-workers:--threads" "cnn-train --weight-decay:--decay" \
	"score --output-file:--output" "tns-split --random-state:--seed" "predict --backend:--device"; do
	p=${words%% *} old=${words#* }
	has "$p" && fails 2 "$p: unknown option '${old%:*}' (here it is ${old#*:}); try $p --help" "$p" "${old%:*}" 3
done

# What was called otherwise goes on working, and is not listed.
while read -r p old now; do
	read -r -a run <<<"${p/render-/render }"
	has "${run[0]}" || continue
	! grep -q -- "^      --$old " "help/$p" && grep -q -- "^      --$now " "help/$p" && good || bad "$p --help lists --$old, or not --$now"
	fails 2 "--$now needs " "${run[@]}" "--$old"
done <<'END'
csv-clean suspects blank
face-synth truth planted
face-synth lookup test-lookup
face-synth groups people
face-synth points point-count
dae-pretrain only patches
tns-table columns fields
render-curves names legend
END

# Runs on small inputs, which write something. A program not listed is only tested as above.
has face-synth && ok "face-synth, to make inputs" face-synth -q -n 60 --size 32x32 --test test.csv --test-count 5 --test-lookup lookup.csv -o faces.csv
has csv-clean && ok "csv-clean, to make inputs" csv-clean -q faces.csv -o data.tns
has patch-extract && ok "patch-extract, to make inputs" patch-extract -q --around left_eye_center,right_eye_center --size 9x7 data.tns -o patches.tns
has dae-pretrain && ok "dae-pretrain, to make inputs" dae-pretrain -q -H 4 -e 1 patches.tns -o dae.tns
has cnn-train && ok "cnn-train, to make inputs" cnn-train -q -n 'fc4 relu fc' -e 1 data.tns -o model.tns
has window-extract && ok "window-extract, to make inputs" window-extract -q --size 16x16 data.tns -o windows.tns
has cnn-train && ok "cnn-train, to make a finder" cnn-train -q --target label -n 'fc4 relu fc' -e 1 windows.tns -o finder.tns
has predict && ok "predict, to make inputs" predict -q model.tns data.tns -o predicted.tns
has predict && csv-clean -q test.csv -o test.tns && predict -q model.tns test.tns -o answers.tns

{ printf 'P5 64 64 255\n' && head -c 4096 /dev/zero; } >image.pgm
{ echo filename,a_x,a_y,b_x,b_y && for i in {1..60}; do echo image.pgm,20,20,30,$((i)); done; } >images.csv

# kind and arguments of a run that writes to stdout: binary or text
run_of() {
	case $1 in
	face-synth) echo text -n 60 --size 32x32 ;;
	csv-clean) echo binary faces.csv ;;
	patch-extract) echo binary --around left_eye_center,right_eye_center --size 9x7 data.tns ;;
	dae-pretrain) echo binary -H 4 -e 1 patches.tns ;;
	rbm-pretrain) echo binary -H 4 -e 1 patches.tns ;;
	pca-fit) echo binary -k 4 patches.tns ;;
	cnn-train) echo binary -n fc -e 300 -r 0.003 --optimizer adam data.tns ;;
	predict) echo binary model.tns data.tns ;;
	tns-table) echo text data.tns ;;
	tns-export) echo text --form csv data.tns ;;
	tns-convert) echo binary --to npz data.tns ;;
	tns-join) echo binary data.tns predicted.tns ;;
	score) echo text predicted.tns ;;
	submit) echo text --lookup lookup.csv answers.tns ;;
	tns-info) echo text data.tns ;;
	tns-select) echo binary --rows 3- data.tns ;;
	tns-cat) echo binary data.tns data.tns ;;
	model-export) echo binary model.tns ;;
	tns-import) echo binary --form table images.csv ;;
	window-extract) echo binary --size 16x16 data.tns ;;
	face-find) echo binary finder.tns image.pgm ;;
	image-augment) echo binary --rotate 30 data.tns ;;
	render) echo binary faces data.tns ;;
	esac
}
terminals && tty=1 || tty=
for p in $programs; do
	read -r kind args <<<"$(run_of "$p")"
	[ "$p" != tns-split ] || continue # below: it has no stdout
	[ -n "$kind" ] || { skip "$p on a terminal and on a full disk: no run of it is listed"; continue; }
	for f in $args; do
		case $f in *.tns | *.csv) [ -e "$f" ] || continue 2 ;; esac # its producer isn't built, or failed above
	done
	# shellcheck disable=SC2086
	ok "$p $args" "$p" -q $args
	fails 1 "$p: stdout: No space left on device" bash -c "$p -q $args >/dev/full"
	# shellcheck disable=SC2086
	fails 1 "$p: /dev/full: No space left on device" "$p" -q $args -o /dev/full
	# shellcheck disable=SC2086
	fails 1 ": no/such: No such file or directory" "$p" -q $args -o no/such
	echo old >old
	fails 1 "$p: old: File too large" bash -o pipefail -c "(ulimit -f 0; $p -q $args -o old) 2>&1 | cat >&2"
	is "$(cat old)" old "$p leaves the old file"
	fails 1 "$p: stdout: File too large" bash -o pipefail -c "(ulimit -f 0; $p -q $args >old) 2>&1 | cat >&2"
	if [ -n "$tty" ] && [ "$kind" = binary ]; then
		got=0
		script -qec "$p -q $args" /dev/null >.tty </dev/null || got=$?
		is "$got" 2 "$p: exit status of binary to a terminal"
		grep -qF "$p: stdout: binary is not written to a terminal; try $p --help" .tty || bad "$p to a terminal says: $(head -c 200 .tty)"
	elif [ -n "$tty" ]; then
		script -qec "$p -q $args" /dev/null >.tty </dev/null || bad "$p: text to a terminal is refused"
	fi
done
if has tns-split && [ -e data.tns ]; then
	fails 1 "tns-split: /dev/full: No space left on device" tns-split -q data.tns -o part.tns -o /dev/full
	[ ! -e part.tns ] || bad "tns-split leaves one part without the other"
fi
is "$(find . -name '.*.tmp')" "" "temporary files left behind"

has tns-cat && fails 2 "tns-cat: operand 2 is empty, as that of a shell variable without a value" tns-cat data.tns ''
has render && fails 2 "render faces: operand 1 is empty" render faces ''

# Nothing is read from a terminal: the file's name was forgotten.
mute=
while read -r p args; do
	mute+=" $p"
	has "$p" && [ -n "$tty" ] || continue
	got=0
	timeout 20 script -qec "$p $args" /dev/null >.tty </dev/null || got=$?
	is "$got" 2 "$p $args: exit status of reading from a terminal ($(head -c 200 .tty))"
	is "$(tr -d '\r' <.tty | grep -cE "^(.\[K)?$p: (stdin|/dev/tty) is a terminal: (name a (CSV|log|table|tensor stream|file)|frames come from a pipe); try $p --help$")" 1 "$p $args says what it waits for ($(head -c 200 .tty))"
	nothing=$(ls x.tns 2>/dev/null)
	is "$nothing" "" "$p $args writes nothing"
done <<'END'
csv-clean -o x.tns
csv-clean /dev/tty -o x.tns
tns-info
tns-info --check -
tns-select --rows 1 -o x.tns
tns-cat data.tns - -o x.tns
tns-join data.tns - -o x.tns
tns-split -o x.tns -o y.tns
tns-split --groups /dev/tty data.tns -o x.tns -o y.tns
tns-table
tns-table --read -o x.tns
tns-export --form csv
tns-convert -o x.tns
score
score --truth - predicted.tns
submit --lookup lookup.csv
submit --lookup /dev/tty answers.tns
predict model.tns -o x.tns
predict - data.tns -o x.tns
patch-extract --around left_eye_center,right_eye_center --size 9x7 -o x.tns
dae-pretrain -H 4 -o x.tns
rbm-pretrain -H 4 -o x.tns
rbm-pretrain -H 4 --valid - patches.tns -o x.tns
pca-fit -o x.tns
cnn-train -n fc -o x.tns
cnn-train -n fc --valid - data.tns -o x.tns
render faces -o x.tns --format png
render curves -o x.tns --format png
model-export -o x.onnx
tns-import --form pnm -o x.tns
window-extract -o x.tns
face-find - image.pgm -o x.tns
image-augment -o x.tns
END
is "$(for p in $programs; do grep -qw -- "$p" <<<"$mute" || echo "$p"; done)" face-synth "programs that no terminal was tried on"
done_tests
