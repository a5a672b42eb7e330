/*
 * unit: as outergate-net@.service. The connection is descriptor 3 then; what the agent would have
 * given to a child comes over it (agent-linux/net_wire.h). When the agent hangs up we end at once.
 */
#ifndef OUTERGATE_FORWARD_UNIT_H
#define OUTERGATE_FORWARD_UNIT_H

#include <stdbool.h>

/* The connection, and every descriptor at its place; -1: we were not started so. */
int unit_begin(bool *ret_receive);

#endif
