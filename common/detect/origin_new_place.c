/*
 * origin.new_place: a login from a country, or an autonomous system, that this identity was never
 * seen at.
 *
 * Judged by the identity's habits (account and key), else by those of the account as a whole; until
 * either was watched for LearningDays and LearningLogins it is info and marked as learning. Info,
 * too, where Travel, VPNPools or the lists of known origins and clients announce it. Low for
 * another network of a known country with a known key, since phones, trains and cafes are a new
 * network every week and the key is more than a place; and where a journey goes on: its first login
 * was told. Neither is learned sooner for that: a place is learned from sessions on which nothing
 * of medium or above fired and that were at no new place, or after three days. Cannot see: anything
 * without a geo database; who uses a proxy in the right country; an account that nobody used for
 * Retention.Profiles, since its habits are forgotten by then (its login is access.external).
 *
 * Example: alice, for months from DE, logs in from BR.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS,
	PARAM_LOGINS
};

static void say(struct detect_ctx *x, struct alert *a, const struct profile *p, bool by_country)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	if (by_country)
		text_add(&t, ", from %s, a country", s->geo.country);
	else
		text_add(&t, ", from AS%u, a network", s->geo.asn);
	if (a->learning)
		text_add(&t, " not seen before; its habits are still being learned.");
	else
		text_add(&t, " where it was never seen. If nobody is travelling, end the session.");
	t = TEXT_IN(a->numbers);
	say_habits(&t, p, s);
}

/* With a secret that somebody has, and that was seen with this identity before. */
static bool has_known_key(const struct detect_ctx *x, const struct profile *p)
{
	char value[TRAIT_VALUE];

	trait_of_session(&x->session->pub, TRAIT_KEY, value);
	return profile_has(x->core, p, TRAIT_KEY, value);
}

/* The first login from there was told, and waits to be learned. */
static bool goes_on(const struct detect_ctx *x, const struct profile *p, bool by_country)
{
	enum trait_kind kind = by_country ? TRAIT_COUNTRY : TRAIT_ASN;
	char value[TRAIT_VALUE];

	trait_of_session(&x->session->pub, kind, value);
	return profile_waits(x->core, p, kind, value);
}

static enum severity how_odd(const struct detect_ctx *x, const struct profile *p, bool by_country)
{
	const struct session *s = &x->session->pub;

	if (travel_allows(x->core, s) || vpn_pool(x->core, &s->origin.addr))
		return SEVERITY_INFO;
	if (goes_on(x, p, by_country) || (!by_country && has_known_key(x, p)))
		return SEVERITY_LOW;
	return SEVERITY_MEDIUM;
}

static void step(struct detect_ctx *x, const struct event *e)
{
	bool learning, by_country;
	const struct profile *p;
	enum severity severity;
	struct calert *a;

	if (x->session->pub.existing || !detect_is_external(x))
		return;
	p = habits_of(x, detect_param(x, PARAM_DAYS), detect_param(x, PARAM_LOGINS), &learning);
	if (!p || !p->logins)
		return; /* everything is new */
	by_country = habit_is_new(x, p, TRAIT_COUNTRY);
	if (!by_country && !habit_is_new(x, p, TRAIT_ASN))
		return;
	severity = how_odd(x, p, by_country);
	a = odd_raise(x, e, severity, by_country ? "country" : "network", learning);
	if (!learning)
		x->session->odd = severity_unless_known(x, severity) > SEVERITY_INFO;
	if (a)
		say(x, &a->pub, p, by_country);
}

const struct detection detection_origin_new_place = {
	.id = "origin.new_place",
	.number = 1402,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login from a new place",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "country network",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"LearningDays", 14, UNIT_COUNT, "days until an identity's places are known"},
		   {"LearningLogins", 10, UNIT_COUNT, "and logins"}},
	.triage =
		"Is the person travelling? Ask them by another way than this account. reason "
		"country is medium; network is low with a key that this identity is known by, and "
		"medium with a password or another key. A low one counts for chain.t1133 as half "
		"of "
		"what makes a login that of a stolen secret.",
	.contain = "End the session, lock the account, change its password or key.",
	.false_positive = "A journey, a new provider at home, a mobile network, a VPN.",
	.tune = "Travel, VPNPools, KnownRemoteIPs, KnownSSHClients; severity: medium takes every "
		"new network as seriously as a new country; GeoIPWhitelist says what is never "
		"right. "
		"Who was away for longer than Retention.Profiles has no habits left and is learned "
		"anew: lengthen it for accounts that sleep, or lock them.",
	.mitigation = "M1032 M1036 M1035",
	.step = step,
	.asked = true, /* by core_settle.c: who it was is known */
	.key = KEY_PLACE,
};
