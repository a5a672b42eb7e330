/*
 * tail: text logs that servers of Windows write themselves: IIS (Exchange, RD Web), Network Policy
 * Server, OpenSSH's sshd.log; and what `Sources: Files` names, of which the last part may have
 * stars.
 *
 * Followed by name through rotation: where a name has stars each file is read to its end before the
 * next in the order of names (u_ex240305.log, u_ex240306.log); else a file that was renamed is
 * finished before the one that has its name now. How far it was read is kept in the store with what
 * the core made of it, so that nothing is lost or told twice by a kill. A log that is seen for the
 * first time is read from its end on; the line that names its columns is read in any case.
 *
 * Cannot see: lines before IIS writes them (it keeps up to a minute of them); a file that was
 * renamed and removed while nobody was there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define LOOK_NS	    1000000000ull
#define HEADER_MAX  1024 /* "#Fields: ..." of an IIS log */
#define HEAD_READ   8192 /* where it stands in the file */
#define DRAINS_MAX  64	 /* buffers a look: others get their turn */
#define NAME_PREFIX "tail:"

struct tail {
	char name[CONFIG_PATH_MAX];
	wchar_t pattern[MAX_PATH], path[MAX_PATH]; /* path: of the file that is read */
	HANDLE file;
	uint64_t id, offset, lines; /* offset: of the first byte not given as a line */
	char header[HEADER_MAX];
	bool dirty, overlong, started;
	size_t have;
	struct decode_stream stream;
	char reason[REASON_MAX];
	char buf[DECODE_RECORD_MAX];
};

/* --- which file */

static bool has_star(const wchar_t *pattern)
{
	return wcschr(pattern, L'*') || wcschr(pattern, L'?');
}

/* The directory of the pattern and that name. */
static void join(const wchar_t *pattern, const wchar_t *name, wchar_t ret[MAX_PATH])
{
	const wchar_t *end = wcsrchr(pattern, L'\\');

	if (_snwprintf(ret, MAX_PATH, L"%.*ls%ls", end ? (int)(end - pattern + 1) : 0, pattern,
		       name) < 0)
		ret[0] = L'\0';
	ret[MAX_PATH - 1] = L'\0';
}

/* The last of those that the pattern names, or the first behind after; false: none. */
static bool find(const wchar_t *pattern, const wchar_t *after, wchar_t ret[MAX_PATH])
{
	WIN32_FIND_DATAW d;
	HANDLE h = FindFirstFileW(pattern, &d);
	bool found = false;

	if (h == INVALID_HANDLE_VALUE)
		return false;
	do {
		wchar_t path[MAX_PATH];

		join(pattern, d.cFileName, path);
		if ((d.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) || !path[0])
			continue;
		if (after && _wcsicmp(path, after) <= 0)
			continue;
		if (found && (_wcsicmp(path, ret) < 0) != (after != NULL))
			continue;
		memcpy(ret, path, sizeof(path));
		found = true;
	} while (FindNextFileW(h, &d));
	FindClose(h);
	return found;
}

static HANDLE file_open(const wchar_t *path, uint64_t *ret_id, uint64_t *ret_size)
{
	BY_HANDLE_FILE_INFORMATION i;
	HANDLE h = CreateFileW(path, GENERIC_READ,
			       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
			       OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);

	if (h == INVALID_HANDLE_VALUE)
		return h;
	if (!GetFileInformationByHandle(h, &i)) {
		CloseHandle(h);
		return INVALID_HANDLE_VALUE;
	}
	*ret_id = (uint64_t)i.nFileIndexHigh << 32 | i.nFileIndexLow;
	*ret_size = (uint64_t)i.nFileSizeHigh << 32 | i.nFileSizeLow;
	return h;
}

static bool read_at(struct tail *t, uint64_t at, void *to, DWORD cap, DWORD *ret)
{
	LARGE_INTEGER where = {.QuadPart = (LONGLONG)at};

	return SetFilePointerEx(t->file, where, NULL, FILE_BEGIN) &&
	       ReadFile(t->file, to, cap, ret, NULL) && *ret;
}

