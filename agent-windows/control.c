/*
 * control: a named pipe. A client gets one JSON object, the state of the agent now; nothing is read
 * from it. SYSTEM and Administrators may connect, nobody from another machine.
 */
#include "control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include <sddl.h>

#include "cli/status_json.h"

#define OUT_SIZE 65536
#define ACCESS	 L"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"
#define WRITE_MS 1000

static const char *const unseen[] = {
	"what audit policy does not let happen: `auditpol /get /category:*` shows it",
	"changes of the registry and of files where Sysmon does not tell of them",
};

static json_t *row(const char *name, const char *hook, const char *sees, bool on,
		   const char *reason)
{
	return json_pack("{ss ss ss sb ss}", "name", name, "hook", hook, "sees", sees, "on", on,
			 "reason", on ? "" : reason);
}

static json_t *sensors_json(const struct agent *a)
{
	static const char *const sees[SESSIONS_MAX] = {
		"logons, logoffs and what ran, as they happen",
		"RDP, RD Gateway, WinRM, the file server, OpenSSH and Sysmon, as they happen",
	};
	json_t *rows = json_array();

	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		json_array_append_new(
			rows, row(a->etw[i].own ? "etw" : "etw-security",
				  a->etw[i].own ? "session Outergate" : "session EventLog-Security",
				  sees[i], a->etw[i].on && !a->etw[i].reason[0], a->etw[i].reason));
	json_array_append_new(rows, row("audit-policy", "AuditQuerySystemPolicy",
					"whether what the agent reads can happen",
					!a->audit.reason[0], a->audit.reason));
	return rows;
}

static json_t *sources_json(const struct agent *a)
{
	json_t *rows = json_array();
	struct tail_status t;

	for (unsigned i = 0; i < a->channels_count; i++)
		json_array_append_new(rows, json_pack("{ss ss ss sI}", "name", a->channels[i].name,
						      "state", a->channels[i].on ? "on" : "failed",
						      "reason", a->channels[i].reason, "lines",
						      (json_int_t)a->channels[i].lines));
	for (unsigned i = 0; tails_status(a, i, &t); i++)
		json_array_append_new(rows, json_pack("{ss ss ss sI}", "name", t.name, "state",
						      t.on ? "on" : "waiting", "reason", t.reason,
						      "lines", (json_int_t)t.lines));
	return rows;
}

static json_t *unseen_json(const struct agent *a)
{
	json_t *rows = json_array();
	char text[REASON_MAX + 300];

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		json_array_append_new(rows, json_string(unseen[i]));
	status_geo_unseen(&a->geo, rows);
	if (a->audit.off[0]) {
		snprintf(text, sizeof(text), "by audit policy: %.380s", a->audit.off);
		json_array_append_new(rows, json_string(text));
	}
	for (unsigned i = 0; i < a->channels_count; i++) {
		if (a->channels[i].on)
			continue;
		snprintf(text, sizeof(text), "the log %s (%s)", a->channels[i].name,
			 a->channels[i].reason);
		json_array_append_new(rows, json_string(text));
	}
	return rows;
}

static json_t *counters_json(const struct agent *a)
{
	json_t *o = status_counters(a->core);

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		json_object_set_new(o, i ? "etw_records" : "etw_security_records",
				    json_integer((json_int_t)a->etw[i].records));
		json_object_set_new(o, i ? "etw_lost" : "etw_security_lost",
				    json_integer((json_int_t)a->etw[i].lost));
	}
	json_object_set_new(o, "queue_lost", json_integer((json_int_t)queue_lost(a->queue)));
	return o;
}

