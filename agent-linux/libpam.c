/*
 * libpam: every libpam file in use gets its probes: the host's by path, any other by the mapping
 * of the process that uses it. ELF is parsed here, without privilege; the parent gets offsets.
 *
 * Not found: a libpam linked statically, one under another name, and before 5.13 any but the
 * host's.
 */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libpam_elf.h"
#include "pam_files.h"

#define CANDIDATES_MAX 64
/* Of files that are not root's: a container with mapped ids has one, of whatever its image holds.
 */
#define FOREIGN_MAX 16
/* A daemon may load it late (dlopen); a listener asks for an immediate look. */
#define LIBPAM_EVERY  60000000000ull
#define LIBPAM_UNUSED (60 * LIBPAM_EVERY)

static struct libpam_file *file_known(struct engine *e, const struct stat *st)
{
	for (unsigned i = 0; i < e->libpam_count; i++)
		if (e->libpam[i].dev == st->st_dev && e->libpam[i].ino == st->st_ino)
			return &e->libpam[i];
	return NULL;
}

static bool mapping_known(struct engine *e, const struct wire_mapping *m)
{
	for (unsigned i = 0; i < e->libpam_count; i++)
		if (e->libpam[i].kernel_dev == m->dev && e->libpam[i].ino == m->ino) {
			e->libpam[i].seen_ns = clock_wall_ns();
			return true;
		}
	return false;
}

/* Forgets the nth file, and takes its probes off. */
static void file_drop(struct engine *e, unsigned i)
{
	struct libpam_file *f = &e->libpam[i];
	struct priv_msg m = {.kind = PRIV_LIBPAM_DETACH, .value = {f->dev, f->ino}};

	if (f->attached) {
		(void)priv_call(e->setup.priv, &m, NULL); /* gone already: as wanted */
		e->libpam_attached--;
	}
	e->libpam_foreign -= f->foreign;
	*f = e->libpam[--e->libpam_count];
}

/* Files that nobody has used for so long: their containers are gone, or will be found again. */
static void files_age(struct engine *e)
{
	uint64_t now = clock_wall_ns();

	for (unsigned i = 0; i < e->libpam_count;)
		if (!e->libpam[i].host && now > e->libpam[i].seen_ns + LIBPAM_UNUSED)
			file_drop(e, i);
		else
			i++;
}

/* Makes room by the file that nobody has used for longest, when that is since the last look: among
 * those with probes, or those that are not root's, where these are too many. */
static bool room_made(struct engine *e, bool attached, bool foreign)
{
	uint64_t now = clock_wall_ns();
	unsigned oldest = LIBPAM_FILES_MAX;

	for (unsigned i = 0; i < e->libpam_count; i++) {

		const struct libpam_file *f = &e->libpam[i];

		if (f->host || f->attached < attached || f->foreign < foreign ||
		    now <= f->seen_ns + 2 * LIBPAM_EVERY)
			continue;
		if (oldest == LIBPAM_FILES_MAX || f->seen_ns < e->libpam[oldest].seen_ns)
			oldest = i;
	}
	if (oldest == LIBPAM_FILES_MAX)
		return false;
	file_drop(e, oldest);
	return true;
}

static void failed(struct engine *e, int r)
{
	snprintf(e->libpam_reason, sizeof(e->libpam_reason), "cannot attach to a libpam: %s",
		 strerror(-r));
}

/* A file that is no libpam after all is remembered too: it is looked at once. */
static int file_new(struct engine *e, const struct priv_msg *which, int fd, const struct stat *st,
		    uint64_t kernel_dev)
{
	struct priv_msg m = *which;
	int r;

	if (e->libpam_count == LIBPAM_FILES_MAX && !room_made(e, false, false))
		return -ENOSPC;
	if (e->libpam_attached == PAM_FILES_MAX && !room_made(e, true, false))
		return -ENOSPC;
	if (st->st_uid != 0 && e->libpam_foreign >= FOREIGN_MAX && !room_made(e, false, true))
		return -EDQUOT;
	e->libpam_foreign += st->st_uid != 0;
	m.kind = PRIV_LIBPAM_ATTACH;
	r = libpam_offsets(fd, m.value);
	if (!r)
		r = priv_call(e->setup.priv, &m, NULL);
	e->libpam_attached += !r;
	e->libpam[e->libpam_count++] =
		(struct libpam_file){.dev = st->st_dev,
				     .ino = st->st_ino,
				     .kernel_dev = kernel_dev,
				     .seen_ns = clock_wall_ns(),
				     .attached = !r,
				     .foreign = st->st_uid != 0,
				     .host = !which->map_end && !which->arg2};
	return r;
}

/* which: a filled PRIV_LIBPAM_OPEN without its kind. Returns 0 or -errno. */
static int file_attach(struct engine *e, const struct priv_msg *which, uint64_t kernel_dev)
{
	struct priv_msg m = *which;
	struct libpam_file *known;
	struct stat st = {0};
	int fd, r;

	m.kind = PRIV_LIBPAM_OPEN;
	r = priv_call(e->setup.priv, &m, &fd);
	if (r)
		return r;
	r = fstat(fd, &st) ? -errno : 0;
	known = r ? NULL : file_known(e, &st);
	if (known)
		known->seen_ns = clock_wall_ns();
	if (known && kernel_dev)
		known->kernel_dev = kernel_dev;
	if (!r && !known)
		r = file_new(e, which, fd, &st, kernel_dev);
	close(fd);
	if (r)
		failed(e, r);
	return r;
}

static void mapping_take(struct engine *e, const void *record, size_t len)
{
	struct priv_msg which = {0};
	struct wire_mapping w;

	if (len != sizeof(w))
		return;
	memcpy(&w, record, sizeof(w));
	if (mapping_known(e, &w))
		return;
	which.arg = w.tgid;
	which.map_start = w.start;
	which.map_end = w.end;
	(void)file_attach(e, &which, w.dev);
}

/* A daemon began to listen: in a root of its own it has a libpam of its own. */
void libpam_listener(struct engine *e, uint32_t pid)
{
	struct priv_msg which = {.arg = pid, .arg2 = 1};

	(void)file_attach(e, &which, 0);
}

void libpam_scan(struct engine *e)
{
	int r = snapshot_read(e, SNAPSHOT_LIBPAM, mapping_take);

	if (r < 0 && r != -EOPNOTSUPP)
		failed(e, r);
	else if (r >= 0) /* without a look nothing is known to be unused */
		files_age(e);
	e->libpam_scan_ns = clock_wall_ns() + LIBPAM_EVERY;
}

void libpam_open(struct engine *e)
{
	for (uint32_t i = 0; i < CANDIDATES_MAX; i++) {
		struct priv_msg which = {.arg = i};

		if (file_attach(e, &which, 0) == -ENXIO) /* past the last candidate */
			break;
	}
	libpam_scan(e);
	if (e->libpam_attached)
		e->libpam_reason[0] = '\0';
	else if (!e->libpam_reason[0])
		snprintf(e->libpam_reason, sizeof(e->libpam_reason),
			 "no libpam found on this host");
}
