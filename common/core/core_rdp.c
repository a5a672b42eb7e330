/*
 * rdp: sessions of Windows, by account and origin, with the logon ids that belong to them.
 *
 * One RDP logon is a network logon (3), two logons of type 10 (the full and the filtered token) and
 * LocalSessionManager's 21; a reconnect is another network logon, 40, 24, 25, 4779, 4778 and up to
 * four logons of type 7. All of it is one session per host, account and origin: it opens at the
 * first that proves a logon, lingers while nobody is connected to it, counts its reconnects once
 * however many logs tell of them, and ends at its logoff (23, 4647, or 4634 of its own logon id).
 * Another origin that takes the session over is a session of its own, and ends the former: the
 * desktop is known by its number or, in 4778, by its logon id (session.address_changed).
 *
 * Cannot see: the end of a session whose logoff is not in the logs; it stays open.
 *
 * Example: alice from 203.0.113.9, session number 2, disconnected at noon and back at one:
 * one session with one reconnect.
 */
#include "core_detect.h"

#define RECONNECT_NS (10 * SECOND_NS) /* within it, several logs tell of the same reconnect */

uint64_t logon_session_key(const struct core *c, const struct event *e)
{
	uint64_t h = hash_u64(windows_who(c, e->account), conn_host(c, e));

	return hash_u64(hash_addr(h, &e->origin.addr), 16 + (uint64_t)e->service) | 1;
}

static struct csession *live(const struct core *c, struct handle h)
{
	struct csession *s = pool_get(&c->sessions, h);

	return s && s->pub.state != SESSION_CLOSED ? s : NULL;
}

static struct handle handle_of(const struct core *c, const struct csession *s)
{
	return pool_handle(&c->sessions, pool_slot(&c->sessions, s));
}

struct csession *keyed_session(struct core *c, const struct event *e, uint64_t key, bool *ret_new)
{
	struct event told = *e;
	struct csession *s;
	struct conn *n;

	*ret_new = false;
	told.conn = key;
	told.proc = (struct proc_id){0};
	told.outcome = OUTCOME_SUCCESS;
	n = conn_join(c, &told);
	if (!n)
		return NULL;
	s = conn_session(c, n);
	if (s && s->pub.state != SESSION_CLOSED) {
		if (e->time_ns > s->pub.last_ns)
			s->pub.last_ns = e->time_ns;
		session_details(c, s, &told);
		return s;
	}
	n->closed = false;
	*ret_new = true;
	return session_open(c, n, &told);
}

struct csession *logon_session(struct core *c, const struct event *e, bool *ret_new)
{
	return keyed_session(c, e, logon_session_key(c, e), ret_new);
}

static struct logon *logon_set(struct core *c, uint64_t id, uint32_t host)
{
	return c->windows.logons[hash_u64(host, id) % LOGON_SETS];
}

static struct logon *logon_find(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	struct logon *set = logon_set(c, e->win.logon, host);

	for (unsigned i = 0; e->win.logon && i < LOGON_WAYS; i++)
		if (set[i].id == e->win.logon && set[i].host == host)
			return &set[i];
	return NULL;
}

void logon_add(struct core *c, const struct event *e, struct csession *s, bool own)
{
	uint32_t host = conn_host(c, e);
	struct logon *set = logon_set(c, e->win.logon, host), *pick = logon_find(c, e);

	if (!e->win.logon)
		return;
	for (unsigned i = 0; !pick && i < LOGON_WAYS; i++)
		if (!set[i].id || !live(c, set[i].session))
			pick = &set[i];
	if (!pick) {
		pick = &set[c->windows.logons_next++ % LOGON_WAYS];
		c->stats.logons_evicted++;
	}
	*pick = (struct logon){e->win.logon, host, own, handle_of(c, s), e->win.sid};
}

static bool same_session(const struct logon *l, struct handle h)
{
	return l->id && l->own && l->session.slot == h.slot &&
	       l->session.generation == h.generation;
}

