# Keypipe: build, tests, pipelines. `make help` lists the targets; set-up and pipelines are in pipelines/*.mk.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
home := $(dir $(lastword $(MAKEFILE_LIST)))
ifeq ($(filter ./ $(CURDIR)/,$(home)),)
$(error this Makefile works in its own folder: make -C $(home) $(or $(firstword $(MAKECMDGOALS)),all); paths count from there)
endif

# on a cluster: what recipes start goes through RUN (srun -n1 -c8), trainings through MPIRUN (srun -n8, mpirun -np 8): pipelines/cluster.md
ifneq ($(strip $(RUN)$(MPIRUN)),)
SHELL := pipelines/through.sh
export RUN MPIRUN
export PROGRAMS = $B/bin
endif

CC ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif
B := build$(if $(SAN),-san)$(if $(COV),-cov)
OPT := -O2
FP := -ffp-contract=off
# no fast-math: the same sums in the same order, NaN kept as NaN
# expanded late: OPT and INCLUDES differ by target, and pkg-config may come only with the set-up
CFLAGS = -std=gnu11 -g $(OPT) -Wall -Wextra $(FP) -D_GNU_SOURCE -I. $(INCLUDES)
LDLIBS := -lz -lm -lpthread
ifdef SAN
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
export ASAN_OPTIONS := detect_leaks=0:abort_on_error=0:exitcode=99
endif
# COV=1 counts which lines and branches run; nvcc's objects are left out
ifdef COV
OPT := -O1
# the warnings of -O1 about lengths of texts are not those of -O2
counts := --coverage -fprofile-abs-path -include tests/coverage.h -Wno-format-truncation -Wno-format-overflow
CFLAGS += $(counts)
LDFLAGS += --coverage
NVCC :=
export COV
endif

programs := $(patsubst cmd/%.c,%,$(wildcard cmd/*.c))
bins := $(programs:%=$B/bin/%)
pict := $(wildcard lib/draw/*.c)
decoders := $(wildcard lib/image/*.c)
annotated := $(wildcard lib/import/*.c lib/find/*.c) $(decoders)
arrays := $(wildcard lib/convert/*.c lib/deploy/*.c)
eigen := $(wildcard lib/pca/*.c)
# ranks under MPI: OpenMPI's header is enough, its library is opened when a program is started as a rank
MPI ?= $(shell pkg-config --cflags ompi-c 2>/dev/null)
ranked := $(if $(MPI),lib/ranks/ranks_mpi.c)
libs := $(filter-out $(pict) $(annotated) $(arrays) $(eigen) lib/ranks/ranks_mpi.c,$(wildcard lib/*/*.c)) $(wildcard kernels/ref/*.c) $(wildcard kernels/cpu/*.c) $(wildcard kernels/*.c)
# ref and what lies above it, built on double: its gradients are compared with differences
dbl := $(wildcard kernels/ref/*.c) $(wildcard kernels/*.c) $(wildcard lib/nn/net*.c)
# static where it can be, so that tests run where they were not built
subunit := $(firstword $(wildcard /usr/lib/*/libsubunit.a) -lsubunit)
checks := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/check_*.c))
objs := $(libs:%.c=$B/obj/%.o)
# the backend for GPUs: by nvcc where it is there; everywhere for the host too, whose fibers stand in for a GPU in tests
NVCC ?= $(firstword $(shell command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null))
CUDA = $(patsubst %/bin/nvcc,%,$(realpath $(NVCC)))
cu := $(wildcard kernels/cuda/*.cu)
gpu_objs := $(if $(SAN),,$(if $(NVCC),$(cu:%.cu=$B/obj/%.o)))
host_all := $(patsubst %.cu,$B/obj/host/%.o,$(cu)) $(patsubst %.cc,$B/obj/host/%.o,$(wildcard kernels/cuda/*.cc))
# gpu.h by host_gpu.cc; or by gpu.cu itself on CUDA's runtime on the host (host_runtime.h)
on_runtime := $(foreach m,gpu gpu_open host_stream host_graph host_memory host_work,$B/obj/host/kernels/cuda/$m.o)
host := $(filter-out $(on_runtime),$(host_all))
runtime := $(filter-out %/host_gpu.o,$(host_all))

.PHONY: all help test bench kernel-table gpu-check gpu-check-build bench-scale test-programs coverage mutants bench-table demo keypoints ensemble best cascade origin fewlabels nets eyes features finder \
	install uninstall check-style format clean
all: $B/built

# The compiler takes all cores, or JOBS of them. Steps of pipelines come one after the other: each of their programs takes all cores itself.
JOBS ?= $(shell nproc)
side_by_side = +@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
# what pipelines wait for: all programs; asked again where a source is newer or a program is gone
sources := $(wildcard cmd/*.c lib/*/*.[ch] kernels/*.[ch] kernels/*/*)
$B/built: $(sources) $B/ready $B/flags $(if $(filter-out $(wildcard $(bins)),$(bins)),FORCE)
	$(side_by_side) $(bins)
	@touch $@
