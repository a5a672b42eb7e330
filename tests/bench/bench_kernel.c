/*
 * bench_kernel: one operation many times, wall ns each: connect (loopback, an unwatched port, with
 * accept and its address), fork (with exit and wait), exec (of /bin/true), getppid.
 * tests/bench/kernel.sh runs it with the agent on and off, side by side.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int listener;
static struct sockaddr_in address;

static int listener_open(void)
{
	socklen_t len = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 64))
		return -1;
	return getsockname(listener, (struct sockaddr *)&address, &len);
}

static int do_connect(void)
{
	struct linger reset = {.l_onoff = 1};
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int a, c = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(c, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	a = accept(listener, (struct sockaddr *)&peer, &len);
	/* No TIME_WAIT: the ports must last. */
	setsockopt(c, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c);
	return close(a);
}

static int do_fork(void)
{
	pid_t p = fork();

	if (p == 0)
		_exit(0);
	return waitpid(p, NULL, 0) == p ? 0 : -1;
}

static int do_exec(void)
{
	pid_t p = vfork();

	if (p == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	return waitpid(p, NULL, 0) == p ? 0 : -1;
}

static int do_getppid(void)
{
	return getppid() < 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} operations[] = {
	{"connect", do_connect}, {"fork", do_fork}, {"exec", do_exec}, {"getppid", do_getppid}};

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0;

	if (count < 1 || listener_open())
		return 2;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		double start;

		if (strcmp(argv[1], operations[i].name))
			continue;
		start = now_ns();
		for (long k = 0; k < count; k++)
			if (operations[i].run())
				return 1;
		printf("%.0f\n", (now_ns() - start) / (double)count);
		return 0;
	}
	return 2;
}
