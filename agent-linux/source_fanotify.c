/*
 * source_fanotify: changes of files by which somebody can come back (watch_table.c), by content:
 * written, renamed over or linked, told with the process that did it.
 *
 * The parent marks directories and hashes; we read the kernel's events, keep what each file was,
 * and know from the kernel's records which process belongs to which session. The rings are taken
 * before an event is judged: a fork comes before what the forked process wrote.
 *
 * Cannot see: what is written through a link into a directory that nobody watches, what a process
 * has others do (systemd, cron, a container), changes while the agent was dead, content beyond
 * PRIV_FILE_MAX that leaves the size as it was.
 *
 * Example: echo ssh-ed25519 ... >> ~/.ssh/authorized_keys in a session.
 */
#include "source_fanotify.h"
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#define READ_MAX    16		 /* buffers in a row, then other inputs get their turn */
#define HOMES_SOON  200000000ull /* useradd makes the home after the account */
#define HOMES_LATER 2000000000ull
#define HOMES_TRIES 4

static void losses_tell(struct engine *e, uint32_t count, const char *what)
{
	struct event ev = {.kind = EVENT_LOSS, .trust = TRUST_KERNEL, .count = count};

	if (!count)
		return;
	ev.time_ns = clock_wall_ns();
	ev.text = span_of(what);
	engine_event(e, &ev);
}

/* --- directories */

static struct fanotify_dir *dir_of(struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
				   bool make)
{
	for (unsigned i = 0; i < s->dirs_count; i++)
		if (s->dirs[i].kind == kind && s->dirs[i].uid == uid)
			return &s->dirs[i];
	if (!make || s->dirs_count == FANOTIFY_DIRS_MAX)
		return NULL;
	s->dirs[s->dirs_count] = (struct fanotify_dir){.kind = kind, .uid = uid};
	return &s->dirs[s->dirs_count++];
}

static struct fanotify_dir *dir_of_handle(struct fanotify_source *s, uint64_t fsid,
					  const struct priv_handle *h)
{
	for (unsigned i = 0; i < s->dirs_count; i++) {
		struct fanotify_dir *d = &s->dirs[i];

		if (d->fsid == fsid && d->handle.type == h->type && d->handle.bytes == h->bytes &&
		    memcmp(d->handle.data, h->data, h->bytes) == 0)
			return d;
	}
	return NULL;
}

static int dir_mark(struct engine *e, struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
		    int *ret_fd)
{
	struct priv_msg m = {.kind = PRIV_DIR_WATCH, .arg = (uint32_t)kind, .arg2 = uid};
	int r = priv_call(e->setup.priv, &m, ret_fd);
	struct fanotify_dir *d;

	if (r)
		return r;
	d = dir_of(s, kind, uid, true);
	if (!d)
		return -ENOSPC;
	d->fsid = m.value[0];
	memcpy(&d->handle, m.name, sizeof(d->handle));
	return 0;
}

/* Looks at the files that are there: in a directory that just appeared, they are somebody's. */
static void dir_list(struct engine *e, int fd, enum watch_kind kind, uint32_t uid,
		     const struct culprit *who)
{
	const struct dirent *entry;
	DIR *d = fdopendir(fd);

	if (!d) {
		close(fd);
		return;
	}
	for (unsigned i = 0; i < FANOTIFY_LIST_MAX && (entry = readdir(d)); i++) {
		struct watched_file *f;

		if (entry->d_name[0] == '.' && (!entry->d_name[1] || !strcmp(entry->d_name, "..")))
			continue;
		if (!watch_match(kind, entry->d_name))
			continue;
		f = watched_file_get(e->fanotify, kind, uid, entry->d_name);
		if (f)
			watched_file_look(e, f, who);
	}
	closedir(d);
}

/* The directory and what the table has below it; a few levels, as deep as the table. */
static int dir_watch(struct engine *e, enum watch_kind kind, uint32_t uid,
		     const struct culprit *who)
{
	int fd = -1, r = dir_mark(e, e->fanotify, kind, uid, &fd);

	if (fd >= 0)
		dir_list(e, fd, kind, uid, who);
	if (r)
		return r;
	for (unsigned k = WATCH_NONE + 1; k < WATCH_KINDS; k++)
		if (watch_dirs[k].parent == kind)
			dir_watch(e, (enum watch_kind)k, uid, who);
	return 0;
}

/* --- homes */

static bool has_login(const struct passwd *pw)
{
	const char *slash = strrchr(pw->pw_shell, '/');
	const char *shell = slash ? slash + 1 : pw->pw_shell;

	if (pw->pw_dir[0] != '/' || !pw->pw_dir[1])
		return false;
	return pw->pw_uid == 0 || (strcmp(shell, "nologin") != 0 && strcmp(shell, "false") != 0 &&
				   strcmp(shell, "sync") != 0);
}

