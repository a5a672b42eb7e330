/*
 * Who is told: what is in the day's digest, what is still being learned and what an operator's list
 * knows is kept and not sent; and when what is told goes out.
 */
#include "guess_world.h"

#include "common/core/core_detect.h"
#include "common/decode/decode.h"

#define DAY   86400.0
#define HOME  "203.0.113.9"
#define HOTEL "198.51.100.77"

static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	memcpy(ret->country, a->bytes[0] == 203 ? "DE" : "BR", 3);
	ret->asn = a->bytes[0] == 203 ? 64500 : 64501;
}

static const struct geo_source atlas = {lookup};

/* 192.0.2.0/24 is one network, everything else another, elsewhere. */
static void lookup_halves(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	(void)g;
	memcpy(ret->country, a->bytes[0] == 192 ? "DE" : "BR", 3);
	ret->asn = a->bytes[0] == 192 ? 64500 : 64501;
}

static const struct geo_source halves = {lookup_halves};

/* Names that do not exist, and root, for whom a verdict proves nothing. */
static void guess_nobody(struct world *w, double at, const char *origin)
{
	for (unsigned i = 0; i < 6; i++)
		failed_unknown(w, at + i, origin, 1000 + i, "oracle");
}

static void guess_root(struct world *w, double at, const char *origin)
{
	for (unsigned i = 0; i < 6; i++)
		failed(w, at + i, origin, 1000 + i, "root");
}

static void names_that_do_not_exist_are_not_sent(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess_nobody(w, 0, A);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_INFO);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 0);
	world_free(w);
}

/* Three low ones a day; what was info before and is low now is one, too. */
static void a_rise_is_one_of_the_days(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	guess_nobody(w, 7000, A);
	guess_root(w, 7100, "20.0.1.1");
	guess_root(w, 7200, "20.0.2.1");
	assert_int_equal(alert_of(w, "auth.bruteforce", "20.0.2.1")->last.severity, SEVERITY_LOW);
	guess_root(w, 7300, "20.0.3.1");
	assert_int_equal(alert_of(w, "auth.bruteforce", "20.0.3.1")->notified, 1);
	guess_root(w, 7400, A);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.severity, SEVERITY_LOW);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->notified, 0);
	world_free(w);
}

static void spray(struct world *w, double at, const char *origin, bool exist)
{
	char name[16];

	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		if (exist)
			failed(w, at + i, origin, 1000 + i, name);
		else
			failed_unknown(w, at + i, origin, 1000 + i, name);
	}
}

/* A spray that is low is one of them; one at accounts that exist is not, however many there were.
 */
static void sprays_share_the_day(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		guess_root(w, 7000 + i * 100,
			   i == 0   ? "20.0.1.1"
			   : i == 1 ? "20.0.2.1"
				    : "20.0.3.1");
	spray(w, 8000, A, false);
	assert_int_equal(alert_of(w, "auth.spray", A)->last.severity, SEVERITY_LOW);
	assert_int_equal(alert_of(w, "auth.spray", A)->notified, 0);
	spray(w, 9000, B, true);
	assert_int_equal(alert_of(w, "auth.spray", B)->last.severity, SEVERITY_MEDIUM);
	assert_int_equal(alert_of(w, "auth.spray", B)->notified, 1);
	world_free(w);
}

/* It was sent, and goes on: that costs none of the day's. */
static void a_spray_that_goes_on_costs_nothing(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	spray(w, 8000, A, false);
	assert_int_equal(alert_of(w, "auth.spray", A)->notified, 1);
	for (unsigned i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "more%u", i);
		failed_unknown(w, 8100 + i, A, 2000 + i, name);
	}
	assert_true(alert_of(w, "auth.spray", A)->last.count > 10);
	guess_root(w, 9000, "20.0.1.1");
	guess_root(w, 9100, "20.0.2.1");
	assert_int_equal(alert_of(w, "auth.bruteforce", "20.0.2.1")->notified, 1);
	world_free(w);
}

/* A second factor for a place that is new: sent, unless the habits are still being learned. */
static void learning_is_not_sent(void **state)
{
	for (unsigned days = 5; days <= 20; days += 15) {
		struct world *w = world_make(false);
		struct event e;

		(void)state;
		w->id.geo = &atlas;
		world_start(w);
		for (unsigned d = 0; d < days; d++) {
			accepted(w, d * DAY, HOME, 1024 + d, "alice", METHOD_PASSWORD, "");
			disconnected(w, d * DAY + 30, HOME, 1024 + d, "alice");
		}
		e = text_event(w, EVENT_MFA, days * DAY, HOTEL, 0, "alice");
		e.outcome = OUTCOME_SUCCESS;
		step(w, &e);
		assert_int_equal(alert_of(w, "mfa.new_place", HOTEL)->notified, days > 14);
		world_free(w);
	}
}

