/*
 * prometheus: the agent's numbers where Prometheus (or anybody) asks for them: GET /metrics in its
 * text format (https://prometheus.io/docs/instrumenting/exposition_formats/), GET /healthz.
 *
 * Each request asks the agent anew, at most once a second; healthz is 200 when it answered and says
 * that it can store and sense, else 503 with the reason. HTTP is libmicrohttpd's; nothing is read
 * from a request but its method and path. Where it listens is the configuration's word: 127.0.0.1
 * unless there is a reason.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "common/addr.h"
#include "queue.h"

#define CLIENTS	   32
#define PATIENCE_S 10
#define FRESH	   NS_PER_S
#define ANSWER_MS  2000

static struct MHD_Daemon *daemon_http;
static char text[FORWARD_TEXT_MAX];
static size_t text_len;
static uint64_t fresh_ns; /* when text came; 0: never */
static bool gone;

static void take_metrics(struct forwarder *f, const char *p, size_t len)
{
	(void)f;
	text_len = len < sizeof(text) ? len : 0;
	memcpy(text, p, text_len);
	fresh_ns = now_ns();
}

/* Asks the agent and waits for it, but not for ever: it may be busy, or stuck. */
static bool refresh(struct forwarder *f)
{
	uint64_t asked = now_ns(), end = asked + ANSWER_MS * NS_PER_MS;

	if (fresh_ns && asked - fresh_ns < FRESH)
		return true;
	forward_want(f);
	while (!gone && fresh_ns < asked && now_ns() < end) {
		struct pollfd p = {.fd = FORWARD_FD_RECORDS, .events = POLLIN};

		if (poll(&p, 1, 100) > 0 && !queue_receive(f))
			gone = true;
	}
	return fresh_ns >= asked;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *type,
			   const char *body, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result say_text(struct MHD_Connection *c, unsigned status, const char *body)
{
	return say(c, status, "text/plain; charset=utf-8", body, strlen(body));
}

static enum MHD_Result say_health(struct MHD_Connection *c, bool answered)
{
	if (!answered)
		return say_text(c, 503, "the agent does not answer\n");
	text[text_len < sizeof(text) ? text_len : 0] = '\0';
	if (!strstr(text, "\noutergate_healthy 1\n"))
		return say_text(c, 503, "the agent is not well: see outergate status\n");
	return say_text(c, 200, "ok\n");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct forwarder *f = arg;
	bool metrics = !strcmp(url, "/metrics"), health = !strcmp(url, "/healthz"), answered;

	(void)version, (void)upload, (void)state;
	if (*upload_size) {
		*upload_size = 0; /* nobody sends a body here */
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say_text(c, 405, "GET alone\n");
	if (!metrics && !health)
		return say_text(c, 404, "/metrics or /healthz\n");
	answered = refresh(f);
	if (health)
		return say_health(c, answered);
	return answered ? say(c, 200, "text/plain; version=0.0.4; charset=utf-8", text, text_len)
			: say_text(c, 503, "the agent does not answer\n");
}

/* "127.0.0.1:9464", "[::1]:9464" */
static bool address_of(const char *where, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	const char *colon = strrchr(where, ':');
	char host[64];
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;
	size_t n = colon ? (size_t)(colon - where) : 0;

	if (port < 1 || port > 65535 || !n || n >= sizeof(host))
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(host, where, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, strcmp(host, "localhost") != 0 ? host : "127.0.0.1",
			 &v4->sin_addr) == 1;
}

static int open_prometheus(struct forwarder *f)
{
	struct sockaddr_storage at;
	unsigned flags = MHD_USE_EPOLL;

	if (!address_of(f->to->url, &at)) {
		forward_why(f, "url: an address and a port, as 127.0.0.1:9464");
		return -1;
	}
	if (at.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	daemon_http = MHD_start_daemon(flags, 0, NULL, NULL, on_request, f, MHD_OPTION_SOCK_ADDR,
				       &at, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS,
				       MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
				       MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
				       MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	if (!daemon_http) {
		forward_why(f, "cannot listen on %s: %s", f->to->url, strerror(errno));
		return -1;
	}
	return 0;
}

static void serve_prometheus(struct forwarder *f)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(daemon_http, MHD_DAEMON_INFO_EPOLL_FD);

	answer_state(f, true); /* so that the next is news */
	f->why[0] = '\0';
	answer_state(f, false);
	while (info && !gone) {
		struct pollfd p[2] = {{.fd = FORWARD_FD_RECORDS, .events = POLLIN},
				      {.fd = info->epoll_fd, .events = POLLIN}};
		MHD_UNSIGNED_LONG_LONG wait = 0;
		int ms = MHD_get_timeout(daemon_http, &wait) == MHD_YES
				 ? (int)(wait < 60000 ? wait : 60000)
				 : -1;

		if (poll(p, 2, ms) < 0)
			break; /* SIGTERM */
		if (p[0].revents && !queue_receive(f))
			gone = true;
		MHD_run(daemon_http);
	}
}

static void close_prometheus(struct forwarder *f)
{
	(void)f;
	MHD_stop_daemon(daemon_http);
}

const struct protocol protocol_prometheus = {
	.name = "prometheus",
	.batch = 1,
	.bytes = 1,
	.open = open_prometheus,
	.metrics = take_metrics,
	.serve = serve_prometheus,
	.close = close_prometheus,
};
