/*
 * A person's word: acknowledged, closed, noted, expected, forgotten; in memory and in the store.
 */
#include "detect_world.h"

#include <errno.h>
#include <unistd.h>

#include "common/store/request_run.h"
#include "common/core/profile.h"

#define DAY 86400.0

static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	memcpy(ret->country, a->bytes[0] == 203 ? "DE" : "BR", 3);
}

static const struct geo_source atlas = {lookup};

static struct world *admin_world(void)
{
	struct world *w = world_make(false);

	w->id.geo = &atlas;
	return world_start(w);
}

static void visit(struct world *w, double at, const char *origin, const char *account)
{
	unsigned port = 1024 + (unsigned)(at / 60) % 60000;

	accepted(w, at, origin, port, account, METHOD_PASSWORD, "");
	disconnected(w, at + 30, origin, port, account);
}

static void a_word_makes_a_revision(void **state)
{
	struct world *w = admin_world();
	struct alert before;

	(void)state;
	guess(w, 0, A, 6);
	before = alert_of(w, "auth.bruteforce", A)->last;
	assert_int_equal(core_alert_word(w->core, "nobody", CORE_SEEN, NULL, T0 * SEC), -ENOENT);
	assert_int_equal(core_alert_word(w->core, before.id, CORE_SEEN, "a scanner", 77), 0);
	tick(w, 20);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.acked_ns, 77);
	assert_string_equal(alert_of(w, "auth.bruteforce", A)->last.note, "a scanner");
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.revision, before.revision + 1);
	assert_int_equal(core_alert_word(w->core, before.id, CORE_CLOSED, NULL, (T0 + 30) * SEC),
			 0);
	tick(w, 31);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.state, ALERT_CLOSED);
	guess(w, 60, A, 6);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 2);
	assert_string_equal(w->alerts[1].last.previous, before.id);
	world_free(w);
}

/* A journey that somebody explained is a place like any other from then on. */
static void what_was_expected_is_learned(void **state)
{
	(void)state;
	for (unsigned live = 0; live < 2; live++) {
		struct world *w = admin_world();
		struct session past = {0};

		for (unsigned d = 0; d < 20; d++)
			visit(w, d * DAY, A, "alice");
		accepted(w, 20 * DAY, B, 4711, "alice", METHOD_PASSWORD, "");
		assert_int_equal(alert_of(w, "origin.new_place", NULL)->last.severity,
				 SEVERITY_MEDIUM);
		for (unsigned i = 0; session_nth(w, i); i++)
			if (session_nth(w, i)->origin.addr.bytes[0] == 198)
				past = *session_nth(w, i);
		if (live)
			core_expect(w->core, &past);
		disconnected(w, 20 * DAY + 30, B, 4711, "alice");
		if (!live)
			core_expect(w->core, &past);
		visit(w, 21 * DAY, B, "alice");
		assert_int_equal(alerts_of(w, "origin.new_place"), 1);
		world_free(w);
	}
}

/* The session is in the store only: another run of the agent. */
static void what_was_expected_long_ago(void **state)
{
	struct world *w = admin_world();
	struct session past = {.service = SERVICE_SSH, .open_ns = (T0 + 1728000) * SEC};

	(void)state;
	for (unsigned d = 0; d < 20; d++)
		visit(w, d * DAY, A, "alice");
	span_copy(past.id, sizeof(past.id), span_of("gone"));
	span_copy(past.account, sizeof(past.account), span_of("alice"));
	span_copy(past.geo.country, sizeof(past.geo.country), span_of("BR"));
	past.origin = ep(B, 1);
	past.worst = SEVERITY_HIGH;
	core_expect(w->core, &past);
	visit(w, 21 * DAY, B, "alice");
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	world_free(w);
}

static void what_is_forgotten_is_gone(void **state)
{
	struct world *w = admin_world();
	struct cidr block;
	unsigned left = 0;

	(void)state;
	assert_true(cidr_parse(SPAN_LIT("203.0.113.0/24"), &block));
	visit(w, 0, B, "alice");
	visit(w, 60, B, "bob");
	guess(w, 100, A, 6);
	guess(w, 100, B, 6);
	assert_true(core_forget(w->core, (struct span){0}, &block) >= 2);
	assert_int_equal(core_forget(w->core, (struct span){0}, &block), 0);
	for (unsigned i = 0; core_alert_at(w->core, i); i++)
		left += core_alert_at(w->core, i)->origin.addr.bytes[0] == 203;
	assert_int_equal(left, 0);
	guess(w, 200, A, 5); /* it begins anew */
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_true(core_forget(w->core, SPAN_LIT("alice"), NULL) >= 2);
	assert_string_equal(core_profile_at(w->core, 0)->name, "bob");
	assert_null(core_profile_at(w->core, 1));
	guess(w, 300, A, 6); /* and nothing is broken */
	tick(w, 400);
	world_free(w);
}

static void *exported(struct world *w, bool lessons, size_t *ret_len)
{
	size_t need = lessons ? core_lessons(w->core, NULL, 0) : core_export(w->core, NULL, 0);
	void *blob = malloc(need);

	if (lessons)
		core_lessons(w->core, blob, need);
	else
		core_export(w->core, blob, need);
	*ret_len = need;
	return blob;
}

