/* queue: what was handed over and is not answered, in order. */
#ifndef OUTERGATE_FORWARD_QUEUE_H
#define OUTERGATE_FORWARD_QUEUE_H

#include "forward.h"

/* Takes what the agent has handed over, as far as there is room; false: it has gone. */
bool queue_receive(struct forwarder *f);
/* The next queued items up to the batch and its bytes. */
unsigned queue_batch(struct forwarder *f, struct item **ret);
bool queue_waiting(const struct forwarder *f); /* is any queued? */
void queue_count(struct forwarder *f);	       /* of those that are pending, after states changed */
void queue_clear(struct forwarder *f);
struct item *queue_at(const struct forwarder *f, unsigned i);
/* The first, which is resolved, leaves; the caller frees it. */
struct item *queue_pop(struct forwarder *f);

#endif
