/* priv: fixed-size messages with at most one descriptor. */
#include "priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int priv_send(int sock, const struct priv_msg *m, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)m, .iov_len = sizeof(*m)};
	union control c = {.buf = {0}};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		h.msg_control = c.buf;
		h.msg_controllen = sizeof(c.buf);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&h);

		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int priv_recv(int sock, struct priv_msg *ret, int *ret_fd)
{
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union control c = {.buf = {0}};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c.buf,
			   .msg_controllen = sizeof(c.buf)};
	struct cmsghdr *cm;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	cm = CMSG_FIRSTHDR(&h);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cm), sizeof(int));
	if (n == 0)
		return -EPIPE;
	if ((size_t)n != sizeof(*ret) || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		if (*ret_fd >= 0)
			close(*ret_fd);
		*ret_fd = -1;
		return -EPROTO;
	}
	return 0;
}

/* The one message that is no answer, when it came in place of one. */
static struct priv_msg last_words;

bool priv_ended(struct priv_msg *ret)
{
	*ret = last_words;
	return last_words.kind == PRIV_END;
}

int priv_call(int sock, struct priv_msg *m, int *ret_fd)
{
	uint32_t kind = m->kind;
	int fd = -1, r = -ECANCELED;

	/* Nobody answers any more. */
	if (last_words.kind != PRIV_END)
		r = priv_send(sock, m, -1);
	if (!r)
		r = priv_recv(sock, m, &fd);
	if (!r && m->kind == PRIV_END) { /* instead of an answer: it is over */
		last_words = *m;
		r = -ECANCELED;
	}
	if (!r && m->kind != kind)
		r = -EPROTO;
	if (!r)
		r = m->result;
	if (ret_fd)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return r;
}
