/*
 * store: what was put is there after anything: a full disk, a damaged file, a newer version, a
 * killed writer; for a reader who may not write; within its age and size.
 */
#include "store_world.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void modes_are_private(void **state)
{
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	mode_t old = umask(0);
	struct store *s = open_write();
	char wal[128];
	struct stat st;

	(void)state;
	umask(old);
	store_put_alert(s, &a);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	store_close(s);
}

static void put_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void missing_and_foreign_files_are_refused(void **state)
{
	struct store *s = NULL;

	(void)state;
	assert_int_equal(store_open(path, STORE_READ, &s), -ENOENT);
	assert_null(s);
	assert_int_equal(store_open("/nonexistent/dir/store.db", STORE_WRITE, &s), -ENOENT);
	put_file("", 0);
	assert_int_equal(store_open(path, STORE_READ, &s), -ENOENT);
	put_file("this is not a database at all, is it?", 37);
	assert_int_equal(store_open(path, STORE_READ, &s), -EIO);
	remove(path);
	sql("CREATE TABLE other(x)");
	assert_int_equal(store_open(path, STORE_READ, &s), -EIO);
	assert_int_equal(store_open(path, STORE_WRITE, &s), -EIO);
	sql("INSERT INTO other VALUES(1)"); /* still there, still whole */
	assert_null(s);
}

static void a_newer_version_is_refused_and_left_alone(void **state)
{
	struct store *s = open_write();

	(void)state;
	store_close(s);
	sql("PRAGMA user_version = 99");
	s = NULL;
	assert_int_equal(store_open(path, STORE_WRITE, &s), -EPROTO);
	assert_int_equal(store_open(path, STORE_READ, &s), -EPROTO);
	assert_null(s);
	assert_int_equal(access(path, F_OK), 0);
	assert_non_null(strstr(store_open_reason(-EPROTO), "version"));
}

static void a_damaged_file_is_put_aside_never_deleted(void **state)
{
	char aside[128], text[64] = "";
	struct store *s = NULL;
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	FILE *f;

	(void)state;
	for (int n = 1; n <= 2; n++) {
		put_file("no database", 11);
		assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
		assert_non_null(strstr(store_error(s), ".corrupt-"));
		assert_int_equal(store_put_alert(s, &a), 0);
		store_close(s);
		snprintf(aside, sizeof(aside), "%s.corrupt-%d", path, n);
		f = fopen(aside, "rb");
		assert_non_null(f);
		assert_non_null(fgets(text, sizeof(text), f));
		assert_string_equal(text, "no database");
		fclose(f);
	}
	s = open_read();
	assert_string_equal(store_error(s), "");
	store_close(s);
}

/* Pages overwritten behind the header: writes fail, nothing crashes, the next open begins anew. */
static void damage_found_later_is_an_error_then_put_aside(void **state)
{
	struct store *s = open_write();
	char junk[4096];
	int r = 0;
	FILE *f;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char id[16];
		struct alert a;

		snprintf(id, sizeof(id), "id%04u", i);
		a = alert_at(id, i, SEVERITY_LOW);
		assert_int_equal(store_put_alert(s, &a), 0);
	}
	store_close(s);
	s = open_write();
	memset(junk, 0xa5, sizeof(junk));
	f = fopen(path, "r+b");
	fseek(f, 4096, SEEK_SET);
	for (unsigned i = 0; i < 20; i++)
		fwrite(junk, 1, sizeof(junk), f);
	fclose(f);
	for (unsigned i = 0; i < 20 && !r; i++) {
		struct alert a = alert_at("id0007", i, SEVERITY_HIGH);

		a.revision = 2 + i;
		r = store_put_alert(s, &a);
	}
	assert_int_equal(r, -EIO);
	assert_true(strlen(store_error(s)) > 0);
	store_close(s);
	s = open_write();
	assert_non_null(strstr(store_error(s), ".corrupt-1"));
	store_close(s);
}

