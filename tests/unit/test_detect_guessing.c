/* Guessing that no single window of one source shows: slow, from many networks, from one ASN. */
#include "guess_world.h"

static void the_21st_of_a_day_fires(void **state)
{
	static const struct {
		unsigned n;
		double gap;
		unsigned alerts;
	} rows[] = {
		{20, HOUR, 0},	 {21, HOUR, 1}, {100, 86400.0 / 20, 0}, /* 20 in any 24 h */
		{21, 4320, 0}, /* the 21st is exactly a day after the first: outside */
		{21, 4319.9, 1}, {21, 181, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		slow_guesses(w, 0, A, rows[i].n, rows[i].gap);
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), rows[i].alerts);
		assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
		world_free(w);
	}
}

static void slow_is_low_and_says_so(void **state)
{
	struct world *w = world_new(false);
	struct seen_alert *a;

	(void)state;
	slow_guesses(w, 0, A, 21, HOUR);
	a = alert_of(w, "auth.slow_bruteforce", A);
	assert_int_equal(a->last.severity, SEVERITY_LOW);
	assert_int_equal(a->last.count, 21);
	assert_int_equal(a->notified, 1);
	assert_string_equal(a->last.numbers, "21 failures > 20 in 24h");
	assert_true(a->last.first_ns == T0 * SEC);
	slow_guesses(w, 21 * HOUR, A, 9, HOUR);
	assert_int_equal(a->last.count, 30);
	assert_int_equal(a->notified, 1);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
	world_free(w);

	w = world_new(false); /* inside it is one lower */
	slow_guesses(w, 0, "10.1.2.3", 21, HOUR);
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", NULL)->last.severity, SEVERITY_INFO);
	world_free(w);
}

static void slow_at_unknown_accounts_is_not_sent(void **state)
{
	struct world *w = world_new(false);
	struct seen_alert *a;

	(void)state;
	for (unsigned i = 0; i < 25; i++)
		failed_unknown(w, i * 3000.0, A, 1000 + i, "oracle");
	a = alert_of(w, "auth.slow_bruteforce", A);
	assert_int_equal(a->last.severity, SEVERITY_INFO);
	assert_int_equal(a->notified, 0);
	assert_true(a->last.account_unknown);
	assert_null(strstr(a->last.sentence, "oracle"));
	failed(w, 25 * 3000.0, A, 1025, "alice"); /* now one that exists */
	assert_int_equal(a->last.severity, SEVERITY_LOW);
	assert_int_equal(a->notified, 1);
	assert_string_equal(a->last.account, "alice");
	world_free(w);
}

static void a_fast_alert_tells_it_already(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 6);
	slow_guesses(w, 1000, A, 40, 1900);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 46);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
	world_free(w);

	w = world_new(false); /* names that do not exist, fast, then slow */
	for (unsigned i = 0; i < 6; i++)
		failed_unknown(w, i, A, 1 + i, "oracle");
	for (unsigned i = 0; i < 30; i++)
		failed_unknown(w, 1000 + i * 1900.0, A, 1000 + i, "oracle");
	slow_guesses(w, 61000, A, 25, 1000);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
	slow_guesses(w, 86000, A, 2, 1000); /* its day is over */
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
	world_free(w);

	w = world_make(false); /* the operator wants no fast ones */
	w->config.detections[DETECTION_auth_bruteforce].enabled = false;
	world_start(w);
	guess(w, 0, A, 6);
	slow_guesses(w, 1000, A, 15, 3600);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
	world_free(w);
}

static void after_a_fast_alert_a_new_day_counts(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess(w, 0, A, 6);		       /* ends at 5 */
	slow_guesses(w, 86400 + 4.9, A, 1, 1); /* within its day: its own */
	slow_guesses(w, 2 * 86400 + 5, A, 20, HOUR);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
	slow_guesses(w, 2 * 86400 + 5 + 20 * HOUR, A, 1, 1);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
	world_free(w);
}

static void slow_survives_any_kill(void **state)
{
	(void)state;
	for (unsigned every = 2; every <= 10; every++) {
		struct world *w = world_new(false);

		for (unsigned i = 0; i < 21; i++) {
			assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
			failed(w, i * HOUR, A, 1000 + i, "alice");
			if (i % every == every - 1)
				restarted(w);
		}
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
		world_free(w);
	}
}

