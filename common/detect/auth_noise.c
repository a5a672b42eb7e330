/*
 * auth.noise: one digest a listener and day of the guessing that needs nobody's attention.
 *
 * Sees every failure that no alert of its source tells: sources below the threshold, accounts
 * that do not exist, methods that are off. It opens once there are more of them than
 * FailedLogonThreshold and is sent once, when its day (UTC) is over.
 * Cannot see: whose machines these are.
 *
 * Example: 10,000 failures of 1,000 sources on port 22: one line.
 */
#include "../core/core_detect.h"

static uint16_t add_saturated(uint16_t a, uint32_t b)
{
	return b > (uint32_t)(UINT16_MAX - a) ? UINT16_MAX : (uint16_t)(a + b);
}

static void count_in(struct detect_ctx *x, const struct event *e, struct digest *d)
{
	struct source *s = x->source;
	bool unknown = e->flags & EVENT_ACCOUNT_UNKNOWN && !e->gate.unsure;

	if (s->noise_day != d->day) {
		s->noise_day = d->day;
		s->noise_failures = s->noise_unknown = 0;
	}
	d->sources += s->noise_failures == 0;
	d->failures += e->count;
	s->noise_failures = add_saturated(s->noise_failures, e->count);
	if (!unknown)
		return;
	d->unknown += e->count;
	s->noise_unknown = add_saturated(s->noise_unknown, e->count);
}

/*
 * It has an alert of its own now: what was counted here while it was one of many goes there. Not
 * once the digest has been raised: what was told stays told.
 */
static void count_out(struct detect_ctx *x, struct digest *d)
{
	struct source *s = x->source;

	if (s->noise_day != d->day || !s->noise_failures ||
	    d->failures > x->core->config.failed_logon_threshold)
		return;
	d->failures -= s->noise_failures < d->failures ? s->noise_failures : d->failures;
	d->unknown -= s->noise_unknown < d->unknown ? s->noise_unknown : d->unknown;
	d->sources -= d->sources > 0;
	s->noise_failures = s->noise_unknown = 0;
}

static void say(const struct digest *d, struct alert *a)
{
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "%u failed logins on %s", d->failures, service_name(d->service));
	if (d->port)
		text_add(&t, " port %u", d->port);
	text_add(&t,
		 " that day from about %u sources, %u of them for accounts that do not exist here: "
		 "the usual noise, nothing to do.",
		 d->sources, d->unknown);
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u failures, %u sources", d->failures, d->sources);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_INFO,
			 .reason = "",
			 .quiet = true,
			 .restart = true,
			 .by_listener = true};
	struct digest *d = digest_get(x->core, e->service, e->local.port, e->time_ns);
	struct calert *a;
	bool is_new;

	if (guess_is_alerted(x, e)) {
		count_out(x, d);
		return;
	}
	count_in(x, e, d);
	f.count = d->failures;
	if (d->failures <= x->core->config.failed_logon_threshold)
		return;
	f.open = pool_get(&x->core->alerts, d->alert);
	a = alert_raise(x, e, &f, &is_new);
	d->alert = a ? pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a)) : HANDLE_NONE;
	if (a)
		say(d, &a->pub);
}

const struct detection detection_auth_noise = {
	.id = "auth.noise",
	.number = 1101,
	.severity = SEVERITY_INFO,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "Digest of failed logins",
	.attack = "T1110.001",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "",
	.events = EVENT_BIT(ATTEMPT),
	.triage = "Nothing, unless the number is new: then the listener became reachable.",
	.contain = "Not needed.",
	.false_positive = "None: it is a count.",
	.tune = "Detections.auth.noise.enabled: false, or close the port to the internet.",
	.mitigation = "M1035 M1030",
	.step = step,
	.key = KEY_LISTENER,
};
