/*
 * request_run: does what a person asked for (store_request_put), in the agent that owns core and
 * store. The result is one sentence for that person.
 */
#ifndef OUTERGATE_REQUEST_RUN_H
#define OUTERGATE_REQUEST_RUN_H

#include "../core/core.h"
#include "store.h"

#define REQUEST_RESULT_MAX 256

void request_run(struct core *core, struct store *s, const struct store_request *q, uint64_t now_ns,
		 char ret[REQUEST_RESULT_MAX]);

#endif
