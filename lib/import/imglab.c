/* Two passes of expat: the first gathers the parts' names, the second stops at the end of each box, and of an image that has none. */
#include "lib/import/imglab.h"

#include <expat.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffers.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/import/part_names.h"
#include "lib/import/text.h"
#include "lib/import/text_file.h"

enum { PIECE = BUFFER_KIB(64), DEPTH = 128, NAME = 256, TAG_MAX = BUFFER_KIB(1024) };

struct imglab {
	const char *path;
	struct text_file *text;
	XML_Parser xml;
	uint64_t fed;
	int pass, depth, latin1; /* latin1: the file says that it is ISO-8859-1 */
	char fault[512];	 /* of the file */
	struct part_names names;
	size_t longest;
	int unlabelled;
	/* position */
	int in_image, in_box, done; /* done: 1 a box, 2 an image without boxes is to be handed out */
	unsigned long long image, box;
	char *file; /* the image's name */
	int W, H;
	char image_fault[256];
	/* the box */
	int ignored, nparts, last_part;
	double rect[4], *points; /* (K, 2) */
	char box_fault[256];
	int in_label;
	char label[64]; /* the box's, cut */
	size_t label_n;
};

/* ---- faults ---- */

static void file_fault(struct imglab *m, const char *fmt, ...) PRINTF(2, 3);
static void file_fault(struct imglab *m, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!*m->fault)
		vsnprintf(m->fault, sizeof m->fault, fmt, ap);
	va_end(ap);
	XML_StopParser(m->xml, XML_FALSE);
}

/* Keeps the first. */
static void fault(char to[256], const char *fmt, ...) PRINTF(2, 3);
static void fault(char to[256], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!*to)
		vsnprintf(to, 256, fmt, ap);
	va_end(ap);
}

/* ---- values ---- */

static const char *attribute(const char **attr, const char *name)
{
	for (; *attr; attr += 2)
		if (!strcmp(*attr, name))
			return attr[1];
	return NULL;
}

static int number(const char **attr, const char *of, const char *name, double *to, char why[256])
{
	const char *s = attribute(attr, name);
	if (!s)
		fault(why, "%s has no %s", of, name);
	else if (!num_real(s, to))
		fault(why, "%s: %s is '%.60s', not a number", of, name, s);
	else
		return 1;
	return 0;
}

/* dlib writes names byte by byte and says ISO-8859-1 of any: what was UTF-8 is so again. s is changed. */
static void undo_latin1(char *s)
{
	unsigned char *bytes = (unsigned char *)xstrdup(s), *to = bytes;
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p < 0x80) {
			*to++ = *p;
		} else if (*p < 0xc4) { /* U+0080 to U+00FF */
			*to++ = (unsigned char)(*p << 6 | (p[1] & 0x3f));
			p++;
		} else {
			free(bytes);
			return;
		}
	}
	*to = 0;
	if (utf8_valid(bytes, (size_t)(to - bytes)))
		strcpy(s, (char *)bytes);
	free(bytes);
}

/* ---- elements ---- */

static void begin_image(struct imglab *m, const char **attr)
{
	const char *file = attribute(attr, "file"), *W = attribute(attr, "width"), *H = attribute(attr, "height");
	uint64_t w, h;
	if (m->in_image) {
		file_fault(m, "an image within image %llu", m->image);
		return;
	}
	m->in_image = 1;
	m->image++;
	m->box = 0;
	*m->image_fault = 0;
	free(m->file);
	m->file = xstrdup(file ? file : "");
	if (m->latin1)
		undo_latin1(m->file);
	text_slashes(m->file);
	if (!*m->file)
		fault(m->image_fault, "the image has no file");
	m->W = m->H = 0;
	if (W && H && num_uint(W, &w) && num_uint(H, &h) && w - 1 < INT_MAX && h - 1 < INT_MAX)
		m->W = (int)w, m->H = (int)h;
	m->longest = strlen(m->file) > m->longest ? strlen(m->file) : m->longest;
}

static void begin_box(struct imglab *m, const char **attr)
{
	static const char *const names[] = {"left", "top", "width", "height"};
	const char *ignore = attribute(attr, "ignore");
	if (!m->in_image || m->in_box) {
		file_fault(m, m->in_box ? "a box within a box" : "a box outside of images");
		return;
	}
	m->in_box = 1;
	m->box++;
	m->nparts = 0;
	m->last_part = -1;
	m->in_label = 0;
	m->label_n = 0;
	*m->box_fault = 0;
	m->ignored = ignore && (!strcmp(ignore, "1") || !strcmp(ignore, "true"));
	if (ignore && !m->ignored && strcmp(ignore, "0") != 0 && strcmp(ignore, "false") != 0)
		fault(m->box_fault, "ignore is '%.60s', not 0 or 1", ignore);
	if (m->pass == 1)
		return;
	for (int i = 0; i < 2 * m->names.n; i++)
		m->points[i] = NAN;
	for (int i = 0; i < 4; i++)
		if (number(attr, "the box", names[i], &m->rect[i], m->box_fault) && i >= 2 && m->rect[i] <= 0)
			fault(m->box_fault, "the box: %s is %g, not above 0", names[i], m->rect[i]);
}

