/* first: see the header. */
#include "first.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef FILEID_KERNFS
#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: a cgroup by its number */
#endif

static int cgroup_open(int root, uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} h = {.head = {.handle_bytes = sizeof(uint64_t), .handle_type = FILEID_KERNFS}, .id = id};
	int fd;

	memcpy(h.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &h.head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int path_of(int fd, char path[PATH_MAX])
{
	char link[48];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

/* Is path below above, or the same? */
static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 && (!path[n] || path[n] == '/' || above[n - 1] == '/');
}

static void drop(struct first_cgroup *c)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->links[i])
			bpf_link__destroy(c->links[i]);
	*c = (struct first_cgroup){0};
}

/*
 * A place for path; NULL: it is served, *ret is 0, or all are taken. What is on for a while serves
 * a look alone.
 */
static struct first_cgroup *place_for(struct first_hooks *f, const char *path, bool look, int *ret)
{
	struct first_cgroup *free = NULL;

	*ret = 0;
	for (unsigned i = 0; i < FIRST_CGROUPS; i++) {
		struct first_cgroup *c = &f->at[i];

		if (c->id && faccessat(AT_FDCWD, c->path, F_OK, AT_EACCESS)) /* it has ended */
			drop(c);
		if (c->id && is_below(path, c->path) && (look || !c->look))
			return NULL;
		if (!c->id && !free)
			free = c;
	}
	if (!free)
		*ret = -EUSERS;
	return free;
}

/* What the one above serves now. A segment that both told is taken once, by its offset. */
static void drop_below(struct first_hooks *f, const struct first_cgroup *above)
{
	for (unsigned i = 0; i < FIRST_CGROUPS; i++)
		if (f->at[i].id && &f->at[i] != above && is_below(f->at[i].path, above->path))
			drop(&f->at[i]);
}

int first_attach(struct first_hooks *f, int root, uint64_t id, struct bpf_program *in,
		 struct bpf_program *out, bool look)
{
	struct bpf_program *programs[2] = {in, out};
	struct first_cgroup *c;
	char path[PATH_MAX];
	int fd, r;

	for (unsigned i = 0; i < FIRST_CGROUPS; i++) {
		if (f->at[i].id != id)
			continue;
		f->at[i].look &= look;
		return 0;
	}
	fd = cgroup_open(root, id);
	if (fd < 0)
		return fd;
	r = path_of(fd, path);
	c = r ? NULL : place_for(f, path, look, &r);
	if (c) {
		c->id = id;
		c->look = look;
		memcpy(c->path, path, sizeof(c->path));
		for (unsigned i = 0; i < 2 && !r; i++) {
			if (!programs[i])
				continue;
			c->links[i] = bpf_program__attach_cgroup(programs[i], fd);
			r = c->links[i] ? 0 : errno == EPERM ? -EBUSY : -errno;
		}
		if (r)
			drop(c);
		else if (!look)
			drop_below(f, c);
	}
	close(fd);
	return r;
}

void first_look_end(struct first_hooks *f, uint64_t id)
{
	for (unsigned i = 0; i < FIRST_CGROUPS; i++)
		if (f->at[i].id && f->at[i].look && (!id || f->at[i].id == id))
			drop(&f->at[i]);
}

void first_detach_all(struct first_hooks *f)
{
	for (unsigned i = 0; i < FIRST_CGROUPS; i++)
		if (f->at[i].id)
			drop(&f->at[i]);
}
