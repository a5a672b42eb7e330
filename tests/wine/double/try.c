/*
 * try: the double's own test: a program that uses Windows as outergate.exe does and prints what it
 * got, one line each. It is as strict as the calls that it makes; agent.py holds what it prints
 * against the script.
 *
 *   try.exe CHANNEL [RECORD-ID]     the bookmark to begin after
 */
#include <windows.h>

#include <evntcons.h>
#include <evntrace.h>
#include <tdh.h>
#include <winevt.h>

#include <stdio.h>
#include <stdlib.h>

static const GUID openssh = {
	0xc4b57d35, 0x0636, 0x4bc3, {0xa2, 0x62, 0x37, 0x0f, 0x24, 0x9f, 0x98, 0x02}};

struct properties {
	EVENT_TRACE_PROPERTIES p;
	WCHAR name[64];
};

static struct properties properties(void)
{
	struct properties q = {0};

	q.p.Wnode.BufferSize = sizeof(q);
	q.p.Wnode.Flags = WNODE_FLAG_TRACED_GUID;
	q.p.LogFileMode = EVENT_TRACE_REAL_TIME_MODE;
	q.p.LoggerNameOffset = offsetof(struct properties, name);
	return q;
}

static void WINAPI on_record(EVENT_RECORD *r)
{
	static TRACE_EVENT_INFO buf[64];
	ULONG size = sizeof(buf), code = TdhGetEventInformation(r, 0, NULL, buf, &size);

	printf("record %u %u bytes tdh %lu", r->EventHeader.EventDescriptor.Id, r->UserDataLength,
	       code);
	for (ULONG i = 0; !code && i < buf[0].TopLevelPropertyCount; i++)
		printf(" %ls:%u",
		       (const WCHAR *)(const void *)((const char *)buf +
						     buf[0].EventPropertyInfoArray[i].NameOffset),
		       buf[0].EventPropertyInfoArray[i].nonStructType.InType);
	printf("\n");
	fflush(stdout);
}

static DWORD WINAPI consume(void *name)
{
	EVENT_TRACE_LOGFILEW f = {.LoggerName = name, .EventRecordCallback = on_record};
	TRACEHANDLE h;

	f.ProcessTraceMode = PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD;
	h = OpenTraceW(&f);
	if (h == (TRACEHANDLE)INVALID_HANDLE_VALUE) {
		printf("open %lu\n", GetLastError());
		return 1;
	}
	printf("processed %lu\n", ProcessTrace(&h, 1, NULL, NULL));
	fflush(stdout);
	CloseTrace(h);
	return 0;
}

static void start(void)
{
	struct properties q = properties();
	TRACEHANDLE h = 0;
	ULONG code = StartTraceW(&h, L"Outergate", &q.p);

	printf("start %lu\n", code);
	if (code == ERROR_ALREADY_EXISTS) {
		q = properties();
		printf("stop %lu\n",
		       ControlTraceW(0, L"Outergate", &q.p, EVENT_TRACE_CONTROL_STOP));
		q = properties();
		printf("start %lu\n", StartTraceW(&h, L"Outergate", &q.p));
	}
	printf("enable %lu\n",
	       EnableTraceEx2(h, &openssh, EVENT_CONTROL_CODE_ENABLE_PROVIDER, 4, 0, 0, 0, NULL));
}

static void print_event(EVT_HANDLE event, EVT_HANDLE bookmark)
{
	static WCHAR text[65536];
	DWORD used = 0, count = 0;

	if (EvtRender(NULL, event, EvtRenderEventXml, sizeof(text), text, &used, &count))
		printf("event %ls\n", text);
	EvtUpdateBookmark(bookmark, event);
	EvtClose(event);
	if (EvtRender(NULL, bookmark, EvtRenderBookmark, sizeof(text), text, &used, &count))
		printf("bookmark %ls\n", wcsstr(text, L"RecordId"));
}

static EVT_HANDLE subscribe(const WCHAR *channel, const WCHAR *record, HANDLE signal,
			    EVT_HANDLE *bookmark)
{
	WCHAR query[512], mark[512];
	EVT_HANDLE h;

	_snwprintf(query, 512,
		   L"<QueryList><Query Id='0'><Select Path='%ls'>*[System[(EventID=4 or "
		   L"EventID=4624)]]</Select></Query></QueryList>",
		   channel);
	_snwprintf(mark, 512,
		   L"<BookmarkList><Bookmark Channel='%ls' RecordId='%ls' "
		   L"IsCurrent='true'/></BookmarkList>",
		   channel, record ? record : L"0");
	*bookmark = EvtCreateBookmark(record ? mark : NULL);
	h = EvtSubscribe(NULL, signal, NULL, query, record ? *bookmark : NULL, NULL, NULL,
			 record ? EvtSubscribeStartAfterBookmark | EvtSubscribeStrict
				: EvtSubscribeToFutureEvents);
	printf("subscribe %lu\n", h ? 0 : GetLastError());
	fflush(stdout);
	return h;
}

int wmain(int argc, WCHAR **argv);
int wmain(int argc, WCHAR **argv)
{
	HANDLE signal = CreateEventW(NULL, TRUE, FALSE, NULL), log;
	LPCWSTR said[1] = {L"one\nline"};
	EVT_HANDLE h, bookmark = NULL, events[8];
	DWORD n = 0;

	setvbuf(stdout, NULL, _IOFBF, 65536);
	start();
	CloseHandle(
		CreateThread(NULL, 0, consume, (void *)(ULONG_PTR)L"EventLog-Security", 0, NULL));
	CloseHandle(CreateThread(NULL, 0, consume, (void *)(ULONG_PTR)L"Outergate", 0, NULL));
	h = subscribe(argv[1], argc > 2 ? argv[2] : NULL, signal, &bookmark);
	while (h && WaitForSingleObject(signal, 5000) == WAIT_OBJECT_0) {
		ResetEvent(signal);
		while (EvtNext(h, 8, events, 0, 0, &n))
			for (DWORD i = 0; i < n; i++)
				print_event(events[i], bookmark);
		if (GetLastError() != ERROR_NO_MORE_ITEMS)
			printf("next %lu\n", GetLastError());
		fflush(stdout);
	}
	log = RegisterEventSourceW(NULL, L"Try");
	ReportEventW(log, EVENTLOG_ERROR_TYPE, 0, 1102, NULL, 1, 0, said, NULL);
	DeregisterEventSource(log);
	return 0;
}