/* --- lines */

static void header_keep(struct tail *t, struct span line)
{
	if (span_starts(line, SPAN_LIT("#Fields: ")))
		span_copy(t->header, sizeof(t->header), line);
}

static void header_give(struct tail *t)
{
	const char *reason;
	struct event e;

	t->stream.iis.count = 0;
	if (t->header[0])
		(void)decode_line(&t->stream, span_of(t->header), &e, &reason);
}

static void deliver(struct agent *a, unsigned index, struct span line)
{
	struct tail *t = a->tails[index];
	struct stats *st = core_stats(a->core);
	const char *reason = NULL;
	enum decode_result r;
	struct event e;

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (t->overlong || !line.len) {
		t->overlong = false;
		return;
	}
	t->lines++;
	st->lines_read++;
	header_keep(t, line);
	r = decode_line(&t->stream, line, &e, &reason);
	do {
		if (r == DECODE_EVENT) {
			st->lines_decoded++;
			agent_event(a, SESSIONS_MAX + CHANNELS_MAX + index, &e);
		} else if (r == DECODE_SKIPPED) {
			st->lines_skipped++;
		} else {
			st->lines_bad++;
		}
	} while (decode_next(&t->stream, &e, &r, &reason));
}

static void split(struct agent *a, unsigned index)
{
	struct tail *t = a->tails[index];
	size_t at = 0;
	const char *nl;

	while ((nl = memchr(t->buf + at, '\n', t->have - at))) {
		struct span line = {t->buf + at, (size_t)(nl - (t->buf + at))};

		deliver(a, index, line);
		at += line.len + 1;
	}
	memmove(t->buf, t->buf + at, t->have - at);
	t->have -= at;
	t->offset += at;
	if (t->have == sizeof(t->buf)) { /* longer than any line: its beginning counts */
		deliver(a, index, (struct span){t->buf, t->have});
		t->overlong = true;
		t->offset += t->have;
		t->have = 0;
	}
}

/* True: all of it was read. */
static bool drain(struct agent *a, unsigned index)
{
	struct tail *t = a->tails[index];
	LARGE_INTEGER size;
	DWORD n;

	if (GetFileSizeEx(t->file, &size) && (uint64_t)size.QuadPart < t->offset + t->have) {
		t->offset = 0; /* truncated in place: what is there now is new */
		t->have = 0;
		t->overlong = false;
	}
	for (unsigned i = 0; i < DRAINS_MAX; i++) {
		if (!read_at(t, t->offset + t->have, t->buf + t->have,
			     (DWORD)(sizeof(t->buf) - t->have), &n))
			return true;
		t->have += n;
		t->dirty = a->dirty = true;
		split(a, index);
	}
	return false;
}

/* --- the way from file to file */

static void leave(struct tail *t)
{
	if (t->file != INVALID_HANDLE_VALUE)
		CloseHandle(t->file);
	t->file = INVALID_HANDLE_VALUE;
}

static bool take(struct agent *a, struct tail *t, const wchar_t *path, uint64_t offset)
{
	uint64_t id, size;
	HANDLE h = file_open(path, &id, &size);

	if (h == INVALID_HANDLE_VALUE) {
		char text[REASON_MAX];

		snprintf(t->reason, sizeof(t->reason), "cannot be opened: %.150s",
			 system_error(GetLastError(), text));
		return false;
	}
	leave(t);
	t->file = h;
	t->id = id;
	t->offset = offset;
	t->have = 0;
	t->overlong = false;
	t->reason[0] = '\0';
	if (path != t->path)
		memcpy(t->path, path, sizeof(t->path));
	t->dirty = a->dirty = true;
	return true;
}

