/*
 * wevtapi: pull subscriptions and queries over the script's channels.
 *
 * A signal is given when a record comes after somebody was told that there are no more items, and
 * only then: who stops before it was told so waits for good. A handle that went stale (15011,
 * 15012) stays so; 1734 comes when its records were passed over already.
 */
#include "double.h"

#include <winevt.h>

#include <stdio.h>
#include <stdlib.h>

#define HANDLES_MAX	    4096
#define IDS_MAX		    64
#define TERMS_MAX	    23 /* of one Select */
#define FOREVER_STALE(code) ((code) == 15011 || (code) == 15012)

enum kind {
	FREE,
	RESULTS,
	EVENT,
	BOOKMARK,
	CHANNELS
};

struct results {
	struct channel *c;
	size_t at, end; /* numbers since the first of all; end: of a query, else none */
	bool is_query, is_backwards, was_told_empty;
	unsigned count;
	uint32_t ids[IDS_MAX]; /* none: every event */
	HANDLE signal;
	DWORD stale, empty_code;
};

struct handle {
	enum kind kind;
	WCHAR channel[256];
	uint64_t record;
	bool has_record;
	const WCHAR *xml;
	struct results r;
	size_t next_channel;
};

static struct handle handles[HANDLES_MAX];

static struct handle *new_handle(enum kind kind)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles[i].kind == FREE) {
			handles[i] = (struct handle){.kind = kind};
			return &handles[i];
		}
	double_log("handles-leaked");
	return NULL;
}

static struct handle *handle_of(EVT_HANDLE h, enum kind kind)
{
	struct handle *p = h;

	return p >= handles && p < handles + HANDLES_MAX && p->kind == kind ? p : NULL;
}

static bool wants(const struct results *r, uint32_t id)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->ids[i] == id)
			return true;
	return r->count == 0;
}

static void tell(struct channel *c)
{
	uint32_t id = c->records[c->count - 1].event;

	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct results *r = &handles[i].r;

		if (handles[i].kind == RESULTS && r->c == c && !r->is_query && wants(r, id) &&
		    r->was_told_empty) {
			r->was_told_empty = false;
			SetEvent(r->signal);
		}
	}
}

static bool is_taken(const struct results *r)
{
	size_t from = r->at > r->c->gone ? r->at - r->c->gone : 0;

	for (size_t i = from; i < r->c->count; i++)
		if (wants(r, r->c->records[i].event))
			return false;
	return r->was_told_empty;
}

static bool all_taken(void)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles[i].kind == RESULTS && !handles[i].r.is_query &&
		    !is_taken(&handles[i].r))
			return false;
	return true;
}

static EVT_HANDLE fail(DWORD code)
{
	SetLastError(code);
	return NULL;
}

/* Path='X' or Path="X" after at; false: none. */
static bool read_path(const WCHAR *at, WCHAR path[256])
{
	const WCHAR *p = wcsstr(at, L"Path="), *end;

	if (!p || (p[5] != '\'' && p[5] != '"'))
		return false;
	end = wcschr(p + 6, p[5]);
	if (!end || end - p - 6 > 255)
		return false;
	(void)_snwprintf(path, 256, L"%.*ls", (int)(end - p - 6), p + 6);
	return true;
}

/* The channel and ids of one query. Windows takes some 23 terms a Select and no more. */
static bool read_query(const WCHAR *query, WCHAR path[256], struct results *r)
{
	const WCHAR *select = query;
	unsigned terms = 0;

	if (!query || wcscmp(query, L"*") == 0)
		return true;
	if (*query == '<' && (!wcsstr(query, L"<QueryList>") || !wcsstr(query, L"</QueryList>") ||
			      !read_path(query, path)))
		return false;
	for (const WCHAR *p = query; (p = wcspbrk(p, L"<E")) != NULL; p++) {
		WCHAR other[256];

		if (wcsncmp(p, L"<Select", 7) == 0) {
			select = p;
			terms = 0;
			if (read_path(select, other) && _wcsicmp(other, path) != 0)
				return false;
		} else if (wcsncmp(p, L"EventID=", 8) == 0) {
			if (++terms > TERMS_MAX || r->count == IDS_MAX)
				return false;
			r->ids[r->count++] = (uint32_t)wcstoul(p + 8, NULL, 10);
		}
	}
	return true;
}

