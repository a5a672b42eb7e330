/*
 * session.address_changed: a live session goes on from another address.
 *
 * Sees a desktop of Windows that is reconnected to from elsewhere (4778 by its logon id,
 * LocalSessionManager 25 by its number). Info inside one autonomous system and where Travel
 * announces the country or the new address is known, medium into another country; low
 * for another network of the same country, and wherever either place is unknown.
 * A WireGuard peer that speaks from elsewhere has moved, too. Cannot see: mosh, which is not read;
 * over ssh the peer of a connection cannot change.
 *
 * Example: alice leaves a desktop in DE, and 20 minutes later it is reconnected to from BR.
 */
#include "../core/core_detect.h"

static bool is_known(const char *country)
{
	return country[0] != '\0';
}

static enum severity judge(const struct detect_ctx *x, const struct geo *from)
{
	const struct session *s = &x->session->pub;
	const struct geo *to = &s->geo;

	if ((from->asn && from->asn == to->asn) || travel_allows(x->core, s))
		return SEVERITY_INFO;
	if (is_known(from->country) && is_known(to->country) &&
	    strcmp(from->country, to->country) != 0)
		return SEVERITY_MEDIUM;
	return SEVERITY_LOW;
}

static void say(struct detect_ctx *x, struct alert *a, const struct endpoint *was,
		const struct geo *from)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "The %s session of ", service_name(s->service));
	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " goes on from ");
	say_from(&t, s);
	text_add(&t, "; before that its other end was ");
	say_from_geo(&t, was, scope_of(&was->addr, &x->core->config.scope), from);
	text_add(&t, a->severity > SEVERITY_LOW ? ". If nobody is travelling, end it." : ".");
	t = TEXT_IN(a->numbers);
	text_add(&t, a->count == 1 ? "%u change" : "%u changes", (unsigned)a->count);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.reason = "", .count = 1};
	struct calert *a;
	struct geo from;
	bool is_new;

	if (!detect_is_external(x))
		return;
	geo_of(x->core, &e->dest.addr, &from);
	f.severity = severity_unless_known(x, judge(x, &from));
	f.quiet = f.severity == SEVERITY_INFO;
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(x, &a->pub, &e->dest, &from);
}

const struct detection detection_session_address_changed = {
	.id = "session.address_changed",
	.number = 1503,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "A live session goes on from another address",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004",
	.data_components = "Logon Session Metadata (DC0088)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage = "Did the person move, from an office to a home or to a mobile network? Ask them "
		  "by another way than this account.",
	.contain = "End the session, change the account's password.",
	.false_positive = "A person who goes home and takes up the desktop of the office again; a "
			  "provider that changes addresses.",
	.tune = "KnownRemoteIPs for the places people work at; Travel for a journey.",
	.mitigation = "M1032 M1035 M1036",
	.step = step,
	.asked = true, /* by core_rdp.c: e->dest is where it came from before */
	.key = KEY_ACCOUNT_DAY,
};
