/* Changes to valid streams, from random numbers: records taken apart, changed, put together again with lengths, sequence numbers and
 * checksums mended; and models made from nothing, whose tensors are those of their net. */
#ifndef STRANGERS_H
#define STRANGERS_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/nn/model.h"
#include "wire.h"

/* ---- random numbers ---- */

struct dice {
	uint64_t state;
};

static inline struct dice dice_of(uint64_t number)
{
	return (struct dice){(number + 1) * 0x9E3779B97F4A7C15u};
}

/* 0 to n - 1 (Steele et al., 2014: SplitMix64). */
static inline unsigned dice(struct dice *d, unsigned n)
{
	uint64_t z = d->state += 0x9E3779B97F4A7C15u;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (unsigned)((z ^ z >> 31) >> 16) % n;
}

static inline const char *dice_word(struct dice *d, const char *const *words)
{
	unsigned n = 0;
	while (words[n])
		n++;
	return words[dice(d, n)];
}

/* ---- streams ---- */

struct piece {
	unsigned char *p;
	size_t n;
};

struct seeds {
	struct piece file[32];
	int n;
};

static inline int seeds_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static inline void seeds_read(struct seeds *s, const char *dir, const char *begin)
{
	struct dirent **e;
	int n = dir ? scandir(dir, &e, NULL, seeds_by_name) : 0;
	for (int i = 0; i < n; i++) {
		if (!strncmp(e[i]->d_name, begin, strlen(begin)) && s->n < 32) {
			char *path = xprintf("%s/%s", dir, e[i]->d_name);
			s->file[s->n].p = wire_slurp(path, &s->file[s->n].n), s->n++;
			free(path);
		}
		free(e[i]);
	}
	if (n > 0)
		free(e);
}

static inline struct piece stranger_copy(const struct seeds *s, struct dice *d)
{
	const struct piece *from = &s->file[dice(d, (unsigned)s->n)];
	struct piece p = {xmalloc(from->n), from->n};
	memcpy(p.p, from->p, p.n);
	return p;
}

struct record {
	char type[4];
	uint32_t id, flags, raw;
	struct piece payload;
};

enum { RECORDS = 1024 };

struct records {
	struct record r[RECORDS];
	int n, mend_end; /* mend_end: END counts what is there */
};

static inline void records_read(struct records *s, const struct piece *p)
{
	s->n = 0;
	for (size_t at = 32; at + 32 <= p->n && s->n < RECORDS; s->n++) {
		struct record *r = &s->r[s->n];
		uint32_t stored;
		memcpy(r->type, p->p + at, 4);
		memcpy(&r->id, p->p + at + 8, 4), memcpy(&r->flags, p->p + at + 12, 4), memcpy(&stored, p->p + at + 16, 4),
			memcpy(&r->raw, p->p + at + 20, 4);
		r->payload = (struct piece){xmalloc(stored + 1), stored};
		memcpy(r->payload.p, p->p + at + 32, stored);
		for (at += 32 + stored; at % 64 != 32 && at < p->n;)
			at++;
		if (!memcmp(r->type, "END", 4))
			at = p->n;
	}
}

/* What END says: tensors defined, and rows of each, where its row's size is that of its definition. */
static inline void records_count(struct records *s)
{
	uint64_t rows[RECORDS] = {0}, bytes[RECORDS];
	uint32_t n = 0;
	for (int i = 0; i < s->n; i++) {
		struct record *r = &s->r[i];
		if (!memcmp(r->type, "TDEF", 4) && r->payload.n >= 8) {
			bytes[n] = tns_size(r->payload.p[0]);
			for (int k = 1; k < r->payload.p[1] && k < 8 && 16 + 8 * (size_t)k <= r->payload.n; k++) {
				uint64_t dim;
				memcpy(&dim, r->payload.p + 8 + 8 * k, 8);
				bytes[n] *= dim;
			}
			r->id = n++;
		}
		if (!memcmp(r->type, "DATA", 4) && r->id < n && bytes[r->id])
			rows[r->id] += (r->flags & 1 ? r->raw : r->payload.n) / bytes[r->id];
		if (!memcmp(r->type, "END", 4)) {
			r->payload.p = xrealloc(r->payload.p, 8 + 8 * (size_t)n), r->payload.n = 8 + 8 * (size_t)n;
			memset(r->payload.p, 0, 8), memcpy(r->payload.p, &n, 4), memcpy(r->payload.p + 8, rows, 8 * (size_t)n);
		}
	}
}

