#!/usr/bin/env bash
# render: every kind of picture from the command line; formats, wrong use, terminals, full disks, bad input.
# UPDATE=1 tests/t_render.sh rewrites the pinned help of the kinds.
source tests/sh.sh
export LC_ALL=C
here=$PWD
cd "$TMP" || exit 1

# size FILE: WxH out of a PNG's header
size() { od -An -tu1 -j16 -N8 "$1" | awk '{print $3 * 256 + $4 "x" $7 * 256 + $8}'; }
begins() { is "$(head -c "${#2}" "$1" | tr -d '\211')" "$3" "$1 begins as its kind does"; }
nothing() { [ ! -e "$1" ] && good || bad "$1 was left behind"; }

for k in faces maps tiles pairs curves video; do
	ok "render $k --help" render $k --help
	cp .out "$k.txt"
	[ "${UPDATE-}" = 1 ] && cp "$k.txt" "$here/tests/help/render-$k.txt"
	same "$k.txt" "$here/tests/help/render-$k.txt" "pinned help of render $k (UPDATE=1 tests/t_render.sh)"
	is "$(awk 'length > 80 && !/^  / {n++} END {print n+0}' "$k.txt")" 0 "lines of render $k --help over 80 columns"
	fails 2 "render $k: unknown option '--no-such'; try render $k --help" render $k --no-such
	fails 1 "render: stdin: " render $k -o x.$([ $k = video ] && echo PPM || echo PNG) </dev/null
	fails 2 "unknown suffix '.jpg': $([ $k = video ] && echo 'frames are PPM (.ppm), of which ffmpeg makes films' || echo 'png, svg or pdf')" render $k -o x.jpg </dev/null
	fails 1 "render: stdin: " render $k </dev/null
	fails 1 "render $k: no/such: No such file or directory" render $k -o no/such </dev/null
	[ $k = curves ] || fails 1 "render: none.tns: No such file" render $k none.tns
	case $k in curves | tiles) ;; *) fails 2 "render $k: unexpected operand 'b'" render $k a b ;; esac
done
nothing x.jpg
none="render: what to draw is missing: faces, maps, tiles, pairs, curves or video; try render --help"
fails 2 "$none" render
fails 2 "$none" render -q
fails 2 "render: 'plots' is not one of faces, maps, tiles, pairs, curves" render plots
fails 2 "render: 'plots' is not one of faces, maps, tiles, pairs, curves" render -q plots
fails 2 "$none" render -o faces
fails 2 "$none" render --
fails 2 "render: 'plots' is not one of faces, maps, tiles, pairs, curves, video; try render --help" render --columns 3 plots data.tns
fails 2 "render: 'face' is not one of faces, maps, tiles, pairs, curves, video (did you mean faces?); try render --help" render face data.tns --columns 3
fails 2 "render: unknown option '--no-such'" render --no-such
fails 2 "render faces: unknown option '--no-such'" render --no-such faces
ok "help, whatever was given" render face --help
fails 2 "--format: 'gif' is not one of png|svg|pdf" render faces --format gif
for v in 0 -1 x 10001; do fails 2 "render faces: --count: " render faces --count $v; done
for v in -1 x 101; do fails 2 "render tiles: --zoom: " render tiles --zoom $v; done
fails 2 "render faces: --first: 0 is outside" render faces --first 0

