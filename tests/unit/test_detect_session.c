/* Detections of what a session does, and the chain: each fires, its near miss, its edges. */
#include "detect_world.h"

/* --- activity */
static struct world *session_from(const char *origin)
{
	struct world *w = world_new(true);

	connected(w, 0, 1, origin, 1);
	pam(w, 1, 1, origin, 1, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	accepted(w, 1, origin, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	return w;
}

static void a_shell_is_told_once_with_what_ran(void **state)
{
	struct world *w = session_from(A);

	(void)state;
	assert_int_equal(alerts_of(w, "activity.remote_shell"), 0);
	for (int i = 0; i < 30; i++)
		EXEC(w, 2 + i, 1, "/usr/bin/id", "id\0-u\nX");
	tick(w, 100);
	assert_int_equal(alerts_of(w, "activity.remote_shell"), 1);
	assert_int_equal(alert_of(w, "activity.remote_shell", A)->last.count, 30);
	assert_int_equal(alert_of(w, "activity.remote_shell", A)->last.severity, SEVERITY_INFO);
	assert_non_null(
		strstr(alert_of(w, "activity.remote_shell", A)->last.sentence, "'id -u?X'"));
	assert_int_equal(session_nth(w, 0)->commands_total, 30);
	world_free(w);
}

static void transfers_have_a_direction(void **state)
{
	static const struct {
		const char *args;
		size_t len;
		const char *reason; /* NULL: a shell */
	} rows[] = {
#define ROW(args, reason) {args, sizeof(args) - 1, reason}
		ROW("scp\0-t\0/tmp", "in"),
		ROW("scp\0-r\0-f\0/etc", "out"),
		ROW("bash\0-c\0scp -f /etc/passwd", "out"),
		ROW("bash\0-c\0/usr/lib/openssh/sftp-server", "sftp"),
		ROW("rsync\0--server\0-logDtpre.iLsfx\0.\0/tmp", "in"),
		ROW("rsync\0--server\0--sender\0-vlogDtpre\0.\0/etc", "out"),
		ROW("scp\0x\0bob@10.0.0.1:", NULL),
		ROW("rsync\0-a\0x\0bob@10.0.0.1:", NULL),
		ROW("bash\0-c\0echo scp -t", NULL),
		ROW("-bash", NULL),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = session_from(A);

		execed(w, 2, 1, "/usr/bin/x", rows[i].args, rows[i].len, 0);
		assert_int_equal(alerts_of(w, "activity.file_transfer"), rows[i].reason != NULL);
		assert_int_equal(alerts_of(w, "activity.remote_shell"), rows[i].reason == NULL);
		if (rows[i].reason)
			assert_string_equal(alert_of(w, "activity.file_transfer", A)->last.reason,
					    rows[i].reason);
		world_free(w);
	}
}

static void bytes_come_at_the_close(void **state)
{
	struct world *w = session_from(A);
	struct seen_alert *a;

	(void)state;
	EXEC(w, 2, 1, "/usr/bin/bash", "bash\0-c\0scp -f x");
	EXEC(w, 2, 1, "/usr/bin/scp", "scp\0-f\0x");
	a = alert_of(w, "activity.file_transfer", A);
	assert_int_equal(a->last.count, 1);
	closed(w, 9, 1, A, 1, 4000, 3 << 20, 0);
	assert_non_null(strstr(a->last.sentence, "3.0 MiB out"));
	assert_string_equal(a->last.numbers, "4000 bytes in, 3145728 bytes out");
	assert_int_equal(a->last.state, ALERT_CLOSED);
	world_free(w);
}

static void sftp_by_its_line(void **state)
{
	struct world *w = session_from(A);
	struct event e = text_event(w, EVENT_AUTH_NOTE, 2, A, 1, "alice");

	(void)state;
	e.args = SPAN_LIT("subsystem 'sftp'");
	step(w, &e);
	assert_int_equal(alerts_of(w, "activity.file_transfer"), 1);
	world_free(w);
}

static void going_on_is_medium(void **state)
{
	static const struct {
		const char *dest;
		unsigned port, alerts;
	} rows[] = {
		{"10.0.0.5", 22, 1},	{"10.0.0.5", 3389, 1}, {"10.0.0.5", 443, 0},
		{"127.0.0.1", 22, 0},	{"192.0.2.1", 22, 0}, /* this host itself */
		{"10.0.0.5", 10250, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = session_from(A);

		onward(w, 5, 1, rows[i].dest, rows[i].port);
		assert_int_equal(alerts_of(w, "activity.lateral_movement"), rows[i].alerts);
		if (rows[i].alerts)
			assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity,
					 SEVERITY_MEDIUM);
		assert_int_equal(alerts_of(w, "chain.t1133"), 0);
		world_free(w);
	}
}

static void five_destinations_are_high(void **state)
{
	struct world *w = session_from(A);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		char dest[32];

		snprintf(dest, sizeof(dest), "10.0.0.%u", 5 + i);
		for (int again = 0; again < 3; again++)
			onward(w, 5 + i * 100, 1, dest, 22);
		assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity,
				 i == 4 ? SEVERITY_HIGH : SEVERITY_MEDIUM);
	}
	assert_int_equal(alerts_of(w, "activity.lateral_movement"), 1);
	world_free(w);
	w = session_from(A); /* the same, slowly */
	for (unsigned i = 0; i < 8; i++) {
		char dest[32];

		snprintf(dest, sizeof(dest), "10.0.0.%u", 5 + i);
		onward(w, 5 + i * 200, 1, dest, 22);
	}
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity,
			 SEVERITY_MEDIUM);
	world_free(w);
}

