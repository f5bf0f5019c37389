#!/usr/bin/env bash
# What make installs and takes away again: programs, man pages, completions; packages. All that is made of options is held against --help.
. tests/sh.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
mk() { make --no-print-directory ${SAN:+SAN=1} ${COV:+COV=1} "$@"; }
there() { command -v "$1" >/dev/null; }
programs=$(ls cmd/*.c | sed 's,cmd/,,; s,\.c$,,')

# of --help on stdin: the options, each once; the examples
options() { sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' | sort -u | xargs; }
examples() { sed -n '/^examples:/,/^usage:/s/^  //p' | sort -u; }
# helps P: its help, and that of its kinds
helps() { "$1" --help && for k in $(sed -n '1s/^usage: [^ ]* \[options\] \([a-z|]*|[a-z|]*\).*/\1/p' < <("$1" --help) | tr '|' ' '); do "$1" "$k" --help; done; }
# of a man page on stdin: what its characters are; the same of it as above
plain() { sed "s/\\\\-/-/g; s/\\\\(aq/'/g; s/\\\\(ha/^/g; s/\\\\(ti/~/g; s/\\\\[:&]//g; s/\\\\f[BIR]//g; s/\\\\e/\\\\/g"; }
page_options() { plain | sed -n 's/^\(-., \|\)\(--[a-z0-9-]*\)\( .*\|\)$/\2/p' | sort -u | xargs; }
page_examples() {
	plain | sed -n '/^\.nf/,/^\.fi/p' | awk '/^\./ {next} {sub(/^    /, ""); line = line $0} /[|&]$/ {line = line " "; next} sub(/\\$/, "", line) {next} {print line; line = ""}' | sort -u
}
# sound PAGE: what is no roff, or not in ASCII, or is said of it by groff where that is there, and lines over 80 columns
odd="^'"'|[^ -~]|\\[^-&:efn(]|\\f[^BIR]|\\\(([^a-z]|.[^a-z])'
sound() {
	zcat "$1" | grep -v '^\.\\"' | LC_ALL=C grep -nE "$odd"
	zcat "$1" | grep -n '^\.' | grep -vE '^[0-9]+:\.(\\"|TH .*"Keypipe [0-9.]*"|nh|ad l|(SH|SS|BR) .|TP$|PP$|br$|nf$|fi$)'
	zcat "$1" | grep '@[A-Z]*@'
	there groff && zcat "$1" | groff -man -Tascii -P-cbou -rLL=80n -ww 2>&1 | awk 'length > 80 || /warning/'
}

for page in "'x" 'y\z' 'f\fX' '.XX a' "$(printf '\303\244')" @WORDS@; do
	gzip -c <<<"$page" >"$TMP/odd.gz"
	ok "a page that is not sound is seen: $page" test -n "$(sound "$TMP/odd.gz")"
done

# install puts programs, keypipe, man pages and completions; uninstall leaves what was there before
root=$TMP/root
mkdir -p "$root/there/bin"
echo mine >"$root/there/bin/mine"
before=$(find "$root" | sort)
ok "make install" mk install DESTDIR="$root" PREFIX=/there
ok "make install" mk install DESTDIR="$root" PREFIX=/new/usr
bin=$root/new/usr/bin
is "$(ls "$bin" | xargs)" "$(printf '%s\n' $programs keypipe | sort | xargs)" "what is installed"
same "$bin/score" "$BIN/score" "a program"
is "$("$bin/keypipe" score --help | cksum)" "$(score --help | cksum)" "keypipe PROGRAM"
is "$("$bin/keypipe" help render faces | cksum)" "$(render faces --help | cksum)" "keypipe help PROGRAM"
is "$("$bin/keypipe" | cksum) $("$bin/keypipe" -V)" "$("$bin/keypipe" --help | cksum) keypipe $VERSION" "keypipe alone"
for p in $programs; do
	is "$("$bin/keypipe" | grep -c "^$p  *[a-z]* [a-z]")" 1 "keypipe lists $p"
done
fails 2 "keypipe: unknown program 'pridict' (did you mean predict?); try keypipe --help" "$bin/keypipe" pridict x
fails 2 "keypipe: unknown program 'clean' (did you mean csv-clean?)" "$bin/keypipe" help clean
fails 2 "keypipe: unknown program 'qqqqqq'; try" "$bin/keypipe" qqqqqq
fails 2 "keypipe: unknown option '--no'; try keypipe --help" "$bin/keypipe" --no
fails 1 "score: $TMP/missing.tns: No such file" "$bin/keypipe" score "$TMP/missing.tns"
# man pages
man=$root/new/usr/share/man
is "$(ls "$man/man1" | xargs) $(ls "$man/man7")" "$(printf '%s.1.gz\n' $programs keypipe | sort | xargs) keypipe.7.gz" "man pages"
for p in $programs; do
	helps "$p" >"$TMP/help"
	zcat "$man/man1/$p.1.gz" >"$TMP/page"
	is "$(page_options <"$TMP/page")" "$(options <"$TMP/help")" "options in the man page of $p"
	is "$(page_examples <"$TMP/page")" "$(examples <"$TMP/help")" "examples in the man page of $p"
	is "$(grep -A1 '^.SH NAME' "$TMP/page" | plain | grep -c "^$p - [a-z]")" 1 "the name in the man page of $p"
	is "$(sound "$man/man1/$p.1.gz" | head -3)" "" "the man page of $p"
	is "$(zcat "$man/man7/keypipe.7.gz" | plain | grep -c "^.BR $p (1)")$(zcat "$man/man1/keypipe.1.gz" | plain | grep -c "^.BR $p (1)")" 11 "$p in keypipe's pages"
done
is "$(sound "$man/man1/keypipe.1.gz")$(sound "$man/man7/keypipe.7.gz")" "" "keypipe's pages"
paragraph() { zcat "$man/man1/$1.1.gz" | plain | grep -A1 -- "^$2" | tail -1; }
is "$(paragraph cnn-train '-b, --batch N')" "rows a step (1 to 65536; default 32)" "an option with its range and default"
is "$(paragraph tns-import '--margin F' | sed 's/.*points //')" "(-1 to 100; default -1)" "an option with a minus"
is "$(paragraph render '--first ROW')" "begin at this row, counted from 1 (at least 1; default 1)" "an option of a kind"
is "$(zcat "$man/man7/keypipe.7.gz" | grep -oE '^KEYPIPE_[A-Z_]+' | sort | xargs)" "KEYPIPE_CUBLAS KEYPIPE_CUDA_SYNC KEYPIPE_GPU KEYPIPE_GPU_SMS KEYPIPE_ISA KEYPIPE_NCCL" "keypipe(7) has variables"
for isa in $(KEYPIPE_ISA=none "$BIN/csv-clean" /dev/null 2>&1 >/dev/null | sed 's/.*: //; s/ are known//; s/,\| and / /g'); do
	is "$(zcat "$man/man7/keypipe.7.gz" | plain | grep -A1 '^KEYPIPE_ISA' | grep -cw "$isa")" 1 "keypipe(7) has $isa"
done
for run in keypoints best cascade eyes features origin fewlabels nets finder; do # pipelines of a CSV
	is "$(grep -c "^## data: make $run\>" "$ROOT"/pipelines/*.mk | sed -n 's/.*:1$/1/p')$(zcat "$man/man7/keypipe.7.gz" | grep -cE "\\\\fB(make )?$run\\\\fR")$(grep -c "^    make $run CSV=" "$ROOT/README.md")" 111 "make $run is told of"
done

# completed WORDS...: what bash offers for the last word
completed() (
	source "$1/share/bash-completion/completions/keypipe"
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_keypipe
	echo "${COMPREPLY[*]}"
)
offers() { is "$(completed "$root/new/usr" "${@:2}")" "$1" "completion of ${*:2}"; }
offers predict keypipe pre
offers "render" keypipe help re
offers "heatmap" keypipe cnn-train --target h
offers "--maps" predict model.tns --m
offers "ref cpu cuda" predict -t 1 --device ''
offers "cpu cuda" predict --device = c
offers "faces" render f
offers "--worst" render faces --w
offers "" render curves --w
offers "" keypipe predict mod
is "$(readlink "$root/new/usr/share/bash-completion/completions/predict")" keypipe "completion of a program is keypipe's"
for p in $programs; do # as --help has them
	is "$(completed "$root/new/usr" "$p" --)" "$("$p" --help | sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p' | xargs)" "options of $p"
done
offers "png svg pdf" render faces --format ''
offers "ref" predict -d r
# other shells, where they are: for people who have them, so their absence is no skip; the text of their completions is held against --help below
share=$root/new/usr/share
if there zsh; then ok "zsh reads its completion" zsh -fn "$share/zsh/site-functions/_keypipe"; fi
if there fish; then
	fish_offers() { is "$(HOME=$TMP fish --no-config -c "source '$share/fish/vendor_completions.d/keypipe.fish'; complete -C '$2'" | cut -f1 | xargs)" "$1" "fish: $2"; }
	fish_offers predict 'keypipe pre'
	fish_offers "cpu cuda ref" 'predict -t 1 --device '
	fish_offers --worst 'keypipe render faces --wo'
	fish_offers "" 'render curves --wo'
fi
# zsh's and fish's of all options, in whatever order
for p in $programs; do
	helps "$p" | options | tr ' ' '\n' >"$TMP/options"
	is "$(awk -v p="$p" -F "'" '/^\t.*\) reply/ {on = $2 == p || index($2, p " ") == 1} on' "$share/zsh/site-functions/_keypipe" | grep -o "\(,\|'\|\*\)--[a-z0-9-]*" |
		tr -d ",*'" | sort -u | xargs)" "$(xargs <"$TMP/options")" "zsh: options of $p"
	is "$(sed -n "s/^__keypipe_option '$p[ ']\(.* \|\)-l \([a-z0-9-]*\) .*/--\2/p" "$share/fish/vendor_completions.d/keypipe.fish" | sort -u | xargs)" "$(xargs <"$TMP/options")" \
		"fish: options of $p"
