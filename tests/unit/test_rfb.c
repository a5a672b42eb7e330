/* Unit tests of common/decode/rfb.c and of the streams that it reads from first_bytes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/decode/first_bytes.h"

#define V3	  "RFB 003.003\n"
#define V7	  "RFB 003.007\n"
#define V8	  "RFB 003.008\n"
#define CHALLENGE "0123456789abcdef"
#define SCREEN	  "\4\0\3\0........pixel pad.\0\0\0\4Xvnc"
#define OK	  "\0\0\0\0"
#define BAD	  "\0\0\0\1"
#define LIT(s)                                                                                     \
	(struct span)                                                                              \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

struct talk_case {
	struct span server, client;
	enum rfb_verdict wanted;
};

static const struct talk_case talks[] = {
	/* 3.8 */
	{LIT(V8 "\1\2" CHALLENGE OK), LIT(V8 "\2" CHALLENGE), RFB_PASSWORD},
	{LIT(V8 "\2\1\2" CHALLENGE BAD "\0\0\0\4oops"), LIT(V8 "\2" CHALLENGE), RFB_FAILED},
	{LIT(V8 "\2\2\1" OK SCREEN), LIT(V8 "\1\1"), RFB_WITHOUT_ANY},
	{LIT("RFB 003.889\n\1\1" OK SCREEN), LIT(V8 "\1\0"), RFB_WITHOUT_ANY},
	/* 3.7: no result of none */
	{LIT(V8 "\1\1" SCREEN), LIT(V7 "\1\1"), RFB_WITHOUT_ANY},
	{LIT(V7 "\1\2" CHALLENGE BAD), LIT(V7 "\2" CHALLENGE), RFB_FAILED},
	/* 3.3: the server decides */
	{LIT(V8 "\0\0\0\1" SCREEN), LIT(V3 "\1"), RFB_WITHOUT_ANY},
	{LIT(V3 "\0\0\0\2" CHALLENGE OK), LIT(V3 CHALLENGE), RFB_PASSWORD},
	{LIT(V3 "\0\0\0\2" CHALLENGE "\0\0\0\2"), LIT(V3 CHALLENGE), RFB_FAILED},
	{LIT(V8 "\0\0\0\0\0\0\0\3no."), LIT("RFB 003.005\n"), RFB_OVER},
	/* VeNCrypt */
	{LIT(V8 "\1\23"
		"\0\2"
		"\0\2"
		"\0\0\1\3"
		"\0\0\0\2" CHALLENGE OK),
	 LIT(V8 "\23"
		"\0\2"
		"\0\0\0\2" CHALLENGE),
	 RFB_PASSWORD},
	{LIT(V8 "\1\23"
		"\0\2"
		"\0\1"
		"\0\0\0\1" OK SCREEN),
	 LIT(V8 "\23"
		"\0\2"
		"\0\0\0\1"
		"\1"),
	 RFB_WITHOUT_ANY},
	{LIT(V8 "\1\23"
		"\0\2"
		"\0\1"
		"\0\0\1\1"),
	 LIT(V8 "\23"
		"\0\2"
		"\0\0\1\1"),
	 RFB_OVER},
	{LIT(V8 "\1\23"
		"\0\2"
		"\1"),
	 LIT(V8 "\23"
		"\0\1"),
	 RFB_OVER},
	/* looked and left; refused; not offered; newer than offered; another protocol */
	{LIT(V8 "\2\1\2"), LIT(V8), RFB_MORE},
	{LIT(V8 "\1\1" OK), LIT(V8 "\1"), RFB_MORE},
	{LIT(V8 "\1\1" BAD "\0\0\0\2no"), LIT(V8 "\1\1"), RFB_OVER},
	{LIT(V8 "\0\0\0\0\4busy"), LIT(V8), RFB_OVER},
	{LIT(V8 "\1\2"), LIT(V8 "\1"), RFB_OVER},
	{LIT(V8 "\1\22"), LIT(V8 "\22"), RFB_OVER},
	{LIT(V3 "\0\0\0\1" SCREEN), LIT(V8 "\1"), RFB_OVER},
	{LIT("RFB 004.001\n"), LIT(V8), RFB_OVER},
	{LIT("RFB 003.0x8\n"), LIT(V8), RFB_OVER},
	{LIT("RFB 003.008\r"), LIT(V8), RFB_OVER},
	{LIT("SSH-2.0-x\r\n"), LIT(V8), RFB_OVER},
	{LIT(V8 "\1\1"), LIT("GET / HTTP/1.1"), RFB_OVER},
};