static void slow_threshold_is_a_parameter(void **state)
{
	static const unsigned thresholds[] = {1, 3, 6, 10, 31};

	(void)state;
	for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
		struct world *w = world_make(false);
		unsigned n = thresholds[i];

		w->config.detections[DETECTION_auth_slow_bruteforce].params[0] = n;
		world_start(w);
		slow_guesses(w, 0, A, n, 2500);
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
		failed(w, n * 2500.0, A, 5000, "alice");
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
		world_free(w);
	}
}

static void ten_networks_are_distributed(void **state)
{
	struct world *w = world_new(false);
	struct seen_alert *a;

	(void)state;
	from_networks(w, 0, 9, "alice");
	from_networks(w, 20, 9, "alice"); /* the same nine */
	assert_int_equal(alerts_of(w, "auth.distributed"), 0);
	from_networks(w, 40, 10, "alice");
	a = alert_of(w, "auth.distributed", NULL);
	assert_int_equal(a->last.severity, SEVERITY_LOW);
	assert_int_equal(a->last.count, 10);
	assert_string_equal(a->last.account, "alice");
	assert_int_equal(a->last.origin.addr.family, 0);
	assert_string_equal(a->last.numbers, "10 networks >= 10 and >= 3 times 0 in 15m");
	from_networks(w, 100, 14, "alice");
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	assert_int_equal(a->last.count, 14);
	world_free(w);
}

static void not_distributed(void **state)
{
	struct world *w = world_new(false);
	char origin[32];

	(void)state;
	for (unsigned i = 0; i < 40; i++) { /* one network */
		nth(origin, 3, 1 + i);
		failed(w, i, origin, 1 + i, "alice");
	}
	for (unsigned i = 0; i < 40; i++) { /* no such account */
		nth(origin, 100 + i, 1);
		failed_unknown(w, i, origin, 1 + i, "oracle");
	}
	for (unsigned i = 0; i < 40; i++) { /* an account each */
		char name[16];

		nth(origin, 200 + i, 1);
		snprintf(name, sizeof(name), "user%u", i);
		failed(w, i, origin, 1 + i, name);
	}
	for (unsigned i = 0; i < 40; i++) { /* nine within any window */
		nth(origin, 300 + i, 1);
		failed(w, i * 100.0, origin, 1 + i, "bob");
	}
	assert_int_equal(alerts_of(w, "auth.distributed"), 0);
	world_free(w);

	w = world_new(false); /* ten in less than a window; the first of ten exactly one old */
	for (unsigned i = 0; i < 10; i++) {
		nth(origin, i, 1);
		failed(w, i * 100.0, origin, 1 + i, "bob");
	}
	assert_int_equal(alerts_of(w, "auth.distributed"), 0);
	failed(w, 900.5, A, 1, "bob"); /* 20.0.1 of 100 s to here: ten */
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	world_free(w);
}

static void what_is_usual_is_not_told(void **state)
{
	static const struct {
		unsigned days, usual, now, alerts;
	} rows[] = {
		{7, 4, 11, 0}, {7, 4, 12, 1}, /* three times four */
		{4, 8, 23, 0}, {4, 8, 24, 1}, /* four of seven make the median */
		{3, 8, 10, 1},		      /* three do not */
		{7, 2, 9, 0},  {7, 2, 10, 1}, {7, 9, 26, 0}, {7, 9, 27, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(false);

		for (unsigned d = 0; d < rows[i].days; d++) {
			from_networks(w, d * 86400.0, rows[i].usual, "root");
			from_networks(w, d * 86400.0 + 5000, rows[i].usual / 2, "root");
		}
		assert_int_equal(alerts_of(w, "auth.distributed"), 0);
		if (i & 1)
			restarted(w);
		from_networks(w, rows[i].days * 86400.0, rows[i].now, "root");
		assert_int_equal(alerts_of(w, "auth.distributed"), rows[i].alerts);
		world_free(w);
	}
}

static void what_was_usual_is_forgotten(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned d = 0; d < 7; d++)
		from_networks(w, d * 86400.0, 9, "root");
	from_networks(w, 10 * 86400.0, 12, "root"); /* 0 0 0 of the last seven: median 9 */
	assert_int_equal(alerts_of(w, "auth.distributed"), 0);
	from_networks(w, 12 * 86400.0, 12, "root"); /* 0 12 0 0 0 9 9: 0 */
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	world_free(w);
}

