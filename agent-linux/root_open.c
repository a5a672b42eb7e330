/*
 * root_open: a short-lived process opens and hands the descriptor over. It resolves inside that
 * root, follows no magic link and crosses no mount; if it does not answer in time it is killed,
 * so no crafted file system can stop the parent.
 */
#include "root_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "priv.h"

#define PATIENCE_MS 500

static int open_below(int root, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			       .resolve =
				       RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
	struct stat st;
	int fd = (int)syscall(__NR_openat2, root, path, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

static int try_all(unsigned pid, const char *const *paths, size_t count)
{
	struct stat ours, theirs;
	char path[32];
	int root, r = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	if (!host_root_stat(&ours) && !fstat(root, &theirs) && ours.st_dev == theirs.st_dev &&
	    ours.st_ino == theirs.st_ino)
		r = -EALREADY;
	for (size_t i = 0; r < 0 && r != -EALREADY && i < count; i++)
		r = open_below(root, paths[i]);
	return r;
}

int helper_run(int (*work)(void *arg, struct priv_msg *m, int *ret_fd), void *arg,
	       struct priv_msg *m, int *ret_fd)
{
	struct pollfd answer = {.events = POLLIN};
	int pair[2], fd = -1, r;
	pid_t child;

	*ret_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	child = fork();
	if (child == 0) {
		m->result = work(arg, m, &fd);
		_exit(priv_send(pair[1], m, m->result ? -1 : fd) ? 1 : 0);
	}
	close(pair[1]);
	answer.fd = pair[0];
	if (child < 0)
		r = -errno;
	else if (poll(&answer, 1, PATIENCE_MS) != 1)
		r = -ETIMEDOUT;
	else
		r = priv_recv(pair[0], m, &fd);
	close(pair[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	if (!r)
		r = m->result;
	if (r) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

struct
try {
	unsigned pid;
	const char *const *paths;
	size_t count;
};

static int try_work(void *arg, struct priv_msg *m, int *ret_fd)
{
	const struct try *t = arg;
	int fd = try_all(t->pid, t->paths, t->count);

	(void)m;
	*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

int open_in_root(unsigned pid, const char *const *paths, size_t count)
{
	struct try t = {pid, paths, count};
	struct priv_msg m = {0};
	int fd, r = helper_run(try_work, &t, &m, &fd);

	return r ? r : fd;
}

static int only_regular(int fd)
{
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return only_regular(fd < 0 ? -errno : fd);
}

int open_regular_of_host(const char *path)
{
	return only_regular(host_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
}
