#!/usr/bin/env bash
# One training under MPI: the same fingerprint for 1, 2, 4 and 8 ranks, any number of threads and one process with as many shards; resumed by
# fewer ranks; a rank that is lost, differs or is refused ends the run in one line.
source tests/sh.sh
source tests/mpi.sh
checks=$ROOT/${B:-build}/tests

face-synth -n 90 -s 3 --size 32x32 | csv-clean -q --size 32x32 -o faces.tns 2>/dev/null
tns-split -q --parts 0.8,0.2 faces.tns -o train.tns -o valid.tns 2>/dev/null
patch-extract -q --preset eyes --size 9x9 faces.tns -o patches.tns 2>/dev/null

# the exchange itself
for n in 2 8; do ok "sums of $n ranks in tree order" ranks $n "$checks/check_ranks"; done
ok "sums of 4 ranks by AllReduce" ranks 4 "$checks/check_ranks" fast
fails 1 "rank 2 ($(hostname)) differs from most: its weights after step 3" ranks 4 "$checks/check_ranks" differ
ranks 4 "$checks/check_ranks" leave 2>err
is "$(cat err)" "check_ranks: rank 3 of 4, on $(hostname), is lost, so the run ends: nothing is kept" "a rank that goes"

is "$(ranks 2 "$checks/check_ranks" local)" 2 "ranks that share processors"
cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
[ "$(nproc)" = 1 ] || is "$(ranks 1 "$checks/check_ranks" local : -np 1 taskset -c "$cpu" "$checks/check_ranks" local)" 1 "one bound to its own"

# nets: batch norm, dropout, a skip; batches that shards don't divide, and a last one of few rows; all that an epoch's end sums up
net='conv3x3x8p1 bn relu pool2 ( conv3x3x8p1 bn relu dropout0.1 conv3x3x8p1 bn )+ relu conv3x3p1'
train=(-q --net "$net" --target heatmap --batch 27 --epochs 2 --optimizer adam --rate 0.002 --augment default --average 0.9 --valid valid.tns)
for precision in fp32 bf16; do
	cnn-train "${train[@]}" --precision $precision --shards 8 -t 3 --suspects one.tsv train.tns -o one.tns 2>/dev/null
	want=$(print_of one.tns)
	for n in 1 2 4 8; do
		[ $precision = fp32 ] || [ $n = 4 ] || continue
		ranks $n cnn-train "${train[@]}" --precision $precision -t $((n % 3)) --suspects some.tsv --log some.log train.tns -o some.tns 2>/dev/null
		prints some.tns "$want" "$n ranks, $precision"
		same one.tsv some.tsv "$n ranks, $precision: suspect labels"
		rm some.tns
	done
done
is "$(wc -l <some.log)" 3 "rank 0 alone writes the log"
cnn-train "${train[@]}" train.tns -o whole.tns 2>/dev/null
ok "whole batches have other bits than shards" test "$(print_of whole.tns)" != "$want"
dense=(-q --net 'fc20 tanh dropout0.2 fc' --target coords --batch 16 --epochs 2 train.tns)
cnn-train "${dense[@]}" --shards 4 -o one.tns 2>/dev/null
ranks 4 cnn-train "${dense[@]}" --shards 4 -d ref -o ref.tns 2>/dev/null
cnn-train "${dense[@]}" --shards 4 -d ref -o one-ref.tns 2>/dev/null
prints ref.tns "$(print_of one-ref.tns)" "ref"
ranks 4 cnn-train "${dense[@]:1}" -o some.tns 2>err
ok "bytes a step are told" grep -Eq ': 4 ranks, 8 shards: in each of 10 steps a rank sent [0-9]+ bytes, [0-9]+ of them gradients$' err

# without labels: codes on codes; chains that go on, sparsity, a last batch of few rows
dae=(dae-pretrain -q -H 12,8 -e 2 -b 37)
rbm=(rbm-pretrain -q -H 12 -b 37 --persistent --sparsity 0.1 --sparsity-cost 0.1 --decay 0.001)
"${dae[@]}" --shards 8 patches.tns -o one.tns 2>/dev/null
ranks 4 "${dae[@]}" patches.tns -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "dae-pretrain"
"${rbm[@]}" -e 3 --shards 8 patches.tns -o one.tns 2>/dev/null
ranks 4 "${rbm[@]}" -e 2 patches.tns --checkpoint rbm.last -o some.tns 2>/dev/null
ranks 2 "${rbm[@]}" -e 3 patches.tns --checkpoint rbm.last --resume -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "rbm-pretrain, resumed by fewer ranks"

