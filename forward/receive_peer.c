/* receive_peer: see the header. */
#include "receive_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

#define GREETING_NS (10 * NS_PER_S)

static SSL_CTX *contexts[RECEIVERS_MAX];

bool peer_tls(unsigned row, const struct config_receiver *r, char why[FORWARD_WHY_MAX])
{
	static struct config_forwarder files;
	static struct forwarder f;
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	bool ok = c && SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1;

	memcpy(files.files, r->files, sizeof(files.files));
	f = (struct forwarder){.to = &files, .row = row};
	if (ok && r->files[FORWARD_FILE_CA][0]) {
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		ok = tls_use_ca(&f, c);
	}
	ok = ok && tls_use_cert(&f, c) && tls_use_key(&f, c);
	if (!ok) {
		snprintf(why, FORWARD_WHY_MAX, "%s", f.why[0] ? f.why : "TLS cannot be had");
		SSL_CTX_free(c);
		return false;
	}
	/* No state for a later connection: each proves itself. */
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c, 0);
	contexts[row] = c;
	return true;
}

bool peer_open(struct peer *p, unsigned row, int fd, const struct addr *from, bool tls)
{
	SSL *ssl = tls ? SSL_new(contexts[row]) : NULL;
	int on = 1;

	if (tls && (!ssl || SSL_set_fd(ssl, fd) != 1)) {
		SSL_free(ssl);
		close(fd);
		return false;
	}
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	p->used = true;
	p->greeting = tls;
	p->wants = POLLIN;
	p->row = row;
	p->fd = fd;
	p->ssl = ssl;
	p->from = *from;
	p->since_ns = p->last_ns = now_ns();
	p->lines.have = p->lines.skip = 0;
	p->lines.skip_line = false;
	return true;
}

/* What OpenSSL waits for; an end that is none of TLS's counts as one: lines are whole or not. */
static int tls_result(struct peer *p, int r)
{
	switch (SSL_get_error(p->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		p->wants = POLLIN;
		return PEER_NOTHING;
	case SSL_ERROR_WANT_WRITE:
		p->wants = POLLOUT;
		return PEER_NOTHING;
	default:
		ERR_clear_error();
		return p->greeting ? PEER_REFUSED : PEER_END;
	}
}

int peer_read(struct peer *p, char *buf, size_t cap)
{
	ssize_t n;
	int r;

	if (p->greeting) {
		r = SSL_accept(p->ssl);
		if (r != 1)
			return tls_result(p, r);
		p->greeting = false;
		p->wants = POLLIN;
	}
	if (p->ssl) {
		r = SSL_read(p->ssl, buf, (int)cap);
		if (r <= 0)
			return tls_result(p, r);
		p->wants = POLLIN;
		p->last_ns = now_ns();
		return r;
	}
	n = recv(p->fd, buf, cap, MSG_DONTWAIT);
	if (n > 0)
		p->last_ns = now_ns();
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PEER_NOTHING;
	return n > 0 ? (int)n : PEER_END;
}

bool peer_pending(const struct peer *p)
{
	return p->ssl && !p->greeting && SSL_pending(p->ssl) > 0;
}

short peer_events(const struct peer *p)
{
	return p->wants;
}

bool peer_is_late(const struct peer *p)
{
	return p->greeting && now_ns() - p->since_ns > GREETING_NS;
}

void peer_close(struct peer *p)
{
	if (p->ssl) {
		if (!p->greeting)
			(void)SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
		ERR_clear_error();
	}
	close(p->fd);
	p->ssl = NULL;
	p->used = false;
	p->fd = -1;
}

static struct addr addr_of(const struct sockaddr_storage *s)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)s;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)s;

	if (s->ss_family == AF_INET)
		return addr_from_bytes(&v4->sin_addr, 4);
	if (s->ss_family == AF_INET6)
		return addr_from_bytes(&v6->sin6_addr, 16);
	return (struct addr){0};
}

int receive_accept(int fd, struct addr *ret_from)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	int r = accept4(fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	*ret_from = addr_of(&from);
	return r;
}

ssize_t receive_datagram(int fd, char *buf, size_t cap, struct addr *ret_from, uint64_t *lost)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))];
	struct sockaddr_storage from = {0};
	struct iovec v = {.iov_base = buf, .iov_len = cap};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	uint32_t drops;

	if (n < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			*lost = drops;
		}
	*ret_from = addr_of(&from);
	return n;
}
