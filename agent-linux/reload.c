/*
 * reload: see the header.
 *
 * The directory is watched, not the file: editors and package managers rename over it, and kubelet
 * exchanges a whole directory behind a link that is called ..data (a ConfigMap's file is a link
 * through that one).
 */
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/range_files.h"
#include "common/config_changes.h"
#include "common/sha256.h"

#define KUBELET_LINK "..data"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Somebody edited it between two runs: the agent says so at its start. */
void reload_settings(const char *name, char ret[65])
{
	uint8_t digest[SHA256_SIZE], buf[4096];
	FILE *f = fopen(name, "re"); /* "embedded defaults": hashed as no file */
	struct sha256 h;
	size_t n;

	sha256_start(&h);
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		sha256_add(&h, buf, n);
	if (f)
		fclose(f);
	sha256_end(&h, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

int reload_open(struct reload *r, const char *path, bool watch)
{
	char dir[CONFIG_PATH_MAX];

	*r = (struct reload){.path = path, .watch = -1};
	r->refusal = mmap(NULL, sizeof(*r->refusal), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->refusal == MAP_FAILED)
		return -ENOMEM;
	if (!path)
		return watch ? -ENOENT : 0;
	r->spare = calloc(1, sizeof(*r->spare));
	if (!r->spare)
		return -ENOMEM;
	if (!watch)
		return 0;
	if (snprintf(dir, sizeof(dir), "%.*s", (int)(base_name(path) - path), path) >=
	    (int)sizeof(dir))
		return -ENAMETOOLONG;
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch < 0 || inotify_add_watch(r->watch, dir[0] ? dir : ".",
					      IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -errno;
	return 0;
}

bool reload_is_due(struct reload *r)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool due = false;
	ssize_t n;

	while ((n = read(r->watch, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const struct inotify_event *)(buf + at);

			due |= (ev->mask & IN_Q_OVERFLOW) ||
			       (ev->len && (!strcmp(ev->name, base_name(r->path)) ||
					    !strcmp(ev->name, KUBELET_LINK)));
			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
	return due;
}

/* The row that nobody reads now is written, then it is the one. */
static struct config *refuse(struct reload *r, const char *why)
{
	unsigned row = __atomic_load_n(&r->refusal->in_force, __ATOMIC_ACQUIRE) == 1;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	r->refusal->rows[row].at_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	snprintf(r->refusal->rows[row].why, sizeof(r->refusal->rows[row].why), "%s", why);
	__atomic_store_n(&r->refusal->in_force, row + 1, __ATOMIC_RELEASE);
	return NULL;
}

bool reload_refused(const struct reload_refusal *r, uint64_t *ret_at_ns, char *ret, size_t cap)
{
	uint32_t n = __atomic_load_n(&r->in_force, __ATOMIC_ACQUIRE);

	if (n != 1 && n != 2)
		return false;
	*ret_at_ns = r->rows[n - 1].at_ns;
	snprintf(ret, cap, "%.*s", (int)sizeof(r->rows[0].why) - 1, r->rows[n - 1].why);
	return true;
}

struct config *reload_read(struct reload *r, struct config *now)
{
	char changes[CONFIG_CHANGES_MAX];
	struct config *new = r->spare;

	if (!r->path) {
		fputs("outergate: reload: there is no configuration file\n", stderr);
		return refuse(r, "there is no configuration file");
	}
	range_files_free(new);
	if (command_config(r->path, new)) { /* which has said where it is wrong */
		fputs("outergate: reload: refused, the former configuration stays in force\n",
		      stderr);
		return refuse(r, command_failed());
	}
	if (strcmp(now->store, new->store) != 0 || strcmp(now->runtime, new->runtime) != 0) {
		fputs("outergate: reload: refused, another Store or Runtime needs a restart\n",
		      stderr);
		return refuse(r, "another Store or Runtime needs a restart");
	}
	__atomic_store_n(&r->refusal->in_force, 0, __ATOMIC_RELEASE);
	if (!config_changes(now, new, changes)) {
		fputs("outergate: reload: nothing has changed\n", stderr);
		return NULL;
	}
	fprintf(stderr, "outergate: reload: changed: %s\n", changes);
	r->spare = now;
	return new;
}
