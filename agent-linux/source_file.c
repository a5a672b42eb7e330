/*
 * source_file: follows a log file by name through rotation (rename and create), truncation
 * (copytruncate) and absence. The privileged parent opens it; we keep device, inode and offset. Of
 * a name with a pattern (newest.h) the next file by name is its successor.
 *
 * A rotated file is read to its end before its successor. What is not seen: lines written to a
 * file that was rotated twice while the agent was dead.
 */
#include "engine.h"
#include "host.h"
#include "newest.h"

#include "common/decode/wrapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file_source {
	unsigned index, status;
	int fd; /* -1: absent */
	dev_t dev;
	ino_t ino;
	uint64_t offset; /* of the first byte not yet given as a line */
	struct watcher changes;
	struct decode_stream stream;
	bool watched;  /* inotify tells of changes; else the 2 s poll */
	bool overlong; /* skipping the rest of a line that was cut */
	bool list;     /* the line is a list of records, given in parts */
	size_t have;
	char buf[DECODE_RECORD_MAX]; /* an audit event is one line */
};

/* What the store keeps, by name and not by layout of this struct. */
static void blob_name(const struct engine *e, const struct file_source *f, char *ret, size_t cap)
{
	snprintf(ret, cap, "file:%s", e->config->files[f->index]);
}

void file_source_save(struct engine *e, struct file_source *f)
{
	char name[CONFIG_PATH_MAX + 8], text[96];
	int n;

	if (f->fd < 0)
		return;
	blob_name(e, f, name, sizeof(name));
	/* The line's number, too: an event that is read again after a kill has the same id. */
	n = snprintf(text, sizeof(text), "%llu %llu %llu %llu", (unsigned long long)f->dev,
		     (unsigned long long)f->ino, (unsigned long long)f->offset,
		     (unsigned long long)f->stream.line);
	if (store_put_blob(e->store, name, text, (size_t)n + 1))
		core_stats(e->core)->store_errors++;
}

static bool saved_position(struct engine *e, const struct file_source *f, struct file_source *ret)
{
	unsigned long long dev, ino, offset, line = 0; /* older versions kept no line */
	char name[CONFIG_PATH_MAX + 8];
	void *text = NULL;
	size_t len = 0;
	bool ok;

	blob_name(e, f, name, sizeof(name));
	if (!engine_kept(e, name, &text, &len))
		return false;
	ok = len && ((char *)text)[len - 1] == '\0' &&
	     sscanf(text, "%llu %llu %llu %llu", &dev, &ino, &offset, &line) >= 3;
	free(text);
	if (ok) {
		ret->dev = dev;
		ret->ino = ino;
		ret->offset = offset;
		ret->stream.line = line;
	}
	return ok;
}

static void deliver(struct engine *e, struct file_source *f, struct span line)
{
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (!f->overlong && line.len && f->index >= e->config->files_own)
		engine_line_sent(e, f->status, &f->stream, line, (struct span){0});
	else if (!f->overlong && line.len)
		engine_line(e, f->status, &f->stream, line);
	f->overlong = false;
}

/* Of a line that is longer than the buffer: a list of records in parts, else its beginning. */
static void deliver_part(struct engine *e, struct file_source *f)
{
	struct span part = {f->buf, f->have};
	size_t whole = f->overlong ? 0 : wrapped_whole(part, f->list);
	size_t len = whole ? whole : part.len;

	deliver(e, f, span_first(part, len));
	f->list = whole;
	f->overlong = !whole;
	memmove(f->buf, f->buf + len, f->have - len);
	f->have -= len;
	f->offset += len;
}

/* Gives every complete line of the buffer; keeps an unfinished one. */
static void lines_split(struct engine *e, struct file_source *f)
{
	size_t at = 0;
	const char *nl;

	while ((nl = memchr(f->buf + at, '\n', f->have - at))) {
		struct span line = {f->buf + at, (size_t)(nl - (f->buf + at))};

		deliver(e, f, line);
		f->list = false;
		at += line.len + 1;
	}
	memmove(f->buf, f->buf + at, f->have - at);
	f->have -= at;
	f->offset += at;
	if (f->have == sizeof(f->buf))
		deliver_part(e, f);
}

static void file_drain(struct engine *e, struct file_source *f)
{
	struct stat st = {0};

	if (f->fd < 0)
		return;
	if (!fstat(f->fd, &st) && (uint64_t)st.st_size < f->offset + f->have) {
		/* Truncated in place: what is there now is new. */
		f->offset = 0;
		f->have = 0;
		f->overlong = f->list = false;
	}
	for (;;) {
		ssize_t n = pread(f->fd, f->buf + f->have, sizeof(f->buf) - f->have,
				  (off_t)(f->offset + f->have));

		if (n <= 0)
			return;
		f->have += (size_t)n;
		lines_split(e, f);
	}
}