/* Where a subscription begins; false: its bookmark is of no record, and it was to be strict. */
static bool place(struct results *r, const struct handle *bookmark, DWORD flags)
{
	const DWORD from = flags & EvtSubscribeOriginMask;
	bool is_found = false;

	r->at = r->c->gone + (from == EvtSubscribeToFutureEvents ? r->c->count : 0);
	if (from != EvtSubscribeStartAfterBookmark)
		return true;
	for (size_t i = 0; i < r->c->count; i++)
		if (r->c->records[i].id <= bookmark->record) {
			r->at = r->c->gone + i + 1;
			is_found |= r->c->records[i].id == bookmark->record;
		}
	return is_found || !(flags & EvtSubscribeStrict);
}

static void log_subscribe(const WCHAR *path, const struct handle *bookmark, DWORD flags, DWORD code)
{
	static const char *const from[] = {"?", "future", "oldest", "after"};

	double_log("subscribe %ls %s%s %llu code %lu", path, from[flags & EvtSubscribeOriginMask],
		   flags & EvtSubscribeStrict ? " strict" : "",
		   bookmark ? (unsigned long long)bookmark->record : 0ull, code);
}

__declspec(dllexport) EVT_HANDLE WINAPI
	EvtSubscribe(EVT_HANDLE session, HANDLE signal, LPCWSTR channel, LPCWSTR query,
		     EVT_HANDLE bookmark, PVOID context, EVT_SUBSCRIBE_CALLBACK callback,
		     DWORD flags)
{
	struct handle *mark = handle_of(bookmark, BOOKMARK), *h = NULL;
	struct results r = {.signal = signal, .empty_code = ERROR_NO_MORE_ITEMS};
	WCHAR path[256] = L"";
	DWORD code = 0;

	(void)context;
	double_begin();
	double_lock();
	double_on_record(tell, all_taken);
	if (channel)
		(void)_snwprintf(path, 255, L"%ls", channel);
	if (session || callback || !signal || !(flags & EvtSubscribeOriginMask) ||
	    ((flags & EvtSubscribeOriginMask) == EvtSubscribeStartAfterBookmark &&
	     !(mark && mark->has_record)))
		code = ERROR_INVALID_PARAMETER;
	else if (!read_query(query, path, &r))
		code = ERROR_EVT_INVALID_QUERY;
	else if (!(r.c = double_channel(path)))
		code = ERROR_EVT_CHANNEL_NOT_FOUND;
	else if (!(code = double_fault("subscribe", path)) && !place(&r, mark, flags))
		code = ERROR_NOT_FOUND;
	log_subscribe(path, mark, flags, code);
	if (!code && (h = new_handle(RESULTS)) != NULL) {
		h->r = r;
		h->r.was_told_empty = true;
		if (!is_taken(&h->r)) {
			h->r.was_told_empty = false;
			SetEvent(signal);
		}
	}
	double_unlock();
	return h ? h : fail(code);
}

