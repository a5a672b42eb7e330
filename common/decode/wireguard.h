/* wireguard: a peer of a WireGuard device, as the agent found it, becomes an event. */
#ifndef OUTERGATE_DECODE_WIREGUARD_H
#define OUTERGATE_DECODE_WIREGUARD_H

#include "../event.h"
#include "../wire.h"

#define WIREGUARD_KEY "WireGuard " /* how a session's key begins */

/*
 * A peer's keys are refused 180 s after their handshake (REJECT_AFTER_TIME; whitepaper, 6.1), and a
 * new handshake is tried 15 s after the last that went unanswered.
 */
#define WIREGUARD_LASTS_S 195

/* The caller has set process, origin and local. False: a field is out of range. */
bool wireguard_read(const struct wire_wireguard *w, struct event *e);

#endif
