/*
 * relp: RELP over TLS or TCP to rsyslog or syslog-ng: each record is acknowledged by who took it
 * over.
 *
 * https://github.com/rsyslog/librelp/blob/master/doc/relp.html: a frame is "TXNR COMMAND LENGTH[
 * DATA]\n"; TXNR counts from 1 to 999,999,999; the answer is "TXNR rsp LENGTH CODE[
 * TEXT][\nDATA]\n". librelp's client tells nobody which record was acknowledged, and that is all we
 * need to know.
 */
#include "stream.h"
#include "syslog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TXNR_MAX   999999999u
#define FRAME_MAX  4096 /* of an answer */
#define DIGITS_MAX 9
#define TRIES	   5 /* of a record that is not accepted */
#define OFFER	   "relp_version=0\nrelp_software=outergate\ncommands=syslog"
#define WAIT	   (60 * NS_PER_S)

static struct stream *stream;
static struct buffer body;
static uint32_t txnr;
static uint64_t heard_ns; /* when the receiver last answered, or was last given something to do */
static struct {
	char text[FRAME_MAX * 2];
	size_t len;
} in;

static int open_relp(struct forwarder *f)
{
	(void)f;
	return 0;
}

static uint32_t next_txnr(void)
{
	txnr = txnr == TXNR_MAX ? 1 : txnr + 1;
	return txnr;
}

static void drop(struct forwarder *f)
{
	stream_close(stream, false);
	stream = NULL;
	f->fd = -1;
	in.len = 0;
}

struct answer {
	uint32_t txnr;
	bool is_rsp;
	unsigned code;
	char text[64];
};

/* Digits at *at: their number; 0: more may follow; -1: that is none. *at is behind them. */
static int take_number(size_t *at, unsigned long *ret)
{
	size_t first = *at;

	for (*ret = 0; *at < in.len && in.text[*at] >= '0' && in.text[*at] <= '9'; (*at)++) {
		if (*at - first == DIGITS_MAX)
			return -1;
		*ret = *ret * 10 + (unsigned long)(in.text[*at] - '0');
	}
	if (*at == in.len)
		return 0;
	return *at > first ? 1 : -1;
}

static int take_word(size_t *at, char *ret, size_t cap)
{
	size_t n = 0;

	for (; *at < in.len && in.text[*at] >= 'a' && in.text[*at] <= 'z'; (*at)++) {
		if (n + 1 == cap)
			return -1;
		ret[n++] = in.text[*at];
	}
	ret[n] = '\0';
	if (*at == in.len)
		return 0;
	return n ? 1 : -1;
}

static int take_space(size_t *at)
{
	if (*at == in.len)
		return 0;
	return in.text[(*at)++] == ' ' ? 1 : -1;
}

/* 1: one was taken; 0: not all of it is there; -1: that is no RELP. */
static int take_frame(struct answer *ret)
{
	unsigned long number = 0, n = 0;
	char command[24];
	size_t at = 0;
	int r;

	if ((r = take_number(&at, &number)) <= 0 || (r = take_space(&at)) <= 0 ||
	    (r = take_word(&at, command, sizeof(command))) <= 0 || (r = take_space(&at)) <= 0 ||
	    (r = take_number(&at, &n)) <= 0)
		return r;
	if (n > FRAME_MAX)
		return -1;
	if (n && (r = take_space(&at)) <= 0)
		return r;
	if (at + n >= in.len)
		return 0;
	if (in.text[at + n] != '\n')
		return -1;
	in.text[in.len] = '\0';
	ret->txnr = (uint32_t)number;
	ret->is_rsp = !strcmp(command, "rsp");
	ret->code = n ? (unsigned)strtoul(in.text + at, NULL, 10) : 0;
	snprintf(ret->text, sizeof(ret->text), "%.*s", (int)(n < 63 ? n : 63), in.text + at);
	at += n + 1;
	in.len -= at;
	memmove(in.text, in.text + at, in.len);
	return 1;
}

/* Reads what is there; -1: the end. */
static int fill_in(void)
{
	int r = stream_read(stream, in.text + in.len, sizeof(in.text) - 1 - in.len);

	if (r > 0)
		in.len += (size_t)r;
	return r;
}

