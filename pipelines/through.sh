#!/bin/bash
# The shell of recipes where make is given RUN or MPIRUN: lines that start one of the programs go through RUN as a whole, such as `srun -n1 -c8`;
# in lines that train it is the training alone that goes through MPIRUN, such as `srun -n8`; others (mkdir, echo, the compiler) run here.
command=${!#}
# make leaves a line's continuations, \ and a newline, in it
blank='[[:space:]\\]'
before="(^|[^\\]"$'\n'"|[|;&({\`!]|(do|then|else)$blank|taskset -c [0-9]+[[:space:]])$blank*"
training="(.*$before)($PROGRAMS/(cnn-train|dae-pretrain|rbm-pretrain)[[:space:]].*)"
if [[ -n ${MPIRUN-} && $command =~ $training ]]; then
	trained=
	while [[ $command =~ $training ]]; do # the last one first
		command=${BASH_REMATCH[1]} trained="$MPIRUN ${BASH_REMATCH[4]}$trained"
	done
	exec /bin/bash "${@:1:$#-1}" "$command$trained"
elif [[ -n ${RUN-} && $command =~ $before"$PROGRAMS"/ ]]; then
	# shellcheck disable=SC2086 # words
	exec $RUN /bin/bash "$@"
fi
exec /bin/bash "$@"
