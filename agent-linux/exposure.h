/*
 * exposure: the engine's looking at what listens: at its start, after somebody listened, and every
 * ten minutes. What is found becomes events, and the store's report for `outergate exposure`.
 */
#ifndef OUTERGATE_AGENT_EXPOSURE_H
#define OUTERGATE_AGENT_EXPOSURE_H

#include "engine.h"

struct exposures;

/* Before the first record is read; looks at once. */
void exposures_open(struct engine *e);
void exposures_close(struct engine *e);
/* A record was delivered: somebody listens. */
void exposures_hint(struct engine *e, const struct event *ev);
void exposures_poll(struct engine *e, uint64_t now_ns);
uint64_t exposures_next(const struct engine *e); /* wall time of the next look */
/* Services that are reachable from outside, and those that are new or changed, at the last look. */
void exposures_counts(const struct engine *e, unsigned *ret_findings, unsigned *ret_changes);
/* Looks now; NULL, or why it could not. */
const char *exposures_look(struct engine *e);

#endif
