/*
 * exposure.weak: a remote service lets in by a password, root by name, or in clear text.
 *
 * Sees an sshd whose settings allow passwords or root (Match blocks: for some), VNC's shared
 * password, telnet, ftp and rsh in clear text, RDP and web consoles behind a password alone, where
 * that was not so at the first start. Cannot see: a second factor that PAM asks for; settings that
 * a running daemon has not read yet.
 *
 * Example: PasswordAuthentication yes is written to /etc/ssh/sshd_config.d, where it was no before.
 */
#include "exposure_parts.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	exposure_raise(x, e, SEVERITY_LOW,
		       "A remote service that can be reached from outside is weakly protected: ");
}

const struct detection detection_exposure_weak = {
	.id = "exposure.weak",
	.number = 1803,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "finding",
	.title = "A remote service reachable from outside allows passwords, root or clear text",
	.attack = "T1133",
	.tactic = "TA0001 TA0003",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "",
	.events = EVENT_BIT(EXPOSURE),
	.triage = "Is that meant, and since when? activity.persistence tells who changed sshd's "
		  "settings.",
	.contain = "Turn passwords and root off, or the service.",
	.false_positive =
		"A second factor asked for by PAM, or a network that only trusted people reach.",
	.tune = "An exception for the port or the service; Mode observe for the detection. What "
		"listened at the first start is the baseline and is never told.",
	.mitigation = "M1032 M1042 M1035",
	.step = step,
	.asked = true,
	.key = KEY_EXPOSURE,
};
