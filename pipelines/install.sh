#!/usr/bin/env bash
# Puts programs, keypipe, man pages and the completions of bash, zsh and fish under ROOT, and takes exactly these away again:
# ROOT/share/keypipe/installed lists them, and the folders that were not there before, paths from ROOT; its first line, how many folders ROOT
# itself was. NAMES: plain, or prefixed: keypipe-score for score, and no plain names.
# usage: install.sh install BIN ROOT NAMES PROGRAM... | install.sh uninstall BIN ROOT
set -eu -o pipefail
does=$1 bin=$2 root=$3
list=share/keypipe/installed
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$(dirname "$0")/.."
above=0
remove() {
	[ -e "$root/$list" ] || return 0
	read -r above <"$root/$list"
	tail -n +2 "$root/$list" >"$made/old"
	while IFS= read -r path; do
		case $path in
		*/) rmdir "$root/$path" 2>/dev/null || true ;;
		*) rm -f "$root/$path" ;;
		esac
	done <"$made/old"
}
if [ "$does" = uninstall ]; then
	[ -e "$root/$list" ] || { echo "uninstall: nothing is installed in $root"; exit 0; }
	remove
	for ((d = 0; d < above; d++)); do
		rmdir "$root" 2>/dev/null || break
		root=$(dirname "$root")
	done
	echo "uninstalled from $3"
	exit
fi

names=$4
shift 4
case $names in
plain) prefix= ;;
prefixed) prefix=keypipe- ;;
*) echo "install: NAMES=$names is not plain or prefixed" >&2 && exit 2 ;;
esac
commands=(keypipe "${@/#/$prefix}")
man1=("${commands[@]/#/share/man/man1/}")
bash=share/bash-completion/completions zsh=share/zsh/site-functions fish=share/fish/vendor_completions.d
fishes=("${commands[@]/#/$fish/}")
files=("${commands[@]/#/bin/}" "${man1[@]/%/.1.gz}" share/man/man7/keypipe.7.gz "${commands[@]/#/$bash/}" $zsh/_keypipe "${fishes[@]/%/.fish}" $list)
for f in "${files[@]}"; do
	if [ -e "$root/$f" ] && ! grep -qxF -- "$f" "$root/$list" 2>/dev/null && [ "${REPLACE:-}" != 1 ]; then
		echo "install: $root/$f is there and is not listed in $root/$list: NAMES=prefixed takes other names, REPLACE=1 replaces it" >&2
		exit 1
	fi
done

# what each program says of its options, kinds (render faces) behind their program: all that is made below is made of these tables
for p; do
	"$bin/$p" --help=table >"$made/$p.table"
	for k in $(sed -n 's/^operands\t\([a-z|]*|[a-z|]*\).*/\1/p' "$made/$p.table" | tr '|' ' '); do "$bin/$p" "$k" --help=table >>"$made/$p.table"; done
done
tables=("${@/#/$made/}")
tables=("${tables[@]/%/.table}")
man() { awk -v page="$1" -v prefix="$prefix" -v names="${made_of[*]}" -f pipelines/man.awk "${@:2}"; }
made_of=("$@")
man list "${tables[@]}" >"$made/programs.roff"
man plain "${tables[@]}" >"$made/programs"
version=$(awk -F '\t' '$1 == "version" { print $2; exit }' "${tables[0]}")
# filled FILE LIST PREFIX: with names, version, the list of programs and what completions know in their places
filled() {
	sed -e "s/@VERSION@/$version/g; s/@PREFIX@/$3/g; s/@COMMANDS@/${commands[*]}/" \
		-e "/^@PROGRAMS@/{r $made/$2" -e 'd}' -e "/^@WORDS@/{r $made/words" -e 'd}' "$1"
}
filled cmd/keypipe.sh programs "$prefix" >"$made/keypipe"
for s in bash zsh fish; do
	awk -v shell=$s -f pipelines/complete.awk "${tables[@]}" >"$made/words"
	filled cmd/keypipe.$s programs "$prefix" >"$made/keypipe.$s"
done
for n in 1 7; do filled cmd/keypipe.$n programs.roff "${prefix/-/\\\\-}" | gzip -9n >"$made/keypipe.$n.gz"; done
for p; do man one "$made/$p.table" | gzip -9n >"$made/$p.1.gz"; done

folders=
for f in bin share/man/man1 share/man/man7 $bash $zsh $fish share/keypipe; do
	d=$f
	while [ "$d" != . ]; do
		[ -d "$root/$d" ] && ! grep -qxF -- "$d/" "$root/$list" 2>/dev/null || folders+=$d/$'\n'
		d=$(dirname "$d")
	done
done
up=$root new=0
while [ ! -d "$up" ]; do up=$(dirname "$up") new=$((new + 1)); done
remove
above=$((above + new))
install -d "$root/bin" "$root"/share/man/man{1,7} "$root/$bash" "$root/$zsh" "$root/$fish" "$root/share/keypipe"
{ echo $above; printf '%s\n' "${files[@]}"; printf %s "$folders" | sort -ru; } >"$root/$list"
install "$made/keypipe" "$root/bin/keypipe"
install -m 644 "$made/keypipe.1.gz" "$root/share/man/man1/keypipe.1.gz"
install -m 644 "$made/keypipe.7.gz" "$root/share/man/man7/keypipe.7.gz"
for p; do
	install "$bin/$p" "$root/bin/$prefix$p"
	install -m 644 "$made/$p.1.gz" "$root/share/man/man1/$prefix$p.1.gz"
done
install -m 644 "$made/keypipe.bash" "$root/$bash/keypipe"
install -m 644 "$made/keypipe.zsh" "$root/$zsh/_keypipe"
install -m 644 "$made/keypipe.fish" "$root/$fish/keypipe.fish"
for c in "${commands[@]:1}"; do
	ln -sf keypipe "$root/$bash/$c"
	ln -sf keypipe.fish "$root/$fish/$c.fish"
done
echo "installed in $root: ${commands[*]}"
