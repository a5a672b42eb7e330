/*
 * Where logins come from: what waits for a key, what is remembered, what is not compared.
 */
#include "detect_world.h"

#define LONDON "192.0.2.7"
#define TOKYO  "198.51.100.7"
#define TRAVEL "origin.impossible_travel"
#define KEY_A  "ED25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B  "ED25519 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/* Two towns, and a Tor exit in one of them. */
static uint32_t epoch = 1;

static void lookup(const struct geo_source *s, const struct addr *a, struct geo *ret)
{
	(void)s;
	if (a->bytes[0] == 192) {
		*ret = (struct geo){"GB", true, 10, 64500, 0, 515142, -931, 0, "One", "London"};
	} else if (a->bytes[0] == 198) {
		*ret = (struct geo){"JP", true, 10, 64501, 0, 356895, 1396917, 0, "Two", "Tokyo"};
		ret->flags = a->bytes[3] == 99 ? GEO_TOR : 0;
	}
	ret->epoch = epoch;
}
static const struct geo_source source = {lookup};

static struct world *world_geo(bool kernel)
{
	struct world *w = world_make(kernel);

	epoch = 1;
	w->id.geo = &source;
	return world_start(w);
}

/* A key login as the kernel tells it: whose key comes from the log, later or never. */
static void key_login(struct world *w, double at, uint64_t conn, const char *from)
{
	connected(w, at - 1, conn, from, 4000 + (unsigned)conn);
	pam(w, at, conn, from, 4000 + (unsigned)conn, PAM_CALL_ACCT_MGMT, 0, "deploy", 0);
	pam(w, at, conn, from, 4000 + (unsigned)conn, PAM_CALL_OPEN_SESSION, 0, "deploy",
	    EVENT_PROVEN);
}

static void key_told(struct world *w, double at, uint64_t conn, const char *from, const char *key)
{
	accepted(w, at, from, 4000 + (unsigned)conn, "deploy", METHOD_PUBLICKEY, key);
}

