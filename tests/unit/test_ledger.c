/*
 * The chain over the alerts: what the agent does stays silent, what somebody else does to the
 * file is told, and which alert it was.
 */
#include "store_world.h"

#include <sys/wait.h>
#include <unistd.h>

#include "common/store/ledger.h"

static char told[4096];

static void take(void *arg, const char *sentence)
{
	size_t n = strlen(told);

	(void)arg;
	snprintf(told + n, sizeof(told) - n, "%s\n", sentence);
}

static struct ledger_summary verify(void)
{
	struct ledger_summary sum;
	struct store *s = open_read();

	told[0] = '\0';
	assert_int_equal(ledger_verify(s, take, NULL, &sum), 0);
	store_close(s);
	return sum;
}

/* The same a row at a time. */
static struct ledger_summary verify_slowly(struct ledger_check *c)
{
	struct ledger_summary sum;
	int r;

	do
		r = ledger_check_step(c, 1);
	while (r > 0);
	assert_int_equal(r, 0);
	assert_int_equal(ledger_check_step(c, 1), 0); /* the end is the end */
	sum = *ledger_check_summary(c);
	ledger_check_end(c);
	return sum;
}

static struct ledger_check *check_begin(void)
{
	struct ledger_check *c = NULL;

	told[0] = '\0';
	assert_int_equal(ledger_check_begin(path, take, NULL, &c), 0);
	return c;
}

/* As an intruder with sqlite3 would. */
static void edit(const char *sql)
{
	char *err = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", sql, err);
	assert_true(sqlite3_total_changes(db) > 0);
	sqlite3_close(db);
}

static void put(struct store *s, const char *id, uint32_t revision)
{
	struct alert *a = full_alert('a');

	snprintf(a->id, sizeof(a->id), "%s", id);
	a->revision = revision;
	a->last_ns = T0 + revision;
	assert_int_equal(store_put_alert(s, a), 0);
}

static void three_alerts(char head[LEDGER_TEXT_MAX])
{
	struct store *s;

	remove(path);
	s = open_write();
	put(s, "alert-one", 1);
	put(s, "alert-two", 1);
	put(s, "alert-one", 2);
	assert_int_equal(store_begin(s), 0);
	put(s, "alert-three", 1);
	assert_string_equal(ledger_head(s) + strlen(ledger_head(s)) - 32,
			    ledger_head(s) + 2); /* "3:...": the fourth is not sure yet */
	assert_memory_equal(ledger_head(s), "3:", 2);
	assert_int_equal(store_commit(s), 0);
	assert_memory_equal(ledger_head(s), "4:", 2);
	snprintf(head, LEDGER_TEXT_MAX, "%s", ledger_head(s));
	store_close(s);
}

static void untouched(void **state)
{
	char head[LEDGER_TEXT_MAX];
	struct ledger_summary sum;
	struct store *s;

	(void)state;
	three_alerts(head);
	sum = verify();
	assert_string_equal(told, "");
	assert_int_equal(sum.entries, 4);
	assert_int_equal(sum.alerts, 3);
	assert_int_equal(sum.uncovered, 0);
	assert_string_equal(sum.head, head);
	/* Another start goes on where it was; an older revision changes nothing. */
	s = open_write();
	assert_string_equal(ledger_head(s), head);
	put(s, "alert-one", 1);
	assert_string_equal(ledger_head(s), head);
	store_close(s);
	assert_int_equal(verify().findings, 0);
}

/* Retention and `forget` are the agent's own. */
static void removed_by_the_agent(void **state)
{
	struct alert *a = full_alert('a');
	char head[LEDGER_TEXT_MAX];
	struct ledger_summary sum;
	uint64_t rows = 0;
	struct store *s;

	(void)state;
	three_alerts(head);
	s = open_write();
	snprintf(a->id, sizeof(a->id), "alert-closed");
	a->state = ALERT_CLOSED;
	a->first_ns = a->last_ns = T0 - 30 * DAY;
	assert_int_equal(store_put_alert(s, a), 0);
	assert_int_equal(store_prune(s, T0, 7 * DAY / SEC, 0, 0, &rows), 0);
	assert_int_equal(rows, 1);
	assert_int_equal(store_forget(s, span_of(a->account), NULL, &rows), 0);
	assert_int_equal(rows, 3);
	store_close(s);
	sum = verify();
	assert_string_equal(told, "");
	assert_int_equal(sum.entries, 9);
	assert_int_equal(sum.alerts, 0);
}

