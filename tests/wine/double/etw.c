/*
 * etw: sessions, their consumers and what they get.
 *
 * EventLog-Security is there as the system's own: it can be opened, not started or stopped, and
 * carries the Security provider, which no other session can. A payload ends where its page ends and
 * is gone after the callback, so who reads past it or keeps it crashes.
 */
#define DOUBLE_CORE
#include "core.h"

#include <initguid.h>

#include <stdio.h>
#include <stdlib.h>

#define SESSIONS_MAX 8
#define ENABLED_MAX  32
#define IDS_MAX	     64
#define SYSTEMS_OWN  L"EventLog-Security"

#ifndef EVENT_FILTER_TYPE_EVENT_ID
#define EVENT_FILTER_TYPE_EVENT_ID 0x80000200
#endif

DEFINE_GUID(security_guid, 0x54849625, 0x5478, 0x4994, 0xa5, 0xba, 0x3e, 0x3b, 0x03, 0x28, 0xc3,
	    0x0d);
DEFINE_GUID(lost_guid, 0x6a399ae0, 0x4bc6, 0x4de9, 0x87, 0x0b, 0x36, 0x57, 0xf8, 0x94, 0x7e, 0x7e);

struct enabled {
	GUID guid;
	bool has_ids, are_in;
	unsigned count;
	USHORT ids[IDS_MAX];
};

/* As in evntprov.h of later SDKs. */
struct filter_ids {
	BOOLEAN are_in;
	UCHAR reserved;
	USHORT count, ids[1];
};

struct session {
	WCHAR name[128];
	bool exists, is_orphan, is_open, is_processing, in_callback, is_closed, must_return;
	ULONG return_code, lost;
	struct enabled enabled[ENABLED_MAX];
	unsigned enabled_count;
	struct delivery *first, **last;
	EVENT_TRACE_LOGFILEW file;
};

static struct session sessions[SESSIONS_MAX];

static struct session *session_of(const WCHAR *name, bool make)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &sessions[i];

		if (!s->name[0] && i == 0) {
			wcscpy(s->name, SYSTEMS_OWN);
			s->exists = true;
			s->last = &s->first;
		}
		if (!s->name[0] && make) {
			(void)_snwprintf(s->name, 127, L"%ls", name);
			s->last = &s->first;
		}
		if (_wcsicmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

static TRACEHANDLE handle_of(const struct session *s)
{
	return 0x1000 + (TRACEHANDLE)(s - sessions);
}

static struct session *session_at(TRACEHANDLE handle)
{
	return handle >= 0x1000 && handle < 0x1000 + SESSIONS_MAX ? &sessions[handle - 0x1000]
								  : NULL;
}

static bool wants(const struct enabled *e, USHORT id)
{
	if (!e->has_ids)
		return true;
	for (unsigned i = 0; i < e->count; i++)
		if (e->ids[i] == id)
			return e->are_in;
	return !e->are_in;
}

static bool carries(struct session *s, const EVENT_HEADER *h)
{
	if (_wcsicmp(s->name, SYSTEMS_OWN) == 0)
		return s->is_open && IsEqualGUID(&h->ProviderId, &security_guid);
	if (!s->exists || IsEqualGUID(&h->ProviderId, &security_guid))
		return false;
	for (unsigned i = 0; i < s->enabled_count; i++)
		if (IsEqualGUID(&s->enabled[i].guid, &h->ProviderId))
			return wants(&s->enabled[i], h->EventDescriptor.Id);
	return false;
}

static void queue(struct session *s, struct delivery *d)
{
	*s->last = d;
	s->last = &d->next;
	double_changed();
}

void etw_deliver(struct delivery *d)
{
	session_of(SYSTEMS_OWN, false);
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].name[0] && carries(&sessions[i], &d->header)) {
			queue(&sessions[i], d);
			return;
		}
	double_log("etw-missed %u", d->header.EventDescriptor.Id);
	free(d);
}

void etw_orphan(const WCHAR *name)
{
	struct session *s = session_of(name, true);

	s->exists = s->is_orphan = true;
}

void etw_return(const WCHAR *name, ULONG code)
{
	struct session *s = session_of(name, true);

	s->must_return = true;
	s->return_code = code;
	double_changed();
}

void etw_lost(const WCHAR *name, ULONG count, bool is_told)
{
	struct session *s = session_of(name, true);
	struct delivery *d = calloc(1, sizeof(*d));

	s->lost += count;
	d->header.ProviderId = lost_guid;
	d->header.EventDescriptor.Opcode = 32;
	d->header.Flags = EVENT_HEADER_FLAG_CLASSIC_HEADER | EVENT_HEADER_FLAG_64_BIT_HEADER;
	GetSystemTimeAsFileTime((FILETIME *)&d->header.TimeStamp);
	if (is_told)
		queue(s, d);
	else
		free(d);
}

