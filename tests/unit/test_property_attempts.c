/*
 * Random streams of tries against the obvious way to count.
 *
 * A stream has sources in networks and autonomous systems, accounts that exist or not, quiet hours
 * and bursts, late events, and up to three witnesses of each try (sshd, pam_unix, PAM calls) in
 * any order. The reference below keeps every try for ever and looks at all of them each time. While
 * the tables are larger than the stream both must agree on every alert, to the try. Where the
 * product is approximate it may miss and never fires on too few: a network or system that one of
 * its sources leaves for an alert of its own after a crowd of tries that were not worth one.
 *
 * OUTERGATE_PROPERTY=N runs N times as many streams.
 */
#include "detect_world.h"

#define TRIES	 400
#define HOSTS	 36
#define NETS	 12
#define SYSTEMS	 4
#define ACCOUNTS 22
#define EXISTING 14
#define DAY	 864000u

struct
try {
	uint32_t ds; /* tenths of a second after T0 */
	uint8_t host, account;
	bool for_net, for_asn;
};

struct limits {
	uint32_t fast, net, asn, addresses, slow, window;
};

struct reference {
	struct limits limits;
	struct try tries[TRIES];
	unsigned used;
	uint32_t alerted[HOSTS], fired[HOSTS], net_alerted[NETS]; /* ds + 1; 0 never */
	bool fast[HOSTS], info[HOSTS], slow[HOSTS], spray[HOSTS];
	bool net[NETS], asn[SYSTEMS], distributed[ACCOUNTS];
};

static uint32_t dice(uint64_t *s, uint32_t below)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(((*s >> 33) * below) >> 31);
}

static unsigned net_of(unsigned host)
{
	return host / (HOSTS / NETS);
}

static unsigned system_of(unsigned host)
{
	return net_of(host) / (NETS / SYSTEMS);
}

/* In every other stream; a source there may turn from names that do not exist to one that does. */
static unsigned existing;

static bool exists(unsigned account)
{
	return account < existing;
}

/* --- the reference */
enum who {
	OF_HOST,
	OF_NET,
	OF_SYSTEM
};

static bool is_of(const struct try *t, enum who who, unsigned of)
{
	switch (who) {
	case OF_HOST:
		return t->host == of;
	case OF_NET:
		return t->for_net && net_of(t->host) == of;
	default:
		return t->for_asn && system_of(t->host) == of;
	}
}

static unsigned count_to(const struct reference *r, enum who who, unsigned of, uint32_t end,
			 uint32_t width)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->used; i++)
		n += is_of(&r->tries[i], who, of) && r->tries[i].ds <= end &&
		     end - r->tries[i].ds < width;
	return n;
}

/* The most in any window with that moment in it. */
static unsigned most_at(const struct reference *r, enum who who, unsigned of, uint32_t at,
			uint32_t width)
{
	unsigned most = count_to(r, who, of, at, width), n;

	for (unsigned i = 0; i < r->used; i++) {
		uint32_t end = r->tries[i].ds;

		if (!is_of(&r->tries[i], who, of) || end < at || end - at >= width)
			continue;
		n = count_to(r, who, of, end, width);
		most = n > most ? n : most;
	}
	return most;
}

static uint32_t newest(const struct reference *r, enum who who, unsigned of)
{
	uint32_t ds = 0;

	for (unsigned i = 0; i < r->used; i++)
		if (is_of(&r->tries[i], who, of) && r->tries[i].ds > ds)
			ds = r->tries[i].ds;
	return ds;
}

/* Was an existing account tried within that time, or later? */
static bool real(const struct reference *r, enum who who, unsigned of, uint32_t now, uint32_t width)
{
	for (unsigned i = 0; i < r->used; i++)
		if (is_of(&r->tries[i], who, of) && exists(r->tries[i].account) &&
		    now < r->tries[i].ds + width)
			return true;
	return false;
}

