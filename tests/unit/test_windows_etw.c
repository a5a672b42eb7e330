/* Payloads of ETW events: every type, cut at every byte, and lengths that somebody else chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "etw_world.h"

static struct etw_template one_field(uint8_t type)
{
	struct etw_template t = {.count = 1};

	t.fields[0] = (struct etw_field){"it", type, ETW_NO_LENGTH, 0, false};
	return t;
}

/* One field alone; and cut at every byte it is told to be cut, and nothing of it is there. */
static void check_type(uint8_t type, bool is_64, const void *bytes, size_t n, const char *want)
{
	const struct etw_template t = one_field(type);

	for (size_t cut = 0; cut <= n; cut++) {
		struct reading *r = reading_of(&t, bytes, cut, is_64);

		assert_int_equal(r->any, cut == n);
		assert_int_equal(r->w.count, cut == n);
		assert_int_equal(r->reason == NULL, cut == n);
		if (cut == n)
			assert_text(r->w.fields[0].value, want);
		end(r);
	}
}

static void every_type(void **state)
{
	static const uint8_t ff[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t low[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	static const uint8_t none[16] = {0};
	static const struct {
		uint8_t type, size;
		const uint8_t *bytes;
		const char *want;
	} rows[] = {
		{ETW_INT8, 1, ff, "-1"},
		{ETW_INT8, 1, low, "1"},
		{ETW_UINT8, 1, ff, "255"},
		{ETW_INT16, 2, ff, "-1"},
		{ETW_INT16, 2, low, "513"},
		{ETW_UINT16, 2, ff, "65535"},
		{ETW_INT32, 4, ff, "-1"},
		{ETW_UINT32, 4, ff, "4294967295"},
		{ETW_UINT32, 4, low, "67305985"},
		{ETW_INT64, 8, ff, "-1"},
		{ETW_UINT64, 8, ff, "18446744073709551615"},
		{ETW_FLOAT, 4, low, ""},
		{ETW_DOUBLE, 8, low, ""},
		{ETW_BOOLEAN, 4, none, "false"},
		{ETW_BOOLEAN, 4, low, "true"},
		{ETW_GUID, 16, low, "{04030201-0605-0807-090A-0B0C0D0E0F10}"},
		{ETW_FILETIME, 8, low, "578437695752307201"},
		{ETW_SYSTEMTIME, 16, low, ""},
		{ETW_HEX32, 4, low, "0x4030201"},
		{ETW_HEX32, 4, none, "0x0"},
		{ETW_HEX64, 8, ff, "0xffffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_type(rows[i].type, true, rows[i].bytes, rows[i].size, rows[i].want);
	check_type(ETW_POINTER, true, low, 8, "0x807060504030201");
	check_type(ETW_POINTER, false, low, 4, "0x4030201");
}

/* Arrays, structures, counted strings: a type that is not known has no size to step over. */
static void a_type_that_is_not_known(void **state)
{
	static const uint8_t types[] = {0, 22, 23, 25, 45, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		const struct etw_template t = one_field(types[i]);
		struct reading *r = reading_of(&t, (const uint8_t *)"12345678", 8, true);

		assert_false(r->any);
		assert_int_equal(r->w.count, 0);
		assert_non_null(r->reason);
		end(r);
	}
}

static void an_event_without_fields(void **state)
{
	const struct etw_template t = {0};
	struct reading *r = reading_of(&t, NULL, 0, true);

	(void)state;
	assert_true(r->any);
	assert_int_equal(r->w.count, 0);
	assert_null(r->reason);
	end(r);
}

static struct etw_template two_texts(uint8_t type)
{
	struct etw_template t = {.count = 2};

	t.fields[0] = (struct etw_field){"a", type, ETW_NO_LENGTH, 0, false};
	t.fields[1] = (struct etw_field){"b", type, ETW_NO_LENGTH, 0, false};
	return t;
}

static void texts(void **state)
{
	static const struct {
		uint8_t type;
		const char *bytes;
		size_t n;
		unsigned count;
		bool cut;
		const char *a, *b;
	} rows[] = {
		{ETW_UNICODE, "a\0l\0\0\0b\0\0\0", 10, 2, false, "al", "b"},
		{ETW_UNICODE, "a\0\0\0b\0", 6, 2, false, "a", "b"}, /* its last NUL is missing */
		{ETW_UNICODE, "a\0\0\0b\0\0", 7, 1, true, "a", ""}, /* half of its NUL */
		{ETW_UNICODE, "a\0\0\0b", 5, 1, true, "a", ""},
		{ETW_UNICODE, "a\0\0\0", 4, 1, true, "a", ""}, /* nothing is no empty text */
		{ETW_UNICODE, "a\0\0\0\0\0", 6, 2, false, "a", ""},
		{ETW_UNICODE, "a\0b\0", 4, 1, true, "ab", ""}, /* a missing NUL takes the rest */
		{ETW_UNICODE, "\0\0\0\0", 4, 2, false, "", ""},
		{ETW_UNICODE, "a\0\0\0b\0\0\0tail", 12, 2, false, "a", "b"}, /* newer fields */
		{ETW_ANSI, "al\0b\0", 5, 2, false, "al", "b"},
		{ETW_ANSI, "al\0b", 4, 2, false, "al", "b"},
		{ETW_ANSI, "al\0", 3, 1, true, "al", ""},
		{ETW_ANSI, "al", 2, 1, true, "al", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct etw_template t = two_texts(rows[i].type);
		struct reading *r = reading_of(&t, (const uint8_t *)rows[i].bytes, rows[i].n, true);

		assert_true(r->any);
		assert_int_equal(r->w.count, rows[i].count);
		assert_int_equal(r->reason != NULL, rows[i].cut);
		assert_text(windows_field(&r->w, "a"), rows[i].a);
		assert_text(windows_field(&r->w, "b"), rows[i].b);
		end(r);
	}
}

static void surrogates(void **state)
{
	static const struct {
		uint16_t units[4];
		const char *want;
	} rows[] = {
		{{0xd83d, 0xde00, 0}, "\xf0\x9f\x98\x80"},
		{{0xdbff, 0xdfff, 0}, "\xf4\x8f\xbf\xbf"},
		{{0xd800, 0, 0}, "\xef\xbf\xbd"}, /* high, alone */
		{{0xd800, 'x', 0}, "\xef\xbf\xbdx"},
		{{0xd800, 0xd800, 0xdc00, 0}, "\xef\xbf\xbd\xf0\x90\x80\x80"},
		{{0xdc00, 'x', 0}, "\xef\xbf\xbdx"}, /* low, alone */
		{{0xdfff, 0xd800, 0}, "\xef\xbf\xbd\xef\xbf\xbd"},
		{{0x7f, 0x80, 0}, "\x7f\xc2\x80"},
		{{0x7ff, 0x800, 0xffff, 0}, "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
	};
	const struct etw_template t = one_field(ETW_UNICODE);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m = {0};
		struct reading *r;

		for (unsigned n = 0; n < 4 && (n == 0 || rows[i].units[n - 1]); n++)
			put(&m, rows[i].units[n], 2);
		r = reading_of(&t, m.bytes, m.n, true);
		assert_text(r->w.fields[0].value, rows[i].want);
		end(r);
	}
}

static void sids(void **state)
{
	static const char *const rows[] = {
		"S-1-0-0",
		"S-1-5-18",
		"S-1-5-21-4294967295-1-2-1000",
		"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
		"S-1-5", /* no part: an authority alone is one */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m = {0};

		put_sid(&m, rows[i]);
		check_type(ETW_SID, true, m.bytes, m.n, rows[i]);
	}
}

/* The count is the sender's word: more parts than a SID has are never stepped over. */
static void a_sid_with_too_many_parts(void **state)
{
	static uint8_t bytes[8 + 4 * 255] = {1, 0, 0, 0, 0, 0, 0, 5};
	const struct etw_template t = one_field(ETW_SID);

	(void)state;
	for (unsigned parts = 16; parts <= 255; parts++) {
		struct reading *r;

		bytes[1] = (uint8_t)parts;
		r = reading_of(&t, bytes, sizeof(bytes), true);
		assert_false(r->any);
		assert_int_equal(r->w.count, 0);
		assert_non_null(r->reason);
		end(r);
	}
	memset(bytes, 0xff, sizeof(bytes)); /* the longest text of one */
	bytes[1] = 15;
	check_type(ETW_SID, true, bytes, 8 + 60,
		   "S-255-281474976710655-4294967295-4294967295-4294967295-4294967295-4294967295-"
		   "4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
		   "4294967295-4294967295-4294967295");
}

static struct etw_template address_of(uint8_t type)
{
	struct etw_template t = {.count = 2};

	t.fields[0] =
		(struct etw_field){"ClientAddressLength", ETW_UINT32, ETW_NO_LENGTH, 0, false};
	t.fields[1] = (struct etw_field){"ClientAddress", type, 0, 0, true};
	return t;
}

static void socket_addresses(void **state)
{
	static const uint8_t v4[128] = {2, 0, 0x30, 0x39, 203, 0, 113, 9};
	static const uint8_t v6[128] = {23, 0, 0x30, 0x39, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8,
					0,  0, 0,    0,	   0, 0, 0, 0, 0,    0, 0,    1};
	static const uint8_t port0[16] = {2, 0, 0, 0, 203, 0, 113, 9}, unix_[16] = {1, 0, 'x'};
	static const uint8_t bare6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 7};
	static const struct {
		const uint8_t *bytes;
		unsigned n;
		const char *want;
	} rows[] = {
		{v4, 16, "203.0.113.9:12345"},
		{v4, 128, "203.0.113.9:12345"},
		{v4, 15, ""},
		{v4, 5, ""},
		{v6, 28, "[2001:db8::1]:12345"},
		{v6, 128, "[2001:db8::1]:12345"},
		{v6, 27, ""},
		{port0, 16, "203.0.113.9"},
		{v4 + 4, 4, "203.0.113.9"},
		{bare6, 16, "2001:db8::7"},
		{unix_, 3, ""},
		{v4, 0, ""},
	};
	const struct etw_template t = address_of(ETW_BINARY);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m = {0};
		struct reading *r;

		put(&m, rows[i].n, 4);
		put_bytes(&m, rows[i].bytes, rows[i].n);
		r = reading_of(&t, m.bytes, m.n, true);
		assert_int_equal(r->w.count, 2);
		assert_text(r->w.fields[1].value, rows[i].want);
		assert_null(r->reason);
		end(r);
	}
}

/* SMBServer 551: what the numbers before them say is how long they are, and no more than there is.
 */
static void lengths_of_earlier_fields(void **state)
{
	static const struct {
		uint32_t length;
		unsigned count;
		const char *name, *after;
	} rows[] = {
		{3, 3, "abc", "7"},	 {2, 3, "ab", "99"},  {0, 3, "", "6422625"},
		{5, 1, "", ""},		 {0xffff, 1, "", ""}, {0xffffffff, 1, "", ""},
		{0x80000003, 1, "", ""},
	};
	struct etw_template t = {.count = 3};

	(void)state;
	t.fields[0] = (struct etw_field){"n", ETW_UINT32, ETW_NO_LENGTH, 0, false};
	t.fields[1] = (struct etw_field){"name", ETW_UNICODE, 0, 0, false};
	t.fields[2] = (struct etw_field){"after", ETW_UINT16, ETW_NO_LENGTH, 0, false};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m = {0};
		struct reading *r;

		if (rows[i].length == 0)
			t.fields[2].type = ETW_UINT32;
		else
			t.fields[2].type = ETW_UINT16;
		put(&m, rows[i].length, 4);
		put_bytes(&m, "a\0b\0c\0\7\0", 8);
		r = reading_of(&t, m.bytes, m.n, true);
		assert_int_equal(r->w.count, rows[i].count);
		assert_int_equal(r->reason == NULL, rows[i].count == 3);
		assert_text(windows_field(&r->w, "name"), rows[i].name);
		assert_text(windows_field(&r->w, "after"), rows[i].after);
		end(r);
	}
}

/* A length must have been read before; a later one, or its own, is none. */
static void a_length_that_comes_later(void **state)
{
	struct etw_template t = two_texts(ETW_UNICODE);
	struct reading *r;

	(void)state;
	t.fields[0].length_from = 1;
	t.fields[1].length_from = 1;
	r = reading_of(&t, (const uint8_t *)"a\0\0\0b\0\0\0", 8, true);
	assert_text(windows_field(&r->w, "a"), "a");
	assert_text(windows_field(&r->w, "b"), "b");
	end(r);
}

static void more_text_than_room(void **state)
{
	const struct etw_template t = one_field(ETW_UNICODE);
	static uint8_t bytes[65534];
	struct reading *r;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 2)
		bytes[i + 1] = 0x4e; /* three bytes of UTF-8 */
	r = reading_of(&t, bytes, sizeof(bytes), true);
	assert_true(r->any);
	assert_non_null(r->reason);
	assert_int_equal(r->w.fields[0].value.len, sizeof(r->scratch));
	end(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type),
		cmocka_unit_test(a_type_that_is_not_known),
		cmocka_unit_test(an_event_without_fields),
		cmocka_unit_test(texts),
		cmocka_unit_test(surrogates),
		cmocka_unit_test(sids),
		cmocka_unit_test(a_sid_with_too_many_parts),
		cmocka_unit_test(socket_addresses),
		cmocka_unit_test(lengths_of_earlier_fields),
		cmocka_unit_test(a_length_that_comes_later),
		cmocka_unit_test(more_text_than_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
