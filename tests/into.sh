#!/usr/bin/env bash
# Replaces what is between a file's lines <!-- NAME:begin --> and <!-- NAME:end -->, of which there must be one pair, by stdin.
# usage: into.sh FILE NAME
set -eu -o pipefail
file=$1 name=$2 text=$(mktemp)
trap 'rm -f "$text" "$file.new"' EXIT
cat >"$text"
awk -v b="<!-- $name:begin -->" -v e="<!-- $name:end -->" '$0 == b { if (n++) bad = 1 } $0 == e { if (n++ != 1) bad = 1 } END { exit bad || n != 2 }' "$file" || {
	echo "into.sh: $file: not one <!-- $name:begin --> and after it one <!-- $name:end -->" >&2
	exit 1
}
awk -v table="$text" -v b="<!-- $name:begin -->" -v e="<!-- $name:end -->" '
	$0 == b { print; while ((getline line < table) > 0) print line; skip = 1; next }
	$0 == e { skip = 0 }
	!skip' "$file" >"$file.new"
mv "$file.new" "$file"
