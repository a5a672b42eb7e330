/* Alerts in a crowd: what is kept, what is sent, how often it is told. */
#include "detect_world.h"

static void observe_is_each_detections_own(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->config.observe = true; /* the parser gives it to each, then they say otherwise */
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		w->config.detections[i].observe = i != DETECTION_auth_bruteforce;
	world_start(w);
	guess(w, 0, A, 9);
	accepted(w, 20, A, 5000, "alice", METHOD_PASSWORD, "");
	assert_false(alert_of(w, "auth.bruteforce", A)->last.observe);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 1);
	assert_true(alert_of(w, "auth.bruteforce_success", A)->last.observe);
	assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->notified, 0);
	world_free(w);
}

/* Starts the world with room for fewer alerts than sources guess. */
static void crowd_of_guesses(struct world *w)
{
	char origin[32];

	w->config.limits.alerts = 64;
	world_start(w);
	for (unsigned s = 0; s < 80; s++) {
		snprintf(origin, sizeof(origin), "198.%u.7.7", s);
		for (unsigned i = 0; i < 7; i++) {
			connected(w, s, 10000 + 10 * s + i, origin, 1 + i);
			failed(w, s, origin, 1 + i, "alice");
		}
	}
	assert_int_equal(w->core->alerts.used, 64);
}

static void a_crowd_does_not_keep_a_chain_out(void **state)
{
	struct world *w = world_make(true);
	char origin[32];

	(void)state;
	crowd_of_guesses(w);
	assert_true(core_stats(w->core)->alerts_refused > 0); /* a medium one takes no other's */
	intrude(w, 100, 1, A, 8);
	onward(w, 130, 1, "10.0.0.5", 22);
	assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->last.severity, SEVERITY_HIGH);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	assert_int_equal(w->core->alerts.used, 64);
	/* What is high stays, however many come. */
	for (unsigned s = 0; s < 80; s++) {
		snprintf(origin, sizeof(origin), "198.%u.8.8", s);
		intrude(w, 200 + 20 * s, 20000 + 20 * s, origin, 8);
	}
	onward(w, 3000, 1, "10.0.0.6", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	assert_int_equal(w->core->alerts.used, 64);
	world_free(w);
}

/* A table full of guesses, low or medium, or of logins of the day: a login is told all the same. */
static void a_crowd_does_not_keep_a_login_out(void **state)
{
	char origin[32], account[16];
	struct world *w = world_make(true);

	(void)state;
	crowd_of_guesses(w);
	connected(w, 100, 9000, A, 5000);
	accepted(w, 101, A, 5000, "bob", METHOD_PUBLICKEY, "");
	assert_int_equal(alert_of(w, "access.external", A)->notified, 1);
	/* And one more, when all of them are logins. */
	for (unsigned s = 0; s < 80; s++) {
		snprintf(origin, sizeof(origin), "198.%u.9.9", s);
		snprintf(account, sizeof(account), "user%u", s);
		connected(w, 200 + s, 30000 + s, origin, 5000);
		accepted(w, 200 + s, origin, 5000, account, METHOD_PUBLICKEY, "");
		assert_int_equal(alert_of(w, "access.external", origin)->notified, 1);
	}
	assert_int_equal(w->core->alerts.used, 64);
	world_free(w);
}

static void evidence_says_who_does_not_exist(void **state)
{
	struct world *w = world_new(false);
	const struct alert *a;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		failed_unknown(w, i, A, 1 + i, "hunter2");
	a = &alert_of(w, "auth.bruteforce", A)->last;
	assert_true(a->evidence_count > 0);
	for (unsigned i = 0; i < a->evidence_count; i++)
		assert_non_null(strstr(a->evidence[i].text, "for invalid user 'hunter2'"));
	world_free(w);

	w = world_new(false);
	guess(w, 0, A, 7);
	a = &alert_of(w, "auth.bruteforce", A)->last;
	assert_true(a->evidence_count > 0);
	for (unsigned i = 0; i < a->evidence_count; i++)
		assert_non_null(strstr(a->evidence[i].text, "for 'alice'"));
	world_free(w);
}

/* One connection that never ends: every failure counts, and few of them are worth a revision. */
static void replayed_growth(unsigned n, unsigned revisions)
{
	struct world *w = world_make(false);
	struct seen_alert *a;

	w->paced = true;
	world_start(w);
	for (unsigned i = 0; i < n; i++)
		failed(w, i * 0.05, A, 4711, "alice");
	core_flush(w->core, &w->out);
	world_collect(w);
	a = alert_of(w, "auth.bruteforce", A);
	assert_int_equal(a->last.count, n);
	assert_int_equal(a->revisions, revisions);
	world_free(w);
}

