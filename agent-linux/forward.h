/*
 * forward: the engine's side of forwarders: what is put into the outbox, handed to each
 * destination's process and acknowledged by it. No network here; see forward/.
 */
#ifndef OUTERGATE_AGENT_FORWARD_H
#define OUTERGATE_AGENT_FORWARD_H

#include <jansson.h>

#include "common/alert.h"

struct engine;
struct event;
struct forwarding;

/* 0 or -errno; e->forwarding stays NULL when no forwarder is configured. */
int forward_open(struct engine *e);
void forward_close(struct engine *e);
/* Inside the transaction that stores it. */
void forward_alert(struct engine *e, const struct alert *a);
void forward_session(struct engine *e, const struct session *s);
/* Each event; costs one comparison when nobody wants them. */
void forward_event(struct engine *e, const struct event *ev);
void forward_committed(struct engine *e, bool committed);
/* Before what the store missed is put there, and after. */
void forward_forget_seen(struct engine *e);
void forward_caught_up(struct engine *e);
/* After the commit: hands over what there is. */
void forward_pump(struct engine *e);
/* Cursors, trimming and the size of the outbox; when due. */
void forward_poll(struct engine *e, uint64_t now_ns);
uint64_t forward_next(const struct engine *e); /* UINT64_MAX: nothing waits */
/* A test record to each; "NAME handed over;NAME reason" after what is in ret. */
void forward_test(struct engine *e, const struct alert *a, char *ret, size_t cap);
/* For `status`; a new reference. */
json_t *forward_status(const struct engine *e);

#endif
