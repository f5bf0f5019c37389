# What a machine needs, installed where missing (Debian, as root or with sudo). The stamps make it a question asked once a build folder.
packages := gcc check zlib1g-dev libcairo2-dev libjpeg62-turbo-dev libpng-dev libexpat1-dev libyajl-dev fonts-dejavu-core pkg-config g++

# $(call install_missing,PACKAGES)
define install_missing
@mkdir -p $B
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "set-up: installing" $$missing; \
		as=; [ "$$(id -u)" = 0 ] || as=sudo; \
		$$as apt-get -qq update >$B/setup.log 2>&1 && \
		DEBIAN_FRONTEND=noninteractive $$as apt-get -qq install -y --no-install-recommends $$missing >>$B/setup.log 2>&1 || \
		{ tail -5 $B/setup.log; echo "set-up: could not install" $$missing "(see $B/setup.log)"; exit 1; }; \
	fi
endef

$B/ready:
	$(call install_missing,$(packages))
	@[ -n "$(NVCC)" ] || echo "set-up: there is no nvcc: building the backends ref and cpu, not cuda"
	@touch $@
# for make check-style and make format
$B/style-ready:
	$(call install_missing,clang-format gcc)
	@touch $@
