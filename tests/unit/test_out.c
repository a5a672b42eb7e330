/*
 * out: every field at its bound, every hostile byte, read back by another JSON reader.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/decode/decode.h"
#include "common/out/out.h"

#define T0 1795329060123000000ull /* 2026-11-22T06:31:00.123Z */

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL};
static const struct out_policy hide = {.privacy_key = 7};

static const struct addr v6 = {ADDR_V6,
			       {0},
			       {0x20, 1, 0xd, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0xff, 0xff, 0xff, 0xff}};
static const struct addr v4 = {ADDR_V4, {0}, {203, 0, 113, 9}};

static struct alert small_alert(void)
{
	struct alert a = {
		.id = "0123456789abcdef0123456789abcdef",
		.detection = &detection_auth_bruteforce_success,
		.revision = 2,
		.state = ALERT_UPDATED,
		.severity = SEVERITY_HIGH,
		.notify = true,
		.first_ns = T0,
		.last_ns = T0 + 1000000000,
		.count = 7,
		.session = "aa",
		.service = SERVICE_SSH,
		.origin = {v4, 40022, 0},
		.scope = SCOPE_RESERVED,
		.origin_source = ORIGIN_SOCKET,
		.account = "root",
		.method = METHOD_PASSWORD,
		.stage = "access",
		.numbers = "7 failures > 5 in 15m",
		.sentence = "203.0.113.9 got in as root after 7 failures",
		.evidence_count = 1,
	};

	a.evidence[0] = (struct alert_evidence){T0, EVENT_ATTEMPT, TRUST_KERNEL, 12, "failed"};
	return a;
}

static json_t *read_json(const char *text, int len)
{
	json_error_t err;
	json_t *j;

	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	assert_null(strchr(text, '\n'));
	j = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &err);
	if (!j)
		fail_msg("%s at %d: %s", err.text, err.position, text);
	return j;
}

static json_t *alert_json(const struct alert *a, const struct out_policy *p)
{
	static char buf[OUT_ALERT_MAX];

	return read_json(buf, out_alert_json(a, p, buf, sizeof(buf)));
}

static const char *str(json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "(absent)";
}

