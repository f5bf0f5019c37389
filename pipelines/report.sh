#!/usr/bin/env bash
# A run as one HTML page: steps, curves, errors by point, faces, what was cleaned, pictures, streams, settings. All of it comes from the files of
# FOLDER and of its folders, by these programs (in BIN, else build/bin); what is not there is left out. The page needs no network and no script.
# usage: report.sh FOLDER OUT.html
set -eu -o pipefail
export LC_ALL=C
shopt -s nullglob
[ $# = 2 ] || { echo "usage: report.sh FOLDER OUT.html" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=${1%/} out=$2 parts=$here/report
[ -d "$root" ] || { echo "report.sh: $root: no such folder" >&2; exit 1; }
PATH=${BIN:-$here/../build/bin}:$PATH
command -v tns-info >/dev/null || { echo "report.sh: no tns-info in ${BIN:-$here/../build/bin}" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# sides of images up to which points are drawn here on each; characters of a page; faces of a kind (best, median, worst), and with faults
side=256 page_most=2900000 each=6 faulty=12

run() { awk -f "$parts/html.awk" -f "$parts/$1.awk" "${@:2}"; }
printf 'BEGIN { printf "%%s", html(ENVIRON["TEXT"]) }\n' >"$tmp/quote.awk"
quote() { TEXT=$1 awk -f "$parts/html.awk" -f "$tmp/quote.awk"; }
bytes_of() { wc -c <"$1" | tr -d ' '; }

# ---- what there is ----

# folders with streams or texts: FOLDER itself, then those in it, the oldest first, but those without predictions last; not those of many runs,
# which are a box
folders=()
has_something() { local f; for f in "$1"/*.tns "$1"/*.txt "$1"/*.png "$1"/*.tsv; do return 0; done; return 1; }
has_something "$root" && folders+=("")
while IFS= read -r d; do
	d=${d%/}
	[ "${d##*/}" != runs ] && has_something "$d" && folders+=("${d##*/}/")
done < <(for d in "$root"/*/; do
	f=("$d"*) p=("$d"*predicted*)
	[ ${#f[@]} = 0 ] || echo "$((${#p[@]} == 0)) $(stat -c %Y "${f[@]}" | sort -n | head -1) $d"
done | sort -n -k1,1 -k2,2 | cut -d' ' -f3-)

# lines of digest.awk for all streams, with the seconds that a log beside has
: >"$tmp/info"
streams=()
for f in "${folders[@]}" ; do
	for s in "$root/$f"*.tns "$root/$f"runs/*.tns; do
		case $s in *[$'\t\n']*) continue ;; esac
		streams+=("${s#"$root"/}")
		tns-info --json "$s" 2>/dev/null | BEFORE=${s#"$root"/}$'\t'$(bytes_of "$s") awk -f "$parts/json.awk" >>"$tmp/info" || true
	done
done
run digest "$tmp/info" | while IFS= read -r line; do
	s=${line%%$'\t'*} log=$root/${line%%$'\t'*}
	log=${log%.tns}.tsv seconds=
	[ ! -f "$log" ] || seconds=$(awk -F '\t' 'NR == 1 && $NF != "seconds" {exit} {s = $NF} END {if (s + 0 > 0) print s}' "$log")
	printf '%s\t%s\n' "$line" "$seconds"
done >"$tmp/digest"
# field N of a stream's line
digest() { STREAM=$1 awk -F '\t' -v n="$2" '$1 == ENVIRON["STREAM"] {print $n; exit}' "$tmp/digest"; }

# NAME of a folder's settings
setting() {
	[ ! -f "$root/$1settings.mk" ] || sed -n "s/^$2 := *//p" "$root/$1settings.mk" | sed 's/\\#/#/g; s/\$\$/$/g' | head -1
}
# a file that a setting names, from here or from the project's folder; nothing if it can't be read
find_file() { local f; for f in "$1" "$here/../$1"; do [ -n "$1" ] && [ -f "$f" ] && [ -r "$f" ] && echo "$f" && return; done; true; }

# ---- parts of a page ----

n_svg=0 level=2
heading() { echo "<h$((level + $1))>$2</h$((level + $1))>"; }
# images of the first N rows of a stream, a data:... a line
images() {
	tns-select -q --only image "$1" 2>/dev/null | render faces -q --count "$2" --zoom 1 --format svg 2>/dev/null |
		grep -o 'data:image/png;base64,[A-Za-z0-9+/=]*' || true
}
fits() { awk -v s="$1" -v side=$side 'BEGIN {split(s, d, "x"); exit !(d[1] > 0 && d[1] <= side && d[2] > 0 && d[2] <= side)}'; }
# embedded FILE ALT CAPTION: a picture of a file, with its size
embedded() {
	local kind=png size=
	case $1 in
	*.svg) kind=svg+xml ;;
	*) size=$(od -An -tu1 -j16 -N8 "$1" | awk '{printf "width=\"%d\" height=\"%d\" ", $3 * 256 + $4, $7 * 256 + $8}') ;;
	esac
	printf '<figure class="plate"><img %salt="%s" src="data:image/%s;base64,%s"><figcaption>%s</figcaption></figure>\n' "$size" "$2" $kind "$(base64 -w0 "$1")" "$3"
}

steps() {
	local csv test
	csv=$(find_file "$(setting "$1" CSV)") test=$(find_file "$(setting "$1" TEST)")
	FOLDER=$1 CSV=$csv TEST=$test CSV_BYTES=${csv:+$(bytes_of "$csv")} TEST_BYTES=${test:+$(bytes_of "$test")} run steps "$tmp/digest" >"$tmp/part"
	[ -s "$tmp/part" ] || return 0
	heading 1 Steps
	echo '<p class="pale">A box is a file, with the programs that made it; seconds are those of training logs. Blue: data, orange: models.</p>'
	cat "$tmp/part"
}

# logs of training, those with the same columns in one picture
curves() {
	local f head heads=() logs=() drawn=
	for f in "$root/$1"*.tsv; do
		head=$(head -1 "$f")
		case $head in epoch$'\t'*) ;; *) continue ;; esac
		[[ ${heads[*]-} = *"<$head>"* ]] || heads+=("<$head>")
	done
	for head in ${heads[@]+"${heads[@]}"}; do
		logs=()
		for f in "$root/$1"*.tsv; do [ "<$(head -1 "$f")>" = "$head" ] && [ "$(wc -l <"$f")" -gt 1 ] && logs+=("$f"); done
		[ ${#logs[@]} -gt 0 ] && render curves -q --size 900x420 --format svg "${logs[@]}" -o "$tmp/curve.svg" 2>/dev/null || continue
		[ -n "$drawn" ] || heading 1 Learning
		drawn=1 n_svg=$((n_svg + 1))
		printf '<figure class="curves">'
		# ids are this page's own
		sed -e '/^<?xml/d' -e "1,/<svg/s/<svg /<svg role=\"img\" aria-label=\"Curves of $(printf '%s ' "${logs[@]##*/}" | tr -c 'A-Za-z0-9._\n-' ' ')over epochs\" /" \
			-e "s/ id=\"/ id=\"c$n_svg-/g; s/href=\"#/href=\"#c$n_svg-/g; s/url(#/url(#c$n_svg-/g" -e 's/ xmlns\(:xlink\)\{0,1\}="[^"]*"//g' "$tmp/curve.svg"
		echo "<figcaption>$(quote "$(printf '%s ' "${logs[@]##*/}")")</figcaption></figure>"
	done
	[ -z "$drawn" ] || case " ${heads[*]} " in *valid_*) shown+=" curves.png " ;; esac
}

# the mean of some images as data:..., by way of their table
mean_image() {
	local pixels rows
	pixels=$((${2%x*} * ${2#*x})) rows=$((1500000 / pixels))
	[ $rows -le 200 ] || rows=200
	tns-select -q --rows "1-$rows" --only image "$1" 2>/dev/null | tns-table -q --image --notes no 2>/dev/null |
		awk 'NR > 1 {sub(/^[^0-9]*/, ""); gsub(/"/, ""); n++; m = split($0, v, " "); for (i = 1; i <= m; i++) s[i] += v[i]}
			END {if (!n) exit 1; lo = hi = s[1]; for (i = 2; i <= m; i++) {if (s[i] < lo) lo = s[i]; if (s[i] > hi) hi = s[i]}
				printf "Image\n"; for (i = 1; i <= m; i++) printf "%s%.0f", (i > 1 ? " " : ""), (hi > lo ? 255 * (s[i] - lo) / (hi - lo) : 0); print ""}' >"$tmp/mean.csv" &&
		tns-table -q --read --size "$2" "$tmp/mean.csv" -o "$tmp/mean.tns" 2>/dev/null && images "$tmp/mean.tns" 1
	true
}

# faces STREAM SIZE: all rows of a small stream
faces() {
	local n
	n=$(tns-table -q --tsv "$1" | tee "$tmp/table" | wc -l)
	if fits "$2"; then
		images "$1" $((n - 1)) >"$tmp/images"
		[ "$(wc -l <"$tmp/images")" = $((n - 1)) ] || return 0
		echo '<div class="faces">'
		SIZE=$2 run faces part=image "$tmp/images" part=table "$tmp/table"
		echo '</div>'
	else
		render faces -q --columns 3 "$1" -o "$tmp/faces.png" 2>/dev/null && embedded "$tmp/faces.png" "Faces with points" ""
	fi
}

# scored FOLDER STREAM: errors of a stream with labels and predictions
scored() {
	local s=$root/$2 size name=${2#"$1"} n
	score -q "$s" >"$tmp/score.txt" 2>/dev/null && score -q --json "$s" 2>/dev/null | awk -f "$parts/json.awk" >"$tmp/score" || return 0
	size=$(digest "$2" 6)
	heading 1 "Errors of $(quote "${name%.tns}")"
	awk -F '\t' -v rmse="$(awk '{print $2; exit}' "$tmp/score.txt")" -v first="$(awk '{print $1; exit}' "$tmp/score.txt")" '
		NF == 2 {v[$1] = $2} $1 == "mean_face" && $2 == "rmse_px" {mean = $3}
		function tile(value, what) { if (value != "" && value != "null") printf "<li><b>%s</b><span>%s</span></li>", value, what }
		END { printf "<ul class=\"tiles\">"
			tile(rmse, first == "rmse_px" ? "RMSE, px" : first)
			if (v["mean_px"] + 0 > 0) tile(sprintf("%.3f", v["mean_px"]), "mean distance, px")
			if (v["within_1px"] != "") tile(sprintf("%.1f%%", 100 * v["within_1px"]), "within 1 px")
			if (v["within_5px"] != "") tile(sprintf("%.1f%%", 100 * v["within_5px"]), "within 5 px")
			if (mean + 0 > 0) tile(sprintf("%.3f", mean), "RMSE of the mean face, px")
			tile(v["rows"], "rows"); tile(v["points"], "labelled points")
			print "</ul>" }' "$tmp/score"
	tns-table -q --tsv "$s" >"$tmp/table" 2>/dev/null || return 0
	: >"$tmp/image"
	! fits "$size" || mean_image "$s" "$size" >"$tmp/image"
	SIZE=$size run points part=score "$tmp/score" part=image "$tmp/image" part=table "$tmp/table"
	shown+=" valid.png worst.png score.txt "
	tns-select -q --where 'error>=0' --sort error "$s" -o "$tmp/sorted.tns" 2>/dev/null || return 0
	n=$(tns-info --json "$tmp/sorted.tns" | awk -f "$parts/json.awk" | awk -F '\t' '$1 == "tensors" && $2 == 1 && $4 == 1 {print $5}')
	[ "${n:-0}" -gt 0 ] || return 0
	heading 1 "Best, median and worst"
	echo '<p class="pale key"><i></i> label <i class="x"></i> prediction; root mean square error over the coordinates of a face.</p>'
	show_range() { # WHAT FROM TO
		tns-select -q --rows "$2-$3" "$tmp/sorted.tns" -o "$tmp/some.tns"
		heading 2 "$1"
		faces "$tmp/some.tns" "$size"
	}
	if [ "$n" -lt $((3 * each)) ]; then
		show_range "All, best first" 1 "$n"
	else
		show_range Best 1 $each
		show_range Median $(((n - each) / 2 + 1)) $(((n + each) / 2))
		tns-select -q --sort -error "$tmp/sorted.tns" -o "$tmp/worst.tns" && mv "$tmp/worst.tns" "$tmp/sorted.tns"
		show_range Worst 1 $each
	fi
}
# predictions without labels
guessed() {
	heading 1 "Some of $(f=${2#"$1"} && quote "${f%.tns}")"
	tns-select -q --rows 1-$each "$root/$2" -o "$tmp/some.tns"
	faces "$tmp/some.tns" "$(digest "$2" 6)"
	shown+=" test.png "
}

# a list of faults of labels, row name kind value action, and the faces beside
faults() {
	local list=$2 name=${2##*/} clean=$root/$1clean.tns csv size rows words=() from=("part=none" /dev/null)
	case $name in
	*suspects*) heading 1 "Labels that training stayed far from: $(quote "$name")" ;;
	*) heading 1 "What cleaning found: $(quote "$name")" ;;
	esac
	NAME=$name run list "$list"
	[ -f "$clean" ] || return 0
	size=$(digest "$1clean.tns" 6)
	fits "$size" || return 0
	tns-table -q --tsv "$clean" >"$tmp/after" 2>/dev/null || return 0
	csv=$(find_file "$(setting "$1" CSV)")
	mapfile -t words < <(setting "$1" CLEAN | xargs -n1 printf '%s\n' 2>/dev/null | sed '/^$/d')
	case $name in
	*suspects*) ;;
	*)
		# rows as they came: all of them, so that numbers are rows
		if [ -n "$csv" ] && csv-clean -q --keep-all ${words[@]+"${words[@]}"} "$csv" -o "$tmp/all.tns" 2>/dev/null; then
			rows=$(run pick -v most=$faulty part=list "$list")
			[ -n "$rows" ] && tns-select -q --rows "$rows" "$tmp/all.tns" -o "$tmp/some.tns" 2>/dev/null || return 0
			from=(part=after "$tmp/after")
		fi ;;
	esac
	if [ "${from[0]}" = part=none ]; then
		rows=$(run pick -v most=$each part=rows "$tmp/after" part=list "$list")
		[ -n "$rows" ] && tns-select -q --id "$rows" "$clean" -o "$tmp/some.tns" 2>/dev/null || return 0
	fi
	rm -f "$tmp/all.tns"
	tns-table -q --tsv "$tmp/some.tns" >"$tmp/table" && images "$tmp/some.tns" $faulty >"$tmp/images"
	[ "$(wc -l <"$tmp/images")" = $(($(wc -l <"$tmp/table") - 1)) ] || return 0
	echo '<p class="pale key"><i></i> label <i class="x"></i> label found faulty <i class="o"></i> where the other points put it</p><div class="faces faults">'
	ROWS=$rows SIZE=$size run faults part=report "$list" "${from[@]}" part=image "$tmp/images" part=before "$tmp/table"
	echo '</div>'
}

# PNGs and SVGs of the pipeline, what tells most first, as long as the page has room
about() {
	case $1 in
	maps.*) echo "1 Heat maps over held-out faces" ;;
	steps.*) echo "1 How the points move from level to level of the cascade" ;;
	filters.*) echo "2 What the first layer looks for" ;;
	curves.*) echo "2 Curves of all runs" ;;
	pairs.*) echo "3 Originals over reconstructions" ;;
	patches.*) echo "4 Patches to learn from" ;;
	filters-all.*) echo "5 Filters of the autoencoder of all patches" ;;
	filters-*) echo "6 Filters after ${1//[!0-9]/} epochs" ;;
	first-filters.*) echo "7 Filters before learning" ;;
	test.*) echo "5 Predictions on test faces" ;;
	*) echo "4 $1" ;;
	esac
}
pictures() {
	local f name text first=1 missing=
	while IFS=$'\t' read -r _ name text; do
		f=$root/$1$name
		if [ $(($(bytes_of "$f") * 4 / 3)) -gt $room ]; then missing+="${missing:+, }$name"; continue; fi
		room=$((room - $(bytes_of "$f") * 4 / 3 - 300))
		[ -z "$first" ] || { heading 1 Pictures; echo '<div class="plates">'; }
		first=
		text=$(quote "$text")
		embedded "$f" "$text" "$text · <code>$(quote "$name")</code>"
	done < <(for f in "$root/$1"*.png "$root/$1"*.svg; do
		name=${f##*/}
		[[ $shown = *" $name "* ]] || { text=$(about "$name"); printf '%s\t%s\t%s\n' "${text%% *}" "$name" "${text#* }"; }
	done | sort)
	[ -n "$first" ] || echo '</div>'
	[ -z "$missing" ] || echo "<p class=\"pale\">Left out, so that the page stays small: $(quote "$missing").</p>"
}
texts() {
	local f name text first=1
	for f in "$root/$1"*.txt; do
		name=${f##*/}
		[[ $shown = *" $name "* ]] && continue
		[ -z "$first" ] || heading 1 Figures
		first=
		text="<pre>$(quote "$(head -c 20000 "$f")")</pre>" name="<code>$(quote "$name")</code>"
		if [ "$(wc -l <"$f")" -le 20 ]; then echo "<p class=\"pale\">$name</p>$text"; else echo "<details><summary>$name</summary>$text</details>"; fi
	done
}
streams() {
	FOLDER=$1 run streams "$tmp/digest" >"$tmp/part"
	[ -s "$tmp/part" ] || return 0
	heading 1 Streams
	cat "$tmp/part"
}
settings() {
	local is=("$root/$1"*.is) file=/dev/null
	[ ! -f "$root/$1settings.mk" ] || file=$root/$1settings.mk
	run settings part=settings "$file" part=is ${is[@]+"${is[@]}"} /dev/null >"$tmp/part"
	[ -s "$tmp/part" ] || return 0
	heading 1 Settings
	cat "$tmp/part"
}
# of_folder FOLDER TENSORS DO: what is done with each stream that has these tensors; labels that came by without are left to scored
of_folder() {
	local s tensors
	for s in ${streams[@]+"${streams[@]}"}; do
		[ "$(dirname "./$s")/" = "./$1" ] || continue
		tensors=",$(digest "$s" 7),"
		case $tensors in *,keypoints,*) [ "$3" = scored ] || continue ;; esac
		# shellcheck disable=SC2254
		case $tensors in *$2*) $3 "$1" "$s" ;; esac
	done
}
folder() {
	local f shown=" " part=$tmp/page.$2
	{
		steps "$1"
		curves "$1"
		of_folder "$1" ',keypoints,*,predicted,' scored
		of_folder "$1" ',image,*,predicted,' guessed
		for f in "$root/$1"*.tsv; do [ "$(head -1 "$f")" != $'row\tname\tkind\tvalue\taction' ] || faults "$1" "$f"; done
	} >"$part.a"
	{ texts "$1"; streams "$1"; settings "$1"; } >"$part.c"
	echo "$shown" >"$part.done"
}

