/*
 * The journal sink: which fields an entry has, and that nothing from outside can make another.
 * sd_journal_sendv() is ours here and keeps what it was given.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "agent-linux/sink_journald.c"
#include "common/out/test_alert.h"

static struct {
	unsigned count;
	char text[FIELDS_MAX][OUT_ALERT_MAX];
	int result;
} sent;

int sd_journal_sendv(const struct iovec *v, int n)
{
	sent.count = (unsigned)n;
	for (int i = 0; i < n; i++) {
		memcpy(sent.text[i], v[i].iov_base, v[i].iov_len);
		sent.text[i][v[i].iov_len] = '\0';
		assert_int_equal(strlen(sent.text[i]), v[i].iov_len);
	}
	return sent.result;
}

/* The value of a field that must be there once; NULL when it is not there. */
static const char *field(const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (unsigned i = 0; i < sent.count; i++) {
		if (strncmp(sent.text[i], name, n) != 0 || sent.text[i][n] != '=')
			continue;
		assert_null(found);
		found = sent.text[i] + n + 1;
	}
	return found;
}

static struct alert sample(void)
{
	return (struct alert){.id = "0123456789abcdef0123456789abcdef",
			      .detection = &detection_auth_bruteforce_success,
			      .revision = 3,
			      .state = ALERT_UPDATED,
			      .severity = SEVERITY_HIGH,
			      .first_ns = 1795329060123000000ull,
			      .count = 7,
			      .session = "5e55",
			      .service = SERVICE_SSH,
			      .origin = {{ADDR_V4, {0}, {203, 0, 113, 9}}, 4022, 0},
			      .scope = SCOPE_RESERVED,
			      .account = "root",
			      .method = METHOD_PASSWORD,
			      .key = "ED25519 SHA256:abc",
			      .sentence = "203.0.113.9 got in as 'root'"};
}

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL};

static void an_entry_has_every_field(void **state)
{
	static const char *const rows[][2] = {
		{"MESSAGE", "203.0.113.9 got in as 'root'"},
		{"PRIORITY", "3"},
		{"SYSLOG_IDENTIFIER", "outergate"},
		{"OUTERGATE_ID", "0123456789abcdef0123456789abcdef"},
		{"OUTERGATE_REVISION", "3"},
		{"OUTERGATE_STATE", "updated"},
		{"OUTERGATE_SEVERITY", "high"},
		{"OUTERGATE_SERVICE", "ssh"},
		{"OUTERGATE_ACCOUNT", "root"},
		{"OUTERGATE_ORIGIN", "203.0.113.9"},
		{"OUTERGATE_ORIGIN_PORT", "4022"},
		{"OUTERGATE_SESSION", "5e55"},
		{"OUTERGATE_METHOD", "password"},
		{"OUTERGATE_KEY", "ED25519 SHA256:abc"},
		{"OUTERGATE_COUNT", "7"},
	};
	struct alert a = sample();
	char id[OUT_MESSAGE_ID_MAX];
	json_t *j;

	(void)state;
	assert_int_equal(sink_journald_send(&a, &keep), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_non_null(field(rows[i][0]));
		assert_string_equal(field(rows[i][0]), rows[i][1]);
	}
	assert_string_equal(field("MESSAGE_ID"), out_message_id(a.detection->number, id));
	assert_string_equal(field("OUTERGATE_DETECTION"), a.detection->id);
	assert_string_equal(field("OUTERGATE_ATTACK"), a.detection->attack);
	assert_string_equal(field("OUTERGATE_ANALYTIC"), a.detection->analytic);
	j = json_loads(field("OUTERGATE_JSON"), JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(j, "id")), a.id);
	json_decref(j);
}

/* Every part of a test alert says that it is one; of any detection. */
static void a_test_says_that_it_is_one(void **state)
{
	struct alert a;
	json_t *j;

	(void)state;
	assert_int_equal(test_alert(&a, "no.such", "00", 1), -ENOENT);
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		assert_int_equal(test_alert(&a, detections[i]->id, "00ff", 1795329060123000000ull),
				 0);
		assert_int_equal(sink_journald_send(&a, &keep), 0);
		assert_string_equal(field("OUTERGATE_TEST"), "1");
		assert_string_equal(field("OUTERGATE_ID"), "00ff");
		assert_string_equal(field("OUTERGATE_STATE"), "closed");
		assert_string_equal(field("OUTERGATE_DETECTION"), detections[i]->id);
		assert_memory_equal(field("MESSAGE"), "TEST: ", 6);
		j = json_loads(field("OUTERGATE_JSON"), JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_is_true(json_object_get(j, "test")));
		json_decref(j);
	}
	a = sample();
	assert_int_equal(sink_journald_send(&a, &keep), 0);
	assert_null(field("OUTERGATE_TEST"));
	j = json_loads(field("OUTERGATE_JSON"), 0, NULL);
	assert_null(json_object_get(j, "test"));
	json_decref(j);
}

