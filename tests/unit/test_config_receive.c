/* Rows of Receivers: what cannot work or would let anybody in is refused, by line and reason. */
#include <stdlib.h>
#include <string.h>

#include "core_world.h"

#include "common/config.h"

static const struct {
	const char *text, *err;
} bad[] = {
	{"Sources: {Files: [/a], RelayedFiles: [/b, /a]}",
	 "t: Sources: /a is in Files and in RelayedFiles"},
	{"Receivers: [{from: [10.0.0.0/8]}]", "t:1: Receivers.listen is missing"},
	{"Receivers: [{listen: \"udp://127.0.0.1\"}]",
	 "t:1: Receivers.listen: 'udp://127.0.0.1' is not an address and a port"},
	{"Receivers: [{listen: \"http://127.0.0.1:80\"}]",
	 "t:1: Receivers.listen: 'http://127.0.0.1:80' is not udp://, tcp:// or "
	 "tls://ADDRESS:PORT, unix:/PATH or pipe:/PATH"},
	{"Receivers: [{listen: \"unix:lines\"}]",
	 "t:1: Receivers.listen: 'unix:lines' is not a path from / on, of up to 99 characters"},
	{"Receivers:\n- {listen: \"udp://0.0.0.0:5514\"}",
	 "t:2: Receivers: udp://0.0.0.0:5514 can be reached from outside: say with from whose "
	 "lines are taken (or, of tls://, with ca)"},
	{"Receivers:\n- {listen: \"tls://[::]:6514\", cert: /a, key: /b}",
	 "t:2: Receivers: tls://[::]:6514 can be reached from outside: say with from whose lines "
	 "are taken (or, of tls://, with ca)"},
	{"Receivers:\n- {listen: \"tls://[::1]:6514\", ca: /a}",
	 "t:2: Receivers: tls://[::1]:6514 needs cert and key"},
	{"Receivers:\n- {listen: \"tcp://:5514\", cert: /a}",
	 "t:2: Receivers: ca, cert and key are for tls://, and tcp://:5514 is clear"},
	{"Receivers:\n- {listen: \"pipe:/run/p\", from: [10.0.0.0/8]}",
	 "t:2: Receivers: from is for addresses, and pipe:/run/p has none"},
	{"Receivers: [{listen: \"udp://:5514\", source: fortune}]",
	 "t:1: Receivers.source: 'fortune' is not a source of `outergate sources` or one of "
	 "Decoders above"},
	{"Receivers:\n- {listen: \"udp://:5514\"}\n- {listen: \"udp://:5514\"}",
	 "t:3: Receivers: udp://:5514 is there twice"},
};

static struct config *read_config(const char *text, char err[CONFIG_ERROR_MAX])
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	err[0] = '\0';
	if (!config_parse(text, strlen(text), "t", c, err))
		return c;
	free(c);
	return NULL;
}

static void test_bad(void **state)
{
	char err[CONFIG_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(read_config(bad[i].text, err));
		assert_string_equal(err, bad[i].err);
	}
}

static void test_good(void **state)
{
	char err[CONFIG_ERROR_MAX];
	struct config *c = read_config(
		"Receivers:\n"
		"- {listen: \"udp://:5514\"}\n"
		"- {listen: \"tcp://0.0.0.0:6514\", from: [10.0.0.0/8, \"2001:db8::/32\"]}\n"
		"- {listen: \"tls://[::]:6515\", cert: /c, key: /k, ca: /a}\n"
		"- {listen: \"pipe:/run/p\", source: okta}\n",
		err);
	struct addr a;

	(void)state;
	assert_string_equal(err, "");
	assert_int_equal(c->receivers_count, 4);
	assert_int_equal(c->receivers[0].kind, RECEIVE_UDP);
	assert_int_equal(c->receivers[0].at.port, 5514);
	assert_int_equal(scope_of(&c->receivers[0].at.addr, NULL), SCOPE_LOOPBACK);
	assert_true(addr_parse(SPAN_LIT("10.1.2.3"), &a, NULL));
	assert_true(receive_allows(&c->receivers[1], &a));
	assert_true(addr_parse(SPAN_LIT("11.1.2.3"), &a, NULL));
	assert_false(receive_allows(&c->receivers[1], &a));
	assert_true(receive_allows(&c->receivers[0], &a));
	assert_int_equal(c->receivers[2].at.addr.family, ADDR_V6);
	assert_string_equal(c->receivers[2].files[FORWARD_FILE_CA], "/a");
	assert_string_equal(c->receivers[3].path, "/run/p");
	assert_string_equal(c->receivers[3].source, "okta");
	free(c);
	/* in whatever order they are written */
	c = read_config("Sources: {RelayedFiles: [/b], Files: [/a]}", err);
	assert_non_null(c);
	assert_int_equal(c->files_own, 1);
	assert_int_equal(c->files_count, 2);
	assert_string_equal(c->files[1], "/b");
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
