#!/usr/bin/env bash
# tns-import: points of every form lie on what is drawn in the rows; names of images, EXIF, faults; frames.
source tests/sh.sh
draw=$ROOT/tests/draw_cross.py
export PYTHONDONTWRITEBYTECODE=1
cd "$TMP" || exit 1
python() { python3 "$@"; }
python3 -c 'import zlib, json' 2>/dev/null || python() { return 99; }

# where the crosses are: for each form that is there, each crop and several sizes, which halve images, enlarge them or leave their aspect
forms=$(tns-import --help | sed -n 's/^ *--form \([a-z|]*\).*/\1/p')
crosses() { # FORM OF-THE-SCRIPT
	local crop size first margin args checks=()
	python "$draw" draw "$1" "$1" || { bad "draw_cross.py draws no $1"; return; }
	mapfile -t args <"$1/args"
	for crop in $(<"$1/crops"); do
		: "${first:=$crop}"
		margin=$([ "$crop" = points ] && echo 0.25 || echo 0)
		for size in 96x96 40x64 120x100; do
			ok "$1 $crop $size" tns-import -q "${args[@]}" --crop "$crop" --size $size -o "$1-$crop-$size.tns"
			checks+=("$1-$crop-$size.tns" "$crop" "$margin")
		done
	done
	ok "$1 without --crop" tns-import -q "${args[@]}" -o "$1-auto.tns"
	ok "$1 --margin" tns-import -q "${args[@]}" --margin 0.3 -o "$1-margin.tns"
	ok "$1: crosses lie where their points are" python "$draw" check "$1" "${checks[@]}" \
		"$1-auto.tns" "$first" "$([ "$first" = points ] && echo 0.25 || echo 0)" "$1-margin.tns" "$first" 0.3
}
if python -c ''; then
	is "$forms" "coco|imglab|pts|wflw|yolo|dlc|table|folder|pnm|raw" "forms"
	for f in ${forms//|/ }; do
		case $f in
		folder | pnm | raw) ;;
		table) for t in table table-corner table-one table-edges; do crosses $t; done ;;
		*) crosses "$f" ;;
		esac
	done
	# ids: an annotation's own where each has one of 32 bits and no two the same, else the row's number; its image's beside it
	ids() { tns-import -q --form coco --images coco/img "$@" -o out.tns && tns-info --head 9 out.tns | sed -n 's/^id\[[0-9]*\] //p' | paste -sd ' '; }
	is "$(ids coco/faces.json)" "3 10 17 24" "COCO's ids"
	is "$(tns-info --head 9 out.tns | sed -n 's/^image_id\[[0-9]*\] //p' | paste -sd ' ')" "40 41 41 42" "ids of COCO's images"
	for id in 10 4294967296 '"a"' -1 1.5; do
		sed "s/\"id\": 17,/\"id\": $id,/" coco/faces.json >odd.json
		is "$(ids odd.json)" "1 2 3 4" "an id that is $id"
	done
else
	skip "no python3 here to draw crosses"
fi

# fixtures without it: a ramp, whose value is its column
gray() { # W H FILE [VALUE-OF-EACH]
	awk -v w="$1" -v h="$2" -v v="${4-x}" 'BEGIN {print "P2", w, h, 255; for (y = 0; y < h; y++) for (x = 0; x < w; x++) print v == "x" ? x : v}' >"$3"
}
mkdir -p photos/sub
gray 60 40 photos/a.pgm
gray 60 40 'photos/sub/b #1 %20ä.PGM'
import() { tns-import -q --form table --images photos "$@" -o out.tns; }
table() { printf '%s\n' "$@" >t.csv; }
value() { tns-info --head "${2-1}" out.tns | sed -n "s/^$1\[${2-1}\] //p"; }

# names: folders, Windows' backslashes, percent code, blanks; a file that is called so comes first
table filename,p_x,p_y 'sub/b #1 %20ä.PGM,3,4' 'sub\b #1 %20ä.PGM,3,4' 'sub/b%20%231%20%2520%C3%A4.PGM,3,4' './sub//../a.pgm,5,6'
ok "names of images" import --crop whole --size 60x60 t.csv
is "$(value source 2); $(value source 3)" "sub/b #1 %20ä.PGM; sub/b%20%231%20%2520%C3%A4.PGM" "names as the table has them, but for backslashes"
is "$(value keypoints 1) $(value keypoints 3) $(value keypoints 4)" "3 14 3 14 5 16" "points of images that stand in the middle"
mkdir labels
printf '%s\n' filename,p_x,p_y '../photos/a.pgm,3,4' >labels/t.csv
fails 1 "tns-import: labels/t.csv: row 1: its image '../photos/a.pgm' lies outside of the file's folder (--images DIR: a folder that holds it)" \
	tns-import -q --form table labels/t.csv -o out.tns
ok "--images allows what lies in it" import --crop whole labels/t.csv
table filename,p_x,p_y "/etc/passwd,3,4"
fails 1 "its image '/etc/passwd' lies outside of --images" import t.csv
table filename,p_x,p_y "$PWD/photos/a.pgm,3,4"
ok "an absolute path in --images" import --crop whole t.csv
table filename,p_x,p_y "%2e%2e/t.csv,3,4"
fails 1 "row 1: image photos/%2e%2e/t.csv: No such file or directory" import t.csv
table filename,p_x,p_y ",3,4"
fails 1 "row 1: there is no name of an image" import t.csv
mkfifo photos/f.png && ln -s /dev/zero photos/z.png && ln -s ../t.csv photos/c.png
for f in f.png:'is no regular file' z.png:'is no regular file' sub:'is a folder, no image' c.png:'is of a kind that is not known here, no JPEG, PNG, PGM or PPM'; do
	table filename,p_x,p_y "${f%%:*},3,4"
	fails 1 "row 1: image photos/${f%%:*}: ${f#*:}" import t.csv
