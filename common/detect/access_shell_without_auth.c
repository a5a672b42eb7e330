/*
 * access.shell_without_auth: a shell on the network that asks nobody who they are.
 *
 * Sees a shell with a terminal, or with the connection as its stdin and stdout, on an accepted
 * connection that no login explains (core_unseen.c decides when). Helpers of a daemon that does
 * authenticate, CGI, git hooks and mail pipes have neither, or end too soon.
 * Cannot see: behind pipes a shell that was given words to run; a backdoor inside a daemon that
 * looks like a login.
 *
 * Example: 'root' has a shell on port 4445 for whoever connects: 203.0.113.10 did (bash).
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {
		.severity = severity_by_scope(x, SEVERITY_CRITICAL), .reason = "", .count = 1};
	const struct session *s;
	struct calert *a;
	struct text t;
	bool is_new;

	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	s = &x->session->pub;
	t = TEXT_IN(a->pub.sentence);
	say_from(&t, s);
	text_add(&t, " has a shell of ");
	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " on port %u without a login: ", s->local.port);
	text_quote(&t, e->program, 80);
	text_add(&t, e->flags & EVENT_STDIN_TTY	     ? " on a terminal."
		     : e->flags & EVENT_STDIN_SOCKET ? " on the connection itself."
						     : " behind pipes.");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "no verdict within %u s", e->flags & EVENT_STDIN_TTY ? 2u : 5u);
}

const struct detection detection_access_shell_without_auth = {
	.id = "access.shell_without_auth",
	.number = 1202,
	.severity = SEVERITY_CRITICAL,
	.scope = DETECT_ALL,
	.stage = "access",
	.title = "A shell on the network without a login",
	.attack = "T1133 T1059",
	.tactic = "TA0001 TA0002",
	.analytic = "AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "",
	.events = EVENT_BIT(EXEC),
	.triage = "Which process listens on that port, who started it, and what did the shell run?",
	.contain = "Kill the listener and the shell, block the source, look for how it got there.",
	.false_positive = "A console server that is meant to be open on a closed network.",
	.tune = "An exception with the origin and its reason.",
	.mitigation = "M1042 M1035",
	.step = step,
	.asked = true, /* by core_unseen.c */
	.key = KEY_SESSION,
};