static bool lately(uint32_t then, uint32_t now)
{
	return then && now < then - 1 + DAY;
}

static void fast(struct reference *r, unsigned host, uint32_t now)
{
	bool over = most_at(r, OF_HOST, host, now, r->limits.window) > r->limits.fast;
	bool is_real = real(r, OF_HOST, host, now, r->limits.window);

	if (over)
		r->fired[host] = now + 1;
	if (over && !is_real && !lately(r->alerted[host], now))
		r->info[host] = true;
	if (!(over && is_real) && !lately(r->alerted[host], now))
		return;
	if (over && is_real && !lately(r->alerted[host], now))
		for (unsigned i = 0; i < r->used; i++)
			if (r->tries[i].host == host)
				r->tries[i].for_net = r->tries[i].for_asn = false;
	if (over || lately(r->alerted[host], now)) {
		if (is_real || lately(r->alerted[host], now))
			r->alerted[host] = now + 1;
		r->fast[host] = true;
	}
}

/* Of any host of that network or system: product keeps one moment for all. */
static bool real_of_any(const struct reference *r, enum who who, unsigned of, uint32_t now)
{
	for (unsigned i = 0; i < r->used; i++) {
		const struct try *t = &r->tries[i];
		unsigned is = who == OF_NET ? net_of(t->host) : system_of(t->host);

		if (is == of && exists(t->account) && now < t->ds + r->limits.window)
			return true;
	}
	return false;
}

static bool network(struct reference *r, unsigned net, uint32_t now)
{
	if (most_at(r, OF_NET, net, now, r->limits.window) <= r->limits.net ||
	    !real_of_any(r, OF_NET, net, now))
		return false;
	r->net[net] = true;
	r->net_alerted[net] = now + 1;
	for (unsigned i = 0; i < r->used; i++)
		if (r->tries[i].for_net && net_of(r->tries[i].host) == net)
			r->tries[i].for_asn = false;
	return true;
}

static void system_(struct reference *r, unsigned asn, uint32_t now)
{
	uint32_t end = newest(r, OF_SYSTEM, asn);
	bool seen[HOSTS] = {false};
	unsigned addresses = 0;

	if (count_to(r, OF_SYSTEM, asn, end, r->limits.window) <= r->limits.asn)
		return;
	for (unsigned i = 0; i < r->used; i++) {
		const struct try *t = &r->tries[i];

		if (!is_of(t, OF_SYSTEM, asn) || end - t->ds >= r->limits.window || seen[t->host])
			continue;
		seen[t->host] = true;
		addresses++;
	}
	if (addresses >= r->limits.addresses && real_of_any(r, OF_SYSTEM, asn, now))
		r->asn[asn] = true;
}

static void slow(struct reference *r, unsigned host, uint32_t now)
{
	if (most_at(r, OF_HOST, host, now, DAY) > r->limits.slow &&
	    !lately(r->alerted[host], now) && !lately(r->fired[host], now))
		r->slow[host] = true;
}

static void spray(struct reference *r, unsigned host)
{
	uint32_t end = newest(r, OF_HOST, host);
	bool seen[ACCOUNTS] = {false};
	unsigned n = 0;

	for (unsigned i = 0; i < r->used; i++) {
		const struct try *t = &r->tries[i];

		if (t->host != host || end - t->ds >= r->limits.window || seen[t->account])
			continue;
		seen[t->account] = true;
		n++;
	}
	if (n >= 10)
		r->spray[host] = true;
}

static void distributed(struct reference *r, unsigned account)
{
	bool seen[NETS] = {false};
	uint32_t end = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < r->used; i++)
		if (r->tries[i].account == account && r->tries[i].ds > end)
			end = r->tries[i].ds;
	for (unsigned i = 0; i < r->used; i++) {
		const struct try *t = &r->tries[i];

		if (t->account != account || end - t->ds >= r->limits.window ||
		    seen[net_of(t->host)])
			continue;
		seen[net_of(t->host)] = true;
		n++;
	}
	if (exists(account) && n >= 10)
		r->distributed[account] = true;
}

