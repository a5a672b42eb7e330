/* Floods and the noise budget: memory stays, attacks are not forgotten, nobody is woken. */
#include "core_world.h"

#include "common/core/core_internal.h"

#define ATTACKER "203.0.113.9"

static uint32_t rnd(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*s >> 33);
}

static struct endpoint nth_origin(uint32_t i)
{
	/* 20.0.0.0 and up, one address per /24 so that no network adds up */
	uint8_t bytes[4] = {(uint8_t)(20 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i, 1};

	return (struct endpoint){.addr = addr_from_bytes(bytes, 4), .port = (uint16_t)(1 + i)};
}

static void failure(struct world *w, double at, struct endpoint origin, const char *account,
		    bool exists)
{
	struct event e = {.kind = EVENT_ATTEMPT,
			  .service = SERVICE_SSH,
			  .outcome = OUTCOME_FAILURE,
			  .method = METHOD_PASSWORD,
			  .trust = TRUST_TEXT,
			  .count = 1,
			  .time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
			  .origin = origin,
			  .flags = exists ? EVENT_ACCOUNT_EXISTS : EVENT_ACCOUNT_UNKNOWN,
			  .account = span_of(account)};

	step(w, &e);
}

static void a_million_sources_change_no_memory(void **state)
{
	struct world *w = world_new(false);
	size_t before = core_memory(w->core);
	double at = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		failed(w, at++, ATTACKER, 1 + i, "alice");
	for (uint32_t i = 0; i < 1000000; i++)
		failure(w, at + i * 0.0005, nth_origin(i), "admin", false);
	assert_int_equal(core_memory(w->core), before);
	assert_int_equal(w->core->sources.used, 65536);
	assert_int_equal(core_stats(w->core)->sources_evicted, 1000000 + 1 - 65536);
	assert_int_equal(core_stats(w->core)->attempts, 1000005);
	/* it was in the middle of an attack, and still is */
	assert_null(alert_of(w, "auth.bruteforce", ATTACKER));
	failed(w, at + 501, ATTACKER, 99, "alice");
	assert_non_null(alert_of(w, "auth.bruteforce", ATTACKER));
	assert_int_equal(alert_of(w, "auth.bruteforce", ATTACKER)->last.count, 6);
	assert_int_equal(alerts_at_least(w, SEVERITY_MEDIUM), 1);
	world_free(w);
}

/*
 * A million sources in an hour, one failure each, and in the middle of it one that guesses fast and
 * two that guess slowly: one with a row of its own, one not far enough for that.
 */
static void attacks_outlive_a_flood(void **state)
{
	struct world *w = world_new(false);
	size_t before = core_memory(w->core);

	(void)state;
	w->paced = true;
	for (unsigned i = 0; i < 18; i++)
		failed(w, i * 3600.0, "203.0.113.20", 100 + i, "alice");
	for (unsigned i = 0; i < 3; i++)
		failed(w, 40000 + i * 3600.0, "203.0.113.30", 100 + i, "bob");
	for (uint32_t i = 0; i < 1000000; i++) {
		double at = 64800 + i * 0.0036;

		failure(w, at, nth_origin(i), i % 2 ? "admin" : "root", i % 2 == 0);
		if (i % 40000 == 0 && i < 5 * 40000) /* every 144 s */
			failed(w, at, ATTACKER, 1 + i % 60000, "alice");
	}
	assert_int_equal(core_memory(w->core), before);
	assert_int_equal(w->core->sources.used, 65536);
	assert_true(w->core->slows.used <= w->core->slows.limit);
	for (unsigned i = 18; i < 21; i++) {
		assert_int_equal(alerts_of(w, "auth.slow_bruteforce"), 0);
		failed(w, i * 3600.0 + 3700, "203.0.113.20", 100 + i, "alice");
	}
	assert_non_null(alert_of(w, "auth.slow_bruteforce", "203.0.113.20"));
	for (unsigned i = 3; i < 21; i++)
		failed(w, 69000 + i * 500.0, "203.0.113.30", 100 + i, "bob");
	assert_non_null(alert_of(w, "auth.slow_bruteforce", "203.0.113.30"));
	assert_null(alert_of(w, "auth.bruteforce", ATTACKER));
	assert_int_equal(core_memory(w->core), before);
	world_free(w);
}

/* Rows of slow sources: those near the threshold outlive a crowd that has just got one. */
static void a_crowd_of_slow_sources_hides_none(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	w->paced = true;
	for (unsigned i = 0; i < 15; i++)
		failed(w, i * 1000.0, ATTACKER, 100 + i, "alice");
	for (uint32_t s = 0; s < 5000; s++)
		for (unsigned k = 0; k < 7; k++)
			failure(w, 15000 + k * 1000.0 + s * 0.1, nth_origin(s), "root", true);
	for (unsigned i = 0; i < 6; i++) {
		assert_null(alert_of(w, "auth.slow_bruteforce", ATTACKER));
		failed(w, 23000 + i * 1000.0, ATTACKER, 200 + i, "alice");
	}
	assert_non_null(alert_of(w, "auth.slow_bruteforce", ATTACKER));
	world_free(w);
}

static void the_default_tables_fit(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	assert_int_equal(w->config.limits.sources, 65536);
	assert_true(core_memory(w->core) <= 18u << 20);
	world_free(w);
}

/* A network in the middle of an attack outlives many that failed once. */
static void a_busy_network_is_not_forgotten(void **state)
{
	struct world *w = world_new(false);
	char origin[32];

	(void)state;
	for (unsigned i = 1; i <= 31; i++) {
		snprintf(origin, sizeof(origin), "203.0.113.%u", i);
		failed(w, i, origin, 1, "alice");
		for (uint32_t k = 0; i > 1 && k < 500; k++)
			failure(w, i + k * 0.001, nth_origin(i * 500 + k), "admin", false);
	}
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 1);
	assert_string_equal(alert_of(w, "auth.bruteforce", NULL)->last.reason, "network");
	world_free(w);
}

