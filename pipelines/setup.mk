# What a machine needs: setup.sh has the list. The stamps make it a question asked once a build folder; only demo, test and setup install.
## first: make setup | install what is missing (Debian, as root or with sudo); make demo and make test do it by themselves
setup = CC='$(CC)' CXX='$(CXX)' B=$B pipelines/setup.sh
by_themselves := $(filter demo test test-programs,$(MAKECMDGOALS))

.PHONY: setup
setup:
	@$(setup) install build pictures test && echo "set-up: nothing is missing"

$B/ready:
	@mkdir -p $B
	@$(setup) $(if $(by_themselves),install build pictures,say build)
	@$(setup) say pictures || true
	@[ -n "$(NVCC)" ] || echo "set-up: there is no nvcc: building the backends ref and cpu, not cuda"
	@[ -n "$(MPI)" ] || echo "set-up: there is no OpenMPI (Debian: libopenmpi-dev): trainings run in one process, not under mpirun or srun"
	@touch $@
$B/test-ready:
	@mkdir -p $B
	@$(setup) $(if $(by_themselves),install,say) test
	@touch $@
# for make check-style and make format
$B/style-ready:
	@mkdir -p $B
	@$(setup) install build style
	@touch $@
