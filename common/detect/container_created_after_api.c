/*
 * container.created_after_api: a container, or a program in one, that somebody outside
 * AllowedCIDRs asked an API for, and got.
 *
 * Sees it in the request and its answer; what runs then joins the session by the container's id.
 * High when what was asked for leads outside the container: privileged, the host's namespaces or
 * directories, the engine's socket, capabilities, devices, kube-system.
 * Cannot see: requests inside TLS without an audit log.
 *
 * Example: POST /containers/create, Privileged, "/:/host", then its start.
 */
#include "../core/core_detect.h"

static const struct {
	uint32_t bit;
	const char *text;
} risks[] = {
	{RISK_PRIVILEGED, "privileged"},
	{RISK_HOST_NETWORK, "the host's network"},
	{RISK_HOST_PID, "the host's processes"},
	{RISK_HOST_IPC, "the host's IPC"},
	{RISK_HOST_MOUNT, "a directory of the host"},
	{RISK_ENGINE_SOCKET, "the engine's socket"},
	{RISK_CAPABILITY, "capabilities"},
	{RISK_DEVICE, "devices of the host"},
	{RISK_SYSTEM_NAMESPACE, "kube-system"},
};

static void say_risks(struct text *t, const struct event *e)
{
	bool any = false;

	for (size_t i = 0; i < sizeof(risks) / sizeof(risks[0]); i++) {
		if (!(e->api.risks & risks[i].bit))
			continue;
		text_add(t, any ? ", %s" : ", with %s", risks[i].text);
		any = true;
	}
	if (any && !span_empty(e->api.detail)) {
		text_add(t, " (");
		text_plain(t, e->api.detail, 64);
		text_add(t, ")");
	}
}

static void say(struct alert *a, const struct event *e)
{
	struct text t = TEXT_IN(a->sentence);

	say_from_geo(&t, &a->origin, a->scope, &a->geo);
	text_add(&t,
		 e->api.action == API_EXEC ? " has the %s API run a program in container "
					   : " has the %s API create container ",
		 service_name(e->service));
	text_quote(&t, span_first(e->api.container, 63), 64);
	if (!span_empty(e->api.image)) {
		text_add(&t, " of image ");
		text_quote(&t, e->api.image, 64);
	}
	say_risks(&t, e);
	text_add(&t, ".");
	say_command(&t, e->args);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "", .count = 1};
	enum severity before;
	struct calert *a;
	struct text t;
	bool is_new;

	if (!x->session || /* nobody's, or not answered with more than no */
	    (e->api.action != API_CREATE && e->api.action != API_EXEC))
		return;
	f.reason = e->api.action == API_EXEC ? "exec" : "create";
	if (e->api.risks)
		f.severity = SEVERITY_HIGH;
	a = alert_find(x, e, &f);
	before = a ? a->pub.severity : SEVERITY_INFO; /* lower than any */
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	if (f.severity > before)
		say(&a->pub, e);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u requests that created or ran something", (unsigned)a->pub.count);
}

const struct detection detection_container_created_after_api = {
	.id = "container.created_after_api",
	.number = 1702,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "activity",
	.title = "A container or program started by an API request from outside",
	.attack = "T1610 T1609",
	.tactic = "TA0002",
	.analytic = "AN1007",
	.data_components = "Container Creation (DC0072); Container Start (DC0077)",
	.reasons = "create exec",
	.events = EVENT_BIT(API),
	.triage = "What runs in that container (outergate sessions), and what of the host does it "
		  "see?",
	.contain =
		"Stop and keep the container for a look; take what it could write on the host for "
		"changed (keys, cron, units).",
	.false_positive = "A deployment from an address that nobody listed in AllowedCIDRs.",
	.tune = "AllowedCIDRs lists who may.",
	.mitigation = "M1035 M1042 M1048",
	.step = step,
	.key = KEY_SESSION,
};
