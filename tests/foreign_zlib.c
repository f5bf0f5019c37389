/* In place of zlib where a cross compiler has none: checksums alone; nothing is packed or unpacked. */
#include <zlib.h>

uLong crc32_z(uLong crc, const Bytef *p, z_size_t n)
{
	uLong c = crc ^ 0xFFFFFFFF;
	for (z_size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0xEDB88320 : 0);
	}
	return c ^ 0xFFFFFFFF;
}

uLong crc32(uLong crc, const Bytef *p, uInt n)
{
	return p ? crc32_z(crc, p, n) : 0;
}

uLong compressBound(uLong n)
{
	return n;
}

int compress2(Bytef *to, uLongf *n, const Bytef *from, uLong size, int level)
{
	(void)to, (void)n, (void)from, (void)size, (void)level;
	return Z_MEM_ERROR;
}

int uncompress2(Bytef *to, uLongf *n, const Bytef *from, uLong *size)
{
	(void)to, (void)n, (void)from, (void)size;
	return Z_DATA_ERROR;
}

int inflateInit2_(z_streamp z, int bits, const char *version, int size)
{
	(void)z, (void)bits, (void)version, (void)size;
	return Z_MEM_ERROR;
}

int inflate(z_streamp z, int flush)
{
	(void)z, (void)flush;
	return Z_DATA_ERROR;
}

int inflateReset(z_streamp z)
{
	(void)z;
	return Z_OK;
}

int inflateEnd(z_streamp z)
{
	(void)z;
	return Z_OK;
}
