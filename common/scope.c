/*
 * scope: the IANA special-purpose address registries as one table, most specific rows first.
 *
 * Sources: iana-ipv4-special-registry and iana-ipv6-special-registry, plus the multicast blocks
 * and, for v6, the rule that only 2000::/3 is global unicast (RFC 4291 2.4). "Globally reachable:
 * true" is `external`; false or "not applicable" without a class of its own is `reserved`.
 *
 * Decided here: Teredo (2001::/32) and 6to4 (2002::/16) are `reserved`: anybody can be behind a
 * relay, and the v4 address inside them is a claim. The unspecified addresses are `reserved` too,
 * never "no address", so that a strange line is not taken for a local one. Both count as external.
 *
 * Cannot see: routing. Whether 100.64.0.0/10 is a tunnel of this host is told by the rules.
 */
#include "scope.h"

struct scope_row {
	uint8_t family, bits;
	uint8_t scope; /* enum scope */
	uint8_t prefix[16];
	const char *rfc;
};

#define V4(bits, scope, rfc, ...)                                                                  \
	{                                                                                          \
		ADDR_V4, bits, SCOPE_##scope, {__VA_ARGS__}, rfc                                   \
	}
#define V6(bits, scope, rfc, ...)                                                                  \
	{                                                                                          \
		ADDR_V6, bits, SCOPE_##scope, {__VA_ARGS__}, rfc                                   \
	}

/* The first match wins: an exception stands above the block it is cut from. */
static const struct scope_row rows[] = {
	V4(8, RESERVED, "RFC 791", 0), /* this network */
	V4(8, PRIVATE, "RFC 1918", 10),
	V4(10, SHARED, "RFC 6598", 100, 64), /* carrier NAT */
	V4(8, LOOPBACK, "RFC 1122", 127),
	V4(16, LINK_LOCAL, "RFC 3927", 169, 254),
	V4(12, PRIVATE, "RFC 1918", 172, 16),
	V4(32, EXTERNAL, "RFC 7723", 192, 0, 0, 9),  /* PCP anycast */
	V4(32, EXTERNAL, "RFC 8155", 192, 0, 0, 10), /* TURN anycast */
	V4(24, RESERVED, "RFC 6890", 192, 0, 0),     /* protocol assignments */
	V4(24, RESERVED, "RFC 5737", 192, 0, 2),     /* documentation */
	V4(24, EXTERNAL, "RFC 7535", 192, 31, 196),  /* AS112 */
	V4(24, EXTERNAL, "RFC 7450", 192, 52, 193),  /* AMT */
	V4(24, RESERVED, "RFC 7526", 192, 88, 99),   /* 6to4 relays, deprecated */
	V4(16, PRIVATE, "RFC 1918", 192, 168),
	V4(24, EXTERNAL, "RFC 7534", 192, 175, 48), /* AS112 */
	V4(15, RESERVED, "RFC 2544", 198, 18),	    /* benchmarks */
	V4(24, RESERVED, "RFC 5737", 198, 51, 100), /* documentation */
	V4(24, RESERVED, "RFC 5737", 203, 0, 113),  /* documentation */
	V4(4, RESERVED, "RFC 5771", 224),	    /* multicast */
	V4(4, RESERVED, "RFC 1112", 240),	    /* future use, limited broadcast */
	V4(0, EXTERNAL, "RFC 791", 0),

	V6(128, LOOPBACK, "RFC 4291", [15] = 1),
	V6(96, RESERVED, "RFC 6052", 0x00, 0x64, 0xff, 0x9b),	    /* NAT64 that did not fold */
	V6(48, RESERVED, "RFC 8215", 0x00, 0x64, 0xff, 0x9b, 0, 1), /* local NAT64 */
	V6(64, RESERVED, "RFC 6666", 0x01),			    /* discard only */
	V6(64, RESERVED, "RFC 9780", 0x01, 0, 0, 0, 0, 0, 0, 1),    /* dummy prefix */
	V6(128, EXTERNAL, "RFC 7723", 0x20, 0x01, 0, 1, [15] = 1),  /* PCP anycast */
	V6(128, EXTERNAL, "RFC 8155", 0x20, 0x01, 0, 1, [15] = 2),  /* TURN anycast */
	V6(128, EXTERNAL, "RFC 9665", 0x20, 0x01, 0, 1, [15] = 3),  /* DNS-SD anycast */
	V6(48, RESERVED, "RFC 5180", 0x20, 0x01, 0, 2),		    /* benchmarks */
	V6(32, EXTERNAL, "RFC 7450", 0x20, 0x01, 0, 3),		    /* AMT */
	V6(48, EXTERNAL, "RFC 7535", 0x20, 0x01, 0, 4, 0x01, 0x12), /* AS112 */
	V6(28, RESERVED, "RFC 4843", 0x20, 0x01, 0, 0x10),	    /* ORCHID, deprecated */
	V6(28, EXTERNAL, "RFC 7343", 0x20, 0x01, 0, 0x20),	    /* ORCHIDv2 */
	V6(28, EXTERNAL, "RFC 9374", 0x20, 0x01, 0, 0x30),	    /* DRIP entity tags */
	V6(23, RESERVED, "RFC 2928", 0x20, 0x01),		    /* protocols, Teredo */
	V6(32, RESERVED, "RFC 3849", 0x20, 0x01, 0x0d, 0xb8),	    /* documentation */
	V6(16, RESERVED, "RFC 3056", 0x20, 0x02),		    /* 6to4 */
	V6(48, EXTERNAL, "RFC 7534", 0x26, 0x20, 0, 0x4f, 0x80),    /* AS112 */
	V6(20, RESERVED, "RFC 9637", 0x3f, 0xff),		    /* documentation */
	V6(3, EXTERNAL, "RFC 4291", 0x20),			    /* global unicast */
	V6(16, RESERVED, "RFC 9602", 0x5f),			    /* SRv6 segments */
	V6(7, PRIVATE, "RFC 4193", 0xfc),			    /* unique local */
	V6(10, LINK_LOCAL, "RFC 4291", 0xfe, 0x80),
	V6(8, RESERVED, "RFC 4291", 0xff), /* multicast */
	V6(0, RESERVED, "RFC 4291", 0),	   /* all the rest */
};

