/*
 * installed: what `service install` puts beside the store, and what `service remove` takes away.
 *
 * The shipped configuration stands there twice: the one in use, and outergate.default.yaml, which
 * is the version's own. Where both are the same nobody has changed it, so a newer version replaces
 * it and a removal takes it away; where they differ it is the operator's, and stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include "cli/command.h"

#define DEFAULTS PLAT_DIR "outergate.default.yaml"
#define COUNTRY	 PLAT_GEO "country.mmdb"
#define TEXT_MAX (4u << 20)
#define NEW	 ".new"

static int failed(const char *path, DWORD why)
{
	char text[REASON_MAX];

	return command_fail(why == ERROR_ACCESS_DENIED ? EXIT_PERMISSION : EXIT_INPUT, "%s: %s",
			    path, system_error(why, text));
}

static bool is_there(const char *path)
{
	return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

/* Whole or not at all. */
static int text_write(const char *path, const char *text)
{
	char to[MAX_PATH];
	DWORD n = 0, why;
	HANDLE h;
	bool ok;

	snprintf(to, sizeof(to), "%s" NEW, path);
	h = CreateFileA(to, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	if (h == INVALID_HANDLE_VALUE)
		return failed(to, GetLastError());
	ok = WriteFile(h, text, (DWORD)strlen(text), &n, NULL) && FlushFileBuffers(h);
	why = GetLastError();
	CloseHandle(h);
	if (ok) {
		ok = MoveFileExA(to, path, MOVEFILE_REPLACE_EXISTING) != 0;
		why = GetLastError();
	}
	if (!ok)
		DeleteFileA(to);
	return ok ? EXIT_FINE : failed(path, why);
}

/* Is the configuration in use the one that some version came with? */
static bool config_is_shipped(void)
{
	char *own = NULL, *shipped = NULL;
	size_t own_len = 0, shipped_len = 0;
	bool same = !command_read_file(PLAT_CONFIG, TEXT_MAX, &own, &own_len) &&
		    !command_read_file(DEFAULTS, TEXT_MAX, &shipped, &shipped_len) &&
		    own_len == shipped_len && !memcmp(own, shipped, own_len);

	free(own);
	free(shipped);
	return same;
}

static int config_put(void)
{
	int r = EXIT_FINE;

	if (!is_there(PLAT_CONFIG) || config_is_shipped())
		r = text_write(PLAT_CONFIG, command_shipped_config());
	return r ? r : text_write(DEFAULTS, command_shipped_config());
}

static bool is_newer(const wchar_t *path, const wchar_t *than)
{
	WIN32_FILE_ATTRIBUTE_DATA a, b;

	return GetFileAttributesExW(path, GetFileExInfoStandard, &a) &&
	       (!GetFileAttributesExW(than, GetFileExInfoStandard, &b) ||
		CompareFileTime(&a.ftLastWriteTime, &b.ftLastWriteTime) > 0);
}

/* The database that came with the program, unless there is one as new. */
static int geo_put(const wchar_t *exe)
{
	wchar_t from[MAX_PATH + 32];
	const wchar_t *slash = wcsrchr(exe, L'\\');
	wchar_t *to = wide(COUNTRY), *with = wide(COUNTRY NEW);
	int r = EXIT_FINE;

	_snwprintf(from, sizeof(from) / sizeof(from[0]) - 1, L"%.*lsgeo\\country.mmdb",
		   slash ? (int)(slash + 1 - exe) : 0, exe);
	from[sizeof(from) / sizeof(from[0]) - 1] = L'\0';
	if (!to || !with)
		r = failed(COUNTRY, ERROR_OUTOFMEMORY);
	else if (is_newer(from, to)) {
		CreateDirectoryA(PLAT_GEO, NULL);
		/* Renamed over: an agent that runs sees the old or the new one. */
		if (!CopyFileW(from, with, FALSE) ||
		    !MoveFileExW(with, to, MOVEFILE_REPLACE_EXISTING)) {
			r = failed(COUNTRY, GetLastError());
			DeleteFileW(with);
		}
	}
	free(to);
	free(with);
	return r;
}

int installed_put(const wchar_t *exe)
{
	int r = config_put();

	return r ? r : geo_put(exe);
}

/* --- and away again: by name, never a tree, since a directory may lead somewhere else. */

static int file_remove(const char *path)
{
	if (DeleteFileA(path) || GetLastError() == ERROR_FILE_NOT_FOUND ||
	    GetLastError() == ERROR_PATH_NOT_FOUND)
		return EXIT_FINE;
	return failed(path, GetLastError());
}

/* The files of a directory (it ends in a backslash) that a pattern names. */
static int files_remove(const char *dir, const char *pattern)
{
	char path[MAX_PATH * 2];
	WIN32_FIND_DATAA found;
	int r = EXIT_FINE;
	HANDLE h;

	snprintf(path, sizeof(path), "%s%s", dir, pattern);
	h = FindFirstFileA(path, &found);
	if (h == INVALID_HANDLE_VALUE)
		return EXIT_FINE;
	do {
		if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
			continue;
		snprintf(path, sizeof(path), "%s%s", dir, found.cFileName);
		r = file_remove(path);
	} while (!r && FindNextFileA(h, &found));
	FindClose(h);
	return r;
}

static int purge_all(const struct config *c)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char path[CONFIG_PATH_MAX + 16];
	int r = EXIT_FINE;

	for (size_t i = 0; !r && i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", c->store, ends[i]);
		r = file_remove(path);
	}
	if (!r)
		r = files_remove(PLAT_DIR, "outergate.db.corrupt-*");
	if (!r)
		r = files_remove(PLAT_GEO, "*");
	return r ? r : file_remove(PLAT_CONFIG);
}

int installed_remove(bool purge)
{
	static struct config c;
	int r = EXIT_FINE;

	/* Where the store is; a configuration that cannot be read has none to tell. */
	if (purge && command_config(NULL, &c))
		config_defaults(&c);
	if (config_is_shipped())
		r = file_remove(PLAT_CONFIG);
	if (!r)
		r = file_remove(DEFAULTS);
	if (!r)
		r = file_remove(COUNTRY);
	if (!r) /* what a killed agent left */
		r = files_remove(PLAT_DIR, "outergate-geo-*.tmp");
	if (!r && purge)
		r = purge_all(&c);
	if (r)
		return r;
	RemoveDirectoryA(PLAT_GEO);
	RemoveDirectoryA(PLAT_DIR);
	if (is_there(PLAT_CONFIG))
		puts("removed; the store and the configuration, which was changed, stay "
		     "in " PLAT_DIR);
	else if (is_there(PLAT_DIR))
		puts(purge ? "removed; what is not its own stays in " PLAT_DIR
			   : "removed; the store stays in " PLAT_DIR);
	else
		puts("removed");
	return EXIT_FINE;
}