bool etw_all_taken(void)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].first || sessions[i].in_callback || sessions[i].must_return)
			return false;
	return true;
}

/* What a caller's properties must be; otherwise ERROR_BAD_LENGTH and the like, as Windows says. */
static ULONG check_properties(const EVENT_TRACE_PROPERTIES *p, const WCHAR *name)
{
	size_t need = sizeof(*p) + (name ? (wcslen(name) + 1) * sizeof(WCHAR) : 0);

	if (!p || p->Wnode.BufferSize < need)
		return ERROR_BAD_LENGTH;
	if (p->LoggerNameOffset < sizeof(*p) || p->LoggerNameOffset >= p->Wnode.BufferSize)
		return ERROR_INVALID_PARAMETER;
	return ERROR_SUCCESS;
}

ULONG WINAPI fake_StartTraceW(TRACEHANDLE *ret, LPCWSTR name, EVENT_TRACE_PROPERTIES *p)
{
	ULONG code = check_properties(p, name);
	struct session *s;

	double_begin();
	double_lock();
	s = session_of(name, true);
	if (!code && (!(p->Wnode.Flags & WNODE_FLAG_TRACED_GUID) ||
		      !(p->LogFileMode & EVENT_TRACE_REAL_TIME_MODE)))
		code = ERROR_INVALID_PARAMETER;
	if (!code && s->exists)
		code = ERROR_ALREADY_EXISTS;
	if (!code)
		code = double_fault("start", name);
	double_log("start %ls %lu", name, code);
	if (!code) {
		s->exists = true;
		s->enabled_count = 0;
		s->lost = 0;
		*ret = p->Wnode.HistoricalContext = handle_of(s);
	}
	double_unlock();
	return code;
}

static void stop(struct session *s)
{
	s->exists = s->is_orphan = false;
	s->enabled_count = 0;
	if (s->is_processing) {
		s->must_return = true;
		s->return_code = ERROR_SUCCESS;
		double_changed();
	}
}

ULONG WINAPI fake_ControlTraceW(TRACEHANDLE handle, LPCWSTR name, EVENT_TRACE_PROPERTIES *p,
				ULONG code)
{
	ULONG got = check_properties(p, name);
	struct session *s;

	double_begin();
	double_lock();
	s = name ? session_of(name, false) : session_at(handle);
	if (!got && (!s || !s->exists))
		got = ERROR_WMI_INSTANCE_NOT_FOUND;
	if (!got && code == EVENT_TRACE_CONTROL_STOP && s == &sessions[0]) {
		double_log("forbidden stop %ls", s->name);
		got = ERROR_ACCESS_DENIED;
	}
	if (code == EVENT_TRACE_CONTROL_STOP)
		double_log("stop %ls %lu", s ? s->name : name ? name : L"?", got);
	if (!got) {
		p->EventsLost = s->lost;
		p->RealTimeBuffersLost = s->lost ? 1 : 0;
		p->Wnode.HistoricalContext = handle_of(s);
		if (code == EVENT_TRACE_CONTROL_STOP)
			stop(s);
	}
	double_unlock();
	return got;
}

static ULONG read_filter(const ENABLE_TRACE_PARAMETERS *p, struct enabled *e)
{
	for (ULONG i = 0; p && i < p->FilterDescCount; i++) {
		const EVENT_FILTER_DESCRIPTOR *d = &p->EnableFilterDesc[i];
		const struct filter_ids *f = (const struct filter_ids *)(ULONG_PTR)d->Ptr;

		if (d->Type != EVENT_FILTER_TYPE_EVENT_ID)
			continue;
		if (d->Size < sizeof(*f) || f->count > IDS_MAX ||
		    d->Size < 4 + f->count * sizeof(USHORT))
			return ERROR_INVALID_PARAMETER;
		e->has_ids = true;
		e->are_in = f->are_in;
		e->count = f->count;
		memcpy(e->ids, f->ids, f->count * sizeof(USHORT));
	}
	return ERROR_SUCCESS;
}

