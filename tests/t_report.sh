#!/usr/bin/env bash
# The page of a run (pipelines/report.sh): well-formed, its numbers those of score, names escaped, nothing from outside; what is missing is left out.
# And the curve of a running training (pipelines/watch.sh).
# Where there is Chromium (CHROMIUM names another), it opens the page.
source tests/sh.sh
report() { "$ROOT/pipelines/report.sh" "$@"; }
cd "$TMP" || exit 1
mkdir -p run/runs 'out of <b>'

# a run with odd names: points, files, texts
face-synth -q -n 60 --size 36x28 -s 3 -o plain.csv
sed -e '1s/left_eye_center/a<b>\&c/g' -e '1s/nose_tip_\(.\)/"#\&_\1"/g' plain.csv | awk -F, -v OFS=, 'NR == 8 {$1 = 17 + $1} {print}' >'train&.csv'
csv-clean -q --size 36x28 --report run/clean.tsv 'train&.csv' -o run/clean.tns
tns-split -q --parts 0.6,0.4 run/clean.tns -o run/train.tns -o run/valid.tns
cnn-train -q -n 'conv5x5x4s4 relu fc' -e 2 --valid run/valid.tns --log run/model.tsv run/train.tns -o run/model.tns 2>/dev/null
cp run/model.tns run/runs/a.tns
predict -q run/model.tns run/valid.tns -o run/valid-predicted.tns
render tiles -q run/model.tns -o run/filters.png
printf '%s\n' "CSV := train&.csv" 'CLEAN := --size 36x28' 'NET := \#<net> $$1' >run/settings.mk
echo '<script>1</script> & "text"' >'run/odd<name>.txt'

ok "the page of a run" report run run/report.html
is "$(cat .err)" "" "nothing on stderr"
page=run/report.html
cat >check.py <<'END'
import html.parser, sys
VOID = {"meta", "br", "img"}
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.levels, self.wrong = [], set(), [], []
    def start(self, tag, attrs):
        a = dict(attrs)
        if len(a) != len(attrs): self.wrong.append("an attribute twice in " + tag)
        if a.get("id"):
            if a["id"] in self.ids: self.wrong.append("id twice: " + a["id"])
            self.ids.add(a["id"])
        for k in ("src", "href", "xlink:href", "action", "srcset"):
            if k in a and not a[k].startswith(("data:", "#")): self.wrong.append(k + " to " + a[k][:40])
        if tag in ("script", "link", "iframe", "object"): self.wrong.append("a " + tag)
        if tag == "img" and not a.get("alt"): self.wrong.append("img without alt")
        if tag == "svg" and not (a.get("aria-label") or a.get("aria-hidden")): self.wrong.append("svg without a label")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            if int(tag[1]) > (self.levels[-1] if self.levels else 0) + 1: self.wrong.append("heading skips to " + tag)
            self.levels.append(int(tag[1]))
    def handle_starttag(self, tag, attrs):
        self.start(tag, attrs)
        if tag not in VOID: self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.start(tag, attrs)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.wrong.append("</%s> closes another, line %d" % (tag, self.getpos()[0]))
p = Page()
p.feed(open(sys.argv[1], encoding="utf-8").read())
p.close()
if p.open: p.wrong.append("not closed: " + " ".join(p.open))
if p.levels.count(1) != 1: p.wrong.append("not one h1")
print("\n".join(sorted(set(p.wrong))[:5]))
END
well_formed() { if command -v python3 >/dev/null; then is "$(python3 check.py "$1")" "" "$1 is well-formed"; else skip "no python3: is $1 well-formed?"; fi; }
well_formed $page
is "$(grep -ciE 'https?:|@import|url\([^#]' $page)" 0 "nothing from outside"
has() { if grep -qF -- "$1" $page; then good; else bad "$2: no '$1' in the page"; fi; }

