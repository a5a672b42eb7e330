/* net_unit: see the header. */
#include "net_unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox.h"

#define BOUND_MS 3000 /* systemd starts a process meanwhile */

bool net_unit_is_ours(void)
{
	return geteuid() != 0;
}

/* Who made the socket is systemd, or we tell nobody anything. */
static int connected(int s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = NET_WIRE_PATH};
	struct ucred who = {.uid = 1};
	socklen_t len = sizeof(who);

	if (connect(s, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return -errno;
	return who.uid ? -EPERM : 0;
}

int net_unit_start(const int *fds, unsigned count, bool receive)
{
	struct net_ask ask = {
		.size = sizeof(ask), .version = OUTERGATE_VERSION, .receive = receive};
	int given[NET_WIRE_FDS], s, r;
	unsigned n = 0;

	for (unsigned i = 0; i < count && i < NET_WIRE_FDS; i++)
		if (fds[i] >= 0) {
			ask.given[i] = 1;
			given[n++] = fds[i];
		}
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	r = sandbox_override(true); /* it is root's alone */
	if (!r)
		r = connected(s);
	if (sandbox_override(false) && !r)
		r = -EPERM;
	if (!r)
		r = net_wire_send(s, &ask, sizeof(ask), given, n);
	if (!r)
		return s;
	close(s);
	fprintf(stderr,
		"outergate: cannot ask for a process with network at " NET_WIRE_PATH ": %s\n",
		strerror(-r));
	return r;
}

int net_unit_bound(int conn, int32_t results[RECEIVERS_MAX], int bound[RECEIVERS_MAX])
{
	struct pollfd p = {.fd = conn, .events = POLLIN};
	struct net_bound b;
	int fds[NET_WIRE_FDS], r;
	unsigned count, used = 0;

	if (poll(&p, 1, BOUND_MS) != 1)
		return -ETIMEDOUT;
	r = net_wire_recv(conn, &b, sizeof(b), fds, &count);
	if (r)
		return r;
	for (unsigned i = 0; i < RECEIVERS_MAX; i++) {
		if (bound[i] >= 0)
			continue;
		if (b.given[i] && used < count)
			bound[i] = fds[used++];
		if (b.results[i])
			results[i] = b.results[i];
	}
	while (used < count) /* more than it was asked for */
		close(fds[used++]);
	return 0;
}

void net_unit_hang_up(int conn)
{
	(void)shutdown(conn, SHUT_WR);
}

bool net_unit_ended(int conn, int wait_ms)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};

	/* It says nothing any more: whatever comes is its end. */
	return poll(&p, 1, wait_ms) == 1;
}