ULONG WINAPI fake_EnableTraceEx2(TRACEHANDLE handle, LPCGUID provider, ULONG code, UCHAR level,
				 ULONGLONG any, ULONGLONG all, ULONG timeout,
				 PENABLE_TRACE_PARAMETERS parameters)
{
	struct enabled e = {.guid = *provider};
	ULONG got = read_filter(parameters, &e);
	struct session *s;
	WCHAR text[40];

	(void)any;
	(void)all;
	(void)timeout;
	double_begin();
	StringFromGUID2(provider, text, 40);
	double_lock();
	s = session_at(handle);
	if (!s || !s->exists || s == &sessions[0])
		got = ERROR_INVALID_PARAMETER;
	if (IsEqualGUID(provider, &security_guid))
		double_log("forbidden enable %ls", text);
	if (!got)
		got = double_fault("enable", text);
	if (!got && code == EVENT_CONTROL_CODE_ENABLE_PROVIDER && s->enabled_count < ENABLED_MAX)
		s->enabled[s->enabled_count++] = e;
	double_log("enable %ls %lu level %u ids %u code %lu", text, code, level, e.count, got);
	double_unlock();
	return got;
}

TRACEHANDLE WINAPI fake_OpenTraceW(EVENT_TRACE_LOGFILEW *file)
{
	const ULONG modes = PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD;
	struct session *s;
	DWORD code = 0;

	double_begin();
	double_lock();
	s = file->LoggerName ? session_of(file->LoggerName, false) : NULL;
	if (!s || !s->exists)
		code = ERROR_WMI_INSTANCE_NOT_FOUND;
	else if ((file->ProcessTraceMode & modes) != modes || !file->EventRecordCallback)
		code = ERROR_INVALID_PARAMETER;
	else
		code = double_fault("open", s->name);
	double_log("open %ls %lu", file->LoggerName ? file->LoggerName : L"?", code);
	if (!code) {
		s->file = *file;
		s->is_open = true;
		s->is_closed = false;
	}
	double_unlock();
	SetLastError(code);
	return code ? (TRACEHANDLE)INVALID_HANDLE_VALUE : handle_of(s);
}

/* The payload at the end of a page, behind which nothing may be read. */
static uint8_t *payload_of(const struct delivery *d, uint8_t **ret_pages)
{
	SIZE_T whole = (d->size + 4095u) / 4096 * 4096, room = whole ? whole : 4096;
	DWORD old;

	*ret_pages = VirtualAlloc(NULL, room + 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
	VirtualProtect(*ret_pages + room, 4096, PAGE_NOACCESS, &old);
	memcpy(*ret_pages + room - d->size, d->payload, d->size);
	return *ret_pages + room - d->size;
}

static void hand_over(struct session *s, struct delivery *d)
{
	uint8_t *pages;
	EVENT_RECORD record = {.EventHeader = d->header,
			       .UserDataLength = d->size,
			       .UserContext = s->file.Context};

	record.UserData = payload_of(d, &pages);
	s->file.EventRecordCallback(&record);
	VirtualFree(pages, 0, MEM_RELEASE);
	free(d);
}

/* Until it is closed, told to return, or its session stops. With the lock held. */
static ULONG process(struct session *s)
{
	while (!s->is_closed && !s->must_return) {
		struct delivery *d = s->first;

		if (!d) {
			double_wait(INFINITE);
			continue;
		}
		s->first = d->next;
		if (!s->first)
			s->last = &s->first;
		s->in_callback = true;
		double_unlock();
		hand_over(s, d);
		double_lock();
		s->in_callback = false;
		double_changed();
	}
	return s->is_closed ? ERROR_SUCCESS : s->return_code;
}

ULONG WINAPI fake_ProcessTrace(TRACEHANDLE *handles, ULONG count, LPFILETIME from, LPFILETIME to)
{
	struct session *s;
	ULONG code;

	(void)from;
	(void)to;
	if (count != 1)
		return ERROR_INVALID_PARAMETER;
	double_lock();
	s = session_at(handles[0]);
	if (!s || !s->is_open || s->is_processing) {
		double_unlock();
		return ERROR_INVALID_HANDLE;
	}
	double_log("process %ls", s->name);
	code = double_fault("process", s->name);
	if (!code) {
		s->is_processing = true;
		code = process(s);
		s->is_processing = s->must_return = false;
	}
	double_log("processed %ls %lu", s->name, code);
	double_unlock();
	return code;
}

ULONG WINAPI fake_CloseTrace(TRACEHANDLE handle)
{
	struct session *s;
	ULONG code = ERROR_SUCCESS;

	double_lock();
	s = session_at(handle);
	if (!s || !s->is_open) {
		code = ERROR_INVALID_HANDLE;
	} else {
		double_log("close %ls", s->name);
		s->is_open = false;
		s->is_closed = true;
		if (s->is_processing)
			code = ERROR_CTX_CLOSE_PENDING;
		double_changed();
	}
	double_unlock();
	return code;
}
