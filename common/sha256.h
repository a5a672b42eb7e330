/* sha256: FIPS 180-4, in pieces of any length. Pure; the state is the caller's. */
#ifndef OUTERGATE_SHA256_H
#define OUTERGATE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
	uint32_t h[8];
	uint64_t len; /* bytes so far */
	uint8_t block[64];
};

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_SIZE]);

#endif
