/*
 * conns: which try group an event belongs to. A kernel record names the cookie of its connection;
 * a log line names the origin's address and port, or only the process that logged it. The three
 * meet here, whichever comes first.
 *
 * Cannot see: two connections of one logging process at a time (no daemon we know does that).
 *
 * Example: "Failed password for a from 203.0.113.9 port 4711" (pid 77), then the kernel's PAM call
 * with cookie 12 from 203.0.113.9:4711, then "PAM 2 more authentication failures" of pid 77: one.
 */
#include "core_internal.h"

#include "core_detect.h"

#include "../decode/text.h"

/* More than a banner, which is at most 255 bytes (RFC 4253 4.2). */
#define PAST_BANNER 256

static uint64_t peer_hash(const struct core *c, const struct endpoint *o)
{
	return hash_u64(hash_addr(c->seed, &o->addr), o->port);
}

static uint64_t pid_hash(const struct core *c, uint32_t host, uint32_t pid)
{
	return hash_u64(c->seed + 1, (uint64_t)host << 32 | pid);
}

bool host_is_same(struct span a, struct span b)
{
	size_t dot_a = text_find(a, SPAN_LIT("."), 0), dot_b = text_find(b, SPAN_LIT("."), 0);

	if (dot_a == TEXT_NOT_FOUND || dot_b == TEXT_NOT_FOUND) {
		a = span_first(a, dot_a < a.len ? dot_a : a.len);
		b = span_first(b, dot_b < b.len ? dot_b : b.len);
	}
	return span_eq(a, b);
}

bool core_is_own_host(const struct core *c, struct span host)
{
	return span_empty(host) || host_is_same(host, span_of(c->id.host_name));
}

uint32_t conn_host(const struct core *c, const struct event *e)
{
	return core_needs_kernel(c, e) || span_empty(e->host) ? 0 : (uint32_t)hash_host(c, e->host);
}

/* A connection that only another host's log tells of is none of ours. */
static bool is_elsewhere(const struct core *c, const struct conn *n)
{
	return c->id.kernel_sensor && !n->kernel && n->host;
}

struct csession *conn_session(const struct core *c, const struct conn *n)
{
	return n ? pool_get(&c->sessions, n->session) : NULL;
}

static bool is_live(const struct core *c, const struct conn *n)
{
	const struct csession *s = conn_session(c, n);

	return (n->kernel && !n->closed) || (s && s->pub.state != SESSION_CLOSED);
}

/* A network sensor does not say which host it is; the ends of the connection do. */
static bool is_same_host(const struct core *c, const struct conn *n, const struct event *e)
{
	uint32_t host = conn_host(c, e);

	return n->host == host ||
	       ((!n->host || !host || n->network || e->witness == WITNESS_NETWORK) &&
		n->origin.port && e->origin.port);
}

/* May e be about n? What both know must agree, and text must not be about a former user of a pid.
 */
static bool is_compatible(const struct core *c, const struct conn *n, const struct event *e)
{
	bool both_addr = n->origin.addr.family && e->origin.addr.family;

	if (e->conn && n->cookie)
		return e->conn == n->cookie;
	if (both_addr && !addr_eq(&n->origin.addr, &e->origin.addr))
		return false;
	if (n->origin.port && e->origin.port && n->origin.port != e->origin.port)
		return false;
	if (!n->kernel && e->trust != TRUST_KERNEL && !is_same_host(c, n, e))
		return false;
	if (e->flags & EVENT_ELSEWHERE ? n->kernel : is_elsewhere(c, n))
		return false;
	return is_live(c, n) || e->time_ns < n->last_ns + CONN_STALE_NS;
}

static const struct conn *better(const struct core *c, const struct conn *a, const struct conn *b)
{
	if (!a || is_live(c, a) != is_live(c, b))
		return !a || is_live(c, b) ? b : a;
	return b->last_ns > a->last_ns ? b : a;
}

enum find_by {
	BY_COOKIE,
	BY_PEER,
	BY_PID
};

static bool has_key(const struct conn *n, enum find_by by, const struct core *c,
		    const struct event *e)
{
	switch (by) {
	case BY_COOKIE:
		return n->cookie == e->conn;
	case BY_PEER:
		return n->origin.port == e->origin.port &&
		       addr_eq(&n->origin.addr, &e->origin.addr);
	case BY_PID:
		return n->pid == e->proc.pid && n->host == conn_host(c, e);
	}
	return false;
}

