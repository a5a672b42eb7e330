/*
 * access.agent_session: a shell for somebody to whom a process of this host went out.
 *
 * Sees a shell whose stdin and stdout are a connection that this host opened, or whose terminal is
 * held by a process (or one of the two above it) that has opened connections and accepted none:
 * support and management agents, consoles of tunnels, reverse shells. No port is open and nobody
 * logs in here; who may come is decided elsewhere. High until the agent's program was used on three
 * distinct days, or a person has called it expected. Reason reverse-shell (high, always): the
 * connection itself is the shell's stdin and stdout; masquerade: the agent calls itself what it is
 * not. Cannot see: a shell behind pipes; an agent over UDP; one whose terminal is held by a process
 * that is no relation of the one with the connection.
 *
 * Example: '/opt/support/agentd', which is connected to 198.51.100.7:443, runs a shell of root.
 */
#include "../core/core_detect.h"
#include "../core/core_masquerade.h"

static void say(struct text *t, const struct detect_ctx *x, const struct event *e,
		const struct agent *g, struct span mask)
{
	const struct session *s = &x->session->pub;

	text_add(t, "Whoever is at ");
	say_from(t, s);
	text_add(t, " has a shell of ");
	text_quote(t, span_of(s->account), 48);
	text_add(t, " here without coming in: ");
	if (g)
		text_quote(t, span_of(g->path[0] ? g->path : g->program), 80);
	else
		text_add(t, "a process");
	if (g)
		text_add(t, " (pid %u, uid %u)", g->proc.pid, g->uid);
	text_add(t, " went out to it and gave it ");
	text_quote(t, e->program, 80);
	text_add(t, e->flags & EVENT_STDIN_SOCKET ? " on that very connection: a reverse shell."
						  : " on a terminal.");
	if (!span_empty(mask)) {
		text_add(t, " It calls itself ");
		text_quote(t, mask, 32);
		text_add(t, ", which it is not.");
	}
	if (g)
		say_command(t, (struct span){g->args, g->args_len});
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct agent *g = agent_of_session(x->core, x->session);
	bool is_known = agent_is_known(x->core, x->session);
	struct fire f = {
		.severity = is_known ? SEVERITY_LOW : SEVERITY_HIGH, .reason = "", .count = 1};
	struct span mask = {0};
	struct calert *a;
	struct text t;
	bool is_new;

	if (g)
		mask = masquerades_as(span_of(g->program), (struct span){g->args, g->args_len},
				      span_of(g->path));
	if (!span_empty(mask)) {
		f.severity = SEVERITY_CRITICAL;
		f.reason = "masquerade";
	} else if (e->flags & EVENT_STDIN_SOCKET) {
		f.severity = SEVERITY_HIGH;
		f.reason = "reverse-shell";
	}
	f.severity = severity_by_scope(x, f.severity);
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	say(&t, x, e, g, mask);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, is_known ? "a known agent" : "an agent seen on fewer than 3 days");
}

const struct detection detection_access_agent_session = {
	.id = "access.agent_session",
	.number = 1205,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "access",
	.title = "A shell by way of an agent that goes out",
	.attack = "T1219 T1059",
	.tactic = "TA0011 TA0002",
	.analytic = "AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "reverse-shell masquerade",
	.events = EVENT_BIT(EXEC),
	.triage =
		"Is that program an agent that somebody here installed, and who uses its console? "
		"Who started it, when, and what did the shell run?",
	.contain =
		"End the agent and the shell, block the other end, look for what starts it again "
		"(units, cron, profiles).",
	.false_positive = "A management agent's console in use for the first times; an editor that "
			  "keeps a terminal beside a connection of its own.",
	.tune = "Call the alert expected (outergate alerts ack ID --expected); or an exception "
		"with "
		"the client (the agent's program) and its reason.",
	.mitigation = "M1037 M1038",
	.step = step,
	.asked = true, /* by core_agents.c */
	.key = KEY_SESSION,
};