# how a step of the build is said; V=1: as the command that it is
cmd = $(if $(V),,@echo '$(1) $(or $(2),$<)';)

include pipelines/setup.mk pipelines/common.mk
include $(filter-out pipelines/setup.mk pipelines/common.mk,$(wildcard pipelines/*.mk))
$(check_others)

# lines `## group: command | what it does` of all makefiles, by group
help:
	@awk -F ' [|] ' 'BEGIN {split("first data code measure", order, " "); title["first"] = "first steps"; title["code"] = "work on the code"; title["measure"] = "measure"; \
		title["data"] = "your own faces (each takes CSV=training.csv[.gz] [GROUPS=groups.csv] [CLEAN=\"options of csv-clean\"]; kept in out/.../settings.mk, and AGAIN=1 has them replaced)"} \
		/^## [a-z]*: / && !seen[$$0]++ {g = $$1; sub(/^## /, "", g); sub(/:.*/, "", g); sub(/^## [a-z]*: /, ""); text[g] = text[g] sprintf("  %-58s %s\n", $$1, $$2)} \
		END {for (i = 1; i <= 4; i++) printf "%s%s\n%s", (i > 1 ? "\n" : ""), title[order[i]], text[order[i]]}' pipelines/demo.mk pipelines/keypoints.mk $(MAKEFILE_LIST)

$B/obj/%.o: %.c $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,cc)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$B/obj/dbl/%.o: %.c $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,cc)$(CC) $(CFLAGS) -DREAL_DOUBLE -MMD -MP -c $< -o $@

# no strict aliasing: kernels take floats by fours, and gcc 12 with it drops the first read of a large tile (128x64 of rows)
CXXFLAGS = -std=c++17 -fno-strict-aliasing -fno-exceptions -fno-rtti -g $(OPT) -Wall -Wextra $(FP) -D_GNU_SOURCE -I. $(counts) $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
, := ,
$B/obj/host/%.o: %.cu $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,c++)$(CXX) -x c++ $(CXXFLAGS) -MMD -MP -c $< -o $@
$B/obj/host/%.o $B/obj/%.o: %.cc $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,c++)$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@
# kernels watched for races (kernels/cuda/race.h), and with products and sums rounded once, as nvcc has them: build/race/
race := $(patsubst $B/obj/host/%,$B/obj/race/%,$(filter $(cu:%.cu=$B/obj/host/%.o),$(host))) $(filter-out $(cu:%.cu=$B/obj/host/%.o),$(host))
watched = -fsanitize=thread -ffp-contract=fast $(if $(shell grep -sowm1 fma /proc/cpuinfo),-mfma)
$B/obj/race/%.o: %.cu $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,c++)$(CXX) -x c++ $(CXXFLAGS) $(watched) -MMD -MP -c $< -o $@
$B/obj/race/%.o: %.cc $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,c++)$(CXX) $(CXXFLAGS) $(watched) -MMD -MP -c $< -o $@

