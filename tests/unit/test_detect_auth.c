/* Detections of guessing and of logins from outside: each fires, its near miss, its edges. */
#include "detect_world.h"

/* --- auth.bruteforce, auth.noise */
static void root_is_low_until_it_logged_in_that_way(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		failed(w, i, A, 1 + i, "root");
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_LOW);
	accepted(w, 20, "10.0.0.1", 5, "root", METHOD_PASSWORD, "");
	failed(w, 21, A, 30, "root");
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_MEDIUM);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 2);
	world_free(w);
}

static void low_ones_are_sent_a_few_times_a_day(void **state)
{
	struct world *w = world_new(false);
	unsigned sent = 0;

	(void)state;
	for (unsigned s = 0; s < 20; s++)
		for (unsigned i = 0; i < 7; i++) {
			char origin[32];

			snprintf(origin, sizeof(origin), "203.0.%u.9", s);
			failed(w, s * 10 + i, origin, 1 + i, "root");
		}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 20);
	for (unsigned i = 0; i < w->alerts_used; i++)
		sent += w->alerts[i].notified;
	assert_int_equal(sent, 3);
	world_free(w);
}

static void inside_is_one_lower(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, "10.1.2.3", 6);
	assert_int_equal(alert_of(w, "auth.bruteforce", NULL)->last.severity, SEVERITY_LOW);
	world_free(w);
}

static void network_fires_when_no_source_does(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 31; i++) {
		char origin[32];

		if (i == 30)
			assert_int_equal(w->alerts_used - alerts_of(w, "auth.noise"), 0);
		snprintf(origin, sizeof(origin), "203.0.113.%u", 1 + i);
		failed(w, i, origin, 1, "alice");
	}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_string_equal(alert_of(w, "auth.bruteforce", NULL)->last.reason, "network");
	assert_non_null(alert_of(w, "auth.bruteforce", "203.0.113.0"));
	world_free(w);
}

static void only_the_most_specific_fires(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned s = 0; s < 8; s++)
		for (unsigned i = 0; i < 12; i++) {
			char origin[32];

			snprintf(origin, sizeof(origin), "203.0.113.%u", 1 + s);
			failed(w, s * 12 + i, origin, 1 + i, "alice");
		}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 8);
	assert_null(alert_of(w, "auth.bruteforce", "203.0.113.0"));
	world_free(w);
}

static void v6_sources_are_a_64(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		char origin[40];

		snprintf(origin, sizeof(origin), "2001:db8:1:2::%x", 1 + i);
		failed(w, i, origin, 1, "alice");
	}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	world_free(w);
}

static void noise_is_one_digest_sent_at_the_days_end(void **state)
{
	struct world *w = world_new(false);
	struct seen_alert *d;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		char origin[32];

		snprintf(origin, sizeof(origin), "203.%u.113.9", i);
		failed_unknown(w, i, origin, 1, "oracle");
	}
	assert_int_equal(alerts_of(w, "auth.noise"), 1);
	d = alert_of(w, "auth.noise", NULL);
	assert_int_equal(d->last.count, 40);
	assert_int_equal(d->notified, 0);
	assert_null(strstr(d->last.sentence, "oracle")); /* may be a password */
	tick(w, 86400);
	assert_int_equal(d->notified, 1);
	assert_int_equal(d->last.state, ALERT_CLOSED);
	world_free(w);
}

static void a_few_failures_a_day_are_no_digest(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		failed_unknown(w, i * 1000, A, 1 + i, "oracle");
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

static void an_attack_is_not_in_the_digest_too(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 20);
	assert_int_equal(alerts_of(w, "auth.noise"), 0);
	world_free(w);
}