# the numbers of score
score run/valid-predicted.tns -o score.txt
has "<b>$(awk '{print $2; exit}' score.txt)</b>" "the first line of score"
awk '/^point / {on = 1; next} on && NF == 0 {exit} on {printf "%s %d %.2f %.2f\n", $1, $2 / 2, $3, $4}' score.txt >points.txt
is "$(wc -l <points.txt)" 15 "points that score tells of"
while read -r name labels rmse mean; do
	name=$(sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' <<<"$name")
	has "$name</th><td>$labels</td><td>$rmse</td><td>$mean</td>" "errors of $name"
done <points.txt
has "a&lt;b&gt;&amp;c" "a point's name"
is "$(grep -o '<title>[0-9]* [^<]*: mean' $page | wc -l)" 15 "points on the mean face"
is "$(grep -cE 'a<b>|<script|"text"|<net>' $page)" 0 "names that are not escaped"
has '&lt;script&gt;1&lt;/script&gt; &amp; &quot;text&quot;' "a text"
has 'odd&lt;name&gt;.txt' "a text's name"
has '<dt>NET</dt><dd><code>#&lt;net&gt; $1</code></dd>' "a setting"

# boxes: the CSV, four data sets, a model, the models of runs/; training's seconds
is "$(grep -c '<g class="data" ' $page) $(grep -c '<g class="model" ' $page) $(grep -c '<g class="file" ' $page)" "4 2 1" "boxes"
has ">$(tns-info run/train.tns | awk '$1 == "image" {print $3 + 0}') rows</text>" "rows in a box"
has ">train&amp;.csv</text>" "the CSV's box"
is "$(grep -c "$(tns-info run/valid.tns | sed -n 's/^fingerprint: //p') <em>valid.tns</em>" $page)" 2 "histories name the valid set by its fingerprint"
# faces: the best, the median, the worst by error; each of the faults with its face as it came
tns-table -q --tsv --fields id,error run/valid-predicted.tns | sort -t "$(printf '\t')" -k2,2g | awk 'NR > 1 || $1 != "id"' >errors.tsv
has "<span>$(awk 'NR == 1 {printf "id %s</span><span>%.2f px", $1, $2}' errors.tsv)</span>" "the best face"
has "<span>$(awk 'END {printf "id %s</span><span>%.2f px", $1, $2}' errors.tsv)</span>" "the worst face"
is "$(awk 'NR > 1 && $1 == 7 {print $2}' run/clean.tsv | head -1)" 'a<b>&c' "row 7 is found faulty"
grep -qE '<b>row 7</b><br>a&lt;b&gt;&amp;c (far|outside) .*: (blanked|dropped)' $page && good || bad "row 7: $(grep 'row 7' $page | sed 's/data:[^"]*//g')"
row7=$(grep 'aria-label="Face of row 7:' $page)
is "$(grep -o 'class="predicted"' <<<"$row7" | wc -l)" "$(tns-select -q --id 7 run/clean.tns 2>/dev/null | tns-table -q --tsv - 2>/dev/null | awk -F '\t' 'NR == 2 {for (i = 2; i <= 31; i += 2) n += $i == ""} END {print NR < 2 ? 15 : n + 0}')" "crosses of row 7: what is gone of it"
has 'alt="What the first layer looks for" src="data:image/png;base64,' "the pipeline's picture"
has 'aria-label="Curves of model.tsv over epochs"' "curves"

# large pictures are left out by name, so that the page stays small
head -c 2500000 /dev/urandom | cat run/filters.png - >run/maps.png
ok "a run with a large picture" report run "$page"
has 'Left out, so that the page stays small: maps.png' "a picture too large"
is "$(($(wc -c <$page) < 3000000))" 1 "size of the page"

# folders in folders, a name with markup; a cut stream is left out
mv run 'out of <b>/part'
head -c 3000 'out of <b>/part/valid.tns' >'out of <b>/part/valid-cut.tns'
page=two.html
ok "a folder of folders" report 'out of <b>' two.html
well_formed two.html
has '<h1>Report of out of &lt;b&gt;</h1>' "the folder's name"
has '<h2>part</h2>' "a folder in it"
is "$(grep -c 'valid-cut' two.html)" 0 "a cut stream"
mkdir empty
tns-select -q --rows 1-14 "$TMP/out of <b>/part/valid-predicted.tns" -o empty/predicted.tns
ok "a folder of a few faces" report empty few.html
is "$(grep -c '>All, best first<' few.html) $(grep -o 'aria-label="Face, ' few.html | wc -l)" "1 14" "all of them"
rm empty/predicted.tns
ok "an empty folder" report empty empty.html
well_formed empty.html
fails 1 "report.sh: none: no such folder" report none x.html
fails 2 "usage: report.sh FOLDER OUT.html" report empty
[ -e x.html ] && bad "a page of nothing" || good
# in a browser, light and dark: it complains of nothing, shows the text and all figures, and paints them
browser=${CHROMIUM-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
browse() { # LOG ARGUMENTS...
	local log=$1 root=()
	shift
	[ "$(id -u)" != 0 ] || root=(--no-sandbox)
	timeout 100 "$browser" --headless "${root[@]}" --disable-gpu --user-data-dir="$TMP/browser" --enable-logging=stderr --hide-scrollbars \
		--window-size=1000,1400 "$@" 2>"$log"
}
if [ -n "$browser" ]; then
	browse log --dump-dom --screenshot="$TMP/light.png" "file://$TMP/two.html" >dom || bad "the page in $browser: $(tail -1 log)"
	browse log.dark --blink-settings=preferredColorScheme=0 --screenshot="$TMP/dark.png" "file://$TMP/two.html" >/dev/null || bad "the dark page in $browser"
	is "$(cat log log.dark | grep -c CONSOLE)" 0 "what the browser complains of"
	is "$(grep -o '<figure' dom | wc -l)" "$(grep -o '<figure' two.html | wc -l)" "figures in the browser"
	is "$(grep -c '<h1>Report of out of &lt;b&gt;</h1>' dom)" 1 "the title in the browser"
	# most of it is paper; the rest has the colours of text, curves and faces
	command -v python3 >/dev/null && is "$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests python3 - light.png dark.png <<-'END'
		import collections, sys
		from draw_over import png
		for path in sys.argv[1:]:
		    w, h, rows = png(path)
		    n = collections.Counter(bytes(r[i:i + 3]) for r in rows for i in range(0, 3 * w, 3))
		    (paper, most), = n.most_common(1)
		    print(w, h, paper.hex(), "painted" if 0.01 < 1 - most / (w * h) < 0.9 and len(n) > 200 else (most, len(n)))
	END
	)" "1000 1400 ffffff painted"$'\n'"1000 1400 14171a painted" "what the browser paints"