static void many_guessed_accounts_are_bounded(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	from_networks(w, 0, 9, "alice");
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		failed(w, 10 + i * 0.1, A, 1 + i, name);
	}
	from_networks(w, 320, 10, "alice");
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	world_free(w);
}

static void an_asn_fires_above_300(void **state)
{
	struct world *w = world_with_geo();
	struct seen_alert *a;

	(void)state;
	from_system(w, 0, 300, 1);
	assert_null(asn_alert(w));
	from_system(w, 310, 1, 1);
	a = asn_alert(w);
	assert_non_null(a);
	assert_int_equal(a->last.count, 301);
	assert_int_equal(a->last.severity, SEVERITY_MEDIUM);
	assert_int_equal(a->last.geo.asn, 64509);
	assert_int_equal(a->last.origin.port, 0);
	assert_non_null(strstr(a->last.sentence, "AS64509, Example Hosting"));
	from_system(w, 311, 30, 1);
	assert_int_equal(a->last.count, 331);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	world_free(w);

	w = world_new(false); /* no database */
	from_system(w, 0, 400, 1);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	world_free(w);
}

static void an_asn_slides(void **state)
{
	struct world *w = world_with_geo();
	char origin[32];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) { /* 300 in any 900 s */
		snprintf(origin, sizeof(origin), "%u.9.%u.1", 20 + i / 100, i % 100);
		failed(w, i * 3.0, origin, 1, "alice");
	}
	assert_null(asn_alert(w));
	failed(w, 2000 * 3.0 - 2.9, "90.9.1.1", 1, "alice");
	assert_non_null(asn_alert(w));
	world_free(w);
}

static void an_asn_needs_ten_addresses(void **state)
{
	for (unsigned addresses = 9; addresses <= 10; addresses++) {
		struct world *w = world_make(false);

		w->id.geo = &fake_geo;
		w->config.failed_logon_threshold = 50;
		w->config.detections[DETECTION_auth_bruteforce].params[0] = 1000;
		world_start(w);
		from_system(w, 0, addresses, 40);
		assert_int_equal(asn_alert(w) != NULL, addresses * 40 > 300 && addresses >= 10);
		world_free(w);
	}
	(void)state;
}

static void what_has_its_own_alert_is_not_the_asns(void **state)
{
	struct world *w = world_with_geo();
	char origin[32];

	(void)state;
	from_system(w, 0, 60, 6); /* sixty sources over their own threshold */
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 60);
	assert_null(asn_alert(w));
	world_free(w);

	w = world_with_geo(); /* ten networks over theirs */
	for (unsigned net = 0; net < 10; net++)
		for (unsigned i = 0; i < 35; i++) {
			snprintf(origin, sizeof(origin), "20.9.%u.%u", net, 1 + i);
			failed(w, net * 35 + i, origin, 1, "alice");
		}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 10);
	assert_null(asn_alert(w));
	/* nine others do not make the ten addresses */
	world_free(w);
}

static void an_asn_of_unknown_accounts_is_nothing(void **state)
{
	struct world *w = world_with_geo();
	char origin[32];

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		snprintf(origin, sizeof(origin), "%u.9.%u.1", 20 + i / 100, i % 100);
		failed_unknown(w, i, origin, 1, "oracle");
	}
	assert_null(asn_alert(w));
	world_free(w);
}

static void an_asn_survives_a_kill(void **state)
{
	struct world *w = world_with_geo();

	(void)state;
	from_system(w, 0, 200, 1);
	restarted(w);
	from_system(w, 200, 100, 1);
	assert_null(asn_alert(w));
	from_system(w, 310, 1, 1);
	assert_non_null(asn_alert(w));
	world_free(w);
}

/* --- life of these alerts */
static void slow_one(struct world *w, unsigned host, double at)
{
	char origin[32];

	nth(origin, 500 + host, 1);
	slow_guesses(w, at, origin, 21, 1000);
}

