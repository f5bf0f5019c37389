#!/usr/bin/env bash
# The forms in which people have keypoints: each is made from one small set, and is read alike, or refused by one line that names row, column
# and value, or the way out. Where that is a command, it is run.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 12 --size 24x24 --dirt -o plain.csv
awk -F, -v OFS=, '{print NR == 1 ? "ImageId" : NR * 7, $0}' plain.csv >ids.csv
csv-clean -q plain.csv -o plain.tns
csv-clean -q ids.csv -o ids.tns
[ -s plain.tns ] && [ -s ids.tns ] || bad "no set to compare with"

forms=0
# reads WHAT FILE [LIKE [OPTION...]]: the data set that is LIKE.tns, from file and pipe
reads() {
	local what=$1 file=$2 like=${3:-plain}
	shift $(($# < 3 ? $# : 3))
	forms=$((forms + 1))
	rm -f got.tns piped.tns
	csv-clean -q "$@" "$file" -o got.tns 2>.err || bad "$what: $(head -2 .err)"
	csv-clean -q "$@" <"$file" | cat >piped.tns 2>.err
	# with options, the history has another line
	if [ $# = 0 ]; then same got.tns "$like.tns" "$what"; else is "$(sums got.tns)" "$(sums "$like.tns")" "$what"; fi
	same got.tns piped.tns "$what, from a pipe"
}
sums() { tns-info --json "$1" | sed 's/"history.*//; s/"fingerprint[^,]*,//; s/"file[^,]*,//'; }
# refused WHAT FILE TEXT: by one line
refused() {
	forms=$((forms + 1))
	fails 1 "csv-clean: $2: $3" csv-clean -q "$2" -o out.tns
	[ ! -e out.tns ] || bad "$1: an output was left"
}
# way WHAT FILE TEXT TOOL [LIKE [SED]]: refused, and the command behind TEXT gives the data set; SED puts words in the place of its capitals
way() {
	local command tool before=$failed
	refused "$1" "$2" "$3"
	[ "$failed" = "$before" ] || return
	command=$(sed -n '$s/^.*: //p' .err | sed "${6-}")
	for tool in $4; do command -v "$tool" >/dev/null || { skip "$1: no $tool to run: $command"; return; }; done
	rm -f got.tns
	bash -o pipefail -c "$command -q -o got.tns" >.out 2>.err || bad "$1: $command: $(head -2 .err)"
	same got.tns "${5:-plain}.tns" "$1: what comes of: $command"
}

# ---- values ----
for word in nan NaN NA N/A '#N/A' null None . '?' - ' '; do
	awk -F, -v OFS=, -v w="$word" '{for (i = 1; i < NF; i++) if ($i == "") $i = w; print}' plain.csv >form.csv
	reads "missing as '$word'" form.csv
done
awk -F, -v OFS=, 'NR > 1 {for (i = 1; i < NF; i++) if ($i > 0) $i = "+" $i} {print}' plain.csv >form.csv
reads "plus signs" form.csv
awk -F, -v OFS=' , ' '{$1 = $1; print}' plain.csv >form.csv
reads "blanks around" form.csv
awk -F, -v OFS=$',\t' '{$1 = $1; print}' plain.csv >form.csv
reads "tabs around" form.csv
sed 's/"//g; s/[^,]*/"&"/g' plain.csv >form.csv
reads "quoted fields" form.csv
awk -F, -v OFS=, 'NR > 1 {gsub(/[0-9]+/, "&.0", $NF)} {print}' plain.csv >form.csv
reads "pixels as 128.0" form.csv
awk -F, -v OFS=, 'NR > 1 {gsub(/ /, ", ", $NF); $NF = "\"[" $NF "]\""} {print}' plain.csv >form.csv
reads "pixels as a list" form.csv
awk -F, -v OFS=, 'NR > 1 {gsub(/ /, "\t", $NF)} {print}' plain.csv >form.csv
reads "tabs between pixels" form.csv
sed '2,$s/^\([^,]*\)/\1.0/' ids.csv >form.csv
reads "ids as 7.0" form.csv ids

# ---- lines ----
sed $'1s/^/\xef\xbb\xbf/' plain.csv >form.csv
reads "a byte order mark" form.csv
sed 's/$/\r/' plain.csv >form.csv
reads "CR LF" form.csv
tr '\n' '\r' <plain.csv >form.csv
reads "CR" form.csv
sed 's/$/\r\r/' plain.csv >form.csv
reads "CR CR LF" form.csv
head -c -1 plain.csv >form.csv
reads "no line end at the end" form.csv
tr '\n' '\r' <plain.csv | head -c -1 >form.csv
reads "CR, none at the end" form.csv
{ cat plain.csv; printf '\n  \n\r\n'; } >form.csv
reads "empty lines at the end" form.csv
{ printf '# from a program\n#\n'; cat plain.csv; } >form.csv
reads "comments before the header" form.csv

# ---- columns ----
sed '1s/_\([xy]\),/.\1,/g' plain.csv >form.csv
reads "NAME.x" form.csv
sed '1s/_x,/_X,/g; 1s/_y,/_Y,/g' plain.csv >form.csv
reads "NAME_X" form.csv
sed -E '1s/([a-z_]+)_([xy]),/\2_\1,/g' plain.csv >form.csv
reads "x_NAME" form.csv
awk -F, -v OFS=, '{print NR == 1 ? "" : NR - 2, $0}' plain.csv >form.csv
reads "an index before" form.csv
awk -F, -v OFS=, '{print NR == 1 ? "name" : "\"face, " NR "\"", $0, NR == 1 ? "age" : 30}' plain.csv >form.csv
reads "columns of other things" form.csv
for box in box_x,box_y,box_w,box_h face_x,face_y,face_width,face_height x_min,y_min,x_max,y_max x_box,y_box,w_box,h_box; do
	awk -F, -v OFS=, -v box=$box '{print NR == 1 ? box : "3,4,15,16", $0}' plain.csv >form.csv
	reads "a box as $box" form.csv
	csv-clean form.csv -o got.tns 2>.err
	is "$(grep -c ignored .err) $(head -1 .err)" "1 csv-clean: form.csv: columns that are ignored: '${box//,/\', \'}'" "the box is named"
done
awk -F, -v OFS=, '{print $NF, $0}' plain.csv | sed 's/,[^,]*$//' >form.csv
reads "the image first" form.csv
for name in image pixels PIXELS; do
	sed "1s/,Image/,$name/" plain.csv >form.csv
	reads "the image as $name" form.csv
done
sed '1s/,Image/,grey/' plain.csv >form.csv
reads "the image by --image-column" form.csv plain --image-column grey
for name in image_id id imageid; do
	sed "1s/^ImageId/$name/" ids.csv >form.csv
	reads "the number as $name" form.csv ids
done

sed '1s/^ImageId/image_id,id/; 1!s/^\([0-9]*\),/7,\1,/' ids.csv >form.csv
reads "the number as id beside a photograph's image_id" form.csv ids

# ---- separators ----
tr , ';' <plain.csv >form.csv
reads "semicolons" form.csv
tr ,. ';,' <plain.csv >form.csv
reads "semicolons, decimal commas" form.csv
tr , '\t' <plain.csv >form.csv
reads "tabs" form.csv
tr , '|' <plain.csv >form.csv
reads "bars" form.csv

# ---- packed, and read ----
gzip -c plain.csv >form.csv
reads "gzip" form.csv
{ head -c 3000 plain.csv | gzip -c; tail -c +3001 plain.csv | gzip -c; } >form.csv
reads "two gzip members" form.csv
if command -v zip >/dev/null; then
	mkdir -p data __MACOSX/data
	cp plain.csv data/training.csv
	echo '<html>' | tee data/about.html data/.DS_Store >__MACOSX/data/._training.csv
	rm -f form.zip && zip -q form.zip data/training.csv && reads "a zip" form.zip
	rm -f form.zip && zip -q0 form.zip data/training.csv && reads "a stored zip" form.zip
	rm -f form.zip && zip -qr form.zip __MACOSX data && reads "a zip from macOS" form.zip
	zip -q - - <plain.csv | cat >form.zip && reads "a zip written to a pipe" form.zip
	zip -q -fz - - <plain.csv | cat >form.zip && reads "the same with sizes of 64 bits" form.zip
	{ rm -f form.zip; tr ,. ';,' <plain.csv | sed 's/$/\r/'; } >data/training.csv && zip -q form.zip data/training.csv && reads "a zip with semicolons" form.zip
	cp plain.csv training.csv && cp ids.csv test.csv
	rm -f form.zip && zip -q form.zip test.csv training.csv
	way "a zip of two CSVs" form.zip "row 13: the zip holds several files, test.csv, training.csv: unzip -p form.zip MEMBER | csv-clean" unzip plain 's/MEMBER/training.csv/'
	printf 'RowId,ImageId\n1,1\n' >IdLookupTable.csv
	rm -f form.zip && zip -q form.zip IdLookupTable.csv training.csv
	way "a zip whose first CSV is another" form.zip "the zip holds several files, IdLookupTable.csv, training.csv" unzip plain 's/MEMBER/training.csv/'
	rm -f inner.zip form.zip && zip -q inner.zip training.csv && zip -q form.zip inner.zip
	way "a zip in a zip" form.zip "its zip data are a zip file: unzip -p form.zip | csv-clean" unzip
	rm -f form.zip && zip -q form.zip inner.zip test.csv IdLookupTable.csv
	way "Kaggle's zip of all" form.zip "the zip holds several files, inner.zip, test.csv, IdLookupTable.csv" unzip plain 's/MEMBER/inner.zip/'
	rm -f form.zip && zip -q -P secret form.zip training.csv
	way "an encrypted zip" form.zip "the zip is encrypted, this command asks for the password: unzip -p form.zip training.csv | csv-clean" unzip plain 's/-p/-P secret -p/'
	rm -f form.zip
	if zip -q -Z bzip2 form.zip training.csv 2>/dev/null; then
		way "a zip by bzip2" form.zip "the zip's compression (method 12) is not read here: unzip -p form.zip training.csv" unzip
	fi
	rm -f form.zip && zip -q form.zip data/about.html
	refused "a zip without a CSV" form.zip "the zip holds no CSV but data/about.html"
	rm -f form.zip && zip -q form.zip training.csv && head -c -3 form.zip >cut.zip
	refused "a cut zip" cut.zip "row 13: the zip data are cut: the file ends inside them"
	{ cat form.zip; echo more; } >more.zip
	refused "a zip and more" more.zip "row 13: the zip data are followed by something else (byte 0x6d)"
else
	skip "no zip to make zips"
fi

# ---- packed otherwise ----
gzip -c plain.csv | gzip -c >form.csv.gz
way "gzip twice" form.csv.gz "its gzip data are a gzip file: gzip -dc form.csv.gz | csv-clean" gzip
for tool in xz bzip2 zstd lz4; do
	article=a; [ $tool = xz ] && article=an; [ $tool = lz4 ] && article=an
	command -v $tool >/dev/null || { skip "no $tool"; continue; }
	$tool -c <plain.csv >"my form.$tool"
	way $tool "my form.$tool" "this is $article $tool file: $tool -dc 'my form.$tool' | csv-clean" $tool
done
tar -cf form.tar plain.csv
way "tar" form.tar "this is a tar archive: tar -xOf form.tar | csv-clean" tar
gzip -c form.tar >form.tar.gz
way "tar.gz" form.tar.gz "its gzip data are a tar archive: gzip -dc form.tar.gz >FILE && tar -xOf FILE | csv-clean" tar
printf '7z\xbc\xaf\x27\x1c\0\4' >form.7z
refused "7-Zip" form.7z "this is a 7-Zip archive: 7z x -so form.7z | csv-clean"
cp form.7z "it's.7z"
refused "a name that can't be quoted simply" "it's.7z" "this is a 7-Zip archive: 7z x -so FILE | csv-clean"
fails 1 "csv-clean: stdin: this is a 7-Zip archive: 7z x -so FILE | csv-clean" csv-clean <form.7z

# ---- other text, other tables ----
for code in UTF-16 UTF-16LE UTF-16BE UTF-32; do
	iconv -f UTF-8 -t $code plain.csv >form.csv 2>/dev/null || { skip "no iconv"; break; }
	way $code form.csv "this is ${code%?E} text: iconv -f $code -t UTF-8 form.csv | csv-clean" iconv
done
if command -v sqlite3 >/dev/null; then
	rm -f form.db && sqlite3 form.db '.import --csv plain.csv faces' 2>/dev/null
	way SQLite form.db "this is an SQLite database: echo 'SELECT * FROM TABLE' | sqlite3 -header -csv form.db | csv-clean" sqlite3 plain 's/TABLE/faces/'
else
	printf 'SQLite format 3\0' >form.db
	refused SQLite form.db "this is an SQLite database: echo 'SELECT * FROM TABLE' | sqlite3 -header -csv form.db | csv-clean"
fi
have_pandas() { python3 -c 'import pandas' 2>/dev/null; }
awk -F, 'NR == 1 {n = split($0, name); printf "["; next}
	{
		printf("%s{", (NR > 2 ? ",\n" : ""))
		for (i = 1; i <= n; i++)
			printf("%s\"%s\": %s", (i > 1 ? ", " : ""), name[i], ($i == "" ? "null" : i == n ? "\"" $i "\"" : $i))
		printf "}"
	}
	END {print "]"}' plain.csv >form.json
if have_pandas; then way JSON form.json "this is JSON: python3 -c 'import pandas" python3
else refused JSON form.json "this is JSON: python3 -c 'import pandas"; fi # without pandas what is said of JSON and Parquet can't be run
if have_pandas && python3 -c 'import pandas; pandas.read_csv("plain.csv").to_parquet("form.parquet")' 2>/dev/null; then
	way Parquet form.parquet "this is a Parquet table: python3 -c 'import pandas" python3
else
	printf 'PAR1\x15\4' >form.parquet # a real one begins so
	refused Parquet form.parquet "this is a Parquet table: python3 -c 'import pandas"
fi

sed '1s/left_eye_center/\xe9/g' plain.csv >form.csv
iconv -f LATIN1 -t UTF-8 form.csv | csv-clean -q -o latin.tns
way "Latin-1" form.csv "header: column 1: '\xe9_x' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 form.csv | csv-clean" iconv latin
{ head -6 plain.csv; head -1 plain.csv; tail -n +7 plain.csv; } >form.csv
way "two CSVs, one after the other" form.csv "row 6: the header again, of a second CSV: awk '\$0 != h; NR == 1 {h = \$0}' form.csv | csv-clean" awk

# ---- no text: each by name ----
told() { # TEXT BYTES
	printf "$2" >form.bin
	refused "$1" form.bin "this is $1"
}
told "a PNG picture: tns-import makes a data set of pictures" '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'
told "a JPEG picture: tns-import makes a data set of pictures" '\xff\xd8\xff\xe0\0\x10JFIF'
told "a NumPy array (npy): tns-convert makes a tensor stream of it" '\x93NUMPY\1\0v\0'
told "a file of NumPy arrays (npz): tns-convert makes a tensor stream of it" 'PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.npydata'
told "an Excel workbook or another office document: save its sheet as CSV" 'PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml'
told "an HDF5 file, not a CSV" '\x89HDF\r\n\x1a\n'
told "a Python pickle, not a CSV" '\x80\4\x95\1'
told "an ONNX model, not a CSV" '\x08\x07\x12\x07pytorch'
told "XML: tns-import --form imglab makes a data set" '<?xml version="1.0"?>\n<dataset>'
told "an HTML page: perhaps the site's login: download the file again, signed in" '<!doctype html>\n<html>'
told "a Git LFS pointer: git lfs pull fetches the file itself" 'version https://git-lfs.github.com/spec/v1\n'
printf 'PAR1abc\0\0\0\n' >form.bin
refused "zeros" form.bin "header: byte 8 is 0x00: this is no text, so no CSV"
refused "a stream" plain.tns "this is a tensor stream: tns-info shows what is in it, and the other programs read it"

# ---- broken: row, column and value ----
edit() { sed "$2" plain.csv >form.csv; refused "$1" form.csv "$3"; }
edit "a word" '4s/^[^,]*/left/' "row 3: left_eye_center_x is 'left', not a number"
edit "a quoted decimal comma" '4s/^[^,]*/"1,5"/' "row 3: left_eye_center_x is '1,5', not a number"
edit "a decimal comma" '4s/^[^,]*/1,5/' "row 3: 32 columns instead of 31"
edit "a pixel over 255" '4s/ [0-9]*$/ 256/' "row 3: pixel 576 is 256, not 0 to 255"
edit "a pixel between 0 and 1" '4s/ [0-9]*$/ 0.5/' "row 3: pixel 576 is '0.5', not a number from 0 to 255"
edit "a pixel too few" '4s/ [0-9]*$//' "row 3: 575 pixels instead of 576 (24 x 24)"
edit "an x without y" '1s/nose_tip_y/nose/' "header: 'nose_tip_x' without 'nose_tip_y'"
edit "no image" '1s/,Image/,Picture/' "header: no column is called Image (image, pixels; --image-column names another)"
edit "an empty line within" '4s/.*//' "row 3: an empty line"
edit "a large number" '4s/^[^,]*/1e40/' "row 3: left_eye_center_x is 1e40: too large for a coordinate"
edit "a zero byte" '4s/^[^,]*/1\x00/' "row 3: left_eye_center_x is '1?', not a number"

# ---- a CSV where a stream belongs ----
streams() { # WHAT FILE TEXT COMMAND...: the command of the message runs with the options of COMMAND
	local what=$1 file=$2 text=$3 program=$4 command before=$failed
	shift 4
	forms=$((forms + 1))
	fails 1 "$program: $file: preamble: this is not a tensor stream but $text" "$program" "$@" "$file"
	[ "$failed" = "$before" ] || return
	command=$(sed -n '$s/^.*: //p' .err)
	bash -o pipefail -c "$(sed 's/csv-clean/csv-clean -q/' <<<"$command") $*" >.out 2>.err && good || bad "$what: $command: $(head -2 .err)"
}
cp plain.csv faces.csv && gzip -c plain.csv >faces.csv.gz
streams "a CSV" faces.csv "text: csv-clean faces.csv | tns-info" tns-info -o info.txt
streams "a CSV to train on" faces.csv "text: csv-clean faces.csv | cnn-train" cnn-train -q -n fc -e 1 -o model.tns
streams "a packed CSV" faces.csv.gz "a gzip file: gzip -dc faces.csv.gz | csv-clean | tns-split" tns-split -q -o a.tns -o b.tns
fails 1 "predict: faces.csv: preamble: this is not a tensor stream but text: csv-clean faces.csv | predict" predict model.tns faces.csv
command -v iconv >/dev/null && iconv -t UTF-16 plain.csv >wide.csv &&
	streams "UTF-16" wide.csv "UTF-16 text: iconv -f UTF-16 -t UTF-8 wide.csv | csv-clean | tns-info" tns-info -o info.txt
printf '\x89PNG\r\n\x1a\n' >form.png
fails 1 "render: form.png: preamble: this is not a tensor stream but a PNG picture" render faces form.png -o out.png

# ---- side tables ----
face-synth -q -n 30 --size 24x24 --test test.csv --test-count 6 --test-lookup lookup.csv --people groups.csv | csv-clean -q -o faces.tns
csv-clean -q test.csv | predict -q model.tns -o answers.tns
submit -q -l lookup.csv answers.tns -o plain.sub
tns-split -q --groups groups.csv faces.tns -o plain.a -o plain.b
printf 'row\tname\tkind\tvalue\taction\n3\tnose_tip\tsuspect\t9.5\tnone\n' >doubts.tsv
csv-clean -q --blank doubts.tsv plain.csv -o plain.doubts
tables() { # WHAT COMMAND: made of stdin, of the lookup table, the groups and the suspects
	forms=$((forms + 1))
	bash -c "$2" <lookup.csv >form.lookup && bash -c "$2" <groups.csv >form.groups && bash -c "$2" <doubts.tsv >form.doubts || bad "$1: not made"
	submit -q -l form.lookup answers.tns -o got.sub 2>.err && same got.sub plain.sub "lookup table: $1" || bad "$1: $(head -1 .err)"
	tns-split -q --groups form.groups faces.tns -o got.a -o got.b 2>.err && is "$(sums got.a)" "$(sums plain.a)" "groups: $1" || bad "$1: $(head -1 .err)"
	csv-clean -q --blank form.doubts plain.csv -o got.doubts 2>.err && is "$(sums got.doubts)" "$(sums plain.doubts)" "suspects: $1" || bad "$1: $(head -1 .err)"
}
tables "as it is" cat
tables "a byte order mark" "printf '\\xef\\xbb\\xbf'; cat"
tables "CR LF" "sed 's/\$/\\r/'"
tables "CR" "tr '\\n' '\\r'"
tables "no line end at the end" "head -c -1"
tables "semicolons" "tr ',\\t' ';;'"
tables "tabs" "tr ',;' '\\t\\t'"
tables "bars" "tr ',\\t' '||'"
tables "quoted fields" "sed 's/[^,\\t]*/\"&\"/g'"
tables "blanks around" "sed 's/,/ , /g'"
tables "whole numbers as 7.0" "sed -E '2,\$s/(^|,)([0-9]+)/\\1\\2.0/g'"
tables "gzip" "gzip -c"
command -v zip >/dev/null && tables "a zip" "zip -q - - | cat"
for what in "xz:an xz file:xz -c" "iconv:UTF-16 text:iconv -f UTF-8 -t UTF-16"; do
	IFS=: read -r tool text command <<<"$what"
	command -v "$tool" >/dev/null || { skip "no $tool"; continue; }
	forms=$((forms + 1))
	$command <lookup.csv >form.lookup
	fails 1 "submit: form.lookup: this is $text: $tool" submit -q -l form.lookup answers.tns -o got.sub
	bash -c "$(sed -n '$s/^.*: //p' .err)" && submit -q -l FILE answers.tns -o got.sub && same got.sub plain.sub "$text: the command"
done
echo "forms: $forms"
[ "$forms" -ge 100 ] && good || bad "only $forms forms were tried"
done_tests