/* History is learned by the core that lives, beside what it knows, and only under its own seed. */
static void history_teaches(void **state)
{
	struct world *w = world_make(false), *h = admin_world();
	size_t own_len, len;
	void *own, *blob;

	(void)state;
	w->id.geo = &atlas;
	w->id.hash_seed = 4711;
	world_start(w);
	visit(w, 19 * DAY, A, "alice");
	visit(w, 19 * DAY + 60, A, "carol");
	own = exported(w, false, &own_len);
	assert_int_equal(core_adopt(h->core, own, own_len - 1), -EINVAL);
	for (unsigned d = 0; d < 12; d++)
		visit(h, d * DAY, A, "alice");
	blob = exported(h, true, &len);
	assert_int_equal(core_take_lessons(w->core, blob, len), -EINVAL); /* another seed */
	free(blob);
	world_free(h);

	h = admin_world();
	assert_int_equal(core_adopt(h->core, own, own_len), 0);
	for (unsigned d = 0; d < 12; d++)
		visit(h, d * DAY, A, "alice");
	accepted(h, 13 * DAY, A, 77, "bob", METHOD_PASSWORD, ""); /* its end is not told */
	blob = exported(h, true, &len);
	assert_int_equal(core_take_lessons(w->core, blob, len), 0);
	assert_string_equal(core_profile_at(w->core, 0)->name, "alice");
	assert_int_equal(core_profile_at(w->core, 0)->logins, 13);
	assert_int_equal(core_profile_at(w->core, 0)->first_day, T0 / 86400);
	assert_string_equal(core_profile_at(w->core, 1)->name, "carol");
	assert_string_equal(core_profile_at(w->core, 2)->name, "bob");
	assert_null(core_profile_at(w->core, 3));
	visit(w, 20 * DAY, B, "alice");
	assert_int_equal(alert_of(w, "origin.new_place", NULL)->last.severity, SEVERITY_MEDIUM);
	visit(w, 20 * DAY + 60, A, "bob"); /* its place is known: access is info */
	assert_int_equal(alert_of(w, "access.external", A)->last.severity, SEVERITY_INFO);
	free(blob);
	free(own);
	world_free(h);
	world_free(w);
}

static struct store *store_new(char path[64])
{
	struct store *s = NULL;
	int fd;

	span_copy(path, 64, SPAN_LIT("/tmp/outergate-test-XXXXXX"));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
	return s;
}

static void store_end(struct store *s, const char *path)
{
	char other[80];

	store_close(s);
	unlink(path);
	snprintf(other, sizeof(other), "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof(other), "%s-shm", path);
	unlink(other);
}

static const char *asked(struct world *w, struct store *s, const char *verb, const char *subject,
			 const char *detail)
{
	static char answer[REQUEST_RESULT_MAX];
	int64_t id = store_request_put(s, verb, subject, detail, 5);
	struct store_request q;

	assert_true(id > 0);
	assert_int_equal(store_request_result(s, id, answer, sizeof(answer)), -EAGAIN);
	assert_int_equal(store_request_next(s, &q), 0);
	assert_int_equal(q.id, id);
	assert_string_equal(q.verb, verb);
	request_run(w->core, s, &q, (T0 + 50) * SEC, answer);
	assert_int_equal(store_request_done(s, id, answer), 0);
	assert_int_equal(store_request_next(s, &q), -ENOENT);
	assert_int_equal(store_request_result(s, id, answer, sizeof(answer)), 0);
	assert_int_equal(store_request_result(s, id, answer, sizeof(answer)), -EAGAIN);
	return answer;
}

static bool count_rows(void *arg, const struct alert *a)
{
	(void)a;
	++*(unsigned *)arg;
	return true;
}

static void requests_are_done_and_answered(void **state)
{
	struct world *w = admin_world();
	struct store_filter all = {0};
	struct alert old;
	unsigned rows = 0;
	struct store *s;
	char path[64];

	(void)state;
	s = store_new(path);
	guess(w, 0, A, 6);
	old = alert_of(w, "auth.bruteforce", A)->last;
	span_copy(old.id, sizeof(old.id), span_of("0123456789abcdef0123456789abcdef"));
	assert_int_equal(store_put_alert(s, &old), 0);
	assert_non_null(strstr(asked(w, s, "ack", alert_of(w, "auth.bruteforce", A)->last.id, ""),
			       " acknowledged"));
	assert_non_null(strstr(asked(w, s, "close", old.id, "it was me"), " closed"));
	assert_string_equal(asked(w, s, "note", "feedfeed", "x"), "failed: there is no such alert");
	assert_string_equal(asked(w, s, "expect", old.id, ""),
			    "failed: it has no session to learn from");
	assert_string_equal(asked(w, s, "dance", "", ""),
			    "failed: this version does not know dance");
	assert_string_equal(asked(w, s, "forget-origin", "10.0.0.1/8", ""),
			    "failed: not an address or CIDR block");
	assert_int_equal(store_alerts(s, &all, count_rows, &rows), 0);
	assert_int_equal(rows, 1);
	assert_non_null(strstr(asked(w, s, "forget-origin", A, ""),
			       "forgotten: 1 alerts and sessions of the store"));
	rows = 0;
	assert_int_equal(store_alerts(s, &all, count_rows, &rows), 0);
	assert_int_equal(rows, 0);
	store_end(s, path);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_makes_a_revision),
		cmocka_unit_test(what_was_expected_is_learned),
		cmocka_unit_test(what_was_expected_long_ago),
		cmocka_unit_test(what_is_forgotten_is_gone),
		cmocka_unit_test(history_teaches),
		cmocka_unit_test(requests_are_done_and_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