static void reference_add(struct reference *r, struct try t)
{
	uint32_t now = t.ds;
	bool alone;

	t.for_net = !lately(r->alerted[t.host], now);
	t.for_asn = t.for_net && !lately(r->net_alerted[net_of(t.host)], now);
	r->tries[r->used++] = t;
	fast(r, t.host, now);
	alone = !lately(r->alerted[t.host], now);
	if (alone && !network(r, net_of(t.host), now) && r->tries[r->used - 1].for_asn)
		system_(r, system_of(t.host), now);
	slow(r, t.host, now);
	spray(r, t.host);
	distributed(r, t.account);
}

/* --- the product */
static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	char text[ADDR_TEXT_MAX];
	unsigned first, second;

	(void)g;
	addr_format(a, text);
	if (sscanf(text, "%u.%u.", &first, &second) == 2)
		ret->asn = 64500 + second;
}

static const struct geo_source geo = {lookup};

static void origin_of(char out[32], unsigned host)
{
	snprintf(out, 32, "20.%u.%u.%u", system_of(host), net_of(host), 1 + host);
}

static void account_name(char out[16], unsigned account)
{
	snprintf(out, 16, account ? "user%u" : "root", account);
}

static struct world *world_of(const struct limits *l, bool kernel)
{
	struct world *w = world_make(kernel);
	struct config_detection *d = w->config.detections;

	w->id.geo = &geo;
	w->config.failed_logon_threshold = l->fast;
	w->config.time_window_s = l->window / 10;
	d[DETECTION_auth_bruteforce].params[0] = l->net;
	d[DETECTION_auth_bruteforce].params[2] = l->asn;
	d[DETECTION_auth_bruteforce].params[3] = l->addresses;
	d[DETECTION_auth_slow_bruteforce].params[0] = l->slow;
	w->config.limits.alerts = 2048;
	w->paced = true;
	return world_start(w);
}

/* One try, by one to three witnesses in any order; the first that says whether it exists counts. */
static void told(struct world *w, const struct try *t, unsigned i, uint64_t *seed)
{
	double at = t->ds / 10.0 + 0.01; /* so that no rounding takes it to the tick before */
	char origin[32], name[16];
	unsigned port = 1024 + i, order = dice(seed, 6);
	uint64_t conn = 1 + i;
	struct event text;

	origin_of(origin, t->host);
	account_name(name, t->account);
	text = text_event(w, EVENT_ATTEMPT, at, origin, port, name);
	text.outcome = OUTCOME_FAILURE;
	text.method = METHOD_PASSWORD;
	text.flags = exists(t->account) ? EVENT_ACCOUNT_EXISTS : EVENT_ACCOUNT_UNKNOWN;
	text.proc.pid = 5000 + i;
	if (w->id.kernel_sensor) {
		connected(w, at, conn, origin, port);
		if (order & 1)
			pam_failed(w, at, conn, origin, port, name);
	}
	step(w, &text);
	if (order & 2) {
		struct event again = text;

		again.witness = WITNESS_PAM_LOG;
		again.origin.port = w->id.kernel_sensor ? text.origin.port : 0;
		step(w, &again);
	}
	if (w->id.kernel_sensor && !(order & 1))
		pam_failed(w, at, conn, origin, port, name);
	if (order > 3) {
		text.kind = EVENT_AUTH_NOTE;
		text.flags |= EVENT_PREAUTH;
		text.outcome = OUTCOME_UNKNOWN;
		step(w, &text);
	}
}

static bool told_of(struct world *w, const char *id, const char *reason, enum severity least,
		    const char *origin, uint32_t asn, const char *account)
{
	for (unsigned i = 0; i < w->alerts_used; i++) {
		const struct alert *a = &w->alerts[i].last;
		char text[ADDR_TEXT_MAX];

		if (strcmp(a->detection->id, id) != 0 || strcmp(a->reason, reason) != 0)
			continue;
		if (a->severity < least || (asn && a->geo.asn != asn))
			continue;
		if (account && strcmp(a->account, account) != 0)
			continue;
		if (!origin || strcmp(addr_format(&a->origin.addr, text), origin) == 0)
			return true;
	}
	return false;
}

