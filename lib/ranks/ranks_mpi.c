/* OpenMPI, opened when it is asked for: the only file that knows mpi.h. Its objects (MPI_COMM_WORLD, MPI_BYTE) are the library's variables,
 * found by name as its functions are. */
#include <dlfcn.h>
#include <mpi.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/ranks/ranks_link.h"

#ifndef OPEN_MPI
#error this file is written for OpenMPI
#endif

static struct {
	int (*init)(int *, char ***);
	int (*finalize)(void);
	int (*rank)(MPI_Comm, int *);
	int (*size)(MPI_Comm, int *);
	int (*isend)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
	int (*irecv)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
	int (*iallreduce)(const void *, void *, int, MPI_Datatype, MPI_Op, MPI_Comm, MPI_Request *);
	int (*test)(MPI_Request *, int *, MPI_Status *);
	MPI_Comm world;
	MPI_Datatype byte, real;
	MPI_Op sum;
} mpi;

static void *isend(int to, int tag, const void *bytes, size_t n)
{
	MPI_Request q;
	mpi.isend(bytes, (int)n, mpi.byte, to, tag, mpi.world, &q);
	return q;
}

static void *ireceive(int from, int tag, void *bytes, size_t n)
{
	MPI_Request q;
	mpi.irecv(bytes, (int)n, mpi.byte, from, tag, mpi.world, &q);
	return q;
}

static void *isum(float *v, size_t n)
{
	MPI_Request q;
	mpi.iallreduce(MPI_IN_PLACE, v, (int)n, mpi.real, mpi.sum, mpi.world, &q);
	return q;
}

static int is_done(void *request)
{
	MPI_Request q = request;
	int yes = 0;
	mpi.test(&q, &yes, MPI_STATUS_IGNORE);
	return yes;
}

static void close_it(void)
{
	mpi.finalize();
}

static void *named(void *library, const char *name)
{
	void *p = dlsym(library, name);
	if (!p)
		die("MPI: its library has no %s", name);
	return p;
}

const struct ranks_link *ranks_mpi_open(void)
{
	static struct ranks_link link = {.send = isend, .receive = ireceive, .done = is_done, .sum = isum, .close = close_it};
	void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
	if (!library)
		die("MPI: %s (Debian: libopenmpi3)", dlerror());
	*(void **)&mpi.init = named(library, "MPI_Init"), *(void **)&mpi.finalize = named(library, "MPI_Finalize");
	*(void **)&mpi.rank = named(library, "MPI_Comm_rank"), *(void **)&mpi.size = named(library, "MPI_Comm_size");
	*(void **)&mpi.isend = named(library, "MPI_Isend"), *(void **)&mpi.irecv = named(library, "MPI_Irecv");
	*(void **)&mpi.test = named(library, "MPI_Test"), *(void **)&mpi.iallreduce = named(library, "MPI_Iallreduce");
	mpi.world = named(library, "ompi_mpi_comm_world"), mpi.byte = named(library, "ompi_mpi_byte");
	mpi.real = named(library, "ompi_mpi_float"), mpi.sum = named(library, "ompi_mpi_op_sum");
	setenv("OMPI_MCA_opal_signal", "", 0); /* a crash is one: what would print the stack first may wait for ever */
	if (mpi.init(NULL, NULL))
		die("MPI: it can't be begun");
	mpi.rank(mpi.world, &link.rank), mpi.size(mpi.world, &link.size);
	return &link;
}