/* Of each the verdict, and nothing sooner: every shorter beginning says "more". */
static void each_way_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		const struct talk_case *k = &talks[i];

		if (rfb_read(k->server, k->client) != k->wanted)
			fail_msg("talk %zu: %d, not %d", i, rfb_read(k->server, k->client),
				 k->wanted);
		for (size_t n = 0; n < k->client.len && k->wanted >= RFB_PASSWORD; n++)
			assert_int_equal(rfb_read(k->server, span_first(k->client, n)), RFB_MORE);
	}
	assert_int_equal(
		rfb_read(span_first(talks[0].server, talks[0].server.len - 1), talks[0].client),
		RFB_MORE);
	assert_true(rfb_may_be(LIT("R")) && rfb_may_be(LIT(V3)));
	assert_false(rfb_may_be(LIT("")) || rfb_may_be(LIT("RFB 004")));
}

static void too_many_types(void **state)
{
	char server[300];

	(void)state;
	memset(server, 1, sizeof(server));
	memcpy(server, V8, 12);
	server[12] = (char)200;
	assert_int_equal(rfb_read((struct span){server, sizeof(server)}, LIT(V8 "\1\1")), RFB_OVER);
	memcpy(server + 12, "\1\23\0\2\0\377", 6);
	assert_int_equal(rfb_read((struct span){server, sizeof(server)}, LIT(V8 "\23\0\2\0\0\0\1")),
			 RFB_OVER);
}

/* --- in the table */

static bool say(struct first_table *t, bool answers, uint32_t off, struct span bytes,
		struct event *e)
{
	struct wire_data_head w = {.off = off, .len = (uint32_t)bytes.len};

	w.conn.cookie = 7;
	w.flags = answers ? WIRE_DATA_ANSWER : 0;
	*e = (struct event){0};
	return first_bytes_feed(t, &w, (const uint8_t *)bytes.ptr, e);
}

static void a_wrong_password_byte_by_byte(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	const struct talk_case *k = &talks[1];
	uint32_t s = 0, c = 0;
	struct event e = {0};
	bool told = false;

	(void)state;
	while (s < k->server.len && !told) {
		told = say(t, true, s, span_first(span_skip(k->server, s), 1), &e);
		s++;
		if (told || c == k->client.len)
			continue;
		assert_false(say(t, true, 0, span_first(k->server, 3), &e)); /* sent again */
		assert_false(say(t, false, c, span_first(span_skip(k->client, c), 1), &e));
		c++;
	}
	assert_true(told);
	assert_int_equal(e.kind, EVENT_ATTEMPT);
	assert_int_equal(e.service, SERVICE_VNC);
	assert_int_equal(e.outcome, OUTCOME_FAILURE);
	assert_int_equal(e.method, METHOD_PASSWORD);
	assert_false(say(t, true, s, LIT(BAD), &e)); /* once */
	free(t);
}

/* The client was read first, or its answer looks like a request. */
static void in_any_order(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct wire_data_head w = {.off = 13, .len = 16, .flags = WIRE_DATA_REQUEST};
	struct event e = {0};

	(void)state;
	assert_false(say(t, false, 0, LIT(V8 "\2"), &e));
	assert_false(say(t, true, 0, LIT(V8 "\1\2" CHALLENGE), &e));
	w.conn.cookie = 7;
	assert_false(first_bytes_feed(t, &w, (const uint8_t *)"GET /34567890abc", &e));
	assert_true(say(t, true, 30, LIT(OK), &e));
	assert_int_equal(e.outcome, OUTCOME_SUCCESS);
	free(t);
}

static void nobody_was_asked(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e = {0};

	(void)state;
	assert_false(say(t, true, 0, LIT(V8 "\1\1" OK), &e));
	assert_false(say(t, false, 0, LIT(V8), &e));
	assert_false(say(t, false, 12, LIT("\1"), &e));
	assert_false(say(t, true, 40, LIT(SCREEN), &e)); /* what is before it has not come */
	assert_false(say(t, false, 13, LIT("\1"), &e));
	assert_true(say(t, true, 18, LIT(SCREEN), &e));
	assert_int_equal(e.method, METHOD_NO_AUTH);
	assert_int_equal(e.outcome, OUTCOME_SUCCESS);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_in),
		cmocka_unit_test(too_many_types),
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(nobody_was_asked),
		cmocka_unit_test(a_wrong_password_byte_by_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
