/*
 * receive: takes lines from the network and from programs here, and hands them to the agent. A
 * process of its own, without files, store or capabilities: who sends us bytes reaches nothing
 * else. It knows framing and TLS, not what a line means.
 *
 * One message to the agent is one line; the agent's pace is ours (its socket blocks), and ours is
 * that of our senders. Each round serves every place and connection a bounded piece, so that a
 * flood at one does not silence another.
 *
 * Sources: RFC 3164 and RFC 5426 (a datagram is a message), RFC 6587 (streams), RFC 5425 (TLS).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-linux/net_wire.h"
#include "agent-linux/sandbox_filter.h"
#include "common/decode/stream_lines.h"
#include "forward.h"
#include "receive.h"
#include "receive_peer.h"

#define PEERS_MAX     64
#define DATAGRAMS_MAX 64 /* of one place in a round */
#define PIECE_MAX     16384
#define SILENT_NS     (60 * NS_PER_S)
#define COUNTS_EVERY  (10 * NS_PER_S) /* counters are told again at most this late */

static struct receive_setup setup;
static struct receive_count counts[RECEIVERS_MAX];
static struct peer peers[PEERS_MAX];
static struct stream_lines pipes[RECEIVERS_MAX];
static char message[sizeof(struct receive_line) + RECEIVE_LINE_MAX];