static inline void records_write(struct records *s, struct piece *p)
{
	struct wire w;
	wire_begin(&w);
	if (s->mend_end)
		records_count(s);
	for (int i = 0; i < s->n; i++) {
		struct record *r = &s->r[i];
		w.flags = r->flags;
		if (r->flags)
			w.raw = r->raw;
		wire_record(&w, r->type, r->id, r->payload.p, r->payload.n);
		free(r->payload.p);
	}
	free(p->p);
	*p = (struct piece){w.p, w.n};
}

/* ---- changes of texts ---- */

static const char *const odd_numbers[] = {"0", "1", "2", "3", "7", "15", "16", "-1", "0.5", "255", "256", "257", "1000", "1024", "4096",
	"46340", "46341", "65535", "65536", "1000000", "2147483647", "2147483648", "4294967295", "4294967297", "9223372036854775807",
	"18446744073709551616", "1e9", "1e38", "1e39", "-1e-40", "1e308", "nan", "inf", "-inf", "0x10", "00000000000000001", "", NULL};
static const char *const odd_words[] = {"conv3x3x8", "conv1x1x1000", "conv1x1", "conv5x5x2s2p2", "conv3x3x4p1", "conv3x3x4d9", "conv1x96x2",
	"pool2", "pool15", "up2", "up3", "up16", "up1024", "fc", "fc10", "fc1", "fc1000000", "bn", "dropout0.5", "dropout0.999999", "relu",
	"tanh", "sigmoid", "(", ")+", "#", "\n", ",", ":", "x", "pixel", "y", "left_eye", "a", "label", "coords", "heatmap", "map", "image",
	"96x96", "1x1", "46340x46340", "1x2147483647", "\xc3\xa9", "\x01", "%s%n", "../../etc", NULL};
static const char *const odd_keys[] = {"net", "target", "input", "scale", "points", "classes", "pairs", "unlearned", "mean_face",
	"asymmetry", "sources", "source.a", "rmse_px", "history", "live", "shape.image", "maps_scale", "maps", "predicted", "k", NULL};

struct text {
	char *s;
	size_t n;
};

static inline void text_splice(struct text *t, size_t at, size_t gone, const char *in, size_t len)
{
	char *s = xmalloc(t->n - gone + len + 1);
	if (t->n)
		memcpy(s, t->s, at), memcpy(s + at + len, t->s + at + gone, t->n - at - gone);
	memcpy(s + at, in, len);
	free(t->s);
	t->s = s, t->n += len - gone, s[t->n] = 0;
}

/* Length of a run of digits, or of others up to a blank or comma, at s. */
static inline size_t text_token(const char *s)
{
	size_t n = strspn(s, "0123456789.-");
	return n ? n : 1 + strcspn(s + 1, "0123456789 ,\n");
}

static inline void text_change(struct text *t, struct dice *d)
{
	size_t at = t->n ? dice(d, (unsigned)t->n) : 0;
	while (at && strchr("0123456789.-", t->s[at]) && strchr("0123456789.-", t->s[at - 1]))
		at--;
	size_t len = t->s[at] ? text_token(t->s + at) : 0;
	len = len < t->n - at ? len : t->n - at;
	const char *word = dice_word(d, strchr("0123456789", t->s[at]) ? odd_numbers : odd_words);
	char many[4096] = "";
	switch (dice(d, 9)) {
	case 0: /* a word in the place of one */
	case 1:
	case 2:
		text_splice(t, at, len, word, strlen(word));
		break;
	case 3:
		text_splice(t, at, 0, word, strlen(word));
		break;
	case 4:
		text_splice(t, at, len, "", 0);
		break;
	case 5:
		if (t->n)
			t->s[at] ^= (char)(1 << dice(d, 7));
		break;
	case 6: /* one repeated */
		for (unsigned k = dice(d, 300); k-- && strlen(many) + len + 2 < sizeof many;)
			strcat(strncat(many, t->s + at, len), dice(d, 2) ? " " : ",");
		text_splice(t, at, 0, many, strlen(many));
		break;
	case 7: /* the rest gone */
		text_splice(t, at, t->n - at, "", 0);
		break;
	case 8: /* the whole another */
		text_splice(t, 0, t->n, word, strlen(word));
		break;
	}
}

/* ---- changes of records ---- */

