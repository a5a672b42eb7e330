/*
 * guard: what becomes of the agent itself, told like anything else (sensor.interrupted): it was
 * ended and by whom, killed, changed, its hooks or its store were taken away, its clock was set.
 */
#ifndef OUTERGATE_GUARD_H
#define OUTERGATE_GUARD_H

#include "engine.h"
#include "priv.h"

/* After store and core are there, before anything new is told. */
void guard_start(struct engine *e);
/* With the core's memory, in its transaction: it was alive then. */
void guard_alive(struct engine *e);
/* The last words: PRIV_END of the parent. */
void guard_end(struct engine *e, const struct priv_msg *m);
/* At the end of the loop: when nobody said why, what is known. */
void guard_close(struct engine *e);
/* Every 30 s; guard_next: when. */
void guard_poll(struct engine *e, uint64_t now_ns);
uint64_t guard_next(const struct engine *e);

#endif
