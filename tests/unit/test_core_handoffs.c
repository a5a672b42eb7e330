/*
 * What a session has others start: what joins it, what only may have come of it, and what is
 * somebody else's although it came at the same moment.
 */
#include "core_world.h"

#define A	 "203.0.113.9"
#define ID(n)	 (1ull << 63 | (n))
#define LATERAL	 "activity.lateral_movement"
#define ARGS(s)	 ((struct span){s, sizeof(s) - 1})
#define RUN_UNIT "run-r0123456789abcdef.service"

static struct world *logged_in(uint64_t conn, const char *account)
{
	struct world *w = world_new(true);

	pam_password(w, 1, conn, A, 40000, account);
	return w;
}

static void asked_by(struct world *w, double at, uint64_t conn, struct span args, uint32_t uid)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, conn, NULL, 0);

	e.program = span_first(args, strlen(args.ptr));
	e.args = args;
	e.uid = e.euid = uid;
	e.proc.pid = (uint32_t)(2000 + w->line);
	step(w, &e);
}

static void stranger(struct world *w, double at, struct span args)
{
	struct event e = kernel_event(w, EVENT_HANDOFF, at, 0, NULL, 0);

	e.local = (struct endpoint){0};
	e.args = args;
	step(w, &e);
}

static struct event birth(struct world *w, double at, uint64_t id, enum handoff_kind kind,
			  struct span args, const char *unit)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, 0, NULL, 0);

	e.local = (struct endpoint){0};
	e.handoff = id;
	e.broker.kind = kind;
	e.broker.proc.pid = 1;
	e.program = span_first(args, strlen(args.ptr));
	e.args = args;
	e.subject = span_of(unit);
	e.proc.pid = (uint32_t)(5000 + (id & 0xffff));
	return e;
}

static void born(struct world *w, double at, uint64_t id, struct span args, const char *unit)
{
	struct event e = birth(w, at, id, HANDOFF_SYSTEMD, args, unit);

	step(w, &e);
}

static void ended(struct world *w, double at, uint64_t id)
{
	struct event e = kernel_event(w, EVENT_EXIT, at, 0, NULL, 0);

	e.handoff = id;
	step(w, &e);
}

static const struct session_handoff *first(struct world *w)
{
	return &session_nth(w, 0)->handoffs[0];
}

/* Is the kernel told that nobody wants that id? */
static bool let_go(struct world *w, uint64_t id)
{
	uint64_t got;

	while (core_next_let_go(w->core, &got))
		if (got == id)
			return true;
	return false;
}

#define SYSTEMD_RUN ARGS("systemd-run\0--collect\0sh\0-c\0ssh next")
#define ITS_SHELL   ARGS("/usr/bin/sh\0-c\0ssh next")

static void the_unit_of_its_command_line(void **state)
{
	struct world *w = logged_in(5, "root");
	struct event on;

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	assert_int_equal(first(w)->state, HANDOFF_ASKED);
	closed(w, 2.02, 5, A, 40000, 1, 1, 0);
	born(w, 2.05, ID(1), ITS_SHELL, RUN_UNIT);
	assert_int_equal(first(w)->state, HANDOFF_JOINED);
	assert_string_equal(first(w)->what, RUN_UNIT);
	assert_int_equal(session_nth(w, 0)->state, SESSION_LINGERING);
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	assert_int_equal(session_nth(w, 0)->commands[1].via, 1);
	on = kernel_event(w, EVENT_CONNECT, 3, 0, NULL, 0);
	on.handoff = ID(1);
	on.dest = ep("10.20.0.2", 22);
	on.program = SPAN_LIT("ssh");
	on.local = ep("10.20.0.1", 50001);
	on.out_conn = 77;
	on.flags = EVENT_ESTABLISHED;
	step(w, &on);
	assert_int_equal(alerts_of(w, LATERAL), 1);
	assert_int_equal(alerts_of(w, "container.lateral"), 0); /* it is none */
	assert_int_equal(session_nth(w, 0)->dests[0].via, 1);
	assert_true(addr_eq(&session_nth(w, 0)->dests[0].source, &on.local.addr));
	for (uint16_t i = 2; i <= 3; i++) { /* the first and the last are kept */
		on.local.port = (uint16_t)(50000 + i);
		on.out_conn++;
		on.time_ns++;
		step(w, &on);
	}
	assert_int_equal(session_nth(w, 0)->dests[0].count, 3);
	assert_int_equal(session_nth(w, 0)->dests[0].source_ports[0], 50001);
	assert_int_equal(session_nth(w, 0)->dests[0].source_ports[1], 50003);
	ended(w, 4, ID(1));
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_false(let_go(w, ID(1)));
	world_free(w);
}

