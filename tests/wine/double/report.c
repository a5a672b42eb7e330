/* report: the Event Log that alerts are written to, and the console's handlers. */
#define DOUBLE_CORE
#include "core.h"

#include <stdio.h>
#include <stdlib.h>

static char source_name[128];

HANDLE WINAPI fake_RegisterEventSourceW(LPCWSTR server, LPCWSTR source)
{
	(void)server;
	double_begin();
	WideCharToMultiByte(CP_UTF8, 0, source, -1, source_name, sizeof(source_name), NULL, NULL);
	double_log("source %s", source_name);
	return (HANDLE)(ULONG_PTR)0x5e5e;
}

BOOL WINAPI fake_DeregisterEventSource(HANDLE h)
{
	return h == (HANDLE)(ULONG_PTR)0x5e5e;
}

/* Escaped, so that a line of the log is one call. */
static char *utf8_of(LPCWSTR text)
{
	static const char plain_of[] = "\n\r\t\\", letter_of[] = "nrt\\";
	int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL), at = 0;
	char *plain = malloc((size_t)n), *out = malloc(2 * (size_t)n);

	WideCharToMultiByte(CP_UTF8, 0, text, -1, plain, n, NULL, NULL);
	for (int i = 0; i < n; i++) {
		const char *special = plain[i] ? strchr(plain_of, plain[i]) : NULL;

		if (special)
			out[at++] = '\\';
		out[at++] = special ? letter_of[special - plain_of] : plain[i];
	}
	free(plain);
	return out;
}

BOOL WINAPI fake_ReportEventW(HANDLE h, WORD type, WORD category, DWORD id, PSID user, WORD count,
			      DWORD size, LPCWSTR *strings, LPVOID data)
{
	WCHAR where[16];
	DWORD fault;
	char *text;

	(void)category;
	(void)user;
	(void)data;
	double_begin();
	(void)swprintf(where, 16, L"%lu", id);
	double_lock();
	fault = double_fault("report", where);
	double_unlock();
	if (fault || h != (HANDLE)(ULONG_PTR)0x5e5e) {
		double_log("report-failed %lu", id);
		SetLastError(fault ? fault : ERROR_INVALID_HANDLE);
		return FALSE;
	}
	/* Windows takes 31,839 characters a string, and no more. */
	for (WORD i = 0; i < count; i++)
		if (wcslen(strings[i]) > 31839) {
			double_log("report-too-long %lu %u", id, (unsigned)wcslen(strings[i]));
			SetLastError(RPC_S_INVALID_BOUND);
			return FALSE;
		}
	text = utf8_of(count ? strings[0] : L"");
	double_log("report %lu %u %u %lu %s", id & 0xffff, type, count, size, text);
	free(text);
	return TRUE;
}

BOOL WINAPI fake_SetConsoleCtrlHandler(PHANDLER_ROUTINE handler, BOOL add)
{
	if (handler && add)
		script_add_handler(handler);
	return TRUE;
}
