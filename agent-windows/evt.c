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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include <winevt.h>

#define BATCH	     64
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

/* The channels of windows.c, whose ids they have; "Admin" beside "Operational" where it is used. */
static const struct {
	const char *provider, *channel;
} channels[] = {
	{"Microsoft-Windows-Security-Auditing", "Security"},
	{"Microsoft-Windows-RemoteDesktopServices-RdpCoreTS",
	 "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"},
	{"Microsoft-Windows-TerminalServices-LocalSessionManager",
	 "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"},
	{"Microsoft-Windows-TerminalServices-RemoteConnectionManager",
	 "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"},
	{"OpenSSH", "OpenSSH/Operational"},
	{"OpenSSH", "OpenSSH/Admin"},
	{"Microsoft-Windows-WinRM", "Microsoft-Windows-WinRM/Operational"},
	{"Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"},
};
#define CHANNELS (sizeof(channels) / sizeof(channels[0]))

/* Of the log itself: somebody has emptied it. */
#define LOG_CLEARED "(EventID=1102 or EventID=1100 or EventID=1101)"

/* <QueryList> with a <Select> for each few ids. False: it does not fit. */
static bool query_of(const char *channel, const struct windows_row *rows, char *to, size_t cap)
{
	size_t n = (size_t)snprintf(to, cap, "<QueryList><Query Id=\"0\">");

	for (unsigned i = 0; rows[i].id && n < cap; i++) {
		bool first = i % IDS_A_SELECT == 0;
		bool last = !rows[i + 1].id || (i + 1) % IDS_A_SELECT == 0;

		if (first)
			n += (size_t)snprintf(to + n, cap - n, "<Select Path=\"%s\">*[System[(",
					      channel);
		n += (size_t)snprintf(to + n, cap - n, "%sEventID=%u", first ? "" : " or ",
				      (unsigned)rows[i].id);
		if (last && n < cap)
			n += (size_t)snprintf(to + n, cap - n, ")]]</Select>");
	}
	if (n < cap && !strcmp(channel, "Security"))
		n += (size_t)snprintf(to + n, cap - n,
				      "<Select Path=\"Security\">*[System[" LOG_CLEARED
				      "]]</Select>");
	if (n < cap)
		n += (size_t)snprintf(to + n, cap - n, "</Query></QueryList>");
	return n < cap;
}

static const struct windows_row *rows_of(const char *provider)
{
	for (unsigned i = 0; i < windows_providers_count; i++)
		if (!strcmp(windows_providers[i].name, provider))
			return windows_providers[i].rows;
	return NULL;
}

static void blob_name(const struct evt_channel *c, char name[160])
{
	snprintf(name, 160, NAME_PREFIX "%s", c->name);
}

/* What was kept, as a bookmark; NULL: there is none. */
static EVT_HANDLE bookmark_kept(struct agent *a, const struct evt_channel *c)
{
	EVT_HANDLE h = NULL;
	char name[160];
	void *xml = NULL;
	size_t len = 0;
	wchar_t *text;

	blob_name(c, name);
	if (store_get_blob(a->store, name, &xml, &len))
		return NULL;
	if (len && ((char *)xml)[len - 1] == '\0') {
		text = wide(xml);
		h = text ? EvtCreateBookmark(text) : NULL;
		free(text);
	}
	free(xml);
	return h;
}

static void channel_close(struct evt_channel *c)
{
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

/* From the bookmark; where the log no longer has it, from the oldest that is there, and told. */
static void channel_open(struct agent *a, struct evt_channel *c)
{
	char text[REASON_MAX];

	c->batch = BATCH;
	ResetEvent(c->signal);
	if (c->bookmark)
		c->subscription = subscribe(c, c->bookmark,
					    EvtSubscribeStartAfterBookmark | EvtSubscribeStrict);
	else
		c->subscription = subscribe(c, NULL, EvtSubscribeToFutureEvents);
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
	if (!c->bookmark)
		c->bookmark = EvtCreateBookmark(NULL);
}

void evt_open(struct agent *a)
{
	char query[QUERY_MAX];

	for (size_t i = 0; i < CHANNELS && a->channels_count < CHANNELS_MAX; i++) {
		struct evt_channel *c = &a->channels[a->channels_count];
		const struct windows_row *rows = rows_of(channels[i].provider);

		if (!rows || !query_of(channels[i].channel, rows, query, sizeof(query)))
			continue;
		snprintf(c->name, sizeof(c->name), "%s", channels[i].channel);
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

/* 1102 and 104: somebody emptied a log. */
static void note_cleared(struct agent *a, const struct evt_channel *c, const char *xml)
{
	char text[REASON_MAX];

	if (!strstr(xml, ">1102</EventID>") && !strstr(xml, ">1100</EventID>") &&
	    !strstr(xml, ">1101</EventID>"))
		return;
	snprintf(text, sizeof(text), "log-cleared: %.60s: %s", c->name,
		 strstr(xml, ">1102</EventID>")	  ? "somebody emptied it"
		 : strstr(xml, ">1100</EventID>") ? "its service was stopped"
						  : "the system dropped audit events");
	agent_sensor(a, text);
}

static void take(struct agent *a, struct evt_channel *c, EVT_HANDLE h)
{
	char *xml = render(h, EvtRenderEventXml);
	struct stats *st = core_stats(a->core);
	const char *reason = NULL;
	enum decode_result r;
	struct event e;

	st->lines_read++;
	c->lines++;
	if (!xml) {
		st->lines_bad++;
		return;
	}
	if (!strcmp(c->name, "Security"))
		note_cleared(a, c, xml);
	r = decode_line(&a->stream, span_of(xml), &e, &reason);
	if (r == DECODE_EVENT) {
		st->lines_decoded++;
		agent_event(a, SESSIONS_MAX + (unsigned)(c - a->channels), &e);
	} else if (r == DECODE_SKIPPED) {
		st->lines_skipped++;
	} else {
		st->lines_bad++;
	}
	free(xml);
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

bool evt_read(struct agent *a, struct evt_channel *c)
{
	EVT_HANDLE events[BATCH];
	DWORD n = 0, why;

	if (!c->on)
		return false;
	ResetEvent(c->signal);
	if (!EvtNext(c->subscription, c->batch, events, 0, 0, &n)) {
		why = GetLastError();
		c->pending = false;
		if (why != ERROR_NO_MORE_ITEMS && why != ERROR_INVALID_OPERATION &&
		    why != ERROR_TIMEOUT) /* 4317: nothing was there to pull */
			read_failed(a, c, why);
		return false;
	}
	for (DWORD i = 0; i < n; i++) {
		take(a, c, events[i]);
		if (c->bookmark && EvtUpdateBookmark(c->bookmark, events[i]))
			c->dirty = a->dirty = true;
		EvtClose(events[i]);
	}
	if (c->batch < BATCH && n == c->batch)
		c->batch *= 2;
	c->pending = n > 0;
	return c->pending;
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
		char name[160], *xml;

		if (!c->dirty || !c->bookmark)
			continue;
		xml = render(c->bookmark, EvtRenderBookmark);
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
