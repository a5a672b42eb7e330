/*
 * replay_order: events kept until the end of the input and then taken in the order of their time.
 *
 * A Windows host writes one logon into three or four logs, and a log that went round begins in its
 * middle; files given one after the other are still one story. Grows with the input.
 */
#ifndef OUTERGATE_REPLAY_ORDER_H
#define OUTERGATE_REPLAY_ORDER_H

#include "common/event.h"

struct held_event {
	uint64_t seq; /* of equal times the first that was read comes first */
	struct event e;
	char texts[];
};

struct replay_order {
	struct held_event **rows;
	size_t count, cap;
};

/* A copy, texts included. 0 or -ENOMEM. */
int replay_order_add(struct replay_order *o, const struct event *e);
void replay_order_sort(struct replay_order *o);
void replay_order_free(struct replay_order *o);

#endif