/* What each said so far; bit by bit. */
#define AGGREGATES  (4 * HOSTS)
#define ACCOUNTS_AT (AGGREGATES + NETS + SYSTEMS)
#define VERDICTS    (ACCOUNTS_AT + ACCOUNTS)

static void verdicts_of_reference(const struct reference *r, bool out[VERDICTS])
{
	unsigned n = 0;

	for (unsigned h = 0; h < HOSTS; h++) {
		out[n++] = r->fast[h];
		out[n++] = r->info[h] || r->fast[h];
		out[n++] = r->slow[h];
		out[n++] = r->spray[h];
	}
	for (unsigned i = 0; i < NETS; i++)
		out[n++] = r->net[i];
	for (unsigned i = 0; i < SYSTEMS; i++)
		out[n++] = r->asn[i];
	for (unsigned i = 0; i < ACCOUNTS; i++)
		out[n++] = r->distributed[i];
}

static void verdicts_of_core(struct world *w, bool out[VERDICTS])
{
	char text[32];
	unsigned n = 0;

	for (unsigned h = 0; h < HOSTS; h++) {
		origin_of(text, h);
		out[n++] = told_of(w, "auth.bruteforce", "", SEVERITY_LOW, text, 0, NULL);
		out[n++] = told_of(w, "auth.bruteforce", "", SEVERITY_INFO, text, 0, NULL);
		out[n++] = told_of(w, "auth.slow_bruteforce", "", SEVERITY_INFO, text, 0, NULL);
		out[n++] = told_of(w, "auth.spray", "", SEVERITY_LOW, text, 0, NULL);
	}
	for (unsigned i = 0; i < NETS; i++) {
		snprintf(text, sizeof(text), "20.%u.%u.0", i / (NETS / SYSTEMS), i);
		out[n++] = told_of(w, "auth.bruteforce", "network", SEVERITY_LOW, text, 0, NULL);
	}
	for (unsigned i = 0; i < SYSTEMS; i++)
		out[n++] =
			told_of(w, "auth.bruteforce", "asn", SEVERITY_LOW, NULL, 64500 + i, NULL);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		account_name(text, i);
		out[n++] = told_of(w, "auth.distributed", "", SEVERITY_LOW, NULL, 0, text);
	}
}

/* --- streams */
static struct limits some_limits(uint64_t *seed)
{
	static const uint32_t fasts[] = {5, 5, 3, 12, 30};

	return (struct limits){.fast = fasts[dice(seed, 5)],
			       .net = 6 + dice(seed, 40),
			       .asn = 12 + dice(seed, 60),
			       .addresses = 2 + dice(seed, 8),
			       .slow = 8 + dice(seed, 13),
			       .window = dice(seed, 4) ? 9000 : 3000};
}

/* Who is at it for a while, and how fast. */
struct phase {
	unsigned first_host, hosts, first_account, accounts, left;
	uint32_t gap; /* ds, on average half of it */
};

static struct phase some_phase(uint64_t *seed)
{
	static const uint32_t gaps[] = {4, 40, 300, 3000, 30000, 90000};
	struct phase p = {.hosts = 1 + dice(seed, dice(seed, 2) ? 3 : HOSTS),
			  .accounts = 1 + dice(seed, dice(seed, 3) ? 2 : ACCOUNTS),
			  .left = 3 + dice(seed, 60),
			  .gap = gaps[dice(seed, 6)]};

	p.first_host = dice(seed, HOSTS - p.hosts + 1);
	p.first_account = dice(seed, ACCOUNTS - p.accounts + 1);
	return p;
}

