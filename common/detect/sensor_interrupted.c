/*
 * sensor.interrupted: somebody or something ended, blinded or edited the agent itself.
 *
 * Sees what the agent says of itself: the reason, a colon, and what happened, with the process that
 * did it where the kernel told (the sender of a signal). A process of a session makes it that
 * session's, and high. The service manager that stops it is the usual case, and
 * information. Cannot see: who asked the service manager; what a root that rewrites kernel memory
 * hides.
 *
 * Example: stopped: by a signal of kill (pid 4242, uid 0)
 */
#include "../core/core_detect.h"

static const struct {
	const char *reason, *says;
	enum severity severity;
} reasons[] = {
	{"stopped", "The agent was stopped", SEVERITY_MEDIUM},
	{"killed", "The agent was killed", SEVERITY_MEDIUM},
	{"crashed", "A part of the agent crashed", SEVERITY_HIGH},
	{"unhooked", "The agent was unhooked", SEVERITY_HIGH},
	{"store", "The agent's store was tampered with", SEVERITY_HIGH},
	{"clock", "This host's clock was changed", SEVERITY_LOW},
	{"settings", "The agent's settings were changed", SEVERITY_INFO},
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

/* What that process of the session ran: it may be gone before anybody could ask what it is. */
static const struct session_command *ran_as(const struct session *s, uint32_t pid)
{
	for (unsigned i = s->commands_kept; pid && i-- > 0;)
		if (s->commands[i].proc.pid == pid)
			return &s->commands[i];
	return NULL;
}

static void say_session(struct text *t, const struct session *s, uint32_t pid)
{
	const struct session_command *command = ran_as(s, pid);

	text_add(t, ", in the session of ");
	text_quote(t, span_of(s->account), 48);
	text_add(t, " from ");
	say_from(t, s);
	text_add(t, ".");
	if (!command)
		return;
	/* privacy.c cuts here when command lines are not to be told */
	text_add(t, PRIVACY_COMMAND_MARK);
	text_plain(t, span_of(command->text), COMMAND_MAX);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.count = 1};
	size_t i = 0;
	struct calert *a;
	struct text t;
	bool is_new;

	while (i < REASONS && !span_starts(e->text, span_of(reasons[i].reason)))
		i++;
	if (i == REASONS || e->text.len <= strlen(reasons[i].reason) ||
	    e->text.ptr[strlen(reasons[i].reason)] != ':')
		return; /* other news of a sensor */
	f.reason = reasons[i].reason;
	f.severity = reasons[i].severity;
	if (x->session)
		f.severity = SEVERITY_HIGH;
	else if (e->proc.pid == 1)
		f.severity = SEVERITY_INFO;
	f.by_listener = !x->session;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "%s", reasons[i].says);
	text_plain(&t, span_skip(e->text, strlen(f.reason)), 300);
	if (x->session)
		say_session(&t, &x->session->pub, e->proc.pid);
	else
		text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, a->pub.count == 1 ? "%u time" : "%u times", (unsigned)a->pub.count);
}

const struct detection detection_sensor_interrupted = {
	.id = "sensor.interrupted",
	.number = 1004,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_HOST,
	.stage = "sensor",
	.title = "The agent was stopped, killed, unhooked or edited",
	.attack = "T1562.001 T1070",
	.tactic = "TA0005",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "stopped killed crashed unhooked store clock settings",
	.events = EVENT_BIT(SENSOR),
	.triage = "Who was logged in then (outergate sessions), and what did they run? outergate "
		  "verify says whether stored alerts are gone.",
	.contain = "Start it again; until you know who it was, believe the collector and the "
		   "journal of another host rather than this one's files.",
	.false_positive = "An administrator, an upgrade, a machine that was out of memory, a clock "
			  "that was set after a resume.",
	.tune = "Except the reason that your own automation causes (cause: settings).",
	.mitigation = "M1022 M1047",
	.step = step,
	.key = KEY_REASON,
};
