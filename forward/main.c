/*
 * outergate-forward: takes records from the agent, sends them, says what arrived. Started by the
 * agent, once a destination; by hand it ends at once.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "forward.h"
#include "queue.h"
#include "receive.h"
#include "unit.h"
#include "agent-linux/net_wire.h"
#include "agent-linux/sandbox_filter.h"

#define WAIT_FIRST    (NS_PER_S / 2)
#define WAIT_MOST     (60 * NS_PER_S)
#define ASKED_MOST    (3600 * NS_PER_S) /* a collector may not silence us for longer */
#define TAKE_MS	      100
#define METRICS_EVERY (60 * NS_PER_S)
#define LAST_WORDS    (2 * NS_PER_S)

static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	(void)sig;
	terminated = 1;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Half of it to all of it, so that many hosts do not come back at one moment. */
static uint64_t jitter(uint64_t wait)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = (uint32_t)now_ns();
	return wait / 2 + wait / 2 * (r % 1024) / 1024;
}

static void wait_longer(struct forwarder *f)
{
	f->wait_ns = f->wait_ns ? f->wait_ns * 2 : WAIT_FIRST;
	if (f->wait_ns > WAIT_MOST)
		f->wait_ns = WAIT_MOST;
	if (f->asked_wait_ns > ASKED_MOST)
		f->asked_wait_ns = ASKED_MOST;
	f->retry_ns = now_ns() + jitter(f->wait_ns);
	if (f->retry_ns < now_ns() + f->asked_wait_ns)
		f->retry_ns = now_ns() + f->asked_wait_ns;
	f->asked_wait_ns = 0;
	f->retries++;
	answer_state(f, true);
}

static void went_well(struct forwarder *f)
{
	f->wait_ns = f->retry_ns = 0;
	if (f->batch < f->protocol->batch)
		f->batch = f->batch * 2 < f->protocol->batch ? f->batch * 2 : f->protocol->batch;
	f->why[0] = '\0';
	answer_state(f, false);
}

/* The agent hands all that is not acknowledged over again, marked as repeats. */
static void start_again(struct forwarder *f)
{
	queue_clear(f);
	f->round++;
	answer_again(f);
}

static void judge(struct forwarder *f, enum sent r)
{
	answer_acks(f);
	if (r == SENT)
		return;
	if (r == SENT_UNSURE)
		start_again(f);
	wait_longer(f);
}

static void work(struct forwarder *f)
{
	const struct protocol *p = f->protocol;
	struct item *batch[QUEUE_MAX];
	uint64_t done = f->delivered;
	unsigned n;

	/* Set once, by setup_read(): NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	if (p->take && f->pending) {
		judge(f, p->take(f));
		if (f->delivered != done)
			went_well(f);
	}
	if (now_ns() < f->retry_ns)
		return;
	n = queue_batch(f, batch);
	if (n) {
		enum sent r;

		done = f->delivered;
		r = p->send(f, batch, n);
		queue_count(f);
		judge(f, r);
		if (r == SENT && f->delivered != done)
			went_well(f);
	}
}

static int timeout_ms(const struct forwarder *f)
{
	uint64_t now = now_ns();

	if (f->pending)
		return TAKE_MS;
	if (!queue_waiting(f) && f->metrics_ns)
		return f->metrics_ns > now ? (int)((f->metrics_ns - now) / NS_PER_MS) + 1 : 0;
	if (!queue_waiting(f))
		return -1;
	return f->retry_ns > now ? (int)((f->retry_ns - now) / NS_PER_MS) + 1 : 0;
}

static void ask_metrics(struct forwarder *f)
{
	if (!f->metrics_ns || now_ns() < f->metrics_ns || f->ending)
		return;
	f->metrics_ns = now_ns() + METRICS_EVERY;
	forward_want(f);
}

static void loop(struct forwarder *f)
{
	uint64_t end = UINT64_MAX;

	while (!f->ending || ((f->pending || queue_waiting(f)) && now_ns() < end)) {
		struct pollfd set[2] = {
			{.fd = f->ending ? -1 : FORWARD_FD_RECORDS,
			 .events = f->count < QUEUE_MAX ? POLLIN : 0},
			{.fd = f->pending ? f->fd : -1, .events = POLLIN},
		};
		int wait = timeout_ms(f);

		if (f->ending && (wait < 0 || wait > TAKE_MS))
			wait = TAKE_MS;
		if (poll(set, 2, wait) < 0 && errno != EINTR)
			return;
		if (set[0].revents && !queue_receive(f))
			f->ending = true;
		if (terminated)
			f->ending = true;
		if (f->ending && end == UINT64_MAX)
			end = now_ns() + LAST_WORDS;
		ask_metrics(f);
		work(f);
	}
}

static int setup_read(struct forwarder *f)
{
	char *at = (char *)&f->setup;
	size_t got = 0;

	while (got < sizeof(f->setup)) {
		ssize_t n = read(FORWARD_FD_SETUP, at + got, sizeof(f->setup) - got);

		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	close(FORWARD_FD_SETUP);
	if (f->setup.size != sizeof(f->setup) || strcmp(f->setup.version, OUTERGATE_VERSION) != 0 ||
	    f->setup.to.kind >= FORWARD_KINDS)
		return -1;
	f->to = &f->setup.to;
	f->protocol = protocols[f->to->kind];
	if (!f->protocol)
		return -1;
	f->batch = f->protocol->batch;
	return 0;
}

/* For names and authorities; keys and tokens come by descriptors. */
static const char *const readable[] = {
	"/etc",	    "/usr",	  "/lib",	  "/lib64",    "/run",
	"/var/run", "/proc/self", "/var/lib/sss", "/dev/null", "/dev/urandom",
};

int main(int argc, char **argv)
{
	static struct forwarder f = {.fd = -1};
	const struct protocol *p = NULL;
	struct sigaction term = {.sa_handler = on_term};
	bool receive = argc == 2 && !strcmp(argv[1], "--receive");
	int unit = -1;

	/* Others of its user shall not read keys out of its memory, nor a core of it be kept. */
	prctl(PR_SET_DUMPABLE, 0);
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], NET_WIRE_OPTION)) {
		unit = unit_begin(&receive);
		if (unit < 0)
			receive = false; /* and there is no setup */
	}
	if (receive)
		return receive_main(unit);
	if (!setup_read(&f))
		p = f.protocol;
	if (!p) {
		fputs("outergate-forward: started by the agent, of the same version, alone\n",
		      stderr);
		return 2;
	}
	if (p->open(&f)) {
		fprintf(stderr, "outergate: forwarder %s: %s\n", f.to->name, f.why);
		answer_state(&f, true);
		return 1;
	}
	if (sandbox_files(readable, sizeof(readable) / sizeof(readable[0]), NULL, 0) < 0 ||
	    sandbox_filter(SANDBOX_FORWARDER)) {
		fprintf(stderr, "outergate: forwarder %s: cannot give up privilege\n", f.to->name);
		return 1;
	}
	if (p->metrics && forward_wants(f.to, FORWARD_METRICS, 0))
		f.metrics_ns = now_ns();
	if (p->serve)
		p->serve(&f);
	else
		loop(&f);
	p->close(&f);
	answer_acks(&f);
	return 0;
}
