/*
 * store: what was put is what is read, by anybody, after anything: another revision, a full disk,
 * a damaged file, a newer version, a reader who may not write.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/detect/detection.h"
#include "common/store/body.h"
#include "common/store/store.h"

#define T0  1795329060123000000ull
#define SEC 1000000000ull
#define DAY (86400 * SEC)

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL};

static char dir[64], path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/outergate-store-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/store.db", dir);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct store *open_write(void)
{
	struct store *s = NULL;

	assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
	store_set_policy(s, &keep);
	return s;
}

static struct store *open_read(void)
{
	struct store *s = NULL;
	int r = store_open(path, STORE_READ, &s);

	if (r)
		fail_msg("%s", strerror(-r));
	return s;
}

/* Every byte a letter, so that every text is terminated where its field ends. */
static void fill(char *field, size_t cap, int first)
{
	for (size_t i = 0; i + 1 < cap; i++)
		field[i] = (char)(first + (int)(i % 26));
	field[cap - 1] = '\0';
}
#define FILL(f) fill(f, sizeof(f), first)

static struct alert *full_alert(int first)
{
	static struct alert a;

	memset(&a, 0, sizeof(a));
	a.detection = &detection_auth_spray;
	FILL(a.id);
	FILL(a.previous);
	FILL(a.part_of);
	a.revision = UINT32_MAX;
	a.state = ALERT_UPDATED;
	a.severity = SEVERITY_HIGH;
	a.observe = a.notify = a.learning = a.account_unknown = true;
	FILL(a.reason);
	a.first_ns = T0;
	a.last_ns = T0 + SEC;
	a.count = UINT64_MAX;
	FILL(a.session);
	a.service = SERVICE_KUBE_API;
	a.origin = (struct endpoint){{ADDR_V4, {0}, {203, 0, 113, 9}}, 65535, 0};
	a.local = (struct endpoint){{ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 7}}, 22, 0};
	a.scope = SCOPE_EXTERNAL;
	a.origin_source = ORIGIN_LOG;
	FILL(a.account);
	FILL(a.effective_account);
	a.method = METHOD_OTHER;
	FILL(a.key);
	FILL(a.client);
	FILL(a.stage);
	FILL(a.numbers);
	FILL(a.sentence);
	a.evidence_count = ALERT_EVIDENCE;
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		struct alert_evidence *e = &a.evidence[i];

		e->time_ns = T0 + i;
		e->kind = EVENT_SENSOR;
		e->trust = (enum trust)(i % 4);
		e->line = UINT64_MAX - i;
		fill(e->text, sizeof(e->text), first);
	}
	return &a;
}

static struct session *full_session(int first)
{
	static struct session s;

	memset(&s, 0, sizeof(s));
	FILL(s.id);
	s.conn = UINT64_MAX;
	s.state = SESSION_LINGERING;
	s.existing = s.proven = s.has_pty = s.bytes_known = s.has_shell = true;
	s.has_transfer = s.has_forward = s.pending_helper = s.method_inferred = true;
	s.service = SERVICE_OTHER;
	s.method = METHOD_CERTIFICATE;
	s.scope = SCOPE_LINK_LOCAL;
	s.origin_source = ORIGIN_SNAPSHOT;
	s.origin = (struct endpoint){{ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 1}}, 1, 0};
	s.local = (struct endpoint){{ADDR_V4, {0}, {192, 0, 2, 1}}, 22, 0};
	s.netns = UINT32_MAX;
	FILL(s.account);
	FILL(s.effective_account);
	FILL(s.key);
	FILL(s.client);
	s.open_ns = T0;
	s.close_ns = T0 + 1;
	s.last_ns = T0 + 2;
	s.conn_open_ns = T0 + 3;
	s.bytes_in = UINT64_MAX;
	s.bytes_out = 1;
	s.processes = 2;
	s.commands_total = 300;
	s.dests_total = 400;
	s.failures_before = 5;
	s.loginuid = s.audit_session = UINT32_MAX;
	s.leader = (struct proc_id){77, 0, UINT64_MAX};
	FILL(s.alert_chain);
	s.worst = SEVERITY_CRITICAL;
	s.fired = 3;
	s.anomaly_mask = (UINT64_C(1) << DETECTION_COUNT) - 1;
	s.commands_kept = SESSION_CMDS;
	for (unsigned i = 0; i < SESSION_CMDS; i++) {
		s.commands[i].time_ns = T0 + i;
		s.commands[i].proc = (struct proc_id){i + 1, 0, i + 2};
		s.commands[i].uid = UINT32_MAX;
		FILL(s.commands[i].text);
	}
	s.dests_kept = SESSION_DESTS;
	for (unsigned i = 0; i < SESSION_DESTS; i++) {
		s.dests[i] = (struct session_dest){
			s.origin, SERVICE_RDP, SCOPE_SHARED, 9 + i, T0, T0 + i, UINT64_MAX, 8, ""};
		FILL(s.dests[i].program);
	}
	return &s;
}

