/* What the core is made of: slots and their indices, bounded text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/core/core_table.h"
#include "common/core/core_text.h"

/* The number of a slot comes back, whatever size an item has. */
static void test_slots(void **state)
{
	static const size_t sizes[] = {1,   2,	 3,    12,   24,    40,	  112,
				       224, 824, 4640, 4912, 65536, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pool p;

		assert_int_equal(pool_init(&p, sizes[i], 300), 0);
		for (uint32_t slot = 0; slot < 300; slot++)
			assert_int_equal(pool_slot(&p, pool_at(&p, slot)), slot);
		pool_free(&p);
	}
}

#define ROWS 1000

/* Few hashes for many rows, so that nearly all collide; some differ only where no bit is kept. */
static uint64_t hash_of(uint32_t slot, unsigned round)
{
	return ((uint64_t)(slot + round) % 37 + 1) << (slot % 3 * 10);
}

static unsigned times_found(const struct index *x, uint64_t hash, uint32_t slot)
{
	uint32_t cursor = NIL, at;
	unsigned n = 0;

	while ((at = index_next(x, hash, &cursor)) != NIL)
		n += at == slot;
	return n;
}

static void test_index(void **state)
{
	static uint64_t hashes[ROWS]; /* 0: not in it */
	struct index x;

	(void)state;
	assert_int_equal(index_init(&x, ROWS), 0);
	for (unsigned round = 0; round < 20; round++) {
		for (uint32_t slot = round % 3; slot < ROWS; slot += 1 + round % 4) {
			index_remove(&x, slot);
			hashes[slot] = round % 5 == 4 ? 0 : hash_of(slot, round);
			if (hashes[slot])
				index_add(&x, slot, hashes[slot]);
		}
		for (uint32_t slot = 0; slot < ROWS; slot++) {
			if (hashes[slot])
				assert_int_equal(times_found(&x, hashes[slot], slot), 1);
			assert_int_equal(times_found(&x, hash_of(slot, round) + 77, slot), 0);
		}
	}
	index_free(&x);
}

/* Every byte at every place of a text: what is not plain becomes a question mark, nothing else. */
static void test_bytes(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 19; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			char in[] = "abcdefgh~ijklmnop z", out[32];
			bool plain = byte >= 0x20 && byte <= 0x7e;
			struct text t = TEXT_IN(out);

			in[at] = (char)byte;
			text_plain(&t, (struct span){in, 19}, 19);
			in[at] = plain ? (char)byte : '?';
			assert_string_equal(out, in);
			t = TEXT_IN(out);
			in[at] = (char)byte;
			text_quote(&t, (struct span){in, 19}, 19);
			in[at] = plain && byte != '\'' ? (char)byte : '?';
			assert_memory_equal(out + 1, in, 19);
			assert_string_equal(out + 20, "'");
		}
	}
}

static void test_bounds(void **state)
{
	(void)state;
	for (size_t cap = 1; cap < 40; cap++) {
		char out[64] = "", *end = out + cap;
		struct text t = text_start(out, cap);

		out[cap] = 'x';
		text_add(&t, "%s %u%c", "a word and", 4711u, '!');
		text_plain(&t, SPAN_LIT("twelve bytes and some more"), 12);
		assert_int_equal(t.len, cap - 1 < 31 ? cap - 1 : 31);
		assert_int_equal(strlen(out), t.len);
		assert_int_equal(memcmp(out, "a word and 4711!twelve bytes...", t.len), 0);
		assert_int_equal(*end, 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
