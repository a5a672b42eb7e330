/*
 * scan: looks at 16 bytes of text at once. Internal to decode/.
 *
 * Every x86-64 has SSE2; elsewhere it is done with two words of 64 bits. memchr() is as fast on
 * long texts, but the strings of a record are short, and two bytes are looked for.
 */
#ifndef OUTERGATE_DECODE_SCAN_H
#define OUTERGATE_DECODE_SCAN_H

#include <stdint.h>
#include <string.h>

#define SCAN_BLOCK 16

#ifdef __SSE2__
#include <emmintrin.h>

/* Bit n: byte n of the 16 at p is c. */
static inline uint32_t scan_block(const char *p, char c)
{
	__m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c)));
}
#else
static inline uint32_t scan_word(const char *p, char c)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f;
	uint64_t v, found;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	v ^= 0x0101010101010101 * (uint64_t)(unsigned char)c;
	found = ~(((v & low) + low) | v | low); /* 0x80 where a byte is zero, and nowhere else */
	return (uint32_t)((found >> 7) * 0x0102040810204080 >> 56);
}

static inline uint32_t scan_block(const char *p, char c)
{
	return scan_word(p, c) | scan_word(p + 8, c) << 8;
}
#endif

/* The first quote or backslash at or after p; end when there is none. */
static inline const char *scan_string(const char *p, const char *end)
{
	for (; end - p >= SCAN_BLOCK; p += SCAN_BLOCK) {
		uint32_t found = scan_block(p, '"') | scan_block(p, '\\');

		if (found)
			return p + __builtin_ctz(found);
	}
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

#endif
