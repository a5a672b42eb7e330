/* unit: see the header. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-linux/net_wire.h"
#include "wire.h"

#define FIRST 3	 /* sd_listen_fds(3) */
#define ABOVE 32 /* of all places */

static bool was_activated(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && count && strtol(pid, NULL, 10) == getpid() && !strcmp(count, "1");
}

/* SIGIO, whose action is the end: nothing of us is asked, and the loops need not know. */
static int end_at_hang_up(int conn)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};
	int flags = fcntl(conn, F_GETFL);

	signal(SIGIO, SIG_DFL);
	if (flags < 0 || fcntl(conn, F_SETOWN, getpid()) || fcntl(conn, F_SETFL, flags | O_ASYNC))
		return -errno;
	return poll(&p, 1, 0) ? -EPIPE : 0; /* it has hung up already */
}

static int places_fill(const struct net_ask *ask, const int *fds, unsigned count)
{
	int high[NET_WIRE_FDS];
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, ABOVE);
		close(fds[i]);
		if (high[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < NET_WIRE_FDS; i++) {
		if (!ask->given[i])
			continue;
		if (used == count || dup2(high[used], FORWARD_FD_RECORDS + (int)i) < 0)
			return -EPROTO;
		close(high[used++]);
	}
	return used == count ? 0 : -EPROTO;
}

int unit_begin(bool *ret_receive)
{
	struct net_ask ask;
	int fds[NET_WIRE_FDS], conn;
	unsigned count;

	if (!was_activated())
		return -1;
	conn = fcntl(FIRST, F_DUPFD_CLOEXEC, ABOVE);
	close(FIRST);
	if (conn < 0 || net_wire_recv(conn, &ask, sizeof(ask), fds, &count))
		return -1;
	if (ask.size != sizeof(ask) ||
	    strncmp(ask.version, OUTERGATE_VERSION, sizeof(ask.version)) != 0 ||
	    places_fill(&ask, fds, count) || end_at_hang_up(conn))
		return -1;
	*ret_receive = ask.receive;
	return conn;
}
