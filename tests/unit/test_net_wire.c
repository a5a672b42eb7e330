/* net_wire: descriptors and one message between the agent and outergate-net@.service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-linux/net_wire.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void as_sent(void **state)
{
	struct net_ask sent = {.size = sizeof(sent), .receive = 1, .given = {1, 0, 1}}, got;
	int pipes[NET_WIRE_FDS], fds[NET_WIRE_FDS];
	unsigned count;

	(void)state;
	for (unsigned i = 0; i < NET_WIRE_FDS; i += 2)
		assert_int_equal(pipe(pipes + i), 0);
	for (unsigned n = 0; n <= NET_WIRE_FDS; n += NET_WIRE_FDS / 2) {
		assert_int_equal(net_wire_send(pair[0], &sent, sizeof(sent), pipes, n), 0);
		assert_int_equal(net_wire_recv(pair[1], &got, sizeof(got), fds, &count), 0);
		assert_memory_equal(&sent, &got, sizeof(got));
		assert_int_equal(count, n);
		for (unsigned i = 0; i < n; i++) {
			assert_true(inode(fds[i]) == inode(pipes[i]));
			close(fds[i]);
		}
	}
	for (unsigned i = 0; i < NET_WIRE_FDS; i++)
		close(pipes[i]);
}

/* What is wrong leaves no descriptor open. */
static void nothing_else(void **state)
{
	struct net_ask sent = {.size = sizeof(sent)}, got;
	int fds[NET_WIRE_FDS], next = dup(pair[0]);
	unsigned count;

	(void)state;
	close(next);
	for (unsigned i = 0; i < 2; i++) { /* too short, too long */
		assert_int_equal(net_wire_send(pair[0], &sent, i ? sizeof(sent) : 1, pair, 2), 0);
		assert_int_equal(net_wire_recv(pair[1], &got, sizeof(got) - i, fds, &count),
				 -EPROTO);
		assert_int_equal(count, 0);
		assert_int_equal(dup(pair[0]), next);
		close(next);
	}
	assert_int_equal(net_wire_send(pair[0], &sent, sizeof(sent), pair, NET_WIRE_FDS + 1),
			 -EINVAL);
	close(pair[0]);
	assert_int_equal(net_wire_recv(pair[1], &got, sizeof(got), fds, &count), -EPIPE);
	assert_int_equal(net_wire_send(pair[1], &sent, sizeof(sent), NULL, 0), -EPIPE);
	pair[0] = dup(pair[1]);
}

/* A stranger's empty message leaves us no descriptor. */
static void an_empty_message(void **state)
{
	int pipes[2], fds[NET_WIRE_FDS], before, after;
	struct net_bound got;
	unsigned count;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	before = dup(0);
	close(before);
	assert_int_equal(net_wire_send(pair[0], "", 0, pipes, 2), 0);
	assert_int_equal(net_wire_recv(pair[1], &got, sizeof(got), fds, &count), -EPIPE);
	assert_int_equal(count, 0);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
	close(pipes[0]);
	close(pipes[1]);
}

static void a_place(void **state)
{
	struct config_receiver r = {.kind = RECEIVE_UDP,
				    .at = {.addr = {.family = ADDR_V4, .bytes = {127, 0, 0, 1}}}};
	int fd, type;
	socklen_t len = sizeof(type);

	(void)state;
	assert_true(net_is_network(&r));
	fd = net_bind(&r);
	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_DGRAM);
	close(fd);
	r.kind = RECEIVE_PIPE;
	assert_false(net_is_network(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_place, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