static void undone(void **state)
{
	char head[LEDGER_TEXT_MAX];
	struct store *s;

	(void)state;
	three_alerts(head);
	s = open_write();
	assert_int_equal(store_begin(s), 0);
	put(s, "alert-undone", 1);
	store_close(s); /* killed */
	s = open_write();
	assert_string_equal(ledger_head(s), head);
	put(s, "alert-four", 1);
	store_close(s);
	assert_int_equal(verify().findings, 0);
}

static void tampered(void **state)
{
	static const struct {
		const char *sql, *says;
	} rows[] = {
		{"DELETE FROM alerts WHERE id = 'alert-two'",
		 "alert alert-two was deleted, and not by the agent\n"},
		{"UPDATE alerts SET severity = 0 WHERE id = 'alert-one'",
		 "alert alert-one is not what the agent wrote\n"},
		{"UPDATE alerts SET body = replace(body, 'a', 'b') WHERE id = 'alert-three'",
		 "alert alert-three is not what the agent wrote\n"},
		{"DELETE FROM alerts WHERE id = 'alert-two'; DELETE FROM ledger WHERE seq = 2",
		 "entries 2 to 2 of the ledger are gone\n"},
		{"DELETE FROM alerts WHERE id = 'alert-two';"
		 "UPDATE ledger SET what = 'forgotten' WHERE id = 'alert-two'",
		 "entry 2 of the ledger is not what was written\n"},
		{"DELETE FROM alerts WHERE id = 'alert-three'; DELETE FROM ledger WHERE seq = 4",
		 "the ledger's last 1 entries are gone\n"},
		{"UPDATE ledger SET link = zeroblob(32) WHERE seq = 4",
		 "entry 4 of the ledger is not what was written\n"},
		{"UPDATE ledger SET digest = x'00' WHERE seq = 3",
		 "entry 3 of the ledger is not what was written\n"},
		{"UPDATE alerts SET id = char(27) || '[2J' WHERE id = 'alert-two';"
		 "UPDATE ledger SET id = char(27) || '[2J' WHERE seq = 2",
		 "entry 2 of the ledger is not what was written\n"
		 "alert ?[2J is not what the agent wrote\n"},
	};
	char head[LEDGER_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		three_alerts(head);
		edit(rows[i].sql);
		assert_true(verify().findings > 0);
		if (strcmp(told, rows[i].says) != 0)
			fail_msg("%s:\n%snot\n%s", rows[i].sql, told, rows[i].says);
		assert_true(verify_slowly(check_begin()).findings > 0);
		if (strcmp(told, rows[i].says) != 0)
			fail_msg("slowly: %s:\n%snot\n%s", rows[i].sql, told, rows[i].says);
	}
}

/* What is done to the store meanwhile, by us or by somebody else, is the next one's to see. */
static void as_it_was(void **state)
{
	char head[LEDGER_TEXT_MAX];
	struct ledger_summary sum;
	struct ledger_check *c;
	struct store *s;

	(void)state;
	three_alerts(head);
	c = check_begin();
	assert_int_equal(ledger_check_step(c, 2), 1);
	s = open_write();
	put(s, "alert-four", 1);
	put(s, "alert-one", 3);
	store_close(s);
	edit("DELETE FROM alerts WHERE id = 'alert-two'");
	sum = verify_slowly(c);
	assert_string_equal(told, "");
	assert_int_equal(sum.entries, 4);
	assert_int_equal(sum.alerts, 3);
	assert_string_equal(sum.head, head);
	assert_int_equal(verify_slowly(check_begin()).findings, 1);
	assert_string_equal(told, "alert alert-two was deleted, and not by the agent\n");
	/* Left in the middle: as when the agent ends meanwhile. */
	c = check_begin();
	assert_int_equal(ledger_check_step(c, 3), 1);
	ledger_check_end(c);
	ledger_check_end(NULL);
	remove(path);
	assert_true(ledger_check_begin(path, take, NULL, &c) < 0);
}

/*
 * A look beside the writer leaves it its locks: a command that reads and ends is not the last one,
 * which would take the log away under it.
 */
