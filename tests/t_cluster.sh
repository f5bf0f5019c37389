#!/usr/bin/env bash
# Pipelines on a cluster: predictions by parts under make -j; recipes through RUN, trainings through MPIRUN, by Slurm on one node of the loopback.
given=${TMP-}
source tests/sh.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
mk() { make --no-print-directory ${SAN:+SAN=1} ${COV:+COV=1} "$@"; }

# predictions by parts: the tensors' bytes are those of one process
face-synth -n 150 --size 48x48 -o "$TMP/training.csv" || bad "face-synth"
csv-clean -q --size 48x48 "$TMP/training.csv" -o "$TMP/faces.tns" 2>/dev/null
cnn-train -q --net 'conv3x3x8p1 bn relu pool2 conv3x3p1' --target heatmap -e 1 "$TMP/faces.tns" -o "$TMP/model.tns" 2>/dev/null
predict -q --flip "$TMP/model.tns" "$TMP/faces.tns" -o "$TMP/whole.tns"
parts() { mk -j3 predict MODEL="$TMP/model.tns" DATA="$TMP/faces.tns" PARTS=7 PREDICTED="$TMP/predict" "$@"; }
ok "make predict" parts
for t in predicted confidence keypoints image id; do
	for f in whole predict/predicted; do tns-select -q --only $t "$TMP/$f.tns" | tns-convert - -o "$TMP/$(basename $f).npy"; done
	same "$TMP/whole.npy" "$TMP/predicted.npy" "$t of 7 parts"
done
is "$(tns-info "$TMP/predict/predicted.tns" | grep -c "tns-select .* --rows .*< $(print_of "$TMP/faces.tns")")" 7 "the history names the parts"
ok "nothing to do" parts -q
fails 2 "PARTS=0: this is no whole number from 1 on" mk -n predict MODEL="$TMP/model.tns" DATA="$TMP/faces.tns" PARTS=0

# what goes where
through() { PROGRAMS=build/bin RUN='echo run' MPIRUN="${mpirun-echo mpirun -n 8}" pipelines/through.sh -c "$1"; }
is "$(through 'build/bin/score x | cat')" "run /bin/bash -c build/bin/score x | cat" "a recipe through RUN"
is "$(through 'true; n=$(build/bin/tns-info x); echo')" 'run /bin/bash -c true; n=$(build/bin/tns-info x); echo' "a program within"
is "$(through 'build/bin/cnn-train -n @x y -o z')" "mpirun -n 8 build/bin/cnn-train -n @x y -o z" "a training through MPIRUN"
is "$(through 'echo a | build/bin/dae-pretrain -o z')" "mpirun -n 8 build/bin/dae-pretrain -o z" "one in a pipe"
is "$(through $'echo a | \\\n\tbuild/bin/cnn-train -o z')" "mpirun -n 8 build/bin/cnn-train -o z" "one in a pipe, in the next line"
is "$(mpirun='echo "R&D"' through $'build/bin/dae-pretrain -o a; for s in 1; do \\\n\tbuild/bin/cnn-train -s $s; done')" \
	$'R&D build/bin/dae-pretrain -o a\nR&D build/bin/cnn-train -s 1' "two, with an ampersand"
is "$(mpirun='' through $'true | \\\n\tbuild/bin/score')" $'run /bin/bash -c true | \\\n\tbuild/bin/score' "a program in the next line"
is "$(mpirun='' through 'build/bin/cnn-train y')" "run /bin/bash -c build/bin/cnn-train y" "a training without MPIRUN"
is "$(through 'echo cc -o build/bin/score')" "cc -o build/bin/score" "the rest runs here"
mkdir "$TMP/run" && cp "$TMP/whole.tns" "$TMP/run"
is "$(RUN='srun -n1 -c8' mk report FOLDER="$TMP/run" 2>&1)" "$TMP/run/report.html" "a run's page, where RUN is in the environment"
fails 2 "RUN=$TMP/run: RUN starts programs; make report FOLDER=$TMP/run" mk report RUN="$TMP/run"