# Each kind of GPU that is built for, as far as this nvcc knows it (10.0 and 12.0 from CUDA 12.8 on), and whose code later ones of the same
# major number run as it is: 8.6 and 8.9 that of 8.0. Kernels differ before and from 8.0 on only (kernels/cuda/ptx.h), so that they are
# compiled twice, to PTX for 7.5 and for 8.0, and from that for each kind. GPUs after the last translate the PTX when they start.
ARCHS ?= $(filter $(patsubst sm_%,%,$(shell $(NVCC) --list-gpu-code)),75 80 90 100 120)
PTX ?= 80
NVFLAGS = -std=c++17 -O3 -Xfatbin=-compress-all -Xptxas -warn-spills,-warn-lmem-usage -Xcompiler -Wall,-Wextra,-fno-exceptions,-fno-threadsafe-statics -D_GNU_SOURCE -I. \
	$(foreach a,$(ARCHS),-gencode arch=compute_$(if $(filter 75,$a),75,80)$(,)code=sm_$a) $(foreach a,$(PTX),-gencode arch=compute_$a$(,)code=compute_$a)
$(gpu_objs): $B/obj/%.o: %.cu $B/ready $B/gpu-flags
	@mkdir -p $(@D)
	$(call cmd,nvcc)$(NVCC) $(NVFLAGS) --resource-usage -MMD -MP -c $< -o $@ 2>$(@:.o=.usage) || { cat $(@:.o=.usage) >&2; exit 1; }
	@grep -vE '^ptxas info|^ptxas warning : (Local memory used|Registers are spilled)|bytes (spill|gmem)|^$$' $(@:.o=.usage) >&2 || true
	@tests/kernel_local.sh $(@:.o=.usage) || echo "$<: slower than it is meant by this nvcc" >&2
backend_bins := predict cnn-train dae-pretrain rbm-pretrain face-find bench
backend_checks := augment backend conv steps dae rbm train infer
with_backends := $(backend_bins:%=$B/bin/%) $(backend_checks:%=$B/tests/check_%) $B/tests/strangers
$(with_backends): $(gpu_objs)
$(with_backends): EXTRA = $(if $(gpu_objs),-L$(CUDA)/lib64 -L$(CUDA)/lib -lcudart_static -ldl -lrt)

# of the queue and of streams on a GPU itself (make gpu-check)
device_checks := $(patsubst %,$B/device/tests/check_%,queue device)
$B/obj/device/%.o: %.cc $B/ready $B/gpu-flags
	@mkdir -p $(@D)
	$(call cmd,nvcc)$(NVCC) -x cu $(NVFLAGS) -MMD -MP -c $< -o $@
$(device_checks): EXTRA = -L$(CUDA)/lib64 -L$(CUDA)/lib -lcudart_static -ldl -lrt
$B/device/tests/check_%: $B/obj/device/tests/check_%.o $(gpu_objs) $B/libkeypipe.a
	$(link_host) $(EXTRA)

