/* host: see the header. Links are resolved by the kernel inside that root (openat2, from 5.6). */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int root = -1;
static char name_told[256];

static void time_zone_take(void)
{
	char link[512];
	ssize_t n = host_readlink("/etc/localtime", link, sizeof(link) - 1);
	const char *zone;

	if (n <= 0)
		return;
	link[n] = '\0';
	zone = strstr(link, "zoneinfo/");
	if (zone)
		setenv("TZ", zone + strlen("zoneinfo/"), 0);
}

int host_root_set(const char *path)
{
	if (!strcmp(path, "/"))
		return 0;
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	time_zone_take();
	return 0;
}

bool host_is_ours(void)
{
	return root < 0;
}

int host_root(void)
{
	return root;
}

int host_root_stat(struct stat *ret)
{
	return (root < 0 ? stat("/", ret) : fstat(root, ret)) ? -errno : 0;
}

static int open_inside(const char *path, int flags, unsigned long long resolve)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve};
	int fd = (int)syscall(__NR_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int host_open(const char *path, int flags)
{
	int fd;

	if (root >= 0)
		return open_inside(path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

FILE *host_fopen(const char *path)
{
	int fd = host_open(path, O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

ssize_t host_readlink(const char *path, char *buf, size_t cap)
{
	int fd = host_open(path, O_PATH | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	n = readlinkat(fd, "", buf, cap);
	close(fd);
	return n;
}

/* The first entry that is wanted; by name, or by number where there is none. */
static const struct passwd *user_find(const char *name, uid_t uid)
{
	static char buf[16384]; /* what the entry points into */
	static struct passwd entry;
	struct passwd *found = NULL;
	FILE *f = host_fopen("/etc/passwd");

	while (f && !fgetpwent_r(f, &entry, buf, sizeof(buf), &found))
		if (name ? !strcmp(entry.pw_name, name) : entry.pw_uid == uid)
			break;
		else
			found = NULL;
	if (f)
		fclose(f);
	return found;
}

const struct passwd *host_user(uid_t uid)
{
	return root < 0 ? getpwuid(uid) : user_find(NULL, uid);
}

const struct passwd *host_user_named(const char *name)
{
	return root < 0 ? getpwnam(name) : user_find(name, 0);
}

const struct group *host_group(const char *name)
{
	static char buf[65536]; /* a group may have many members */
	static struct group entry;
	struct group *found = NULL;
	FILE *f;

	if (root < 0)
		return getgrnam(name);
	f = host_fopen("/etc/group");
	while (f && !fgetgrent_r(f, &entry, buf, sizeof(buf), &found))
		if (!strcmp(entry.gr_name, name))
			break;
		else
			found = NULL;
	if (f)
		fclose(f);
	return found;
}

void host_name_set(const char *name)
{
	snprintf(name_told, sizeof(name_told), "%s", name);
}

void host_name(char *ret, size_t cap)
{
	ret[0] = '\0';
	if (name_told[0])
		snprintf(ret, cap, "%s", name_told);
	else if (!gethostname(ret, cap))
		ret[cap - 1] = '\0';
}