struct got {
	unsigned count;
	struct alert alert;
	struct session session;
	char ids[512];
};

static bool on_alert(void *arg, const struct alert *a)
{
	struct got *g = arg;

	g->count++;
	g->alert = *a;
	strncat(g->ids, a->id, sizeof(g->ids) - strlen(g->ids) - 1);
	return true;
}

static bool on_session(void *arg, const struct session *x)
{
	struct got *g = arg;

	g->count++;
	g->session = *x;
	strncat(g->ids, x->id, sizeof(g->ids) - strlen(g->ids) - 1);
	return true;
}

static bool on_alert_once(void *arg, const struct alert *a)
{
	on_alert(arg, a);
	return false;
}

static const char *alerts_of(struct store *s, struct store_filter f)
{
	static struct got g;

	g = (struct got){0};
	assert_int_equal(store_alerts(s, &f, on_alert, &g), 0);
	return g.ids;
}

static const char *sessions_of(struct store *s, struct store_filter f)
{
	static struct got g;

	g = (struct got){0};
	assert_int_equal(store_sessions(s, &f, on_session, &g), 0);
	return g.ids;
}

static void every_field_comes_back(void **state)
{
	/* letters, bytes that are no UTF-8, control characters, quotes */
	static const int firsts[] = {'a', 0x80, 0xe6, 1, '"' - 2};
	struct store_filter all = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct alert *a = full_alert(firsts[i]);
		struct session *x = full_session(firsts[i]);
		struct got g = {0};
		struct store *s;

		remove(path);
		s = open_write();
		assert_int_equal(store_put_alert(s, a), 0);
		assert_int_equal(store_put_session(s, x), 0);
		store_close(s);
		s = open_read();
		assert_int_equal(store_alerts(s, &all, on_alert, &g), 0);
		assert_int_equal(store_sessions(s, &all, on_session, &g), 0);
		assert_int_equal(g.count, 2);
		assert_memory_equal(&g.alert, a, sizeof(*a));
		assert_memory_equal(&g.session, x, sizeof(*x));
		store_close(s);
	}
}

/* Padding is at most 7 bytes; anything longer is a field that the table forgot. */
static void no_field_is_forgotten(void **state)
{
	static const struct {
		const char *what;
		bool (*covers)(size_t);
		size_t size, skip_at, skip_len; /* kept by id, not by value */
	} rows[] = {
		{"alert", body_covers_alert, sizeof(struct alert),
		 offsetof(struct alert, detection), sizeof(void *)},
		{"session", body_covers_session, sizeof(struct session),
		 offsetof(struct session, anomaly_mask), sizeof(uint64_t)},
	};

	(void)state;
	for (unsigned r = 0; r < 2; r++) {
		unsigned run = 0;

		for (size_t at = 0; at < rows[r].size; at++) {
			bool skipped =
				at >= rows[r].skip_at && at < rows[r].skip_at + rows[r].skip_len;

			run = skipped || rows[r].covers(at) ? 0 : run + 1;
			/* pads: 3 in addr, 2 after a port, up to 4 before an aligned 64-bit field
			 */
			if (run > 7)
				fail_msg("%s: nothing stores byte %zu", rows[r].what, at);
		}
	}
}

static struct alert alert_at(const char *id, uint64_t seconds, enum severity sev)
{
	struct alert a = {.detection = &detection_auth_spray,
			  .revision = 1,
			  .severity = sev,
			  .first_ns = T0 + seconds * SEC,
			  .last_ns = T0 + seconds * SEC};

