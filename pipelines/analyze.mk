# Analysis: what compilers don't say. Minutes; not part of make test.
## code: make analyze | races in the thread pool, cppcheck, clang-tidy and valgrind, where they are: no finding
analyze_has = if ! command -v $(1) >/dev/null; then echo "skipped: no $(1)"; exit 0; fi
.PHONY: analyze analyze-races analyze-cppcheck analyze-tidy analyze-valgrind
analyze: analyze-races analyze-cppcheck analyze-tidy analyze-valgrind
# setarch -R: ThreadSanitizer fails where addresses are too random
analyze-races: $B/ready
	@mkdir -p $B/analyze
	@$(CC) -std=gnu11 -g -O1 -fsanitize=thread -D_GNU_SOURCE -I. tests/pool.c kernels/cpu/thread_pool.c lib/base/err.c -lpthread -o $B/analyze/pool
	@setarch -R $B/analyze/pool
	@echo 'trust: 16 | thread pool under ThreadSanitizer | 4000 | 0 races'
analyze-cppcheck: $B/ready
	@$(call analyze_has,cppcheck); cppcheck --quiet --enable=warning,performance,portability --inconclusive --std=c11 -I. -D_GNU_SOURCE --suppress=missingIncludeSystem \
		--suppressions-list=tests/cppcheck.txt --error-exitcode=1 --template='{file}:{line}: {id}: {message}' lib cmd && echo 'trust: 16 | cppcheck on lib and cmd | $(words $(wildcard lib/*/*.c cmd/*.c)) | 0 findings'
analyzed := $(wildcard lib/*/*.c cmd/*.c)
# ranks_mpi.c needs mpi.h
tidied := $(filter-out lib/ranks/ranks_mpi.c,$(analyzed))
analyze-tidy: $B/ready
	@$(call analyze_has,clang-tidy); mkdir -p $B/analyze; printf '%s\n' $(tidied) | \
	xargs -P $(JOBS) -n 8 sh -c 'clang-tidy --quiet "$$@" -- -std=gnu11 -D_GNU_SOURCE -I. $$(pkg-config --cflags cairo) 2>/dev/null' - >$B/analyze/tidy || true; \
	awk -F '\t' -v here="$(CURDIR)/" 'NR == FNR {known[$$1 " " $$2]; next} / (warning|error): / {f = $$0; sub(/:.*/, "", f); sub(here, "", f); c = $$0; sub(/.*\[/, "", c); \
	sub(/[],].*/, "", c); if (!(f " " c in known)) {print; n++}} END {exit n > 0}' tests/clang-tidy.txt $B/analyze/tidy && \
	echo 'trust: 16 | clang-tidy on lib and cmd | $(words $(tidied)) | 0 findings'
# the short ones; of AVX2, as valgrind knows no AVX-512. What counts is what valgrind says: some tests limit time or memory, which it takes more of.
valgrind_tests := bootstrap crc dataset dataset_stream expr extract filter ids image image_hash_set imglab log model nearest netdesc num opt out \
	patch philox sentinel split stat submission table targets teacher text_forms tns trained unpack
analyze-valgrind: $(valgrind_tests:%=$B/tests/check_%)
	@$(call analyze_has,valgrind); d=$$(mktemp -d); for t in $(valgrind_tests); do mkdir $$d/$$t; \
	TMP=$$d/$$t BIN=$(CURDIR)/$B/bin KEYPIPE_ISA=avx2 CK_DEFAULT_TIMEOUT=1000 valgrind -q --log-file=$$d/$$t.%p.log $B/tests/check_$$t >$$d/$$t.out 2>&1 </dev/null; \
	grep -q Checks: $$d/$$t.out || { cat $$d/$$t.out; exit 1; }; done; ! grep -h '^==' $$d/*.log || exit 1; rm -rf $$d; \
	echo 'trust: 16 | tests under valgrind | $(words $(valgrind_tests)) | 0 findings'
