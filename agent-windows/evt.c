/*
 * evt: the event log. One pull subscription a channel, from a bookmark that is kept in the store in
 * the same transaction as what the core made of it, so that a kill loses nothing and tells nothing
 * twice. Strict: a bookmark that the log no longer has (cleared, overwritten) is told, not passed
 * over.
 *
 * Cannot see: what a channel overwrote while the agent did not run; events of a channel that is
 * off.
 *
 * Sources: learn.microsoft.com, EVT_SUBSCRIBE_FLAGS, EvtNext, EvtRender; what readers of the event
 * log had to survive (1734, 15011, 15012): elastic/beats PR 3112, opentelemetry-collector-contrib
 * PR 38149.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include "common/decode/time_text.h"

#include <winevt.h>

#define BATCH	     EVT_BATCH
#define READ_MAX     512
#define BEHIND_NS    10000000000ull /* older than that: not what happens now */
#define BATCH_LEAST  1
#define RETRY_NS     30000000000ull
#define BOOKMARK_MAX 4096
#define IDS_A_SELECT 16 /* a Select holds some 20 terms */
#define QUERY_MAX    8192
#define NAME_PREFIX  "bookmark:"

#ifndef ERROR_EVT_QUERY_RESULT_STALE
#define ERROR_EVT_QUERY_RESULT_STALE 15011
#endif
#ifndef ERROR_EVT_QUERY_RESULT_INVALID_POSITION
#define ERROR_EVT_QUERY_RESULT_INVALID_POSITION 15012
#endif
#ifndef ERROR_EVT_CHANNEL_NOT_FOUND
#define ERROR_EVT_CHANNEL_NOT_FOUND 15007
#endif

/*
 * Who writes where; the ids are those of windows.c. Rows of one channel stand together and are read
 * as one. The provider is named in the query where others write the same numbers there.
 */
