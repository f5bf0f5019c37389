#!/usr/bin/env bash
# submit on predict's output: every row of the competition's table, in its order, clipped, the same from file and pipe; on errors no file.
source tests/sh.sh
export LC_ALL=C
cd "$TMP" || exit 1

face-synth -q -n 60 --size 36x28 --test test.csv --test-count 24 --test-lookup lookup.csv | csv-clean -q --size 36x28 -o faces.tns
csv-clean -q --size 36x28 test.csv -o test.tns
cnn-train -q -n 'fc8 relu fc' -e 1 faces.tns -o model.tns
ok "predictions" predict -q model.tns test.tns -o answers.tns

ok "a submission" submit --lookup lookup.csv answers.tns -o submission.csv
is "$(head -1 submission.csv)" "RowId,Location" "its header"
is "$(sed 1d submission.csv | cut -d, -f1)" "$(sed 1d lookup.csv | cut -d, -f1)" "every row of the table, in its order"
is "$(sed 1d submission.csv | grep -cvE '^[0-9]+,[0-9]+\.[0-9]{5}$')" 0 "two numbers a line"
is "$(paste -d, lookup.csv submission.csv | awk -F, 'NR > 1 && ($6 < 0 || $6 > ($3 ~ /_y$/ ? 27 : 35))')" "" "within the image"

