/*
 * test_sink: the Event Log, as `outergate test` tries it. Cannot see: whether it was kept.
 */
#include "cli/test_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cli/command.h"

const char test_sink_name[] = "eventlog";

int test_sink_send(const struct alert *alert)
{
	HANDLE log = RegisterEventSourceW(NULL, L"Outergate");
	wchar_t *text = wide(alert->sentence), *id = wide(alert->id);
	const wchar_t *strings[2] = {text, id};
	bool ok = log && text && id &&
		  ReportEventW(log, EVENTLOG_INFORMATION_TYPE, 0, alert->detection->number, NULL, 2,
			       0, strings, NULL);

	free(text);
	free(id);
	if (log)
		DeregisterEventSource(log);
	return ok ? 0 : -EIO;
}

/* Nothing that a program may read says so at once; where to look is said instead. */
int test_sink_arrived(const char *id, char *text, size_t cap)
{
	snprintf(text, cap,
		 "handed over: Event Viewer, Application, source Outergate, with the id %s", id);
	return EXIT_FINE;
}
