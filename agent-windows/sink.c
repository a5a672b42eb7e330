/*
 * sink: alerts go to the Event Log, under a source of their own whose message table is in the
 * program (agent-windows/messages.sh): the event's id is the detection's number, so that a
 * subscription or a collector can pick. On a console also as JSON Lines, or one readable line each.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "common/out/test_alert.h"

#define SOURCE L"Outergate"
#define SAYS   1 /* MessageId of what the agent says of itself */

/* EVENTLOG_*_TYPE by severity. */
static WORD type_of(enum severity s)
{
	return s >= SEVERITY_HIGH     ? EVENTLOG_ERROR_TYPE
	       : s == SEVERITY_MEDIUM ? EVENTLOG_WARNING_TYPE
				      : EVENTLOG_INFORMATION_TYPE;
}

static bool report(struct agent *a, WORD type, DWORD id, const char *text)
{
	/* A string of an event holds 31,839 characters. */
	wchar_t *w = wide(text);
	const wchar_t *strings[1] = {w};
	bool ok = w && a->log && ReportEventW(a->log, type, 0, id, NULL, 1, 0, strings, NULL) != 0;

	free(w);
	return ok;
}

void sinks_open(struct agent *a)
{
	a->log = RegisterEventSourceW(NULL, SOURCE);
}

void sinks_close(struct agent *a)
{
	if (a->log)
		DeregisterEventSource(a->log);
	a->log = NULL;
}

void agent_say(struct agent *a, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "outergate: %s\n", text);
	if (a->service)
		(void)report(a, EVENTLOG_INFORMATION_TYPE, SAYS, text);
}

#define EVENT_TEXT_MAX 31000

/* The sentence, then everything as JSON: as much as one string holds. */
static int to_event_log(struct agent *a, const struct alert *alert, const struct out_policy *p)
{
	char *text = malloc(EVENT_TEXT_MAX);
	int n = text ? snprintf(text, EVENT_TEXT_MAX, "%s\r\n\r\n", alert->sentence) : -1;
	bool ok;

	if (n < 0)
		return -1;
	if (out_alert_json(alert, p, text + n, (size_t)(EVENT_TEXT_MAX - n)) < 0)
		snprintf(text + n, (size_t)(EVENT_TEXT_MAX - n),
			 "outergate explain %s tells the rest", alert->id);
	ok = report(a, type_of(alert->severity), alert->detection->number, text);
	free(text);
	return ok ? 0 : -1;
}

static int to_console(struct agent *a, const struct alert *alert, const struct out_policy *p)
{
	int n = a->json ? out_alert_json(alert, p, a->scratch, sizeof(a->scratch))
			: out_alert_line(alert, p, false, a->scratch, sizeof(a->scratch));

	if (n < 0 || fputs(a->scratch, stdout) < 0 || fputc('\n', stdout) < 0 || fflush(stdout))
		return -1;
	return 0;
}

void sinks_alert(struct agent *a, const struct alert *alert)
{
	struct out_policy p = a->policy;

	p.pseudonymise = config_pseudonymises(a->config, CONFIG_SINK_JOURNALD);
	if (a->config->journald && to_event_log(a, alert, &p))
		core_stats(a->core)->sink_errors++;
	if (a->service)
		return;
	p.pseudonymise = a->json && config_pseudonymises(a->config, CONFIG_SINK_JSON);
	if (to_console(a, alert, &p))
		core_stats(a->core)->sink_errors++;
}

/* A test alert to each; ret: "NAME sent;NAME reason". */
void sinks_test(struct agent *a, const char *detection, const char *id, char *ret, size_t cap)
{
	static struct alert alert;
	struct out_policy p = a->policy;
	size_t n = 0;

	if (test_alert(&alert, detection, id, clock_wall_ns())) {
		snprintf(ret, cap, "failed: there is no detection %.60s", detection);
		return;
	}
	ret[0] = '\0';
	p.pseudonymise = config_pseudonymises(a->config, CONFIG_SINK_JOURNALD);
	if (a->config->journald)
		n += (size_t)snprintf(ret, cap, "eventlog %s",
				      to_event_log(a, &alert, &p) ? "it was refused" : "sent");
	if (!a->service && n < cap)
		n += (size_t)snprintf(ret + n, cap - n, "%sconsole %s", n ? ";" : "",
				      to_console(a, &alert, &p) ? "it was refused" : "sent");
	if (!n)
		snprintf(ret, cap, "failed: no output is on (Outputs), alerts are only stored");
}
