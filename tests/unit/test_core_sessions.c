/* Sessions: how they open, what joins them, how they end, what survives a restart. */
#include "core_world.h"

#include "common/core/core_internal.h"

#define A "203.0.113.9"

static void password_opens_one_session(void **state)
{
	struct world *w = world_new(true);
	const struct session *s;

	(void)state;
	connected(w, 0, 1, A, 4711);
	pam_password(w, 1, 1, A, 4711, "alice");
	accepted(w, 1.05, A, 4711, "alice", METHOD_PASSWORD, "");
	assert_int_equal(sessions(w), 1);
	s = session_nth(w, 0);
	assert_string_equal(s->account, "alice");
	assert_int_equal(s->method, METHOD_PASSWORD);
	assert_false(s->method_inferred);
	assert_true(s->proven);
	assert_int_equal(s->origin_source, ORIGIN_SOCKET);
	assert_int_equal(s->state, SESSION_OPEN);
	assert_int_equal(alerts_of(w, "access.external"), 1);
	assert_int_equal(alert_of(w, "access.external", A)->last.severity, SEVERITY_LOW);
	assert_int_equal(alert_of(w, "access.external", A)->notified, 1);
	world_free(w);
}

static void methods_are_inferred_from_calls(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "key", 0);
	assert_int_equal(session_nth(w, 0)->method, METHOD_PUBLICKEY);
	assert_true(session_nth(w, 0)->method_inferred);
	connected(w, 2, 2, A, 2);
	pam(w, 3, 2, A, 2, PAM_CALL_AUTHENTICATE, 0, "kbd", EVENT_CHILD_CALL);
	pam(w, 3, 2, A, 2, PAM_CALL_ACCT_MGMT, 12, "kbd", EVENT_CHILD_CALL);
	assert_int_equal(session_nth(w, 1)->method, METHOD_KEYBOARD_INTERACTIVE);
	connected(w, 4, 3, A, 3);
	pam(w, 5, 3, A, 3, PAM_CALL_OPEN_SESSION, 0, "late", 0);
	assert_int_equal(sessions(w), 3);
	world_free(w);
}

