/*
 * receivers: the parent's side: it binds what `Receivers` names, which the process that listens
 * could not (ports below 1024, sockets and pipes in directories of root), and starts that process.
 */
#ifndef OUTERGATE_RECEIVERS_H
#define OUTERGATE_RECEIVERS_H

#include <poll.h>

#include "forwarders.h"

struct receivers {
	const struct config *config;
	struct forwarder_process process;
	int bound[RECEIVERS_MAX]; /* -1: none; kept while its row stands */
};

void receivers_init(struct receivers *x, const struct config *c);
/*
 * Binds what is not bound, ends a process that runs and starts another: its other socket, or
 * -errno. results: 0 or -errno of each row.
 */
int receivers_start(struct receivers *x, int32_t results[RECEIVERS_MAX]);
/* It asks for a file of a row. */
void receivers_answer(struct receivers *x);
void receivers_stop(struct receivers *x);

#endif
