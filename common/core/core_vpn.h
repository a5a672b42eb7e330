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

/* An address that an account was given before the line that it is in (charon's order). */
#define EARLIES 8
struct vpn_early {
	uint64_t who, time_ns; /* time 0: free */
	uint32_t host;
	struct addr addr;
};

void vpn_given(struct core *c, struct csession *s, const struct cidr *net, uint64_t time_ns);
/* Which VPN session it came through, if any: kept for as long as the connection is. */
void vpn_joins(struct core *c, struct conn *n);
struct csession *vpn_of(const struct core *c, const struct conn *n);

#endif
