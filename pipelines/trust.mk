# What the table of trust promises, run in its long form; and the fuzzers, where clang is.
## code: make trust | the long tests: every cut and flip, every call and allocation that fails, losses of power, trainings killed and resumed or larger than memory, models of strangers, full disks, signals, 10 minutes of fuzzing; a table of counts
trust_scripts := trust strangers foreign load durable faults train
trust: $B/built $B/tests/check_trust $B/tests/strangers
	@tmp=$$(mktemp -d) && export TRUST=1 BIN=$(CURDIR)/$B/bin && \
	{ $B/tests/check_trust && (for t in $(trust_scripts); do mkdir $$tmp/$$t; TMP=$$tmp/$$t tests/t_$$t.sh || exit 1; done) && $(MAKE) --no-print-directory fuzz RUNS=10000000; } >$$tmp/log 2>&1 && good=0 || good=1; \
	printf '%-4s %-60s %9s  %s\n' no. test number result; \
	sed -n 's/^trust: //p' $$tmp/log | awk -F ' [|] ' '{printf "%-4s %-60s %9s  %s\n", $$1, $$2, $$3, $$4}'; \
	grep -E '^(FAILED|skipped)' $$tmp/log || true; [ $$good = 0 ] || tail -20 $$tmp/log; rm -rf $$tmp; exit $$good

# one fuzzer a parser: tests/fuzz_NAME.c; RUNS inputs each, at most FUZZ_SECONDS
RUNS ?= 60000
FUZZ_SECONDS ?= 600
fuzzers := $(patsubst tests/fuzz_%.c,%,$(wildcard tests/fuzz_*.c))
.PHONY: fuzz no-clang
## code: make fuzz [RUNS=60000] | each parser's fuzzer (needs clang)
fuzz: $(if $(shell command -v clang),$(fuzzers:%=fuzz-%),no-clang)
no-clang:
	@echo "skipped: no clang, so no fuzzing"
fuzz-%: $B/tests/fuzz_%
	@mkdir -p $B/fuzz/$*/seeds $B/fuzz/$*/corpus
	@[ -n "$$(ls $B/fuzz/$*/seeds)" ] || FUZZ_SEEDS=$B/fuzz/$*/seeds $<
	@$< -runs=$(RUNS) -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$B/fuzz/$*/ $B/fuzz/$*/corpus $B/fuzz/$*/seeds 2>$B/fuzz/$*/log || { tail -30 $B/fuzz/$*/log; exit 1; }
	@awk '/number_of_executed_units/ {n = $$2} /peak_rss_mb/ {m = $$2} /slowest_unit_time_sec/ {s = $$2} END {printf "trust: 3 | fuzzer of $* | %s | 0 found; slowest under %d s, %s MiB with sanitizers\n", n, s + 1, m}' $B/fuzz/$*/log
# all of lib but pictures, compiled once for all of them: the linker takes what the parser needs
fuzzed := clang -std=gnu11 -g -O1 -D_GNU_SOURCE -I. -fno-sanitize-recover=undefined
fuzz_objs := $(patsubst %.c,$B/fuzz/obj/%.o,$(filter lib/%,$(libs)) $(annotated) $(arrays))
$B/fuzz/obj/%.o: %.c $(wildcard lib/*/*.h) $B/ready
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@
$B/fuzz/lib.a: $(fuzz_objs)
	$(call cmd,ar,$@)rm -f $@; ar rcs $@ $^
.PRECIOUS: $B/tests/fuzz_%
$B/tests/fuzz_%: tests/fuzz_%.c $B/fuzz/lib.a $(wildcard tests/*.h)
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) -fsanitize=fuzzer,address,undefined $< $B/fuzz/lib.a $(libs_$*) -lz -lm -lpthread -o $@
libs_image := -ljpeg -lpng
libs_arrays := -lyajl
libs_coco := -lyajl
libs_imglab := -lexpat
