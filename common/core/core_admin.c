/*
 * admin: a person's word: an alert was seen, is over, was expected; an account or an address is to
 * be forgotten.
 *
 * What was expected teaches at once, whatever fired. What is forgotten is gone from memory and
 * store; a keyed hash of a place may stay until it fades, and a session that is open goes on.
 */
#include <errno.h>

#include "core_internal.h"

int core_alert_word(struct core *c, const char *id, enum core_word word, const char *note,
		    uint64_t now_ns)
{
	struct calert *a = alert_by_id(c, id);

	if (!a)
		return -ENOENT;
	if (note)
		span_copy(a->pub.note, sizeof(a->pub.note), span_of(note));
	if (word != CORE_NOTED)
		a->pub.acked_ns = now_ns;
	if (word == CORE_CLOSED && a->pub.state != ALERT_CLOSED)
		alert_close(c, a, now_ns);
	alert_changed(c, a, false);
	return 0;
}

static void edges_of(const struct core *c, struct csession *s)
{
	for (unsigned i = 0; i < s->pub.dests_kept && s->edges_used < BURST_MAX; i++) {
		const struct session_dest *d = &s->pub.dests[i];

		if (d->service != SERVICE_NONE)
			s->edges[s->edges_used++] =
				seen_key(c, SEEN_EDGE, session_identity(c, &s->pub), &d->dest.addr,
					 d->service);
	}
}

void core_expect(struct core *c, const struct session *stored)
{
	struct csession past = {.pub = *stored, .expected = true};

	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		struct csession *s = pool_at(&c->sessions, i);

		if (!pool_is_used(&c->sessions, i) || strcmp(s->pub.id, stored->id) != 0)
			continue;
		s->expected = true;
		if (s->pub.state != SESSION_CLOSED)
			return; /* it teaches at its end */
		s->learned = false;
		session_learn(c, s);
		return;
	}
	for (unsigned i = 0; i < stored->dests_kept; i++)
		if (stored->dests[i].scope != SCOPE_LOOPBACK)
			past.outs_closed += stored->dests[i].bytes_out;
	edges_of(c, &past);
	session_learn(c, &past);
}

static bool is_whose(const struct alert *a, struct span account, const struct cidr *origin)
{
	if (origin)
		return cidr_has(origin, &a->origin.addr);
	return span_is(account, a->account) || span_is(account, a->effective_account);
}

static unsigned alerts_forget(struct core *c, struct span account, const struct cidr *origin)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < c->alerts.fresh; i++) {
		struct calert *a = pool_at(&c->alerts, i);

		if (!pool_is_used(&c->alerts, i) || a->changed ||
		    !is_whose(&a->pub, account, origin))
			continue;
		c->stale_alerts -= a->stale;
		index_remove(&c->alerts_by_key, i);
		pool_give(&c->alerts, i);
		n++;
	}
	return n;
}

/* Whose key, at the start of a row, is an address of the block. */
static unsigned addresses_forget(struct pool *p, struct index *x, const struct cidr *origin)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->fresh; i++) {
		if (!pool_is_used(p, i) || !cidr_has(origin, pool_at(p, i)))
			continue;
		index_remove(x, i);
		pool_give(p, i);
		n++;
	}
	return n;
}

static unsigned mfa_forget(struct core *c, struct span name)
{
	struct mfa *m = mfa_find(c, name);
	uint32_t slot;

	if (!m)
		return 0;
	slot = pool_slot(&c->mfas, m);
	index_remove(&c->mfas_by, slot);
	pool_give(&c->mfas, slot);
	return 1;
}

static unsigned account_forget(struct core *c, struct span name)
{
	struct account *a = account_find(c, name);
	uint32_t slot;

	if (!a)
		return 0;
	slot = pool_slot(&c->accounts, a);
	index_remove(&c->accounts_by, slot);
	pool_give(&c->accounts, slot);
	return 1;
}

static void clues_forget(struct core *c, struct span account, const struct cidr *origin)
{
	for (unsigned i = 0; i < CLUES_MAX; i++) {
		struct clue *k = &c->clues[i];
		struct span name = {k->account, k->account_len};

		if (origin ? cidr_has(origin, &k->origin.addr) : span_eq(name, account))
			*k = (struct clue){0};
	}
}

unsigned core_forget(struct core *c, struct span account, const struct cidr *origin)
{
	unsigned n = alerts_forget(c, account, origin) + travel_forget(c, account, origin);

	clues_forget(c, account, origin);
	if (!origin)
		return n + account_forget(c, account) + profile_forget(c, account) +
		       mfa_forget(c, account);
	n += addresses_forget(&c->sources, &c->sources_by, origin);
	n += addresses_forget(&c->sprays, &c->sprays_by, origin);
	n += addresses_forget(&c->slows, &c->slows_by, origin);
	return n;
}

unsigned core_forget_habits(struct core *c, struct span name)
{
	return profile_forget(c, name);
}
