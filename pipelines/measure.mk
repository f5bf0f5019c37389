# Speed, GPUs, and what the compiler says of the CUDA kernels.
## measure: make bench | training steps and forward passes a second of the nets people train (build/bin/bench --help)
bench: $B/built
	$(side_by_side) $B/bin/bench
	@$B/bin/bench

## measure: make gemm-table [GEMM_SECONDS=0.3 GEMM_THREADS="1 2"] | the cpu backend's products beside OpenBLAS' sgemm, shape by shape, into kernels/README.md
.PHONY: gemm-table
GEMM_SECONDS ?= 0.3
GEMM_THREADS ?= 1 2
gemm-table: $B/tests/gemm_bench
	@{ $< $(GEMM_SECONDS) $(GEMM_THREADS) && echo && echo "$$($(machine)); \`make gemm-table\`" ; } | tee /dev/stderr | tests/into.sh kernels/README.md gemm

## measure: make ranks-table | fingerprints of trainings by one process and by 1 to 8 ranks; ranks-speed: two ranks beside two threads; ranks-net: over a slow line (as root)
.PHONY: ranks-table ranks-speed ranks-net
ranks-table ranks-speed ranks-net: $B/built
	@tests/$(subst -,_,$@).sh $B/bin && $(machine)

## measure: make pca-peer DATA="A.tns ..." PYTHON=P [PCA_K=50] | pca-fit beside scikit-learn on patches or images
.PHONY: pca-peer
PCA_K ?= 50
pca-peer: $B/bin/pca-fit
	@[ -n "$(DATA)" ] && [ -n "$(PYTHON)" ] || { echo 'pca-peer: DATA="A.tns ..." PYTHON=a python that has scikit-learn'; exit 1; }
	@for d in $(DATA); do PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/pca_peer.py $< $$d $(PCA_K); done && $(machine)

## measure: make rbm-peer TRAIN=A.tns VALID=B.tns PYTHON=P [RBM_UNITS=500 RBM_EPOCHS=20 RBM_SEEDS=3 RBM_MORE='--precision bf16'] | rbm-pretrain beside scikit-learn on patches
.PHONY: rbm-peer
RBM_UNITS ?= 500
RBM_EPOCHS ?= 20
RBM_SEEDS ?= 3
rbm-peer: $B/bin/rbm-pretrain
	@[ -n "$(TRAIN)" ] && [ -n "$(VALID)" ] && [ -n "$(PYTHON)" ] || { echo 'rbm-peer: TRAIN=A.tns VALID=B.tns PYTHON=a python that has scikit-learn'; exit 1; }
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/rbm_peer.py $< $(TRAIN) $(VALID) $(RBM_UNITS) $(RBM_EPOCHS) $(RBM_SEEDS) $(RBM_MORE) && $(machine)

## measure: make kernel-table | registers, shared memory and spills of the CUDA kernels, into kernels/cuda/README.md
# what these run, by name: the Makefile's lists of programs come after this file, and would be empty here
kernel-table: $(gpu_objs) $(addprefix $B/host/tests/check_,backend conv)
	tests/kernel_table.sh $B kernels/cuda/README.md

## measure: make kernel-sass [CUOBJDUMP=FILE] | machine instructions of the CUDA kernels: matrix operations, doubles, local and shared memory, into kernels/cuda/README.md
.PHONY: kernel-sass
kernel-sass: $(gpu_objs)
	CUOBJDUMP='$(CUOBJDUMP)' tests/kernel_sass.sh $B kernels/cuda/README.md

## measure: make gpu-model | occupancy, waves and modelled time of the CUDA kernels' launches by net and GPU, into kernels/cuda/README.md
.PHONY: gpu-model
gpu-model: $B/built $(gpu_objs) $(addprefix $B/host/bin/,bench cnn-train)
	tests/gpu_model.sh $B kernels/cuda/README.md

## measure: make gpu-mutants | leaves out each barrier, warp operation and order of launches of the CUDA kernels, and says which checks see it, into kernels/cuda/README.md
.PHONY: gpu-mutants
gpu-mutants: $B/built $(addprefix $B/race/,bin/cnn-train bin/rbm-pretrain tests/check_backend tests/check_conv)
	tests/gpu_mutants.sh $B kernels/cuda/README.md

## measure: make small-sets [ROWS="10 30 60 100 300"] | faults that csv-clean finds in small sets of synthetic faces
.PHONY: small-sets
ROWS ?= 10 30 60 100 300
small-sets: $B/built
	@tests/small_sets.sh $B/bin $(ROWS) && $(machine)

## measure: make film-speed [FRAMES=1000 RUNS=5 CPU=0 ZOOM=1] | frames a second on one core, raw video to points to video, and what each program takes
.PHONY: film-speed
film-speed: FRAMES ?= 1000
film-speed: RUNS ?= 5
film-speed: $B/built
	@CPU='$(or $(CPU),0)' ZOOM='$(ZOOM)' tests/film_speed.sh $B/bin $(FRAMES) $(RUNS) && $(machine)

## measure: make gpu-check | on a machine with a GPU: build for it, compare with the reference, train, time [PEERS=DIR PYTHON=P: beside PyTorch]
gpu-check:
	@[ -n "$(NVCC)" ] || { echo "gpu-check: there is no nvcc"; exit 1; }
	@arch=$$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | grep -x '[0-9.]*' | tr -d . | sort -u | xargs || true); \
	[ -n "$$arch" ] || { echo "gpu-check: there is no GPU (nvidia-smi names none)"; exit 1; }; \
	arch=$$(for a in $$arch; do $(NVCC) --list-gpu-code | sed 's/sm_//' | awk -v a=$$a 'int($$1 / 10) == int(a / 10) && $$1 <= a && $$1 > best {best = $$1} END {print best ? best : a}'; done | sort -u | xargs); \
	mkdir -p build-gpu; touch build-gpu/ready build-gpu/test-ready; \
	$(MAKE) --no-print-directory -k -j$$(nproc) B=build-gpu ARCHS="$$arch" PTX= gpu-check-build >build-gpu.log 2>&1 || { tail -5 build-gpu.log; true; }; \
	PEERS='$(PEERS)' PYTHON='$(PYTHON)' tests/gpu_check.sh build-gpu build-gpu/bin
# what tests/gpu_check.sh runs, and no more, as a machine with a GPU may lack libraries
gpu-check-build: $(addprefix $B/bin/,bench cnn-train csv-clean dae-pretrain face-synth patch-extract predict tns-split) \
	$(addprefix $B/tests/check_,augment backend conv dae infer rbm steps train) $(addprefix $B/device/tests/check_,device queue)

## measure: make bench-scale | how the speed grows with threads, batch and image size
bench-scale: $B/bin/bench
	tests/scale.sh $<

## measure: make bench-table PEERS=DIR PYTHON=P | other frameworks' benches beside ours, into pipelines/README.md (DIR holds `compare`)
bench-table: $B/bin/bench
	PEERS='$(PEERS)' PYTHON='$(PYTHON)' tests/bench_table.sh $< pipelines/README.md
