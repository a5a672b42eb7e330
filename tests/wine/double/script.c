/*
 * script: reads the script (double.h has its words) and plays it. A line that cannot be read ends
 * the program with a message: a test with a wrong script must not pass.
 */
#define DOUBLE_CORE
#include "script.h"

#include <objbase.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTS_MAX      (FIELDS_MAX + 8)
#define SCHEMAS_MAX    512
#define HANDLERS_MAX   4
#define AWAIT_SECONDS  30
#define TAKEN_SECONDS  120
#define LONGEST_SCRIPT (64u << 20)

struct line {
	WCHAR *parts[PARTS_MAX];
	unsigned count, number;
};

static struct schema *schemas[SCHEMAS_MAX];
static size_t schema_count;
static PHANDLER_ROUTINE handlers[HANDLERS_MAX];
static unsigned handler_count;
static void (*record_told)(struct channel *c);
static bool (*records_taken)(void);
static bool is_playing; /* "play" was passed */
static bool is_burst;
static uint64_t play_time; /* FILETIME */
static WCHAR *next_line;
static unsigned line_number;

static void fail(const struct line *l, const char *why)
{
	double_log("script line %u: %s", l->number, why);
	fprintf(stderr, "double: script line %u: %s\n", l->number, why);
	ExitProcess(99);
}

void double_on_record(void (*told)(struct channel *c), bool (*all_taken)(void))
{
	record_told = told;
	records_taken = all_taken;
}

void script_add_handler(PHANDLER_ROUTINE handler)
{
	if (handler_count < HANDLERS_MAX)
		handlers[handler_count++] = handler;
}

const struct schema *schema_of(const EVENT_HEADER *h)
{
	for (size_t i = 0; i < schema_count; i++)
		if (IsEqualGUID(&schemas[i]->guid, &h->ProviderId) &&
		    schemas[i]->id == h->EventDescriptor.Id &&
		    schemas[i]->version == h->EventDescriptor.Version)
			return schemas[i];
	return NULL;
}

static GUID guid_of(const struct line *l, const WCHAR *text)
{
	GUID g = {0};

	if (wcscmp(text, L"-") != 0 && FAILED(CLSIDFromString((LPOLESTR)text, &g)))
		fail(l, "no GUID");
	return g;
}

static uint64_t number_of(const struct line *l, unsigned i)
{
	WCHAR *end = NULL;
	uint64_t v;

	if (i >= l->count)
		fail(l, "a number is missing");
	v = _wcstoui64(l->parts[i], &end, 10);
	if (!*l->parts[i] || *end)
		fail(l, "no number");
	return v;
}

static uint64_t filetime_now(void)
{
	ULARGE_INTEGER t;
	FILETIME f;

	GetSystemTimePreciseAsFileTime(&f);
	t.LowPart = f.dwLowDateTime;
	t.HighPart = f.dwHighDateTime;
	return t.QuadPart;
}

/* "+N": waits until it is that time. */
static uint64_t time_of(struct line *l)
{
	uint64_t at, now;

	if (*l->parts[5] != '+')
		return number_of(l, 5);
	l->parts[5]++;
	at = play_time + number_of(l, 5);
	l->parts[5]--;
	while ((now = filetime_now()) < at)
		double_wait((DWORD)((at - now) / 10000 + 1));
	return at;
}

/* With "2026-11-29T11:04:12.5553630Z" in the place of each @TIME@; the caller's to free. */
static WCHAR *timed(const WCHAR *xml, uint64_t at)
{
	static const WCHAR mark[] = L"@TIME@";
	WCHAR *to = calloc(wcslen(xml) * 5 + 1, sizeof(*to)), *end = to, text[64];
	FILETIME f = {(DWORD)at, (DWORD)(at >> 32)};
	SYSTEMTIME t;

	FileTimeToSystemTime(&f, &t);
	(void)_snwprintf(text, 64, L"%04u-%02u-%02uT%02u:%02u:%02u.%07uZ", t.wYear, t.wMonth,
			 t.wDay, t.wHour, t.wMinute, t.wSecond, (unsigned)(at % 10000000));
	while (*xml)
		if (wcsncmp(xml, mark, 6) == 0) {
			wcscpy(end, text);
			end += wcslen(text);
			xml += 6;
		} else {
			*end++ = *xml++;
		}
	return to;
}

static void read_field(const struct line *l, WCHAR *text, struct schema_field *f)
{
	unsigned in = 0, out = 0;
	int from = -1;

	if (swscanf(text, L"%63l[^,],%u,%u,%d", f->name, &in, &out, &from) < 3)
		fail(l, "a field is NAME,IN,OUT[,LENGTH-INDEX]");
	f->in = (USHORT)in;
	f->out = (USHORT)out;
	f->length_from = from;
}

