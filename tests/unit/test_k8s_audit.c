/* Stages, repeated lines and lists of Kubernetes audit events in one stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/decode/decode.h"

/* Of which request, at which second it was received and ended. */
struct request {
	const char *stage, *verb, *uri, *user, *id;
	unsigned received, at;
};

static const char *line_of(const struct request *r)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text),
		       "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"%s\","
		       "\"stage\":\"%s\",\"requestURI\":\"%s\",\"verb\":\"%s\",\"user\":{"
		       "\"username\":\"%s\"},\"sourceIPs\":[\"203.0.113.9\"],\"responseStatus\":{"
		       "\"code\":200},\"requestReceivedTimestamp\":\"2026-01-01T%02u:%02u:%02uZ\","
		       "\"stageTimestamp\":\"2026-01-01T%02u:%02u:%02uZ\"}",
		       r->id, r->stage, r->uri, r->verb, r->user, r->received / 3600,
		       r->received / 60 % 60, r->received % 60, r->at / 3600, r->at / 60 % 60,
		       r->at % 60);
	return text;
}

static struct decode_stream *stream(void)
{
	struct decode_stream *d = test_calloc(1, sizeof(*d));

	d->forced_source = -1;
	return d;
}

static bool counts(struct decode_stream *d, struct request r)
{
	const char *reason = NULL;
	struct event e;
	enum decode_result got = decode_line(d, span_of(line_of(&r)), &e, &reason);

	assert_true(got == DECODE_EVENT || got == DECODE_SKIPPED);
	assert_true(got == DECODE_EVENT || reason[0]);
	return got == DECODE_EVENT;
}

#define LIST "list", "/api/v1/secrets", "alice"
#define EXEC "create", "/api/v1/namespaces/a/pods/b/exec?command=id", "alice"

static void each_request_once(void **state)
{
	struct decode_stream *d = stream();

	(void)state;
	assert_false(counts(d, (struct request){"RequestReceived", LIST, "1", 1, 1}));
	assert_true(counts(d, (struct request){"ResponseComplete", LIST, "1", 1, 2}));
	assert_false(counts(d, (struct request){"ResponseComplete", LIST, "1", 1, 2}));
	/* the same id is the client's choice; it hides nothing */
	assert_true(counts(d, (struct request){"ResponseComplete", LIST, "1", 3, 4}));
	assert_true(
		counts(d, (struct request){"ResponseComplete", "get", "/api", "bob", "1", 3, 4}));
	assert_true(counts(d, (struct request){"Panic", LIST, "2", 5, 6}));
	assert_false(counts(d, (struct request){"RequestReceived", EXEC, "3", 7, 7}));
	assert_true(counts(d, (struct request){"ResponseStarted", EXEC, "3", 7, 8}));
	assert_true(counts(d, (struct request){"ResponseStarted", EXEC, "3", 9, 10}));
	assert_false(counts(d, (struct request){"ResponseComplete", EXEC, "3", 7, 11}));
	/* a policy that leaves out ResponseStarted */
	assert_true(counts(d, (struct request){"ResponseComplete", EXEC, "4", 12, 13}));
	test_free(d);
}

/* An exec ends after more others than are remembered. */
static void a_long_exec(void **state)
{
	struct decode_stream *d = stream();

	(void)state;
	assert_true(counts(d, (struct request){"ResponseStarted", EXEC, "1", 1, 2}));
	for (unsigned i = 0; i < AUDIT_EXECS; i++)
		assert_true(
			counts(d, (struct request){"ResponseStarted", EXEC, "1", 10 + i, 10 + i}));
	assert_false(counts(d, (struct request){"ResponseComplete", EXEC, "1", 1, 9000}));
	assert_true(counts(d, (struct request){"ResponseComplete", EXEC, "1", 9000, 9001}));
	test_free(d);
}

