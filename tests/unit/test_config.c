/*
 * test_config: every key with a good value, every way to be wrong with its line and reason, and
 * all or nothing under random damage.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/config.h"

#define KEY "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
#ifndef DEFAULTS_PATH
#define DEFAULTS_PATH "deploy/outergate.yaml"
#endif
#define DAY_NS ((uint64_t)86400 * 1000000000)

static struct config before, got; /* large; before is the pattern that a failure must leave */
static char err[CONFIG_ERROR_MAX];

static int parse(const char *text)
{
	memset(&before, 0xa5, sizeof(before));
	memset(&got, 0xa5, sizeof(got));
	memset(err, 0xa5, sizeof(err));
	return config_parse(text, strlen(text), "t", &got, err);
}

static void parse_good(const char *text)
{
	if (parse(text))
		fail_msg("refused: %s\n%s", err, text);
	assert_string_equal(err, "");
}

/* The wanted sentence whole, with file and line. */
static void parse_bad(const char *text, const char *want)
{
	if (parse(text) == 0)
		fail_msg("accepted: %s", text);
	if (strcmp(err, want) != 0)
		fail_msg("%s\n  says %s\n  not  %s", text, err, want);
	assert_memory_equal(&got, &before, sizeof(got));
}

static char *read_defaults(void)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(DEFAULTS_PATH, "rb");

	assert_non_null(text);
	assert_non_null(f);
	assert_in_range(fread(text, 1, 65535, f), 1000, 65000);
	fclose(f);
	return text;
}

/* The commented file says what the code does without it, value by value. */
static void test_defaults(void **state)
{
	static struct config want;
	char *text = read_defaults();

	(void)state;
	parse_good(text);
	config_defaults(&want);
	assert_memory_equal(&got, &want, sizeof(want));
	parse_good("");
	assert_memory_equal(&got, &want, sizeof(want));
	assert_int_equal(want.failed_logon_threshold, 5);
	assert_int_equal(want.time_window_s, 900);
	assert_true(want.journal && want.journald && !want.json);
	assert_false(want.keep_unknown_accounts);
	assert_int_equal(want.watch_ports[0], 22);
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		assert_true(want.detections[i].enabled && !want.detections[i].observe);
		for (unsigned j = 0; j < DETECTION_PARAMS_MAX; j++)
			assert_int_equal(want.detections[i].params[j],
					 detections[i]->params[j].value);
	}
	free(text);
}

/* No key that only the source code knows of. */
static void test_keys_documented(void **state)
{
	char *text = read_defaults(), word[64];
	unsigned n = 0;

	(void)state;
	for (const char *key; (key = config_key_at(n)); n++) {
		const char *dot = strrchr(key, '.');

		snprintf(word, sizeof(word), "%s:", dot ? dot + 1 : key);
		if (!strstr(text, word))
			fail_msg("%s is not in " DEFAULTS_PATH, key);
	}
	assert_in_range(n, 44, 160);
	assert_null(config_key_at(n));
	assert_null(config_key_at(n + 100));
	assert_string_equal(config_key_at(0), "FailedLogonThreshold");
	free(text);
}