	span_copy(a.id, sizeof(a.id), span_of(id));
	return a;
}

static void an_older_revision_never_replaces_a_newer_one(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct store_filter all = {0};
	struct got g = {0};

	(void)state;
	a.revision = 3;
	assert_int_equal(store_put_alert(s, &a), 0);
	a.revision = 2;
	a.severity = SEVERITY_INFO;
	assert_int_equal(store_put_alert(s, &a), 0);
	store_alerts(s, &all, on_alert, &g);
	assert_int_equal(g.alert.revision, 3);
	assert_int_equal(g.alert.severity, SEVERITY_LOW);
	a.revision = 4;
	a.severity = SEVERITY_HIGH;
	assert_int_equal(store_put_alert(s, &a), 0);
	g = (struct got){0};
	store_alerts(s, &all, on_alert, &g);
	assert_int_equal(g.count, 1);
	assert_int_equal(g.alert.severity, SEVERITY_HIGH);
	store_close(s);
}

static void filters_select_what_they_say(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_at("aaaa1", 10, SEVERITY_LOW),
		     b = alert_at("bbbb1", 20, SEVERITY_HIGH),
		     c = alert_at("bbbb2", 30, SEVERITY_MEDIUM);

	(void)state;
	a.service = SERVICE_SSH;
	a.origin.addr = (struct addr){ADDR_V4, {0}, {203, 0, 113, 9}};
	span_copy(a.account, sizeof(a.account), SPAN_LIT("root"));
	a.state = ALERT_CLOSED;
	b.detection = &detection_chain_t1133;
	b.origin.addr = (struct addr){ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 1}};
	span_copy(b.session, sizeof(b.session), SPAN_LIT("s1"));
	span_copy(b.effective_account, sizeof(b.effective_account), SPAN_LIT("root"));
	c.origin.addr = (struct addr){ADDR_V4, {0}, {203, 0, 114, 1}};
	assert_int_equal(store_put_alert(s, &a), 0);
	assert_int_equal(store_put_alert(s, &b), 0);
	assert_int_equal(store_put_alert(s, &c), 0);
#define F(...) alerts_of(s, (struct store_filter){__VA_ARGS__})
	assert_string_equal(F(0), "bbbb2bbbb1aaaa1");
	assert_string_equal(F(.limit = 2), "bbbb2bbbb1");
	assert_string_equal(F(.since_ns = T0 + 20 * SEC), "bbbb2bbbb1");
	assert_string_equal(F(.until_ns = T0 + 20 * SEC), "bbbb1aaaa1");
	assert_string_equal(F(.severity = SEVERITY_MEDIUM), "bbbb2bbbb1");
	assert_string_equal(F(.service = SERVICE_SSH), "aaaa1");
	assert_string_equal(F(.account = SPAN_LIT("root")), "bbbb1aaaa1");
	assert_string_equal(F(.account = SPAN_LIT("roo")), "");
	assert_string_equal(F(.origin = SPAN_LIT("203.0.113.0/24")), "aaaa1");
	assert_string_equal(F(.origin = SPAN_LIT("203.0.112.0/22")), "bbbb2aaaa1");
	assert_string_equal(F(.origin = SPAN_LIT("203.0.113.9")), "aaaa1");
	assert_string_equal(F(.origin = SPAN_LIT("2001:db8::/32")), "bbbb1");
	assert_string_equal(F(.origin = SPAN_LIT("0.0.0.0/0")), "bbbb2aaaa1");
	assert_string_equal(F(.detection = span_of(detection_chain_t1133.id)), "bbbb1");
	assert_string_equal(F(.id = SPAN_LIT("bbbb")), "bbbb2bbbb1");
	assert_string_equal(F(.id = SPAN_LIT("bbbb2")), "bbbb2");
	assert_string_equal(F(.session = SPAN_LIT("s1")), "bbbb1");
	assert_string_equal(F(.live = true), "bbbb2bbbb1");
	/* nothing is a pattern or SQL */
	assert_string_equal(F(.account = SPAN_LIT("%")), "");
	assert_string_equal(F(.id = SPAN_LIT("' OR 1=1 --")), "");
#undef F
	store_close(s);
}

