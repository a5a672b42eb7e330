/* newest: see the header. */
#include "newest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool newest_is_pattern(const char *path)
{
	return strpbrk(name_of(path), "*?") != NULL;
}

bool newest_fits(const char *pattern, const char *name)
{
	const char *want = name_of(pattern);

	return newest_is_pattern(pattern) ? !fnmatch(want, name, FNM_PERIOD | FNM_NOESCAPE)
					  : !strcmp(want, name);
}

/* The two last names that fit. */
static void look(DIR *dir, const char *pattern, char last[NAME_MAX + 1], char other[NAME_MAX + 1])
{
	const struct dirent *d;

	last[0] = other[0] = '\0';
	while ((d = readdir(dir))) {
		if (!newest_fits(pattern, d->d_name) || strcmp(d->d_name, other) <= 0)
			continue;
		if (strcmp(d->d_name, last) > 0) {
			memcpy(other, last, NAME_MAX + 1);
			snprintf(last, NAME_MAX + 1, "%s", d->d_name);
		} else if (strcmp(d->d_name, last)) {
			snprintf(other, NAME_MAX + 1, "%s", d->d_name);
		}
	}
}

int newest_path(const char *pattern, bool before, char *ret, size_t cap)
{
	size_t head = (size_t)(name_of(pattern) - pattern);
	char last[NAME_MAX + 1], other[NAME_MAX + 1];
	const char *name = before ? other : last;
	int fd;
	DIR *dir;

	if (!newest_is_pattern(pattern)) {
		snprintf(ret, cap, "%s%s", pattern, before ? ".1" : "");
		return 0;
	}
	if (head >= cap)
		return -ENAMETOOLONG;
	memcpy(ret, pattern, head);
	ret[head] = '\0';
	fd = host_open(ret, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	look(dir, pattern, last, other);
	closedir(dir);
	if (!name[0])
		return -ENOENT;
	if (head + strlen(name) >= cap)
		return -ENAMETOOLONG;
	snprintf(ret + head, cap - head, "%s", name);
	return 0;
}
