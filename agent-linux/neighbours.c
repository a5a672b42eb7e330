/*
 * neighbours: the hardware address of an inside origin, when a session opens: of the network
 * namespace that the daemon's process is in, a container's as well as the host's. IPv4 only: what
 * IPv6 has is told by netlink, whose sockets the sandbox refuses.
 */
#include <stdio.h>

#include "common/decode/neighbours.h"
#include "engine.h"

#define LINES_MAX 8192 /* net.ipv4.neigh.default.gc_thresh3 is 1,024 by default */

static bool may_open(const struct event *ev)
{
	return ev->kind == EVENT_PAM && ev->result == 0 && ev->proc.pid &&
	       (ev->pam_call == PAM_CALL_ACCT_MGMT || ev->pam_call == PAM_CALL_OPEN_SESSION);
}

void neighbour_name(const struct engine *e, struct event *ev, char buf[NEIGHBOUR_TEXT])
{
	const struct scope_rules *rules = &e->config->scope;
	enum scope scope = scope_of(&ev->origin.addr, rules);
	char path[32], line[256];
	struct span mac;
	FILE *f;

	if (!may_open(ev) || ev->origin.addr.family != ADDR_V4 || scope == SCOPE_LOOPBACK ||
	    scope_counts_as_external(scope, rules))
		return;
	snprintf(path, sizeof(path), "/proc/%u/net/arp", ev->proc.pid);
	f = fopen(path, "re");
	if (!f)
		return;
	for (unsigned n = 0; n < LINES_MAX && fgets(line, sizeof(line), f); n++) {
		mac = neighbour_mac(span_of(line), &ev->origin.addr);
		if (span_empty(mac))
			continue;
		span_copy(buf, NEIGHBOUR_TEXT, mac);
		ev->mac = span_of(buf);
		break;
	}
	(void)fclose(f);
}
