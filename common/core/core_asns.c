/*
 * asns: failures by autonomous system, where the operator's database tells it.
 *
 * What counts are failures of sources and networks that have no alert of their own, so that only
 * the most specific fires. A few hundred moments are kept a system, exact up to the threshold, and
 * the sixteen addresses that failed last.
 *
 * Cannot see: addresses that the database does not know; more systems at a time than there are
 * rows: those with few failures are forgotten first.
 *
 * Example: 301 failures in 15 minutes from 120 addresses of one hosting company in 90 networks.
 */
#include "core_internal.h"

#define ASN_WORTH 10

static void address_add(struct asn *a, uint32_t who, uint32_t net, uint32_t ds)
{
	unsigned at = 0;

	for (unsigned i = 0; i < ASN_ADDRESSES; i++) {
		if (a->who[i] == who) {
			at = i;
			break;
		}
		if (a->stamp[i] < a->stamp[at])
			at = i;
	}
	if (ds < a->stamp[at])
		return; /* later than late */
	a->who[at] = who;
	a->net[at] = net;
	a->stamp[at] = ds;
}

static uint32_t hash_of(const struct core *c, struct addr a)
{
	return (uint32_t)hash_addr(c->seed, &a) | 1;
}

static uint32_t newest(const struct asn *a)
{
	return a->failures.used ? a->failures.stamp[a->failures.used - 1] : 0;
}

static uint32_t last_ds(const void *item)
{
	return newest(item);
}

static struct asn *asn_get(struct core *c, uint64_t number)
{
	table_demote(c, &c->asns, last_ds, core_window_ds(c));
	return table_get(&c->asns, &c->asns_by, hash_u64(c->seed, number), &number, sizeof(number),
			 NULL);
}

struct asn *asn_credit(struct core *c, const struct source *s, const struct event *e)
{
	uint32_t ds = core_ds(c, e->time_ns);
	struct geo geo;
	struct asn *a;

	if (!c->id.geo)
		return NULL;
	geo_of(c, &e->origin.addr, &geo);
	a = geo.asn ? asn_get(c, geo.asn) : NULL;
	if (!a)
		return NULL;
	window_add(WINDOW_OF(&a->failures), ds, e->count, core_window_ds(c));
	address_add(a, hash_of(c, s->addr), hash_of(c, net_addr(&e->origin.addr)), ds);
	if (s->exists_ds > a->exists_ds)
		a->exists_ds = s->exists_ds;
	if (s->weak_ds > a->weak_ds)
		a->weak_ds = s->weak_ds;
	pool_touch(&c->asns, pool_slot(&c->asns, a),
		   a->failures.used >= ASN_WORTH ? POOL_WORTH : POOL_HARMLESS);
	return a;
}

uint32_t asn_count(const struct core *c, const struct asn *a)
{
	return window_count(WINDOW_OF((struct window_huge *)(uintptr_t)&a->failures), newest(a),
			    core_window_ds(c));
}

unsigned asn_addresses(const struct core *c, const struct asn *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ASN_ADDRESSES; i++)
		n += a->who[i] && a->stamp[i] + core_window_ds(c) > newest(a);
	return n;
}

static void address_drop(struct asn *a, unsigned i)
{
	a->who[i] = a->net[i] = a->stamp[i] = 0;
}

void asn_forget_source(struct core *c, struct asn *a, struct window failures,
		       const struct addr *source)
{
	uint32_t who = hash_of(c, *source);

	window_subtract(WINDOW_OF(&a->failures), failures);
	for (unsigned i = 0; i < ASN_ADDRESSES; i++)
		if (a->who[i] == who)
			address_drop(a, i);
}

void asn_forget_net(struct core *c, struct asn *a, struct window failures, const struct addr *net)
{
	uint32_t where = hash_of(c, *net);

	window_subtract(WINDOW_OF(&a->failures), failures);
	for (unsigned i = 0; i < ASN_ADDRESSES; i++)
		if (a->net[i] == where)
			address_drop(a, i);
}