static struct conn *find(const struct core *c, const struct index *x, uint64_t hash,
			 enum find_by by, const struct event *e)
{
	const struct conn *best = NULL;
	uint32_t cursor = NIL, slot;

	while ((slot = index_next(x, hash, &cursor)) != NIL) {
		const struct conn *n = pool_at(&c->conns, slot);

		if (has_key(n, by, c, e) && is_compatible(c, n, e))
			best = better(c, best, n);
	}
	return best ? pool_at(&c->conns, pool_slot(&c->conns, best)) : NULL;
}

static struct handle *caller_of(struct core *c, const struct addr *a)
{
	return &c->callers[hash_addr(c->seed, a) % CALLERS_MAX];
}

/*
 * A line that names an address and no port is about the newest connection from there to that
 * service. Who asks PAM or is sshd says more than that.
 */
static struct conn *find_caller(struct core *c, const struct event *e)
{
	struct conn *n;

	if (!core_needs_kernel(c, e) || e->trust == TRUST_KERNEL || e->conn || e->origin.port ||
	    !e->origin.addr.family || (e->service != SERVICE_FTP && e->service != SERVICE_VNC))
		return NULL;
	n = pool_get(&c->conns, *caller_of(c, &e->origin.addr));
	return n && n->kernel && n->service == e->service && is_compatible(c, n, e) ? n : NULL;
}

struct conn *conn_find(struct core *c, const struct event *e)
{
	struct conn *n = NULL;

	if (e->conn)
		n = find(c, &c->conns_by_cookie, hash_u64(c->seed, e->conn), BY_COOKIE, e);
	if (!n && e->origin.addr.family && e->origin.port)
		n = find(c, &c->conns_by_peer, peer_hash(c, &e->origin), BY_PEER, e);
	if (!n && !e->conn && e->proc.pid)
		n = find(c, &c->conns_by_pid, pid_hash(c, conn_host(c, e), e->proc.pid), BY_PID, e);
	return n ? n : find_caller(c, e);
}

/* Of the kernel's connections: to which addresses of this host they came. */
static void learn_own(struct core *c, const struct addr *a)
{
	struct addr *to = &c->own_addrs[hash_addr(c->seed, a) % OWN_ADDRS];

	if (a->family && !addr_eq(to, a))
		*to = *a;
}

bool conn_is_ours(const struct core *c, const struct event *e)
{
	uint32_t cursor = NIL, slot;

	if (e->local.addr.family &&
	    addr_eq(&c->own_addrs[hash_addr(c->seed, &e->local.addr) % OWN_ADDRS], &e->local.addr))
		return true;
	while ((slot = index_next(&c->conns_by_peer, peer_hash(c, &e->origin), &cursor)) != NIL) {
		const struct conn *n = pool_at(&c->conns, slot);

		if (n->kernel && has_key(n, BY_PEER, c, e))
			return true;
	}
	return false;
}

static void conn_forget(struct core *c, uint32_t slot)
{
	index_remove(&c->conns_by_cookie, slot);
	index_remove(&c->conns_by_peer, slot);
	index_remove(&c->conns_by_pid, slot);
	pool_give(&c->conns, slot);
}

static struct conn *conn_make(struct core *c)
{
	uint32_t live = c->sessions.used, slot;

	if (c->conns.used >= c->config.limits.conns + live || c->conns.used == c->conns.limit) {
		slot = pool_victim(&c->conns);
		if (slot == NIL)
			return NULL;
		conn_forget(c, slot);
		c->stats.conns_evicted++;
	}
	slot = pool_take(&c->conns);
	if (slot == NIL)
		return NULL;
	((struct conn *)pool_at(&c->conns, slot))->session = HANDLE_NONE;
	return pool_at(&c->conns, slot);
}

void conn_touch(struct core *c, struct conn *n)
{
	const struct csession *s = conn_session(c, n);
	enum pool_class class = POOL_HARMLESS;

	if (s && s->pub.state != SESSION_CLOSED)
		class = POOL_PINNED;
	else if (!n->closed && (n->kernel || n->host || !c->id.kernel_sensor) &&
		 (n->evidence || n->held))
		class = POOL_WORTH;
	pool_touch(&c->conns, pool_slot(&c->conns, n), class);
}