static void a_full_disk_is_an_error_and_passes(void **state)
{
	struct store *s = open_write();
	struct store_filter all = {.limit = 100000};
	struct got g = {0};
	int r = 0;
	unsigned n = 0;

	(void)state;
	store_close(s);
	if (fork() == 0) {
		/* a write past the limit fails as on a full disk */
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){300000, 300000}))
			_exit(9);
		s = open_write();
		for (n = 0; n < 2000 && !r; n++) {
			struct alert *a = full_alert('a');

			snprintf(a->id, sizeof(a->id), "id%06u", n);
			r = store_begin(s);
			if (!r)
				r = store_put_alert(s, a);
			if (!r)
				r = store_commit(s);
			else if (store_commit(s) == 0)
				_exit(8);
		}
		if (n >= 2000 || !(r == -ENOSPC || r == -EIO) || !*store_error(s))
			_exit(7);
		store_close(s);
		_exit(0);
	}
	wait(&r);
	assert_int_equal(r, 0);
	s = open_write(); /* space is back */
	assert_string_equal(store_error(s), "");
	assert_int_equal(store_put_alert(s, full_alert('a')), 0);
	assert_int_equal(store_alerts(s, &all, on_alert, &g), 0);
	assert_true(g.count > 1);
	store_close(s);
}

