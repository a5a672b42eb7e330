/* stream: see the header. */
#include "stream.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 10000
#define CLOSE_MS   2000

struct stream {
	int fd;
	SSL *ssl; /* NULL: clear */
	SSL_CTX *context;
};

/* tls://host:port, tls://[v6]:port */
static bool split(const char *url, const char *default_port, char host[256], char port[16])
{
	const char *at = strstr(url, "://"), *end;
	size_t n;

	at = at ? at + 3 : url;
	if (*at == '[') {
		end = strchr(++at, ']');
		if (!end)
			return false;
		n = (size_t)(end - at);
		end++;
	} else {
		n = strcspn(at, ":/");
		end = at + n;
	}
	if (!n || n >= 256)
		return false;
	memcpy(host, at, n);
	host[n] = '\0';
	snprintf(port, 16, "%.*s", *end == ':' ? (int)strcspn(end + 1, "/") : 15,
		 *end == ':' ? end + 1 : default_port);
	return port[0] != '\0';
}

static int connect_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err = 0;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS) {
		err = errno;
	} else {
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (poll(&p, 1, CONNECT_MS) != 1)
			err = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
			err = errno;
	}
	if (err) {
		close(fd);
		return -err;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return fd;
}

static int connect_any(struct forwarder *f, const char *host, const char *port)
{
	struct addrinfo hint = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int r = getaddrinfo(host, port, &hint, &list), fd = -ENOENT;

	if (r) {
		forward_why(f, "%.100s: %s", host, gai_strerror(r));
		return -ENOENT;
	}
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_one(a);
	freeaddrinfo(list);
	if (fd < 0)
		forward_why(f, "%.100s port %s: %s", host, port, strerror(-fd));
	return fd;
}

static void tls_why(struct forwarder *f, const char *what, SSL *ssl)
{
	unsigned long e = ERR_get_error();
	long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	char text[128] = "the connection ended";

	if (verify != X509_V_OK)
		snprintf(text, sizeof(text), "%s", X509_verify_cert_error_string(verify));
	else if (e)
		ERR_error_string_n(e, text, sizeof(text));
	ERR_clear_error();
	forward_why(f, "%s: %s", what, text);
}

bool tls_use_ca(struct forwarder *f, SSL_CTX *c)
{
	static char text[FILE_MAX];
	int n = forward_file(f, FORWARD_FILE_CA, text, sizeof(text));
	BIO *b;
	X509 *x;
	unsigned count = 0;

	if (n < 0)
		return false;
	if (!n)
		return SSL_CTX_set_default_verify_paths(c) == 1;
	b = BIO_new_mem_buf(text, n);
	while (b && (x = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(SSL_CTX_get_cert_store(c), x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	if (!count)
		forward_why(f, "ca %s holds no certificate", f->to->files[FORWARD_FILE_CA]);
	return count > 0;
}

/* The chain: the first is ours, the rest leads to an authority. */
bool tls_use_cert(struct forwarder *f, SSL_CTX *c)
{
	static char text[FILE_MAX];
	int n = forward_file(f, FORWARD_FILE_CERT, text, sizeof(text));
	bool ok;
	BIO *b;
	X509 *x;

	if (n <= 0)
		return n == 0;
	b = BIO_new_mem_buf(text, n);
	x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	ok = x && SSL_CTX_use_certificate(c, x) == 1;
	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		if (SSL_CTX_add_extra_chain_cert(c, x) != 1)
			X509_free(x);
	BIO_free(b);
	if (!ok)
		forward_why(f, "cert %s is no certificate", f->to->files[FORWARD_FILE_CERT]);
	ERR_clear_error();
	return ok;
}

bool tls_use_key(struct forwarder *f, SSL_CTX *c)
{
	static char text[FILE_MAX];
	int n = forward_file(f, FORWARD_FILE_KEY, text, sizeof(text));
	EVP_PKEY *k;
	BIO *b;
	bool ok;

	if (n <= 0)
		return n == 0;
	b = BIO_new_mem_buf(text, n);
	k = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	ok = k && SSL_CTX_use_PrivateKey(c, k) == 1 && SSL_CTX_check_private_key(c) == 1;
	EVP_PKEY_free(k);
	BIO_free(b);
	OPENSSL_cleanse(text, (size_t)n);
	if (!ok)
		forward_why(f, "key %s is none, or not that of the certificate",
			    f->to->files[FORWARD_FILE_KEY]);
	ERR_clear_error();
	return ok;
}

/* "sha256//<base64>" of the SubjectPublicKeyInfo, as curl has it. */
static bool pin_fits(struct forwarder *f, SSL *ssl)
{
	unsigned char der[8192], *p = der, sum[32], text[64];
	X509 *x = SSL_get1_peer_certificate(ssl);
	int n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), NULL) : 0;
	bool ok = false;

	if (!f->to->pin[0]) {
		X509_free(x);
		return true;
	}
	if (n > 0 && n <= (int)sizeof(der)) {
		n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &p);
		EVP_Digest(der, (size_t)n, sum, NULL, EVP_sha256(), NULL);
		EVP_EncodeBlock(text, sum, sizeof(sum));
		ok = !strcmp((const char *)text, f->to->pin + strlen("sha256//"));
	}
	X509_free(x);
	if (!ok)
		forward_why(f, "the server's key is not the pinned one");
	return ok;
}