/* From its end on, but for the line that names its columns. */
static void start_at_end(struct agent *a, struct tail *t, const wchar_t *path)
{
	char head[HEAD_READ];
	LARGE_INTEGER size;
	DWORD n = 0;

	if (!take(a, t, path, 0))
		return;
	if (read_at(t, 0, head, sizeof(head), &n)) {
		struct span rest = {head, n};

		while (rest.len) {
			const char *nl = memchr(rest.ptr, '\n', rest.len);
			size_t len = nl ? (size_t)(nl - rest.ptr) : rest.len;

			if (nl)
				header_keep(t, (struct span){rest.ptr, len});
			rest = span_skip(rest, len + 1);
		}
	}
	header_give(t);
	if (GetFileSizeEx(t->file, &size))
		t->offset = (uint64_t)size.QuadPart;
}

/* Where it was left, as long as that file is there, under whatever name of the pattern. */
static bool resume(struct agent *a, struct tail *t)
{
	char blob[CONFIG_PATH_MAX + 8];
	unsigned long long id = 0, offset = 0, line = 0;
	char *text = NULL, *path, *header;
	size_t len = 0;
	uint64_t now_id, size;
	wchar_t *w;
	HANDLE h;

	snprintf(blob, sizeof(blob), NAME_PREFIX "%s", t->name);
	if (store_get_blob(a->store, blob, (void **)&text, &len))
		return false;
	t->started = true;
	path = len && !text[len - 1] ? strchr(text, '\n') : NULL;
	header = path ? strchr(path + 1, '\n') : NULL;
	if (!header || sscanf(text, "%llu %llu %llu", &id, &offset, &line) != 3) {
		free(text);
		return false;
	}
	*header++ = '\0';
	snprintf(t->header, sizeof(t->header), "%s", header);
	w = wide(path + 1);
	h = w ? file_open(w, &now_id, &size) : INVALID_HANDLE_VALUE;
	if (h != INVALID_HANDLE_VALUE) {
		CloseHandle(h);
		if (now_id == id && size >= offset && wcslen(w) < MAX_PATH) {
			wchar_t at[MAX_PATH] = L"";

			wcscpy(at, w);
			take(a, t, at, offset);
			header_give(t);
			t->stream.line = line;
		} else if (wcslen(w) < MAX_PATH) {
			wcscpy(t->path, w); /* what comes behind it is new */
		}
	}
	free(w);
	free(text);
	return t->file != INVALID_HANDLE_VALUE;
}

static void begin(struct agent *a, struct tail *t)
{
	wchar_t path[MAX_PATH];

	if (!t->started && resume(a, t))
		return;
	if (!find(t->pattern, NULL, path)) {
		snprintf(t->reason, sizeof(t->reason), "there is no such file yet");
		t->started = true; /* one that appears from now on is new */
		return;
	}
	if (!t->started)
		start_at_end(a, t, path);
	else if (take(a, t, path, 0))
		header_give(t);
	t->started |= t->file != INVALID_HANDLE_VALUE;
}

/* The file that follows the one that is read to its end, if there is one. */
static bool next(struct agent *a, unsigned index)
{
	struct tail *t = a->tails[index];
	uint64_t id, size;
	wchar_t path[MAX_PATH];
	HANDLE h;

	if (has_star(t->pattern)) {
		if (!find(t->pattern, t->path, path))
			return false;
	} else {
		memcpy(path, t->path, sizeof(path));
		h = file_open(path, &id, &size);
		if (h == INVALID_HANDLE_VALUE)
			return false;
		CloseHandle(h);
		if (id == t->id)
			return false;
	}
	(void)drain(a, index); /* what was written between our read and the rename */
	t->header[0] = '\0';
	if (!take(a, t, path, 0))
		return false;
	header_give(t);
	return true;
}

static void look(struct agent *a, unsigned index)
{
	struct tail *t = a->tails[index];
	TIME_ZONE_INFORMATION z;
	DWORD zone = GetTimeZoneInformation(&z);

	if (zone != TIME_ZONE_ID_INVALID) /* sshd and NPS write local time */
		t->stream.tz_offset_s =
			-60 * (int)(z.Bias + (zone == TIME_ZONE_ID_DAYLIGHT ? z.DaylightBias
									    : z.StandardBias));
	if (t->file == INVALID_HANDLE_VALUE)
		begin(a, t);
	if (t->file == INVALID_HANDLE_VALUE)
		return;
	while (drain(a, index) && next(a, index))
		;
}

