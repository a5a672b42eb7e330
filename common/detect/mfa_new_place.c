/*
 * mfa.new_place: a second factor was approved for a login from where the account never was.
 *
 * Judged by the account's habits: a country, else a network (ASN), that none of its logins came
 * from. Until it was watched for LearningDays and LearningLogins it is info and marked as learning;
 * info, too, where Travel or KnownRemoteIPs announce it.
 * Cannot see: anything without a geo database; a factor whose words name no address (Google
 * Authenticator); where the telephone was.
 *
 * Example: alice, for months from NL, approves a push for a login from BR.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS,
	PARAM_LOGINS
};

/* The login that it is for, as far as the line tells it. */
static void fill(const struct core *c, const struct event *e, struct session *s)
{
	memset(s, 0, sizeof(*s));
	s->service = e->service;
	s->origin = e->origin;
	s->scope = scope_of(&e->origin.addr, &c->config.scope);
	s->open_ns = e->time_ns;
	geo_of(c, &e->origin.addr, &s->geo);
	span_copy(s->account, sizeof(s->account), e->account);
}

static bool is_new_to(const struct core *c, const struct profile *p, const struct session *s,
		      enum trait_kind kind)
{
	char value[TRAIT_VALUE];

	trait_of_session(s, kind, value);
	return value[0] && !profile_has(c, p, kind, value);
}

static void say(struct alert *a, const struct session *s, const struct profile *p, bool by_country)
{
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "The second factor of ");
	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " was approved for a login from ");
	say_from(&t, s);
	text_add(&t, ", a %s where it was never seen", by_country ? "country" : "network");
	text_add(&t, a->learning ? "; its habits are still being learned."
				 : ". Did they approve it themselves?");
	t = TEXT_IN(a->numbers);
	say_habits(&t, p, s);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct core *c = x->core;
	struct fire f = {.severity = SEVERITY_MEDIUM, .count = 1};
	const struct profile *p;
	struct session s;
	struct calert *a;
	bool is_new, by_country, learning;

	if (e->outcome != OUTCOME_SUCCESS)
		return;
	fill(c, e, &s);
	p = profile_of_account(c, &s);
	if (!scope_counts_as_external(s.scope, &c->config.scope) || !p || !p->logins)
		return; /* everything is new */
	by_country = is_new_to(c, p, &s, TRAIT_COUNTRY);
	if (!by_country && !is_new_to(c, p, &s, TRAIT_ASN))
		return;
	learning = !profile_is_mature(p, detect_param(x, PARAM_DAYS), detect_param(x, PARAM_LOGINS),
				      e->time_ns);
	if (learning || travel_allows(c, &s) || known_origin(c, &s))
		f.severity = SEVERITY_INFO;
	f.quiet = f.severity == SEVERITY_INFO;
	f.reason = by_country ? "country" : "network";
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	a->pub.learning = learning;
	say(&a->pub, &s, p, by_country);
}

const struct detection detection_mfa_new_place = {
	.id = "mfa.new_place",
	.number = 1602,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "A second factor approved for a login from a new place",
	.attack = "T1621 T1078",
	.tactic = "TA0006 TA0001",
	.analytic = "AN1004 AN1005",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "country network",
	.events = EVENT_BIT(MFA),
	.params = {{"LearningDays", 14, UNIT_COUNT, "days until an account's places are known"},
		   {"LearningLogins", 10, UNIT_COUNT, "and logins"}},
	.triage = "Is the person travelling, and did they approve it? Ask them by another way.",
	.contain = "End the session, change the password, take the factor away and give a new one.",
	.false_positive = "A journey, a new provider at home, a mobile network, a VPN.",
	.tune = "Travel, KnownRemoteIPs.",
	.mitigation = "M1032 M1036 M1017",
	.step = step,
	.key = KEY_PLACE,
};
