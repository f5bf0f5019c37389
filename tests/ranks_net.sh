#!/usr/bin/env bash
# Two ranks in two network namespaces with a slow line between them: seconds and bytes of a step, counted on the line, beside what the model of
# pipelines/cluster.md says. As root; DELAY (ms, each way, 1) and RATE (Mbit/s, 100).
# usage: ranks_net.sh BIN
set -eu -o pipefail
bin=$1 delay=${DELAY:-1} rate=${RATE:-100} dir=$(mktemp -d) a=kp-a-$$ b=kp-b-$$
clean() { [ -z "${line-}" ] || kill $line; ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null; rm -rf "$dir"; }
trap clean EXIT
ip netns add $a && ip netns add $b
cc -O2 -D_GNU_SOURCE tests/slow_line.c -o "$dir/slow_line"
"$dir/slow_line" $a kpa $b kpb $rate $delay >"$dir/line" &
line=$!
for ((i = 0; i < 50; i++)); do grep -q ready "$dir/line" && break; sleep 0.1; done
for n in "$a kpa 10.99.0.1" "$b kpb 10.99.0.2"; do
	read -r ns dev at <<<"$n"
	ip -n $ns addr add $at/24 dev $dev && ip -n $ns link set $dev up mtu 9000 && ip -n $ns link set lo up
done
printf '#!/bin/bash\nshift\nexec ip netns exec %s unshare -u bash -c "hostname kp-b; $*"\n' $b >"$dir/agent"
chmod +x "$dir/agent"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
run() { ip netns exec $a unshare -u bash -c 'hostname kp-a; exec "$@"' - mpirun -q --bind-to none --host 10.99.0.1:1,10.99.0.2:1 -np 2 --mca plm_rsh_agent "$dir/agent" --mca btl self,tcp --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 "$@"; }
sent() { ip netns exec $a cat /sys/class/net/kpa/statistics/tx_bytes; }
"$bin/face-synth" -n 256 | "$bin/csv-clean" -q -o "$dir/faces.tns" 2>/dev/null
heat='conv3x3x32s2p1 relu conv3x3x32p1 relu conv3x3x64s2p1 relu conv3x3x64p1 relu conv3x3x128s2p1 relu conv3x3x128p1 relu up2 conv3x3x64p1 relu up2 conv3x3x32p1 relu conv1x1x15'
t=("$bin/cnn-train" -n "$heat" --target heatmap -b 32 -e 3 -r 0.0001 -t 1 --shards 2 "$dir/faces.tns")
seconds() { awk 'NR > 1 {if (!first++) t0 = $NF; t = $NF; k++} END {printf "%.3f", (t - t0) / (k - 1) / 8}' "$1"; }
run "${t[@]}" --log "$dir/slow" -o "$dir/slow.tns" 2>"$dir/err" >/dev/null || true
all=$(sent) bytes=$(sed -n 's/.*a rank sent \([0-9]*\) bytes.*/\1/p' "$dir/err")
mpirun -q -np 2 --mca btl self,vader "${t[@]}" --log "$dir/fast" -o "$dir/fast.tns" 2>/dev/null >/dev/null || true
"${t[@]}" -t 2 -q -o "$dir/one.tns" 2>/dev/null || true
print() { "$bin/tns-info" "$1" | sed -n 's/^fingerprint: //p'; }
slow=$(seconds "$dir/slow") fast=$(seconds "$dir/fast")
echo "fingerprints: $(print "$dir/slow.tns") over the line, $(print "$dir/fast.tns") in memory, $(print "$dir/one.tns") by one process"
echo "a step: $bytes bytes a rank as the program counts, $((all / 24)) as the line does (start and end of the run included)"
awk "BEGIN {printf \"seconds a step: %s over the line, %s in memory; the model, nothing overlapped: %.3f\n\", $slow, $fast, $fast + $bytes * 8 / ($rate * 1e6) + 2 * $delay / 1000}"