__declspec(dllexport) EVT_HANDLE WINAPI
	EvtQuery(EVT_HANDLE session, LPCWSTR channel, LPCWSTR query, DWORD flags)
{
	struct results r = {.is_query = true, .empty_code = ERROR_NO_MORE_ITEMS};
	WCHAR path[256] = L"";
	struct handle *h = NULL;
	DWORD code = 0;

	(void)session;
	double_begin();
	double_lock();
	if (channel)
		(void)_snwprintf(path, 255, L"%ls", channel);
	if (!read_query(query, path, &r))
		code = ERROR_EVT_INVALID_QUERY;
	else if (!(r.c = double_channel(path)))
		code = ERROR_EVT_CHANNEL_NOT_FOUND;
	double_log("query %ls code %lu", path, code);
	if (!code && (h = new_handle(RESULTS)) != NULL) {
		r.at = r.c->gone;
		r.end = r.c->gone + r.c->count;
		r.is_backwards = flags & EvtQueryReverseDirection;
		h->r = r;
	}
	double_unlock();
	return h ? h : fail(code);
}

/* The next that it wants; NULL: no more. What was cleared is passed over. */
static const struct record *next_record(struct results *r)
{
	const struct channel *c = r->c;
	size_t end = c->gone + c->count;

	if (r->is_query && r->end < end)
		end = r->end;
	if (r->at < c->gone)
		r->at = c->gone;
	while (r->at < end) {
		size_t i = r->is_backwards ? --end : r->at++;
		const struct record *found = &c->records[i - c->gone];

		if (r->is_backwards)
			r->end = end;
		if (wants(r, found->event))
			return found;
	}
	return NULL;
}

/* Who asks for more has no use for what it had. */
static void look_for_leaks(const struct results *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < HANDLES_MAX; i++)
		n += handles[i].kind == EVENT && _wcsicmp(handles[i].channel, r->c->name) == 0;
	if (n)
		double_log("events-leaked %ls %u", r->c->name, n);
}

static DWORD next(struct results *r, DWORD size, EVT_HANDLE *events, DWORD *ret)
{
	DWORD code = r->stale ? r->stale : double_fault("next", r->c->name);
	const struct record *found;

	*ret = 0;
	if (code == ERROR_INVALID_OPERATION) {
		r->empty_code = code;
		code = 0;
	}
	if (FOREVER_STALE(code))
		r->stale = code;
	if (code && code != RPC_S_INVALID_BOUND)
		return code;
	while (*ret < size && (found = next_record(r)) != NULL) {
		struct handle *h = code ? NULL : new_handle(EVENT);

		++*ret;
		if (code)
			continue; /* passed over, and nobody gets them */
		if (!h)
			return ERROR_OUTOFMEMORY;
		wcscpy(h->channel, r->c->name);
		h->record = found->id;
		h->xml = found->xml;
		events[*ret - 1] = h;
	}
	if (code) {
		*ret = 0;
		return code;
	}
	if (*ret)
		return ERROR_SUCCESS;
	look_for_leaks(r);
	r->was_told_empty = true;
	double_changed();
	return r->empty_code;
}

__declspec(dllexport) BOOL WINAPI EvtNext(EVT_HANDLE results, DWORD size, EVT_HANDLE *events,
					  DWORD timeout, DWORD flags, PDWORD ret)
{
	struct handle *h = handle_of(results, RESULTS);
	DWORD code;

	(void)timeout;
	(void)flags;
	double_lock();
	code = h ? next(&h->r, size, events, ret) : ERROR_INVALID_HANDLE;
	if (code && code != ERROR_NO_MORE_ITEMS)
		double_log("next %ls code %lu", h ? h->r.c->name : L"?", code);
	double_unlock();
	SetLastError(code);
	return code == ERROR_SUCCESS;
}

static BOOL give(const WCHAR *text, DWORD size, PVOID buffer, PDWORD used, PDWORD count)
{
	DWORD need = (DWORD)((wcslen(text) + 1) * sizeof(WCHAR));

	*used = need;
	if (count)
		*count = 0;
	if (size < need || !buffer) {
		SetLastError(ERROR_INSUFFICIENT_BUFFER);
		return FALSE;
	}
	memcpy(buffer, text, need);
	return TRUE;
}

