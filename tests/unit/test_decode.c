/* decode: names, the registry, frames from the journal's API, and what streams keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/decode/decode.h"

static void names_go_both_ways(void **state)
{
	enum service s;
	enum severity v;

	(void)state;
	assert_string_equal(service_name(SERVICE_KUBE_DASHBOARD), "kube-dashboard");
	assert_string_equal(event_name(EVENT_AUTH_NOTE), "auth_note");
	assert_string_equal(outcome_name(OUTCOME_REFUSED), "refused");
	assert_string_equal(severity_name((enum severity)77), "");
	assert_true(service_from_name(SPAN_LIT("rdgateway"), &s));
	assert_int_equal(s, SERVICE_RDGATEWAY);
	assert_false(service_from_name(SPAN_LIT(""), &s));
	assert_false(service_from_name(SPAN_LIT("SSH"), &s));
	assert_true(severity_from_name(SPAN_LIT("critical"), &v));
	assert_int_equal(v, SEVERITY_CRITICAL);
	for (int i = 1; i < SERVICE_COUNT; i++) {
		assert_true(service_from_name(span_of(service_name((enum service)i)), &s));
		assert_int_equal(s, i);
	}
}

static void sshd_words_for_methods(void **state)
{
	(void)state;
	assert_int_equal(method_from_name(SPAN_LIT("keyboard-interactive/pam")),
			 METHOD_KEYBOARD_INTERACTIVE);
	assert_int_equal(method_from_name(SPAN_LIT("gssapi-keyex")), METHOD_GSSAPI);
	assert_int_equal(method_from_name(SPAN_LIT("none")), METHOD_NO_AUTH);
	assert_int_equal(method_from_name(SPAN_LIT("")), METHOD_OTHER);
	assert_int_equal(method_from_name(SPAN_LIT("gibberish")), METHOD_OTHER);
}

static void registry_is_whole(void **state)
{
	(void)state;
	for (int i = 0; i < DECODER_COUNT; i++) {
		assert_non_null(decoders[i]->name);
		assert_non_null(decoders[i]->about);
		assert_non_null(decoders[i]->example);
		assert_int_equal(decoder_find(span_of(decoders[i]->name)), i);
	}
	assert_int_equal(decoder_find(SPAN_LIT("nonsense")), -1);
	assert_int_equal(decoder_find(SPAN_LIT("")), -1);
}

/* Every source's own example is taken by that source. */
static void examples_decode(void **state)
{
	(void)state;
	for (int i = 0; i < DECODER_COUNT; i++) {
		struct decode_stream d = {.forced_source = -1};
		const char *reason = "";
		struct event e;

		if (!decoders[i]->wants)
			continue;
		assert_int_equal(decode_line(&d, span_of(decoders[i]->example), &e, &reason),
				 DECODE_EVENT);
		assert_int_equal(e.source, i);
	}
}

struct writer_case {
	const char *ident, *exe;
	uint32_t uid;
	enum trust trust;
};

