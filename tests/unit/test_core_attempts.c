/* What is one attempt (SPEC 4.1), sliding windows, joins of witnesses. */
#include "core_world.h"

#include "common/core/core_internal.h"

#define A "203.0.113.9"

static uint64_t attempts(struct world *w)
{
	return core_stats(w->core)->attempts;
}

static void threshold_is_exceeded_not_met(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 5; i++)
		failed(w, i, A, 4000 + (unsigned)i, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	failed(w, 5, A, 4005, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_MEDIUM);
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.numbers,
			    "6 failures > 5 in 15m");
	world_free(w);
}

static void window_has_an_edge(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	failed(w, 0, A, 1, "alice");
	for (int i = 1; i < 5; i++)
		failed(w, 800 + i, A, 1 + (unsigned)i, "alice");
	failed(w, 900, A, 9, "alice"); /* the first is exactly 15 minutes old: outside */
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	world_free(w);

	w = world_new(false);
	failed(w, 0, A, 1, "alice");
	for (int i = 1; i < 5; i++)
		failed(w, 800 + i, A, 1 + (unsigned)i, "alice");
	failed(w, 899.5, A, 9, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	world_free(w);
}

/* What a network sensor on another host infers, relayed to this one. */
static void inferred(struct world *w, double at, unsigned port, const char *to)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, A, port, "");

	e.trust = TRUST_TEXT;
	e.witness = WITNESS_NETWORK;
	e.outcome = OUTCOME_FAILURE;
	e.host = SPAN_LIT("zeek1");
	e.local = ep(to, 22);
	e.flags = EVENT_ELSEWHERE;
	step(w, &e);
}

static void packets_of_other_hosts_count(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	connected(w, 0, 7, A, 4000);
	inferred(w, 1, 4000, "198.51.100.1"); /* its address outside of the NAT */
	inferred(w, 2, 4001, "192.0.2.1");    /* where the kernel's connection came to */
	assert_int_equal(attempts(w), 0);
	assert_int_equal(core_stats(w->core)->attempts_merged, 2);
	for (unsigned i = 0; i < 6; i++)
		inferred(w, 10 + i, 5000 + i, "192.0.2.7");
	assert_int_equal(attempts(w), 6);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	for (unsigned i = 0; i < 6; i++) { /* that host's own word of the same */
		e = text_event(w, EVENT_ATTEMPT, 10.5 + i, A, 5000 + i, "alice");
		e.trust = TRUST_TEXT;
		e.outcome = OUTCOME_FAILURE;
		e.host = SPAN_LIT("srv7");
		e.flags = EVENT_ELSEWHERE;
		step(w, &e);
	}
	assert_int_equal(attempts(w), 6);
	world_free(w);
}

static void slow_guesses_never_fire(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 300; i++)
		failed(w, i * 181, A, 1000 + (unsigned)i, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	world_free(w);
}

static void late_lines_count_in_their_place(void **state)
{
	struct world *w = world_new(false);
	static const double times[] = {100, 3, 101, 1, 102, 2};

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		failed(w, times[i], A, 1 + i, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	world_free(w);
}

static void witnesses_of_one_try_count_once(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 4711);
	for (int i = 0; i < 3; i++) {
		struct event e = text_event(w, EVENT_ATTEMPT, 1 + i, A, 4711, "alice");

		pam_failed(w, 1 + i, 1, A, 4711, "alice");
		failed(w, 1 + i, A, 4711, "alice");
		e.witness = WITNESS_PAM_LOG;
		e.outcome = OUTCOME_FAILURE;
		step(w, &e);
	}
	preauth_close(w, 5, A, 4711, "alice");
	assert_int_equal(attempts(w), 3);
	assert_int_equal(core_stats(w->core)->attempts_merged, 7);
	world_free(w);
}

