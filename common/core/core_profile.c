/*
 * profile: how much an identity usually sends, so that a backup is not taken for a theft.
 *
 * Sixteen counters an identity, one for each power of two of the bytes that a session sent: the
 * first is all below 1 MiB, the last all from 16 GiB on. The 95th percentile is the middle of the
 * counter it falls into, so it is at most a quarter too low or half too high. A session counts as
 * places do: at its end, at once when it was clean, else from the third distinct day without a
 * high alert on. Fewer than five sessions are no habit: 0. A full counter halves them all, so that
 * the past fades.
 *
 * Example: twenty sessions of about 100 MiB: the percentile is 96 MiB, and 480 MiB are not unusual.
 */
#include "core_internal.h"

#define PROFILE_FIRST_LOG2 20 /* everything smaller is in the first counter */
#define PROFILE_MIN	   5

static unsigned bucket_of(uint64_t bytes)
{
	unsigned n = 0;

	for (bytes >>= PROFILE_FIRST_LOG2; bytes && n < PROFILE_SIZES - 1; bytes >>= 1)
		n++;
	return n;
}

static uint64_t middle_of(unsigned bucket)
{
	uint64_t top = 1ull << (PROFILE_FIRST_LOG2 + bucket);

	return bucket ? top - top / 4 : top / 2;
}

uint64_t profile_p95(const struct core *c, uint64_t identity)
{
	const struct profile *p =
		table_find(&c->profiles, &c->profiles_by, identity, &identity, sizeof(identity));
	unsigned all = 0, sum = 0, i = 0;

	for (unsigned k = 0; p && k < PROFILE_SIZES; k++)
		all += p->sizes[k];
	if (all < PROFILE_MIN)
		return 0;
	while (i < PROFILE_SIZES - 1 && (sum += p->sizes[i]) * 100 < all * 95)
		i++;
	return middle_of(i);
}

void profile_add(struct core *c, uint64_t identity, uint64_t bytes, enum severity worst,
		 uint32_t day)
{
	struct profile *p;
	uint8_t *size;

	if (worst >= SEVERITY_HIGH)
		return;
	p = table_get(&c->profiles, &c->profiles_by, identity, &identity, sizeof(identity), NULL);
	if (!p)
		return;
	if (p->last_day != day && p->days < UINT8_MAX)
		p->days++;
	p->last_day = day;
	pool_touch(&c->profiles, pool_slot(&c->profiles, p), POOL_WORTH);
	if (worst >= SEVERITY_MEDIUM && p->days < LEARN_DAYS)
		return;
	size = &p->sizes[bucket_of(bytes)];
	for (unsigned i = 0; *size == UINT8_MAX && i < PROFILE_SIZES; i++)
		p->sizes[i] /= 2;
	++*size;
}
