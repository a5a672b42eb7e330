/*
 * etw: events in real time. The Security log's provider can be enabled in no session but the event
 * log's own, which a second consumer may open as SYSTEM; the others are enabled in a session of
 * ours, whose name is fixed, so that one that a killed agent left behind is found and ended.
 *
 * A session that ends is begun again, and told (somebody may have stopped it); what was lost is
 * read from the log. Cannot see: what audit policy does not let happen.
 *
 * Sources: learn.microsoft.com, "Consuming events", "RT_LostEvent"; evntrace.h, evntcons.h, tdh.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include <evntrace.h>

#include <evntcons.h>
#include <tdh.h>

#define SECURITY       L"EventLog-Security"
#define OURS	       L"Outergate"
#define RETRY_NS       5000000000ull
#define PROOF_EVENTS   20
#define PROOF_AFTER_NS 1000000000ull /* of an event, after the session was opened */
#define LOOK_NS	       10000000000ull
#define SCHEMAS	       128

static const GUID lost_guid = {
	0x6A399AE0, 0x4BC6, 0x4DE9, {0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E}};

/* Names as windows.c knows them; the first is in the event log's own session. */
static const struct provider {
	GUID guid;
	const char *name;
} providers[] = {
	{{0x54849625, 0x5478, 0x4994, {0xA5, 0xBA, 0x3E, 0x3B, 0x03, 0x28, 0xC3, 0x0D}},
	 "Microsoft-Windows-Security-Auditing"},
	{{0x5d896912, 0x022d, 0x40aa, {0xa3, 0xa8, 0x4f, 0xa5, 0x51, 0x5c, 0x76, 0xd7}},
	 "Microsoft-Windows-TerminalServices-LocalSessionManager"},
	{{0xc76baa63, 0xae81, 0x421c, {0xb4, 0x25, 0x34, 0x0b, 0x4b, 0x24, 0x15, 0x7f}},
	 "Microsoft-Windows-TerminalServices-RemoteConnectionManager"},
	{{0x1139c61b, 0xb549, 0x4251, {0x8e, 0xd3, 0x27, 0x25, 0x0a, 0x1e, 0xde, 0xc8}},
	 "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"},
	{{0xa7975c8f, 0xac13, 0x49f1, {0x87, 0xda, 0x5a, 0x98, 0x4a, 0x4a, 0xb4, 0x17}},
	 "Microsoft-Windows-WinRM"},
	{{0xc4b57d35, 0x0636, 0x4bc3, {0xa2, 0x62, 0x37, 0x0f, 0x24, 0x9f, 0x98, 0x02}}, "OpenSSH"},
	{{0x4d5ae6a1, 0xc7c8, 0x4e6d, {0xb8, 0x40, 0x4d, 0x80, 0x80, 0xb4, 0x2e, 0x1b}},
	 "Microsoft-Windows-TerminalServices-Gateway"},
	{{0xd48ce617, 0x33a2, 0x4bc3, {0xa5, 0xc7, 0x11, 0xaa, 0x4f, 0x29, 0x61, 0x9e}},
	 "Microsoft-Windows-SMBServer"},
	{{0x5770385f, 0xc22a, 0x43e0, {0xbf, 0x4c, 0x06, 0xf5, 0x69, 0x8f, 0xfb, 0xd9}},
	 "Microsoft-Windows-Sysmon"},
};
#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

