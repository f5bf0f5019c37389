#include "lib/base/magic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BYTES(s) s, sizeof s - 1
#define PANDAS(read) "python3 -c 'import pandas,sys; pandas." read "(sys.argv[1]).to_csv(sys.stdout,index=False)'"
#define ARRAYS "tns-convert makes a tensor stream of it"
#define PICTURES "tns-import makes a data set of pictures"
#define SHEET "save its sheet as CSV"

/* Bytes at an offset; the first that fits wins. Letters alone are no sign: a column's name may begin with them. */
static const struct form {
	size_t at;
	const char *bytes;
	size_t n;
	struct magic m;
} forms[] = {
	{0, BYTES("\x1f\x8b"), {MAGIC_GZIP, "a gzip file", "gzip -dc"}},
	{30, BYTES("[Content_Types].xml"), {MAGIC_OTHER, "an Excel workbook or another office document", SHEET}},
	{30, BYTES("mimetypeapplication/vnd."), {MAGIC_OTHER, "an office document", SHEET}},
	{0, BYTES("PK\3\4"), {MAGIC_ZIP, "a zip file", "unzip -p"}},
	{0, BYTES("PK\5\6"), {MAGIC_ZIP, "a zip file", "unzip -p"}}, /* without files */
	{0, BYTES("\xfd\x37zXZ\0"), {MAGIC_PACKED, "an xz file", "xz -dc"}},
	{0, BYTES("\x5d\0\0"), {MAGIC_PACKED, "an lzma file", "xz -dc"}},
	{4, BYTES("1AY&SY"), {MAGIC_PACKED, "a bzip2 file", "bzip2 -dc"}},
	{0, BYTES("\x28\xb5\x2f\xfd"), {MAGIC_PACKED, "a zstd file", "zstd -dc"}},
	{0, BYTES("\x04\x22\x4d\x18"), {MAGIC_PACKED, "an lz4 file", "lz4 -dc"}},
	{0, BYTES("\x1f\x9d"), {MAGIC_PACKED, "a compress (.Z) file", "gzip -dc"}},
	{0, BYTES("7z\xbc\xaf\x27\x1c"), {MAGIC_PACKED, "a 7-Zip archive", "7z x -so"}},
	{0, BYTES("Rar!\x1a\7"), {MAGIC_PACKED, "a RAR archive", "unrar p -inul"}},
	{257, BYTES("ustar"), {MAGIC_PACKED, "a tar archive", "tar -xOf"}},
	{0, BYTES("\xff\xfe\0\0"), {MAGIC_TABLE, "UTF-32 text", "iconv -f UTF-32 -t UTF-8"}},
	{0, BYTES("\0\0\xfe\xff"), {MAGIC_TABLE, "UTF-32 text", "iconv -f UTF-32 -t UTF-8"}},
	{0, BYTES("\xff\xfe"), {MAGIC_TABLE, "UTF-16 text", "iconv -f UTF-16 -t UTF-8"}},
	{0, BYTES("\xfe\xff"), {MAGIC_TABLE, "UTF-16 text", "iconv -f UTF-16 -t UTF-8"}},
	{0, BYTES("ARROW1\0\0"), {MAGIC_TABLE, "an Arrow table (Feather)", PANDAS("read_feather")}},
	{0, BYTES("SQLite format 3\0"), {MAGIC_TABLE, "an SQLite database", "echo 'SELECT * FROM TABLE' | sqlite3 -header -csv"}},
	{0, BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), {MAGIC_OTHER, "an office document (xls, doc)", SHEET}},
	{0, BYTES("\x89TNS\r\n\x1a\n"), {MAGIC_OTHER, "a tensor stream", "tns-info shows what is in it, and the other programs read it"}},
	{0, BYTES("\x89HDF\r\n\x1a\n"), {MAGIC_OTHER, "an HDF5 file", NULL}},
	{0, BYTES("\x93NUMPY"), {MAGIC_OTHER, "a NumPy array (npy)", ARRAYS}},
	{0, BYTES("\x80\2"), {MAGIC_OTHER, "a Python pickle", NULL}},
	{0, BYTES("\x80\3"), {MAGIC_OTHER, "a Python pickle", NULL}},
	{0, BYTES("\x80\4\x95"), {MAGIC_OTHER, "a Python pickle", NULL}},
	{0, BYTES("\x80\5\x95"), {MAGIC_OTHER, "a Python pickle", NULL}},
	{0, BYTES("MATLAB 5.0 MAT-file"), {MAGIC_OTHER, "a MATLAB file", NULL}},
	{4, BYTES("\0\0\0\0{\""), {MAGIC_OTHER, "a safetensors file", ARRAYS}},
	{0, BYTES("\x89PNG\r\n\x1a\n"), {MAGIC_OTHER, "a PNG picture", PICTURES}},
	{0, BYTES("\xff\xd8\xff"), {MAGIC_OTHER, "a JPEG picture", PICTURES}},
	{0, BYTES("GIF89a"), {MAGIC_OTHER, "a GIF picture", NULL}},
	{0, BYTES("GIF87a"), {MAGIC_OTHER, "a GIF picture", NULL}},
	{6, BYTES("\0\0\0\0\x36\4\0\0\x28\0"), {MAGIC_OTHER, "a BMP picture", NULL}}, /* grey or colour */
	{6, BYTES("\0\0\0\0\x36\0\0\0\x28\0"), {MAGIC_OTHER, "a BMP picture", NULL}},
	{0, BYTES("II*\0"), {MAGIC_OTHER, "a TIFF picture", NULL}},
	{0, BYTES("MM\0*"), {MAGIC_OTHER, "a TIFF picture", NULL}},
	{8, BYTES("WEBPVP8"), {MAGIC_OTHER, "a WebP picture", NULL}},
	{0, BYTES("P5\n"), {MAGIC_OTHER, "a PGM picture", PICTURES}},
	{0, BYTES("P6\n"), {MAGIC_OTHER, "a PPM picture", PICTURES}},
	{0, BYTES("%PDF-"), {MAGIC_OTHER, "a PDF", NULL}},
	{0, BYTES("version https://git-lfs"), {MAGIC_OTHER, "a Git LFS pointer", "git lfs pull fetches the file itself"}},
};

