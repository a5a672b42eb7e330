/*
 * activity.remote_shell: what a session runs.
 *
 * Sees the programs that the session's processes start, the first of them by name; from text alone
 * only that a shell or command was asked for. Copying files is activity.file_transfer.
 * Reason webshell (medium): a web, mail or database server, not as root, has a shell run what it
 * has not had run for 30 days.
 * Cannot see: shell builtins; what a server runs without a shell; servers that are programs of an
 * interpreter or of Java, whose name says nothing. Helpers of the login itself (pam_motd,
 * AuthorizedKeysCommand) are not what the person did and never get here.
 *
 * Example: alice from 203.0.113.10 runs 'bash -c id', 'id'.
 */
#include "../core/core_detect.h"

#define SERVER_DAYS 30u

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
	t = TEXT_IN(a->numbers);
	text_add(&t, "as the log says it, no program was seen");
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

/* The command that a shell was given: after its first argument that is no option. */
static struct span shell_command(struct span args)
{
	struct span word;

	(void)span_cut_arg(&args, &word); /* the shell itself */
	while (span_cut_arg(&args, &word))
		if (!span_starts(word, SPAN_LIT("-")))
			return word;
	return (struct span){0};
}

/* What it runs, without what it is run on. */
static struct span first_word(struct span command)
{
	size_t n = 0;

	while (n < command.len && command.ptr[n] != ' ' && command.ptr[n] != ';')
		n++;
	return span_first(command, n);
}

/*
 * What such a server runs as its account for the first time in SERVER_DAYS is told, whatever comes
 * again is not. One alert an account.
 */
static void by_server(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "webshell", .count = 1};
	const struct scope_rules *rules = &x->core->config.scope;
	struct span command = shell_command(e->args);
	uint64_t who = hash_text(hash_text(x->core->seed, e->program), e->account);
	uint64_t key = seen_key(x->core, SEEN_SERVER, hash_text(who, first_word(command)),
				&(struct addr){0}, SERVICE_NONE);
	struct calert *a;
	struct text t;
	bool is_new;

	if (e->origin.addr.family &&
	    !scope_counts_as_external(scope_of(&e->origin.addr, rules), rules))
		f.severity = SEVERITY_LOW;
	if (!seen_first(x->core, key, core_day(e->time_ns), SERVER_DAYS) && !alert_find(x, e, &f))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!is_new)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_quote(&t, e->program, 16);
	text_add(&t, " (");
	text_quote(&t, e->account, 48);
	text_add(&t, ") has a shell run something that is new here");
	if (e->origin.addr.family) {
		text_add(&t, ", asked by ");
		say_from_geo(&t, &e->origin, a->pub.scope, &a->pub.geo);
	}
	text_add(&t, ":");
	/* privacy.c cuts here when command lines are not to be told */
	text_add(&t, PRIVACY_COMMAND_MARK);
	text_plain(&t, command, COMMAND_MAX);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "first time in %u days", SERVER_DAYS);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_INFO, .reason = "", .count = 1};
	struct calert *a;
	bool is_new;

	if (e->kind == EVENT_SERVER_SHELL) {
		by_server(x, e);
		return;
	}
	if (transfer_of(e->program, e->args) != TRANSFER_NONE)
		return;
	x->session->pub.has_shell = true;
	a = alert_raise(x, e, &f, &is_new);
	if (a) /* of programs tell() says more, when it goes out */
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
	.reasons = "webshell",
	.events = EVENT_BIT(EXEC) | EVENT_BIT(SERVER_SHELL),
	.triage = "Read the commands: outergate explain shows the first of them. Of a webshell: "
		  "which "
		  "page asked for it, when was that file written, and by whom?",
	.contain = "End the session; take the page away and look for what it left.",
	.false_positive = "Ordinary work; a site that begins to use a tool it did not use before, "
			  "a database's "
			  "archive command.",
	.tune = "Privacy.CommandLines decides what is kept of command lines. Of a webshell: an "
		"exception "
		"with the account and the cause webshell.",
	.mitigation = "M1038",
	.step = step,
	.key = KEY_SESSION,
	.tell = tell,
};
