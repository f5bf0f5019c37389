# bash's completion for keypipe and its programs. `make install` (pipelines/install.sh) writes what each takes, out of its options, below.
# _keypipe_words KEY: the words that KEY stands for: programs; PROGRAM or "PROGRAM KIND": options; KEY:operands; KEY:--option
_keypipe_words() {
	case $1 in
@WORDS@
	esac
}
_keypipe() {
	local words key cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i=0
	COMPREPLY=()
	key=${COMP_WORDS[0]##*/} key=${key#keypipe-}
	if [ "$key" = keypipe ]; then
		if [ "$COMP_CWORD" = 1 ]; then
			mapfile -t COMPREPLY < <(compgen -W "help $(_keypipe_words programs)" -- "$cur")
			return
		fi
		i=1 key=${COMP_WORDS[1]}
		if [ "$key" = help ]; then
			words=$(_keypipe_words "$([ "$COMP_CWORD" = 2 ] && echo programs || echo "${COMP_WORDS[2]}:operands")")
			[ "$COMP_CWORD" -le 3 ] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
			return
		fi
	fi
	# the kind, of a program that has kinds
	local operands=$(_keypipe_words "$key:operands")
	for ((i++; i < COMP_CWORD; i++)); do
		[[ " $operands " = *" ${COMP_WORDS[i]} "* ]] && key+=" ${COMP_WORDS[i]}" && operands= && break
	done
	# --option=value comes as three words
	[ "$cur" = = ] && cur=
	[ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}
	words=$(_keypipe_words "$key:$before")
	[ -n "$words" ] || words=$(_keypipe_words "${key%% *}:$before")
	if [ -z "$words" ]; then
		[[ $cur = -* ]] && words=$(_keypipe_words "$key") || words=$operands
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o bashdefault -o default -F _keypipe @COMMANDS@