static inline void change_meta(struct record *r, struct dice *d)
{
	uint16_t nk;
	uint32_t nv;
	if (r->payload.n < 6)
		return;
	memcpy(&nk, r->payload.p, 2), memcpy(&nv, r->payload.p + 2, 4);
	if (r->payload.n < 6 + (size_t)nk + nv)
		return;
	struct text key = {NULL, 0}, value = {NULL, 0};
	text_splice(&key, 0, 0, (char *)r->payload.p + 6, nk), text_splice(&value, 0, 0, (char *)r->payload.p + 6 + nk, nv);
	if (dice(d, 8) == 0) {
		const char *k = dice_word(d, odd_keys);
		text_splice(&key, 0, key.n, k, strlen(k));
	}
	for (unsigned k = dice(d, 4); k--;)
		text_change(&value, d);
	struct wire w = {0};
	wire_u16(&w, (uint16_t)key.n), wire_u32(&w, (uint32_t)value.n), wire_put(&w, key.s, key.n), wire_put(&w, value.s, value.n);
	free(key.s), free(value.s), free(r->payload.p);
	r->payload = (struct piece){w.p, w.n};
}

static inline void change_def(struct record *r, const struct records *all, struct dice *d)
{
	static const uint64_t dims[] = {
		0, 1, 2, 3, 9, 96, 255, 256, 9216, 65536, 1 << 20, 1 << 24, 1u << 31, 1ull << 48, 1ull << 63, UINT64_MAX};
	struct piece *p = &r->payload;
	if (p->n < 17)
		return;
	int ndim = p->p[1];
	uint64_t dim;
	switch (dice(d, 6)) {
	case 0:
		p->p[0] = (unsigned char)dice(d, 15);
		break;
	case 1:
	case 2: /* a dimension */
		if (ndim && p->n >= 8 + 8 * (size_t)ndim) {
			unsigned k = dice(d, (unsigned)ndim);
			memcpy(&dim, p->p + 8 + 8 * k, 8);
			dim = dice(d, 2) ? dims[dice(d, sizeof dims / sizeof *dims)] : dim + dice(d, 3) - 1;
			memcpy(p->p + 8 + 8 * k, &dim, 8);
		}
		break;
	case 3: /* two dimensions swapped, or a factor moved from one to the other: rows of the same size */
		if (ndim > 2 && p->n >= 8 + 8 * (size_t)ndim) {
			uint64_t other;
			unsigned a = 1 + dice(d, (unsigned)ndim - 1), b = 1 + dice(d, (unsigned)ndim - 1);
			memcpy(&dim, p->p + 8 + 8 * a, 8), memcpy(&other, p->p + 8 + 8 * b, 8);
			if (a != b && dice(d, 2) && dim % 2 == 0)
				dim /= 2, other *= 2;
			memcpy(p->p + 8 + 8 * b, &dim, 8), memcpy(p->p + 8 + 8 * a, &other, 8);
		}
		break;
	case 4: /* a letter of the name */
		p->p[p->n - 1 - dice(d, 2)] = (unsigned char)"0123456789abikmnopst._/-"[dice(d, 24)];
		break;
	case 5: { /* another's name */
		const struct record *o = &all->r[dice(d, (unsigned)all->n)];
		if (!memcmp(o->type, "TDEF", 4) && o->payload.n > 8 + 8 * (size_t)o->payload.p[1]) {
			size_t at = 8 + 8 * (size_t)ndim, from = 8 + 8 * (size_t)o->payload.p[1], len = o->payload.n - from;
			uint16_t n = (uint16_t)len;
			if (at > p->n)
				return;
			p->p = xrealloc(p->p, at + len);
			memcpy(p->p + at, o->payload.p + from, len), memcpy(p->p + 2, &n, 2);
			p->n = at + len;
		}
		break;
	}
	}
}

static inline void change_data(struct record *r, struct dice *d)
{
	static const uint32_t odd[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0, 0x80000000, 1, 0x3f800000, 0xffffffff};
	struct piece *p = &r->payload;
	if (p->n < 4)
		return;
	size_t at = dice(d, (unsigned)(p->n - 3)) & ~3u, n = 1 + dice(d, 64);
	switch (dice(d, 4)) {
	case 0: /* odd numbers */
		for (size_t i = at; n-- && i + 4 <= p->n; i += 4)
			memcpy(p->p + i, &odd[dice(d, 9)], 4);
		break;
	case 1:
		p->p[at] ^= (unsigned char)(1 << dice(d, 8));
		break;
	case 2: /* fewer, or more rows */
		p->n = dice(d, 2) ? at : p->n / 2;
		break;
	case 3:
		for (size_t i = at & ~3u, all = dice(d, 9); i + 4 <= p->n; i += 4)
			memcpy(p->p + i, &odd[all], 4);
		break;
	}
}