static const struct magic npz = {MAGIC_OTHER, "a file of NumPy arrays (npz)", ARRAYS}, torch = {MAGIC_OTHER, "a PyTorch file", NULL},
			  parquet = {MAGIC_TABLE, "a Parquet table", PANDAS("read_parquet")}, onnx = {MAGIC_OTHER, "an ONNX model", NULL},
			  json = {MAGIC_TABLE, "JSON", PANDAS("read_json")},
			  coco = {MAGIC_OTHER, "JSON", "tns-import --form coco makes a data set of COCO's annotations"},
			  xml = {MAGIC_OTHER, "XML", "tns-import --form imglab makes a data set of dlib's annotations"},
			  html = {MAGIC_OTHER, "an HTML page", "perhaps the site's login: download the file again, signed in"},
			  utf16le = {MAGIC_TABLE, "UTF-16 text", "iconv -f UTF-16LE -t UTF-8"},
			  utf16be = {MAGIC_TABLE, "UTF-16 text", "iconv -f UTF-16BE -t UTF-8"}, text = {MAGIC_TEXT, "text", "csv-clean"};

/* A zip's first file tells what wrote it. */
static const struct magic *find_zip(const unsigned char *p, size_t n)
{
	size_t len = n >= 30 ? p[26] + 256u * p[27] : 0;
	const char *end = (const char *)p + 30 + len;
	if (len < 4 || 30 + len > n)
		return NULL;
	if (!memcmp(end - 4, ".npy", 4))
		return &npz;
	return len > 9 && !memcmp(end - 9, "/data.pkl", 9) ? &torch : NULL;
}

