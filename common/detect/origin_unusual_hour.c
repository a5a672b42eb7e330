/*
 * origin.unusual_hour: a login at an hour at which this identity never logs in.
 *
 * Judged by the identity's habits, else by those of its account: the hour itself, the one before
 * and the one after, on working days or at the week's end, in the time zone of BusinessHours (UTC
 * without one). Until LearningDays and LearningLogins it is info and marked as learning.
 * Cannot see: what is usual for somebody who comes rarely.
 *
 * Example: alice, always between 08:00 and 19:00, logs in at 03:10.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS,
	PARAM_LOGINS
};

static void say(struct detect_ctx *x, struct alert *a, const struct profile *p)
{
	const struct session *s = &x->session->pub;
	const struct zone *zone = &x->core->config.hours.zone;
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	text_add(&t, " on ");
	say_local_time(&t, zone, s->open_ns);
	text_add(&t, " local time, an hour at which it was not seen before%s.",
		 a->learning ? "; its habits are still being learned" : "");
	t = TEXT_IN(a->numbers);
	say_habits(&t, p, s);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct profile *p;
	struct calert *a;
	bool learning;

	if (x->session->pub.existing || !detect_is_external(x))
		return;
	p = habits_of(x, detect_param(x, PARAM_DAYS), detect_param(x, PARAM_LOGINS), &learning);
	if (!p || !p->logins || profile_uses_hour(x->core, p, x->session->pub.open_ns))
		return;
	a = odd_raise(x, e, SEVERITY_LOW, "", learning);
	if (a)
		say(x, &a->pub, p);
}

const struct detection detection_origin_unusual_hour = {
	.id = "origin.unusual_hour",
	.number = 1405,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login at an unusual hour",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"LearningDays", 14, UNIT_COUNT, "days until an identity's hours are known"},
		   {"LearningLogins", 10, UNIT_COUNT, "and logins"}},
	.triage = "Was somebody called at night? Does the place fit, too?",
	.contain = "End the session if nobody explains it.",
	.false_positive = "On-call work, another time zone.",
	.tune = "Turn it off for accounts of jobs by an exception.",
	.mitigation = "M1036",
	.step = step,
	.asked = true, /* by core_settle.c: who it was is known */
	.key = KEY_ACCOUNT_DAY,
};