# --fast: AllReduce, whose bits depend on how many ranks there were
fast=(cnn-train -q --net 'fc20 tanh fc' --target coords --batch 16 --fast train.tns --checkpoint fast.last -o fast.tns)
ranks 4 "${fast[@]}" --epochs 1 2>err
is "$(grep -c '^cnn-train: --fast: AllReduce (MPI) sums gradients: the bits depend on the number of ranks, here 4$' err), $(meta fast.tns ranks)" "1, 4" "--fast is said"
ranks 2 "${fast[@]}" --epochs 2 --resume 2>err
is "$(grep -c "^cnn-train: --fast: the checkpoint was made by 4 ranks, and goes on with 2: its bits are neither's$" err), $(meta fast.tns ranks)" "1, 4,2" "--fast, resumed by fewer"
ranks 2 "${fast[@]}" --epochs 3 --resume 2>err
is "$(grep -c "^cnn-train: --fast: the checkpoint" err), $(meta fast.tns ranks)" "0, 4,2" "--fast, resumed by as many"
"${rbm[@]}" --fast --shards 2 -e 1 --checkpoint fast-rbm.last patches.tns -o fast.tns 2>/dev/null
is "$(meta fast.tns ranks)" "" "--fast of one process, which sums nothing over ranks"
ranks 2 "${rbm[@]}" --fast --shards 2 -e 2 --checkpoint fast-rbm.last --resume patches.tns -o fast.tns 2>/dev/null
is "$(meta fast.tns ranks)" "1,2" "rbm-pretrain, resumed by more"

# data: each rank reads its rows of the file; through a pipe rank 0 hands them on, those held out and moved elastically, too
ok "images stay in the file" ranks 2 "$checks/check_ranks" store patches.tns
piped=(-q --net "$net" --target heatmap --batch 27 --epochs 2 --augment default,elastic=2 --valid-part 0.3)
cnn-train "${piped[@]}" --shards 8 train.tns -o one.tns 2>/dev/null
cat train.tns | ranks 4 cnn-train "${piped[@]}" -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "from a pipe"
gaussian=(rbm-pretrain -q -H 9 -e 2 -b 64 --visible gaussian --rate 0.01 --patches positive)
"${gaussian[@]}" --shards 8 patches.tns -o one.tns 2>/dev/null
cat patches.tns | ranks 2 "${gaussian[@]}" - -o some.tns 2>/dev/null
prints some.tns "$(print_of one.tns)" "patches from a pipe"

# a rank is lost
long=(cnn-train --net "$net" --target heatmap --batch 27 --epochs 100000 train.tns --checkpoint long.last -o long.tns)
mpirun -q --bind-to none -np 4 "${long[@]}" 2>err &
for ((i = 0; i < 200; i++)); do [ ! -e long.last ] || break; sleep 0.1; done
pids=($(pgrep -P $! cnn-train)) t0=$SECONDS
is "${#pids[@]}" 4 "ranks that run"
kill -9 "${pids[2]}"
wait $! && bad "a run that lost a rank succeeds"
ok "it ends soon" test $((SECONDS - t0)) -le 10
is "$(grep -c ' is lost' err)" 1 "one line says which rank is lost"
ok "it says how to go on" grep -Eq "^cnn-train: rank [0-3] of 4, on $(hostname), is lost, so the run ends: epoch [0-9]+ is kept in long.last; this goes on: cnn-train .* --resume$" err
ok "the checkpoint is whole" tns-info --check long.last
ok "no model" test ! -e long.tns
ok "nothing half-written is left" test -z "$(compgen -G '.*.tmp')"
epoch=$(tns-info long.last | sed -n "s|^opt/epoch: ||p")
more=("${long[@]/100000/$((epoch + 1))}")
ranks 2 "${more[@]}" -q --resume 2>/dev/null
"${more[@]/long.last/other.last}" -q --shards 8 -o other.tns 2>/dev/null
prints long.tns "$(print_of other.tns)" "fewer ranks go on to the same bits"

