/*
 * access.protocol_mismatch: a remote service behind a port that is for something else.
 *
 * Sees that a server answered in ssh, VNC, Remote Desktop, SMB, RPC, telnet, OpenVPN or SOCKS on
 * another protocol's port by IANA's registry: what gets through a firewall, or hides. Told once a
 * listener. Of a listener that nobody watches the first answers of an hour are looked at, once
 * somebody from outside has come (an answer within a millisecond may be missed: then the next).
 * Cannot see: there, what only the inside asks for, and a server that answers in its own protocol
 * only later; what is spoken inside TLS; a port that is nobody's, as 2222 or SOCKS's own 1080.
 *
 * Example: port 443 (https) answered 203.0.113.9 in ssh.
 */
#include "../core/core_detect.h"

/* Told once a listener, and once more when it is the first from outside. */
static bool is_news(struct detect_ctx *x, const struct event *e)
{
	static const struct addr nowhere;
	uint64_t which = (uint64_t)e->local.port << 1 | detect_is_external(x);

	return seen_first(x->core, seen_key(x->core, SEEN_SPOKEN, which, &nowhere, e->service),
			  core_day(e->time_ns), PLACE_KEPT_DAYS);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {
		.severity = severity_by_scope(x, SEVERITY_MEDIUM), .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (span_empty(e->text) || !is_news(x, e))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "The server behind port %u, which is for ", e->local.port);
	text_plain(&t, e->text, 24);
	text_add(&t, ", answered ");
	say_origin(&t, &e->origin, scope_of(&e->origin.addr, &x->core->config.scope));
	text_add(&t,
		 " in %s: a remote service where nobody looks for one, or where a firewall lets "
		 "everybody in.",
		 service_name(e->service));
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "the server's first bytes are %s's", service_name(e->service));
}

const struct detection detection_access_protocol_mismatch = {
	.id = "access.protocol_mismatch",
	.number = 1206,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "access",
	.title = "A remote service behind another service's port",
	.attack = "T1571 T1133",
	.tactic = "TA0011 TA0001",
	.analytic = "AN1005",
	.data_components = "Network Traffic Content (DC0085)",
	.reasons = "",
	.events = EVENT_BIT(ANSWER),
	.triage = "Who made the server listen there (outergate exposure), and is it meant to be?",
	.contain = "Stop the listener, or close the port, until somebody says that it is theirs.",
	.false_positive =
		"An administrator's sshd on 443 for networks that let nothing else out; a "
		"multiplexer such as sslh.",
	.tune = "An exception with the service, the port and its reason.",
	.mitigation = "M1031 M1042",
	.step = step,
	.key = KEY_LISTENER,
};
