/* answer: what is told to the agent. A full socket is the agent's end or soon over: it waits. */
#ifndef OUTERGATE_FORWARD_ANSWER_H
#define OUTERGATE_FORWARD_ANSWER_H

#include "forward.h"

/* Those at the queue's head that are resolved leave it and are acknowledged. */
void answer_acks(struct forwarder *f);
void answer_again(struct forwarder *f);
/* Only when it changed. */
void answer_state(struct forwarder *f, bool failing);

#endif
