#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"

static const char *const words[] = {
	"good", "columns", "pixels", "range", "number", "empty", "cut", "header", "twice", "extra", "long", "negative", "blank", "half"};

enum facecsv_fault facecsv_fault(const char *word)
{
	int k = FACECSV_FAULT_END - 1;
	while (k > FACECSV_GOOD && strcmp(words[k], word))
		k--;
	return (enum facecsv_fault)k;
}

const char *facecsv_word(enum facecsv_fault fault)
{
	return words[fault];
}

size_t facecsv_size(int n, size_t pixels)
{
	return 4 * pixels + (size_t)n * 2 * 90 + 256; /* the longest text of a coordinate is a line of the lookup table */
}

/* Digits of v, at least least of them. */
static char *digits(char *to, uint64_t v, int least)
{
	char reversed[24];
	int n = 0;
	while (v || n < least)
		reversed[n++] = (char)('0' + v % 10), v /= 10;
	while (n)
		*to++ = reversed[--n];
	return to;
}

static char *coordinate(char *to, float v)
{
	if (isnan(v))
		return to;
	int64_t s = llround((double)v * 1e7);
	if (s < 0)
		*to++ = '-', s = -s;
	to = digits(to, (uint64_t)s / 10000000, 1);
	if (s % 10000000 == 0)
		return to;
	*to++ = '.';
	to = digits(to, (uint64_t)s % 10000000, 7);
	while (to[-1] == '0')
		to--;
	return to;
}

static char *pixels_text(char *to, size_t n, const uint8_t *image)
{
	char table[256][4];
	uint8_t len[256];
	for (int v = 0; v < 256; v++) {
		char *end = digits(table[v], (uint64_t)v, 1);
		*end++ = ' ';
		len[v] = (uint8_t)(end - table[v]);
		if (len[v] < 4)
			memset(end, ' ', 4u - len[v]);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(to, table[image[i]], 4); /* always four bytes: no branch */
		to += len[image[i]];
	}
	return n ? to - 1 : to;
}

size_t facecsv_header(char *to, int n, enum facecsv_fault fault)
{
	char *p = to, buf[32];
	if (fault == FACECSV_EMPTY)
		return 0;
	for (int k = 0; k < n; k++) {
		const char *name = face_name(k, buf);
		p += sprintf(p, "%s_x,%s_%c,", name, name, fault == FACECSV_TWICE && k == 0 ? 'x' : 'y');
	}
	if (fault == FACECSV_HEADER)
		p[-1] = '\n';
	else
		p += sprintf(p, "Image\n");
	return (size_t)(p - to);
}

size_t facecsv_row(char *to, int n, const float *points, size_t pixels, const uint8_t *image, enum facecsv_fault fault)
{
	char *p = to;
	if (fault == FACECSV_EMPTY)
		return 0;
	for (int k = fault == FACECSV_COLUMNS; k < 2 * n; k++) {
		if (fault == FACECSV_NUMBER && k == 1)
			p += sprintf(p, "12.5px");
		else if (fault == FACECSV_HALF && k == 0)
			p += sprintf(p, "12.5"); /* even where it has no label */
		else if (fault != FACECSV_HALF || k != 1)
			p = coordinate(p, points[k]);
		*p++ = ',';
	}
	if (fault == FACECSV_HEADER) {
		p[-1] = '\n';
		return (size_t)(p - to);
	}
	int replaced = fault == FACECSV_RANGE || fault == FACECSV_NEGATIVE;
	size_t count = fault == FACECSV_CUT ? pixels / 2 : fault == FACECSV_BLANK ? 0 : pixels - (fault == FACECSV_PIXELS || replaced);
	if (fault == FACECSV_EXTRA)
		*p++ = ',';
	p = pixels_text(p, count, image);
	if (fault == FACECSV_RANGE)
		p += sprintf(p, " 256");
	if (fault == FACECSV_NEGATIVE)
		p += sprintf(p, " -1");
	if (fault == FACECSV_LONG)
		p += sprintf(p, " 0");
	if (fault != FACECSV_CUT)
		*p++ = '\n';
	return (size_t)(p - to);
}

size_t facecsv_test(char *to, uint32_t id, size_t pixels, const uint8_t *image)
{
	char *p = digits(to, id, 1);
	*p++ = ',';
	p = pixels_text(p, pixels, image);
	*p++ = '\n';
	return (size_t)(p - to);
}

size_t facecsv_lookup(char *to, uint64_t *line, uint32_t id, int n, const uint8_t *keep)
{
	char *p = to, buf[32];
	for (int k = 0; k < 2 * n; k++)
		if (keep[k / 2])
			p += sprintf(p, "%llu,%lu,%s_%c,\n", (unsigned long long)++*line, (unsigned long)id, face_name(k / 2, buf),
				k % 2 ? 'y' : 'x');
	return (size_t)(p - to);
}
