/*
 * priv_wireguard: asks WireGuard's devices for their peers, which root alone may: those of the
 * kernel in our network namespace, or in the host's where systemd gave us a socket of that; and
 * those whose process has a socket in /run/wireguard.
 *
 * Done in a short-lived process, since such a process may not answer, and since an answer holds
 * private keys: they die with it, and its buffers are cleared at once. A socket counts when it is
 * root's in a directory of root's, and root is at its other end.
 */
#include "priv_wireguard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "proc_stat.h"
#include "root_open.h"
#include "sandbox.h"
#include "wg_dump.h"

#define DIRECTORY   "/run/wireguard"
#define DEVICES_MAX 64
#define ANSWER_MAX  (4u << 20)
#define ATTR	    sizeof(struct nlattr)
#define HEADS	    (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))
#define ALIGN(n)    (((size_t)(n) + 3) & ~(size_t)3) /* NLA_ALIGN, NLMSG_ALIGN */
#define WAIT_US	    100000 /* for one answer; the whole has half a second (root_open.c) */

static int given = -1; /* a socket of the host's network namespace */

int priv_wireguard_take(void)
{
	int type, fd = SD_LISTEN_FDS_START;
	socklen_t len = sizeof(type);

	if (sd_listen_fds(1) != 1 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &type, &len) ||
	    type != AF_NETLINK || getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &len) ||
	    type != NETLINK_GENERIC)
		return -1;
	given = fd;
	return fd;
}

struct look {
	int fd; /* of the rows */
	unsigned rows, devices, failed;
	char buf[16384];
};

static void take(void *arg, const struct wg_peer *p)
{
	struct look *l = arg;

	if (l->rows == WG_PEERS_MAX || write(l->fd, p, sizeof(*p)) != sizeof(*p))
		l->failed++; /* what is left out is not gone */
	else
		l->rows++;
}

/* Not a name that could be anything but one. */
static bool is_name(const char *s, size_t len)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_=+.-";

	return len && len < WG_NAME && strspn(s, fine) >= len;
}

static bool is_roots(const struct stat *st)
{
	return !st->st_uid && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* --- devices of a process */

/* Root's sockets, which who is not root may not write to. */
static int connect_to(int s, const struct sockaddr_un *a)
{
	int r = sandbox_override(true);

	if (!r && connect(s, (const struct sockaddr *)a, sizeof(*a)))
		r = -errno;
	return sandbox_override(false) ? -EPERM : r;
}

static int user_open(int dir, const char *file, struct ucred *ret)
{
	struct timeval wait = {.tv_usec = WAIT_US};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(*ret);
	struct stat st;
	int s;

	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) || !S_ISSOCK(st.st_mode) || st.st_uid)
		return -EPERM;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir, file);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) || connect_to(s, &a) ||
	    getsockopt(s, SOL_SOCKET, SO_PEERCRED, ret, &len) || ret->uid) {
		close(s);
		return -EPERM;
	}
	return s;
}

