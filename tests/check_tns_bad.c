/* Every rule of the specification that a reader must enforce: a stream each that breaks that rule alone. */
#include <check.h>

#include "child.h"
#include "lib/base/err.h"
#include "wire.h"

static const uint64_t one[8] = {1, 1, 1, 1, 1, 1, 1, 1}, open_dim[1] = {UINT64_MAX};
static const uint32_t rows4[4] = {10, 20, 30, 40};

/* A valid beginning: a u32 tensor with an open number of rows. */
static void begin_rows(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "rows");
}

static void end_rows(struct wire *w, uint64_t n)
{
	wire_end(w, 1, &n);
}

static void finish_rows(struct wire *w)
{
	wire_data(w, 0, rows4, 16);
	end_rows(w, 4);
}

/* ---- preamble ---- */

static void fix_preamble(struct wire *w)
{
	w->chain = (uint32_t)crc32(0, w->p, 28);
	memcpy(w->p + 28, &w->chain, 4);
}

static void empty_input(struct wire *w)
{
	*w = (struct wire){0};
}

static void short_preamble(struct wire *w)
{
	wire_begin(w);
	w->n = 31;
}

static void only_preamble(struct wire *w)
{
	wire_begin(w);
}

static void magic_of_text(struct wire *w)
{
	wire_begin(w);
	w->p[0] = 'T';
	fix_preamble(w);
	end_rows(w, 0);
}

static void magic_without_cr(struct wire *w)
{
	static const unsigned char zero;
	wire_begin(w);
	memmove(w->p + 4, w->p + 5, 27);
	w->n = 27;
	wire_put(w, &zero, 1);
	wire_u32(w, 0);
	fix_preamble(w);
	wire_end(w, 0, NULL);
}

static void preamble_crc(struct wire *w)
{
	wire_begin(w);
	w->p[31] ^= 1;
	w->chain ^= 1u << 24;
	wire_end(w, 0, NULL);
}

static void major_2(struct wire *w)
{
	wire_preamble(w, 2, 0);
	wire_end(w, 0, NULL);
}

static void major_0(struct wire *w)
{
	wire_preamble(w, 0, 0);
	wire_end(w, 0, NULL);
}

static void major_257(struct wire *w)
{
	wire_preamble(w, 257, 0);
	wire_end(w, 0, NULL);
}

static void first_reserved(struct wire *w)
{
	wire_begin(w);
	w->p[12] = 1;
	fix_preamble(w);
	wire_end(w, 0, NULL);
}

static void last_reserved(struct wire *w)
{
	wire_begin(w);
	w->p[27] = 0x80;
	fix_preamble(w);
	wire_end(w, 0, NULL);
}

/* ---- header ---- */

static void head_crc(struct wire *w)
{
	begin_rows(w);
	w->flip_head = 1;
	finish_rows(w);
}

static void head_crc_unchained(struct wire *w)
{
	begin_rows(w);
	w->chain = 0;
	finish_rows(w);
}

static void first_head_unchained(struct wire *w)
{
	wire_begin(w);
	w->chain = 0;
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "rows");
	finish_rows(w);
}

static void seq_from_1(struct wire *w)
{
	wire_begin(w);
	w->seq = 1;
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "rows");
	finish_rows(w);
}

static void seq_skips(struct wire *w)
{
	begin_rows(w);
	w->seq++;
	finish_rows(w);
}

static void seq_repeats(struct wire *w)
{
	begin_rows(w);
	w->seq--;
	finish_rows(w);
}

static void seq_high_bits(struct wire *w)
{
	static uint32_t seq = 0x10001;
	begin_rows(w);
	w->as_seq = &seq;
	finish_rows(w);
}

static void flag_bit_1(struct wire *w)
{
	begin_rows(w);
	w->flags = 2;
	finish_rows(w);
}

static void flag_bit_31(struct wire *w)
{
	begin_rows(w);
	w->flags = 0x80000000u;
	finish_rows(w);
}

static void flag_on_skipped(struct wire *w)
{
	begin_rows(w);
	w->flags = 4;
	wire_record(w, "note", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void stored_not_raw(struct wire *w)
{
	begin_rows(w);
	w->raw = 12;
	finish_rows(w);
}

/* Over the limit, with all its data: 16 MiB and a row. */
static void stored_over_limit(struct wire *w)
{
	size_t n = TNS_CHUNK_MAX + 4;
	begin_rows(w);
	void *p = calloc(n, 1);
	wire_data(w, 0, p, n);
	free(p);
	end_rows(w, n / 4);
}

static void stored_said_huge(struct wire *w)
{
	begin_rows(w);
	w->stored = w->raw = 0xFFFFFFFFu;
	finish_rows(w);
}

static void raw_over_limit(struct wire *w)
{
	size_t n = TNS_CHUNK_MAX + 4;
	begin_rows(w);
	void *p = calloc(n, 1);
	wire_zlib(w, "DATA", 0, p, n);
	free(p);
	end_rows(w, n / 4);
}

static void id_on_meta(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "META", 0, "\1\0\1\0\0\0kv", 8);
	finish_rows(w);
}

static void id_on_end(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "END", 0, "\0\0\0\0\0\0\0", 8);
}

static void id_on_skipped(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "note", 0, "x", 1);
	finish_rows(w);
}

static void id_on_abrt(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "ABRT", 1, "x", 1);
}