# faces
face-synth -q -n 60 --size 36x28 -o faces.csv
csv-clean -q --keep-all --size 36x28 faces.csv -o data.tns
ok "faces as PNG" render faces data.tns -o a.png
ok "faces as SVG" render faces data.tns -o a.svg
ok "faces as PDF" render faces data.tns -o a.pdf
begins a.png ?PNG PNG
begins a.svg "<?xml" "<?xml"
begins a.pdf "%PDF-" "%PDF-"
render faces <data.tns >b.png
same a.png b.png "from a file or a pipe, to a file or a pipe"
render -o c.png faces -q data.tns
same a.png c.png "common options before the kind"
render --format svg faces data.tns >b.svg
same a.svg b.svg "SVG by --format or by suffix"
render faces --format=pdf <data.tns | cat >b.pdf
same a.pdf b.pdf "PDF by --format or by suffix"
# six faces of 36x28 at zoom 2, 3 columns: margins of 16, a head of 30, 14 between, 18 for a line under each
render faces --count 6 --columns 3 --zoom 2 data.tns -o d.png
# the kind may stand behind its options; an option may take a value in one kind and not in another
for args in "--columns 3 --zoom 2 faces --count 6 data.tns -o d2.png" "--columns 3 --count 6 -qo d2.png faces data.tns --zoom=2" "-t 1 --zoom 2 --count=6 --columns 3 -o d2.png -q faces data.tns" \
	"--zoom 2 --count=6 --columns 3 -o d2.png -- faces data.tns"; do
	rm -f d2.png
	ok "render $args" render $args
	same d.png d2.png "render $args"
done
is "$(size d.png)" $((2 * 16 + 3 * (72 + 14) - 14))x$((2 * 16 + 30 + 2 * (56 + 18 + 14) - 14)) "size of a picture"
# names are text on two faces of zoom 10: the picture grows by nothing, and only within the faces
ok "names" render faces --names --count 2 --columns 2 --zoom 10 data.tns -o e.png
render faces --count 2 --columns 2 --zoom 10 data.tns -o plain.png
is "$(size e.png)" $((2 * 16 + 2 * (360 + 14) - 14))x$((2 * 16 + 30 + 280 + 18)) "size of faces with names"
cmp -s e.png plain.png && bad "--names changes nothing" || good
render faces --first 3 --count 2 data.tns -o f.png
render faces --count 2 data.tns -o g.png
cmp -s f.png g.png && bad "--first changes nothing" || good
# rows by id: the picture of these rows alone, but for "4 of 60 faces"; all of them, however many
tns-select -q --id 7,20-22 data.tns -o four.tns
ok "ids" render faces --id 20-22,7 --format svg data.tns -o id.svg
render faces --format svg four.tns -o four.svg
images() { grep -o 'xlink:href="data:[^"]*"' "$1"; }
is "$(images id.svg)" "$(images four.svg)" "the faces with these ids, in the stream's order"
is "$(images id.svg | wc -l)" 4 "four of them"
ok "more than 24" render faces --id 11-40 data.tns --format svg -o id.svg
is "$(images id.svg | wc -l)" 30 "all of them"
ok "--count" render faces --id 11-40 --count 3 data.tns --format svg -o id.svg
is "$(images id.svg | wc -l)" 3 "as many as --count says"
ok "--first" render faces --id 7,20-22 --first 21 data.tns --format svg -o id.svg
is "$(images id.svg | wc -l)" 2 "from --first on"
fails 1 "render: data.tns: no row has id 70-71, nor 1 more of --id" render faces --id 7,70-71,99 data.tns -o none.png
fails 1 "render: stdin: no row has id 61" bash -c 'render faces --id 60,61 -o none.png <data.tns'
fails 2 "render faces: --id: 'x' is no number, no A-B and no A-" render faces --id 7,x data.tns -o none.png
tns-select -q --without id data.tns -o noid.tns
fails 1 "noid.tns: there is no tensor id" render faces --id 7 noid.tns -o none.png
fails 1 "data.tns: nothing to draw: 60 rows, fewer than --first" render faces --first 61 data.tns -o none.png
fails 1 "data.tns: no predicted: --worst needs truth and prediction; predict adds it" render faces --worst data.tns -o none.png
fails 1 "data.tns: no tensor 'reconstruction'" render pairs data.tns -o none.png
fails 1 "data.tns: there is no tensor no (there are image, " render tiles --tensor no data.tns -o none.png
fails 1 "data.tns: keypoints: tiles are 2x15, not the 3x10 of --size" render tiles --tensor keypoints --size 3x10 data.tns -o none.png
fails 1 "data.tns: id is u32: tiles are drawn from u8 or f32" render tiles --tensor id data.tns -o none.png
fails 1 "the picture would be" render tiles --zoom 100 --columns 60 data.tns -o none.png
nothing none.png