done
ok "make install, prefixed, where the others were" mk install NAMES=prefixed DESTDIR="$root" PREFIX=/new/usr
is "$(ls "$bin" | grep -v '^keypipe')" "" "only keypipe and keypipe-*"
is "$("$bin/keypipe" predict --version) $("$bin/keypipe-predict" --version)" "predict $VERSION predict $VERSION" "prefixed programs"
is "$(completed "$root/new/usr" keypipe-predict --m)" "--maps" "their completion"
is "$(ls "$man/man1" | grep -v '^keypipe[.-]')$(ls "$share/fish/vendor_completions.d" "$share/bash-completion/completions" | grep -v '^keypipe\|^$\|:$')" "" "their pages and completions"
is "$(zcat "$man/man1/keypipe-predict.1.gz" | page_examples | grep -c "^keypipe-csv-clean test.csv.gz | keypipe-predict model.tns | keypipe-submit --lookup")" 1 "examples of prefixed programs"
is "$(for f in "$man"/man*/keypipe{,-render,-tns-select}.*; do sound "$f"; done | head -3)" "" "pages of prefixed programs"
is "$(zcat "$man/man7/keypipe.7.gz" | plain | grep -c '^keypipe-score predicted.tns$')" 1 "keypipe(7) of prefixed programs"
ok "make uninstall" mk uninstall DESTDIR="$root" PREFIX=/new/usr
ok "make uninstall" mk uninstall DESTDIR="$root" PREFIX=/there
is "$(find "$root" | sort)" "$before" "uninstall leaves what was there"
echo mine >"$root/there/bin/score"
mk install PREFIX="$root/there" >"$TMP/.out" 2>&1 && bad "another's program is replaced" || good
grep -q "^install: $root/there/bin/score is there and is not listed in .*: NAMES=prefixed" "$TMP/.out" && good || bad "another's program: $(cat "$TMP/.out")"
is "$(cat "$root/there/bin/score")" mine "another's program stays"
ok "beside it" mk install PREFIX="$root/there" NAMES=prefixed

