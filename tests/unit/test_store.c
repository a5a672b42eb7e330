/*
 * store: what was put is what is read, whole or not at all, and only what was asked for.
 */
#include "store_world.h"

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

static void a_test_alert_is_not_stored(void **state)
{
	struct store *s = open_write();
	struct alert *a = full_alert('a');

	(void)state;
	a->test = true;
	assert_int_equal(store_put_alert(s, a), -EINVAL);
	assert_string_equal(store_error(s), "a test alert is not stored");
	a->test = false;
	assert_int_equal(store_put_alert(s, a), 0);
	store_close(s);
}

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
		TEST(an_unknown_detection_still_has_its_story),
		TEST(unreadable_rows_are_told),
		TEST(a_test_alert_is_not_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