else
	skip "no chromium here: the page in a browser"
fi

# a training's curve: one frame; of values 4, 3, 2, 1 a line from corner to corner
watch() { COLUMNS=30 LINES=12 "$ROOT/pipelines/watch.sh" "$@"; }
printf 'epoch\ttrain_loss\tvalid_rmse_px\tseconds\n1\t3\t4\t2\n2\t2\t3\t4\n3\tnan\t2\t6\n4\t1\t1\t8\n' >log.tsv
cat >want <<'END'
log.tsv: epoch 4, 8.0 s, 2.0 s
valid_rmse_px 1, the least 1 i
         4 +**
           |  ***
       2.8 +     ****
           |         ****
           |             ***
         1 +                **
           +------------------
            1                4
train_loss    #= _ 1
END
ONCE=1 LC_ALL=C watch log.tsv >got 2>&1
same got want "a frame in ASCII: $(diff got want | head -5)"
ONCE=1 LC_ALL=C.UTF-8 watch log.tsv >got 2>&1
if [ "$(LC_ALL=C.UTF-8 locale charmap)" = UTF-8 ]; then
	is "$(sed -n '3p;8p' got | tr -d ' ')" "4┤⠑⠢⣀"$'\n'"1┤⠉⠢⢄" "the ends of the curve in braille"
	is "$(sed -n '$p' got)" "train_loss    █▅ ▁ 1" "a column in blocks"
else
	skip "no locale C.UTF-8: a frame of dots and blocks"
fi
printf 'epoch\tvalid_pseudo_likelihood\n1\t-300\n2\t-280\n3\t-290\n' >rbm.tsv
is "$(ONCE=1 COLUMNS=80 LC_ALL=C "$ROOT/pipelines/watch.sh" rbm.tsv | sed -n 2p)" "valid_pseudo_likelihood -290, the most -280 in epoch 2" "what is better where it is larger"
is "$(head -1 log.tsv | ONCE=1 LC_ALL=C watch /dev/stdin | tail -1)" "waiting for the first epoch" "a log without an epoch"
fails 1 "watch.sh: none.tsv: no such file" env ONCE=1 "$ROOT/pipelines/watch.sh" none.tsv
fails 1 "watch.sh: errors.tsv: no log of a training" "$ROOT/pipelines/watch.sh" errors.tsv
# it goes on while the log grows, and ends with the model, or when who wrote it is gone
seen() { for _ in $(seq 300); do grep -q "$1" got && return; sleep 0.1; done; bad "no '$1' was drawn"; }
for over in model gone; do
	rm -f log.tns
	exec 3>>log.tsv
	LC_ALL=C timeout 60 "$ROOT/pipelines/watch.sh" log.tsv >got 2>&1 3>&- &
	watcher=$!
	seen 'epoch 4'
	printf '5\t1\t0.5\t10\n' >&3
	seen 'epoch 5'
	if [ $over = model ]; then touch -d '+1 minute' log.tns; else sleep 1.2; exec 3>&-; fi
	wait $watcher && good || bad "watching does not end: $over"
	exec 3>&-
	sed -i '$d' log.tsv
done
# nor does it wait for who has gone; it says what it waits for
touch -d '-1 minute' log.tsv
IDLE=1 LC_ALL=C timeout 20 "$ROOT/pipelines/watch.sh" log.tsv >got 2>&1 && good || bad "watching does not end"
is "$(head -1 got | cut -d, -f1); $(tail -1 got)" "log.tsv: epoch 4; watch.sh: log.tsv: nobody writes to it" "a log of yesterday"
LC_ALL=C timeout 60 "$ROOT/pipelines/watch.sh" later.tsv >got 2>&1 &
watcher=$!
seen '^watch.sh: waiting for later.tsv$'
touch -d '+1 minute' later.tns && cp log.tsv later.tsv
wait $watcher && good || bad "watching a log that comes later does not end"
done_tests
