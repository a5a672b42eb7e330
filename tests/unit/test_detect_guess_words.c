/* What a person reads of guesses, and edges of when they count. */
#include "guess_world.h"

/* --- what a person reads */
static void sentences_of_bruteforce(void **state)
{
	struct world *w = world_with_geo();
	char origin[40];

	(void)state;
	guess(w, 0, A, 6);
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.sentence,
			    "203.0.113.9 (reserved) guessed ssh logins: 6 failures, the last for "
			    "'alice'. It guesses an account that exists, by a method that is on.");
	for (unsigned i = 0; i < 6; i++)
		failed_unknown(w, 10 + i, B, 1 + i, "oracle");
	assert_string_equal(alert_of(w, "auth.bruteforce", B)->last.sentence,
			    "198.51.100.77 (reserved) guessed ssh logins: 6 failures, the last for "
			    "an account that does not exist here. It guesses names that do not "
			    "exist; nothing to do.");
	for (unsigned i = 0; i < 31; i++) {
		snprintf(origin, sizeof(origin), "2001:db8:1:%x::7", 1 + i);
		failed(w, 20 + i, origin, 1, "root");
	}
	assert_string_equal(
		alert_of(w, "auth.bruteforce", "2001:db8:1::")->last.sentence,
		"Sources in 2001:db8:1::/48 (reserved) guessed ssh logins: 31 failures, "
		"the last for 'root'. The account exists; whether the method is on for "
		"it was not seen.");
	assert_string_equal(alert_of(w, "auth.bruteforce", "2001:db8:1::")->last.numbers,
			    "31 failures > 30 in 15m");
	world_free(w);
}

static void nameless_lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	fake_lookup(g, a, ret);
	ret->as_org[0] = '\0';
}

static void a_system_without_a_name(void **state)
{
	static const struct geo_source nameless = {nameless_lookup};
	struct world *w = world_make(false);

	(void)state;
	w->id.geo = &nameless;
	world_start(w);
	from_system(w, 0, 301, 1);
	assert_non_null(
		strstr(asn_alert(w)->last.sentence, "Sources in AS64509 (external) guessed"));
	world_free(w);
}

static void a_fast_alert_goes_on_after_a_kill(void **state)
{
	struct world *w = world_new(false);
	struct alert fast;

	(void)state;
	guess(w, 0, A, 6);
	fast = alert_of(w, "auth.bruteforce", A)->last;
	restarted(w);
	assert_int_equal(core_restore_alert(w->core, &fast), 0);
	failed(w, 20, A, 99, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 7);
	assert_true(alert_of(w, "auth.bruteforce", A)->last.first_ns == T0 * SEC);
	tick(w, 2.0 * 86400);
	guess(w, 2.0 * 86400 + 10, A, 6); /* over, and again */
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 2);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	world_free(w);
}

static void sentences_of_a_success(void **state)
{
	struct world *w = world_new(false);
	const struct alert *a;

	(void)state;
	guess(w, 0, A, 6);
	accepted(w, 10, A, 9, "alice", METHOD_PASSWORD, "");
	a = &alert_of(w, "auth.bruteforce_success", A)->last;
	assert_non_null(strstr(a->sentence, "with a password after that source was guessing: 6 "
					    "failures before it got in."));
	assert_string_equal(a->numbers, "6 failures > 5 in 15m");
	assert_int_equal(session_nth(w, 0)->failures_before, 6);
	from_networks(w, 2000, 12, "bob");
	accepted(w, 2100, B, 9, "bob", METHOD_PASSWORD, "");
	a = &alert_of(w, "auth.bruteforce_success", B)->last;
	assert_non_null(
		strstr(a->sentence, "while other sources guess that account (12 failures)"));
	assert_string_equal(a->numbers, "12 failures >= 10 in 15m");
	assert_int_equal(session_nth(w, 1)->failures_before, 0);
	accepted(w, 5000, A, 10, "alice", METHOD_PASSWORD, ""); /* long after its window */
	a = &alert_of(w, "auth.bruteforce_success", A)->last;
	assert_non_null(strstr(a->sentence, "6 failures before it got in."));
	world_free(w);
}

static void a_success_a_day_later_to_the_tick(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct world *w = world_new(false);

		guess(w, 0, A, 6); /* the last at 5 */
		accepted(w, late ? 86405 : 86404.9, A, 9, "alice", METHOD_PASSWORD, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), !late);
		world_free(w);
	}
	(void)state;
}

/* The account is guessed by another method now; that of the success was a window ago. */
static void the_method_is_guessed_within_the_window(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct world *w = world_new(false);
		char origin[32];

		from_networks(w, 0, 1, "alice");
		for (unsigned k = 0; k < 12; k++) {
			struct event e;

			nth(origin, 20 + k, 1);
			e = text_event(w, EVENT_ATTEMPT, 500 + k, origin, 1, "alice");
			e.outcome = OUTCOME_FAILURE;
			e.method = METHOD_GSSAPI;
			e.flags = EVENT_ACCOUNT_EXISTS;
			step(w, &e);
		}
		accepted(w, late ? 900 : 899.9, "198.51.100.7", 9, "alice", METHOD_PASSWORD, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), !late);
		world_free(w);
	}
	(void)state;
}

/* A session that was there before the agent is no success of a guess. */
static void an_existing_session_is_no_success(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		connected(w, i, 1 + i, A, 100 + i);
		failed(w, i, A, 100 + i, "alice");
		pam_failed(w, i, 1 + i, A, 100 + i, "alice");
	}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	e = kernel_event(w, EVENT_SNAPSHOT, 20, 77, A, 999);
	e.program = SPAN_LIT("/bin/bash");
	e.uid = 1001;
	step(w, &e);
	assert_int_equal(sessions(w), 1);
	assert_true(session_nth(w, 0)->existing);
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	assert_int_equal(alerts_of(w, "auth.spray"), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_of_bruteforce),
		cmocka_unit_test(a_system_without_a_name),
		cmocka_unit_test(a_fast_alert_goes_on_after_a_kill),
		cmocka_unit_test(sentences_of_a_success),
		cmocka_unit_test(a_success_a_day_later_to_the_tick),
		cmocka_unit_test(the_method_is_guessed_within_the_window),
		cmocka_unit_test(an_existing_session_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
