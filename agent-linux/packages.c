/*
 * packages: looks a path up in dpkg's lists of files (/var/lib/dpkg/info/NAME.list, a path a line).
 *
 * Cannot see: what rpm and others keep in databases of their own; diversions.
 */
#include "packages.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

#define LISTS	 "/var/lib/dpkg/info"
#define LIST_MAX (8u << 20)

struct file {
	char *buf;
	size_t cap;
};

/* The file with "\n" before its first line; its length, 0: none. */
static size_t list_read(int dir, const char *name, struct file *f)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t len = 1;
	ssize_t n = 1;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || st.st_size <= 0 || (size_t)st.st_size > LIST_MAX) {
		close(fd);
		return 0;
	}
	if ((size_t)st.st_size + 2 > f->cap) {
		char *bigger = realloc(f->buf, (size_t)st.st_size + 2);

		if (!bigger) {
			close(fd);
			return 0;
		}
		f->buf = bigger;
		f->cap = (size_t)st.st_size + 2;
	}
	f->buf[0] = '\n';
	while (n > 0 && len + 1 < f->cap) {
		n = read(fd, f->buf + len, f->cap - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	f->buf[len] = '\n';
	return len + 1;
}

/* A line of it, with or without the "/usr" that a merged directory adds. */
static bool list_has(const struct file *f, size_t len, const char *path)
{
	char line[260];
	int n = snprintf(line, sizeof(line), "\n%s\n", path);

	if (n >= (int)sizeof(line))
		return false;
	if (memmem(f->buf, len, line, (size_t)n))
		return true;
	if (strncmp(path, "/usr/", 5) != 0)
		return false;
	n = snprintf(line, sizeof(line), "\n%s\n", path + 4);
	return memmem(f->buf, len, line, (size_t)n) != NULL;
}

static void look(const char *path, char *ret, size_t cap)
{
	int fd = host_open(LISTS, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct file f = {NULL, 0};
	const struct dirent *d;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && !ret[0] && (d = readdir(dir))) {
		const char *dot = strrchr(d->d_name, '.');
		size_t len;

		if (!dot || strcmp(dot, ".list") != 0)
			continue;
		len = list_read(dirfd(dir), d->d_name, &f);
		if (len && list_has(&f, len, path))
			snprintf(ret, cap, "%.*s",
				 (int)strcspn(d->d_name, ":") < (int)(dot - d->d_name)
					 ? (int)strcspn(d->d_name, ":")
					 : (int)(dot - d->d_name),
				 d->d_name);
	}
	if (dir)
		closedir(dir);
	free(f.buf);
}

void package_of(struct packages *p, const char *path, char *ret, size_t cap)
{
	ret[0] = '\0';
	if (path[0] != '/')
		return;
	for (unsigned i = 0; i < PACKAGES_KEPT; i++)
		if (!strcmp(p->at[i].path, path)) {
			snprintf(ret, cap, "%s", p->at[i].name);
			return;
		}
	look(path, ret, cap);
	if (!ret[0])
		return;
	snprintf(p->at[p->next].path, sizeof(p->at[0].path), "%s", path);
	snprintf(p->at[p->next].name, sizeof(p->at[0].name), "%s", ret);
	p->next = (p->next + 1) % PACKAGES_KEPT;
}
