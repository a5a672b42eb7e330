/* A guess that works, seen from other sources than the guessers', and spraying. */
#include "guess_world.h"

/* --- auth.bruteforce_success by another source: does it look like one of the guessers? */
static void guessed_with(struct world *w, double at, const char *origin, const char *client)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, 1, "alice");

	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	e.client = span_of(client);
	step(w, &e);
}

static void accepted_with(struct world *w, double at, const char *origin, const char *client)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, 9, "alice");

	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	e.client = span_of(client);
	step(w, &e);
}

static void looking_like_a_guesser_is_high(void **state)
{
	static const struct {
		const char *origin, *client;
		enum severity severity;
	} rows[] = {
		{"198.51.100.7", "", SEVERITY_MEDIUM},
		{"198.51.100.7", "SSH-2.0-OpenSSH_9.2", SEVERITY_MEDIUM},
		{"198.51.100.7", "SSH-2.0-Go", SEVERITY_HIGH}, /* as the guessers */
		{"90.12.0.1", "", SEVERITY_HIGH},	       /* the system of one of them */
		{"90.40.0.1", "", SEVERITY_MEDIUM},
		{"10.12.0.1", "", SEVERITY_MEDIUM}, /* high, and inside */
		{"10.40.0.1", "", SEVERITY_LOW},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_with_geo();
		char origin[32];

		for (unsigned k = 0; k < 12; k++) {
			snprintf(origin, sizeof(origin), "20.%u.0.1", 1 + k);
			guessed_with(w, k, origin, "SSH-2.0-Go");
		}
		accepted_with(w, 500, rows[i].origin, rows[i].client);
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
		assert_int_equal(alert_of(w, "auth.bruteforce_success", NULL)->last.severity,
				 rows[i].severity);
		assert_string_equal(alert_of(w, "auth.bruteforce_success", NULL)->last.reason,
				    "other-source");
		world_free(w);
	}
}

/* One secret asked for in two ways, and the time in which that counts. */
static void the_guessed_secret_by_the_other_way(void **state)
{
	static const struct {
		enum method guessed, accepted;
		double at;
		unsigned alerts;
	} rows[] = {
		{METHOD_KEYBOARD_INTERACTIVE, METHOD_PASSWORD, 600, 1},
		{METHOD_PASSWORD, METHOD_KEYBOARD_INTERACTIVE, 600, 1},
		{METHOD_GSSAPI, METHOD_PASSWORD, 600, 0},
		{METHOD_PASSWORD, METHOD_GSSAPI, 600, 0},
		{METHOD_GSSAPI, METHOD_GSSAPI, 600, 1},
		{METHOD_PASSWORD, METHOD_PASSWORD, 901.9, 1}, /* ten of the twelve are left */
		{METHOD_PASSWORD, METHOD_PASSWORD, 902, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);
		char origin[32];

		for (unsigned k = 0; k < 12; k++) {
			struct event e;

			nth(origin, 20 + k, 1);
			e = text_event(w, EVENT_ATTEMPT, k, origin, 1, "alice");
			e.outcome = OUTCOME_FAILURE;
			e.method = rows[i].guessed;
			e.flags = EVENT_ACCOUNT_EXISTS;
			step(w, &e);
		}
		accepted(w, rows[i].at, "198.51.100.7", 9, "alice", rows[i].accepted, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), rows[i].alerts);
		world_free(w);
	}
}

