/*
 * scope: what class an address belongs to, by the IANA special-purpose registries (v4 and v6).
 *
 * This is the product's only definition of "external". Documentation and benchmark ranges are
 * `reserved` and count as external; 100.64.0.0/10 is `shared` and counts as external unless the
 * operator or the host's routing says it is local.
 */
#ifndef OUTERGATE_SCOPE_H
#define OUTERGATE_SCOPE_H

#include "addr.h"

enum scope {
	SCOPE_NONE, /* no address */
	SCOPE_LOOPBACK,
	SCOPE_LINK_LOCAL,
	SCOPE_PRIVATE,
	SCOPE_SHARED,
	SCOPE_RESERVED,
	SCOPE_EXTERNAL,
	SCOPE_COUNT
};

#define SCOPE_OVERRIDES_MAX 64

/* The operator's word, by CIDR; the longest prefix wins. */
struct scope_override {
	struct cidr cidr;
	enum scope scope;
};

struct scope_rules {
	struct scope_override rows[SCOPE_OVERRIDES_MAX];
	unsigned count;
	bool shared_is_local; /* 100.64/10 is routed to a tunnel, bridge or CNI interface here */
};

/* rules may be NULL: the registries alone. */
enum scope scope_of(const struct addr *a, const struct scope_rules *rules);
bool scope_counts_as_external(enum scope s, const struct scope_rules *rules);
const char *scope_name(enum scope s);
bool scope_from_name(struct span name, enum scope *ret);

#endif
