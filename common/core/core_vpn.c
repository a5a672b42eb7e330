/*
 * vpn: who comes in through a VPN of this host. A VPN session was given an inner address; a
 * connection from that address, made while the session had it, is the same person, and its origin
 * is where the VPN client is.
 *
 * Whose the address was when the connection began decides, not whose it is when somebody asks:
 * addresses are given to the next client seconds later. Once found the VPN session stays with the
 * connection. An address of the outside counts only where the journal vouches for who gave it,
 * since a line in a file could hide a stranger behind a friend.
 *
 * A peer of WireGuard has networks rather than an address; the longest prefix is whose it is.
 *
 * Cannot see: a VPN of another host; who is behind a client that forwards for others; which of two
 * clients of one account at one outside address it is.
 *
 * Example: alice from 203.0.113.10 was given 10.8.0.2; ssh from 10.8.0.2 comes from 203.0.113.10.
 */
#include "core_internal.h"

/* The line about the address may be written after the first use. */
#define GRACE_NS (3 * SECOND_NS)

struct csession *vpn_of(const struct core *c, const struct conn *n)
{
	uint32_t slot = n->vpn - 1u;

	if (!n->vpn || !pool_is_used(&c->sessions, slot) ||
	    (uint16_t)pool_handle(&c->sessions, slot).generation != n->vpn_generation)
		return NULL;
	return pool_at(&c->sessions, slot);
}

static bool is_vpn(const struct core *c, uint32_t slot)
{
	const struct csession *s = pool_at(&c->sessions, slot);

	return pool_is_used(&c->sessions, slot) && s->pub.by_gateway &&
	       s->pub.service == SERVICE_VPN;
}

/* Another session of that host had the address: it has not any more. */
static void taken(struct core *c, const struct csession *by, const struct cidr *net)
{
	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		struct csession *s = pool_at(&c->sessions, i);

		if (!is_vpn(c, i) || s == by || s->pub.state == SESSION_CLOSED ||
		    s->pub.gate.host != by->pub.gate.host)
			continue;
		for (unsigned k = 0; k < INNERS; k++)
			if (memcmp(&s->inner[k].net, net, sizeof(*net)) == 0)
				s->inner[k] = (struct vpn_inner){0};
	}
}

void vpn_given(struct core *c, struct csession *s, const struct cidr *net, uint64_t time_ns)
{
	unsigned at = 0;

	if (s->pub.service != SERVICE_VPN || !net->addr.family)
		return;
	for (unsigned k = 0; k < INNERS; k++) {
		if (memcmp(&s->inner[k].net, net, sizeof(*net)) == 0)
			return;
		if (s->inner[k].since_ns < s->inner[at].since_ns)
			at = k;
	}
	taken(c, s, net);
	s->inner[at] = (struct vpn_inner){.net = *net, .since_ns = time_ns};
	c->inners_given = true;
}

static bool is_believed(const struct core *c, const struct csession *s, const struct addr *a)
{
	const struct scope_rules *rules = &c->config.scope;

	return s->pub.proven || !scope_counts_as_external(scope_of(a, rules), rules);
}

/* What the session had of it when the connection began, since when; since_ns 0: it had not. */
static struct vpn_inner had(const struct csession *s, const struct addr *a, uint64_t began_ns)
{
	struct vpn_inner best = {0};

	if (s->pub.state == SESSION_CLOSED && s->pub.close_ns < began_ns)
		return best;
	for (unsigned k = 0; k < INNERS; k++) {
		const struct vpn_inner *in = &s->inner[k];

		if (in->net.addr.family && cidr_has(&in->net, a) &&
		    in->since_ns <= began_ns + GRACE_NS &&
		    (!best.since_ns || in->net.bits > best.net.bits))
			best = *in;
	}
	return best;
}

/*
 * The longer prefix, as a route is chosen; else who had it by then goes before who was told to have
 * it a moment later.
 */
static bool is_nearer(const struct vpn_inner *in, const struct vpn_inner *than, uint64_t began_ns)
{
	uint64_t since_ns = in->since_ns, than_ns = than->since_ns;

	if (than_ns && in->net.bits != than->net.bits)
		return in->net.bits > than->net.bits;
	if (!than_ns || (since_ns > began_ns) != (than_ns > began_ns))
		return !than_ns || than_ns > began_ns;
	return since_ns > began_ns ? since_ns < than_ns : since_ns > than_ns;
}

void vpn_joins(struct core *c, struct conn *n)
{
	uint64_t began_ns = conn_first(n);
	struct vpn_inner nearest = {0}, in;
	uint32_t host = n->kernel ? 0 : n->host, best = NIL;

	if (!c->inners_given || n->vpn || n->gateway || !n->origin.addr.family)
		return;
	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		const struct csession *s = pool_at(&c->sessions, i);

		if (!is_vpn(c, i) || s->pub.gate.host != host ||
		    !is_believed(c, s, &n->origin.addr))
			continue;
		in = had(s, &n->origin.addr, began_ns);
		if (in.since_ns && is_nearer(&in, &nearest, began_ns)) {
			best = i;
			nearest = in;
		}
	}
	if (best == NIL || best >= UINT16_MAX)
		return;
	n->vpn = (uint16_t)(best + 1);
	n->vpn_generation = (uint16_t)pool_handle(&c->sessions, best).generation;
}
