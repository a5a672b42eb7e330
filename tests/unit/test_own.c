/*
 * Decoders: a product that nobody foresaw, described by its operator. What a description cannot be
 * is refused by line and reason; what an intruder writes into a line moves no field; a pattern with
 * too many ways to match gives up.
 */
#include <stdlib.h>
#include <string.h>

#include "core_world.h"

#include "common/config.h"
#include "common/decode/own.h"

#define ROW(rest)	    "Decoders:\n- {name: a, program: acmed, service: vpn, lines: [" rest "]}"
#define LINE(pattern, more) "{pattern: '" pattern "', " more "}"

static const struct {
	const char *text, *err;
} bad[] = {
	{"Decoders: [{name: a}]", "t:1: Decoders.service is missing"},
	{"Decoders: [{name: sshd, service: ssh, lines: []}]",
	 "t:1: Decoders.name: 'sshd' is not a name of your own: `outergate sources` has it"},
	{"Decoders: [{name: A b}]", "t:1: Decoders.name: 'A b' is not a name of a-z, 0-9, - and _"},
	{"Decoders:\n- {name: a, program: p, service: vpn, lines: []}",
	 "t:2: Decoders: a: it has no lines"},
	{"Decoders:\n- {name: a, service: vpn, lines: [" LINE(
		 "(?<origin>.*)", "outcome: failure, example: 203.0.113.9") "]}",
	 "t:2: Decoders: a: say with program or contains which lines are its"},
	{ROW(LINE("(?<origin>.*)", "example: 203.0.113.9")),
	 "t:2: Decoders.lines: an attempt needs outcome: success, failure or refused"},
	{ROW(LINE("(?<origin>.*)", "event: session_close, outcome: failure, example: 203.0.113.9")),
	 "t:2: Decoders.lines: outcome is for attempts"},
	{ROW(LINE("(?<origin>.*)", "outcome: failure, method: magic, example: 203.0.113.9")),
	 "t:2: Decoders.lines.method: 'magic' is not password, publickey, keyboard-interactive, "
	 "hostbased, gssapi-with-mic, certificate, none or other"},
	{ROW(LINE("(?<origin>.*)", "outcome: failure")), "t:2: Decoders.lines.example is missing"},
	{ROW(LINE("((?<origin>.*)", "outcome: failure, example: 203.0.113.9")),
	 "t:2: Decoders: a: pattern 1: byte 15 of the pattern: missing closing parenthesis"},
	{ROW(LINE("(*UTF)(?<origin>.*)", "outcome: failure, example: 203.0.113.9")),
	 "t:2: Decoders: a: pattern 1: byte 7 of the pattern: using UTF is disabled by the "
	 "application"},
	{ROW(LINE("(?<address>.*)", "outcome: failure, example: 203.0.113.9")),
	 "t:2: Decoders: a: pattern 1: (?<address>...) is none of account, origin, port, inner, "
	 "group, client, reason, session, host, time, method"},
	{ROW(LINE("(?<account>.*)", "outcome: failure, example: alice")),
	 "t:2: Decoders: a: pattern 1: a pattern needs (?<origin>...), the address of who came"},
	{ROW(LINE("(?<account>.*)", "event: session_close, example: alice")),
	 "t:2: Decoders: a: pattern 1: an end needs (?<origin>...), (?<session>...) or "
	 "(?<inner>...)"},
	{ROW(LINE("(?<origin>.*)", "outcome: failure, example: nobody")),
	 "t:2: Decoders: a: pattern 1: the example is not taken: a pattern of Decoders took it, "
	 "but its origin is no address"},
	{ROW(LINE("from (?<origin>.*)", "outcome: failure, example: to 203.0.113.9")),
	 "t:2: Decoders: a: pattern 1: the example is not taken: none of its source's patterns in "
	 "Decoders is the whole line"},
};

static const char text[] =
	"Decoders:\n"
	"- name: acme-vpn\n"
	"  program: acmed\n"
	"  service: vpn\n"
	"  lines:\n"
	"  - pattern: 'in user=(?<account>.*) ip=(?<origin>\\S+) got (?<inner>\\S+) id "
	"(?<session>\\w+)'\n"
	"    event: session_open\n"
	"    example: 'in user=alice ip=203.0.113.9 got 10.8.0.2 id 77'\n"
	"  - pattern: 'no user=(?<account>.*) ip=(?<origin>\\S+) (?<reason>.*)'\n"
	"    outcome: failure\n"
	"    example: '2026-11-30T10:00:00Z gw acmed[3]: no user=bob ip=203.0.113.9:4711 expired'\n"
	"  - pattern: 'out id (?<session>\\w+)'\n"
	"    event: session_close\n"
	"    example: 'acmed: out id 77'\n"
	"- name: portal\n"
	"  contains: '\"portal\"'\n"
	"  service: web-remote\n"
	"  lines:\n"
	"  - pattern: "
	"'\\{\"at\":(?<time>\\d+),\"app\":\"portal\",\"user\":\"(?<account>[^\"]*)\",\"ip\":\"(?<"
	"origin>[^\"]+)\"\\}'\n"
	"    outcome: success\n"
	"    method: certificate\n"
	"    example: "
	"'{\"at\":1732961234,\"app\":\"portal\",\"user\":\"al\",\"ip\":\"203.0.113.7\"}'\n"
	"- name: slow\n"
	"  contains: 'slow '\n"
	"  service: ftp\n"
	"  lines:\n"
	"  - pattern: 'slow (?<origin>\\S+) (a+)+b'\n"
	"    outcome: refused\n"
	"    example: 'slow 203.0.113.9 aab'\n"
	"- name: first\n"
	"  contains: 'both '\n"
	"  service: vpn\n"
	"  lines:\n"
	"  - pattern: 'both (?<account>\\w+) (?<origin>\\S+) (?<client>.*)'\n"
	"    event: session_open\n"
	"    example: 'both alice 203.0.113.9 x'\n"
	"- name: second\n"
	"  contains: 'both '\n"
	"  service: ftp\n"
	"  lines:\n"
	"  - pattern: 'both \\w+ gw (?<origin>.*)'\n"
	"    outcome: failure\n"
	"    example: 'both alice gw 203.0.113.9'\n"
	"Receivers:\n"
	"- {listen: \"udp://:5514\", source: acme-vpn}\n";