/* One after the other, in the order of any index, and while they come and go. */
static void reading_one_by_one_finds_each(void **state)
{
	struct world *w = world_make(false);
	const struct session *s;
	char name[16];

	(void)state;
	w->config.limits.sessions = 8192;
	world_start(w);
	w->paced = true;
	for (unsigned i = 0; i < 8000; i++) {
		struct event e = text_event(w, EVENT_ATTEMPT, i * 0.01, ATTACKER, 1 + i, "x");

		snprintf(name, sizeof(name), "u%u", i);
		e.account = span_of(name);
		e.outcome = OUTCOME_SUCCESS;
		e.method = METHOD_PUBLICKEY;
		core_step(w->core, &e, &w->out);
	}
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 8000; i++) {
			snprintf(name, sizeof(name), "u%u", i);
			assert_string_equal(core_session_at(w->core, i)->account, name);
		}
	assert_null(core_session_at(w->core, 8000));
	assert_string_equal(core_session_at(w->core, 5)->account, "u5");
	assert_string_equal(core_session_at(w->core, 2)->account, "u2");
	pool_give(&w->core->sessions, 1);
	assert_string_equal(core_session_at(w->core, 2)->account, "u3");
	s = core_session_at(w->core, 1);
	assert_string_equal(s->account, "u2");
	assert_null(core_session_at(w->core, 7999));
	world_free(w);
}

static void connections_do_not_push_out_a_session(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 1, ATTACKER, 1);
	pam_password(w, 1, 1, ATTACKER, 1, "alice");
	for (uint32_t i = 0; i < 70000; i++) {
		struct event e =
			kernel_event(w, EVENT_CONNECTION, 2 + i * 0.0001, 100 + i, NULL, 0);

		e.origin = nth_origin(i);
		step(w, &e);
	}
	assert_true(core_stats(w->core)->conns_evicted > 50000);
	EXEC(w, 20, 1, "/usr/bin/id", "id");
	assert_int_equal(session_nth(w, 0)->commands_total, 1);
	connected(w, 21, 2, "198.51.100.1", 5);
	pam_password(w, 22, 2, "198.51.100.1", 5, "bob"); /* and one login is still seen */
	assert_int_equal(sessions(w), 2);
	world_free(w);
}

static void alerts_are_bounded(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->config.limits.alerts = 64;
	world_start(w);
	for (uint32_t s = 0; s < 500; s++)
		for (unsigned i = 0; i < 7; i++)
			failure(w, s * 0.1, nth_origin(s), "root", true);
	assert_true(w->core->alerts.used <= 64);
	/* unsent low ones make room for what matters */
	for (unsigned i = 0; i < 7; i++)
		failed(w, 60 + i, ATTACKER, 1 + i, "alice");
	assert_non_null(alert_of(w, "auth.bruteforce", ATTACKER));
	world_free(w);
}

/* More sprays than there is room for alerts: each is told once, not whenever its alert had to go.
 */
static void a_crowd_of_sprays_is_told_once_each(void **state)
{
	struct world *w = world_make(false);
	char name[8];

	(void)state;
	w->config.limits.alerts = 64;
	world_start(w);
	for (unsigned i = 0; i < 60; i++)
		for (uint32_t s = 0; s < 200; s++) {
			snprintf(name, sizeof(name), "u%u", i % 12);
			failure(w, i * 10 + s * 0.05, nth_origin(s), name, false);
		}
	assert_true(alerts_of(w, "auth.spray") >= 64);
	assert_true(alerts_of(w, "auth.spray") <= 200);
	assert_true(w->core->alerts.used <= 64);
	/* what is worse than that is still told */
	accepted(w, 700, "20.0.3.1", 4, "u3", METHOD_PASSWORD, "");
	assert_true(alerts_at_least(w, SEVERITY_HIGH) >= 1);
	world_free(w);
}

static void login(struct world *w, double at, unsigned i)
{
	char origin[32], account[16];

	snprintf(origin, sizeof(origin), "198.51.%u.7", i);
	snprintf(account, sizeof(account), "user%u", i);
	if (i % 4 == 0) /* a typo first */
		failed(w, at - 5, origin, 40000 + i, account);
	accepted(w, at, origin, 40000 + i, account, i % 3 ? METHOD_PUBLICKEY : METHOD_PASSWORD,
		 i % 3 ? "ED25519 SHA256:k" : "");
	disconnected(w, at + 600, origin, 40000 + i, account);
}