# Ctrl-C, of which mpirun makes a SIGTERM for each: one line of rank 0, as without ranks
int=("${long[@]/long./int.}")
env --default-signal=INT mpirun -q --bind-to none -np 4 "${int[@]}" 2>err &
for ((i = 0; i < 200; i++)); do [ ! -e int.last ] || break; sleep 0.1; done
is "$(for i in $(pgrep -P $! cnn-train); do grep -h SigBlk /proc/$i/task/*/status; done | grep -c '[012389ab]...$')" 0 "threads that SIGTERM would end before the watch"
kill -INT $!
wait $! && bad "an interrupted run succeeds"
is "$(grep -c 'interrupted\|is lost' err)" 1 "one line says that it was interrupted"
ok "and what is kept" grep -Eq "^cnn-train: interrupted: epoch [0-9]+ is kept in int.last; this goes on: cnn-train .* --resume$" err
ok "its checkpoint is whole" tns-info --check int.last
ok "nothing half-written of it is left" test -z "$(compgen -G '.int*.tmp')"

# rank 0 is lost: rank 1 says no more than what that has written; unless mpirun ends it before it can, which another try decides
for try in 1 2 3; do
	mpirun -q --bind-to none -np 4 "${int[@]}" --resume 2>err &
	epoch=$(tns-info int.last | sed -n "s|^opt/epoch: ||p")
	for ((i = 0; i < 200; i++)); do [ "$(tns-info int.last | sed -n "s|^opt/epoch: ||p")" = "$epoch" ] || break; sleep 0.1; done
	for i in $(pgrep -P $! cnn-train); do ! grep -qz '^OMPI_COMM_WORLD_RANK=0$' "/proc/$i/environ" 2>/dev/null || kill -9 "$i"; done
	wait $! && bad "a run that lost rank 0 succeeds (try $try)"
	! grep -q 'is lost' err || break
done
said=$(sed -n "s/^cnn-train: rank 0 of 4, on $(hostname), is lost, so the run ends: epoch \([0-9]*\) is kept in int.last; .*/\1/p" err)
is "$(grep -c 'is lost' err)" 1 "one line says that it is rank 0"
ok "its checkpoint has what is said" test "${said:-1000000}" -le "$(tns-info int.last | sed -n "s|^opt/epoch: ||p")"

# the end without training
cnn-train --help >one.txt
ranks 4 cnn-train --help >some.txt || bad "--help of ranks: exit $?"
same one.txt some.txt "--help, once"
few=(cnn-train -q --net fc --target coords -e 1 --batch 5 train.tns)
ranks 2 "${few[@]}" -o x.tns 2>/dev/null && "${few[@]}" --shards 4 -o one.tns 2>/dev/null
is "$(print_of x.tns)" "$(print_of one.tns)" "a batch of few rows has fewer shards"
rm x.tns
is "$(ranks 2 cnn-train --dry-run train.tns | grep -c "^rows:"; echo $?)" "$(printf "1\n0")" "--dry-run, once"

# refused
a=(cnn-train -q --net fc --target coords -e 1)
fails 1 "cnn-train: none.tns: No such file" ranks 2 "${a[@]}" none.tns -o x.tns
fails 1 "cnn-train: rank 1: none.tns: No such file" ranks 1 "${a[@]}" train.tns -o x.tns : -np 1 "${a[@]}" none.tns -o x.tns
fails 1 "cnn-train: rank 1 ($(hostname)) differs from rank 0: its options or its data" ranks 1 "${a[@]}" train.tns -o x.tns : -np 1 "${a[@]}" valid.tns -o x.tns
fails 1 "differs from rank 0: what computes it" ranks 1 "${a[@]}" train.tns -o x.tns : -np 1 env KEYPIPE_ISA=plain "${a[@]}" train.tns -o x.tns
ranks 3 "${a[@]}" train.tns -o x.tns 2>err
ok "three ranks" grep -q "^cnn-train: it was started as 3 ranks: their number must be a power of two, at most 1024" err
for n in 4 8 8; do fails 2 "cnn-train: --shards 2: there are $n ranks, and each needs one; try" ranks $n "${a[@]}" --shards 2 train.tns -o x.tns; done
ok "no output of those" test ! -e x.tns
fails 2 "cnn-train: --shards 8, as under ranks if not given: a batch has only 7 rows; try" ranks 8 "${a[@]}" --batch 7 train.tns -o x.tns
fails 2 "--shards 6: is no power of two" "${a[@]}" --shards 6 train.tns
fails 2 "--shards 64: a batch has only 32 rows" "${a[@]}" --shards 64 train.tns
stub=$ROOT/${B:-build}/host/bin/cnn-train # built without MPI
[ ! -x "$stub" ] || fails 1 "it was started as one of 2 ranks, but this build has no MPI" env OMPI_COMM_WORLD_SIZE=2 "$stub" train.tns
done_tests
