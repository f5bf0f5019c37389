#!/usr/bin/env bash
# A table of a model's error on a data set's faces as they are, and moved, scaled, turned, darker, with noise, compressed, blurred by motion.
# Points that a change takes out of the image, and those with one coordinate where it turns faces, count neither there nor in the column beside it,
# of the same points as they are.
# Labels are off the pixels as the model found (image-augment --labels-of). OPTIONS are predict's.
# usage: robust.sh BIN MODEL DATA [OPTIONS]
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "$1") model=$2 data=$3 predict=${4-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
PATH=$bin:$PATH
export LC_ALL=C
# measured OPTIONS: the table of points and predictions of the faces so changed
# shellcheck disable=SC2086
measured() { image-augment -q --labels-of "$model" $1 "$data" | predict -q $predict "$model" | tns-table -q --notes no; }
said() { # an error's line instead of those of programs that fail after it
	grep -v 'its producer gave up' "$tmp/err" | head -1 >&2
	exit 1
}
measured "" >"$tmp/as" 2>"$tmp/err" || said
size=$(tns-info "$data" | awk '{split($3, d, ",")} $1 == "image" {side = d[3] " " d[2]} $1 == "keypoints" {points = d[2]} END {print side, points}')
while IFS='|' read -r name factor options; do
	measured "$options" >"$tmp/so" 2>"$tmp/err" || said
	awk -F, -v name="$name" -v factor="$factor" -v changed=$((${#options} > 0)) -v size="$size" -v model="$model" -v data="$data" -f "$here/robust.awk" "$tmp/as" "$tmp/so"
done <<'END'
as they are|1|
moved by 12 px|1|--shift 12,0
scaled by 0.7|0.7|--scale 0.7
scaled by 1.3|1.3|--scale 1.3
turned by 15 degrees|1|--rotate 15
turned by 30 degrees|1|--rotate 30
turned by 45 degrees|1|--rotate 45
a third of the light|1|--light 0.33333
noise of 15 grey levels|1|--noise 15
JPEG of quality 30|1|--jpeg 30
motion blur of 5 px|1|--motion 5
END
