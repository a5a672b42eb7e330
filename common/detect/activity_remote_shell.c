/*
 * activity.remote_shell: what a session runs.
 *
 * Sees the programs that the session's processes start, the first of them by name; from text alone
 * only that a shell or command was asked for. Copying files is activity.file_transfer.
 * Cannot see: shell builtins. Helpers of the login itself (pam_motd, AuthorizedKeysCommand) are
 * not what the person did and never get here.
 *
 * Example: alice from 203.0.113.10 runs 'bash -c id', 'id'.
 */
#include "../core/core_detect.h"

/* From text alone: "shell" or "command". */
static void say_channel(const struct session *s, const struct event *e, struct alert *a)
{
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, " started a ");
	text_plain(&t, e->args, 40);
	text_add(&t, ".");
}

/* What it had others start: as fact, or as possible and no more. */
static void say_handoffs(struct text *t, const struct session *s)
{
	for (unsigned i = 0; i < s->handoffs_kept; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		if (h->state == HANDOFF_ASKED)
			continue;
		text_add(t,
			 h->state == HANDOFF_JOINED ? " By %s it had " : " By %s it may have had ",
			 handoff_name(h->kind));
		text_quote(t, span_of(h->what), 48);
		text_add(t, " started.");
	}
}

static void tell(struct core *c, struct calert *a)
{
	const struct csession *owner = pool_get(&c->sessions, a->session);
	const struct session *s = owner ? &owner->pub : NULL;
	struct text t;

	if (!s || s->commands_kept == 0)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, " runs");
	for (unsigned i = 0; i < s->commands_kept; i++) {
		text_add(&t, i ? ", " : " ");
		text_quote(&t, span_of(s->commands[i].text), 60);
	}
	if (s->commands_total > s->commands_kept)
		text_add(&t, " and %u more", s->commands_total - s->commands_kept);
	text_add(&t, s->has_pty ? " on a terminal." : ".");
	say_handoffs(&t, s);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u programs", s->commands_total);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_INFO, .reason = "", .count = 1};
	struct calert *a;
	bool is_new;

	if (!x->session || transfer_of(e->program, e->args) != TRANSFER_NONE)
		return;
	x->session->pub.has_shell = true;
	a = alert_raise(x, e, &f, &is_new);
	if (a && e->kind != EVENT_EXEC)
		say_channel(&x->session->pub, e, &a->pub);
}

const struct detection detection_activity_remote_shell = {
	.id = "activity.remote_shell",
	.number = 1301,
	.severity = SEVERITY_INFO,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "Programs run in a remote session",
	.attack = "T1059",
	.tactic = "TA0002",
	.analytic = "AN1005 AN1006",
	.data_components = "Process Creation (DC0032)",
	.reasons = "",
	.events = EVENT_BIT(EXEC),
	.triage = "Read the commands: outergate explain shows the first of them.",
	.contain = "End the session.",
	.false_positive = "Ordinary work.",
	.tune = "Privacy.CommandLines decides what is kept of command lines.",
	.mitigation = "M1038",
	.step = step,
	.key = KEY_SESSION,
	.tell = tell,
};