struct own_world {
	struct config config;
	struct decode_stream stream;
	struct own *own;
	struct event e;
	const char *reason;
};

static int begin(void **state)
{
	struct own_world *w = calloc(1, sizeof(*w));
	char err[CONFIG_ERROR_MAX];

	assert_non_null(w);
	if (config_parse(text, sizeof(text) - 1, "t", &w->config, err))
		fail_msg("%s", err);
	assert_true(!config_own_new(&w->config, &w->own) && w->own);
	w->stream.forced_source = -1;
	w->stream.own = w->own;
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct own_world *w = *state;

	own_free(w->own);
	free(w);
	return 0;
}

static enum decode_result line(struct own_world *w, const char *s)
{
	return decode_line(&w->stream, span_of(s), &w->e, &w->reason);
}

static bool from(const struct own_world *w, const char *address)
{
	char shown[ADDR_TEXT_MAX];

	return !strcmp(addr_format(&w->e.origin.addr, shown), address);
}

static void what_it_cannot_be(void **state)
{
	struct config *c = calloc(1, sizeof(*c));
	char err[CONFIG_ERROR_MAX];

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_int_not_equal(config_parse(bad[i].text, strlen(bad[i].text), "t", c, err),
				     0);
		assert_string_equal(err, bad[i].err);
	}
	free(c);
}

static void a_session(void **state)
{
	struct own_world *w = *state;
	char shown[ADDR_TEXT_MAX];
	uint64_t session;

	assert_int_equal(line(w, "2026-11-30T10:00:00Z gw1 acmed[3]: in user=CORP\\alice "
				 "ip=203.0.113.9 got 10.8.0.2 id 77"),
			 DECODE_EVENT);
	assert_int_equal(w->e.kind, EVENT_SESSION_OPEN);
	assert_int_equal(w->e.service, SERVICE_VPN);
	assert_int_equal(w->e.outcome, OUTCOME_SUCCESS);
	assert_true(span_is(w->e.account, "alice"));
	assert_true(span_is(w->e.host, "gw1"));
	assert_true(span_is(decode_source_name(&w->e), "acme-vpn"));
	assert_true(from(w, "203.0.113.9"));
	assert_string_equal(addr_format(&w->e.gate.assigned, shown), "10.8.0.2");
	assert_true(w->e.gate.told);
	session = w->e.gate.session;
	assert_int_equal(line(w, "acmed[3]: out id 77"), DECODE_EVENT);
	assert_int_equal(w->e.kind, EVENT_SESSION_CLOSE);
	assert_true(w->e.gate.session == session && session);
	assert_int_equal(line(w, "acmed: no user=bob ip=203.0.113.9 expired"), DECODE_EVENT);
	assert_int_equal(w->e.outcome, OUTCOME_FAILURE);
	assert_int_equal(w->e.method, METHOD_PASSWORD);
	assert_true(span_is(w->e.gate.reason, "expired"));
}

/* A name cannot move what stands behind it, and a line that has more than the pattern is none. */
static void names_of_every_kind(void **state)
{
	struct own_world *w = *state;

	assert_int_equal(line(w, "acmed: in user=x ip=198.51.100.1 got 10.0.0.1 id 1 "
				 "ip=203.0.113.9 got 10.8.0.2 id 77"),
			 DECODE_EVENT);
	assert_true(from(w, "203.0.113.9"));
	assert_true(span_is(w->e.account, "x ip=198.51.100.1 got 10.0.0.1 id 1"));
	assert_int_equal(line(w, "acmed: in user=a\nb ip=203.0.113.9 got 10.8.0.2 id 7"),
			 DECODE_EVENT);
	assert_true(span_is(w->e.account, "a\nb"));
	assert_int_equal(line(w, "acmed: in user=a ip=203.0.113.9 got 10.8.0.2 id 7 and more"),
			 DECODE_SKIPPED);
	assert_string_equal(w->reason,
			    "none of its source's patterns in Decoders is the whole line");
	assert_int_equal(line(w, "other: in user=a ip=203.0.113.9 got 10.8.0.2 id 7"),
			 DECODE_SKIPPED);
	/* What others read stays theirs, whatever stands in it. */
	assert_int_equal(line(w, "sshd[1]: Failed password for invalid user acmed: in user=a "
				 "ip=198.51.100.1 got 10.8.0.2 id 7 from 203.0.113.9 port 5 ssh2"),
			 DECODE_EVENT);
	assert_true(span_is(decode_source_name(&w->e), "sshd"));
	assert_true(from(w, "203.0.113.9"));
}