/* The same with the roads swapped: the line first. */
static void order_of_witnesses_does_not_matter(void **state)
{
	struct world *a = world_new(true), *b = world_new(true);
	struct alert *x, *y;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		connected(a, i, 1 + i, A, 4711 + i);
		connected(b, i, 1 + i, A, 4711 + i);
		pam_failed(a, i, 1 + i, A, 4711 + i, "alice");
		failed(a, i, A, 4711 + i, "alice");
		failed(b, i, A, 4711 + i, "alice");
		pam_failed(b, i, 1 + i, A, 4711 + i, "alice");
	}
	tick(a, 20);
	tick(b, 20);
	assert_int_equal(attempts(a), 7);
	assert_int_equal(attempts(b), 7);
	assert_int_equal(a->alerts_used, b->alerts_used);
	x = &alert_of(a, "auth.bruteforce", A)->last;
	y = &alert_of(b, "auth.bruteforce", A)->last;
	assert_string_equal(x->id, y->id);
	assert_string_equal(x->sentence, y->sentence);
	assert_int_equal(x->severity, y->severity);
	assert_int_equal(x->count, y->count);
	world_free(a);
	world_free(b);
}

static void line_before_any_kernel_record_counts(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	tick(w, 0);
	failed(w, 1, A, 4711, "alice");
	assert_int_equal(attempts(w), 0); /* nobody vouches for the connection yet */
	pam_failed(w, 1.01, 1, A, 4711, "alice");
	assert_int_equal(attempts(w), 1);
	world_free(w);
}

static void forged_failures_change_nobodys_count(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	tick(w, 0);
	for (unsigned i = 0; i < 50; i++)
		failed(w, 1 + i, A, 1000 + i, "alice");
	tick(w, 100);
	assert_int_equal(attempts(w), 0);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

static void offered_keys_are_no_failures(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct event e = text_event(w, EVENT_ATTEMPT, i, A, 4711, "alice");

		e.outcome = OUTCOME_FAILURE;
		e.method = METHOD_PUBLICKEY;
		step(w, &e);
	}
	accepted(w, 9, A, 4711, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:x");
	assert_int_equal(attempts(w), 0);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(session_nth(w, 0)->failures_before, 0);
	world_free(w);
}

static void close_without_verdict_counts_one(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	preauth_close(w, 1, A, 4711, "alice");
	preauth_close(w, 1, A, 4711, "alice");
	assert_int_equal(attempts(w), 1);
	preauth_close(w, 2, A, 4712, ""); /* no user name was said */
	assert_int_equal(attempts(w), 1);
	failed(w, 3, A, 4711, "alice"); /* its verdict, late */
	assert_int_equal(attempts(w), 1);
	world_free(w);
}

static void told_as(struct world *w, double at, unsigned port, enum outcome outcome,
		    enum method method)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, A, port, "alice");

	e.outcome = outcome;
	e.method = method;
	step(w, &e);
}

/* An agent's keys, none of which is taken: one failure when the connection ends, however many. */
static void offers_without_success_count_one(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		for (unsigned i = 0; i < 8; i++)
			told_as(w, c * 10, 1 + c, OUTCOME_FAILURE, METHOD_PUBLICKEY);
		assert_int_equal(attempts(w), c);
		preauth_close(w, c * 10 + 1, A, 1 + c, "alice");
		assert_int_equal(attempts(w), c + 1);
	}
	/* keys first, then two passwords: the verdicts, and nothing for their close */
	told_as(w, 40, 9, OUTCOME_FAILURE, METHOD_PUBLICKEY);
	failed(w, 41, A, 9, "alice");
	failed(w, 42, A, 9, "alice");
	preauth_close(w, 43, A, 9, "alice");
	assert_int_equal(attempts(w), 5);
	world_free(w);
}

static void none_and_refusals_are_no_failures(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		told_as(w, i, 1 + i, OUTCOME_FAILURE, METHOD_NO_AUTH);
		told_as(w, i, 100 + i, OUTCOME_REFUSED, METHOD_NONE);
	}
	assert_int_equal(attempts(w), 0);
	assert_int_equal(core_stats(w->core)->attempts_refused, 10); /* counted apart */
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

