# Sourced after sh.sh by tests that start ranks, in $TMP from here on: ranks N COMMAND... starts it N times. Ends the test where OpenMPI is missing.
if ! command -v mpirun >/dev/null || ! pkg-config --exists ompi-c 2>/dev/null; then
	skip "there is no OpenMPI (Debian: libopenmpi-dev, openmpi-bin)"
	done_tests
	exit
fi
cd "$TMP" || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_rmaps_base_oversubscribe=1 PMIX_MCA_ptl_tcp_if_include=lo TMPDIR=$TMP
ranks() { mpirun -q --bind-to none -np "$@"; }
if ! ranks 2 true >/dev/null 2>&1; then
	skip "mpirun starts no processes here: $(mpirun --bind-to none -np 2 true 2>&1 | grep -v '^-*$' | head -1)"
	done_tests
	exit
fi
# prints FILE WANT WHAT
prints() { is "$(print_of "$1")" "$2" "$3"; }