static bool handshake(struct forwarder *f, struct stream *s, const char *host)
{
	const char *name = f->to->server_name[0] ? f->to->server_name : host;
	unsigned char raw[16];
	bool is_address = inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
	uint64_t end = now_ns() + CONNECT_MS * NS_PER_MS;
	bool checked;
	int r;

	SSL_set_fd(s->ssl, s->fd);
	checked = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), name) == 1
			     : SSL_set1_host(s->ssl, name) == 1 &&
				       SSL_set_tlsext_host_name(s->ssl, name) == 1;
	if (!checked) {
		tls_why(f, "TLS: the server's name", NULL);
		return false;
	}
	while ((r = SSL_connect(s->ssl)) != 1) {
		int want = SSL_get_error(s->ssl, r);
		struct pollfd p = {.fd = s->fd,
				   .events = want == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};

		if ((want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) ||
		    now_ns() > end) {
			tls_why(f, "TLS", s->ssl);
			return false;
		}
		poll(&p, 1, 200);
	}
	return pin_fits(f, s->ssl);
}

static bool start_tls(struct forwarder *f, struct stream *s, const char *host)
{
	s->context = SSL_CTX_new(TLS_client_method());
	if (!s->context || SSL_CTX_set_min_proto_version(s->context, TLS1_2_VERSION) != 1) {
		tls_why(f, "TLS", NULL);
		return false;
	}
	SSL_CTX_set_verify(s->context, SSL_VERIFY_PEER, NULL);
	/* A write that stopped half way is gone on with from another address. */
	SSL_CTX_set_mode(s->context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!tls_use_ca(f, s->context) || !tls_use_cert(f, s->context) ||
	    !tls_use_key(f, s->context))
		return false;
	s->ssl = SSL_new(s->context);
	if (!s->ssl) {
		tls_why(f, "TLS", NULL);
		return false;
	}
	return handshake(f, s, host);
}

struct stream *stream_open(struct forwarder *f, const char *port)
{
	struct stream *s = calloc(1, sizeof(*s));
	char host[256], number[16];

	if (!s) {
		forward_why(f, "no memory for a connection");
		return NULL;
	}
	s->fd = -1;
	if (!split(f->to->url, port, host, number)) {
		forward_why(f, "the URL names no host");
	} else {
		s->fd = connect_any(f, host, number);
		if (s->fd >= 0 && (strncmp(f->to->url, "tls://", 6) != 0 || start_tls(f, s, host)))
			return s;
	}
	stream_close(s, false);
	return NULL;
}

static bool wait_for(const struct stream *s, int want, uint64_t end)
{
	struct pollfd p = {.fd = s->fd, .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
	uint64_t now = now_ns();

	return now < end && poll(&p, 1, (int)((end - now) / NS_PER_MS) + 1) > 0;
}

bool stream_write(struct forwarder *f, struct stream *s, const char *p, size_t n)
{
	uint64_t end = now_ns() + (uint64_t)f->to->timeout_s * NS_PER_S;

	while (n) {
		size_t some = 0;
		int want = SSL_ERROR_WANT_WRITE;

		if (s->ssl) {
			int r = SSL_write_ex(s->ssl, p, n, &some);

			want = r == 1 ? 0 : SSL_get_error(s->ssl, r);
		} else {
			ssize_t r = send(s->fd, p, n, MSG_NOSIGNAL);

			some = r > 0 ? (size_t)r : 0;
			want = r > 0				   ? 0
			       : errno == EAGAIN || errno == EINTR ? SSL_ERROR_WANT_WRITE
								   : SSL_ERROR_SYSCALL;
		}
		p += some;
		n -= some;
		if (!want)
			continue;
		if ((want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) ||
		    !wait_for(s, want, end)) {
			if (s->ssl)
				tls_why(f, "writing", s->ssl);
			else
				forward_why(f, "writing: %s", strerror(errno));
			return false;
		}
	}
	return true;
}

int stream_read(struct stream *s, char *buf, size_t cap)
{
	ssize_t r;

	if (s->ssl) {
		int want;

		r = SSL_read(s->ssl, buf, (int)cap);
		if (r > 0)
			return (int)r;
		want = SSL_get_error(s->ssl, (int)r);
		ERR_clear_error();
		return want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	r = recv(s->fd, buf, cap, 0);
	if (r > 0)
		return (int)r;
	return r < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool stream_flushed(const struct stream *s)
{
	int left = 0;

	return !ioctl(s->fd, SIOCOUTQ, &left) && left == 0;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

static void say_goodbye(struct stream *s)
{
	uint64_t end = now_ns() + CLOSE_MS * NS_PER_MS;
	char rest[512];
	int r;

	if (s->ssl && SSL_shutdown(s->ssl) < 0)
		return;
	shutdown(s->fd, SHUT_WR);
	while ((r = stream_read(s, rest, sizeof(rest))) >= 0)
		if (!r && !wait_for(s, SSL_ERROR_WANT_READ, end))
			break;
}

void stream_close(struct stream *s, bool orderly)
{
	if (!s)
		return;
	if (orderly && s->fd >= 0)
		say_goodbye(s);
	SSL_free(s->ssl);
	SSL_CTX_free(s->context);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}