static const struct {
	const char *text, *want;
} bad_cases[] = {
	/* keys */
	{"FailedLogonTreshold: 7",
	 "t:1: unknown key 'FailedLogonTreshold'; the nearest is FailedLogonThreshold"},
	{"\n# x\ntimewindow: 1h", "t:3: unknown key 'timewindow'; the nearest is TimeWindow"},
	{"Mode: alert\nRole: ci\nMode: alert", "t:3: Mode is given twice"},
	{"Privacy: {UnknownAccount: keep}",
	 "t:1: unknown key 'UnknownAccount'; the nearest is Privacy.UnknownAccounts"},
	{"Retention:\n  Alerts: 1d\n  Alerts: 2d", "t:3: Retention.Alerts is given twice"},
	{"? [a]\n: b", "t:1: expected a key, found a list or a map"},
	{"\"a\\nt:9: forged\": 1", "t:1: unknown key 'a?t:9: forged'; the nearest is Store"},
	{"Modeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1",
	 "t:1: unknown key 'Modeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'; "
	 "the nearest is Mode"},
	{"KnownRemoteIPs:\n  - {account: a}", "t:2: KnownRemoteIPs: either a cidr or a file"},
	{"KnownRemoteIPs: [{cidr: 192.0.2.1, file: /x}]",
	 "t:1: KnownRemoteIPs: either a cidr or a file"},
	{"KnownRemoteIPs: [{file: x.txt}]",
	 "t:1: KnownRemoteIPs.file: 'x.txt' is not an absolute path"},
	{"KnownRemoteIPs:\n- {file: /1}\n- {file: /2}\n- {file: /3}\n- {file: /4}\n- {file: /4}\n- "
	 "{file: /5}",
	 "t:7: KnownRemoteIPs.file: more than 4 files"},
	{"KnownRemoteIPs: [{cidr: 192.0.2.1, key: AAAA}]",
	 "t:1: KnownRemoteIPs.key: 'AAAA' is not a key fingerprint (SHA256:...)"},
	{"KnownRemoteIPs: [{cidr: 192.0.2.1, hours: always}]",
	 "t:1: KnownRemoteIPs.hours: 'always' is not a range such as 08:00-18:00"},
	{"KnownRemoteIPs: [{cidr: 192.0.2.1, days: never}]",
	 "t:1: KnownRemoteIPs.days: 'never' is not a day or a range such as mon-fri"},
	/* designed, not built */
	{"KnownVNCServers: []", "t:1: KnownVNCServers is not supported by this version"},
	{"TrustedProxies:\n  - from: 10.0.0.0/8\n    kind: snat",
	 "t:3: TrustedProxies.kind: 'snat' is not one of: proxy-protocol xff"},
	{"TrustedProxies:\n  - from: 10.0.0.0/8", "t:3: TrustedProxies.kind is missing"},

	{"Forwarders: [{kind: otlp, url: \"https://a\"}]", "t:1: Forwarders.name is missing"},
	{"Forwarders: [{name: a b, kind: otlp, url: \"https://a\"}]",
	 "t:1: Forwarders.name: 'a b' is not letters, digits, - and _"},
	{"Forwarders: [{name: a, kind: splunk, url: \"https://a\"}]",
	 "t:1: Forwarders.kind: 'splunk' is not one of: otlp kafka syslog relp hec elastic "
	 "sentinel "
	 "clickhouse prometheus"},
	{"Forwarders:\n- {name: a, kind: otlp, url: \"tcp://a\"}",
	 "t:2: Forwarders.url: otlp wants https:// or http://"},
	{"Forwarders:\n- {name: a, kind: kafka, url: \"https://a\"}",
	 "t:2: Forwarders.url: kafka wants host:port,host:port"},
	{"Forwarders:\n- {name: a, kind: hec, url: \"https://a\"}",
	 "t:2: Forwarders.secret is missing: the file of the HEC token"},
	{"Forwarders:\n- {name: a, kind: otlp, url: \"http://192.0.2.1\", secret: /s}",
	 "t:2: Forwarders.url: a secret is only sent by https://, or to this host"},
	{"Forwarders:\n- {name: a, kind: otlp, url: \"http://127.evil.example\", secret: /s}",
	 "t:2: Forwarders.url: a secret is only sent by https://, or to this host"},
	{"Forwarders:\n- {name: a, kind: relp, url: \"tls://a\", send: [metrics]}",
	 "t:2: Forwarders.send: metrics go by otlp or prometheus"},
	{"Forwarders:\n- {name: a, kind: prometheus, url: \"127.0.0.1:1\", send: [alerts]}",
	 "t:2: Forwarders.send: prometheus serves metrics alone"},
	{"Forwarders:\n- {name: a, kind: relp, url: \"tls://a\", cert: /c}",
	 "t:2: Forwarders: cert and key go together"},
	{"Forwarders:\n- {name: a, kind: otlp, url: \"https://a\", schema: cef}",
	 "t:2: Forwarders.schema: cef is text; otlp wants JSON"},
	{"Forwarders:\n- {name: a, kind: sentinel, url: \"https://a\"}",
	 "t:2: Forwarders.rule is missing: the immutable id of the data collection rule"},
	{"Forwarders:\n- {name: a, kind: otlp, url: \"https://a\"}\n- {name: a, kind: otlp, url: "
	 "\"https://b\"}",
	 "t:3: Forwarders.name: a is given twice"},
	{"Privacy: {Pseudonymise: [store]}",
	 "t:1: Privacy.Pseudonymise: 'store' is not one of: journald json"},
	{"Privacy: {Pseudonymise: [json, json]}", "t:1: Privacy.Pseudonymise: json is given twice"},
	/* shapes */
	{"[]", "t:1: configuration: expected keys and values"},
	{"hello", "t:1: configuration: expected keys and values"},
	{"Mode:", "t:1: Mode has no value"},
	{"Mode: ~", "t:1: Mode has no value"},
	{"Mode: null", "t:1: Mode has no value"},
	{"Mode: [alert]", "t:1: Mode: expected one value, found a list or keys"},
	{"Mode: {a: b}", "t:1: Mode: expected one value, found a list or keys"},
	{"KnownRemoteIPs:", "t:1: KnownRemoteIPs: expected a list; write [] for none"},
	{"KnownRemoteIPs: 10.0.0.1", "t:1: KnownRemoteIPs: expected a list; write [] for none"},
	{"Privacy: []", "t:1: Privacy: expected keys and values"},
	{"Detections: []", "t:1: Detections: expected keys and values"},
	{"ExpectedOnward: [10.0.0.1]", "t:1: ExpectedOnward: expected keys and values"},
	{"Mode: alert\n---\nMode: alert", "t:2: a second document; one is enough"},
	{"Mode: &a alert", "t:1: anchors, aliases and tags are not supported here"},
	{"KnownRemoteIPs: &a []", "t:1: anchors, aliases and tags are not supported here"},
	{"Privacy: &a {}", "t:1: anchors, aliases and tags are not supported here"},
	{"Mode: *a", "t:1: anchors, aliases and tags are not supported here"},
	{"Mode: !!str alert", "t:1: anchors, aliases and tags are not supported here"},
	{"Mode: alert\nRole: ci: x",
	 "t:2: not YAML: mapping values are not allowed in this context"},
	{"Mode: alert\n\tRole: ci",
	 "t:2: not YAML: found a tab character that violates indentation"},
	{"Mode: alert\n\nRole: \xff", "t:3: not YAML: invalid leading UTF-8 octet"},
	{"Mode: alert\nRole: \x01", "t:2: not YAML: control characters are not allowed"},
	/* numbers */
	{"FailedLogonThreshold: '5'", "t:1: FailedLogonThreshold: '5' is not a whole number"},
	{"FailedLogonThreshold: -1", "t:1: FailedLogonThreshold: '-1' is not a whole number"},
	{"FailedLogonThreshold: 010", "t:1: FailedLogonThreshold: '010' is not a whole number"},
	{"FailedLogonThreshold: 5.0", "t:1: FailedLogonThreshold: '5.0' is not a whole number"},
	{"FailedLogonThreshold: 0x5", "t:1: FailedLogonThreshold: '0x5' is not a whole number"},
	{"FailedLogonThreshold: 99999999999999999999999",
	 "t:1: FailedLogonThreshold: '99999999999999999999999' is not a whole number"},
	{"FailedLogonThreshold: 0", "t:1: FailedLogonThreshold: '0' is not between 1 and 10000"},
	{"FailedLogonThreshold: 4294967301",
	 "t:1: FailedLogonThreshold: '4294967301' is not between 1 and 10000"},
	{"TimeWindow: soon",
	 "t:1: TimeWindow: 'soon' is not a duration such as 15m, 900s, 1h or 30d"},
	{"TimeWindow: 15 m",
	 "t:1: TimeWindow: '15 m' is not a duration such as 15m, 900s, 1h or 30d"},
	{"TimeWindow: 1M", "t:1: TimeWindow: '1M' is not a duration such as 15m, 900s, 1h or 30d"},
	{"TimeWindow: m", "t:1: TimeWindow: 'm' is not a duration such as 15m, 900s, 1h or 30d"},
	{"TimeWindow: 0", "t:1: TimeWindow: '0' is not between 1 and 86400 seconds"},
	{"TimeWindow: 25h", "t:1: TimeWindow: '25h' is not between 1 and 86400 seconds"},
	{"TimeWindow: 18446744073709551615w",
	 "t:1: TimeWindow: '18446744073709551615w' is not a duration such as 15m, 900s, 1h or 30d"},
	{"Retention: {MaxBytes: 256MB}",
	 "t:1: Retention.MaxBytes: '256MB' is not a size such as 256MiB, 64KiB or bytes"},
	{"Retention: {MaxBytes: 1KiB}",
	 "t:1: Retention.MaxBytes: '1KiB' is not between 1048576 and 1099511627776 bytes"},
	{"Limits: {Sessions: 63}", "t:1: Limits.Sessions: '63' is not between 64 and 32768"},
	{"Sources: {Files: ['/var/*/vpn.log']}",
	 "t:1: Sources.Files: '/var/*/vpn.log' has a pattern in its directory"},
	{"Sources: {WatchPorts: [22, 0]}",
	 "t:1: Sources.WatchPorts: '0' is not between 1 and 65535"},
	{"Sources: {WatchPorts: [65536]}",
	 "t:1: Sources.WatchPorts: '65536' is not between 1 and 65535"},
	/* truth, words */
	{"Sources: {Journal: yes}", "t:1: Sources.Journal: 'yes' is not true or false"},
	{"Sources: {Journal: 'true'}", "t:1: Sources.Journal: 'true' is not true or false"},
	{"Outputs: {Json: 1}", "t:1: Outputs.Json: '1' is not true or false"},
	{"Mode: loud", "t:1: Mode: 'loud' is not one of: alert observe"},
	{"Role: Server", "t:1: Role: 'Server' is not one of: server bastion ci"},
	{"Privacy: {CommandLines: some}",
	 "t:1: Privacy.CommandLines: 'some' is not one of: redacted full none"},
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, service: sshd}]",
	 "t:1: KnownRemoteIPs.service: 'sshd' is not one of: ssh rdp winrm smb rpc vnc telnet ftp "
	 "vpn citrix docker kubelet kube-api kube-dashboard rdgateway mail web-remote agent "
	 "network other socks"},
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, service: ''}]",
	 "t:1: KnownRemoteIPs.service: '' is not one of: ssh rdp winrm smb rpc vnc telnet ftp "
	 "vpn citrix docker kubelet kube-api kube-dashboard rdgateway mail web-remote agent "
	 "network other socks"},
	/* addresses */
	{"KnownRemoteIPs: [10.0.0.1/8]", "t:1: KnownRemoteIPs: '10.0.0.1/8' is not a CIDR block: "
					 "its length is wrong or host bits are set"},
	{"CriticalHosts:\n  - 10.0.0.1\n  - 2001:db8::/129",
	 "t:3: CriticalHosts: '2001:db8::/129' is not a CIDR block: its length is wrong or host "
	 "bits are set"},
	{"CriticalHosts: [example.org]",
	 "t:1: CriticalHosts: 'example.org' is not an address or CIDR block"},
	{"CriticalHosts: ['']", "t:1: CriticalHosts: '' is not an address or CIDR block"},
	{"CriticalHosts: ['-']", "t:1: CriticalHosts: '-' is not an address or CIDR block"},
	{"KnownRemoteIPs: ['10.']", "t:1: KnownRemoteIPs: '10.' is not an address or CIDR block"},
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, acount: x}]",
	 "t:1: unknown key 'acount'; the nearest is KnownRemoteIPs.account"},
	{"KnownSSHClients: ['SHA256:abc']",
	 "t:1: KnownSSHClients: 'SHA256:abc' is not a CIDR block without host bits or a key "
	 "fingerprint (SHA256:...)"},
	{"Scope: {Overrides: [{cidr: 10.0.0.0/8}]}", "t:1: Scope.Overrides.scope is missing"},
	{"Scope: {Overrides: [{cidr: 10.0.0.0/8, scope: inside}]}",
	 "t:1: Scope.Overrides.scope: 'inside' is not one of: loopback link-local private shared "
	 "reserved external"},
	{"ExpectedOnward: [{from: x}]", "t:1: ExpectedOnward.to is missing"},
	/* days, text, paths */
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, until: 2026-02-29}]",
	 "t:1: KnownRemoteIPs.until: '2026-02-29' is not a day such as 2026-12-31"},
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, until: 31.12.2026}]",
	 "t:1: KnownRemoteIPs.until: '31.12.2026' is not a day such as 2026-12-31"},
	{"KnownRemoteIPs: [{cidr: 10.0.0.1, until: 2026-13-01}]",
	 "t:1: KnownRemoteIPs.until: '2026-13-01' is not a day such as 2026-12-31"},
	{"SharedAccounts: ['']", "t:1: SharedAccounts: '' is not one line of text"},
	{"SharedAccounts: [\"a\\nb\"]", "t:1: SharedAccounts: 'a?b' is not one line of text"},
	{"SharedAccounts: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]",
	 "t:1: SharedAccounts: longer than 63 bytes"},
	{"Store: outergate.db", "t:1: Store: 'outergate.db' is not an absolute path"},
	{"Sources: {Files: [auth.log]}", "t:1: Sources.Files: 'auth.log' is not an absolute path"},
	/* detections */
	{"Detections: {auth.brutforce: {}}",
	 "t:1: unknown detection 'auth.brutforce'; the nearest is auth.bruteforce"},
	{"Detections:\n  auth.spray: {}\n  auth.spray: {}", "t:3: auth.spray is given twice"},
	{"Detections: {auth.spray: {severity: urgent}}",
	 "t:1: Detections.<id>.severity: 'urgent' is not one of: info low medium high critical"},
	{"Detections: {auth.spray: {enable: false}}",
	 "t:1: unknown key 'enable'; the nearest is Detections.<id>.enabled"},
	{"Detections: {auth.spray: {exceptions: [{account: x}]}}",
	 "t:1: Detections.<id>.exceptions.reason is missing"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, key: SHA256}]}}",
	 "t:1: Detections.<id>.exceptions.key: 'SHA256' is not a key fingerprint (SHA256:...)"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, key: '" KEY "a'}]}}",
	 "t:1: Detections.<id>.exceptions.key: '"
	 "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMp..."
	 "' is not a key fingerprint (SHA256:...)"},
	{"Detections: {auth.spray: {exceptions: [{reason: x}]}}",
	 "t:1: an exception needs an origin, account, service, key or another thing to match; to "
	 "silence the detection set enabled: false"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, method: telepathy}]}}",
	 "t:1: Detections.<id>.exceptions.method: 'telepathy' is not a method such as password or "
	 "publickey"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, country: Nl}]}}",
	 "t:1: Detections.<id>.exceptions.country: 'Nl' is not a country such as NL"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, asn: 0}]}}",
	 "t:1: Detections.<id>.exceptions.asn: '0' is not between 1 and 4294967295"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, port: 65536}]}}",
	 "t:1: Detections.<id>.exceptions.port: '65536' is not between 1 and 65535"},
	{"Detections: {auth.spray: {exceptions: [{reason: x, cause: y}]}}",
	 "t:1: Detections.<id>.exceptions.cause: auth.spray has only one"},
	{"Detections: {origin.new_place: {exceptions: [{reason: x, cause: place}]}}",
	 "t:1: Detections.<id>.exceptions.cause: 'place' is not one of: country network"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++)
		parse_bad(bad_cases[i].text, bad_cases[i].want);
}

