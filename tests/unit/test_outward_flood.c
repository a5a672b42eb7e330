/* A user who copies a program to a thousand names, and who opens shells outward without end. */
#include "core_world.h"

static void goes_out(struct world *w, double at, uint32_t uid, unsigned name, uint16_t port)
{
	char path[40];
	struct event e = {
		.kind = EVENT_OUTWARD,
		.trust = TRUST_KERNEL,
		.time_ns = (uint64_t)((T0 + at) * SEC),
		.count = 1,
		.uid = uid,
		.program = SPAN_LIT("x"),
		.dest = ep("198.51.100.7", port),
	};

	snprintf(path, sizeof(path), "/tmp/x%u", name);
	e.path = span_of(path);
	step(w, &e);
}

static void a_days_first_few_of_a_user_are_told(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		goes_out(w, 1 + i * 0.01, 1000, i, 22);
	assert_int_equal(w->alerts_used, 16);
	assert_true(core_stats(w->core)->outward_refused == 984);
	goes_out(w, 20, 1000, 3, 22); /* what was told stays known, and costs nothing */
	assert_true(core_stats(w->core)->outward_refused == 984);
	goes_out(w, 21, 1001, 5000, 22); /* another's */
	assert_int_equal(w->alerts_used, 17);
	for (unsigned i = 0; i < 30; i++) /* and all of root's */
		goes_out(w, 30 + i, 0, 6000 + i, 22);
	assert_int_equal(w->alerts_used, 47);
	world_free(w);
}

static void smb_outside_is_bounded_too(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		goes_out(w, 1 + i * 0.01, 1000, i, 445);
	assert_true(alerts_of(w, "access.smb_rpc_internet") <= 16);
	assert_true(alerts_of(w, "access.smb_rpc_internet") >= 8);
	world_free(w);
}

static void shells_outward_leave_room_for_logins(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct event e = {
			.kind = EVENT_AGENT,
			.trust = TRUST_KERNEL,
			.time_ns = (T0 + i) * SEC,
			.count = 1,
			.conn = 1000 + i,
			.uid = 1000,
			.origin = ep("198.51.100.7", 443),
			.local = ep("192.0.2.1", 20000 + i),
			.program = SPAN_LIT("x"),
			.service = SERVICE_AGENT,
		};

		e.origin.port = (uint16_t)(443 + i);
		step(w, &e);
		e.kind = EVENT_EXEC;
		e.flags = EVENT_STDIN_TTY;
		e.program = SPAN_LIT("/bin/bash");
		step(w, &e);
	}
	assert_int_equal(alerts_of(w, "access.agent_session"), 64);
	assert_true(core_stats(w->core)->agents_refused == 136);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_days_first_few_of_a_user_are_told),
		cmocka_unit_test(smb_outside_is_bounded_too),
		cmocka_unit_test(shells_outward_leave_room_for_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
