#!/usr/bin/env bash
# face-synth: files and formats, the same bytes at any thread count, label noise where the list says, malformed files on request.
. tests/sh.sh
cd "$TMP" || exit 1

make_all() { # NAME OPTIONS...: all six files, NAME.*
	local name=$1; shift
	face-synth -q "$@" --people "$name.groups" --planted "$name.truth" --test "$name.test" --test-lookup "$name.lookup" --solution "$name.solution" -o "$name.csv"
}

# formats
ok "all files" make_all a -n 300 --dirt --test-count 40
is "$(head -1 a.csv | tr , '\n' | wc -l)" 31 "31 columns"
is "$(head -1 a.csv | tr , '\n' | tail -1)" Image "Image comes last"
is "$(head -1 a.solution)" "$(head -1 a.csv)" "a solution is a training file"
is "$(wc -l <a.csv) $(wc -l <a.groups) $(wc -l <a.test) $(wc -l <a.solution)" "301 301 41 41" "rows"
is "$(head -1 a.test) $(head -1 a.lookup) $(head -1 a.groups)" "ImageId,Image RowId,ImageId,FeatureName,Location row,group" "headers"
is "$(awk -F, 'NR > 1 { n = split($31, p, " "); for (i = 1; i <= n; i++) if (p[i] !~ /^[0-9]+$/ || p[i] > 255) bad++; if (NF != 31 || n != 9216) bad++ } END { print bad + 0 }' a.csv)" 0 "fields and pixels"
is "$(awk -F, 'NR > 1 { for (i = 1; i <= 30; i++) if ($i !~ /^(-?[0-9]+(\.[0-9]*[1-9])?)?$/) bad++ } END { print bad + 0 }' a.csv)" 0 "coordinates"
is "$(awk -F, 'NR > 1 && ($1 != NR - 1 || $4 != "") { bad++ } END { print bad + 0 }' a.lookup)" 0 "lookup lines count from 1, locations empty"
is "$(awk -F, 'NR > 1 { c[$2]++ } END { for (k in c) if (c[k] != 8 && c[k] != 30) bad++; print length(c), bad + 0 }' a.lookup)" "40 0" "each picture is asked for four points or all"
is "$(awk -F, 'NR > 1 && $1 != NR - 1 { bad++ } END { print bad + 0 }' a.test)" 0 "ImageIds"
is "$(cut -d, -f2 a.test | tail -n +2 | md5sum)" "$(cut -d, -f31 a.solution | tail -n +2 | md5sum)" "test and solution show the same pictures"
is "$(cut -d, -f1-30 a.solution | grep -c ',,')" 0 "a solution has every label"
is "$(awk -F, 'NR > 1 { if ($2 > $1) bad++; if ($2 < $1) same++ } END { print bad + 0, (same > 30) }' a.groups)" "0 1" "groups are called after their first row"

# the same bytes for any number of threads and from a pipe; earlier rows do not depend on later ones
ok "again" make_all b -n 300 --dirt --test-count 40
ok "three threads" make_all c -n 300 --dirt --test-count 40 -t 3
ok "piped" bash -c 'face-synth -n 300 --dirt -t 1 | cat >d.csv'
for f in csv groups truth test lookup solution; do
	same a.$f b.$f "again: $f"
	same a.$f c.$f "threads: $f"
done
same a.csv d.csv "piped"
ok "other seed" make_all e -n 300 --dirt --test-count 40 -s 2
for f in csv truth test; do
	ok "another seed differs: $f" bash -c "! cmp -s a.$f e.$f"
done
ok "more rows" face-synth -q -n 320 --dirt -o f.csv
ok "rows don't depend on how many follow" bash -c 'head -301 f.csv | cmp - a.csv'

# label noise (--dirt): rows not in the list are as without it, but for missing labels
ok "clean" face-synth -q -n 300 -o g.csv
is "$(awk -F, 'FILENAME == "a.truth" { split($0, t, "\t"); listed[t[1]] = 1; next }
	FILENAME == "g.csv" { for (i = 1; i <= 31; i++) clean[FNR, i] = $i; next }
	FNR > 1 && !((FNR - 1) in listed) { for (i = 1; i <= 31; i++) if ($i != "" && $i != clean[FNR, i]) bad++ }
	FNR > 1 && (FNR - 1) in listed { diff = 0; for (i = 1; i <= 31; i++) if ($i != "" && $i != clean[FNR, i]) diff++; if (!diff) bad++ }
	END { print bad + 0 }' a.truth g.csv a.csv)" 0 "the list of faults is true and whole"
