/*
 * One address and several accounts, one account and several addresses.
 */
#include "detect_world.h"

#define DAY    86400.0
#define OFFICE "203.0.113.9"
#define HOME   "198.51.100.7"
#define KEY_1  "ED25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_2  "ED25519 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/* The second number of an address is its autonomous system. */
static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	if (a->family == ADDR_V4 && a->bytes[0] != 192)
		ret->asn = 64500u + a->bytes[1];
}

static const struct geo_source atlas = {lookup};

static struct world *shared_world(const char *yaml)
{
	struct world *w = world_make(false);
	char err[CONFIG_ERROR_MAX];

	if (config_parse(yaml, strlen(yaml), "t", &w->config, err))
		fail_msg("%s", err);
	w->id.geo = &atlas;
	return world_start(w);
}

static void login(struct world *w, double at, const char *origin, const char *account,
		  enum service service, const char *key)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin,
				    1024 + (unsigned)(at / 60) % 60000, account);

	e.outcome = OUTCOME_SUCCESS;
	e.service = service;
	e.method = key[0] ? METHOD_PUBLICKEY : METHOD_PASSWORD;
	e.key = span_of(key);
	step(w, &e);
}

static void visit(struct world *w, double at, const char *origin, const char *account,
		  enum service service)
{
	login(w, at, origin, account, service, "");
	disconnected(w, at + 30, origin, 1024 + (unsigned)(at / 60) % 60000, account);
}

