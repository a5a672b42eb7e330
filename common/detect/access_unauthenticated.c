/*
 * access.unauthenticated: somebody outside used a service that asked for no authentication.
 *
 * Sees a Windows network logon of ANONYMOUS LOGON from outside (a null session over SMB or RPC),
 * and a login that a daemon accepted by the method `none` (an account without a password). From
 * inside, anonymous logons are how Windows hosts talk to each other: nothing is told.
 * Cannot see: container APIs and VNC without a password; what was read in a null session.
 *
 * Example: 4624, LogonType 3, ANONYMOUS LOGON, IpAddress 203.0.113.9.
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (!x->session || e->method != METHOD_NO_AUTH || !detect_is_external(x))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_quote(&t, span_of(x->session->pub.account), 48);
	text_add(&t, " was let in over %s from ", service_name(x->session->pub.service));
	say_origin(&t, &x->session->pub.origin, x->session->pub.scope);
	text_add(&t, " without any authentication.");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, a->pub.count == 1 ? "%u session that day" : "%u sessions that day",
		 (unsigned)a->pub.count);
}

const struct detection detection_access_unauthenticated = {
	.id = "access.unauthenticated",
	.number = 1204,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "access",
	.title = "A service was used without authentication",
	.attack = "T1133",
	.tactic = "TA0001",
	.analytic = "AN1005",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage =
		"Is the service meant to be reached from outside at all? Which shares or accounts "
		"can it list?",
	.contain = "Close the port to the outside; restrict anonymous access (RestrictAnonymous), "
		   "give the account a password.",
	.false_positive = "A public share or honeypot that is meant to be open.",
	.tune = "An exception with the service and account.",
	.mitigation = "M1035 M1042",
	.step = step,
	.key = KEY_ACCESS,
};
