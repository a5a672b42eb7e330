/*
 * net_unit: processes with the host's network, which systemd starts for a parent that has none
 * (net_wire.h). One that is root starts them itself (forwarders.c).
 */
#ifndef OUTERGATE_NET_UNIT_H
#define OUTERGATE_NET_UNIT_H

#include "net_wire.h"

/* Are we one that asks? */
bool net_unit_is_ours(void);
/* A process that begins with these (-1: none there); our end of its connection, or -errno. */
int net_unit_start(const int *fds, unsigned count, bool receive);
/* What it has bound, into the rows of bound that are -1. 0 or -errno. */
int net_unit_bound(int conn, int32_t results[RECEIVERS_MAX], int bound[RECEIVERS_MAX]);
/* Hangs up, which ends it at once. */
void net_unit_hang_up(int conn);
/* Has it ended within that time? */
bool net_unit_ended(int conn, int wait_ms);

#endif