# tiles: 60 of 36x28 at zoom 1 in 10 columns, 4 between, a head of 24
render tiles --zoom 1 --columns 10 data.tns -o h.png
is "$(size h.png)" $((32 + 10 * 40 - 4))x$((32 + 24 + 6 * 32 - 4)) "size of tiles"
render tiles --zoom 1 --columns 10 --global data.tns -o i.png
cmp -s h.png i.png && bad "--global changes nothing" || good

# on the photographs that rows were cut from: marks lie at the points, whichever way a photograph lies, what is unmarked stays
if python3 -c 'from math import prod' 2>/dev/null; then
	export PYTHONDONTWRITEBYTECODE=1
	over() { python3 "$here/tests/draw_over.py" "$@"; }
	import() { tns-import -q --form table --images photos --size 48x40 "$@"; }
	mkdir photos
	over draw photos
	import photos/labels.csv -o rows.tns
	over predict rows.tns cut.tns
	ok "over photographs" render faces --over photos cut.tns -o drawn/
	ok "marks on photographs" over check photos cut.tns drawn
	tns-select -q --shuffle cut.tns -o mixed.tns
	ok "in any order, into a folder that is there" render faces --over photos -o mixed mixed.tns
	render faces --over photos -o mixed mixed.tns && diff -r drawn mixed >/dev/null && good || bad "pictures by the order of rows"
	# one image: to a file or a pipe, larger or in another format, some of its faces
	ok "one image to a file" render faces --over photos --id 1,2 cut.tns -o one.png
	same one.png drawn/t1.png "one image to a file"
	render faces --over photos --id 1,2 <cut.tns | cmp - one.png && good || bad "one image to a pipe"
	render faces --over photos --id 2 --zoom 2 --names cut.tns -o two.png
	is "$(size one.png) $(size two.png)" "150x130 300x260" "sizes of pictures"
	ok "as SVG" render faces --over photos --format svg cut.tns -o vector
	is "$(ls vector | wc -l) $(head -c 5 vector/t5.svg)" "9 <?xml" "as SVG"
	ok "the worst" render faces --over photos --worst --count 1 cut.tns -o worst
	is "$(ls worst | wc -l)" 1 "the worst"
	# an image by percent code, in a folder, below another name of its folder; colours are kept
	mkdir photos/sub
	awk 'BEGIN {print "P3 15 15 255"; for (i = 0; i < 225; i++) print "0 255 0"}' >'photos/sub/b c.ppm'
	printf '%s\n' filename,a_x,a_y sub/b%20c.ppm,, './sub//b c.ppm,,' >photos/sub.csv
	import --crop whole photos/sub.csv -o sub.tns
	ok "names" render faces --over ./photos/../photos/ sub.tns -o named
	is "$(cd named && find . -type f)" "./sub/b%20c.png" "names"
	is "$(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); from draw_over import png; print(list(png(sys.argv[2])[2][7][21:24]))' "$here/tests" named/sub/b%20c.png)" "[0, 255, 0]" "colours are kept"
	# what is refused, before anything is drawn
	refused() { # TEXT STREAM ARGUMENTS...
		local text=$1 stream=$2
		shift 2
		fails 1 "$text" render faces "$@" "$stream" -o refused/
		nothing refused
	}
	refused "render: data.tns: no crop: where in which image its rows are is not known; tns-import tells it" data.tns --over photos
	refused "render: cut.tns: row 1: image photos/sub/t1.png: No such file or directory" cut.tns --over photos/sub
	printf '%s\n' filename,a_x,a_y ../t1.png,, >photos/sub/out.csv
	import photos/sub/out.csv -o out.tns
	refused "render: out.tns: row 1: its image '../t1.png' lies outside of --over" out.tns --over photos/sub
	printf 'P2 1 1 255 0\n' >photos/t1.pgm
	printf '%s\n' filename,a_x,a_y t2.png,, t1.png,, t1.pgm,, >photos/twice.csv
	import photos/twice.csv -o twice.tns
	refused "render: twice.tns: rows 2 and 3: of 't1.png' and 't1.pgm' both pictures would be refused/t1.png" twice.tns --over photos
	fails 1 "render: cut.tns: its rows are of 9 images, a picture each: --output FOLDER takes them" render faces --over photos cut.tns -o x.png
	fails 2 "unknown suffix '.jpg'" render faces --over photos cut.tns -o x.jpg
	cp -r photos kept
	fails 2 "--output photos: is the folder of --over, where pictures would lie among the images" render faces --over photos cut.tns -o photos
	fails 1 "render: photos/t1.png: is an image of --over, which a picture would replace" render faces --over photos --id 1,2 cut.tns -o photos/t1.png
	ln -s ../photos/t3.png vector/t3.png
	fails 1 "render: vector/t3.png: is an image of --over" render faces --over photos cut.tns -o vector
	diff -r photos kept >/dev/null && good || bad "photographs have changed"
	cp photos/t6.png photos/t5.png
	fails 1 "render: image photos/t5.png: its EXIF orientation is 6, and was 5 when row 7 of cut.tns was cut from it" render faces --over photos --id 7,8 cut.tns -o x.png
	printf x >photos/t8.png
	fails 1 "render: image photos/t8.png: is of a kind that is not known here" render faces --over photos --id 12 cut.tns -o x.png
	nothing x.png
	fails 2 "--over is for render faces" render maps --over photos cut.tns
	fails 2 "--columns is not for --over" render faces --over photos --columns 3 cut.tns
