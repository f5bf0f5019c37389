/* Gives up what a program does not need for its work on foreign files, so that a fault in how they are read harms nothing else: from then
 * on, whatever its threads run, they start no program or process, reach no network, open no file for writing but the output's temporary
 * file, which is open by then, rename, remove and change no others, signal no other process and push nothing into a terminal. Reading
 * stays. By seccomp (x86-64 and aarch64), and, for what goes by the path, by Landlock; where the kernel or the processor has one of them
 * not, the rest works as without. Before any thread is started. */
#ifndef CONFINE_H
#define CONFINE_H

/* output: the path that out_open will get, opened here (out_hold); NULL or "-": stdout. Of a file, names in and below its folder can still
 * be renamed and removed, with Landlock; without, those of all folders, as its temporary file must be. */
void confine(const char *output);
/* The same for a program that makes folders and writes several files, which it may go on to do anywhere. */
void confine_but_files(void);

#endif