static void type_upper(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "NOTE", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void type_mixed(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "Note", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void type_digit(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "0ote", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void type_zero(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "\0\0\0", WIRE_NONE, "", 0);
	finish_rows(w);
}

static void type_high(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "\xE9ote", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void type_brace(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "{ote", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void end_with_space(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "END ", WIRE_NONE, "\0\0\0\0\0\0\0", 8);
}

static void end_lower(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "end", WIRE_NONE, "\0\0\0\0\0\0\0", 8);
}

static void skipped_payload_crc(struct wire *w)
{
	begin_rows(w);
	w->flip_payload = 1;
	wire_record(w, "note", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void skipped_zlib(struct wire *w)
{
	begin_rows(w);
	w->raw = 5;
	wire_zlib(w, "note", WIRE_NONE, "four", 4);
	finish_rows(w);
}

/* A payload of one byte declared as 0 bytes, which zlib's uncompress alone would accept. */
static void skipped_zlib_of_one(struct wire *w)
{
	unsigned char z[64];
	uLongf n = sizeof z;
	compress2(z, &n, (const unsigned char *)"x", 1, 9);
	begin_rows(w);
	w->flags = 1;
	w->raw_0 = 1;
	wire_record(w, "note", WIRE_NONE, z, n);
	finish_rows(w);
}

/* ---- payload ---- */

static void payload_crc(struct wire *w)
{
	begin_rows(w);
	w->flip_payload = 0x80000000u;
	finish_rows(w);
}

static void end_payload_crc(struct wire *w)
{
	wire_begin(w);
	w->flip_payload = 2;
	wire_end(w, 0, NULL);
}

static void padding_not_zero(struct wire *w)
{
	begin_rows(w);
	w->pad = 1;
	finish_rows(w);
}

static void end_padding_not_zero(struct wire *w)
{
	wire_begin(w);
	w->pad = 0xFF;
	wire_end(w, 0, NULL);
}

static void skipped_padding_not_zero(struct wire *w)
{
	begin_rows(w);
	w->pad = ' ';
	wire_record(w, "note", WIRE_NONE, "x", 1);
	finish_rows(w);
}

static void zlib_short(struct wire *w)
{
	begin_rows(w);
	w->raw = 20;
	wire_zlib(w, "DATA", 0, rows4, 16);
	end_rows(w, 5);
}

static void zlib_long(struct wire *w)
{
	begin_rows(w);
	w->raw = 12;
	wire_zlib(w, "DATA", 0, rows4, 16);
	end_rows(w, 3);
}

static size_t deflated(unsigned char *z, size_t size)
{
	uLongf n = size;
	if (compress2(z, &n, (const unsigned char *)rows4, 16, 9) != Z_OK)
		abort();
	return n;
}

static void put_deflated(struct wire *w, const unsigned char *z, size_t n)
{
	begin_rows(w);
	w->flags = 1, w->raw = 16;
	wire_data(w, 0, z, n);
	end_rows(w, 4);
}

static void zlib_cut(struct wire *w)
{
	unsigned char z[128];
	put_deflated(w, z, deflated(z, sizeof z) - 1);
}

static void zlib_with_tail(struct wire *w)
{
	unsigned char z[128] = {0};
	put_deflated(w, z, deflated(z, 127) + 1);
}

static void zlib_twice(struct wire *w)
{
	unsigned char z[128] = {0};
	size_t n = deflated(z, 64);
	put_deflated(w, z, n + deflated(z + n, 64));
}

static void zlib_adler(struct wire *w)
{
	unsigned char z[128];
	size_t n = deflated(z, sizeof z);
	z[n - 1] ^= 1;
	put_deflated(w, z, n);
}

static void zlib_not(struct wire *w)
{
	put_deflated(w, (const unsigned char *)rows4, 16);
}

static void zlib_other_window(int bits, const void *dict, struct wire *w)
{
	unsigned char z[128];
	z_stream s = {.next_in = (unsigned char *)(uintptr_t)rows4, .avail_in = 16, .next_out = z, .avail_out = sizeof z};
	if (deflateInit2(&s, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK || (dict && deflateSetDictionary(&s, dict, 16) != Z_OK) ||
		deflate(&s, Z_FINISH) != Z_STREAM_END)
		abort();
	size_t n = s.total_out;
	deflateEnd(&s);
	put_deflated(w, z, n);
}

static void zlib_gzip(struct wire *w)
{
	zlib_other_window(15 + 16, NULL, w);
}

static void zlib_bare(struct wire *w)
{
	zlib_other_window(-15, NULL, w);
}

static void zlib_dictionary(struct wire *w)
{
	zlib_other_window(15, rows4, w);
}

static void zlib_empty(struct wire *w)
{
	begin_rows(w);
	w->flags = 1;
	wire_data(w, 0, NULL, 0);
	end_rows(w, 0);
}

/* Declares more than zlib could decompress from so many bytes. */
static void bomb_said(struct wire *w)
{
	unsigned char z[128];
	size_t n = deflated(z, sizeof z);
	begin_rows(w);
	w->flags = 1, w->raw = (uint32_t)(n * 1032 + 4);
	wire_data(w, 0, z, n);
	end_rows(w, w->raw / 4);
}

/* Declares little, holds much: 16 MiB of zeros declared as 16 bytes. */
static void bomb_hidden(struct wire *w)
{
	void *p = calloc(TNS_CHUNK_MAX, 1);
	begin_rows(w);
	w->raw = 16;
	wire_zlib(w, "DATA", 0, p, TNS_CHUNK_MAX);
	free(p);
	end_rows(w, 4);
}

/* ---- TDEF ---- */

static void tdef_after_data(struct wire *w)
{
	uint64_t n[2] = {4, 0};
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	wire_tdef(w, 1, TNS_U8, 1, open_dim, "late");
	wire_end(w, 2, n);
}

static void ids_from_1(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 1, TNS_U32, 1, open_dim, "rows");
	end_rows(w, 0);
}

static void ids_repeat(struct wire *w)
{
	uint64_t n[2] = {0};
	begin_rows(w);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "more");
	wire_end(w, 2, n);
}

static void ids_none(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, WIRE_NONE, TNS_U32, 1, open_dim, "rows");
	end_rows(w, 0);
}

static void many_tensors(struct wire *w, int n)
{
	uint64_t *rows = calloc((size_t)n, 8);
	wire_begin(w);
	for (int i = 0; i < n; i++) {
		char name[16];
		snprintf(name, sizeof name, "t%d", i);
		wire_tdef(w, (uint32_t)i, TNS_U8, 1, open_dim, name);
	}
	wire_end(w, n, rows);
	free(rows);
}

static void tensors_4097(struct wire *w)
{
	many_tensors(w, TNS_TENSORS_MAX + 1);
}

static void tdef_empty(struct wire *w)
{
	uint64_t n = 0;
	wire_begin(w);
	wire_record(w, "TDEF", 0, NULL, 0);
	wire_end(w, 1, &n);
}

static void tdef_of_7(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "TDEF", 0, "\1\0\1\0\0\0\0", 7);
	end_rows(w, 0);
}

static void tdef_longer(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "TDEF", 0, "\1\0\1\0\0\0\0\0ab", 10);
	end_rows(w, 0);
}

