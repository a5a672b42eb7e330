/*
 * lessons: what a replay of history teaches a core that lives (`outergate learn`).
 *
 * Keys are hashes under a seed that each host has of its own, so the replay adopts it first. What
 * is handed over are habits, places and edges; guesses, alerts and chains of the past stay there.
 */
#include <errno.h>

#include "core_internal.h"

int core_adopt(struct core *c, const void *blob, size_t len)
{
	uint64_t seed;
	int r = blob_each(c, blob, len, &seed, NULL);

	if (!r)
		c->seed = seed;
	return r;
}

size_t core_lessons(struct core *c, void *buf, size_t cap)
{
	for (uint32_t i = 0; i < c->sessions.fresh; i++)
		if (pool_is_used(&c->sessions, i))
			session_learn(c, pool_at(&c->sessions, i)); /* logs that tell no end */
	return core_export(c, buf, cap);
}

static void seen_merge(struct core *c, const uint8_t *row)
{
	struct seen other, *s;

	memcpy(&other, row, sizeof(other));
	s = table_get(&c->seen, &c->seen_by, other.key, &other.key, sizeof(other.key), NULL);
	if (!s)
		return;
	if (other.last_day > s->last_day)
		s->last_day = other.last_day;
	s->days = (uint8_t)(other.days > UINT8_MAX - s->days ? UINT8_MAX : s->days + other.days);
	s->learned |= other.learned;
	pool_touch(&c->seen, pool_slot(&c->seen, s), s->learned ? POOL_WORTH : POOL_HARMLESS);
}

static void habits_merge(struct core *c, const uint8_t *row)
{
	struct profile other, *p;

	memcpy(&other, row, sizeof(other));
	profile_clean(&other);
	p = table_get(&c->profiles, &c->profiles_by, other.key, &other.key, sizeof(other.key),
		      NULL);
	if (!p)
		return;
	profile_merge(c, p, &other);
	pool_touch(&c->profiles, pool_slot(&c->profiles, p), POOL_WORTH);
}

static void take(struct core *c, enum blob_tag tag, size_t row_size, const uint8_t *rows,
		 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (tag == TAG_SEEN && row_size == sizeof(struct seen))
			seen_merge(c, rows + (size_t)i * row_size);
		if (tag == TAG_PROFILES && row_size == sizeof(struct profile))
			habits_merge(c, rows + (size_t)i * row_size);
	}
}

int core_take_lessons(struct core *c, const void *blob, size_t len)
{
	uint64_t seed;
	int r = blob_each(c, blob, len, &seed, NULL);

	if (!r && seed != c->seed)
		r = -EINVAL;
	return r ? r : blob_each(c, blob, len, &seed, take);
}

/* A place or an edge of one day only, and that day is one of them. */
static void seen_unlearn(struct core *c, uint32_t day)
{
	for (uint32_t i = 0; i < c->seen.fresh; i++) {
		const struct seen *s = pool_at(&c->seen, i);

		if (!pool_is_used(&c->seen, i) || s->days > 1 || s->last_day < day)
			continue;
		index_remove(&c->seen_by, i);
		pool_give(&c->seen, i);
	}
}

void core_unlearn(struct core *c, uint64_t since_ns)
{
	uint32_t day = core_day(since_ns);

	for (uint32_t i = 0; i < c->profiles.fresh; i++) {
		struct profile *p = pool_at(&c->profiles, i);

		if (!pool_is_used(&c->profiles, i))
			continue;
		for (unsigned k = 0; k < TRAITS_MAX; k++)
			if (p->traits[k].first_day >= day)
				p->traits[k] = (struct trait){0};
		if (p->first_day < day)
			continue;
		index_remove(&c->profiles_by, i);
		pool_give(&c->profiles, i);
	}
	seen_unlearn(c, day);
}

uint64_t core_mark(const struct core *c)
{
	return hash_text(c->seed, SPAN_LIT("whose keys are these?"));
}

int core_add_profile(struct core *c, const struct profile *p)
{
	struct profile row = *p, *own;

	profile_clean(&row);
	if (!row.key)
		row.key = hash_text(c->seed, span_of(row.name));
	if (table_find(&c->profiles, &c->profiles_by, row.key, &row.key, sizeof(row.key)))
		return -EEXIST;
	if (c->profiles.used == c->profiles.limit)
		return -ENOSPC;
	own = table_get(&c->profiles, &c->profiles_by, row.key, &row.key, sizeof(row.key), NULL);
	if (!own)
		return -ENOSPC;
	*own = row;
	pool_touch(&c->profiles, pool_slot(&c->profiles, own), POOL_WORTH);
	return 0;
}