static void absent_values_are_no_fields(void **state)
{
	struct alert a = {.id = "1", .detection = &detection_sensor_loss, .sentence = "lost"};

	(void)state;
	assert_int_equal(sink_journald_send(&a, &keep), 0);
	assert_null(field("OUTERGATE_ACCOUNT"));
	assert_null(field("OUTERGATE_ORIGIN"));
	assert_null(field("OUTERGATE_ORIGIN_PORT"));
	assert_null(field("OUTERGATE_SERVICE"));
	assert_string_equal(field("PRIORITY"), "6");
}

static void nothing_can_forge_a_field(void **state)
{
	struct alert a = sample();

	(void)state;
	span_copy(a.account, sizeof(a.account), SPAN_LIT("x\nOUTERGATE_SEVERITY=info\n"));
	span_copy(a.sentence, sizeof(a.sentence), SPAN_LIT("a\nPRIORITY=7\nMESSAGE=b\033[2J"));
	span_copy(a.key, sizeof(a.key), SPAN_LIT("\x80\xff\x01"));
	assert_int_equal(sink_journald_send(&a, &keep), 0);
	assert_string_equal(field("OUTERGATE_SEVERITY"), "high");
	assert_string_equal(field("PRIORITY"), "3");
	assert_string_equal(field("OUTERGATE_ACCOUNT"), "x\\x0aOUTERGATE_SEVERITY=info\\x0a");
	assert_string_equal(field("OUTERGATE_KEY"), "\\x80\\xff\\x01");
	for (unsigned i = 0; i < sent.count; i++)
		for (const char *p = sent.text[i]; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void the_largest_alert_fits(void **state)
{
	struct alert a = sample();
	json_t *j;

	(void)state;
	memset(a.sentence, 1, sizeof(a.sentence) - 1);
	memset(a.numbers, 1, sizeof(a.numbers) - 1);
	memset(a.account, 1, sizeof(a.account) - 1);
	memset(a.effective_account, 1, sizeof(a.effective_account) - 1);
	memset(a.key, 1, sizeof(a.key) - 1);
	memset(a.client, 1, sizeof(a.client) - 1);
	memset(a.reason, 1, sizeof(a.reason) - 1);
	a.evidence_count = ALERT_EVIDENCE;
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++)
		memset(a.evidence[i].text, 1, sizeof(a.evidence[i].text) - 1);
	assert_int_equal(sink_journald_send(&a, &keep), 0);
	assert_int_equal(strlen(field("MESSAGE")), 4 * (ALERT_SENTENCE_MAX - 1));
	j = json_loads(field("OUTERGATE_JSON"), 0, NULL);
	assert_non_null(j);
	json_decref(j);
}

static void privacy_and_errors_pass(void **state)
{
	static const struct out_policy hide = {.privacy_key = 1};
	struct alert a = sample();

	(void)state;
	a.account_unknown = true;
	span_copy(a.account, sizeof(a.account), SPAN_LIT("hunter2"));
	span_copy(a.sentence, sizeof(a.sentence), SPAN_LIT("guessed 'hunter2'"));
	sent.result = -ENOENT;
	assert_int_equal(sink_journald_send(&a, &hide), -ENOENT);
	sent.result = 0;
	for (unsigned i = 0; i < sent.count; i++)
		assert_null(strstr(sent.text[i], "hunter2"));
}

static void priorities_follow_severity(void **state)
{
	(void)state;
	assert_int_equal(sink_journald_priority(SEVERITY_INFO), 6);
	assert_int_equal(sink_journald_priority(SEVERITY_LOW), 5);
	assert_int_equal(sink_journald_priority(SEVERITY_MEDIUM), 4);
	assert_int_equal(sink_journald_priority(SEVERITY_HIGH), 3);
	assert_int_equal(sink_journald_priority(SEVERITY_CRITICAL), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_every_field),
		cmocka_unit_test(a_test_says_that_it_is_one),
		cmocka_unit_test(absent_values_are_no_fields),
		cmocka_unit_test(nothing_can_forge_a_field),
		cmocka_unit_test(the_largest_alert_fits),
		cmocka_unit_test(privacy_and_errors_pass),
		cmocka_unit_test(priorities_follow_severity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