/* Takes a record out, puts one in, doubles or moves one. */
static inline void change_order(struct records *s, struct dice *d, const struct seeds *others)
{
	int a = (int)dice(d, (unsigned)s->n), b = (int)dice(d, (unsigned)s->n);
	struct record r = s->r[a];
	switch (dice(d, 5)) {
	case 0:
		free(r.payload.p);
		memmove(s->r + a, s->r + a + 1, (size_t)(s->n - a - 1) * sizeof r), s->n--;
		break;
	case 1:
		s->r[a] = s->r[b], s->r[b] = r;
		break;
	case 2: { /* another stream's record */
		struct piece o = stranger_copy(others, d);
		struct records *t = xcalloc(1, sizeof *t);
		records_read(t, &o);
		int k = (int)dice(d, (unsigned)t->n);
		if (s->n < RECORDS) {
			memmove(s->r + a + 1, s->r + a, (size_t)(s->n - a) * sizeof r), s->n++;
			s->r[a] = t->r[k], t->r[k].payload.p = NULL;
		}
		for (k = 0; k < t->n; k++)
			free(t->r[k].payload.p);
		free(t), free(o.p);
		break;
	}
	case 3:
		if (s->n < RECORDS) {
			r.payload.p = memcpy(xmalloc(r.payload.n + 1), r.payload.p, r.payload.n);
			memmove(s->r + b + 1, s->r + b, (size_t)(s->n - b) * sizeof r), s->n++;
			s->r[b] = r;
		}
		break;
	case 4:
		s->r[a].id = dice(d, 2) ? dice(d, 12) : WIRE_NONE;
		break;
	}
}

static inline void change_bytes(struct record *r, struct dice *d)
{
	if (r->payload.n)
		r->payload.p[dice(d, (unsigned)(r->payload.n < 400 ? r->payload.n : 400))] ^= (unsigned char)(1 << dice(d, 8));
}

static inline void stranger_change(struct piece *p, struct dice *d, const struct seeds *others)
{
	struct records *s = xcalloc(1, sizeof *s);
	records_read(s, p);
	s->mend_end = dice(d, 8) > 0;
	for (unsigned k = 1 + dice(d, 4); k-- && s->n;) {
		struct record *r = &s->r[dice(d, (unsigned)s->n)];
		unsigned how = dice(d, 10);
		for (int tries = 0; tries < 20 && how < 5 && memcmp(r->type, "META", 4) != 0;
			tries++) /* most of all what is said of a model */
			r = &s->r[dice(d, (unsigned)s->n)];
		if (how == 9)
			change_order(s, d, others);
		else if (how == 8)
			change_bytes(r, d);
		else if (!memcmp(r->type, "META", 4))
			change_meta(r, d);
		else if (!memcmp(r->type, "TDEF", 4))
			change_def(r, s, d);
		else if (!memcmp(r->type, "DATA", 4))
			change_data(r, d);
	}
	records_write(s, p);
	free(s);
}

/* ---- models and data sets from nothing ---- */

/* A layer: one of the words, or one with numbers of its own. */
static inline void add_layer(char *net, struct dice *d)
{
	static const int sizes[] = {1, 1, 1, 2, 3, 3, 5, 8, 31, 95, 96, 1000, 65536, 1000000};
	char *to = net + strlen(net);
	int S = sizes[dice(d, 14)], P = sizes[dice(d, 14)] - 1, D = sizes[dice(d, 14)];
	switch (dice(d, 8)) {
	case 0:
		sprintf(to, "conv%dx%dx%d", sizes[dice(d, 11)], sizes[dice(d, 11)], sizes[dice(d, 12)]);
		sprintf(to + strlen(to), dice(d, 2) ? "s%dp%dd%d " : " ", S, P, D);
		break;
	case 1: /* far apart, in wide padding */
		sprintf(to, "conv2x%dx%ds%dp%dd%d ", 2 + (int)dice(d, 2), 1 + (int)dice(d, 3), S, D - (int)dice(d, 2), D);
		break;
	case 2:
		sprintf(to, "up%d pool%d ", 1 + (int)dice(d, 40), 1 + (int)dice(d, 15));
		break;
	default:
		strcat(strcat(to, dice_word(d, odd_words)), " ");
	}
}