/* systemd (252), reloaded before it began, spells a semicolon its own way; it adds no other word.
 */
static void the_unit_that_was_read_again(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, ARGS("systemd-run\0--collect\0sh\0-c\0id; ssh next"), 0);
	born(w, 2.04, ID(1), ARGS("/usr/bin/sh\0-c\0id\\; ssh nest"), RUN_UNIT);
	assert_int_not_equal(first(w)->state, HANDOFF_JOINED);
	born(w, 2.05, ID(2), ARGS("/usr/bin/sh\0-c\0id\\; ssh nex"), RUN_UNIT);
	assert_int_not_equal(first(w)->state, HANDOFF_JOINED);
	born(w, 2.06, ID(3), ARGS("/usr/bin/sh\0-c\0id\\; ssh next"), RUN_UNIT);
	assert_int_equal(first(w)->state, HANDOFF_JOINED);
	world_free(w);
}

/* Somebody in no session asked for the very same at that moment. */
static void the_same_words_of_a_stranger(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	stranger(w, 2.01, SYSTEMD_RUN);
	born(w, 2.05, ID(1), ITS_SHELL, RUN_UNIT);
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_true(let_go(w, ID(1)));
	world_free(w);
}

static void other_words_of_a_stranger(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	stranger(w, 2.01,
		 ARGS("systemd-run\0sleep\0"
		      "9"));
	born(w, 2.05, ID(1),
	     ARGS("/usr/bin/sleep\0"
		  "9"),
	     RUN_UNIT);
	assert_int_equal(first(w)->state, HANDOFF_ASKED); /* it is known whose that was */
	assert_true(let_go(w, ID(1)));
	born(w, 2.06, ID(2), ITS_SHELL, "run-r2.service");
	assert_int_equal(first(w)->state, HANDOFF_JOINED);
	assert_string_equal(first(w)->what, "run-r2.service");
	world_free(w);
}

/* A client of the broker whose words nobody heard: it began before the session asked. */
static void an_unheard_client(void **state)
{
	struct world *w = logged_in(5, "root");
	struct event e;

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	e = birth(w, 2.05, ID(1), HANDOFF_SYSTEMD, ITS_SHELL, RUN_UNIT);
	e.broker.held = 5;
	e.broker.others = 1;
	step(w, &e);
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	world_free(w);
}

static void asked_once_born_twice(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	born(w, 2.05, ID(1), ITS_SHELL, "run-r1.service");
	born(w, 2.06, ID(2), ITS_SHELL, "run-r2.service");
	assert_string_equal(first(w)->what, "run-r1.service");
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	world_free(w);
}

static void what_only_time_joins(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	born(w, 2.5, ID(1), ARGS("/usr/sbin/logrotate\0/etc/logrotate.conf"), "logrotate.service");
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	assert_string_equal(first(w)->what, "logrotate.service");
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_true(let_go(w, ID(1)));
	born(w, 9, ID(2), ITS_SHELL, RUN_UNIT); /* too late for a request of 5 s */
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	world_free(w);
}

/* What root's systemd starts is not an unprivileged session's, but by its name. */
static void a_user_asks_roots_manager(void **state)
{
	struct world *w = logged_in(5, "alice");
	struct event e;

	(void)state;
	asked_by(w, 2, 5, ARGS("systemctl\0status"), 1001);
	born(w, 2.5, ID(1), ARGS("/usr/sbin/logrotate"), "logrotate.service");
	assert_int_equal(first(w)->state, HANDOFF_ASKED);
	asked_by(w, 3, 5, ARGS("systemd-run\0--user\0id"), 1001);
	e = birth(w, 3.1, ID(2), HANDOFF_SYSTEMD, ARGS("/usr/bin/id"), "run-r3.service");
	e.broker.uid = 1002; /* another user's manager */
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	e.handoff = ID(3);
	e.broker.uid = 1001;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 3);
	world_free(w);
}

