/*
 * scan: both ways to look at 16 bytes find what a loop finds. SSE2's is run by everything that
 * reads JSON, so that this is the other one, of processors that have none.
 */
#undef __SSE2__
#include "common/decode/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

static const char letters[] = "\"\\a\0\x80\xa2\x23\xdc\x7f\xff!";

/* Many of those that differ from what is sought by one bit. */
static void fill(char *to, size_t len, uint32_t *seed)
{
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 1664525 + 1013904223;
		to[i] = letters[(*seed >> 16) % (sizeof(letters) - 1)];
	}
}

static void a_block_is_as_a_loop_says(void **state)
{
	char block[SCAN_BLOCK];
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char sought = letters[round % (sizeof(letters) - 1)];
		uint32_t wanted = 0;

		fill(block, sizeof(block), &seed);
		for (unsigned i = 0; i < SCAN_BLOCK; i++)
			wanted |= (uint32_t)(block[i] == sought) << i;
		assert_int_equal(scan_block(block, sought), wanted);
	}
}

static void a_string_ends_at_its_first_quote_or_backslash(void **state)
{
	(void)state;
	for (size_t len = 0; len < 70; len++)
		for (size_t at = 0; at <= len; at++) {
			char *text = malloc(len + 1); /* so that reading past it is seen */

			assert_non_null(text);
			memset(text, 'a', len + 1);
			if (at < len)
				text[at] = at % 2 ? '"' : '\\';
			assert_ptr_equal(scan_string(text, text + len), text + at);
			free(text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_as_a_loop_says),
		cmocka_unit_test(a_string_ends_at_its_first_quote_or_backslash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