static void do_schema(struct line *l)
{
	struct schema *s = calloc(1, sizeof(*s));

	if (l->count < 6 || l->count - 6 > FIELDS_MAX || schema_count == SCHEMAS_MAX)
		fail(l, "too few fields, or too many");
	s->guid = guid_of(l, l->parts[1]);
	s->id = (unsigned)number_of(l, 2);
	s->version = (unsigned)number_of(l, 3);
	(void)_snwprintf(s->provider, 127, L"%ls", l->parts[4]);
	(void)_snwprintf(s->channel, 159, L"%ls", l->parts[5]);
	s->count = l->count - 6;
	for (unsigned i = 0; i < s->count; i++)
		read_field(l, l->parts[6 + i], &s->fields[i]);
	schemas[schema_count++] = s;
}

static struct delivery *delivery_of(const struct line *l, uint64_t at)
{
	const WCHAR *hex = l->parts[10];
	size_t n = wcscmp(hex, L"-") == 0 ? 0 : wcslen(hex) / 2;
	struct delivery *d = calloc(1, sizeof(*d) + n);

	d->header.Size = sizeof(d->header);
	d->header.Flags = number_of(l, 9) == 64 ? EVENT_HEADER_FLAG_64_BIT_HEADER
						: EVENT_HEADER_FLAG_32_BIT_HEADER;
	d->header.ProviderId = guid_of(l, l->parts[2]);
	d->header.EventDescriptor.Id = (USHORT)number_of(l, 3);
	d->header.EventDescriptor.Version = (UCHAR)number_of(l, 4);
	d->header.EventDescriptor.Level = 4;
	d->header.TimeStamp.QuadPart = (LONGLONG)at;
	d->header.ActivityId = guid_of(l, l->parts[6]);
	d->header.ProcessId = (ULONG)number_of(l, 7);
	d->header.ThreadId = (ULONG)number_of(l, 8);
	d->size = (USHORT)n;
	for (size_t i = 0; i < n; i++) {
		unsigned byte = 0;

		if (swscanf(hex + 2 * i, L"%2x", &byte) != 1)
			fail(l, "no hex");
		d->payload[i] = (uint8_t)byte;
	}
	return d;
}

/* Events are further apart than the sessions' threads are; in a burst they are not. */
static void wait_for_consumer(void)
{
	ULONGLONG until = GetTickCount64() + 1000;

	while (!is_burst && !etw_all_taken() && GetTickCount64() < until)
		double_wait(10);
}

static void log_record(struct line *l, uint64_t at)
{
	struct channel *c = channel_made(l->parts[11]);
	WCHAR *xml = timed(l->parts[13], at);

	if (!c)
		fail(l, "too many channels");
	channel_add(c, number_of(l, 12), (uint32_t)number_of(l, 3), xml);
	free(xml);
	if (record_told)
		record_told(c);
}

static void do_event(struct line *l)
{
	uint64_t at = time_of(l);
	WCHAR *via;

	for (via = wcstok(l->parts[1], L","); via; via = wcstok(NULL, L",")) {
		if (wcscmp(via, L"evt") == 0) {
			log_record(l, at);
		} else if (wcscmp(via, L"etw") != 0) {
			fail(l, "an event comes by etw or evt");
		} else if (is_playing) {
			etw_deliver(delivery_of(l, at));
			wait_for_consumer();
		}
	}
}

static void do_clear(struct line *l)
{
	struct channel *c = channel_made(l->parts[1]);

	if (!c)
		fail(l, "too many channels");
	c->gone += c->count;
	c->count = 0;
}

static void do_fault(struct line *l)
{
	char what[16];

	if (l->count < 4)
		fail(l, "fault WHAT WHERE CODE [TIMES]");
	(void)snprintf(what, sizeof(what), "%ls", l->parts[1]);
	fault_add(what, l->parts[2], (DWORD)number_of(l, 3),
		  l->count > 4 ? (long)number_of(l, 4) : 1);
}

static void do_await(struct line *l)
{
	char text[512];
	size_t times = l->count > 2 ? number_of(l, 2) : 1;
	ULONGLONG until = GetTickCount64() + 1000 * AWAIT_SECONDS;

	(void)snprintf(text, sizeof(text), "%ls", l->parts[1]);
	while (log_count(text) < times) {
		if (GetTickCount64() > until) {
			double_log("await-timeout %s", text);
			return;
		}
		double_wait(50);
	}
}

static DWORD WINAPI call_handlers(void *code)
{
	for (unsigned i = handler_count; i-- > 0;)
		if (handlers[i]((DWORD)(ULONG_PTR)code))
			break;
	return 0;
}

