/*
 * exposure.new_listener: a remote service listens that did not listen before, and anyone may reach
 * it.
 *
 * Sees what the agent found to listen (core_exposure.c): bound to a wildcard, or to an address that
 * counts as external, and not there when the agent first looked. Once a service: a restart, another
 * process and an upgraded program are the same one. Of a user's (not root's) findings of a day the
 * first eight are sent, all are kept. Cannot see: a firewall, here or before this host; a port that
 * is forwarded to a container by rules alone.
 *
 * Example: alice runs `ssh -R 0.0.0.0:8022:localhost:22` where GatewayPorts allows it.
 */
#include "exposure_parts.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	exposure_raise(x, e, SEVERITY_MEDIUM,
		       "A remote service that was not there before can be reached from outside: ");
}

const struct detection detection_exposure_new_listener = {
	.id = "exposure.new_listener",
	.number = 1801,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "finding",
	.title = "A new remote service can be reached from outside",
	.attack = "T1133",
	.tactic = "TA0001 TA0003",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "",
	.events = EVENT_BIT(EXPOSURE),
	.triage = "Who started it (outergate sessions), and does anybody need it? outergate "
		  "exposure shows all that listen and what applies.",
	.contain = "Stop it, or bind it to 127.0.0.1; look at who logged in through it since.",
	.false_positive =
		"An administrator who installs a service; another port for one that was there.",
	.tune = "An exception for the port or the service; Mode observe for the detection. What "
		"listened at the first start is the baseline and is never told.",
	.mitigation = "M1042 M1035 M1030",
	.step = step,
	.asked = true,
	.key = KEY_EXPOSURE,
};