static void bad_filters_are_told(void **state)
{
	struct store *s = open_write();
	struct store_filter short_id = {.id = SPAN_LIT("abc")};
	struct store_filter origin = {.origin = SPAN_LIT("10.")};
	struct got g = {0};

	(void)state;
	assert_int_equal(store_alerts(s, &short_id, on_alert, &g), -EINVAL);
	assert_non_null(strstr(store_error(s), "4 characters"));
	assert_int_equal(store_sessions(s, &origin, on_session, &g), -EINVAL);
	assert_non_null(strstr(store_error(s), "10."));
	store_close(s);
}

static void a_callback_may_stop(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW), b = alert_at("bbbb", 1, SEVERITY_LOW);
	struct store_filter all = {0};
	struct got g = {0};

	(void)state;
	store_put_alert(s, &a);
	store_put_alert(s, &b);
	assert_int_equal(store_alerts(s, &all, on_alert_once, &g), 0);
	assert_int_equal(g.count, 1);
	assert_string_equal(alerts_of(s, all), "bbbbaaaa");
	store_close(s);
}

static void sessions_are_filtered_and_replaced(void **state)
{
	struct store *s = open_write();
	struct session x = {.id = "ssss1",
			    .open_ns = T0,
			    .last_ns = T0 + SEC,
			    .service = SERVICE_SSH,
			    .account = "alice",
			    .state = SESSION_OPEN};
	struct session y = {.id = "ssss2",
			    .open_ns = T0 + 2 * SEC,
			    .state = SESSION_CLOSED,
			    .worst = SEVERITY_HIGH};
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);

	(void)state;
	span_copy(a.session, sizeof(a.session), SPAN_LIT("ssss1"));
	store_put_alert(s, &a);
	assert_int_equal(store_put_session(s, &x), 0);
	assert_int_equal(store_put_session(s, &y), 0);
#define F(...) sessions_of(s, (struct store_filter){__VA_ARGS__})
	assert_string_equal(F(0), "ssss2ssss1");
	assert_string_equal(F(.live = true), "ssss1");
	assert_string_equal(F(.account = SPAN_LIT("alice")), "ssss1");
	assert_string_equal(F(.severity = SEVERITY_LOW), "ssss2");
	assert_string_equal(F(.detection = span_of(detection_auth_spray.id)), "ssss1");
	x.state = SESSION_LINGERING;
	store_put_session(s, &x);
	assert_string_equal(F(.live = true), "ssss1");
	x.state = SESSION_CLOSED;
	store_put_session(s, &x);
	assert_string_equal(F(.live = true), "");
	assert_string_equal(F(0), "ssss2ssss1");
#undef F
	store_close(s);
}