static void tdef_shorter(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "TDEF", 0, "\1\0\2\0\0\0\0\0a", 9);
	end_rows(w, 0);
}

static void tdef_without_dims(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "TDEF", 0, "\1\7\1\0\0\0\0\0a", 9);
	end_rows(w, 0);
}

static void tdef_zero_field(struct wire *w)
{
	wire_begin(w);
	wire_tdef_raw(w, 0, TNS_U32, 1, open_dim, "rows", 4, 0x01000000);
	end_rows(w, 0);
}

static void dtype_0(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 0, 0, 1, open_dim, "rows");
	end_rows(w, 0);
}

static void dtype_14(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 0, 14, 1, open_dim, "rows");
	end_rows(w, 0);
}

static void dtype_255(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 0, 255, 1, open_dim, "rows");
	end_rows(w, 0);
}

static void ndim_9(struct wire *w)
{
	static const uint64_t nine[9] = {UINT64_MAX, 1, 1, 1, 1, 1, 1, 1, 1};
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 9, nine, "rows");
	end_rows(w, 0);
}

static void ndim_255(struct wire *w)
{
	static const uint64_t many[255];
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 255, many, "rows");
	end_rows(w, 0);
}

static void name_empty(struct wire *w)
{
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "");
	end_rows(w, 0);
}

static void name_256(struct wire *w)
{
	char name[257];
	memset(name, 'n', 256);
	name[256] = 0;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, name);
	end_rows(w, 0);
}

static void names_equal(struct wire *w)
{
	uint64_t n[3] = {0};
	begin_rows(w);
	wire_tdef(w, 1, TNS_U8, 1, open_dim, "other");
	wire_tdef(w, 2, TNS_U8, 1, open_dim, "rows");
	wire_end(w, 3, n);
}

/* A tensor of these dimensions without rows. */
static void dims(struct wire *w, int dtype, int ndim, const uint64_t *dim)
{
	uint64_t n = ndim && dim[0] != UINT64_MAX ? dim[0] : 0;
	wire_begin(w);
	wire_tdef(w, 0, dtype, ndim, dim, "t");
	wire_end(w, 1, &n);
}
#define DIMS(name, dtype, ...)                                                                                                             \
	static void name(struct wire *w)                                                                                                   \
	{                                                                                                                                  \
		static const uint64_t d[] = {__VA_ARGS__};                                                                                 \
		dims(w, dtype, sizeof d / sizeof *d, d);                                                                                   \
	}
DIMS(dim1_zero, TNS_U8, UINT64_MAX, 0)
DIMS(dim7_zero, TNS_U8, UINT64_MAX, 1, 1, 1, 1, 1, 1, 0)
DIMS(dim1_open, TNS_U8, UINT64_MAX, UINT64_MAX)
DIMS(zero_times_huge, TNS_U8, UINT64_MAX, 1ull << 63, 0)
DIMS(wrap_to_0, TNS_U8, UINT64_MAX, 1ull << 32, 1ull << 32)
DIMS(wrap_to_1, TNS_U8, UINT64_MAX, 0xFFFFFFFFFFFFFFFFull, 0xFFFFFFFFFFFFFFFFull)
DIMS(wrap_by_size, TNS_F64, UINT64_MAX, (1ull << 61) + 1)
DIMS(wrap_twice, TNS_U16, UINT64_MAX, 1ull << 22, 1ull << 22, 1ull << 19)
DIMS(row_over_limit, TNS_U8, UINT64_MAX, (16 << 20) + 1)
DIMS(row_over_limit_by_size, TNS_F64, UINT64_MAX, (2 << 20) + 1)
DIMS(rows_over_limit, TNS_U8, (1ull << 48) + 1)
DIMS(rows_next_to_open, TNS_U8, UINT64_MAX - 1)
DIMS(rows_2_63, TNS_U8, 1ull << 63)
DIMS(rows_times_row, TNS_U8, 1ull << 48, 1 << 16)

/* ---- META ---- */

static void meta_bytes(struct wire *w, const void *p, size_t n)
{
	begin_rows(w);
	wire_record(w, "META", WIRE_NONE, p, n);
	finish_rows(w);
}

static void meta_empty(struct wire *w)
{
	meta_bytes(w, NULL, 0);
}

static void meta_of_5(struct wire *w)
{
	meta_bytes(w, "\1\0\0\0\0", 5);
}

static void meta_without_key(struct wire *w)
{
	meta_bytes(w, "\0\0\1\0\0\0v", 7);
}

static void meta_longer(struct wire *w)
{
	meta_bytes(w, "\1\0\1\0\0\0kvv", 9);
}

static void meta_shorter(struct wire *w)
{
	meta_bytes(w, "\1\0\2\0\0\0kv", 8);
}

static void meta_huge_value(struct wire *w)
{
	meta_bytes(w, "\1\0\xFF\xFF\xFF\xFFkv", 8);
}

static void meta_key_zero(struct wire *w)
{
	begin_rows(w);
	wire_meta_raw(w, "a\0b", 3, "v", 1);
	finish_rows(w);
}

static void meta_twice(struct wire *w)
{
	begin_rows(w);
	wire_meta(w, "a", "1");
	wire_meta(w, "b", "1");
	wire_meta(w, "a", "2");
	finish_rows(w);
}