static bool has_logon(const struct core *c, struct handle h)
{
	for (unsigned i = 0; i < LOGON_SETS; i++)
		for (unsigned k = 0; k < LOGON_WAYS; k++)
			if (same_session(&c->windows.logons[i][k], h))
				return true;
	return false;
}

struct csession *logon_owner(struct core *c, const struct event *e)
{
	struct event other = *e;
	struct logon *l = logon_find(c, e);

	other.win.logon = e->win.linked;
	if (!l)
		l = logon_find(c, &other);
	return l ? live(c, l->session) : NULL;
}

struct csession *logon_owner_sid(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	struct csession *best = NULL;

	for (unsigned i = 0; e->win.sid && i < LOGON_SETS * LOGON_WAYS; i++) {
		const struct logon *l = &c->windows.logons[i / LOGON_WAYS][i % LOGON_WAYS];
		struct csession *s;

		if (!l->id || l->sid != e->win.sid || l->host != host)
			continue;
		s = live(c, l->session);
		if (s && (!best || s->pub.last_ns > best->pub.last_ns))
			best = s;
	}
	return best;
}

void logon_session_end(struct core *c, struct csession *s, uint64_t time_ns)
{
	s->gone = true;
	s->pub.processes = 0;
	session_update_state(c, s, time_ns);
}

/* 4634 and 4647. An RDP session ends with any of its tokens, others with the last one. */
void logon_ended(struct core *c, const struct event *e)
{
	struct logon *l = logon_find(c, e);
	struct handle h = l ? l->session : HANDLE_NONE;
	struct csession *s = live(c, h);

	if (!l)
		return;
	if (!l->own)
		s = NULL;
	l->id = 0;
	if (s && (s->pub.service == SERVICE_RDP || !has_logon(c, h)))
		logon_session_end(c, s, e->time_ns);
}

/* How well an entry fits what e says of host, number, account and origin; 0: not at all. */
static unsigned fit(const struct core *c, const struct rdp *r, const struct event *e)
{
	const struct csession *s = live(c, r->session);
	unsigned score = 1;

	if (!r->used || !s || r->host != conn_host(c, e) || s->pub.service != e->service)
		return 0;
	if (!span_empty(e->account) && r->who != windows_who(c, e->account))
		return 0;
	if (r->number && e->win.session && r->number != e->win.session)
		return 0;
	if (span_empty(e->account) && !(r->number && e->win.session))
		return 0;
	if (r->number && e->win.session)
		score += 4;
	if (e->origin.addr.family && addr_eq(&s->pub.origin.addr, &e->origin.addr))
		score += 2;
	return score;
}

static struct rdp *rdp_find(struct core *c, const struct event *e)
{
	struct rdp *best = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < RDPS_MAX; i++) {
		unsigned score = fit(c, &c->windows.rdps[i], e);

		if (score > most) {
			most = score;
			best = &c->windows.rdps[i];
		}
	}
	return best;
}

static struct rdp *rdp_make(struct core *c, const struct event *e)
{
	struct rdp *pick = NULL;

	for (unsigned i = 0; !pick && i < RDPS_MAX; i++)
		if (!c->windows.rdps[i].used || !live(c, c->windows.rdps[i].session))
			pick = &c->windows.rdps[i];
	if (!pick) {
		pick = &c->windows.rdps[c->windows.rdps_next++ % RDPS_MAX];
		c->stats.logons_evicted++;
	}
	*pick = (struct rdp){.used = true,
			     .who = windows_who(c, e->account),
			     .host = conn_host(c, e),
			     .number = e->win.session,
			     .session = HANDLE_NONE};
	return pick;
}

static void learn_number(struct rdp *r, const struct event *e)
{
	if (r && e->win.session)
		r->number = e->win.session;
}

static bool is_from(const struct core *c, const struct rdp *r, const struct event *e)
{
	const struct csession *s = live(c, r->session);

	return s && (!e->origin.addr.family || addr_eq(&s->pub.origin.addr, &e->origin.addr));
}