static bool same_guid(const GUID *a, const GUID *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- the threads: copy, and nothing else */

static bool is_wanted(const EVENT_HEADER *h)
{
	if (same_guid(&h->ProviderId, &lost_guid))
		return true;
	for (size_t i = 0; i < PROVIDERS; i++)
		if (same_guid(&h->ProviderId, &providers[i].guid))
			return true;
	return false;
}

static void WINAPI on_record(EVENT_RECORD *r)
{
	struct etw_session *s = r->UserContext;
	struct etw_copy head;

	if (!is_wanted(&r->EventHeader))
		return;
	head = (struct etw_copy){
		.provider = r->EventHeader.ProviderId,
		.activity = r->EventHeader.ActivityId,
		.id = r->EventHeader.EventDescriptor.Id,
		.version = r->EventHeader.EventDescriptor.Version,
		.opcode = r->EventHeader.EventDescriptor.Opcode,
		.flags = r->EventHeader.Flags,
		.size = r->UserData ? r->UserDataLength : 0,
		.session = (uint8_t)s->index,
		.pid = r->EventHeader.ProcessId,
		.tid = r->EventHeader.ThreadId,
		.filetime = (uint64_t)r->EventHeader.TimeStamp.QuadPart,
	};
	(void)queue_put(s->agent->queue, &head, r->UserData);
}

static DWORD WINAPI session_thread(void *arg)
{
	struct etw_session *s = arg;
	TRACEHANDLE h = s->handle;

	s->why = ProcessTrace(&h, 1, NULL, NULL);
	InterlockedExchange(&s->ended, 1);
	SetEvent(s->agent->wake);
	return 0;
}

/* --- sessions */

struct properties {
	EVENT_TRACE_PROPERTIES p;
	wchar_t name[64];
};

static struct properties properties_of(const wchar_t *name)
{
	struct properties q;

	memset(&q, 0, sizeof(q));
	q.p.Wnode.BufferSize = sizeof(q);
	q.p.Wnode.Flags = WNODE_FLAG_TRACED_GUID;
	q.p.Wnode.ClientContext = 1; /* QPC; told as FILETIME */
	q.p.LogFileMode = EVENT_TRACE_REAL_TIME_MODE | EVENT_TRACE_NO_PER_PROCESSOR_BUFFERING;
	q.p.BufferSize = 64; /* KiB */
	q.p.MinimumBuffers = 16;
	q.p.MaximumBuffers = 64;
	q.p.FlushTimer = 1; /* s */
	q.p.LoggerNameOffset = offsetof(struct properties, name);
	wcsncpy(q.name, name, sizeof(q.name) / sizeof(q.name[0]) - 1);
	return q;
}

static bool refused(struct etw_session *s, const char *what, DWORD why)
{
	char text[REASON_MAX];

	snprintf(s->reason, sizeof(s->reason), "%s: %.150s", what, system_error(why, text));
	s->on = false;
	return false;
}

/* evntprov.h; of Windows 8.1 and later, and not in every header. */
#define FILTER_EVENT_ID 0x80000200u
#define FILTER_IDS_MAX	64
struct id_filter {
	BOOLEAN in;
	UCHAR reserved;
	USHORT count;
	USHORT ids[FILTER_IDS_MAX];
};

static void wanted_ids(const struct provider *p, struct id_filter *f)
{
	*f = (struct id_filter){.in = TRUE};
	for (unsigned i = 0; i < windows_providers_count; i++)
		for (const struct windows_row *r = windows_providers[i].rows;
		     !strcmp(windows_providers[i].name, p->name) && r->id &&
		     f->count < FILTER_IDS_MAX;
		     r++)
			f->ids[f->count++] = (USHORT)r->id;
}

/*
 * Only the events that are read: the file server's provider alone tells of every request else.
 * Where the system takes no such filter it is all of them.
 */
static ULONG provider_enable(TRACEHANDLE h, const struct provider *p)
{
	struct id_filter ids;
	EVENT_FILTER_DESCRIPTOR d = {.Type = FILTER_EVENT_ID};
	ENABLE_TRACE_PARAMETERS how = {.Version = ENABLE_TRACE_PARAMETERS_VERSION_2,
				       .EnableFilterDesc = &d,
				       .FilterDescCount = 1};
	ULONG r;

	wanted_ids(p, &ids);
	d.Ptr = (ULONGLONG)(uintptr_t)&ids;
	d.Size = (ULONG)(offsetof(struct id_filter, ids) + ids.count * sizeof(ids.ids[0]));
	r = EnableTraceEx2(h, &p->guid, EVENT_CONTROL_CODE_ENABLE_PROVIDER, TRACE_LEVEL_INFORMATION,
			   0, 0, 0, &how);
	if (r != ERROR_INVALID_PARAMETER && r != ERROR_NOT_SUPPORTED)
		return r;
	return EnableTraceEx2(h, &p->guid, EVENT_CONTROL_CODE_ENABLE_PROVIDER,
			      TRACE_LEVEL_INFORMATION, 0, 0, 0, NULL);
}

/* Our own: one that is there already was left by an agent that was killed. */
static bool session_start(struct etw_session *s)
{
	struct properties q = properties_of(s->name);
	TRACEHANDLE h = 0;
	ULONG r = StartTraceW(&h, s->name, &q.p);

	if (r == ERROR_ALREADY_EXISTS) {
		q = properties_of(s->name);
		(void)ControlTraceW(0, s->name, &q.p, EVENT_TRACE_CONTROL_STOP);
		q = properties_of(s->name);
		r = StartTraceW(&h, s->name, &q.p);
	}
	if (r)
		return refused(s, "its session cannot be started", r);
	s->started = h;
	for (size_t i = 1; i < PROVIDERS; i++) {
		r = provider_enable(h, &providers[i]);
		if (r)
			return refused(s, providers[i].name, r);
	}
	return true;
}

static bool session_open(struct etw_session *s)
{
	EVENT_TRACE_LOGFILEW f;
	TRACEHANDLE h;

	s->ended = 0;
	if (s->own && !session_start(s))
		return false;
	memset(&f, 0, sizeof(f));
	f.LoggerName = (wchar_t *)(uintptr_t)s->name;
	f.ProcessTraceMode = PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD;
	f.EventRecordCallback = on_record;
	f.Context = s;
	h = OpenTraceW(&f);
	if (h == (TRACEHANDLE)INVALID_HANDLE_VALUE)
		return refused(
			s,
			s->own ? "its session cannot be opened"
			       : "the event log's session cannot be opened (only SYSTEM may)",
			GetLastError());
	s->handle = h;
	s->thread = CreateThread(NULL, 0, session_thread, s, 0, NULL);
	if (!s->thread) {
		DWORD why = GetLastError();

		(void)CloseTrace(h);
		return refused(s, "no thread for it", why);
	}
	s->on = true;
	s->opened_ns = clock_wall_ns();
	s->heard = s->records;
	s->unheard = 0;
	s->reason[0] = '\0';
	return true;
}

static void session_close(struct etw_session *s)
{
	struct properties q = properties_of(s->name);

	if (s->thread) {
		(void)CloseTrace(s->handle); /* ERROR_CTX_CLOSE_PENDING is fine */
		if (s->own)
			(void)ControlTraceW(s->started, s->name, &q.p, EVENT_TRACE_CONTROL_STOP);
		(void)WaitForSingleObject(s->thread, 5000);
		CloseHandle(s->thread);
	} else if (s->own && s->started) {
		(void)ControlTraceW(s->started, s->name, &q.p, EVENT_TRACE_CONTROL_STOP);
	}
	s->thread = NULL;
	s->started = 0;
	s->on = false;
}

void etw_open(struct agent *a)
{
	static const wchar_t *const names[SESSIONS_MAX] = {SECURITY, OURS};

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct etw_session *s = &a->etw[i];

		s->agent = a;
		s->index = i;
		s->name = names[i];
		s->own = i == 1;
		if (!session_open(s))
			s->retry_ns = clock_wall_ns() + RETRY_NS;
	}
}

