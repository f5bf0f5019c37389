#!/usr/bin/env bash
# What a machine needs beside bash and make, by the name of Debian's package. `say` names what is missing, `install` installs it (apt-get, as root
# or with sudo); it is looked for as it is used, so that it may come from anywhere.
# usage: B=FOLDER-OF-LOG [CC=gcc] [CXX=g++] setup.sh say|install build|test|pictures|style|package...
set -eu
CC=${CC:-gcc} CXX=${CXX:-g++}
header() { echo "#include <$1>" | $CC -E -x c - >/dev/null 2>&1; }
font() { find /usr/share/fonts /usr/local/share/fonts /usr/share/X11/fonts ~/.fonts ~/.local/share/fonts /Library/Fonts -name '*.[to]t[fc]' 2>/dev/null | grep -q .; }
library() { $CC -x c - -l"$1" -o /dev/null <<<'int main(void) { return 0; }'; }
# one a line: set, package, what is used of it, and a command that succeeds where it is there
needs() {
	cat <<-'END'
		build | gcc | a C compiler | command -v $CC
		build | zlib1g-dev | zlib with its headers | header zlib.h
		build | pkg-config | pkg-config, by which cairo is found | pkg-config --version
		build | libcairo2-dev | cairo with its headers | pkg-config --exists cairo || header cairo/cairo.h
		build | libjpeg62-turbo-dev | libjpeg-turbo with its headers | header jpeglib.h
		build | libpng-dev | libpng with its headers | header png.h
		build | libexpat1-dev | expat with its headers | header expat.h
		build | libyajl-dev | yajl with its headers | header yajl/yajl_parse.h
		build | libopenblas-pthread-dev | OpenBLAS with its headers | header cblas.h && library openblas
		pictures | fonts-dejavu-core | a font for the letters of pictures | font
		test | g++ | a C++ compiler | command -v $CXX
		test | check | Check, the unit testing framework | header check.h
		style | clang-format | clang-format | command -v clang-format
		package | dpkg-dev | dpkg-shlibdeps, which knows what packages libraries are in | command -v dpkg-shlibdeps
	END
}
does=$1
shift
packages=() list=
while IFS='|' read -r set package use there; do
	[[ " $* " = *" ${set// /} "* ]] || continue
	eval "$there" >/dev/null 2>&1 && continue
	packages+=("${package// /}") use=${use# }
	list+="${list:+, }${package// /} (${use% })"
done < <(needs)
[ ${#packages[@]} -gt 0 ] || exit 0
if [ "$does" = say ]; then
	echo "set-up: missing: $list; on Debian \`make setup\` installs it, as root or with sudo" >&2
	exit 1
fi
as=
[ "$(id -u)" = 0 ] || as=sudo
if ! command -v apt-get >/dev/null || { [ -n "$as" ] && ! command -v sudo >/dev/null; }; then
	echo "set-up: missing: $list; apt-get as root or with sudo would install it, and is not here" >&2
	exit 1
fi
mkdir -p "$B"
echo "set-up: installing ${packages[*]}"
if ! { $as apt-get -qq update && $as env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >"$B/setup.log" 2>&1; then
	tail -5 "$B/setup.log"
	echo "set-up: could not install ${packages[*]} (see $B/setup.log)"
	exit 1
fi
