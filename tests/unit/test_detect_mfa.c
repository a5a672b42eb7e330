/* Second factors: what was denied outlives a restart, is bounded, and can be forgotten. */
#include "detect_world.h"

#define FATIGUE "mfa.fatigue"

static void prompt(struct world *w, double at, const char *account, enum outcome outcome)
{
	struct event e = kernel_event(w, EVENT_MFA, at, 0, A, 0);

	e.trust = TRUST_TEXT;
	e.account = span_of(account);
	e.outcome = outcome;
	e.text = SPAN_LIT("Failed Duo login");
	step(w, &e);
}

static void denied(struct world *w, double at, const char *account)
{
	prompt(w, at, account, OUTCOME_FAILURE);
}

static void the_fifth_after_a_restart(void **state)
{
	struct world *w = world_new(false), *after = world_new(false);
	static uint8_t blob[4 << 20];
	size_t n;

	(void)state;
	for (int i = 0; i < 4; i++)
		denied(w, 60 * i, "alice");
	n = core_export(w->core, blob, sizeof(blob));
	assert_true(n <= sizeof(blob));
	assert_int_equal(core_import(after->core, blob, n), 0);
	denied(after, 300, "bob");
	assert_int_equal(alerts_of(after, FATIGUE), 0);
	denied(after, 300, "alice");
	assert_int_equal(alerts_of(after, FATIGUE), 1);
	world_free(w);
	world_free(after);
}

static void what_was_forgotten_does_not_count(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 4; i++)
		denied(w, 60 * i, "alice");
	assert_int_equal(core_forget(w->core, SPAN_LIT("alice"), NULL), 1);
	denied(w, 300, "alice");
	assert_int_equal(alerts_of(w, FATIGUE), 0);
	world_free(w);
}

/* Later lines may be told first. */
static void order_does_not_matter(void **state)
{
	static const int at[] = {240, 0, 120, 180, 60};
	struct world *w = world_new(false);

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		denied(w, at[i], "alice");
	assert_int_equal(alerts_of(w, FATIGUE), 1);
	world_free(w);
}

/* The longest ago is forgotten, and said; who is in the middle of it stays. */
static void the_table_is_bounded(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		denied(w, i, "alice");
	for (unsigned i = 0; i < MFAS_MAX - 1; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		denied(w, 10 + i, name);
	}
	assert_int_equal(core_stats(w->core)->mfas_evicted, 0);
	denied(w, 100, "alice");
	assert_int_equal(alerts_of(w, FATIGUE), 1);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "other%u", i);
		denied(w, 110 + i, name);
	}
	assert_int_equal(core_stats(w->core)->mfas_evicted, 10);
	prompt(w, 200, "alice", OUTCOME_SUCCESS);
	assert_int_equal(alert_of(w, FATIGUE, NULL)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

/* Neither nobody's prompts nor those that say nothing count. */
static void what_says_nothing_counts_nothing(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 9; i++) {
		denied(w, i, "");
		prompt(w, i, "alice", OUTCOME_UNKNOWN);
	}
	assert_int_equal(alerts_of(w, FATIGUE), 0);
	world_free(w);
}

static void an_approval_alone_is_nothing(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (int i = 0; i < 9; i++)
		prompt(w, i, "alice", OUTCOME_SUCCESS);
	assert_int_equal(w->alerts_used, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fifth_after_a_restart),
		cmocka_unit_test(what_was_forgotten_does_not_count),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(what_says_nothing_counts_nothing),
		cmocka_unit_test(an_approval_alone_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