static void part(struct imglab *m, const char **attr)
{
	const char *given = attribute(attr, "name");
	char name[NAME], what[80];
	double xy[2];
	if (!m->in_box) {
		file_fault(m, "a part outside of boxes");
		return;
	}
	if (m->ignored)
		return;
	m->nparts++;
	if (!given || !*given || strlen(given) >= NAME) {
		fault(m->box_fault, given && *given ? "the name of part %d is too long" : "part %d has no name", m->nparts);
		return;
	}
	strcpy(name, given);
	if (m->latin1)
		undo_latin1(name);
	if (m->pass == 1) {
		m->last_part = part_names_add(&m->names, name, m->last_part + 1, ANNOTATION_POINTS);
		if (m->last_part < 0)
			file_fault(m, "image %llu, box %llu: '%.60s' is the name of a part beyond %d", m->image, m->box, name,
				ANNOTATION_POINTS);
		return;
	}
	int k = m->last_part = part_names_find(&m->names, name, m->last_part + 1);
	snprintf(what, sizeof what, "part '%.60s'", name);
	if (k < 0)
		fault(m->box_fault, "%s was not there when the file was read first", what);
	else if (!isnan(m->points[2 * k]))
		fault(m->box_fault, "%s stands twice", what);
	else if (number(attr, what, "x", &xy[0], m->box_fault) && number(attr, what, "y", &xy[1], m->box_fault))
		m->points[2 * k] = xy[0], m->points[2 * k + 1] = xy[1];
}

static void XMLCALL on_start(void *arg, const char *name, const char **attr)
{
	struct imglab *m = arg;
	if (*m->fault)
		return;
	if (m->depth == 0 && strcmp(name, "dataset") != 0)
		file_fault(m, "the outermost element is '%.60s', not 'dataset': not of imglab", name);
	else if (++m->depth > DEPTH)
		file_fault(m, "elements are more than %d deep", DEPTH);
	else if (!strcmp(name, "image"))
		begin_image(m, attr);
	else if (!strcmp(name, "box"))
		begin_box(m, attr);
	else if (!strcmp(name, "part"))
		part(m, attr);
	m->in_label = m->in_box && !strcmp(name, "label");
}

static void XMLCALL on_text(void *arg, const char *s, int n)
{
	struct imglab *m = arg;
	for (int i = 0; m->in_label && i < n && m->label_n < sizeof m->label - 1; i++)
		m->label[m->label_n++] = s[i];
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct imglab *m = arg;
	if (*m->fault)
		return;
	m->depth--;
	m->in_label = 0;
	if (!strcmp(name, "box")) {
		m->in_box = 0;
		m->done = 1;
	} else if (!strcmp(name, "image")) {
		m->in_image = 0;
		m->done = m->box ? 0 : 2;
	}
	if (m->done && m->pass == 2)
		XML_StopParser(m->xml, XML_TRUE);
}

/* ---- what else is in such a file ---- */

static void XMLCALL on_declaration(void *arg, const char *version, const char *encoding, int standalone)
{
	struct imglab *m = arg;
	(void)version, (void)standalone;
	m->latin1 = encoding && !strcasecmp(encoding, "ISO-8859-1");
}

/* Nothing but the file itself is ever opened. */
static void XMLCALL on_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name, (void)public, (void)internal;
	if (system)
		file_fault(arg, "its DTD is '%.100s': no other file is opened", system);
}

static void XMLCALL on_entity(void *arg, const char *name, int is_parameter, const char *value, int n, const char *base, const char *system,
	const char *public, const char *notation)
{
	(void)is_parameter, (void)base, (void)public, (void)notation;
	if (!value)
		file_fault(arg, "its entity '%.60s' is '%.100s': no other file is opened", name, system ? system : "");
	else if (memchr(value, '&', (size_t)n)) /* and these of others again, a thousand million in the end */
		file_fault(arg, "its entity '%.60s' is made of others", name);
}

/* ---- passes ---- */

static int begin_pass(struct imglab *m, int pass, char err[ANNOTATION_ERR])
{
	static const XML_Memory_Handling_Suite memory = {xmalloc, xrealloc, free};
	if (m->xml)
		XML_ParserFree(m->xml);
	m->xml = XML_ParserCreate_MM(NULL, &memory, NULL);
	XML_SetUserData(m->xml, m);
	XML_SetElementHandler(m->xml, on_start, on_end);
	XML_SetCharacterDataHandler(m->xml, pass == 2 ? on_text : NULL);
	XML_SetXmlDeclHandler(m->xml, on_declaration);
	XML_SetStartDoctypeDeclHandler(m->xml, on_doctype);
	XML_SetEntityDeclHandler(m->xml, on_entity);
	m->pass = pass;
	m->fed = m->image = m->box = 0;
	m->depth = m->in_image = m->in_box = m->done = m->latin1 = 0;
	return pass == 1 ? 0 : text_file_rewind(m->text, err);
}

