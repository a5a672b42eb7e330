/* sink: where a told alert goes: the journal, JSON Lines or a live view on stdout. */
#include "engine.h"

#include <stdio.h>

#include "sink_journald.h"

static void sink_failed(struct engine *e)
{
	core_stats(e->core)->sink_errors++;
}

static void stdout_line(struct engine *e, int n)
{
	if (n < 0 || fputs(e->scratch, stdout) < 0 || fputc('\n', stdout) < 0 || fflush(stdout))
		sink_failed(e);
}

void sinks_alert(struct engine *e, const struct alert *a)
{
	if (e->config->journald && sink_journald_send(a, &e->policy))
		sink_failed(e);
	if (e->setup.json)
		stdout_line(e, out_alert_json(a, &e->policy, e->scratch, sizeof(e->scratch)));
	else if (e->setup.terminal)
		stdout_line(e, out_alert_line(a, &e->policy, true, e->scratch, sizeof(e->scratch)));
}

void sinks_session(struct engine *e, const struct session *s)
{
	/* The live view tells a session when it opens and when it ends. */
	if (!e->setup.terminal || e->setup.json)
		return;
	if (s->state == SESSION_CLOSED || s->last_ns == s->open_ns)
		stdout_line(e, out_session_line(s, &e->policy, e->scratch, sizeof(e->scratch)));
}