/* What fires in the very step in which the story begins is sent, and is part of it all the same. */
static void what_begins_a_story_is_sent(void **state)
{
	struct world *w = world_new(true);
	const struct seen_alert *a;

	(void)state;
	intrude(w, 0, 5, A, 7);
	onward(w, 20, 5, "10.0.0.5", 22);
	assert_int_equal(alerts_of(w, "chain.t1133"), 1);
	a = alert_of(w, "activity.lateral_movement", A);
	assert_int_equal(a->notified, 1);
	assert_string_equal(a->last.part_of, alert_of(w, "chain.t1133", A)->last.id);
	world_free(w);
}

/* A story is revised at once when a session of it ends, and not for every program. */
static void an_end_is_told_at_once(void **state)
{
	struct world *w = world_make(true);
	unsigned before;
	struct event e;

	(void)state;
	w->id.hash_seed = 5;
	w->paced = true;
	world_start(w);
	intrude(w, 0, 5, A, 7);
	onward(w, 20, 5, "10.0.0.5", 22);
	EXEC(w, 21, 5, "/usr/bin/id", "id");
	before = alert_of(w, "chain.t1133", A)->revisions;
	EXEC(w, 22, 5, "/usr/bin/w", "w");
	assert_int_equal(alert_of(w, "chain.t1133", A)->revisions, before);
	e = text_event(w, EVENT_ATTEMPT, 22.5, A, 2999, "alice");
	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PASSWORD;
	e.client = SPAN_LIT("SSH-2.0-libssh2_1.11"); /* what the log adds is a revision */
	step(w, &e);
	assert_int_equal(alert_of(w, "chain.t1133", A)->revisions, before + 1);
	closed(w, 23, 5, A, 2999, 10, 20, 1);
	before = alert_of(w, "chain.t1133", A)->revisions;
	e = kernel_event(w, EVENT_EXIT, 24, 5, NULL, 0);
	step(w, &e); /* its last process: the session ends */
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(alert_of(w, "chain.t1133", A)->revisions, before + 1);
	world_free(w);
}

/* A person has closed the story: the same intruder again is news, and no part of it. */
static void after_a_story_was_closed(void **state)
{
	for (unsigned close = 0; close < 2; close++) {
		struct world *w = world_new(true);
		char chain[ID_TEXT_MAX];
		const struct seen_alert *a;

		(void)state;
		intrude(w, 0, 5, A, 7);
		onward(w, 20, 5, "10.0.0.5", 22);
		strcpy(chain, alert_of(w, "chain.t1133", A)->last.id);
		if (close)
			core_alert_word(w->core, chain, CORE_CLOSED, NULL, (T0 + 30) * SEC);
		intrude(w, 1000, 50, A, 7);
		a = alert_of(w, "auth.bruteforce_success", A);
		assert_int_equal(a->last.first_ns / SEC, T0 + 1007);
		assert_int_equal(a->notified, close);
		assert_int_equal(strcmp(a->last.part_of, chain) == 0, !close);
		world_free(w);
	}
}

static void failed_on(struct world *w, double at, const char *origin, unsigned port)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, 4000 + (unsigned)at, "alice");

	e.local.port = (uint16_t)port;
	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	step(w, &e);
}

/* So many listeners that a digest gave way; what it had counted is taken from no other. */
static void a_digest_that_gave_way(void **state)
{
	struct world *w = world_new(false);
	const struct alert *a;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		failed_on(w, i, A, 22);
	for (unsigned i = 0; i < 32; i++)
		failed_on(w, 10 + i, "20.0.1.1", 2000 + i);
	failed_on(w, 50, A, 22);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	for (unsigned i = 0; i < 6; i++) {
		char origin[32];

		snprintf(origin, sizeof(origin), "30.0.%u.1", i);
		failed_on(w, 60 + i, origin, 22);
	}
	a = &alert_of(w, "auth.noise", NULL)->last;
	assert_string_equal(a->numbers, "6 failures, 6 sources");
	world_free(w);
}

