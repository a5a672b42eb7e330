/*
 * ranges: many blocks of addresses as one set, such as a provider publishes. Plain data, made by
 * who may read files (cli/range_files.c); asked by the core.
 */
#ifndef OUTERGATE_RANGES_H
#define OUTERGATE_RANGES_H

#include "addr.h"

struct range_set {
	struct cidr *rows; /* sorted, none inside another */
	uint32_t count;
};

/* Sorts, and drops what is inside another. */
void range_set_settle(struct range_set *s);
bool range_set_has(const struct range_set *s, const struct addr *a);

#endif