static void a_count_has_no_end_and_few_revisions(void **state)
{
	(void)state;
	replayed_growth(6, 1);	/* first fire */
	replayed_growth(59, 2); /* and what is known at the end */
	replayed_growth(61, 3);
	replayed_growth(300000, 6); /* 6, 60, 600, 6,000, 60,000, the end */
}

static void parallel_sessions_are_one_story(void **state)
{
	struct world *w = world_new(true);
	const char *chain;
	struct seen_alert *a;
	unsigned before;

	(void)state;
	intrude(w, 0, 1, A, 8);
	onward(w, 30, 1, "10.0.0.5", 22);
	chain = alert_of(w, "chain.t1133", NULL)->last.id;
	before = alerts_of(w, "auth.bruteforce_success");
	assert_int_equal(before, 1);
	connected(w, 40, 50, A, 4000);
	pam_password(w, 40, 50, A, 4000, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 2);
	a = alert_of(w, "auth.bruteforce_success", A);
	assert_string_equal(a->last.part_of, chain);
	assert_int_equal(a->notified, 0);
	/* Another account of that source is news. */
	connected(w, 50, 51, A, 4001);
	pam_password(w, 50, 51, A, 4001, "bob");
	assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->notified, 1);
	/* Another source is another story. */
	intrude(w, 60, 70, B, 8);
	assert_int_equal(alert_of(w, "auth.bruteforce_success", B)->notified, 1);
	world_free(w);
}

/* Both were there before the chain: they are part of it when it starts. */
static void parallel_sessions_join_when_it_starts(void **state)
{
	struct world *w = world_new(true);
	unsigned parts = 0;

	(void)state;
	intrude(w, 0, 1, A, 8);
	connected(w, 40, 50, A, 4000);
	pam_password(w, 40, 50, A, 4000, "alice");
	onward(w, 45, 1, "10.0.0.5", 22);
	for (unsigned i = 0; i < w->alerts_used; i++)
		parts += strcmp(w->alerts[i].last.detection->id, "auth.bruteforce_success") == 0 &&
			 w->alerts[i].last.part_of[0];
	assert_int_equal(parts, 2);
	world_free(w);
}

static void automation_goes_on_as_it_does(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	strcpy(w->config.expected_automation[0], "deploy");
	w->config.expected_automation_count = 1;
	world_start(w);
	connected(w, 0, 1, A, 1);
	pam_password(w, 1, 1, A, 1, "deploy");
	onward(w, 5, 1, "10.0.0.5", 22);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity, SEVERITY_INFO);
	connected(w, 10, 2, B, 1);
	pam_password(w, 11, 2, B, 1, "alice");
	onward(w, 15, 2, "10.0.0.5", 22);
	assert_int_equal(alert_of(w, "activity.lateral_movement", B)->last.severity,
			 SEVERITY_MEDIUM);
	world_free(w);
}

static uint64_t set_to_max(struct world *w, unsigned index)
{
	return w->config.detections[index].params[0] = detections[index]->param_max[0];
}

/* The largest value that the configuration takes can be reached. */
static void the_largest_thresholds_fire(void **state)
{
	struct world *w = world_make(true);
	uint64_t most = set_to_max(w, DETECTION_activity_lateral_movement);
	char text[32];

	(void)state;
	assert_true(most > 5);
	world_start(w);
	connected(w, 0, 1, A, 1);
	pam_password(w, 1, 1, A, 1, "alice");
	for (unsigned i = 0; i < 3 * most; i++) { /* the same ones again are not new */
		snprintf(text, sizeof(text), "10.0.0.%u", 1 + i % (unsigned)(most - 1));
		onward(w, 5 + i, 1, text, 22);
	}
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity,
			 SEVERITY_MEDIUM);
	onward(w, 90, 1, "10.0.0.200", 22);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity, SEVERITY_HIGH);
	world_free(w);

	w = world_make(false);
	most = set_to_max(w, DETECTION_auth_spray);
	assert_true(most > 10);
	world_start(w);
	for (unsigned i = 0; i < most; i++) {
		assert_int_equal(alerts_of(w, "auth.spray"), 0);
		snprintf(text, sizeof(text), "name%u", i);
		failed(w, i, A, 1 + i, text);
	}
	assert_int_equal(alerts_of(w, "auth.spray"), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(observe_is_each_detections_own),
		cmocka_unit_test(a_crowd_does_not_keep_a_chain_out),
		cmocka_unit_test(a_crowd_does_not_keep_a_login_out),
		cmocka_unit_test(evidence_says_who_does_not_exist),
		cmocka_unit_test(a_count_has_no_end_and_few_revisions),
		cmocka_unit_test(parallel_sessions_are_one_story),
		cmocka_unit_test(parallel_sessions_join_when_it_starts),
		cmocka_unit_test(automation_goes_on_as_it_does),
		cmocka_unit_test(the_largest_thresholds_fire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
