/*
 * auth.distributed: one account, guessed from many networks at a time.
 *
 * Sees failures on one account that exists here, from at least so many /24 or /48 within
 * TimeWindow, and so many times more than the median of its last seven days: what guesses root
 * from everywhere all the time is not news. Low: what it may come to is told by
 * auth.bruteforce_success.
 * Cannot see: more than 96 networks at a time: an account that many guess every day is never
 * unusual.
 *
 * Example: alice, never guessed before, fails from twelve networks within 15 minutes.
 */
#include "../core/core_detect.h"

enum {
	PARAM_NETWORKS,
	PARAM_TIMES
};

static void say(struct detect_ctx *x, struct alert *a, unsigned n, unsigned usual)
{
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(a->account), 48);
	text_add(&t, " is guessed over %s from %u networks at a time", service_name(a->service), n);
	if (usual)
		text_add(&t, "; on a usual day of the last seven it was %u.", usual);
	else
		text_add(&t, "; usually it is not guessed at all.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u networks >= %u and >= %u times %u in ", n,
		 (unsigned)detect_param(x, PARAM_NETWORKS), (unsigned)detect_param(x, PARAM_TIMES),
		 usual);
	say_duration(&t, x->core->config.time_window_s);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct spread *p = x->core->credited_spread;
	unsigned n = x->core->credited_networks, usual;
	struct fire f = {.reason = "", .restart = true, .by_account = true};
	struct calert *a;
	bool is_new;

	if (!p || n < detect_param(x, PARAM_NETWORKS))
		return;
	usual = spread_usual(p);
	if (n < detect_param(x, PARAM_TIMES) * usual)
		return;
	f.severity = severity_by_scope(x, SEVERITY_LOW);
	a = pool_get(&x->core->alerts, p->alert);
	if (!a || a->pub.state == ALERT_CLOSED)
		a = alert_find(x, e, &f);
	if (a && n <= a->pub.count) {
		alert_seen(a, e->time_ns);
		return; /* no more than were told */
	}
	f.open = a;
	f.count = n;
	f.quiet = !a && !digest_allows(x, e);
	a = alert_raise(x, e, &f, &is_new);
	p->alert = a ? pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a)) : HANDLE_NONE;
	if (a)
		say(x, &a->pub, n, usual);
}

const struct detection detection_auth_distributed = {
	.id = "auth.distributed",
	.number = 1107,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "One account guessed from many networks",
	.attack = "T1110.004",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "",
	.events = EVENT_BIT(ATTEMPT),
	.params = {{"Networks", 10, UNIT_COUNT, "distinct /24 or /48 in TimeWindow, at most 96"},
		   {"Times", 3, UNIT_COUNT, "... and so many times the median of seven days"}},
	.triage = "Is the name in a published list of stolen passwords? Did any of the sources get "
		  "in?",
	.contain = "Change the account's password, or allow keys only for it.",
	.false_positive =
		"A monitoring service that logs in from many places with an old password.",
	.tune = "Networks, Times; an exception for the account.",
	.mitigation = "M1032 M1027 M1036",
	.step = step,
	.param_max = {SPREAD_NETS},
	.key = KEY_ACCOUNT,
};
