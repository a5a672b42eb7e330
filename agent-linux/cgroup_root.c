/* cgroup_root: where the root of cgroup2 is mounted, among the mounts that we see. */
#include "sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Every group but the root has this file. What mountinfo calls the root says less: of a container
 * it is that container's own group, and the host's begins with "/..".
 */
static bool is_cgroup_root(const char *path)
{
	char file[PATH_MAX + 20];
	struct statfs fs;

	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	return !statfs(path, &fs) && (uint32_t)fs.f_type == CGROUP2_SUPER_MAGIC &&
	       faccessat(AT_FDCWD, file, F_OK, AT_EACCESS) && errno == ENOENT;
}

int sensor_cgroup_root(char *ret, size_t cap)
{
	char line[2 * PATH_MAX], path[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		const char *dash = strstr(line, " - cgroup2 ");

		/* proc(5): id parent major:minor root mountpoint ... */
		if (!dash || sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1 ||
		    !is_cgroup_root(path))
			continue;
		err = (size_t)snprintf(ret, cap, "%s", path) < cap ? 0 : -ENAMETOOLONG;
		break;
	}
	fclose(f);
	return err;
}