static void a_list(void **state)
{
	static const struct {
		const char *head, *tail;
		unsigned events, skipped, bad;
	} rows[] = {
		{"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{},"
		 "\"items\":[",
		 "]}", 2, 1, 0},
		{"{\"items\": [ ", " ] ,\"apiVersion\":\"audit.k8s.io/v1\",\"kind\":\"EventList\"}",
		 2, 1, 0},
		{"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{},", "]}",
		 2, 1, 1},
		{"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[", "", 2, 1,
		 1},
		{"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[7,", "]}",
		 0, 0, 1},
	};
	static const struct request requests[] = {{"ResponseComplete", LIST, "1", 1, 2},
						  {"RequestReceived", LIST, "2", 3, 3},
						  {"ResponseStarted", EXEC, "3", 4, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decode_stream *d = stream();
		unsigned got[3] = {0};
		const char *reason = NULL;
		enum decode_result r;
		struct event e;
		char text[8192];
		size_t n = (size_t)snprintf(text, sizeof(text), "%s", rows[i].head);

		for (size_t k = 0; k < 3; k++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", k ? "," : "",
					      line_of(&requests[k]));
		(void)snprintf(text + n, sizeof(text) - n, "%s", rows[i].tail);
		r = decode_line(d, span_of(text), &e, &reason);
		do
			got[r]++;
		while (decode_next(d, &e, &r, &reason));
		assert_int_equal(d->line, 1);
		if (got[DECODE_EVENT] != rows[i].events || got[DECODE_SKIPPED] != rows[i].skipped ||
		    got[DECODE_BAD] != rows[i].bad)
			fail_msg("row %zu: %u %u %u", i, got[DECODE_EVENT], got[DECODE_SKIPPED],
				 got[DECODE_BAD]);
		/* the next line has nothing of it */
		(void)decode_line(d, SPAN_LIT("x"), &e, &reason);
		assert_false(decode_next(d, &e, &r, &reason));
		test_free(d);
	}
}

static void many_proxies(void **state)
{
	struct decode_stream *d = stream();
	const char *reason = NULL;
	struct event e;
	char text[8192];
	size_t n;

	(void)state;
	n = (size_t)snprintf(
		text, sizeof(text), "%s",
		"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"stage\":"
		"\"ResponseComplete\",\"requestURI\":\"/api\",\"verb\":\"get\","
		"\"requestReceivedTimestamp\":\"2026-01-01T00:00:00Z\",\"sourceIPs\":[");
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\"192.0.2.%u\",", i);
	(void)snprintf(text + n, sizeof(text) - n, "\"203.0.113.9\"]}");
	assert_int_equal(decode_line(d, span_of(text), &e, &reason), DECODE_EVENT);
	assert_true(span_is(e.via, "192.0.2.192, 192.0.2.193, 192.0.2.194, 192.0.2.195, "
				   "192.0.2.196, 192.0.2.197, 192.0.2.198, 192.0.2.199"));
	assert_int_equal(e.origin.addr.family, ADDR_V4);
	test_free(d);
}

/* An object that is longer than any line that is read does not hide who sent it. */
static void a_cut_line(void **state)
{
	static const char tail[] = "\"}}},\"requestReceivedTimestamp\":\"2026-01-01T00:00:00Z\"}";
	static char text[DECODE_RECORD_MAX + 4096];
	struct decode_stream *d = stream();
	const char *reason = NULL;
	struct event e;
	size_t n;

	(void)state;
	n = (size_t)snprintf(
		text, sizeof(text), "%s",
		"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"stage\":"
		"\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/a/pods\","
		"\"verb\":\"create\",\"user\":{\"username\":\"alice\"},\"sourceIPs\":["
		"\"203.0.113.9\"],\"responseStatus\":{\"code\":201},\"requestObject\":{"
		"\"metadata\":{\"name\":\"x\",\"annotations\":{\"a\":\"");
	memset(text + n, 'x', sizeof(text) - n);
	memcpy(text + sizeof(text) - sizeof(tail), tail, sizeof(tail));
	assert_int_equal(decode_line(d, (struct span){text, sizeof(text) - 1}, &e, &reason),
			 DECODE_BAD); /* no time at all */
	assert_true(counts(d, (struct request){"ResponseComplete", LIST, "1", 1, 2}));
	for (unsigned i = 0; i < 2; i++) { /* two requests, as far as can be told */
		assert_int_equal(decode_line(d, (struct span){text, i ? 1000 : sizeof(text) - 1},
					     &e, &reason),
				 DECODE_EVENT);
		assert_int_equal(e.flags, EVENT_TRUNCATED | EVENT_TIME_APPROXIMATE);
		assert_int_equal(e.api.action, API_CREATE);
		assert_true(span_is(e.account, "alice") && span_is(e.api.container, "a/x"));
	}
	for (size_t k = 0; k < n - 60; k++) { /* before its object it is no event */
		char *copy = test_malloc(k + 1);

		memcpy(copy, text, k);
		assert_int_not_equal(decode_line(d, (struct span){copy, k}, &e, &reason),
				     DECODE_EVENT);
		test_free(copy);
	}
	test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_once),
		cmocka_unit_test(a_long_exec),
		cmocka_unit_test(a_list),
		cmocka_unit_test(many_proxies),
		cmocka_unit_test(a_cut_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