/* A typo before does not make its owner a guesser; nor does an ASN of a window ago. */
static void ones_own_typo_is_no_likeness(void **state)
{
	static const struct {
		const char *guesser;
		double at;
		enum severity severity;
	} rows[] = {
		{"90.40.0.1", 480, SEVERITY_MEDIUM}, /* the owner's own typo */
		{"90.40.0.2", 480, SEVERITY_HIGH},
		{"90.40.0.2", -400, SEVERITY_MEDIUM}, /* 900 s before */
		{"90.40.0.2", -399, SEVERITY_HIGH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_with_geo();
		char origin[32];

		guessed_with(w, rows[i].at < 0 ? rows[i].at : -300, rows[i].guesser, "");
		for (unsigned k = 0; k < 40; k++) {
			snprintf(origin, sizeof(origin), "20.%u.0.1", 50 + k);
			guessed_with(w, k, origin, "");
		}
		if (rows[i].at > 0)
			guessed_with(w, rows[i].at, rows[i].guesser, "");
		accepted_with(w, 500, "90.40.0.1", "");
		assert_int_equal(alert_of(w, "auth.bruteforce_success", NULL)->last.severity,
				 rows[i].severity);
		world_free(w);
	}
}

/* --- auth.bruteforce_success after slow guesses */
static void slow_guesses_that_work_are_high(void **state)
{
	static const struct {
		unsigned n;
		const char *account;
		enum method method;
		double at;
		unsigned alerts;
	} rows[] = {
		{21, "alice", METHOD_PASSWORD, 20.5 * HOUR, 1},
		{21, "alice", METHOD_KEYBOARD_INTERACTIVE, 20.5 * HOUR, 1},
		{21, "alice", METHOD_PUBLICKEY, 20.5 * HOUR, 0}, /* a job beside its person */
		{21, "bob", METHOD_PASSWORD, 20.5 * HOUR, 0},	 /* behind the same NAT */
		{20, "alice", METHOD_PASSWORD, 20.5 * HOUR, 0},
		{21, "alice", METHOD_PASSWORD, 24 * HOUR, 0}, /* of the last day only 20 */
		{21, "alice", METHOD_PASSWORD, 23.9 * HOUR, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		slow_guesses(w, 0, A, rows[i].n, HOUR);
		accepted(w, rows[i].at, A, 9, rows[i].account, rows[i].method, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), rows[i].alerts);
		if (rows[i].alerts)
			assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->last.severity,
					 SEVERITY_HIGH);
		world_free(w);
	}
}

/* --- auth.spray */
static void spray_survives_a_kill(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	spray_at(w, 0, 0, 5);
	restarted(w);
	spray_at(w, 0, 5, 4);
	assert_int_equal(alerts_of(w, "auth.spray"), 0);
	spray_at(w, 0, 9, 1);
	assert_int_equal(alerts_of(w, "auth.spray"), 1);
	world_free(w);
}

/* The one that worked need not have failed before; a success elsewhere, or later, is none. */
static void which_success_makes_a_spray_high(void **state)
{
	static const struct {
		const char *origin, *account;
		double at;
		bool high;
	} rows[] = {
		{A, "deploy", 20, true},   {A, "user3", 20, true}, {B, "user3", 20, false},
		{A, "deploy", 899, true}, /* ten of twelve still are in the window */
		{A, "deploy", 905, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		spray_at(w, 0, 0, 12);
		accepted(w, rows[i].at, rows[i].origin, 9, rows[i].account, METHOD_PUBLICKEY, "");
		assert_int_equal(alert_of(w, "auth.spray", A)->last.severity,
				 rows[i].high ? SEVERITY_HIGH : SEVERITY_MEDIUM);
		world_free(w);
	}
}

static void a_spray_slides(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 60; i++) { /* nine in any window */
		snprintf(name, sizeof(name), "user%u", i);
		failed(w, i * 100.0, A, 100 + i, name);
	}
	assert_int_equal(alerts_of(w, "auth.spray"), 0);
	failed(w, 5999.9, A, 99, "another");
	assert_int_equal(alerts_of(w, "auth.spray"), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looking_like_a_guesser_is_high),
		cmocka_unit_test(the_guessed_secret_by_the_other_way),
		cmocka_unit_test(ones_own_typo_is_no_likeness),
		cmocka_unit_test(slow_guesses_that_work_are_high),
		cmocka_unit_test(spray_survives_a_kill),
		cmocka_unit_test(which_success_makes_a_spray_high),
		cmocka_unit_test(a_spray_slides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
