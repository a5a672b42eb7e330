/*
 * addr: one IP address or CIDR block, the same for every source.
 *
 * v4-mapped (::ffff:0:0/96, RFC 4291 2.5.5.2) and NAT64 (64:ff9b::/96, RFC 6052) fold to v4 at
 * construction, so that one stranger never has two names. A NAT64 address whose v4 part is not
 * global keeps its v6 form (its scope is `reserved`).
 */
#ifndef OUTERGATE_ADDR_H
#define OUTERGATE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

enum {
	ADDR_NONE = 0,
	ADDR_V4 = 4,
	ADDR_V6 = 6
};

/* Longest text: 39 characters of v6, '%', 15 of a zone, NUL. */
#define ADDR_TEXT_MAX 64

struct addr {
	uint8_t family;	   /* ADDR_* */
	uint8_t pad[3];	   /* zero, so that memcmp compares */
	uint8_t bytes[16]; /* network order; v4 in the first four, the rest zero */
};

struct cidr {
	struct addr addr; /* host bits cleared */
	uint8_t bits;
	uint8_t pad[3];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order; 0 = unknown */
	uint16_t pad;
};

/* From 4 or 16 raw bytes in network order; folds. Any other length gives ADDR_NONE. */
struct addr addr_from_bytes(const void *bytes, size_t len);

/*
 * Understands: a.b.c.d, v6 with or without brackets, zone ids (dropped), "addr:port" and
 * "[v6]:port", and "LOCAL", "-" and empty (all three: ADDR_NONE, returns true).
 * ret_port may be NULL; it is set to 0 when no port was given. False: not an address; the
 * outputs are untouched. Leading zeros in v4 octets are refused (they are octal to some readers).
 */
bool addr_parse(struct span text, struct addr *ret_addr, uint16_t *ret_port);

/* Canonical text (RFC 5952 for v6); "" for ADDR_NONE. Returns buf. */
const char *addr_format(const struct addr *a, char buf[ADDR_TEXT_MAX]);

bool addr_eq(const struct addr *a, const struct addr *b);

/* The address with all but the first `bits` bits cleared. */
struct addr addr_mask(const struct addr *a, unsigned bits);

/* "a.b.c.d/n", "v6/n" or a bare address (full length). Host bits set is an error (false). */
bool cidr_parse(struct span text, struct cidr *ret);
bool cidr_has(const struct cidr *c, const struct addr *a);

/* A well-mixed hash; seed it where an attacker chooses the addresses. */
uint64_t addr_hash(const struct addr *a, uint64_t seed);

#endif