# programs and tests by the backend for GPUs, run on the host: build/host/
host_bins := $(patsubst %,$B/host/bin/%,$(backend_bins))
host_checks := $(patsubst %,$B/host/tests/check_%,$(backend_checks) fiber queue tile)
runtime_checks := $(patsubst %,$B/runtime/tests/check_%,gpu queue infer dae)
# ranks that have a GPU each, and an NCCL of our own (tests/t_ranks_cuda.sh)
runtime_ranks := $(if $(MPI),$(patsubst %,$B/runtime/bin/%,cnn-train dae-pretrain rbm-pretrain) $B/runtime/tests/check_ranks $B/runtime/libnccl.so)
race_tests := $(if $(SAN)$(COV),,$(patsubst %,$B/race/tests/check_%,race backend conv) $B/race/bin/cnn-train $B/race/bin/rbm-pretrain)
link_host = $(call cmd,link,$@)mkdir -p $(@D); $(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(if $(findstring /tests/,$@),-lcheck $(subunit)) $(LDLIBS) $(EXTRA) -o $@
$B/host/bin/bench: $B/obj/tests/bench.o $(host) $B/libkeypipe.a
	$(link_host)
$B/host/bin/%: $B/obj/cmd/%.o $(host) $B/libkeypipe.a
	$(link_host)
$B/host/tests/check_%: $B/obj/tests/check_%.o $(host) $B/libkeypipe.a
	$(link_host)
$B/runtime/tests/check_%: $B/obj/tests/check_%.o $(runtime) $B/libkeypipe.a
	$(link_host)
$B/runtime/bin/%: $B/obj/cmd/%.o $(runtime) $(ranked:%.c=$B/obj/%.o) $B/libkeypipe.a
	$(link_host)
$B/runtime/tests/check_ranks: $(ranked:%.c=$B/obj/%.o)
$(runtime_ranks): LDFLAGS += -rdynamic
$B/runtime/libnccl.so: tests/nccl_fake.c
	@mkdir -p $(@D)
	$(call cmd,cc)$(CC) $(CFLAGS) $(LDFLAGS) -fPIC -shared $< -o $@

$B/race/bin/%: $B/obj/cmd/%.o $(race) $B/libkeypipe.a
	$(link_host)
$B/race/tests/check_race: $B/obj/race/tests/check_race.o $(race) $B/libkeypipe.a
	$(link_host)
$B/race/tests/check_%: $B/obj/tests/check_%.o $(race) $B/libkeypipe.a
	$(link_host)

# where frames of films spend their time
$B/obj/lib/image/crop.o $B/obj/lib/draw/pict_video.o $B/obj/lib/predict/denoise.o: OPT := $(if $(COV),-O1,-O3)
$B/obj/kernels/%.o $B/obj/lib/pca/%.o: OPT := $(if $(COV),-O1,-O3)
# the innermost loops, for each kind of processor: a product and a sum may be rounded once, a comparison need not raise a flag
$B/obj/kernels/cpu/simd_%.o: FP = -ffp-contract=fast -fno-math-errno -fno-trapping-math $(ISA)
ifeq ($(shell uname -m),x86_64)
$B/obj/kernels/cpu/simd_avx512.o: ISA := -mprefer-vector-width=512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma
$B/obj/kernels/cpu/simd_avx512_bf16.o: ISA := -mprefer-vector-width=512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512bf16 -mfma
$B/obj/kernels/cpu/simd_amx.o: ISA := -mprefer-vector-width=512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mxsave -mamx-tile -mamx-bf16
$B/obj/kernels/cpu/simd_avx2.o: ISA := -mavx2 -mfma
endif
$(pict:%.c=$B/obj/%.o) $B/obj/tests/check_pict.o $B/obj/tests/strangers.o: INCLUDES = $(shell pkg-config --cflags cairo)

ifdef SHARED
# for tests/mutants: what all share is linked once, not into each program
CFLAGS += -fPIC -fno-semantic-interposition
LDFLAGS += -Wl,-rpath,$(abspath $B)
$B/libkeypipe.so: $(objs)
	$(call cmd,link,$@)$(CC) -shared $^ -o $@
$B/libkeypipe.a: | $B/libkeypipe.so
	@echo 'INPUT($(abspath $B)/libkeypipe.so)' >$@
$(bins) $(checks) $(host_bins) $(host_checks) $(runtime_checks) $B/bin/bench: | $B/libkeypipe.so
else
# a file that is no more takes its object out of the library, too
$B/objects: $(if $(call differ,$(call text,$B/objects),$(strip $(objs))),FORCE)
	@mkdir -p $(@D); printf '%s\n' '$(strip $(objs))' >$@
$B/libkeypipe.a: $B/objects $(objs)
	$(call cmd,ar,$@)rm -f $@; ar rcs $@ $(objs)
endif

# compilers and flags: where they change, all is compiled again; AS_BUILT=1, which tests set: not by the makes that they start
flags := $(strip $(CC) $(CFLAGS); $(CXX) $(CXXFLAGS))
given = $(if $(filter command environment,$(origin $1)),$1=$($1))
gpu_flags := $(strip $(NVCC) $(call given,ARCHS) $(call given,PTX))
$B/flags: $(if $(call differ,$(call text,$B/flags),$(flags)),$(if $(AS_BUILT),,FORCE))
	@mkdir -p $(@D); printf '%s\n' $(call quote,$(flags)) >$@
$B/gpu-flags: $(if $(call differ,$(call text,$B/gpu-flags),$(gpu_flags)),$(if $(AS_BUILT),,FORCE))
	@mkdir -p $(@D); printf '%s\n' $(call quote,$(gpu_flags)) >$@

$B/bin/%: $B/obj/cmd/%.o $B/libkeypipe.a
	@mkdir -p $(@D)
	$(call cmd,link,$@)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) $(EXTRA) -o $@