done
long=$(printf 'x%.0s' {1..250})
table filename,p_x,p_y "./////$long,3,4"
fails 1 "has 256 bytes, over 255" import t.csv

# a face's faults: each ends it, or is passed by, named and counted
table filename,p_x,p_y,q_x,q_y,x,y,w,h a.pgm,1,2,3,4,0,0,10,10 a.pgm,1,,3,4,0,0,10,10 a.pgm,1,2,60.6,4,0,0,10,10 a.pgm,1,2,3,4,0,0,10,0 \
	a.pgm,1,2,3,4,70,0,10,10 a.pgm,1,2,3,4,0,0,10, a.pgm,1,2,3,x,0,0,10,10 a.pgm,1,2,3 none.png,1,2,3,4,0,0,10,10 a.pgm,,,,,-5,-5,20,30
why=("p has an x, but no y" "q is at 60.6,4, outside of its image of 60x40" "its box has 10 x 0 pixels"
	"its box at 70,0, of 10 x 10, lies outside of its image of 60x40" "its box has only 3 of 4 numbers" "q_y is 'x', not a number"
	"fewer fields than the header's 9" "image photos/none.png: No such file or directory")
for i in "${!why[@]}"; do
	sed -n "1p; $((i + 3))p" t.csv >one.csv
	fails 1 "tns-import: one.csv: row 1: ${why[i]}" import one.csv
	[ ! -e out.tns ] || [ ! one.csv -ot out.tns ] || bad "a bad face leaves an output"
done
ok "--keep-going" tns-import --form table --images photos --keep-going t.csv -o out.tns
is "$(grep -c '^tns-import: t.csv: row [2-9]: ' .err) $(tail -1 .err)" "8 tns-import: 2 faces, 2 images read; passed by: 8 bad faces" "what is passed by"
is "$(value keypoints 2) $(value box 2)" "nan nan nan nan -5 -5 20 30" "a face without labels, partly outside"
is "$(tns-info out.tns | grep '^rows')" "$(printf 'rows.read: 10\nrows.kept: 2\nrows.dropped: 8')" "counts in the stream"
is "$(tns-info --json out.tns | grep -c keep-going)" 1 "the option in the history"
echo "60.6 4 0 0 9 9 0 0 0 0 0 0 a.pgm" >list.txt
ok "WFLW's points may lie outside" tns-import -q --form wflw --images photos --size 10x10 list.txt -o out.tns
is "$(value keypoints)" "60.6 4" "a point outside"
table filename,p_x,p_y $(for i in {1..30}; do echo "none$i.png,1,1"; done)
fails 1 "t.csv: no face is left: 30 bad" import --keep-going t.csv
tns-import --form table --images photos --keep-going t.csv -o out.tns 2>err || true
is "$(wc -l <err)" 11 "ten are named, then the sum"
table filename,p_x,p_y a.pgm,1,1 a.pgm,,
fails 1 "row 1: its points lie at one place, which is no crop" import --crop points t.csv
fails 1 "row 1: it has no box (--crop points and whole need none)" import --crop box t.csv
ok "one point, or none: the whole image" import t.csv
# boxes and spreads of points that no row can show
for w in 1e-50 1e-36 0.9; do
	table filename,p_x,p_y,x,y,w,h "a.pgm,50,30,10,10,$w,$w"
	fails 1 "tns-import: t.csv: row 1: its box has $w x $w pixels, under 1" import t.csv
	table filename,p_x,p_y,x,y,w,h "a.pgm,50,30,10,10,9,$w"
	fails 1 "tns-import: t.csv: row 1: its box has 9 x $w pixels, under 1" import --crop whole t.csv
done
table filename,p_x,p_y,q_x,q_y a.pgm,0,1e-36,0,0
fails 1 "tns-import: t.csv: row 1: its points lie within 1e-36 pixels, under 0.001, which is no crop (--crop whole needs none)" import t.csv
table filename,p_x,p_y,x,y,w,h a.pgm,50,30,10,10,1,1
ok "the smallest box" import t.csv
is "$(value keypoints | grep -c inf)" 0 "its points are finite"
# shares of the image's size, where points are pixels
table filename,p_x,p_y,q_x,q_y,x,y,w,h a.pgm,0.5,0.25,0.75,0.3,0.2,0.1,0.6,0.5
fails 1 "tns-import: t.csv: row 1: its box has 0.6 x 0.5 pixels, under 1: are they shares of the image's size?" import t.csv
table filename,p_x,p_y,q_x,q_y a.pgm,0.5,0.25,0.75,1
ok "labels that are shares" tns-import --form table --images photos --origin corner t.csv -o out.tns
is "$(head -1 .err)" "tns-import: t.csv: all labels lie between 0.25 and 1: are they shares of the image's size? Points are pixels here" "are told"
table filename,p_x,p_y a.pgm,1,1 a.pgm,0,1
ok "labels in the corner" tns-import --form table --images photos t.csv -o out.tns
is "$(wc -l <.err)" 1 "are none"

