/*
 * catalog: every detection has its entry in the installed file, and none differs from the table.
 * Runs in the top directory of the tree, as tests/unit/run.sh does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/out/out.h"

#define CATALOG "deploy/outergate.catalog"

static char *read_catalog(void)
{
	FILE *f = fopen(CATALOG, "rb");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static void every_detection_has_its_entry(void **state)
{
	static char entry[OUT_ALERT_MAX];
	char *text = read_catalog();
	unsigned entries = 0;

	(void)state;
	for (int i = 0; i < DETECTION_COUNT; i++) {
		assert_true(out_catalog_entry(detections[i], entry, sizeof(entry)) > 0);
		if (!strstr(text, entry))
			fail_msg("%s is not in %s as it is in the table: run tools/catalog.sh",
				 detections[i]->id, CATALOG);
	}
	for (const char *p = text; (p = strstr(p, "\n-- ")); p++)
		entries++;
	assert_int_equal(entries, DETECTION_COUNT);
	free(text);
}

static void message_ids_are_fixed(void **state)
{
	char id[OUT_MESSAGE_ID_MAX];

	(void)state;
	/* Part of the interface: people filter by it. */
	assert_string_equal(out_message_id(1, id), "7d1e0c5ab2f84b6f9c3a51d86e040001");
	assert_string_equal(out_message_id(0xabcd, id), "7d1e0c5ab2f84b6f9c3a51d86e04abcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_detection_has_its_entry),
		cmocka_unit_test(message_ids_are_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
