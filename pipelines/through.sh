#!/bin/bash
# The shell of recipes where make is given RUN or MPIRUN: lines that start one of the programs go through RUN as a whole, such as `srun -n1 -c8`;
# in lines that train it is the training alone that goes through MPIRUN, such as `srun -n8`; others (mkdir, echo, the compiler) run here.
command=${!#}
before='(^|[|;&({`!][[:space:]]*|(do|then|else)[[:space:]]+|taskset -c [0-9]+[[:space:]]+)'
if [[ -n ${MPIRUN-} && $command =~ $before"$PROGRAMS"/(cnn-train|dae-pretrain|rbm-pretrain)[[:space:]] ]]; then
	at=$'\001' # what no command holds
	exec /bin/bash "${@:1:$#-1}" "$(sed -E "s$at$before($PROGRAMS/(cnn-train|dae-pretrain|rbm-pretrain)[[:space:]])$at\1$MPIRUN \3${at}g" <<<"$command")"
elif [[ -n ${RUN-} && $command =~ $before"$PROGRAMS"/ ]]; then
	# shellcheck disable=SC2086 # words
	exec $RUN /bin/bash "$@"
fi
exec /bin/bash "$@"