/* The account's guesses are still counted, and who guessed it is no longer known. */
static void a_guessed_account_whose_guessers_are_forgotten(void **state)
{
	struct world *w = world_new(false);
	char name[16];

	(void)state;
	from_networks(w, 0, 12, "alice");
	for (unsigned i = 0; i < 2 * SPREADS_MAX; i++) {
		snprintf(name, sizeof(name), "user%u", i / 2);
		failed(w, 20 + i * 0.1, i % 2 ? "60.0.1.1" : "60.0.2.1", 1 + i, name);
	}
	assert_null(spread_find(w->core, SPAN_LIT("alice")));
	accepted(w, 100, A, 999, "alice", METHOD_PASSWORD, "");
	assert_int_equal(alert_of(w, "auth.bruteforce_success", A)->last.severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* Edges to learn have an end, however many hosts a session goes on to. */
static void more_hosts_than_edges(void **state)
{
	struct world *w = world_new(true);
	const struct csession *s;
	uint32_t at = 0;

	(void)state;
	connected(w, 0, 5, A, 2999);
	pam_password(w, 1, 5, A, 2999, "alice");
	for (unsigned i = 0; i < BURST_MAX + 9; i++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.0.%u", 1 + i);
		onward(w, 2 + i, 5, host, 22);
	}
	s = session_next_live(w->core, &at);
	assert_int_equal(s->edges_used, BURST_MAX);
	assert_int_equal(alert_of(w, "activity.lateral_movement", A)->last.count, BURST_MAX + 9);
	world_free(w);
}

/* What a log claims is told as a claim, in words of our own where the line has none. */
static void a_claim_without_its_line(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	connected(w, 0, 5, A, 2999);
	pam_password(w, 1, 5, A, 2999, "alice");
	accepted(w, 2, A, 2999, "root", METHOD_PASSWORD, "");
	assert_non_null(strstr(alert_of(w, "sensor.mismatch", NULL)->last.sentence,
			       "A log line claims a login of 'root' from 203.0.113.9"));
	world_free(w);
}

/* A file says one key, the journal another: it is one login, by the one that the journal says. */
static void the_journal_knows_better(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	connected(w, 0, 5, A, 2999);
	pam(w, 1, 5, A, 2999, PAM_CALL_ACCT_MGMT, 0, "alice", EVENT_PROVEN);
	e = text_event(w, EVENT_ATTEMPT, 1.1, A, 2999, "alice");
	e.trust = TRUST_TEXT;
	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PUBLICKEY;
	e.key = SPAN_LIT("ED25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	step(w, &e);
	accepted(w, 1.2, A, 2999, "alice", METHOD_PUBLICKEY,
		 "ED25519 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
	assert_int_equal(alerts_of(w, "access.external"), 1);
	assert_int_equal(alert_of(w, "access.external", A)->last.count, 1);
	assert_non_null(strstr(alert_of(w, "access.external", A)->last.key, "SHA256:BBBB"));
	world_free(w);
}

/* Everything of a file of events, as replay does it. */
static void replay(struct world *w, const char *path)
{
	struct decode_stream *d = calloc(1, sizeof(*d));
	static char line[65536];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	d->forced_source = -1;
	while (fgets(line, sizeof(line), f)) {
		const char *reason;
		struct event e;

		if (decode_line(d, span_of(line), &e, &reason) == DECODE_EVENT)
			step(w, &e);
	}
	assert_int_equal(fclose(f), 0);
	free(d);
}

/* A desktop that goes on within one network is kept; one that goes on in another country is sent.
 */
static void a_desktop_that_moves_nearby_is_not_sent(void **state)
{
	static const char *const paths[] = {
		"tests/golden/session.address_changed/one-network/input.log",
		"tests/golden/session.address_changed/another-country/input.log"};

	for (unsigned far = 0; far < 2; far++) {
		struct world *w = world_make(false);

		(void)state;
		w->id.geo = &halves;
		world_start(w);
		replay(w, paths[far]);
		assert_int_equal(alert_of(w, "session.address_changed", NULL)->notified, far);
		world_free(w);
	}
}

/* A tunnel is told by its structure; that it calls itself a thread of the kernel makes it worse. */
static void a_tunnel_under_another_name(void **state)
{
	for (unsigned masked = 0; masked < 2; masked++) {
		struct world *w = world_new(true);
		struct event e = kernel_event(w, EVENT_LOOPBACK, 0, 70001, "127.0.0.1", 40001);
		const struct alert *a;

		(void)state;
		e.local = ep("127.0.0.1", 22);
		e.dest = ep("198.51.100.7", 443);
		e.program = masked ? SPAN_LIT("kworker/0:1") : SPAN_LIT("ssh");
		e.args = masked ? SPAN_LIT("[kworker/0:1]") : SPAN_LIT("ssh\0-R\0relay");
		e.path = masked ? SPAN_LIT("/tmp/.x/kw") : SPAN_LIT("/usr/bin/ssh");
		e.uid = 1001;
		e.proc.pid = 77;
		step(w, &e);
		connected(w, 0.01, 5, "127.0.0.1", 40001);
		pam_failed(w, 1, 5, "127.0.0.1", 40001, "alice");
		tick(w, 30);
		a = &alert_of(w, "access.loopback_forwarded", NULL)->last;
		assert_string_equal(a->reason, masked ? "masquerade" : "");
		assert_int_equal(a->severity, masked ? SEVERITY_CRITICAL : SEVERITY_HIGH);
		assert_int_equal(strstr(a->sentence, " It calls itself ") != NULL, masked);
		world_free(w);
	}
}

/* What came of a request is in the cluster's audit log; its client's hello is no second alert. */
static void what_an_audit_log_tells(void **state)
{
	for (unsigned audited = 0; audited < 2; audited++) {
		struct world *w = world_new(true);
		struct event e = text_event(w, EVENT_API, 1, A, 0, "alice");

		(void)state;
		tick(w, 0);
		e.trust = TRUST_TEXT;
		e.service = SERVICE_KUBE_API;
		e.outcome = OUTCOME_SUCCESS;
		e.api.action = API_READ;
		if (audited) {
			step(w, &e);
			assert_int_equal(alerts_of(w, "container.api_external"), 1);
			e.time_ns += SEC;
			step(w, &e);
			assert_int_equal(alert_of(w, "container.api_external", A)->last.count, 2);
		}
		e = kernel_event(w, EVENT_CLIENT, 3, 6, B, 4711);
		e.service = SERVICE_KUBE_API;
		e.local.port = 6443;
		step(w, &e);
		assert_int_equal(alert_of(w, "container.api_external", B) != NULL, !audited);
		world_free(w);
	}
}

#define CONTAINER "4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e4f5e"

/* A story names a container as its engine does, where that is known. */
static void a_container_has_a_name(void **state)
{
	for (unsigned named = 0; named < 2; named++) {
		struct world *w = world_new(true);
		struct event e = kernel_event(w, EVENT_API, 1, 0, A, 4711);

		(void)state;
		e.service = SERVICE_DOCKER;
		e.outcome = OUTCOME_SUCCESS;
		e.subject = SPAN_LIT("POST");
		e.path = SPAN_LIT("/containers/create");
		e.api.action = API_CREATE;
		e.api.container = SPAN_LIT(CONTAINER);
		step(w, &e);
		e = (struct event){.kind = EVENT_CONTAINER,
				   .trust = TRUST_KERNEL,
				   .flags = EVENT_ROOT,
				   .time_ns = (T0 + 2) * SEC};
		e.api.action = API_START;
		e.api.container = SPAN_LIT(CONTAINER);
		e.api.name = SPAN_LIT("miner");
		if (named)
			step(w, &e);
		e = kernel_event(w, EVENT_EXEC, 3, 0, NULL, 0);
		e.local = (struct endpoint){0};
		e.handoff = 1ull << 63 | 1;
		e.broker.kind = HANDOFF_CONTAINER;
		e.program = SPAN_LIT("sh");
		e.args = SPAN_LIT("sh");
		e.subject = SPAN_LIT("docker-" CONTAINER ".scope");
		e.proc.pid = 5001;
		step(w, &e);
		assert_non_null(strstr(alert_of(w, "chain.t1133", A)->last.sentence,
				       named ? " started container miner (4f5e4f5e4f5e);"
					     : " started container 4f5e4f5e4f5e...;"));
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_do_not_exist_are_not_sent),
		cmocka_unit_test(a_rise_is_one_of_the_days),
		cmocka_unit_test(sprays_share_the_day),
		cmocka_unit_test(a_spray_that_goes_on_costs_nothing),
		cmocka_unit_test(learning_is_not_sent),
		cmocka_unit_test(what_begins_a_story_is_sent),
		cmocka_unit_test(an_end_is_told_at_once),
		cmocka_unit_test(after_a_story_was_closed),
		cmocka_unit_test(a_digest_that_gave_way),
		cmocka_unit_test(a_container_has_a_name),
		cmocka_unit_test(what_an_audit_log_tells),
		cmocka_unit_test(a_tunnel_under_another_name),
		cmocka_unit_test(a_desktop_that_moves_nearby_is_not_sent),
		cmocka_unit_test(a_claim_without_its_line),
		cmocka_unit_test(the_journal_knows_better),
		cmocka_unit_test(more_hosts_than_edges),
		cmocka_unit_test(a_guessed_account_whose_guessers_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
