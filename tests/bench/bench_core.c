/*
 * bench_core: events a second that the core takes, one core, by kind of load.
 *
 *   sessions   what a busy bastion tells: programs, connections, bytes of live sessions
 *   logins     whole sessions from connection to close
 *   guesses    failed logins of many sources, told by the kernel and by the log
 *   flood      one failure each of addresses never seen before
 *
 * usage: bench_core [MILLIONS [LOAD]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/core.h"

#define T0 1700000000000000000ull

struct bench {
	struct core *core;
	struct core_out out;
	uint64_t now, events;
	unsigned outputs;
};

/* Processor time, so that a busy machine does not count. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void give(struct bench *b, struct event *e)
{
	b->now += 10000; /* 100,000 events a second of their own time */
	e->time_ns = b->now;
	core_step(b->core, e, &b->out);
	b->outputs += b->out.count;
	b->events++;
}

static struct endpoint origin_of(uint32_t i)
{
	uint8_t bytes[4] = {(uint8_t)(20 + (i >> 24)), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			    (uint8_t)i};

	return (struct endpoint){.addr = addr_from_bytes(bytes, 4), .port = (uint16_t)(1024 + i)};
}

static struct event kernel(enum event_kind kind, uint64_t conn)
{
	return (struct event){.kind = kind,
			      .service = SERVICE_SSH,
			      .trust = TRUST_KERNEL,
			      .witness = WITNESS_KERNEL,
			      .count = 1,
			      .conn = conn,
			      .origin = origin_of((uint32_t)conn),
			      .proc = {.pid = (uint32_t)conn, .start_ns = 1}};
}

static void open_session(struct bench *b, uint64_t conn)
{
	struct event e = kernel(EVENT_CONNECTION, conn);

	give(b, &e);
	e.kind = EVENT_PAM;
	e.pam_call = PAM_CALL_ACCT_MGMT;
	e.pam_service = SPAN_LIT("sshd");
	e.account = SPAN_LIT("alice");
	give(b, &e);
}

static void load_sessions(struct bench *b, uint64_t n)
{
	for (uint64_t i = 1; i <= 100; i++)
		open_session(b, i);
	for (uint64_t i = 0; b->events < n; i++) {
		struct event e = kernel(i % 4 == 0   ? EVENT_EXEC
					: i % 4 == 1 ? EVENT_FORK
					: i % 4 == 2 ? EVENT_EXIT
						     : EVENT_BYTES,
					1 + i % 100);

		e.program = SPAN_LIT("/usr/bin/id");
		e.args = (struct span){"id\0-u", 5};
		e.alive = 3;
		e.bytes_in = e.bytes_out = i;
		give(b, &e);
	}
}

static void load_logins(struct bench *b, uint64_t n)
{
	for (uint64_t i = 1; b->events < n; i++) {
		struct event e;

		open_session(b, i);
		e = kernel(EVENT_EXEC, i);
		e.program = SPAN_LIT("/bin/bash");
		e.args = SPAN_LIT("-bash");
		give(b, &e);
		e = kernel(EVENT_CONNECTION_CLOSE, i);
		give(b, &e);
	}
}

static void load_guesses(struct bench *b, uint64_t n)
{
	for (uint64_t i = 1; b->events < n; i++) {
		struct event e = kernel(EVENT_CONNECTION, i);

		e.origin = origin_of((uint32_t)(i % 20000) << 8);
		give(b, &e);
		e.kind = EVENT_PAM;
		e.pam_call = PAM_CALL_AUTHENTICATE;
		e.result = 7;
		e.pam_service = SPAN_LIT("sshd");
		e.account = SPAN_LIT("root");
		give(b, &e);
		e.kind = EVENT_ATTEMPT;
		e.outcome = OUTCOME_FAILURE;
		e.method = METHOD_PASSWORD;
		e.trust = TRUST_TRANSPORT;
		e.witness = WITNESS_DAEMON;
		e.flags = EVENT_ACCOUNT_EXISTS;
		e.conn = 0;
		give(b, &e);
		e = kernel(EVENT_CONNECTION_CLOSE, i);
		e.origin = origin_of((uint32_t)(i % 20000) << 8);
		give(b, &e);
	}
}

static void load_flood(struct bench *b, uint64_t n)
{
	for (uint64_t i = 1; b->events < n; i++) {
		struct event e = kernel(EVENT_ATTEMPT, 0);

		e.trust = TRUST_TEXT;
		e.witness = WITNESS_DAEMON;
		e.outcome = OUTCOME_FAILURE;
		e.method = METHOD_PASSWORD;
		e.flags = EVENT_ACCOUNT_UNKNOWN;
		e.account = SPAN_LIT("admin");
		e.origin = origin_of((uint32_t)i * 2654435761u);
		e.proc.pid = 0;
		give(b, &e);
	}
}

static void run(const char *name, void (*load)(struct bench *b, uint64_t n), uint64_t n,
		bool kernel_sensor)
{
	static struct config config;
	struct core_identity id = {.host_id = "bench", .boot_id = "boot", .hash_seed = 7};
	struct bench b = {.now = T0};
	double start, took;

	config_defaults(&config);
	id.kernel_sensor = kernel_sensor;
	b.core = core_new(&config, &id);
	if (!b.core)
		exit(1);
	start = seconds();
	load(&b, n);
	took = seconds() - start;
	printf("%-10s %6.2f million events/s  %5.0f ns/event  %u outputs\n", name,
	       (double)b.events / took / 1e6, took * 1e9 / (double)b.events, b.outputs);
	core_free(b.core);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*load)(struct bench *b, uint64_t n);
		bool kernel_sensor;
	} loads[] = {{"sessions", load_sessions, true},
		     {"logins", load_logins, true},
		     {"guesses", load_guesses, true},
		     {"flood", load_flood, false}};
	uint64_t n = (uint64_t)((argc > 1 ? atof(argv[1]) : 4) * 1e6);

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		if (argc < 3 || strcmp(argv[2], loads[i].name) == 0)
			run(loads[i].name, loads[i].load, n, loads[i].kernel_sensor);
	return 0;
}
