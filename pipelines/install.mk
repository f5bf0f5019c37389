# Programs, the script keypipe and bash's completion of their options, for everybody; uninstall takes away what install put.
## first: make install [PREFIX=/usr/local DESTDIR= NAMES=prefixed] | the programs, keypipe, and bash's completion; prefixed: as keypipe-score and so on alone
## first: make uninstall [PREFIX=/usr/local DESTDIR=] | remove what make install put there
PREFIX ?= /usr/local
NAMES ?= plain
install: $B/built
	@pipelines/install.sh install $B/bin $(call quote,$(DESTDIR)$(PREFIX)) '$(NAMES)' $(programs)
uninstall:
	@pipelines/install.sh uninstall $B/bin $(call quote,$(DESTDIR)$(PREFIX))
