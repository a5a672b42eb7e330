/*
 * auth.valid_password_denied: somebody knows the password, and only policy kept them out.
 *
 * Sees, on one connection, PAM's authentication succeed and its account check say no (denied or
 * expired): pam_access, pam_time, a locked or expired account. High from outside: the password is
 * known and will be tried elsewhere.
 * Cannot see: it in a log alone, where the line does not say whether a password or a key was
 * right; policy of the daemon itself (AllowUsers), which lets no password be checked.
 *
 * Example: alice's account has expired, and 203.0.113.9 gives her right password.
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {
		.severity = severity_by_scope(x, SEVERITY_HIGH), .reason = x->reason, .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	say_from_geo(&t, conn_origin(x->core, x->conn), a->pub.scope, &a->pub.geo);
	text_add(&t, " gave the right password of ");
	text_quote(&t, span_of(x->conn->account), 48);
	text_add(&t, ", and was kept out only because %s: the password is known to them.",
		 strcmp(x->reason, "account-expired") == 0 ? "the account has expired"
							   : "the account may not log in here");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, a->pub.count == 1 ? "%u time" : "%u times", (unsigned)a->pub.count);
}

const struct detection detection_auth_valid_password_denied = {
	.id = "auth.valid_password_denied",
	.number = 1105,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "The password was right and policy refused",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1005",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "account-denied account-expired",
	.events = EVENT_BIT(PAM),
	.triage =
		"Does the person at that origin own the account? Where else is that password used?",
	.contain = "Change the password wherever it is used; block the source.",
	.false_positive =
		"Somebody whose account has just expired, or who tries at the wrong hour.",
	.tune = "An exception with the account and its end.",
	.mitigation = "M1032 M1027",
	.step = step,
	.asked = true, /* by core_pam.c, core_windows.c */
	.key = KEY_ACCESS,
};