else
	skip "a python3 of 3.8 or later, to draw photographs and to look at pictures of them"
fi

# a damaged stream: the old picture stays
echo old >old.png
for n in 1 40 1000 $(($(wc -c <data.tns) - 1)); do
	fails 1 "render: stdin: " bash -c "head -c $n data.tns | render faces -o old.png"
done
is "$(cat old.png)" old "the old picture after cut streams"
fails 1 "render: old.png: File too large" bash -o pipefail -c "(ulimit -f 0; render faces data.tns -o old.png) 2>&1 | cat >&2"
is "$(cat old.png)" old "the old picture after a full disk"

# curves
printf 'epoch\trate\ttrain_loss\tvalid_error\tseconds\n1\t0.1\t3\t0.5\t1\n2\t0.1\t2\t0.4\t2\n3\t0.1\t1.5\t0.35\t3\n' >a.tsv
printf 'epoch\trate\ttrain_loss\tvalid_error\tseconds\n1\t0.1\t2\t0.4\t1\n2\t0.1\t1\t0.2\t2\n' >b.tsv
ok "curves" render curves a.tsv b.tsv -o curves.png
is "$(size curves.png)" 900x560 "size of curves"
render curves - <a.tsv >j.png
render curves <a.tsv >k.png
same j.png k.png "a log on stdin"
render curves --y train_loss,valid_error a.tsv -o l.svg
render curves a.tsv -o m.svg
same l.svg m.svg "the columns drawn where none are named"
ok "old spelling of legend, and options before the kind" render --names a,a --size 500x300 curves a.tsv b.tsv -o l1.png
ok "legend" render curves --legend a,a --size 500x300 a.tsv b.tsv -o l2.png
same l1.png l2.png "the kind behind its options"
ok "means, log axes, titles" render curves --legend a,a --mean --logx --logy --title T --xlabel "epoch" --ylabel "error (%)" --size 500x300 a.tsv b.tsv -o n.pdf
is "$(grep -ao 'MediaBox *\[ *0 0 500 300 *\]' n.pdf | head -1 | tr -d ' ')" "MediaBox[00500300]" "its size"
plain=(--legend a,a --size 500x300 a.tsv b.tsv)
render curves "${plain[@]}" -o plain.png
for option in --mean --logx --logy "--title T" "--xlabel X" "--ylabel Y" "--y train_loss"; do
	# shellcheck disable=SC2086
	render curves $option "${plain[@]}" -o changed.png
	is "$(size changed.png)" 500x300 "size with $option"
	cmp -s plain.png changed.png && bad "$option changes nothing" || good