# missing labels written as numbers: in the file's own, of all forms but coco
table filename,p_x,p_y,q_x,q_y a.pgm,-1,-1,3,4 a.pgm,-1,-1,0,0 a.pgm,5,6,-1,-1 a.pgm,0,0,7,0 a.pgm,1,2,0,0
ok "labels at -1,-1" tns-import --form table --images photos t.csv -o out.tns
is "$(head -1 .err)" "tns-import: t.csv: labels at -1,-1 (3 labels), 0,0 (3): if such are missing ones, --missing -1,0 leaves them out (--missing none: they are none such)" "are told"
ok "--missing -1,0" tns-import --form table --images photos --origin one --crop whole --size 60x60 --missing -1,0 t.csv -o out.tns
is "$(for k in {1..5}; do value keypoints $k; done | paste -sd ,),$(wc -l <.err)" "nan nan 2 13,nan nan nan nan,4 15 nan nan,nan nan 6 9,0 11 nan nan,1" "labels that are none"
ok "--missing none" tns-import --form table --images photos --missing none t.csv -o out.tns
is "$(wc -l <.err)" 1 "labels that are some"
sed -i 3d t.csv
ok "two of a kind" tns-import --form table --images photos t.csv -o out.tns
is "$(wc -l <.err)" 1 "are not told"
fails 2 "tns-import: --missing: 'x' is neither none nor up to 16 numbers" import --missing x t.csv
mkdir -p missing/yolo
echo '{"images": []}' >missing/coco.json
fails 2 "tns-import: --missing is not for --form coco, where visibility 0 tells that there is no label" tns-import --form coco --missing 0 missing/coco.json -o no.tns
fails 2 "tns-import: --missing is not for --form folder, which has no points" tns-import --form folder --missing 0 photos -o no.tns
echo "0 .5 .5 .5 .5 -1 -1 .1 .25" >missing/yolo/a.txt
printf '%s\n' scorer,me,me,me,me individuals,a,a,b,b bodyparts,1,1,1,1 coords,x,y,x,y a.pgm,-1,-1,6,10 >missing/dlc.csv
echo "<dataset><images><image file='a.pgm'><box top='0' left='0' width='60' height='40'><part name='1' x='-1' y='-1'/><part name='2' x='6' y='10'/></box></image></images></dataset>" >missing/imglab.xml
echo "-1 -1 6 10 0 0 59 39 0 0 0 0 0 0 a.pgm" >missing/wflw.txt
for f in yolo dlc.csv imglab.xml wflw.txt; do
	ok "--missing of $f" tns-import -q --form "${f%.*}" --images photos --crop whole --size 60x40 --missing -1 missing/$f -o out.tns
	is "$(meta out.tns points) $(tns-info out.tns | awk '$1 == "keypoints" {print $3}') $(value keypoints)" \
		"$([ $f = dlc.csv ] && echo "1 1,1,2 6 10" || echo "1,2 1,2,2 nan nan 6 10")" "--missing of $f"
done
table p_x,p_y 1,1
fails 1 "t.csv: header: no column is called filename" import t.csv
table filename,p_x a.pgm,1
fails 1 "t.csv: header: 'p_x' without 'p_y'" import t.csv
table filename,p_x,p_y,p.x,p.y a.pgm,1,2,3,4
fails 1 "points 1 and 2 are both called 'p'" import t.csv
table 'left eye_y;filename;left eye_x;who' '2;a.pgm;1,5;me'
ok "semicolons and decimal commas, y in the first column" tns-import --form table --images photos --crop whole --size 60x60 t.csv -o out.tns
is "$(grep ignored .err)" "tns-import: t.csv: columns that are ignored: 'who'" "what is ignored"
is "$(value keypoints) $(tns-info out.tns | grep '^points')" "1.5 12 points: left_eye" "names without blanks"

# boxes by their columns, none of which is a point; what is no point and no box is told, or an error where there is nothing else
for box in bbox_x,bbox_y,bbox_w,bbox_h BBox_X,BBox_Y,BBox_Width,BBox_Height box_x,box_y,box_w,box_h x,y,w,h; do
	table "filename,$box,p_x,p_y" a.pgm,15,10,30,20,20,15
	ok "a box as $box" import --size 30x30 t.csv
	is "$(value box) $(meta out.tns points)" "15 10 30 20 p" "a box as $box"
done
table filename,y2,x2,y1,x1 a.pgm,30,45,10,15
ok "a box as x1,y1,x2,y2" import t.csv
is "$(value box)" "15 10 30 20" "a box as x1,y1,x2,y2"
table filename,left,top,right,bottom,bbox_x,bbox_y,p_x,p_y,face_x,face_y,face_w,face_h a.pgm,15,10,45,30,1,2,20,15,1,2,3,4
ok "further boxes" tns-import --form table --images photos t.csv -o out.tns
is "$(value box) $(meta out.tns points) $(head -1 .err)" \
	"15 10 30 20 p tns-import: t.csv: columns that are ignored: 'bbox_x', 'bbox_y', 'face_x', 'face_y', 'face_w', 'face_h'" "are no points"
for others in label,x,y region_shape_attributes x1,y1,x2,y2,x3,y3; do
	table "filename,$others" a.pgm
	fails 1 "tns-import: t.csv: header: no column is a point (NAME_x and NAME_y, a line a face) or a box (x,y,w,h or left,top,right,bottom): '${others//,/\', \'}'" \
		import t.csv
done
table ,filename,width,height 0,a.pgm,60,40
ok "names of images alone" import t.csv

# a name may begin with #; comments stand before the header, and at the end of a table that begins with such
for f in '#1.png' '# 2.png'; do cp photos/a.pgm "photos/$f"; done
table filename,p_x,p_y '#1.png,1,2' '# 2.png,3,4'
ok "names that begin with #" import --crop whole --size 60x60 t.csv
is "$(value source 1) $(value source 2) $(value keypoints 2)" "#1.png # 2.png 3 14" "are rows"
table '# drawn by hand' '#' filename,p_x,p_y '#1.png,1,2' a.pgm,3,4 '# the end' ''
ok "comments" import t.csv
is "$(value source 1) $(value source 2)" "#1.png a.pgm" "are none"
table '# drawn by hand' filename,p_x,p_y '# 2.png,1,2' '#1.png,3,4'
fails 1 "tns-import: t.csv: row 1: a comment (#)" import t.csv
printf 'filename,m\374nd_x,m\374nd_y\na.pgm,1,2\n' >t.csv
fails 1 "tns-import: t.csv: header: column 2: 'm\xfcnd_x' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 t.csv | tns-import -q --form table --images photos -o out.tns -" import t.csv
ok "the command" bash -c "$(sed 's/^.*: //' .err)"
is "$(meta out.tns points)" "münd" "names that were Latin-1"
rm photos/'#1.png' 'photos/# 2.png'
printf 'scorer,me,me\nbodyparts,m\374nd,m\374nd\ncoords,x,y\na.pgm,1,2\n' >d.csv
fails 1 "tns-import: d.csv: point 1: 'm\xfcnd' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 d.csv | tns-import -q --form dlc -o out.tns -" tns-import -q --form dlc d.csv -o out.tns

