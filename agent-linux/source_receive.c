/*
 * source_receive: lines that other hosts and programs send, by the process that listens for them
 * (forward/receive.c). Each place has a stream of its own; what a line says of another host is told
 * as that host's (EVENT_ELSEWHERE), and none of it counts for more than text.
 *
 * Cannot see: lines that were on their way when that process ended or the agent was stopped;
 * datagrams that never came. What the kernel had no room for is counted and told (sensor.loss).
 */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/core/core_text.h"
#include "forward/receive.h"
#include "priv.h"

#define LINES_MAX 256 /* in a turn of the loop */
#define AGAIN_NS  UINT64_C(5000000000)
#define WHY_MAX	  160

struct receive_source {
	unsigned status; /* index into sources of row 0 */
	struct watcher lines;
	uint64_t again_ns; /* boot time to start it again; UINT64_MAX: it runs */
	struct {
		struct decode_stream stream;
		uint64_t lost; /* as told to the core; the kernel counts on, whoever reads */
		bool bound;
	} rows[RECEIVERS_MAX];
	_Alignas(8) char buf[sizeof(struct receive_line) + RECEIVE_LINE_MAX];
};

static struct source_status *status_of(struct engine *e, unsigned row)
{
	return &e->sources[e->receive->status + row];
}

static void row_failed(struct engine *e, unsigned row, struct span why)
{
	struct source_status *s = status_of(e, row);
	struct text t = TEXT_IN(s->reason);

	s->state = SOURCE_FAILED;
	text_plain(&t, why, sizeof(s->reason) - 8);
	fprintf(stderr, "outergate: receiver %s: %s\n", e->config->receivers[row].listen,
		s->reason);
}

static void losses(struct engine *e, const struct receive_line *h)
{
	struct receive_source *x = e->receive;
	struct event ev = {.kind = EVENT_LOSS, .trust = TRUST_KERNEL, .time_ns = clock_wall_ns()};
	struct source_status *s = status_of(e, h->row);
	char text[RECEIVE_SHOWN_MAX + 64];

	s->refused = h->refused;
	if (h->lost <= x->rows[h->row].lost)
		return;
	ev.count = (uint32_t)(h->lost - x->rows[h->row].lost);
	x->rows[h->row].lost = h->lost;
	s->lost += ev.count;
	snprintf(text, sizeof(text), "lines sent to %s faster than they are read",
		 e->config->receivers[h->row].listen);
	ev.text = span_of(text);
	engine_event(e, &ev);
}

static void take(struct engine *e, const struct receive_line *h, const char *text)
{
	struct receive_source *x = e->receive;
	char peer[ADDR_TEXT_MAX];

	losses(e, h);
	if (h->message == RECEIVE_STATE && h->len)
		row_failed(e, h->row, (struct span){text, h->len});
	if (h->message != RECEIVE_LINE)
		return;
	/* A program here speaks of this host unless it says otherwise. */
	addr_format(&h->peer, peer);
	if (scope_of(&h->peer, NULL) == SCOPE_LOOPBACK)
		peer[0] = '\0';
	if (h->cut)
		status_of(e, h->row)->cut++;
	engine_line_sent(e, x->status + h->row, &x->rows[h->row].stream,
			 (struct span){text, h->len}, span_of(peer));
}

static void hang_up(struct engine *e, const char *why)
{
	struct receive_source *x = e->receive;

	engine_unwatch(e, &x->lines);
	close(x->lines.fd);
	x->lines.fd = -1;
	x->again_ns = clock_boot_ns() + AGAIN_NS;
	for (unsigned i = 0; i < e->config->receivers_count; i++)
		if (x->rows[i].bound)
			row_failed(e, i, span_of(why));
}

static void on_lines(struct engine *e, struct watcher *w)
{
	struct receive_source *x = e->receive;
	struct receive_line h;

	for (unsigned i = 0; i < LINES_MAX; i++) {
		ssize_t n = recv(w->fd, x->buf, sizeof(x->buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			hang_up(e, "the process that listens has ended; it is started again");
			return;
		}
		if ((size_t)n < sizeof(h) || (size_t)n > sizeof(x->buf))
			continue;
		memcpy(&h, x->buf, sizeof(h));
		/* It may have been taken over. */
		if (h.row >= e->config->receivers_count || h.len != (size_t)n - sizeof(h))
			continue;
		take(e, &h, x->buf + sizeof(h));
	}
}

static void start(struct engine *e)
{
	struct receive_source *x = e->receive;
	struct priv_msg m = {.kind = PRIV_RECEIVE};
	int32_t results[RECEIVERS_MAX] = {0};
	char why[WHY_MAX];
	int fd = -1, r = priv_call(e->setup.priv, &m, &fd);

	x->again_ns = r ? clock_boot_ns() + AGAIN_NS : UINT64_MAX;
	memcpy(results, m.name, sizeof(results));
	for (unsigned i = 0; i < e->config->receivers_count; i++) {
		int err = r ? r : results[i];

		x->rows[i].bound = !err;
		if (!err) {
			status_of(e, i)->state = SOURCE_ON;
			status_of(e, i)->reason[0] = '\0';
			continue;
		}
		snprintf(why, sizeof(why), "cannot listen: %s%s", strerror(-err),
			 err == -EACCES && e->config->receivers[i].at.port < 1024
				 ? " (ports below 1024 want CAP_NET_BIND_SERVICE)"
				 : "");
		row_failed(e, i, span_of(why));
	}
	if (!r && engine_watch(e, &x->lines, fd, on_lines, NULL)) {
		close(fd);
		x->again_ns = clock_boot_ns() + AGAIN_NS;
	}
}

void receive_source_open(struct engine *e, unsigned status)
{
	struct receive_source *x;
	time_t now = (time_t)(clock_wall_ns() / 1000000000ull);
	struct tm tm;

	if (!e->config->receivers_count)
		return;
	for (unsigned i = 0; i < e->config->receivers_count; i++)
		snprintf(e->sources[status + i].name, sizeof(e->sources[status + i].name),
			 "receiver %s", e->config->receivers[i].listen);
	x = calloc(1, sizeof(*x));
	if (!x)
		return;
	e->receive = x;
	x->status = status;
	x->lines.fd = -1;
	for (unsigned i = 0; i < e->config->receivers_count; i++) {
		struct decode_stream *s = &x->rows[i].stream;
		const char *source = e->config->receivers[i].source;

		s->own = e->own;
		s->forced_source = -1;
		if (source[0])
			decode_only(s, span_of(source));
		if (localtime_r(&now, &tm)) { /* RFC 3164 has neither year nor zone */
			s->tz_offset_s = (int)tm.tm_gmtoff;
			s->year = 1900 + tm.tm_year;
		}
	}
	start(e);
}

void receive_source_poll(struct engine *e, uint64_t now)
{
	if (e->receive && now >= e->receive->again_ns)
		start(e);
}

uint64_t receive_source_next(const struct engine *e)
{
	if (!e->receive || e->receive->again_ns == UINT64_MAX)
		return UINT64_MAX;
	return clock_wall_ns() + (e->receive->again_ns - clock_boot_ns());
}

void receive_source_close(struct engine *e)
{
	if (e->receive && e->receive->lines.fd >= 0)
		close(e->receive->lines.fd);
	free(e->receive);
	e->receive = NULL;
}
