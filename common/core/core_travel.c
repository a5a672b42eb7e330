/*
 * travel: where an identity was when it logged in last, so that the next login can be held against
 * it.
 *
 * One place an identity, of a fixed table; the one that was used longest ago goes first. Kept is
 * where somebody surely was: not behind a VPN pool, not at an anycast address, not at an address
 * that no database gives a point. The other address family of the same network moves nobody: the
 * two are located by different means. Places of exchanged databases are not comparable: the new
 * one only takes the old one's place.
 * Cannot see: who really moved; a VPN that the operator did not list looks like a journey.
 *
 * Example: alice from London at 09:00; at 09:40 from an address in Tokyo.
 */
#include "core_internal.h"

#include "core_detect.h"

bool vpn_pool(const struct core *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->config.vpn_pools_count; i++)
		if (cidr_has(&c->config.vpn_pools[i], a))
			return true;
	return false;
}

static bool is_sure(const struct core *c, const struct session *s)
{
	return s->account[0] && s->geo.has_point && !(s->geo.flags & GEO_ANYCAST) && !s->existing &&
	       !vpn_pool(c, &s->origin.addr);
}

static bool is_family_pair(const struct last_place *p, const struct session *s)
{
	return p->asn && p->asn == s->geo.asn && p->origin.addr.family != s->origin.addr.family;
}

static struct last_place *place_of(const struct core *c, uint64_t identity)
{
	return table_find(&c->last_places, &c->last_places_by, identity, &identity,
			  sizeof(identity));
}

const struct last_place *travel_from(const struct core *c, const struct session *s)
{
	const struct last_place *p = is_sure(c, s) ? place_of(c, session_identity(c, s)) : NULL;

	if (!p || p->epoch != s->geo.epoch || is_family_pair(p, s) || vpn_pool(c, &p->origin.addr))
		return NULL;
	return p;
}

void travel_note(struct core *c, const struct session *s)
{
	uint64_t key = session_identity(c, s);
	struct last_place *p = is_sure(c, s) ? place_of(c, key) : NULL;

	if (!is_sure(c, s))
		return;
	if (p && p->epoch == s->geo.epoch && (is_family_pair(p, s) || p->time_ns > s->open_ns))
		return;
	if (!p)
		p = table_get(&c->last_places, &c->last_places_by, key, &key, sizeof(key), NULL);
	if (!p)
		return;
	*p = (struct last_place){.key = key,
				 .account = hash_account(c, span_of(s->account)),
				 .time_ns = s->open_ns,
				 .origin = s->origin,
				 .latitude_e4 = s->geo.latitude_e4,
				 .longitude_e4 = s->geo.longitude_e4,
				 .asn = s->geo.asn,
				 .epoch = s->geo.epoch,
				 .radius_km = s->geo.radius_km,
				 .known = known_origin(c, s)};
	memcpy(p->country, s->geo.country, sizeof(p->country));
	memcpy(p->city, s->geo.city, sizeof(p->city));
	pool_touch(&c->last_places, pool_slot(&c->last_places, p), POOL_WORTH);
}

unsigned travel_forget(struct core *c, struct span account, const struct cidr *origin)
{
	uint64_t name = hash_text(c->seed, account);
	unsigned n = 0;

	for (uint32_t i = 0; i < c->last_places.fresh; i++) {
		const struct last_place *p = pool_at(&c->last_places, i);

		if (!pool_is_used(&c->last_places, i) ||
		    (origin ? !cidr_has(origin, &p->origin.addr) : p->account != name))
			continue;
		index_remove(&c->last_places_by, i);
		pool_give(&c->last_places, i);
		n++;
	}
	return n;
}
