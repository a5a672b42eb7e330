/* Local time and business hours, against days whose clocks are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"

#define BERLIN	 "CET-1CEST,M3.5.0,M10.5.0/3"
#define SYDNEY	 "AEST-10AEDT,M10.1.0,M4.1.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define NS	 1000000000ull

static struct zone zone_of(const char *rule)
{
	struct zone z;

	assert_true(zone_parse(span_of(rule), &z));
	return z;
}

static uint64_t at(int64_t year, int month, int day, int h, int m, int s)
{
	return (uint64_t)(zone_days(year, month, day) * 86400 + h * 3600 + m * 60 + s) * NS;
}

static int64_t shift(const char *rule, uint64_t time_ns)
{
	struct zone z = zone_of(rule);

	return zone_local(&z, time_ns) - (int64_t)(time_ns / NS);
}

static void clocks_change_when_they_do(void **state)
{
	(void)state;
	assert_int_equal(shift(BERLIN, at(2026, 3, 29, 0, 59, 59)), 3600);
	assert_int_equal(shift(BERLIN, at(2026, 3, 29, 1, 0, 0)), 7200);
	assert_int_equal(shift(BERLIN, at(2026, 10, 25, 0, 59, 59)), 7200);
	assert_int_equal(shift(BERLIN, at(2026, 10, 25, 1, 0, 0)), 3600);
	assert_int_equal(shift(NEW_YORK, at(2026, 3, 8, 6, 59, 59)), -5 * 3600);
	assert_int_equal(shift(NEW_YORK, at(2026, 3, 8, 7, 0, 0)), -4 * 3600);
	assert_int_equal(shift(NEW_YORK, at(2026, 11, 1, 5, 59, 59)), -4 * 3600);
	assert_int_equal(shift(NEW_YORK, at(2026, 11, 1, 6, 0, 0)), -5 * 3600);
	/* South of the equator the summer spans the new year. */
	assert_int_equal(shift(SYDNEY, at(2026, 1, 1, 0, 0, 0)), 11 * 3600);
	assert_int_equal(shift(SYDNEY, at(2026, 4, 4, 15, 59, 59)), 11 * 3600);
	assert_int_equal(shift(SYDNEY, at(2026, 4, 4, 16, 0, 0)), 10 * 3600);
	assert_int_equal(shift(SYDNEY, at(2026, 10, 3, 16, 0, 0)), 11 * 3600);
	assert_int_equal(shift("<+0545>-5:45", at(2026, 6, 1, 0, 0, 0)), 5 * 3600 + 45 * 60);
	assert_int_equal(shift("UTC0", at(2026, 6, 1, 0, 0, 0)), 0);
	/* Days of the year: J60 is always March 1, 59 is February 29 in a leap year. */
	assert_int_equal(shift("XST0XDT,J60/0,J300/0", at(2024, 2, 29, 23, 59, 59)), 0);
	assert_int_equal(shift("XST0XDT,J60/0,J300/0", at(2024, 3, 1, 0, 0, 0)), 3600);
	assert_int_equal(shift("XST0XDT,59/0,J300/0", at(2024, 2, 29, 0, 0, 0)), 3600);
	assert_int_equal(shift("XST0XDT,59/0,J300/0", at(2023, 2, 28, 23, 59, 59)), 0);
}

static void weeks_begin_on_monday(void **state)
{
	struct zone utc = {0}, berlin = zone_of(BERLIN);

	(void)state;
	assert_int_equal(zone_week_hour(&utc, 0), 3 * 24);
	assert_int_equal(zone_week_hour(&utc, at(2026, 11, 30, 0, 0, 0)), 0);
	assert_int_equal(zone_week_hour(&utc, at(2026, 11, 29, 23, 59, 59)), 167);
	assert_int_equal(zone_week_hour(&berlin, at(2026, 11, 29, 23, 0, 0)), 0);
}

static void what_is_no_rule_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"Europe/Berlin",
		"CE-1",
		"CET",
		"CET-25",
		"CET-1CEST",
		"CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0/168",
		"CET-1CEST,J0,J300",
		"CET-1CEST,M3.5.0,M10.5.0x",
		"<+05-5",
		"CET-1:60",
		"CET-99999999999",
		"CET-1CEST,M0.1.0,M1.1.0",
	};
	struct zone z = {.standard_s = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(zone_parse(span_of(bad[i]), &z));
	assert_int_equal(z.standard_s, 7);
}

static struct config config_of(const char *yaml)
{
	static struct config c;
	char err[CONFIG_ERROR_MAX];

	if (config_parse(yaml, strlen(yaml), "t.yaml", &c, err))
		fail_msg("%s", err);
	return c;
}

static bool is_night_watch(const char *account, const char *group)
{
	return strcmp(account, "nora") == 0 && strcmp(group, "night") == 0;
}

static bool business(const struct config *c, const char *account, uint64_t time_ns)
{
	return hours_are_business(&c->hours, account, is_night_watch, time_ns);
}