$B/bin/render $B/tests/check_pict: $(patsubst %.c,$B/obj/%.o,$(pict) $(decoders))
$B/bin/render $B/tests/check_pict: EXTRA = -lcairo -ljpeg -lpng
annotated_bins := $(patsubst %,$B/bin/%,tns-import face-find window-extract) $B/host/bin/face-find $(patsubst %,$B/tests/check_%,image crop coco imglab text_forms find)
$(annotated_bins): $(annotated:%.c=$B/obj/%.o)
$(annotated_bins): EXTRA += -ljpeg -lpng -lexpat -lyajl
$B/bin/image-augment: $(decoders:%.c=$B/obj/%.o)
$B/bin/image-augment: EXTRA = -ljpeg -lpng
$B/bin/tns-convert $B/bin/model-export: $(arrays:%.c=$B/obj/%.o)
$B/bin/tns-convert $B/bin/model-export: EXTRA = -lyajl
$B/bin/pca-fit $B/tests/check_pca: $(eigen:%.c=$B/obj/%.o)
$B/bin/pca-fit $B/tests/check_pca: EXTRA = -lopenblas

ranked_bins := $(patsubst %,$B/bin/%,cnn-train dae-pretrain rbm-pretrain) $B/tests/check_ranks
$B/obj/lib/ranks/ranks_mpi.o: INCLUDES = $(MPI)
$(ranked_bins): $(ranked:%.c=$B/obj/%.o)

$B/bin/bench: $B/obj/tests/bench.o $B/libkeypipe.a
	@mkdir -p $(@D)
	$(call cmd,link,$@)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) $(EXTRA) -o $@

$B/tests/gemm_bench: EXTRA = -lopenblas
$B/tests/gemm_bench: $B/obj/tests/gemm_bench.o $B/libkeypipe.a
	@mkdir -p $(@D)
	$(call cmd,link,$@)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) $(EXTRA) -o $@

# the programs that strangers' files are given to, within one process
strangers := predict render tns-info model-export
$B/obj/strangers/%.o: cmd/%.c $B/ready $B/flags
	@mkdir -p $(@D)
	$(call cmd,cc)$(CC) $(CFLAGS) -Dmain=main_$(subst model-,,$(subst tns-,,$*)) -MMD -MP -c $< -o $@
$B/tests/strangers: $B/obj/tests/strangers.o $(strangers:%=$B/obj/strangers/%.o) $(gpu_objs) $(patsubst %.c,$B/obj/%.o,$(pict) $(decoders) $(arrays)) $B/libkeypipe.a
	@mkdir -p $(@D)
	$(call cmd,link,$@)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -lcairo -ljpeg -lpng -lyajl $(LDLIBS) $(EXTRA) -Wl,--wrap=cairo_surface_write_to_png_stream -o $@

$B/tests/check_%: $B/obj/tests/check_%.o $B/libkeypipe.a
	@mkdir -p $(@D)
	$(call cmd,link,$@)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -lcheck $(subunit) $(LDLIBS) $(EXTRA) -o $@