static void times_are_rfc3339(void **state)
{
	static const struct {
		uint64_t s;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},	  {951782399, "2000-02-28T23:59:59.000Z"},
		{951782400, "2000-02-29T00:00:00.000Z"},  {951868800, "2000-03-01T00:00:00.000Z"},
		{1709164800, "2024-02-29T00:00:00.000Z"}, {1735689599, "2024-12-31T23:59:59.000Z"},
		{4107542400, "2100-03-01T00:00:00.000Z"}, {18446744073, "2554-07-21T23:34:33.000Z"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(out_time(rows[i].s * 1000000000, buf), rows[i].text);
	assert_string_equal(out_time(T0 + 999999, buf), "2026-11-22T06:31:00.123Z");
}

static void alert_has_every_field(void **state)
{
	struct alert a = small_alert();
	json_t *j = alert_json(&a, &keep), *origin = json_object_get(j, "origin");
	json_t *e = json_array_get(json_object_get(j, "evidence"), 0);

	(void)state;
	assert_string_equal(str(j, "id"), a.id);
	assert_int_equal(json_integer_value(json_object_get(j, "schema")), ALERT_SCHEMA);
	assert_int_equal(json_integer_value(json_object_get(j, "revision")), 2);
	assert_string_equal(str(j, "state"), "updated");
	assert_string_equal(str(j, "detection"), a.detection->id);
	assert_string_equal(str(j, "severity"), "high");
	assert_string_equal(str(j, "time"), "2026-11-22T06:31:00.123Z");
	assert_string_equal(str(j, "last_time"), "2026-11-22T06:31:01.123Z");
	assert_int_equal(json_integer_value(json_object_get(j, "count")), 7);
	assert_string_equal(str(j, "service"), "ssh");
	assert_string_equal(str(j, "account"), "root");
	assert_string_equal(str(j, "identity"), "root");
	assert_string_equal(str(origin, "address"), "203.0.113.9");
	assert_int_equal(json_integer_value(json_object_get(origin, "port")), 40022);
	assert_string_equal(str(origin, "scope"), "reserved");
	assert_string_equal(str(origin, "source"), origin_source_name(ORIGIN_SOCKET));
	assert_string_equal(str(j, "det"), "DET0354");
	assert_true(json_array_size(json_object_get(j, "attack")) >= 1);
	assert_string_equal(str(j, "analytic"), a.detection->analytic);
	assert_string_equal(str(j, "sentence"), a.sentence);
	assert_string_equal(str(e, "kind"), "attempt");
	assert_string_equal(str(e, "trust"), "kernel");
	assert_int_equal(json_integer_value(json_object_get(e, "line")), 12);
	assert_string_equal(str(j, "triage"), a.detection->triage);
	assert_string_equal(str(j, "contain"), a.detection->contain);
	assert_true(json_is_false(json_object_get(j, "learning")));
	assert_null(json_object_get(j, "key"));
	assert_null(json_object_get(j, "previous"));
	json_decref(j);
}

static void host_and_boot_are_put_when_known(void **state)
{
	struct out_policy p = keep;
	struct alert a = small_alert();
	json_t *j;

	(void)state;
	p.host_id = "machine";
	p.boot_id = "boot";
	j = alert_json(&a, &p);
	assert_string_equal(str(j, "host_id"), "machine");
	assert_string_equal(str(j, "boot_id"), "boot");
	json_decref(j);
}

/* Fills a text field to its bound with one byte, or with all bytes in turn. */
static void fill(char *field, size_t cap, int byte)
{
	for (size_t i = 0; i + 1 < cap; i++)
		field[i] = (char)(byte ? byte : (int)(i % 255 + 1));
	field[cap - 1] = '\0';
}

#define FILL(f) fill(f, sizeof(f), byte)

static struct alert *big_alert(int byte)
{
	static struct alert a;

	a = small_alert();
	FILL(a.id);
	FILL(a.previous);
	FILL(a.part_of);
	FILL(a.reason);
	FILL(a.session);
	FILL(a.account);
	FILL(a.effective_account);
	FILL(a.key);
	FILL(a.client);
	FILL(a.stage);
	FILL(a.numbers);
	FILL(a.sentence);
	a.count = a.first_ns = a.last_ns = UINT64_MAX;
	a.revision = UINT32_MAX;
	a.origin = a.local = (struct endpoint){v6, 65535, 0};
	a.evidence_count = ALERT_EVIDENCE;
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		a.evidence[i] = (struct alert_evidence){UINT64_MAX, EVENT_CONNECTION_CLOSE,
							TRUST_TRANSPORT, UINT64_MAX, ""};
		FILL(a.evidence[i].text);
	}
	return &a;
}

static struct session *big_session(int byte)
{
	static struct session s;

	s = (struct session){.open_ns = UINT64_MAX, .close_ns = UINT64_MAX, .bytes_known = true};
	FILL(s.id);
	FILL(s.account);
	FILL(s.effective_account);
	FILL(s.key);
	FILL(s.client);
	FILL(s.alert_chain);
	s.origin = s.local = (struct endpoint){v6, 65535, 0};
	s.bytes_in = s.bytes_out = s.anomaly_mask = UINT64_MAX;
	s.commands_kept = SESSION_CMDS;
	s.dests_kept = SESSION_DESTS;
	for (unsigned i = 0; i < SESSION_CMDS; i++) {
		s.commands[i].time_ns = UINT64_MAX;
		s.commands[i].uid = s.commands[i].proc.pid = UINT32_MAX;
		FILL(s.commands[i].text);
	}
	for (unsigned i = 0; i < SESSION_DESTS; i++) {
		s.dests[i] = (struct session_dest){.dest = s.origin,
						   .source = s.origin.addr,
						   .source_ports = {UINT16_MAX, UINT16_MAX},
						   .bytes_in = UINT64_MAX,
						   .bytes_out = UINT64_MAX,
						   .count = UINT32_MAX,
						   .first_ns = UINT64_MAX,
						   .last_ns = UINT64_MAX};
		FILL(s.dests[i].program);
	}
	return &s;
}

