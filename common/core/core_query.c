/* query: what status, replay and the store read from the core, and give back to it. */
#include "core_internal.h"

#include <errno.h>

/* The index-th used slot; one after the other costs no more than once through. */
static void *nth(const struct pool *p, struct walk *w, unsigned index)
{
	uint32_t from = 0, left = index;

	if (w->changes == p->changes && w->index <= index) {
		from = w->slot;
		left = index - w->index;
	}
	for (uint32_t i = from; i < p->fresh; i++) {
		if (!pool_is_used(p, i) || left--)
			continue;
		*w = (struct walk){index, i, p->changes};
		return pool_at(p, i);
	}
	return NULL;
}

const struct session *core_session_at(const struct core *c, unsigned index)
{
	const struct csession *s = nth(&c->sessions, &c->walks[WALK_SESSIONS], index);

	return s ? &s->pub : NULL;
}

const struct alert *core_alert_at(const struct core *c, unsigned index)
{
	const struct calert *a = nth(&c->alerts, &c->walks[WALK_ALERTS], index);

	return a ? &a->pub : NULL;
}

const struct session *core_session_find(const struct core *c, struct span id)
{
	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		const struct csession *s = pool_at(&c->sessions, i);

		if (pool_is_used(&c->sessions, i) && span_is(id, s->pub.id))
			return &s->pub;
	}
	return NULL;
}

/* Cookies start again at each boot: is that id made of this boot's? */
static bool is_of_this_boot(const struct core *c, const struct session *s)
{
	struct id_hash h = id_start();
	char id[ID_TEXT_MAX];

	if (!s->conn)
		return false;
	id_add(&h, span_of(c->id.boot_id));
	id_add_u64(&h, s->conn);
	id_text(&h, id);
	return strcmp(id, s->id) == 0;
}

int core_restore_session(struct core *c, const struct session *s)
{
	struct event e = {.kind = EVENT_CONNECTION,
			  .trust = s->conn ? TRUST_KERNEL : TRUST_TEXT,
			  .time_ns = s->last_ns,
			  .flags = s->elsewhere ? EVENT_ELSEWHERE : 0,
			  .host = s->elsewhere ? span_of(s->told_by) : (struct span){0},
			  .conn = s->conn ? s->conn : logon_key_of(c, s),
			  .origin = s->by_vpn ? s->via : s->origin,
			  .local = s->local,
			  .netns = s->netns,
			  .service = s->service,
			  .opened_ns = s->conn_open_ns,
			  .proc = s->leader};
	struct conn *n;
	uint32_t slot;
	struct csession *r;

	if (s->state == SESSION_CLOSED)
		return 0;
	if (c->sessions.used == c->sessions.limit)
		return -ENOSPC;
	n = conn_join(c, &e);
	if (!n)
		return -ENOSPC;
	n->evidence = n->judged = true;
	slot = pool_take(&c->sessions);
	r = pool_at(&c->sessions, slot);
	r->pub = *s;
	session_clear(r);
	session_tag(c, r);
	r->gone = s->state == SESSION_LINGERING;
	for (unsigned i = 0; i < s->dests_kept; i++)
		if (s->dests[i].scope != SCOPE_LOOPBACK)
			r->outs_closed += s->dests[i].bytes_out;
	/* A session of another boot is over; one of this boot must show in the snapshot. */
	if (s->elsewhere)
		session_ends_unheard(c, r);
	if (s->by_gateway)
		gateway_restored(c, r);
	else if (!s->elsewhere && (s->conn || c->id.kernel_sensor))
		r->confirm_ns = is_of_this_boot(c, s) ? UINT64_MAX : 1;
	r->conn = pool_handle(&c->conns, pool_slot(&c->conns, n));
	n->session = pool_handle(&c->sessions, slot);
	handoffs_restore(c, n->session, s);
	logons_restore(c, s, n->session);
	pool_touch(&c->sessions, slot, POOL_PINNED);
	conn_touch(c, n);
	core_due(c, 1);
	return 0;
}

static struct handle session_by_id(const struct core *c, const char *id)
{
	for (uint32_t i = 0; id[0] && i < c->sessions.fresh; i++) {
		const struct csession *s = pool_at(&c->sessions, i);

		if (pool_is_used(&c->sessions, i) && strcmp(s->pub.id, id) == 0)
			return pool_handle(&c->sessions, i);
	}
	return HANDLE_NONE;
}

int core_restore_alert(struct core *c, const struct alert *a)
{
	struct calert *r;
	uint32_t slot;

	if (!a->detection || alert_by_id(c, a->id))
		return 0;
	slot = pool_take(&c->alerts);
	if (slot == NIL)
		return -ENOSPC;
	r = pool_at(&c->alerts, slot);
	r->pub = *a;
	r->pub.notify = false;
	r->key = alert_key(c, a);
	r->restored = true;
	r->session = session_by_id(c, a->session);
	session_take_alert(c, r);
	for (unsigned i = 0; i < CHAIN_SESSIONS; i++)
		r->chain_sessions[i] = HANDLE_NONE;
	r->keep_ns = a->detection->key == KEY_CHAIN ? LINK_KEPT_NS : ALERT_IDLE_NS;
	r->quiet = a->detection->key == KEY_LISTENER;
	r->prefix = (uint16_t)strnlen(a->sentence, sizeof(a->sentence));
	for (r->notify_at = 10; r->notify_at <= a->count; r->notify_at *= 10)
		;
	index_add(&c->alerts_by_key, slot, r->key);
	pool_touch(&c->alerts, slot, alert_class(r));
	core_due(c, 1);
	return 0;
}

const struct profile *core_profile_at(const struct core *c, unsigned index)
{
	for (uint32_t i = 0; i < c->profiles.fresh; i++)
		if (pool_is_used(&c->profiles, i) && index-- == 0)
			return pool_at(&c->profiles, i);
	return NULL;
}

uint64_t core_excepted(const struct core *c, unsigned i)
{
	return i < CONFIG_EXCEPTIONS_MAX ? c->excepted[i] : 0;
}