static void a_detection_that_is_off_is_off(void **state)
{
	static const enum detection_index off[] = {
		DETECTION_auth_slow_bruteforce,
		DETECTION_auth_distributed,
		DETECTION_auth_spray,
		DETECTION_auth_bruteforce,
		DETECTION_auth_bruteforce_success,
		DETECTION_auth_noise,
	};
	struct world *w = world_make(false);

	(void)state;
	w->id.geo = &fake_geo;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		w->config.detections[off[i]].enabled = false;
	world_start(w);
	slow_one(w, 0, 0);
	from_networks(w, 22000, 12, "alice");
	spray_at(w, 23000, 0, 12);
	from_system(w, 24000, 310, 1);
	guess(w, 25000, A, 8);
	for (unsigned i = 0; i < 40; i++) {
		char origin[32];

		nth(origin, 3, 1 + i);
		failed(w, 25100 + i, origin, 1 + i, "alice");
	}
	accepted(w, 25200, A, 9, "alice", METHOD_PASSWORD, "");
	for (unsigned i = 0; i < w->alerts_used; i++)
		assert_string_equal(w->alerts[i].last.detection->id, "access.external");
	world_free(w);
}

/* Of low ones the first three of a listener and day are sent, of all kinds; growing costs none. */
static void low_ones_share_a_day(void **state)
{
	struct world *w = world_new(false);
	unsigned sent = 0;

	(void)state;
	slow_one(w, 0, 7000); /* 00:10 of the next day (UTC) */
	slow_one(w, 0, 29000);
	from_networks(w, 51000, 12, "alice");
	assert_int_equal(alert_of(w, "auth.distributed", NULL)->notified, 1);
	from_networks(w, 51900, 20, "alice");
	for (unsigned i = 1; i < 4; i++)
		slow_one(w, i, 52000 + i);
	from_networks(w, 73500, 12, "bob");
	for (unsigned i = 0; i < w->alerts_used; i++) {
		const struct seen_alert *a = &w->alerts[i];

		if (a->last.detection != detections[DETECTION_auth_noise])
			sent += a->notified > 0;
		if (a->last.detection == detections[DETECTION_auth_slow_bruteforce])
			assert_int_equal(a->last.severity, SEVERITY_LOW);
	}
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 4);
	assert_int_equal(alerts_of(w, "auth.distributed"), 2);
	assert_int_equal(sent, 3);
	world_free(w);
}

static void a_closed_one_recurs(void **state)
{
	struct world *w = world_new(false);
	char first[ID_TEXT_MAX];

	(void)state;
	from_networks(w, 0, 12, "bob");
	slow_one(w, 0, 100);
	strcpy(first, alert_of(w, "auth.distributed", NULL)->last.id);
	tick(w, 2.0 * 86400);
	assert_int_equal(alert_of(w, "auth.distributed", NULL)->last.state, ALERT_CLOSED);
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", NULL)->last.state, ALERT_CLOSED);
	from_networks(w, 2.0 * 86400 + 10, 11, "bob");
	slow_one(w, 0, 2.0 * 86400 + 100);
	assert_int_equal(alerts_of(w, "auth.distributed"), 2);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 2);
	assert_string_equal(alert_of(w, "auth.distributed", NULL)->last.previous, first);
	assert_int_equal(alert_of(w, "auth.distributed", NULL)->last.count, 11);
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", NULL)->last.count, 21);
	world_free(w);
}

/* After a restart the open alerts go on; the memory no longer points to them. */
static void open_alerts_go_on_after_a_kill(void **state)
{
	struct world *w = world_new(false);
	struct alert slow, many;
	char ids[2][ID_TEXT_MAX];

	(void)state;
	slow_one(w, 0, 0);
	from_networks(w, 20100, 12, "bob");
	slow = alert_of(w, "auth.slow_bruteforce", NULL)->last;
	many = alert_of(w, "auth.distributed", NULL)->last;
	strcpy(ids[0], slow.id);
	strcpy(ids[1], many.id);
	restarted(w);
	assert_int_equal(core_restore_alert(w->core, &slow), 0);
	assert_int_equal(core_restore_alert(w->core, &many), 0);
	slow_guesses(w, 20200, "20.2.0.1", 1, 1);
	from_networks(w, 20300, 13, "bob");
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 1);
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	assert_string_equal(alert_of(w, "auth.slow_bruteforce", NULL)->last.id, ids[0]);
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", NULL)->last.count, 22);
	assert_int_equal(alert_of(w, "auth.distributed", NULL)->last.count, 13);
	world_free(w);
}

/* The day's low ones are used up: a quiet one that rises to low stays quiet. */
static void a_rise_to_low_costs_one_too(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 21; i++)
		failed_unknown(w, 7000 + i * 1000.0, A, 1 + i, "oracle");
	for (unsigned i = 1; i < 4; i++)
		slow_one(w, i, 30000 + i);
	failed(w, 52000, A, 99, "alice");
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", A)->last.severity, SEVERITY_LOW);
	assert_int_equal(alert_of(w, "auth.slow_bruteforce", A)->notified, 0);
	world_free(w);
}