# a package, which holds what make install puts under prefixed names
B=$(dirname "$BIN")
if there dpkg-deb && there dpkg-shlibdeps; then
	ok "make deb" mk deb MAINTAINER='A B <a@b.example>'
	deb=$(sed -n 's/^made //p' "$TMP/.out")
	is "$deb" "${B#"$ROOT/"}/keypipe_${VERSION}_$(dpkg --print-architecture).deb" "the package's name"
	cp "$deb" "$TMP/first.deb"
	ok "make deb again" mk deb MAINTAINER='A B <a@b.example>'
	same "$deb" "$TMP/first.deb" "two packages of one commit"
	is "$(dpkg-deb -f "$deb" Package Version Maintainer | xargs)" "Package: keypipe Version: $VERSION Maintainer: A B <a@b.example>" "its fields"
	for l in libc6 libcairo2 zlib1g; do is "$(dpkg-deb -f "$deb" Depends | grep -cw "$l")" 1 "it depends on $l"; done
	dpkg-deb -x "$deb" "$TMP/deb" && dpkg-deb -e "$deb" "$TMP/deb/DEBIAN"
	installed() { (cd "$1" && find bin share ! -type d ! -path 'share/keypipe/*' ! -path 'share/doc/*' | sed 's,zsh/[a-z-]*/,zsh/,' | sort); }
	is "$(installed "$TMP/deb/usr" | cksum)" "$(installed "$root/there" | grep -v '^bin/\(mine\|score\)$' | cksum)" "its files"
	is "$("$TMP/deb/usr/bin/keypipe" help score | cksum)" "$(score --help | cksum)" "its programs run"
	ok "its sums" env -C "$TMP/deb" md5sum --quiet -c DEBIAN/md5sums
	is "$(cd "$TMP/deb/usr/share/doc/keypipe" && ls | xargs)" "README.md changelog.gz copyright" "its documents"
	is "$(zcat "$TMP/deb/usr/share/doc/keypipe/changelog.gz" | head -1) $(zcat "$TMP/deb/usr/share/doc/keypipe/changelog.gz" | grep -c '^  \* [a-z]')" \
		"keypipe ($VERSION) unstable; urgency=medium $(sed -n '/^## Changes/,$p' README.md | grep -c '^- ')" "its changes are README's"
else
	skip "packages: no dpkg-deb or no dpkg-shlibdeps"
fi
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$ROOT" ]; then
	ok "make dist" mk dist
	tar=$(sed -n 's/^made \([^ ]*\) of .*/\1/p' "$TMP/.out")
	name=keypipe-$(git show HEAD:lib/base/opt.h | sed -n 's/^#define KEYPIPE_VERSION "\(.*\)"/\1/p')
	is "$tar" "${B#"$ROOT/"}/$name.tar.gz" "the archive's name"
	cp "$tar" "$TMP/first.tar.gz"
	ok "make dist again" mk dist
	same "$tar" "$TMP/first.tar.gz" "two archives of one commit"
	is "$(tar tzf "$tar" | grep -v '/$' | sort | cksum)" "$(git ls-tree -r --name-only HEAD | sed "s,^,$name/," | sort | cksum)" "all tracked files"
else
	fails 2 "dist: this is no git checkout" mk dist
fi
is "$(mk help | grep -c '^  make \(setup\|install\|uninstall\|deb\|dist\) ')" 5 "make help"
done_tests