static void repeated_line_counts_as_often(void **state)
{
	struct world *w = world_new(false);
	struct event e = text_event(w, EVENT_ATTEMPT, 1, A, 4711, "alice");

	(void)state;
	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	e.count = 6;
	step(w, &e);
	assert_int_equal(attempts(w), 6);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	world_free(w);
}

static void portless_lines_of_one_process_join(void **state)
{
	struct world *w = world_new(false);
	struct event e = text_event(w, EVENT_ATTEMPT, 1, A, 0, "alice");

	(void)state;
	/* "error: PAM: Authentication failure for alice from A" and "Failed keyboard-interactive"
	 */
	e.proc.pid = 77;
	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_KEYBOARD_INTERACTIVE;
	e.flags = EVENT_ACCOUNT_EXISTS;
	step(w, &e);
	e.origin.port = 4711;
	step(w, &e);
	assert_int_equal(attempts(w), 1);
	/* the same pid, a day later, from elsewhere, is somebody else */
	e.time_ns += 86400 * SEC;
	e.origin = ep("198.51.100.7", 0);
	step(w, &e);
	assert_int_equal(attempts(w), 2);
	world_free(w);
}

static void pam_results_are_told_apart(void **state)
{
	static const struct {
		int result;
		unsigned failures;
	} rows[] = {{7, 1}, {10, 1}, {11, 1}, {9, 0}, {19, 0}, {20, 0}, {26, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(true);

		connected(w, 0, 1, A, 1);
		pam(w, 1, 1, A, 1, PAM_CALL_AUTHENTICATE, rows[i].result, "alice", 0);
		tick(w, 10);
		assert_int_equal(attempts(w), rows[i].failures);
		assert_int_equal(sessions(w), 0);
		world_free(w);
	}
}

static void right_password_refused_is_a_failure(void **state)
{
	static const int results[] = {6, 13};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_new(true);

		connected(w, 0, 1, A, 1);
		pam(w, 1, 1, A, 1, PAM_CALL_AUTHENTICATE, 0, "alice", 0);
		pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, results[i], "alice", 0);
		tick(w, 10);
		assert_int_equal(attempts(w), 1);
		assert_int_equal(sessions(w), 0);
		world_free(w);
	}
}

static void unknown_account_waits_for_the_log(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		struct event e;

		connected(w, i, 1 + i, A, 4711 + i);
		pam_failed(w, i + 0.1, 1 + i, A, 4711 + i, "mallory");
		e = text_event(w, EVENT_AUTH_NOTE, i + 0.05, A, 4711 + i, "mallory");
		e.flags = EVENT_ACCOUNT_UNKNOWN;
		step(w, &e);
	}
	tick(w, 30);
	assert_int_equal(attempts(w), 7);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_INFO);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 0);
	world_free(w);
}

static void without_a_log_the_account_is_taken_to_exist(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		connected(w, i * 0.01, 1 + i, A, 4711 + i);
		pam_failed(w, i * 0.01, 1 + i, A, 4711 + i, "alice");
	}
	assert_int_equal(attempts(w), 0);
	tick(w, 2.5);
	assert_int_equal(attempts(w), 7);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* --- the window against the obvious way to count, on random streams */

static uint32_t most_in_window(const uint32_t *stamps, unsigned n, uint32_t width)
{
	uint32_t most = 0;

	for (unsigned end = 0; end < n; end++) {
		uint32_t sum = 0;

		for (unsigned i = 0; i < n; i++)
			sum += stamps[i] <= stamps[end] && stamps[end] - stamps[i] < width;
		if (sum > most)
			most = sum;
	}
	return most;
}

static uint32_t rnd(uint32_t *s, uint32_t below)
{
	*s = *s * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(*s >> 8) * below) >> 24);
}

