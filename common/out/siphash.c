/*
 * siphash: SipHash-2-4, a short keyed hash that cannot be predicted without its key. From the
 * paper (Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012); checked against its
 * vectors by the tests.
 */
#include "siphash.h"

static uint64_t rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t load(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

static void absorb(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	mix(v, 2);
	v[0] ^= m;
}

uint64_t siphash(struct span s, uint64_t k0, uint64_t k1)
{
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573};
	size_t whole = s.len - s.len % 8;

	for (size_t i = 0; i < whole; i += 8)
		absorb(v, load(s.ptr + i, 8));
	absorb(v, (uint64_t)s.len << 56 | (s.len % 8 ? load(s.ptr + whole, s.len % 8) : 0));
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