void etw_close(struct agent *a)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (a->etw[i].agent)
			session_close(&a->etw[i]);
}

static void session_ended(struct agent *a, struct etw_session *s)
{
	char text[REASON_MAX], reason[REASON_MAX];

	snprintf(reason, sizeof(reason), "etw-lost: the session %s ended by itself: %.100s",
		 s->own ? "Outergate" : "EventLog-Security", system_error(s->why, text));
	session_close(s);
	snprintf(s->reason, sizeof(s->reason), "%.180s", reason + strlen("etw-lost: "));
	s->retry_ns = clock_wall_ns() + RETRY_NS;
	agent_sensor(a, reason);
	evt_catch_up(a);
}

/* What the system says that it could not deliver. */
static void session_losses(struct agent *a, struct etw_session *s)
{
	struct properties q = properties_of(s->name);

	if (!ControlTraceW(s->own ? s->started : 0, s->name, &q.p, EVENT_TRACE_CONTROL_QUERY) &&
	    q.p.EventsLost + q.p.RealTimeBuffersLost > s->lost)
		s->lost = q.p.EventsLost + q.p.RealTimeBuffersLost;
	if (s->lost > s->told_lost) {
		agent_loss(a, "events of an ETW session (read again from the event log)",
			   s->lost - s->told_lost);
		s->told_lost = s->lost;
		evt_catch_up(a);
	}
}