static void window_agrees_with_reference(void **state)
{
	uint32_t seed = 42;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct window_small w = {0};
		uint32_t stamps[60], now = 100000, width = 9000, most = 0;
		unsigned n = 1 + rnd(&seed, 60), spread = 1 + rnd(&seed, 4000);

		for (unsigned i = 0; i < n; i++) {
			now += rnd(&seed, spread);
			stamps[i] = now - rnd(&seed, 20); /* up to 2 s late */
			window_add(WINDOW_OF(&w), stamps[i], 1, width);
			if (window_most(WINDOW_OF(&w), width) > most)
				most = window_most(WINDOW_OF(&w), width);
		}
		assert_int_equal(most > 5, most_in_window(stamps, n, width) > 5);
		if (most_in_window(stamps, n, width) <= 5)
			assert_int_equal(most, most_in_window(stamps, n, width));
	}
}

/* A source of the core against the obvious way to count: any threshold, late, twice. */
static void thresholds_are_exact(void **state)
{
	static const unsigned thresholds[] = {5, 6, 10, 20, 50, 64};
	uint32_t seed = 7, fired = 0, expected = 0;

	(void)state;
	for (int round = 0; round < 900; round++) {
		unsigned limit = thresholds[round % 6], n = limit / 2 + rnd(&seed, limit * 2);
		struct world *w = world_make(false);
		uint32_t stamps[400], now = 100, used = 0;
		/* about the threshold within one window of 900 s */
		uint32_t gap = 2 + 2 * 900 / (limit + 1);

		w->config.failed_logon_threshold = limit;
		w->paced = true;
		world_start(w);
		for (unsigned i = 0; i < n; i++) {
			uint32_t late = rnd(&seed, 3) ? 0 : rnd(&seed, 900), at;
			unsigned times = rnd(&seed, 8) ? 1 : 2;

			now += rnd(&seed, gap);
			at = now > late + 1 ? now - late : 1;
			while (times--) {
				stamps[used++] = at * 10;
				failed(w, at, A, 2000 + used, "alice");
			}
		}
		fired += alert_of(w, "auth.bruteforce", A) != NULL;
		expected += most_in_window(stamps, used, 9000) > limit;
		assert_int_equal(alert_of(w, "auth.bruteforce", A) != NULL,
				 most_in_window(stamps, used, 9000) > limit);
		world_free(w);
	}
	assert_int_equal(fired, expected);
	assert_in_range(fired, 200, 700); /* both kinds were tried */
}

/* So many addresses of one network, one failure each; guesses of one account by many sources. */
static void aggregates_are_exact(void **state)
{
	static const unsigned thresholds[] = {30, 33, 50, 64};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = world_make(false);
		char origin[32];

		w->config.detections[DETECTION_auth_bruteforce].params[0] = thresholds[i];
		world_start(w);
		for (unsigned k = 1; k <= thresholds[i] + 1; k++) {
			assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
			snprintf(origin, sizeof(origin), "203.0.113.%u", k);
			failed(w, k * 10, origin, 1, "alice");
		}
		assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
		world_free(w);
	}
	for (unsigned n = 29; n <= 30; n++) {
		struct world *w = world_make(false);
		char origin[32];

		w->config.detections[DETECTION_auth_bruteforce_success].params[0] = 30;
		world_start(w);
		for (unsigned k = 0; k < n; k++) {
			snprintf(origin, sizeof(origin), "198.51.%u.7", k);
			failed(w, k * 29.9, origin, 1, "alice");
		}
		accepted(w, n * 29.9, A, 1, "alice", METHOD_PASSWORD, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), n >= 30);
		world_free(w);
	}
}