static void meta_twice_late(struct wire *w)
{
	begin_rows(w);
	wire_meta(w, "a", "1");
	wire_data(w, 0, rows4, 16);
	wire_meta(w, "a", "1");
	end_rows(w, 4);
}

static void meta_amid_data(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 8);
	wire_meta(w, "a", "1");
	wire_data(w, 0, rows4, 8);
	end_rows(w, 4);
}

static void meta_much(struct wire *w, size_t bytes)
{
	char *v = malloc(bytes);
	memset(v, 'v', bytes);
	begin_rows(w);
	wire_meta_raw(w, "aa", 2, v, bytes / 2 - 2);
	wire_data(w, 0, rows4, 16);
	wire_meta_raw(w, "bb", 2, v, bytes - bytes / 2 - 2);
	end_rows(w, 4);
	free(v);
}

static void meta_over_limit(struct wire *w)
{
	meta_much(w, TNS_META_MAX + 1);
}

static void meta_key_utf8(struct wire *w)
{
	begin_rows(w);
	wire_meta(w, "na\xEFve", "v");
	finish_rows(w);
}

static const char *const not_utf8[] = {"\x80", "\xBF", "a\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE2\x82", "\xE0\x9F\xBF", "\xED\xA0\x80",
	"\xED\xBF\xBF", "\xE2(\xA1", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x9F\x98", "\xFF", "\xFE\xFF",
	"ok\xFC\x80\x80\x80\x80\x80"};
static const char *const is_utf8[] = {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
	"\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "na\xC3\xAFve \xF0\x9F\x98\x80", "\t\n\x01"};

/* ---- DATA ---- */

static void data_of_none(struct wire *w)
{
	wire_begin(w);
	wire_data(w, 0, rows4, 16);
	wire_end(w, 0, NULL);
}

static void data_of_id_1(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 1, rows4, 16);
	end_rows(w, 4);
}

static void data_of_no_id(struct wire *w)
{
	begin_rows(w);
	wire_data(w, WIRE_NONE, rows4, 16);
	end_rows(w, 4);
}

static void data_empty(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, NULL, 0);
	end_rows(w, 0);
}

static void data_half_row(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 14);
	end_rows(w, 3);
}

static void data_over_given(struct wire *w)
{
	uint64_t dim = 3, n = 3;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, &dim, "rows");
	wire_data(w, 0, rows4, 8);
	wire_data(w, 0, rows4, 8);
	wire_end(w, 1, &n);
}

static void data_of_given_0(struct wire *w)
{
	uint64_t dim = 0, n = 0;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, &dim, "rows");
	wire_data(w, 0, rows4, 4);
	wire_end(w, 1, &n);
}

static void data_single_twice(struct wire *w)
{
	uint64_t n = 1;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 0, NULL, "single");
	wire_data(w, 0, rows4, 4);
	wire_data(w, 0, rows4, 4);
	wire_end(w, 1, &n);
}

static void data_single_of_2(struct wire *w)
{
	uint64_t n = 2;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 0, NULL, "single");
	wire_data(w, 0, rows4, 8);
	wire_end(w, 1, &n);
}

/* ---- END ---- */

static void no_end(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
}

static void end_of_0(struct wire *w)
{
	begin_rows(w);
	wire_end(w, 0, NULL);
}

static void end_of_2(struct wire *w)
{
	uint64_t n[2] = {4, 0};
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	wire_end(w, 2, n);
}

static void end_longer(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "END", WIRE_NONE, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
}

static void end_shorter(struct wire *w)
{
	begin_rows(w);
	wire_record(w, "END", WIRE_NONE, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
}

static void end_empty(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "END", WIRE_NONE, NULL, 0);
}

static void end_zero_field(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "END", WIRE_NONE, "\0\0\0\0\1\0\0\0", 8);
}

static void end_counts_less(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	end_rows(w, 3);
}

static void end_counts_more(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	end_rows(w, 5);
}

static void end_counts_high(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	end_rows(w, 4 + (1ull << 32));
}

static void end_before_given(struct wire *w)
{
	uint64_t dim = 5, n = 4;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, &dim, "rows");
	wire_data(w, 0, rows4, 16);
	wire_end(w, 1, &n);
}

static void end_says_given(struct wire *w)
{
	uint64_t dim = 5, n = 5;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, &dim, "rows");
	wire_data(w, 0, rows4, 16);
	wire_end(w, 1, &n);
}

static void end_before_single(struct wire *w)
{
	uint64_t n = 0;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 0, NULL, "single");
	wire_end(w, 1, &n);
}

static void end_and_a_byte(struct wire *w)
{
	begin_rows(w);
	finish_rows(w);
	wire_put(w, "", 1);
}

static void end_twice(struct wire *w)
{
	begin_rows(w);
	finish_rows(w);
	end_rows(w, 4);
}

static void two_streams(struct wire *w)
{
	begin_rows(w);
	finish_rows(w);
	size_t n = w->n;
	unsigned char *p = malloc(n);
	memcpy(p, w->p, n);
	wire_put(w, p, n);
	free(p);
}

static void data_after_end(struct wire *w)
{
	begin_rows(w);
	finish_rows(w);
	wire_data(w, 0, rows4, 16);
}

static void abrt(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 16);
	wire_record(w, "ABRT", WIRE_NONE, "no space left", 13);
}

static void abrt_first(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "ABRT", WIRE_NONE, "", 0);
}

static void abrt_then_end(struct wire *w)
{
	abrt(w);
	end_rows(w, 4);
}