/* Numbers that a child says it has stored, until it is killed in the middle of its work. */
static unsigned stored_until_killed(void)
{
	unsigned n, last = 0;
	int told[2];
	pid_t child;

	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		struct store *s = open_write();
		struct alert *a = full_alert('a');

		for (n = 1; n < 100000; n++) {
			snprintf(a->id, sizeof(a->id), "id%06u", n);
			if (store_put_alert(s, a) || write(told[1], &n, sizeof(n)) != sizeof(n))
				break;
		}
		_exit(1);
	}
	close(told[1]);
	while (last < 200 && read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	kill(child, SIGKILL);
	while (read(told[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	waitpid(child, NULL, 0);
	close(told[0]);
	return last;
}

static void a_killed_writer_loses_nothing_it_stored(void **state)
{
	unsigned last = stored_until_killed();
	struct store_filter all = {.limit = 200000};
	struct got g = {0};
	struct store *s = open_write();

	(void)state;
	assert_true(last >= 200);
	assert_string_equal(store_error(s), "");
	assert_int_equal(store_alerts(s, &all, on_alert, &g), 0);
	assert_true(g.count == last || g.count == last + 1); /* stored, but not yet told */
	store_close(s);
}

/* In a child without rights: nobody (65534) in a directory it can read but not write. */
static int as_nobody(int (*what)(void))
{
	int status;

	if (fork() == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(99);
		_exit(what());
	}
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int read_one(void)
{
	struct store *s = NULL;
	struct store_filter all = {0};
	struct got g = {0};
	int r = store_open(path, STORE_READ, &s);

	if (r)
		return -r;
	r = store_alerts(s, &all, on_alert, &g);
	store_close(s);
	return r ? 97 : g.count == 1 ? 0 : 96;
}

static int write_one(void)
{
	struct store *s = NULL;
	struct alert a = alert_at("bbbb", 0, SEVERITY_LOW);
	int r = store_open(path, STORE_WRITE, &s);

	if (!r) {
		r = store_put_alert(s, &a);
		store_close(s);
	}
	return -r;
}

static void a_reader_without_rights_to_write_reads(void **state)
{
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct store *s = open_write();

	(void)state;
	if (getuid() != 0) {
		store_close(s);
		skip();
	}
	store_put_alert(s, &a);
	chmod(dir, 0755);
	assert_int_equal(as_nobody(read_one), EACCES); /* 0640 */
	chmod(path, 0644);
	store_close(s);
	assert_int_equal(as_nobody(read_one), 0); /* the agent is not running: no -shm at all */
	s = open_write();
	assert_int_equal(as_nobody(read_one), 0); /* while it runs */
	assert_true(as_nobody(write_one) == EROFS || as_nobody(write_one) == EACCES);
	store_close(s);
}

static void a_writer_and_readers_do_not_wait(void **state)
{
	struct store *s = open_write(), *reader = open_read();
	struct store_filter all = {0};

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char id[16];
		struct alert a;

		snprintf(id, sizeof(id), "id%04u", i);
		a = alert_at(id, i, SEVERITY_LOW);
		assert_int_equal(store_put_alert(s, &a), 0);
		if (i % 50 == 0)
			assert_non_null(strstr(alerts_of(reader, all), id));
	}
	store_close(reader);
	store_close(s);
}

static void age_prunes_what_is_closed(void **state)
{
	struct store *s = open_write();
	struct alert old = alert_at("old-closed", 0, SEVERITY_HIGH);
	struct alert open_one = alert_at("old-open", 0, SEVERITY_HIGH);
	struct alert young = alert_at("young", 60 * 86400, SEVERITY_LOW);
	struct session x = {.id = "sold", .open_ns = T0, .state = SESSION_CLOSED};
	struct session live = {.id = "slive", .open_ns = T0, .state = SESSION_LINGERING};
	uint64_t rows = 0;

	(void)state;
	old.state = young.state = ALERT_CLOSED;
	store_put_alert(s, &old);
	store_put_alert(s, &open_one);
	store_put_alert(s, &young);
	store_put_session(s, &x);
	store_put_session(s, &live);
	assert_int_equal(store_prune(s, T0 + 91 * DAY, 90 * 86400, 30 * 86400, 0, &rows), 0);
	assert_int_equal(rows, 2);
	assert_string_equal(alerts_of(s, (struct store_filter){0}), "youngold-open");
	assert_string_equal(sessions_of(s, (struct store_filter){0}), "slive");
	assert_int_equal(store_prune(s, T0, 90 * 86400, 30 * 86400, 0, NULL), 0);
	store_close(s);
}

/* Whoever has much to give up does so by and by, and its ledger holds. */
static void prunes_a_part_at_a_time(void **state)
{
	struct store *s = open_write();
	uint64_t rows = 0, all = 0;
	unsigned calls = 0;

	(void)state;
	store_begin(s);
	for (unsigned i = 0; i < 2300; i++) {
		struct alert a = alert_at("", i, SEVERITY_LOW);

		snprintf(a.id, sizeof(a.id), "part%06u", i);
		a.state = ALERT_CLOSED;
		store_put_alert(s, &a);
	}
	store_commit(s);
	do {
		assert_int_equal(store_prune(s, T0 + 91 * DAY, 90 * 86400, 0, 0, &rows), 0);
		assert_true(rows <= 1000);
		all += rows;
		calls++;
	} while (rows);
	assert_int_equal(all, 2300);
	assert_int_equal(calls, 4);
	store_close(s);
}

static uint64_t file_size(void)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static void size_prunes_and_gives_space_back(void **state)
{
	struct store *s = open_write();
	struct alert *a = full_alert('a');
	struct alert important = alert_at("important", 0, SEVERITY_CRITICAL);
	char big[20000];
	uint64_t rows = 0, before;
	void *blob = NULL;
	size_t len;

	(void)state;
	memset(big, 'x', sizeof(big));
	important.state = ALERT_CLOSED;
	store_put_alert(s, &important);
	store_put_blob(s, "core", big, sizeof(big));
	a->severity = SEVERITY_LOW;
	a->state = ALERT_CLOSED;
	store_begin(s);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(a->id, sizeof(a->id), "id%06u", i);
		a->last_ns = T0 + i * SEC;
		store_put_alert(s, a);
	}
	store_commit(s);
	store_close(s);
	before = file_size();
	assert_true(before > 1500000);
	s = open_write();
	assert_int_equal(store_prune(s, T0, 0, 0, 500000, &rows), 0);
	assert_true(rows > 200 && rows < 400);
	assert_non_null(strstr(alerts_of(s, (struct store_filter){.id = SPAN_LIT("important")}),
			       "important"));
	assert_string_equal(alerts_of(s, (struct store_filter){.id = SPAN_LIT("id000000")}), "");
	assert_string_equal(alerts_of(s, (struct store_filter){.id = SPAN_LIT("id000399")}),
			    "id000399");
	assert_int_equal(store_get_blob(s, "core", &blob, &len), 0);
	free(blob);
	store_close(s);
	assert_true(file_size() < 700000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes_are_private),
		TEST(missing_and_foreign_files_are_refused),
		TEST(a_newer_version_is_refused_and_left_alone),
		TEST(a_damaged_file_is_put_aside_never_deleted),
		TEST(damage_found_later_is_an_error_then_put_aside),
		TEST(a_full_disk_is_an_error_and_passes),
		TEST(a_killed_writer_loses_nothing_it_stored),
		TEST(a_reader_without_rights_to_write_reads),
		TEST(a_writer_and_readers_do_not_wait),
		TEST(age_prunes_what_is_closed),
		TEST(size_prunes_and_gives_space_back),
		TEST(prunes_a_part_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
