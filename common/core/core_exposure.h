/* core_exposure: remote services that listened once; see core_exposure.c. Internal to core/. */
#ifndef OUTERGATE_CORE_EXPOSURE_H
#define OUTERGATE_CORE_EXPOSURE_H

#include <stdint.h>

/* The first row is of the baseline: no key, bits 1 once it is complete. */
#define EXPOSED_MAX 256
struct exposed {
	uint32_t key;	    /* 0: free */
	uint16_t day, bits; /* when it was last told; what was found */
};

struct core;
struct event;
void exposure_told(struct core *c, const struct event *e);

#endif