done
fails 1 "a.tsv: no column 'sceonds' to draw (did you mean seconds?)" render curves --y sceonds a.tsv -o none.png
fails 1 "a.tsv: no column 'loss' to draw" render curves --y loss a.tsv -o none.png
fails 2 "--legend: more names than the 1 logs" render curves --legend a,b a.tsv -o none.png
fails 2 "--legend: 1 names for 2 logs" render curves --legend a a.tsv b.tsv -o none.png
fails 1 "--size: 50x50 leaves no room" render curves --size 50x50 a.tsv -o none.png
fails 1 "bad.tsv: No such file" render curves a.tsv bad.tsv -o none.png
printf 'epoch\tvalid_error\n1\t0.5\n2\t0.4\t7\n' >bad.tsv
fails 1 "render: bad.tsv: line 3: 3 values for 2 columns" render curves a.tsv bad.tsv -o none.png
head -c 60 a.tsv >bad.tsv
fails 1 "render: bad.tsv: line 3: cut off: no newline at its end" render curves bad.tsv -o none.png
fails 1 "render: faces.csv: line 1: " render curves faces.csv -o none.png
fails 1 "render: data.tns: line 1: " render curves data.tns -o none.png
nothing none.png
printf 'epoch\ttrain_loss\n0\t3\n1\t2\n2\t1\n' >zero.tsv
ok "a value at 0 on a log axis" render curves --logx zero.tsv -o o.png
is "$(cat .err)" "render: 1 value left out: not over 0 on a log axis, or beyond 1e300" "values left out are counted"

# films: a frame a row, each written when its row has come; a stream that is cut is an error after the frames before
ok "a film" render video --zoom 2 data.tns -o film.ppm
is "$(head -c 13 film.ppm | tr '\n' ' ') $(wc -c <film.ppm)" "P6 72 56 255  $((60 * (13 + 72 * 56 * 3)))" "frames of a film"
render video --zoom 2 <data.tns >film2.ppm
same film.ppm film2.ppm "a film from a pipe"
face-synth -q -n 20 --size 256x256 -o - | csv-clean -q --keep-all -o large.tns # 16 rows a chunk
mkfifo rows
exec 3<>rows # which doesn't wait for a reader
render video --zoom 0.1 rows >film.ppm 2>.err 3>&- &
timeout 60 head -c 1100000 large.tns >&3 || bad "rows are not read: $(cat .err)"
frames=$((16 * (13 + 26 * 26 * 3)))
for _ in $(seq 300); do [ "$(wc -c <film.ppm)" -lt $frames ] && kill -0 $! 2>/dev/null || break; sleep 0.1; done
is "$(wc -c <film.ppm)" $frames "frames of a stream that has not ended"
exec 3>&-
got=0
wait $! || got=$?
is "$got $(wc -l <.err)" "1 1" "a stream that was cut ends in an error"
grep -q 'render: rows: record' .err && good || bad "a stream that was cut: $(cat .err)"
head -c 1100000 large.tns >cut.tns
fails 1 "render: cut.tns: record" render video cut.tns -o none.ppm
nothing none.ppm
fails 1 "render: stdout: No space left on device" bash -c "render video data.tns >/dev/full"

# output files
for k in "faces data.tns" "tiles data.tns" "curves a.tsv"; do
	for f in png svg pdf; do
		fails 1 "render: stdout: No space left on device" bash -c "render $k --format $f >/dev/full"
		# shellcheck disable=SC2086
		fails 1 "render: /dev/full: No space left on device" render $k --format $f -o /dev/full
	done
	if terminals; then
		got=0
		script -qec "render $k" /dev/null >.tty </dev/null || got=$?
		is "$got" 2 "exit status of a PNG to a terminal"
		grep -qF "render: stdout: binary is not written to a terminal" .tty || bad "to a terminal: $(head -c 200 .tty)"
		script -qec "render $k --format svg" /dev/null >.tty </dev/null && good || bad "SVG to a terminal"
	fi
done
is "$(find . -name '.*.tmp')" "" "temporary files left behind"

done_tests
