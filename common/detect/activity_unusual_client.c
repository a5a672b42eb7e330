/*
 * activity.unusual_client: a program that never did so speaks to a remote service elsewhere.
 *
 * Sees TCP connections to ports of ssh, telnet, Remote Desktop, SMB, RPC, VNC and WinRM by programs
 * that were not seen doing so in 180 days, whatever session or service they belong to. The
 * system's own ssh programs are usual everywhere. For the first LearningDays of watching it is info
 * and marked as learning. Cannot see: a program that is usual (a stolen key in /usr/bin/ssh:
 * activity.lateral_movement); another port.
 *
 * Example: '/tmp/.x' of uid 33 is connected to 10.20.0.5:22 (ssh).
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS
};

static bool is_usual(const struct event *e)
{
	static const char *const usual[] = {"/usr/bin/ssh", "/usr/bin/ssh-keyscan", "/usr/bin/sftp",
					    "/usr/bin/scp"};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (span_is(e->path, usual[i]))
			return true;
	return false;
}

static void step(struct detect_ctx *x, const struct event *e)
{
	enum service service = service_of_port(e->dest.port);
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "", .count = 1};
	struct calert *a;
	uint32_t days;
	bool learning;
	struct text t;

	if (service == SERVICE_NONE || outward_is_udp(e) || is_container_api(service) ||
	    scope_of(&e->dest.addr, &x->core->config.scope) == SCOPE_LOOPBACK || is_usual(e) ||
	    !outward_is_new(x->core, SEEN_CLIENT, e, service, &days))
		return;
	learning = days < detect_param(x, PARAM_DAYS);
	if (learning)
		f.severity = SEVERITY_INFO;
	a = outward_raise(x, e, &f, true);
	if (!a)
		return;
	a->pub.learning = learning;
	t = TEXT_IN(a->pub.sentence);
	say_outward(&t, x, e);
	text_add(&t, " (%s), which it was not seen to do before%s.", service_name(service),
		 learning ? "; what is usual here is still being learned" : "");
	say_command(&t, e->args);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "not seen here in %u days; watched for %u", PLACE_KEPT_DAYS, days);
}

const struct detection detection_activity_unusual_client = {
	.id = "activity.unusual_client",
	.number = 1307,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A program speaks to a remote service for the first time",
	.attack = "T1021",
	.tactic = "TA0008",
	.analytic = "AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "",
	.events = EVENT_BIT(OUTWARD),
	.params = {{"LearningDays", 14, UNIT_COUNT,
		    "days until the programs of this host are known"}},
	.triage = "What is that program, who started it, and what does it want of that host?",
	.contain = "End it, and look at the host that it went to.",
	.false_positive = "A new deployment or backup tool; a program under another path after an "
			  "upgrade.",
	.tune = "An exception with the client (the program) and its reason.",
	.mitigation = "M1037 M1030",
	.step = step,
	.key = KEY_PROGRAM,
};
