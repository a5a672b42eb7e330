/* Lines out of a stream, in every cut: RFC 6587's two framings, mixed, hostile, too long. */
#include <stdlib.h>
#include <string.h>

#include "core_world.h"

#include "common/decode/stream_lines.h"

static char got[1 << 18];
static size_t got_len;
static unsigned cuts;

static void take(void *arg, struct span line, bool cut)
{
	(void)arg;
	cuts += cut;
	assert_true(line.len > 0);
	assert_true(got_len + line.len + 1 < sizeof(got));
	memcpy(got + got_len, line.ptr, line.len);
	got_len += line.len;
	got[got_len++] = '|';
	got[got_len] = '\0';
}

static void feed(const char *text, size_t len, size_t piece)
{
	struct stream_lines *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	got_len = cuts = 0;
	got[0] = '\0';
	for (size_t at = 0; at < len; at += piece)
		stream_lines_feed(s, (struct span){text + at, piece < len - at ? piece : len - at},
				  take, NULL);
	stream_lines_end(s, take, NULL);
	free(s);
}

static const struct {
	const char *in, *out;
	size_t len; /* 0: strlen */
} rows[] = {
	{"one\ntwo\n", "one|two|", 0},
	{"one\r\n\r\n\ntwo", "one|two|", 0},
	{"one\0two\0\0three", "one|two|three|", 14},
	{"5 <34>a7 <34>b\nc", "<34>a|<34>b\nc|", 0},
	{"<34>x\n5 <34>a<34>y\n", "<34>x|<34>a|<34>y|", 0},
	/* no counts: a date, a number alone, a number and no '<', a leading zero */
	{"2024-01-01 a\n12\n12 monkeys\n05 <34>a\n", "2024-01-01 a|12|12 monkeys|05 <34>a|", 0},
	{"99999999 <34>a\n", "99999999 <34>a|", 0},
	/* the end came in the middle of a counted message: it is not told */
	{"one\n9 <34>a", "one|", 0},
	{"one\n9 ", "one|9 |", 0},
	{"", "", 0},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].in);

		for (size_t piece = 1; piece <= len + 1; piece++) {
			feed(rows[i].in, len, piece);
			if (strcmp(got, rows[i].out) != 0)
				fail_msg("row %zu in pieces of %zu: %s", i, piece, got);
		}
	}
}

/* What is too long is cut and counted, and what follows it is whole. */
static void test_too_long(void **state)
{
	static const char *const heads[] = {"", "100000 <34>"};
	static char text[120000];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t head = strlen(heads[i]), len;

		memset(text, 'x', sizeof(text));
		memcpy(text, heads[i], head);
		len = i ? 7 + 100000 : 100000;
		memcpy(text + len, i ? "6 <1>end" : "\n<1>end", i ? 8 : 7);
		len += i ? 8 : 7;
		for (size_t piece = 1000; piece < 2 * len; piece *= 3) {
			feed(text, len, piece);
			assert_int_equal(cuts, 1);
			assert_true(got_len > 9 && got_len < 70000);
			assert_string_equal(got + got_len - (i ? 8 : 8),
					    i ? "|<1>end|" : "|<1>end|");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
