/*
 * What was there before the agent is no news: a session that the first look finds is told once, as
 * such, and nothing is concluded from when or whence it came. Habits of
 * which nothing was learned judge nobody.
 */
#include "guess_world.h"

#define DAY   86400.0
#define HOME  "203.0.113.9"
#define HOTEL "198.51.100.77"
#define KEY_1 "ED25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	if (a->family != ADDR_V4)
		return;
	memcpy(ret->country, a->bytes[0] == 203 ? "DE" : "BR", 3);
	ret->asn = a->bytes[0] == 203 ? 64500 : a->bytes[0] == 198 ? 64501 : 64502;
}

static const struct geo_source atlas = {lookup};

static struct world *atlas_world(void)
{
	struct world *w = world_make(false);

	w->id.geo = &atlas;
	return w;
}

static void visit(struct world *w, double at, const char *origin, unsigned port, const char *who)
{
	accepted(w, at, origin, port, who, METHOD_PUBLICKEY, KEY_1);
	disconnected(w, at + 30, origin, port, who);
}

static void habit(struct world *w, unsigned days, const char *who)
{
	for (unsigned d = 0; d < days; d++)
		visit(w, d * DAY + 12 * 3600, HOME, 1024 + d, who);
}

static struct event snapshot(struct world *w, double at, const char *origin, const char *who)
{
	struct event e = kernel_event(w, EVENT_SNAPSHOT, at, 9, origin, 4711);

	e.account = span_of(who);
	e.flags = EVENT_EXISTING | EVENT_PROVEN;
	e.program = SPAN_LIT("/bin/bash");
	e.uid = 1001;
	return e;
}

static void found(struct world *w, double at, const char *origin, const char *who)
{
	struct event e = snapshot(w, at, origin, who);

	step(w, &e);
}

/* At another place and hour than ever, by another client, which was heard before the look. */
static void its_habits_are_not_judged(void **state)
{
	static const char hours[] = "BusinessHours: {days: mon-fri, hours: 08:00-18:00}\n";
	struct world *w = atlas_world();
	char err[CONFIG_ERROR_MAX];
	struct event hello;

	(void)state;
	assert_int_equal(config_parse(hours, strlen(hours), "t", &w->config, err), 0);
	world_start(w);
	habit(w, 30, "alice");
	hello = kernel_event(w, EVENT_CLIENT, 30 * DAY, 9, HOTEL, 4711);
	hello.client = SPAN_LIT("SSH-2.0-paramiko_2.1");
	hello.fingerprint = SPAN_LIT("hassh:92674389fa1e47a27ddd8d9b63ecd42b");
	step(w, &hello);
	found(w, 30 * DAY + 1, HOTEL, "alice");
	assert_null(alert_of(w, "origin.new_place", HOTEL));
	assert_null(alert_of(w, "origin.unusual_hour", HOTEL));
	assert_null(alert_of(w, "origin.outside_hours", HOTEL));
	assert_null(alert_of(w, "origin.new_client", HOTEL));
	assert_non_null(strstr(alert_of(w, "access.external", HOTEL)->last.sentence,
			       "was already open when the agent started."));
	world_free(w);
}

/* Whoever guesses from there now was not let in before. */
static void guesses_did_not_let_it_in(void **state)
{
	struct world *w = world_start(atlas_world());

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%u", i);
		failed(w, i, HOTEL, 2000 + i, name);
	}
	found(w, 60, HOTEL, "user3");
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 0);
	assert_int_equal(alert_of(w, "auth.spray", HOTEL)->last.severity, SEVERITY_MEDIUM);
	world_free(w);
}

static void it_is_no_second_place(void **state)
{
	struct world *w = world_start(atlas_world());
	struct event e;

	(void)state;
	accepted(w, 0, HOME, 1024, "alice", METHOD_PASSWORD, "");
	found(w, 60, HOTEL, "alice");
	assert_int_equal(alerts_of(w, "session.duplicate"), 0);
	world_free(w);
	w = world_start(atlas_world());
	for (unsigned i = 0; i < 2; i++) {
		e = text_event(w, EVENT_ATTEMPT, i, HOME, 1024 + i, i ? "bob" : "alice");
		e.service = SERVICE_VPN;
		e.outcome = OUTCOME_SUCCESS;
		step(w, &e);
	}
	assert_int_equal(alert_of(w, "session.shared_source", NULL)->last.count, 2);
	e = snapshot(w, 60, HOME, "carol");
	e.service = SERVICE_VPN;
	step(w, &e);
	assert_int_equal(session_nth(w, 2)->service, SERVICE_VPN);
	assert_int_equal(alert_of(w, "session.shared_source", NULL)->last.count, 2);
	world_free(w);
}

static void its_card_is_no_news(void **state)
{
	struct world *w = world_start(atlas_world());
	struct event e = snapshot(w, 60, "10.20.0.2", "alice");

	(void)state;
	e.mac = SPAN_LIT("52:54:00:aa:00:01");
	step(w, &e);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(alerts_of(w, "origin.new_device"), 0);
	world_free(w);
}

/* A login that was perhaps guessed is the first of all: nothing is learned, so nothing is odd. */
static void a_first_login_that_was_guessed(void **state)
{
	struct world *w = world_start(atlas_world());
	struct event e;

	(void)state;
	from_networks(w, 0, 12, "alice");
	accepted(w, 60, HOTEL, 4711, "alice", METHOD_PASSWORD, "");
	disconnected(w, 90, HOTEL, 4711, "alice");
	assert_int_equal(alert_of(w, "auth.bruteforce_success", HOTEL)->last.severity,
			 SEVERITY_MEDIUM);
	e = text_event(w, EVENT_MFA, 7 * 3600, HOME, 4712, "alice");
	e.outcome = OUTCOME_SUCCESS;
	step(w, &e);
	accepted(w, 7 * 3600, HOME, 4712, "alice", METHOD_PUBLICKEY,
		 "ED25519 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
	assert_int_equal(alerts_of(w, "origin.new_place"), 0);
	assert_int_equal(alerts_of(w, "origin.unusual_hour"), 0);
	assert_int_equal(alerts_of(w, "origin.new_client"), 0);
	assert_int_equal(alerts_of(w, "mfa.new_place"), 0);
	world_free(w);
}

/* Its source was forgotten meanwhile; how often it had failed is known of the session. */
static void a_session_knows_what_it_came_after(void **state)
{
	struct world *w = world_make(true);
	struct cidr source;

	(void)state;
	w->config.detections[DETECTION_auth_bruteforce_success].enabled = false;
	world_start(w);
	intrude(w, 0, 5, HOTEL, 7);
	assert_true(cidr_parse(SPAN_LIT(HOTEL "/32"), &source));
	assert_true(core_forget(w->core, (struct span){0}, &source) > 0);
	onward(w, 20, 5, "10.0.0.5", 22);
	assert_string_equal(alert_of(w, "chain.t1133", HOTEL)->last.reason, "guessed");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_habits_are_not_judged),
		cmocka_unit_test(guesses_did_not_let_it_in),
		cmocka_unit_test(it_is_no_second_place),
		cmocka_unit_test(its_card_is_no_news),
		cmocka_unit_test(a_first_login_that_was_guessed),
		cmocka_unit_test(a_session_knows_what_it_came_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
