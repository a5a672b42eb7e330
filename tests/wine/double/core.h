/* core: of tdh.dll's own: what its files tell each other. */
#ifndef OUTERGATE_DOUBLE_CORE_H
#define OUTERGATE_DOUBLE_CORE_H

#include "double.h"

#include <evntcons.h>
#include <evntrace.h>

#define FIELDS_MAX 64

/* One event that ETW will deliver. */
struct delivery {
	struct delivery *next;
	EVENT_HEADER header;
	USHORT size;
	uint8_t payload[];
};

struct schema_field {
	WCHAR name[64];
	USHORT in, out;
	int length_from; /* -1: none */
};

struct schema {
	GUID guid;
	unsigned id, version, count;
	WCHAR provider[128], channel[160];
	struct schema_field fields[FIELDS_MAX];
};

/* script.c */
const struct schema *schema_of(const EVENT_HEADER *h);
bool script_has_handlers(void);
void script_add_handler(PHANDLER_ROUTINE handler);

/* etw.c; with the lock held */
void etw_deliver(struct delivery *d);
void etw_orphan(const WCHAR *name);
void etw_return(const WCHAR *name, ULONG code);
void etw_lost(const WCHAR *name, ULONG count, bool is_told);
bool etw_all_taken(void);

ULONG WINAPI fake_StartTraceW(TRACEHANDLE *ret, LPCWSTR name, EVENT_TRACE_PROPERTIES *p);
ULONG WINAPI fake_ControlTraceW(TRACEHANDLE handle, LPCWSTR name, EVENT_TRACE_PROPERTIES *p,
				ULONG code);
ULONG WINAPI fake_EnableTraceEx2(TRACEHANDLE handle, LPCGUID provider, ULONG code, UCHAR level,
				 ULONGLONG any, ULONGLONG all, ULONG timeout,
				 PENABLE_TRACE_PARAMETERS parameters);
TRACEHANDLE WINAPI fake_OpenTraceW(EVENT_TRACE_LOGFILEW *file);
ULONG WINAPI fake_ProcessTrace(TRACEHANDLE *handles, ULONG count, LPFILETIME from, LPFILETIME to);
ULONG WINAPI fake_CloseTrace(TRACEHANDLE handle);

/* report.c */
HANDLE WINAPI fake_RegisterEventSourceW(LPCWSTR server, LPCWSTR source);
BOOL WINAPI fake_DeregisterEventSource(HANDLE h);
BOOL WINAPI fake_ReportEventW(HANDLE h, WORD type, WORD category, DWORD id, PSID user, WORD count,
			      DWORD size, LPCWSTR *strings, LPVOID data);
BOOL WINAPI fake_SetConsoleCtrlHandler(PHANDLER_ROUTINE handler, BOOL add);

#endif