static void bounds_hold_for_every_byte(void **state)
{
	static char buf[OUT_ALERT_MAX];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		struct alert *a = big_alert(byte);

		for (int unknown = 0; unknown < 2; unknown++) {
			a->account_unknown = unknown;
			json_decref(read_json(buf, out_alert_json(a, &keep, buf, OUT_ALERT_MAX)));
			json_decref(read_json(buf, out_alert_json(a, &hide, buf, OUT_ALERT_MAX)));
			assert_true(out_alert_line(a, &hide, true, buf, OUT_ALERT_MAX) > 0);
			assert_true(out_alert_explain(a, big_session(byte), NULL, &hide, buf,
						      OUT_ALERT_MAX) > 0);
		}
		json_decref(read_json(
			buf, out_session_json(big_session(byte), &keep, buf, OUT_SESSION_MAX)));
		assert_true(out_session_line(big_session(byte), &keep, buf, OUT_SESSION_MAX) > 0);
	}
}

static void events_are_bounded(void **state)
{
	static char line[8192], buf[OUT_EVENT_MAX];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		struct span all = {line, sizeof(line)};
		struct event e = {.kind = EVENT_CONNECTION_CLOSE,
				  .outcome = OUTCOME_SUCCESS,
				  .flags = EVENT_TIME_APPROXIMATE,
				  .time_ns = UINT64_MAX,
				  .line = UINT64_MAX,
				  .count = UINT32_MAX,
				  .origin = {v6, 65535, 0},
				  .dest = {v6, 65535, 0},
				  .account = all,
				  .client = all,
				  .key = all,
				  .host = all,
				  .args = all};

		memset(line, byte, sizeof(line));
		json_decref(read_json(buf, out_event_json(&e, buf, sizeof(buf))));
	}
}

static void event_is_the_documented_object(void **state)
{
	static const char args[] = "ssh\0-p\0002222\0host";
	struct event e = {.kind = EVENT_ATTEMPT,
			  .service = SERVICE_SSH,
			  .outcome = OUTCOME_FAILURE,
			  .method = METHOD_PASSWORD,
			  .source = DECODER_sshd,
			  .time_ns = T0,
			  .line = 3,
			  .count = 1,
			  .origin = {v4, 22, 0},
			  .account = SPAN_LIT("pass\"word\n"),
			  .host = SPAN_LIT("h1")};
	char buf[OUT_EVENT_MAX];

	(void)state;
	assert_true(out_event_json(&e, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"line\":3,\"kind\":\"attempt\","
				 "\"time\":\"2026-11-22T06:31:00.123Z\",\"service\":\"ssh\","
				 "\"outcome\":\"failure\",\"account\":\"pass\\\"word\\u000a\","
				 "\"origin\":{\"address\":\"203.0.113.9\",\"port\":22},"
				 "\"method\":\"password\",\"source\":\"sshd\",\"host\":\"h1\"}");
	e = (struct event){.kind = EVENT_EXEC,
			   .source = UINT16_MAX,
			   .line = 1,
			   .count = 2,
			   .proc = {.pid = 9},
			   .args = {args, sizeof(args)}};
	assert_true(out_event_json(&e, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"line\":1,\"kind\":\"exec\",\"count\":2,"
				 "\"command\":\"ssh -p 2222 host\",\"pid\":9}");
}

static void json_text_survives_or_is_replaced(void **state)
{
	static const struct {
		const char *in, *out; /* UTF-8 as another reader sees it */
	} rows[] = {
		{"plain \"q\" \\ /", "plain \"q\" \\ /"},
		{"tab\tnl\ncr\resc\033[31m", "tab\tnl\ncr\resc\033[31m"},
		{"J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x90\x9a",
		 "J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x90\x9a"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},		  /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x80\xae"
		 "gnp",
		 "\xe2\x80\xae"
		 "gnp"},				  /* RLO: as \u202e */
		{"\xf3\xa0\x81\x81", "\xf3\xa0\x81\x81"}, /* tag: as a surrogate pair */
	};
	struct alert a = small_alert();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *j;

		span_copy(a.sentence, sizeof(a.sentence), span_of(rows[i].in));
		j = alert_json(&a, &keep);
		assert_string_equal(str(j, "sentence"), rows[i].out);
		json_decref(j);
	}
}