/* Named, but what an installed service does is its own. */
static void an_installed_service(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	asked_by(w, 2, 5, ARGS("systemctl\0restart\0docker"), 0);
	born(w, 2.5, ID(1), ARGS("/usr/sbin/dockerd\0-H\0fd://"), "docker.service");
	assert_int_equal(first(w)->state, HANDOFF_JOINED);
	assert_string_equal(first(w)->what, "docker.service");
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_true(let_go(w, ID(1)));
	world_free(w);
}

static void file(struct world *w, double at, uint64_t conn, const char *subject, const char *path,
		 const char *before, const char *text, uint32_t owner)
{
	struct event e = kernel_event(w, EVENT_FILE, at, conn, NULL, 0);

	e.subject = span_of(subject);
	e.path = span_of(path);
	e.before = span_of(before);
	e.text = span_of(text);
	e.euid = owner;
	e.program = SPAN_LIT("/usr/bin/tee");
	step(w, &e);
}

static void a_unit_of_its_own(void **state)
{
	struct world *w = logged_in(5, "root");

	(void)state;
	file(w, 2, 5, "service-unit", "/etc/systemd/system/evil.service", "", "service-unit", 0);
	asked_by(w, 3, 5, ARGS("systemctl\0start\0evil"), 0);
	born(w, 3.1, ID(1), ARGS("/opt/evil"), "evil.service");
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	assert_string_equal(session_nth(w, 0)->handoffs[0].what, "evil.service");
	world_free(w);
}

static void jobs_of_at_and_cron(void **state)
{
	struct world *w = logged_in(5, "alice");
	struct event e;

	(void)state;
	file(w, 2, 5, "scheduled-task", "/var/spool/cron/atjobs/a0000101c8d3e2", "", "", 1001);
	file(w, 2, 5, "scheduled-task", "/var/spool/cron/crontabs/alice", "", "", 1001);
	closed(w, 3, 5, A, 40000, 1, 1, 0);
	e = birth(w, 3600, ID(1), HANDOFF_AT, ARGS("sh"), "atd.service");
	e.path = SPAN_LIT("a0000201c8d3e2"); /* somebody else's */
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 0);
	e.handoff = ID(2);
	e.path = SPAN_LIT("a0000101c8d3e2");
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_int_equal(session_nth(w, 0)->state, SESSION_LINGERING);
	ended(w, 3601, ID(2));
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	e = birth(w, 3660, ID(3), HANDOFF_CRON, ARGS("/bin/sh\0-c\0id"), "cron.service");
	e.uid = 1002;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	e.handoff = ID(4);
	e.uid = 1001;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	world_free(w);
}

/* A table that was there before holds others' lines: only possible. cron.d: by its line. */
static void tables_that_were_there(void **state)
{
	struct world *w = logged_in(5, "root");
	struct event e;

	(void)state;
	file(w, 2, 5, "scheduled-task", "/var/spool/cron/crontabs/root", "abcd", "", 0);
	e = birth(w, 60, ID(1), HANDOFF_CRON, ARGS("/bin/sh\0-c\0backup"), "cron.service");
	step(w, &e);
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	file(w, 61, 5, "scheduled-task", "/etc/cron.d/helper", "abcd",
	     "scheduled-task: /etc/cron.d/helper by sh (pid 1), new: * * * * * root /opt/evil -x "
	     "(sha256 abcd -> ef)",
	     0);
	e = birth(w, 120, ID(2), HANDOFF_CRON, ARGS("/bin/sh\0-c\0/opt/good"), "cron.service");
	e.uid = 33;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 0);
	e = birth(w, 121, ID(3), HANDOFF_CRON, ARGS("/bin/sh\0-c\0/opt/evil -x"), "cron.service");
	e.uid = 33;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	world_free(w);
}