static void a_failed_login_opens_none(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	pam_failed(w, 1, 1, A, 1, "alice");
	pam(w, 2, 1, A, 1, PAM_CALL_END, 7, "alice", 0);
	failed(w, 1, A, 1, "alice");
	tick(w, 20);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

static void key_comes_later_as_a_quiet_revision(void **state)
{
	struct world *w = world_new(true);
	struct seen_alert *a;

	(void)state;
	connected(w, 0, 1, A, 1);
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	a = alert_of(w, "access.external", A);
	assert_string_equal(a->last.key, "");
	accepted(w, 1.05, A, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:abc");
	assert_string_equal(a->last.key, "ED25519 SHA256:abc");
	assert_int_equal(a->notified, 1);
	assert_int_equal(alerts_of(w, "access.external"), 1);
	world_free(w);
}

static struct world *two_orders(bool text_first)
{
	struct world *w = world_new(true);

	for (unsigned i = 0; i < 3; i++) {
		const char *key = i == 1 ? "ED25519 SHA256:b" : "ED25519 SHA256:a";
		double at = 10 * i;

		connected(w, at, 1 + i, A, 1 + i);
		if (text_first)
			accepted(w, at + 1, A, 1 + i, "alice", METHOD_PUBLICKEY, key);
		pam(w, at + 1, 1 + i, A, 1 + i, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
		if (!text_first)
			accepted(w, at + 1, A, 1 + i, "alice", METHOD_PUBLICKEY, key);
	}
	tick(w, 60);
	return w;
}

/* Two people share one account by their keys: two alerts, whoever speaks first. */
static void order_of_roads_gives_the_same_alerts(void **state)
{
	struct world *a = two_orders(true), *b = two_orders(false);

	(void)state;
	assert_int_equal(alerts_of(a, "access.external"), 2);
	assert_int_equal(a->alerts_used, b->alerts_used);
	for (unsigned i = 0; i < a->alerts_used; i++) {
		struct alert *x = &a->alerts[i].last, *y = NULL;

		for (unsigned j = 0; j < b->alerts_used; j++)
			if (strcmp(b->alerts[j].last.id, x->id) == 0)
				y = &b->alerts[j].last;
		assert_non_null(y);
		assert_string_equal(x->key, y->key);
		assert_string_equal(x->sentence, y->sentence);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->severity, y->severity);
		assert_int_equal(x->method, y->method);
	}
	assert_string_equal(session_nth(a, 0)->id, session_nth(b, 0)->id);
	world_free(a);
	world_free(b);
}

static void line_before_the_kernel_waits_for_it(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	tick(w, 0);
	accepted(w, 1, A, 4711, "alice", METHOD_PASSWORD, "");
	assert_int_equal(sessions(w), 0);
	pam_password(w, 1.2, 1, A, 4711, "alice");
	assert_int_equal(sessions(w), 1);
	tick(w, 30);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	world_free(w);
}

static void without_pam_the_line_opens_on_a_live_connection(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 4711);
	accepted(w, 1, A, 4711, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(sessions(w), 1);
	assert_true(session_nth(w, 0)->proven);
	assert_int_equal(session_nth(w, 0)->origin_source, ORIGIN_SOCKET);
	world_free(w);
}

static void execs_before_the_verdict_are_not_the_session(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	EXEC(w, 0.5, 1, "/usr/local/bin/keys", "keys\0alice"); /* AuthorizedKeysCommand */
	EXEC(w, 2.0, 1, "/bin/bash", "-bash");		       /* overtook the verdict */
	pam(w, 1, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	execed(w, 1.5, 1, "/bin/sh", "sh\0-c\0motd", 10, EVENT_HELPER);
	execed(w, 1.6, 1, "/usr/sbin/sshd", "sshd", 4, EVENT_SELF_EXEC);
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	assert_string_equal(session_nth(w, 0)->commands[0].text, "-bash");
	assert_int_equal(alerts_of(w, "activity.remote_shell"), 1);
	world_free(w);
}

static void elevation_is_no_session(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	connected(w, 0, 1, A, 1);
	pam_password(w, 1, 1, A, 1, "alice");
	e = kernel_event(w, EVENT_PAM, 5, 1, A, 1);
	e.pam_service = SPAN_LIT("su-l");
	e.account = SPAN_LIT("root");
	e.pam_call = PAM_CALL_AUTHENTICATE;
	e.result = 7;
	e.flags = EVENT_USER_EXEC;
	for (int i = 0; i < 9; i++)
		step(w, &e);
	e.pam_call = PAM_CALL_OPEN_SESSION;
	e.result = 0;
	step(w, &e);
	tick(w, 20);
	assert_int_equal(sessions(w), 1);
	assert_string_equal(session_nth(w, 0)->effective_account, "root");
	assert_string_equal(session_nth(w, 0)->account, "alice");
	assert_int_equal(core_stats(w->core)->attempts, 0);
	world_free(w);
}

static void a_users_program_cannot_play_a_login(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, A, 1);
	for (int i = 0; i < 9; i++)
		pam(w, i, 1, A, 1, PAM_CALL_AUTHENTICATE, 7, "root", EVENT_USER_EXEC);
	pam(w, 10, 1, A, 1, PAM_CALL_ACCT_MGMT, 0, "root", EVENT_USER_EXEC);
	tick(w, 30);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(core_stats(w->core)->attempts, 0);
	world_free(w);
}

static void it_lingers_while_a_process_lives(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	connected(w, 0, 1, A, 1);
	pam_password(w, 1, 1, A, 1, "alice");
	EXEC(w, 2, 1, "/bin/bash", "bash\0-c\0nohup sleep 9");
	closed(w, 5, 1, A, 1, 1000, 2000, 1);
	assert_int_equal(session_nth(w, 0)->state, SESSION_LINGERING);
	assert_int_equal(session_nth(w, 0)->bytes_out, 2000);
	EXEC(w, 6, 1, "/usr/bin/id", "id"); /* followed alike */
	assert_int_equal(session_nth(w, 0)->commands_total, 2);
	e = kernel_event(w, EVENT_EXIT, 9, 1, NULL, 0);
	e.alive = 0;
	step(w, &e);
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(alert_of(w, "activity.remote_shell", A)->last.state, ALERT_CLOSED);
	assert_int_equal(alert_of(w, "access.external", A)->last.state, ALERT_UPDATED - 1);
	world_free(w);
}

static struct event snapshot(struct world *w, double at, uint64_t conn, uint32_t uid,
			     const char *program, bool leader)
{
	struct event e = kernel_event(w, EVENT_SNAPSHOT, at, conn, A, 4000 + (unsigned)conn);

	e.flags = EVENT_EXISTING | (leader ? EVENT_ESTABLISHED : 0);
	e.uid = uid;
	e.program = span_of(program);
	return e;
}

static void live_sessions_are_found_at_start(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	e = snapshot(w, 0, 1, 0, "sshd", true);
	step(w, &e);
	e = snapshot(w, 0, 1, 1001, "sshd", true);
	step(w, &e);
	e = snapshot(w, 0, 1, 1001, "bash", false);
	step(w, &e);
	e = snapshot(w, 0, 2, 0, "sshd", true); /* not logged in yet */
	step(w, &e);
	e = snapshot(w, 0, 2, 102, "sshd", true);
	step(w, &e);
	e = snapshot(w, 0, 3, 0, "sshd", true); /* root is */
	step(w, &e);
	e = snapshot(w, 0, 3, 0, "bash", false);
	step(w, &e);
	assert_int_equal(sessions(w), 2);
	assert_true(session_nth(w, 0)->existing);
	assert_string_equal(session_nth(w, 0)->account, "uid:1001");
	assert_string_equal(session_nth(w, 1)->account, "uid:0");
	assert_int_equal(alerts_of(w, "access.external"), 2);
	assert_non_null(strstr(alert_of(w, "access.external", A)->last.sentence,
			       "was already open when the agent started"));
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	/* its name is told later */
	e = text_event(w, EVENT_AUTH_NOTE, 5, A, 4001, "alice");
	step(w, &e);
	assert_string_equal(session_nth(w, 0)->account, "alice");
	world_free(w);
}

/* A login while the agent was dead: the journal's line comes before or after the snapshot. */
static void lines_of_the_dead_time_name_the_session(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct world *w = world_new(true);
		struct event e = snapshot(w, 100, 1, 1001, "sshd", true);

		if (first)
			accepted(w, 50, A, 4001, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
		step(w, &e);
		if (!first)
			accepted(w, 50, A, 4001, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
		accepted(w, 51, A, 4999, "bob", METHOD_PASSWORD, ""); /* gone since */
		tick(w, 120);
		assert_int_equal(sessions(w), 1);
		assert_string_equal(session_nth(w, 0)->account, "alice");
		assert_string_equal(session_nth(w, 0)->key, "ED25519 SHA256:a");
		assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
		world_free(w);
	}
}

static void text_alone_opens_and_closes(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	accepted(w, 0, A, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(session_nth(w, 0)->state, SESSION_OPEN);
	assert_false(session_nth(w, 0)->proven);
	disconnected(w, 60, A, 1, "alice");
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(session_nth(w, 0)->close_ns - session_nth(w, 0)->open_ns, 60 * SEC);
	/* the same port again, later, is another session */
	accepted(w, 7200, A, 1, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	assert_int_equal(sessions(w), 2);
	assert_string_not_equal(session_nth(w, 0)->id, session_nth(w, 1)->id);
	world_free(w);
}

static void two_sessions_of_one_address_are_two(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		connected(w, 0, i, A, i);
		pam_password(w, 1, i, A, i, "alice");
	}
	closed(w, 9, 1, A, 1, 1, 1, 0);
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(session_nth(w, 1)->state, SESSION_OPEN);
	assert_int_equal(alerts_of(w, "access.external"), 1);
	assert_int_equal(alert_of(w, "access.external", A)->last.count, 2);
	world_free(w);
}

static uint32_t source_total(struct world *w, const char *addr)
{
	struct endpoint at = ep(addr, 1);
	const struct source *s = source_find(w->core, &at.addr);

	return s ? s->total : 0;
}

/* Kills the agent and starts another with what the store kept. */
static struct world *restart(struct world *old, bool same_boot)
{
	struct world *w = world_make(old->id.kernel_sensor);
	size_t need = core_export(old->core, NULL, 0);
	void *blob = malloc(need);

	if (!same_boot)
		strcpy(w->id.boot_id, "another");
	w->id.hash_seed = 12345; /* chosen anew at each start */
	world_start(w);
	assert_int_equal(core_export(old->core, blob, need), need);
	assert_int_equal(core_import(w->core, blob, need), 0);
	free(blob);
	for (unsigned i = 0; core_session_at(old->core, i); i++)
		assert_int_equal(core_restore_session(w->core, core_session_at(old->core, i)), 0);
	for (unsigned i = 0; core_alert_at(old->core, i); i++)
		assert_int_equal(core_restore_alert(w->core, core_alert_at(old->core, i)), 0);
	return w;
}

static void restart_keeps_sessions_and_alerts(void **state)
{
	struct world *w = world_new(true), *v;
	struct event e;

	(void)state;
	connected(w, 0, 1, A, 4001);
	pam(w, 1, 1, A, 4001, PAM_CALL_ACCT_MGMT, 0, "alice", 0);
	accepted(w, 1, A, 4001, "alice", METHOD_PUBLICKEY, "ED25519 SHA256:a");
	connected(w, 0, 2, A, 4002);
	pam(w, 1, 2, A, 4002, PAM_CALL_ACCT_MGMT, 0, "bob", 0);
	v = restart(w, true);
	e = snapshot(v, 20, 1, 1001, "sshd", true);
	step(v, &e);
	assert_true(session_nth(v, 0)->existing);
	assert_string_equal(session_nth(v, 0)->account, "alice");
	assert_string_equal(session_nth(v, 0)->key, "ED25519 SHA256:a");
	assert_string_equal(session_nth(v, 0)->id, session_nth(w, 0)->id);
	assert_int_equal(alerts_of(v, "access.external"), 0); /* told before */
	tick(v, 21);
	tick(v, 100);
	assert_int_equal(session_nth(v, 0)->state, SESSION_OPEN);
	assert_int_equal(session_nth(v, 1)->state, SESSION_CLOSED); /* ended meanwhile */
	world_free(v);
	v = restart(w, false);
	tick(v, 21);
	assert_int_equal(session_nth(v, 0)->state, SESSION_CLOSED);
	world_free(v);
	world_free(w);
}

static void restart_keeps_windows(void **state)
{
	struct world *w = world_new(false), *v;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		failed(w, i, A, 1 + i, "alice");
	v = restart(w, true);
	failed(v, 10, A, 11, "alice");
	assert_int_equal(alerts_of(v, "auth.bruteforce"), 0);
	failed(v, 11, A, 12, "alice");
	assert_int_equal(alerts_of(v, "auth.bruteforce"), 1);
	assert_int_equal(alert_of(v, "auth.bruteforce", A)->last.count, 6);
	world_free(w);
	w = restart(v, true);
	failed(w, 12, A, 13, "alice"); /* the same alert goes on */
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.id,
			    alert_of(v, "auth.bruteforce", A)->last.id);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 7);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 0);
	world_free(w);
	world_free(v);
}

/* The kernel told before the kill, the journal tells after it: the same six tries. */
static void a_kill_between_two_witnesses_counts_once(void **state)
{
	struct world *w = world_new(true), *v;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		connected(w, 0, 1 + i, A, 4001 + i);
		pam_failed(w, 1, 1 + i, A, 4001 + i, "alice");
	}
	tick(w, 9);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	v = restart(w, true);
	world_free(w);
	for (unsigned i = 0; i < 6; i++)
		failed(v, 1.1, A, 4001 + i, "alice");
	tick(v, 20);
	assert_int_equal(source_total(v, A), 6);
	world_free(v);
}