static const char full_text[] =
	"\xef\xbb\xbf%YAML 1.1\n---\n"
	"FailedLogonThreshold: 7\nTimeWindow: '1h'\nRole: bastion\nMode: observe\n"
	"KnownRemoteIPs:\n"
	"- 198.51.100.0/24\n"
	"- {cidr: 2001:db8::/32, account: backup, service: ssh, until: 2028-02-29}\n"
	"KnownSSHClients: [10.0.0.0/8, '" KEY "']\n"
	"ExpectedOnward: [{from: '*', to: 10.1.0.0/16}, {from: ci, to: 10.2.0.1, service: rdp}]\n"
	"ExpectedAutomation: [ansible, 'J\xc3\xb6rg']\nSharedAccounts: [ops]\n"
	"CriticalHosts: [10.9.9.9, fd00::/8]\n"
	"Scope: {SharedIsLocal: true, Overrides: [{cidr: 192.0.2.0/24, scope: private}]}\n"
	"Privacy: {UnknownAccounts: keep, CommandLines: none}\n"
	"Retention: {Alerts: 2w, Sessions: 86400, MaxBytes: 1GiB}\n"
	"Sources: {Journal: false, Files: [/a, 'C:\\x'], WatchPorts: [22, 2222, 65535]}\n"
	"Outputs: {Journald: false, Json: true}\nStore: /s\nRuntime: /r\n"
	"Limits: {Sessions: 64, Sources: 1024, Accounts: 256, Connections: 257, "
	"Alerts: 65}\n...\n";