/* More sources at it than there are rings: the default threshold does not need one. */
static void the_default_needs_no_ring(void **state)
{
	struct world *w = world_make(false);
	char origin[32];

	(void)state;
	w->paced = true;
	world_start(w);
	for (unsigned k = 0; k < 6; k++)
		for (unsigned i = 0; i < 500; i++) {
			snprintf(origin, sizeof(origin), "20.%u.%u.1", i / 250, i % 250);
			failed(w, k * 100 + i * 0.1, origin, 1, "alice");
			if (k < 5)
				assert_null(alert_of(w, "auth.bruteforce", origin));
		}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 500);
	for (unsigned i = 0; i < RINGS_MAX; i++)
		assert_false(w->core->rings[i].owner >=
				     (uint32_t *)(void *)w->core->sources.items &&
			     w->core->rings[i].owner <
				     (uint32_t *)(void *)(w->core->sources.items +
							  (size_t)w->core->sources.limit *
								  w->core->sources.item_size));
	world_free(w);
}

/* Whole streams: duplicates from several witnesses, out of order, several sources. */
static void random_stream(uint32_t seed, bool *ret_fired, bool *ret_expected)
{
	struct world *w = world_new(true);
	uint32_t stamps[40];
	unsigned n = 3 + rnd(&seed, 12);
	double now = 10;

	for (unsigned i = 0; i < n; i++) {
		unsigned order = rnd(&seed, 4), port = 2000 + i;
		double at;

		now += 1 + rnd(&seed, 400);
		at = now - rnd(&seed, 10) / 10.0;
		stamps[i] = (uint32_t)(at * 10 + 0.5);
		connected(w, at, 1 + i, A, port);
		if (order & 1)
			failed(w, at, A, port, "alice");
		pam_failed(w, at, 1 + i, A, port, "alice");
		if (!(order & 1))
			failed(w, at, A, port, "alice");
		if (order & 2)
			preauth_close(w, at, A, port, "alice");
		pam_failed(w, at, 100 + i, "198.51.100.1", port, "bob"); /* another source */
	}
	tick(w, now + 30);
	*ret_fired = alert_of(w, "auth.bruteforce", A) != NULL;
	*ret_expected = most_in_window(stamps, n, 9000) > 5;
	world_free(w);
}

static void random_streams_fire_when_they_should(void **state)
{
	unsigned fired = 0, expected = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 300; seed++) {
		bool f, x;

		random_stream(seed * 7919, &f, &x);
		assert_int_equal(f, x);
		fired += f;
		expected += x;
	}
	assert_true(fired > 30 && fired < 270); /* both kinds were tried */
	assert_int_equal(fired, expected);
}

static void many_connections_of_one_source_is_one_alert(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		failed(w, i, A, 1000 + i, i % 2 ? "root" : "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 1000);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.evidence_count, 12);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_is_exceeded_not_met),
		cmocka_unit_test(window_has_an_edge),
		cmocka_unit_test(slow_guesses_never_fire),
		cmocka_unit_test(late_lines_count_in_their_place),
		cmocka_unit_test(witnesses_of_one_try_count_once),
		cmocka_unit_test(order_of_witnesses_does_not_matter),
		cmocka_unit_test(line_before_any_kernel_record_counts),
		cmocka_unit_test(forged_failures_change_nobodys_count),
		cmocka_unit_test(offered_keys_are_no_failures),
		cmocka_unit_test(close_without_verdict_counts_one),
		cmocka_unit_test(offers_without_success_count_one),
		cmocka_unit_test(none_and_refusals_are_no_failures),
		cmocka_unit_test(repeated_line_counts_as_often),
		cmocka_unit_test(portless_lines_of_one_process_join),
		cmocka_unit_test(pam_results_are_told_apart),
		cmocka_unit_test(right_password_refused_is_a_failure),
		cmocka_unit_test(unknown_account_waits_for_the_log),
		cmocka_unit_test(without_a_log_the_account_is_taken_to_exist),
		cmocka_unit_test(window_agrees_with_reference),
		cmocka_unit_test(thresholds_are_exact),
		cmocka_unit_test(aggregates_are_exact),
		cmocka_unit_test(the_default_needs_no_ring),
		cmocka_unit_test(random_streams_fire_when_they_should),
		cmocka_unit_test(many_connections_of_one_source_is_one_alert),
		cmocka_unit_test(packets_of_other_hosts_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
