# What the table of trust promises, run in its long form; and the fuzzers, where clang is.
## code: make trust [TRUST="faults load" FUZZ_SECONDS=60 STRANGERS=300000] | the long tests: every cut and flip, every call and allocation that fails, losses of power, trainings killed and resumed or larger than memory, models of strangers, full disks, signals, fuzzing, analysis; a table of what was asked and what was tried: an hour
trust: test-programs
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) tests/trust.sh $B $(TRUST)

# Fuzzers: tests/fuzz_NAME.c, of the parsers that tests/fuzz.md lists; RUNS inputs each, at most FUZZ_SECONDS (600). They begin with their seeds and with
# what earlier runs found, tests/corpora/NAME.tar.gz; what they find besides is in build/fuzz/NAME/corpus until fuzz-merge takes it over.
RUNS ?= 60000
fuzzers := $(patsubst tests/fuzz_%.c,%,$(wildcard tests/fuzz_*.c))
has_clang := $(shell command -v clang)
.PHONY: fuzz fuzz-merge fuzz-coverage no-clang
.PRECIOUS: $B/fuzz/%/inputs $B/fuzz/lib-%.a $B/tests/fuzz_% $B/tests/plain_% $B/tests/covered_%
## code: make fuzz [RUNS=60000] | each parser's fuzzer (needs clang); fuzz-NAME: one
fuzz: $(if $(has_clang),,no-clang)
	$(if $(has_clang),+@$(MAKE) --no-print-directory -k $(fuzzers:%=fuzz-%))
no-clang:
	@echo "skipped: no clang, so no fuzzing"
fuzz-%: $B/tests/fuzz_% $B/fuzz/%/inputs
	@tests/fuzz_run.sh $< $B/fuzz/$* -runs=$(RUNS) -max_total_time=$(or $(FUZZ_SECONDS),600) $(fuzz_limits)
# names of new functions are asked of another program by pipes: a fuzzer that closes what a parser left open must not close those
fuzz_limits := -max_len=16384 -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5 -print_funcs=0
# what a fuzzer begins with, in its folders seeds and committed, and, in large, what is tried once: what takes long
$B/fuzz/%/inputs: $B/tests/fuzz_% $(wildcard tests/corpora/*)
	@rm -rf $(@D)/seeds $(@D)/committed $(@D)/large; mkdir -p $(@D)/seeds $(@D)/committed $(@D)/large
	@FUZZ_SEEDS=$(@D)/seeds $<
	@[ ! -e tests/corpora/$*.tar.gz ] || tar -xzf tests/corpora/$*.tar.gz -C $(@D)/committed
	@find $(@D)/seeds $(@D)/committed -name 'large-*' -exec mv -t $(@D)/large {} +
	@touch $@
## code: make fuzz-merge | takes what fuzzers found over into tests/corpora, as few inputs as reach the same code; fuzz-merge-NAME: one
fuzz-merge: $(fuzzers:%=fuzz-merge-%)
fuzz-merge-%: $B/tests/fuzz_% $B/fuzz/%/inputs
	@mkdir -p $B/fuzz/$*/corpus tests/corpora
	@tests/fuzz_merge.sh $< $B/fuzz/$* tests/corpora/$*.tar.gz $(fuzz_limits)
## code: make fuzz-coverage | of each parser: the branches that its fuzzer's inputs take, its memory and its slowest input (needs clang and llvm)
fuzz-coverage: $(if $(has_clang),$(fuzzers:%=$B/fuzz/%/inputs) $(fuzzers:%=$B/tests/covered_%) $(fuzzers:%=$B/tests/plain_%),no-clang)
	$(if $(has_clang),@tests/fuzz_coverage.sh $B $(fuzzers))

# all of lib but pictures, compiled once for all of them, with buffers that a small file fills: the linker takes what the parser needs
fuzzed := clang -std=gnu11 -g -O1 -D_GNU_SOURCE -DBUFFER_SHIFT=7 -I. -fno-sanitize-recover=undefined
fuzz_sources := $(filter lib/%,$(libs)) $(annotated) $(arrays) $(wildcard kernels/*.c kernels/ref/*.c)
sanitized := address,undefined
counted := -fprofile-instr-generate -fcoverage-mapping
$B/fuzz/obj/%.o: %.c $(wildcard lib/*/*.h kernels/*.h kernels/*/*.h) $B/ready
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) -fsanitize=$(traced)$(sanitized) -c $< -o $@
$B/fuzz/counted/%.o: %.c $(wildcard lib/*/*.h kernels/*.h kernels/*/*.h) $B/ready
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) $(counted) -c $< -o $@
# loops that are no parser's: that they compare is not told to libFuzzer, which takes most of a run otherwise
$(patsubst %,$B/fuzz/obj/lib/base/%.o,nearest crc philox hash): traced :=
traced := fuzzer-no-link,
$B/fuzz/lib-obj.a: $(fuzz_sources:%.c=$B/fuzz/obj/%.o)
$B/fuzz/lib-counted.a: $(fuzz_sources:%.c=$B/fuzz/counted/%.o)
$B/fuzz/lib-%.a:
	$(call cmd,ar,$@)rm -f $@; ar rcs $@ $^
$B/tests/fuzz_%: tests/fuzz_%.c $B/fuzz/lib-obj.a $(wildcard tests/*.h)
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) -fsanitize=fuzzer,$(sanitized) $< $B/fuzz/lib-obj.a $(libs_$*) $(fuzz_libs) -o $@
# the same on files, without libFuzzer: what is counted, and what the programs are made of
$B/tests/covered_%: tests/fuzz_%.c tests/corpus.c $B/fuzz/lib-counted.a $(wildcard tests/*.h)
	@mkdir -p $(@D)
	$(call cmd,clang)$(fuzzed) $(counted) $< tests/corpus.c $B/fuzz/lib-counted.a $(libs_$*) $(fuzz_libs) -o $@
$B/fuzz/lib-plain.a: $(patsubst %.c,$B/obj/%.o,$(libs) $(annotated) $(arrays))
$B/tests/plain_%: tests/fuzz_%.c tests/corpus.c $B/fuzz/lib-plain.a $(wildcard tests/*.h)
	@mkdir -p $(@D)
	$(call cmd,clang)clang -std=gnu11 -g -O2 -D_GNU_SOURCE -I. $< tests/corpus.c $B/fuzz/lib-plain.a $(libs_$*) $(fuzz_libs) -o $@
fuzz_libs := -lz -lm -lpthread -Wl,--wrap=mmap,--wrap=munmap
libs_image := -ljpeg -lpng
libs_arrays := -lyajl
libs_coco := -lyajl
libs_imglab := -lexpat
