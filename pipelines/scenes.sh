#!/usr/bin/env bash
# Scenes of 640x480: faces of a data set, square images, pasted at random places and sizes of 44 to 200 pixels before things that are none.
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
for f in "$tmp"/backgrounds/*.pgm; do
	echo "${f##*/}"
	tail -c 307200 "$f" | od -An -v -tu1 -w640
done | awk -v folder="$folder" -v seed="$seed" -v faces="$tmp/faces.txt" '
	BEGIN {
		srand(seed)
		while ((getline line <faces) > 0) face[count++] = line
		side = int(sqrt(split(face[0], p, " ")) + 0.5)
		print "filename,left,top,right,bottom" >(folder "/labels.csv")
	}
	# the mean of 2x2 samples of the face for each pixel, each linear between four
	function sample(x, y, i, j) {
		x = x < 0 ? 0 : x > side - 1.001 ? side - 1.001 : x; y = y < 0 ? 0 : y > side - 1.001 ? side - 1.001 : y
		i = int(x); j = int(y); x -= i; y -= j
		j = j * side + i + 1
		return (p[j] * (1 - x) + p[j + 1] * x) * (1 - y) + (p[j + side] * (1 - x) + p[j + side + 1] * x) * y
	}
	function paste(left, top, size, a, u, v, x, y, sum) {
		split(face[int(rand() * count)], p, " ")
		a = side / size
		for (v = 0; v < size; v++)
			for (u = 0; u < size; u++) {
				sum = 0
				for (y = 0.25; y < 1; y += 0.5)
					for (x = 0.25; x < 1; x += 0.5) sum += sample((u + x) * a - 0.5, (v + y) * a - 0.5)
				pixel[top + v, left + u] = int(sum / 4 + 0.5)
			}
	}
	function apart(left, top, size, k) {
		for (k = 1; k <= placed; k++)
			if (left < x[k] + s[k] && x[k] < left + size && top < y[k] + s[k] && y[k] < top + size) return 0
		return 1
	}
	function scene(want, try, size, left, top, line, j, i) {
		placed = 0
		for (want = 1 + int(rand() * 4); want > 0; want--)
			for (try = 0; try < 50; try++) {
				size = int(44 * exp(log(200 / 44) * rand())); left = int(rand() * (641 - size)); top = int(rand() * (481 - size))
				if (!apart(left, top, size)) continue
				x[++placed] = left; y[placed] = top; s[placed] = size
				paste(left, top, size)
				printf "%s,%d,%d,%d,%d\n", name, left, top, left + size, top + size >(folder "/labels.csv")
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