/*
 * An open session that is silent looks healthy: a provider that was taken out of it, a consumer
 * that was cut off. So many events of the log, and none of them by ETW, prove that it is not.
 */
void etw_proof(struct agent *a, uint64_t time_ns)
{
	struct etw_session *s = &a->etw[0];

	if (!s->on || time_ns < s->opened_ns + PROOF_AFTER_NS)
		return;
	if (s->records != s->heard) {
		s->heard = s->records;
		s->unheard = 0;
		s->reason[0] = '\0';
		return;
	}
	if (++s->unheard != PROOF_EVENTS)
		return;
	snprintf(s->reason, sizeof(s->reason),
		 "EventLog-Security is open and tells nothing, while the log grows");
	agent_sensor(a, "etw-lost: EventLog-Security is open and tells nothing, while the log "
			"grows: alerts come later");
}

DWORD etw_look(struct agent *a, uint64_t now_ns)
{
	uint64_t lost = queue_lost(a->queue);

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct etw_session *s = &a->etw[i];

		if (s->thread && s->ended)
			session_ended(a, s);
		if (!s->on && now_ns >= s->retry_ns && !session_open(s))
			s->retry_ns = now_ns + RETRY_NS;
		if (s->on && now_ns >= s->looked_ns + LOOK_NS) {
			s->looked_ns = now_ns;
			session_losses(a, s);
		}
	}
	if (lost > a->queue_lost_told) {
		agent_loss(a,
			   "events that came faster than they could be read (they are in the "
			   "event log)",
			   lost - a->queue_lost_told);
		a->queue_lost_told = lost;
		evt_catch_up(a);
	}
	return (DWORD)(RETRY_NS / 1000000);
}

/* --- records, in the core's thread */

struct schema {
	GUID provider;
	uint16_t id, version;
	bool known, missing;
	struct etw_template t;
};

static void field_of(const TRACE_EVENT_INFO *info, unsigned i, struct etw_field *f)
{
	const EVENT_PROPERTY_INFO *p = &info->EventPropertyInfoArray[i];
	char *name = narrow((const wchar_t *)(const void *)((const char *)info + p->NameOffset));

	*f = (struct etw_field){.length_from = ETW_NO_LENGTH};
	snprintf(f->name, sizeof(f->name), "%s", name ? name : "");
	free(name);
	if (p->Flags & PropertyStruct)
		return; /* of type 0: the list ends here */
	f->type = (uint8_t)p->nonStructType.InType;
	f->is_address = p->nonStructType.OutType >= 23 && p->nonStructType.OutType <= 25;
	if (p->Flags & PropertyParamLength)
		f->length_from = (uint8_t)p->lengthPropertyIndex;
	else if (f->type == ETW_UNICODE || f->type == ETW_ANSI || f->type == ETW_BINARY)
		f->length = p->length;
}

