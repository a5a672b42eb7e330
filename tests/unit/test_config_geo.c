/*
 * Countries, networks, journeys, pools and databases as an operator writes them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/plat.h"

static struct config got;
static char err[CONFIG_ERROR_MAX];

static int parse(const char *text)
{
	return config_parse(text, strlen(text), "t", &got, err);
}

static void parse_good(const char *text)
{
	if (parse(text))
		fail_msg("%s", err);
}

static const struct {
	const char *text, *want;
} bad[] = {
	{"GeoIPWhitelist: []", "t:1: GeoIPWhitelist: expected keys and values"},
	{"GeoIPWhitelist: {country: [DE]}",
	 "t:1: unknown key 'country'; the nearest is GeoIPWhitelist.countries"},
	{"GeoIPWhitelist: {countries: DE}",
	 "t:1: GeoIPWhitelist.countries: expected a list; write [] for none"},
	{"GeoIPWhitelist:\n  countries: [DE,\n UK]",
	 "t:3: GeoIPWhitelist.countries: 'UK' is not a country code; the United Kingdom is GB"},
	{"GeoIPWhitelist: {countries: [DEU]}",
	 "t:1: GeoIPWhitelist.countries: 'DEU' is not a country code of two letters such as DE"},
	{"GeoIPWhitelist: {countries: ['']}",
	 "t:1: GeoIPWhitelist.countries: '' is not a country code of two letters such as DE"},
	{"GeoIPWhitelist: {countries: [A1]}",
	 "t:1: GeoIPWhitelist.countries: 'A1' is not a country code of two letters such as DE"},
	{"GeoIPWhitelist: {countries: [E ]}",
	 "t:1: GeoIPWhitelist.countries: 'E' is not a country code of two letters such as DE"},
	{"GeoIPWhitelist: {asns: [AS]}", "t:1: GeoIPWhitelist.asns: 'AS' is not the number of an "
					 "autonomous system such as 64500"},
	{"GeoIPWhitelist: {asns: [4294967296]}",
	 "t:1: GeoIPWhitelist.asns: '4294967296' is not the number of an autonomous system such as "
	 "64500"},
	{"GeoIPWhitelist: {asns: [0]}", "t:1: GeoIPWhitelist.asns: '0' is not the number of an "
					"autonomous system such as 64500"},
	{"GeoIPWhitelist: {unresolved: deny}",
	 "t:1: GeoIPWhitelist.unresolved: 'deny' is not one of: allow alert"},
	{"Travel: {account: a}", "t:1: Travel: expected a list; write [] for none"},
	{"Travel: [{countries: [DE]}]", "t:1: Travel.account is missing"},
	{"Travel: [{account: a}]", "t:1: Travel.countries is missing"},
	{"Travel: [{account: a, countries: []}]",
	 "t:1: Travel.countries is empty: it would allow nothing"},
	{"Travel: [{account: a, countries: [DE], from: 2026-12-02, until: 2026-12-01}]",
	 "t:1: Travel.until is before Travel.from"},
	{"Travel: [{account: a, countries: [DE], from: tomorrow}]",
	 "t:1: Travel.from: 'tomorrow' is not a day such as 2026-12-31"},
	{"Travel: [{account: a, countries: [DE], to: 2026-12-31}]",
	 "t:1: unknown key 'to'; the nearest is Travel.from"},
	{"VPNPools: [10.0.0.1/8]", "t:1: VPNPools: '10.0.0.1/8' is not a CIDR block: its length is "
				   "wrong or host bits are set"},
	{"VPNPools: [office]", "t:1: VPNPools: 'office' is not an address or CIDR block"},
	{"GeoDatabases: /a.mmdb", "t:1: GeoDatabases: expected a list; write [] for none"},
	{"GeoDatabases: [a.mmdb]", "t:1: GeoDatabases: 'a.mmdb' is not an absolute path"},
	{"GeoDatabase: [/a]", "t:1: unknown key 'GeoDatabase'; the nearest is GeoDatabases"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		assert_string_equal(err, bad[i].want);
	}
}

static void test_geo(void **state)
{
	const struct travel *t = &got.travel[0];

	(void)state;
	parse_good(
		"GeoIPWhitelist: {countries: [de, NO, 'Nl'], asns: [64500, AS64501, as1], "
		"unresolved: alert}\n"
		"Travel: [{account: a, countries: [br, AR], from: 1970-01-02, until: 1970-01-03},"
		" {account: b, countries: [FR]}]\n"
		"VPNPools: [198.51.100.0/25, '2001:db8::/32']\nGeoDatabases: [/a, /b]\n");
	assert_int_equal(got.whitelist.countries_count, 3);
	assert_string_equal(got.whitelist.countries[0], "DE");
	assert_string_equal(got.whitelist.countries[1], "NO");
	assert_string_equal(got.whitelist.countries[2], "NL");
	assert_int_equal(got.whitelist.asns_count, 3);
	assert_int_equal(got.whitelist.asns[1], 64501);
	assert_int_equal(got.whitelist.asns[2], 1);
	assert_true(got.whitelist.unresolved_alert);
	assert_int_equal(got.travel_count, 2);
	assert_string_equal(t->countries[1], "AR");
	assert_int_equal(t->from_ns, 86400 * 1000000000ull);
	assert_int_equal(t->until_ns, 3 * 86400 * 1000000000ull - 1);
	assert_int_equal(t[1].from_ns, 0);
	assert_int_equal(t[1].until_ns, 0);
	assert_int_equal(got.vpn_pools_count, 2);
	assert_int_equal(got.geo_databases_count, 2);
	assert_false(got.geo_is_default);
	parse_good("GeoDatabases: []");
	assert_int_equal(got.geo_databases_count, 0);
	assert_false(got.geo_is_default);
	parse_good("");
	assert_true(got.geo_is_default);
	assert_string_equal(got.geo_databases[0], PLAT_GEO "country.mmdb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_geo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
