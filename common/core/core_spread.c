/*
 * spread: an existing account, and how many networks (/24, /48) fail on it at a time.
 *
 * Internet noise guesses some accounts (root) from everywhere, always. So each account keeps, for
 * each of the last seven days (UTC), the most networks that failed on it within one TimeWindow;
 * the median of the seven is what is usual, 0 for days before it was first guessed. Networks are
 * remembered with their last failure, up to 96: with more at a time the count stays there, so an
 * account that 33 networks guess every day can never be unusual.
 *
 * It also keeps what guessers show: their ASN and what their client calls itself, at most two
 * sources for each, so that a success can be asked whether it looks like one of them.
 *
 * Example: alice is never guessed; within 15 minutes twelve networks fail on her, once each.
 */
#include "core_internal.h"

#include "core_text.h"

struct spread *spread_find(const struct core *c, struct span account)
{
	uint64_t key = hash_account(c, account);

	return table_find(&c->spreads, &c->spreads_by, key, &key, sizeof(key));
}

static void net_note(struct spread *p, uint32_t net, uint32_t ds)
{
	unsigned at = 0;

	for (unsigned i = 0; i < SPREAD_NETS; i++) {
		if (p->net[i] == net) {
			at = i;
			break;
		}
		if (p->stamp[i] < p->stamp[at])
			at = i;
	}
	if (ds < p->stamp[at])
		return;
	p->net[at] = net;
	p->stamp[at] = ds;
}

static uint32_t newest(const struct spread *p)
{
	uint32_t ds = 0;

	for (unsigned i = 0; i < SPREAD_NETS; i++)
		if (p->stamp[i] > ds)
			ds = p->stamp[i];
	return ds;
}

static uint32_t last_ds(const void *item)
{
	return newest(item);
}

unsigned spread_networks(const struct core *c, const struct spread *p)
{
	uint32_t at = newest(p), width = core_window_ds(c), n = 0;

	for (unsigned i = 0; i < SPREAD_NETS; i++)
		n += (p->net[i] != 0) & (p->stamp[i] + width > at);
	return n;
}

/* Days in which nothing came count as none. Returns the networks of now. */
static unsigned day_note(const struct core *c, struct spread *p, uint32_t day)
{
	unsigned n, shift = day > p->day ? day - p->day : 0;

	if (shift >= SPREAD_DAYS || !p->day)
		memset(p->busiest, 0, sizeof(p->busiest));
	else if (shift)
		memmove(p->busiest + shift, p->busiest, SPREAD_DAYS - shift);
	if (shift && shift < SPREAD_DAYS)
		memset(p->busiest, 0, shift);
	if (day > p->day)
		p->day = day;
	n = spread_networks(c, p);
	if (n > p->busiest[0])
		p->busiest[0] = (uint8_t)n;
	return n;
}

unsigned spread_usual(const struct spread *p)
{
	uint8_t days[SPREAD_DAYS - 1] = {0};

	for (unsigned i = 0; i < SPREAD_DAYS - 1; i++) { /* in order */
		uint8_t n = p->busiest[i + 1];
		unsigned at = i;

		for (; at && days[at - 1] > n; at--)
			days[at] = days[at - 1];
		days[at] = n;
	}
	return days[(SPREAD_DAYS - 1) / 2];
}

/* Two sources a trait: whoever asks may be one of them. */
static void trait_note(struct spread *p, uint32_t what, uint32_t who, uint32_t ds)
{
	struct guesser *pick = &p->traits[0], *same = NULL;
	unsigned alike = 0;

	for (unsigned i = 0; i < SPREAD_TRAITS; i++) {
		struct guesser *t = &p->traits[i];

		if (t->what == what && t->who == who) {
			t->ds = ds > t->ds ? ds : t->ds;
			return;
		}
		alike += t->what == what;
		if (t->what == what && (!same || t->ds < same->ds))
			same = t;
		if (t->ds < pick->ds)
			pick = t;
	}
	if (alike >= 2)
		pick = same;
	if (ds >= pick->ds)
		*pick = (struct guesser){what, who, ds};
}

static uint32_t trait_of_asn(const struct core *c, uint32_t asn)
{
	return asn ? (uint32_t)hash_u64(c->seed ^ 1, asn) | 1 : 0;
}

static uint32_t trait_of_client(const struct core *c, struct span client)
{
	return span_empty(client) ? 0 : (uint32_t)hash_text(c->seed ^ 2, client) | 1;
}

static uint32_t who_of(const struct core *c, const struct addr *a)
{
	struct addr source = source_addr(a);

	return (uint32_t)hash_addr(c->seed, &source);
}

static void traits_note(const struct core *c, struct spread *p, const struct event *e, uint32_t ds)
{
	uint32_t who = who_of(c, &e->origin.addr), what = trait_of_client(c, e->client);
	struct geo geo;

	if (what)
		trait_note(p, what, who, ds);
	geo_of(c, &e->origin.addr, &geo);
	what = trait_of_asn(c, geo.asn);
	if (what)
		trait_note(p, what, who, ds);
}

struct spread *spread_credit(struct core *c, const struct event *e, uint32_t ds)
{
	uint64_t key = hash_account(c, e->account);
	struct addr net = net_addr(&e->origin.addr);
	struct spread *p;

	if (span_empty(e->account) || e->flags & EVENT_ACCOUNT_UNKNOWN)
		return NULL;
	table_demote(c, &c->spreads, last_ds, DAY_DS);
	p = table_get(&c->spreads, &c->spreads_by, key, &key, sizeof(key), NULL);
	if (!p)
		return NULL;
	if (!p->day)
		p->alert = HANDLE_NONE;
	net_note(p, (uint32_t)hash_addr(c->seed, &net) | 1, ds);
	c->credited_networks = day_note(c, p, core_day(e->time_ns));
	traits_note(c, p, e, ds);
	pool_touch(&c->spreads, pool_slot(&c->spreads, p),
		   p->net[1] || spread_usual(p) ? POOL_WORTH : POOL_HARMLESS);
	return p;
}

bool spread_shows(const struct core *c, const struct spread *p, const struct session *s,
		  uint64_t at_ns)
{
	uint32_t asn = trait_of_asn(c, s->geo.asn), client = trait_of_client(c, span_of(s->client));
	uint32_t who = who_of(c, &s->origin.addr), at = core_ds(c, at_ns);

	for (unsigned i = 0; i < SPREAD_TRAITS; i++) {
		const struct guesser *t = &p->traits[i];

		if (!t->what || t->who == who || (t->what != asn && t->what != client))
			continue;
		if (t->ds <= at && at - t->ds < core_window_ds(c))
			return true;
	}
	return false;
}