ok "many rows" face-synth -q -n 2000 --size 16x16 --dirt --planted t.truth -o t.csv
is "$(cut -f3 t.truth | tail -n +2 | sort -u | tr '\n' ' ')" "duplicate far outside scrambled shifted swapped " "every kind is planted"
is "$(awk -F, 'NR > 1 { n = 0; for (i = 1; i <= 30; i++) n += $i != ""; full += n == 30; four += n == 8 } END { print (full > 540 && full < 660), (four > 1180 && four < 1340) }' t.csv)" "1 1" "30 % complete, most with four points"
is "$(awk -F, 'NR > 1 { print $31 }' t.csv | sort | uniq -d | wc -l)" "$(awk -F'\t' '$3 == "duplicate"' t.truth | wc -l)" "duplicates are equal pictures"

# sizes and points
ok "size" face-synth -q -n 2 --size 31x20 --point-count 1 -o s.csv
is "$(head -1 s.csv)" "left_eye_center_x,left_eye_center_y,Image" "one point"
is "$(awk -F, 'NR > 1 { print split($3, p, " ") }' s.csv | sort -u)" 620 "31x20 pixels"
ok "faults of one point" face-synth -q -n 3000 --size 16x16 --point-count 1 --dirt --planted planted.tsv -o s.csv
is "$(awk 'NR > 1 {print $3}' planted.tsv | sort -u | paste -sd ' ')" "duplicate far outside shifted" "one point has none to be exchanged with"
ok "many points" face-synth -q -n 1 --point-count 98 -o s.csv
is "$(head -1 s.csv | tr , '\n' | sort -u | wc -l)" 197 "98 points of different names"
ok "no rows" face-synth -q -n 0 -o s.csv
is "$(wc -l <s.csv)" 1 "no rows: a header"

# malformed files on request, in the given row
for kind in columns pixels range number extra long negative blank half; do
	ok "break $kind" face-synth -q -n 5 --break "$kind" --break-row 4 --planted k.truth -o k.csv
	is "$(tail -n +2 k.truth)" "4	-	$kind" "$kind is listed"
	face-synth -q -n 5 -o good.csv
	is "$(diff k.csv good.csv | grep -c '^<')" 1 "$kind: one row differs"
	is "$(cmp -s <(sed -n 5p k.csv) <(sed -n 5p good.csv) && echo same)" "" "$kind: it is row 4"
done
face-synth -q -n 5 --break columns -o k.csv
is "$(awk -F, '{ print NF }' k.csv | tr '\n' ' ')" "31 31 31 30 31 31 " "a column too few, in the middle row"
face-synth -q -n 5 --break pixels -o k.csv
is "$(awk -F, 'NR == 4 { print split($31, p, " ") }' k.csv)" 9215 "a pixel too few"
ok "range" bash -c "face-synth -n 5 --break range | sed -n 4p | grep -q ' 256$'"
ok "number" bash -c "face-synth -n 5 --break number | sed -n 4p | grep -q ',12.5px,'"
face-synth -q --break empty -o k.csv
is "$(wc -c <k.csv)" 0 "empty"
face-synth -q -n 5 --break cut -o k.csv
is "$(wc -l <k.csv) $(tail -c 1 k.csv | wc -l)" "3 0" "cut within row 3"
face-synth -q -n 5 --break header -o k.csv
is "$(grep -c Image k.csv)" 0 "no Image column"
face-synth -q -n 5 --break twice -o k.csv
is "$(head -1 k.csv | tr , '\n' | sort | uniq -d)" left_eye_center_x "a name twice"

# photographs: the same bytes for any number of threads, and of which further ones make no others; all forms say the same; a film
photos() { face-synth -q --photos 7 --photo-size 200x150 --face-min 20 --face-max 60 "$@"; }
ok "photographs" photos -o p1 -t 1
ok "three threads" photos -o p3/ -t 3
ok "more of them" face-synth -q --photos 9 --photo-size 200x150 --face-min 20 --face-max 60 -t 2 -o p9
is "$(ls p1 | tr '\n' ' ')" "000001.pgm 000002.pgm 000003.pgm 000004.pgm 000005.pgm 000006.pgm 000007.pgm labels.json " "files"
is "$(cat p1/* | md5sum)" "$(cat p3/* | md5sum)" "photographs: threads"
is "$(cat p1/*.pgm | md5sum)" "$(cat p9/00000[1-7].pgm | md5sum)" "photographs don't depend on how many follow"
ok "another seed" photos -s 2 -o p2
ok "another seed differs" bash -c '! cmp -s p1/000001.pgm p2/000001.pgm'
for form in imglab table coco; do
	ok "photographs: $form" photos --form $form -o p1
	ok "tns-import reads $form" tns-import -q --form $form --size 40x40 p1/labels.$(case $form in coco) echo json ;; imglab) echo xml ;; *) echo csv ;; esac) -o $form.tns
	tns-export --form csv $form.tns | sed 1d >$form.csv
