/*
 * origin.new_client: a login with a key, or by a client program, that this account never used.
 *
 * Judged by what the account as a whole is used to; until it was watched for LearningDays and
 * LearningLogins it is info and marked as learning. A client counts without its version, so an
 * update is no new client. Reason fingerprint: another program under the very same name and
 * version. Cannot see: a stolen key in the client it belongs to; a program that copies name and
 * algorithms.
 *
 * Example: alice, always with the same two keys, logs in with a third.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS,
	PARAM_LOGINS
};

static void say(struct detect_ctx *x, struct alert *a, const struct profile *p)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	if (strcmp(a->reason, "key") != 0) {
		text_add(&t, " by the client ");
		text_quote(&t, span_of(s->client), 48);
		if (!strcmp(a->reason, "fingerprint"))
			text_add(&t, " (%s)", s->fingerprint);
	}
	text_add(&t, ", which it did not use before%s.",
		 a->learning ? "; its habits are still being learned" : "");
	t = TEXT_IN(a->numbers);
	say_habits(&t, p, s);
}

/*
 * Calls itself what a known client of the account does, to the last digit of its version, and
 * offers something else: another program under its name.
 */
static bool is_other_program(const struct detect_ctx *x, const struct profile *p)
{
	char value[TRAIT_VALUE];

	trait_of_session(&x->session->pub, TRAIT_FINGERPRINT, value);
	return profile_has_banner(x->core, p, value) && habit_is_new(x, p, TRAIT_FINGERPRINT);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const char *reason;
	const struct profile *p;
	bool learning;
	struct calert *a;

	if (x->session->pub.existing || !detect_is_external(x))
		return;
	p = profile_of_account(x->core, &x->session->pub);
	learning = !profile_is_mature(p, detect_param(x, PARAM_DAYS), detect_param(x, PARAM_LOGINS),
				      x->session->pub.open_ns);
	if (!p || !p->logins)
		return; /* everything is new */
	if (habit_is_new(x, p, TRAIT_KEY))
		reason = "key";
	else if (habit_is_new(x, p, TRAIT_CLIENT))
		reason = "client";
	else if (is_other_program(x, p))
		reason = "fingerprint";
	else
		return;
	a = odd_raise(x, e, SEVERITY_LOW, reason, learning);
	if (a)
		say(x, &a->pub, p);
}

const struct detection detection_origin_new_client = {
	.id = "origin.new_client",
	.number = 1406,
	.severity = SEVERITY_LOW,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login with a new key or client",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067)",
	.reasons = "key client fingerprint",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"LearningDays", 14, UNIT_COUNT, "days until an account's clients are known"},
		   {"LearningLogins", 10, UNIT_COUNT, "and logins"}},
	.triage = "Who added the key to authorized_keys, and when? Does the person have a new "
		  "computer?",
	.contain = "Take the key out of authorized_keys and end the session.",
	.false_positive = "A new computer, a key that was exchanged.",
	.tune = "KnownSSHClients lists the fingerprints that are expected.",
	.mitigation = "M1032 M1036",
	.step = step,
	.asked = true, /* by core_settle.c: who it was is known */
	.key = KEY_CLIENT,
};