static struct fanotify_home *home_of(struct fanotify_source *s, uint32_t uid, bool make)
{
	for (unsigned i = 0; i < s->homes_count; i++)
		if (s->homes[i].uid == uid)
			return &s->homes[i];
	if (!make || s->homes_count == FANOTIFY_HOMES_MAX)
		return NULL;
	s->homes[s->homes_count] = (struct fanotify_home){.uid = uid};
	return &s->homes[s->homes_count++];
}

/* Of the users of /etc/passwd that can log in; those of a directory service are not listed. */
static void homes_scan(struct engine *e)
{
	FILE *f = host_fopen("/etc/passwd");
	const struct passwd *pw;

	while (f && (pw = fgetpwent(f))) {
		struct fanotify_home *h;

		if (!has_login(pw) || dir_of(e->fanotify, WATCH_HOME, pw->pw_uid, false))
			continue;
		h = home_of(e->fanotify, pw->pw_uid, true);
		if (!h)
			break;
		snprintf(h->path, sizeof(h->path), "%s", pw->pw_dir);
		dir_watch(e, WATCH_HOME, h->uid, NULL);
	}
	if (f)
		fclose(f);
}

/* Now, and again: the home is made before or after the account, by whoever makes it. */
static void homes_changed(struct engine *e)
{
	struct fanotify_source *s = e->fanotify;
	uint64_t now = clock_wall_ns();

	s->homes_tries = HOMES_TRIES;
	if (now >= s->homes_scan_ns + HOMES_SOON) {
		s->homes_scan_ns = now;
		homes_scan(e);
	}
	if (!s->homes_ns || s->homes_ns > now + HOMES_SOON)
		s->homes_ns = now + HOMES_SOON; /* not behind the later looks of an earlier one */
}

void fanotify_path(const struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
		   const char *name, char *ret, size_t cap)
{
	const char *below = watch_dirs[kind].path;

	if (!watch_is_user(kind)) {
		snprintf(ret, cap, "%s/%s", below, name);
		return;
	}
	for (unsigned i = 0; i < s->homes_count; i++)
		if (s->homes[i].uid == uid)
			snprintf(ret, cap, "%s/%s/%s", s->homes[i].path, below, name);
}

/* --- events */

static void name_changed(struct engine *e, const struct fanotify_dir *d, const char *name,
			 uint32_t pid)
{
	struct fanotify_source *s = e->fanotify;
	enum watch_kind kind = d->kind;
	uint32_t uid = d->uid;
	struct culprit who;
	struct watched_file *f;

	if (watch_match(kind, name)) {
		f = watched_file_get(s, kind, uid, name);
		culprit_find(e, pid, &who);
		if (f && who.known && who.proc.conn == s->awaited && s->later_used < LATER_MAX)
			s->later[s->later_used++] = (struct later){f, who};
		else if (f)
			watched_file_touch(e, f, &who);
		else
			losses_tell(e, 1, "changes of files (too many names to keep)");
		if (kind == WATCH_ETC && strcmp(name, "passwd") == 0)
			homes_changed(e);
		return;
	}
	if (kind == WATCH_HOMES)
		homes_changed(e);
	for (unsigned k = WATCH_NONE + 1; k < WATCH_KINDS; k++) {
		if (watch_dirs[k].parent != kind || strcmp(watch_dirs[k].component, name) != 0)
			continue;
		culprit_find(e, pid, &who);
		dir_watch(e, (enum watch_kind)k, uid, &who);
	}
}

/* One information record: the directory's handle, and the name in it after the handle. */
static void info_handle(struct engine *e, const char *at, size_t len, uint32_t pid)
{
	struct fanotify_event_info_fid info;
	struct priv_handle h = {0};
	struct {
		uint32_t bytes;
		int32_t type;
	} head;
	const struct fanotify_dir *d;
	const char *name;
	uint64_t fsid;
	size_t skip = sizeof(info) + sizeof(head);

	if (len < skip)
		return;
	memcpy(&info, at, sizeof(info));
	memcpy(&head, at + sizeof(info), sizeof(head));
	if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME || head.bytes > sizeof(h.data) ||
	    len - skip < head.bytes)
		return;
	h.bytes = head.bytes;
	h.type = head.type;
	memcpy(h.data, at + skip, h.bytes);
	memcpy(&fsid, &info.fsid, sizeof(fsid));
	name = at + skip + h.bytes;
	len -= skip + h.bytes;
	if (!len || !memchr(name, '\0', len) || strlen(name) >= PRIV_NAME_MAX)
		return;
	d = dir_of_handle(e->fanotify, fsid, &h);
	if (d)
		name_changed(e, d, name, pid);
}

