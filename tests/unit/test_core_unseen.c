/*
 * Shells that no verdict explains: when they are a login by unknown means, when they are nobody's,
 * and when they are nothing (SENSORS section 5).
 */
#include "core_world.h"

#define SHELL	"access.shell_without_auth"
#define A	"203.0.113.9"
#define TTY	EVENT_STDIN_TTY
#define SOCKET_ EVENT_STDIN_SOCKET

static void ran(struct world *w, double at, uint64_t conn, const char *path, unsigned port,
		uint32_t uid, uint32_t flags)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, conn, A, 40000);

	e.local = ep("192.0.2.1", port);
	e.service = port == 22 ? SERVICE_SSH : SERVICE_NONE;
	e.program = span_of(path);
	e.args = span_of(path);
	e.uid = uid;
	e.user = span_of(uid == 1001 ? "alice" : "root");
	e.flags = flags;
	step(w, &e);
}

static void terminal_without_login(void **state)
{
	struct world *w = world_new(true);
	struct seen_alert *a;

	(void)state;
	ran(w, 1, 5, "/bin/bash", 4445, 0, TTY);
	tick(w, 2.9);
	assert_int_equal(alerts_of(w, SHELL), 0);
	tick(w, 3.1);
	a = alert_of(w, SHELL, A);
	assert_non_null(a);
	assert_int_equal(a->last.severity, SEVERITY_CRITICAL);
	assert_int_equal(a->notified, 1);
	assert_non_null(strstr(a->last.sentence, "port 4445"));
	assert_non_null(strstr(a->last.sentence, "'root'"));
	assert_int_equal(sessions(w), 1);
	assert_int_equal(session_nth(w, 0)->method, METHOD_NO_AUTH);
	assert_int_equal(session_nth(w, 0)->commands_total, 1); /* the held one */
	onward(w, 9, 5, "10.20.0.2", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	world_free(w);
}

/* `ssh host command` is over before anybody has waited; a helper of root's was none. */
static void a_short_command_was_a_login(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/bin/echo", 22, 1001, EVENT_STDIN_PIPE);
	closed(w, 1.2, 5, A, 40000, 3000, 3000, 0);
	connected(w, 0, 6, "203.0.113.77", 40000);
	ran(w, 1, 6, "/usr/bin/helper", 22, 0, EVENT_STDIN_PIPE);
	closed(w, 1.2, 6, "203.0.113.77", 40000, 3000, 3000, 0);
	tick(w, 9);
	assert_int_equal(sessions(w), 1);
	assert_string_equal(session_nth(w, 0)->account, "alice");
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_int_equal(alerts_of(w, "sensor.blind"), 1);
	world_free(w);
}

static void internal_is_one_lower(void **state)
{
	struct world *w = world_new(true);
	struct event e = kernel_event(w, EVENT_EXEC, 1, 5, "10.1.2.3", 40000);

	(void)state;
	e.local = ep("10.0.0.1", 4445);
	e.service = SERVICE_NONE;
	e.program = e.args = SPAN_LIT("/bin/sh");
	e.flags = TTY;
	step(w, &e);
	tick(w, 4);
	assert_int_equal(alert_of(w, SHELL, "10.1.2.3")->last.severity, SEVERITY_HIGH);
	world_free(w);
}

static void shell_on_the_socket(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	ran(w, 1, 5, "/bin/sh", 4444, 0, SOCKET_);
	ran(w, 2, 5, "/usr/bin/id", 4444, 0, SOCKET_);
	tick(w, 9);
	assert_int_equal(alerts_of(w, SHELL), 0); /* one program: an inetd script */
	ran(w, 10, 5, "/usr/bin/uname", 4444, 0, SOCKET_);
	tick(w, 10.1);
	assert_int_equal(alerts_of(w, SHELL), 1);
	world_free(w);
}

static void two_programs_at_once_must_last(void **state)
{
	struct world *w = world_new(true);
	struct event closed = kernel_event(w, EVENT_CONNECTION_CLOSE, 2, 5, A, 40000);

	(void)state;
	ran(w, 1, 5, "/bin/sh", 4444, 0, SOCKET_);
	ran(w, 1.1, 5, "/usr/bin/id", 4444, 0, SOCKET_);
	ran(w, 1.2, 5, "/usr/bin/date", 4444, 0, SOCKET_);
	tick(w, 1.9);
	assert_int_equal(alerts_of(w, SHELL), 0);
	closed.local = ep("192.0.2.1", 4444);
	step(w, &closed);
	tick(w, 20);
	assert_int_equal(alerts_of(w, SHELL), 0);
	assert_int_equal(sessions(w), 0);
	world_free(w);
}

/* CGI, git hooks, mail pipes: neither a terminal nor the connection as stdin. */
static void pipes_are_nothing(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	ran(w, 1, 5, "/bin/sh", 80, 33, 0);
	for (int i = 0; i < 9; i++)
		ran(w, 2 + i, 5, "/usr/bin/git", 80, 33, 0);
	tick(w, 60);
	assert_int_equal(alerts_of(w, SHELL), 0);
	assert_int_equal(sessions(w), 0);
	world_free(w);
}

static void begun(struct world *w, double at, uint64_t conn, struct span args, uint32_t flags)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, conn, A, 40000);

	e.local = ep("192.0.2.1", 4444);
	e.service = SERVICE_NONE;
	e.program = SPAN_LIT("/usr/bin/dash");
	e.args = args;
	e.user = SPAN_LIT("root");
	e.flags = flags;
	step(w, &e);
}

