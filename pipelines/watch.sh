#!/usr/bin/env bash
# A running training's curve in the terminal, drawn again when its log grows; ends when the model is written or nobody writes the log, or by
# Ctrl-C. Without LOG the newest below out/. ONCE=1: one frame. COLUMNS, LINES: its size, where there is no terminal.
# usage: watch.sh [LOG]
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
is_log() { local head; IFS= read -r head 2>/dev/null <"$1" && [[ $head = epoch$'\t'* ]]; }
log=${1-}
if [ -z "$log" ]; then
	while IFS= read -r f; do if is_log "$f"; then log=$f; break; fi; done < <(find out -name '*.tsv' -printf '%T@ %p\n' 2>/dev/null | sort -rn | cut -d' ' -f2-)
	[ -n "$log" ] || { echo "watch.sh: no log of a training in out/: name one" >&2; exit 1; }
fi
once=${ONCE:-0} tty=0 utf8=0 colour=0
[ -t 1 ] && tty=1
[ $tty = 0 ] || [ -n "${NO_COLOR-}" ] || [ "${TERM:-dumb}" = dumb ] || colour=1
[ "$(locale charmap 2>/dev/null)" != UTF-8 ] || utf8=1

frame() {
	local rows=${LINES:-24} cols=${COLUMNS:-80} size
	[ $tty = 0 ] || { size=$(stty size </dev/tty 2>/dev/null) && rows=${size% *} cols=${size#* }; }
	[ "$rows" -gt 0 ] 2>/dev/null || rows=24
	[ "$cols" -gt 0 ] 2>/dev/null || cols=80
	LC_ALL=C awk -v width="$cols" -v height="$rows" -v utf8=$utf8 -v colour=$colour -v log_name="${log//\\/\\\\}" -f "$here/watch.awk" "$log"
}
# a process has the log open
held() { local f; for f in /proc/[0-9]*/fd/*; do [ ! "$f" -ef "$log" ] || return 0; done; return 1; }
state() { stat -c '%Y %s %i' "$log" 2>/dev/null || true; }

if [ "$once" = 1 ] || [ -e "$log" ]; then
	[ -e "$log" ] || { echo "watch.sh: $log: no such file" >&2; exit 1; }
	[ ! -s "$log" ] || is_log "$log" || { echo "watch.sh: $log: no log of a training: its first column is not epoch" >&2; exit 1; }
fi
[ "$once" != 1 ] || { frame; exit; }
[ $tty = 0 ] || { trap 'printf "\033[?25h"' EXIT; printf '\033[?25l'; }
trap 'echo; exit 0' INT
before=none was_held=0
# of a log that nobody here holds: another machine's or user's training may write it; so many seconds without a line, and three epochs' time
idle=${IDLE:-60} began=$(date +%s)
pace() { LC_ALL=C awk -F'\t' 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "seconds") c = i} END {printf "%d", (NR > 1 && c ? 3 * $c / (NR - 1) : 0)}' "$log"; }
idle_for() { local since=${now%% *}; [ "$since" -gt "$began" ] || since=$began; echo $(($(date +%s) - since)); }
[ -e "$log" ] || echo "watch.sh: waiting for $log" >&2
while :; do
	now=$(state)
	if [ -n "$now" ] && [ "$now" != "$before" ] && is_log "$log"; then
		before=$now
		[ $tty = 0 ] || printf '\033[H\033[J'
		frame
	fi
	if [ -n "$now" ]; then
		[ ! "${log%.tsv}.tns" -nt "$log" ] || break
		if held; then
			was_held=1
		elif [ $was_held = 1 ]; then
			break
		elif [ "$(idle_for)" -ge "$idle" ] && [ "$(idle_for)" -ge "$(pace)" ]; then
			echo "watch.sh: $log: nobody writes to it" >&2
			break
		fi
	fi
	sleep 0.5
done
[ "$(state)" = "$before" ] || frame