/* A net of random words on an input of random size, with the tensors that it needs, as long as these are small. */
static inline struct piece stranger_model(struct dice *d, int *W, int *H)
{
	static const int sides[] = {1, 2, 3, 7, 8, 16, 24, 32, 96, 255, 1000, 4000, 46340};
	static const char *const names[] = {"a", "left_eye,right_eye", "left_a,right_a,nose", "x,y,z,w,v", NULL};
	struct netdesc n;
	char net[2048], err[256], scale[256], size[64];
	int K = 0;
	const char *points;
	enum target target;
	for (int tries = 0;; tries++) {
		points = dice_word(d, names), target = (enum target)dice(d, 5);
		*W = sides[dice(d, tries < 8 ? 13 : 6)], *H = dice(d, 2) ? *W : sides[dice(d, tries < 8 ? 13 : 6)];
		K = 1;
		for (const char *c = points; *c; c++)
			K += *c == ',';
		*net = 0;
		for (unsigned k = dice(d, dice(d, 4) ? 6 : 40); k-- && strlen(net) < 1900;)
			add_layer(net, d);
		strcat(net, dice(d, 2) ? "fc" : dice(d, 2) ? "conv1x1" : "pool2 fc");
		int values = model_has_points(target) ? 2 * K : target == TARGET_LABEL ? (K == 2 ? 1 : K) : *W * *H;
		struct netdesc_target t = {values, target == TARGET_HEATMAP ? K : values};
		if ((long)*W * *H > 1 << 24 && target > TARGET_HEATMAP)
			continue;
		if (tries > 200)
			strcpy(net, "fc");
		if (!netdesc_parse(&n, net, 1, *H, *W, t, err) && n.nparam < 1 << 16)
			break;
	}
	struct wire w;
	uint64_t rows[600];
	int tensors = 0;
	wire_begin(&w);
	float *zeros = xcalloc(n.nparam + n.nstat + 4096, sizeof *zeros);
	for (size_t i = 0; i < n.nparam; i++)
		zeros[i] = (float)dice(d, 2000) / 1000 - 1;
	snprintf(size, sizeof size, "%dx%d", *W, *H);
	snprintf(scale, sizeof scale, "pixel 0.00392156886 0 x %s %s y %s 0", dice(d, 3) ? "0.02" : dice_word(d, odd_numbers),
		dice(d, 3) ? "-0.9" : dice_word(d, odd_numbers), dice(d, 3) ? "0.02" : "1e-30");
	wire_meta(&w, "net", net), wire_meta(&w, "target", model_target_name(target)), wire_meta(&w, "input", size),
		wire_meta(&w, "scale", scale);
	if (target != TARGET_IMAGE)
		wire_meta(&w, model_has_points(target) ? "points" : "classes", points);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0, id = 0; i < n.n; i++) {
			const struct layer *l = &n.layer[i];
			static const char *const what[] = {"weight", "bias", "mean", "var"};
			for (int k = 0; k < (!l->nw ? 0 : l->kind == LAYER_BN ? 4 : 2); k++, id++) {
				uint64_t O = (uint64_t)l->OC, dim[4] = {O, l->nw / O};
				int ndim = k || l->kind == LAYER_BN ? 1 : 2;
				if (!k && l->kind == LAYER_CONV)
					ndim = 4, dim[1] = (uint64_t)l->C, dim[2] = (uint64_t)l->KH, dim[3] = (uint64_t)l->KW;
				char name[64];
				snprintf(name, sizeof name, "%d.%s", i, what[k]);
				if (pass)
					wire_data(&w, (uint32_t)id, zeros + (k ? l->b : l->w), (k ? O : l->nw) * sizeof *zeros);
				else
					wire_tdef(&w, (uint32_t)id, TNS_F32, ndim, dim, name), rows[tensors++] = O;
			}
			if (i == n.n - 1 && target == TARGET_MAP) {
				if (pass)
					wire_data(&w, (uint32_t)id, zeros, (size_t)K * MODEL_PRIOR * sizeof *zeros);
				else
					wire_tdef(&w, (uint32_t)id, TNS_F32, 2, (uint64_t[]){(uint64_t)K, MODEL_PRIOR}, "prior"),
						rows[tensors++] = (uint64_t)K;
			}
		}
	wire_end(&w, tensors, rows);
	free(zeros);
	return (struct piece){w.p, w.n};
}

/* A data set of a few images of this size, as far as a row may be as large. */
static inline struct piece stranger_set(struct dice *d, int W, int H)
{
	struct wire w;
	size_t pixels = (size_t)W * (size_t)H;
	if (pixels > 1 << 20)
		W = H = 1, pixels = 1;
	uint64_t n = dice(d, 4), dim[3] = {UINT64_MAX, (uint64_t)H, (uint64_t)W};
	unsigned char *images = xcalloc(n * pixels + 1, 1);
	for (size_t i = 0; i < n * pixels; i++)
		images[i] = (unsigned char)dice(d, 256);
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 3, dim, "image");
	for (uint64_t i = 0; i < n; i++)
		wire_data(&w, 0, images + i * pixels, pixels);
	wire_end(&w, 1, &n);
	free(images);
	return (struct piece){w.p, w.n};
}

#endif