/* Yesterday's quiet one that goes on costs nothing of today's. */
static void growing_costs_nothing_of_the_day(void **state)
{
	struct world *w = world_new(false);
	unsigned sent = 0;
	char origin[32];

	(void)state;
	for (unsigned s = 0; s < 7; s++) {
		double at = s < 4 ? s * 10 : 40000 + s * 10;

		snprintf(origin, sizeof(origin), "203.0.%u.9", s);
		for (unsigned i = 0; i < 7; i++)
			failed(w, at + i, origin, 1 + i, "root");
		for (unsigned i = 0; s == 3 && i < 6; i++) /* the fourth, on the next day */
			failed(w, 39000 + i, origin, 20 + i, "root");
	}
	for (unsigned i = 0; i < w->alerts_used; i++)
		if (w->alerts[i].last.severity == SEVERITY_LOW)
			sent += w->alerts[i].notified > 0;
	assert_int_equal(sent, 6);
	world_free(w);
}

/* A day without a failure ends a fast alert, to the tick. */
static void a_fast_alert_takes_all_for_a_day(void **state)
{
	static const struct {
		double at;
		unsigned count;
	} rows[] = {{86404.9, 7}, {86405, 6}};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new(false);

		guess(w, 0, A, 6); /* the last at 5 */
		failed(w, rows[i].at, A, 99, "alice");
		assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, rows[i].count);
		assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.numbers,
				    "6 failures > 5 in 15m");
		world_free(w);
	}
}

/* One that exists was among them exactly a window ago: of no account for those that do not. */
static void a_guess_of_an_existing_account_counts_for_a_window(void **state)
{
	static const double times[] = {899.5, 899.6, 899.7, 899.8, 900, 900};

	for (unsigned late = 0; late < 2; late++) {
		struct world *w = world_new(false);

		failed(w, late ? 0 : 0.1, A, 1, "alice");
		for (unsigned i = 0; i < 6; i++)
			failed_unknown(w, times[i], A, 2 + i, "oracle");
		assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity,
				 late ? SEVERITY_INFO : SEVERITY_MEDIUM);
		world_free(w);
	}
	(void)state;
}

/* What has its own alert neither fires the network nor makes its alert grow. */
static void a_network_does_not_grow_by_its_sources_alerts(void **state)
{
	struct world *w = world_new(false);
	char origin[32];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(origin, sizeof(origin), "203.0.113.%u", 20 + i);
		failed(w, i, origin, 1, "alice");
	}
	guess(w, 50, A, 30);
	assert_int_equal(alert_of(w, "auth.bruteforce", "203.0.113.0")->last.count, 45);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 30);
	world_free(w);

	w = world_new(false); /* and takes nothing off it but its own */
	for (unsigned i = 0; i < 29; i++) {
		snprintf(origin, sizeof(origin), "203.0.113.%u", 20 + i);
		failed(w, i, origin, 1, "alice");
	}
	for (unsigned i = 0; i < 40; i++)
		failed(w, 30 + i * 0.1, A, 1 + i, "alice");
	failed(w, 40, "203.0.113.100", 1, "alice");
	assert_int_equal(alerts_of(w, "auth.bruteforce"),
			 2); /* A, and at its second failure the /24 */
	world_free(w);
}

static void a_crowd_in_one_line_is_counted(void **state)
{
	struct world *w = world_new(false);
	struct event e = text_event(w, EVENT_ATTEMPT, 1, A, 4711, "alice");

	(void)state;
	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	e.count = 100000;
	step(w, &e);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 100000);
	world_free(w);
}

/* --- auth.spray */
static void spray(struct world *w, unsigned n, unsigned existing)
{
	for (unsigned i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%u", i);
		if (i < existing)
			failed(w, i * 20, A, 1 + i, name);
		else
			failed_unknown(w, i * 20, A, 1 + i, name);
	}
}

