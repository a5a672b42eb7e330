/*
 * outergate setup: lists that fit what was observed, as a configuration to read, cut and keep.
 *
 * Every line says what speaks for it. Nothing is changed, and what is printed is good: it goes
 * through the parser before. What it cannot know: whether what was regular was meant. An intruder
 * who came quietly for a week is regular; so read before you keep.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "common/out/writer.h"
#include "observed.h"
#include "zone_file.h"

#define YAML_MAX	 (256u << 10)
#define PER_LIST	 40 /* most used first; a list that is longer is no list to read */
#define REGULAR_DAYS	 5  /* distinct days that make a habit */
#define REGULAR_LOGINS	 10
#define CROWD_ACCOUNTS	 5 /* accounts behind one address: a NAT or the exit of a VPN */
#define SHARED_KEYS	 3
#define EDGE_DAYS	 3
#define EDGE_SESSIONS	 5
#define BASTION_ACCOUNTS 3
#define DAY_NS		 (86400 * UINT64_C(1000000000))

struct proposal {
	struct writer w;
	const struct observed *seen;
	const struct config *config;
	char *text;
	bool failed;	   /* out of memory */
	bool zone_of_host; /* the configuration names none */
};

static void put(struct proposal *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct proposal *p, const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	writer_puts(&p->w, line);
}

static const char *day_text(uint32_t day, char buf[32])
{
	buf[strlen(out_time(day * DAY_NS, buf)) > 10 ? 10 : 0] = '\0';
	return buf;
}

/* In single quotes, where only a quote could end it; names with one are not proposed. */
static const char *quoted(const char *name, char buf[ACCOUNT_TEXT_MAX + 3])
{
	snprintf(buf, ACCOUNT_TEXT_MAX + 3, "'%s'", name);
	return buf;
}

/* --- groups: runs of equal rows of a sorted array */

struct group {
	size_t first, count; /* rows */
	unsigned days;
	uint32_t first_day;
};

typedef int (*order_fn)(const void *a, const void *b);

static struct group *groups_make(const struct login *rows, size_t n, order_fn same, size_t *ret)
{
	struct group *g = calloc(n + 1, sizeof(*g));
	size_t k = 0;

	for (size_t i = 0; g && i < n; i++) {
		if (!i || same(&rows[i - 1], &rows[i])) {
			k++;
			g[k - 1] = (struct group){.first = i, .first_day = rows[i].day};
		}
		if (!g[k - 1].count || rows[i].day != rows[i - 1].day)
			g[k - 1].days++;
		g[k - 1].count++;
	}
	*ret = k;
	return g;
}

static int most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int by_days(const struct login *x, const struct login *y)
{
	return x->day < y->day ? -1 : x->day > y->day;
}

#define ORDER(name, compare)                                                                       \
	static int name##_same(const void *a, const void *b)                                       \
	{                                                                                          \
		const struct login *x = a, *y = b;                                                 \
		return compare;                                                                    \
	}                                                                                          \
	static int name(const void *a, const void *b)                                              \
	{                                                                                          \
		int r = name##_same(a, b);                                                         \
		return r ? r : by_days(a, b);                                                      \
	}

static int addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int net_cmp(const struct login *x, const struct login *y)
{
	int r = strcmp(x->account, y->account);

	return r ? r : addr_cmp(&x->net, &y->net);
}

ORDER(by_account_net, net_cmp(x, y))
ORDER(by_addr, addr_cmp(&x->addr, &y->addr))
ORDER(by_key, strcmp(x->key, y->key))
ORDER(by_account, strcmp(x->account, y->account))
ORDER(by_country, strcmp(x->country, y->country))

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Distinct accounts (or keys) of a group. */
static unsigned distinct(const struct login *rows, const struct group *g, size_t at)
{
	char(*names)[CONFIG_TEXT_MAX] = calloc(g->count, sizeof(*names));
	unsigned n = 0;

	for (size_t i = 0; names && i < g->count; i++)
		span_copy(names[i], CONFIG_TEXT_MAX,
			  span_of((const char *)&rows[g->first + i] + at));
	if (names)
		qsort(names, g->count, sizeof(*names), by_name);
	for (size_t i = 0; names && i < g->count; i++)
		n += names[i][0] && (!i || strcmp(names[i - 1], names[i]) != 0);
	free(names);
	return n;
}