static int ask_open(struct engine *e, struct file_source *f, uint32_t rotated, struct stat *st)
{
	struct priv_msg m = {.kind = PRIV_OPEN_FILE, .arg = f->index, .arg2 = rotated};
	int fd, r = priv_call(e->setup.priv, &m, &fd);

	if (r)
		return r;
	if (fstat(fd, st)) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static void file_take(struct file_source *f, int fd, const struct stat *st, uint64_t offset)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->offset = offset;
	f->have = 0;
	f->overlong = f->list = false;
}

/* syslog writes local time without a zone and without a year. */
static void local_time_set(struct file_source *f)
{
	time_t now = (time_t)(clock_wall_ns() / 1000000000ull);
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return;
	f->stream.tz_offset_s = (int)tm.tm_gmtoff;
	if (!f->stream.year)
		f->stream.year = 1900 + tm.tm_year;
}

/* The name may point to another file now: finish the old one, then take the new one. */
void file_source_poll(struct engine *e, struct file_source *f)
{
	struct source_status *status = &e->sources[f->status];
	struct stat st = {0};
	int fd;

	local_time_set(f); /* daylight saving may have begun */
	file_drain(e, f);
	fd = ask_open(e, f, 0, &st);
	if (fd < 0) {
		if (f->fd < 0) {
			status->state = SOURCE_FAILED;
			snprintf(status->reason, sizeof(status->reason), "cannot open: %s",
				 strerror(-fd));
		}
		return;
	}
	status->state = SOURCE_ON;
	status->reason[0] = '\0';
	if (f->fd >= 0 && st.st_dev == f->dev && st.st_ino == f->ino) {
		close(fd);
		return;
	}
	file_drain(e, f); /* lines written between our read and the rename */
	file_take(f, fd, &st, 0);
	e->dirty = true;
	file_drain(e, f);
}

/* New bytes are read; a change of what the name means asks the parent again. */
static void change_take(struct engine *e, struct file_source *f, const struct inotify_event *ev)
{
	if (ev->mask & (IN_Q_OVERFLOW | IN_IGNORED)) {
		file_source_poll(e, f);
		return;
	}
	if (!ev->len || !newest_fits(e->config->files[f->index], ev->name))
		return;
	if (ev->mask & IN_MODIFY)
		file_drain(e, f);
	else
		file_source_poll(e, f);
}

static void on_change(struct engine *e, struct watcher *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const struct inotify_event *)(buf + at);

			change_take(e, w->arg, ev);
			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
	}
}

/* Watches the directory, because the file itself may go and come. */
static void changes_watch(struct engine *e, struct file_source *f)
{
	char dir[CONFIG_PATH_MAX];
	char *slash;
	int at, fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return;
	snprintf(dir, sizeof(dir), "%s", e->config->files[f->index]);
	slash = strrchr(dir, '/');
	if (!slash)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	at = host_open(dir, O_PATH | O_DIRECTORY);
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", at);
	if (at < 0 ||
	    inotify_add_watch(fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM) < 0 ||
	    engine_watch(e, &f->changes, fd, on_change, f))
		close(fd);
	else
		f->watched = true;
	if (at >= 0)
		close(at);
}

bool file_source_needs_poll(const struct file_source *f)
{
	return f && !f->watched;
}

/* After a restart: finish the file we knew, even if it has been rotated since. */
static void file_resume(struct engine *e, struct file_source *f, const struct file_source *saved)
{
	struct stat st = {0};
	int fd = ask_open(e, f, 0, &st);

	if (fd >= 0 && st.st_dev == saved->dev && st.st_ino == saved->ino) {
		file_take(f, fd, &st, saved->offset);
		return;
	}
	if (fd >= 0)
		close(fd);
	fd = ask_open(e, f, 1, &st);
	if (fd >= 0 && st.st_dev == saved->dev && st.st_ino == saved->ino)
		file_take(f, fd, &st, saved->offset);
	else if (fd >= 0)
		close(fd);
}

int file_source_open(struct engine *e, unsigned index, unsigned status)
{
	struct file_source *f = calloc(1, sizeof(*f)), saved = {0};
	struct stat st = {0};
	int fd;

	if (!f)
		return -ENOMEM;
	f->fd = -1;
	f->index = index;
	f->status = status;
	f->stream.forced_source = -1;
	f->stream.own = e->own;
	local_time_set(f);
	e->files[index] = f;
	changes_watch(e, f);
	if (saved_position(e, f, &saved)) {
		f->stream.line = saved.stream.line;
		file_resume(e, f, &saved);
	} else {
		fd = ask_open(e, f, 0, &st);
		if (fd >= 0) /* a first start: what is written from now on */
			file_take(f, fd, &st, (uint64_t)st.st_size);
	}
	file_source_poll(e, f);
	return 0;
}

void file_source_close(struct file_source *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}