static void event_handle(struct engine *e, const char *at, const struct fanotify_event_metadata *m)
{
	size_t next = m->metadata_len;

	if (m->mask & FAN_Q_OVERFLOW) {
		losses_tell(e, 1, "changes of files (the kernel's queue was full)");
		return;
	}
	e->sources[e->fanotify->status].lines++;
	while (next + sizeof(struct fanotify_event_info_header) <= m->event_len) {
		struct fanotify_event_info_header h;

		memcpy(&h, at + next, sizeof(h));
		if (h.len < sizeof(h) || h.len > m->event_len - next)
			return;
		info_handle(e, at + next, h.len, m->pid > 0 ? (uint32_t)m->pid : 0);
		next += h.len;
	}
}

/* is_nested: a record of the rings asks, and those before it have been taken. */
static void events_take(struct engine *e, int fd, bool is_nested)
{
	_Alignas(8) char buf[16384];

	for (unsigned i = 0; i < READ_MAX; i++) {
		ssize_t n = read(fd, buf, sizeof(buf));
		size_t at = 0;

		if (n <= 0)
			break;
		if (!is_nested)
			kernel_source_drain(e);
		while ((size_t)n - at >= sizeof(struct fanotify_event_metadata)) {
			struct fanotify_event_metadata m;

			memcpy(&m, buf + at, sizeof(m));
			if (m.vers != FANOTIFY_METADATA_VERSION || m.event_len < sizeof(m) ||
			    m.event_len > (size_t)n - at)
				break;
			if (m.fd >= 0)
				close(m.fd);
			event_handle(e, buf + at, &m);
			at += m.event_len;
		}
	}
	losses_tell(e, proc_table_lost(e->procs), "processes of sessions (too many at a time)");
}

static void on_fanotify(struct engine *e, struct watcher *w)
{
	events_take(e, w->fd, false);
}

void fanotify_source_take(struct engine *e, uint64_t awaited)
{
	if (!e->fanotify || !e->fanotify->watcher.ready)
		return;
	e->fanotify->awaited = awaited;
	events_take(e, e->fanotify->watcher.fd, true);
	e->fanotify->awaited = 0;
}

void fanotify_source_later(struct engine *e)
{
	struct fanotify_source *s = e->fanotify;

	for (unsigned i = 0; s && i < s->later_used; i++)
		watched_file_touch(e, s->later[i].file, &s->later[i].who);
	if (s)
		s->later_used = 0;
}

void fanotify_source_poll(struct engine *e, uint64_t now)
{
	struct fanotify_source *s = e->fanotify;

	if (!s)
		return;
	watched_files_poll(e, now);
	if (s->homes_ns && now >= s->homes_ns) {
		s->homes_scan_ns = now;
		homes_scan(e);
		s->homes_ns = --s->homes_tries ? now + HOMES_LATER : 0;
	}
}

uint64_t fanotify_source_next(const struct engine *e)
{
	const struct fanotify_source *s = e->fanotify;
	uint64_t next = UINT64_MAX;

	if (!s)
		return next;
	if (s->files_due_ns)
		next = s->files_due_ns;
	if (s->homes_ns && s->homes_ns < next)
		next = s->homes_ns;
	return next;
}

static int source_start(struct engine *e)
{
	struct fanotify_source *s = e->fanotify;
	int r = dir_watch(e, WATCH_ETC, 0, NULL);

	if (r)
		return r;
	for (unsigned k = WATCH_NONE + 1; k < WATCH_HOME; k++)
		if (watch_dirs[k].parent == WATCH_NONE && k != WATCH_ETC)
			dir_watch(e, (enum watch_kind)k, 0, NULL);
	homes_scan(e);
	return engine_watch(e, &s->watcher, e->setup.files, on_fanotify, NULL);
}

void fanotify_source_open(struct engine *e, unsigned status)
{
	struct source_status *st = &e->sources[status];
	int r = e->setup.files;

	if (r < 0) {
		st->state = SOURCE_OFF;
		snprintf(st->reason, sizeof(st->reason), "%s", e->setup.files_reason);
		return;
	}
	e->fanotify = calloc(1, sizeof(*e->fanotify));
	if (!e->fanotify) {
		st->state = SOURCE_FAILED;
		snprintf(st->reason, sizeof(st->reason), "out of memory");
		return;
	}
	e->fanotify->status = status;
	r = source_start(e);
	st->state = r ? SOURCE_OFF : SOURCE_ON;
	if (r)
		snprintf(st->reason, sizeof(st->reason), "/etc cannot be watched: %s",
			 strerror(-r));
	else
		snprintf(st->reason, sizeof(st->reason), "%u directories, %u files",
			 e->fanotify->dirs_count, e->fanotify->files_count);
}

void fanotify_source_close(struct engine *e)
{
	if (e->fanotify)
		watched_files_free(e->fanotify);
	free(e->fanotify);
	proc_table_free(e->procs);
}
