/*
 * Databases that are exchanged, cut, deleted and damaged while they are in use.
 */
#include "geo_world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "agent-linux/geo_copy.c"
#include "cli/geo_files.c"

#define SEC 1000000000ull

static char said[1024];
static unsigned said_count;

static void say(const char *sentence)
{
	snprintf(said, sizeof(said), "%s", sentence);
	said_count++;
}

int command_fail(int code, const char *format, ...)
{
	(void)format;
	return code;
}

static struct geo_files g;
static struct config config;
static char path[128];
static uint64_t now; /* long after any file of the test was written */

static void make_country(const char *to, const char *code, unsigned built)
{
	char json[256];

	snprintf(json, sizeof(json),
		 "{\"built\": %u, \"networks\": {\"0.0.0.0/1\": {\"country_code\": \"%s\"}}}",
		 built, code);
	geo_make(to, json);
}

static unsigned open_files(const char *first, const char *second)
{
	memset(&g, 0, sizeof(g));
	memset(&config, 0, sizeof(config));
	snprintf(config.geo_databases[0], CONFIG_PATH_MAX, "%s", first);
	snprintf(config.geo_databases[1], CONFIG_PATH_MAX, "%s", second ? second : "");
	config.geo_databases_count = second ? 2 : 1;
	snprintf(g.scratch, sizeof(g.scratch), "%s", geo_dir);
	said_count = 0;
	said[0] = '\0';
	return geo_files_open(&g, &config);
}

static const char *country(void)
{
	static struct geo a;
	struct addr at = {ADDR_V4, {0}, {100, 1, 2, 3}};

	a = (struct geo){0};
	g.set.source.lookup(&g.set.source, &at, &a);
	return a.country;
}

static bool poll_later(void)
{
	now += GEO_POLL_NS;
	return geo_files_poll(&g, now, say);
}

static int start(void **state)
{
	(void)state;
	now = (uint64_t)time(NULL) * SEC + 3600 * SEC;
	geo_path(path, "country.mmdb");
	make_country(path, "DE", 1);
	return open_files(path, NULL) ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	geo_files_close(&g);
	return 0;
}

static void renamed_over(void **state)
{
	char other[128];
	uint32_t epoch = g.set.epoch;

	(void)state;
	assert_string_equal(country(), "DE");
	assert_int_equal(geo_files_used(&g), 1);
	assert_false(poll_later());
	assert_int_equal(said_count, 0);
	geo_path(other, "new");
	make_country(other, "NL", 2);
	assert_int_equal(rename(other, path), 0);
	assert_string_equal(country(), "DE");
	assert_true(poll_later());
	assert_string_equal(country(), "NL");
	assert_int_not_equal(g.set.epoch, epoch);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said, "a new version is in use"));
	assert_false(poll_later());
	assert_int_equal(said_count, 1);
}

/* Asked as often as anybody likes, looked at no more than every ten seconds. */
static void looked_at_seldom(void **state)
{
	char other[128];

	(void)state;
	poll_later();
	geo_path(other, "new");
	make_country(other, "NL", 2);
	assert_int_equal(rename(other, path), 0);
	for (unsigned i = 0; i < 9; i++)
		assert_false(geo_files_poll(&g, now + i * SEC, say));
	assert_true(geo_files_poll(&g, now + 10 * SEC, say));
}

/* In place: what is mapped is a copy, so that nothing faults. */
static void cut_in_place(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, 40), 0);
	assert_string_equal(country(), "DE");
	assert_false(poll_later());
	assert_non_null(strstr(said, "; the one before stays in use"));
	assert_string_equal(country(), "DE");
	assert_int_equal(g.files[0].state, GEO_FILE_OPEN);
	assert_true(g.files[0].reason[0]);
	assert_int_equal(truncate(path, 0), 0);
	assert_false(poll_later());
	assert_non_null(strstr(said, "an empty file; the one before stays"));
	assert_false(poll_later());
	assert_int_equal(said_count, 2);
	assert_string_equal(country(), "DE");
	make_country(path, "FR", 3);
	assert_true(poll_later());
	assert_string_equal(country(), "FR");
	assert_string_equal(g.files[0].reason, "");
}

static void deleted_and_back(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_false(poll_later());
	assert_non_null(strstr(said, "No such file"));
	assert_false(poll_later());
	assert_int_equal(said_count, 1);
	assert_string_equal(country(), "DE");
	make_country(path, "SE", 4);
	assert_true(poll_later());
	assert_string_equal(country(), "SE");
}

/* A file of this very second may not be complete: it is looked at twice. */
static void still_being_written(void **state)
{
	(void)state;
	make_country(path, "IT", 5);
	now = (uint64_t)time(NULL) * SEC;
	g.looked_ns = now - GEO_POLL_NS;
	assert_false(geo_files_poll(&g, now, say));
	assert_string_equal(country(), "DE");
	assert_true(poll_later());
	assert_string_equal(country(), "IT");
}