/* Waits for the answer to the offer. */
static bool greet(struct forwarder *f)
{
	uint64_t end = now_ns() + 10 * NS_PER_S;
	struct answer a = {0};
	char offer[128];
	int n;

	txnr = 0;
	n = snprintf(offer, sizeof(offer), "%u open %zu " OFFER "\n", next_txnr(), strlen(OFFER));
	if (!stream_write(f, stream, offer, (size_t)n))
		return false;
	while (now_ns() < end) {
		int r = fill_in(), got = take_frame(&a);

		if (got > 0 && a.is_rsp && a.txnr == 1 && a.code == 200)
			return true;
		if (r < 0 || got) {
			forward_said(f, "the collector did not accept RELP", a.text,
				     strlen(a.text));
			return false;
		}
		usleep(2000);
	}
	forward_why(f, "the collector did not answer as RELP does");
	return false;
}

static bool connect_relp(struct forwarder *f)
{
	if (stream)
		return true;
	stream = stream_open(f, "2514");
	if (stream && !greet(f))
		drop(f);
	if (!stream)
		return false;
	f->fd = stream_fd(stream);
	heard_ns = now_ns();
	return true;
}

static enum sent send_relp(struct forwarder *f, struct item **items, unsigned n)
{
	static struct buffer one;
	bool ok = true;

	if (!connect_relp(f))
		return SENT_RETRY;
	if (!f->pending)
		heard_ns = now_ns();
	body.len = 0;
	for (unsigned i = 0; i < n && ok; i++) {
		one.len = 0;
		items[i]->ticket = next_txnr();
		ok = syslog_message(&one, f, items[i]) &&
		     buffer_format(&body, "%u syslog %zu ", (unsigned)items[i]->ticket, one.len) &&
		     buffer_add(&body, one.at, one.len) && buffer_add(&body, "\n", 1);
	}
	if (!ok) {
		forward_why(f, "no memory for a batch");
		drop(f);
		return SENT_UNSURE; /* numbers were given away */
	}
	if (!stream_write(f, stream, body.at, body.len)) {
		drop(f);
		return SENT_UNSURE;
	}
	forward_all(items, n, ITEM_PENDING);
	return SENT;
}

/* The receiver may be in trouble, or not want that record: which, shows when it is the same again.
 */
static bool is_hopeless(struct forwarder *f, uint32_t ticket)
{
	static uint64_t seq, lane;
	static unsigned times;

	for (unsigned i = 0; i < f->count; i++) {
		const struct item *it = f->queue[(f->head + i) % QUEUE_MAX];

		if (it->state != ITEM_PENDING || it->ticket != ticket)
			continue;
		times = it->head.seq == seq && it->head.lane == lane ? times + 1 : 1;
		seq = it->head.seq;
		lane = it->head.lane;
		return times >= TRIES;
	}
	return false;
}

static enum sent take_relp(struct forwarder *f)
{
	struct answer a;
	int r, got;

	do {
		r = fill_in();
		while ((got = take_frame(&a)) > 0) {
			heard_ns = now_ns();
			if (!a.is_rsp)
				continue; /* serverclose: the end of the connection follows */
			if (a.code != 200) {
				forward_said(f, "RELP", a.text, strlen(a.text));
				if (!is_hopeless(f, a.txnr)) {
					drop(f);
					return SENT_UNSURE;
				}
			}
			forward_resolve(f, a.txnr, true, a.code == 200 ? ITEM_DONE : ITEM_REFUSED);
		}
		if (got < 0) {
			forward_why(f, "an answer that is no RELP");
			drop(f);
			return SENT_UNSURE;
		}
	} while (r > 0);
	if (r == 0 && now_ns() - heard_ns < WAIT)
		return SENT;
	if (!f->pending && r == 0)
		return SENT;
	forward_why(f, r < 0 ? "the collector closed the connection"
			     : "the collector does not acknowledge");
	drop(f);
	return f->pending ? SENT_UNSURE : SENT;
}

static void close_relp(struct forwarder *f)
{
	char text[32];
	int n;

	if (!stream)
		return;
	n = snprintf(text, sizeof(text), "%u close 0\n", next_txnr());
	if (stream_write(f, stream, text, (size_t)n))
		stream_close(stream, true);
	else
		stream_close(stream, false);
	stream = NULL;
}

const struct protocol protocol_relp = {
	.name = "relp",
	.batch = 256,
	.bytes = 512u << 10,
	.open = open_relp,
	.send = send_relp,
	.take = take_relp,
	.close = close_relp,
};