# what is no UTF-8, or packed otherwise, is told by a command that works as printed: with the options, and the folder of the images
pasted() { # WHAT FILE COMMAND...
	local what=$1 file=$2; shift 2
	rm -f out.tns
	fails 1 "$file: " "$@" "$file"
	ok "$what: $(sed 's/^.*: //' .err)" bash -o pipefail -c "$(sed 's/^.*: //' .err)"
	is "$(value keypoints)" "1 12" "$what: its points"
}
mkdir -p 'my labels/photos' && cp photos/a.pgm 'my labels/photos/'
printf '%s\n' filename,p_x,p_y photos/a.pgm,1,2 >'my labels/t.csv'
printf '%s\n' scorer,me,me bodyparts,p,p coords,x,y photos/a.pgm,1,2 >'my labels/d.csv'
echo "1 2 0 0 59 39 0 0 0 0 0 0 a.pgm" >w.txt
if command -v iconv >/dev/null; then
	for f in 'my labels/t' 'my labels/d'; do iconv -f UTF-8 -t UTF-16 "$f.csv" >"$f.16"; done
	iconv -f UTF-8 -t UTF-16 w.txt >w.16
	pasted "a table" 'my labels/t.16' tns-import -q --form table --crop whole --size 60x60 -o out.tns
	pasted "DeepLabCut's" 'my labels/d.16' tns-import -q --form dlc --crop whole --size 60x60 -o out.tns
	pasted "WFLW's" w.16 tns-import -q --form wflw --images photos --crop whole --size 60x60 -o out.tns --
	printf 'id,p_x,p_y,Image\n1,1,12,1 2 3 4\n' | iconv -t UTF-16 >table.16
	pasted "tns-table" table.16 tns-table -q --read -o out.tns
	printf 'n_points: 1\n{\n1 2\n}\n' | iconv -t UTF-16 >p.pts
	fails 1 "this is UTF-16 text: iconv -f UTF-16 -t UTF-8 p.pts >OTHER" tns-import -q --form pts --images photos p.pts -o no.tns
fi
if command -v xz >/dev/null; then
	xz -c 'my labels/t.csv' >'my labels/t.csv.xz'
	pasted "xz" 'my labels/t.csv.xz' tns-import -q --form table --crop whole --size 60x60 -o out.tns
fi
fails 1 "tns-import: stdin: line 1: 2 numbers, then" bash -c 'echo 1 2 3 a.pgm | tns-import -q --form wflw --images photos -o no.tns -'
printf '\xfd7zXZ\0' >t.xz
fails 1 "this is an xz file: xz -dc t.xz >OTHER" tns-import -q --form table t.xz --images ./$(printf '/.%.0s' {1..150}) -o no.tns
mkdir yolo.d && echo "0 .5 .5 .5 .5 .1 .2 .3 .4" >yolo.d/a.txt
fails 1 "tns-import: --point-names a,\xfc: point 2: '\xfc' is not UTF-8" tns-import -q --form yolo --images photos --point-names "a,$(printf '\374')" yolo.d -o out.tns

# boxes without points, as programs that find faces write them: each form cuts the same
mkdir -p found/yolo
echo "0 0.5 0.5 0.5 0.5" >found/yolo/a.txt
echo '{"images": [{"id": 1, "file_name": "a.pgm"}], "categories": [{"id": 1, "name": "face"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [15, 10, 30, 20]}]}' >found/coco.json
echo "<dataset><images><image file='a.pgm'><box top='10' left='15' width='30' height='20'/></image></images></dataset>" >found/imglab.xml
printf 'filename,left,top,right,bottom\na.pgm,15,10,45,30\n' >found/table.csv
for f in yolo coco.json imglab.xml table.csv; do
	ok "boxes of $f" tns-import -q --form "${f%.*}" --images photos --size 30x30 found/$f -o out.tns
	is "$(value crop) $(tns-info out.tns | awk '$1 !~ /:$/ && $2 ~ /^[uif]/ {print $1}' | grep -v image_id | paste -sd ' ')" "1 0 15 0 1 5 image id crop source image_size turn box" "boxes of $f"
	is "$(tns-export --form csv out.tns | tail -1)" "a.pgm,15,10,45,30" "boxes of $f go out as they came in"
done