done
is "$(wc -l <coco.csv)" "$(grep -c image_id p1/labels.json)" "a row a face"
is "$(grep -c '<part ' p1/labels.xml)" "$((15 * $(wc -l <coco.csv)))" "parts of imglab's faces"
is "$(tns-info --tensor image coco.tns | md5sum)" "$(tns-info --tensor image table.tns | md5sum)" "the same crops"
# points of the rows, brought back to the photographs by each row's crop, are the file's: within what three decimals and floats leave, XML's by half a pixel
back() { # FORM FACTOR: the largest distance between its table and the rows of FORM
	tns-info --head 99 "$1.tns" | awk 'FNR == 1 { f++ } f == 1 && /^keypoints\[/ { k[++n] = $0 } f == 1 && /^crop\[/ { c[++m] = $0 }
	f == 2 && FNR > 1 { split($0, t, ","); split(k[FNR - 1], p, " "); split(c[FNR - 1], a, " ")
		for (i = 0; i < 30; i++) { d = a[i % 2 ? 6 : 2] * p[2 + i] + a[i % 2 ? 7 : 4] - t[6 + i]; if (d < 0) d = -d; if (d > worst) worst = d; seen++ } }
	END { print (seen == 30 * n && n > 7 && worst < '"$2"') ? "near" : n " rows, " seen " coordinates, " worst " px" }' - p1/labels.csv
}
is "$(back table 0.002)" near "points of a table"
is "$(back coco 0.002)" near "points of COCO"
is "$(back imglab 0.502)" near "points of imglab"
# faces of one photograph stay together, and which part they go to depends on its name alone
sources() { tns-info --tensor source --head 99 "$1" | sed -n 's/^source\[[0-9]*\] //p' | sort -u; }
ok "tns-split --by source" tns-split -q --by source --parts 0.5,0.5 table.tns -o one.tns -o two.tns
is "$(sources one.tns | wc -l) $(comm -12 <(sources one.tns) <(sources two.tns) | wc -l)" "$((7 - $(sources two.tns | wc -l))) 0" "photographs in one part alone"
[ "$(sources one.tns | wc -l)" -gt 0 ] && [ "$(sources two.tns | wc -l)" -gt 0 ] && good || bad "all photographs are in one part"
ok "score --by source" bash -c 'cnn-train -q -e 1 -n "fc4 relu fc" table.tns -o m.tns 2>/dev/null && predict -q m.tns table.tns -o q.tns && score --by source q.tns q.tns'
ok "a film" face-synth -q --film 5 --photo-size 80x64 --solution film.csv -o film.pgm
ok "a film, by threads" face-synth -q --film 5 --photo-size 80x64 --solution film3.csv -t 3 -o film3.pgm
same film.pgm film3.pgm "film: threads"
same film.csv film3.csv "film's points: threads"
is "$(wc -c <film.pgm)" $((5 * (80 * 64 + 13))) "frames"
ok "tns-import reads frames" bash -c 'face-synth -q --film 5 --photo-size 80x64 | tns-import -q --form pnm -o film.tns'
is "$(tns-info --tensor source --head 5 film.tns | sed -n 's/^source\[.\] //p' | tail -1)" "$(tail -1 film.csv | cut -d, -f1)" "their names"
fails 2 "--photos writes files: --output tells the folder" face-synth --photos 3
fails 2 "--dirt is not for --photos" face-synth --photos 3 --dirt -o p4
fails 2 "--film is not for --photos" face-synth --photos 3 --film 3 -o p4
fails 2 "--faces is not for --film" face-synth --film 3 --faces 2
fails 2 "--form is for --photos" face-synth --form coco
fails 2 "--photo-size is for --photos and --film" face-synth --photo-size 100x100
fails 2 "--photo-size 40x100: from 48x48 to 2048x2048" face-synth --film 3 --photo-size 40x100
fails 2 "--face-min 60: --face-max is 50" face-synth --photos 3 --face-min 60 --face-max 50 -o p4
fails 2 "--face-min 60: a picture of 64x64 has no room for it" face-synth --photos 3 --face-min 60 --photo-size 64x64 -o p4
fails 1 "a.csv: is no folder" face-synth --photos 3 -o a.csv
[ ! -e p4 ] || bad "wrong use leaves a folder"

# wrong use, and files that can't be written
fails 2 "break" face-synth --break nothing
fails 2 "7x96" face-synth --size 7x96
fails 2 "--point-count: 0 is outside" face-synth --point-count 0
fails 2 "break-row" face-synth -n 5 --break cut --break-row 6
fails 2 "same" face-synth --same 2
fails 2 "unexpected operand 'operand'" face-synth operand
fails 1 "/no/such" face-synth -n 1 -o /no/such/x.csv
fails 1 "No space left" face-synth -n 5 -o /dev/full
terminals && ok "a CSV to a terminal" script -qec "face-synth -q -n 1 --size 8x8 -o out.csv --test /dev/tty --test-count 1" /dev/null </dev/null
echo old >keep.csv
fails 1 "/no/such" face-synth -n 1 --test /no/such/t.csv -o keep.csv
is "$(cat keep.csv)" old "a failed run leaves the old file"
is "$(ls -a | grep -c '\.tmp$')" 0 "and nothing beside it"
done_tests
