#!/usr/bin/env bash
# Who may include whom, and how long things may be. cmd includes lib; lib the rooms below and the backend interface; kernels the interface
# and their own backend's files. Shared by lib and kernels: kernels/backend.h (the interface), kernels/augment.h (one warp for pixels and
# points), lib/base/philox.h (inline random numbers) and lib/base/err.h (how a program ends).
source tests/sh.sh
shopt -s nullglob

# includes FILE...: lines `file header`, of headers in quotes; systems: in brackets
includes() { grep -H '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$@" /dev/null | sed 's/^\([^:]*\):[^"]*"\([^"]*\)".*/\1 \2/'; }
systems() { grep -H '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' "$@" /dev/null | sed 's/^\([^:]*\):[^<]*<\([^>]*\)>.*/\1 \2/'; }
# none WHAT COMMAND...: it prints nothing
none() {
	local what=$1 lines
	shift
	lines=$("$@")
	if [ -z "$lines" ]; then good; else bad "$what: $(head -5 <<<"$lines" | paste -sd ';')"; fi
}

lib=(lib/*/*.[ch]) headers=(lib/*/*.h) kernels=(kernels/*.[ch] kernels/*/*.[ch] kernels/*/*.inc kernels/*/*.cu kernels/*/*.cc) cmd=(cmd/*.c)
all=("${cmd[@]}" "${lib[@]}" "${kernels[@]}")
ok "there is something to look at" test ${#lib[@]} -gt 40 -a ${#kernels[@]} -gt 5 -a ${#cmd[@]} -gt 5

# what follows reads includes in quotes, by their whole path
around() { systems "${all[@]}" | grep -E ' (lib|kernels|cmd|tests)/'; includes "${all[@]}" | grep -F ..; }
none "own headers in brackets, or by .." around

# The rooms of lib, each with the rooms below it that it may include. Each room's README.md says the same to people.
below() {
	case $1 in
	base) ;;
	stream | csv | synth | image | ranks) echo base ;;
	labels | table) echo base stream csv ;;
	nn | filter | export | convert) echo base stream ;;
	draw) echo base stream image ;;
	import) echo base stream csv labels image ;;
	train) echo base stream labels nn ranks ;;
	predict) echo base stream labels nn ;;
	find) echo base image nn predict ;;
	deploy) echo base stream nn convert ;;
	pca) echo base stream labels nn train ;;
	*) return 1 ;;
	esac
}
rooms() { for d in lib/*/; do below "$(basename "$d")" >/dev/null || echo "$d is no room that t_layers.sh knows"; done; compgen -G 'lib/*.[ch]'; }
none "files of lib outside of rooms" rooms
climbs() { # FILE... : includes that go up, or to a room that is not below
	includes "$@" | while read -r file header; do
		case $header in kernels/*) continue ;; esac
		from=${file#lib/} from=${from%%/*} to=${header#lib/} to=${to%%/*}
		[ -f "$header" ] || { echo "$file includes $header"; continue; }
		[ "$from" = "$to" ] || grep -qw "$to" <<<"$(below "$from")" || echo "$file climbs to $header"
	done
}
none "rooms include rooms below them" climbs "${lib[@]}"
# made to fail: a file of base that includes a net, one of csv that includes its neighbour
mkdir -p "$TMP/lib/base" "$TMP/lib/csv"
echo '#include "lib/nn/net.h"' >"$TMP/lib/base/up.c"
echo '#include "lib/stream/tns.h"' >"$TMP/lib/csv/aside.c"
ln -sfn "$ROOT/lib/nn" "$ROOT/lib/stream" "$TMP/lib"
is "$(cd "$TMP" && climbs lib/base/up.c lib/csv/aside.c | grep -c ' climbs to ')" 2 "includes that climb are seen"
# a room says what it is for, and what it may include
room_readmes() {
	for d in lib/*/; do
		r=$(basename "$d")
		[ -f "$d/README.md" ] || { echo "$d has no README.md"; continue; }
		[ "$(sed -n 's/^May include: \(.*\)\.$/\1/p' "$d/README.md" | tr -d ,)" = "$(b=$(below "$r"); echo "${b:-nothing of lib}")" ] ||
			echo "$d/README.md says otherwise than t_layers.sh what the room may include"
	done
}
none "a README for each room" room_readmes

of_cmd() { includes "${cmd[@]}" | while read -r file header; do [[ $header = lib/* && -f $header ]] || echo "$file includes $header"; done; }
of_lib() { includes "${lib[@]}" | grep ' kernels/' | grep -vE ' kernels/(backend|augment)\.h$'; }
backends_of_lib() { includes "${lib[@]}" | grep ' kernels/' | grep -vE '^lib/(nn|train)/|^lib/predict/.* kernels/backend\.h$'; }
of_kernels() {
	includes "${kernels[@]}" | while read -r file header; do
		backend=${file#kernels/} backend=${backend%/*}
		case $header in
		lib/base/philox.h | lib/base/err.h) ;;
		kernels/*/*) # its own backend's; cpu leaves rare shapes to ref
			[[ $header = kernels/$backend/* || ($backend = cpu && $header = kernels/ref/*) ]] || echo "$file includes $header" ;;
		kernels/*.h) ;;
		*) echo "$file includes $header" ;;
		esac
	done
}
none "cmd includes only lib" of_cmd
none "of kernels, lib includes the interface alone" of_lib
none "rooms that compute nothing know no kernels" backends_of_lib
none "kernels include the backend interface and their own" of_kernels

# no module reaches itself again through what it includes; a module is a path without its suffix, or, where a header says that it is private
# to NAME*.c, NAME with all NAME_*
arrows() { # FILE...
	local families
	families=$(for h in "${headers[@]}"; do sed -n '1s/^.*Private to \([a-z_/]*\)\*\.c.*/\1/p' "$h"; done | paste -sd ' ')
	includes "$@" | sed 's/^\([^ ]*\)\.[a-z]* \(.*\)\.[a-z]*$/\1 \2/' | awk -v families="$families" '
		function module(s, i) { for (i in f) if (index(s "_", f[i] "_") == 1) return f[i]; return s }
		BEGIN { split(families, f, " ") }
		{ a = module($1); b = module($2); if (a != b) print a, b }'
}
arrows "${lib[@]}" "${kernels[@]}" >"$TMP/arrows"
circles() { tsort "$TMP/arrows" 2>&1 >/dev/null; }
lowest() { grep -E '^lib/base/(err|philox|num) ' "$TMP/arrows"; }
none "modules in a circle" circles
is "$(printf '%s\n' 'a b' 'b c' 'c a' | tsort 2>&1 >/dev/null | grep -c loop)" 1 "a circle is seen"
# private headers stay with their module
intruders() {
	for h in "${headers[@]}"; do
		f=$(sed -n '1s/^.*Private to \([a-z_/]*\)\*\.c.*/\1/p' "$h")
		[ -z "$f" ] || includes "${all[@]}" | awk -v h="$h" -v f="$f" '$2 == h && index($1, f ".") != 1 && index($1, f "_") != 1'
	done
}
none "private headers included by others" intruders
none "the lowest of lib include others" lowest

# libraries of others, each behind one door
behind() { systems "${all[@]}" | grep -E " ($1)" | grep -vE "^($2)"; }
none "cblas outside lib/pca" behind 'cblas|lapack|openblas|f77blas' lib/pca/
none "cairo outside lib/draw" behind 'cairo|pango|freetype|ft2build' lib/draw/
none "libjpeg and libpng outside lib/image" behind '(jpeglib|jerror|jmorecfg|turbojpeg|png|pngconf)\.h' lib/image/
none "expat outside lib/import" behind 'expat' lib/import/
none "yajl outside lib/import and lib/convert" behind 'yajl' 'lib/(import|convert)/'
none "CUDA outside kernels/cuda" behind 'cuda|cu(blas|dnn|rand|fft|sparse|solver)|nvtx|nvToolsExt|nvrtc|nccl|cub/|thrust/|cutlass/|cute/|cooperative_groups|mma\.h' kernels/cuda/
none "MPI outside lib/ranks/ranks_mpi.c" behind 'mpi|nccl' 'lib/ranks/ranks_mpi\.c'
none "zlib outside lib" behind 'zlib' lib/
calls() { grep -nE "$1" "${all[@]}" | grep -vE "^($2)"; }
none "calls of cblas outside lib/pca" calls '\b(cblas|openblas)_[a-z_]+ *\(' lib/pca/
none "calls of cairo outside lib/draw" calls '\bcairo_[a-z_]+ *\(' lib/draw/
none "calls of libjpeg and libpng outside lib/image" calls '\b(jpeg|png)_[a-z_]+ *\(' lib/image/
none "calls of MPI outside lib/ranks/ranks_mpi.c" calls '\bP?MPI_[A-Z][A-Za-z_]+ *\(' lib/ranks/ranks_mpi.c
none "kernel launches outside kernels/cuda" calls '<<<' kernels/cuda/

# lengths
longer() { # MAX FILE...
	local max=$1 f n
	shift
	for f; do n=$(wc -l <"$f"); [ "$n" -le "$max" ] || echo "$f has $n lines"; done
}
none "programs over 200 lines" longer 200 "${cmd[@]}"
none "modules over 450 lines" longer 450 "${lib[@]}" "${kernels[@]}"
none "headers over 130 lines" longer 130 "${headers[@]}"
openings() { for f in "${headers[@]}"; do [ "$(wc -l <"$f")" -ge 8 ] && [ "$(head -c 2 "$f")" = "/*" ] || echo "$f"; done; }
none "headers that don't begin with what a caller must know" openings

# one program: its first line is `/* name - what`, its options are the only file-level state, finish() is the last word
shapes() {
	local f name
	for f in "${cmd[@]}"; do
		name=$(basename "$f" .c)
		head -1 "$f" | grep -q "^/\* $name - " || echo "$f does not begin with its name"
		grep -q 'return finish()' "$f" || echo "$f does not end with finish()"
		grep -q 'opt_parse(' "$f" || echo "$f does not parse with opt_parse"
		grep -nE '^(static )?[a-z].*;$' "$f" | grep -vE '^[0-9]+:(static )?const |^[0-9]+:static const|\(.*\);$|^[0-9]+:struct [a-z_]+;$' | sed "s|^|$f: state |"
	done
}
none "the shape of a program" shapes
pointers() { grep -nE '\btypedef\b[^;(]*\*[^;(]*;' "${all[@]}" tests/*.[ch]; }
none "typedef'd pointers" pointers
spaces() { grep -nE '^    +[^ *]' "${cmd[@]}" "${lib[@]}"; }
none "indented by blanks" spaces

# what tests/fuzz.md says that no input can take is still there
untaken() {
	sed -n 's/^| \(lib[^ ]*\.c\) | \([a-z0-9_]*\) | \(.*\) | \(true\|false\|both\) | .*/\1\t\2\t\3/p' tests/fuzz.md | while IFS=$'\t' read -r f name line; do
		grep -q "\b$name(" "$f" || echo "$f has no $name"
		grep -qF -- "$line" "$f" || echo "$f, $name has no '$line'"
	done
}
none "branches that fuzz.md speaks of" untaken
is "$(($(grep -c '^| lib.*| both |' tests/fuzz.md) > 40))" 1 "there are some"

# README lists what there is
readme() {
	for f in "${cmd[@]}"; do
		name=$(basename "$f" .c)
		[ "$name" = bench ] || grep -qE "^\| *\[?\`?$name\`?" README.md || echo "$name is missing"
	done
	sed -n 's/^| *\[\{0,1\}`\{0,1\}\([a-z]\{1,\}-[a-z]\{1,\}\)`\{0,1\}.*/\1/p' README.md | while read -r name; do [ -e "cmd/$name.c" ] || echo "$name is not there"; done
}
if [ -e README.md ]; then none "README's table of programs" readme; else skip "no README.md"; fi
done_tests
