#!/usr/bin/env bash
# Puts programs, keypipe and bash's completion under ROOT, and takes exactly these away again: ROOT/share/keypipe/installed lists them, and the
# folders that were not there before, paths from ROOT; its first line, how many folders ROOT itself was. NAMES: plain, or prefixed: keypipe-score
# for score, and no plain names.
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
completions=share/bash-completion/completions
commands=(keypipe "${@/#/$prefix}")
files=("${commands[@]/#/bin/}" "${commands[@]/#/$completions/}" $list)
for f in "${files[@]}"; do
	if [ -e "$root/$f" ] && ! grep -qxF -- "$f" "$root/$list" 2>/dev/null && [ "${REPLACE:-}" != 1 ]; then
		echo "install: $root/$f is there and is not listed in $root/$list: NAMES=prefixed takes other names, REPLACE=1 replaces it" >&2
		exit 1
	fi
done

# of --help on stdin: the usage line's kinds, or the options, or `OPTION words` for those with a choice
kinds() { sed -n '1s/^usage: [^ ]* \[options\] \([a-z|]*|[a-z|]*\).*/\1/p' | tr '|' ' '; }
options() { sed -n '/^options:/,/^$/s/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' | xargs; }
choices() { sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\) \([a-z0-9]*|[a-z0-9|]*\).*/\2 \3/p' | tr '|' ' '; }
words_of() { # KEY PROGRAM [KIND]: cases of _keypipe_words
	local key=$1 help option words
	shift
	help=$("$bin/$1" "${@:2}" --help)
	echo "	'$key') echo '$(options <<<"$help")' ;;"
	choices <<<"$help" | while read -r option words; do echo "	'$key:$option') echo '$words' ;;"; done
}
{
	echo "	programs) echo '$*' ;;"
	for p; do
		words_of "$p" "$p"
		kinds=$("$bin/$p" --help | kinds)
		[ -z "$kinds" ] || echo "	'$p:operands') echo '$kinds' ;;"
		for k in $kinds; do words_of "$p $k" "$p" "$k"; done
	done
} >"$made/words"
# the first clause of what --help says below its usage line
for p; do
	"$bin/$p" --help | awk -v name="$p" '/^$/ { done = 1 } NR > 1 && !done { text = text (text == "" ? "" : " ") $0 }
		END { if (match(text, /[.:;]( |$)/)) text = substr(text, 1, RSTART - 1); printf "%-14s %s%s\n", name, tolower(substr(text, 1, 1)), substr(text, 2) }'
done >"$made/programs"
version=$("$bin/$1" --version)
sed -e "s/@VERSION@/${version##* }/; s/@PREFIX@/$prefix/" -e "/^@PROGRAMS@/{r $made/programs" -e 'd}' cmd/keypipe.sh >"$made/keypipe"
sed -e "s/@COMMANDS@/${commands[*]}/" -e "/^@WORDS@/{r $made/words" -e 'd}' cmd/keypipe.bash >"$made/keypipe.bash"

folders=
for f in bin $completions share/keypipe; do
	d=$f
	while [ "$d" != . ]; do
		[ -d "$root/$d" ] && ! grep -qxF -- "$d/" "$root/$list" 2>/dev/null || folders+=$d/$'\n'
		d=$(dirname "$d")
	done
done
for ((d = 0; 1; d++)); do
	up=$root
	for ((i = 0; i < d; i++)); do up=$(dirname "$up"); done
	[ ! -d "$up" ] || break
done
remove
above=$((above + d))
install -d "$root/bin" "$root/$completions" "$root/share/keypipe"
{ echo $above; printf '%s\n' "${files[@]}"; printf %s "$folders" | sort -ru; } >"$root/$list"
install "$made/keypipe" "$root/bin/keypipe"
for p; do install "$bin/$p" "$root/bin/$prefix$p"; done
install -m 644 "$made/keypipe.bash" "$root/$completions/keypipe"
for c in "${commands[@]:1}"; do ln -sf keypipe "$root/$completions/$c"; done
echo "installed in $root: ${commands[*]}"