static void nothing_hidden_reaches_a_reader(void **state)
{
	static const char *const hidden[] = {"\x7f",	     "\xc2\x9b",     "\xe2\x80\xa8",
					     "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf",
					     "\xe2\x80\x8b", "\x1b"};
	char buf[OUT_ALERT_MAX], text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		struct alert a = small_alert();

		span_copy(a.sentence, sizeof(a.sentence), span_of(hidden[i]));
		assert_true(out_alert_json(&a, &keep, buf, sizeof(buf)) > 0);
		assert_null(strstr(buf, hidden[i]));
		assert_true(out_alert_line(&a, &keep, false, buf, sizeof(buf)) > 0);
		assert_null(strstr(buf, hidden[i]));
		assert_true(out_escape(span_of(hidden[i]), text, sizeof(text)) ==
			    (int)(4 * strlen(hidden[i])));
	}
	assert_int_equal(out_escape(SPAN_LIT("a\nb\0c\\d"), text, sizeof(text)), 13);
	assert_string_equal(text, "a\\x0ab\\x00c\\d");
}

static void small_buffers_are_refused_and_terminated(void **state)
{
	struct alert a = small_alert();
	struct session *s = big_session('x');
	struct event e = {.kind = EVENT_TICK};
	char buf[600];

	(void)state;
	for (size_t cap = 1; cap < sizeof(buf); cap++) {
		memset(buf, 'Z', sizeof(buf));
		assert_int_equal(out_alert_json(&a, &keep, buf, cap), -ENOSPC);
		assert_string_equal(buf, "");
		assert_int_equal(buf[cap], 'Z');
		assert_int_equal(out_session_json(s, &keep, buf, cap), -ENOSPC);
		assert_string_equal(buf, "");
		assert_int_equal(out_alert_explain(&a, s, NULL, &keep, buf, cap), -ENOSPC);
		assert_true(strlen(buf) < cap);
		assert_int_equal(buf[cap], 'Z');
	}
	assert_int_equal(out_event_json(&e, buf, 5), -ENOSPC);
	assert_int_equal(out_event_json(&e, buf, 0), -ENOSPC);
	assert_int_equal(out_escape(SPAN_LIT("abc"), buf, 3), -ENOSPC);
	assert_int_equal(out_escape(SPAN_LIT("abc"), buf, 4), 3);
}

