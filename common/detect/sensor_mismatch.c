/*
 * sensor.mismatch: text claims what the kernel contradicts.
 *
 * Sees: a line whose writer is not the program it names; an accepted login on a connection that
 * the kernel never saw, or that it saw fail; another account than the kernel's. What the text
 * claims is told as a claim and never becomes the alert's origin or account.
 * Cannot see: a lie of root, who may write as sshd.
 *
 * Example: logger -t sshd "Accepted password for root from 198.51.100.9 port 1 ssh2"
 */
#include "../core/core_detect.h"

struct cause {
	const char *reason, *words;
};

static const struct cause causes[] = {
	{"forged-writer", "its writer is not the program it names"},
	{"unknown-connection", "the kernel saw no such connection"},
	{"result-differs", "the kernel saw no such login on that connection"},
	{"account-differs", "the kernel saw another account log in"},
	{"key-differs", "it was said before that another key was used"},
};

static const struct cause *cause_of(const char *reason)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcmp(causes[i].reason, reason) == 0)
			return &causes[i];
	return &causes[0];
}

static void say(const struct detect_ctx *x, const struct event *e, const struct cause *k,
		struct alert *a)
{
	struct text t = TEXT_IN(a->sentence);

	text_add(&t, "A log line claims ");
	if (span_empty(e->text)) {
		text_add(&t, "a login of ");
		text_quote(&t, e->account, 48);
		text_add(&t, " from ");
		say_origin(&t, &e->origin, SCOPE_NONE);
	} else {
		text_quote(&t, e->text, 200);
	}
	text_add(&t, ", but %s", k->words);
	if (x->session) {
		text_add(&t, ": ");
		text_quote(&t, span_of(x->session->pub.account), 48);
		text_add(&t, " from ");
		say_from(&t, &x->session->pub);
	}
	text_add(&t, ". Nothing was counted or opened because of it.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u lines", (unsigned)a->count);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .count = 1, .by_listener = true};
	struct calert *a;
	bool is_new;

	f.reason = x->reason;
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(x, e, cause_of(x->reason), &a->pub);
}

const struct detection detection_sensor_mismatch = {
	.id = "sensor.mismatch",
	.number = 1001,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "sensor",
	.title = "A log line contradicts the kernel",
	.attack = "T1565 T1070",
	.tactic = "TA0040 TA0005",
	.analytic = "AN1005",
	.data_components = "Application Log Content (DC0038); Network Connection Creation (DC0082)",
	.reasons = "forged-writer unknown-connection result-differs account-differs key-differs",
	.events = EVENT_BIT(ATTEMPT) | EVENT_BIT(AUTH_NOTE),
	.triage = "Find who wrote the line: journalctl -o verbose shows _UID, _PID and _EXE of the "
		  "writer.",
	.contain = "Look at the writing account's session and end it if nobody explains the line.",
	.false_positive = "A relay that writes other hosts' lines into this host's journal; "
			  "somebody testing with logger.",
	.tune = "Remove files fed by a relay from Sources.Files.",
	.mitigation = "M1029",
	.step = step,
	.asked = true, /* by the core knows what contradicts what */
	.key = KEY_REASON,
};