static void learn_names(struct core *c, struct conn *n, const struct event *e)
{
	uint32_t slot = pool_slot(&c->conns, n);
	bool has_peer = n->origin.addr.family && n->origin.port;

	if (e->trust != TRUST_KERNEL && !n->host && !n->pid)
		n->host = conn_host(c, e);
	if (e->conn && !n->cookie) {
		n->cookie = e->conn;
		index_add(&c->conns_by_cookie, slot, hash_u64(c->seed, e->conn));
	}
	if (!n->origin.addr.family)
		n->origin.addr = e->origin.addr;
	if (!n->origin.port)
		n->origin.port = e->origin.port;
	if (!has_peer && n->origin.addr.family && n->origin.port)
		index_add(&c->conns_by_peer, slot, peer_hash(c, &n->origin));
	if (!n->pid && e->proc.pid && (e->trust != TRUST_KERNEL || e->kind == EVENT_PAM) &&
	    !(e->flags & EVENT_CHILD_CALL)) {
		n->pid = e->proc.pid;
		index_add(&c->conns_by_pid, slot, pid_hash(c, n->host, n->pid));
	}
}

void conn_move(struct core *c, struct conn *n, const struct endpoint *to)
{
	uint32_t slot = pool_slot(&c->conns, n);

	index_remove(&c->conns_by_peer, slot);
	n->origin = *to;
	n->relayed = ORIGIN_TRUSTED_PROXY;
	if (to->addr.family && to->port)
		index_add(&c->conns_by_peer, slot, peer_hash(c, to));
}

static void learn_times(struct conn *n, const struct event *e)
{
	if (!n->first_ns || e->time_ns < n->first_ns)
		n->first_ns = e->time_ns;
	if (e->time_ns > n->last_ns)
		n->last_ns = e->time_ns;
	if (e->opened_ns && !n->opened_ns)
		n->opened_ns = e->opened_ns;
}

/* Who saw packets alone does not know the host; whoever tells of the connection next does. */
static void learn_witness(struct core *c, struct conn *n, const struct event *e)
{
	if (e->trust == TRUST_KERNEL)
		learn_own(c, &e->local.addr);
	if (!n->network || e->witness == WITNESS_NETWORK)
		return;
	n->network = false;
	if (!n->pid && e->trust != TRUST_KERNEL)
		n->host = conn_host(c, e);
}

struct conn *conn_join(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	bool had_peer = n && n->origin.port, had_addr = n && n->origin.addr.family;

	if (!n && !e->conn && !e->proc.pid && !e->origin.addr.family)
		return NULL;
	if (!n) {
		n = conn_make(c);
		if (!n)
			return NULL;
		n->network = e->witness == WITNESS_NETWORK;
	}
	learn_witness(c, n, e);
	learn_names(c, n, e);
	learn_times(n, e);
	if (!had_peer && n->origin.port && c->tried_used && !n->credited)
		tried_take(c, n);
	if (!n->local.port)
		n->local = e->local;
	if (!n->netns)
		n->netns = e->netns;
	if (!n->service)
		n->service = (uint8_t)e->service;
	if (!had_addr)
		vpn_joins(c, n);
	conn_touch(c, n);
	if (e->trust == TRUST_KERNEL && !n->kernel) {
		n->kernel = true;
		n->host = 0;
		claims_settle(c, n);
	}
	return n;
}

uint64_t conn_first(const struct conn *n)
{
	if (!n)
		return 0;
	return n->opened_ns ? n->opened_ns : n->first_ns;
}

/*
 * Does somebody we may believe know this connection? Without the kernel sensor text is all there
 * is; with it, text about a connection that the kernel never saw is a claim, except lines the
 * transport vouches for from before the sensor ran.
 */
bool conn_confirmed(const struct core *c, const struct conn *n, const struct event *e)
{
	if (!c->id.kernel_sensor || n->kernel || n->service == SERVICE_MAIL || n->gateway ||
	    is_elsewhere(c, n))
		return true; /* of those there is text alone */
	return e && e->trust == TRUST_TRANSPORT &&
	       (!c->sensor_since_ns || e->time_ns < c->sensor_since_ns);
}

static struct listener *listener_get(struct core *c, const struct conn *n)
{
	struct listener *free = NULL;