static bool schema_ask(struct schema *s, const struct etw_copy *h, const void *payload)
{
	static union {
		TRACE_EVENT_INFO info;
		char bytes[65536];
	} buf;
	EVENT_RECORD r;
	ULONG size = sizeof(buf);

	memset(&r, 0, sizeof(r));
	r.EventHeader.ProviderId = h->provider;
	r.EventHeader.EventDescriptor.Id = h->id;
	r.EventHeader.EventDescriptor.Version = (UCHAR)h->version;
	r.EventHeader.EventDescriptor.Opcode = h->opcode;
	r.EventHeader.Flags = h->flags;
	r.UserData = (void *)(uintptr_t)payload;
	r.UserDataLength = h->size;
	if (TdhGetEventInformation(&r, 0, NULL, &buf.info, &size))
		return false;
	s->t.count = buf.info.TopLevelPropertyCount;
	if (s->t.count > ETW_FIELDS_MAX)
		s->t.count = ETW_FIELDS_MAX;
	for (unsigned i = 0; i < s->t.count; i++)
		field_of(&buf.info, i, &s->t.fields[i]);
	return true;
}

/* NULL: this machine does not know the event (its manifest is not registered). */
static const struct etw_template *schema_of(const struct etw_copy *h, const void *payload)
{
	static struct schema schemas[SCHEMAS];
	static unsigned next;
	struct schema *s;

	for (unsigned i = 0; i < SCHEMAS; i++) {
		s = &schemas[i];
		if (s->known && s->id == h->id && s->version == h->version &&
		    same_guid(&s->provider, &h->provider))
			return s->missing ? NULL : &s->t;
	}
	s = &schemas[next++ % SCHEMAS];
	*s = (struct schema){
		.provider = h->provider, .id = h->id, .version = h->version, .known = true};
	s->missing = !schema_ask(s, h, payload);
	return s->missing ? NULL : &s->t;
}

static void say_activity(const GUID *g, char text[48])
{
	snprintf(text, 48, "{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
		 (unsigned long)g->Data1, g->Data2, g->Data3, g->Data4[0], g->Data4[1], g->Data4[2],
		 g->Data4[3], g->Data4[4], g->Data4[5], g->Data4[6], g->Data4[7]);
}

static const char *provider_name(const GUID *g)
{
	for (size_t i = 0; i < PROVIDERS; i++)
		if (same_guid(g, &providers[i].guid))
			return providers[i].name;
	return "";
}

#define FILETIME_1970 116444736000000000ull

void etw_take(struct agent *a, const struct etw_copy *h, const void *payload)
{
	struct etw_session *s = &a->etw[h->session];
	struct stats *st = core_stats(a->core);
	const struct etw_template *t;
	struct json j = {.out = a->stream.scratch,
			 .out_end = a->stream.scratch + sizeof(a->stream.scratch)};
	static struct windows_event w;
	char activity[48], host[64] = "";
	const char *reason = NULL;
	struct event e;

	if (same_guid(&h->provider, &lost_guid)) {
		s->lost++;
		s->looked_ns = 0; /* told with the next look */
		return;
	}
	s->records++;
	st->records_read++;
	a->stream.line++;
	t = schema_of(h, payload);
	if (!t || h->filetime < FILETIME_1970) {
		st->records_bad++; /* the event log tells it */
		return;
	}
	say_activity(&h->activity, activity);
	snprintf(host, sizeof(host), "%s", a->identity.host_id);
	memset(&w, 0, sizeof(w));
	w.provider = span_of(provider_name(&h->provider));
	w.computer = span_of(host);
	w.activity = span_of(activity);
	w.id = h->id;
	w.version = h->version;
	w.pid = h->pid;
	w.time_ns = (h->filetime - FILETIME_1970) * 100;
	if (!windows_from_etw(t, (struct span){payload, h->size},
			      !(h->flags & EVENT_HEADER_FLAG_32_BIT_HEADER), &j, &w, &reason) ||
	    reason || j.cut) {
		st->records_bad++;
		return;
	}
	if (windows_decode(&a->stream, &w, DECODER_windows_evtx, &e, &reason) == DECODE_EVENT)
		agent_event(a, h->session, &e);
}
