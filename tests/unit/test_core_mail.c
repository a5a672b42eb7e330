/* Logins to mailboxes: one session for many, an end without a word, and no harm to others. */
#include "detect_world.h"

static void mail(struct world *w, double at, const char *account, const char *origin,
		 enum outcome outcome)
{
	struct event e = {.kind = EVENT_ATTEMPT,
			  .service = SERVICE_MAIL,
			  .outcome = outcome,
			  .method = METHOD_PASSWORD,
			  .trust = TRUST_TEXT,
			  .witness = WITNESS_DAEMON,
			  .count = 1,
			  .line = ++w->line,
			  .time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
			  .account = span_of(account),
			  .origin = ep(origin, 0)};

	step(w, &e);
}

static unsigned open_sessions(struct world *w, enum service service)
{
	const struct session *s;
	unsigned n = 0;

	for (unsigned i = 0; (s = core_session_at(w->core, i)); i++)
		n += s->service == service && s->state != SESSION_CLOSED;
	return n;
}

static void it_ends_an_hour_after_its_last_login(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 5; i++)
		mail(w, i * 900, "alice", A, OUTCOME_SUCCESS);
	assert_int_equal(core_stats(w->core)->sessions_opened, 1);
	tick(w, 3600 + 3599);
	assert_int_equal(open_sessions(w, SERVICE_MAIL), 1);
	tick(w, 3600 + 3600);
	assert_int_equal(open_sessions(w, SERVICE_MAIL), 0);
	assert_int_equal(session_nth(w, 0)->close_ns, (T0 + 3600) * SEC);
	mail(w, 9000, "alice", A, OUTCOME_SUCCESS);
	assert_int_equal(core_stats(w->core)->sessions_opened, 2);
	assert_int_equal(open_sessions(w, SERVICE_MAIL), 1);
	world_free(w);
}

/* Another account, or another place, is another session. */
static void each_account_and_place_for_itself(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	mail(w, 0, "alice", A, OUTCOME_SUCCESS);
	mail(w, 1, "bob", A, OUTCOME_SUCCESS);
	mail(w, 2, "alice", B, OUTCOME_SUCCESS);
	mail(w, 3, "alice", A, OUTCOME_SUCCESS);
	assert_int_equal(open_sessions(w, SERVICE_MAIL), 3);
	world_free(w);
}

/* No record of the kernel could bear it out: it is no mismatch. */
static void beside_the_kernel_sensor_it_is_no_lie(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	mail(w, 1, "alice", A, OUTCOME_SUCCESS);
	for (int i = 0; i < 6; i++)
		mail(w, 2 + i, "alice", B, OUTCOME_FAILURE);
	tick(w, 100);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	assert_int_equal(open_sessions(w, SERVICE_MAIL), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", B)->last.severity, SEVERITY_MEDIUM);
	assert_int_equal(alert_of(w, "auth.bruteforce", B)->last.count, 6);
	world_free(w);
}

/* More mailboxes than the table holds: a shell's session still finds its place, and stays. */
static void many_mailboxes_keep_no_shell_out(void **state)
{
	struct world *w = world_new(true);
	char name[16];

	(void)state;
	pam_password(w, 1, 1, A, 1, "alice");
	for (unsigned i = 0; i < w->config.limits.sessions + 100; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		mail(w, 2 + i * 0.01, name, B, OUTCOME_SUCCESS);
	}
	pam_password(w, 60, 2, A, 2, "carol");
	assert_int_equal(open_sessions(w, SERVICE_SSH), 2);
	assert_int_equal(core_stats(w->core)->sessions_refused, 0);
	assert_int_equal(alerts_of(w, "sensor.loss"), 0);
	world_free(w);
}

/* What one says who nobody saw log in says nothing of whether it exists. */
static void who_never_logged_in_may_not_exist(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 6; i++)
		mail(w, i, "nobody", B, OUTCOME_FAILURE);
	tick(w, 60);
	assert_int_equal(alert_of(w, "auth.bruteforce", B)->last.severity, SEVERITY_INFO);
	assert_true(alert_of(w, "auth.bruteforce", B)->last.account_unknown);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_an_hour_after_its_last_login),
		cmocka_unit_test(each_account_and_place_for_itself),
		cmocka_unit_test(beside_the_kernel_sensor_it_is_no_lie),
		cmocka_unit_test(many_mailboxes_keep_no_shell_out),
		cmocka_unit_test(who_never_logged_in_may_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
