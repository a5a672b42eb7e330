/*
 * priv_container: a runtime's process above a container (containerd-shim, runc) has the bundle as
 * its current directory, or (conmon) names it on its command line, whatever engine uses it and
 * wherever that keeps its things. What is there is opened and handed over unread, and only if it is
 * root's: a user's own "runtime" may name nothing.
 *
 * Done in a short-lived process, since the directory may lie on a file system that does not answer.
 */
#include "priv_container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc_stat.h"
#include "root_open.h"

#define ABOVE_MAX 16

static ino_t mount_namespace(unsigned pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* The first process above it that is in another mount namespace. */
static unsigned runtime_of(unsigned pid)
{
	ino_t inside = mount_namespace(pid), above;

	for (unsigned i = 0; inside && pid > 1 && i < ABOVE_MAX; i++) {
		pid = (unsigned)proc_stat(pid, 4); /* its parent */
		above = pid ? mount_namespace(pid) : 0;
		if (above && above != inside)
			return pid;
	}
	return 0;
}

static int open_below(int dir, const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			       .resolve = resolve | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(__NR_openat2, dir, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == 0)
		return fd;
	close(fd);
	return -EACCES;
}

/* Was it started with that directory? Else the child could ask for anything of that name. */
static bool is_argument(unsigned pid, const char *dir)
{
	char path[40], buf[4096], word[PRIV_NAME_MAX + 2];
	size_t len = strlen(dir);
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	word[0] = '\0';
	memcpy(word + 1, dir, len + 1);
	return n > 0 && memmem(buf, (size_t)n, word, len + 2);
}

static int open_named(unsigned runtime, const struct priv_msg *m, int root)
{
	bool is_docker = m->value[0] == 1;
	char file[PRIV_NAME_MAX + 20];

	if (!is_docker && !is_argument(runtime, m->name))
		return -EACCES;
	snprintf(file, sizeof(file), "%s/%s", m->name,
		 is_docker ? "config.v2.json" : "config.json");
	return open_below(root, file, RESOLVE_IN_ROOT);
}

static int work(void *arg, struct priv_msg *m, int *ret_fd)
{
	unsigned runtime = m->arg2 ? m->arg2 : runtime_of(m->arg);
	char path[40];
	int dir;

	(void)arg;
	m->arg2 = runtime;
	m->name[sizeof(m->name) - 1] = '\0';
	if (!runtime)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%u/%s", runtime, m->name[0] ? "root" : "cwd");
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	*ret_fd = m->name[0]
			  ? open_named(runtime, m, dir)
			  : open_below(dir, "config.json", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	close(dir);
	return *ret_fd < 0 ? *ret_fd : 0;
}

int container_open(struct priv_msg *m, int *ret_fd)
{
	return helper_run(work, NULL, m, ret_fd);
}
