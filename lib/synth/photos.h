/* Photographs as files with their annotations, and a film as a stream, drawn by several threads and written in order: the same bytes for
 * any number of threads, in memory that doesn't grow with what is drawn (but for COCO's list of names). */
#ifndef PHOTOS_H
#define PHOTOS_H

#include "lib/base/out.h"
#include "lib/synth/photo.h"

#define PHOTOS_MAX 1000000

/* Writes n photographs FOLDER/000001.pgm, ... and, last, FOLDER/labels.SUFFIX in that form (photo_labels.h). The folder is made where there
 * is none; files of these names in it are replaced. threads: 1 to EACH_THREAD_MAX. */
void photos_write(const struct photo_style *s, uint64_t seed, uint32_t n, int threads, const char *folder, const char *form);
/* Writes n frames to film, PGM one after another, and, where truth is not NULL, to it their boxes and points: the form table, in which
 * files are called "frame 1", ... */
void photos_film(const struct photo_style *s, uint64_t seed, uint32_t n, int threads, struct out *film, struct out *truth);

#endif