# each value is the predicted one, as tns-info prints them, by image, point and axis
tns-info --head 1000 answers.tns | awk -v names="$(tns-info answers.tns | sed -n 's/^points: //p')" '
	BEGIN {k = split(names, name, ",")}
	/^id\[/ {sub(/^id/, ""); id[$1] = $2}
	/^predicted\[/ {
		sub(/^predicted/, "")
		for (i = 1; i <= k; i++) {
			v[$1 "," name[i] "_x"] = $(2 * i)
			v[$1 "," name[i] "_y"] = $(2 * i + 1)
		}
	}
	END {for (c in v) {split(c, a, ","); print id[a[1]] "," a[2] "," v[c]}}' >values
paste -d, lookup.csv submission.csv | sed 1d | awk -F, '
	NR == FNR {v[$1 "," $2] = $3; next}
	{w = v[$2 "," $3]; top = $3 ~ /_y$/ ? 27 : 35; w = w < 0 ? 0 : w > top ? top : w; d = $6 - w; if (!($2 "," $3 in v) || d * d > 1e-10) print}' values - >wrong
is "$(wc -l <values)" $((24 * 30)) "values to compare with"
is "$(head -3 wrong)" "" "the predicted values"

# ---- the same output from file and pipe ----
submit --lookup lookup.csv answers.tns >out.csv
same submission.csv out.csv "stdout"
submit -q -l lookup.csv <answers.tns >out.csv
same submission.csv out.csv "stdin"
cat answers.tns | submit -t 2 -l lookup.csv - | cat >out.csv
same submission.csv out.csv "pipes"
gzip -c lookup.csv >lookup.csv.gz
submit -l lookup.csv.gz answers.tns >out.csv
same submission.csv out.csv "a gzip table"
submit -l <(cat lookup.csv) answers.tns >out.csv
same submission.csv out.csv "a table from a pipe"
sed 's/$/\r/' lookup.csv >crlf.csv
submit -l crlf.csv answers.tns >out.csv
same submission.csv out.csv "lines that end in CRLF"
csv-clean -q --size 36x28 test.csv | predict -q model.tns | submit -l lookup.csv >out.csv
same submission.csv out.csv "from the CSV in one pipeline"

# ---- refused: one line, no file, the old one stays ----
echo old >out.csv
# refused STATUS TEXT ARGUMENT...
refused() {
	local status=$1 text=$2; shift 2
	fails "$status" "submit: $text" submit "$@" -o out.csv
	is "$(cat out.csv; ls -A | grep '^\.out\.csv')" old "after: $text"
}
refused 2 "--lookup TABLE is needed: it says what is asked; try submit --help" answers.tns
refused 2 "unexpected operand" -l lookup.csv answers.tns answers.tns
refused 1 "gone.csv: No such file or directory" -l gone.csv answers.tns
refused 1 "gone.tns: No such file or directory" -l lookup.csv gone.tns
sed '3s/.*/2,77,nose_tip_x,/' lookup.csv >absent.csv
refused 1 "absent.csv: row 2: no prediction for RowId 2: image 77, nose_tip_x" -l absent.csv answers.tns
sed '3s/.*/2,1,tail_x,/' lookup.csv >unknown.csv
refused 1 "unknown.csv: row 2: FeatureName 'tail_x' is none of the predicted points' coordinates (there are " -l unknown.csv answers.tns
sed '3s/.*/1,1,nose_tip_x,/' lookup.csv >twice.csv
refused 1 "twice.csv: row 2: RowId 1 stands in row 1 already" -l twice.csv answers.tns
sed '3s/.*/2,1/' lookup.csv >short.csv
refused 1 "short.csv: row 2: 2 fields where the header has 4" -l short.csv answers.tns
sed '3s/.*/2,1,nose_tip_x,"/' lookup.csv >quote.csv
refused 1 "quote.csv: row 2: field 4: its quote is not closed" -l quote.csv answers.tns
sed '1s/FeatureName/Feature/' lookup.csv >header.csv
refused 1 "header.csv: no column FeatureName in the header" -l header.csv answers.tns
head -c 100 lookup.csv.gz >cut.csv.gz
refused 1 "cut.csv.gz: " -l cut.csv.gz answers.tns
: >empty.csv
refused 1 "empty.csv: empty" -l empty.csv answers.tns
refused 1 "test.tns: there is no tensor predicted" -l lookup.csv test.tns
refused 1 "model.tns: " -l lookup.csv model.tns
head -c $(($(stat -c %s answers.tns) - 64)) answers.tns >cut.tns
refused 1 "cut.tns: record " -l lookup.csv cut.tns
refused 1 "stdin: preamble: the input is empty" -l lookup.csv </dev/null

# a model of fewer points answers its points and reports the others
face-synth -q -n 60 --size 36x28 --point-count 4 -s 2 | csv-clean -q --size 36x28 | cnn-train -q -n 'fc' -e 1 -o few.tns
predict -q few.tns test.tns -o few-answers.tns
point=$(tns-info few.tns | sed -n 's/^points: //p' | cut -d, -f1)
{ head -1 lookup.csv; grep ",${point}_[xy]," lookup.csv; } >few.csv
ok "what few points can answer" submit -l few.csv few-answers.tns
is "$(wc -l <.out)" "$(wc -l <few.csv)" "all of its rows"
refused 1 "lookup.csv: row " -l lookup.csv few-answers.tns
# means are of all that was predicted, whether or not it was asked for
one=$(awk -F, 'NR == 2 {print $2}' lookup.csv)
mean() { tns-table -q --fields 'id,predicted_*' "$1" | awk -F, -v id="$2" -v like="$3" 'NR == 1 {for (i = 2; i <= NF; i++) if ($i ~ like) take[i]; next} id == "" || $1 == id {for (i in take) if ($i != "") {s += $i < 0 ? 0 : $i > 35 ? 35 : $i; n++}} END {printf "%.2f", s / n}'; }
tns-select -q --points 'nose_tip,left_eye_center' faces.tns | tns-table -q --notes no --image - | awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) if ($i ~ /^nose/) gone[i]} NR > 1 {for (i in gone) $i = ""} {print}' |
	tns-table --read -q --size 36x28 - | cnn-train -q -n 'fc8 relu fc' -e 1 -o no-nose.tns 2>/dev/null
predict -q no-nose.tns test.tns -o no-nose-answers.tns
printf 'RowId,ImageId,FeatureName\n1,%s,nose_tip_x\n2,7070,left_eye_center_x\n' "$one" >rare.csv
ok "--fill mean" submit -q --fill mean -l rare.csv no-nose-answers.tns -o rare-answers.csv
is "$(sed 1d rare-answers.csv | cut -d, -f2 | xargs printf '%.2f ')" "$(mean no-nose-answers.tns "$one" '_x$') $(mean no-nose-answers.tns '' 'left_eye_center_x$') " "of the image, of the coordinate"
printf 'RowId,ImageId,FeatureName,ImageId\n1,1,nose_tip_x,2\n' >twice.csv
refused 1 "twice.csv: two columns of the header are called ImageId" -l twice.csv answers.tns
done_tests