static const struct {
	const char *message;
	void (*make)(struct wire *w);
	int chunks; /* returned before the refusal */
} bad[] = {
	{"the input is empty", empty_input, 0},
	{"the input ends after 31 of 32 bytes", short_preamble, 0},
	{"record 0: the input ends without END", only_preamble, 0},
	{"preamble: this is not a tensor stream", magic_of_text, 0},
	{"preamble: this is not a tensor stream", magic_without_cr, 0},
	{"preamble: checksum", preamble_crc, 0},
	{"preamble: version 2", major_2, 0},
	{"preamble: version 0", major_0, 0},
	{"preamble: version 257", major_257, 0},
	{"preamble: byte 12 is 1, not 0", first_reserved, 0},
	{"preamble: byte 27 is 128, not 0", last_reserved, 0},
	{"record 1: header checksum", head_crc, 0},
	{"record 1: header checksum", head_crc_unchained, 0},
	{"record 0: header checksum", first_head_unchained, 0},
	{"record 0: sequence number 1", seq_from_1, 0},
	{"record 1: sequence number 2", seq_skips, 0},
	{"record 1: sequence number 0", seq_repeats, 0},
	{"record 1: sequence number 65537", seq_high_bits, 0},
	{"record 1: unknown flags 00000002", flag_bit_1, 0},
	{"record 1: unknown flags 80000000", flag_bit_31, 0},
	{"record 1: unknown flags 00000004", flag_on_skipped, 0},
	{"record 1: stored 16 bytes, raw 12", stored_not_raw, 0},
	{"is over the limit of 16777216", stored_over_limit, 0},
	{"a payload of 4294967295 bytes, raw 4294967295, is over the limit", stored_said_huge, 0},
	{"is over the limit of 16777216", raw_over_limit, 0},
	{"record 1: tensor id 0 where none belongs", id_on_meta, 0},
	{"record 0: tensor id 0 where none belongs", id_on_end, 0},
	{"record 1: tensor id 0 where none belongs", id_on_skipped, 0},
	{"record 1: tensor id 1 where none belongs", id_on_abrt, 0},
	{"record 1: unknown type 45544f4e", type_upper, 0},
	{"record 1: unknown type", type_mixed, 0},
	{"record 1: unknown type", type_digit, 0},
	{"record 1: unknown type 00000000", type_zero, 0},
	{"record 1: unknown type", type_high, 0},
	{"record 1: unknown type", type_brace, 0},
	{"record 0: unknown type", end_with_space, 0},
	{"record 1: the input ends", end_lower, 0},
	{"record 1: payload checksum", skipped_payload_crc, 0},
	{"record 1: the zlib stream is not whole or not of 5 bytes", skipped_zlib, 0},
	{"record 1: the zlib stream is not whole or not of 0 bytes", skipped_zlib_of_one, 0},
	{"record 1: payload checksum", payload_crc, 0},
	{"record 0: payload checksum", end_payload_crc, 0},
	{"record 1: padding that is not zero", padding_not_zero, 0},
	{"record 0: padding that is not zero", end_padding_not_zero, 0},
	{"record 1: padding that is not zero", skipped_padding_not_zero, 0},
	{"record 1: the zlib stream is not whole or not of 20 bytes", zlib_short, 0},
	{"record 1: the zlib stream is not whole or not of 12 bytes", zlib_long, 0},
	{"record 1: the zlib stream", zlib_cut, 0},
	{"record 1: the zlib stream", zlib_with_tail, 0},
	{"record 1: the zlib stream", zlib_twice, 0},
	{"record 1: the zlib stream", zlib_adler, 0},
	{"record 1: the zlib stream", zlib_not, 0},
	{"record 1: the zlib stream", zlib_gzip, 0},
	{"record 1: the zlib stream", zlib_bare, 0},
	{"record 1: the zlib stream", zlib_dictionary, 0},
	{"record 1: the zlib stream", zlib_empty, 0},
	{"can't inflate to", bomb_said, 0},
	{"record 1: the zlib stream is not whole or not of 16 bytes", bomb_hidden, 0},
	{"record 2: a tensor is defined after the first row", tdef_after_data, 1},
	{"record 0: tensor id 1, not 0", ids_from_1, 0},
	{"record 1: tensor id 0, not 1", ids_repeat, 0},
	{"record 0: tensor id 4294967295, not 0", ids_none, 0},
	{"record 4096: more than 4096 tensors", tensors_4097, 0},
	{"record 0: a definition of 0 bytes", tdef_empty, 0},
	{"record 0: a definition of 7 bytes", tdef_of_7, 0},
	{"record 0: a definition of 10 bytes does not add up", tdef_longer, 0},
	{"record 0: a definition of 9 bytes does not add up", tdef_shorter, 0},
	{"record 0: a definition of 9 bytes does not add up", tdef_without_dims, 0},
	{"record 0: a definition of 20 bytes does not add up", tdef_zero_field, 0},
	{"record 0: unknown dtype 0", dtype_0, 0},
	{"record 0: unknown dtype 14", dtype_14, 0},
	{"record 0: unknown dtype 255", dtype_255, 0},
	{"record 0: 9 dimensions", ndim_9, 0},
	{"record 0: 255 dimensions", ndim_255, 0},
	{"record 0: a tensor name", name_empty, 0},
	{"record 0: a tensor name", name_256, 0},
	{"record 2: two tensors are named rows", names_equal, 0},
	{"record 0: t: dimension 1 is 0", dim1_zero, 0},
	{"record 0: t: dimension 7 is 0", dim7_zero, 0},
	{"record 0: t: dimension 1 is 18446744073709551615", dim1_open, 0},
	{"record 0: t: dimension 1 is 9223372036854775808", zero_times_huge, 0},
	{"record 0: t: dimension 1 is 4294967296", wrap_to_0, 0},
	{"record 0: t: dimension 1 is", wrap_to_1, 0},
	{"record 0: t: dimension 1 is", wrap_by_size, 0},
	{"record 0: t: dimension 2 is", wrap_twice, 0},
	{"record 0: t: dimension 1 is 16777217", row_over_limit, 0},
	{"record 0: t: dimension 1 is 2097153", row_over_limit_by_size, 0},
	{"record 0: t: 281474976710657 rows are too many", rows_over_limit, 0},
	{"record 0: t: 18446744073709551614 rows are too many", rows_next_to_open, 0},
	{"record 0: t: 9223372036854775808 rows are too many", rows_2_63, 0},
	{"record 0: t: 281474976710656 rows are too many", rows_times_row, 0},
	{"record 1: a META of 0 bytes does not add up", meta_empty, 0},
	{"record 1: a META of 5 bytes does not add up", meta_of_5, 0},
	{"record 1: a META of 7 bytes does not add up", meta_without_key, 0},
	{"record 1: a META of 9 bytes does not add up", meta_longer, 0},
	{"record 1: a META of 8 bytes does not add up", meta_shorter, 0},
	{"record 1: a META of 8 bytes does not add up", meta_huge_value, 0},
	{"record 1: a META that is not UTF-8", meta_key_zero, 0},
	{"record 3: two METAs are named a", meta_twice, 0},
	{"record 3: two METAs are named a", meta_twice_late, 1},
	{"record 3: rows after a late META", meta_amid_data, 1},
	{"record 3: more META than 1048576 bytes", meta_over_limit, 1},
	{"record 1: a META that is not UTF-8", meta_key_utf8, 0},
	{"record 0: rows of tensor 0, but there are 0", data_of_none, 0},
	{"record 1: rows of tensor 1, but there are 1", data_of_id_1, 0},
	{"record 1: rows of tensor 4294967295, but there are 1", data_of_no_id, 0},
	{"record 1: rows: 0 bytes are not whole rows of 4", data_empty, 0},
	{"record 1: rows: 14 bytes are not whole rows of 4", data_half_row, 0},
	{"record 2: rows: row 4 of 3", data_over_given, 1},
	{"record 1: rows: row 1 of 0", data_of_given_0, 0},
	{"record 2: single: row 2 of 1", data_single_twice, 1},
	{"record 1: single: row 2 of 1", data_single_of_2, 0},
	{"record 2: the input ends without END", no_end, 1},
	{"record 1: END does not count 1 tensors", end_of_0, 0},
	{"record 2: END does not count 1 tensors", end_of_2, 1},
	{"record 1: END does not count 1 tensors", end_longer, 0},
	{"record 1: END does not count 1 tensors", end_shorter, 0},
	{"record 0: END does not count 0 tensors", end_empty, 0},
	{"record 0: END does not count 0 tensors", end_zero_field, 0},
	{"record 2: rows: 4 rows came, END says 3", end_counts_less, 1},
	{"record 2: rows: 4 rows came, END says 5", end_counts_more, 1},
	{"record 2: rows: 4 rows came, END says 4294967300", end_counts_high, 1},
	{"record 2: rows: 4 rows came, END says 4, its definition otherwise", end_before_given, 1},
	{"record 2: rows: 4 rows came, END says 5", end_says_given, 1},
	{"record 1: single: 0 rows came, END says 0, its definition otherwise", end_before_single, 0},
	{"record 2: bytes after END", end_and_a_byte, 1},
	{"record 2: bytes after END", end_twice, 1},
	{"record 2: bytes after END", two_streams, 1},
	{"record 2: bytes after END", data_after_end, 1},
	{"record 2: its producer gave up: no space left", abrt, 1},
	{"record 0: its producer gave up: ", abrt_first, 0},
	{"record 2: its producer gave up: no space left", abrt_then_end, 1},
};

