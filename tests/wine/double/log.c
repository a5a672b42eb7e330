/* log: the lock, what the program called, faults that are due, channels and their records. */
#define DOUBLE_CORE
#include "core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "script.h"

#define CHANNELS_MAX 64
#define FAULTS_MAX   64
#define LINE_MAX_    70000

struct fault {
	char what[16];
	WCHAR where[256];
	DWORD code;
	long times;
};

static SRWLOCK lock = SRWLOCK_INIT, log_lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static struct channel channels[CHANNELS_MAX];
static size_t channel_count;
static struct fault faults[FAULTS_MAX];
static size_t fault_count;
static char **lines;
static size_t line_count, line_room;

void double_lock(void)
{
	AcquireSRWLockExclusive(&lock);
}

void double_unlock(void)
{
	ReleaseSRWLockExclusive(&lock);
}

bool double_wait(DWORD ms)
{
	return SleepConditionVariableSRW(&changed, &lock, ms, 0);
}

void double_changed(void)
{
	WakeAllConditionVariable(&changed);
}

static void write_line(const char *line)
{
	static HANDLE file = INVALID_HANDLE_VALUE;
	const WCHAR *path = _wgetenv(L"OUTERGATE_DOUBLE_LOG");
	DWORD done;

	if (file == INVALID_HANDLE_VALUE && path)
		file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
				   OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
	if (file != INVALID_HANDLE_VALUE)
		WriteFile(file, line, (DWORD)strlen(line), &done, NULL);
}

void double_log(const char *format, ...)
{
	char *line = malloc(LINE_MAX_);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, LINE_MAX_ - 1, format, args);
	va_end(args);
	AcquireSRWLockExclusive(&log_lock);
	if (line_count == line_room)
		lines = realloc(lines, (line_room = 2 * line_room + 64) * sizeof(*lines));
	lines[line_count++] = _strdup(line);
	strcat(line, "\n");
	write_line(line);
	ReleaseSRWLockExclusive(&log_lock);
	double_changed();
	free(line);
}

size_t log_count(const char *beginning)
{
	size_t n = 0;

	AcquireSRWLockExclusive(&log_lock);
	for (size_t i = 0; i < line_count; i++)
		n += strncmp(lines[i], beginning, strlen(beginning)) == 0;
	ReleaseSRWLockExclusive(&log_lock);
	return n;
}

void fault_add(const char *what, const WCHAR *where, DWORD code, long times)
{
	struct fault *f = &faults[fault_count++ % FAULTS_MAX];

	(void)snprintf(f->what, sizeof(f->what), "%s", what);
	(void)_snwprintf(f->where, 255, L"%ls", where);
	f->code = code;
	f->times = times;
}

DWORD double_fault(const char *what, const WCHAR *where)
{
	for (size_t i = 0; i < FAULTS_MAX; i++) {
		struct fault *f = &faults[i];

		if (f->times > 0 && strcmp(f->what, what) == 0 &&
		    (wcscmp(f->where, L"*") == 0 || _wcsicmp(f->where, where) == 0)) {
			f->times--;
			double_log("fault %s %ls %lu", what, where, f->code);
			return f->code;
		}
	}
	return 0;
}

struct channel *double_channel(const WCHAR *name)
{
	for (size_t i = 0; i < channel_count; i++)
		if (_wcsicmp(channels[i].name, name) == 0)
			return &channels[i];
	return NULL;
}

struct channel *double_channel_at(size_t i)
{
	return i < channel_count ? &channels[i] : NULL;
}

struct channel *channel_made(const WCHAR *name)
{
	struct channel *c = double_channel(name);

	if (c)
		return c;
	if (channel_count == CHANNELS_MAX)
		return NULL;
	c = &channels[channel_count++];
	(void)_snwprintf(c->name, 255, L"%ls", name);
	return c;
}

void channel_add(struct channel *c, uint64_t id, uint32_t event, const WCHAR *xml)
{
	if (c->count == c->room)
		c->records =
			realloc(c->records, (c->room = 2 * c->room + 64) * sizeof(*c->records));
	c->records[c->count++] = (struct record){id, _wcsdup(xml), event};
}
