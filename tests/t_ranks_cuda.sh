#!/usr/bin/env bash
# Trainings of ranks that have a GPU each, on CUDA's runtime on the host: gradients travel by an NCCL of our own (nccl_fake.c), whose work lands
# as late as streams let it, or through the host's memory; each rank's GPU; a rank or an NCCL that is lost.
source tests/sh.sh
source tests/mpi.sh
R=$ROOT/${B:-build}/runtime
if [ ! -x "$R/bin/cnn-train" ]; then
	skip "programs for GPUs were not built with MPI"
	done_tests
	exit
fi
export KEYPIPE_GPU_COUNT=4 BACKEND=cuda
nccl() { KEYPIPE_NCCL=$R/libnccl.so ranks "$@"; }
host() { KEYPIPE_NCCL=0 ranks "$@"; }

# the exchange itself, beside what follows
exchange() { local what=$1; shift; "$@" >/dev/null 2>"err.exchange" && echo "$what" >>exchanges; }
{
	for n in 2 4; do exchange "NCCL, $n" nccl $n "$R/tests/check_ranks"; done
	KEYPIPE_GPU_AT_ONCE=0 exchange "at once" nccl 2 "$R/tests/check_ranks"
	exchange AllReduce nccl 4 "$R/tests/check_ranks" fast
	exchange "the host's memory" host 4 "$R/tests/check_ranks"
} &
exchanges=$!

# nets: batch norm, dropout, a last batch of few rows, validation; one process, and ranks
face-synth -n 40 -s 3 --size 16x16 | csv-clean -q --size 16x16 -o faces.tns 2>/dev/null
tns-split -q --parts 0.8,0.2 faces.tns -o train.tns -o valid.tns 2>/dev/null
train=(cnn-train -q -d cuda --net 'conv3x3x4p1 bn relu pool2 dropout0.1 conv3x3p1' --target heatmap --batch 13 --epochs 2 --optimizer adam --augment default)
one=("$R/bin/${train[@]}")

# an NCCL that fails under way and then does not come to its end, and one that others wait for
# ends NAME OPTION...: on 2 ranks, beside what follows; said NAME LINE: how it did, and whether soon
ends() {
	local name=$1 t0=$SECONDS; shift
	KEYPIPE_NCCL=$R/libnccl.so timeout 60 mpirun -q --bind-to none -np 2 "${one[@]}" "$@" train.tns -o "$name.tns" 2>"err.$name"
	echo "$?, $((SECONDS - t0 <= 25))" >"end.$name"
}
said() {
	is "$(cat "end.$1") $(cat "err.$1")" "1, 1 cnn-train: $2" "$1: its end, whether soon, and its line"
	ok "$1: no output" test ! -e "$1.tns"
}
NCCL_FAKE=init,alone ends alone &
alone=$!
NCCL_FAKE=fails,hangs ends under_way --batch 64 --epochs 5 --checkpoint under_way.last &
under_way=$!

"${one[@]}" --shards 4 --valid valid.tns train.tns -o one.tns 2>/dev/null
want=$(print_of one.tns)
for n in 1 2 4; do
	NCCL_FAKE_LOG=$TMP/ends.$n nccl $n "${one[@]}" --shards 4 --valid valid.tns train.tns -o some.tns 2>/dev/null
	prints some.tns "$want" "$n ranks, NCCL"
	[ $n = 1 ] || is "$(sort ends.$n | uniq -c | xargs)" "$(for ((i = 0; i < n; i++)); do echo "1 rank $i of $n: destroyed"; done | xargs)" "$n ranks, NCCL: how it ends"
	rm -f some.tns
done
host 2 "${one[@]}" --shards 4 --valid valid.tns train.tns -o some.tns 2>err
prints some.tns "$want" "2 ranks, the host's memory"
is "$(grep -c . err), $(grep -c "^cnn-train: NCCL is done without, and gradients go through the host's memory: rank 0 ($(hostname)): KEYPIPE_NCCL is 0$" err)" "2, 1" "why is said"
elastic=("${one[@]}" --shards 4 --valid-part 0.3 --augment default,elastic=2)
"${elastic[@]}" train.tns -o one.tns 2>/dev/null
cat train.tns | nccl 2 "${elastic[@]}" -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "from a pipe"
patch-extract -q --preset eyes --size 5x5 faces.tns -o patches.tns 2>/dev/null
dae=("$R/bin/dae-pretrain" -q -d cuda -H 7,3 -e 2 -b 21 --shards 4 patches.tns)
"${dae[@]}" -o one.tns 2>/dev/null
nccl 4 "${dae[@]}" -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "dae-pretrain"

