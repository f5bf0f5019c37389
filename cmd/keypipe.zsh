#compdef @COMMANDS@
# zsh's completion for keypipe and its programs. `make install` (pipelines/install.sh) writes what each takes, out of its options, below.
# _keypipe_words KEY: adds to reply what KEY stands for: programs; the options of PROGRAM or "PROGRAM KIND"; PROGRAM:operands
_keypipe_words() {
	case $1 in
@WORDS@
	esac
}
_keypipe() {
	local key=${${words[1]:t}#keypipe-} kind at
	local -a reply kinds options
	if [[ $key = keypipe ]]; then
		if (( CURRENT == 2 )) || [[ $words[2] = help && CURRENT -eq 3 ]]; then
			_keypipe_words programs
			(( CURRENT == 3 )) || reply+=('help:tell options and show examples of a program')
			_describe program reply
			return
		fi
		[[ $words[2] = help ]] && shift words && (( CURRENT-- ))
		shift words
		(( CURRENT-- ))
		key=$words[1]
	fi
	_keypipe_words $key:operands
	kinds=($reply) reply=()
	_keypipe_words $key
	for ((at = 2; at < CURRENT; at++)); do
		if (( $kinds[(Ie)$words[at]] )); then
			_keypipe_words "$key $words[at]"
			kinds=()
		fi
	done
	if (( $#kinds )); then
		_arguments -s -S $reply "*:kind:($kinds)"
	else
		_arguments -s -S $reply '*:file:_files'
	fi
}
_keypipe "$@"
