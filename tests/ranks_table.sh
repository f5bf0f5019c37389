#!/usr/bin/env bash
# Fingerprints of trainings in 8 shards by one process and by 1, 2, 4 and 8 ranks, with different numbers of threads, on synthetic faces.
# usage: ranks_table.sh BIN
set -eu -o pipefail
bin=$1 dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
"$bin/face-synth" -n 200 -s 5 | "$bin/csv-clean" -q -o "$dir/faces.tns" 2>/dev/null
"$bin/patch-extract" --preset eyes "$dir/faces.tns" -o "$dir/patches.tns" 2>/dev/null
print() { "$bin/tns-info" "$1" | sed -n 's/^fingerprint: //p'; }
printf '| training | one process, -t 2 | np 1, -t 2 | np 2, -t 3 | np 4, -t 1 | np 8, -t 1 |\n|---|---|---|---|---|---|\n'
row() { # NAME DATA COMMAND...
	local name=$1 data=$dir/$2 line n threads=(0 2 3 0 1 0 0 0 1)
	shift 2
	local program=$bin/$1
	shift
	"$program" "$@" -q -t 2 --shards 8 "$data" -o "$dir/m.tns" 2>/dev/null
	line="| $name | $(print "$dir/m.tns")"
	for n in 1 2 4 8; do
		mpirun -q --oversubscribe --bind-to none -np $n "$program" "$@" -q -t ${threads[$n]} "$data" -o "$dir/m$n.tns" 2>/dev/null
		line+=" | $(print "$dir/m$n.tns")"
	done
	echo "$line |"
}
heat='conv3x3x16s2p1 bn relu conv3x3x32p1 bn relu ( conv3x3x32p1 bn relu conv3x3x32p1 bn )+ relu conv3x3x32s2p1 relu up2 conv3x3x16p1 relu conv1x1'
for p in fp32 bf16; do
	row "heat maps, batch norm, augmented, Adam, $p" faces.tns cnn-train -n "$heat" --target heatmap -e 2 -b 32 --optimizer adam -r 0.002 --augment default --valid-part 0.2 --precision $p
	row "coordinates, dense layers, dropout, $p" faces.tns cnn-train -n 'fc100 relu dropout0.3 fc' -e 3 -b 50 --precision $p
	row "dae-pretrain -H 100,50, $p" patches.tns dae-pretrain -H 100,50 -e 2 -b 200 --precision $p
	row "rbm-pretrain --persistent, $p" patches.tns rbm-pretrain -H 100 -e 2 -b 100 --persistent --precision $p
done
