# Programs, the script keypipe, man pages and completions for everybody; uninstall takes away what install put. Packages of them, and of the sources.
## first: make install [PREFIX=/usr/local DESTDIR= NAMES=prefixed] | the programs, keypipe, man pages, completions; prefixed: as keypipe-score and so on alone
## first: make uninstall [PREFIX=/usr/local DESTDIR=] | remove what make install put there
## code: make deb [MAINTAINER="NAME <ADDRESS>"] | a Debian package: build/keypipe_VERSION_ARCHITECTURE.deb, NAMES=prefixed
## code: make dist | the last commit's files: build/keypipe-VERSION.tar.gz
PREFIX ?= /usr/local
NAMES ?= plain
.PHONY: deb dist
install: $B/built
	@pipelines/install.sh install $B/bin $(call quote,$(DESTDIR)$(PREFIX)) '$(NAMES)' $(programs)
uninstall:
	@pipelines/install.sh uninstall $B/bin $(call quote,$(DESTDIR)$(PREFIX))
deb: $B/built
	@$(setup) install package
	@MAINTAINER=$(call quote,$(MAINTAINER)) pipelines/package.sh deb $B $(programs)
dist:
	@mkdir -p $B
	@pipelines/package.sh dist $B