static void json_as_text(void **state)
{
	struct own_world *w = *state;

	assert_int_equal(line(w, "{\"at\":1732961234,\"app\":\"portal\",\"user\":\"al\",\"ip\":"
				 "\"203.0.113.7\"}"),
			 DECODE_EVENT);
	assert_int_equal(w->e.time_ns, UINT64_C(1732961234000000000));
	assert_int_equal(w->e.method, METHOD_CERTIFICATE);
	assert_false(w->e.gate.told);
	assert_int_equal(line(w, "{\"app\":\"another\",\"user\":\"al\"}"), DECODE_SKIPPED);
	assert_string_equal(w->reason, "JSON of no known kind");
	assert_int_equal(line(w, "{\"app\":\"portal\",\"user\":"), DECODE_BAD);
}

/* Its cost has a bound: nobody outside makes a decoder slow by what he writes. */
static void too_many_ways(void **state)
{
	struct own_world *w = *state;
	char s[4096] = "slow 203.0.113.9 ";

	assert_int_equal(line(w, "slow 203.0.113.9 aaab"), DECODE_EVENT);
	assert_int_equal(w->e.outcome, OUTCOME_REFUSED);
	memset(s + strlen(s), 'a', 3000);
	strcat(s, "cb");
	assert_int_equal(line(w, s), DECODE_BAD);
	assert_string_equal(w->reason,
			    "a pattern of Decoders gave up on it: too many ways to match");
}

/* What one source took and could not use leaves nothing in the event of the next. */
static void the_next_source(void **state)
{
	struct own_world *w = *state;

	assert_int_equal(line(w, "both alice gw 203.0.113.9"), DECODE_EVENT);
	assert_true(span_is(decode_source_name(&w->e), "second"));
	assert_int_equal(w->e.kind, EVENT_ATTEMPT);
	assert_false(w->e.gate.told);
	assert_true(span_empty(w->e.account) && span_empty(w->e.client));
	assert_int_equal(w->e.flags & EVENT_ACCOUNT_EXISTS, 0);
}

static void only_one(void **state)
{
	struct own_world *w = *state;

	assert_true(decode_only(&w->stream, SPAN_LIT("portal")));
	assert_int_equal(line(w, "acmed: out id 77"), DECODE_SKIPPED);
	assert_int_equal(line(w, "sshd[1]: Failed password for a from 203.0.113.9 port 5 ssh2"),
			 DECODE_SKIPPED);
	assert_true(decode_only(&w->stream, SPAN_LIT("acme-vpn")));
	assert_int_equal(line(w, "acmed: out id 77"), DECODE_EVENT);
	assert_false(decode_only(&w->stream, SPAN_LIT("nonsense")));
	assert_true(decode_only(&w->stream, SPAN_LIT("sshd")));
	assert_int_equal(line(w, "acmed: out id 77"), DECODE_SKIPPED);
}

/* The journal says who wrote it: root or a unit of the system; a user who is logged in is none. */
static void who_wrote_it(void **state)
{
	static const struct {
		uint32_t uid;
		const char *unit;
		enum trust trust;
	} rows[] = {
		{0, "acmed.service", TRUST_TRANSPORT},	 {0, "session-4.scope", TRUST_TRANSPORT},
		{110, "acmed.service", TRUST_TEXT},	 {61184, "acmed.service", TRUST_TEXT},
		{1000, "session-4.scope", TRUST_FORGED}, {1000, "user@1000.service", TRUST_FORGED},
	};
	struct own_world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct frame f = {.uid = rows[i].uid,
					.unit = span_of(rows[i].unit),
					.exe = SPAN_LIT("/usr/bin/x"),
					.ident = SPAN_LIT("acmed"),
					.time_ns = 1,
					.message = SPAN_LIT("no user=bob ip=203.0.113.9 x")};

		assert_int_equal(decode_frame(&w->stream, &f, &w->e, &w->reason), DECODE_EVENT);
		assert_int_equal(w->e.trust, rows[i].trust);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_cannot_be),
		cmocka_unit_test_setup_teardown(a_session, begin, end),
		cmocka_unit_test_setup_teardown(names_of_every_kind, begin, end),
		cmocka_unit_test_setup_teardown(json_as_text, begin, end),
		cmocka_unit_test_setup_teardown(too_many_ways, begin, end),
		cmocka_unit_test_setup_teardown(the_next_source, begin, end),
		cmocka_unit_test_setup_teardown(only_one, begin, end),
		cmocka_unit_test_setup_teardown(who_wrote_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