static void spray_of_ten_accounts(void **state)
{
	static const struct {
		unsigned n, existing, alerts;
		enum severity severity;
	} rows[] = {
		{9, 0, 0, SEVERITY_INFO},    {10, 0, 1, SEVERITY_LOW},	   {10, 2, 1, SEVERITY_LOW},
		{10, 3, 1, SEVERITY_MEDIUM}, {40, 40, 1, SEVERITY_MEDIUM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		spray(w, rows[i].n, rows[i].existing);
		assert_int_equal(alerts_of(w, "auth.spray"), rows[i].alerts);
		if (rows[i].alerts)
			assert_int_equal(alert_of(w, "auth.spray", A)->last.severity,
					 rows[i].severity);
		world_free(w);
	}
}

static void spray_that_succeeds_is_high(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	spray(w, 12, 1);
	accepted(w, 300, A, 99, "user0", METHOD_PASSWORD, "");
	assert_int_equal(alert_of(w, "auth.spray", A)->last.severity, SEVERITY_HIGH);
	assert_int_equal(alert_of(w, "auth.spray", A)->notified, 2);
	world_free(w);
}

static void one_account_often_is_no_spray(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 50);
	assert_int_equal(alerts_of(w, "auth.spray"), 0);
	world_free(w);
}

static void accounts_over_hours_are_no_spray(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%u", i);
		failed(w, i * 300, A, 1 + i, name);
	}
	assert_int_equal(alerts_of(w, "auth.spray"), 0);
	world_free(w);
}

/* --- auth.bruteforce_success */
static void success_after_guessing_is_high(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 6);
	accepted(w, 10, A, 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->last.severity, SEVERITY_HIGH);
	assert_string_equal(alert_of(w, "auth.bruteforce_success", A)->last.reason, "same-source");
	world_free(w);
}

static void five_typos_are_forgiven(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 5);
	accepted(w, 10, A, 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	assert_int_equal(session_nth(w, 0)->failures_before, 5);
	world_free(w);
}

static void a_day_later_it_still_counts(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 6);
	accepted(w, 86000, A, 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
	world_free(w);
	w = world_new(false);
	guess(w, 0, A, 6);
	accepted(w, 86500, A, 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	world_free(w);
}

static void from_loopback_it_has_a_name(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, "127.0.0.1", 6);
	accepted(w, 10, "127.0.0.1", 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce_success", NULL)->last.severity,
			 SEVERITY_MEDIUM);
	assert_int_equal(alerts_of(w, "access.external"), 0);
	world_free(w);
}

static void botnet(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char origin[32];

		snprintf(origin, sizeof(origin), "100.%u.3.4", 1 + i);
		failed(w, i * 10, origin, 1, "alice");
	}
}

static void another_source_on_a_guessed_account(void **state)
{
	static const struct {
		unsigned guesses;
		enum method method;
		unsigned alerts;
	} rows[] = {
		{10, METHOD_PASSWORD, 1},
		{10, METHOD_KEYBOARD_INTERACTIVE, 1}, /* the same secret */
		{9, METHOD_PASSWORD, 0},
		{40, METHOD_PUBLICKEY, 0}, /* the admin's key while a botnet guesses */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		botnet(w, rows[i].guesses);
		accepted(w, 500, B, 9, "alice", rows[i].method, "");
		assert_int_equal(alerts_of(w, "auth.bruteforce_success"), rows[i].alerts);
		if (rows[i].alerts)
			assert_int_equal(alert_of(w, "auth.bruteforce_success", B)->last.severity,
					 SEVERITY_MEDIUM);
		world_free(w);
	}
}

