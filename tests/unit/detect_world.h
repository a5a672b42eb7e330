/*
 * detect_world: what the tests of several detections do: guess, and get in.
 */
#ifndef TESTS_DETECT_WORLD_H
#define TESTS_DETECT_WORLD_H

#include "core_world.h"

#include "common/core/core_internal.h"

#define A "203.0.113.9"
#define B "198.51.100.77"

static inline void guess(struct world *w, double at, const char *origin, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		failed(w, at + i, origin, 2000 + i, "alice");
}

/* Guesses by the kernel's word, each on its own connection; the last one gets in. */
static inline void intrude(struct world *w, double at, uint64_t conn, const char *origin,
			   unsigned fails)
{
	for (unsigned i = 0; i < fails; i++) {
		connected(w, at + i, conn + 1 + i, origin, 3000 + i);
		failed(w, at + i, origin, 3000 + i, "alice");
		pam_failed(w, at + i, conn + 1 + i, origin, 3000 + i, "alice");
	}
	connected(w, at + fails, conn, origin, 2999);
	pam_password(w, at + fails, conn, origin, 2999, "alice");
	accepted(w, at + fails, origin, 2999, "alice", METHOD_PASSWORD, "");
}

#endif