static void hours_have_edges(void **state)
{
	struct config c = config_of("BusinessHours:\n"
				    "  days: mon-fri\n"
				    "  hours: [08:00-12:00, 13:00-18:00]\n"
				    "  timezone: " BERLIN "\n"
				    "  holidays: [2026-12-25]\n"
				    "  overrides:\n"
				    "    - {account: oncall, days: mon-sun, hours: 00:00-24:00}\n"
				    "    - {group: night, hours: 22:00-06:00}\n");

	(void)state;
	/* Monday 2026-11-30 in Berlin, an hour ahead */
	assert_false(business(&c, "alice", at(2026, 11, 30, 6, 59, 59)));
	assert_true(business(&c, "alice", at(2026, 11, 30, 7, 0, 0)));
	assert_true(business(&c, "alice", at(2026, 11, 30, 10, 59, 59)));
	assert_false(business(&c, "alice", at(2026, 11, 30, 11, 0, 0)));
	assert_true(business(&c, "alice", at(2026, 11, 30, 12, 0, 0)));
	assert_true(business(&c, "alice", at(2026, 11, 30, 16, 59, 59)));
	assert_false(business(&c, "alice", at(2026, 11, 30, 17, 0, 0)));
	/* Two hours ahead in summer */
	assert_true(business(&c, "alice", at(2026, 7, 6, 6, 0, 0)));
	assert_false(business(&c, "alice", at(2026, 7, 6, 16, 0, 0)));
	/* Saturday; Sunday 23:30 UTC is Monday 00:30 there */
	assert_false(business(&c, "alice", at(2026, 11, 28, 9, 0, 0)));
	assert_false(business(&c, "alice", at(2026, 11, 29, 23, 30, 0)));
	/* A holiday is one there, and none for who is on call */
	assert_false(business(&c, "alice", at(2026, 12, 25, 9, 0, 0)));
	assert_true(business(&c, "alice", at(2026, 12, 24, 9, 0, 0)));
	assert_true(business(&c, "oncall", at(2026, 12, 25, 9, 0, 0)));
	/* Past midnight belongs to the day before: Friday night yes, Sunday night no */
	assert_true(business(&c, "nora", at(2026, 11, 28, 4, 59, 59)));
	assert_false(business(&c, "nora", at(2026, 11, 28, 5, 0, 0)));
	assert_false(business(&c, "nora", at(2026, 11, 28, 21, 0, 0)));
	assert_false(business(&c, "nora", at(2026, 11, 30, 4, 0, 0)));
	assert_true(business(&c, "nora", at(2026, 11, 30, 21, 0, 0)));
	assert_false(business(&c, "nora", at(2026, 11, 30, 9, 0, 0)));
	assert_false(hours_are_business(&c.hours, "nora", NULL, at(2026, 11, 30, 21, 0, 0)));
}

static void nothing_configured_is_always(void **state)
{
	struct config c;

	(void)state;
	config_defaults(&c);
	assert_true(business(&c, "alice", at(2026, 11, 29, 3, 0, 0)));
}

static void days_and_lists(void **state)
{
	struct config c = config_of("BusinessHours: {days: [sat-mon, wed], hours: 09:00-17:00}\n");

	(void)state;
	assert_int_equal(c.hours.rule.days, 1 | 4 | 32 | 64);
}

static void bad_hours_are_told(void **state)
{
	static const struct {
		const char *yaml, *told;
	} rows[] = {
		{"BusinessHours: {days: mon-fri}", "BusinessHours.hours is missing"},
		{"BusinessHours: {days: monday, hours: 08:00-18:00}",
		 "t.yaml:1: BusinessHours.days: 'monday' is not a day"},
		{"BusinessHours: {days: mon, hours: 8-18}", "'8-18' is not a range"},
		{"BusinessHours: {days: mon, hours: 08:00-25:00}", "is not a range"},
		{"BusinessHours: {days: mon, hours: 08:00-08:00}", "is not a range"},
		{"BusinessHours: {days: mon, hours: 08:00-09:00, timezone: 'CET;1'}",
		 "is not a zone"},
		{"BusinessHours: {days: mon, hours: 08:00-09:00, timezome: UTC0}",
		 "the nearest is BusinessHours.timezone"},
		{"BusinessHours: {days: mon, hours: 08:00-09:00, holidays: [25.12.2026]}",
		 "is not a day such as"},
		{"BusinessHours: {days: mon, hours: 08:00-09:00, overrides: [{hours: "
		 "08:00-09:00}]}",
		 "either an account or a group"},
		{"BusinessHours: {days: mon, hours: [1:00-2:00]}", "is not a range"},
		{"BusinessHours: {days: mon, hours: [01:00-02:00, 03:00-04:00, 05:00-06:00, "
		 "07:00-08:00, 09:00-10:00]}",
		 "at most 4 ranges"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct config c;
		char err[CONFIG_ERROR_MAX];

		assert_int_not_equal(
			config_parse(rows[i].yaml, strlen(rows[i].yaml), "t.yaml", &c, err), 0);
		if (!strstr(err, rows[i].told))
			fail_msg("%s: %s", rows[i].yaml, err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_change_when_they_do),
		cmocka_unit_test(weeks_begin_on_monday),
		cmocka_unit_test(what_is_no_rule_is_refused),
		cmocka_unit_test(hours_have_edges),
		cmocka_unit_test(nothing_configured_is_always),
		cmocka_unit_test(days_and_lists),
		cmocka_unit_test(bad_hours_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
