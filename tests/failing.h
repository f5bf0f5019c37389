/* What failing.c, in a program, tells sweep.c, which runs it. */
#ifndef FAILING_H
#define FAILING_H

static const char *const calls[] = {"open", "read", "write", "lseek", "mmap", "fsync", "ftruncate", "fchmod", "flock", "close", "rename",
	"unlink", "stat", "fstat", "fopen", "fread", "fwrite", "alloc", "library", "thread"};
enum { CALLS = sizeof calls / sizeof *calls };

struct failed {
	long count[CALLS]; /* how many of each there were */
	long shortened;	   /* reads and writes */
	long renames;	   /* that have succeeded */
	long after;	   /* renames before the call that failed */
	int reached;	   /* it came to that call */
	char name[4096];   /* of the file that it was on, as the program named it or whole; or how much memory */
};

#endif