/* As the version before wrote it: sections without a tag, told by their order. */
static size_t older_blob(const uint8_t *blob, size_t len, uint8_t *ret)
{
	uint32_t version = 4, section[4];
	size_t head = 40, at = head, out = head;

	memcpy(ret, blob, head);
	memcpy(ret + 8, &version, sizeof(version));
	while (at < len) {
		size_t rows;

		memcpy(section, blob + at, sizeof(section));
		rows = (size_t)section[1] * section[2];
		memcpy(ret + out, section + 1, 8);
		memcpy(ret + out + 8, blob + at + sizeof(section), rows);
		at += sizeof(section) + rows;
		out += 8 + rows;
	}
	return out;
}

/* Reads the former version; of a later one what it knows. */
static void other_versions_are_read(void **state)
{
	struct world *w = world_new(false), *v = world_new(false), *x = world_new(false);
	uint32_t later[4] = {4711, 3, 2, 0}, sections;
	uint8_t *blob, *old;
	size_t need;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		failed(w, i, A, 1 + i, "alice");
	need = core_export(w->core, NULL, 0);
	blob = calloc(1, need + sizeof(later) + 6);
	old = malloc(need);
	core_export(w->core, blob, need);
	assert_int_equal(core_import(v->core, old, older_blob(blob, need, old)), 0);
	assert_int_equal(source_total(v, A), 8);
	memcpy(&sections, blob + 12, sizeof(sections));
	sections++;
	memcpy(blob + 12, &sections, sizeof(sections));
	memcpy(blob + need, later, sizeof(later));
	assert_int_equal(core_import(x->core, blob, need + sizeof(later) + 6), 0);
	assert_int_equal(source_total(x, A), 8);
	free(blob);
	free(old);
	world_free(x);
	world_free(v);
	world_free(w);
}