static void libloc_is_exchanged_too(void **state)
{
	static const char *const json[] = {
		"{\"format\": \"libloc\", \"networks\": {\"100.0.0.0/8\": {\"country\": \"ES\"}}}",
		"{\"format\": \"libloc\", \"networks\": {\"100.0.0.0/8\": {\"country\": \"PT\"}}}",
	};
	char loc[128];

	(void)state;
	geo_files_close(&g);
	geo_path(loc, "loc.db");
	geo_make(loc, json[0]);
	assert_int_equal(open_files(loc, NULL), 0);
	assert_string_equal(country(), "ES");
	assert_int_equal(truncate(loc, 5000), 0);
	assert_false(poll_later());
	assert_string_equal(country(), "ES");
	geo_make(loc, json[1]);
	assert_true(poll_later());
	assert_string_equal(country(), "PT");
	/* And a file of the other kind in its place. */
	make_country(loc, "GR", 6);
	assert_true(poll_later());
	assert_string_equal(country(), "GR");
	assert_null(g.files[0].copy.bytes);
}

static void not_there_at_first(void **state)
{
	char none[128];

	(void)state;
	geo_files_close(&g);
	geo_path(none, "none.mmdb");
	assert_int_equal(open_files(none, path), 1);
	assert_int_equal(g.files[0].state, GEO_FILE_ABSENT);
	assert_int_equal(geo_files_used(&g), 1);
	assert_string_equal(country(), "DE");
	make_country(none, "AT", 7);
	assert_true(poll_later());
	assert_string_equal(country(), "AT"); /* the first in the list is asked first */
	assert_int_equal(geo_files_used(&g), 2);
	unlink(none);
}

/* The built-in list: absence is no mistake, damage is. */
static void what_is_missed(void **state)
{
	char bad[128];

	(void)state;
	geo_files_close(&g);
	geo_path(bad, "bad");
	memset(&g, 0, sizeof(g));
	config.geo_is_default = true;
	config.geo_databases_count = 1;
	snprintf(config.geo_databases[0], CONFIG_PATH_MAX, "%s", bad);
	snprintf(g.scratch, sizeof(g.scratch), "%s", geo_dir);
	assert_int_equal(geo_files_open(&g, &config), 0);
	assert_int_equal(g.set.epoch, 0);
	geo_write(bad, "rubbish", 7);
	assert_int_equal(geo_files_open(&g, &config), 1);
	config.geo_is_default = false;
	unlink(bad);
	assert_int_equal(geo_files_open(&g, &config), 1);
}

static void odd_files(void **state)
{
	char odd[128];

	(void)state;
	geo_files_close(&g);
	geo_path(odd, "odd");
	assert_int_equal(mkfifo(odd, 0600), 0);
	assert_int_equal(open_files(odd, geo_dir), 2); /* and does not wait for a writer */
	assert_int_equal(g.files[0].state, GEO_FILE_FAILED);
	assert_non_null(strstr(g.files[1].reason, "directory"));
	assert_int_equal(unlink(odd), 0);
	assert_int_equal(open_files("/dev/zero", NULL), 1);
}

/* Nowhere to put the copy: said, and tried again. */
static void no_room_for_a_copy(void **state)
{
	(void)state;
	geo_files_close(&g);
	memset(&g, 0, sizeof(g));
	snprintf(g.scratch, sizeof(g.scratch), "%s/nowhere", geo_dir);
	assert_int_equal(geo_files_open(&g, &config), 1);
	assert_non_null(strstr(g.files[0].reason, "cannot make a private copy"));
	snprintf(g.scratch, sizeof(g.scratch), "%s", geo_dir);
	assert_true(poll_later());
	assert_string_equal(country(), "DE");
}

static void copies_leave_nothing_behind(void **state)
{
	char command[160];

	(void)state;
	for (unsigned i = 0; i < 300; i++) { /* more than there are descriptors */
		geo_files_close(&g);
		assert_int_equal(open_files(path, NULL), 0);
	}
	snprintf(command, sizeof(command), "! ls -A %s | grep -q geo-", geo_dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(renamed_over, start, end),
		cmocka_unit_test_setup_teardown(looked_at_seldom, start, end),
		cmocka_unit_test_setup_teardown(cut_in_place, start, end),
		cmocka_unit_test_setup_teardown(deleted_and_back, start, end),
		cmocka_unit_test_setup_teardown(still_being_written, start, end),
		cmocka_unit_test_setup_teardown(libloc_is_exchanged_too, start, end),
		cmocka_unit_test_setup_teardown(not_there_at_first, start, end),
		cmocka_unit_test_setup_teardown(what_is_missed, start, end),
		cmocka_unit_test_setup_teardown(odd_files, start, end),
		cmocka_unit_test_setup_teardown(no_room_for_a_copy, start, end),
		cmocka_unit_test_setup_teardown(copies_leave_nothing_behind, start, end),
	};

	return cmocka_run_group_tests(tests, geo_dir_make, geo_dir_remove);
}
