/*
 * What the agent's file watch knows by heart: which names are of interest, and which process is of
 * which session. Both are plain tables, so that their files are taken in whole.
 */
#include "core_world.h"

#include "agent-linux/proc_stat.c"
#include "agent-linux/proc_table.c"
#include "agent-linux/watch_table.c"

static void names_and_reasons(void **state)
{
	static const struct {
		enum watch_kind kind;
		const char *name, *reason; /* NULL: nobody's business */
	} cases[] = {
		{WATCH_SSH, "authorized_keys", "authorized-keys"},
		{WATCH_SSH, "authorized_keys2", "authorized-keys"},
		{WATCH_SSH, "authorized_keys3", NULL},
		{WATCH_SSH, "authorized_keys.bak", NULL},
		{WATCH_SSH, "known_hosts", NULL},
		{WATCH_SSH, "id_ed25519", NULL},
		{WATCH_SSH, "rc", "ssh-rc"},
		{WATCH_ETC, "passwd", "account"},
		{WATCH_ETC, "passwd-", NULL},
		{WATCH_ETC, "passwd+", NULL},
		{WATCH_ETC, "shadow", "account"},
		{WATCH_ETC, "gshadow", "group"},
		{WATCH_ETC, "sudoers", "sudoers"},
		{WATCH_ETC, "crontab", "scheduled-task"},
		{WATCH_ETC, "ld.so.preload", "preload"},
		{WATCH_ETC, "rc.local", "service-unit"},
		{WATCH_ETC, "resolv.conf", NULL},
		{WATCH_ETC_SSH, "sshd_config", "sshd-config"},
		{WATCH_ETC_SSH, "ssh_host_ed25519_key", NULL},
		{WATCH_SSHD_D, "50-x.conf", "sshd-config"},
		{WATCH_SSHD_D, "50-x.conf.dpkg-new", NULL},
		{WATCH_UNITS, "x.service", "service-unit"},
		{WATCH_UNITS, ".#x.service", NULL},
		{WATCH_UNITS, "x.timer", "scheduled-task"},
		{WATCH_UNITS, "tor.service", "tor-service"},
		{WATCH_UNITS, "tor@default.service", "tor-service"},
		{WATCH_UNITS, "torture.service", "service-unit"},
		{WATCH_UNITS, "rustdesk.service", "remote-tool"},
		{WATCH_UNITS, "my-ngrok-1.service", "remote-tool"},
		{WATCH_UNITS, "x.txt", NULL},
		{WATCH_USER_UNITS, "x.service", "service-unit"},
		{WATCH_CRON_D, "job_1-a", "scheduled-task"},
		{WATCH_CRON_D, "job.bak", NULL},
		{WATCH_CRON_DAILY, "job~", NULL},
		{WATCH_CRONTABS, "alice", "scheduled-task"},
		{WATCH_CRONTABS, "a.lice", "scheduled-task"},
		{WATCH_CRONTABS, "tmp.4xYz", NULL},
		{WATCH_CRONTABS, ".", NULL},
		{WATCH_CRONTABS, "..", NULL},
		{WATCH_SUDOERS_D, "alice", "sudoers"},
		{WATCH_SUDOERS_D, "alice.tmp", NULL},
		{WATCH_SUDOERS_D, "alice~", NULL},
		{WATCH_PAM_D, "sshd", "pam"},
		{WATCH_PAM_D, "sshd.dpkg-new", NULL},
		{WATCH_TOR, "torrc", "tor-service"},
		{WATCH_HOME, "authorized_keys", NULL},
		{WATCH_HOMES, "alice", NULL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct watch_name *n = watch_match(cases[i].kind, cases[i].name);

		if (!n != !cases[i].reason)
			fprintf(stderr, "%s\n", cases[i].name);
		assert_int_equal(n != NULL, cases[i].reason != NULL);
		if (n)
			assert_string_equal(n->reason, cases[i].reason);
	}
}

/* The content of what is matched as secret never leaves the parent. */
static void only_harmless_lines_are_shown(void **state)
{
	(void)state;
	assert_int_equal(watch_match(WATCH_ETC, "shadow")->lines, LINES_NONE);
	assert_int_equal(watch_match(WATCH_ETC, "gshadow")->lines, LINES_NONE);
	assert_int_equal(watch_match(WATCH_ETC, "sudoers")->lines, LINES_NONE);
	assert_int_equal(watch_match(WATCH_ETC, "passwd")->lines, LINES_ACCOUNTS);
	assert_int_equal(watch_match(WATCH_SSH, "authorized_keys")->lines, LINES_KEYS);
}

static void every_directory_is_reached(void **state)
{
	(void)state;
	for (unsigned k = WATCH_NONE + 1; k < WATCH_KINDS; k++) {
		const struct watch_dir *d = &watch_dirs[k];

		assert_non_null(d->path);
		assert_int_equal(d->component != NULL, d->parent != WATCH_NONE);
		if (d->parent == WATCH_NONE)
			continue;
		assert_true(d->parent < k);
		assert_string_equal(d->path + strlen(d->path) - strlen(d->component), d->component);
		assert_int_equal(watch_is_user(d->parent), watch_is_user((enum watch_kind)k));
	}
}

#define NOW   (T0 * SEC)
#define FIRST 5000000u /* above every pid_max, so that no such process runs here */

static struct event proc_event(enum event_kind kind, uint32_t pid, uint32_t parent,
			       const char *program)
{
	return (struct event){.kind = kind,
			      .conn = 9,
			      .time_ns = NOW,
			      .uid = 1000,
			      .program = span_of(program),
			      .proc = {.pid = FIRST + pid, .start_ns = 100 + pid},
			      .parent = {.pid = FIRST + parent}};
}

static void note(struct proc_table *t, enum event_kind kind, uint32_t pid, uint32_t parent,
		 const char *program)
{
	struct event e = proc_event(kind, pid, parent, program);

	proc_table_note(t, &e);
}

static void processes_are_found_with_their_program(void **state)
{
	struct proc_table *t = proc_table_new();
	const struct proc_entry *p;

	(void)state;
	note(t, EVENT_EXEC, 1, 0, "/bin/bash");
	note(t, EVENT_FORK, 2, 1, "bash");
	p = proc_table_find(t, FIRST + 2, NOW);
	assert_non_null(p);
	assert_string_equal(p->program, "/bin/bash");
	note(t, EVENT_EXEC, 2, 1, "/usr/bin/mv");
	assert_string_equal(p->program, "/usr/bin/mv");
	assert_int_equal(p->conn, 9);
	assert_ptr_equal(proc_table_parent(t, p), proc_table_find(t, FIRST + 1, NOW));
	assert_null(proc_table_find(t, FIRST + 3, NOW));
	assert_null(proc_table_find(t, 0, NOW));
	note(t, EVENT_EXEC, 2, 1, "mv"); /* by no path: of no known owner */
	assert_string_equal(p->program, "");
	proc_table_free(t);
}

static void a_process_that_ended_stays_a_moment(void **state)
{
	struct proc_table *t = proc_table_new();
	struct event other;

	(void)state;
	note(t, EVENT_EXEC, 1, 0, "/bin/bash");
	other = proc_event(EVENT_EXIT, 1, 0, "bash");
	other.proc.start_ns++; /* an earlier process of that number */
	proc_table_note(t, &other);
	assert_non_null(proc_table_find(t, FIRST + 1, NOW + 60 * SEC));
	note(t, EVENT_EXIT, 1, 0, "bash");
	assert_non_null(proc_table_find(t, FIRST + 1, NOW + 1 * SEC));
	assert_null(proc_table_find(t, FIRST + 1, NOW + 60 * SEC));
	proc_table_free(t);
}

/* This very process is alive and started at another time than the table says. */
static void a_number_given_out_again_is_of_no_session(void **state)
{
	struct proc_table *t = proc_table_new();
	struct event e = proc_event(EVENT_EXEC, 1, 0, "/bin/bash");

	(void)state;
	e.proc.pid = (uint32_t)getpid();
	proc_table_note(t, &e);
	assert_null(proc_table_find(t, e.proc.pid, NOW));
	e.proc.start_ns = proc_stat(e.proc.pid, 22) * TICKS_NS;
	assert_true(e.proc.start_ns > 0);
	proc_table_note(t, &e);
	assert_non_null(proc_table_find(t, e.proc.pid, NOW));
	proc_table_free(t);
}

/* The first shell stays known; what had to go is counted. */
static void a_fork_bomb_pushes_out_its_own(void **state)
{
	struct proc_table *t = proc_table_new();

	(void)state;
	note(t, EVENT_EXEC, 1, 0, "/bin/bash");
	for (uint32_t i = 2; i < 40000; i++)
		note(t, EVENT_FORK, i, 1, "bash");
	assert_non_null(proc_table_find(t, FIRST + 1, NOW));
	assert_non_null(proc_table_find(t, FIRST + 39999, NOW));
	assert_int_equal(proc_table_lost(t), 39999 - SETS * WAYS);
	assert_int_equal(proc_table_lost(t), 0);
	proc_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_reasons),
		cmocka_unit_test(only_harmless_lines_are_shown),
		cmocka_unit_test(every_directory_is_reached),
		cmocka_unit_test(processes_are_found_with_their_program),
		cmocka_unit_test(a_process_that_ended_stays_a_moment),
		cmocka_unit_test(a_number_given_out_again_is_of_no_session),
		cmocka_unit_test(a_fork_bomb_pushes_out_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
