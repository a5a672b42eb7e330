/* siphash: a keyed 64-bit hash for short texts chosen by others. */
#ifndef OUTERGATE_SIPHASH_H
#define OUTERGATE_SIPHASH_H

#include "../span.h"

uint64_t siphash(struct span s, uint64_t k0, uint64_t k1);

#endif
