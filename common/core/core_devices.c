/*
 * devices: which network cards came in from this host's own network, and at which address.
 *
 * Kept in the set of what was seen (core_learn.c), which outlives restarts: each card, each
 * address, each pair of the two, and the day on which watching began. A card is known once it was
 * seen; what is not seen for PLACE_KEPT_DAYS is forgotten. Leases of DHCP servers are kept as long
 * as the program runs: who gave them gives them again.
 */
#include "core_internal.h"

#define MAC_TEXT      17	   /* "aa:bb:cc:dd:ee:ff" */
#define LEASE_KEPT_NS (8 * DAY_NS) /* Windows gives them for eight days, most others for one */

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0: none, or one that says nothing (all zero). */
static uint64_t mac_number(struct span mac)
{
	uint64_t v = 0;

	if (mac.len != MAC_TEXT)
		return 0;
	for (size_t i = 0; i < MAC_TEXT; i += 3) {
		int high = hex_of(mac.ptr[i]), low = hex_of(mac.ptr[i + 1]);

		if (high < 0 || low < 0 ||
		    (i + 2 < MAC_TEXT && mac.ptr[i + 2] != ':' && mac.ptr[i + 2] != '-'))
			return 0;
		v = v << 8 | (uint64_t)(high << 4 | low);
	}
	return v;
}

static struct device_lease *lease_row(struct core *c, const struct addr *a)
{
	return &c->leases[hash_addr(c->seed, a) % LEASES_MAX];
}

void device_leased(struct core *c, const struct event *e)
{
	struct device_lease *l = lease_row(c, &e->origin.addr);

	if (!mac_number(e->mac) || (l->time_ns > e->time_ns && addr_eq(&l->addr, &e->origin.addr)))
		return;
	l->addr = e->origin.addr;
	l->time_ns = e->time_ns ? e->time_ns : c->now_ns;
	span_copy(l->mac, sizeof(l->mac), e->mac);
	span_copy(l->name, sizeof(l->name), e->client);
}

const struct device_lease *device_lease_of(const struct core *c, const struct addr *a,
					   uint64_t now_ns)
{
	const struct device_lease *l = &c->leases[hash_addr(c->seed, a) % LEASES_MAX];

	return l->time_ns && addr_eq(&l->addr, a) && now_ns < l->time_ns + LEASE_KEPT_NS ? l : NULL;
}

/* How long ago the first of all was seen, in days. */
static uint32_t watched_days(struct core *c, uint32_t day)
{
	static const struct addr nowhere;
	uint64_t key = seen_key(c, SEEN_DEVICES_SINCE, 0, &nowhere, SERVICE_NONE);
	struct seen *s = table_get(&c->seen, &c->seen_by, key, &key, sizeof(key), NULL);

	if (!s)
		return 0;
	if (!s->days) {
		s->days = 1;
		s->last_day = day;
	}
	pool_touch(&c->seen, pool_slot(&c->seen, s), POOL_WORTH);
	return day > s->last_day ? day - s->last_day : 0;
}

struct device_word device_note(struct core *c, const struct addr *at, struct span mac, uint32_t day)
{
	static const struct addr nowhere;
	uint64_t card = mac_number(mac);
	struct device_word w = {0};
	bool new_address, new_pair;

	if (!card)
		return w;
	w.watched_days = watched_days(c, day);
	w.is_new = seen_first(c, seen_key(c, SEEN_DEVICE, card, &nowhere, SERVICE_NONE), day,
			      PLACE_KEPT_DAYS);
	new_address =
		seen_first(c, seen_key(c, SEEN_ADDRESS, 0, at, SERVICE_NONE), day, PLACE_KEPT_DAYS);
	new_pair =
		seen_first(c, seen_key(c, SEEN_PAIR, card, at, SERVICE_NONE), day, PLACE_KEPT_DAYS);
	w.has_changed = !new_address && new_pair;
	return w;
}