/* `nc -l | sh`: a shell that asks a pipe what to do, and does it for a while. */
static void a_bare_shell_behind_a_pipe(void **state)
{
	static const struct {
		struct span args;
		unsigned alerts;
	} each[] = {
		{SPAN_LIT("sh"), 1},
		{SPAN_LIT("-sh"), 1},
		{SPAN_LIT("sh\0-i"), 1},
		{SPAN_LIT("bash\0--norc\0-s"), 1},
		{SPAN_LIT("sh\0-c\0id"), 0},
		{SPAN_LIT("sh\0-ec\0id"), 0},
		{SPAN_LIT("sh\0hooks/post-receive"), 0},
		{SPAN_LIT("sh\0-x\0filter"), 0},
		{SPAN_LIT(""), 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct world *w = world_new(true);

		begun(w, 1, 5, each[i].args, EVENT_STDIN_PIPE);
		ran(w, 2, 5, "/usr/bin/id", 4444, 0, EVENT_STDIN_PIPE);
		tick(w, 9);
		assert_int_equal(alerts_of(w, SHELL), 0); /* one program */
		ran(w, 10, 5, "/usr/bin/uname", 4444, 0, EVENT_STDIN_PIPE);
		tick(w, 10.1);
		assert_int_equal(alerts_of(w, SHELL), each[i].alerts);
		assert_int_equal(sessions(w), each[i].alerts);
		world_free(w);
	}
}

/* `exec -a`: which program runs stands before the words that it was given. */
static void who_calls_himself_another(void **state)
{
	static const struct {
		struct span program, args;
		const char *text;
	} each[] = {
		{SPAN_LIT("/usr/bin/python3"), SPAN_LIT("/usr/sbin/cron\0-f"),
		 "[/usr/bin/python3] /usr/sbin/cron -f"},
		{SPAN_LIT("/dev/fd/3"), SPAN_LIT("innocent\0x"), "[/dev/fd/3] innocent x"},
		{SPAN_LIT("/bin/bash"), SPAN_LIT("-bash"), "-bash"},
		{SPAN_LIT("/usr/bin/id"), SPAN_LIT("id\0-u"), "id -u"},
		{SPAN_LIT("/opt/run"), SPAN_LIT("/usr/bin/env\0python3\0/opt/run\0x"),
		 "/usr/bin/env python3 /opt/run x"},
		{SPAN_LIT("C:\\x.exe"), SPAN_LIT("y.exe -a"), "y.exe -a"},
		{SPAN_LIT("/usr/bin/id"), SPAN_LIT("id -u"), "id -u"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct world *w = world_new(true);
		struct event e = kernel_event(w, EVENT_EXEC, 3, 5, A, 40000);

		pam_password(w, 2, 5, A, 40000, "alice");
		e.program = each[i].program;
		e.args = each[i].args;
		step(w, &e);
		assert_int_equal(session_nth(w, 0)->commands_total, 1);
		assert_string_equal(session_nth(w, 0)->commands[0].text, each[i].text);
		world_free(w);
	}
}

/* Two programs at once, and gone before anybody has typed. */
static void a_bare_shell_that_is_fed_a_script(void **state)
{
	struct world *w = world_new(true);
	struct event closed = kernel_event(w, EVENT_CONNECTION_CLOSE, 3, 5, A, 40000);

	(void)state;
	begun(w, 1, 5, SPAN_LIT("sh"), EVENT_STDIN_PIPE);
	ran(w, 1.1, 5, "/usr/bin/id", 4444, 0, EVENT_STDIN_PIPE);
	ran(w, 1.2, 5, "/usr/bin/date", 4444, 0, EVENT_STDIN_PIPE);
	tick(w, 2);
	closed.local = ep("192.0.2.1", 4444);
	step(w, &closed);
	tick(w, 20);
	assert_int_equal(w->alerts_used, 0);
	assert_int_equal(sessions(w), 0);
	world_free(w);
}

static void verdict_in_time(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/bin/bash", 22, 1001, TTY);
	pam_password(w, 2, 5, A, 40000, "alice");
	tick(w, 30);
	assert_int_equal(alerts_of(w, SHELL), 0);
	assert_int_equal(alerts_of(w, "sensor.blind"), 0);
	assert_int_equal(sessions(w), 1);
	assert_string_equal(session_nth(w, 0)->account, "alice");
	world_free(w);
}

static void login_that_nobody_tells(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/bin/bash", 22, 1001, TTY);
	tick(w, 3.5);
	assert_int_equal(alerts_of(w, SHELL), 0);
	assert_int_equal(sessions(w), 1);
	assert_string_equal(session_nth(w, 0)->account, "alice");
	assert_int_equal(session_nth(w, 0)->method, METHOD_NONE);
	assert_int_equal(alerts_of(w, "access.external"), 1);
	assert_int_equal(alerts_of(w, "sensor.blind"), 1);
	assert_string_equal(alert_of(w, "sensor.blind", NULL)->last.reason, "no-evidence");
	world_free(w);
}

/* ssh host 'command', without a terminal: sshd connects it by local sockets. */
static void a_command_that_nobody_tells(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/bin/sh", 22, 1001, EVENT_STDIN_PIPE);
	tick(w, 3.5);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(alerts_of(w, "sensor.blind"), 1);
	assert_int_equal(alerts_of(w, SHELL), 0);
	world_free(w);
}

/* sshd's own helpers, and a command behind pipes of what is no login daemon. */
static void helpers_and_pipes_elsewhere(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/usr/lib/openssh/sshd-auth", 22, 0, EVENT_STDIN_PIPE);
	ran(w, 1, 6, "/bin/sh", 8080, 33, EVENT_STDIN_PIPE);
	tick(w, 30);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

/* AuthorizedKeysCommand runs as another user before the login, and waits for nothing. */
static void helper_before_the_login(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 40000);
	ran(w, 1, 5, "/usr/local/bin/keys", 22, 1001, 0);
	tick(w, 30);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

/* More shells than there is room for: the oldest gives way, nothing breaks. */
static void a_crowd(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		ran(w, 1 + i * 0.001, 100 + i, "/bin/sh", 4445, 0, TTY);
	tick(w, 5);
	assert_true(alerts_of(w, SHELL) >= 60);
	assert_true(core_stats(w->core)->procs_evicted > 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_without_login),
		cmocka_unit_test(a_short_command_was_a_login),
		cmocka_unit_test(internal_is_one_lower),
		cmocka_unit_test(shell_on_the_socket),
		cmocka_unit_test(two_programs_at_once_must_last),
		cmocka_unit_test(pipes_are_nothing),
		cmocka_unit_test(a_bare_shell_behind_a_pipe),
		cmocka_unit_test(a_bare_shell_that_is_fed_a_script),
		cmocka_unit_test(who_calls_himself_another),
		cmocka_unit_test(verdict_in_time),
		cmocka_unit_test(login_that_nobody_tells),
		cmocka_unit_test(a_command_that_nobody_tells),
		cmocka_unit_test(helpers_and_pipes_elsewhere),
		cmocka_unit_test(helper_before_the_login),
		cmocka_unit_test(a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