static void beside_the_writer(void **state)
{
	char head[LEDGER_TEXT_MAX], log[112];
	struct store *s;
	int status = 0;
	pid_t pid;

	(void)state;
	three_alerts(head);
	snprintf(log, sizeof(log), "%s-wal", path);
	s = open_write();
	put(s, "alert-four", 1);
	assert_int_equal(access(log, F_OK), 0);
	assert_int_equal(verify_slowly(check_begin()).findings, 0);
	pid = fork();
	if (pid == 0) {
		execlp("sqlite3", "sqlite3", path, "SELECT count(*) FROM alerts", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(log, F_OK), 0);
	store_close(s);
	assert_int_not_equal(access(log, F_OK), 0); /* that was the last one */
}

/* All of it made anew, or cut off without a trace: only who was told knows. */
static void told_elsewhere(void **state)
{
	char head[LEDGER_TEXT_MAX], why[128];
	struct store *s;

	(void)state;
	three_alerts(head);
	s = open_read();
	assert_int_equal(ledger_expect(s, span_of(head), why, sizeof(why)), 0);
	assert_int_equal(ledger_expect(s, span_of("4:"), why, sizeof(why)), -EINVAL);
	assert_int_equal(ledger_expect(s, span_of("x"), why, sizeof(why)), -EINVAL);
	store_close(s);
	edit("DELETE FROM alerts WHERE id = 'alert-three'; DELETE FROM ledger WHERE seq = 4;"
	     "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'ledger'");
	assert_int_equal(verify().findings, 0);
	s = open_read();
	assert_int_equal(ledger_expect(s, span_of(head), why, sizeof(why)), 1);
	assert_string_equal(why, "entry 4 of the ledger was told, and is gone");
	store_close(s);
	s = open_write();
	put(s, "alert-other", 1);
	store_close(s);
	s = open_read();
	assert_int_equal(ledger_expect(s, span_of(head), why, sizeof(why)), 1);
	assert_string_equal(why, "entry 4 of the ledger is not the one that was told");
	store_close(s);
}

/* A store of version 3: its alerts are not covered, and are no finding. */
static void from_before(void **state)
{
	char head[LEDGER_TEXT_MAX];
	struct ledger_summary sum;
	struct store *s;

	(void)state;
	three_alerts(head);
	edit("DROP TABLE ledger; PRAGMA user_version = 3; DELETE FROM blobs;"
	     "DELETE FROM sqlite_sequence WHERE name = 'ledger'; CREATE TABLE x(y);"
	     "INSERT INTO x VALUES(1)");
	assert_int_equal(verify().entries, 0);
	s = open_write();
	put(s, "alert-new", 1);
	store_close(s);
	sum = verify();
	assert_string_equal(told, "");
	assert_int_equal(sum.uncovered, 3);
	assert_int_equal(sum.entries, 1);
}

/* The chain is bounded; what is left of it still holds. */
static void trimmed(void **state)
{
	struct ledger_summary sum;
	char first[LEDGER_TEXT_MAX], why[128];
	uint64_t rows = 0;
	struct store *s;

	(void)state;
	remove(path);
	s = open_write();
	put(s, "alert-first", 1);
	snprintf(first, sizeof(first), "%s", ledger_head(s));
	assert_int_equal(store_begin(s), 0);
	for (uint32_t i = 1; i <= 65540; i++)
		put(s, "alert-again", i);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_prune(s, T0, 0, 0, 0, &rows), 0);
	store_close(s);
	sum = verify();
	assert_string_equal(told, "");
	assert_int_equal(sum.entries, 65536);
	assert_int_equal(sum.first, 6);
	assert_int_equal(sum.uncovered, 1);
	s = open_read();
	assert_int_equal(ledger_expect(s, span_of(first), why, sizeof(why)), 2);
	store_close(s);
	edit("DELETE FROM ledger WHERE seq < 100");
	assert_int_equal(verify().findings, 1);
	assert_string_equal(told, "entries 6 to 99 of the ledger are gone\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched),
		cmocka_unit_test(removed_by_the_agent),
		cmocka_unit_test(undone),
		cmocka_unit_test(tampered),
		cmocka_unit_test(told_elsewhere),
		cmocka_unit_test(from_before),
		cmocka_unit_test(trimmed),
		cmocka_unit_test(as_it_was),
		cmocka_unit_test(beside_the_writer),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
