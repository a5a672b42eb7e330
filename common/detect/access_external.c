/*
 * access.external: somebody logged in from outside.
 *
 * One alert per identity, service, /24 or /48 and day; the sessions themselves are records. Low;
 * info when the operator's lists know the origin or the client, or the place was learned from
 * sessions that did nothing. A session that was open before the agent is told once, as such.
 * The key of a login may be told after the login: until then the session belongs to any alert
 * about its account, afterwards to the one about its key.
 * Cannot see: whether it is the person the account belongs to.
 *
 * Example: alice with a key from 203.0.113.10, at home, for the first time today.
 */
#include "../core/core_detect.h"

static bool is_expected(const struct detect_ctx *x)
{
	const struct session *s = &x->session->pub;
	const struct core *c = x->core;
	uint64_t who = hash_account(c, span_of(s->account));

	return known_origin(c, s) ||
	       seen_is_learned(c, seen_key(c, SEEN_PLACE, who, &s->origin.addr, s->service));
}

static void say_count(struct alert *a)
{
	struct text t = TEXT_IN(a->numbers);

	text_add(&t, a->count == 1 ? "%u session that day" : "%u sessions that day",
		 (unsigned)a->count);
}

static void say(struct detect_ctx *x, struct alert *a)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	if (s->existing) {
		text_add(&t, "A session of ");
		text_quote(&t, span_of(s->account), 48);
		text_add(&t, " over %s from ", service_name(s->service));
		say_from(&t, s);
		text_add(&t, " was already open when the agent started.");
	} else {
		text_quote(&t, span_of(s->account), 48);
		text_add(&t, " logged in over %s from ", service_name(s->service));
		say_from(&t, s);
		text_add(&t, " ");
		say_method(&t, s);
		say_target(&t, s);
		text_add(&t, ".");
	}
	if (a->severity == SEVERITY_INFO)
		text_add(&t, " The place or client is known.");
	say_count(a);
}

static void fire(struct detect_ctx *x, const struct event *e)
{
	struct csession *s = x->session;
	struct fire f = {.severity = is_expected(x) ? SEVERITY_INFO : SEVERITY_LOW,
			 .reason = "",
			 .count = 1,
			 .first_ns = s->pub.existing ? e->time_ns : conn_first(x->conn),
			 .match_key = s->pub.key};
	struct calert *a;
	bool is_new;

	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	s->access = pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a));
	if (is_new)
		say(x, &a->pub);
	else
		say_count(&a->pub);
	if (!a->pub.key[0])
		memcpy(a->pub.key, s->pub.key, sizeof(a->pub.key));
}

/* The daemon's own words came: a method that was inferred, a key. */
static void revise(struct detect_ctx *x, const struct event *e)
{
	const struct session *s = &x->session->pub;
	struct calert *a = pool_get(&x->core->alerts, x->session->access);

	if (!a)
		return;
	if (strcmp(a->pub.session, s->id) != 0) { /* it joined before its key was told */
		if (a->pub.key[0] && s->key[0] && strcmp(a->pub.key, s->key) != 0) {
			a->pub.count--; /* it was another identity after all */
			say_count(&a->pub);
			fire(x, e);
		}
		return;
	}
	a->pub.method = s->method;
	memcpy(a->pub.key, s->key, sizeof(a->pub.key));
	memcpy(a->pub.client, s->client, sizeof(a->pub.client));
	memcpy(a->pub.account, s->account, sizeof(a->pub.account));
	say(x, &a->pub);
	alert_changed(x->core, a, false);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	if (!detect_is_external(x))
		return;
	if (e->kind == EVENT_SESSION_OPEN)
		fire(x, e);
	else
		revise(x, e);
}

const struct detection detection_access_external = {
	.id = "access.external",
	.number = 1201,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "access",
	.title = "Login from outside",
	.attack = "T1133 T1078",
	.tactic = "TA0001 TA0003",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067); Network Connection Creation (DC0082)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(AUTH_NOTE),
	.triage = "Is the account expected to come from there, at that time, with that method?",
	.contain = "End the session and lock the account if nobody explains it.",
	.false_positive = "Ordinary remote work.",
	.tune = "KnownRemoteIPs and KnownSSHClients make it info.",
	.mitigation = "M1035 M1032 M1030",
	.step = step,
	.key = KEY_ACCESS,
};
