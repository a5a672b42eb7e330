/*
 * echo: the same thing told by two sources (the journal and /var/log/auth.log; an ETW session and
 * the event log) is told once.
 *
 * Counts per source how often an identical event came; one that another source has told at least
 * as often before is an echo. A line whose writer is proven false is never an echo.
 */
#ifndef OUTERGATE_ECHO_H
#define OUTERGATE_ECHO_H

#include <stdbool.h>

#include "../event.h"

/* A login makes about 4 lines; this holds the last minute of 60 attempts a second. */
#define ECHO_ROWS    16384
#define ECHO_SOURCES 24
/* rsyslog and journald are seldom further apart than this. */
#define ECHO_WINDOW_NS 60000000000ull

struct echo_row {
	uint64_t hash, time_ns;
	uint8_t told[ECHO_SOURCES];
};

struct echo {
	struct echo_row rows[ECHO_ROWS];
};

bool echo_seen(struct echo *x, unsigned source, const struct event *ev);

#endif