static const struct source {
	const char *provider, *channel;
	bool is_shared;
} sources[] = {
	{"Microsoft-Windows-Security-Auditing", "Security", false},
	{"Microsoft-Windows-Eventlog", "Security", true},
	{"Microsoft-Windows-RemoteDesktopServices-RdpCoreTS",
	 "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational", false},
	{"Microsoft-Windows-TerminalServices-LocalSessionManager",
	 "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", false},
	{"Microsoft-Windows-TerminalServices-RemoteConnectionManager",
	 "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", false},
	{"Microsoft-Windows-TerminalServices-Gateway",
	 "Microsoft-Windows-TerminalServices-Gateway/Operational", false},
	{"OpenSSH", "OpenSSH/Operational", false},
	{"OpenSSH", "OpenSSH/Admin", false},
	{"Microsoft-Windows-WinRM", "Microsoft-Windows-WinRM/Operational", false},
	{"Microsoft-Windows-SMBServer", "Microsoft-Windows-SMBServer/Security", false},
	{"Microsoft-Windows-SMBServer", "Microsoft-Windows-SMBServer/Operational", false},
	{"RemoteAccess", "System", true},
	{"Service Control Manager", "System", true},
	{"Microsoft-Windows-Eventlog", "System", true},
	{"Microsoft-Windows-Windows Firewall With Advanced Security",
	 "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", false},
	{"Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational", false},
	{"Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational", false},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

/*
 * Of the log itself: its service ended (1100), events dropped (4612); 4608: Windows has started.
 * Not 1101, which every start after a power cut tells.
 */
#define LOG_ITSELF  "(EventID=1100 or EventID=4612 or EventID=4608)"
#define SHUTDOWN_NS 60000000000ull /* what is written while the machine shuts down */

struct query {
	char *to;
	size_t n, cap;
};

static void add(struct query *q, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct query *q, const char *format, ...)
{
	va_list args;
	int r;

	if (q->n >= q->cap)
		return;
	va_start(args, format);
	r = vsnprintf(q->to + q->n, q->cap - q->n, format, args);
	va_end(args);
	q->n = r < 0 ? q->cap : q->n + (size_t)r;
}

/* A <Select> for each few ids. */
static void add_selects(struct query *q, const struct source *s, const struct windows_row *rows)
{
	for (unsigned i = 0; rows[i].id; i++) {
		bool last = !rows[i + 1].id || (i + 1) % IDS_A_SELECT == 0;

		if (i % IDS_A_SELECT == 0) {
			add(q, "<Select Path=\"%s\">*[System[", s->channel);
			if (s->is_shared)
				add(q, "Provider[@Name=\"%s\"] and ", s->provider);
			add(q, "(");
		} else {
			add(q, " or ");
		}
		add(q, "EventID=%u", (unsigned)rows[i].id);
		if (last)
			add(q, ")]]</Select>");
	}
}

static const struct windows_row *rows_of(const char *provider)
{
	for (unsigned i = 0; i < windows_providers_count; i++)
		if (!strcmp(windows_providers[i].name, provider))
			return windows_providers[i].rows;
	return NULL;
}

/* <QueryList> of the rows from s on that are of its channel. False: it does not fit. */
static bool query_of(const struct source *s, char *to, size_t cap)
{
	struct query q = {to, 0, cap};

	add(&q, "<QueryList><Query Id=\"0\">");
	for (size_t i = (size_t)(s - sources);
	     i < SOURCES && !strcmp(sources[i].channel, s->channel); i++) {
		const struct windows_row *rows = rows_of(sources[i].provider);

		if (rows)
			add_selects(&q, &sources[i], rows);
	}
	if (!strcmp(s->channel, "Security"))
		add(&q, "<Select Path=\"Security\">*[System[" LOG_ITSELF "]]</Select>");
	add(&q, "</Query></QueryList>");
	return q.n < cap;
}

static void blob_name(const struct evt_channel *c, char name[160])
{
	snprintf(name, 160, NAME_PREFIX "%s", c->name);
}

/* What was kept, as a bookmark; NULL: there is none. */
static EVT_HANDLE bookmark_kept(struct agent *a, struct evt_channel *c)
{
	EVT_HANDLE h = NULL;
	char name[160];
	void *xml = NULL;
	size_t len = 0;
	wchar_t *text;

	blob_name(c, name);
	if (store_get_blob(a->store, name, &xml, &len))
		return NULL;
	c->from_start = len == 1;
	if (len > 1 && ((char *)xml)[len - 1] == '\0') {
		text = wide(xml);
		h = text ? EvtCreateBookmark(text) : NULL;
		free(text);
	}
	free(xml);
	return h;
}

static void head_drop(struct evt_channel *c)
{
	free(c->head);
	c->head = NULL;
	if (c->ahead_at < c->ahead_count)
		EvtClose(c->ahead[c->ahead_at++]);
}

/* What was not read yet is given again, after the bookmark. */
static void channel_close(struct evt_channel *c)
{
	while (c->ahead_at < c->ahead_count)
		head_drop(c);
	if (c->subscription)
		EvtClose(c->subscription);
	c->subscription = NULL;
	c->on = false;
}

static void channel_failed(struct evt_channel *c, DWORD why)
{
	char text[REASON_MAX];

	channel_close(c);
	snprintf(c->reason, sizeof(c->reason), "%s",
		 why == ERROR_EVT_CHANNEL_NOT_FOUND ? "this machine has no such channel"
						    : system_error(why, text));
	c->retry_ns = clock_wall_ns() + RETRY_NS;
}

static EVT_HANDLE subscribe(struct evt_channel *c, EVT_HANDLE after, DWORD flags)
{
	SetLastError(ERROR_CALL_NOT_IMPLEMENTED); /* some doubles of it say nothing */
	return EvtSubscribe(NULL, c->signal, NULL, c->query, after, NULL, NULL, flags);
}

/*
 * A log that is read for the first time: what comes after its newest record is new. One that has
 * none yet has no such place, and all of it is.
 */
static bool bookmark_newest(struct agent *a, struct evt_channel *c)
{
	EVT_HANDLE q, e = NULL;
	DWORD n = 0;
	bool ok = false;

	SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
	q = EvtQuery(NULL, NULL, c->query, EvtQueryChannelPath | EvtQueryReverseDirection);
	if (!q)
		return false;
	if (EvtNext(q, 1, &e, 0, 0, &n) && n) {
		c->bookmark = EvtCreateBookmark(NULL);
		ok = c->bookmark && EvtUpdateBookmark(c->bookmark, e);
		EvtClose(e);
	} else {
		ok = c->from_start = GetLastError() == ERROR_NO_MORE_ITEMS;
	}
	EvtClose(q);
	c->dirty = a->dirty = true;
	return ok;
}

/* From the bookmark; where the log no longer has it, from the oldest that is there, and told. */
static void channel_open(struct agent *a, struct evt_channel *c)
{
	char text[REASON_MAX];

	c->batch = BATCH;
	ResetEvent(c->signal);
	if (!c->bookmark && !c->from_start && !bookmark_newest(a, c)) {
		channel_failed(c, GetLastError());
		return;
	}
	if (c->bookmark)
		c->subscription = subscribe(c, c->bookmark,
					    EvtSubscribeStartAfterBookmark | EvtSubscribeStrict);
	else
		c->subscription = subscribe(c, NULL, EvtSubscribeStartAtOldestRecord);
	if (!c->subscription && c->bookmark &&
	    (GetLastError() == ERROR_NOT_FOUND || GetLastError() == ERROR_EVT_QUERY_RESULT_STALE ||
	     GetLastError() == ERROR_EVT_QUERY_RESULT_INVALID_POSITION)) {
		snprintf(text, sizeof(text),
			 "log-cleared: %.100s does not go back to where it was read last", c->name);
		agent_sensor(a, text);
		c->subscription = subscribe(c, NULL, EvtSubscribeStartAtOldestRecord);
	}
	if (!c->subscription) {
		channel_failed(c, GetLastError());
		return;
	}
	c->on = c->pending = true;
	c->reason[0] = '\0';
}

void evt_open(struct agent *a)
{
	char query[QUERY_MAX];

	for (size_t i = 0; i < SOURCES && a->channels_count < CHANNELS_MAX; i++) {
		struct evt_channel *c = &a->channels[a->channels_count];

		if ((i && !strcmp(sources[i - 1].channel, sources[i].channel)) ||
		    !query_of(&sources[i], query, sizeof(query)))
			continue;
		snprintf(c->name, sizeof(c->name), "%s", sources[i].channel);
		c->query = wide(query);
		c->signal = CreateEventW(NULL, TRUE, FALSE, NULL);
		if (!c->query || !c->signal)
			continue;
		a->channels_count++;
		c->bookmark = bookmark_kept(a, c);
		channel_open(a, c);
	}
}

/* An event as XML in UTF-8, the caller's to free; NULL: it cannot be had. */
static char *render(EVT_HANDLE h, DWORD what)
{
	DWORD used = 0, count = 0;
	wchar_t *text;
	char *s = NULL;

	if (!EvtRender(NULL, h, what, 0, NULL, &used, &count) &&
	    GetLastError() != ERROR_INSUFFICIENT_BUFFER)
		return NULL;
	text = calloc(1, used + sizeof(wchar_t));
	if (text && EvtRender(NULL, h, what, used, text, &used, &count))
		s = narrow(text);
	free(text);
	return s;
}

static void tell_log(struct agent *a, const struct evt_channel *c, const char *what, uint64_t ns)
{
	char text[REASON_MAX];

	snprintf(text, sizeof(text), "log-cleared: %.60s: %s", c->name, what);
	agent_sensor_at(a, text, ns);
}

/* Every shutdown ends the log's service; only if the machine goes on, somebody did. */
static void note_log(struct agent *a, struct evt_channel *c)
{
	const char *xml = c->head;

	if (strstr(xml, ">4608</EventID>")) {
		c->stopped_ns = 0;
	} else if (c->stopped_ns && c->head_ns > c->stopped_ns + SHUTDOWN_NS) {
		tell_log(a, c, "its service was stopped", c->head_ns);
		c->stopped_ns = 0;
	}
	if (strstr(xml, ">1100</EventID>"))
		c->stopped_ns = c->head_ns;
	else if (strstr(xml, ">4612</EventID>"))
		tell_log(a, c, "the system dropped audit events", c->head_ns);
}

static void take(struct agent *a, struct evt_channel *c)
{
	struct stats *st = core_stats(a->core);
	const char *reason = NULL;
	enum decode_result r;
	struct event e;

	st->lines_read++;
	c->lines++;
	if (!c->head) {
		st->lines_bad++;
		return;
	}
	if (!strcmp(c->name, "Security"))
		note_log(a, c);
	if (!strcmp(c->name, "Security") && !a->behind)
		etw_proof(a, c->head_ns);
	r = decode_line(&a->stream, span_of(c->head), &e, &reason);
	if (r == DECODE_EVENT) {
		st->lines_decoded++;
		agent_event(a, SESSIONS_MAX + (unsigned)(c - a->channels), &e);
	} else if (r == DECODE_SKIPPED) {
		st->lines_skipped++;
	} else {
		st->lines_bad++;
	}
}

/*
 * RPC_S_INVALID_BOUND: the events are too large for one answer. EvtNext has gone past them all the
 * same, so the subscription is made anew from the bookmark, and asks for less.
 */
static void read_failed(struct agent *a, struct evt_channel *c, DWORD why)
{
	DWORD batch = c->batch;

	if (why == RPC_S_INVALID_BOUND && batch > BATCH_LEAST) {
		channel_close(c);
		channel_open(a, c);
		c->batch = batch / 2;
		return;
	}
	if (why == ERROR_EVT_QUERY_RESULT_STALE || why == ERROR_EVT_QUERY_RESULT_INVALID_POSITION) {
		channel_close(c);
		channel_open(a, c);
		return;
	}
	channel_failed(c, why);
}

static void batch_next(struct agent *a, struct evt_channel *c)
{
	DWORD n = 0, why;

	c->ahead_at = c->ahead_count = 0;
	ResetEvent(c->signal);
	c->pending = false;
	if (EvtNext(c->subscription, c->batch, c->ahead, 0, 0, &n)) {
		if (c->batch < BATCH && n == c->batch)
			c->batch *= 2;
		c->ahead_count = n;
		c->pending = n > 0;
		return;
	}
	why = GetLastError();
	if (why != ERROR_NO_MORE_ITEMS && why != ERROR_INVALID_OPERATION &&
	    why != ERROR_TIMEOUT) /* 4317: nothing was there to pull */
		read_failed(a, c, why);
}

/* SystemTime='2024-03-05T10:11:12.5000000Z'; 0: none. */
static uint64_t time_of(const char *xml)
{
	const char *at = xml ? strstr(xml, "SystemTime=") : NULL;
	struct span text = span_of(at ? at + strlen("SystemTime=") + 1 : "");
	struct time_text t;

	return time_take_utc(&text, &t) ? t.time_ns : 0;
}

/* False: nothing is there to be read now. */
static bool head_ready(struct agent *a, struct evt_channel *c)
{
	if (c->on && c->ahead_at == c->ahead_count &&
	    (c->pending || WaitForSingleObject(c->signal, 0) == WAIT_OBJECT_0))
		batch_next(a, c);
	if (!c->on || c->ahead_at == c->ahead_count)
		return false;
	if (!c->head) {
		c->head = render(c->ahead[c->ahead_at], EvtRenderEventXml);
		c->head_ns = time_of(c->head);
	}
	return true;
}

/*
 * What happened first, whatever log it is in: one logon is told by three of them, and who reads
 * one after the other sees no order. NULL: nothing is there.
 */
static struct evt_channel *oldest(struct agent *a)
{
	struct evt_channel *best = NULL;

	for (unsigned i = 0; i < a->channels_count; i++) {
		struct evt_channel *c = &a->channels[i];

		if (head_ready(a, c) && (!best || c->head_ns < best->head_ns))
			best = c;
	}
	return best;
}

bool evt_read(struct agent *a)
{
	struct evt_channel *c = NULL;

	for (unsigned i = 0; i < READ_MAX && (c = oldest(a)) != NULL; i++) {
		if (c->head_ns + BEHIND_NS < clock_wall_ns())
			a->behind = true;
		take(a, c);
		if (!c->bookmark)
			c->bookmark = EvtCreateBookmark(NULL);
		if (c->bookmark && EvtUpdateBookmark(c->bookmark, c->ahead[c->ahead_at]))
			c->dirty = a->dirty = true;
		head_drop(c);
	}
	if (!c && a->behind)
		agent_caught_up(a);
	return c != NULL;
}

void evt_catch_up(struct agent *a)
{
	for (unsigned i = 0; i < a->channels_count; i++)
		a->channels[i].pending = a->channels[i].on;
}

DWORD evt_look(struct agent *a, uint64_t now_ns)
{
	for (unsigned i = 0; i < a->channels_count; i++)
		if (!a->channels[i].on && now_ns >= a->channels[i].retry_ns)
			channel_open(a, &a->channels[i]);
	return (DWORD)(RETRY_NS / 1000000);
}

void evt_save(struct agent *a)
{
	for (unsigned i = 0; i < a->channels_count; i++) {
		struct evt_channel *c = &a->channels[i];
		char name[160], *xml = NULL;

		if (!c->dirty || (!c->bookmark && !c->from_start))
			continue;
		if (c->bookmark)
			xml = render(c->bookmark, EvtRenderBookmark);
		else
			xml = calloc(1, 1); /* nothing of it was read yet */
		blob_name(c, name);
		if (xml && strlen(xml) < BOOKMARK_MAX &&
		    !store_put_blob(a->store, name, xml, strlen(xml) + 1))
			c->dirty = false;
		free(xml);
	}
}

void evt_close(struct agent *a)
{
	for (unsigned i = 0; i < a->channels_count; i++) {
		struct evt_channel *c = &a->channels[i];

		channel_close(c);
		if (c->bookmark)
			EvtClose(c->bookmark);
		if (c->signal)
			CloseHandle(c->signal);
		free(c->query);
	}
	a->channels_count = 0;
}
