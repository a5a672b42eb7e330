/*
 * core_hash: one keyed hash for everything that is looked up by what it is (core_hash.c): 64 bits
 * for tables, 128 for ids. Not for secrets: who knows the seed knows the hash.
 */
#ifndef OUTERGATE_CORE_HASH_H
#define OUTERGATE_CORE_HASH_H

#include "core.h"

/* The name that was hashed last: events come in rows of the same host and account. */
struct known_hash {
	uint64_t seed, hash;
	size_t size; /* of text; 0: none yet */
	char text[ACCOUNT_MAX];
};
struct known_hashes {
	struct known_hash account, host;
};

uint64_t hash_u64(uint64_t h, uint64_t v);
uint64_t hash_text(uint64_t h, struct span s);
uint64_t hash_addr(uint64_t h, const struct addr *a);
/* hash_text() of an account under the core's seed, and of a host under its own. */
uint64_t hash_account(const struct core *c, struct span name);
uint64_t hash_host(const struct core *c, struct span name);
/* 128 bits of the same chain under two keys, as hex. */
struct id_hash {
	uint64_t a, b;
};
struct id_hash id_start(void);
void id_add(struct id_hash *h, struct span s);
void id_add_u64(struct id_hash *h, uint64_t v);
void id_text(const struct id_hash *h, char out[ID_TEXT_MAX]);

#endif
