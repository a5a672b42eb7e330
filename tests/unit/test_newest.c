/* A log with a date in its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent-linux/newest.h"

static char dir[] = "/tmp/newestXXXXXX";

static void make(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static const char *found(const char *pattern, bool before)
{
	static char ret[400];
	char whole[300];
	int r;

	snprintf(whole, sizeof(whole), "%s/%s", dir, pattern);
	r = newest_path(whole, before, ret, sizeof(ret));
	return r == -ENOENT ? "none" : r ? "failed" : strrchr(ret, '/') + 1;
}

static void the_last_by_name(void **state)
{
	(void)state;
	assert_string_equal(found("vpn_*.log", false), "none");
	make("vpn_20261127.log");
	assert_string_equal(found("vpn_*.log", false), "vpn_20261127.log");
	assert_string_equal(found("vpn_*.log", true), "none");
	make("vpn_20261129.log");
	make("vpn_20261128.log");
	make("vpn_20261130.log.gz");
	make(".vpn_30000000.log");
	assert_string_equal(found("vpn_*.log", false), "vpn_20261129.log");
	assert_string_equal(found("vpn_*.log", true), "vpn_20261128.log");
	assert_string_equal(found("vpn_2026112?.log", false), "vpn_20261129.log");
	assert_string_equal(found("*", false), "vpn_20261130.log.gz");
	assert_string_equal(found("x*", false), "none");
}

static void a_plain_path_is_itself(void **state)
{
	(void)state;
	assert_string_equal(found("auth.log", false), "auth.log"); /* there or not */
	assert_string_equal(found("auth.log", true), "auth.log.1");
	assert_false(newest_is_pattern("/var/lo*/auth.log"));
	assert_true(newest_fits("/var/log/auth.log", "auth.log"));
	assert_false(newest_fits("/var/log/auth.log", "auth.log.1"));
	assert_true(newest_fits("/var/log/vpn_*.log", "vpn_1.log"));
	assert_false(newest_fits("/var/log/vpn_*.log", "vpn_1.log.gz"));
}

static void what_cannot_be_read_is_told(void **state)
{
	char ret[40];

	(void)state;
	assert_int_equal(newest_path("/nowhere/vpn_*.log", false, ret, sizeof(ret)), -ENOENT);
	assert_int_equal(newest_path("/etc/passwd/vpn_*.log", false, ret, sizeof(ret)), -ENOTDIR);
	assert_int_equal(newest_path("/tmp/../tmp/../tmp/../tmp/../tmp/../tmp/x*", false, ret, 20),
			 -ENAMETOOLONG);
}

static int start(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_by_name),
		cmocka_unit_test(a_plain_path_is_itself),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, start, end);
}