/* With WIRE_DUMP=DIR every stream is written there, to test other readers. */
static void dump(const struct wire *w, const char *kind, int i)
{
	char path[1024];
	const char *dir = getenv("WIRE_DUMP");
	snprintf(path, sizeof path, "%s/%s-%03d.tns", dir ? dir : "", kind, i);
	FILE *f = dir ? fopen(path, "wb") : NULL;
	if (f)
		ck_assert((!w->n || fwrite(w->p, 1, w->n, f) == w->n) && !fclose(f));
}

/* Refused with this reason, the same from memory, a file and a pipe, after exactly so many chunks. */
START_TEST(refused)
{
	struct wire w;
	char why[4][512];
	bad[_i].make(&w);
	dump(&w, "bad", _i);
	ck_assert(!wire_read(w.p ? w.p : (unsigned char *)"", w.n, why[0]));
	ck_assert_msg(strstr(why[0], bad[_i].message) != NULL, "'%s' has no '%s'", why[0], bad[_i].message);
	ck_assert(!wire_read_file(w.p ? w.p : (unsigned char *)"", w.n, why[1]));
	ck_assert(!wire_read_pipe(w.p, w.n, w.n < 1 << 20 ? 7 : 65536, why[2]));
	ck_assert_str_eq(why[0], why[1]);
	ck_assert_str_eq(why[0], why[2]);
	struct tns *t = tns_open_memory(w.p, w.n, "memory");
	int n = 0;
	while (tns_step(t) == TNS_DATA)
		n++;
	ck_assert_int_eq(n, bad[_i].chunks);
	ck_assert_int_eq(t->aborted, strstr(bad[_i].message, "gave up") != NULL);
	tns_free(t);
	free(w.p);
}
END_TEST

START_TEST(reserved)
{
	for (int i = 12; i < 28; i++) {
		struct wire w;
		wire_begin(&w);
		w.p[i] = (unsigned char)i;
		fix_preamble(&w);
		wire_end(&w, 0, NULL);
		ck_assert(!wire_read(w.p, w.n, NULL));
		free(w.p);
	}
}
END_TEST

/* Every byte as the first, last and only byte of a name. */
START_TEST(names)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
	for (int c = 0; c < 256; c++)
		for (int at = 0; at < 3; at++) {
			unsigned char name[3] = {'a', 'b', 'c'};
			struct wire w;
			uint64_t n = 0;
			name[at == 1 ? 2 : 0] = (unsigned char)c;
			wire_begin(&w);
			wire_tdef_raw(&w, 0, TNS_U32, 1, open_dim, name, at == 2 ? 1 : 3, 0);
			wire_end(&w, 1, &n);
			ck_assert_msg(wire_read(w.p, w.n, NULL) == (c && strchr(good, c) != NULL), "byte %d at %d", c, at);
			free(w.p);
		}
}
END_TEST