static int user_read(struct look *l, int s, struct wg_dump *d)
{
	static const char get[] = "get=1\n\n";
	size_t used = 0, all = 0;
	int r = 0;

	if (send(s, get, sizeof(get) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(get) - 1)
		return -EPIPE;
	while (!r && !d->ended) {
		ssize_t n = recv(s, l->buf + used, sizeof(l->buf) - used, 0);
		long done;

		all += n > 0 ? (size_t)n : 0;
		done = n > 0 && all <= ANSWER_MAX ? wg_text(d, l->buf, used + (size_t)n) : -EPROTO;
		if (done < 0) {
			r = -EPROTO;
			break;
		}
		used += (size_t)n - (size_t)done;
		memmove(l->buf, l->buf + done, used);
		explicit_bzero(l->buf + used, sizeof(l->buf) - used);
	}
	explicit_bzero(l->buf, sizeof(l->buf));
	return r;
}

static void user_look(struct look *l, int dir, const char *file)
{
	struct wg_dump d = {.take = take, .arg = l};
	struct ucred who = {0};
	int s = user_open(dir, file, &who);

	if (s < 0)
		return; /* its process has ended, or it is not root's */
	d.peer.pid = (uint32_t)who.pid;
	d.peer.uid = who.uid;
	(void)proc_name(d.peer.pid, d.peer.comm, sizeof(d.peer.comm));
	memcpy(d.peer.device, file, strlen(file) - strlen(".sock"));
	l->devices++;
	if (user_read(l, s, &d))
		l->failed++;
	wg_finish(&d);
	close(s);
}

static void users_look(struct look *l)
{
	int fd = host_open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *e;
	struct stat st;
	DIR *dir;

	if (fd < 0)
		return;
	dir = fstat(fd, &st) || !is_roots(&st) ? NULL : fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((e = readdir(dir)) && l->devices < DEVICES_MAX) {
		size_t len = strlen(e->d_name);

		if (len > 5 && !strcmp(e->d_name + len - 5, ".sock") && is_name(e->d_name, len - 5))
			user_look(l, dirfd(dir), e->d_name);
	}
	closedir(dir);
}

/* --- devices of the kernel */

struct request {
	struct nlmsghdr h;
	struct genlmsghdr g;
	struct nlattr a;
	char text[32];
};

static bool ask(int s, uint16_t family, uint16_t flags, uint8_t cmd, uint16_t attr,
		const char *text)
{
	size_t len = strlen(text) + 1;
	struct request q = {
		.h = {.nlmsg_type = family, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.g = {.cmd = cmd, .version = 1},
		.a = {.nla_type = attr, .nla_len = (uint16_t)(ATTR + len)}};

	if (len > sizeof(q.text))
		return false;
	memcpy(q.text, text, len);
	q.h.nlmsg_len = (uint32_t)(HEADS + ALIGN(ATTR + len));
	return send(s, &q, q.h.nlmsg_len, 0) == (ssize_t)q.h.nlmsg_len;
}

/* The number of WireGuard's family in an answer of the controller; 0: it has none. */
static uint16_t family_in(const char *buf, size_t len)
{
	struct nlmsghdr h;
	struct nlattr a;
	size_t at = HEADS;
	uint16_t id;

	if (len < at)
		return 0;
	memcpy(&h, buf, sizeof(h));
	if (h.nlmsg_type != GENL_ID_CTRL || h.nlmsg_len > len)
		return 0;
	while (at + ATTR + sizeof(id) <= h.nlmsg_len) {
		memcpy(&a, buf + at, sizeof(a));
		if (a.nla_len < ATTR)
			return 0;
		if (a.nla_type == CTRL_ATTR_FAMILY_ID) {
			memcpy(&id, buf + at + ATTR, sizeof(id));
			return id;
		}
		at += ALIGN(a.nla_len);
	}
	return 0;
}

/* Messages of one datagram; true: the last was among them. */
static bool messages(struct wg_dump *d, const char *buf, size_t len, uint16_t family, int *err)
{
	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t whole;

		memcpy(&h, buf, sizeof(h));
		if (h.nlmsg_len < sizeof(struct nlmsghdr) || h.nlmsg_len > len)
			break;
		if (h.nlmsg_type == NLMSG_DONE)
			return true;
		if (h.nlmsg_type == NLMSG_ERROR && h.nlmsg_len >= sizeof(h) + sizeof(*err)) {
			memcpy(err, buf + sizeof(h), sizeof(*err));
			return true;
		}
		if (h.nlmsg_type != family || wg_netlink(d, buf + sizeof(struct nlmsghdr),
							 h.nlmsg_len - sizeof(struct nlmsghdr)))
			break;
		whole = ALIGN(h.nlmsg_len);
		if (whole >= len)
			return false;
		buf += whole;
		len -= whole;
	}
	*err = -EPROTO;
	return true;
}

static void kernel_look(struct look *l, int s, uint16_t family, const char *device)
{
	struct wg_dump d = {.take = take, .arg = l};
	size_t all = 0;
	int err = 0;

	l->devices++;
	snprintf(d.peer.device, sizeof(d.peer.device), "%s", device);
	memcpy(d.peer.comm, "wireguard", sizeof("wireguard"));
	if (!ask(s, family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WGDEVICE_A_IFNAME, device))
		err = -EIO;
	while (!err && all <= ANSWER_MAX) {
		ssize_t n = recv(s, l->buf, sizeof(l->buf), 0);

		all += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			err = -EIO;
		else if (messages(&d, l->buf, (size_t)n, family, &err))
			break;
		explicit_bzero(l->buf, sizeof(l->buf));
	}
	explicit_bzero(l->buf, sizeof(l->buf));
	wg_finish(&d);
	if (err == -EOPNOTSUPP) /* a device of another kind */
		l->devices--;
	else if (err || all > ANSWER_MAX)
		l->failed++;
}

static bool is_wireguard(const char *device)
{
	char path[64], text[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/uevent", device);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return strstr(text, "DEVTYPE=wireguard\n") != NULL;
}

/* Asking for a family by its name would load its module. */
static bool has_module(void)
{
	return !access("/sys/module/wireguard", F_OK);
}

/* The number of WireGuard's family; what a killed look has left in a given socket goes first. */
static uint16_t family_of(struct look *l, int s)
{
	struct timeval wait = {.tv_usec = WAIT_US};
	size_t all = 0;
	ssize_t n;

	while ((n = recv(s, l->buf, sizeof(l->buf), MSG_DONTWAIT)) > 0 ||
	       (n < 0 && errno == ENOBUFS)) {
		all += n > 0 ? (size_t)n : sizeof(l->buf);
		explicit_bzero(l->buf, sizeof(l->buf));
		if (all > ANSWER_MAX)
			return 0;
	}
	if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    !ask(s, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME))
		return 0;
	n = recv(s, l->buf, sizeof(l->buf), 0);
	return n > 0 ? family_in(l->buf, (size_t)n) : 0;
}

struct asked {
	int s; /* -1: not yet */
	uint16_t family;
};

static void device_look(struct look *l, struct asked *a, const char *device)
{
	if (a->s < 0) {
		a->s = given >= 0 ? given
				  : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
		a->family = a->s < 0 ? 0 : family_of(l, a->s);
	}
	if (a->family)
		kernel_look(l, a->s, a->family, device);
	else
		l->failed++;
}

/* Our /sys may be that of a network namespace of ours, so the names are process 1's. */
static void hosts_look(struct look *l)
{
	FILE *f = fopen("/proc/1/net/dev", "re");
	struct asked a = {.s = -1};
	char line[512];

	while (f && l->devices < DEVICES_MAX && fgets(line, sizeof(line), f)) {
		char *name = line + strspn(line, " "), *end = strchr(name, ':');

		if (!end || !is_name(name, (size_t)(end - name)))
			continue;
		*end = '\0';
		device_look(l, &a, name);
	}
	if (f)
		(void)fclose(f);
}

static void ours_look(struct look *l)
{
	DIR *dir = opendir("/sys/class/net");
	struct asked a = {.s = -1};
	const struct dirent *e;

	while (dir && (e = readdir(dir)) && l->devices < DEVICES_MAX)
		if (is_name(e->d_name, strlen(e->d_name)) && is_wireguard(e->d_name))
			device_look(l, &a, e->d_name);
	if (a.s >= 0)
		close(a.s);
	if (dir)
		closedir(dir);
}

static void kernels_look(struct look *l)
{
	if (!has_module())
		return;
	if (given >= 0)
		hosts_look(l);
	else
		ours_look(l);
}

static int work(void *arg, struct priv_msg *m, int *ret_fd)
{
	static struct look l; /* of a process that does nothing else */

	(void)arg;
	l.fd = memfd_create("wireguard", MFD_CLOEXEC);
	if (l.fd < 0)
		return -errno;
	users_look(&l);
	kernels_look(&l);
	m->arg = l.devices;
	m->arg2 = l.failed;
	if (lseek(l.fd, 0, SEEK_SET))
		return -EIO;
	*ret_fd = l.fd;
	return 0;
}

/* Is a look worth a process? */
static bool is_there(void)
{
	int fd = has_module() ? -1 : host_open(DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || has_module();
}

int priv_wireguard(struct priv_msg *m, int *ret_fd)
{
	*ret_fd = -1;
	return is_there() ? helper_run(work, NULL, m, ret_fd) : -ENODEV;
}
