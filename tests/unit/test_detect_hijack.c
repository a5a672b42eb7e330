/* Whose session is worked in: multiplexers by the words of their clients, desktops by their logs.
 */
#include "detect_world.h"

#define ARGS(s)	 ((struct span){s, sizeof(s) - 1})
#define HIJACKED "session.hijacked"
#define SOCKET	 "/tmp/tmux-1001/default"

static void the_words_that_attach(void **state)
{
	static const struct {
		enum handoff_kind kind;
		struct span args;
		bool attaches;
	} rows[] = {
		{HANDOFF_TMUX, SPAN_LIT("tmux"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0"), false},
		{HANDOFF_TMUX, SPAN_LIT(""), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0a"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0at\0-t\0x"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0attach"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0attach-session"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0attach-sessions"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-S\0/tmp/s\0a"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-S/tmp/s\0a"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-2u\0attach"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-L\0attach\0new"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-L\0attach"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0new\0-A\0-s\0x"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0new-session\0-t\0x"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0new\0-s\0x"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0ls"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0send\0id"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0se"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0capturep\0-p"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0ls\0;\0attach"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0-S\0/tmp/s\0ls;\0a\0-t\0x"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0ls\0attach"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0ls\0;"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0neww\0id"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0run-shell\0id"), true},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0new\0vim"), false},
		{HANDOFF_TMUX, SPAN_LIT("tmux\0pipe-pane\0cat"), true},
		{HANDOFF_SCREEN, SPAN_LIT("screen"), false},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-S\0x"), false},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-S\0-x"), false},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-dmS\0x"), false},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-DmS\0x"), false},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-x"), true},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-dr"), true},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0-S\0x\0-X\0stuff"), true},
		{HANDOFF_SCREEN, SPAN_LIT("screen\0vim\0-r"), false},
		{HANDOFF_DBUS, SPAN_LIT("tmux\0attach"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (multiplexer_attaches(rows[i].kind, rows[i].args) != rows[i].attaches)
			fail_msg("row %zu", i);
}

static void client(struct world *w, double at, uint64_t conn, struct span args)
{
	struct event e = kernel_event(w, EVENT_HANDOFF, at, conn, NULL, 0);

	e.program = SPAN_LIT("tmux: client");
	e.path = SPAN_LIT(SOCKET);
	e.args = args;
	e.proc.pid = (uint32_t)(5000 + w->line);
	step(w, &e);
}

/* Two sessions of one account, each with a key. */
static struct world *two(const char *key_a, const char *key_b, const char *shared)
{
	struct world *w = world_make(true);

	if (shared) {
		snprintf(w->config.shared_accounts[0], sizeof(w->config.shared_accounts[0]), "%s",
			 shared);
		w->config.shared_accounts_count = 1;
	}
	world_start(w);
	connected(w, 0, 1, A, 1);
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	accepted(w, 1, A, 1, "deploy", METHOD_PUBLICKEY, key_a);
	connected(w, 10, 2, B, 2);
	pam(w, 11, 2, B, 2, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	accepted(w, 11, B, 2, "deploy", METHOD_PUBLICKEY, key_b);
	client(w, 20, 1, ARGS("tmux"));
	client(w, 30, 2, ARGS("tmux\0attach"));
	return w;
}

static void another_key_is_another_person(void **state)
{
	struct world *w = two("ED25519 SHA256:a", "ED25519 SHA256:b", NULL);

	(void)state;
	assert_int_equal(alerts_of(w, HIJACKED), 1);
	assert_int_equal(alert_of(w, HIJACKED, B)->last.severity, SEVERITY_HIGH);
	assert_non_null(strstr(alert_of(w, HIJACKED, B)->last.sentence, "with another key"));
	assert_non_null(strstr(alert_of(w, HIJACKED, B)->last.sentence, SOCKET));
	world_free(w);
}

/* The kernel's word comes first, the key a moment later; without one nobody is accused. */
static void a_key_that_is_told_late(void **state)
{
	static const char *const keys[] = {"ED25519 SHA256:a", "ED25519 SHA256:b", NULL};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = world_new(true);

		connected(w, 0, 1, A, 1);
		pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
		accepted(w, 1, A, 1, "deploy", METHOD_PUBLICKEY, "ED25519 SHA256:a");
		client(w, 2, 1, ARGS("tmux"));
		connected(w, 10, 2, B, 2);
		pam(w, 11, 2, B, 2, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
		client(w, 11.1, 2, ARGS("tmux\0attach"));
		assert_int_equal(alerts_of(w, HIJACKED), 0);
		if (keys[i])
			accepted(w, 11.2, B, 2, "deploy", METHOD_PUBLICKEY, keys[i]);
		tick(w, 14);
		assert_int_equal(alerts_of(w, HIJACKED), 0); /* 2.9 s after it */
		tick(w, 14.2);
		assert_int_equal(alerts_of(w, HIJACKED), i == 1);
		if (i == 1)
			assert_non_null(strstr(alert_of(w, HIJACKED, B)->last.sentence, SOCKET));
		world_free(w);
	}
}

/* More that wait than there is room for: the oldest is judged with what is known. */
static void the_wait_is_bounded(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	accepted(w, 1, A, 1, "deploy", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	client(w, 2, 1, ARGS("tmux"));
	connected(w, 10, 2, B, 2);
	pam(w, 11, 2, B, 2, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	for (unsigned i = 0; i < 3 * MULTIPLEXER_WAITS; i++)
		client(w, 11.1 + i * 0.01, 2, ARGS("tmux\0attach"));
	accepted(w, 11.5, B, 2, "deploy", METHOD_PUBLICKEY, "ED25519 SHA256:b");
	tick(w, 20);
	assert_int_equal(alerts_of(w, HIJACKED), 1);
	assert_int_equal(alert_of(w, HIJACKED, B)->last.count, MULTIPLEXER_WAITS);
	world_free(w);
}

/* A password says nothing of who it is where the other came with a key. */
static void a_password_accuses_nobody(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	accepted(w, 1, A, 1, "deploy", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	pam_password(w, 10, 2, B, 2, "deploy");
	client(w, 20, 1, ARGS("tmux"));
	client(w, 30, 2, ARGS("tmux\0attach"));
	tick(w, 60);
	assert_int_equal(alerts_of(w, HIJACKED), 0);
	world_free(w);
}

static void the_same_key_is_nobody_else(void **state)
{
	struct world *w = two("ED25519 SHA256:a", "ED25519 SHA256:a", NULL);

	(void)state;
	assert_int_equal(alerts_of(w, HIJACKED), 0);
	world_free(w);
}

static void shared_accounts_share(void **state)
{
	struct world *w = two("ED25519 SHA256:a", "ED25519 SHA256:b", "deploy");

	(void)state;
	assert_int_equal(alerts_of(w, HIJACKED), 0);
	world_free(w);
}

/* Who only ever attached has started nothing: a server that nobody here started is nobody's. */
static void who_attached_is_no_owner(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	pam_password(w, 1, 1, A, 1, "bob");
	pam_password(w, 2, 2, B, 2, "alice");
	client(w, 10, 1, ARGS("tmux\0-S\0" SOCKET "\0attach"));
	client(w, 20, 2, ARGS("tmux\0attach"));
	assert_int_equal(alerts_of(w, HIJACKED), 0);
	client(w, 30, 2, ARGS("tmux"));
	client(w, 40, 1, ARGS("tmux\0attach"));
	assert_int_equal(alerts_of(w, HIJACKED), 1);
	assert_string_equal(alert_of(w, HIJACKED, A)->last.account, "bob");
	world_free(w);
}

/* Names in the record are a client's words: none of them ends a quote or a line. */
static void hostile_paths_stay_quoted(void **state)
{
	struct world *w = world_new(true);
	static const char path[] = "/tmp/tmux-1001/a'\n\x1b[31m' opened.";
	struct event e;

	(void)state;
	pam_password(w, 1, 1, A, 1, "alice");
	pam_password(w, 2, 2, B, 2, "bob");
	for (uint64_t conn = 1; conn <= 2; conn++) {
		e = kernel_event(w, EVENT_HANDOFF, 10 + (double)conn, conn, NULL, 0);
		e.path = ARGS(path);
		e.args = conn == 1 ? ARGS("tmux") : ARGS("tmux\0a");
		step(w, &e);
	}
	assert_int_equal(alerts_of(w, HIJACKED), 1);
	for (const char *p = alert_of(w, HIJACKED, B)->last.sentence; *p; p++)
		assert_true((unsigned char)*p >= 0x20);
	assert_null(strstr(alert_of(w, HIJACKED, B)->last.sentence, "a' "));
	world_free(w);
}

/* --- desktops */
static void windows(struct world *w, double at, uint32_t id, const char *account,
		    const char *origin, uint64_t logon)
{
	struct event e = kernel_event(w, EVENT_ATTEMPT, at, 0, origin, 0);

	e.trust = TRUST_TEXT;
	e.local = (struct endpoint){0};
	e.proc = (struct proc_id){0};
	e.service = SERVICE_RDP;
	e.outcome = OUTCOME_SUCCESS;
	e.account = span_of(account);
	e.client = SPAN_LIT("WS7");
	e.host = SPAN_LIT("srv1");
	e.win = (struct event_windows){.id = id, .logon = logon, .logon_type = id == 4624 ? 10 : 0};
	if (id == 4778)
		e.kind = EVENT_SESSION_OPEN;
	if (id == 4779)
		e.kind = EVENT_CONNECTION_CLOSE;
	step(w, &e);
}

/* A crowd of other people's logons in that minute does not hide a takeover. */
static void a_crowd_does_not_hide_it(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	windows(w, 0, 4624, "alice", A, 0x100);
	windows(w, 1, 4624, "bob", B, 0x200);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		windows(w, 100 + i * 0.1, 4624, name, "198.51.100.8", 0x1000 + i);
	}
	windows(w, 140, 4779, "alice", A, 0x100);
	windows(w, 141, 4778, "bob", A, 0x200);
	assert_int_equal(alerts_of(w, HIJACKED), 0); /* a logon of bob may still be told */
	tick(w, 150.9);
	assert_int_equal(alerts_of(w, HIJACKED), 0);
	tick(w, 151);
	assert_int_equal(alerts_of(w, HIJACKED), 1);
	assert_int_equal(alert_of(w, HIJACKED, A)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

/* More arrivals at a time than there is room for: the oldest is judged early, none is lost. */
static void arrivals_in_a_row_are_all_judged(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	windows(w, 0, 4779, "alice", A, 0x100);
	for (unsigned i = 0; i < TAKEOVER_ARRIVALS + 4; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		windows(w, 1 + i * 0.1, 4778, name, A, 0x200 + i);
	}
	tick(w, 60);
	assert_int_equal(alerts_of(w, HIJACKED), TAKEOVER_ARRIVALS + 4);
	world_free(w);
}

/* Each detection about a session has a place among the session's alerts. */
static void there_is_room_for_each_detection(void **state)
{
	unsigned about_sessions = 0;

	(void)state;
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		about_sessions += detections[i]->key == KEY_SESSION;
	assert_true(about_sessions <= SESSION_ALERTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_that_attach),
		cmocka_unit_test(another_key_is_another_person),
		cmocka_unit_test(a_key_that_is_told_late),
		cmocka_unit_test(the_wait_is_bounded),
		cmocka_unit_test(a_password_accuses_nobody),
		cmocka_unit_test(the_same_key_is_nobody_else),
		cmocka_unit_test(shared_accounts_share),
		cmocka_unit_test(who_attached_is_no_owner),
		cmocka_unit_test(hostile_paths_stay_quoted),
		cmocka_unit_test(a_crowd_does_not_hide_it),
		cmocka_unit_test(arrivals_in_a_row_are_all_judged),
		cmocka_unit_test(there_is_room_for_each_detection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
