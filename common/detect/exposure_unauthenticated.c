/*
 * exposure.unauthenticated: a remote service asks nobody who they are, and anyone may reach it.
 *
 * Sees VNC with the security type None or without a password, dockerd on TCP without tlsverify, a
 * kubelet that lets anonymous requests do all or has a read-only port, by their command lines and
 * settings, where that was not so at the first start. Cannot see: what was set at run time; a
 * firewall.
 *
 * Example: `Xtigervnc :5 -SecurityTypes None` on 0.0.0.0:5905.
 */
#include "exposure_parts.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	exposure_raise(
		x, e, SEVERITY_HIGH,
		"A remote service asks nobody who they are, and can be reached from outside: ");
}

const struct detection detection_exposure_unauthenticated = {
	.id = "exposure.unauthenticated",
	.number = 1802,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "finding",
	.title = "A remote service reachable from outside asks for no authentication",
	.attack = "T1133",
	.tactic = "TA0001 TA0003",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "",
	.events = EVENT_BIT(EXPOSURE),
	.triage = "Was it used? access.unauthenticated and the sessions of that service tell; "
		  "outergate exposure shows its settings.",
	.contain =
		"Stop it or bind it to 127.0.0.1 at once; treat what it gave access to as taken.",
	.false_positive = "A firewall before this host that lets nobody through.",
	.tune = "An exception for the port or the service; Mode observe for the detection. What "
		"listened at the first start is the baseline and is never told.",
	.mitigation = "M1042 M1035",
	.step = step,
	.asked = true,
	.key = KEY_EXPOSURE,
};
