/* Summary of a stream, as text and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/stream/info.h"

/* Text of a META, further lines indented, control characters escaped so that no stream can control a terminal. */
static void print_text(struct out *to, const char *indent, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n' && i + 1 < n)
			out_printf(to, "\n%s", indent);
		else if (c == 0xC2 && i + 1 < n && (unsigned char)s[i + 1] < 0xA0) /* U+0080 to U+009F: control characters too */
			out_printf(to, "\\xc2\\x%02x", (unsigned char)s[++i]);
		else if (c == '\t' || (c >= 0x20 && c != 0x7F))
			out_write(to, &s[i], 1);
		else if (c != '\n')
			out_printf(to, "\\x%02x", c);
	}
}

static void shape(char *buf, size_t size, const struct tns_def *d)
{
	size_t n = 0;
	buf[0] = 0;
	for (int i = 0; i < d->ndim; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%" PRIu64, i ? "," : "", i ? d->dim[i] : d->rows);
}

void info_tensors_json(struct json *j, const struct tns *t, const struct stat_range *s, int only)
{
	json_key(j, "tensors"), json_open(j, '[');
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		if (only >= 0 && i != only)
			continue;
		json_open(j, '{');
		json_key(j, "name"), json_string(j, d->name);
		json_key(j, "dtype"), json_string(j, tns_dtype_name(d->dtype));
		json_key(j, "shape"), json_open(j, '[');
		for (int k = 0; k < d->ndim; k++)
			json_uint(j, k ? d->dim[k] : d->rows);
		json_close(j, ']');
		stat_json(j, &s[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void info_metas_json(struct json *j, const struct tns *t)
{
	json_key(j, "meta"), json_open(j, '{');
	for (int i = 0; i < t->nmeta; i++) {
		json_key_text(j, t->meta[i].key, t->meta[i].key_len);
		json_text(j, t->meta[i].value, t->meta[i].value_len);
	}
	json_close(j, '}');
}

void info_tensors_text(struct out *to, const struct tns *t, const struct stat_range *s, int only)
{
	char dims[8 * 21], lo[40], hi[40];
	int name = 6, dim = 5;
	for (int i = 0; i < t->ntensors; i++) {
		if (only >= 0 && i != only)
			continue;
		shape(dims, sizeof dims, &t->def[i]);
		name = (int)strlen(t->def[i].name) > name ? (int)strlen(t->def[i].name) : name;
		dim = (int)strlen(dims) > dim ? (int)strlen(dims) : dim;
	}
	out_printf(to, "%-*s type %-*s %12s %12s %12s %8s\n", name, "tensor", dim, "shape", "min", "max", "mean", "nan");
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		if (only >= 0 && i != only)
			continue;
		shape(dims, sizeof dims, d);
		out_printf(to, "%-*s %-4s %-*s", name, d->name, tns_dtype_name(d->dtype), dim, dims);
		if (stat_supported(d->dtype)) {
			out_printf(to, " %12s %12s ", stat_min(lo, &s[i]), stat_max(hi, &s[i]));
			if (isnan(stat_mean(&s[i])))
				out_printf(to, "%12s %8" PRIu64, "-", s[i].nan);
			else
				out_printf(to, "%12.6g %8" PRIu64, stat_mean(&s[i]), s[i].nan);
		}
		out_write(to, "\n", 1);
	}
}

void info_metas_text(struct out *to, const struct tns *t, const char *history)
{
	for (int i = 0; i < t->nmeta; i++) {
		const struct tns_meta *m = &t->meta[i];
		int is_history = !strcmp(m->key, "history");
		const char *value = is_history && history ? history : m->value;
		size_t n = is_history && history ? strlen(history) : m->value_len;
		int lines = n && memchr(value, '\n', n - 1) != NULL;
		print_text(to, "", m->key, m->key_len);
		out_printf(to, ":%s", lines || is_history ? "\n  " : " ");
		print_text(to, "  ", value, n);
		out_write(to, "\n", 1);
	}
}