static void test_good_lists(void **state)
{
	(void)state;
	parse_good(full_text);
	assert_int_equal(got.known_count, 2);
	assert_int_equal(got.known[0].cidr.bits, 24);
	assert_int_equal(got.known[0].service, SERVICE_NONE);
	assert_int_equal(got.known[0].until_ns, 0);
	assert_string_equal(got.known[1].account, "backup");
	assert_int_equal(got.known[1].service, SERVICE_SSH);
	/* 2028-02-29 is day 21243; the day itself still counts. */
	assert_int_equal(got.known[1].until_ns, 21244 * DAY_NS - 1);
	assert_int_equal(got.clients_count, 2);
	assert_true(got.clients[0].is_cidr && !got.clients[1].is_cidr);
	assert_string_equal(got.clients[1].key, KEY);
	assert_int_equal(got.onward_count, 2);
	assert_string_equal(got.onward[0].from, "");
	assert_string_equal(got.onward[1].from, "ci");
	assert_int_equal(got.onward[1].to.bits, 32);
	assert_int_equal(got.onward[1].service, SERVICE_RDP);
	assert_int_equal(got.expected_automation_count, 2);
	assert_string_equal(got.expected_automation[1], "J\xc3\xb6rg");
	assert_int_equal(got.shared_accounts_count, 1);
	assert_int_equal(got.critical_hosts_count, 2);
	assert_int_equal(got.scope.count, 1);
	assert_int_equal(got.scope.rows[0].scope, SCOPE_PRIVATE);
	assert_true(got.scope.shared_is_local);
}