/* The live session at another origin whose very desktop e speaks of. */
static struct csession *desktop_elsewhere(struct core *c, const struct rdp *r,
					  const struct event *e)
{
	const struct logon *l = e->win.id == 4778 ? logon_find(c, e) : NULL;
	struct csession *s = l ? live(c, l->session) : NULL;

	if (r && r->number && r->number == e->win.session)
		s = live(c, r->session);
	return s && s->pub.service == SERVICE_RDP && !addr_eq(&s->pub.origin.addr, &e->origin.addr)
		       ? s
		       : NULL;
}

void logon_moved(struct core *c, struct csession *s, const struct event *e,
		 const struct endpoint *from)
{
	struct event moved = *e;

	moved.dest = *from;
	core_detect_one(c, DETECTION_session_address_changed, &moved, pool_get(&c->conns, s->conn),
			s, "moved");
}

/* The entry of e's session, from e's origin; *ret_new: it has just been opened. */
static struct rdp *rdp_enter(struct core *c, const struct event *e, bool *ret_new)
{
	struct rdp *r = rdp_find(c, e);
	struct csession *s, *former;
	struct endpoint from = {0};

	*ret_new = false;
	former = e->origin.addr.family ? desktop_elsewhere(c, r, e) : NULL;
	if (former) {
		from = former->pub.origin;
		logon_session_end(c, former, e->time_ns);
	}
	if (r && is_from(c, r, e)) {
		learn_number(r, e);
		if (former) /* network level authentication has opened it already */
			logon_moved(c, live(c, r->session), e, &from);
		return r;
	}
	if (!e->origin.addr.family || span_empty(e->account))
		return NULL;
	s = logon_session(c, e, ret_new);
	if (!s)
		return NULL;
	if (former)
		logon_moved(c, s, e, &from);
	r = rdp_make(c, e);
	r->session = handle_of(c, s);
	r->reconnect_ns = e->time_ns; /* what follows tells of this very logon */
	return r;
}

struct csession *rdp_opened(struct core *c, const struct event *e)
{
	bool is_new;
	struct rdp *r = rdp_enter(c, e, &is_new);

	return r ? live(c, r->session) : NULL;
}

/* 25, 4778 and a logon of type 7. */
struct csession *rdp_reconnected(struct core *c, const struct event *e)
{
	struct csession *s;
	struct rdp *r;
	bool is_new;

	r = rdp_enter(c, e, &is_new);
	s = r ? live(c, r->session) : NULL;
	if (!s || is_new)
		return s;
	s->gone = false;
	s->pub.processes = 1;
	s->pub.state = SESSION_OPEN;
	s->pub.close_ns = 0;
	s->pub.last_ns = e->time_ns;
	if (e->time_ns > r->reconnect_ns + RECONNECT_NS) {
		s->pub.reconnects++;
		r->reconnect_ns = e->time_ns;
	}
	session_changed(c, s);
	return s;
}

/* 24, 39, 40 and 4779: the desktop stays. */
void rdp_dropped(struct core *c, const struct event *e)
{
	struct rdp *r = rdp_find(c, e);
	struct csession *s = r ? live(c, r->session) : NULL;

	if (!s || !is_from(c, r, e))
		return;
	learn_number(r, e);
	s->gone = true;
	s->pub.last_ns = e->time_ns;
	session_update_state(c, s, e->time_ns);
}

void rdp_closed(struct core *c, const struct event *e)
{
	struct rdp *r = rdp_find(c, e);

	if (r)
		logon_session_end(c, live(c, r->session), e->time_ns);
}

struct csession *rdp_session(struct core *c, const struct event *e)
{
	struct rdp *r = rdp_find(c, e);

	return r ? live(c, r->session) : NULL;
}

void rdp_noted(struct core *c, const struct event *e)
{
	struct rdp *r = e->win.session ? rdp_find(c, e) : NULL;

	learn_number(r, e);
}
