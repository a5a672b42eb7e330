/* text: see agent.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

wchar_t *wide(const char *utf8)
{
	int n = MultiByteToWideChar(CP_UTF8, 0, utf8, -1, NULL, 0);
	wchar_t *w = n > 0 ? calloc((size_t)n, sizeof(*w)) : NULL;

	if (w)
		MultiByteToWideChar(CP_UTF8, 0, utf8, -1, w, n);
	return w;
}

char *narrow(const wchar_t *text)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *s = n > 0 ? calloc((size_t)n, 1) : NULL;

	if (s)
		WideCharToMultiByte(CP_UTF8, 0, text, -1, s, n, NULL, NULL);
	return s;
}

const char *system_error(DWORD code, char buf[REASON_MAX])
{
	wchar_t text[160];
	DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
				 code, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US), text,
				 sizeof(text) / sizeof(text[0]), NULL);
	char *s = NULL;

	while (n && (text[n - 1] == L'\n' || text[n - 1] == L'\r' || text[n - 1] == L'.'))
		text[--n] = L'\0';
	if (n)
		s = narrow(text);
	snprintf(buf, REASON_MAX, "%s (error %lu)", s ? s : "no text", (unsigned long)code);
	free(s);
	return buf;
}
