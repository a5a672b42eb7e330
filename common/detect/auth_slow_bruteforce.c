/*
 * auth.slow_bruteforce: guessing below the threshold, but all day.
 *
 * Sees more failures of one source (v6: /64) within any 24 hours than its number, while no fast
 * alert (auth.bruteforce) of that source tells them. Low; info, kept in the store and not sent,
 * when none of the guessed accounts exists here.
 * Cannot see: fewer guesses than that a day, or from many addresses in turn (auth.distributed).
 *
 * Example: a guess an hour for alice from 203.0.113.9: the 21st.
 */
#include "../core/core_detect.h"

enum {
	PARAM_FAILURES
};

/* Never (0) is more than a day ago (DS_FIRST). */
static bool is_today(uint32_t then, uint32_t now)
{
	return now < then + DAY_DS;
}

/* A fast alert tells it already, were it only about names that do not exist. */
static bool is_told(const struct detect_ctx *x, const struct event *e)
{
	if (guess_is_alerted(x, e))
		return true;
	return x->core->config.detections[DETECTION_auth_bruteforce].enabled &&
	       is_today(x->source->fired_ds, core_ds(x->core, e->time_ns));
}

static void say(struct detect_ctx *x, const struct event *e, struct alert *a, uint32_t n)
{
	struct text t = TEXT_IN(a->sentence);

	text_addr(&t, &a->origin.addr);
	text_add(&t, " (%s) slowly guesses %s logins: %llu failures, the last for ",
		 scope_name(a->scope), service_name(a->service), (unsigned long long)a->count);
	if (e->flags & EVENT_ACCOUNT_UNKNOWN) /* people type passwords into that field */
		text_add(&t, "an account that does not exist here");
	else
		text_quote(&t, e->account, 48);
	text_add(&t, ", never fast enough for auth.bruteforce.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u failures > %u in 24h", n, (unsigned)detect_param(x, PARAM_FAILURES));
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct slow *s = x->core->credited_slow;
	uint32_t now = core_ds(x->core, e->time_ns), n = s ? slow_most(s, now) : 0;
	enum severity severity;
	struct fire f = {.reason = ""};
	struct calert *a;
	bool is_new;

	if (n <= detect_param(x, PARAM_FAILURES)) { /* or no slow source at all */
		if (s)
			s->alert = HANDLE_NONE;
		return;
	}
	if (is_told(x, e))
		return;
	severity = is_today(s->exists_ds, now) ? SEVERITY_LOW : SEVERITY_INFO;
	f.severity = severity_by_scope(x, severity);
	f.open = pool_get(&x->core->alerts, s->alert);
	if (!f.open || f.open->pub.state == ALERT_CLOSED)
		f.open = alert_find(x, e, &f);
	if (!f.open && alert_told_before(x, s->alert, f.severity))
		return;
	f.count = f.open ? e->count : n;
	f.first_ns =
		f.open ? 0
		       : core_ds_ns(x->core, window_first(WINDOW_OF(&s->failures), now, DAY_DS));
	f.quiet = severity == SEVERITY_INFO ||
		  ((!f.open || f.open->pub.severity < f.severity) && !digest_allows(x, e));
	a = alert_raise(x, e, &f, &is_new);
	s->alert = a ? pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a)) : HANDLE_NONE;
	if (a)
		alert_name_guessed(&a->pub, e);
	if (a)
		say(x, e, &a->pub, n);
}

const struct detection detection_auth_slow_bruteforce = {
	.id = "auth.slow_bruteforce",
	.number = 1106,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "Slow password guessing",
	.attack = "T1110.001",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "",
	.events = EVENT_BIT(ATTEMPT),
	.params = {{"Failures", 20, UNIT_COUNT,
		    "fires on more failures of a source in 24 h than this, at most 31"}},
	.triage = "Is it a job or a mail client with an old password? Its interval is regular, and "
		  "the account is its own.",
	.contain = "Block the source; change the account's password if it is weak.",
	.false_positive = "A scheduled job with an outdated password.",
	.tune = "Failures; an exception for the address of the job.",
	.mitigation = "M1032 M1036 M1027",
	.step = step,
	.param_max = {WINDOW_LARGE - 1},
	.key = KEY_SOURCE,
};