static void test_good_values(void **state)
{
	(void)state;
	parse_good(full_text);
	assert_int_equal(got.failed_logon_threshold, 7);
	assert_int_equal(got.time_window_s, 3600);
	assert_int_equal(got.role, ROLE_BASTION);
	assert_true(got.observe);
	assert_true(got.keep_unknown_accounts);
	assert_int_equal(got.command_lines, COMMANDS_NONE);
	assert_int_equal(got.retention_alerts_s, 14 * 86400);
	assert_int_equal(got.retention_sessions_s, 86400);
	assert_int_equal(got.store_max_bytes, (uint64_t)1 << 30);
	assert_false(got.journal || got.journald);
	assert_true(got.json);
	assert_int_equal(got.files_count, 2);
	assert_string_equal(got.files[0], "/a");
	assert_string_equal(got.files[1], "C:\\x");
	assert_int_equal(got.watch_ports_count, 3);
	assert_int_equal(got.watch_ports[2], 65535);
	assert_string_equal(got.store, "/s");
	assert_string_equal(got.runtime, "/r");
	assert_int_equal(got.limits.sessions, 64);
	assert_int_equal(got.limits.sources, 1024);
	assert_int_equal(got.limits.accounts, 256);
	assert_int_equal(got.limits.conns, 257);
	assert_int_equal(got.limits.alerts, 65);
	parse_good("Sources: {Files: [], WatchPorts: []}");
	assert_int_equal(got.files_count, 0);
	assert_int_equal(got.watch_ports_count, 0);
	parse_good("---\n");
	parse_good("# nothing\n");
}

