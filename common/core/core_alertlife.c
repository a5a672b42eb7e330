/*
 * alertlife: what happens to alerts that fired: revisions, closing, output.
 */
#include "core_internal.h"

#include "core_detect.h"

void alert_changed(struct core *c, struct calert *a, bool loud)
{
	if (loud && !a->quiet && !a->pub.part_of[0])
		a->loud = true;
	if (a->changed)
		return;
	a->changed = true;
	c->changed_alerts[c->changed_alerts_used++] = pool_slot(&c->alerts, a);
}

/*
 * The longer it goes on, the seldomer: once a minute after eight minutes. A replay
 * ends with core_flush().
 */
static uint64_t pace_end(const struct core *c, const struct calert *a)
{
	uint64_t age = a->told_ns > a->pub.first_ns ? a->told_ns - a->pub.first_ns : 0;
	uint64_t pace = age / 8;

	if (c->id.hash_seed == 0)
		return UINT64_MAX;
	if (pace > ALERT_PACE_MAX_NS)
		pace = ALERT_PACE_MAX_NS;
	return a->told_ns + (pace > ALERT_PACE_NS ? pace : ALERT_PACE_NS);
}

void alert_grew(struct core *c, struct calert *a, bool loud)
{
	uint64_t due = pace_end(c, a);

	if ((loud && !a->quiet) || !a->told_ns || due <= c->now_ns) {
		alert_changed(c, a, loud);
		return;
	}
	c->stale_alerts += !a->stale;
	a->stale = true;
	core_due(c, due);
}

void alert_close(struct core *c, struct calert *a, uint64_t time_ns)
{
	if (a->pub.state == ALERT_CLOSED)
		return;
	a->pub.state = ALERT_CLOSED;
	if (time_ns > a->pub.last_ns && a->pub.session[0])
		a->pub.last_ns = time_ns;
	if (a->pub.detection->key == KEY_LISTENER)
		a->quiet = false; /* a digest is told once, when its day is over */
	alert_changed(c, a, true);
	pool_touch(&c->alerts, pool_slot(&c->alerts, a), POOL_HARMLESS);
}

void alerts_of_session_close(struct core *c, struct csession *s, uint64_t time_ns)
{
	for (unsigned i = 0; i < SESSION_ALERTS; i++) {
		struct calert *a = pool_get(&c->alerts, s->alerts[i]);

		if (a)
			alert_close(c, a, time_ns);
	}
}

uint64_t alert_due(const struct calert *a)
{
	if (a->pub.detection->key == KEY_LISTENER) /* its day, and a moment for late lines */
		return (a->pub.first_ns / DAY_NS + 1) * DAY_NS + 60 * SECOND_NS;
	return a->pub.last_ns + a->keep_ns;
}

void alerts_expire(struct core *c)
{
	for (uint32_t i = 0; i < c->alerts.fresh; i++) {
		struct calert *a = pool_at(&c->alerts, i);
		uint64_t due;

		if (!pool_is_used(&c->alerts, i) || a->pub.state == ALERT_CLOSED)
			continue;
		if (a->stale) {
			if (pace_end(c, a) <= c->now_ns)
				alert_changed(c, a, false);
			else
				core_due(c, pace_end(c, a));
		}
		due = alert_due(a);
		if (due <= c->now_ns)
			alert_close(c, a, a->pub.last_ns);
		else
			core_due(c, due);
	}
}

struct calert *alert_by_id(const struct core *c, const char *id)
{
	for (uint32_t i = 0; i < c->alerts.fresh; i++) {
		struct calert *a = pool_at(&c->alerts, i);

		if (pool_is_used(&c->alerts, i) && strcmp(a->pub.id, id) == 0)
			return a;
	}
	return NULL;
}

/* Who reads it would take it for this host. */
static void name_host(const struct core *c, struct calert *a)
{
	const struct csession *s = pool_get(&c->sessions, a->session);
	char on[64];
	struct text t = TEXT_IN(on);

	if (!s || !s->pub.elsewhere)
		return;
	text_add(&t, " (on ");
	text_plain(&t, span_of_array(s->pub.told_by, sizeof(s->pub.told_by)), 48);
	text_add(&t, ")");
	if (strstr(a->pub.sentence, on))
		return;
	t = text_more(a->pub.sentence, sizeof(a->pub.sentence));
	text_add(&t, "%s", on);
}

static void revise(struct core *c, struct calert *a)
{
	if (a->pub.detection->tell)
		a->pub.detection->tell(c, a);
	name_host(c, a);
	a->pub.revision++;
	if (a->pub.state != ALERT_CLOSED)
		a->pub.state = a->pub.revision == 1 ? ALERT_OPEN : ALERT_UPDATED;
	a->pub.notify = a->loud && !a->pub.observe;
	c->stats.alerts_notified += a->pub.notify;
	c->stale_alerts -= a->stale;
	a->changed = a->loud = a->stale = false;
	a->told_ns = c->now_ns;
}

/* What does not fit is told at the next step. */
static uint32_t take(struct core_out *out, uint32_t *used)
{
	uint32_t room = CORE_OUT_MAX - out->count;

	return *used < room ? *used : room;
}

static void drop_first(uint32_t *list, uint32_t *used, uint32_t n)
{
	memmove(list, list + n, (*used - n) * sizeof(*list));
	*used -= n;
}

void alerts_flush(struct core *c, struct core_out *out)
{
	uint32_t n = take(out, &c->changed_sessions_used);

	for (uint32_t i = 0; i < n; i++) {
		struct csession *s = pool_at(&c->sessions, c->changed_sessions[i]);

		s->changed = false;
		out->items[out->count++] =
			(struct core_out_item){.kind = OUT_SESSION, .session = &s->pub};
	}
	drop_first(c->changed_sessions, &c->changed_sessions_used, n);
	n = take(out, &c->changed_alerts_used);
	for (uint32_t i = 0; i < n; i++) {
		struct calert *a = pool_at(&c->alerts, c->changed_alerts[i]);

		revise(c, a);
		out->items[out->count++] =
			(struct core_out_item){.kind = OUT_ALERT, .alert = &a->pub};
	}
	drop_first(c->changed_alerts, &c->changed_alerts_used, n);
}

void core_flush(struct core *c, struct core_out *ret_out)
{
	ret_out->count = 0;
	for (uint32_t i = 0; c->stale_alerts && i < c->alerts.fresh; i++) {
		struct calert *a = pool_at(&c->alerts, i);

		if (pool_is_used(&c->alerts, i) && a->stale)
			alert_changed(c, a, false);
	}
	alerts_flush(c, ret_out);
}
