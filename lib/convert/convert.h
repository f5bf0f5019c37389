/* Tensor streams, npy, npz and safetensors into each other: the same values, bit by bit. What is read is told by its first bytes.
 *
 * METAs go to safetensors' `__metadata__`, into array `__meta__` (u8, a JSON object of texts) of an npz, and are lost in an npy, which
 * holds one array and nothing else. What came out of a whole stream and was not changed since gives the same stream again, history and last
 * byte included, but for unusual orders of its records; anything else gets a line more in its history, with the file's crc32. Arrays that
 * share their first dimension, and are no model, become a data set.
 *
 * A stream's row has 1 byte to 16 MiB, its shape at most 8 dimensions: an array that does not fit becomes a flat tensor, and META
 * `shape.NAME`, "3,0,7", has its shape, which it gets again on the way back. Files are mapped, pipes are read into memory. */
#ifndef CONVERT_H
#define CONVERT_H

#define CONVERT_FORMS "npy|npz|safetensors|tns"

enum convert_form { CONVERT_NPY, CONVERT_NPZ, CONVERT_SAFETENSORS, CONVERT_TNS };

int convert_form(const char *word);   /* of a word of CONVERT_FORMS, in either case, or -1 */
int convert_suffix(const char *path); /* by what stands behind its last dot, in either case, or -1 */

struct convert;

/* path NULL or "-": stdin. npy: the name of an npy's array, which it has not. Whatever is wrong with the file ends the program. */
struct convert *convert_open(const char *path, const char *npy);
enum convert_form convert_what(const struct convert *c);
/* The stream, if it is one; else NULL. */
const struct tns_table *convert_stream(const struct convert *c);
/* Only this array; ends the program where there is none. */
void convert_only(struct convert *c, const char *name);
/* Only arrays for whose name keep is not 0. */
void convert_keep(struct convert *c, int (*keep)(const char *name));
/* Writes the form to path; NULL or "-": stdout. Ends the program where the form can't hold what there is. */
void convert_write(struct convert *c, enum convert_form form, const char *path);
void convert_free(struct convert *c);

#endif