/* What is accepted and has no effect is told. */
static void test_idle(void **state)
{
	(void)state;
	parse_good("Role: server");
	assert_null(config_idle_at(&got, 0));
	parse_good("Role: ci\nCriticalHosts: [10.0.0.1]\nKnownRemoteIPs: [10.0.0.1]\n");
	assert_string_equal(config_idle_at(&got, 0), "Role");
	assert_null(config_idle_at(&got, 1));
}

static unsigned find(const char *id)
{
	int i = detection_find(span_of(id));

	assert_in_range(i, 0, DETECTION_COUNT - 1);
	return (unsigned)i;
}

static void test_detections(void **state)
{
	unsigned spray = find("auth.spray"), shell = find("activity.remote_shell");

	(void)state;
	assert_int_equal(detection_find(SPAN_LIT("auth.spra")), -1);
	assert_int_equal(detection_find(SPAN_LIT("")), -1);
	parse_good("Mode: observe\nDetections:\n"
		   "  auth.spray: {severity: critical, Mode: alert, exceptions: [\n"
		   "    {origin: 203.0.113.0/28, reason: scanner, until: 2026-12-31},\n"
		   "    {account: a, service: ssh, key: '" KEY "', reason: b}]}\n"
		   "  activity.remote_shell: {enabled: false, exceptions: [{account: k, reason: "
		   "r}]}\n");
	assert_true(got.detections[spray].has_severity && got.detections[spray].enabled);
	assert_int_equal(got.detections[spray].severity, SEVERITY_CRITICAL);
	assert_false(got.detections[spray].observe);
	assert_true(got.detections[shell].observe);
	assert_false(got.detections[shell].enabled || got.detections[shell].has_severity);
	assert_int_equal(got.exceptions_count, 3);
	assert_int_equal(got.exceptions[0].detection, spray);
	assert_true(got.exceptions[0].has_origin);
	assert_int_equal(got.exceptions[0].origin.bits, 28);
	assert_string_equal(got.exceptions[0].reason, "scanner");
	assert_false(got.exceptions[1].has_origin);
	assert_string_equal(got.exceptions[1].account, "a");
	assert_int_equal(got.exceptions[1].service, SERVICE_SSH);
	assert_string_equal(got.exceptions[1].key, KEY);
	assert_int_equal(got.exceptions[1].until_ns, 0);
	assert_int_equal(got.exceptions[2].detection, shell);
	parse_good("Detections: {auth.spray: {Mode: observe}}");
	assert_true(got.detections[spray].observe);
	assert_false(got.detections[shell].observe);
}