/*
 * The standard: 10,000 failures a day of 1,000 sources and 20 ordinary logins. Sources differ:
 * slow ones, bursts of ten, on root and on names that do not exist, a few on names that do.
 */
static void day_of_noise(uint64_t seed, bool bursts)
{
	static const char *const names[] = {"root", "admin", "test", "oracle", "ubuntu",
					    "git",  "user",  "pi",   "ftp",    "postgres"};
	struct world *w = world_new(false);
	double *starts = calloc(1000, sizeof(*starts));
	unsigned logins = 0, digests = 0, sent = 0;

	for (unsigned s = 0; s < 1000; s++)
		starts[s] = rnd(&seed) % 80000;
	w->core->now_ns = 0;
	for (unsigned second = 0; second < 86400 - 8000; second++) {
		for (unsigned s = 0; s < 1000; s++) {
			unsigned gap = bursts ? 20 : 500, k;

			if (second < (unsigned)starts[s] % 73000)
				continue;
			k = second - (unsigned)starts[s] % 73000;
			if (k % gap == 0 && k / gap < 10) {
				const char *name = names[bursts ? s % 10 : rnd(&seed) % 10];

				failure(w, second, nth_origin(s), name, strcmp(name, "root") == 0);
			}
		}
		if (second % 3900 == 3000 && logins < 20)
			login(w, second, logins++);
	}
	tick(w, 2 * 86400);
	for (unsigned i = 0; i < w->alerts_used; i++) {
		digests += strcmp(w->alerts[i].last.detection->id, "auth.noise") == 0;
		if (strncmp(w->alerts[i].last.detection->id, "auth.", 5) == 0)
			sent += w->alerts[i].notified;
	}
	assert_true(core_stats(w->core)->attempts > 9000);
	assert_int_equal(core_stats(w->core)->sessions_opened, 20);
	if (alerts_at_least(w, SEVERITY_MEDIUM))
		world_print(w);
	assert_int_equal(alerts_at_least(w, SEVERITY_MEDIUM), 0);
	/* the day of the generator covers two days of UTC */
	assert_true(digests <= 2);
	/* two digests, and of each day at most three low ones told, each with its end */
	assert_true(sent <= 2 + 2 * 3 * 2);
	free(starts);
	world_free(w);
}

static void the_noise_budget_holds(void **state)
{
	(void)state;
	day_of_noise(1, false);
	day_of_noise(2, true);
	day_of_noise(3, true);
}

static void a_pool_gives_its_least_precious(void **state)
{
	struct pool p;
	struct handle h;
	uint32_t a, b, c;

	(void)state;
	assert_int_equal(pool_init(&p, 8, 3), 0);
	a = pool_take(&p);
	b = pool_take(&p);
	c = pool_take(&p);
	assert_int_equal(pool_take(&p), NIL);
	pool_touch(&p, a, POOL_HARMLESS);
	pool_touch(&p, b, POOL_WORTH);
	pool_touch(&p, c, POOL_PINNED);
	assert_int_equal(pool_victim(&p), a);
	h = pool_handle(&p, a);
	pool_give(&p, a);
	assert_null(pool_get(&p, h));
	assert_int_equal(pool_victim(&p), b);
	pool_give(&p, b);
	assert_int_equal(pool_victim(&p), NIL);
	assert_int_equal(p.used, 1);
	pool_free(&p);
}

/* Random comings and goings against an array. */
static void an_index_finds_what_is_in_it(void **state)
{
	enum {
		SLOTS = 300
	};
	struct index x;
	uint64_t keys[SLOTS] = {0}, seed = 5;

	(void)state;
	assert_int_equal(index_init(&x, SLOTS), 0);
	for (int i = 0; i < 200000; i++) {
		uint32_t slot = rnd(&seed) % SLOTS, cursor = NIL, at;

		if (keys[slot]) {
			while ((at = index_next(&x, keys[slot], &cursor)) != NIL && at != slot)
				;
			assert_int_equal(at, slot);
			index_remove(&x, slot);
			keys[slot] = 0;
		} else {
			keys[slot] = 1 + rnd(&seed) % 97; /* many share a hash */
			index_add(&x, slot, keys[slot]);
		}
	}
	index_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_sources_change_no_memory),
		cmocka_unit_test(attacks_outlive_a_flood),
		cmocka_unit_test(a_crowd_of_slow_sources_hides_none),
		cmocka_unit_test(the_default_tables_fit),
		cmocka_unit_test(a_busy_network_is_not_forgotten),
		cmocka_unit_test(reading_one_by_one_finds_each),
		cmocka_unit_test(connections_do_not_push_out_a_session),
		cmocka_unit_test(alerts_are_bounded),
		cmocka_unit_test(a_crowd_of_sprays_is_told_once_each),
		cmocka_unit_test(the_noise_budget_holds),
		cmocka_unit_test(a_pool_gives_its_least_precious),
		cmocka_unit_test(an_index_finds_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
