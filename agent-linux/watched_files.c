/*
 * watched_files: what each watched file was, by SHA-256, and what is new in it. A change is told
 * when the content differs from the last one seen; an emptied file lets nobody come back.
 *
 * The content is chosen by whoever writes it: at most PRIV_FILE_MAX bytes and LINES_MAX lines are
 * looked at, and what is told of them is cut.
 */
#include "source_fanotify.h"
#include "host.h"

#include "common/wire.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOKS_MAX    8		   /* a file is hashed at most so often ... */
#define LOOKS_NS     1000000000ull /* ... in this */
#define USER_LOOKS   4		   /* below a home, where each costs a process */
#define AT_FILES     16		   /* jobs have a new name each: the oldest goes */
#define JOB_NS	     86400000000000ull
#define USER_FILES   64 /* of one home, so that nobody fills the table */
#define LINES_MAX    4096
#define LINE_TOLD    64
#define ANCESTORS    16
#define HEX_MAX	     65
#define SUDDEN_LINES 3 /* told one by one */

static const char *const managers[] = {
	"/usr/bin/dpkg",     "/usr/bin/apt",   "/usr/bin/apt-get", "/usr/bin/aptitude",
	"/usr/bin/rpm",	     "/usr/bin/dnf",   "/usr/bin/dnf-3",   "/usr/bin/dnf5",
	"/usr/bin/microdnf", "/usr/bin/yum",   "/usr/bin/zypper",  "/usr/bin/pacman",
	"/sbin/apk",	     "/usr/sbin/apk",  "/bin/dpkg",	   "/bin/rpm",
	"/usr/bin/snap",     "/usr/sbin/dpkg",
};

/* Set-user-id tools: whoever is not root can change only what is theirs by them. */
static const char *const own_tools[] = {
	"/usr/bin/passwd", "/usr/bin/chage", "/usr/bin/chfn", "/usr/bin/chsh",
	"/bin/passwd",	   "/bin/chfn",	     "/bin/chsh",     "/usr/sbin/unix_update",
};

static bool is_listed(const char *program, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(program, list[i]) == 0)
			return true;
	return false;
}

#define LISTED(program, list) is_listed(program, list, sizeof(list) / sizeof((list)[0]))

/* Nobody but root could have put it there. */
static bool is_roots(const char *program)
{
	struct stat st;

	return !stat(program, &st) && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_managed(const struct engine *e, const struct proc_entry *p)
{
	if (p->uid && LISTED(p->program, own_tools) && is_roots(p->program))
		return true;
	for (unsigned i = 0; p && i < ANCESTORS; i++) {
		if (!p->uid && LISTED(p->program, managers) && is_roots(p->program))
			return true;
		p = proc_table_parent(e->procs, p);
	}
	return false;
}

void culprit_find(struct engine *e, uint32_t pid, struct culprit *ret)
{
	const struct proc_entry *p = proc_table_find(e->procs, pid, clock_wall_ns());

	*ret = (struct culprit){.pid = pid};
	if (!p)
		return;
	ret->known = true;
	ret->proc = *p;
	ret->managed = is_managed(e, p);
}

static bool is_full(const struct fanotify_source *s, enum watch_kind kind, uint32_t uid)
{
	unsigned own = 0;

	if (s->files_count == FANOTIFY_FILES_MAX)
		return true;
	/* The names in .ssh are three: units never take their place. */
	for (unsigned i = 0; kind == WATCH_USER_UNITS && i < s->files_count; i++)
		own += s->files[i].kind == kind && s->files[i].uid == uid;
	return own >= USER_FILES;
}

/* When there are AT_FILES jobs, one of them in turn. */
static struct watched_file *at_slot(struct fanotify_source *s)
{
	struct watched_file *first = NULL;
	unsigned count = 0, turn = s->at_next % AT_FILES;

	for (unsigned i = 0; i < s->files_count; i++) {
		if (!watch_is_at(s->files[i].kind))
			continue;
		if (count++ == turn)
			first = &s->files[i];
	}
	if (count < AT_FILES)
		return NULL;
	s->at_next++;
	return first;
}

struct watched_file *watched_file_get(struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
				      const char *name)
{
	struct watched_file *f;

	for (unsigned i = 0; i < s->files_count; i++) {
		f = &s->files[i];
		if (f->kind == kind && f->uid == uid && strcmp(f->name, name) == 0)
			return f;
	}
	f = watch_is_at(kind) ? at_slot(s) : NULL;
	if (f) {
		free(f->name);
		free(f->lines);
		*f = (struct watched_file){.kind = kind, .row = watch_match(kind, name)};
		f->name = strdup(name);
		return f->name && f->row ? f : NULL;
	}
	if (is_full(s, kind, uid))
		return NULL;
	f = &s->files[s->files_count];
	*f = (struct watched_file){.kind = kind, .uid = uid, .row = watch_match(kind, name)};
	f->name = f->row ? strdup(name) : NULL;
	if (!f->name)
		return NULL;
	s->files_count++;
	return f;
}

/* --- lines */

/* What is new in a file, for people. */
struct news {
	char text[3 * (AUTHORIZED_KEY_MAX + 8)];
	char key[AUTHORIZED_KEY_MAX]; /* the first one added */
	unsigned count;
};

static uint64_t line_hash(struct span line)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < line.len; i++)
		h = (h ^ (uint8_t)line.ptr[i]) * 0x100000001b3;
	return h;
}

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void news_add(struct news *n, enum watch_lines what, struct span line)
{
	char told[AUTHORIZED_KEY_MAX];
	size_t at = strlen(n->text);

	if (what == LINES_KEYS) {
		if (!authorized_key_name(line, told))
			return;
		if (!n->key[0])
			memcpy(n->key, told, sizeof(n->key));
	} else {
		if (span_empty(line))
			return;
		if (line.len > LINE_TOLD)
			line.len = LINE_TOLD;
		span_copy(told, sizeof(told), line);
	}
	if (n->count++ < SUDDEN_LINES)
		snprintf(n->text + at, sizeof(n->text) - at, "%s%s", at ? ", " : "", told);
}