# ---- the page ----

several=0
[ ${#folders[@]} -le 1 ] && [ -z "${folders[0]-}" ] || several=1
i=0
for f in ${folders[@]+"${folders[@]}"}; do i=$((i + 1)) level=$((1 + several)) && folder "$f" $i; done
room=$((page_most - $(cat "$parts/page.css" "$tmp"/page.*.[ac] /dev/null | wc -c)))
{
	title=$(quote "$root")
	echo '<!DOCTYPE html>'
	echo "<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Report of $title</title>"
	echo "<style>$(cat "$parts/page.css")</style></head><body>"
	echo "<header><h1>Report of $title</h1><p class=\"machine\">$(quote "$("$here/machine.sh")")</p>"
	if [ $several = 1 ]; then
		echo '<nav aria-label="parts"><ul>'
		i=0; for f in "${folders[@]}"; do i=$((i + 1)); [ -z "$f" ] || echo "<li><a href=\"#part-$i\">$(quote "${f%/}")</a></li>"; done
		echo '</ul></nav>'
	fi
	echo '</header><main>'
	i=0
	for f in ${folders[@]+"${folders[@]}"}; do
		i=$((i + 1)) level=$((1 + several)) shown=$(cat "$tmp/page.$i.done")
		echo "<section id=\"part-$i\">"
		[ $several = 0 ] || echo "<h2>$(quote "$([ -n "$f" ] && echo "${f%/}" || echo "All together")")</h2>"
		cat "$tmp/page.$i.a"
		pictures "$f"
		cat "$tmp/page.$i.c"
		echo '</section>'
	done
	[ ${#folders[@]} -gt 0 ] || echo '<p>There is nothing of a run in this folder.</p>'
	echo '</main></body></html>'
} >"$out.tmp"
mv "$out.tmp" "$out"
