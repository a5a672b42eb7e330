/*
 * session.shared_source: several accounts log in from one address.
 *
 * Counts the accounts that have a session from that address now, or had one within TimeWindow.
 * Medium for services where a person has one account (vpn, rdgateway, citrix). Elsewhere, where an
 * office behind one address is the rule, low, and only accounts count that are known in other
 * autonomous systems and never in this one. Not for SharedAccounts and ExpectedAutomation, not from
 * known places, and not when every one of them is usually there, as learned from sessions that did
 * nothing.
 * Cannot see: how many people sit behind an address; for ssh and rdp anything without a geo
 * database.
 *
 * Example: alice and then bob, by VPN, from 203.0.113.9 within five minutes.
 */
#include "../core/core_detect.h"

enum {
	PARAM_ACCOUNTS
};

#define NAMES_MAX 8 /* told by name */

struct crowd {
	const char *names[NAMES_MAX];
	unsigned used;
	bool usual; /* every one of them is usually there */
};

static bool is_counted(const struct detect_ctx *x, const struct session *s)
{
	const struct session *own = &x->session->pub;
	uint64_t window = x->core->config.time_window_s * SECOND_NS;

	return s->service == own->service && addr_eq(&s->origin.addr, &own->origin.addr) &&
	       s->account[0] && !shared_account(x->core, s) && !expected_automation(x->core, s) &&
	       (s->state == SESSION_OPEN || s->open_ns + window > own->open_ns);
}

static bool is_usual(const struct core *c, const struct session *s)
{
	uint64_t who = hash_account(c, span_of(s->account));

	return seen_is_learned(c, seen_key(c, SEEN_PLACE, who, &s->origin.addr, s->service));
}

/* It has a home, and this is not it. */
static bool is_away(const struct core *c, const struct session *s)
{
	const struct profile *p = profile_of_account(c, s);
	char value[TRAIT_VALUE];

	trait_of_session(s, TRAIT_ASN, value);
	return value[0] && profile_has(c, p, TRAIT_ASN, NULL) &&
	       !profile_has(c, p, TRAIT_ASN, value);
}

static void crowd_add(struct crowd *g, const struct core *c, const struct session *s)
{
	for (unsigned i = 0; i < g->used && i < NAMES_MAX; i++)
		if (strcmp(g->names[i], s->account) == 0)
			return;
	if (!one_account_each(s->service) && !is_away(c, s))
		return;
	if (g->used < NAMES_MAX)
		g->names[g->used] = s->account;
	g->used++;
	g->usual = g->usual && is_usual(c, s);
}

static void say(struct alert *a, const struct session *s, const struct crowd *g)
{
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "%u accounts logged in over %s from ", g->used, service_name(s->service));
	say_origin(&t, &(struct endpoint){.addr = s->origin.addr}, s->scope);
	text_add(&t, ": ");
	for (unsigned i = 0; i < g->used && i < NAMES_MAX; i++) {
		text_add(&t, i ? ", " : "");
		text_quote(&t, span_of(g->names[i]), 32);
	}
	text_add(&t, ". One person, or one intruder, with several accounts?");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u accounts", g->used);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct core *c = x->core;
	struct crowd g = {.usual = true};
	struct fire f = {.restart = true};
	const struct csession *s;
	uint32_t at = 0;
	struct calert *a;
	bool is_new;

	if (x->session->pub.existing || !detect_is_external(x) ||
	    !is_counted(x, &x->session->pub) || known_origin(c, &x->session->pub))
		return;
	while ((s = session_next_alike(c, &x->session->pub, &at)))
		if (is_counted(x, &s->pub))
			crowd_add(&g, c, &s->pub);
	if (g.used < detect_param(x, PARAM_ACCOUNTS) || g.usual)
		return;
	f.severity = one_account_each(x->session->pub.service) ? SEVERITY_MEDIUM : SEVERITY_LOW;
	f.count = g.used;
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(&a->pub, &x->session->pub, &g);
}

const struct detection detection_session_shared_source = {
	.id = "session.shared_source",
	.number = 1501,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Several accounts from one address",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"Accounts", 2, UNIT_COUNT, "at least so many accounts of one address"}},
	.triage = "Do these people share an office, a home or a provider's address?",
	.contain = "If not, end the sessions and change the secrets of all the accounts.",
	.false_positive =
		"People behind one address; one person with an account for daily work and "
		"one for administration.",
	.tune = "SharedAccounts, KnownRemoteIPs, Accounts.",
	.mitigation = "M1032 M1036",
	.step = step,
	.key = KEY_SOURCE,
};