/* A runtime's own programs come first and are nobody's. */
static void a_container(void **state)
{
	struct world *w = logged_in(5, "root");
	struct event e;

	(void)state;
	asked_by(w, 2, 5, ARGS("docker\0exec\0-it\0web\0sh\0-c\0id"), 0);
	e = birth(w, 2.1, ID(1), HANDOFF_CONTAINER, ARGS("runc\0exec\0x"), "docker.service");
	step(w, &e);
	e = birth(w, 2.1, ID(1), HANDOFF_CONTAINER, ARGS("runc\0init"), "docker.service");
	e.program = span_of("/dev/fd/5");
	step(w, &e);
	e = birth(w, 2.2, ID(1), HANDOFF_CONTAINER, ARGS("sh\0-c\0id"), "docker-0123.scope");
	step(w, &e);
	assert_string_equal(first(w)->what, "docker-0123.scope");
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	world_free(w);
}

static void a_multiplexer(void **state)
{
	struct world *w = logged_in(5, "alice");
	struct event e;

	(void)state;
	asked_by(w, 2, 5, ARGS("tmux\0attach"), 1001);
	e = birth(w, 900, ID(1), HANDOFF_TMUX, ARGS("id"), "");
	e.broker = (struct broker){.kind = HANDOFF_TMUX, .proc.pid = 812, .uid = 1001, .held = 5};
	e.broker.others = 1; /* somebody at the machine sits there, too */
	step(w, &e);
	assert_int_equal(first(w)->state, HANDOFF_POSSIBLE);
	e.handoff = ID(2);
	e.broker.others = 0;
	step(w, &e);
	assert_int_equal(first(w)->state, HANDOFF_JOINED);
	assert_string_equal(first(w)->what, "tmux server 812");
	e.handoff = ID(3);
	e.broker.held = 6; /* another session's client */
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	world_free(w);
}

static void what_was_joined_stays_after_a_restart(void **state)
{
	struct world *w = logged_in(5, "root"), *later = world_new(true);
	struct event e;

	(void)state;
	asked_by(w, 2, 5, SYSTEMD_RUN, 0);
	born(w, 2.05, ID(1), ITS_SHELL, RUN_UNIT);
	assert_int_equal(core_restore_session(later->core, session_nth(w, 0)), 0);
	e = birth(later, 9, ID(1), HANDOFF_SYSTEMD, ARGS("id"), RUN_UNIT);
	step(later, &e);
	assert_int_equal(session_nth(later, 0)->commands_total, 3);
	world_free(w);
	world_free(later);
}

/* Thousands of units and requests: counted, let go of, and nothing grows. */
static void a_storm(void **state)
{
	struct world *w = logged_in(5, "root");
	unsigned gone = 0;
	uint64_t id;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		asked_by(w, 2 + i * 0.001, 5, SYSTEMD_RUN, 0);
		born(w, 2 + i * 0.001, ID(i + 1), ARGS("/bin/other"), "other.service");
		while (core_next_let_go(w->core, &id))
			gone++;
	}
	assert_int_equal(gone, 3000);
	assert_true(session_nth(w, 0)->handoffs_kept <= SESSION_HANDOFFS);
	assert_int_equal(session_nth(w, 0)->handoffs_total, 3000);
	world_free(w);
}

static void records_of_nobody_are_dropped(void **state)
{
	struct world *w = logged_in(5, "root");
	struct event e = kernel_event(w, EVENT_PAM, 3, 0, NULL, 0);

	(void)state;
	e.handoff = ID(9);
	e.pam_call = PAM_CALL_ACCT_MGMT;
	e.pam_service = SPAN_LIT("sshd");
	e.account = SPAN_LIT("alice");
	step(w, &e);
	assert_int_equal(sessions(w), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unit_of_its_command_line),
		cmocka_unit_test(the_unit_that_was_read_again),
		cmocka_unit_test(the_same_words_of_a_stranger),
		cmocka_unit_test(other_words_of_a_stranger),
		cmocka_unit_test(an_unheard_client),
		cmocka_unit_test(asked_once_born_twice),
		cmocka_unit_test(what_only_time_joins),
		cmocka_unit_test(a_user_asks_roots_manager),
		cmocka_unit_test(an_installed_service),
		cmocka_unit_test(a_unit_of_its_own),
		cmocka_unit_test(jobs_of_at_and_cron),
		cmocka_unit_test(tables_that_were_there),
		cmocka_unit_test(a_container),
		cmocka_unit_test(a_multiplexer),
		cmocka_unit_test(what_was_joined_stays_after_a_restart),
		cmocka_unit_test(a_storm),
		cmocka_unit_test(records_of_nobody_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
