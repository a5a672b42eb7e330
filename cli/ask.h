/* ask: what `alerts ack`, `forget` and `profiles --forget` share: a request and its answer. */
#ifndef OUTERGATE_ASK_H
#define OUTERGATE_ASK_H

#include "common/store/request_run.h"
#include "query.h"

struct ask {
	struct store *store;
	struct config *config;
};

/* The store for writing. EXIT_FINE, or one sentence printed and the exit code. */
int ask_open(const struct query *q, struct ask *ret);
/* Asks, and prints the answer; or that the agent will do it when it runs. The exit code. */
int ask_agent(struct ask *a, const char *verb, const char *subject, const char *detail);
/* The same, the answer into ret. 0, -EAGAIN: nobody answers yet; or an exit code, and it is said.
 */
int ask_agent_answer(struct ask *a, const char *verb, const char *subject, const char *detail,
		     char ret[REQUEST_RESULT_MAX]);
void ask_close(struct ask *a);

#endif
