/*
 * container.api_external: somebody outside AllowedCIDRs uses a container or cluster API.
 *
 * Sees requests in plain text with the server's answer (Docker on 2375, kubelet's read-only port),
 * audit records of a cluster, and of TLS the client's hello, where no audit log tells what came of
 * it. What was refused (401, 403) is low. What every cluster shows to anybody (kube-apiserver's
 * version and health) is nothing; nor is what this host asks itself by its outer address.
 * Cannot see: requests inside TLS, which the daemon does not log.
 *
 * Example: GET /containers/json to port 2375 from 203.0.113.10, answered with 200.
 */
#include "../core/core_detect.h"

static void say(struct alert *a, const struct event *e)
{
	struct text t = TEXT_IN(a->sentence);

	say_from_geo(&t, &a->origin, a->scope, &a->geo);
	text_add(&t,
		 e->kind == EVENT_CLIENT	 ? " speaks TLS with the %s API"
		 : e->outcome == OUTCOME_SUCCESS ? " uses the %s API"
		 : e->outcome == OUTCOME_REFUSED ? " was refused by the %s API"
						 : " tries the %s API",
		 service_name(e->service));
	if (e->local.port) /* an audit log names none */
		text_add(&t, " on port %u", e->local.port);
	if (e->kind != EVENT_CLIENT) {
		text_add(&t, ": ");
		text_quote(&t, e->subject, 12);
		text_add(&t, " ");
		text_quote(&t, api_target(e), 96);
	}
	if (!span_empty(e->client)) {
		text_add(&t, " by ");
		text_quote(&t, e->client, 48);
	}
	text_add(&t, ". AllowedCIDRs does not have it.");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "", .count = 1};
	struct calert *a;
	bool is_new;

	if (!is_container_api(e->service) || api_allowed(x->core, e))
		return;
	if (e->kind == EVENT_CLIENT && api_is_audited(x->core, e->service))
		return;
	if (e->api.action == API_HARMLESS && e->service != SERVICE_DOCKER &&
	    e->outcome == OUTCOME_SUCCESS)
		return;
	if (e->outcome == OUTCOME_REFUSED || e->outcome == OUTCOME_FAILURE)
		f.severity = SEVERITY_LOW;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	/* What it did says more than what it read. */
	if (is_new || (a->pub.severity == f.severity && e->api.action >= API_CREATE))
		say(&a->pub, e);
	struct text t = TEXT_IN(a->pub.numbers);

	text_add(&t, "%u requests that day, 0 of AllowedCIDRs", (unsigned)a->pub.count);
}

const struct detection detection_container_api_external = {
	.id = "container.api_external",
	.number = 1701,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "access",
	.title = "A container or cluster API used from outside",
	.attack = "T1133",
	.tactic = "TA0001",
	.analytic = "AN1007",
	.data_components = "Network Connection Creation (DC0082); Network Traffic Content (DC0085)",
	.reasons = "",
	.events = EVENT_BIT(API) | EVENT_BIT(CLIENT),
	.triage = "Is that port meant to be reached from outside? Which requests changed something "
		  "(container.created_after_api)?",
	.contain =
		"Close the port to the outside, or let the daemon listen on its local socket only.",
	.false_positive = "An administrator's or a CI system's address that nobody listed.",
	.tune = "AllowedCIDRs lists who may.",
	.mitigation = "M1035 M1042",
	.step = step,
	.key = KEY_API,
};