static const struct {
	const char *good, *bad, *why;
	uint64_t value;
} unit_values[] = {
	[UNIT_COUNT] = {"7", "1m", "a whole number", 7},
	[UNIT_SECONDS] = {"3h", "3x", "a duration such as 15m, 900s, 1h or 30d", 10800},
	[UNIT_BYTES] = {"2MiB", "2MB", "a size such as 256MiB, 64KiB or bytes", 2097152},
};

static void check_param(unsigned i, unsigned j)
{
	const struct detection_param *p = &detections[i]->params[j];
	char text[256], want[CONFIG_ERROR_MAX];

	snprintf(text, sizeof(text), "Detections: {%s: {%s: %s}}", detections[i]->id, p->name,
		 unit_values[p->unit].good);
	parse_good(text);
	assert_int_equal(got.detections[i].params[j], unit_values[p->unit].value);
	snprintf(text, sizeof(text), "Detections: {%s: {%s: %s}}", detections[i]->id, p->name,
		 unit_values[p->unit].bad);
	snprintf(want, sizeof(want), "t:1: %s: '%s' is not %s", p->name, unit_values[p->unit].bad,
		 unit_values[p->unit].why);
	parse_bad(text, want);
}

static void check_param_max(unsigned i, unsigned j)
{
	const struct detection *d = detections[i];
	char text[256];

	snprintf(text, sizeof(text), "Detections: {%s: {%s: %llu}}", d->id, d->params[j].name,
		 (unsigned long long)d->param_max[j]);
	parse_good(text);
	snprintf(text, sizeof(text), "Detections: {%s: {%s: %llu}}", d->id, d->params[j].name,
		 (unsigned long long)d->param_max[j] + 1);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, " is not between 0 and "));
}

/* Every parameter of every detection can be set by its own name, in its own unit. */
static void test_params(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		for (unsigned j = 0; j < DETECTION_PARAMS_MAX && detections[i]->params[j].name;
		     j++, n++) {
			check_param(i, j);
			if (detections[i]->param_max[j])
				check_param_max(i, j);
		}
	assert_in_range(n, 1, DETECTION_COUNT * DETECTION_PARAMS_MAX);
}

/* ids and numbers are for ever, so none may be there twice. */
static void test_registry(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		assert_int_equal(detection_find(span_of(detections[i]->id)), i);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(detections[i]->number, detections[j]->number);
	}
}

/* `already` entries of the same array stand in the head. */
static void check_full(const char *head, unsigned already, const char *item, const char *tail,
		       unsigned max, const char *name)
{
	char *text = calloc(1, 65536), want[128];

	assert_non_null(text);
	for (unsigned n = max; n <= max + 1; n++) {
		strcpy(text, head);
		for (unsigned i = already; i < n; i++)
			strcat(text, item);
		strcat(text, tail);
		if (n == max) {
			parse_good(text);
			continue;
		}
		snprintf(want, sizeof(want), "t:1: %s holds at most %u entries", name, max);
		parse_bad(text, want);
	}
	free(text);
}

static const struct {
	const char *head;
	unsigned already;
	const char *item, *tail;
	unsigned max;
	const char *name;
} full_cases[] = {
	{"KnownRemoteIPs: [", 0, "10.0.0.1,", "]", CONFIG_KNOWN_MAX, "KnownRemoteIPs"},
	{"KnownSSHClients: [", 0, "fd00::1,", "]", CONFIG_CLIENTS_MAX, "KnownSSHClients"},
	{"ExpectedOnward: [", 0, "{to: '::/0'},", "]", CONFIG_ONWARD_MAX, "ExpectedOnward"},
	{"SharedAccounts: [", 0, "a,", "]", CONFIG_NAMES_MAX, "SharedAccounts"},
	{"ExpectedAutomation: [", 0, "a,", "]", CONFIG_NAMES_MAX, "ExpectedAutomation"},
	{"CriticalHosts: [", 0, "10.0.0.1,", "]", CONFIG_NAMES_MAX, "CriticalHosts"},
	{"Sources: {Files: [", 0, "/a,", "]}", CONFIG_FILES_MAX, "Sources.Files"},
	{"Sources: {WatchPorts: [", 0, "1,", "]}", CONFIG_PORTS_MAX, "Sources.WatchPorts"},
	{"GeoDatabases: [", 0, "/a,", "]", CONFIG_GEO_MAX, "GeoDatabases"},
	{"GeoIPWhitelist: {countries: [", 0, "DE,", "]}", CONFIG_COUNTRIES_MAX,
	 "GeoIPWhitelist.countries"},
	{"GeoIPWhitelist: {asns: [", 0, "1,", "]}", CONFIG_ASNS_MAX, "GeoIPWhitelist.asns"},
	{"VPNPools: [", 0, "10.0.0.1,", "]", CONFIG_NAMES_MAX, "VPNPools"},
	{"Travel: [", 0, "{account: a, countries: [DE]},", "]", CONFIG_TRAVEL_MAX, "Travel"},
	{"Travel: [{account: a, countries: [", 0, "DE,", "]}]", CONFIG_TRAVEL_COUNTRIES,
	 "Travel.countries"},
	{"Scope: {Overrides: [", 0, "{cidr: 10.0.0.0/8, scope: shared},", "]}", SCOPE_OVERRIDES_MAX,
	 "Scope.Overrides"},
	{"Detections: {auth.spray: {exceptions: [", 0, "{account: k, reason: r},", "]}}",
	 CONFIG_EXCEPTIONS_MAX, "Detections.<id>.exceptions"},
	/* One array for all detections. */
	{"Detections: {auth.noise: {exceptions: [{account: k, reason: r}]}, auth.spray: "
	 "{exceptions: [",
	 1, "{account: k, reason: r},", "]}}", CONFIG_EXCEPTIONS_MAX, "Detections.<id>.exceptions"},
};

