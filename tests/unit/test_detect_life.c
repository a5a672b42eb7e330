/* Detections of lying and blind sources, an alert's life, the operator's word. */
#include "detect_world.h"

/* --- sensors */
static void forged_lines_are_one_alert(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, "198.51.100.9", 1);
	for (unsigned i = 0; i < 30; i++) {
		struct event e = text_event(w, EVENT_ATTEMPT, i, "198.51.100.9", 1, "root");

		e.trust = TRUST_FORGED;
		e.outcome = OUTCOME_SUCCESS;
		e.text = SPAN_LIT("Accepted password for root\n from 198.51.100.9 port 1 ssh2");
		step(w, &e);
	}
	assert_int_equal(sessions(w), 0);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 1);
	assert_int_equal(w->alerts_used, 1);
	assert_int_equal(alert_of(w, "sensor.mismatch", NULL)->notified, 2);
	assert_null(strchr(alert_of(w, "sensor.mismatch", NULL)->last.sentence, '\n'));
	assert_int_equal(alert_of(w, "sensor.mismatch", NULL)->last.origin.addr.family, ADDR_NONE);
	world_free(w);
}

static void a_line_about_no_connection_is_a_lie(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	tick(w, 0);
	accepted(w, 1, A, 4711, "root", METHOD_PASSWORD, "");
	tick(w, 2);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	tick(w, 5);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 1);
	assert_string_equal(alert_of(w, "sensor.mismatch", NULL)->last.reason,
			    "unknown-connection");
	assert_int_equal(sessions(w), 0);
	world_free(w);
}

static void a_line_from_before_the_agent_is_not(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	tick(w, 0);
	accepted(w, -50, A, 4711, "root", METHOD_PASSWORD, "");
	tick(w, 50);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

static void text_against_pam_loses(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	connected(w, 0, 1, A, 4711);
	pam_failed(w, 1, 1, A, 4711, "root");
	e = text_event(w, EVENT_ATTEMPT, 2, A, 4711, "root");
	e.trust = TRUST_TEXT;
	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PASSWORD;
	step(w, &e);
	assert_int_equal(sessions(w), 0);
	tick(w, 10);
	assert_string_equal(alert_of(w, "sensor.mismatch", NULL)->last.reason, "result-differs");
	assert_int_equal(sessions(w), 0);
	world_free(w);
}

static void another_account_is_told(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 4711);
	pam_password(w, 1, 1, A, 4711, "alice");
	accepted(w, 1.1, A, 4711, "root", METHOD_PASSWORD, "");
	assert_string_equal(alert_of(w, "sensor.mismatch", NULL)->last.reason, "account-differs");
	assert_string_equal(session_nth(w, 0)->account, "alice");
	world_free(w);
}

static void silent(struct world *w, unsigned n, uint64_t bytes, bool one_with_evidence)
{
	for (unsigned i = 0; i < n; i++) {
		connected(w, i, 1 + i, A, 1 + i);
		if (one_with_evidence && i == 3)
			pam_failed(w, i, 1 + i, A, 1 + i, "alice");
		closed(w, i + 0.5, 1 + i, A, 1 + i, bytes, 100, 0);
	}
}

static void silence_of_a_listener_is_blindness(void **state)
{
	static const struct {
		unsigned n;
		uint64_t bytes;
		bool evidence;
		unsigned alerts;
	} rows[] = {
		{20, 3000, false, 1},
		{19, 3000, false, 0},
		{40, 3000, true, 0}, /* others are seen */
		{40, 60, false, 0},  /* banner grabbers */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(true);

		silent(w, rows[i].n, rows[i].bytes, rows[i].evidence);
		assert_int_equal(alerts_of(w, "sensor.blind"), rows[i].alerts);
		world_free(w);
	}
}

static void long_connections_without_evidence_too(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		connected(w, i * 0.1, 1 + i, A, 1 + i);
	tick(w, 11);
	assert_int_equal(alerts_of(w, "sensor.blind"), 0); /* two are younger than 10 s */
	tick(w, 12);
	assert_int_equal(alerts_of(w, "sensor.blind"), 1);
	world_free(w);
}