/* Most addresses: none of the rows above but the last is about them. */
static bool is_plain_v4(const struct addr *a)
{
	switch (a->bytes[0]) {
	case 0:
	case 10:
	case 100:
	case 127:
	case 169:
	case 172:
	case 192:
	case 198:
	case 203:
		return false;
	default:
		return a->family == ADDR_V4 && a->bytes[0] < 224;
	}
}

static bool row_has(const struct scope_row *r, const struct addr *a)
{
	unsigned whole = r->bits / 8u, part = r->bits % 8u;

	/* The first byte decides nearly always; this runs for every event. */
	if (r->family != a->family || (whole && r->prefix[0] != a->bytes[0]) ||
	    memcmp(r->prefix, a->bytes, whole) != 0)
		return false;
	return part == 0 || ((r->prefix[whole] ^ a->bytes[whole]) >> (8 - part)) == 0;
}

static const struct scope_override *override_of(const struct addr *a,
						const struct scope_rules *rules)
{
	const struct scope_override *best = NULL;

	for (unsigned i = 0; rules && i < rules->count; i++) {
		const struct scope_override *o = &rules->rows[i];

		if (cidr_has(&o->cidr, a) && (!best || o->cidr.bits > best->cidr.bits))
			best = o;
	}
	return best;
}

enum scope scope_of(const struct addr *a, const struct scope_rules *rules)
{
	const struct scope_override *o = override_of(a, rules);

	if (o)
		return o->scope;
	if (is_plain_v4(a))
		return SCOPE_EXTERNAL;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (row_has(&rows[i], a))
			return (enum scope)rows[i].scope;
	return SCOPE_NONE;
}

bool scope_counts_as_external(enum scope s, const struct scope_rules *rules)
{
	if (s == SCOPE_SHARED)
		return !(rules && rules->shared_is_local);
	return s == SCOPE_EXTERNAL || s == SCOPE_RESERVED;
}

static const char *const names[SCOPE_COUNT] = {
	[SCOPE_NONE] = "",
	[SCOPE_LOOPBACK] = "loopback",
	[SCOPE_LINK_LOCAL] = "link-local",
	[SCOPE_PRIVATE] = "private",
	[SCOPE_SHARED] = "shared",
	[SCOPE_RESERVED] = "reserved",
	[SCOPE_EXTERNAL] = "external",
};

const char *scope_name(enum scope s)
{
	return s < SCOPE_COUNT ? names[s] : "";
}

bool scope_from_name(struct span name, enum scope *ret)
{
	for (unsigned i = SCOPE_NONE + 1; i < SCOPE_COUNT; i++) {
		if (span_is(name, names[i])) {
			*ret = (enum scope)i;
			return true;
		}
	}
	return false;
}
