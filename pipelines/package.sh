#!/usr/bin/env bash
# What is given away. dist: the files of the last commit as FOLDER/keypipe-VERSION.tar.gz. deb: the programs of FOLDER/bin as make install
# NAMES=prefixed puts them, in FOLDER/keypipe_VERSION_ARCHITECTURE.deb. Both are the same bytes when made again of the same commit.
# usage: package.sh dist FOLDER | [MAINTAINER='NAME <ADDRESS>'] package.sh deb FOLDER PROGRAM...
set -eu -o pipefail
does=$1 folder=$2
shift 2
cd "$(dirname "$0")/.."
version() { sed -n 's/^#define KEYPIPE_VERSION "\(.*\)"/\1/p'; }
in_git() { [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; }

if [ "$does" = dist ]; then
	in_git || { echo "dist: this is no git checkout, whose commit it would pack" >&2 && exit 1; }
	name=keypipe-$(git show HEAD:lib/base/opt.h | version)
	[ -z "$(git status --porcelain)" ] || echo "dist: what is not committed is not in it" >&2
	git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$folder/.$name.tmp"
	mv "$folder/.$name.tmp" "$folder/$name.tar.gz"
	echo "made $folder/$name.tar.gz of commit $(git rev-parse --short HEAD)"
	exit
fi

version=$(version <lib/base/opt.h)
architecture=$(dpkg --print-architecture)
who='Keypipe maintainers <keypipe@localhost>'
if in_git; then
	: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
	who=$(git log -1 --format='%an <%ae>')
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y lib/base/opt.h)}
who=${MAINTAINER:-$who}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
tree=$made/package doc=$made/package/usr/share/doc/keypipe
umask 022
mkdir -p "$tree/DEBIAN" "$made/debian" "$doc"
pipelines/install.sh install "$folder/bin" "$tree/usr" prefixed "$@" >/dev/null
rm -r "$tree/usr/share/keypipe"
mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"
for p; do strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/keypipe-$p"; done
printf 'Source: keypipe\n\nPackage: keypipe\nArchitecture: any\n' >"$made/debian/control"
depends=$(cd "$made" && dpkg-shlibdeps -O package/usr/bin/keypipe-* 2>"$made/log" | sed -n 's/^shlibs:Depends=//p') || { cat "$made/log" >&2 && exit 1; }

install -m 644 README.md "$doc/README.md"
cat >"$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: keypipe
Comment: The sources state no licence.

Files: *
Copyright: $(date -u -d "@$SOURCE_DATE_EPOCH" +%Y) the authors of Keypipe
License: none-stated
 No licence has been stated for these files: all rights are their authors', and
 who wants to pass the package on asks them.
END
{
	printf 'keypipe (%s) unstable; urgency=medium\n\n' "$version"
	awk '/^## / { on = $2 == "Changes" } on && sub(/^- /, "")' README.md | tr -d '`' |
		while IFS= read -r change; do fold -s -w 72 <<<"$change" | sed 's/ *$//; 1s/^/  * /; 2,$s/^/    /'; done
	printf '\n -- %s  %s\n' "$who" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$doc/changelog.gz"
cat >"$tree/DEBIAN/control" <<END
Package: keypipe
Version: $version
Architecture: $architecture
Maintainer: $who
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$tree" | cut -f1)
Depends: $depends
Recommends: fonts-dejavu-core
Section: science
Priority: optional
Description: facial keypoints, one pipe at a time
 Small programs that clean a keypoint competition's CSV, import annotated
 images, cut patches, pretrain autoencoders, train nets, predict points, score
 them and draw all of it. They exchange one checksummed binary tensor stream
 over pipes and files, so that every step can be looked into and run again
 alone. The programs are keypipe and keypipe-*.
END
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
deb=keypipe_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz -z1 --build "$tree" "$folder/.$deb.tmp" >/dev/null
mv "$folder/.$deb.tmp" "$folder/$deb"
echo "made $folder/$deb"
