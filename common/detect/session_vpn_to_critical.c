/*
 * session.vpn_to_critical: somebody who came by a VPN pool reaches a critical host.
 *
 * The session's origin is in VPNPools, and the host is in CriticalHosts: this one, by the address
 * it was reached at, or one that the session goes on to by a remote-access port. Medium for the
 * first time of an identity and a host in Days, info afterwards.
 * Cannot see: who came by another way to the host before; a critical host behind a forward.
 *
 * Example: alice from 10.8.0.5, a pool, is on 10.20.0.5, a critical host, for the first time.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS
};

static bool is_critical(const struct core *c, const struct addr *a)
{
	for (unsigned i = 0; a->family && i < c->config.critical_hosts_count; i++)
		if (cidr_has(&c->config.critical_hosts[i], a))
			return true;
	return false;
}

static void say(struct alert *a, const struct session *s, const struct endpoint *host, bool here,
		unsigned days)
{
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, ", from the VPN pool at ");
	say_origin(&t, s->by_vpn ? &s->via : &s->origin, SCOPE_NONE);
	text_add(&t,
		 here ? ", logged in over %s on the critical host "
		      : ", went on from its %s session to the critical host ",
		 service_name(s->service));
	say_origin(&t, host, SCOPE_NONE);
	text_add(&t, a->severity > SEVERITY_INFO ? ", where it was not seen lately." : ", again.");
	t = TEXT_IN(a->numbers);
	text_add(&t,
		 a->severity > SEVERITY_INFO ? "not there in the last %u days"
					     : "there within the last %u days",
		 days);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct core *c = x->core;
	bool here = e->kind == EVENT_SESSION_OPEN, is_new, is_first;
	struct fire f = {.severity = SEVERITY_INFO, .count = 1, .reason = here ? "here" : "onward"};
	const struct endpoint *host;
	const struct session *s;
	struct calert *a;

	if (x->session->pub.existing)
		return;
	s = &x->session->pub;
	host = here ? &s->local : &e->dest;
	if (!vpn_pool(c, s->by_vpn ? &s->via.addr : &s->origin.addr) ||
	    !is_critical(c, &host->addr) || (!here && service_of_port(host->port) == SERVICE_NONE))
		return;
	is_first = seen_first(
		c, seen_key(c, SEEN_CRITICAL, session_identity(c, s), &host->addr, SERVICE_NONE),
		core_day(e->time_ns), (uint32_t)detect_param(x, PARAM_DAYS));
	if (is_first)
		f.severity = SEVERITY_MEDIUM;
	f.quiet = !is_first;
	a = alert_raise(x, e, &f, &is_new);
	if (a && (is_new || is_first))
		say(&a->pub, s, host, here, (unsigned)detect_param(x, PARAM_DAYS));
}

const struct detection detection_session_vpn_to_critical = {
	.id = "session.vpn_to_critical",
	.number = 1504,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "anomaly",
	.title = "From a VPN pool to a critical host",
	.attack = "T1021",
	.tactic = "TA0008",
	.analytic = "AN1004 AN1005",
	.data_components = "Logon Session Creation (DC0067); Network Connection Creation (DC0082)",
	.reasons = "here onward",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(CONNECT),
	.params = {{"Days", 30, UNIT_COUNT, "info when the same was seen within so many days"}},
	.param_max = {PLACE_KEPT_DAYS},
	.triage = "Is it the person's work to be on that host? Who gave the VPN access?",
	.contain = "End the session and the VPN session; look at what was done on the host.",
	.false_positive = "A new administrator, a first turn on call.",
	.tune = "CriticalHosts and VPNPools; an exception for the account.",
	.mitigation = "M1030 M1032 M1035",
	.step = step,
	.key = KEY_SESSION,
};
