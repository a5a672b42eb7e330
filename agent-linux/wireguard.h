/* wireguard: peers of this host's WireGuard devices, told to the core as they come and go. */
#ifndef OUTERGATE_WIREGUARD_H
#define OUTERGATE_WIREGUARD_H

#include "engine.h"

/* Looks for those that are there already: before the connections that came through them. */
void wireguard_open(struct engine *e);
void wireguard_close(struct engine *e);
void wireguard_poll(struct engine *e, uint64_t now_ns);
uint64_t wireguard_next(const struct engine *e); /* wall time of the next look */
/* Before the core hears of a login: it may have come through a peer of this very moment. */
void wireguard_before(struct engine *e, const struct event *ev);

#endif