# --fast
nccl 4 "${one[@]}" --shards 4 --fast --valid valid.tns train.tns -o fast.tns 2>err
ok "--fast is said" grep -q '^cnn-train: --fast: AllReduce (NCCL 2.27.3) sums gradients: the bits depend on the number of ranks, here 4$' err
ok "it has bits of its own" test "$(print_of fast.tns)" != "$want"
is "$(tns-info fast.tns | grep -c '^  cnn-train .* --fast ') $(meta fast.tns ranks)" "1 4" "it is in the history, and over how many ranks"

# which GPU
same="ranks 0 and 1 have the same GPU of $(hostname), and NCCL takes one rank a GPU: start at most as many as there are GPUs, or set KEYPIPE_NCCL=0"
fails 1 "cnn-train: $same" env KEYPIPE_GPU_COUNT=1 KEYPIPE_NCCL="$R/libnccl.so" mpirun -q --bind-to none -np 2 "${one[@]}" train.tns -o x.tns
fails 1 "cnn-train: $same" env KEYPIPE_GPU=3 KEYPIPE_NCCL="$R/libnccl.so" mpirun -q --bind-to none -np 2 "${one[@]}" train.tns -o x.tns
KEYPIPE_GPU_COUNT=1 host 2 "${one[@]}" --shards 4 --valid valid.tns train.tns -o some.tns 2>/dev/null
prints some.tns "$want" "two ranks on a GPU, the host's memory"

# an NCCL that can't be used; ranks that compute by different kernels
KEYPIPE_NCCL=$TMP/none.so ranks 2 "${one[@]}" --dry-run train.tns >/dev/null 2>err
is "$(cat err)" "cnn-train: NCCL is done without, and gradients go through the host's memory: rank 0 ($(hostname)): $TMP/none.so: cannot open shared object file: No such file or directory" "no library"
KEYPIPE_NCCL=$R/libnccl.so ranks 1 "${one[@]}" --dry-run train.tns : -np 1 env KEYPIPE_NCCL=libm.so.6 "${one[@]}" --dry-run train.tns >/dev/null 2>err
ok "another library" grep -q "NCCL is done without, .*: rank 1 ($(hostname)): .*undefined symbol: ncclGetVersion" err
rm -f some.tns
NCCL_FAKE=init nccl 2 "${one[@]}" --shards 4 --valid valid.tns train.tns -o some.tns 2>err
ok "one that does not start on a rank" grep -q "NCCL is done without, .*: rank 1 ($(hostname)): unhandled system error$" err
prints some.tns "$want" "one that does not start on a rank"
nccl 1 "${one[@]}" --dry-run train.tns : -np 1 env NCCL_FAKE=old "${one[@]}" --dry-run train.tns >/dev/null 2>err
ok "another version" grep -q "NCCL is done without, .*: rank 1 ($(hostname)): it has NCCL 2.7.8, and rank 0 NCCL 2.27.3$" err
fails 1 "cnn-train: rank 1 ($(hostname)) differs from rank 0: what computes it (rank 0: cuda, " nccl 1 "${one[@]}" train.tns -o x.tns : -np 1 "${one[@]}" -d cpu train.tns -o x.tns
ok "no output" test ! -e x.tns

# a rank is lost
long=("${one[@]}" --epochs 100000 train.tns --checkpoint long.last -o long.tns)
NCCL_FAKE_LOG=$TMP/ends KEYPIPE_NCCL=$R/libnccl.so mpirun -q --bind-to none -np 4 "${long[@]}" 2>err &
for ((i = 0; i < 300; i++)); do [ ! -e long.last ] || break; sleep 0.1; done
pids=($(pgrep -P $! cnn-train)) t0=$SECONDS
is "${#pids[@]}" 4 "ranks that run"
kill -9 "${pids[2]}"
wait $! && bad "a run that lost a rank succeeds"
ok "it ends soon" test $((SECONDS - t0)) -le 10
is "$(grep -c . err), $(grep -cE "^cnn-train: rank [0-3] of 4, on $(hostname), is lost, so the run ends: epoch [0-9]+ is kept in long.last; this goes on: cnn-train .* --resume$" err)" "1, 1" "one line: $(head -3 err)"
ok "NCCL is aborted" grep -q '^rank 0 of 4: aborted$' ends
ok "the checkpoint is whole" tns-info --check long.last

wait $exchanges $alone $under_way
is "$(paste -sd ';' exchanges)" "NCCL, 2;NCCL, 4;at once;AllReduce;the host's memory" "sums of ranks, in tree order or by AllReduce"
said alone "rank 1: NCCL: it does not start here (unhandled system error), and other ranks wait for it; KEYPIPE_NCCL=0 does without"
said under_way "rank 1: NCCL: unhandled system error"
is "$(meta under_way.last opt.epoch)" 4 "a step whose sum did not come is in no checkpoint"
done_tests