/* To the tick: a day after a fast alert what is slow counts. */
static void a_fast_alert_tells_for_a_day(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct world *w = world_new(false);

		for (unsigned i = 0; i < 6; i++)
			failed_unknown(w, i, A, 1 + i, "oracle"); /* the last at 5 */
		for (unsigned i = 0; i < 25; i++)
			failed_unknown(w, 10000 + i * 3000.0, A, 100 + i, "oracle");
		failed_unknown(w, late ? 86405 : 86404.9, A, 200, "oracle");
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), late);
		world_free(w);
	}
	(void)state;
}

static void fewer_networks_later_take_nothing_back(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	from_networks(w, 0, 14, "alice");
	from_networks(w, 3000, 11, "alice");
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	assert_int_equal(alert_of(w, "auth.distributed", NULL)->last.count, 14);
	tick(w, 86400 + 3000); /* a day after the first is not a day after the last */
	assert_int_not_equal(alert_of(w, "auth.distributed", NULL)->last.state, ALERT_CLOSED);
	world_free(w);
}

static void no_threshold_at_all(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->config.detections[DETECTION_auth_distributed].params[0] = 0;
	w->config.detections[DETECTION_auth_spray].params[0] = 0;
	w->config.detections[DETECTION_auth_slow_bruteforce].params[0] = 0;
	world_start(w);
	failed_unknown(w, 0, A, 1, "oracle");
	failed(w, 1, B, 1, "alice");
	assert_int_equal(alerts_of(w, "auth.distributed"), 1);
	assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 2);
	world_free(w);
}

static void sentences_name_what_exists(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	slow_guesses(w, 0, A, 21, HOUR);
	assert_non_null(strstr(alert_of(w, "auth.slow_bruteforce", A)->last.sentence, "'alice'"));
	from_networks(w, 86400, 10, "bob");
	assert_non_null(strstr(alert_of(w, "auth.distributed", NULL)->last.sentence,
			       "'bob' is guessed over ssh from 10 networks at a time; usually it "
			       "is not guessed at all."));
	world_free(w);

	w = world_new(false);
	for (unsigned d = 0; d < 7; d++)
		from_networks(w, d * 86400.0, 4, "root");
	from_networks(w, 7 * 86400.0, 12, "root");
	assert_non_null(strstr(alert_of(w, "auth.distributed", NULL)->last.sentence,
			       "on a usual day of the last seven it was 4."));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_21st_of_a_day_fires),
		cmocka_unit_test(slow_is_low_and_says_so),
		cmocka_unit_test(slow_at_unknown_accounts_is_not_sent),
		cmocka_unit_test(a_fast_alert_tells_it_already),
		cmocka_unit_test(after_a_fast_alert_a_new_day_counts),
		cmocka_unit_test(slow_survives_any_kill),
		cmocka_unit_test(slow_threshold_is_a_parameter),
		cmocka_unit_test(ten_networks_are_distributed),
		cmocka_unit_test(not_distributed),
		cmocka_unit_test(what_is_usual_is_not_told),
		cmocka_unit_test(what_was_usual_is_forgotten),
		cmocka_unit_test(many_guessed_accounts_are_bounded),
		cmocka_unit_test(an_asn_fires_above_300),
		cmocka_unit_test(an_asn_slides),
		cmocka_unit_test(an_asn_needs_ten_addresses),
		cmocka_unit_test(what_has_its_own_alert_is_not_the_asns),
		cmocka_unit_test(an_asn_of_unknown_accounts_is_nothing),
		cmocka_unit_test(an_asn_survives_a_kill),
		cmocka_unit_test(a_detection_that_is_off_is_off),
		cmocka_unit_test(low_ones_share_a_day),
		cmocka_unit_test(a_closed_one_recurs),
		cmocka_unit_test(open_alerts_go_on_after_a_kill),
		cmocka_unit_test(a_rise_to_low_costs_one_too),
		cmocka_unit_test(a_fast_alert_tells_for_a_day),
		cmocka_unit_test(fewer_networks_later_take_nothing_back),
		cmocka_unit_test(no_threshold_at_all),
		cmocka_unit_test(sentences_name_what_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
