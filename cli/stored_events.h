/*
 * stored_events: a session of the store as the events it was made of, as far as it keeps them.
 *
 * Kept are the login, the first and last commands, where it went on to, and how much was sent.
 * Not kept, so not given: attempts that failed, changes of files, what a broker started, loopback.
 */
#ifndef OUTERGATE_STORED_EVENTS_H
#define OUTERGATE_STORED_EVENTS_H

#include "common/event.h"
#include "common/session.h"

/* number: another one for each session, from 1. */
void stored_events(const struct session *s, uint64_t number,
		   void (*take)(void *arg, const struct event *e), void *arg);

#endif