static char *status_text(const struct agent *a)
{
	char started[32], now[32];
	json_t *o;
	char *ret;

	o = json_pack(
		"{ss si ss ss ss ss ss sb so so so so so so}", "version", OUTERGATE_VERSION, "pid",
		(int)GetCurrentProcessId(), "user", a->is_system ? "SYSTEM" : "not SYSTEM",
		"started", out_time(a->started_ns, started), "now", out_time(clock_wall_ns(), now),
		"configuration", a->config_name, "store", a->config->store, "store_failing",
		a->store_failing, "sensors", sensors_json(a), "sources", sources_json(a),
		"not_seen", unseen_json(a), "counters", counters_json(a), "expiries",
		status_expiries(a->config, clock_wall_ns()), "sessions", status_sessions(a->core));
	if (!o)
		return NULL;
	json_object_set_new(o, "exceptions", status_exceptions(a->core, a->config));
	json_object_set_new(o, "geo", status_geo(&a->geo));
	json_object_set_new(o, "geo_unreadable", json_integer((json_int_t)a->geo.set.unreadable));
	ret = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return ret;
}

/* The next client; its coming is an event. */
static int pipe_listen(struct agent *a)
{
	PSECURITY_DESCRIPTOR sd = NULL;
	SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
	char name[PIPE_NAME_MAX];
	wchar_t *w;

	pipe_name(a->config->runtime, name);
	w = wide(name);
	if (!w || !ConvertStringSecurityDescriptorToSecurityDescriptorW(ACCESS, SDDL_REVISION_1,
									&sd, NULL)) {
		free(w);
		return -EIO;
	}
	sa.lpSecurityDescriptor = sd;
	a->pipe = CreateNamedPipeW(
		w, PIPE_ACCESS_OUTBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
		PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, OUT_SIZE, 0, 0, &sa);
	LocalFree(sd);
	free(w);
	if (a->pipe == INVALID_HANDLE_VALUE) {
		a->pipe = NULL;
		return GetLastError() == ERROR_ACCESS_DENIED ? -EACCES : -EIO;
	}
	ResetEvent(a->pipe_event);
	memset(&a->pipe_wait, 0, sizeof(a->pipe_wait));
	a->pipe_wait.hEvent = a->pipe_event;
	if (!ConnectNamedPipe(a->pipe, &a->pipe_wait) && GetLastError() == ERROR_PIPE_CONNECTED)
		SetEvent(a->pipe_event);
	return 0;
}

int control_open(struct agent *a)
{
	int r;

	a->pipe_event = CreateEventW(NULL, TRUE, FALSE, NULL);
	r = a->pipe_event ? pipe_listen(a) : -EIO;
	if (r && a->pipe_event) {
		CloseHandle(a->pipe_event);
		a->pipe_event = NULL;
	}
	return r;
}

/* A reader that does not read costs a second. */
static void put(struct agent *a, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		OVERLAPPED o = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
		DWORD n = 0;
		bool ok;

		ok = o.hEvent && (WriteFile(a->pipe, text + at, (DWORD)(len - at), NULL, &o) ||
				  GetLastError() == ERROR_IO_PENDING);
		if (ok && WaitForSingleObject(o.hEvent, WRITE_MS) != WAIT_OBJECT_0)
			CancelIo(a->pipe);
		ok = ok && GetOverlappedResult(a->pipe, &o, &n, TRUE) && n;
		if (o.hEvent)
			CloseHandle(o.hEvent);
		if (!ok)
			return;
		at += n;
	}
	FlushFileBuffers(a->pipe);
}

void control_answer(struct agent *a)
{
	char *text = status_text(a);

	if (text)
		put(a, text, strlen(text));
	free(text);
	DisconnectNamedPipe(a->pipe);
	CloseHandle(a->pipe);
	a->pipe = NULL;
	if (pipe_listen(a)) {
		agent_say(a, "the pipe cannot be made anew: status does not work any more");
		CloseHandle(a->pipe_event);
		a->pipe_event = NULL;
	}
}

void control_close(struct agent *a)
{
	if (a->pipe) {
		CancelIo(a->pipe);
		CloseHandle(a->pipe);
	}
	if (a->pipe_event)
		CloseHandle(a->pipe_event);
	a->pipe = a->pipe_event = NULL;
}