static void do_ctrl(struct line *l)
{
	CloseHandle(
		CreateThread(NULL, 0, call_handlers, (void *)(ULONG_PTR)number_of(l, 1), 0, NULL));
}

/* Until nothing is left that the program could take, and it came back for more. */
static void do_end(void)
{
	ULONGLONG until = GetTickCount64() + 1000 * TAKEN_SECONDS;

	while (!etw_all_taken() || (records_taken && !records_taken())) {
		if (GetTickCount64() > until) {
			double_log("not-taken");
			return;
		}
		double_wait(50);
	}
	double_log("end");
}

static void do_pause(struct line *l)
{
	ULONGLONG until = GetTickCount64() + number_of(l, 1), now;

	while ((now = GetTickCount64()) < until)
		double_wait((DWORD)(until - now));
}

static bool is_word(const struct line *l, const WCHAR *word, unsigned count)
{
	if (wcscmp(l->parts[0], word) != 0)
		return false;
	if (l->count < count)
		fail(l, "too few fields");
	return true;
}

static void do_line(struct line *l)
{
	if (!*l->parts[0] || *l->parts[0] == '#')
		return;
	if (is_word(l, L"schema", 6))
		do_schema(l);
	else if (is_word(l, L"channel", 2))
		channel_made(l->parts[1]);
	else if (is_word(l, L"session", 2))
		etw_orphan(l->parts[1]);
	else if (is_word(l, L"fault", 4))
		do_fault(l);
	else if (is_word(l, L"event", 14))
		do_event(l);
	else if (is_word(l, L"lost", 3) || is_word(l, L"quiet-loss", 3))
		etw_lost(l->parts[1], (ULONG)number_of(l, 2), *l->parts[0] == 'l');
	else if (is_word(l, L"return", 3))
		etw_return(l->parts[1], (ULONG)number_of(l, 2));
	else if (is_word(l, L"clear", 2))
		do_clear(l);
	else if (is_word(l, L"await", 2))
		do_await(l);
	else if (is_word(l, L"pause", 2))
		do_pause(l);
	else if (is_word(l, L"ctrl", 2))
		do_ctrl(l);
	else if (is_word(l, L"exit", 2))
		TerminateProcess(GetCurrentProcess(), (UINT)number_of(l, 1));
	else if (is_word(l, L"burst", 2))
		is_burst = number_of(l, 1);
	else if (is_word(l, L"end", 1))
		do_end();
	else
		fail(l, "not a word of the script");
}

/* The next line in parts; false: there is none. */
static bool take_line(struct line *l)
{
	WCHAR *end, *at = next_line;

	if (!at || !*at)
		return false;
	end = wcschr(at, '\n');
	next_line = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	*l = (struct line){.number = ++line_number};
	for (; l->count < PARTS_MAX; at = end + 1) {
		l->parts[l->count++] = at;
		end = wcschr(at, '\t');
		if (!end)
			return true;
		*end = 0;
	}
	fail(l, "too many fields");
	return false;
}

static DWORD WINAPI play(void *unused)
{
	struct line l;

	(void)unused;
	double_lock();
	while (take_line(&l))
		do_line(&l);
	double_unlock();
	return 0;
}

static WCHAR *read_script(const WCHAR *path)
{
	HANDLE f = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	DWORD size = f == INVALID_HANDLE_VALUE ? INVALID_FILE_SIZE : GetFileSize(f, NULL), n = 0;
	WCHAR *wide;
	char *text;

	if (size > LONGEST_SCRIPT) {
		fprintf(stderr, "double: the script cannot be read\n");
		ExitProcess(99);
	}
	text = calloc(size + 1, 1);
	ReadFile(f, text, size, &n, NULL);
	CloseHandle(f);
	wide = calloc(size + 1, sizeof(*wide));
	MultiByteToWideChar(CP_UTF8, 0, text, (int)n, wide, (int)size + 1);
	free(text);
	return wide;
}

static BOOL CALLBACK begin(PINIT_ONCE once, void *unused, void **context)
{
	const WCHAR *path = _wgetenv(L"OUTERGATE_DOUBLE");
	struct line l;

	(void)once;
	(void)unused;
	(void)context;
	if (!path)
		return TRUE;
	next_line = read_script(path);
	double_lock();
	play_time = filetime_now();
	double_log("play %llu", (unsigned long long)play_time);
	while (!is_playing && take_line(&l)) {
		is_playing = wcscmp(l.parts[0], L"play") == 0;
		if (!is_playing)
			do_line(&l);
	}
	double_unlock();
	if (is_playing)
		CloseHandle(CreateThread(NULL, 0, play, NULL, 0, NULL));
	return TRUE;
}

void double_begin(void)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

	InitOnceExecuteOnce(&once, begin, NULL, NULL);
}
