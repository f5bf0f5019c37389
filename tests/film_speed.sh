#!/usr/bin/env bash
# Frames a second by the clock, on one processor, from raw video through tns-import, predict and render video; and the processor's time that each
# of them takes. The film is a synthetic one of 240x240, the net pipelines/nets/small.net, whatever it has learned.
# usage: film_speed.sh BIN [FRAMES [RUNS]]; CPU=0: which processor; ZOOM: of render video (default: its own)
set -eu -o pipefail
bin=$(realpath "$1") frames=${2:-1000} runs=${3:-5} cpu=${CPU-0} side=240
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
PATH=$bin:$PATH
face-synth -q -n 64 | csv-clean -q --keep-all | cnn-train -q -e 1 -n @pipelines/nets/small.net --target heatmap -o "$tmp/model.tns" 2>/dev/null
# its frames are PGM; raw ones have no headers
face-synth -q --film 100 --photo-size ${side}x$side -o "$tmp/film.pgm"
head=$(($(stat -c %s "$tmp/film.pgm") / 100 - side * side))
for ((i = 0; i < 100; i++)); do head -c "$head" >/dev/null && head -c $((side * side)); done <"$tmp/film.pgm" >"$tmp/100"
for ((i = 0; i < frames; i += 100)); do cat "$tmp/100"; done | head -c $((frames * side * side)) >"$tmp/film"
export tmp side zoom="${ZOOM:+--zoom $ZOOM}" LC_ALL=C
run() {
	TIMEFORMAT='%U %S'
	{ time tns-import -q --form raw --frame ${side}x$side <"$tmp/film"; } 2>"$tmp/import" |
		{ time predict -q -t 1 "$tmp/model.tns"; } 2>"$tmp/predict" |
		{ time render video -q $zoom >/dev/null; } 2>"$tmp/render"
}
export -f run
printf '%12s %12s %12s %12s  of %d frames, seconds of the processor\n' frames/s tns-import predict 'render video' "$frames"
for ((i = 0; i < runs; i++)); do
	from=$(date +%s%N)
	taskset -c "$cpu" bash -c run
	to=$(date +%s%N)
	for p in import predict render; do awk '{print $1 + $2}' "$tmp/$p"; done | paste -sd ' ' | awk -v n="$frames" -v ns=$((to - from)) '{printf "%12.0f %12.2f %12.2f %12.2f\n", n * 1e9 / ns, $1, $2, $3}'
done
