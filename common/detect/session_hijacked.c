/*
 * session.hijacked: somebody works in a session that another identity opened.
 *
 * takeover: a desktop of Windows arrives at the client that another account's session has just
 * left, and its owner did not log on from there (core_takeover.c). tscon: the program that moves
 * sessions runs with the rights of the system, which need no password of anybody. multiplexer: a
 * process of a session attaches to, types into or reads a tmux or screen that a live session of
 * another identity uses (core_multiplexers.c); SharedAccounts may.
 * Cannot see: a shell that is traced (ptrace): the kernel side has no record of it; a multiplexer
 * below kernel 6.7; one that was there before the agent, whose first user is taken for its owner.
 *
 * Example: alice's RDP client shows bob's desktop, and bob did not log on from there.
 */
#include "../core/core_detect.h"

static void say_takeover(struct text *t, const struct alert *a, const struct event *e)
{
	text_add(t, "The desktop of ");
	text_quote(t, e->account, 48);
	text_add(t, " appeared at ");
	say_from_geo(t, &a->origin, a->scope, &a->geo);
	text_add(t, ", on the client ");
	text_quote(t, e->client, 32);
	text_add(t, " that the session of ");
	text_quote(t, e->user, 48);
	text_add(t, " had just left, and nobody logged on as ");
	text_quote(t, e->account, 48);
	text_add(t, " from there.");
}

static void say_tscon(struct text *t, const struct event *e)
{
	text_add(t, "A program that moves sessions to other clients ran with the rights of the "
		    "system on ");
	text_quote(t, e->host, 48);
	text_add(t, ", so that it needs no password of the session's owner.");
	if (span_empty(e->args))
		return;
	/* privacy.c cuts here when command lines are not to be told */
	text_add(t, PRIVACY_COMMAND_MARK);
	text_plain(t, e->args, COMMAND_MAX);
}

static void say_multiplexer(struct text *t, const struct session *s, const struct event *e)
{
	text_quote(t, span_of(s->account), 48);
	text_add(t, ", from ");
	say_from(t, s);
	text_add(t, ", works in the terminal multiplexer ");
	text_quote(t, e->path, 64);
	text_add(t, " of a session that ");
	text_quote(t, e->user, 48);
	text_add(t, span_is(e->user, s->account) ? " opened with another key." : " opened.");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = x->reason, .count = 1};
	struct calert *a;
	struct text t;
	bool is_new, is_tscon;

	is_tscon = strcmp(x->reason, "tscon") == 0;
	if (!is_tscon) /* which speaks of the host, from nowhere */
		f.severity = severity_by_scope(x, f.severity);
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	if (is_tscon)
		say_tscon(&t, e);
	else if (strcmp(x->reason, "takeover") == 0)
		say_takeover(&t, &a->pub, e);
	else
		say_multiplexer(&t, &x->session->pub, e);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, a->pub.count == 1 ? "%u time" : "%u times", (unsigned)a->pub.count);
}

const struct detection detection_session_hijacked = {
	.id = "session.hijacked",
	.number = 1505,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "anomaly",
	.title = "A session taken over by somebody else",
	.attack = "T1563",
	.tactic = "TA0008",
	.analytic = "AN1004 AN1005",
	.data_components = "Logon Session Metadata (DC0088); Process Creation (DC0032)",
	.reasons = "takeover tscon multiplexer",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(EXEC) | EVENT_BIT(HANDOFF),
	.params = {{"Window", 5, UNIT_SECONDS,
		    "at most so long between a session that leaves a client and the other that "
		    "arrives there"},
		   {"LogonWindow", 60, UNIT_SECONDS,
		    "no takeover when its owner logged on from there within so long before"}},
	.triage =
		"Ask the owner of the session whether they let somebody in. What ran there since?",
	.contain = "End both sessions, and treat the owner's secrets, keys and tickets in that "
		   "session as known to the other.",
	.false_positive = "Two people who work in one multiplexer on purpose; a script that moves "
			  "a session to the console so that its screen stays unlocked.",
	.tune = "SharedAccounts for accounts that several people use; an exception for the "
		"account.",
	.mitigation = "M1026 M1030 M1042",
	.step = step,
	.asked = true, /* by core_takeover.c and core_multiplexers.c compare identities */
	.key = KEY_ACCOUNT,
};