static void values_are_kept_by_name(void **state)
{
	struct store *s = open_write();
	static const char with_nul[] = "a\0b";
	void *buf = NULL;
	size_t len = 99;

	(void)state;
	assert_int_equal(store_get_blob(s, "core", &buf, &len), -ENOENT);
	assert_null(buf);
	assert_int_equal(store_put_blob(s, "core", "old", 3), 0);
	assert_int_equal(store_put_blob(s, "core", with_nul, 3), 0);
	assert_int_equal(store_put_blob(s, "empty", NULL, 0), 0);
	store_close(s);
	s = open_read();
	assert_int_equal(store_get_blob(s, "core", &buf, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(buf, with_nul, 3);
	free(buf);
	assert_int_equal(store_get_blob(s, "empty", &buf, &len), 0);
	assert_int_equal(len, 0);
	free(buf);
	store_close(s);
}

static void transactions_are_all_or_nothing(void **state)
{
	struct store *s = open_write(), *reader;
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct store_filter all = {0};

	(void)state;
	assert_int_equal(store_commit(s), -EINVAL);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_begin(s), -EALREADY);
	store_put_alert(s, &a);
	reader = open_read();
	assert_string_equal(alerts_of(reader, all), "");
	assert_int_equal(store_commit(s), 0);
	assert_string_equal(alerts_of(reader, all), "aaaa");
	store_begin(s);
	span_copy(a.id, sizeof(a.id), SPAN_LIT("bbbb"));
	store_put_alert(s, &a);
	store_close(s); /* as a crash would */
	assert_string_equal(alerts_of(reader, all), "aaaa");
	store_close(reader);
}

static void unknown_accounts_are_hashed_unless_told(void **state)
{
	struct store *s = NULL;
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct store_filter all = {0};
	struct got g = {0};
	char raw[65536];
	FILE *f;
	size_t n;

	(void)state;
	assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
	a.account_unknown = true;
	span_copy(a.account, sizeof(a.account), SPAN_LIT("hunter2zwei"));
	span_copy(a.sentence, sizeof(a.sentence), SPAN_LIT("someone guessed hunter2zwei"));
	assert_int_equal(store_put_alert(s, &a), 0);
	store_alerts(s, &all, on_alert, &g);
	assert_memory_equal(g.alert.account, "unknown:", 8);
	assert_true(g.alert.account_unknown);
	assert_null(strstr(g.alert.sentence, "hunter2"));
	/* what was read may be put again */
	a = g.alert;
	assert_int_equal(store_put_alert(s, &a), 0);
	store_alerts(s, &all, on_alert, &g);
	assert_string_equal(g.alert.account, a.account);
	store_close(s);
	f = fopen(path, "rb");
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	assert_true(n > 0);
	assert_null(memmem(raw, n, "hunter2", 7));
}

static void session_commands_are_stored_redacted(void **state)
{
	struct store *s = NULL;
	struct session x = {.id = "ssss", .open_ns = T0, .commands_kept = 1};
	struct store_filter all = {0};
	struct got g = {0};

	(void)state;
	span_copy(x.commands[0].text, COMMAND_MAX, SPAN_LIT("mysql -pgeheim"));
	assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
	assert_int_equal(store_put_session(s, &x), 0);
	store_sessions(s, &all, on_session, &g);
	assert_string_equal(g.session.commands[0].text, "mysql -p***");
	store_close(s);
}

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

static void sql(const char *statement)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
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
	memset(junk, 0xa5, sizeof(junk));
	f = fopen(path, "r+b");
	fseek(f, 4096, SEEK_SET);
	for (unsigned i = 0; i < 20; i++)
		fwrite(junk, 1, sizeof(junk), f);
	fclose(f);
	s = open_write();
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

static void an_unknown_detection_still_has_its_story(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct detection other = *a.detection;
	struct store_filter all = {0};
	struct got g = {0};

	(void)state;
	other.id = "from.another_version";
	a.detection = &other;
	assert_int_equal(store_put_alert(s, &a), 0);
	assert_int_equal(store_alerts(s, &all, on_alert, &g), 0);
	assert_string_equal(g.alert.detection->id, "from.another_version");
	assert_non_null(g.alert.detection->triage);
	store_close(s);
}

static void unreadable_rows_are_told(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_at("aaaa", 0, SEVERITY_LOW);
	struct store_filter all = {0};
	struct got g = {0};

	(void)state;
	store_put_alert(s, &a);
	store_close(s);
	sql("UPDATE alerts SET body = '[1,'");
	s = open_read();
	assert_int_equal(store_alerts(s, &all, on_alert, &g), -EBADMSG);
	assert_true(strlen(store_error(s)) > 0);
	store_close(s);
	sql("UPDATE alerts SET body = "
	    "'{\"evidence\":[1,2,{\"text\":7}],\"count\":-1,\"state\":\"x\","
	    "\"sentence\":{\"hex\":\"zz\"},\"origin\":\"nowhere\"}'");
	s = open_read();
	assert_int_equal(store_alerts(s, &all, on_alert, &g), 0);
	assert_int_equal(g.alert.count, 0);
	assert_int_equal(g.alert.evidence_count, 3);
	store_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_comes_back),
		TEST(no_field_is_forgotten),
		TEST(an_older_revision_never_replaces_a_newer_one),
		TEST(filters_select_what_they_say),
		TEST(bad_filters_are_told),
		TEST(a_callback_may_stop),
		TEST(sessions_are_filtered_and_replaced),
		TEST(values_are_kept_by_name),
		TEST(transactions_are_all_or_nothing),
		TEST(unknown_accounts_are_hashed_unless_told),
		TEST(session_commands_are_stored_redacted),
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
		TEST(an_unknown_detection_still_has_its_story),
		TEST(unreadable_rows_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
