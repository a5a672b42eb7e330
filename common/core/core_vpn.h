/* core_vpn: who comes through this host's VPN. Part of core_internal.h. */
#ifndef OUTERGATE_CORE_VPN_H
#define OUTERGATE_CORE_VPN_H

#include "../addr.h"

struct core;
struct conn;
struct csession;

#define INNERS 4 /* of one VPN session: IPv4, IPv6, a device more */

/* What a VPN session was given, and since when; family NONE: free. */
struct vpn_inner {
	struct cidr net;
	uint64_t since_ns;
};

void vpn_given(struct core *c, struct csession *s, const struct cidr *net, uint64_t time_ns);
/* Which VPN session it came through, if any: kept for as long as the connection is. */
void vpn_joins(struct core *c, struct conn *n);
struct csession *vpn_of(const struct core *c, const struct conn *n);

#endif