static void two_accounts_by_vpn(void **state)
{
	struct world *w = shared_world("");
	const struct alert *a;

	(void)state;
	login(w, 0, OFFICE, "alice", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.shared_source"), 0);
	login(w, 300, OFFICE, "alice", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.shared_source"), 0);
	login(w, 600, OFFICE, "bob", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.shared_source"), 1);
	a = &alert_of(w, "session.shared_source", OFFICE)->last;
	assert_int_equal(a->severity, SEVERITY_MEDIUM);
	assert_non_null(strstr(a->sentence, "2 accounts logged in over vpn from 203.0.113.9"));
	assert_non_null(strstr(a->sentence, "'alice', 'bob'"));
	login(w, 700, OFFICE, "carol", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.shared_source"), 1);
	assert_int_equal(alert_of(w, "session.shared_source", OFFICE)->last.count, 3);
	world_free(w);
}

/* A session that ended longer than TimeWindow ago counts no more; at its edge it does. */
static void one_after_the_other(void **state)
{
	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		struct world *w = shared_world("");

		visit(w, 0, OFFICE, "alice", SERVICE_VPN);
		login(w, 899 + late, OFFICE, "bob", SERVICE_VPN, "");
		assert_int_equal(alerts_of(w, "session.shared_source"), !late);
		world_free(w);
	}
}

static void what_is_told_is_expected(void **state)
{
	static const char *const yaml[] = {
		"SharedAccounts: [bob]",
		"ExpectedAutomation: [bob]",
		"KnownRemoteIPs: [203.0.113.0/24]",
		"Detections: {session.shared_source: {Accounts: 3}}",
		"Scope: {Overrides: [{cidr: 203.0.113.0/24, scope: private}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yaml) / sizeof(yaml[0]); i++) {
		struct world *w = shared_world(yaml[i]);

		login(w, 0, OFFICE, "alice", SERVICE_VPN, "");
		login(w, 60, OFFICE, "bob", SERVICE_VPN, "");
		assert_int_equal(alerts_of(w, "session.shared_source"), 0);
		world_free(w);
	}
}

/* Both were there alone before: it is where they sit. */
static void an_office_is_learned(void **state)
{
	struct world *w = shared_world("");

	(void)state;
	visit(w, 0, OFFICE, "alice", SERVICE_VPN);
	visit(w, 3600, OFFICE, "bob", SERVICE_VPN);
	login(w, DAY, OFFICE, "alice", SERVICE_VPN, "");
	login(w, DAY + 60, OFFICE, "bob", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.shared_source"), 0);
	world_free(w);
}

/* By ssh only those count who have a home elsewhere. */
static void by_ssh_across_networks_only(void **state)
{
	static const char *const homes[] = {"198.51.100.7", "198.18.100.7"};

	(void)state;
	for (unsigned away = 0; away < 3; away++) {
		struct world *w = shared_world("");

		if (away > 0)
			visit(w, 0, homes[0], "alice", SERVICE_SSH);
		if (away > 1)
			visit(w, 3600, homes[1], "bob", SERVICE_SSH);
		login(w, DAY, OFFICE, "alice", SERVICE_SSH, "");
		login(w, DAY + 60, OFFICE, "bob", SERVICE_SSH, "");
		assert_int_equal(alerts_of(w, "session.shared_source"), away == 2);
		if (away == 2)
			assert_int_equal(alert_of(w, "session.shared_source", NULL)->last.severity,
					 SEVERITY_LOW);
		world_free(w);
	}
}

static void one_account_at_two_places(void **state)
{
	struct world *w = shared_world("");
	const struct alert *a;

	(void)state;
	login(w, 0, HOME, "alice", SERVICE_VPN, "");
	login(w, 60, HOME, "alice", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.duplicate"), 0);
	login(w, 300, "198.51.100.8", "alice", SERVICE_VPN, "");
	a = &alert_of(w, "session.duplicate", NULL)->last;
	assert_int_equal(a->severity, SEVERITY_MEDIUM);
	assert_string_equal(a->account, "alice");
	world_free(w);
}

static void not_at_once_is_none(void **state)
{
	struct world *w = shared_world("");

	(void)state;
	visit(w, 0, HOME, "alice", SERVICE_VPN);
	login(w, 60, OFFICE, "alice", SERVICE_VPN, "");
	login(w, 120, "10.0.0.7", "alice", SERVICE_VPN, "");
	login(w, 180, OFFICE, "bob", SERVICE_VPN, "");
	assert_int_equal(alerts_of(w, "session.duplicate"), 0);
	world_free(w);
}

static void duplicates_by_ssh(void **state)
{
	static const struct {
		const char *first, *second, *key_1, *key_2, *yaml;
		unsigned fires;
	} rows[] = {
		{HOME, OFFICE, "", "", "", 1},
		{HOME, "198.51.99.7", "", "", "", 0},	  /* one autonomous system */
		{HOME, OFFICE, KEY_1, KEY_2, "", 0},	  /* two people */
		{HOME, OFFICE, KEY_1, KEY_1, "", 1},	  /* one key */
		{HOME, "192.0.2.7", KEY_1, KEY_1, "", 0}, /* nobody knows whose network */
		{HOME, OFFICE, "", "", "SharedAccounts: [alice]", 0},
		{HOME, OFFICE, "", "", "ExpectedAutomation: [alice]", 0},
		{HOME, OFFICE, "", "", "KnownRemoteIPs: [203.0.113.0/24, 198.51.100.0/24]", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = shared_world(rows[i].yaml);
		unsigned wanted = rows[i].fires;

		login(w, 0, rows[i].first, "alice", SERVICE_SSH, rows[i].key_1);
		login(w, 60, rows[i].second, "alice", SERVICE_SSH, rows[i].key_2);
		assert_int_equal(alerts_of(w, "session.duplicate"), wanted);
		if (wanted)
			assert_int_equal(alert_of(w, "session.duplicate", NULL)->last.severity,
					 SEVERITY_LOW);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_accounts_by_vpn),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(what_is_told_is_expected),
		cmocka_unit_test(an_office_is_learned),
		cmocka_unit_test(by_ssh_across_networks_only),
		cmocka_unit_test(one_account_at_two_places),
		cmocka_unit_test(not_at_once_is_none),
		cmocka_unit_test(duplicates_by_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
