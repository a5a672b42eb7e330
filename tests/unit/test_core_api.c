/*
 * Container APIs: one session of an address, what its requests had started, by the container's id
 * and never by the time; where that goes on, and what it does to its host.
 */
#include "core_world.h"

#define A	"203.0.113.9"
#define CID	"4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e"
#define ID(n)	(1ull << 63 | (n))
#define ARGS(s) ((struct span){s, sizeof(s) - 1})

static struct event request(struct world *w, double at, enum api_action action, const char *who)
{
	struct event e = kernel_event(w, EVENT_API, at, 900, who, 40000);

	e.service = SERVICE_DOCKER;
	e.local.port = 2375;
	e.outcome = OUTCOME_SUCCESS;
	e.result = 200;
	e.subject = SPAN_LIT("POST");
	e.path = SPAN_LIT("/x");
	e.api.action = action;
	return e;
}

static struct world *created(double at, uint32_t risks)
{
	struct world *w = world_new(true);
	struct event e = request(w, at, API_CREATE, A);

	e.api.container = SPAN_LIT(CID);
	e.api.risks = risks;
	e.args = ARGS("sh\0-c\0sleep 9");
	step(w, &e);
	return w;
}

static struct event birth(struct world *w, double at, uint64_t id, struct span args,
			  const char *cgroup)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, 0, NULL, 0);

	e.local = (struct endpoint){0};
	e.handoff = id;
	e.broker.kind = HANDOFF_CONTAINER;
	e.broker.proc.pid = 77;
	e.program = span_first(args, strlen(args.ptr));
	e.args = args;
	e.subject = span_of(cgroup);
	e.proc.pid = (uint32_t)(5000 + (id & 0xffff));
	return e;
}

static void goes_to(struct world *w, double at, uint64_t id, const char *address, uint16_t port)
{
	struct event e = kernel_event(w, EVENT_CONNECT, at, 0, NULL, 0);

	e.local = (struct endpoint){0};
	e.handoff = id;
	e.dest = ep(address, port);
	e.program = SPAN_LIT("nc");
	e.out_conn = (uint64_t)(at * 1000);
	e.flags |= EVENT_ESTABLISHED;
	step(w, &e);
}

static void what_it_started_by_id(void **state)
{
	static const char *const cgroups[] = {CID, "docker-" CID ".scope",
					      "cri-containerd-" CID ".scope"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = created(1, 0);
		struct event e = birth(w, 1.2, ID(1), ARGS("runc\0create"), "docker.service");

		step(w, &e);
		e = birth(w, 1.3, ID(1), ARGS("sh\0-c\0sleep 9"), cgroups[i]);
		step(w, &e);
		e = birth(w, 2, ID(1), ARGS("sleep\0009"), cgroups[i]);
		step(w, &e);
		assert_int_equal(session_nth(w, 0)->service, SERVICE_DOCKER);
		assert_int_equal(session_nth(w, 0)->method, METHOD_NO_AUTH);
		assert_int_equal(session_nth(w, 0)->commands_total, 2);
		assert_int_equal(session_nth(w, 0)->handoffs[0].state, HANDOFF_JOINED);
		world_free(w);
	}
}

/* The same words at the same moment, in another container. */
static void what_is_anothers(void **state)
{
	struct world *w = created(1, 0);
	struct event e =
		birth(w, 1.1, ID(1), ARGS("sh\0-c\0sleep 9"), "docker-0123456789abcdef.scope");

	(void)state;
	step(w, &e);
	e = birth(w, 1.2, ID(2), ARGS("sh\0-c\0sleep 9"), "");
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 0);
	assert_int_not_equal(session_nth(w, 0)->handoffs[0].state, HANDOFF_JOINED);
	world_free(w);
}

static void a_program_in_one_that_is_there(void **state)
{
	struct world *w = world_new(true);
	struct event e = request(w, 1, API_EXEC, A);

	(void)state;
	e.api.container = SPAN_LIT("web");
	e.args = ARGS("cat\0/etc/shadow");
	step(w, &e);
	e = birth(w, 1.2, ID(1), ARGS("cat\0/etc/passwd"), "docker-" CID ".scope");
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 0);
	e = birth(w, 1.3, ID(2), ARGS("cat\0/etc/shadow"), "docker-" CID ".scope");
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	world_free(w);
}

static void where_it_goes_on(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		unsigned fires;
	} rows[] = {{"10.20.0.2", 22, 1},	{"10.20.0.2", 10250, 1}, {"10.20.0.2", 6443, 1},
		    {"169.254.169.254", 80, 1}, {"10.20.0.2", 80, 0},	 {"1.1.1.1", 443, 0}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = created(1, 0);
		struct event e = birth(w, 1.3, ID(1), ARGS("sh\0-c\0sleep 9"), CID);

		step(w, &e);
		goes_to(w, 2, ID(1), rows[i].address, rows[i].port);
		assert_int_equal(alerts_of(w, "container.lateral"), rows[i].fires);
		world_free(w);
	}
}