START_TEST(utf8)
{
	struct wire w;
	for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
		begin_rows(&w);
		wire_meta(&w, "k", not_utf8[i]);
		finish_rows(&w);
		ck_assert_msg(!wire_read(w.p, w.n, NULL), "value %zu", i);
		free(w.p);
	}
	for (size_t i = 0; i < sizeof is_utf8 / sizeof *is_utf8; i++) {
		begin_rows(&w);
		wire_meta(&w, is_utf8[i][0] ? is_utf8[i] : "k", is_utf8[i]);
		finish_rows(&w);
		ck_assert_msg(wire_read(w.p, w.n, NULL), "value %zu", i);
		free(w.p);
	}
}
END_TEST

/* ---- unusual but valid ---- */

static void nothing(struct wire *w)
{
	wire_begin(w);
	wire_end(w, 0, NULL);
}

static void minor_7(struct wire *w)
{
	wire_preamble(w, 1, 7);
	wire_end(w, 0, NULL);
}

static void minor_65535(struct wire *w)
{
	wire_preamble(w, 1, 65535);
	wire_end(w, 0, NULL);
}

static void no_rows(struct wire *w)
{
	begin_rows(w);
	end_rows(w, 0);
}

static void given_0(struct wire *w)
{
	dims(w, TNS_U8, 2, (uint64_t[]){0, 5});
}

static void skipped_anywhere(struct wire *w)
{
	wire_begin(w);
	wire_record(w, "note", WIRE_NONE, NULL, 0);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "rows");
	wire_record(w, "aBC1", WIRE_NONE, "x", 1);
	wire_data(w, 0, rows4, 8);
	wire_zlib(w, "z\0\0\0", WIRE_NONE, "some longer text, longer than what zlib makes of it", 50);
	wire_data(w, 0, rows4 + 2, 8);
	wire_record(w, "tdef", WIRE_NONE, rows4, 16);
	wire_meta(w, "late", "");
	wire_record(w, "data", WIRE_NONE, rows4, 16);
	end_rows(w, 4);
}

static void zlib_everywhere(struct wire *w)
{
	uint64_t n[2] = {1, 1};
	unsigned char tdef[] = {TNS_U32, 0, 1, 0, 0, 0, 0, 0, 'a'};
	wire_begin(w);
	wire_zlib(w, "TDEF", 0, tdef, sizeof tdef);
	wire_zlib(w, "META", WIRE_NONE, "\1\0\1\0\0\0kv", 8);
	wire_zlib(w, "DATA", 0, rows4, 4);
	wire_zlib(w, "END", WIRE_NONE, n, 16);
}

static void chunks_of_any_size(struct wire *w)
{
	begin_rows(w);
	wire_data(w, 0, rows4, 4);
	wire_data(w, 0, rows4 + 1, 8);
	wire_data(w, 0, rows4 + 3, 4);
	end_rows(w, 4);
}

static void largest_row(struct wire *w)
{
	uint64_t d[2] = {UINT64_MAX, TNS_CHUNK_MAX}, n = 2;
	unsigned char *p = calloc(TNS_CHUNK_MAX, 1);
	wire_begin(w);
	wire_tdef(w, 0, TNS_U8, 2, d, "large");
	p[TNS_CHUNK_MAX - 1] = 7;
	wire_data(w, 0, p, TNS_CHUNK_MAX);
	wire_zlib(w, "DATA", 0, p, TNS_CHUNK_MAX);
	wire_end(w, 1, &n);
	free(p);
}

static void tensors_4096(struct wire *w)
{
	many_tensors(w, TNS_TENSORS_MAX);
}

static void name_255(struct wire *w)
{
	char name[256];
	memset(name, 'n', 255);
	name[255] = 0;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 1, open_dim, name);
	end_rows(w, 0);
}

static void ndim_8(struct wire *w)
{
	uint64_t n = 1;
	wire_begin(w);
	wire_tdef(w, 0, TNS_U32, 8, one, "eight");
	wire_data(w, 0, rows4, 4);
	wire_end(w, 1, &n);
}

static void meta_at_limit(struct wire *w)
{
	meta_much(w, TNS_META_MAX);
}

static void meta_before_tdef(struct wire *w)
{
	wire_begin(w);
	wire_meta(w, "first", "1");
	wire_tdef(w, 0, TNS_U32, 1, open_dim, "rows");
	wire_meta_raw(w, "zeros", 5, "a\0b", 3);
	finish_rows(w);
}

static void (*const good[])(struct wire *w) = {nothing, minor_7, minor_65535, no_rows, given_0, skipped_anywhere, zlib_everywhere,
	chunks_of_any_size, largest_row, tensors_4096, name_255, ndim_8, meta_at_limit, meta_before_tdef};

START_TEST(accepted)
{
	struct wire w;
	char why[512];
	good[_i](&w);
	dump(&w, "good", _i);
	ck_assert_msg(wire_read(w.p, w.n, why), "%s", why);
	ck_assert_msg(wire_read_file(w.p, w.n, why), "%s", why);
	ck_assert_msg(wire_read_pipe(w.p, w.n, w.n < 1 << 20 ? 5 : 60000, why), "%s", why);
	/* one byte more or less is refused */
	wire_put(&w, "", 1);
	ck_assert(!wire_read(w.p, w.n, why));
	ck_assert(!wire_read(w.p, w.n - 2, why));
	free(w.p);
}
END_TEST