static void two_keys_are_two_people(void **state)
{
	struct world *w = world_geo(true);

	(void)state;
	key_login(w, 10, 1, LONDON);
	key_told(w, 10.1, 1, LONDON, KEY_A);
	key_login(w, 600, 2, TOKYO);
	key_told(w, 600.1, 2, TOKYO, KEY_B);
	tick(w, 700);
	assert_int_equal(alerts_of(w, TRAVEL), 0);
	key_login(w, 1200, 3, TOKYO);
	key_told(w, 1200.1, 3, TOKYO, KEY_A);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	assert_string_equal(alert_of(w, TRAVEL, TOKYO)->last.key, KEY_A);
	assert_int_equal(alert_of(w, TRAVEL, TOKYO)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

/* No log tells: after three seconds the account is the identity. */
static void without_a_log_it_waits_three_seconds(void **state)
{
	struct world *w = world_geo(true);

	(void)state;
	key_login(w, 10, 1, LONDON);
	tick(w, 20);
	key_login(w, 600, 2, TOKYO);
	tick(w, 602.9);
	assert_int_equal(alerts_of(w, TRAVEL), 0);
	tick(w, 603);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	tick(w, 900);
	assert_int_equal(alert_of(w, TRAVEL, TOKYO)->last.count, 1);
	world_free(w);
}

static void a_short_session_is_judged_at_its_end(void **state)
{
	struct world *w = world_geo(true);

	(void)state;
	key_login(w, 10, 1, LONDON);
	closed(w, 10.5, 1, LONDON, 4001, 100, 100, 0);
	key_login(w, 600, 2, TOKYO);
	closed(w, 600.5, 2, TOKYO, 4002, 100, 100, 0);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	world_free(w);
}

/* More logins than may wait: none is lost. */
static void a_crowd_that_waits(void **state)
{
	struct world *w = world_geo(true);

	(void)state;
	for (unsigned i = 0; i < UNSETTLED_MAX + 20; i++)
		key_login(w, 10 + i * 0.001, 100 + i, "198.51.100.99");
	tick(w, 20);
	assert_int_equal(alert_of(w, "origin.anonymizer", NULL)->last.count, UNSETTLED_MAX + 20);
	world_free(w);
}

static void a_password_does_not_wait(void **state)
{
	struct world *w = world_geo(true);

	(void)state;
	connected(w, 1, 1, LONDON, 4001);
	pam_password(w, 2, 1, LONDON, 4001, "alice");
	connected(w, 601, 2, TOKYO, 4002);
	pam_password(w, 602, 2, TOKYO, 4002, "alice");
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	accepted(w, 602.1, TOKYO, 4002, "alice", METHOD_PASSWORD, "");
	tick(w, 700);
	assert_int_equal(alert_of(w, TRAVEL, TOKYO)->last.count, 1);
	world_free(w);
}

/* The list of keys is asked when the key is known, not before. */
static void a_known_key_lowers(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	w->id.geo = &source;
	w->config.clients_count = 1;
	strcpy(w->config.clients[0].key, strchr(KEY_A, ' ') + 1);
	w->config.whitelist.countries_count = 1;
	strcpy(w->config.whitelist.countries[0], "GB");
	world_start(w);
	key_login(w, 10, 1, "198.51.100.99");
	key_told(w, 10.1, 1, "198.51.100.99", KEY_A);
	assert_int_equal(alert_of(w, "origin.country_not_allowed", NULL)->last.severity,
			 SEVERITY_INFO);
	assert_int_equal(alert_of(w, "origin.anonymizer", NULL)->last.severity, SEVERITY_INFO);
	assert_string_equal(alert_of(w, "origin.anonymizer", NULL)->last.reason, "tor");
	world_free(w);
}

static void login(struct world *w, double at, unsigned port, const char *from)
{
	accepted(w, at, from, port, "alice", METHOD_PASSWORD, "");
}

/* A database that was exchanged between two logins explains any distance; then it counts again. */
static void an_exchange_is_no_journey(void **state)
{
	struct world *w = world_geo(false);

	(void)state;
	login(w, 10, 1, LONDON);
	epoch = 2;
	login(w, 600, 2, TOKYO);
	assert_int_equal(alerts_of(w, TRAVEL), 0);
	login(w, 1200, 3, LONDON);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	world_free(w);
}

static void the_last_place_outlives_a_restart(void **state)
{
	struct world *w = world_geo(false), *then;
	size_t size;
	void *blob;

	(void)state;
	login(w, 10, 1, LONDON);
	size = core_export(w->core, NULL, 0);
	blob = malloc(size);
	assert_non_null(blob);
	assert_int_equal(core_export(w->core, blob, size), size);
	then = world_geo(false);
	assert_int_equal(core_import(then->core, blob, size), 0);
	login(then, 600, 2, TOKYO);
	assert_int_equal(alerts_of(then, TRAVEL), 1);
	assert_non_null(strstr(alert_of(then, TRAVEL, TOKYO)->last.sentence,
			       "after a login from 192.0.2.7 in London, GB: at least 9536 km"));
	free(blob);
	world_free(w);
	world_free(then);
}

/* Lines out of order: the earlier login is told later. The newest place stays. */
static void a_late_line(void **state)
{
	struct world *w = world_geo(false);

	(void)state;
	login(w, 6000, 1, LONDON);
	login(w, 5400, 2, TOKYO);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	assert_non_null(strstr(alert_of(w, TRAVEL, TOKYO)->last.sentence, "10m before a login"));
	login(w, 6600, 3, LONDON);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	world_free(w);
}

/* Many identities: the table is bounded, and the newest are in it. */
static void a_crowd_of_identities(void **state)
{
	struct world *w = world_geo(false);
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 2 * LAST_PLACES_MAX; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		accepted(w, 10 + i, LONDON, 1 + i, name, METHOD_PASSWORD, "");
		disconnected(w, 10.5 + i, LONDON, 1 + i, name);
	}
	accepted(w, 3000, TOKYO, 60000, name, METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	accepted(w, 3001, TOKYO, 60001, "user3", METHOD_PASSWORD, "");
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	world_free(w);
}

/* At once, from two places: no time has passed, and the speed is a number all the same. */
static void at_the_same_moment(void **state)
{
	struct world *w = world_geo(false);

	(void)state;
	login(w, 10, 1, LONDON);
	login(w, 10, 2, TOKYO);
	assert_int_equal(alerts_of(w, TRAVEL), 1);
	world_free(w);
}

static void inside_addresses_are_nowhere(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->id.geo = &source;
	w->config.whitelist.countries_count = 1;
	w->config.whitelist.unresolved_alert = true;
	strcpy(w->config.whitelist.countries[0], "FR");
	world_start(w);
	login(w, 10, 1, "192.168.1.7"); /* the databases would say GB */
	assert_int_equal(alerts_of(w, "origin.country_not_allowed"), 0);
	login(w, 20, 2, LONDON);
	assert_int_equal(alerts_of(w, "origin.country_not_allowed"), 1);
	world_free(w);
}

/* An account or an address that is forgotten leaves no place behind, whatever its keys. */
static void forgotten_places(void **state)
{
	struct cidr tokyo;

	(void)state;
	assert_true(cidr_parse(span_of("198.51.100.0/24"), &tokyo));
	for (unsigned by = 0; by < 3; by++) {
		struct world *w = world_geo(false);

		accepted(w, 10, TOKYO, 1, "alice", METHOD_PUBLICKEY, KEY_A);
		disconnected(w, 11, TOKYO, 1, "alice");
		if (by == 1)
			assert_true(core_forget(w->core, span_of("alice"), NULL) > 0);
		if (by == 2)
			assert_true(core_forget(w->core, (struct span){0}, &tokyo) > 0);
		accepted(w, 600, LONDON, 2, "alice", METHOD_PUBLICKEY, KEY_A);
		assert_int_equal(alerts_of(w, TRAVEL), by == 0);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_keys_are_two_people),
		cmocka_unit_test(without_a_log_it_waits_three_seconds),
		cmocka_unit_test(a_short_session_is_judged_at_its_end),
		cmocka_unit_test(a_crowd_that_waits),
		cmocka_unit_test(a_password_does_not_wait),
		cmocka_unit_test(a_known_key_lowers),
		cmocka_unit_test(an_exchange_is_no_journey),
		cmocka_unit_test(the_last_place_outlives_a_restart),
		cmocka_unit_test(a_late_line),
		cmocka_unit_test(a_crowd_of_identities),
		cmocka_unit_test(forgotten_places),
		cmocka_unit_test(at_the_same_moment),
		cmocka_unit_test(inside_addresses_are_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