__declspec(dllexport) BOOL WINAPI EvtRender(EVT_HANDLE context, EVT_HANDLE fragment, DWORD flags,
					    DWORD size, PVOID buffer, PDWORD used, PDWORD count)
{
	struct handle *event = handle_of(fragment, EVENT), *mark = handle_of(fragment, BOOKMARK);
	WCHAR text[512];
	DWORD code;

	if (context || (flags == EvtRenderEventXml && !event) ||
	    (flags == EvtRenderBookmark && !(mark && mark->has_record)) ||
	    flags == EvtRenderEventValues) {
		double_log("render-misused %lu", flags);
		SetLastError(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	if (flags == EvtRenderEventXml) {
		double_lock();
		code = double_fault("render", event->channel);
		double_unlock();
		SetLastError(code);
		return code ? FALSE : give(event->xml, size, buffer, used, count);
	}
	(void)_snwprintf(text, 512,
			 L"<BookmarkList>\r\n  <Bookmark Channel='%ls' RecordId='%llu' "
			 L"IsCurrent='true'/>\r\n</BookmarkList>",
			 mark->channel, (unsigned long long)mark->record);
	return give(text, size, buffer, used, count);
}

__declspec(dllexport) EVT_HANDLE WINAPI EvtCreateBookmark(LPCWSTR xml)
{
	struct handle *h;

	double_begin();
	double_lock();
	h = new_handle(BOOKMARK);
	if (h && xml) {
		const WCHAR *c = wcsstr(xml, L"Channel="), *r = wcsstr(xml, L"RecordId=");

		h->has_record = wcsstr(xml, L"<BookmarkList") && c && r &&
				swscanf(c + 9, L"%255l[^'\"]", h->channel) == 1 &&
				swscanf(r + 10, L"%llu", &h->record) == 1;
		if (!h->has_record) {
			double_log("bookmark-malformed");
			h->kind = FREE;
			h = NULL;
		}
	}
	double_unlock();
	return h ? h : fail(ERROR_INVALID_DATA);
}

__declspec(dllexport) BOOL WINAPI EvtUpdateBookmark(EVT_HANDLE bookmark, EVT_HANDLE event)
{
	struct handle *b = handle_of(bookmark, BOOKMARK), *e = handle_of(event, EVENT);

	if (!b || !e) {
		SetLastError(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	wcscpy(b->channel, e->channel);
	b->record = e->record;
	b->has_record = true;
	return TRUE;
}

__declspec(dllexport) EVT_HANDLE WINAPI EvtOpenChannelEnum(EVT_HANDLE session, DWORD flags)
{
	struct handle *h;

	(void)session;
	(void)flags;
	double_begin();
	double_lock();
	h = new_handle(CHANNELS);
	double_unlock();
	return h;
}

__declspec(dllexport) BOOL WINAPI
	EvtNextChannelPath(EVT_HANDLE channels, DWORD size, LPWSTR path, PDWORD used)
{
	struct handle *h = handle_of(channels, CHANNELS);
	struct channel *c;
	DWORD need;

	double_lock();
	c = h ? double_channel_at(h->next_channel) : NULL;
	need = c ? (DWORD)wcslen(c->name) + 1 : 0;
	*used = need;
	if (c && size >= need) {
		wcscpy(path, c->name);
		h->next_channel++;
	}
	double_unlock();
	SetLastError(c ? ERROR_INSUFFICIENT_BUFFER : ERROR_NO_MORE_ITEMS);
	return c && size >= need;
}

__declspec(dllexport) BOOL WINAPI EvtClose(EVT_HANDLE object)
{
	struct handle *h = object;
	bool is_ours = h >= handles && h < handles + HANDLES_MAX && h->kind != FREE;

	double_lock();
	if (is_ours && h->kind == RESULTS && !h->r.is_query)
		double_log("unsubscribe %ls", h->r.c->name);
	if (is_ours)
		h->kind = FREE;
	else
		double_log("close-misused");
	double_changed();
	double_unlock();
	return is_ours;
}