/* Unusual but valid streams are read as written. */
START_TEST(values)
{
	struct wire w;
	skipped_anywhere(&w);
	struct tns *t = tns_open_memory(w.p, w.n, "memory");
	uint32_t got[4], n = 0;
	while (tns_step(t) == TNS_DATA) {
		ck_assert_uint_eq(t->row, n);
		memcpy(got + n, t->data, t->rows * 4);
		n += (uint32_t)t->rows;
	}
	ck_assert_uint_eq(n, 4);
	ck_assert_mem_eq(got, rows4, 16);
	ck_assert_uint_eq(t->fingerprint, w.chain);
	ck_assert_str_eq(tns_meta_value(t, "late"), "");
	ck_assert_int_eq(t->meta[0].late, 1);
	tns_free(t);
	free(w.p);
	meta_before_tdef(&w);
	t = tns_open_memory(w.p, w.n, "memory");
	ck_assert_int_eq(tns_head(t), TNS_DONE);
	ck_assert_int_eq(tns_head(t), TNS_DONE);
	ck_assert_int_eq(t->ntensors, 1);
	ck_assert_int_eq(t->nmeta, 2);
	ck_assert_str_eq(tns_meta_value(t, "first"), "1");
	ck_assert_ptr_null(tns_meta_value(t, "second"));
	ck_assert_uint_eq(t->meta[1].value_len, 3);
	ck_assert_mem_eq(t->meta[1].value, "a\0b", 4);
	ck_assert_int_eq(t->meta[1].late, 0);
	tns_free(t);
	free(w.p);
}
END_TEST

/* A program ends with one line that names the stream and the record. */
static void open_and_read(void *arg)
{
	err_name("reader");
	struct tns *t = tns_open(arg);
	while (tns_next(t))
		;
}

static void load(void *arg)
{
	err_name("loader");
	tns_load(arg);
}

START_TEST(dies)
{
	struct wire w;
	char path[1024], want[2048];
	abrt(&w);
	snprintf(path, sizeof path, "%s", wire_path("cut.tns"));
	FILE *f = fopen(path, "wb");
	ck_assert(f && fwrite(w.p, 1, w.n, f) == w.n && !fclose(f));
	struct child c = child_run(open_and_read, path);
	snprintf(want, sizeof want, "reader: %s: record 2: its producer gave up: no space left\n", path);
	ck_assert_str_eq(c.err, want);
	ck_assert_int_eq(c.status, 1);
	c = child_run(load, path);
	snprintf(want, sizeof want, "loader: %s: record 2: its producer gave up: no space left\n", path);
	ck_assert_str_eq(c.err, want);
	ck_assert_int_eq(c.status, 1);
	c = child_run(load, "/");
	ck_assert_str_eq(c.err, "loader: /: preamble: Is a directory: tns-import --form folder makes a data set of its images\n");
	c = child_run(open_and_read, "no/such");
	ck_assert_str_eq(c.err, "reader: no/such: No such file or directory\n");
	c = child_run(load, "no/such");
	ck_assert_str_eq(c.err, "loader: no/such: No such file or directory\n");
	c = child_run(load, "/dev/null");
	ck_assert_str_eq(c.err, "loader: /dev/null: preamble: the input is empty\n");
	free(w.p);
}
END_TEST

static void both_refuse(const unsigned char *p, size_t n, const char *what)
{
	char path[1024];
	snprintf(path, sizeof path, "%s", wire_path("large.tns"));
	FILE *f = fopen(path, "wb");
	ck_assert(f && fwrite(p, 1, n, f) == n && !fclose(f));
	struct child a = child_run(open_and_read, path), b = child_run(load, path);
	ck_assert_msg(a.status == 1 && b.status == 1, "%s: exit %d, %d", what, a.status, b.status);
	ck_assert_msg(!strcmp(strchr(a.err, ' '), strchr(b.err, ' ')), "%s: %s%s", what, a.err, b.err);
}

/* A file so large that several processors verify its checksums, ahead of the reader and in any order: data and messages are those of a
 * reader that goes from record to record. */
START_TEST(large)
{
	enum { ROWS = 900000, N = 2 };
	char path[1024];
	uint32_t *data = malloc(ROWS * sizeof *data), *copy = malloc(ROWS * sizeof *copy), v = 1;
	for (size_t i = 0; i < ROWS; i++)
		data[i] = v = v * 1664525 + 1013904223;
	snprintf(path, sizeof path, "%s", wire_path("large.tns"));
	struct tns_writer *w = tns_create(path);
	for (int i = 0; i < N; i++)
		tns_define(w, i ? "b" : "a", TNS_I32, 1, (uint64_t[]){ROWS});
	for (int i = 0; i < N; i++)
		tns_write(w, i, data, ROWS);
	tns_close(w);
	struct tns_table *b = tns_load(path);
	for (int i = 0; i < N; i++) {
		memset(copy, 0, ROWS * sizeof *copy);
		tns_copy(b, i, copy);
		ck_assert_msg(!memcmp(copy, data, ROWS * sizeof *data), "tensor %d", i);
	}
	tns_unload(b);
	size_t n;
	unsigned char *p = wire_slurp(path, &n);
	static const double places[] = {0, 1e-6, 0.0001, 0.02, 0.3, 0.5, 0.77, 0.999, 0.99999};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t at = (size_t)(places[i] * (double)n);
		p[at] ^= 4;
		both_refuse(p, n, "one byte");
		p[n / 5] ^= 1; /* an earlier one, or a later one */
		both_refuse(p, n, "two bytes");
		p[at] ^= 4, p[n / 5] ^= 1;
		if (at)
			both_refuse(p, at, "cut");
	}
	for (size_t at = 32; at < 192; at += 12) { /* in the first records' headers, too */
		p[at] ^= 0x11;
		both_refuse(p, n, "near the beginning");
		p[at] ^= 0x11;
	}
	free(p), free(data), free(copy);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tns_bad");
	TCase *t = tcase_create("tns_bad");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, refused, 0, sizeof bad / sizeof *bad);
	tcase_add_loop_test(t, accepted, 0, sizeof good / sizeof *good);
	tcase_add_test(t, reserved);
	tcase_add_test(t, names);
	tcase_add_test(t, utf8);
	tcase_add_test(t, values);
	tcase_add_test(t, dies);
	tcase_add_test(t, large);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