# individuals and boxes of several kinds, which rows don't tell
printf '%s\n' scorer,me,me,me,me individuals,m1,m1,m2,m2 bodyparts,1,1,1,1 coords,x,y,x,y a.pgm,9,9,6,10 a.pgm,,,6,10 >two.csv
ok "two animals" tns-import --form dlc --images photos --crop whole --size 24x24 two.csv -o out.tns
is "$(head -1 .err)" "tns-import: two.csv: several individuals, which rows don't tell: 'm1' 1, 'm2' 2" "individuals are told"
printf '%s .5 .5 .5 .5\n' 3 0 3 >found/yolo/a.txt
ok "classes" tns-import --form yolo --images photos found/yolo -o out.tns
is "$(head -1 .err)" "tns-import: found/yolo: boxes of several kinds, which rows don't tell: '3' 2, '0' 1" "classes are told"
box="top='10' left='15' width='30' height='20'"
echo "<dataset><images><image file='a.pgm'><box $box><label> red fox&amp;ü </label></box><box $box/><box $box ignore='1'><label>cat</label></box><box $box><label/></box></image></images></dataset>" >found/kinds.xml
ok "labels" tns-import --form imglab --images photos found/kinds.xml -o out.tns
is "$(head -1 .err)" "tns-import: found/kinds.xml: boxes of several kinds, which rows don't tell: 'red fox&ü' 1, without 2" "labels are told"
for k in {1..25}; do echo "$k .5 .5 .5 .5"; done >found/yolo/a.txt
tns-import --form yolo --images photos found/yolo -o out.tns 2>.err
is "$(sed -n "1s/.*'19' 1//p" .err)" ", '20' 1, others 5" "many kinds"
sed -i 's/^[0-9]*/7/' found/yolo/a.txt
ok "one class" tns-import --form yolo --images photos found/yolo -o out.tns
is "$(grep -c kinds .err) $(tail -1 .err | cut -d ';' -f 1)" "0 tns-import: 25 faces, 1 image read" "one kind is none to be told"

# what COCO's rows don't keep
coco() { # ANNOTATION...: of image "017" but where they say otherwise
	echo '{"images": [{"id": "017", "file_name": "a.pgm"}], "categories": [{"id": 1, "name": "face", "keypoints": ["a", "b"]}], "annotations": ['"$(IFS=,; echo "$*")"']}' >c.json
	ok "$*" tns-import --form coco --images photos --crop whole --size 60x60 c.json -o out.tns
}
coco '{"id": 5, "image_id": "017", "num_keypoints": 0, "keypoints": [1, 2, 2, 3, 4, 1]}' '{"id": 5, "image_id": "017"}'
is "$(sed '$d' .err)" "tns-import: c.json: rows are numbered from 1 instead of by the annotations' ids: two annotations have the id 5
tns-import: c.json: ids of images that are texts, as '017', are not kept: exports number the images
tns-import: c.json: num_keypoints is 0, but keypoints has points, which are taken: 1 annotation" "what rows don't keep"
is "$(value keypoints)" "1 12 3 14" "points of num_keypoints 0"
ok "results of images without numbers" tns-export --form coco-results out.tns -o results.json
is "$(cat .err)" "tns-export: out.tns: there is no image_id, the data set's numbers of its images: they are numbered from 1 by their names" "are told"
ok "a data set of them" tns-export --form coco out.tns -o again.json
is "$(cat .err)" "" "numbers its images itself"
coco '{"id": 5, "image_id": "017"}' '{"id": 900100581904, "image_id": "017", "iscrowd": 1}'
is "$(value id) $(grep -c numbered .err)" "5 0" "an id beside that of a crowd"

# several images at a time: the same rows, complaints and number of images read for any number of threads; runs of an image's faces end where they
# end, not where a batch does (5 faces of each of 40 images, then the first image again; image 7 is not there, a face of image 3 lies outside)
for i in {1..40}; do [ $i = 7 ] || gray 20 16 photos/many$i.pgm $((i * 6)); done
table filename,p_x,p_y,q_x,q_y $(for i in {1..40} 1; do for k in {1..5}; do echo "many$i.pgm,$k,3,$((i == 3 && k == 4 ? 90 : 12)),9"; done; done)
for t in 1 2 3 64; do
	ok "$t threads" tns-import --form table --images photos --size 12x12 --keep-going -t $t t.csv -o many$t.tns
	cp .err many$t.err
	same many1.tns many$t.tns "rows by $t threads"
	same many1.err many$t.err "complaints by $t threads"
done
is "$(tail -1 many1.err)" "tns-import: 199 faces, 40 images read; passed by: 6 bad faces" "images read once"
is "$(tns-info --tensor image --head 199 many64.tns | awk '/^image\[/ {print $2}' | uniq -c | awk '{print $1 "x" $2}' | paste -sd ' ')" \
	"$(for i in {1..40} 1; do [ $i = 7 ] || echo "$((i == 3 ? 4 : 5))x$((i * 6))"; done | paste -sd ' ')" "each face shows its image"
fails 1 "tns-import: t.csv: row 14: q is at 90,9" tns-import -q --form table --images photos -t 3 t.csv -o no.tns

# EXIF: a PNG of 3x2 whose tag says that it lies on its side; width and height in the table say whether its labels are those of the turned one
if python -c ''; then
	python - <<'END'
import struct, zlib
def chunk(k, d): return struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
for name, turn in ("turned", 6), ("upside", 3):
  tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0" % turn
  open(f"photos/{name}.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)) +
    chunk(b"eXIf", tiff) + chunk(b"IDAT", zlib.compress(bytes([0, 10, 20, 30, 0, 40, 50, 60]))) + chunk(b"IEND", b""))