static void a_damaged_blob_changes_nothing(void **state)
{
	struct world *w = world_new(false), *v = world_new(false);
	size_t need;
	uint8_t *blob;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		failed(w, i, A, 1 + i, "alice");
	need = core_export(w->core, NULL, 0);
	blob = malloc(need + 8);
	core_export(w->core, blob, need);
	for (size_t cut = 0; cut < need; cut += 1 + cut / 7)
		assert_int_not_equal(core_import(v->core, blob, cut), 0);
	assert_int_not_equal(core_import(v->core, blob, need + 8), 0);
	for (size_t i = 0; i < 4000; i++) {
		size_t at = (i * 2654435761u) % need;

		blob[at] ^= (uint8_t)(1 + i);
		core_import(v->core, blob, need); /* may take it; must not break */
		blob[at] ^= (uint8_t)(1 + i);
		if (i % 100 == 0) {
			failed(v, 50 + (double)i, A, 1, "alice");
			tick(v, 50 + (double)i);
		}
	}
	free(blob);
	world_free(v);
	world_free(w);
}

static void full_table_refuses_never_evicts_live(void **state)
{
	struct world *w = world_make(true);
	unsigned live = 0;

	(void)state;
	w->config.limits.sessions = 64;
	world_start(w);
	for (unsigned i = 1; i <= 100; i++) {
		connected(w, i, i, A, i);
		pam_password(w, i, i, A, i, "alice");
	}
	for (unsigned i = 0; i < sessions(w); i++)
		live += session_nth(w, i)->state == SESSION_OPEN;
	assert_int_equal(live, 64);
	assert_int_equal(core_stats(w->core)->sessions_refused, 36);
	tick(w, 150);
	assert_int_equal(alert_of(w, "sensor.loss", NULL)->last.count, 36);
	closed(w, 200, 1, A, 1, 1, 1, 0);
	connected(w, 201, 500, A, 500);
	pam_password(w, 202, 500, A, 500, "bob");
	assert_int_equal(core_stats(w->core)->sessions_evicted, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(password_opens_one_session),
		cmocka_unit_test(methods_are_inferred_from_calls),
		cmocka_unit_test(a_failed_login_opens_none),
		cmocka_unit_test(key_comes_later_as_a_quiet_revision),
		cmocka_unit_test(order_of_roads_gives_the_same_alerts),
		cmocka_unit_test(line_before_the_kernel_waits_for_it),
		cmocka_unit_test(without_pam_the_line_opens_on_a_live_connection),
		cmocka_unit_test(execs_before_the_verdict_are_not_the_session),
		cmocka_unit_test(elevation_is_no_session),
		cmocka_unit_test(a_users_program_cannot_play_a_login),
		cmocka_unit_test(it_lingers_while_a_process_lives),
		cmocka_unit_test(live_sessions_are_found_at_start),
		cmocka_unit_test(lines_of_the_dead_time_name_the_session),
		cmocka_unit_test(text_alone_opens_and_closes),
		cmocka_unit_test(two_sessions_of_one_address_are_two),
		cmocka_unit_test(restart_keeps_sessions_and_alerts),
		cmocka_unit_test(restart_keeps_windows),
		cmocka_unit_test(a_kill_between_two_witnesses_counts_once),
		cmocka_unit_test(other_versions_are_read),
		cmocka_unit_test(a_damaged_blob_changes_nothing),
		cmocka_unit_test(full_table_refuses_never_evicts_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