static void test_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(full_cases) / sizeof(full_cases[0]); i++)
		check_full(full_cases[i].head, full_cases[i].already, full_cases[i].item,
			   full_cases[i].tail, full_cases[i].max, full_cases[i].name);
}

static void test_bombs(void **state)
{
	char *text = calloc(1, (2u << 20) + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', (1u << 20) + 1);
	assert_int_equal(parse(text), -EFBIG);
	assert_string_equal(err, "t:1: larger than 1 MiB");
	assert_memory_equal(&got, &before, sizeof(got));
	memset(text, '[', 1u << 20);
	text[1u << 20] = '\0';
	parse_bad(text, "t:1: configuration: expected keys and values");
	memcpy(text, "Mode: ", 6);
	parse_bad(text, "t:1: Mode: expected one value, found a list or keys");
	memset(text + 6, 'a', (1u << 20) - 6);
	parse_bad(text, "t:1: Mode: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is not one of: "
			"alert observe");
	parse_bad("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
		  "t:1: unknown key 'a'; the nearest is Role");
	free(text);
}

/* A long file name leaves room for the reason. */
static void test_long_name(void **state)
{
	char name[1024];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(config_parse("Mode: x", 7, name, &got, err), -EINVAL);
	assert_non_null(strstr(err, ":1: Mode: 'x' is not one of: alert observe"));
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void damage(char *text, size_t len, uint64_t *seed)
{
	static const char interesting[] = "{}[]:,-#&*!|>'\"%@`?\n\t 09aZ\x00\xff\xc3";

	for (unsigned n = 1 + next_random(seed) % 4; n; n--) {
		size_t at = next_random(seed) % len;

		if (next_random(seed) % 3 == 0)
			text[at] = interesting[next_random(seed) % (sizeof(interesting) - 1)];
		else
			memmove(text + at, text + next_random(seed) % (len - 8),
				8 < len - at ? 8 : 1);
	}
}

/* Whatever the damage: a whole configuration, or a sentence with a line and nothing changed. */
static void test_damage(void **state)
{
	size_t len = sizeof(full_text) - 1;
	unsigned good = 0, rounds = 20000;
	char text[sizeof(full_text)];
	uint64_t seed = 3;

	(void)state;
	memset(&before, 0xa5, sizeof(before));
	memset(&got, 0xa5, sizeof(got));
	for (unsigned i = 0; i < rounds; i++) {
		memcpy(text, full_text, sizeof(full_text));
		damage(text, len, &seed);
		if (config_parse(text, len - next_random(&seed) % 2, "t", &got, err) == 0) {
			good++;
			assert_string_equal(err, "");
			memset(&got, 0xa5, sizeof(got));
			continue;
		}
		assert_memory_equal(&got, &before, sizeof(got));
		assert_memory_equal(err, "t:", 2);
		assert_in_range(strtoul(err + 2, NULL, 10), 1, 60);
		for (const char *p = err; *p; p++)
			assert_in_range((unsigned char)*p, ' ', '~');
	}
	assert_in_range(good, 100, rounds - 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),    cmocka_unit_test(test_keys_documented),
		cmocka_unit_test(test_bad),	    cmocka_unit_test(test_good_lists),
		cmocka_unit_test(test_good_values), cmocka_unit_test(test_detections),
		cmocka_unit_test(test_params),	    cmocka_unit_test(test_registry),
		cmocka_unit_test(test_idle),	    cmocka_unit_test(test_full),
		cmocka_unit_test(test_bombs),	    cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
