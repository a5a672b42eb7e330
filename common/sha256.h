/* sha256: libmd's, under the names that the rest uses. Pure; the state is the caller's. */
#ifndef OUTERGATE_SHA256_H
#define OUTERGATE_SHA256_H

#include <sha2.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE SHA256_DIGEST_LENGTH

struct sha256 {
	SHA2_CTX state;
};

static inline void sha256_start(struct sha256 *s)
{
	SHA256Init(&s->state);
}

static inline void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	SHA256Update(&s->state, data, len);
}

static inline void sha256_end(struct sha256 *s, uint8_t ret[SHA256_SIZE])
{
	SHA256Final(ret, &s->state);
}

#endif
