#!/usr/bin/env bash
# Images a second of two ranks with one thread each beside one process with two threads, for the nets of bench's heat-train-32 and conv-train-128,
# with the bytes that a rank sends in a step; on two cores where nothing else runs. The first epoch is not counted.
# usage: ranks_speed.sh BIN [ROUNDS]
set -eu -o pipefail
bin=$1 rounds=${2:-2} dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=${OMPI_MCA_btl-self,vader}
faces=384 epochs=4
"$bin/face-synth" -n $faces | "$bin/csv-clean" -q -o "$dir/faces.tns" 2>/dev/null
heat='conv3x3x32s2p1 relu conv3x3x32p1 relu conv3x3x64s2p1 relu conv3x3x64p1 relu conv3x3x128s2p1 relu conv3x3x128p1 relu up2 conv3x3x64p1 relu up2 conv3x3x32p1 relu conv1x1x15'
conv='conv3x3x32 relu pool2 conv2x2x64 relu pool2 conv2x2x128 relu pool2 fc500 relu fc500 relu fc30'
# speed COMMAND...: images a second; the line of bytes in $dir/err
speed() {
	rm -f "$dir/log" "$dir/m.tns"
	"$@" --log "$dir/log" "$dir/faces.tns" -o "$dir/m.tns" >/dev/null 2>"$dir/err" || true
	awk -v n=$faces 'NR > 1 {if (!first++) t0 = $NF; t = $NF; k++} END {printf "%.1f", n * (k - 1) / (t - t0)}' "$dir/log"
}
for w in heat:32:heatmap conv:128:coords; do
	IFS=: read -r net batch target <<<"$w"
	t=("$bin/cnn-train" -n "${!net}" --target $target -b $batch -e $epochs -r 0.0001)
	for ((i = 0; i < rounds; i++)); do
		one=$(speed "${t[@]}" -t 2) eight=$(speed "${t[@]}" -t 2 --shards 8) single=$(speed "${t[@]}" -t 1)
		np1=$(speed mpirun -q -np 1 "${t[@]}" -t 1 --shards 2) np2=$(speed mpirun -q -np 2 "${t[@]}" -t 1 --shards 2)
		bytes=$(sed -n 's/.*a rank sent \([0-9]*\) bytes.*/\1/p' "$dir/err")
		np28=$(speed mpirun -q -np 2 "${t[@]}" -t 1)
		printf '%s-train-%s: one process, 2 threads %s, in 8 shards %s; 1 thread %s; np 1 in 2 shards %s; np 2 in 2 shards %s (%s of one process; %s bytes a step), in 8 shards %s (%s)\n' \
			$net $batch "$one" "$eight" "$single" "$np1" "$np2" "$(awk "BEGIN {printf \"%.2f\", $np2 / $one}")" "$bytes" "$np28" "$(awk "BEGIN {printf \"%.2f\", $np28 / $one}")"
	done
done
