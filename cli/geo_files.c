/* geo_files: see geo_files.h. */
#include "geo_files.h"
#include "common/plat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

#define SETTLE_NS (2 * UINT64_C(1000000000)) /* a file younger than this may not be complete */

static bool stamp_eq(const struct geo_stamp *a, const struct geo_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->mtime_ns == b->mtime_ns &&
	       a->size == b->size;
}

static int file_open(struct geo_files *g, unsigned i)
{
	const char *path = g->files[i].path;

	return g->open ? g->open(g->arg, i, path) : geo_file_open(path);
}

static void why(struct geo_file *f, const char *what, int err)
{
	snprintf(f->reason, sizeof(f->reason), "%s%s", what, err ? strerror(-err) : "");
}

/* A database from that descriptor in place of the one in use; the old one stays when it fails. */
static int take(struct geo_files *g, unsigned i, int fd)
{
	struct geo_file *f = &g->files[i];
	struct geo_copy copy = {.fd = -1};
	char err[GEO_ERROR_MAX];
	struct geo_db db;
	int r = geo_copy_make(fd, g->scratch, &copy);

	if (r) {
		why(f, "cannot make a private copy of it: ", r);
		return r;
	}
	r = geo_db_open(copy.name, copy.bytes, copy.len, &db, err);
	if (r || db.kind != GEO_KIND_LOC)
		geo_copy_free(&copy); /* libmaxminddb has mapped it by itself */
	if (r) {
		why(f, err, 0);
		return r;
	}
	geo_db_close(&g->set.dbs[i]);
	geo_copy_free(&f->copy);
	g->set.dbs[i] = db;
	f->copy = copy;
	f->state = GEO_FILE_OPEN;
	f->reason[0] = '\0';
	return 0;
}

/* What is to be said of file i, when anything is. */
static void file_said(struct geo_files *g, unsigned i, void (*say)(const char *))
{
	const struct geo_file *f = &g->files[i];
	char text[CONFIG_PATH_MAX + GEO_REASON_MAX + 64];

	snprintf(text, sizeof(text), "geo database %s: %s%s", f->path,
		 f->reason[0] ? f->reason : "a new version is in use",
		 f->reason[0] && f->state == GEO_FILE_OPEN ? "; the one before stays in use" : "");
	say(text);
}

static void gone(struct geo_files *g, unsigned i, int err, void (*say)(const char *))
{
	struct geo_file *f = &g->files[i];
	char before[GEO_REASON_MAX];

	memcpy(before, f->reason, sizeof(before));
	why(f, "", err);
	if (f->state != GEO_FILE_OPEN)
		f->state = err == -ENOENT ? GEO_FILE_ABSENT : GEO_FILE_FAILED;
	f->tried = (struct geo_stamp){0};
	if (say && strcmp(before, f->reason) != 0)
		file_said(g, i, say);
}

/* A version that is a moment old is looked at once more before it is believed complete. */
static bool is_settled(struct geo_file *f, const struct geo_stamp *now, uint64_t now_ns)
{
	if (now_ns > now->mtime_ns + SETTLE_NS || stamp_eq(now, &f->fresh))
		return true;
	f->fresh = *now;
	return false;
}

static bool look(struct geo_files *g, unsigned i, uint64_t now_ns, void (*say)(const char *))
{
	struct geo_file *f = &g->files[i];
	int fd = file_open(g, i), r = fd < 0 ? fd : 0;
	struct geo_stamp now;

	if (!r)
		r = geo_file_stamp(fd, &now);
	if (r)
		gone(g, i, r, say);
	if (r || stamp_eq(&now, &f->tried) || !is_settled(f, &now, now_ns)) {
		if (fd >= 0)
			geo_file_close(fd);
		return false;
	}
	r = take(g, i, fd);
	geo_file_close(fd);
	if (r && f->state != GEO_FILE_OPEN)
		f->state = GEO_FILE_FAILED;
	f->tried = now;
	if (r && r != -EINVAL)
		f->tried = (struct geo_stamp){0}; /* no room: again, later */
	if (say)
		file_said(g, i, say);
	return !r;
}

unsigned geo_files_open(struct geo_files *g, const struct config *c)
{
	unsigned failed = 0;

	geo_set_init(&g->set);
	g->count = c->geo_databases_count;
	g->optional = c->geo_is_default;
	for (unsigned i = 0; i < g->count; i++) {
		struct geo_file *f = &g->files[i];

		*f = (struct geo_file){.copy.fd = -1};
		memcpy(f->path, c->geo_databases[i], sizeof(f->path));
		look(g, i, UINT64_MAX, NULL);
		failed += f->state == GEO_FILE_FAILED ||
			  (f->state == GEO_FILE_ABSENT && !g->optional);
	}
	geo_set_changed(&g->set);
	return failed;
}

bool geo_files_poll(struct geo_files *g, uint64_t now_ns, void (*say)(const char *sentence))
{
	bool changed = false;

	if (now_ns < g->looked_ns + GEO_POLL_NS && now_ns >= g->looked_ns)
		return false;
	g->looked_ns = now_ns;
	for (unsigned i = 0; i < g->count; i++)
		changed |= look(g, i, now_ns, say);
	if (changed)
		geo_set_changed(&g->set);
	return changed;
}

void geo_files_close(struct geo_files *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		geo_db_close(&g->set.dbs[i]);
		geo_copy_free(&g->files[i].copy);
	}
	g->count = 0;
}

unsigned geo_files_used(const struct geo_files *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->count; i++)
		n += g->files[i].state == GEO_FILE_OPEN;
	return n;
}

int command_geo(struct geo_files *g, const struct config *c)
{
	int code = 0;

	snprintf(g->scratch, sizeof(g->scratch), "%s", plat_temp_dir());
	if (!geo_files_open(g, c))
		return 0;
	for (unsigned i = 0; i < g->count; i++)
		if (g->files[i].state == GEO_FILE_FAILED ||
		    (g->files[i].state == GEO_FILE_ABSENT && !g->optional))
			code = command_fail(EXIT_INPUT, "GeoDatabases: %s: %s", g->files[i].path,
					    g->files[i].reason);
	return code;
}
