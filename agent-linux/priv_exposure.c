/*
 * priv_exposure: the privileged half of looking at listeners. It reads names of links that the
 * kernel makes ("socket:[4711]") and opens files of a table, or one that a daemon of root's was
 * started with; what is in them is parsed by the child.
 *
 * Done in a short-lived process: there may be many processes, and the root of one may lie on a file
 * system that does not answer.
 */
#include "priv_exposure.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/exposure/exposure.h"
#include "root_open.h"

#define BATCH	    512
#define CMDLINE_MAX 8192
/* Of one process, the lowest: who serves a hundred thousand connections has begun to listen before.
 */
#define DESCRIPTORS_MAX 2048

struct rows {
	struct priv_socket at[BATCH];
	unsigned used, total;
	int fd;
};

static bool rows_flush(struct rows *r)
{
	size_t len = r->used * sizeof(r->at[0]);

	r->used = 0;
	return write(r->fd, r->at, len) == (ssize_t)len;
}

static bool rows_add(struct rows *r, uint32_t pid, uint32_t netns, uint64_t inode)
{
	if (r->total == PRIV_SOCKETS_MAX)
		return false;
	r->total++;
	r->at[r->used++] = (struct priv_socket){pid, netns, inode};
	return r->used < BATCH || rows_flush(r);
}

static uint32_t net_of(uint32_t pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

static void sockets_of(struct rows *r, uint32_t pid)
{
	uint32_t netns = net_of(pid);
	char path[32], link[64];
	const struct dirent *d;
	unsigned left = DESCRIPTORS_MAX;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = netns ? opendir(path) : NULL;
	while (dir && left-- && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);

		if (n <= 8 || strncmp(link, "socket:[", 8) != 0)
			continue;
		link[n] = '\0';
		if (!rows_add(r, pid, netns, strtoull(link + 8, NULL, 10)))
			break;
	}
	if (dir)
		closedir(dir);
}