static void who_wrote_a_frame(void **state)
{
	static const struct writer_case cases[] = {
		{"sshd", "/usr/sbin/sshd", 0, TRUST_TRANSPORT},
		{"sshd-session", "/usr/libexec/sshd-session", 0, TRUST_TRANSPORT},
		{"sshd-auth", "sshd-auth", 0, TRUST_TRANSPORT},
		{"sshd", "/usr/sbin/sshd (deleted)", 0, TRUST_TRANSPORT},
		{"sshd", "/usr/bin/logger", 0, TRUST_FORGED},
		{"sshd", "/usr/bin/logger", 1000, TRUST_FORGED},
		{"sshd", "logger", 1000, TRUST_FORGED},
		{"sshd", "/tmp/sshd", 1000, TRUST_FORGED},
		{"sshd", "/home/a/usr/sbin/sshd", 1000, TRUST_FORGED},
		{"sshd", "/usr/sbin/sshd", 1000, TRUST_TEXT},
		{"sshd", "", 1000, TRUST_FORGED}, /* a verdict is root's to tell */
		{"sshd", "", 0, TRUST_TEXT},
		{"sshd", "/usr/sbin/xsshd", 0, TRUST_FORGED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decode_stream d = {.forced_source = -1};
		struct frame f = {
			.time_ns = 5,
			.ident = span_of(cases[i].ident),
			.exe = span_of(cases[i].exe),
			.uid = cases[i].uid,
			.pid = 9,
			.message = SPAN_LIT("Accepted password for a from 192.0.2.1 port 7 ssh2"),
		};
		const char *reason = "";
		struct event e;

		assert_int_equal(decode_frame(&d, &f, &e, &reason), DECODE_EVENT);
		assert_int_equal(e.trust, cases[i].trust);
		assert_int_equal(e.source, DECODER_sshd_journal);
		assert_int_equal(e.proc.pid, 9);
		assert_int_equal(e.line, 1);
		assert_true(e.time_ns == 5);
	}
}

/* The user's own sshd child tells of the end, and is often gone before journald looks. */
static void a_user_child_says_goodbye(void **state)
{
	struct decode_stream d = {.forced_source = -1};
	struct frame f = {
		.time_ns = 5,
		.ident = SPAN_LIT("sshd"),
		.uid = 1000,
		.pid = 9,
		.message = SPAN_LIT("Disconnected from user a 192.0.2.1 port 7"),
	};
	const char *reason = "";
	struct event e;

	(void)state;
	assert_int_equal(decode_frame(&d, &f, &e, &reason), DECODE_EVENT);
	assert_int_equal(e.trust, TRUST_TEXT);
}

static void forced_source(void **state)
{
	const struct span text =
		SPAN_LIT("Dec 10 06:55:46 h sshd[1]: Failed password for a from 192.0.2.1 port 1");
	struct decode_stream d = {.forced_source = DECODER_pam};
	const char *reason = NULL;
	struct event e;

	(void)state;
	assert_int_equal(decode_line(&d, text, &e, &reason), DECODE_SKIPPED);
	assert_non_null(reason);
	d.forced_source = DECODER_sshd_journal;
	assert_int_equal(decode_line(&d, text, &e, &reason), DECODE_SKIPPED);
	d.forced_source = DECODER_wire;
	assert_int_equal(decode_line(&d, text, &e, &reason), DECODE_SKIPPED);
	d.forced_source = DECODER_sshd;
	assert_int_equal(decode_line(&d, text, &e, &reason), DECODE_EVENT);
	assert_int_equal(e.line, 4);
}

/* A line without a time has the time of the line before it. */
static void lines_without_a_time(void **state)
{
	struct decode_stream d = {.forced_source = -1};
	const char *reason;
	struct event e;
	uint64_t before;

	(void)state;
	assert_int_equal(decode_line(&d,
				     SPAN_LIT("2023-11-14T00:20:42Z h sshd[1]: Failed password for "
					      "a from 192.0.2.1 port 1 ssh2"),
				     &e, &reason),
			 DECODE_EVENT);
	assert_false(e.flags & EVENT_TIME_APPROXIMATE);
	before = e.time_ns;
	assert_int_equal(decode_line(&d,
				     SPAN_LIT("Failed password for a from 192.0.2.1 port 1 ssh2"),
				     &e, &reason),
			 DECODE_EVENT);
	assert_true(e.time_ns == before);
	assert_true(e.flags & EVENT_TIME_APPROXIMATE);
}

static void long_lines_are_cut(void **state)
{
	static char line[DECODE_LINE_MAX + 100];
	struct decode_stream d = {.forced_source = -1};
	const char *reason;
	struct event e;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "sshd[1]: input_userauth_request: invalid user ", 46);
	assert_int_equal(decode_line(&d, (struct span){line, sizeof(line)}, &e, &reason),
			 DECODE_EVENT);
	assert_true(e.flags & EVENT_TRUNCATED);
	assert_int_equal(e.account.len, DECODE_LINE_MAX - 46);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways), cmocka_unit_test(sshd_words_for_methods),
		cmocka_unit_test(registry_is_whole),  cmocka_unit_test(examples_decode),
		cmocka_unit_test(who_wrote_a_frame),  cmocka_unit_test(a_user_child_says_goodbye),
		cmocka_unit_test(forced_source),      cmocka_unit_test(lines_without_a_time),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