static void why(struct proposal *p, const struct group *g, const char *what)
{
	char day[32];

	put(p, "  # %zu logins%s on %u days since %s\n", g->count, what, g->days,
	    day_text(g->first_day, day));
}

/* One way to look for entries of a list; several may add to one. */
struct pass {
	order_fn order, same;
	bool (*one)(struct proposal *p, const struct group *g, bool dry);
};

/* Sorts, groups, and hands each group that is regular to one(), the largest first. */
static unsigned run_pass(struct proposal *p, const struct pass *pass, const char *key, unsigned had,
			 unsigned *left)
{
	struct login *rows = p->seen->logins;
	size_t n = p->seen->logins_count, groups = 0;
	struct group *g;

	if (n)
		qsort(rows, n, sizeof(*rows), pass->order);
	g = groups_make(rows, n, pass->same, &groups);
	if (g && groups)
		qsort(g, groups, sizeof(*g), most_first);
	for (size_t i = 0; g && i < groups; i++) {
		if (!pass->one(p, &g[i], true))
			continue;
		if (had == PER_LIST) {
			++*left;
			continue;
		}
		if (!had++)
			put(p, "%s:\n", key);
		pass->one(p, &g[i], false);
	}
	p->failed |= !g;
	free(g);
	return had;
}

static void each(struct proposal *p, const char *key, const char *none, const struct pass *passes,
		 unsigned count)
{
	unsigned had = 0, left = 0;

	for (unsigned i = 0; i < count; i++)
		had = run_pass(p, &passes[i], key, had, &left);
	if (!had)
		put(p, "# %.40s: %s\n", key, none);
	if (left)
		put(p, "# %u more are as regular, and used less\n", left);
	put(p, "\n");
}

static bool is_regular(const struct group *g)
{
	return g->count >= REGULAR_LOGINS && g->days >= REGULAR_DAYS;
}

/* --- lists */

static bool one_address(const struct login *rows, const struct group *g)
{
	for (size_t i = 1; i < g->count; i++)
		if (addr_cmp(&rows[g->first].addr, &rows[g->first + i].addr))
			return false;
	return true;
}

/* Already in the configuration that is in force? */
static bool is_known(const struct config *c, const struct login *l)
{
	for (unsigned i = 0; i < c->known_count; i++)
		if (cidr_has(&c->known[i].cidr, &l->addr) &&
		    (!c->known[i].account[0] || !strcmp(c->known[i].account, l->account)))
			return true;
	return false;
}

static bool is_crowd(const struct proposal *p, const struct group *g)
{
	return is_regular(g) &&
	       distinct(p->seen->logins, g, offsetof(struct login, account)) >= CROWD_ACCOUNTS;
}

/* Many accounts behind one address: bound to none. */
static bool put_crowd(struct proposal *p, const struct group *g, bool dry)
{
	struct login *l = &p->seen->logins[g->first];
	char addr[ADDR_TEXT_MAX], what[64];

	if (dry) {
		bool crowd = l->external && is_crowd(p, g);

		for (size_t i = 0; i < g->count; i++)
			l[i].in_crowd = crowd;
		return crowd && !is_known(p->config, l);
	}
	put(p, "  - {cidr: '%s'}", addr_format(&l->addr, addr));
	snprintf(what, sizeof(what), " of %u accounts",
		 distinct(p->seen->logins, g, offsetof(struct login, account)));
	why(p, g, what);
	return true;
}