static void expected_edges_are_info(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	strcpy(w->config.onward[0].from, "alice");
	assert_true(cidr_parse(SPAN_LIT("10.0.0.0/8"), &w->config.onward[0].to));
	w->config.onward[0].service = SERVICE_SSH;
	w->config.onward_count = 1;
	world_start(w);
	connected(w, 0, 1, A, 1);
	pam_password(w, 1, 1, A, 1, "alice");
	onward(w, 5, 1, "10.0.0.5", 22);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity, SEVERITY_INFO);
	onward(w, 6, 1, "10.0.0.5", 3389);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity,
			 SEVERITY_MEDIUM);
	world_free(w);
}

static void an_edge_is_learned_on_the_third_day(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned day = 0; day < 5; day++) {
		double at = day * 86400.0;
		enum severity want = day < 3 ? SEVERITY_MEDIUM : SEVERITY_INFO;

		connected(w, at, 1 + day, A, 1 + day);
		pam_password(w, at + 1, 1 + day, A, 1 + day, "alice");
		onward(w, at + 2, 1 + day, "10.0.0.5", 22);
		assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity, want);
		closed(w, at + 100, 1 + day, A, 1 + day, 1, 1, 0);
	}
	world_free(w);
}

/* --- chain.t1133 */
static void an_intruder_is_one_story(void **state)
{
	struct world *w = world_new(true);
	const struct alert *c;

	(void)state;
	intrude(w, 0, 1, A, 6);
	EXEC(w, 20, 1, "/bin/bash", "bash\0-c\0tar cz /home");
	onward(w, 30, 1, "10.0.0.5", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	c = &alert_of(w, "chain.t1133", A)->last;
	assert_int_equal(c->severity, SEVERITY_HIGH);
	closed(w, 60, 1, A, 2999, 5000, 3 << 20, 0);
	assert_non_null(strstr(c->sentence, "After 6 failed logins"));
	assert_non_null(strstr(c->sentence, "203.0.113.9:2999"));
	assert_non_null(strstr(c->sentence, "'alice' with a password"));
	assert_non_null(strstr(c->sentence, "tar cz /home"));
	assert_non_null(strstr(c->sentence, "10.0.0.5:22 by ssh"));
	assert_non_null(strstr(c->sentence, "3.0 MiB went out"));
	assert_non_null(strstr(c->sentence, "To do:"));
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.part_of, c->id);
	assert_string_equal(alert_of(w, "auth.bruteforce_success", A)->last.part_of, c->id);
	assert_string_equal(alert_of(w, "activity.lateral_movement", A)->last.part_of, c->id);
	assert_string_equal(alert_of(w, "access.external", A)->last.part_of, c->id);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

static void parts_are_not_sent_again(void **state)
{
	struct world *w = world_new(true);
	unsigned before;

	(void)state;
	intrude(w, 0, 1, A, 6);
	onward(w, 30, 1, "10.0.0.5", 22);
	before = alert_of(w, "activity.lateral_movement", A)->notified;
	for (unsigned i = 0; i < 50; i++)
		onward(w, 31 + i, 1, "10.0.0.6", 22);
	closed(w, 600, 1, A, 2999, 1, 1, 0);
	tick(w, 700);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->notified, before);
	assert_int_equal(alert_of(w, "chain.t1133", A)->last.session[0] != 0, 1);
	world_free(w);
}

static void an_ordinary_day_is_no_chain(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	assert_true(cidr_parse(SPAN_LIT("10.0.0.0/24"), &w->config.onward[0].to));
	w->config.onward_count = 1;
	world_start(w);
	intrude(w, 0, 1, A, 3); /* three typos */
	EXEC(w, 20, 1, "/bin/bash", "-bash");
	EXEC(w, 21, 1, "/usr/bin/scp", "scp\0-t\0/tmp");
	onward(w, 30, 1, "10.0.0.5", 22);
	closed(w, 60, 1, A, 2999, 1, 1, 0);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	assert_int_equal(alerts_at_least(w, SEVERITY_MEDIUM), 0);
	world_free(w);
}

