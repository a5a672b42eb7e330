/* Each detection: it fires, its near miss, its edges. */
#include "core_world.h"

#include "common/core/core_internal.h"

#define A "203.0.113.9"
#define B "198.51.100.77"

static void guess(struct world *w, double at, const char *origin, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		failed(w, at + i, origin, 2000 + i, "alice");
}

/* Guesses by the kernel's word, each on its own connection; the last one gets in. */
static void intrude(struct world *w, double at, uint64_t conn, const char *origin, unsigned fails)
{
	for (unsigned i = 0; i < fails; i++) {
		connected(w, at + i, conn + 1 + i, origin, 3000 + i);
		failed(w, at + i, origin, 3000 + i, "alice");
		pam_failed(w, at + i, conn + 1 + i, origin, 3000 + i, "alice");
	}
	connected(w, at + fails, conn, origin, 2999);
	pam_password(w, at + fails, conn, origin, 2999, "alice");
	accepted(w, at + fails, origin, 2999, "alice", METHOD_PASSWORD, "");
}

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
	assert_int_equal(alert_of(w, "chain.t1133", NULL)->notified, 2);
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
		cmocka_unit_test(root_is_low_until_it_logged_in_that_way),
		cmocka_unit_test(low_ones_are_sent_a_few_times_a_day),
		cmocka_unit_test(inside_is_one_lower),
		cmocka_unit_test(network_fires_when_no_source_does),
		cmocka_unit_test(only_the_most_specific_fires),
		cmocka_unit_test(v6_sources_are_a_64),
		cmocka_unit_test(noise_is_one_digest_sent_at_the_days_end),
		cmocka_unit_test(a_few_failures_a_day_are_no_digest),
		cmocka_unit_test(an_attack_is_not_in_the_digest_too),
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
		cmocka_unit_test(he_is_known_after_a_restart),
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
		cmocka_unit_test(the_same_events_give_the_same_ids),
		cmocka_unit_test(every_row_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