static bool put_known(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *rows = p->seen->logins, *l = &rows[g->first];
	char addr[ADDR_TEXT_MAX], name[ACCOUNT_TEXT_MAX + 3], block[ADDR_TEXT_MAX + 8];
	bool one = one_address(rows, g);

	if (dry)
		return is_regular(g) && l->external && !l->in_crowd && !is_known(p->config, l);
	addr_format(one ? &l->addr : &l->net, addr);
	snprintf(block, sizeof(block), "%s/%u", addr,
		 l->addr.family == ADDR_V6 ? (one ? 128u : 48u) : (one ? 32u : 24u));
	put(p, "  - {cidr: '%s', account: %s}", block, quoted(l->account, name));
	why(p, g, "");
	return true;
}

static bool put_client(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *l = &p->seen->logins[g->first];
	unsigned accounts;
	char what[64];

	if (dry) {
		bool known = false;

		for (unsigned i = 0; i < p->config->clients_count; i++)
			known |= !strcmp(p->config->clients[i].key, l->key);
		return is_regular(g) && l->key[0] && !known;
	}
	accounts = distinct(p->seen->logins, g, offsetof(struct login, account));
	put(p, "  - '%s'", l->key);
	snprintf(what, sizeof(what), " of %u account%s", accounts, accounts == 1 ? "" : "s");
	why(p, g, what);
	return true;
}

static bool put_pool(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *l = &p->seen->logins[g->first];
	unsigned accounts = distinct(p->seen->logins, g, offsetof(struct login, account));
	char addr[ADDR_TEXT_MAX], what[64];

	if (dry) {
		for (unsigned i = 0; i < p->config->vpn_pools_count; i++)
			if (cidr_has(&p->config->vpn_pools[i], &l->addr))
				return false;
		return is_crowd(p, g);
	}
	put(p, "  - '%s'", addr_format(&l->addr, addr));
	snprintf(what, sizeof(what), " of %u accounts", accounts);
	why(p, g, what);
	return true;
}

static bool put_shared(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *l = &p->seen->logins[g->first];
	unsigned keys = distinct(p->seen->logins, g, offsetof(struct login, key));
	char name[ACCOUNT_TEXT_MAX + 3], what[64];

	if (dry) {
		for (unsigned i = 0; i < p->config->shared_accounts_count; i++)
			if (!strcmp(p->config->shared_accounts[i], l->account))
				return false;
		return is_regular(g) && keys >= SHARED_KEYS;
	}
	put(p, "  - %s", quoted(l->account, name));
	snprintf(what, sizeof(what), " with %u keys", keys);
	why(p, g, what);
	return true;
}

/* Nobody sits there: keys only, never a terminal, on most days, on weekends as well. */
static bool is_machine(const struct proposal *p, const struct group *g)
{
	const struct login *rows = p->seen->logins;
	uint32_t last = g->first_day;
	bool weekend = false;

	for (size_t i = g->first; i < g->first + g->count; i++) {
		if (rows[i].has_pty || !rows[i].by_key)
			return false;
		weekend |= rows[i].week_minute >= 5 * 1440;
		last = rows[i].day;
	}
	return g->count >= 2 * REGULAR_LOGINS && g->days >= REGULAR_DAYS && weekend &&
	       g->days * 10 >= (last - g->first_day + 1) * 8;
}

static bool put_machine(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *l = &p->seen->logins[g->first];
	char name[ACCOUNT_TEXT_MAX + 3];

	if (dry) {
		for (unsigned i = 0; i < p->config->expected_automation_count; i++)
			if (!strcmp(p->config->expected_automation[i], l->account))
				return false;
		return is_machine(p, g);
	}
	put(p, "  - %s", quoted(l->account, name));
	why(p, g, ", by key, never with a terminal,");
	return true;
}

static bool put_country(struct proposal *p, const struct group *g, bool dry)
{
	const struct login *l = &p->seen->logins[g->first];

	if (dry)
		return is_regular(g) && l->country[0] >= 'A' && l->country[0] <= 'Z' &&
		       l->country[1] >= 'A' && l->country[1] <= 'Z';
	put(p, "    - '%.2s'", l->country);
	why(p, g, "");
	return true;
}