$(patsubst %.c,$B/obj/%.o,$(wildcard tests/*.c)) $(host_all) $(race): | $B/test-ready
$B/tests/check_grad: $(dbl:%.c=$B/obj/dbl/%.o)
$B/obj/tests/check_grad.o: CFLAGS += -DREAL_DOUBLE

-include $(wildcard $B/obj/*/*.d $B/obj/*/*/*.d $B/obj/*/*/*/*.d)

## first: make test [SAN=1] | build and run all tests; SAN=1: with address and undefined-behaviour sanitizers
tests := $B/bin/bench $B/tests/gemm_bench $B/tests/strangers $(checks) $(host_bins) $(host_checks) $(runtime_checks) $(runtime_ranks) $(race_tests)
test: test-programs
	@B=$B SAN=$(SAN) tests/run $(run)
# on small shapes, under the race detector, rounded as a GPU does
watched_run = BACKEND=cuda,INSTANCES=1,KEYPIPE_GPU_SUMS=truncated,PRECISION=$(firstword $(subst :, ,$t)),$(if $(findstring conv,$t),KEYPIPE_GPU_SMS=3$(,))$B/race/tests/check_$(lastword $(subst :, ,$t))
run := $(checks) $(host_checks:%=BACKEND=cuda,%) $(runtime_checks:%=BACKEND=cuda,%) KEYPIPE_GPU_AT_ONCE=2,BACKEND=cuda,$B/runtime/tests/check_infer \
	$(foreach t,backend conv,BACKEND=cuda,PRECISION=tf32,KEYPIPE_GPU_SMS=3,$B/host/tests/check_$t) \
	$(foreach p,fp32:3 bf16:3 tf32:132,$(foreach t,backend conv,BACKEND=cuda,INSTANCES=1,PRECISION=$(subst :,$(,)KEYPIPE_GPU_SMS=,$p),$B/host/tests/check_$t)) \
	$(if $(race_tests),$B/race/tests/check_race $(foreach t,fp32:conv tf32:backend bf16:conv,$(watched_run))) \
	$(foreach t,backend conv,PRECISION=bf16,$B/tests/check_$t PRECISION=bf16,FACTORS=rounded,$B/tests/check_$t) $(wildcard tests/t_*.sh)
test-programs: $B/built $B/test-ready
	$(side_by_side) $(tests)

## code: make coverage | lines and branches that tests run, by room; names files that lack some
coverage:
	@$(MAKE) --no-print-directory COV=1 build-cov/coverage/reach
	@tests/coverage build-cov
build-cov/coverage/reach: $(sources) $(wildcard tests/*) Makefile
	@$(MAKE) --no-print-directory test-programs
	@tests/coverage $B $(run) >/dev/null
## code: make mutants [MUTANTS=300 SEED=1 ROOM=lib/nn EACH=60 V=1] | plants single faults and prints those that no test sees: hours
mutants:
	@$(MAKE) --no-print-directory COV=1 build-cov/coverage/reach
	@MUTANTS=$(MUTANTS) SEED=$(SEED) ROOM=$(ROOM) EACH=$(EACH) V=$(V) JOBS=$(JOBS) tests/mutants build-cov/coverage

formatted := $(wildcard cmd/*.c lib/*/*.[ch] kernels/*.[ch] kernels/*/*.[ch] tests/*.[ch])
strict := $(filter-out lib/synth/% $(if $(MPI),,lib/ranks/ranks_mpi.c),$(wildcard lib/*/*.c)) $(wildcard cmd/*.c)
## code: make check-style | the formatter finds nothing to do; -Wconversion is silent in lib, but synth, and cmd
check-style: $B/style-ready
	@clang-format --dry-run -Werror $(formatted)
	@$(CC) -std=gnu11 -O1 -Wall -Wextra -Wconversion -Werror -D_GNU_SOURCE -I. $$(pkg-config --cflags cairo) $(MPI) -fsyntax-only $(strict)
	@echo "check-style: $(words $(formatted)) files formatted, $(words $(strict)) without a conversion"
## code: make format | apply the formatter
format: $B/style-ready
	clang-format -i $(formatted)

## code: make clean | remove what was built (out/ stays)
clean:
	rm -rf build build-san build-cov build-gpu build-gpu.log
# what pattern rules make on the way stays; not .SECONDARY, which has models trained again where only their scores are gone
.PRECIOUS: $B/obj/%.o $B/obj/dbl/%.o $(EYES)/faces-few-%.tns $(EYES)/patches-%.tns $(EYES)/runs/%.score $(FEWLABELS)/runs/%.score
