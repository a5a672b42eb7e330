/*
 * load: what a busy host does, for the benchmarks of tests/bench/host.
 *
 *   load serve PORT          accepts, reads once, answers a line, closes; four processes
 *   load pam PORT DIR        a login server: accepts, authenticates the account that the client
 *                            names by PAM (service sshd, its configuration in DIR), a session
 *                            until the client goes
 *   load ask HOST PORT SECONDS PARALLEL [RATE [ACCOUNT]]
 *                            short connections; with RATE so many a second in all (0: as they
 *                            come); each names another account
 *   load hold HOST PORT COUNT ACCOUNT
 *                            so many logins, which stay until its standard input ends
 *   load exec SECONDS RATE PROGRAM
 *                            started so many times a second (0: as there is time for)
 *
 * ask and exec end with "COUNT SECONDS P50 P99 MAX": how many, in how long, latencies in us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVERS	    4
#define SAMPLES_MAX (1u << 21)

struct shared {
	uint32_t count;
	uint32_t us[SAMPLES_MAX];
};

static struct shared *shared;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sample(uint64_t since)
{
	uint32_t i = __atomic_fetch_add(&shared->count, 1, __ATOMIC_RELAXED);

	if (i < SAMPLES_MAX)
		shared->us[i] = (uint32_t)((now_ns() - since) / 1000);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int tell(uint64_t start)
{
	uint32_t n = shared->count < SAMPLES_MAX ? shared->count : SAMPLES_MAX;
	double took = (double)(now_ns() - start) / 1e9;

	if (!n)
		return 1;
	qsort(shared->us, n, sizeof(shared->us[0]), by_value);
	printf("%u %.3f %u %u %u\n", shared->count, took, shared->us[n / 2],
	       shared->us[(uint64_t)n * 99 / 100], shared->us[n - 1]);
	return 0;
}

/* Waits for the turn of the nth of `rate` a second; 0: at once. */
static void pace(uint64_t start, uint64_t nth, double rate)
{
	uint64_t due;
	struct timespec t;

	if (rate <= 0)
		return;
	due = start + (uint64_t)((double)nth * 1e9 / rate);
	t = (struct timespec){(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int listener(const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 4096)) {
		perror("load: listen");
		exit(1);
	}
	return s;
}

static int serve(const char *port)
{
	int s = listener(port);

	for (int i = 1; i < SERVERS; i++)
		if (fork() == 0)
			break;
	for (;;) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		char line[256];
		int c = accept(s, (struct sockaddr *)&peer, &len);

		if (c < 0)
			continue;
		if (read(c, line, sizeof(line)) > 0)
			(void)!write(c, "HTTP/1.0 200 OK\r\n\r\nok\n", 22);
		close(c);
	}
}

static int answer(int n, const struct pam_message **m, struct pam_response **r, void *arg)
{
	(void)m;
	(void)arg;
	*r = calloc((size_t)n, sizeof(**r));
	return *r ? PAM_SUCCESS : PAM_CONV_ERR;
}

static void login(int c, const char *dir)
{
	char rest[64];
	const struct pam_conv conv = {.conv = answer};
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	pam_handle_t *h = NULL;
	char host[INET_ADDRSTRLEN], account[64];
	ssize_t n = read(c, account, sizeof(account) - 1);

	if (n < 1)
		_exit(1);
	account[n] = '\0';
	account[strcspn(account, "\r\n")] = '\0';
	if (getpeername(c, (struct sockaddr *)&peer, &len) ||
	    pam_start_confdir("sshd", account, &conv, dir, &h))
		_exit(1);
	inet_ntop(AF_INET, &peer.sin_addr, host, sizeof(host));
	pam_set_item(h, PAM_RHOST, host);
	if (!pam_authenticate(h, 0) && !pam_acct_mgmt(h, 0) && !pam_open_session(h, 0)) {
		(void)!write(c, "ok\n", 3);
		shutdown(c, SHUT_WR);
		while (read(c, rest, sizeof(rest)) > 0)
			;
		pam_close_session(h, 0);
	}
	pam_end(h, 0);
	_exit(0);
}

static int pam(const char *port, const char *dir)
{
	int s = listener(port);

	for (;;) {
		int c = accept(s, NULL, NULL);

		if (c >= 0 && fork() == 0)
			login(c, dir);
		close(c);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void ask_once(const struct sockaddr_in *to, const char *words, size_t len)
{
	struct linger reset = {.l_onoff = 1};
	int one = 1, c = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t start = now_ns();
	char line[256];

	setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c, (const struct sockaddr *)to, sizeof(*to)) == 0 &&
	    write(c, words, len) == (ssize_t)len) {
		while (read(c, line, sizeof(line)) > 0)
			;
		sample(start);
	}
	/* No TIME_WAIT: the ports must last. */
	setsockopt(c, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c);
}

static int ask(char **argv, int argc)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
	double seconds = atof(argv[4]), rate = argc > 6 ? atof(argv[6]) : 0;
	int parallel = atoi(argv[5]);
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);

	if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 2;
	for (int i = 0; i < parallel; i++)
		if (fork() == 0) {
			for (uint64_t n = 0; now_ns() < end; n++) {
				char words[64] = "GET / HTTP/1.0\r\n\r\n";

				if (argc > 7)
					snprintf(words, sizeof(words), "%.20s%d-%u\n", argv[7], i,
						 (unsigned)n);
				pace(start + (uint64_t)(rate > 0 ? i * 1e9 / rate : 0), n,
				     rate / parallel);
				ask_once(&to, words, strlen(words));
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	return tell(start);
}

/* The server ends its half at once, so that ask() sees an end and this one need not read it. */
static int hold(char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
	struct rlimit most;
	int count = atoi(argv[4]);
	char line[64];

	if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 || getrlimit(RLIMIT_NOFILE, &most))
		return 2;
	most.rlim_cur = most.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &most))
		return 2;
	for (int i = 0; i < count; i++) {
		int n, c = socket(AF_INET, SOCK_STREAM, 0);

		n = snprintf(line, sizeof(line), "%.20s%d", argv[5], i);
		if (c < 0 || connect(c, (struct sockaddr *)&to, sizeof(to)) ||
		    write(c, line, (size_t)n) != n || read(c, line, 3) != 3) {
			perror("load: hold");
			return 1;
		}
	}
	puts("held");
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0)
		;
	return 0;
}

static int programs(double seconds, double rate, const char *what)
{
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);

	for (uint64_t n = 0; now_ns() < end; n++) {
		uint64_t one;
		pid_t p;

		pace(start, n, rate);
		one = now_ns();
		p = vfork();
		if (p == 0) {
			execl(what, what, (char *)NULL);
			_exit(1);
		}
		waitpid(p, NULL, 0);
		sample(one);
	}
	return tell(start);
}

int main(int argc, char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 1;
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "pam"))
		return pam(argv[2], argv[3]);
	if (argc >= 6 && !strcmp(argv[1], "ask"))
		return ask(argv, argc);
	if (argc == 6 && !strcmp(argv[1], "hold"))
		return hold(argv);
	if (argc == 5 && !strcmp(argv[1], "exec"))
		return programs(atof(argv[2]), atof(argv[3]), argv[4]);
	fprintf(stderr,
		"usage: load serve PORT | pam PORT DIR | ask HOST PORT SECONDS PARALLEL [RATE] | "
		"hold HOST PORT COUNT ACCOUNT | exec SECONDS RATE PROGRAM\n");
	return 2;
}