	for (unsigned i = 0; i < LISTENERS_MAX; i++) {
		struct listener *l = &c->listeners[i];

		if (l->used && l->port == n->local.port && l->netns == n->netns)
			return l;
		if (!l->used && !free)
			free = l;
	}
	if (free)
		*free = (struct listener){.used = true, .port = n->local.port, .netns = n->netns};
	return free;
}

void conn_evidence(struct core *c, struct conn *n)
{
	struct listener *l = n->kernel ? listener_get(c, n) : NULL;

	n->evidence = true;
	if (l)
		l->evidence_ds = core_ds(c, n->last_ns);
	tunnel_used(c, n, n->last_ns);
}

/* Long enough without evidence, or closed: silent if it went past the banner. */
static void judge(struct core *c, struct conn *n, uint64_t at_ns)
{
	struct event e = {.kind = EVENT_CONNECTION_CLOSE, .trust = TRUST_KERNEL, .time_ns = at_ns};
	uint64_t lived = n->opened_ns && at_ns > n->opened_ns ? at_ns - n->opened_ns : 0;
	uint32_t now = core_ds(c, at_ns);
	struct listener *l;

	if (n->judged || !n->kernel || is_container_api(n->service) || n->service == SERVICE_SMB ||
	    n->service == SERVICE_RPC)
		return; /* of those nobody tells who logs in */
	n->judged = true;
	if (n->evidence || (n->bytes_in <= PAST_BANNER && lived < SILENT_AFTER_NS))
		return;
	tunnel_used(c, n, at_ns);
	l = listener_get(c, n);
	if (!l)
		return;
	window_note(c, WINDOW_OF(&l->silent), now, 1, UINT32_MAX);
	if (now < l->evidence_ds + core_window_ds(c))
		return; /* others of that listener are seen: these few had nothing to show */
	e.count = window_count(window_exact(c, WINDOW_OF(&l->silent)), now, core_window_ds(c));
	e.local = n->local;
	e.service = n->service;
	core_detect_one(c, DETECTION_sensor_blind, &e, n, NULL, "no-evidence");
}

/* To be looked at when it is old enough; a ring, since all wait for the same time. */
static void ages_add(struct core *c, const struct conn *n, uint64_t due_ns)
{
	unsigned at;

	if (n->judged || c->ages_used == c->ages_cap)
		return;
	at = (c->ages_head + c->ages_used++) % c->ages_cap;
	c->ages[at] = pool_handle(&c->conns, pool_slot(&c->conns, n));
	c->ages_due[at] = due_ns;
	core_due(c, c->ages_due[c->ages_head]);
}

void conn_opened(struct core *c, const struct event *e)
{
	struct conn *n = conn_join(c, e);

	if (!n)
		return;
	if (!n->opened_ns && (e->trust == TRUST_KERNEL || !core_needs_kernel(c, e)))
		n->opened_ns = e->time_ns;
	if (e->trust == TRUST_KERNEL) {
		ages_add(c, n, e->time_ns + SILENT_AFTER_NS);
		*caller_of(c, &e->origin.addr) = pool_handle(&c->conns, pool_slot(&c->conns, n));
	}
	tunnel_joins(c, n, e);
	attempts_settle(c, n, e);
	core_detect(c, e, n, conn_session(c, n));
}

void conn_closed(struct core *c, const struct event *e)
{
	struct conn *n = conn_join(c, e);
	struct csession *s;

	if (!n)
		return;
	n->closed = true;
	if (e->bytes_in > n->bytes_in)
		n->bytes_in = e->bytes_in;
	if (e->bytes_out > n->bytes_out)
		n->bytes_out = e->bytes_out;
	judge(c, n, e->time_ns);
	s = conn_session(c, n);
	if (s)
		session_conn_closed(c, s, e);
	core_detect(c, e, n, s);
	if (s)
		session_update_state(c, s, e->time_ns);
	conn_touch(c, n);
}

void conns_expire(struct core *c)
{
	while (c->ages_used && c->ages_due[c->ages_head] <= c->now_ns) {
		struct conn *n = pool_get(&c->conns, c->ages[c->ages_head]);
		uint64_t due = c->ages_due[c->ages_head];

		c->ages_head = (c->ages_head + 1) % c->ages_cap;
		c->ages_used--;
		if (n && !n->closed)
			judge(c, n, due);
	}
	if (c->ages_used)
		core_due(c, c->ages_due[c->ages_head]);
}
