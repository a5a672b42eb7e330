/*
 * tunnels: a remote service of this host reached over loopback. What matters is who owns the
 * client end: a process that opened a connection to the outside lets somebody in by a way that no
 * firewall sees (access.loopback_forwarded); one that had accepted a connection is a local proxy,
 * and where that came from is the origin of the session.
 *
 * The kernel tells of the client end before the server's end exists, so the two meet by address
 * and port. Told once somebody talks through it: an attempt, a login, more than a banner, or 10 s;
 * a monitoring agent that looks whether the port answers is none.
 *
 * Docker's port forwarder is such a proxy, too, though its other end is a container's address.
 *
 * Example: `ssh -R 2222:localhost:22 relay.example` inside, then a login by relay's port 2222.
 */
#include "core_internal.h"

#define JOIN_NS (5 * SECOND_NS) /* both ends of one handshake, in rings of their own */

/* Docker's own passes what it accepts on to a container, which is another network namespace. */
static bool is_forwarder(const struct event *e)
{
	return span_is(e->program, "docker-proxy") && !e->uid;
}

static bool is_of(const struct tunnel *t, const struct conn *n)
{
	return t->e.kind && t->e.origin.port == n->origin.port &&
	       addr_eq(&t->e.origin.addr, &n->origin.addr) && t->e.local.port == n->local.port &&
	       (!n->netns || n->netns == t->e.netns ||
		(is_forwarder(&t->e) && addr_eq(&t->e.local.addr, &n->local.addr)));
}

static const struct tunnel *tunnel_of(const struct core *c, const struct conn *n)
{
	struct handle mine;

	if (!n->tunneled)
		return NULL;
	mine = pool_handle(&c->conns, pool_slot(&c->conns, n));
	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		if (c->tunnels[i].e.kind && c->tunnels[i].conn.slot == mine.slot &&
		    c->tunnels[i].conn.generation == mine.generation)
			return &c->tunnels[i];
	return NULL;
}

static struct tunnel *tunnel_at(struct core *c, const struct conn *n)
{
	const struct tunnel *t = tunnel_of(c, n);

	return t ? &c->tunnels[t - c->tunnels] : NULL;
}

static bool is_outside(const struct core *c, const struct tunnel *t)
{
	const struct scope_rules *rules = &c->config.scope;

	return scope_counts_as_external(scope_of(&t->e.dest.addr, rules), rules);
}

/* One a connection: what leads outside stays, else the latest. */
static void join(struct core *c, struct tunnel *t, struct conn *n)
{
	struct tunnel *old = tunnel_at(c, n);

	if (old && is_outside(c, old) && !(old->e.flags & EVENT_ACCEPTED)) {
		t->e.kind = EVENT_NONE;
		return;
	}
	if (old)
		old->e.kind = EVENT_NONE;
	t->conn = pool_handle(&c->conns, pool_slot(&c->conns, n));
	n->tunneled = true;
}

void tunnel_joins(struct core *c, struct conn *n, const struct event *e)
{
	for (unsigned i = 0; i < TUNNELS_MAX && e->trust == TRUST_KERNEL && !n->tunneled; i++) {
		struct tunnel *t = &c->tunnels[i];

		if (t->conn.slot == NIL && is_of(t, n) && e->time_ns < t->e.time_ns + JOIN_NS &&
		    t->e.time_ns < e->time_ns + JOIN_NS)
			join(c, t, n);
	}
}

/* Nobody needs it: never met its other end, or that has been closed for a while. */
static bool is_over(const struct core *c, const struct tunnel *t, uint64_t now_ns)
{
	const struct conn *n = pool_get(&c->conns, t->conn);

	if (!t->e.kind)
		return true;
	if (n && !n->closed)
		return false;
	return (n ? n->last_ns : t->e.time_ns) + JOIN_NS < now_ns;
}

/*
 * A free one; of the same user's the oldest when that user has TUNNELS_OF_USER, so that nobody
 * takes the places of others; else the oldest of all.
 */
static struct tunnel *tunnel_slot(struct core *c, const struct event *e)
{
	struct tunnel *free = NULL, *own = NULL, *oldest = NULL;
	unsigned mine = 0;

	for (unsigned i = 0; i < TUNNELS_MAX; i++) {
		struct tunnel *t = &c->tunnels[i];

		if (is_over(c, t, e->time_ns)) {
			free = t;
			continue;
		}
		if (!oldest || t->e.time_ns < oldest->e.time_ns)
			oldest = t;
		if (t->e.uid != e->uid)
			continue;
		mine++;
		if (!own || t->e.time_ns < own->e.time_ns)
			own = t;
	}
	if (free && mine < TUNNELS_OF_USER)
		return free;
	c->stats.tunnels_evicted++;
	return own ? own : oldest;
}

void tunnel_told(struct core *c, const struct event *e)
{
	struct tunnel *t = tunnel_slot(c, e);
	struct conn *n;

	*t = (struct tunnel){.e = *e, .conn = HANDLE_NONE};
	event_drop_texts(&t->e);
	span_copy(t->program, sizeof(t->program), e->program);
	t->e.args.len = e->args.len < sizeof(t->args) ? e->args.len : sizeof(t->args);
	if (t->e.args.len)
		memcpy(t->args, e->args.ptr, t->e.args.len);
	span_copy(t->path, sizeof(t->path), e->path);
	t->e.program = span_of(t->program);
	t->e.path = span_of(t->path);
	t->e.args.ptr = t->args;
	n = conn_find(c, e);
	if (!n || n->closed || !is_of(t, n) || e->time_ns + JOIN_NS < n->first_ns)
		return;
	join(c, t, n); /* it went out after it came here, or the other ring was read first */
	if (n->evidence || n->judged)
		tunnel_used(c, n, e->time_ns);
}

void tunnel_used(struct core *c, struct conn *n, uint64_t time_ns)
{
	struct tunnel *t = tunnel_at(c, n);
	struct csession *s = conn_session(c, n);
	struct event e;

	/* An attempt is told at once; the session that comes of it is named when it opens. */
	if (!t || t->named || (t->told && !s))
		return;
	e = t->e;
	if (time_ns > e.time_ns)
		e.time_ns = time_ns;
	core_detect_one(c, DETECTION_access_loopback_forwarded, &e, n, s,
			t->told ? "session" : "tunnel");
	t->told = true;
	t->named = s != NULL;
}

const struct endpoint *conn_relayed_origin(const struct core *c, const struct conn *n)
{
	const struct csession *vpn = vpn_of(c, n);
	const struct tunnel *t = vpn ? NULL : tunnel_of(c, n);

	if (vpn)
		return &vpn->pub.origin;
	return t && t->e.flags & EVENT_ACCEPTED && t->e.dest.addr.family ? &t->e.dest : &n->origin;
}

enum origin_source conn_origin_source(const struct core *c, const struct conn *n)
{
	if (vpn_of(c, n))
		return ORIGIN_VPN;
	if (conn_origin(c, n) != &n->origin)
		return ORIGIN_LOCAL_PROXY;
	if (n->relayed)
		return (enum origin_source)n->relayed;
	return n->kernel ? ORIGIN_SOCKET : ORIGIN_LOG;
}