END
	pixels() { tns-info --tensor image --head 1 out.tns | sed -n 's/^image\[1\] //p'; }
	table filename,p_x,p_y turned.png,1,1 upside.png,1,1 upside.png,1,2 a.pgm,1,1
	ok "photographs that are turned" tns-import --form table --images photos --crop whole t.csv -o out.tns
	is "$(cat .err)" "tns-import: 4 faces, 3 images read, 2 of them turned as their EXIF says" "are counted"
	for k in 1 2 4; do value image_size $k; done >sizes.txt
	is "$(paste -sd , sizes.txt)" "2 3,3 2,60 40" "sizes of images as they were turned"
	ok "one as it is stored" tns-import --form table --images photos --crop whole --exif ignore t.csv -o out.tns
	is "$(cat .err) $(value image_size)" "tns-import: 4 faces, 3 images read 3 2" "is not counted"
	table filename,p_x,p_y,width,height turned.png,1,1,3,2 upside.png,1,1,3,2 turned.png,1,1,2,3 turned.png,1,1,3,2
	ok "some of them left" tns-import --form table --images photos --crop whole t.csv -o out.tns
	is "$(cat .err)" "tns-import: 4 faces, 4 images read, 2 of them turned as their EXIF says, 2 left as they lie, as their annotations are" "are counted"
	turned="40 10 50 20 60 30" stored="10 20 30 40 50 60" upside="60 50 40 30 20 10"
	while read -r exif size wh want; do
		file=$([ "$want" = upside ] && echo upside.png || echo turned.png)
		if [ "$wh" = - ]; then table filename,p_x,p_y "$file,1,1"; else table filename,p_x,p_y,width,height "$file,1,1,${wh/x/,}"; fi
		[ "$exif" = - ] && exif= || exif="--exif $exif"
		case $want in
		error) fails 1 "it has 2x3 pixels, its annotations are for $wh" import $exif --crop whole --size "$size" t.csv ;;
		*) ok "turned $exif $wh" import $exif --crop whole --size "$size" t.csv
			is "$(pixels)" "${!want}" "turned $exif, annotated as $wh" ;;
		esac
	done <<-END
		- 2x3 - turned
		- 2x3 2x3 turned
		- 3x2 3x2 stored
		obey 2x3 - turned
		ignore 3x2 - stored
		ignore 3x2 3x2 stored
		obey 2x3 3x2 error
		- 2x3 4x4 error
		- 3x2 3x2 upside
	END
fi

# a folder: images by name, others and folders passed by
gray 30 30 photos/B.pgm 9
ok "a folder" tns-import --form folder --keep-going photos -o out.tns
is "$(sed -n 's/.*passed by/passed by/p' .err)" "passed by: 3 bad faces" "a folder with three that are none"
is "$(tns-info --tensor image --head 1 out.tns | sed -n 's/^image\[1\]//p' | tr ' ' '\n' | sort -u | paste -sd ' ')" " 9" "bytewise order: capitals first"
mkdir empty more
for f in b.HEIC a.webp c.tif notes.txt .d.heic; do echo >more/$f; done
fails 1 "more: no image is in it (png, jpg, jpeg, pgm, ppm), but 'a.webp' and 2 more" tns-import --form folder more -o out.tns
mkdir -p nested/b nested/a nested/.c
fails 1 "nested: no image is in it (png, jpg, jpeg, pgm, ppm), but 'nested/a' and 1 more, to be named themselves" tns-import --form folder nested -o out.tns
fails 1 "empty: no image is in it (png, jpg, jpeg, pgm, ppm)" tns-import --form folder photos empty -o out.tns
is "$(grep -c but .err)" 0 "a folder within another one is not told of this one"
fails 1 "nested: no image is in it (png, jpg, jpeg, pgm, ppm), but 'nested/a' and 1 more, to be" tns-import --form folder photos nested -o out.tns
cp photos/B.pgm nested/ && cp photos/B.pgm nested/a && rmdir nested/b
ok "a folder within" tns-import --form folder nested -o out.tns
is "$(paste -sd ' ' .err)" "tns-import: folders within are not read: 'nested/a'; name them, too tns-import: 1 face, 1 image read" "is told"
ok "and taken" tns-import --form folder nested/a/ nested -o out.tns
is "$(cat .err)" "tns-import: 2 faces, 2 images read" "where it is named"
cp photos/B.pgm more/
ok "other kinds" tns-import --form folder more -o out.tns
is "$(paste -sd ' ' .err)" "tns-import: more: of the kinds of images that are read (png, jpg, jpeg, pgm, ppm) these are none: 'a.webp' and 2 more tns-import: 1 face, 1 image read" "other kinds are told"
is "$(value source)" B.pgm "names of one folder"
cp more/B.pgm kept.pgm
fails 2 "--output more/../more/B.pgm: is the image more/B.pgm" tns-import --form folder more -o more/../more/B.pgm
printf 'filename,x,y,w,h\nB.pgm,1,1,9,9\n' >list.csv
fails 2 "--output more/B.pgm: is the image more/B.pgm" tns-import --form table --images more list.csv -o more/B.pgm
same more/B.pgm kept.pgm "an image that would have been replaced"
ok "files and folders" tns-import -q --form folder photos/a.pgm more/ photos/sub -o out.tns
is "$(value source 1),$(value source 2),$(value source 3)" "photos/a.pgm,more/B.pgm,photos/sub/b #1 %20ä.PGM" "names of files and folders"
printf 'P5\n1 1\n255\nx' >one.pgm
ok "one file" tns-import -q --form folder one.pgm -o out.tns
fails 1 "gone.png: No such file or directory" tns-import --form folder photos/a.pgm gone.png -o out.tns
fails 1 "image t.csv: is of a kind that is not known here" tns-import --form folder t.csv -o out.tns
fails 1 "frame 1: is a JPEG picture, no PGM or PPM (ffmpeg writes PGM by -c:v pgm)" bash -c 'printf "\377\330\377\340" | tns-import --form pnm -o cut.tns'
# files of other forms
echo '{"images": []}' >more/x.json && echo '<?xml version="1.0"?><dataset/>' >more/x.xml
for f in pts wflw yolo dlc table; do
	fails 1 "tns-import: more/x.json: this is JSON, as --form coco reads it" tns-import --form $f more/x.json -o no.tns
	fails 1 "tns-import: more/x.xml: this is XML, as --form imglab reads it" tns-import --form $f more/x.xml -o no.tns