/* --- onward */

static int edge_same(const void *a, const void *b)
{
	const struct onward *x = a, *y = b;
	int r = strcmp(x->account, y->account);

	if (!r)
		r = addr_cmp(&x->net, &y->net);
	return r ? r : (int)x->service - (int)y->service;
}

static int by_edge(const void *a, const void *b)
{
	const struct onward *x = a, *y = b;
	int r = edge_same(a, b);

	return r ? r : x->day < y->day ? -1 : x->day > y->day;
}

static bool edge_is_configured(const struct config *c, const struct onward *w)
{
	for (unsigned i = 0; i < c->onward_count; i++) {
		const struct expected_onward *o = &c->onward[i];

		if ((!o->from[0] || !strcmp(o->from, w->account)) && cidr_has(&o->to, &w->addr) &&
		    (o->service == SERVICE_NONE || o->service == w->service))
			return true;
	}
	return false;
}

static bool one_host(const struct onward *rows, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (addr_cmp(&rows[0].addr, &rows[i].addr))
			return false;
	return true;
}

static bool put_edge(struct proposal *p, const struct onward *rows, size_t n, bool first)
{
	char addr[ADDR_TEXT_MAX], name[ACCOUNT_TEXT_MAX + 3], day[32];
	bool one = one_host(rows, n), v6 = rows->addr.family == ADDR_V6;
	unsigned days = 1;

	for (size_t i = 1; i < n; i++)
		days += rows[i].day != rows[i - 1].day;
	if (n < EDGE_SESSIONS || days < EDGE_DAYS || edge_is_configured(p->config, rows))
		return false;
	if (first)
		put(p, "ExpectedOnward:\n");
	put(p, "  - {from: %s, to: '%s/%u', service: %s}  # %zu times on %u days since %s\n",
	    quoted(rows->account, name), addr_format(one ? &rows->addr : &rows->net, addr),
	    v6 ? (one ? 128u : 48u) : (one ? 32u : 24u), service_name(rows->service), n, days,
	    day_text(rows->day, day));
	return true;
}

static void put_onward(struct proposal *p)
{
	struct onward *rows = p->seen->onwards;
	size_t n = p->seen->onwards_count;
	unsigned count = 0;

	if (n)
		qsort(rows, n, sizeof(*rows), by_edge);
	for (size_t i = 0, end; i < n && count < PER_LIST; i = end) {
		for (end = i + 1; end < n && !edge_same(&rows[i], &rows[end]);)
			end++;
		count += put_edge(p, rows + i, end - i, !count);
	}
	if (!count)
		put(p, "# ExpectedOnward: nobody goes on to another host regularly\n");
	put(p, "\n");
}

static int by_onward_account(const void *a, const void *b)
{
	return strcmp(((const struct onward *)a)->account, ((const struct onward *)b)->account);
}

static void put_role(struct proposal *p)
{
	size_t going = 0, n = p->seen->logins_count;
	unsigned accounts = 0;

	for (size_t i = 0; i < n; i++)
		going += p->seen->logins[i].onward != 0;
	if (p->seen->onwards_count)
		qsort(p->seen->onwards, p->seen->onwards_count, sizeof(*p->seen->onwards),
		      by_onward_account);
	for (size_t i = 0; i < p->seen->onwards_count; i++)
		accounts += !i || by_onward_account(&p->seen->onwards[i - 1], &p->seen->onwards[i]);
	if (p->config->role == ROLE_SERVER && n >= REGULAR_LOGINS && going * 2 >= n &&
	    accounts >= BASTION_ACCOUNTS)
		put(p,
		    "Role: bastion  # %zu of %zu sessions of %u accounts went on to other "
		    "hosts\n\n",
		    going, n, accounts);
	else
		put(p, "# Role: as it is; %zu of %zu sessions went on to other hosts\n\n", going,
		    n);
}

/* --- hours */

static bool is_person(const struct login *l)
{
	return l->has_pty;
}