static void say(enum receive_message kind, unsigned row, const struct addr *peer, struct span text,
		bool cut)
{
	struct receive_line h = {.message = kind,
				 .row = row,
				 .len = (uint32_t)text.len,
				 .cut = cut,
				 .peer = *peer,
				 .lost = counts[row].lost,
				 .refused = counts[row].refused};

	memcpy(message, &h, sizeof(h));
	if (text.len)
		memcpy(message + sizeof(h), text.ptr, text.len);
	while (send(FORWARD_FD_RECORDS, message, sizeof(h) + text.len, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			_exit(0); /* the agent has gone: so do we */
	counts[row].told = h.lost + h.refused;
	counts[row].told_ns = now_ns();
}

struct sender {
	unsigned row;
	const struct addr *peer;
};

static void take_line(void *arg, struct span line, bool cut)
{
	const struct sender *s = arg;

	say(RECEIVE_LINE, s->row, s->peer, span_first(line, RECEIVE_LINE_MAX),
	    cut || line.len > RECEIVE_LINE_MAX);
}

static void take_datagrams(unsigned row)
{
	static char buf[RECEIVE_LINE_MAX];

	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		struct addr from = {0};
		ssize_t n = receive_datagram(RECEIVE_FD_FIRST + (int)row, buf, sizeof(buf), &from,
					     &counts[row].lost);
		struct span line = {buf, n > 0 ? (size_t)n : 0};

		if (n < 0)
			return;
		if (!receive_allows(&setup.rows[row], &from)) {
			counts[row].refused++;
			continue;
		}
		/* One message, whatever it holds: a line end inside begins no line. */
		while (line.len && strchr("\r\n", line.ptr[line.len - 1]))
			line.len--;
		if (line.len)
			take_line(&(struct sender){row, &from}, line, false);
	}
}

static void take_pipe(unsigned row)
{
	static const struct addr nobody;
	static char buf[PIECE_MAX];
	ssize_t n = read(RECEIVE_FD_FIRST + (int)row, buf, sizeof(buf));

	if (n > 0)
		stream_lines_feed(&pipes[row], (struct span){buf, (size_t)n}, take_line,
				  &(struct sender){row, &nobody});
}

static void end_peer(struct peer *p)
{
	stream_lines_end(&p->lines, take_line, &(struct sender){p->row, &p->from});
	peer_close(p);
}

/*
 * A place for it: a free one, or that of the one which has been silent for longest, if for a minute
 * at least: nobody keeps others out by connections that say nothing.
 */
static struct peer *peer_slot(void)
{
	struct peer *silent = &peers[0];

	for (unsigned i = 0; i < PEERS_MAX; i++) {
		if (!peers[i].used)
			return &peers[i];
		if (peers[i].last_ns < silent->last_ns)
			silent = &peers[i];
	}
	if (now_ns() - silent->last_ns < SILENT_NS)
		return NULL;
	counts[silent->row].refused++;
	end_peer(silent);
	return silent;
}

static void take_peer(unsigned row)
{
	struct peer *p = peer_slot();
	struct addr from = {0};
	int fd = receive_accept(RECEIVE_FD_FIRST + (int)row, &from);

	if (fd < 0)
		return;
	if (!p || !receive_allows(&setup.rows[row], &from)) {
		counts[row].refused++;
		close(fd);
		return;
	}
	if (!peer_open(p, row, fd, &from, setup.rows[row].kind == RECEIVE_TLS))
		counts[row].refused++;
}

static void take_bytes(struct peer *p)
{
	static char buf[PIECE_MAX];
	int n = peer_read(p, buf, sizeof(buf));

	if (n > 0)
		stream_lines_feed(&p->lines, (struct span){buf, (size_t)n}, take_line,
				  &(struct sender){p->row, &p->from});
	else if (n == PEER_REFUSED) {
		counts[p->row].refused++;
		peer_close(p);
	} else if (n == PEER_END) {
		end_peer(p);
	}
}

/* Numbers that no line has told yet. */
static void tell_counts(void)
{
	for (unsigned i = 0; i < setup.count; i++) {
		struct receive_count *c = &counts[i];

		if (c->lost + c->refused == c->told || now_ns() - c->told_ns < COUNTS_EVERY)
			continue;
		say(RECEIVE_STATE, i, &(struct addr){0}, (struct span){0}, false);
	}
}

static unsigned wanted(struct pollfd *set)
{
	unsigned n = 0;

	set[n++] = (struct pollfd){.fd = FORWARD_FD_RECORDS}; /* POLLHUP: the agent has gone */
	for (unsigned i = 0; i < RECEIVERS_MAX; i++)
		set[n++] = (struct pollfd){
			.fd = i < setup.count && setup.bound[i] ? RECEIVE_FD_FIRST + (int)i : -1,
			.events = POLLIN};
	for (unsigned i = 0; i < PEERS_MAX; i++)
		set[n++] = (struct pollfd){.fd = peers[i].used ? peers[i].fd : -1,
					   .events = peer_events(&peers[i])};
	return n;
}

static void take_place(unsigned row)
{
	switch (setup.rows[row].kind) {
	case RECEIVE_UDP:
		take_datagrams(row);
		break;
	case RECEIVE_PIPE:
		take_pipe(row);
		break;
	default:
		take_peer(row);
	}
}

static void serve(void)
{
	struct pollfd set[1 + RECEIVERS_MAX + PEERS_MAX];
	bool more = false; /* a TLS connection has bytes that no poll tells of */

	for (;;) {
		unsigned n = wanted(set);

		if (poll(set, n, more ? 0 : 1000) < 0 && errno != EINTR)
			return;
		if (set[0].revents)
			return;
		for (unsigned i = 0; i < setup.count; i++)
			if (set[1 + i].revents)
				take_place(i);
		more = false;
		for (unsigned i = 0; i < PEERS_MAX; i++) {
			struct peer *p = &peers[i];

			if (p->used && (set[1 + RECEIVERS_MAX + i].revents || peer_pending(p)))
				take_bytes(p);
			if (p->used && peer_is_late(p)) {
				counts[p->row].refused++;
				peer_close(p);
			}
			more = more || (p->used && peer_pending(p));
		}
		tell_counts();
	}
}

static bool setup_read(void)
{
	char *at = (char *)&setup;
	size_t got = 0;

	while (got < sizeof(setup)) {
		ssize_t n = read(FORWARD_FD_SETUP, at + got, sizeof(setup) - got);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	close(FORWARD_FD_SETUP);
	return setup.size == sizeof(setup) && !strcmp(setup.version, OUTERGATE_VERSION) &&
	       setup.count <= RECEIVERS_MAX;
}

/* The agent keeps what is bound, and has it handed over to whoever follows us. */
static bool bind_missing(int unit)
{
	struct net_bound b = {0};
	int fds[RECEIVERS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < setup.count; i++) {
		int fd;

		if (setup.bound[i] || !net_is_network(&setup.rows[i]))
			continue;
		fd = net_bind(&setup.rows[i]);
		b.results[i] = fd < 0 ? fd : 0;
		if (fd < 0)
			continue;
		if (dup2(fd, RECEIVE_FD_FIRST + (int)i) < 0)
			return false;
		fds[n++] = fd;
		b.given[i] = 1;
		setup.bound[i] = true;
	}
	if (net_wire_send(unit, &b, sizeof(b), fds, n))
		return false;
	while (n)
		close(fds[--n]);
	return true;
}

int receive_main(int unit)
{
	static const char *const readable[] = {"/etc/ssl", "/usr", "/lib", "/lib64",
					       "/dev/urandom"};

	if (!setup_read()) {
		fputs("outergate-forward: started by the agent, of the same version, alone\n",
		      stderr);
		return 2;
	}
	if (unit >= 0 && !bind_missing(unit)) {
		fputs("outergate: receivers: the agent does not hear what is bound\n", stderr);
		return 1;
	}
	for (unsigned i = 0; i < setup.count; i++) {
		char why[FORWARD_WHY_MAX] = "";

		if (setup.bound[i] && setup.rows[i].kind == RECEIVE_TLS &&
		    !peer_tls(i, &setup.rows[i], why)) {
			setup.bound[i] = false;
			close(RECEIVE_FD_FIRST + (int)i);
			say(RECEIVE_STATE, i, &(struct addr){0}, span_of(why), false);
		}
	}
	if (sandbox_files(readable, sizeof(readable) / sizeof(readable[0]), NULL, 0) < 0 ||
	    sandbox_filter(SANDBOX_FORWARDER)) {
		fputs("outergate: receivers: cannot give up privilege\n", stderr);
		return 1;
	}
	serve();
	return 0;
}
