/* activity.exfiltration: when it fires, when it does not, and what an identity's habit does. */
#include "detect_world.h"

#define ID  "activity.exfiltration"
#define MIB (1ull << 20)

static void logged_in(struct world *w, double at, uint64_t conn)
{
	connected(w, at, conn, A, (unsigned)conn);
	pam(w, at, conn, A, (unsigned)conn, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	accepted(w, at, A, (unsigned)conn, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
}

static struct world *session_from_outside(void)
{
	struct world *w = world_new(true);

	logged_in(w, 0, 1);
	return w;
}

/* out_conn 0: of the accepted connection. */
static void bytes(struct world *w, double at, uint64_t conn, uint64_t out_conn, uint64_t out)
{
	struct event e = kernel_event(w, EVENT_BYTES, at, conn, NULL, 0);

	e.out_conn = out_conn;
	e.bytes_out = out;
	step(w, &e);
}

static void out(struct world *w, enum event_kind kind, double at, uint64_t out_conn,
		const char *dest, uint64_t n)
{
	struct event e = kernel_event(w, kind, at, 1, NULL, 0);

	e.dest = ep(dest, 443);
	e.program = SPAN_LIT("curl");
	e.out_conn = out_conn;
	e.bytes_out = n;
	step(w, &e);
}

static void only_more_than_the_threshold_fires(void **state)
{
	struct world *w = session_from_outside();
	const struct alert *a;

	(void)state;
	bytes(w, 5, 1, 0, 255 * MIB);
	bytes(w, 10, 1, 0, 256 * MIB);
	assert_int_equal(alerts_of(w, ID), 0);
	bytes(w, 15, 1, 0, 256 * MIB + 1);
	assert_int_equal(alerts_of(w, ID), 1);
	a = &alert_of(w, ID, A)->last;
	assert_int_equal(a->severity, SEVERITY_MEDIUM);
	assert_int_equal(a->state, ALERT_OPEN);
	assert_int_equal(session_nth(w, 0)->state, SESSION_OPEN);
	assert_string_equal(a->numbers, "268435457 bytes out > 268435456");
	world_free(w);
}

static void it_is_sent_once_and_at_the_close(void **state)
{
	struct world *w = session_from_outside();

	(void)state;
	for (unsigned i = 1; i <= 40; i++)
		bytes(w, 5.0 * i, 1, 0, i * 100 * MIB);
	assert_int_equal(alert_of(w, ID, A)->notified, 1);
	assert_in_range(alert_of(w, ID, A)->revisions, 2, 6);
	closed(w, 300, 1, A, 1, 1, 5000 * MIB, 0);
	assert_int_equal(alert_of(w, ID, A)->notified, 2);
	assert_int_equal(alert_of(w, ID, A)->last.state, ALERT_CLOSED);
	assert_int_equal(alert_of(w, ID, A)->last.count, 1);
	assert_non_null(strstr(alert_of(w, ID, A)->last.sentence, "4.8 GiB"));
	world_free(w);
}

static void own_connections_count_while_they_live(void **state)
{
	struct world *w = session_from_outside();

	(void)state;
	out(w, EVENT_CONNECT, 1, 71, "198.51.100.5", 0);
	out(w, EVENT_CONNECT, 1, 72, "198.51.100.6", 0);
	bytes(w, 5, 1, 71, 150 * MIB);
	bytes(w, 5, 1, 72, 100 * MIB);
	bytes(w, 5, 1, 71, 150 * MIB); /* held by a second process: told again */
	out(w, EVENT_CONNECT_CLOSE, 6, 71, "198.51.100.5", 156 * MIB);
	assert_int_equal(alerts_of(w, ID), 0);
	bytes(w, 10, 1, 72, 100 * MIB + 1);
	assert_int_equal(alerts_of(w, ID), 1);
	world_free(w);
}

static void more_connections_than_are_followed_count_at_their_end(void **state)
{
	struct world *w = session_from_outside();

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		out(w, EVENT_CONNECT, 1, 100 + i, "198.51.100.5", 0);
	for (unsigned i = 0; i < 20; i++)
		out(w, EVENT_CONNECT_CLOSE, 2 + i, 100 + i, "198.51.100.5", 13 * MIB);
	assert_int_equal(alerts_of(w, ID), 1);
	assert_string_equal(alert_of(w, ID, A)->last.numbers, "272629760 bytes out > 268435456");
	world_free(w);
}

static void forwarded_traffic_counts_once(void **state)
{
	struct world *w = session_from_outside();
	struct event e;

	(void)state;
	out(w, EVENT_CONNECT, 1, 71, "10.0.0.5", 0);
	bytes(w, 5, 1, 0, 250 * MIB); /* goes out here what comes in there */
	e = kernel_event(w, EVENT_BYTES, 5, 1, NULL, 0);
	e.out_conn = 71;
	e.bytes_in = 250 * MIB;
	e.bytes_out = MIB;
	step(w, &e);
	e.kind = EVENT_CONNECT_CLOSE;
	e.dest = ep("10.0.0.5", 443);
	step(w, &e);
	assert_int_equal(alerts_of(w, ID), 0);
	world_free(w);
}

static void what_stays_here_is_not_sent(void **state)
{
	struct world *w = session_from_outside();

	(void)state;
	out(w, EVENT_CONNECT, 1, 71, "127.0.0.1", 0);
	bytes(w, 5, 1, 71, 900 * MIB);
	out(w, EVENT_CONNECT_CLOSE, 6, 71, "127.0.0.1", 900 * MIB);
	assert_int_equal(alerts_of(w, ID), 0);
	world_free(w);
}

static void with_an_anomaly_it_is_high(void **state)
{
	struct world *w = session_from_outside();
	struct seen_alert *a;

	(void)state;
	bytes(w, 5, 1, 0, 300 * MIB);
	a = alert_of(w, ID, A);
	assert_int_equal(a->last.severity, SEVERITY_MEDIUM);
	bytes(w, 10, 1, 0, 301 * MIB);
	assert_int_equal(a->last.severity, SEVERITY_MEDIUM); /* itself is no other anomaly */
	onward(w, 12, 1, "10.0.0.5", 22);
	bytes(w, 15, 1, 0, 302 * MIB);
	assert_int_equal(a->last.severity, SEVERITY_HIGH);
	assert_int_equal(a->notified, 2);
	assert_int_equal(a->last.count, 1);
	bytes(w, 20, 1, 0, 303 * MIB);
	assert_int_equal(a->notified, 2);
	world_free(w);
}

static void from_inside_it_is_one_lower(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, "10.9.9.9", 1);
	pam_password(w, 1, 1, "10.9.9.9", 1, "alice");
	bytes(w, 5, 1, 0, 300 * MIB);
	assert_int_equal(alert_of(w, ID, NULL)->last.severity, SEVERITY_LOW);
	world_free(w);
}

/* n clean sessions a day apart that send so much. */
static double habit(struct world *w, unsigned n, uint64_t sent)
{
	for (unsigned i = 0; i < n; i++) {
		logged_in(w, i * 86400.0, 1000 + i);
		closed(w, i * 86400.0 + 60, 1000 + i, A, 1000 + i, 1, sent, 0);
	}
	return n * 86400.0;
}

static void a_habit_raises_the_threshold(void **state)
{
	static const struct {
		unsigned sessions;
		uint64_t each, now;
		unsigned alerts;
	} rows[] = {
		{4, 100 * MIB, 300 * MIB, 1}, /* no habit yet */
		{5, 100 * MIB, 300 * MIB, 0}, {5, 100 * MIB, 480 * MIB, 0},
		{5, 100 * MIB, 481 * MIB, 1}, {50, 100 * MIB, 481 * MIB, 1},
		{50, 5 * MIB, 256 * MIB, 0},  {50, 5 * MIB, 257 * MIB, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(true);
		double at = habit(w, rows[i].sessions, rows[i].each);

		logged_in(w, at, 1);
		bytes(w, at + 5, 1, 0, rows[i].now);
		assert_int_equal(alerts_of(w, ID), rows[i].alerts);
		world_free(w);
	}
}

static void another_key_is_another_habit(void **state)
{
	struct world *w = world_new(true);
	double at = habit(w, 20, 200 * MIB);

	(void)state;
	connected(w, at, 1, A, 1);
	pam(w, at, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	accepted(w, at, A, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:other");
	bytes(w, at + 5, 1, 0, 300 * MIB);
	assert_int_equal(alerts_of(w, ID), 1);
	world_free(w);
}

/* A nightly backup of 1 GiB: learned from the third day without a high alert on. */
static void a_backup_is_learned(void **state)
{
	struct world *w = world_new(true);
	double at = habit(w, 7, 1024 * MIB);
	unsigned before = alerts_of(w, ID);

	(void)state;
	assert_in_range(before, 3, 7);
	logged_in(w, at, 1);
	bytes(w, at + 5, 1, 0, 1024 * MIB);
	assert_int_equal(alerts_of(w, ID), before);
	world_free(w);
}

/* An account that the operator calls a machine's: its habit is learned without waking anybody; what
 * is five times that, or in bad company, is as of anybody else. */
static void a_machines_first_nights_are_info(void **state)
{
	struct world *w = world_make(true);
	double at;

	(void)state;
	strcpy(w->config.expected_automation[0], "alice");
	w->config.expected_automation_count = 1;
	world_start(w);
	at = habit(w, 5, 1024 * MIB);
	assert_int_equal(alerts_of(w, ID), 5);
	for (unsigned i = 0; i < w->alerts_used; i++)
		assert_true(w->alerts[i].last.severity <= SEVERITY_LOW);
	logged_in(w, at, 1);
	bytes(w, at + 5, 1, 0, 1024 * MIB);
	assert_int_equal(alerts_of(w, ID), 5);
	bytes(w, at + 10, 1, 0, 9000 * MIB);
	assert_int_equal(alert_of(w, ID, NULL)->last.severity, SEVERITY_MEDIUM);
	world_free(w);

	w = world_make(true);
	strcpy(w->config.expected_automation[0], "alice");
	w->config.expected_automation_count = 1;
	world_start(w);
	intrude(w, 0, 1, A, 8); /* a guessed login */
	bytes(w, 30, 1, 0, 1024 * MIB);
	assert_int_equal(alert_of(w, ID, NULL)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

static void a_habit_survives_a_restart(void **state)
{
	struct world *w = world_new(true), *v = world_new(true);
	double at = habit(w, 10, 200 * MIB);
	size_t need = core_export(w->core, NULL, 0);
	uint8_t *blob = malloc(need);

	(void)state;
	core_export(w->core, blob, need);
	assert_int_equal(core_import(v->core, blob, need), 0);
	free(blob);
	logged_in(v, at, 1);
	bytes(v, at + 5, 1, 0, 300 * MIB);
	assert_int_equal(alerts_of(v, ID), 0);
	world_free(w);
	world_free(v);
}

static void after_a_guessed_login_it_is_a_chain(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	intrude(w, 0, 1, A, 8);
	bytes(w, 30, 1, 0, 200 * MIB);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	bytes(w, 35, 1, 0, 300 * MIB);
	assert_int_equal(alert_of(w, ID, A)->last.severity, SEVERITY_HIGH);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	bytes(w, 40, 1, 0, 301 * MIB);
	assert_string_equal(alert_of(w, ID, A)->last.part_of,
			    alert_of(w, "chain.t1133", NULL)->last.id);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_more_than_the_threshold_fires),
		cmocka_unit_test(it_is_sent_once_and_at_the_close),
		cmocka_unit_test(own_connections_count_while_they_live),
		cmocka_unit_test(more_connections_than_are_followed_count_at_their_end),
		cmocka_unit_test(forwarded_traffic_counts_once),
		cmocka_unit_test(what_stays_here_is_not_sent),
		cmocka_unit_test(with_an_anomaly_it_is_high),
		cmocka_unit_test(from_inside_it_is_one_lower),
		cmocka_unit_test(a_habit_raises_the_threshold),
		cmocka_unit_test(another_key_is_another_habit),
		cmocka_unit_test(a_backup_is_learned),
		cmocka_unit_test(a_machines_first_nights_are_info),
		cmocka_unit_test(a_habit_survives_a_restart),
		cmocka_unit_test(after_a_guessed_login_it_is_a_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