static int by_minute(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Minutes of the day of people's logins on working days, sorted. */
static size_t minutes_of(const struct observed *o, uint16_t *ret, size_t *ret_weekend)
{
	size_t n = 0;

	*ret_weekend = 0;
	for (size_t i = 0; i < o->logins_count; i++) {
		const struct login *l = &o->logins[i];

		if (!is_person(l))
			continue;
		if (l->week_minute >= 5 * 1440)
			(*ret_weekend)++;
		else
			ret[n++] = (uint16_t)(l->week_minute % 1440);
	}
	if (n)
		qsort(ret, n, sizeof(*ret), by_minute);
	return n;
}

/* All of them with an hour to spare; a range that is most of the day says nothing. */
static void put_hours(struct proposal *p)
{
	uint16_t *at = calloc(p->seen->logins_count + 1, sizeof(*at));
	size_t weekend = 0, n = at ? minutes_of(p->seen, at, &weekend) : 0;
	unsigned from, to, days = p->seen->last_day - p->seen->first_day + 1;
	char day[32];

	from = n ? (unsigned)(at[0] > 60 ? at[0] - 60 : 0) / 60 : 0;
	to = n ? (unsigned)(at[n - 1] + 119) / 60 : 0;
	free(at);
	if (p->config->hours.rule.days) {
		put(p, "# BusinessHours: are configured already\n\n");
		return;
	}
	if (n < 3 * REGULAR_LOGINS || days < 14 || to > 24 || to - from > 14 || weekend * 20 > n) {
		put(p,
		    "# BusinessHours: no hours that fit; %zu logins with a terminal on working "
		    "days, %zu on weekends\n\n",
		    n, weekend);
		return;
	}
	put(p, "BusinessHours:  # %zu logins with a terminal in %u days since %s\n", n, days,
	    day_text(p->seen->first_day, day));
	put(p, "  days: %s  # %zu on weekends\n", weekend ? "mon-sun" : "mon-fri", weekend);
	put(p, "  hours: %02u:00-%02u:00  # the first and the last with an hour to spare\n", from,
	    to);
	put(p, "  timezone: '%s'  # in which these hours are%s\n\n", p->config->hours.zone_name,
	    p->zone_of_host ? ", that of this host" : "");
}

/* --- all of it */

static void put_head(struct proposal *p)
{
	char first[32], last[32];
	const struct observed *o = p->seen;

	put(p, "# Proposed by outergate setup of %zu logins from %s to %s. Read before you keep:\n",
	    o->logins_count, o->logins_count ? day_text(o->first_day, first) : "-",
	    o->logins_count ? day_text(o->last_day, last) : "-");
	put(p, "# what was regular is proposed, whether it was meant is yours to say.\n");
	if (o->suspicious)
		put(p,
		    "# Not counted: %u sessions that an alert of medium or above speaks of, or "
		    "their origin.\n",
		    o->suspicious);
	if (o->unnamed)
		put(p, "# Not counted: %u sessions of accounts whose names are no plain text.\n",
		    o->unnamed);
	put(p, "\n");
}

static void put_whitelist(struct proposal *p)
{
	static const struct pass countries = {by_country, by_country_same, put_country};
	size_t unresolved = 0;
	unsigned left = 0;

	if (p->config->whitelist.countries_count || p->config->whitelist.asns_count) {
		put(p, "# GeoIPWhitelist: is configured already\n\n");
		return;
	}
	for (size_t i = 0; i < p->seen->logins_count; i++)
		unresolved += p->seen->logins[i].external && !p->seen->logins[i].country[0];
	if (!run_pass(p, &countries, "GeoIPWhitelist:\n  countries", 0, &left))
		put(p, "# GeoIPWhitelist: no country is regular, or no database knows any\n\n");
	else if (unresolved)
		put(p, "  unresolved: allow  # %zu logins from outside had no country\n\n",
		    unresolved);
	else
		put(p, "  unresolved: alert  # every login from outside had a country\n\n");
}

static void put_all(struct proposal *p)
{
	static const struct pass known[] = {{by_addr, by_addr_same, put_crowd},
					    {by_account_net, by_account_net_same, put_known}},
				 clients[] = {{by_key, by_key_same, put_client}},
				 pools[] = {{by_addr, by_addr_same, put_pool}},
				 shared[] = {{by_account, by_account_same, put_shared}},
				 machines[] = {{by_account, by_account_same, put_machine}};

	put_head(p);
	put_role(p);
	each(p, "KnownRemoteIPs", "no place is regular", known, 2);
	each(p, "KnownSSHClients", "no key is regular", clients, 1);
	each(p, "VPNPools", "no address is that of many accounts", pools, 1);
	each(p, "SharedAccounts", "no account has many keys", shared, 1);
	each(p, "ExpectedAutomation", "no account looks like a machine's", machines, 1);
	put_onward(p);
	put_whitelist(p);
	put_hours(p);
	put(p, "# CriticalHosts, Travel, TrustedProxies: nobody can see these from here.\n");
}

/* What is printed must be good as it stands. */
static int prove(const struct proposal *p, size_t len)
{
	struct config *c = calloc(1, sizeof(*c));
	char err[CONFIG_ERROR_MAX];
	int r = c ? config_parse(p->text, len, "proposal", c, err) : -ENOMEM;

	free(c);
	return r ? command_fail(EXIT_INPUT, "the proposal would not be accepted: %s",
				r == -ENOMEM ? "out of memory" : err)
		 : EXIT_FINE;
}

static int propose(struct proposal *p)
{
	int len, r;

	p->text = malloc(YAML_MAX);
	if (!p->text)
		return command_fail(EXIT_INPUT, "out of memory");
	writer_start(&p->w, p->text, YAML_MAX);
	put_all(p);
	len = writer_finish(&p->w);
	r = p->failed ? command_fail(EXIT_INPUT, "out of memory")
	    : len < 0 ? command_fail(EXIT_INPUT, "the proposal is too long")
		      : prove(p, (size_t)len);
	if (r == EXIT_FINE)
		fputs(p->text, stdout);
	free(p->text);
	return r == EXIT_FINE ? query_finish() : r;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct config *config = calloc(1, sizeof(*config));
	struct observed seen = {0};
	struct store *s = NULL;
	bool of_host = false;
	struct query q;
	int err, r = query_parse(self, argc, argv, false, &q);

	if (r == EXIT_FINE && q.word)
		r = command_usage(self, "unexpected argument");
	if (r == EXIT_FINE && !config)
		r = command_fail(EXIT_INPUT, "out of memory");
	if (r == EXIT_FINE)
		r = command_config(q.config, config);
	if (r == EXIT_FINE)
		r = query_open(&q, &s);
	if (r == EXIT_FINE && config && !config->hours.zone_name[0]) {
		zone_of_host(config->hours.zone_name, &config->hours.zone);
		of_host = true;
	}
	if (r == EXIT_FINE) {
		err = observed_read(s, 0, config, &seen);
		if (err)
			r = err == -ENOMEM ? command_fail(EXIT_INPUT, "out of memory")
					   : query_failed(s, err);
	}
	if (r == EXIT_FINE)
		r = propose(&(struct proposal){
			.seen = &seen, .config = config, .zone_of_host = of_host});
	observed_free(&seen);
	store_close(s);
	free(config);
	return r;
}

const struct command command_setup = {
	.name = "setup",
	.usage = "[--store PATH] [--config FILE]",
	.about = "proposes a configuration that fits what was observed; changes nothing",
	.help = QUERY_STORE_HELP
	"\nPrints YAML that `outergate check` accepts, with the reason behind every line: who,\n"
	"how often, since when; of the sessions that the store has (Retention.Sessions).\n"
	"A session that an alert of medium or above speaks of, and every session of such an\n"
	"alert's origin, is not counted. What the configuration has already is not proposed.\n",
	.run = run,
};