static struct try some_try(struct phase *p, uint32_t *now, uint32_t late, uint64_t *seed)
{
	uint32_t back = late && dice(seed, 3) == 0 ? dice(seed, late) : 0;

	if (!p->left--)
		*p = some_phase(seed);
	*now += dice(seed, p->gap);
	return (struct try){.ds = *now > back ? *now - back : *now,
			    .host = (uint8_t)(p->first_host + dice(seed, p->hosts)),
			    .account = (uint8_t)(p->first_account + dice(seed, p->accounts))};
}

/* What a person needs to see of a stream that went wrong: all about that host. */
static void explain(const struct reference *r, struct world *w, unsigned verdict)
{
	unsigned host = verdict < 4 * HOSTS ? verdict / 4 : HOSTS;

	fprintf(stderr, "fast %u net %u asn %u/%u slow %u window %u\n", r->limits.fast,
		r->limits.net, r->limits.asn, r->limits.addresses, r->limits.slow,
		r->limits.window);
	for (unsigned i = 0; host < HOSTS && i < r->used; i++)
		if (r->tries[i].host == host)
			fprintf(stderr, "%u at %u for %u\n", i, r->tries[i].ds,
				r->tries[i].account);
	world_print(w);
}

/* --- successes */
static unsigned on_account(const struct reference *r, unsigned account, unsigned but_host,
			   uint32_t at)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->used; i++)
		n += r->tries[i].account == account && r->tries[i].host != but_host &&
		     r->tries[i].ds <= at && at - r->tries[i].ds < r->limits.window;
	return n;
}

/* Among the sixteen that it tried last? */
static bool tried(const struct reference *r, unsigned host, unsigned account)
{
	bool seen[ACCOUNTS] = {false};
	unsigned n = 0;

	for (unsigned i = r->used; i-- && n < 16;) {
		if (r->tries[i].host != host || seen[r->tries[i].account])
			continue;
		seen[r->tries[i].account] = true;
		n++;
	}
	return seen[account];
}

static bool same_system_guessed(const struct reference *r, unsigned host, unsigned account,
				uint32_t at)
{
	for (unsigned i = 0; i < r->used; i++) {
		const struct try *t = &r->tries[i];

		if (t->account == account && t->host != host &&
		    system_of(t->host) == system_of(host) && at - t->ds < r->limits.window)
			return true;
	}
	return false;
}

static bool own_guess(const struct reference *r, unsigned host, unsigned account, uint32_t at)
{
	if (count_to(r, OF_HOST, host, at, r->limits.window) > r->limits.fast ||
	    lately(r->fired[host], at) || lately(r->alerted[host], at))
		return true;
	return tried(r, host, account) && count_to(r, OF_HOST, host, at, DAY) > r->limits.slow;
}

/* SEVERITY_INFO: nothing is to be told. */
static enum severity success_of(const struct reference *r, unsigned host, unsigned account,
				uint32_t at)
{
	unsigned own = count_to(r, OF_HOST, host, at, r->limits.window), all;

	if (own_guess(r, host, account, at))
		return SEVERITY_HIGH;
	/* failures of that host on other accounts are taken off, too: too few, never too many */
	all = on_account(r, account, HOSTS, at);
	if (all < own + 10)
		return SEVERITY_INFO;
	assert_true(on_account(r, account, host, at) >= 10);
	return same_system_guessed(r, host, account, at) ? SEVERITY_HIGH : SEVERITY_MEDIUM;
}

static unsigned successes_told[SEVERITY_COUNT];

