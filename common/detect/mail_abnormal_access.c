/*
 * mail.abnormal_access: a login to a mailbox that is odd in the way of an origin.* detection.
 *
 * Where one of those fires on a session of a mail service, the alert is this one, with the oddity
 * as its reason (odd_raises_as(), core_habit.c): medium for a place, a country, a journey or an
 * anonymizer; low for a client and for hours, since telephones fetch mail at night; info where the
 * origin is known, Travel announces it or the habits are still being learned.
 * Cannot see: which messages were read.
 *
 * Example: alice's mailbox, for months read from NL, is logged in to from BR.
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	(void)x; /* the origin.* detections raise it */
	(void)e;
}

const struct detection detection_mail_abnormal_access = {
	.id = "mail.abnormal_access",
	.number = 1651,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "A mailbox is used from an odd place or in an odd way",
	.attack = "T1114 T1078",
	.tactic = "TA0009",
	.analytic = "AN1004",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "new_place country_not_allowed impossible_travel anonymizer new_client "
		   "outside_hours",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage =
		"Does the person read mail from there? Ask them by another way than mail. Look for "
		"new forwarding and filter rules.",
	.contain = "Change the mailbox's password, end its connections, and take forwarding rules "
		   "and application passwords away.",
	.false_positive = "A journey, a new provider, a mobile network, a service that fetches "
			  "mail on the person's behalf.",
	.tune = "Travel, KnownRemoteIPs (with service: mail), GeoIPWhitelist, BusinessHours; the "
		"learning times are those of the origin.* detections.",
	.mitigation = "M1032 M1036 M1047",
	.step = step,
	.asked = true,
	.key = KEY_PLACE,
};