# Slurm: its daemons with settings of their own
d=$TMP/slurm host=$(hostname -s)
slurm_up() {
	local port=$((20000 + RANDOM % 20000))
	mkdir -p "$d/state" "$d/spool" "$d/munge" && chmod 711 "$d" "$d/munge"
	head -c 1024 /dev/urandom >"$d/munge/key" && chmod 600 "$d/munge/key"
	munged --force --key-file "$d/munge/key" --socket "$d/munge/socket" --pid-file "$d/munge/pid" --log-file "$d/munge/log" --seed-file "$d/munge/seed" \
		>"$d/said" 2>&1 || return
	cat >"$d/slurm.conf" <<-END
		ClusterName=keypipe
		FirstJobId=$((1000 + RANDOM))
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=$port
		SlurmdPort=$((port + 1))
		SlurmUser=$(id -un)
		SlurmdUser=$(id -un)
		AuthType=auth/munge
		AuthInfo=socket=$d/munge/socket
		StateSaveLocation=$d/state
		SlurmdSpoolDir=$d/spool
		SlurmctldPidFile=$d/slurmctld.pid
		SlurmdPidFile=$d/slurmd.pid
		SlurmctldLogFile=$d/slurmctld.log
		SlurmdLogFile=$d/slurmd.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		SlurmdParameters=config_overrides
		MpiDefault=pmix
		ReturnToService=2
		NodeName=$host NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
		PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
	END
	echo "PMIxCliTmpDirBase=$d/pmix" >"$d/mpi.conf"
	mkdir -p "$d/pmix"
	export SLURM_CONF=$d/slurm.conf
	{ slurmctld -c && slurmd -c; } >"$d/said" 2>&1 || return
	local i
	for ((i = 0; i < 100; i++)); do
		timeout 10 srun -n1 true >"$d/said" 2>&1 && return
		sleep 0.2
	done
	false
}
slurm_down() {
	local f i pids=()
	for f in "$d"/slurmd.pid "$d"/slurmctld.pid "$d"/munge/pid; do [ ! -e "$f" ] || pids+=("$(cat "$f")"); done
	kill "${pids[@]}" 2>/dev/null
	for ((i = 0; i < 50; i++)); do # they save their state
		for f in ${pids[@]+"${pids[@]}"}; do [ -z "$(readlink "/proc/$f/exe")" ] || { sleep 0.1; continue 2; }; done
		break
	done
}
trap 'slurm_down; [ -n "$given" ] || rm -rf "$TMP"' EXIT
PATH=$PATH:/usr/sbin
if ! command -v slurmctld slurmd munged srun >/dev/null; then
	skip "Slurm: it is not here (Debian: slurmctld, slurmd, slurm-client, munge)"
elif ! pkg-config --exists ompi-c 2>/dev/null; then
	skip "Slurm: there is no OpenMPI, so no ranks"
elif [ "$(id -u)" != 0 ]; then
	skip "Slurm: its daemons are started as root"
elif ! slurm_up; then
	skip "Slurm can't be started here: $(tail -n 1 "$d/said")"
	slurm_down
else
	heat='--preset fast --keep last -e 1'
	nets() { mk -j4 "$@" CSV="$TMP/training.csv" CLEAN='--size 48x48' NETS=small NETS_TRAIN="$heat --shards 8" KEYPOINTS_PARTS=0.7,0.3; }
	export OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
	ok "make nets by srun" nets nets TABLE="$TMP/by-srun" RUN='srun -Q -n1 -c2' MPIRUN='srun -Q -n2'
	ok "the same here" nets "$TMP/here/small.score" TABLE="$TMP/here"
	is "$(print_of "$TMP/by-srun/small.tns")" "$(print_of "$TMP/here/small.tns")" "a net by two ranks"
	same "$TMP/by-srun/small.score" "$TMP/here/small.score" "scores by srun"
	ok "the steps were Slurm's" test "$(grep -c 'launch task StepId=' "$d/slurmd.log")" -ge 6
	# more than srun and pipes hold, which all ranks get
	csv-clean -q --keep-all --size 48x48 "$TMP/training.csv" -o "$TMP/all.tns" 2>/dev/null
	tns-cat -q "$TMP"/all.tns{,,,,,,,,,,,,} -o "$TMP/much.tns"
	piped() { timeout 30 "$@" -q -n 'pool8 fc' -e 1 -r 0.001 --shards 8; }
	cat "$TMP/much.tns" | piped srun -Q -n2 cnn-train -o "$TMP/piped.tns" 2>"$TMP/err"
	piped cnn-train -o "$TMP/one.tns" 2>/dev/null <"$TMP/much.tns"
	is "$(print_of "$TMP/piped.tns")" "$(print_of "$TMP/one.tns")" "$(stat -c %s "$TMP/much.tns") bytes through a pipe into srun: $(head -2 "$TMP/err")"
	timeout 30 srun -Q -K0 -n4 "${B:-build}/tests/check_ranks" leave >"$TMP/lost" 2>&1
	is "$(grep -c "^check_ranks: rank 3 of 4, on $(hostname), is lost, so the run ends" "$TMP/lost")" 1 "a rank that is lost, where srun ends nobody"
	slurm_down
fi
done_tests
