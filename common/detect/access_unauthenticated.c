/*
 * access.unauthenticated: somebody outside used a service that asked for no authentication.
 *
 * Sees a Windows network logon of ANONYMOUS LOGON from outside (a null session over SMB or RPC),
 * a login that a daemon accepted by the method `none` (an account without a password), a VNC
 * server that handed over its screen and asked for nothing, and requests to a container engine, a
 * kubelet or the Kubernetes API that were answered although nobody had said who he is. Not: what
 * was refused or does not exist; versions and health, which every cluster shows; AllowedCIDRs. From
 * inside, anonymous logons are how Windows hosts talk to each other, and nodes read each other's
 * kubelets: nothing is told. Cannot see: VNC without a password inside TLS; what was read in a null
 * session; a kubelet that asks nobody behind TLS (the API server's audit log tells of itself
 * alone).
 *
 * Example: 4624, LogonType 3, ANONYMOUS LOGON, IpAddress 203.0.113.9; GET /containers/json, 200.
 */
#include "../core/core_detect.h"

/* A redirection says nothing but where to ask. */
static bool was_used(const struct event *e)
{
	bool redirected = e->result >= 300 && e->result != 304;

	return e->api.anonymous && e->outcome == OUTCOME_SUCCESS && !redirected &&
	       e->api.action != API_HARMLESS;
}

static void say_made(struct text *t, const struct event *e)
{
	if (!span_empty(e->api.container)) {
		text_add(t, ", container ");
		text_quote(t, e->api.container, 64);
	}
	if (!span_empty(e->api.image)) {
		text_add(t, " of image ");
		text_quote(t, e->api.image, 48);
	}
	if (!span_empty(e->api.detail)) {
		text_add(t, " with ");
		text_quote(t, e->api.detail, 64);
	}
}

static void step_api(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (e->service == SERVICE_NONE || !was_used(e) || api_allowed(x->core, e))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u requests that day", (unsigned)a->pub.count);
	if (!is_new &&
	    e->api.action < API_CREATE) /* the first, or the last that changed something */
		return;
	t = TEXT_IN(a->pub.sentence);
	say_from_geo(&t, &e->origin, a->pub.scope, &a->pub.geo);
	text_add(&t, " used %s without any authentication: ", service_name(e->service));
	text_quote(&t, e->subject, 16);
	text_add(&t, " of ");
	text_quote(&t, api_target(e), 96);
	say_made(&t, e);
	text_add(&t, ".");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (e->kind == EVENT_API) {
		step_api(x, e);
		return;
	}
	if (e->method != METHOD_NO_AUTH || !detect_is_external(x) ||
	    is_container_api(x->session->pub.service)) /* by its requests, above */
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
	.analytic = "AN1005 AN1007",
	.data_components = "Logon Session Creation (DC0067); Application Log Content (DC0038)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(API),
	.triage =
		"Is the service meant to be reached from outside at all? Which shares or accounts "
		"can it list? Which containers were made or entered since, and with which rights?",
	.contain = "Close the port to the outside; restrict anonymous access (RestrictAnonymous; "
		   "--anonymous-auth=false; TLS with client certificates for an engine), give the "
		   "account a password. Stop containers that nobody here made.",
	.false_positive = "A public share or honeypot that is meant to be open.",
	.tune = "AllowedCIDRs for container APIs; an exception with the service and account.",
	.mitigation = "M1035 M1042",
	.step = step,
	.key = KEY_ACCESS,
};
