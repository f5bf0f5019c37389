#!/usr/bin/env bash
# Scenes of 640x480: faces of a data set, pasted at random places before things that are none, their larger side 44 to 200 pixels.
# Writes FOLDER/000001.pgm, ... and FOLDER/labels.csv: filename,left,top,right,bottom.
# usage: scenes.sh BIN FACES N SEED FOLDER
set -eu -o pipefail
bin=$1 faces=$2 n=$3 seed=$4 folder=$5
export LC_ALL=C
mkdir -p "$folder"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$bin/face-synth" --photos "$n" --faces 0 -s "$seed" -o "$tmp/backgrounds"
"$bin/tns-table" -q --image --fields Image "$faces" | grep -v '^#' | tail -n +2 >"$tmp/faces.txt"
width=$("$bin/tns-info" "$faces" | awk '$1 == "image" {n = split($3, dim, ","); print dim[n]}')
for f in "$tmp"/backgrounds/*.pgm; do
	echo "${f##*/}"
	tail -c 307200 "$f" | od -An -v -tu1 -w640
done | awk -v folder="$folder" -v seed="$seed" -v W="$width" -v faces="$tmp/faces.txt" '
	BEGIN {
		srand(seed)
		while ((getline line <faces) > 0) face[count++] = line
		H = split(face[0], p, " ") / W; larger = W > H ? W : H
		print "filename,left,top,right,bottom" >(folder "/labels.csv")
	}
	# the mean of 2x2 samples of the face for each pixel, each linear between four
	function sample(x, y, i, j) {
		x = x < 0 ? 0 : x > W - 1.001 ? W - 1.001 : x; y = y < 0 ? 0 : y > H - 1.001 ? H - 1.001 : y
		i = int(x); j = int(y); x -= i; y -= j
		j = j * W + i + 1
		return (p[j] * (1 - x) + p[j + 1] * x) * (1 - y) + (p[j + W] * (1 - x) + p[j + W + 1] * x) * y
	}
	function paste(left, top, wide, high, size, a, u, v, x, y, sum) {
		split(face[int(rand() * count)], p, " ")
		a = larger / size
		for (v = 0; v < high; v++)
			for (u = 0; u < wide; u++) {
				sum = 0
				for (y = 0.25; y < 1; y += 0.5)
					for (x = 0.25; x < 1; x += 0.5) sum += sample((u + x) * a - 0.5, (v + y) * a - 0.5)
				pixel[top + v, left + u] = int(sum / 4 + 0.5)
			}
	}
	function apart(left, top, wide, high, k) {
		for (k = 1; k <= placed; k++)
			if (left < x[k] + w[k] && x[k] < left + wide && top < y[k] + h[k] && y[k] < top + high) return 0
		return 1
	}
	function scene(want, try, size, wide, high, left, top, line, j, i) {
		placed = 0
		for (want = 1 + int(rand() * 4); want > 0; want--)
			for (try = 0; try < 50; try++) {
				size = int(44 * exp(log(200 / 44) * rand())); wide = int(size * W / larger + 0.5); high = int(size * H / larger + 0.5)
				left = int(rand() * (641 - wide)); top = int(rand() * (481 - high))
				if (!apart(left, top, wide, high)) continue
				x[++placed] = left; y[placed] = top; w[placed] = wide; h[placed] = high
				paste(left, top, wide, high, size)
				printf "%s,%d,%d,%d,%d\n", name, left, top, left + wide, top + high >(folder "/labels.csv")
				break
			}
		print "P2\n640 480\n255" >(folder "/" name)
		for (j = 0; j < 480; j++) {
			line = ""
			for (i = 0; i < 640; i++) line = line " " pixel[j, i]
			print line >(folder "/" name)
		}
		close(folder "/" name)
	}
	NF == 1 { name = $1; rows = 0; next }
	{ for (i = 1; i <= NF; i++) pixel[rows, i - 1] = $i; if (++rows == 480) scene() }'
