/* priv: fixed-size messages with at most one descriptor. */
#include "priv.h"

#include "net_wire.h"

#include <errno.h>
#include <unistd.h>

int priv_send(int sock, const struct priv_msg *m, int fd)
{
	return net_wire_send(sock, m, sizeof(*m), &fd, fd >= 0);
}

int priv_recv(int sock, struct priv_msg *ret, int *ret_fd)
{
	int fds[NET_WIRE_FDS];
	unsigned count;
	int r = net_wire_recv(sock, ret, sizeof(*ret), fds, &count);

	*ret_fd = !r && count == 1 ? fds[0] : -1;
	if (r || count <= 1)
		return r;
	while (count)
		close(fds[--count]);
	return -EPROTO;
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
