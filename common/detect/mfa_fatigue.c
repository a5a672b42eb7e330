/*
 * mfa.fatigue: somebody is asked for a second factor again and again until they give in.
 *
 * Counts the prompts of one account that were denied or ran out of time, or codes that were wrong,
 * in Window: medium from Prompts on, high when one is approved within Window of so many.
 * Cannot see: who pressed the button; prompts of a factor whose words are not read.
 *
 * Example: alice denies five pushes within three minutes, and approves the sixth.
 */
#include "../core/core_detect.h"

enum {
	PARAM_PROMPTS,
	PARAM_WINDOW
};

static void say(const struct detect_ctx *x, const struct event *e, struct alert *a, uint32_t n)
{
	bool approved = strcmp(a->reason, "approved") == 0;
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "%u prompts for the second factor of ", n);
	text_quote(&t, e->account, 48);
	text_add(&t, " were denied or ran out of time within ");
	say_duration(&t, detect_param(x, PARAM_WINDOW));
	if (e->origin.addr.family) {
		text_add(&t, ", the last for a login from ");
		say_from_geo(&t, &e->origin, a->scope, &a->geo);
	}
	text_add(&t, approved ? ", and then one was approved. Somebody knows the password, and may "
				"have been let in."
			      : ". Somebody else knows the password.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u prompts >= %u in %us", n, (unsigned)detect_param(x, PARAM_PROMPTS),
		 (unsigned)detect_param(x, PARAM_WINDOW));
}

static enum severity by_origin(const struct detect_ctx *x, const struct event *e, enum severity s)
{
	const struct scope_rules *rules = &x->core->config.scope;

	/* Google Authenticator names no address: nothing says that it is inside. */
	if (!e->origin.addr.family ||
	    scope_counts_as_external(scope_of(&e->origin.addr, rules), rules))
		return s;
	return (enum severity)(s - 1);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	bool approved = e->outcome == OUTCOME_SUCCESS, is_new;
	struct fire f = {.reason = approved ? "approved" : "denied", .count = e->count};
	struct calert *a;
	uint32_t n;

	if (!approved && e->outcome != OUTCOME_FAILURE)
		return;
	n = mfa_denied(x->core, e, detect_param(x, PARAM_WINDOW));
	if (n < detect_param(x, PARAM_PROMPTS))
		return;
	f.severity = by_origin(x, e, approved ? SEVERITY_HIGH : SEVERITY_MEDIUM);
	f.open = alert_find(x, e, &f);
	if (!f.open)
		f.count = n;
	else if (approved)
		f.count = 0; /* it counts denials */
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	if (approved)
		span_copy(a->pub.reason, sizeof(a->pub.reason), span_of(f.reason));
	say(x, e, &a->pub, n);
}

const struct detection detection_mfa_fatigue = {
	.id = "mfa.fatigue",
	.number = 1601,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "anomaly",
	.title = "Many prompts for a second factor were denied",
	.attack = "T1621",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "denied approved",
	.events = EVENT_BIT(MFA),
	.params = {{"Prompts", 5, UNIT_COUNT, "at least so many were denied or ran out of time"},
		   {"Window", 600, UNIT_SECONDS, "within so long; then approved within as long"}},
	.param_max = {WINDOW_LARGE},
	.triage =
		"Ask the person whether they denied prompts, and whether they approved one. Where "
		"did the login come from?",
	.contain =
		"Change the account's password: it is known. After an approval end its sessions, "
		"and look for factors that were added since.",
	.false_positive = "A telephone without a network; a job or a client that tries by itself; "
			  "a clock that runs wrong, so that no code is right.",
	.tune = "Prompts and Window; an exception for the account. Number matching, or a key "
		"(FIDO2), ends this kind of attack.",
	.mitigation = "M1032 M1036 M1017",
	.step = step,
	.key = KEY_ACCOUNT,
};