static void what_it_does_to_its_host(void **state)
{
	struct world *w = created(1, RISK_HOST_MOUNT);
	struct event e = birth(w, 1.3, ID(1), ARGS("sh\0-c\0sleep 9"), CID);

	(void)state;
	step(w, &e);
	assert_int_equal(alerts_of(w, "container.escape"), 0);
	e = birth(w, 2, ID(1), ARGS("/usr/bin/nsenter\0-t\0001\0-m\0sh"), CID);
	step(w, &e);
	assert_int_equal(alerts_of(w, "container.escape"), 1);
	world_free(w);
	w = created(1, 0);
	e = birth(w, 1.3, ID(1), ARGS("sh\0-c\0sleep 9"), CID);
	step(w, &e);
	e = birth(w, 2, ID(1), ARGS("busybox\0chroot\0/host"), CID);
	step(w, &e);
	assert_int_equal(alerts_of(w, "container.escape"), 1);
	e = kernel_event(w, EVENT_FILE, 3, 0, NULL, 0);
	e.handoff = ID(1);
	e.path = SPAN_LIT("/root/.ssh/authorized_keys");
	e.subject = SPAN_LIT("authorized-keys");
	step(w, &e);
	assert_int_equal(alerts_of(w, "container.escape"), 1); /* one alert, which grows */
	world_free(w);
}

/* Requests of many connections; refused ones open nothing; the inside is no session. */
static void who_is_a_session(void **state)
{
	struct world *w = world_new(true);
	struct event e = request(w, 1, API_READ, A);

	(void)state;
	e.outcome = OUTCOME_REFUSED;
	step(w, &e);
	e = request(w, 2, API_READ, "10.1.2.3");
	step(w, &e);
	assert_null(session_nth(w, 0));
	for (unsigned i = 0; i < 5; i++) {
		e = request(w, 3 + i, API_READ, A);
		e.conn = 901 + i;
		e.origin.port = (uint16_t)(41000 + i);
		step(w, &e);
	}
	assert_non_null(session_nth(w, 0));
	assert_null(session_nth(w, 1));
	tick(w, 7 + 899);
	assert_int_equal(session_nth(w, 0)->state, SESSION_OPEN);
	tick(w, 7 + 901);
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	world_free(w);
}

/* Behind a proxy, too: the agent follows what the engine starts when, and only when, a stranger
 * asks. */
static void who_asks_an_engine(void **state)
{
	static const struct {
		const char *peer, *forwarded;
		enum outcome outcome;
		bool asked;
	} rows[] = {{A, "", OUTCOME_SUCCESS, true},
		    {A, "", OUTCOME_REFUSED, false},
		    {"10.0.0.5", "", OUTCOME_SUCCESS, false},
		    {"10.0.0.5", A, OUTCOME_SUCCESS, true},
		    {"10.0.0.6", A, OUTCOME_SUCCESS, false},
		    {"198.51.100.9", "", OUTCOME_SUCCESS, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_make(true);
		struct event e;

		w->config.proxies[0].kind = PROXY_KIND_XFF;
		assert_true(cidr_parse(SPAN_LIT("10.0.0.5/32"), &w->config.proxies[0].from));
		assert_true(cidr_parse(SPAN_LIT("198.51.100.0/24"), &w->config.allowed[0]));
		w->config.proxies_count = w->config.allowed_count = 1;
		world_start(w);
		e = request(w, 1, API_CREATE, rows[i].peer);
		e.via = span_of(rows[i].forwarded);
		e.outcome = rows[i].outcome;
		step(w, &e);
		if (core_engine_asked(w->core) != rows[i].asked)
			fail_msg("row %zu", i);
		assert_false(core_engine_asked(w->core));
		world_free(w);
	}
}

/* Nobody tells who logs in to an API: its silent connections are no blindness; those of ssh are. */
static void silence_of_an_api(void **state)
{
	static const enum service services[] = {SERVICE_KUBE_API, SERVICE_SSH};

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		struct world *w = world_new(true);

		for (unsigned i = 0; i < 30; i++) {
			struct event e = kernel_event(w, EVENT_CONNECTION, i, 100 + i, A, 4000 + i);

			e.service = services[k];
			step(w, &e);
			e = kernel_event(w, EVENT_CONNECTION_CLOSE, i + 0.5, 100 + i, A, 4000 + i);
			e.bytes_in = 4000;
			step(w, &e);
		}
		assert_int_equal(alerts_of(w, "sensor.blind"), k);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_started_by_id),
		cmocka_unit_test(what_is_anothers),
		cmocka_unit_test(a_program_in_one_that_is_there),
		cmocka_unit_test(where_it_goes_on),
		cmocka_unit_test(what_it_does_to_its_host),
		cmocka_unit_test(who_is_a_session),
		cmocka_unit_test(silence_of_an_api),
		cmocka_unit_test(who_asks_an_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
