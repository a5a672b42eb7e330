/*
 * syslog: RFC 5424 over TLS (RFC 5425) or TCP (RFC 6587, octet counting: as RFC 5425 has it).
 *
 * Nobody acknowledges anything here. A record counts as delivered when the other side's kernel has
 * all of it and the connection has lived SETTLE longer: what a receiver that was killed had not
 * read is sent again. What it had read and not written is lost; RELP, HTTP and Kafka do not have
 * that gap.
 */
#include "syslog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stream.h"

#define FACILITY 10 /* authpriv */
#define SETTLE	 NS_PER_S

static struct stream *stream;
static struct buffer body;
static uint64_t newest; /* ticket: when the last batch was written */

/* RFC 5424 section 6.3.3: '"', '\' and ']' are escaped; ours hold none, the host's name might. */
static void plain(const char *s, char *ret, size_t cap)
{
	size_t n = 0;

	for (; *s && n + 1 < cap; s++)
		if (*s > ' ' && *s < 0x7f && *s != '"' && *s != '\\' && *s != ']')
			ret[n++] = *s;
	if (!n)
		ret[n++] = '-';
	ret[n] = '\0';
}

bool syslog_message(struct buffer *b, const struct forwarder *f, const struct item *it)
{
	static const unsigned levels[] = {6, 5, 4, 3, 2}; /* info notice warning err crit */
	time_t s = (time_t)(it->head.time_ns / NS_PER_S);
	char when[32], host[256], name[33];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	plain(f->setup.host_name, host, sizeof(host));
	plain(it->head.name, name, sizeof(name));
	return buffer_format(b,
			     "<%u>1 %s.%06" PRIu64 "Z %s outergate %d %s "
			     "[origin software=\"outergate\" swVersion=\"" OUTERGATE_VERSION
			     "\"][meta sequenceId=\"%" PRIu64 "\"] ",
			     FACILITY * 8 + levels[it->head.severity < 5 ? it->head.severity : 0],
			     when, it->head.time_ns / 1000 % 1000000, host, (int)getpid(), name,
			     it->head.seq % 2147483647 + 1) &&
	       buffer_add(b, it->text, it->head.len);
}

static int open_syslog(struct forwarder *f)
{
	(void)f;
	return 0;
}

static void drop(struct forwarder *f, bool orderly)
{
	stream_close(stream, orderly);
	stream = NULL;
	f->fd = -1;
}

static bool fill(struct forwarder *f, struct item **items, unsigned n)
{
	static struct buffer one;
	bool ok = true;

	body.len = 0;
	for (unsigned i = 0; i < n && ok; i++) {
		one.len = 0;
		ok = syslog_message(&one, f, items[i]) && buffer_format(&body, "%zu ", one.len) &&
		     buffer_add(&body, one.at, one.len);
	}
	return ok;
}

static enum sent send_syslog(struct forwarder *f, struct item **items, unsigned n)
{
	if (!stream)
		stream = stream_open(f, strncmp(f->to->url, "tls:", 4) ? "514" : "6514");
	if (!stream)
		return SENT_RETRY;
	f->fd = stream_fd(stream);
	if (!fill(f, items, n)) {
		forward_why(f, "no memory for a batch");
		return SENT_RETRY;
	}
	if (!stream_write(f, stream, body.at, body.len)) {
		drop(f, false);
		return SENT_UNSURE;
	}
	newest = now_ns();
	for (unsigned i = 0; i < n; i++) {
		items[i]->state = ITEM_PENDING;
		items[i]->ticket = newest;
	}
	return SENT;
}

static enum sent take_syslog(struct forwarder *f)
{
	char rest[512];
	int r;

	while ((r = stream_read(stream, rest, sizeof(rest))) > 0)
		; /* nobody has anything to say here */
	if (r < 0) {
		forward_why(f, "the collector closed the connection");
		drop(f, false);
		return SENT_UNSURE;
	}
	if (stream_flushed(stream) && now_ns() > SETTLE)
		forward_resolve(f, now_ns() - SETTLE, false, ITEM_DONE);
	return SENT;
}

static void close_syslog(struct forwarder *f)
{
	drop(f, true);
}

const struct protocol protocol_syslog = {
	.name = "syslog",
	.batch = 512,
	.bytes = 1u << 20,
	.open = open_syslog,
	.send = send_syslog,
	.take = take_syslog,
	.close = close_syslog,
};