/* Whether the first key of an object, behind its quote, is one of COCO's. */
static int is_coco(const char *key, size_t n)
{
	static const char *const keys[] = {"images\"", "annotations\"", "categories\"", "info\"", "licenses\""};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (n >= strlen(keys[i]) && !memcmp(key, keys[i], strlen(keys[i])))
			return 1;
	return 0;
}

/* Forms of text, after a byte order mark and blanks. */
static const struct magic *find_markup(const unsigned char *p, const unsigned char *e)
{
	p += e - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;
	while (p < e && strchr(" \t\r\n", *p) && *p)
		p++;
	size_t n = (size_t)(e - p);
	const char *s = (const char *)p;
	if (n >= 9 && (!strncasecmp(s, "<!doctype", 9) || !strncasecmp(s, "<html", 5)))
		return &html;
	if (n >= 5 && !memcmp(s, "<?xml", 5))
		return &xml;
	if (!n || (*p != '{' && *p != '['))
		return NULL;
	unsigned char open = *p++;
	while (p < e && strchr(" \t\r\n", *p) && *p)
		p++;
	if (open == '{' && p < e && *p == '"' && is_coco((const char *)p + 1, (size_t)(e - p) - 1))
		return &coco;
	return p < e && (*p == (open == '{' ? '"' : '{') || (open == '[' && *p == '[')) ? &json : NULL;
}

static int is_letter(unsigned char c)
{
	return c >= ' ' && c < 127;
}

long magic_read(int fd, unsigned char head[MAGIC_BYTES])
{
	long n = 0;
	for (ssize_t got = 1; got && n<MAGIC_BYTES; n += got> 0 ? got : 0) {
		got = pread(fd, head + n, (size_t)(MAGIC_BYTES - n), n);
		if (got < 0 && errno != EINTR)
			return -1;
	}
	return n;
}

const struct magic *magic_find(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const struct form *f = &forms[i];
		if (n < f->at + f->n || memcmp(p + f->at, f->bytes, f->n))
			continue;
		const struct magic *other = f->m.kind == MAGIC_ZIP ? find_zip(p, n) : NULL;
		return other ? other : &f->m;
	}
	if (n >= 4 && is_letter(p[0]) && !p[1] && is_letter(p[2]) && !p[3])
		return &utf16le;
	if (n >= 4 && !p[0] && is_letter(p[1]) && !p[2] && is_letter(p[3]))
		return &utf16be;
	if (n >= 5 && !memcmp(p, "PAR1", 4) && !is_letter(p[4]) && !memchr("\t\r\n", p[4], 3))
		return &parquet;
	/* field 1, the version of the form, then field 2, its producer's name */
	if (n >= 6 && p[0] == 8 && p[1] && p[1] < 32 && p[2] == 0x12 && p[3] > 2 && is_letter(p[4]) && is_letter(p[5]))
		return &onnx;
	return find_markup(p, p + n);
}

const struct magic *magic_text(const unsigned char *p, size_t n)
{
	size_t i = 0;
	while (i < n && (p[i] >= ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') && p[i] != 127)
		i++;
	return i == n && n ? &text : NULL;
}

void magic_word(char *to, size_t size, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+,:@%=-";
	if (!strcmp(name, "stdin") || strchr(name, '\'') || !*name)
		name = "FILE";
	const char *quote = name[strspn(name, plain)] ? "'" : "";
	snprintf(to, size, "%s%s%s", quote, name, quote);
}

void magic_way(char *to, size_t size, const struct magic *m, const char *outer, const char *name, const char *then)
{
	char word[300];
	magic_word(word, sizeof word, name);
	if (m->kind == MAGIC_OTHER)
		snprintf(to, size, "%s%s", m->way ? ": " : "", m->way ? m->way : "");
	else if (!outer)
		snprintf(to, size, ": %s %s %s", m->way, word, then);
	else if (m->kind == MAGIC_GZIP || m->kind == MAGIC_ZIP) /* one layer off, and it is read */
		snprintf(to, size, ": %s %s %s", outer, word, then);
	else
		snprintf(to, size, ": %s %s >FILE && %s FILE %s", outer, word, m->way, then);
}
