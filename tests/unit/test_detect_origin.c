/*
 * Odd logins: places, hours, keys and clients, against habits that were learned in a month.
 */
#include "detect_world.h"

#include "common/core/profile.h"

#define DAY   86400.0
#define HOME  "203.0.113.9"
#define HOTEL "198.51.100.77"
#define KEY_1 "ED25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_2 "ED25519 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/* 203.0.113.0/24 is DE and AS64500, 198.51.100.0/25 BR and AS64501, above it DE and AS64502. */
static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	bool home = a->bytes[0] == 203, low = a->bytes[3] < 128;

	(void)g;
	if (a->family != ADDR_V4 || a->bytes[0] == 192)
		return;
	memcpy(ret->country, home || !low ? "DE" : "BR", 3);
	ret->asn = home ? 64500 : low ? 64501 : 64502;
}

static const struct geo_source atlas = {lookup};

static struct world *origin_world(void)
{
	struct world *w = world_make(false);

	w->id.geo = &atlas;
	return world_start(w);
}

/* One login and its end; T0 is a Tuesday, 22:13:20 UTC. */
static void visit(struct world *w, double at, const char *origin, const char *account,
		  const char *key)
{
	unsigned port = 1024 + (unsigned)(at / 60) % 60000;

	accepted(w, at, origin, port, account, key[0] ? METHOD_PUBLICKEY : METHOD_PASSWORD, key);
	disconnected(w, at + 30, origin, port, account);
}

/* Every day at about ten in the morning. */
static void habit(struct world *w, unsigned days, const char *account, const char *key)
{
	for (unsigned d = 0; d < days; d++)
		visit(w, d * DAY + 12 * 3600, HOME, account, key);
}

static const struct alert *last(struct world *w, const char *id)
{
	struct seen_alert *a = alert_of(w, id, NULL);

	return a ? &a->last : NULL;
}

/* Alerts of it that are more than what learning tells. */
static unsigned told(struct world *w, const char *id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->alerts_used; i++) {
		const struct alert *a = &w->alerts[i].last;

		n += strcmp(a->detection->id, id) == 0 && !a->learning;
		assert_true(!a->learning || a->severity == SEVERITY_INFO);
	}
	return n;
}

