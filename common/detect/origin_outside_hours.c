/*
 * origin.outside_hours: a login outside BusinessHours. Nothing when none are configured.
 *
 * Cannot see: who is in a group, in a replay; what past law said about summer time.
 *
 * Example: hours are mon-fri 08:00-18:00 in Berlin; alice logs in on a Sunday.
 */
#include "../core/core_detect.h"

static void say(struct detect_ctx *x, struct alert *a)
{
	const struct session *s = &x->session->pub;
	const struct zone *zone = &x->core->config.hours.zone;
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	text_add(&t, " on ");
	say_local_time(&t, zone, s->open_ns);
	text_add(&t, ", outside business hours.");
	t = TEXT_IN(a->numbers);
	say_local_time(&t, zone, s->open_ns);
	text_add(&t, " local time");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct core *c = x->core;
	struct calert *a;

	if (x->session->pub.existing || !detect_is_external(x))
		return;
	if (hours_are_business(&c->config.hours, x->session->pub.account, c->id.in_group,
			       x->session->pub.open_ns))
		return;
	a = odd_raise(x, e, SEVERITY_LOW, "", false);
	if (a)
		say(x, &a->pub);
}

const struct detection detection_origin_outside_hours = {
	.id = "origin.outside_hours",
	.number = 1404,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login outside business hours",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067); User Account Metadata (DC0013)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage = "Is somebody on call? Does the place fit, too?",
	.contain = "End the session if nobody explains it.",
	.false_positive = "On-call work, another time zone, a holiday that is not listed.",
	.tune = "BusinessHours: overrides for accounts or groups, holidays, the time zone.",
	.mitigation = "M1036",
	.step = step,
	.asked = true, /* by core_settle.c: who it was is known */
	.key = KEY_ACCOUNT_DAY,
};
