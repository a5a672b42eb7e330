/*
 * ranges: a set of many blocks says of every address what looking through all of them would say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/ranges.h"

#define BLOCKS 300

static uint64_t dice = 1;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % sides;
}

/* Few different bytes, so that blocks lie in each other and addresses in blocks. */
static struct addr any_addr(void)
{
	struct addr a = {.family = roll(2) ? ADDR_V4 : ADDR_V6};
	unsigned bytes = a.family == ADDR_V4 ? 4 : 16;

	for (unsigned i = 0; i < bytes; i++)
		a.bytes[i] = (uint8_t)(roll(3) * 85);
	return a;
}

static struct cidr any_block(void)
{
	struct addr a = any_addr();
	unsigned bits = roll(a.family == ADDR_V4 ? 33 : 129);

	return (struct cidr){.addr = addr_mask(&a, bits), .bits = (uint8_t)bits};
}

static void a_set_says_what_its_blocks_say(void **state)
{
	static struct cidr all[BLOCKS], rows[BLOCKS];
	unsigned inside = 0, outside = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint32_t n = 1 + roll(round % 2 ? 8 : BLOCKS);
		struct range_set set = {rows, n};

		for (uint32_t i = 0; i < n; i++)
			do
				all[i] = rows[i] = any_block();
			while (all[i].bits < 4);
		range_set_settle(&set);
		assert_in_range(set.count, 1, n);
		for (unsigned k = 0; k < 200; k++) {
			struct addr a = any_addr();
			bool want = false;

			for (uint32_t i = 0; i < n && !want; i++)
				want = cidr_has(&all[i], &a);
			assert_int_equal(range_set_has(&set, &a), want);
			inside += want;
			outside += !want;
		}
	}
	assert_true(inside > 1000 && outside > 1000);
}

static void edges_of_a_block(void **state)
{
	struct cidr rows[2];
	struct range_set set = {rows, 2};
	struct addr a;

	(void)state;
	assert_true(cidr_parse(SPAN_LIT("192.0.2.128/25"), &rows[0]));
	assert_true(cidr_parse(SPAN_LIT("192.0.2.0/30"), &rows[1]));
	range_set_settle(&set);
	static const struct {
		const char *addr;
		bool in;
	} cases[] = {{"192.0.2.0", true},    {"192.0.2.3", true},    {"192.0.2.4", false},
		     {"192.0.2.127", false}, {"192.0.2.128", true},  {"192.0.2.255", true},
		     {"192.0.3.0", false},   {"192.0.1.255", false}, {"2001:db8::1", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(addr_parse(span_of(cases[i].addr), &a, NULL));
		assert_int_equal(range_set_has(&set, &a), cases[i].in);
	}
	assert_false(range_set_has(NULL, &a));
	set.count = 0;
	assert_false(range_set_has(&set, &a));
	range_set_settle(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_says_what_its_blocks_say),
		cmocka_unit_test(edges_of_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
