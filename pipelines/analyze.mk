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
analyze-tidy: $B/ready
	@$(call analyze_has,clang-tidy); clang-tidy --quiet --warnings-as-errors='*' $(analyzed) -- -std=gnu11 -D_GNU_SOURCE -I. $$(pkg-config --cflags cairo) 2>/dev/null && echo 'trust: 16 | clang-tidy on lib and cmd | $(words $(analyzed)) | 0 findings'
analyze-valgrind: $B/tests/check_num
	@$(call analyze_has,valgrind); for t in num; do CK_FORK=no TMP=$$(mktemp -d) valgrind -q --error-exitcode=9 $B/tests/check_$$t >/dev/null || exit 1; done; echo 'trust: 16 | tests under valgrind | 1 | 0 findings'