static void lines_take(struct watched_file *f, struct span content, struct news *n)
{
	uint64_t *now = malloc(LINES_MAX * sizeof(*now)), *fit;
	unsigned count = 0;
	size_t at = 0;

	if (!now)
		return;
	while (at < content.len && count < LINES_MAX) {
		const char *start = content.ptr + at, *end = memchr(start, '\n', content.len - at);
		struct span line = {start, end ? (size_t)(end - start) : content.len - at};
		uint64_t h = line_hash(line);

		at += line.len + 1;
		now[count++] = h;
		if (!f->lines_count || !bsearch(&h, f->lines, f->lines_count, sizeof(h), compare))
			news_add(n, f->row->lines, line);
	}
	qsort(now, count, sizeof(*now), compare);
	fit = realloc(now, (count ? count : 1) * sizeof(*now));
	free(f->lines);
	f->lines = fit ? fit : now;
	f->lines_count = count;
}

static void lines_read(struct watched_file *f, int fd, struct news *n)
{
	char *buf = malloc(PRIV_FILE_MAX);
	size_t len = 0;

	while (buf && len < PRIV_FILE_MAX) {
		ssize_t got = read(fd, buf + len, PRIV_FILE_MAX - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (buf)
		lines_take(f, (struct span){buf, len}, n);
	free(buf);
}

/* --- telling */

static void digest_text(const uint64_t digest[4], char ret[HEX_MAX])
{
	const uint8_t *bytes = (const uint8_t *)digest;

	for (unsigned i = 0; i < 32; i++)
		snprintf(ret + (size_t)i * 2, 3, "%02x", bytes[i]);
}

/* Whose jobs a crontab holds: it has its user's name. */
static uint32_t job_owner(const struct watched_file *f, uint32_t otherwise)
{
	const struct passwd *pw = f->kind == WATCH_CRONTABS ? host_user_named(f->name) : NULL;

	return pw ? pw->pw_uid : otherwise;
}

/* A session left a job: what its daemon starts within a day is looked at. */
static void daemon_watch(struct engine *e, const struct watched_file *f, const struct culprit *who)
{
	struct priv_msg m = {.kind = PRIV_ARM, .value = {clock_boot_ns() + JOB_NS}};

	if (!who->known || strcmp(f->row->reason, "scheduled-task") != 0 ||
	    f->kind == WATCH_UNITS || f->kind == WATCH_USER_UNITS)
		return;
	m.arg = watch_is_at(f->kind) ? WIRE_HANDOFF_AT : WIRE_HANDOFF_CRON;
	(void)priv_send(e->setup.priv, &m, -1);
}

#define TELL(array, ...) snprintf(array, sizeof(array), __VA_ARGS__) /* cut, never too long */

/* known: by a process that the kernel's records told of. */
static void change_by(const struct culprit *who, struct wire_file *w)
{
	if (who->known)
		w->cookie = who->proc.conn;
	w->proc.tgid = who->pid;
	w->proc.start = who->proc.start_ns;
	w->proc.uid = who->proc.uid;
	w->proc.loginuid = w->proc.sessionid = UINT32_MAX;
	w->flags = who->managed ? WIRE_F_MANAGED : 0;
	TELL(w->program, "%s", who->proc.program);
}

static void change_tell(struct engine *e, const struct watched_file *f, const struct culprit *who,
			const struct news *n, const char *before)
{
	static const char *const what[] = {"", ", key added: ", ", new: "};
	struct wire_file w = {.hdr = {WIRE_ID_FILE, WIRE_VERSION, sizeof(w), clock_boot_ns()}};
	const char *program = who->proc.program[0] ? who->proc.program : "a program";
	const char *reason;
	struct event ev;

	change_by(who, &w);
	w.proc.euid = job_owner(f, who->proc.uid);
	fanotify_path(e->fanotify, f->kind, f->uid, f->name, w.path, sizeof(w.path));
	digest_text(f->digest, w.after);
	TELL(w.subject, "%s", f->row->reason);
	TELL(w.key, "%s", n->key);
	TELL(w.before, "%s", before);
	TELL(w.text, "%s: %s by %s (pid %u)%s%s (sha256 %.16s -> %.16s)", f->row->reason, w.path,
	     program, who->pid, n->count ? what[f->row->lines] : "", n->count ? n->text : "",
	     before[0] ? before : "none", w.after);
	e->kernel_stream.boot_to_wall_ns = (int64_t)(clock_wall_ns() - clock_boot_ns());
	if (decode_wire(&e->kernel_stream, &w, sizeof(w), &ev, &reason) == DECODE_EVENT)
		engine_event(e, &ev);
	daemon_watch(e, f, who);
}

/* atd may have run and removed a job before we read it: its name says enough. */
static bool is_gone_job(const struct watched_file *f, int r, const struct culprit *who)
{
	return r && watch_is_at(f->kind) && !f->size && who && who->known;
}

void watched_file_look(struct engine *e, struct watched_file *f, const struct culprit *who)
{
	struct priv_msg m = {.kind = PRIV_FILE_READ, .arg = (uint32_t)f->kind, .arg2 = f->uid};
	char before[HEX_MAX] = "";
	struct news n = {.count = 0};
	int fd = -1, r;

	f->due_ns = 0;
	snprintf(m.name, sizeof(m.name), "%s", f->name);
	r = priv_call(e->setup.priv, &m, &fd);
	if (is_gone_job(f, r, who)) {
		f->known = true;
		f->size = 1;
		change_tell(e, f, who, &n, before);
		return;
	}
	/* Empty lets nobody in, and is what a file is for a moment while it is written anew. */
	if (r || (f->known && !m.value[4]) ||
	    (f->known && m.value[4] == f->size &&
	     memcmp(m.value, f->digest, sizeof(f->digest)) == 0)) {
		if (fd >= 0)
			close(fd);
		return; /* gone, of a kind that nobody reads, or what it was */
	}
	if (f->known)
		digest_text(f->digest, before);
	if (fd >= 0) {
		lines_read(f, fd, &n);
		close(fd);
	}
	f->known = true;
	f->size = m.value[4];
	memcpy(f->digest, m.value, sizeof(f->digest));
	if (who && f->size)
		change_tell(e, f, who, &n, before);
}

void watched_file_touch(struct engine *e, struct watched_file *f, const struct culprit *who)
{
	struct fanotify_source *s = e->fanotify;
	uint64_t now = clock_wall_ns();

	if (now >= f->looks_ns + LOOKS_NS) {
		f->looks_ns = now;
		f->looks = 0;
	}
	/* A process of a session is not hidden by one that touches the file after it. */
	if (!f->due_ns || !f->due_who.known)
		f->due_who = *who;
	if (f->looks < (watch_is_user(f->kind) ? USER_LOOKS : LOOKS_MAX)) {
		struct culprit by = f->due_who;

		f->looks++;
		watched_file_look(e, f, &by);
		return;
	}
	f->due_ns = f->looks_ns + LOOKS_NS;
	if (!s->files_due_ns || f->due_ns < s->files_due_ns)
		s->files_due_ns = f->due_ns;
}

void watched_files_poll(struct engine *e, uint64_t now)
{
	struct fanotify_source *s = e->fanotify;
	uint64_t next = 0;

	if (!s->files_due_ns || now < s->files_due_ns)
		return;
	for (unsigned i = 0; i < s->files_count; i++) {
		struct watched_file *f = &s->files[i];
		struct culprit who = f->due_who;

		if (f->due_ns && f->due_ns <= now)
			watched_file_look(e, f, &who);
		else if (f->due_ns && (!next || f->due_ns < next))
			next = f->due_ns;
	}
	s->files_due_ns = next;
}

void watched_files_free(struct fanotify_source *s)
{
	for (unsigned i = 0; i < s->files_count; i++) {
		free(s->files[i].name);
		free(s->files[i].lines);
	}
}
