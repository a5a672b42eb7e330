/* containers: what the containers of this host are called. */
#ifndef OUTERGATE_CONTAINERS_H
#define OUTERGATE_CONTAINERS_H

#include "common/decode/container.h"
#include "engine.h"

/* What the spans of an event lead to. */
struct container_texts {
	struct container_words words, more;
	char id[CONTAINER_ID_DIGITS], cmdline[4096];
	char *bundle, *engine;
};

/*
 * A container's event gets its names; of a login inside of one api.container, and the core is told
 * of a container that it does not know. Ended by containers_done() when the event was delivered.
 */
void containers_name(struct engine *e, struct event *ev, struct container_texts *t);
/* What the runtime of ev->proc says of its container, by way of the privileged half. */
void containers_ask(int priv, struct event *ev, uint32_t above, struct container_texts *t);
/* The id of a process's container; empty: it is in none, or in one without an id. */
struct span container_of_process(uint32_t pid, char id[CONTAINER_ID_DIGITS]);
void containers_done(struct container_texts *t);

#endif