static void sensors_speak_for_themselves(void **state)
{
	struct world *w = world_new(true);
	struct event e = {.kind = EVENT_SENSOR,
			  .trust = TRUST_KERNEL,
			  .time_ns = T0 * SEC,
			  .count = 1,
			  .text = SPAN_LIT("connected: all programs are attached")};

	(void)state;
	step(w, &e);
	assert_int_equal(w->alerts_used, 0);
	e.text = SPAN_LIT("probe-missing: connect6 could not be attached");
	step(w, &e);
	assert_string_equal(alert_of(w, "sensor.blind", NULL)->last.reason, "probe-missing");
	assert_string_equal(alert_of(w, "sensor.blind", NULL)->last.numbers, "1 time");
	e.kind = EVENT_LOSS;
	e.count = 312;
	e.text = SPAN_LIT("exec: the bulk ring was full");
	step(w, &e);
	assert_int_equal(alert_of(w, "sensor.loss", NULL)->last.count, 312);
	assert_int_equal(alert_of(w, "sensor.loss", NULL)->last.severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* --- life of an alert, the operator's word */
static void an_alert_closes_and_recurs(void **state)
{
	struct world *w = world_new(false);
	char first[ID_TEXT_MAX];

	(void)state;
	guess(w, 0, A, 6);
	strcpy(first, alert_of(w, "auth.bruteforce", A)->last.id);
	tick(w, 86400 + 4);
	assert_int_not_equal(alert_of(w, "auth.bruteforce", A)->last.state, ALERT_CLOSED);
	tick(w, 86400 + 6);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.state, ALERT_CLOSED);
	guess(w, 2 * 86400, A, 6);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 2);
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.previous, first);
	world_free(w);
}

static void sent_at_ten_and_a_hundred_times(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 59);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 1);
	failed(w, 60, A, 1, "alice");
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 2);
	for (unsigned i = 0; i < 540; i++)
		failed(w, 61 + i, A, 2 + i, "alice");
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 3);
	world_free(w);
}

/* Live, an alert that only grows is a revision every five seconds, not one an event. */
static void growth_is_paced(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	w->id.hash_seed = 5;
	w->paced = true;
	world_start(w);
	intrude(w, 0, 1, A, 3);
	for (unsigned i = 0; i < 2000; i++)
		EXEC(w, 10 + i * 0.01, 1, "/usr/bin/id", "id");
	assert_in_range(alert_of(w, "activity.remote_shell", A)->revisions, 4, 12);
	tick(w, 40);
	assert_int_equal(alert_of(w, "activity.remote_shell", A)->last.count, 2000);
	world_free(w);
}

static void the_operators_word_is_kept(void **state)
{
	struct world *w = world_make(false);
	struct config_detection *d = &w->config.detections[DETECTION_auth_bruteforce];

	(void)state;
	d->observe = true;
	world_start(w);
	guess(w, 0, A, 9);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 0);
	world_free(w);

	w = world_make(false);
	w->config.detections[DETECTION_auth_bruteforce].enabled = false;
	world_start(w);
	guess(w, 0, A, 9);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	world_free(w);

	w = world_make(false);
	w->config.detections[DETECTION_auth_bruteforce].has_severity = true;
	w->config.detections[DETECTION_auth_bruteforce].severity = SEVERITY_CRITICAL;
	world_start(w);
	guess(w, 0, A, 9);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_CRITICAL);
	world_free(w);

	w = world_make(false);
	w->config.exceptions[0] = (struct config_exception){.detection = DETECTION_auth_bruteforce,
							    .has_origin = true};
	assert_true(cidr_parse(SPAN_LIT("203.0.113.0/24"), &w->config.exceptions[0].origin));
	w->config.exceptions[0].until_ns = (T0 + 1000) * SEC;
	w->config.exceptions_count = 1;
	world_start(w);
	guess(w, 0, A, 9);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	assert_int_equal(core_stats(w->core)->alerts_suppressed, 4);
	guess(w, 5000, A, 9); /* the exception has expired */
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	world_free(w);
}

static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	(void)a;
	memcpy(ret->country, "NL", 3);
	ret->asn = 64500;
}

