/*
 * hash: keys of tables, and ids.
 *
 * An id is 128 bits: two chains of SipHash-2-4 under two fixed keys, each piece keyed by the hash
 * of what went before and taken with its length, so that ("ab", "c") and ("a", "bc") differ. Ids
 * need to be the same on every machine, so their keys are fixed; tables that an attacker fills are
 * keyed by a seed.
 */
#include "core_internal.h"

#include "../out/siphash.h"

uint64_t hash_u64(uint64_t h, uint64_t v)
{
	/* The finaliser of MurmurHash3, over a value that the seed was mixed into. */
	h ^= v;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

uint64_t hash_text(uint64_t h, struct span s)
{
	return siphash(s, h, 0x6f75746572676174);
}

static uint64_t hash_known(struct known_hash *k, uint64_t seed, struct span s)
{
	if (span_empty(s) || s.len > sizeof(k->text))
		return hash_text(seed, s);
	if (k->size != s.len || k->seed != seed || memcmp(k->text, s.ptr, s.len) != 0) {
		memcpy(k->text, s.ptr, s.len);
		k->size = s.len;
		k->seed = seed;
		k->hash = hash_text(seed, s);
	}
	return k->hash;
}

uint64_t hash_account(const struct core *c, struct span name)
{
	return hash_known(&c->known->account, c->seed, name);
}

uint64_t hash_host(const struct core *c, struct span name)
{
	return hash_known(&c->known->host, 1, name);
}

/*
 * Of the bytes as this machine loads them; ids that hold it are compared on machines of one byte
 * order only (all that we build for are little-endian).
 */
uint64_t hash_addr(uint64_t h, const struct addr *a)
{
	uint64_t part[2];

	memcpy(part, a->bytes, sizeof(part));
	return hash_u64(hash_u64(h ^ a->family, part[0]), part[1]);
}

struct id_hash id_start(void)
{
	return (struct id_hash){0x6f75746572676174, 0x652e69642e763031};
}

void id_add(struct id_hash *h, struct span s)
{
	h->a = siphash(s, h->a, 1);
	h->b = siphash(s, h->b, 2);
}

void id_add_u64(struct id_hash *h, uint64_t v)
{
	char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(v >> (8 * i));
	id_add(h, (struct span){bytes, sizeof(bytes)});
}

void id_text(const struct id_hash *h, char out[ID_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		out[i] = hex[h->a >> (60 - 4 * i) & 15];
		out[16 + i] = hex[h->b >> (60 - 4 * i) & 15];
	}
	out[32] = '\0';
}
