/* Lists of records in one line: each is a record of its own; a long one in parts; what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/decode/decode.h"
#include "common/decode/wrapped.h"

#define TRAIL                                                                                      \
	"{\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"eventTime\":"  \
	"\"2026-11-10T16:24:34Z\",\"sourceIPAddress\":\"203.0.113.9\",\"responseElements\":{"      \
	"\"ConsoleLogin\":\"Failure\"},\"userIdentity\":{\"userName\":\"]},{\\\"\"}}"
#define OTHER "{\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"RunInstances\"}"
#define ENTRA                                                                                      \
	"{\"time\":\"2026-03-30T14:52:21.7Z\",\"category\":\"SignInLogs\",\"resultType\":\"0\","   \
	"\"callerIpAddress\":\"203.0.113.9\",\"properties\":{\"userPrincipalName\":\"a@b\","       \
	"\"appDisplayName\":\"x\"}}"

static struct decode_stream *stream(void)
{
	struct decode_stream *d = test_calloc(1, sizeof(*d));

	d->forced_source = -1;
	return d;
}

static void read_all(struct decode_stream *d, struct span line, unsigned got[3])
{
	const char *reason = NULL;
	enum decode_result r;
	struct event e;

	r = decode_line(d, line, &e, &reason);
	do {
		got[r]++;
		if (r == DECODE_EVENT)
			assert_int_equal(e.origin.addr.bytes[3], 9);
		else
			assert_true(reason && reason[0]);
	} while (decode_next(d, &e, &r, &reason));
}

static void each_record(void **state)
{
	static const struct {
		const char *text;
		unsigned events, skipped, bad;
	} rows[] = {
		{"{\"Records\":[" TRAIL "," OTHER "," TRAIL "]}", 2, 1, 0},
		{" { \"Records\" : [ " TRAIL " , " TRAIL " ] } ", 2, 0, 0},
		{"{\"records\":[" ENTRA "]}", 1, 0, 0},
		{"{\"@odata.context\":\"x\",\"n\":1,\"value\":[" ENTRA "," TRAIL "]}", 2, 0, 0},
		{"[" TRAIL "," ENTRA "]", 2, 0, 0},
		{"{\"Records\":[]}", 0, 1, 0},
		{"[]", 0, 1, 0},
		{"{\"Records\":[" TRAIL ",7," TRAIL "]}", 1, 0, 1},
		{"{\"Records\":[" TRAIL ",{\"a\":", 1, 0, 1},
		{"{\"Records\":[" TRAIL ",", 1, 0, 0},
		{"{\"Records\":[{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\","
		 "\"items\":[{},{}]}," TRAIL "]}",
		 1, 0, 1},
		/* no lists */
		{"{\"a\":{},\"Records\":[" TRAIL "]}", 0, 1, 0},
		{"{\"recordz\":[" TRAIL "]}", 0, 1, 0},
		{"[24421] x", 0, 1, 0},
		{"," TRAIL, 0, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decode_stream *d = stream();
		unsigned got[3] = {0};

		read_all(d, span_of(rows[i].text), got);
		assert_int_equal(d->line, 1);
		if (got[DECODE_EVENT] != rows[i].events || got[DECODE_SKIPPED] != rows[i].skipped ||
		    got[DECODE_BAD] != rows[i].bad)
			fail_msg("row %zu: %u %u %u", i, got[DECODE_EVENT], got[DECODE_SKIPPED],
				 got[DECODE_BAD]);
		test_free(d);
	}
}

/* Whatever the size of the reader's buffer, every record comes once. */
static void in_parts(void **state)
{
	static char text[40000];
	size_t n = (size_t)snprintf(text, sizeof(text), "{\"Records\":[");

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " , " : "",
				      i % 2 ? TRAIL : ENTRA);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
	for (size_t size = 400; size < 3000; size += 7) {
		struct decode_stream *d = stream();
		unsigned got[3] = {0};
		bool list = false;
		size_t at = 0;

		while (n - at > size) {
			size_t len = wrapped_whole((struct span){text + at, size}, list);

			assert_in_range(len, 1, size);
			read_all(d, (struct span){text + at, len}, got);
			list = true;
			at += len;
		}
		read_all(d, (struct span){text + at, n - at}, got);
		assert_int_equal(got[DECODE_EVENT], 40);
		assert_int_equal(got[DECODE_BAD], 0);
		assert_int_equal(d->line, 1);
		test_free(d);
	}
	assert_int_equal(wrapped_whole(SPAN_LIT(TRAIL), false), 0);
	assert_int_equal(wrapped_whole(SPAN_LIT("{\"Records\":[{\"a\":1"), false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record),
		cmocka_unit_test(in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
