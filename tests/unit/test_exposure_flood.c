/* A user who listens on hundreds of ports, and root beside. */
#include "core_world.h"

#include "common/exposure/exposure.h"

static void listens(struct world *w, double at, uint32_t uid, uint16_t port)
{
	struct event e = {
		.kind = EVENT_EXPOSURE,
		.trust = TRUST_KERNEL,
		.time_ns = (uint64_t)((T0 + at) * SEC),
		.count = 1,
		.service = SERVICE_SSH,
		.uid = uid,
		.out_conn = port * 0x9e3779b97f4a7c15ull,
		.alive = REACH_ANYONE,
		.result = EXPOSED_STRONG,
		.path = SPAN_LIT("/home/u/sshd"),
		.program = SPAN_LIT("sshd"),
	};

	e.local = ep("0.0.0.0", port);
	step(w, &e);
}

static unsigned sent(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->alerts_used; i++)
		n += w->alerts[i].notified != 0;
	return n;
}

static struct world *after_the_baseline(void)
{
	struct world *w = world_new(true);
	struct event done = {
		.kind = EVENT_EXPOSURE, .trust = TRUST_KERNEL, .time_ns = T0 * SEC, .count = 1};

	step(w, &done);
	return w;
}

static void a_days_first_few_of_a_user_are_sent(void **state)
{
	struct world *w = after_the_baseline();

	(void)state;
	for (uint16_t i = 0; i < 200; i++)
		listens(w, 1 + i, 1000, (uint16_t)(3000 + i));
	assert_int_equal(w->alerts_used, 200); /* each is kept */
	assert_int_equal(sent(w), 8);
	listens(w, 300, 1001, 4000); /* another's is sent */
	assert_int_equal(sent(w), 9);
	for (uint16_t i = 0; i < 20; i++) /* and all of root's */
		listens(w, 400 + i, 0, (uint16_t)(5000 + i));
	assert_int_equal(sent(w), 29);
	listens(w, 90000, 1000, 6000); /* the next day's */
	tick(w, 90001);		       /* what closes comes first */
	assert_int_equal(sent(w), 30);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_days_first_few_of_a_user_are_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