static int broken(struct imglab *m, char err[ANNOTATION_ERR])
{
	unsigned long line = XML_GetCurrentLineNumber(m->xml);
	if (*m->fault)
		snprintf(err, ANNOTATION_ERR, "%s: line %lu: %s", m->path, line, m->fault);
	else if (XML_GetErrorCode(m->xml) == XML_ERROR_NO_ELEMENTS)
		snprintf(err, ANNOTATION_ERR, "%s: line %lu: the XML ends too early", m->path, line);
	else
		snprintf(err, ANNOTATION_ERR, "%s: line %lu, column %lu: not well-formed XML: %s", m->path, line,
			(unsigned long)XML_GetCurrentColumnNumber(m->xml) + 1, XML_ErrorString(XML_GetErrorCode(m->xml)));
	return IMGLAB_BROKEN;
}

/* Reads on to what is to be handed out: 1; to the end: 0; IMGLAB_BROKEN. */
static int run(struct imglab *m, char err[ANNOTATION_ERR])
{
	XML_ParsingStatus at;
	for (;;) {
		enum XML_Status went;
		XML_GetParsingStatus(m->xml, &at);
		m->done = 0;
		if (at.parsing == XML_FINISHED)
			return 0;
		if (at.parsing == XML_SUSPENDED) {
			went = XML_ResumeParser(m->xml);
		} else {
			void *piece = XML_GetBuffer(m->xml, PIECE);
			long n = piece ? text_file_read(m->text, piece, PIECE, err) : 0;
			if (n < 0)
				return IMGLAB_BROKEN;
			m->fed += (uint64_t)n;
			went = piece ? XML_ParseBuffer(m->xml, (int)n, n == 0) : XML_STATUS_ERROR;
		}
		if (went == XML_STATUS_ERROR)
			return broken(m, err);
		if (went == XML_STATUS_SUSPENDED)
			return 1;
		long long tag = XML_GetCurrentByteIndex(m->xml);
		if (tag >= 0 && (long long)m->fed - tag > TAG_MAX + PIECE) { /* expat keeps it in memory */
			snprintf(err, ANNOTATION_ERR, "%s: line %lu: a tag or comment of more than %d MiB", m->path,
				(unsigned long)XML_GetCurrentLineNumber(m->xml), TAG_MAX >> 20);
			return IMGLAB_BROKEN;
		}
	}
}

struct imglab *imglab_open(const char *path, struct annotations *a, const struct annotation_options *o, char err[ANNOTATION_ERR])
{
	struct imglab *m = xcalloc(1, sizeof *m);
	m->path = path;
	m->unlabelled = o->unlabelled;
	m->text = text_file_open(path, "XML", err);
	if (!m->text || begin_pass(m, 1, err) < 0 || run(m, err) < 0 || begin_pass(m, 2, err) < 0) {
		imglab_close(m);
		return NULL;
	}
	part_names_sort(&m->names);
	m->points = xcalloc((size_t)m->names.n * 2, sizeof *m->points);
	a->K = m->names.n;
	a->names = part_names_copy(&m->names);
	a->longest = (int)m->longest;
	a->has_box = 1;
	return m;
}

void imglab_close(struct imglab *m)
{
	if (m->xml)
		XML_ParserFree(m->xml);
	text_file_free(m->text);
	part_names_free(&m->names);
	free(m->points);
	free(m->file);
	free(m);
}

/* ---- faces ---- */

static int bad(const struct imglab *m, const struct annotation *face, char err[ANNOTATION_ERR], const char *why)
{
	snprintf(err, ANNOTATION_ERR, "%s: %s: %s", m->path, face->place, why);
	return -1;
}

static void set_kind(const struct imglab *m, struct annotation *face)
{
	struct span label = csv_trimmed((struct span){(const unsigned char *)m->label, (const unsigned char *)m->label + m->label_n});
	snprintf(face->kind, sizeof face->kind, "%.*s", (int)(label.e - label.p), (const char *)label.p);
	if (m->latin1)
		undo_latin1(face->kind);
}

static int set_face(struct imglab *m, struct annotation *face, int boxed, char err[ANNOTATION_ERR])
{
	if (boxed)
		snprintf(face->place, sizeof face->place, "image %llu, box %llu", m->image, m->box);
	else
		snprintf(face->place, sizeof face->place, "image %llu", m->image);
	face->id = face->image_id = -1;
	face->file = m->file;
	face->W = m->W, face->H = m->H;
	if (*m->image_fault)
		return bad(m, face, err, m->image_fault);
	if (boxed && *m->box_fault)
		return bad(m, face, err, m->box_fault);
	if (!boxed)
		return 1;
	set_kind(m, face);
	face->has_box = 1;
	memcpy(face->box, m->rect, sizeof face->box);
	face->has_points = m->nparts > 0;
	if (m->nparts)
		memcpy(face->points, m->points, (size_t)m->names.n * 2 * sizeof *m->points);
	return 1;
}

int imglab_next(struct imglab *m, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	int r;
	while ((r = run(m, err)) > 0) {
		if (m->done == 2 && !m->unlabelled)
			a->unlabelled++;
		else if (m->done == 1 && m->ignored)
			a->ignored++;
		else
			return set_face(m, face, m->done == 1, err);
	}
	return r;
}