void tails_look(struct agent *a, uint64_t now_ns)
{
	if (now_ns < a->tails_looked_ns + LOOK_NS)
		return;
	a->tails_looked_ns = now_ns;
	for (unsigned i = 0; i < a->tails_count; i++)
		look(a, i);
}

/* --- start and end */

static void tail_add(struct agent *a, const wchar_t *pattern)
{
	struct tail *t = a->tails_count < TAILS_MAX ? calloc(1, sizeof(*t)) : NULL;
	char *name = narrow(pattern);

	if (t && name && wcslen(pattern) < MAX_PATH && strlen(name) < sizeof(t->name)) {
		wcscpy(t->pattern, pattern);
		snprintf(t->name, sizeof(t->name), "%s", name);
		t->file = INVALID_HANDLE_VALUE;
		t->stream.forced_source = -1;
		t->stream.own = a->own;
		a->tails[a->tails_count++] = t;
		t = NULL;
	}
	free(name);
	free(t);
}

/* "C:\..." of a pattern that begins with a variable. */
static void add_known(struct agent *a, const wchar_t *pattern)
{
	wchar_t path[MAX_PATH];
	DWORD n = ExpandEnvironmentStringsW(pattern, path, MAX_PATH);

	if (n && n <= MAX_PATH && path[0] != L'%')
		tail_add(a, path);
}

/* One a web site. */
static void add_sites(struct agent *a)
{
	wchar_t logs[MAX_PATH], pattern[MAX_PATH + 32];
	WIN32_FIND_DATAW d;
	HANDLE h;

	if (!ExpandEnvironmentStringsW(L"%SystemDrive%\\inetpub\\logs\\LogFiles\\W3SVC*", logs,
				       MAX_PATH))
		return;
	h = FindFirstFileW(logs, &d);
	if (h == INVALID_HANDLE_VALUE)
		return;
	do {
		join(logs, d.cFileName, pattern);
		wcscat(pattern, L"\\u_ex*.log");
		if (d.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
			tail_add(a, pattern);
	} while (FindNextFileW(h, &d));
	FindClose(h);
}

void tails_open(struct agent *a)
{
	for (unsigned i = 0; i < a->config->files_count; i++) {
		const char *path = a->config->files[i];
		wchar_t *w = path[0] && path[1] == ':' ? wide(path) : NULL;

		if (w) /* a Unix path is of the default of another system */
			tail_add(a, w);
		free(w);
	}
	add_known(a, L"%ProgramData%\\ssh\\logs\\sshd.log");
	add_known(a, L"%SystemRoot%\\System32\\LogFiles\\IN*.log");
	add_sites(a);
}

void tails_save(struct agent *a)
{
	for (unsigned i = 0; i < a->tails_count; i++) {
		struct tail *t = a->tails[i];
		char blob[CONFIG_PATH_MAX + 8], text[HEADER_MAX + 4 * MAX_PATH + 80];
		char *path;
		int n;

		if (!t->dirty || t->file == INVALID_HANDLE_VALUE)
			continue;
		path = narrow(t->path);
		snprintf(blob, sizeof(blob), NAME_PREFIX "%s", t->name);
		n = snprintf(text, sizeof(text), "%llu %llu %llu\n%s\n%s",
			     (unsigned long long)t->id, (unsigned long long)t->offset,
			     (unsigned long long)t->stream.line, path ? path : "", t->header);
		if (path && !store_put_blob(a->store, blob, text, (size_t)n + 1))
			t->dirty = false;
		free(path);
	}
}

bool tails_status(const struct agent *a, unsigned i, struct tail_status *ret)
{
	const struct tail *t = i < a->tails_count ? a->tails[i] : NULL;

	if (!t)
		return false;
	*ret = (struct tail_status){t->name, t->reason, t->lines, t->file != INVALID_HANDLE_VALUE};
	return true;
}

void tails_close(struct agent *a)
{
	for (unsigned i = 0; i < a->tails_count; i++) {
		leave(a->tails[i]);
		free(a->tails[i]);
	}
	a->tails_count = 0;
}
