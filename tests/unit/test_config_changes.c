/* What a reload says: one YAML text a key, and that key alone is named; every key has one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_changes.h"

static const struct {
	const char *key, *text;
} rows[] = {
	{"FailedLogonThreshold", "FailedLogonThreshold: 6\n"},
	{"TimeWindow", "TimeWindow: 10m\n"},
	{"Role", "Role: bastion\n"},
	{"Mode, Detections", "Mode: observe\n"}, /* of each that has none of its own */
	{"Scope", "Scope: {SharedIsLocal: true}\n"},
	{"KnownRemoteIPs", "KnownRemoteIPs: [198.51.100.0/24]\n"},
	{"KnownSSHClients", "KnownSSHClients: [198.51.100.0/24]\n"},
	{"ExpectedOnward", "ExpectedOnward: [{from: deploy, to: 10.20.0.0/16}]\n"},
	{"ExpectedAutomation", "ExpectedAutomation: [ansible]\n"},
	{"SharedAccounts", "SharedAccounts: [team]\n"},
	{"CriticalHosts", "CriticalHosts: [10.20.0.5]\n"},
	{"GeoDatabases", "GeoDatabases: []\n"},
	{"GeoIPWhitelist", "GeoIPWhitelist: {countries: [DE]}\n"},
	{"Travel",
	 "Travel: [{account: a, countries: [BR], from: 2026-12-01, until: 2026-12-20}]\n"},
	{"VPNPools", "VPNPools: [198.51.100.128/25]\n"},
	{"RemoteApplications", "RemoteApplications: [Fortigate VPN SSL]\n"},
	{"Detections", "Detections: {auth.spray: {severity: high}}\n"},
	{"Detections", "Detections: {access.external: {exceptions: [{account: a, reason: b}]}}\n"},
	{"Privacy", "Privacy: {CommandLines: none}\n"},
	{"Retention", "Retention: {Alerts: 80d}\n"},
	{"Retention.OutboxMaxBytes", "Retention: {OutboxMaxBytes: 128MiB}\n"},
	{"Sources", "Sources: {Journal: false}\n"},
	{"Sources", "Sources: {WatchPorts: [22, 23]}\n"},
	{"Outputs", "Outputs: {Json: true}\n"},
	{"Store", "Store: /var/lib/other/outergate.db\n"},
	{"Runtime", "Runtime: /run/other\n"},
	{"Limits", "Limits: {Sources: 2048}\n"},
	{"BusinessHours", "BusinessHours: {days: mon-fri, hours: 08:00-18:00}\n"},
	{"AllowedCIDRs", "AllowedCIDRs: [198.51.100.0/28]\n"},
	{"TrustedProxies", "TrustedProxies: [{from: 10.0.0.5/32, kind: xff}]\n"},
	{"Forwarders", "Forwarders: [{name: a, kind: syslog, url: \"tcp://a.example:514\"}]\n"},
	{"Receivers", "Receivers: [{listen: \"udp://:5514\"}]\n"},
	{"Decoders", "Decoders: [{name: a, program: b, service: vpn, lines: [{pattern: "
		     "'(?<origin>.*)', outcome: failure, example: 203.0.113.9}]}]\n"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct config *parsed(const char *text)
{
	struct config *c = calloc(1, sizeof(*c));
	char err[CONFIG_ERROR_MAX] = "";

	assert_non_null(c);
	if (config_parse(text, strlen(text), "test", c, err))
		fail_msg("%s: %s", text, err);
	return c;
}

static void each_key_is_named_alone(void **state)
{
	struct config *before = parsed("");
	char said[CONFIG_CHANGES_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct config *after = parsed(rows[i].text);

		(void)config_changes(before, after, said);
		assert_string_equal(said, rows[i].key);
		assert_int_equal(config_changes(before, after, said),
				 strchr(rows[i].key, ',') ? 2 : 1);
		assert_int_equal(config_changes(after, after, said), 0);
		assert_string_equal(said, "");
		free(after);
	}
	free(before);
}

static void the_same_text_is_no_change(void **state)
{
	char said[CONFIG_CHANGES_MAX], all[8192] = "";

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct config *a = parsed(rows[i].text), *b = parsed(rows[i].text);

		assert_int_equal(config_changes(a, b, said), 0);
		free(a);
		free(b);
		if (!i || strcmp(rows[i].key, rows[i - 1].key) != 0)
			if (!strchr(rows[i].key, '.'))
				strcat(all, rows[i].text);
	}
	struct config *a = parsed(""), *b = parsed(all);

	assert_true(config_changes(a, b, said) > 20); /* all of them fit into what is said */
	assert_non_null(strstr(said, "FailedLogonThreshold, TimeWindow"));
	assert_non_null(strstr(said, "Limits"));
	free(a);
	free(b);
}

static void every_key_has_a_row(void **state)
{
	const char *key;

	(void)state;
	for (unsigned i = 0; (key = config_key_at(i)); i++) {
		bool found = strchr(key, '.') != NULL;

		for (size_t k = 0; k < ROWS && !found; k++)
			found = !strncmp(rows[k].key, key, strlen(key));
		if (!found && key[0] >= 'A' && key[0] <= 'Z')
			fail_msg("no row for %s", key);
	}
}

static void what_a_file_holds_counts(void **state)
{
	struct cidr rows_a[1] = {{.bits = 24}}, rows_b[1] = {{.bits = 25}};
	struct range_set a = {rows_a, 1}, b = {rows_b, 1}, same = {rows_a, 1};
	struct config *before = parsed(""), *after = parsed("");
	char said[CONFIG_CHANGES_MAX];

	(void)state;
	before->ranges_count = after->ranges_count = 1;
	before->ranges[0].set = &a;
	after->ranges[0].set = &same;
	assert_int_equal(config_changes(before, after, said), 0);
	after->ranges[0].set = &b;
	assert_int_equal(config_changes(before, after, said), 1);
	assert_string_equal(said, "KnownRemoteIPs.file");
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_named_alone),
		cmocka_unit_test(the_same_text_is_no_change),
		cmocka_unit_test(every_key_has_a_row),
		cmocka_unit_test(what_a_file_holds_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
