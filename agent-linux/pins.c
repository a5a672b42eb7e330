/* pins: directories and names in bpffs. */
#include "pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/out/siphash.h"

#define BPFFS	    "/sys/fs/bpf"
#define BPFFS_MAGIC 0xcafe4a11 /* linux/magic.h: BPF_FS_MAGIC */
#define PINS_ROOT   BPFFS "/outergate"

static uint64_t hash(const void *data, size_t len)
{
	return siphash((struct span){data, len}, 0x6f757465, 0x72676174);
}

static void base_name(char *ret, size_t cap, const char *runtime)
{
	snprintf(ret, cap, PINS_ROOT "/%016llx",
		 (unsigned long long)hash(runtime, strlen(runtime)));
}

static bool is_bpffs(void)
{
	struct statfs fs;

	return !statfs(BPFFS, &fs) && (uint32_t)fs.f_type == BPFFS_MAGIC;
}

static int directory(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

void pins_open(struct pins *p, const char *runtime, const void *object, size_t size, int variant)
{
	int r = 0;

	p->dir[0] = '\0';
	/* systemd mounts it; where nobody did, we may. */
	if (!is_bpffs() &&
	    mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		r = -errno;
	base_name(p->base, sizeof(p->base), runtime);
	if (!r)
		r = directory(PINS_ROOT);
	if (!r)
		r = directory(p->base);
	if (!r) {
		snprintf(p->dir, sizeof(p->dir), "%s/%016llx-%d", p->base,
			 (unsigned long long)hash(object, size), variant);
		r = directory(p->dir);
	}
	if (r) {
		p->dir[0] = '\0';
		snprintf(p->reason, sizeof(p->reason), "cannot keep hooks in " BPFFS ": %s",
			 strerror(-r));
	}
}

static void link_path(const struct pins *p, const char *name, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s/link_%s", p->dir, name);
}

int pins_maps(const struct pins *p, struct bpf_object *obj)
{
	struct bpf_map *map;

	if (!p->dir[0])
		return 0;
	bpf_object__for_each_map(map, obj)
	{
		char path[PATH_MAX + 64];
		int r;

		if (bpf_map__is_internal(map) || !bpf_map__autocreate(map))
			continue;
		snprintf(path, sizeof(path), "%s/map_%s", p->dir, bpf_map__name(map));
		r = bpf_map__set_pin_path(map, path);
		if (r)
			return r;
	}
	return 0;
}

bool pins_has_link(const struct pins *p, const char *name)
{
	char path[PATH_MAX + 64];

	if (!p->dir[0])
		return false;
	link_path(p, name, path, sizeof(path));
	return !faccessat(AT_FDCWD, path, F_OK, AT_EACCESS); /* by capabilities, not by user */
}

struct bpf_link *pins_link(const struct pins *p, const char *name)
{
	char path[PATH_MAX + 64];

	if (!pins_has_link(p, name))
		return NULL;
	link_path(p, name, path, sizeof(path));
	return bpf_link__open(path);
}

int pins_keep(const struct pins *p, struct bpf_link *link, const char *name)
{
	char path[PATH_MAX + 64];

	if (!p->dir[0])
		return -EOPNOTSUPP;
	link_path(p, name, path, sizeof(path));
	/* Not bpf_link__pin(), which refuses one that it has pinned before and somebody unpinned.
	 */
	return bpf_obj_pin(bpf_link__fd(link), path) ? -errno : 0;
}

/* Removes the files of a directory and then itself; bpffs directories are two deep at most. */
static void directory_remove(const char *path, const char *except)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		char child[PATH_MAX + 300];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (except && !strcmp(child, except))
			continue;
		if (unlink(child))
			directory_remove(child, NULL);
	}
	closedir(d);
	if (!except)
		rmdir(path);
}

void pins_sweep(const struct pins *p)
{
	if (p->dir[0])
		directory_remove(p->base, p->dir);
}

void pins_remove(const char *runtime)
{
	char base[PATH_MAX / 2];

	base_name(base, sizeof(base), runtime);
	directory_remove(base, NULL);
	rmdir(PINS_ROOT); /* when it was the last */
}