static void from_a_known_or_learned_place_it_is_nothing(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	assert_true(cidr_parse(SPAN_LIT("198.51.100.0/24"), &w->config.known[0].cidr));
	w->config.known_count = 1;
	world_start(w);
	botnet(w, 20);
	accepted(w, 500, B, 9, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	assert_int_equal(alert_of(w, "access.external", B)->last.severity, SEVERITY_INFO);
	world_free(w);

	w = world_new(false);
	accepted(w, -90000, B, 9, "alice", METHOD_PASSWORD, "");
	disconnected(w, -89000, B, 9, "alice");
	botnet(w, 20);
	accepted(w, 500, "198.51.100.9", 9, "alice", METHOD_PASSWORD, ""); /* the same /24 */
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	world_free(w);
}

/* --- access.external */
static void scopes_decide_what_is_external(void **state)
{
	static const struct {
		const char *origin;
		unsigned alerts;
	} rows[] = {
		{"203.0.113.9", 1}, {"8.8.8.8", 1},	{"10.1.2.3", 0},	{"192.168.1.1", 0},
		{"127.0.0.1", 0},   {"2001:db8::1", 1}, {"fe80::1", 0},		{"fc00::1", 0},
		{"110.0.0.1", 1},   {"100.64.0.9", 1},	{"::ffff:10.0.0.1", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		accepted(w, 0, rows[i].origin, 9, "alice", METHOD_PASSWORD, "");
		assert_int_equal(sessions(w), 1);
		assert_int_equal(alerts_of(w, "access.external"), rows[i].alerts);
		world_free(w);
	}
}

static void once_an_identity_network_and_day(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	accepted(w, 0, "203.0.113.9", 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	accepted(w, 60, "203.0.113.10", 2, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(alerts_of(w, "access.external"), 1);
	accepted(w, 120, "203.0.113.9", 3, "bob", METHOD_PUBLICKEY, "ED25519 SHA256:b");
	assert_int_equal(alerts_of(w, "access.external"), 2);
	accepted(w, 180, "203.0.114.9", 4, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(alerts_of(w, "access.external"), 3);
	accepted(w, 86400, "203.0.113.9", 5, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(alerts_of(w, "access.external"), 4);
	world_free(w);
}

static void known_keys_and_learned_places_are_info(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	strcpy(w->config.clients[0].key, "SHA256:a");
	w->config.clients_count = 1;
	world_start(w);
	accepted(w, 0, A, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(alert_of(w, "access.external", A)->last.severity, SEVERITY_INFO);
	accepted(w, 10, B, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:b");
	assert_int_equal(alert_of(w, "access.external", B)->last.severity, SEVERITY_LOW);
	disconnected(w, 20, B, 1, "alice");
	accepted(w, 86400, B, 2, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:b");
	assert_int_equal(alert_of(w, "access.external", B)->last.severity, SEVERITY_INFO);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_low_until_it_logged_in_that_way),
		cmocka_unit_test(low_ones_are_sent_a_few_times_a_day),
		cmocka_unit_test(inside_is_one_lower),
		cmocka_unit_test(network_fires_when_no_source_does),
		cmocka_unit_test(only_the_most_specific_fires),
		cmocka_unit_test(v6_sources_are_a_64),
		cmocka_unit_test(noise_is_one_digest_sent_at_the_days_end),
		cmocka_unit_test(a_few_failures_a_day_are_no_digest),
		cmocka_unit_test(an_attack_is_not_in_the_digest_too),
		cmocka_unit_test(growing_costs_nothing_of_the_day),
		cmocka_unit_test(a_fast_alert_takes_all_for_a_day),
		cmocka_unit_test(a_guess_of_an_existing_account_counts_for_a_window),
		cmocka_unit_test(a_network_does_not_grow_by_its_sources_alerts),
		cmocka_unit_test(a_crowd_in_one_line_is_counted),
		cmocka_unit_test(spray_of_ten_accounts),
		cmocka_unit_test(spray_that_succeeds_is_high),
		cmocka_unit_test(one_account_often_is_no_spray),
		cmocka_unit_test(accounts_over_hours_are_no_spray),
		cmocka_unit_test(success_after_guessing_is_high),
		cmocka_unit_test(five_typos_are_forgiven),
		cmocka_unit_test(a_day_later_it_still_counts),
		cmocka_unit_test(from_loopback_it_has_a_name),
		cmocka_unit_test(another_source_on_a_guessed_account),
		cmocka_unit_test(from_a_known_or_learned_place_it_is_nothing),
		cmocka_unit_test(scopes_decide_what_is_external),
		cmocka_unit_test(once_an_identity_network_and_day),
		cmocka_unit_test(known_keys_and_learned_places_are_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