static void succeeds(struct world *w, const struct reference *r, unsigned host, unsigned account,
		     uint32_t at)
{
	enum severity want = success_of(r, host, account, at), have = SEVERITY_INFO;
	unsigned before = alerts_of(w, "auth.bruteforce_success");
	char origin[32], name[16];

	origin_of(origin, host);
	account_name(name, account);
	if (w->id.kernel_sensor)
		connected(w, at / 10.0 + 0.01, 100000 + r->used, origin, 50000 + r->used);
	accepted(w, at / 10.0 + 0.01, origin, 50000 + r->used, name, METHOD_PASSWORD, "");
	if (alerts_of(w, "auth.bruteforce_success") > before)
		have = alert_of(w, "auth.bruteforce_success", origin)->last.severity;
	if (have != want) {
		explain(r, w, 4 * host);
		fail_msg("success of host %u on %u at %u: %d, the reference says %d", host, account,
			 at, (int)have, (int)want);
	}
	successes_told[want]++;
}

static unsigned fired_in_all[VERDICTS];

static void stream(uint64_t seed, bool kernel, uint32_t late)
{
	struct reference *r = calloc(1, sizeof(*r));
	struct phase phase = {0};
	uint32_t now = 1000;
	struct world *w;
	bool want[VERDICTS], have[VERDICTS], all_exist;

	existing = seed & 2 ? ACCOUNTS : EXISTING;
	all_exist = existing == ACCOUNTS;
	r->limits = some_limits(&seed);
	w = world_of(&r->limits, kernel);
	phase = some_phase(&seed);
	for (unsigned i = 0; i < TRIES; i++) {
		struct try t = some_try(&phase, &now, late, &seed);

		told(w, &t, i, &seed);
		reference_add(r, t);
		if (!late && dice(&seed, 12) == 0) {
			succeeds(w, r, t.host, dice(&seed, 2) && exists(t.account) ? t.account : 1,
				 now + 1);
			now += 2;
		}
		if (i % 8 && i + 1 < TRIES)
			continue;
		verdicts_of_reference(r, want);
		verdicts_of_core(w, have);
		for (unsigned k = 0; k < VERDICTS; k++)
			if (k >= AGGREGATES && k < ACCOUNTS_AT && !all_exist ? want[k] < have[k]
									     : want[k] != have[k]) {
				explain(r, w, k);
				fail_msg("verdict %u at try %u: %d, the reference says %d", k, i,
					 have[k], want[k]);
			}
	}
	assert_int_equal(core_stats(w->core)->attempts, TRIES); /* each once */
	for (unsigned k = 0; k < VERDICTS; k++)
		fired_in_all[k] += want[k];
	world_free(w);
	free(r);
}

static unsigned rounds(unsigned n)
{
	const char *more = getenv("OUTERGATE_PROPERTY");

	return more ? n * (unsigned)atoi(more) : n;
}

static unsigned sum(unsigned from, unsigned to, unsigned every)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i += every)
		n += fired_in_all[i];
	return n;
}

static void streams_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < rounds(150); i++)
		stream(1000 + i, i & 1, 0);
	/* every kind was there, and was not always */
	assert_in_range(sum(0, 4 * HOSTS, 4), 50, 150 * HOSTS);
	assert_in_range(sum(2, 4 * HOSTS, 4), 50, 150 * HOSTS);
	assert_in_range(sum(3, 4 * HOSTS, 4), 50, 150 * HOSTS);
	assert_true(sum(4 * HOSTS, 4 * HOSTS + NETS, 1) > 20);
	assert_true(sum(4 * HOSTS + NETS, 4 * HOSTS + NETS + SYSTEMS, 1) > 20);
	assert_true(sum(4 * HOSTS + NETS + SYSTEMS, VERDICTS, 1) > 20);
}

static void successes_in_order(void **state)
{
	(void)state;
	assert_true(successes_told[SEVERITY_HIGH] > 50);
	assert_true(successes_told[SEVERITY_MEDIUM] > 3);
	assert_true(successes_told[SEVERITY_INFO] > 50);
}

static void streams_with_late_events(void **state)
{
	(void)state;
	for (unsigned i = 0; i < rounds(100); i++)
		stream(5000 + i, i & 1, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_in_order),
		cmocka_unit_test(successes_in_order), /* those of the streams above */
		cmocka_unit_test(streams_with_late_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