static void without_guessing_a_new_way_is_no_chain(void **state)
{
	struct world *w = session_from(A);

	(void)state;
	onward(w, 5, 1, "10.0.0.5", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	world_free(w);
}

static void from_inside_it_is_never_a_chain(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	intrude(w, 0, 1, "10.9.9.9", 9);
	onward(w, 30, 1, "10.0.0.5", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
	world_free(w);
}

/* He comes back two days later from elsewhere with what he guessed. */
static void coming_back_grows_the_same_chain(void **state)
{
	struct world *w = world_new(true);
	char id[ID_TEXT_MAX];

	(void)state;
	intrude(w, 0, 1, A, 8);
	onward(w, 30, 1, "10.0.0.5", 22);
	closed(w, 60, 1, A, 2999, 1, 1, 0);
	strcpy(id, alert_of(w, "chain.t1133", NULL)->last.id);
	connected(w, 2 * 86400.0, 50, B, 1);
	pam_password(w, 2 * 86400.0, 50, B, 1, "alice");
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	onward(w, 2 * 86400.0 + 5, 50, "10.0.0.9", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	assert_string_equal(alert_of(w, "chain.t1133", NULL)->last.id, id);
	assert_int_equal(alert_of(w, "chain.t1133", NULL)->last.count, 2);
	assert_non_null(strstr(alert_of(w, "chain.t1133", NULL)->last.sentence, B));
	/* Its start, the final bytes of the first session, and that he came back. */
	assert_int_equal(alert_of(w, "chain.t1133", NULL)->notified, 3);
	world_free(w);
}

/* The copy is a session of its own that does nothing else: it belongs to the story by its source.
 */
static void a_copy_of_the_same_source_joins(void **state)
{
	struct world *w = world_new(true);
	struct seen_alert *chain;

	(void)state;
	intrude(w, 0, 1, A, 8);
	onward(w, 30, 1, "10.0.0.5", 22);
	closed(w, 60, 1, A, 2999, 1, 1, 0);
	connected(w, 70, 50, A, 3100);
	pam_password(w, 70, 50, A, 3100, "alice");
	EXEC(w, 71, 50, "/usr/lib/openssh/sftp-server", "/usr/lib/openssh/sftp-server");
	closed(w, 75, 50, A, 3100, 2000, 3000000, 0);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	chain = alert_of(w, "chain.t1133", NULL);
	assert_non_null(strstr(chain->last.sentence, "2.8 MiB went out"));
	/* Its guessed login is part of the chain, too. */
	assert_string_equal(alert_of(w, "activity.file_transfer", A)->last.part_of, chain->last.id);
	world_free(w);
}

/* The account's owner, from home, while the intruder's chain is open: not part of it. */
static void the_owner_does_not_join(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	intrude(w, 0, 1, A, 8);
	onward(w, 30, 1, "10.0.0.5", 22);
	connected(w, 70, 50, B, 3100);
	pam(w, 70, 50, B, 3100, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	EXEC(w, 71, 50, "/bin/ls", "ls");
	assert_null(strstr(alert_of(w, "chain.t1133", NULL)->last.sentence, B));
	world_free(w);
}

static void he_is_known_after_a_restart(void **state)
{
	struct world *w = world_new(true), *v = world_make(true);
	uint8_t *blob;
	size_t need;

	(void)state;
	intrude(w, 0, 1, A, 8);
	onward(w, 30, 1, "10.0.0.5", 22);
	closed(w, 60, 1, A, 2999, 1, 1, 0);
	v->id.hash_seed = 99;
	world_start(v);
	need = core_export(w->core, NULL, 0);
	blob = malloc(need);
	core_export(w->core, blob, need);
	assert_int_equal(core_import(v->core, blob, need), 0);
	free(blob);
	for (unsigned i = 0; core_alert_at(w->core, i); i++)
		core_restore_alert(v->core, core_alert_at(w->core, i));
	connected(v, 100, 50, B, 1);
	pam_password(v, 101, 50, B, 1, "alice");
	onward(v, 105, 50, "10.0.0.9", 22);
	assert_string_equal(alert_of(v, "chain.t1133", NULL)->last.id,
			    alert_of(w, "chain.t1133", NULL)->last.id);
	assert_non_null(strstr(alert_of(v, "chain.t1133", NULL)->last.sentence, A));
	assert_non_null(strstr(alert_of(v, "chain.t1133", NULL)->last.sentence, B));
	world_free(w);
	world_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_is_told_once_with_what_ran),
		cmocka_unit_test(transfers_have_a_direction),
		cmocka_unit_test(bytes_come_at_the_close),
		cmocka_unit_test(sftp_by_its_line),
		cmocka_unit_test(going_on_is_medium),
		cmocka_unit_test(five_destinations_are_high),
		cmocka_unit_test(expected_edges_are_info),
		cmocka_unit_test(an_edge_is_learned_on_the_third_day),
		cmocka_unit_test(an_intruder_is_one_story),
		cmocka_unit_test(parts_are_not_sent_again),
		cmocka_unit_test(an_ordinary_day_is_no_chain),
		cmocka_unit_test(without_guessing_a_new_way_is_no_chain),
		cmocka_unit_test(from_inside_it_is_never_a_chain),
		cmocka_unit_test(coming_back_grows_the_same_chain),
		cmocka_unit_test(a_copy_of_the_same_source_joins),
		cmocka_unit_test(the_owner_does_not_join),
		cmocka_unit_test(he_is_known_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
