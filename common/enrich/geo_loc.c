/*
 * geo_loc: databases of libloc (IPFire Location): country, network, and flags of networks.
 *
 * Sees the format "LOCDBXX" version 1: a header, then a binary tree over IPv6 (IPv4 below
 * ::ffff:0:0/96) whose nodes may name a network, the networks, the autonomous systems in order of
 * their numbers, and a pool of texts. All numbers are big-endian. The deepest network on the way
 * wins.
 * Its own library is not used: it maps sections without looking whether the file holds them, reads
 * texts that have no end, allocates for every lookup, and brings a cryptographic library with it.
 * Cannot see: whether the file is genuine; its signature is not checked.
 *
 * Example: 192.0.2.77 is below 192.0.2.0/24 with country DE, AS64500, flag anycast.
 */
#include "geo_db.h"

#include <errno.h>
#include <stdio.h>

#define MAGIC	       "LOCDBXX"
#define VERSION	       1
#define HEADER_SIZE    4200
#define NODE_SIZE      12
#define NETWORK_SIZE   12
#define AS_SIZE	       8
#define NO_NETWORK     UINT32_MAX
#define ADDRESS_BITS   128
#define FLAG_PROXY     1u
#define FLAG_SATELLITE 2u
#define FLAG_ANYCAST   4u
#define FLAG_DROP      8u

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool geo_loc_is(const uint8_t *bytes, size_t len)
{
	return len >= sizeof(MAGIC) && memcmp(bytes, MAGIC, sizeof(MAGIC) - 1) == 0;
}

/* Where a section is in the header, and how long a row of it is. */
struct section {
	unsigned at;
	uint32_t row;
	const char *name;
};

static int section_take(const uint8_t *bytes, size_t len, const struct section *s,
			const uint8_t **ret, uint32_t *ret_count, char err[GEO_ERROR_MAX])
{
	uint64_t offset = be32(bytes + s->at), size = be32(bytes + s->at + 4), end = offset + size;

	if (end > len) {
		snprintf(err, GEO_ERROR_MAX, "cut short: its %s would end at %llu of %llu bytes",
			 s->name, (unsigned long long)end, (unsigned long long)len);
		return -EINVAL;
	}
	*ret = bytes + offset;
	*ret_count = (uint32_t)(size / s->row);
	return 0;
}

/* Every index in the tree, once, so that no lookup can leave it. */
static int tree_check(const struct geo_loc *l, char err[GEO_ERROR_MAX])
{
	for (uint32_t i = 0; i < l->nodes_count; i++) {
		const uint8_t *n = l->nodes + (size_t)i * NODE_SIZE;
		uint32_t network = be32(n + 8);

		if (be32(n) < l->nodes_count && be32(n + 4) < l->nodes_count &&
		    (network == NO_NETWORK || network < l->networks_count))
			continue;
		snprintf(err, GEO_ERROR_MAX, "damaged: node %u of its tree leads out of the file",
			 (unsigned)i);
		return -EINVAL;
	}
	return 0;
}

static int sections_take(const uint8_t *bytes, size_t len, struct geo_loc *l,
			 char err[GEO_ERROR_MAX])
{
	static const struct section ases = {28, AS_SIZE, "networks' names"},
				    networks = {36, NETWORK_SIZE, "networks"},
				    tree = {44, NODE_SIZE, "tree"}, pool = {60, 1, "texts"};
	int r = section_take(bytes, len, &tree, &l->nodes, &l->nodes_count, err);

	if (!r)
		r = section_take(bytes, len, &networks, &l->networks, &l->networks_count, err);
	if (!r)
		r = section_take(bytes, len, &ases, &l->ases, &l->ases_count, err);
	if (!r)
		r = section_take(bytes, len, &pool, &l->pool, &l->pool_size, err);
	return r ? r : tree_check(l, err);
}

int geo_loc_open(const uint8_t *bytes, size_t len, struct geo_db *ret, char err[GEO_ERROR_MAX])
{
	struct geo_db db = {.kind = GEO_KIND_LOC, .type = "libloc"};
	int r;

	if (len < HEADER_SIZE) {
		snprintf(err, GEO_ERROR_MAX, "cut short: %llu bytes are less than its header",
			 (unsigned long long)len);
		return -EINVAL;
	}
	if (bytes[sizeof(MAGIC) - 1] != VERSION) {
		snprintf(err, GEO_ERROR_MAX, "libloc version %u; only 1 is understood",
			 bytes[sizeof(MAGIC) - 1]);
		return -EINVAL;
	}
	r = sections_take(bytes, len, &db.loc, err);
	if (r)
		return r;
	if (!db.loc.nodes_count || !db.loc.networks_count) {
		snprintf(err, GEO_ERROR_MAX, "empty: it holds no network");
		return -EINVAL;
	}
	db.built_s = (uint64_t)be32(bytes + 8) << 32 | be32(bytes + 12);
	db.identity = db.built_s * 31 + len;
	db.fields = GEO_FIELD_COUNTRY | GEO_FIELD_NETWORK | GEO_FIELD_FLAGS;
	*ret = db;
	return 0;
}

static void key_of(const struct addr *a, uint8_t key[16])
{
	if (a->family == ADDR_V6) {
		memcpy(key, a->bytes, 16);
		return;
	}
	memset(key, 0, 10);
	key[10] = key[11] = 0xff;
	memcpy(key + 12, a->bytes, 4);
}

static uint32_t network_of(const struct geo_loc *l, const struct addr *a)
{
	uint32_t node = 0, found = NO_NETWORK;
	uint8_t key[16];

	key_of(a, key);
	for (unsigned bit = 0;; bit++) {
		const uint8_t *n = l->nodes + (size_t)node * NODE_SIZE;
		uint32_t network = be32(n + 8);

		if (network != NO_NETWORK)
			found = network;
		if (bit == ADDRESS_BITS)
			return found;
		node = be32(n + 4 * (size_t)(key[bit / 8] >> (7 - bit % 8) & 1));
		if (!node)
			return found;
	}
}

static void take_name(const struct geo_loc *l, uint32_t asn, struct geo *ret)
{
	uint32_t low = 0, high = l->ases_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const uint8_t *as = l->ases + (size_t)middle * AS_SIZE;
		uint32_t number = be32(as), at = be32(as + 4);

		if (number == asn) {
			if (at < l->pool_size)
				geo_text(span_of_array((const char *)l->pool + at,
						       l->pool_size - at),
					 ret->as_org, sizeof(ret->as_org));
			return;
		}
		if (number < asn)
			low = middle + 1;
		else
			high = middle;
	}
}

static uint32_t flags_of(unsigned f)
{
	return (f & FLAG_PROXY ? GEO_ANONYMOUS : 0u) | (f & FLAG_SATELLITE ? GEO_SATELLITE : 0u) |
	       (f & FLAG_ANYCAST ? GEO_ANYCAST : 0u) | (f & FLAG_DROP ? GEO_DROP : 0u);
}

int geo_loc_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret)
{
	const struct geo_loc *l = &db->loc;
	uint32_t network = network_of(l, a);
	const uint8_t *row;

	if (network == NO_NETWORK)
		return 0;
	row = l->networks + (size_t)network * NETWORK_SIZE;
	if (!ret->country[0])
		geo_country((struct span){(const char *)row, 2}, ret->country);
	ret->flags |= flags_of((unsigned)row[8] << 8 | row[9]);
	if (ret->asn)
		return 0;
	ret->asn = be32(row + 4);
	if (ret->asn)
		take_name(l, ret->asn, ret);
	return 0;
}