static const struct geo_source somewhere = {lookup};

/* Each field alone, with the value that the alert has and with another. */
static void exceptions_fit_by_every_field(void **state)
{
	static const struct {
		const char *fits, *not ;
	} rows[] = {
		{"origin: 203.0.113.9", "origin: 203.0.113.8"},
		{"account: alice", "account: alic"},
		{"service: ssh", "service: rdp"},
		{"method: password", "method: publickey"},
		{"port: 22", "port: 2222"},
		{"country: NL", "country: DE"},
		{"asn: 64500", "asn: 64501"},
		{"client: PuTTY", "client: PuTT"},
		{"cause: same-source", "cause: other-source"},
		{"account: alice, method: password", "account: alice, method: publickey"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned k = 0; k < 2; k++) {
			struct world *w = world_make(false);
			char yaml[256], err[CONFIG_ERROR_MAX];
			struct event e;

			snprintf(yaml, sizeof(yaml),
				 "Detections: {auth.bruteforce_success: {exceptions: "
				 "[{%s, reason: test}]}}\n",
				 k ? rows[i].not : rows[i].fits);
			if (config_parse(yaml, strlen(yaml), "t", &w->config, err))
				fail_msg("%s", err);
			w->id.geo = &somewhere;
			world_start(w);
			guess(w, 0, A, 6);
			e = text_event(w, EVENT_ATTEMPT, 10, A, 2999, "alice");
			e.outcome = OUTCOME_SUCCESS;
			e.method = METHOD_PASSWORD;
			e.client = SPAN_LIT("PuTTY");
			e.local = ep("192.0.2.1", 22);
			step(w, &e);
			assert_int_equal(alerts_of(w, "auth.bruteforce_success"), k);
			assert_int_equal(core_excepted(w->core, 0), !k);
			assert_int_equal(core_excepted(w->core, 1), 0);
			world_free(w);
		}
	}
}

static void the_same_events_give_the_same_ids(void **state)
{
	struct world *a = world_new(true), *b = world_new(true);

	(void)state;
	intrude(a, 0, 1, A, 8);
	onward(a, 30, 1, "10.0.0.5", 22);
	b->id.hash_seed = 77;
	intrude(b, 0, 1, A, 8);
	onward(b, 30, 1, "10.0.0.5", 22);
	assert_int_equal(a->alerts_used, b->alerts_used);
	for (unsigned i = 0; i < a->alerts_used; i++)
		assert_memory_equal(&a->alerts[i].last, &b->alerts[i].last,
				    offsetof(struct alert, evidence));
	world_free(a);
	world_free(b);
}

static void every_row_is_complete(void **state)
{
	(void)state;
	for (int i = 0; i < DETECTION_COUNT; i++) {
		const struct detection *d = detections[i];

		assert_int_equal(detection_find(span_of(d->id)), i);
		assert_true(d->title && d->attack && d->tactic && d->analytic && d->reasons);
		assert_true(d->data_components && d->triage && d->contain && d->false_positive);
		assert_true(d->tune && d->mitigation && d->step && d->events);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(detections[j]->number, d->number);
	}
	assert_int_equal(detection_find(SPAN_LIT("no.such")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_lines_are_one_alert),
		cmocka_unit_test(a_line_about_no_connection_is_a_lie),
		cmocka_unit_test(a_line_from_before_the_agent_is_not),
		cmocka_unit_test(text_against_pam_loses),
		cmocka_unit_test(another_account_is_told),
		cmocka_unit_test(silence_of_a_listener_is_blindness),
		cmocka_unit_test(long_connections_without_evidence_too),
		cmocka_unit_test(sensors_speak_for_themselves),
		cmocka_unit_test(an_alert_closes_and_recurs),
		cmocka_unit_test(sent_at_ten_and_a_hundred_times),
		cmocka_unit_test(growth_is_paced),
		cmocka_unit_test(the_operators_word_is_kept),
		cmocka_unit_test(exceptions_fit_by_every_field),
		cmocka_unit_test(the_same_events_give_the_same_ids),
		cmocka_unit_test(every_row_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
