/*
 * origin.country_not_allowed: a login from a country that the operator did not allow.
 *
 * GeoIPWhitelist allows by country or by network (AS number): either is enough. Both lists empty:
 * off. Travel allows an account a country for a time. Where no database knows the country (the
 * network, when only networks are listed) GeoIPWhitelist.unresolved decides. Info when the
 * operator's lists know the address or the client.
 * Cannot see: where a person is, only where an address is said to be.
 *
 * Example: countries: [DE, NL]; alice logs in from an address in BR.
 */
#include "../core/core_detect.h"

enum verdict {
	ALLOWED,
	NOT_ALLOWED,
	UNRESOLVED
};

static bool has_asn(const struct geo_whitelist *w, uint32_t asn)
{
	for (unsigned i = 0; asn && i < w->asns_count; i++)
		if (w->asns[i] == asn)
			return true;
	return false;
}

static enum verdict judge(const struct core *c, const struct session *s)
{
	const struct geo_whitelist *w = &c->config.whitelist;
	bool resolved = w->countries_count ? s->geo.country[0] != '\0' : s->geo.asn != 0;

	if (!w->countries_count && !w->asns_count)
		return ALLOWED;
	if (has_asn(w, s->geo.asn) || travel_allows(c, s))
		return ALLOWED;
	for (unsigned i = 0; s->geo.country[0] && i < w->countries_count; i++)
		if (strcmp(w->countries[i], s->geo.country) == 0)
			return ALLOWED;
	return resolved ? NOT_ALLOWED : UNRESOLVED;
}

static void say(struct alert *a, const struct session *s, enum verdict v)
{
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	text_add(&t, v == UNRESOLVED ? "; no database knows where that is, and GeoIPWhitelist "
				       "does not allow that."
				     : ", which GeoIPWhitelist does not allow.");
	if (a->severity == SEVERITY_INFO)
		text_add(&t, " The address or client is known.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u sessions that day", (unsigned)a->count);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .count = 1};
	struct calert *a;
	enum verdict v;

	if (!detect_is_external(x))
		return;
	v = judge(x->core, &x->session->pub);
	if (v == ALLOWED || (v == UNRESOLVED && !x->core->config.whitelist.unresolved_alert))
		return;
	if (known_origin(x->core, &x->session->pub))
		f.severity = SEVERITY_INFO;
	f.reason = v == UNRESOLVED ? "unresolved" : "not-allowed";
	f.match_key = x->session->pub.key;
	a = odd_alert(x, e, &f);
	if (a)
		say(&a->pub, &x->session->pub, v);
}

const struct detection detection_origin_country_not_allowed = {
	.id = "origin.country_not_allowed",
	.number = 1401,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login from a country that is not allowed",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067); Logon Session Metadata (DC0088)",
	.reasons = "not-allowed unresolved",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage = "Is the person of that account there? Ask them on another way.",
	.contain = "End the session, change the account's secrets, block the source.",
	.false_positive = "A journey, or a network that the database puts into another country.",
	.tune = "Travel for the account and the time; GeoIPWhitelist.countries or asns.",
	.mitigation = "M1035 M1030 M1032",
	.step = step,
	.asked = true, /* by core_settle.c */
	.key = KEY_ACCESS,
};
