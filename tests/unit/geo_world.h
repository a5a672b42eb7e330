/*
 * geo_world: databases made for a test (tests/geodb.py), and their bytes.
 */
#ifndef TESTS_GEO_WORLD_H
#define TESTS_GEO_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/enrich/geo_db.h"

static char geo_dir[64]; /* of this test program */

static inline int geo_dir_make(void **state)
{
	(void)state;
	strcpy(geo_dir, "/tmp/outergate-geo-XXXXXX");
	return mkdtemp(geo_dir) ? 0 : -1;
}

static inline int geo_dir_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", geo_dir);
	return system(command);
}

static inline void geo_path(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", geo_dir, name);
}

static inline void geo_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void geo_make(const char *path, const char *json)
{
	char spec[160], command[512];

	snprintf(spec, sizeof(spec), "%s.json", path);
	geo_write(spec, json, strlen(json));
	snprintf(command, sizeof(command), "python3 tests/geodb.py %s %s", spec, path);
	assert_int_equal(system(command), 0);
}

static inline uint8_t *geo_read(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(1u << 20);

	assert_non_null(f);
	assert_non_null(p);
	*ret_len = fread(p, 1, 1u << 20, f);
	assert_true(*ret_len < 1u << 20);
	fclose(f);
	return p;
}

static inline struct geo geo_ask(const struct geo_db *db, const char *address)
{
	struct geo g = {0};
	struct addr a;

	assert_true(addr_parse(span_of(address), &a, NULL));
	assert_int_equal(geo_db_lookup(db, &a, &g), 0);
	return g;
}

#endif
