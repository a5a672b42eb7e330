/* Who asked a container API, behind proxies that are trusted or not, and what was refused. */
#include "core_world.h"

#define UNAUTHENTICATED "access.unauthenticated"

static struct event asked(double at, const char *origin, const char *via, unsigned status)
{
	return (struct event){
		.kind = EVENT_API,
		.service = SERVICE_KUBE_API,
		.trust = TRUST_TEXT,
		.count = 1,
		.time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
		.origin = ep(origin, 0),
		.via = span_of(via),
		.subject = SPAN_LIT("list"),
		.path = SPAN_LIT("/api/v1/secrets"),
		.account = SPAN_LIT("system:anonymous"),
		.result = (int32_t)status,
		.outcome = status == 403 ? OUTCOME_REFUSED : OUTCOME_SUCCESS,
		.api = {.action = API_READ, .anonymous = true},
	};
}

static void trust_proxy(struct world *w, const char *cidr, unsigned port, enum proxy_kind kind)
{
	struct trusted_proxy *p = &w->config.proxies[w->config.proxies_count++];

	assert_true(cidr_parse(span_of(cidr), &p->from));
	p->port = port;
	p->kind = (uint32_t)kind;
}

static void whom_proxies_name(void **state)
{
	static const struct {
		const char *peer, *via, *origin;
	} rows[] = {
		{"10.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"}, /* its client's word */
		{"10.0.0.1", "203.0.113.9,10.0.0.2 ", "203.0.113.9"},	  /* one behind the other */
		{"10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"},
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"},
		{"10.0.0.1", "203.0.113.9,", "10.0.0.1"},
		{"10.0.0.1", ",,,", "10.0.0.1"},
		{"10.0.0.1", "[2001:db8::9]:443", "2001:db8::9"},
		{"203.0.113.7", "10.0.0.1", "203.0.113.7"}, /* who may say that is not trusted */
		{"10.1.0.1", "203.0.113.9", "10.1.0.1"},    /* of another kind */
		{"10.2.0.1", "203.0.113.9", "10.2.0.1"},    /* of another port */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_make(false);
		struct event e = asked(1, rows[i].peer, rows[i].via, 200);
		bool external = !strncmp(rows[i].origin, "203.", 4) || rows[i].origin[0] == '2';

		trust_proxy(w, "10.0.0.0/24", 0, PROXY_KIND_XFF);
		trust_proxy(w, "10.1.0.0/24", 0, PROXY_KIND_HEADER);
		trust_proxy(w, "10.2.0.0/24", 8443, PROXY_KIND_XFF);
		world_start(w);
		step(w, &e);
		if (!!alert_of(w, UNAUTHENTICATED, rows[i].origin) != external ||
		    alerts_of(w, UNAUTHENTICATED) != external)
			fail_msg("row %zu", i);
		world_free(w);
	}
}

static void what_is_refused_is_counted(void **state)
{
	struct world *w = world_make(false);
	struct event e;

	(void)state;
	assert_true(cidr_parse(SPAN_LIT("198.51.100.0/24"), &w->config.allowed[0]));
	w->config.allowed_count = 1;
	world_start(w);
	for (unsigned i = 0; i < 50; i++) {
		e = asked(i, "203.0.113.9", "", 403);
		step(w, &e);
	}
	e = asked(60, "198.51.100.9", "", 403);
	step(w, &e);
	e = asked(61, "10.0.0.9", "", 403);
	step(w, &e);
	assert_int_equal(core_stats(w->core)->apis_refused, 50);
	assert_int_equal(alerts_of(w, "container.api_external"), 1); /* low, and it grows */
	assert_int_equal(alerts_at_least(w, SEVERITY_MEDIUM), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whom_proxies_name),
		cmocka_unit_test(what_is_refused_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
