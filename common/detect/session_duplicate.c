/*
 * session.duplicate: one account is logged in from several places at once.
 *
 * Medium for services where a person has one session (vpn, rdgateway, citrix) and the addresses
 * differ; low for ssh, rdp and others, and only when both addresses are in known and different
 * autonomous systems. Not for SharedAccounts and ExpectedAutomation, not when both keys are known
 * and differ (two people on one account), not from known places, and not when the account is
 * usually at both.
 * Cannot see: anything for ssh and rdp without a geo database.
 *
 * Example: alice's VPN session from 203.0.113.9 lives, and another begins from 198.51.100.7.
 */
#include "../core/core_detect.h"

static bool is_usual(const struct core *c, const struct session *s)
{
	uint64_t who = hash_account(c, span_of(s->account));

	return known_origin(c, s) ||
	       seen_is_learned(c, seen_key(c, SEEN_PLACE, who, &s->origin.addr, s->service));
}

static bool is_elsewhere(const struct core *c, const struct session *own, const struct session *s)
{
	struct addr here = source_addr(&own->origin.addr), there = source_addr(&s->origin.addr);

	if (addr_eq(&here, &there) || !scope_counts_as_external(s->scope, &c->config.scope))
		return false;
	if (one_account_each(own->service))
		return true;
	return own->geo.asn && s->geo.asn && own->geo.asn != s->geo.asn;
}

static bool is_duplicate(const struct core *c, const struct session *own, const struct session *s)
{
	if (s->state != SESSION_OPEN || s->service != own->service ||
	    strcmp(s->account, own->account) != 0)
		return false;
	if (own->key[0] && s->key[0] && strcmp(own->key, s->key) != 0)
		return false;
	return is_elsewhere(c, own, s) && !(is_usual(c, own) && is_usual(c, s));
}

static void say(struct alert *a, const struct session *own, const struct session *s)
{
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, own);
	text_add(&t, " while a session of the same account from ");
	say_from(&t, s);
	text_add(&t, " is open. If it is not one person at two places, end both and change the "
		     "secret.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "2 origins at once");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct core *c = x->core;
	struct fire f = {.severity = SEVERITY_LOW, .count = 1, .reason = ""};
	const struct session *own;
	const struct csession *s;
	struct calert *a;
	uint32_t at = 0;
	bool is_new;

	if (x->session->pub.existing || !detect_is_external(x) ||
	    x->session->pub.anomaly_mask >> x->index & 1)
		return;
	own = &x->session->pub;
	if (shared_account(c, own) || expected_automation(c, own) || session_waits_for_key(own))
		return; /* whose key it is will be told in a moment */
	if (one_account_each(own->service))
		f.severity = SEVERITY_MEDIUM;
	while ((s = session_next_live(c, &at))) {
		if (!is_duplicate(c, own, &s->pub))
			continue;
		a = alert_raise(x, e, &f, &is_new);
		if (a)
			say(&a->pub, own, &s->pub);
		return;
	}
}

const struct detection detection_session_duplicate = {
	.id = "session.duplicate",
	.number = 1502,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "One account at two places at once",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(AUTH_NOTE),
	.triage = "Is the person at both places: a laptop and a jump host, a phone and a desk?",
	.contain = "End both sessions, change the account's password or key.",
	.false_positive = "A person with two connections; a job that uses a person's account.",
	.tune = "SharedAccounts, ExpectedAutomation, KnownRemoteIPs.",
	.mitigation = "M1032 M1036",
	.step = step,
	.key = KEY_ACCOUNT_DAY,
};