static int sockets_work(void *arg, struct priv_msg *m, int *ret_fd)
{
	struct rows r = {.fd = memfd_create("sockets", MFD_CLOEXEC)};
	DIR *dir = opendir("/proc");
	/* One that is not root is the packaged unit, which has no network: then it is process 1's.
	 */
	uint32_t ours = geteuid() ? 1 : (uint32_t)getppid();
	const struct dirent *d;

	(void)arg;
	(void)m;
	if (r.fd < 0 || !dir)
		return -errno;
	rows_add(&r, 1, net_of(1), 0);
	rows_add(&r, ours, net_of(ours), 0);
	while ((d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			sockets_of(&r, (uint32_t)strtoul(d->d_name, NULL, 10));
	closedir(dir);
	if (!rows_flush(&r) || lseek(r.fd, 0, SEEK_SET))
		return -EIO;
	*ret_fd = r.fd;
	return 0;
}

int priv_sockets(struct priv_msg *m, int *ret_fd)
{
	return helper_run(sockets_work, NULL, m, ret_fd);
}

/* The path of a process's program; the child may not look at other users' processes itself. */
int priv_program(struct priv_msg *m)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%u/exe", m->arg);
	n = readlink(link, m->name, sizeof(m->name) - 1);
	if (n < 0)
		return -errno;
	m->name[n] = '\0';
	return 0;
}

/* Daemons of root's, and the option behind which each is told its settings. */
static const struct {
	const char *name, *option;
} daemons[] = {{"/sshd", "-f"}, {"/dockerd", "-config-file"}, {"/kubelet", "-config"}};
#define DAEMONS (sizeof(daemons) / sizeof(daemons[0]))

/* Does the option stand before the place: "-f PATH", "-fPATH", "--config=PATH"? */
static bool is_behind(const char *begin, const char *at, const char *option)
{
	size_t len = strlen(option);

	if (at > begin && strchr(" =", at[-1])) /* or the NUL between words */
		at--;
	if ((size_t)(at - begin) < len + 1 || memcmp(at - len, option, len) != 0)
		return false;
	at -= len + 1;
	return *at == '\0' || *at == ' ' || *at == '-';
}

/* Which of them runs there; DAEMONS: none. */
static size_t daemon_of(uint32_t pid)
{
	struct priv_msg program = {.arg = pid};
	const char *base;
	char path[40];
	struct stat st;
	size_t i = DAEMONS;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (stat(path, &st) || st.st_uid || priv_program(&program))
		return DAEMONS;
	base = strrchr(program.name, '/');
	for (i = 0; base && i < DAEMONS; i++) {
		size_t len = strlen(daemons[i].name);

		if (!strncmp(base, daemons[i].name, len) && (!base[len] || base[len] == ' '))
			return i;
	}
	return DAEMONS;
}

/*
 * Was root's daemon told that its settings are there? A user can have any word on a command line,
 * of programs that are root's by their mode, too, and other words of these daemons name keys: so
 * only of these programs, and only behind that option.
 */
static bool is_started_with(uint32_t pid, const char *word)
{
	size_t len = strlen(word), which = daemon_of(pid);
	char path[40], buf[CMDLINE_MAX + 2];
	const char *at = buf + 1, *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	fd = which < DAEMONS ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return false;
	n = read(fd, buf + 1, CMDLINE_MAX);
	close(fd);
	buf[0] = '\0';
	end = buf + 1 + (n > 0 ? n : 0);
	/* A title has blanks between its words. */
	while ((at = memmem(at, (size_t)(end - at), word, len))) {
		bool ends = at + len == end || at[len] == '\0' || at[len] == ' ';

		if (ends && is_behind(buf, at, daemons[which].option))
			return true;
		at++;
	}
	return false;
}

static bool is_part(const char *name)
{
	size_t len = strlen(name);

	return !strchr(name, '/') && len > 5 && !strcmp(name + len - 5, ".conf");
}

/* The path that is asked for; false: not one that is handed over. */
static bool settings_path(const struct priv_msg *m, char path[PRIV_NAME_MAX + 32],
			  bool *ret_directory)
{
	static const char *const paths[SETTINGS_FILES] = {
		[SETTINGS_SSHD] = "/etc/ssh/sshd_config",
		[SETTINGS_SSHD_PART] = "/etc/ssh/sshd_config.d",
		[SETTINGS_DOCKER] = "/etc/docker/daemon.json",
		[SETTINGS_KUBELET] = "/var/lib/kubelet/config.yaml",
	};
	bool named = m->arg2 == SETTINGS_NAMED, part = m->arg2 == SETTINGS_SSHD_PART;

	if (m->arg2 >= SETTINGS_FILES ||
	    (named && (m->name[0] != '/' || !is_started_with(m->arg, m->name))) ||
	    (part && m->name[0] && !is_part(m->name)))
		return false;
	*ret_directory = part && !m->name[0];
	snprintf(path, PRIV_NAME_MAX + 32, "%s%s%s", named ? "" : paths[m->arg2],
		 part && m->name[0] ? "/" : "", named || part ? m->name : "");
	return true;
}

static int settings_work(void *arg, struct priv_msg *m, int *ret_fd)
{
	char path[PRIV_NAME_MAX + 32], root_path[32];
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	bool directory;
	struct stat st;
	int root, fd;

	(void)arg;
	m->name[sizeof(m->name) - 1] = '\0';
	if (!settings_path(m, path, &directory))
		return -EACCES;
	snprintf(root_path, sizeof(root_path), "/proc/%u/root", m->arg);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = (int)syscall(__NR_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_uid || !(directory ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
		return -EPERM;
	*ret_fd = fd;
	return 0;
}

int priv_settings(struct priv_msg *m, int *ret_fd)
{
	return helper_run(settings_work, NULL, m, ret_fd);
}
