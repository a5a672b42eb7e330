/*
 * pseudonyms: nothing of who leaves by a sink that may not know, whatever the texts hold; what is
 * the same stays the same, so that a collector can join.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "agent-linux/sink_journald.c"
#include "common/out/pseudonym.h"

static const struct out_policy blind = {.pseudonymise = true,
					.privacy_key = 7,
					.keep_unknown_accounts = true,
					.command_lines = COMMANDS_FULL};
static char sent[4 * OUT_ALERT_MAX];

int sd_journal_sendv(const struct iovec *v, int n)
{
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		memcpy(sent + at, v[i].iov_base, v[i].iov_len);
		at += v[i].iov_len;
		sent[at++] = '\n';
	}
	sent[at] = '\0';
	return 0;
}

/* What must not be found again, each in every place where it could stand. */
static const char *const secrets[] = {"mallory",      "rooty",	      "SHA256:kkk", "laptop-of-m",
				      "203.0.113.77", "2001:db8::77", "10.9.8.7",   "bobby",
				      "/home/",	      "5e55aaaa",     "Delft",	    "Example Org"};

static void put_all(char *field, size_t cap)
{
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		n += (size_t)snprintf(field + n, n < cap ? cap - n : 0, "%s ", secrets[i]);
}

static struct alert telling(unsigned detection)
{
	struct alert a = {
		.id = "0123456789abcdef0123456789abcdef",
		.detection = detections[detection],
		.revision = 1,
		.severity = SEVERITY_HIGH,
		.first_ns = 1795329060123000000ull,
		.last_ns = 1795329060123000000ull,
		.count = 7,
		.session = "5e55aaaa00000000000000000000aaaa",
		.service = SERVICE_SSH,
		.origin = {{ADDR_V4, {0}, {203, 0, 113, 77}}, 4022, 0},
		.local = {{ADDR_V4, {0}, {10, 9, 8, 7}}, 22, 0},
		.scope = SCOPE_RESERVED,
		.geo = {.country = "NL", .asn = 64500, .city = "Delft", .as_org = "Example Org"},
		.account = "mallory",
		.effective_account = "rooty",
		.method = METHOD_CERTIFICATE,
		.key = "ED25519-CERT SHA256:kkk ID laptop-of-m (serial 7)",
		.client = "laptop-of-m",
		.stage = "access",
		.numbers = "7 failures > 5 in 15m",
		.evidence_count = ALERT_EVIDENCE};

	put_all(a.sentence, sizeof(a.sentence));
	put_all(a.note, sizeof(a.note));
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		a.evidence[i].kind = EVENT_EXEC;
		a.evidence[i].time_ns = a.first_ns + i;
		put_all(a.evidence[i].text, sizeof(a.evidence[i].text));
	}
	return a;
}

static void nobody_is_named(const char *text)
{
	for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strstr(text, secrets[i]))
			fail_msg("%s is told: %.3000s", secrets[i], text);
}

static void nothing_of_who_is_sent(void **state)
{
	char json[OUT_ALERT_MAX];

	(void)state;
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		struct alert a = telling(i);

		assert_true(out_alert_json(&a, &blind, json, sizeof(json)) > 0);
		nobody_is_named(json);
		assert_non_null(strstr(json, "\"account\":\"user:"));
		assert_non_null(strstr(json, "\"address\":\"100::"));
		assert_non_null(strstr(json, "\"country\":\"NL\",\"asn\":64500"));
		assert_non_null(strstr(json, "7 failures > 5 in 15m"));
		assert_int_equal(sink_journald_send(&a, &blind), 0);
		nobody_is_named(sent);
		a.origin.addr = (struct addr){
			ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77}};
		a.account_unknown = true;
		assert_int_equal(sink_journald_send(&a, &blind), 0);
		nobody_is_named(sent);
	}
}

/* Without the word the same alert tells all of it: the test above can fail. */
static void who_may_know_is_told(void **state)
{
	static const struct out_policy all = {.keep_unknown_accounts = true,
					      .command_lines = COMMANDS_FULL};
	struct alert a = telling(0);

	(void)state;
	assert_int_equal(sink_journald_send(&a, &all), 0);
	for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcmp(secrets[i], "Delft") != 0 && !strstr(sent, secrets[i]))
			fail_msg("%s is not told", secrets[i]);
}

static void the_same_is_the_same(void **state)
{
	struct alert a = telling(0), b = telling(1), c = telling(2);

	(void)state;
	memcpy(c.account, c.effective_account, sizeof(c.account));
	c.origin.addr.bytes[3]++;
	a.via = a.origin;
	pseudonym_alert(&a, 7);
	pseudonym_alert(&b, 7);
	pseudonym_alert(&c, 7);
	assert_string_equal(a.account, b.account);
	assert_string_equal(a.key, b.key);
	assert_string_equal(a.session, b.session);
	assert_int_equal(strlen(a.session), 32);
	assert_true(addr_eq(&a.origin.addr, &b.origin.addr));
	assert_string_equal(c.account, a.effective_account);
	assert_string_not_equal(c.account, a.account);
	assert_false(addr_eq(&a.origin.addr, &c.origin.addr));
	assert_true(
		addr_eq(&a.via.addr, &a.origin.addr)); /* it was the same, and is hidden alike */
	assert_int_equal(a.origin.port, 4022);
	b = telling(1);
	pseudonym_alert(&b, 8); /* another host */
	assert_string_not_equal(a.account, b.account);
	assert_false(addr_eq(&a.origin.addr, &b.origin.addr));
	assert_string_not_equal(a.session, b.session);
}

static void absent_stays_absent(void **state)
{
	struct alert a = {.detection = &detection_sensor_loss, .numbers = "3 records"};

	(void)state;
	pseudonym_alert(&a, 7);
	assert_string_equal(a.account, "");
	assert_string_equal(a.session, "");
	assert_int_equal(a.origin.addr.family, ADDR_NONE);
	assert_string_equal(a.sentence,
			    "Records were lost: 3 records. Names and addresses are pseudonyms; the "
			    "host's own store has the story.");
}

static void numbers_that_name_somebody_go(void **state)
{
	static const char *const rows[] = {"mallory 3 times",	 "3 of rooty",	 "from 203.0.113.1",
					   "3 on 2001:db8::9 x", "user 'bobby'", "via laptop-of-m"};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = telling(0);

		span_copy(a.numbers, sizeof(a.numbers), span_of(rows[i]));
		pseudonym_alert(&a, 7);
		assert_string_equal(a.numbers, "");
		assert_null(strstr(a.sentence, rows[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_who_is_sent),
		cmocka_unit_test(who_may_know_is_told),
		cmocka_unit_test(the_same_is_the_same),
		cmocka_unit_test(absent_stays_absent),
		cmocka_unit_test(numbers_that_name_somebody_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
