/*
 * settle: when it is sure enough who logged in to compare them with what they did before.
 *
 * The kernel's word opens a session at once, and says that a key was used, not which. The key comes
 * from the log, a moment later. Whoever is known by a key must not be taken for somebody else of
 * the same account until then, so what compares identities or asks the lists of known keys waits:
 * for the key, or for CLAIM_GRACE_NS at most. A password needs no waiting.
 * Cannot see: whose key it is when no log tells; the account alone is the identity then.
 *
 * Example: alice and bob share `deploy`, each with a key of their own: each has a last place.
 */
#include "core_internal.h"

#include "core_detect.h"

/* What is asked then, in this order; their step functions know it by the reason. */
static const unsigned asked[] = {
	DETECTION_origin_country_not_allowed, DETECTION_origin_impossible_travel,
	DETECTION_origin_anonymizer,	      DETECTION_origin_new_place,
	DETECTION_origin_outside_hours,	      DETECTION_origin_unusual_hour,
	DETECTION_origin_new_client,
};

static void settle(struct core *c, struct csession *s, const struct event *e)
{
	struct conn *n = pool_get(&c->conns, s->conn);
	struct event opened = *e;

	opened.kind = EVENT_SESSION_OPEN;
	opened.outcome = OUTCOME_SUCCESS;
	opened.time_ns = s->pub.open_ns;
	opened.service = s->pub.service;
	opened.origin = s->pub.origin;
	opened.local = s->pub.local;
	opened.account = span_of(s->pub.account);
	opened.method = s->pub.method;
	opened.conn = s->pub.conn;
	opened.count = 1;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		core_detect_one(c, asked[i], &opened, n, s, "settled");
}

bool session_waits_for_key(const struct session *s)
{
	return s->method_inferred && !s->key[0] && !s->existing &&
	       (s->method == METHOD_PUBLICKEY || s->method == METHOD_CERTIFICATE);
}

static struct unsettled *entry_of(struct core *c, const struct csession *s)
{
	for (unsigned i = 0; i < UNSETTLED_MAX; i++)
		if (c->unsettled[i].session.slot != NIL &&
		    pool_get(&c->sessions, c->unsettled[i].session) == s)
			return &c->unsettled[i];
	return NULL;
}

/* A free entry, or that of the one that waits longest, which waits no more. */
static struct unsettled *entry_take(struct core *c, const struct event *e)
{
	struct unsettled *oldest = &c->unsettled[0];
	struct csession *s;

	for (unsigned i = 0; i < UNSETTLED_MAX; i++) {
		if (!pool_get(&c->sessions, c->unsettled[i].session))
			return &c->unsettled[i];
		if (c->unsettled[i].due_ns < oldest->due_ns)
			oldest = &c->unsettled[i];
	}
	s = pool_get(&c->sessions, oldest->session);
	oldest->session = HANDLE_NONE;
	settle(c, s, e);
	return oldest;
}

void settle_opened(struct core *c, struct csession *s, const struct event *e)
{
	struct unsettled *u;

	if (!session_waits_for_key(&s->pub)) {
		settle(c, s, e);
		return;
	}
	u = entry_take(c, e);
	u->session = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	u->due_ns = e->time_ns + CLAIM_GRACE_NS;
	core_due(c, u->due_ns);
}

void settle_told(struct core *c, struct csession *s, const struct event *e)
{
	struct unsettled *u = session_waits_for_key(&s->pub) ? NULL : entry_of(c, s);

	if (!u)
		return;
	u->session = HANDLE_NONE;
	settle(c, s, e);
}

void settle_closed(struct core *c, struct csession *s, const struct event *e)
{
	struct unsettled *u = entry_of(c, s);

	if (!u)
		return;
	u->session = HANDLE_NONE;
	settle(c, s, e);
}

void settle_expire(struct core *c)
{
	for (unsigned i = 0; i < UNSETTLED_MAX; i++) {
		struct unsettled *u = &c->unsettled[i];
		struct csession *s =
			u->session.slot == NIL ? NULL : pool_get(&c->sessions, u->session);
		struct event e = {.trust = TRUST_KERNEL};

		if (!s)
			continue;
		if (u->due_ns > c->now_ns) {
			core_due(c, u->due_ns);
			continue;
		}
		u->session = HANDLE_NONE;
		settle(c, s, &e);
	}
}