done
for f in pts wflw yolo dlc; do fails 1 "tns-import: out.tns: this is a tensor stream, nothing for --form $f" tns-import --form $f out.tns -o no.tns; done
# .pts: further faces of an image, as tns-export names them; a number that is the image's own
mkdir faces && gray 60 40 faces/a.pgm && gray 60 40 faces/b_3.pgm
for f in a a_2 a_3 b_3; do printf 'version: 1\nn_points: 1\n{\n%s 21\n}\n' $((${#f} * 10)) >faces/$f.pts; done
ok "several faces an image" tns-import -q --form pts --crop whole --size 60x40 faces -o out.tns
for k in 1 2 3 4; do echo "$(value source $k) $(value keypoints $k)"; done >got.txt
is "$(sort got.txt)" "$(printf 'a.pgm 29 20\na.pgm 29 20\na.pgm 9 20\nb_3.pgm 29 20')" "faces of a and b_3"
for f in a_02 c_2 _2; do
	cp faces/a.pts faces/$f.pts
	fails 1 "tns-import: faces/$f.pts: no image has its name" tns-import -q --form pts faces -o no.tns
	rm faces/$f.pts
done
fails 1 "empty: no image is in it" tns-import --form folder empty -o out.tns

# which of the files of one name is bad
for d in one two; do mkdir -p people/$d && cp faces/a.pts people/$d/ && gray 20 15 people/$d/a.pgm; done
gray 60 40 people/one/a.pgm
fails 1 "tns-import: people: two/a.pts: 1 is at 9,20, outside of its image of 20x15" tns-import -q --form pts people -o no.tns
fails 1 "tns-import: people/two/a.pts: 1 is at 9,20, outside of its image of 20x15" tns-import -q --form pts people/one people/two -o no.tns
fails 1 "tns-import: people/two/a.pts: 1 is at 9,20, outside of its image of 20x15" tns-import -q --form pts people/two/a.pts -o no.tns
for d in one two; do echo "0 .5 .5 .5 .5 .5 .5 2" >people/$d/a.txt; done && echo GIF89a >people/two/a.pgm
fails 1 "tns-import: people: two/a.txt, line 1: image people/two/a.pgm: is a GIF" tns-import -q --form yolo --images people people -o no.tns
ok "an absolute path by a link" bash -c 'ln -s photos pictures && echo "filename,p_x,p_y
$PWD/pictures/a.pgm,3,4" >t.csv && tns-import -q --form table --images pictures t.csv -o out.tns'
ln -s . faces/here
ok "a link that leads back" tns-import --form pts --crop whole faces -o out.tns
is "$(head -1 .err)" "tns-import: links that lead back to a folder that they lie in are passed by: 'faces/here'" "is told"
rm faces/here

# frames: whole, in order, each from its own header, at any rate; a stream that is cut is no data set
gray 30 30 f1.pgm 9 && gray 60 20 f2.pgm
ok "frames" bash -c 'cat f1.pgm f2.pgm f1.pgm | tns-import --form pnm --size 30x30 -o out.tns'
is "$(cat .err) $(value id 3)" "tns-import: 3 frames 3" "frames counted"
is "$(value crop 2)" "2 0 0.5 0 2 -19.5" "a frame stands in the middle of its row"
is "$(value source 3)" "frame 3" "frames are called frame 1, ..."
is "$(tns-info --json --head 3 out.tns | grep -o '"text": *"frame 3"' | wc -l)" 1 "names in JSON"
fails 1 "tns-import: stdin: frame 2: it is cut short" bash -c 'cat f1.pgm f1.pgm | head -c -30 | tns-import --form pnm -o cut.tns'
fails 1 "tns-import: stdin: no frame came" bash -c 'tns-import --form pnm -o cut.tns </dev/null'
fails 1 "tns-import: stdin: frame 2: begins with bytes 0x7878" bash -c '{ cat f1.pgm; echo xxx; } | tns-import --form pnm -o cut.tns'
[ ! -e cut.tns ] || bad "a stream that was cut leaves a data set"
for p in gray8:1 rgb24:3; do
	head -c $((40 * 30 * ${p#*:} * 3)) /dev/zero | tr '\0' '\7' >raw
	ok "raw ${p%:*}" bash -c "tns-import --form raw --pixels ${p%:*} --size 40x30 -o out.tns <raw"
	is "$(value id 3) $(tns-info out.tns | awk '$1 == "image" {print $3, $4, $5}')" "3 3,30,40 7 7" "raw ${p%:*}"
	fails 1 "tns-import: stdin: frame 4: it is cut short in its pixels" bash -c "{ cat raw; echo; } | tns-import --form raw --pixels ${p%:*} --size 40x30 -o cut.tns"
done
ok "frames of another size" bash -c 'head -c 2400 raw | tns-import --form raw --frame 40x60 --size 20x30 -o out.tns'
is "$(value crop)" "2 0 0.5 0 2 0.5" "frames of another size are halved"
# rows leave before the end comes: 1,000 frames fill several blocks, and the first is there while the pipe is open
mkfifo frames
tns-import -q --form raw --size 96x96 <frames | head -c 1200000 >block &
exec 7>frames
head -c $((96 * 96 * 300)) /dev/zero >&7
for ((i = 0; i < 100; i++)); do [ "$(stat -c %s block 2>/dev/null || echo 0)" -ge 1000000 ] && break; sleep 0.1; done
ok "a block of rows leaves before the end" test "$(stat -c %s block)" -ge 1000000
exec 7>&-
wait

# a camera's frames: --live hands each on before the next has come, through all programs behind; the same rows, in chunks of one
mkfifo camera
face-synth -q -n 4 --size 24x24 -o few.csv && csv-clean -q --keep-all --size 24x24 few.csv -o few.tns
ok "a net for frames" cnn-train -q -e 1 -n 'fc4 relu fc' few.tns -o frames.model
tns-import -q --form raw --size 24x24 --live <camera | tee live.tns | predict -q frames.model | tns-select -q --rows 1- |
	tee >(tns-export --form jsonl >live.jsonl) >(tns-table >live.csv) | render video --zoom 1 >live.ppm &
exec 7>camera
head=$(printf 'P6\n24 24\n255\n' | wc -c)
for frame in 1 2 3; do
	head -c 576 /dev/zero | tr '\0' "\\$frame" >&7
	for ((i = 0; i < 300; i++)); do [ "$(stat -c %s live.ppm)" -ge $((frame * (head + 1728))) ] && break; sleep 0.1; done
	is "$(stat -c %s live.ppm)" $((frame * (head + 1728))) "frame $frame before the next has come"
	for ((i = 0; i < 300; i++)); do [ "$(cat live.jsonl live.csv | wc -l)" -ge $((2 * frame + 1)) ] && break; sleep 0.1; done
	is "$(wc -l <live.jsonl),$(wc -l <live.csv)" "$frame,$((frame + 1))" "points of frame $frame before the next has come"
done
exec 7>&-
wait
is "$(meta live.tns live)" 1 "a stream says that it is live"
head -c 1728 /dev/zero | tr '\0' '\1' | tee >(tns-import -q --form raw --size 24x24 --live -o a.tns) | tns-import -q --form raw --size 24x24 -o b.tns
wait
is "$(tns-info --head 3 a.tns | grep '\[')" "$(tns-info --head 3 b.tns | grep '\[')" "rows of a live stream"
predict -q frames.model live.tns -o a.tns
predict -q frames.model <live.tns >b.tns
same a.tns b.tns "a live stream from a file or a pipe"

# what an import has beside keypoints, other programs carry along
if python -c ''; then
	mapfile -t args <table/args
	ok "an import" tns-import -q "${args[@]}" --size 24x24 -o faces.tns
	ok "tns-cat" tns-cat faces.tns faces.tns --renumber -o twice.tns
	ok "cnn-train" cnn-train -q -e 1 -n 'fc4 relu fc' twice.tns -o model.tns
	ok "predict" predict -q model.tns faces.tns -o predicted.tns
	ok "score" score predicted.tns
	ok "render" render faces predicted.tns -o faces.png
	ok "tns-select" tns-select --where 'id>1' --points 'l*' predicted.tns -o some.tns
	ok "tns-join" tns-join predicted.tns faces.tns -o joined.tns
	ok "tns-split" tns-split twice.tns -o a.tns -o b.tns
	ok "tns-table" bash -c 'tns-table --image predicted.tns -o t.csv && tns-table --read t.csv -o again.tns'
	same predicted.tns again.tns "a table of an import, and back"
	is "$(tns-info some.tns | awk '$1 !~ /:$/ && $2 ~ /^[uif]/ {print $1}' | sort | tr '\n' ' ')" "box confidence crop id image image_size keypoints predicted source trained turn " "tensors carried along"
	# how sure labels are stays theirs beside a prediction's confidence, by the same points
	printf '%s\n' scorer,me,me,me,me,me,me,me,me,me bodyparts,left,left,left,right,right,right,chin,chin,chin coords,x,y,likelihood,x,y,likelihood,x,y,likelihood \
		img/a.png,50,40,0.25,90,40,0.5,70,90,1 'img/b c.pgm',50,40,0.75,90,40,,70,90,0.125 >table/sure.csv
	ok "likelihoods" tns-import --form dlc --size 24x24 table/sure.csv -o sure.tns
	is "$(head -1 .err)" "tns-import: table/sure.csv: how sure labels are (likelihood, score) is kept as label_confidence, and leaves none out: 2 of 5 are under 0.5" "are told"
	ok "their prediction" predict -q model.tns sure.tns -o out.tns
	is "$(value label_confidence 1); $(value label_confidence 2)" "0.25 0.5 1; 0.75 nan 0.125" "likelihoods beside a prediction's confidence"
	is "$(value confidence | wc -w)" 3 "a prediction's confidence"
	is "$(tns-export --form csv sure.tns | awk -F, 'NR > 1 {print $4, $7, $10}' | paste -sd ';')" "0.25 0.5 1;0.75  0.125" "likelihoods that are exported with the labels"
	is "$(tns-export --form csv out.tns | cut -d, -f4,7,10)" "$(tns-select -q --without label_confidence out.tns | tns-export --form csv | cut -d, -f4,7,10)" "which a prediction is not exported with"
	tns-select -q --points chin,left sure.tns -o out.tns
	is "$(value label_confidence)" "1 0.25" "likelihoods of some points"
	tns-cat -q out.tns sure.tns --renumber -o out.tns.2 && is "$(tns-info --head 3 out.tns.2 | sed -n 's/^label_confidence\[[13]\] //p' | paste -sd ';')" "1 0.25 nan;1 0.25 0.5" "likelihoods end to end"
fi

# wrong use
while IFS='|' read -r text args; do
	fails 2 "tns-import: $text" tns-import $args -o out.tns </dev/null
done <<'END'
--form tells what is read: |
--form table needs the file or folder of the annotations|--form table
--form table reads 1 operand: 'b' is one too many|--form table a b
--form pnm reads stdin: unexpected operand 'a'|--form pnm a
--images is not for --form raw|--form raw --images photos
--frame and --pixels are for --form raw|--form pnm --frame 3x3
--frame and --pixels are for --form raw|--form folder --pixels rgb24 photos
--point-names is not for --form table|--form table --names a t.csv
--category is not for --form table|--form table --category a t.csv
--unlabelled is not for --form folder|--form folder --unlabelled photos
--origin is not for --form folder|--form folder --origin one photos
--live is for --form pnm and raw|--form folder --live photos
--images: --form folder reads the folder itself|--form folder --images photos photos
--margin: -0.5 is neither -1 nor 0 or more|--form folder --margin -0.5 photos
END
fails 1 "--images none: No such file or directory" tns-import --form table --images none t.csv
fails 1 "--images t.csv: is no folder" tns-import --form table --images t.csv t.csv
fails 1 "none.csv: No such file or directory" tns-import --form table none.csv
done_tests