static void session_tells_its_story(void **state)
{
	struct session s = {.id = "s1",
			    .state = SESSION_LINGERING,
			    .service = SERVICE_SSH,
			    .origin = {v4, 40022, 0},
			    .account = "alice",
			    .method = METHOD_PUBLICKEY,
			    .open_ns = T0,
			    .failures_before = 3,
			    .commands_total = 9,
			    .commands_kept = 1,
			    .dests_total = 1,
			    .dests_kept = 1};
	char buf[OUT_SESSION_MAX];
	json_t *j, *stages, *d;

	(void)state;
	span_copy(s.commands[0].text, COMMAND_MAX, SPAN_LIT("mysql -pgeheim"));
	s.dests[0] = (struct session_dest){.dest = {v6, 22, 0},
					   .source = v6,
					   .source_ports = {50001, 50002},
					   .service = SERVICE_SSH,
					   .count = 1};
	j = read_json(buf, out_session_json(&s, &hide, buf, sizeof(buf)));
	assert_string_equal(str(j, "state"), "lingering");
	assert_string_equal(str(j, "bytes"), "unknown");
	assert_null(json_object_get(j, "bytes_in"));
	assert_null(json_object_get(j, "close"));
	stages = json_object_get(j, "stages");
	assert_int_equal(json_array_size(stages), 3);
	assert_string_equal(json_string_value(json_array_get(stages, 0)), "attempts");
	assert_string_equal(json_string_value(json_array_get(stages, 1)), "access");
	assert_string_equal(json_string_value(json_array_get(stages, 2)), "activity");
	assert_string_equal(str(json_array_get(json_object_get(j, "commands"), 0), "text"),
			    "mysql -p***");
	d = json_array_get(json_object_get(j, "destinations"), 0);
	assert_string_equal(str(d, "address"), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_string_equal(str(d, "service"), "ssh");
	assert_string_equal(str(d, "source_address"), str(d, "address"));
	assert_int_equal(json_array_size(json_object_get(d, "source_ports")), 1);
	assert_null(json_object_get(j, "connected"));
	json_decref(j);
	s.dests[0].count = 3;
	s.conn_open_ns = 1795329059123000000;
	s.bytes_known = true;
	j = read_json(buf, out_session_json(&s, &hide, buf, sizeof(buf)));
	assert_true(json_is_integer(json_object_get(j, "bytes_in")));
	assert_null(json_object_get(j, "bytes"));
	assert_string_equal(str(j, "connected"), "2026-11-22T06:30:59.123Z");
	d = json_object_get(json_array_get(json_object_get(j, "destinations"), 0), "source_ports");
	assert_int_equal(json_array_size(d), 2);
	assert_int_equal(json_integer_value(json_array_get(d, 1)), 50002);
	json_decref(j);
}

static void lines_are_coloured_only_when_asked(void **state)
{
	struct alert a = small_alert();
	char plain[2048], coloured[2048];

	(void)state;
	assert_true(out_alert_line(&a, &keep, false, plain, sizeof(plain)) > 0);
	assert_true(out_alert_line(&a, &keep, true, coloured, sizeof(coloured)) > 0);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(coloured, "\033[31mHIGH"));
	assert_non_null(strstr(plain, "HIGH"));
	assert_non_null(strstr(plain, a.sentence));
}

static void explain_holds_advice_and_evidence(void **state)
{
	struct alert a = small_alert();
	char buf[OUT_ALERT_MAX];

	(void)state;
	assert_true(out_alert_explain(&a, NULL, NULL, &keep, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, a.sentence));
	assert_non_null(strstr(buf, a.numbers));
	assert_non_null(strstr(buf, a.detection->triage));
	assert_non_null(strstr(buf, a.detection->contain));
	assert_non_null(strstr(buf, "line 12: failed"));
	assert_null(strstr(buf, "The session"));
	assert_true(out_alert_explain(&a, big_session('x'), NULL, &keep, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "The session"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_rfc3339),
		cmocka_unit_test(alert_has_every_field),
		cmocka_unit_test(host_and_boot_are_put_when_known),
		cmocka_unit_test(bounds_hold_for_every_byte),
		cmocka_unit_test(events_are_bounded),
		cmocka_unit_test(event_is_the_documented_object),
		cmocka_unit_test(json_text_survives_or_is_replaced),
		cmocka_unit_test(nothing_hidden_reaches_a_reader),
		cmocka_unit_test(small_buffers_are_refused_and_terminated),
		cmocka_unit_test(session_tells_its_story),
		cmocka_unit_test(lines_are_coloured_only_when_asked),
		cmocka_unit_test(explain_holds_advice_and_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
