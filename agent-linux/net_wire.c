/* net_wire: see the header. Both programs have this file. */
#include "net_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG	     64
#define RECEIVE_ROOM (8 << 20) /* of datagrams that wait: a burst of a few 10,000 lines */

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int) * NET_WIRE_FDS)];
};

int net_wire_send(int sock, const void *data, size_t len, const int *fds, unsigned count)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	union control c = {.buf = {0}};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (count > NET_WIRE_FDS)
		return -EINVAL;
	if (count) {
		struct cmsghdr *cm;

		h.msg_control = c.buf;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * count);
	}
	do
		n = sendmsg(sock, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int net_wire_recv(int sock, void *ret, size_t len, int ret_fds[NET_WIRE_FDS], unsigned *ret_count)
{
	struct iovec iov = {.iov_base = ret, .iov_len = len};
	union control c = {.buf = {0}};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c.buf,
			   .msg_controllen = sizeof(c.buf)};
	struct cmsghdr *cm;
	ssize_t n;

	*ret_count = 0;
	do
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	cm = CMSG_FIRSTHDR(&h);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS) {
		*ret_count = (unsigned)((cm->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret_fds, CMSG_DATA(cm), sizeof(int) * *ret_count);
	}
	if ((size_t)n == len && !(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	/* An empty message is an end, too, and may bring descriptors along. */
	for (unsigned i = 0; i < *ret_count; i++)
		close(ret_fds[i]);
	*ret_count = 0;
	return n ? -EPROTO : -EPIPE;
}

bool net_is_network(const struct config_receiver *r)
{
	return r->kind == RECEIVE_UDP || r->kind == RECEIVE_TCP || r->kind == RECEIVE_TLS;
}

static socklen_t sockaddr_of(const struct endpoint *at, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (at->addr.family == ADDR_V6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(at->port);
		memcpy(&v6->sin6_addr, at->addr.bytes, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(at->port);
	memcpy(&v4->sin_addr, at->addr.bytes, 4);
	return sizeof(*v4);
}

void net_make_room(int fd)
{
	int room = RECEIVE_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

int net_bind(const struct config_receiver *r)
{
	bool datagrams = r->kind == RECEIVE_UDP;
	struct sockaddr_storage at;
	socklen_t len = sockaddr_of(&r->at, &at);
	int on = 1, err;
	int fd = socket(at.ss_family,
			(datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (datagrams) {
		net_make_room(fd);
		setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	/* At boot an address may come later than we do. */
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&at, len) && (datagrams || !listen(fd, BACKLOG)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