static void a_new_country_is_medium(void **state)
{
	struct world *w = origin_world();
	const struct alert *a;

	(void)state;
	habit(w, 20, "alice", KEY_1);
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	visit(w, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
	a = last(w, "origin.new_place");
	assert_non_null(a);
	assert_int_equal(a->severity, SEVERITY_MEDIUM);
	assert_string_equal(a->reason, "country");
	assert_false(a->learning);
	assert_non_null(strstr(a->sentence, "from BR, a country where it was never seen"));
	assert_string_equal(a->numbers, "20 logins in 20 days known");
	assert_int_equal(told(w, "origin.unusual_hour"), 0);
	assert_int_equal(told(w, "origin.new_client"), 0);
	world_free(w);
}

static void a_new_network_of_a_known_country(void **state)
{
	struct world *w = origin_world();

	(void)state;
	habit(w, 20, "alice", "");
	visit(w, 20 * DAY + 12 * 3600, "198.51.100.200", "alice", "");
	assert_string_equal(last(w, "origin.new_place")->reason, "network");
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* A phone, a cafe: with the key that is always used, low; a password or another key stay medium. */
static void a_new_network_with_a_known_key_is_low(void **state)
{
	static const struct {
		const char *key, *origin;
		enum severity want;
	} rows[] = {
		{KEY_1, "198.51.100.200", SEVERITY_LOW},
		{KEY_2, "198.51.100.200", SEVERITY_MEDIUM},
		{"", "198.51.100.200", SEVERITY_MEDIUM},
		{KEY_1, HOTEL, SEVERITY_MEDIUM}, /* another country */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = origin_world();

		habit(w, 20, "alice", KEY_1);
		visit(w, 20 * DAY + 12 * 3600, rows[i].origin, "alice", rows[i].key);
		assert_int_equal(last(w, "origin.new_place")->severity, rows[i].want);
		world_free(w);
	}
}

/* The exit of a VPN is nobody's place; the address beside it is. */
static void a_vpn_pool_is_no_place(void **state)
{
	static const struct {
		const char *pool;
		enum severity want;
	} rows[] = {{"198.51.100.77/32", SEVERITY_INFO}, {"198.51.100.78/32", SEVERITY_MEDIUM}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_make(false);

		w->id.geo = &atlas;
		assert_true(cidr_parse(span_of(rows[i].pool), &w->config.vpn_pools[0]));
		w->config.vpn_pools_count = 1;
		world_start(w);
		habit(w, 20, "alice", KEY_1);
		visit(w, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
		assert_int_equal(last(w, "origin.new_place")->severity, rows[i].want);
		assert_int_equal(alert_of(w, "origin.new_place", NULL)->notified,
				 rows[i].want == SEVERITY_INFO ? 0 : 1);
		world_free(w);
	}
}

/* Learning ends with the 14th day and the tenth login, not before. */
static void learning_has_edges(void **state)
{
	static const struct {
		unsigned days, more;
		double at;
		bool learning;
	} rows[] = {
		{14, 0, 13 * DAY + 13 * 3600, true},  /* day 13 after the first */
		{14, 0, 14 * DAY + 12 * 3600, false}, /* day 14 */
		{9, 0, 30 * DAY + 12 * 3600, true},   /* nine logins */
		{9, 1, 30 * DAY + 12 * 3600, false},  /* ten */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = origin_world();

		habit(w, rows[i].days, "alice", KEY_1);
		for (unsigned k = 0; k < rows[i].more; k++)
			visit(w, 20 * DAY + 12 * 3600, HOME, "alice", KEY_1);
		visit(w, rows[i].at, HOTEL, "alice", KEY_1);
		assert_non_null(last(w, "origin.new_place"));
		assert_int_equal(last(w, "origin.new_place")->learning, rows[i].learning);
		assert_int_equal(last(w, "origin.new_place")->severity,
				 rows[i].learning ? SEVERITY_INFO : SEVERITY_MEDIUM);
		assert_int_equal(alert_of(w, "origin.new_place", NULL)->notified,
				 rows[i].learning ? 0 : 1);
		world_free(w);
	}
}

static void known_lowers_it(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->id.geo = &atlas;
	w->config.known_count = 1;
	assert_true(cidr_parse(SPAN_LIT("198.51.100.0/24"), &w->config.known[0].cidr));
	world_start(w);
	habit(w, 20, "alice", KEY_1);
	visit(w, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_INFO);
	world_free(w);
}

/* On the fourth day the hotel is a place like any other; two days are not enough. */
static void three_days_make_a_place(void **state)
{
	struct world *w = origin_world();

	(void)state;
	habit(w, 20, "alice", KEY_1);
	for (unsigned d = 20; d < 25; d++) {
		visit(w, d * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
		visit(w, d * DAY + 12 * 3600 + 600, HOTEL, "alice", KEY_1);
		if (d == 22)
			assert_int_equal(last(w, "origin.new_place")->count, 5);
	}
	/* Both visits of three days, but the sixth came after the third day had taught. */
	assert_int_equal(alerts_of(w, "origin.new_place"), 1);
	assert_int_equal(last(w, "origin.new_place")->count, 5);
	world_free(w);
}

/* A session that did something high teaches nothing, however often. */
static void what_is_high_teaches_nothing(void **state)
{
	struct world *w = origin_world();

	(void)state;
	habit(w, 20, "alice", "");
	for (unsigned d = 20; d < 26; d++) {
		for (unsigned i = 0; i < 6; i++)
			failed(w, d * DAY + 12 * 3600 - 60 + i, HOTEL, 3000 + i, "alice");
		visit(w, d * DAY + 12 * 3600, HOTEL, "alice", "");
		assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
		assert_int_equal(alerts_of(w, "origin.new_place"), d - 19); /* closed daily */
	}
	world_free(w);
}

static void without_a_database_there_is_no_place(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	habit(w, 20, "alice", KEY_1);
	visit(w, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	world_free(w);
}

static void from_inside_is_no_place(void **state)
{
	struct world *w = origin_world();

	(void)state;
	habit(w, 20, "alice", KEY_1);
	visit(w, 20 * DAY + 12 * 3600, "10.0.0.5", "alice", KEY_2);
	visit(w, 20 * DAY + 22 * 3600, "10.0.0.5", "alice", KEY_1);
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	assert_int_equal(alerts_of(w, "origin.new_client"), 0);
	assert_int_equal(told(w, "origin.unusual_hour"), 0);
	world_free(w);
}

/* Hours: 10:13 is usual; 09 and 11 are near; 08:13 is not. At the week's end nothing is. */
static void hours_have_neighbours(void **state)
{
	static const struct {
		unsigned day; /* 0: Wednesday */
		int hour;
		bool odd;
	} rows[] = {{21, 10, false}, {21, 9, false},  {21, 11, false}, {21, 8, true},
		    {21, 12, true},  {26, 10, false}, {24, 10, true},  {21, 23, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = origin_world();
		double at = rows[i].day * DAY + rows[i].hour * 3600 + 2 * 3600;

		for (unsigned d = 0; d < 20; d++)
			if (d % 7 != 3 && d % 7 != 4) /* Saturday, Sunday */
				visit(w, d * DAY + 12 * 3600, HOME, "alice", KEY_1);
		visit(w, at, HOME, "alice", KEY_1);
		assert_int_equal(told(w, "origin.unusual_hour"), rows[i].odd);
		if (rows[i].odd)
			assert_int_equal(last(w, "origin.unusual_hour")->severity, SEVERITY_LOW);
		world_free(w);
	}
}

static void an_unseen_key_is_low(void **state)
{
	struct world *w = origin_world();
	const struct alert *a;

	(void)state;
	habit(w, 20, "alice", KEY_1);
	visit(w, 20 * DAY + 12 * 3600, HOME, "alice", KEY_2);
	a = last(w, "origin.new_client");
	assert_non_null(a);
	assert_int_equal(a->severity, SEVERITY_LOW);
	assert_string_equal(a->reason, "key");
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	visit(w, 20 * DAY + 13 * 3600, HOME, "alice", KEY_2);
	assert_int_equal(alerts_of(w, "origin.new_client"), 1); /* learned at its end */
	assert_int_equal(last(w, "origin.new_client")->count, 1);
	world_free(w);
}

/* The places of a key that nobody has seen are those of its account. */
static void a_new_key_does_not_start_anew(void **state)
{
	struct world *w = origin_world();

	(void)state;
	habit(w, 20, "alice", KEY_1);
	visit(w, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_2);
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* Two people on one account: the country of one is new for the other's key. */
static void each_key_has_its_places(void **state)
{
	struct world *w = origin_world();

	(void)state;
	for (unsigned d = 0; d < 20; d++) {
		visit(w, d * DAY + 12 * 3600, HOME, "ops", KEY_1);
		visit(w, d * DAY + 12 * 3600 + 600, HOTEL, "ops", KEY_2);
	}
	assert_int_equal(told(w, "origin.new_place"), 0);
	visit(w, 20 * DAY + 12 * 3600, HOTEL, "ops", KEY_1);
	assert_int_equal(told(w, "origin.new_place"), 1);
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
	assert_string_equal(last(w, "origin.new_place")->key, KEY_1);
	visit(w, 20 * DAY + 13 * 3600, HOTEL, "ops", KEY_2);
	assert_int_equal(last(w, "origin.new_place")->count, 1);
	world_free(w);
}

static void a_client_counts_without_its_version(void **state)
{
	static const char *const clients[] = {"SSH-2.0-OpenSSH_9.2p1 Debian-2",
					      "SSH-2.0-OpenSSH_9.7", "SSH-2.0-libssh_0.10.6"};
	struct world *w = origin_world();

	(void)state;
	for (unsigned d = 0; d < 22; d++) {
		struct event e = text_event(w, EVENT_ATTEMPT, d * DAY, HOME, 4000 + d, "alice");

		e.outcome = OUTCOME_SUCCESS;
		e.method = METHOD_PASSWORD;
		e.client = span_of(clients[d < 20 ? 0 : d - 19]);
		step(w, &e);
		disconnected(w, d * DAY + 30, HOME, 4000 + d, "alice");
		assert_int_equal(alerts_of(w, "origin.new_client"), d == 21);
	}
	assert_string_equal(last(w, "origin.new_client")->reason, "client");
	world_free(w);
}

static void outside_business_hours(void **state)
{
	static const char yaml[] = "BusinessHours: {days: mon-fri, hours: 08:00-18:00}\n";
	struct world *w = world_make(false);
	char err[CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(config_parse(yaml, strlen(yaml), "t", &w->config, err), 0);
	world_start(w);
	visit(w, 12 * 3600, HOME, "alice", KEY_1); /* Wednesday 10:13 */
	assert_int_equal(alerts_of(w, "origin.outside_hours"), 0);
	visit(w, 0, HOME, "bob", KEY_1); /* Tuesday 22:13 */
	assert_int_equal(alerts_of(w, "origin.outside_hours"), 1);
	assert_int_equal(last(w, "origin.outside_hours")->severity, SEVERITY_LOW);
	assert_string_equal(last(w, "origin.outside_hours")->numbers,
			    "Tuesday at 22:13 local time");
	visit(w, 600, "10.0.0.9", "carol", KEY_1);
	assert_int_equal(alerts_of(w, "origin.outside_hours"), 1);
	world_free(w);
}

/* A stolen key: from a new country, and on to a host where it never went. */
static void a_stolen_key_is_a_chain(void **state)
{
	struct world *w = world_make(true);
	double at = 20 * DAY + 12 * 3600;

	(void)state;
	w->id.geo = &atlas;
	world_start(w);
	for (unsigned d = 0; d < 20; d++) {
		connected(w, d * DAY + 12 * 3600, 100 + d, HOME, 5000 + d);
		pam_password(w, d * DAY + 12 * 3600, 100 + d, HOME, 5000 + d, "alice");
		closed(w, d * DAY + 12 * 3600 + 60, 100 + d, HOME, 5000 + d, 1000, 2000, 0);
	}
	connected(w, at, 900, HOTEL, 6000);
	pam_password(w, at, 900, HOTEL, 6000, "alice");
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	onward(w, at + 5, 900, "10.1.2.3", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	assert_string_equal(last(w, "chain.t1133")->reason, "stolen");
	world_free(w);
}

/* The same way on from where she always is: an edge that is new, and no chain. */
static void the_same_from_home_is_no_chain(void **state)
{
	struct world *w = world_make(true);
	double at = 20 * DAY + 12 * 3600;

	(void)state;
	w->id.geo = &atlas;
	world_start(w);
	for (unsigned d = 0; d < 20; d++) {
		connected(w, d * DAY + 12 * 3600, 100 + d, HOME, 5000 + d);
		pam_password(w, d * DAY + 12 * 3600, 100 + d, HOME, 5000 + d, "alice");
		closed(w, d * DAY + 12 * 3600 + 60, 100 + d, HOME, 5000 + d, 1000, 2000, 0);
	}
	connected(w, at, 900, HOME, 6000);
	pam_password(w, at, 900, HOME, 6000, "alice");
	onward(w, at + 5, 900, "10.1.2.3", 22);
	assert_int_equal(alerts_of(w, "activity.lateral_movement"), 1);
	assert_int_equal(alerts_of(w, "chain.t1133"), 0);
	world_free(w);
}

/* What was learned is known after a restart, and can be listed and forgotten. */
static void habits_outlive_a_restart(void **state)
{
	struct world *w = origin_world(), *v = origin_world();
	const struct profile *p;
	unsigned places = 0;
	size_t need;
	void *blob;

	(void)state;
	habit(w, 20, "alice", KEY_1);
	need = core_export(w->core, NULL, 0);
	blob = malloc(need);
	core_export(w->core, blob, need);
	assert_int_equal(core_import(v->core, blob, need), 0);
	free(blob);
	visit(v, 20 * DAY + 12 * 3600, HOTEL, "alice", KEY_1);
	assert_int_equal(last(v, "origin.new_place")->severity, SEVERITY_MEDIUM);
	p = core_profile_at(v->core, 0);
	assert_non_null(p);
	assert_string_equal(p->name, "alice");
	assert_int_equal(p->logins, 20); /* the medium one waits */
	for (unsigned i = 0; i < TRAITS_MAX; i++)
		places += p->traits[i].kind == TRAIT_COUNTRY;
	assert_int_equal(places, 2);
	assert_string_equal(core_profile_at(v->core, 1)->name, "alice AAAAAAAAAAAA");
	assert_null(core_profile_at(v->core, 2));
	assert_int_equal(profile_forget(v->core, SPAN_LIT("ali")), 0);
	assert_int_equal(profile_forget(v->core, SPAN_LIT("alice")), 2);
	assert_null(core_profile_at(v->core, 0));
	world_free(v);
	world_free(w);
}

/* A hundred networks of one traveller push out networks, not his country, key and hours. */
static void one_kind_does_not_push_out_others(void **state)
{
	struct world *w = origin_world();
	char origin[32];

	(void)state;
	for (unsigned d = 0; d < 100; d++) {
		snprintf(origin, sizeof(origin), "203.%u.113.9", d);
		visit(w, d * DAY + 12 * 3600, origin, "alice", KEY_1);
	}
	visit(w, 100 * DAY + 12 * 3600, HOME, "alice", KEY_1);
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	assert_int_equal(alerts_of(w, "origin.new_client"), 0);
	world_free(w);
}

/* What was not seen for Retention.Profiles is as new as ever. */
static void habits_fade(void **state)
{
	struct world *w = origin_world();
	unsigned told_before;

	(void)state;
	habit(w, 20, "alice", "");
	for (unsigned d = 20; d < 205; d += 5) /* she moved; her account is in use */
		visit(w, d * DAY + 12 * 3600, "198.51.100.200", "alice", "");
	told_before = told(w, "origin.new_place");
	visit(w, 205 * DAY + 12 * 3600, HOME, "alice", "");
	assert_int_equal(told(w, "origin.new_place"), told_before + 1);
	assert_int_equal(last(w, "origin.new_place")->severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* Who was not here for Retention.Profiles is forgotten, in memory and in what is saved. */
static void idle_profiles_are_forgotten(void **state)
{
	/* the last visit is that of day 19 */
	static const struct {
		unsigned day;
		bool kept;
	} rows[] = {{198, true}, {200, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = origin_world(), *v = origin_world();
		size_t need;
		void *blob;

		habit(w, 20, "alice", KEY_1);
		visit(w, rows[i].day * DAY + 12 * 3600, HOTEL, "bob", KEY_2);
		need = core_export(w->core, NULL, 0);
		blob = malloc(need);
		core_export(w->core, blob, need);
		assert_int_equal(core_import(v->core, blob, need), 0);
		free(blob);
		assert_int_equal(profile_forget(v->core, SPAN_LIT("alice")), rows[i].kept ? 2 : 0);
		visit(w, rows[i].day * DAY + 13 * 3600, HOTEL, "alice", KEY_1);
		assert_int_equal(told(w, "origin.new_place"), rows[i].kept ? 1 : 0);
		visit(w, rows[i].day * DAY + 14 * 3600, HOTEL, "alice", KEY_1);
		for (unsigned k = 0; core_profile_at(w->core, k); k++) {
			const struct profile *p = core_profile_at(w->core, k);

			if (strncmp(p->name, "alice", 5) == 0)
				assert_int_equal(p->logins, rows[i].kept ? 20 : 2);
		}
		world_free(w);
		world_free(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_country_is_medium),
		cmocka_unit_test(a_new_network_of_a_known_country),
		cmocka_unit_test(learning_has_edges),
		cmocka_unit_test(known_lowers_it),
		cmocka_unit_test(three_days_make_a_place),
		cmocka_unit_test(what_is_high_teaches_nothing),
		cmocka_unit_test(without_a_database_there_is_no_place),
		cmocka_unit_test(from_inside_is_no_place),
		cmocka_unit_test(hours_have_neighbours),
		cmocka_unit_test(an_unseen_key_is_low),
		cmocka_unit_test(a_new_key_does_not_start_anew),
		cmocka_unit_test(each_key_has_its_places),
		cmocka_unit_test(a_client_counts_without_its_version),
		cmocka_unit_test(outside_business_hours),
		cmocka_unit_test(a_stolen_key_is_a_chain),
		cmocka_unit_test(the_same_from_home_is_no_chain),
		cmocka_unit_test(habits_outlive_a_restart),
		cmocka_unit_test(one_kind_does_not_push_out_others),
		cmocka_unit_test(a_new_network_with_a_known_key_is_low),
		cmocka_unit_test(a_vpn_pool_is_no_place),
		cmocka_unit_test(habits_fade),
		cmocka_unit_test(idle_profiles_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
