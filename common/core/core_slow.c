/*
 * slow: sources that go on failing without ever being fast.
 *
 * A source remembers six moments. At its sixth failure within 24 hours it gets a row here, with
 * those that it remembers, and from then on a day of failures is kept exactly: up to the threshold
 * in order, and some that come late. Sources with an alert of their own need no row. What is
 * forgotten first is what is far from the threshold; a row outlives its source, which is found
 * here again when it comes back.
 *
 * Cannot see: a source that a flood pushes out between its first and second failure, before the
 * table of sources holds it as worth keeping; that counts too few, never too many.
 *
 * Example: a guess every hour from 203.0.113.9: the row is made at the sixth, the 21st fires.
 */
#include "core_internal.h"

#define SLOW_WINDOW(s) WINDOW_OF((struct window_small *)(uintptr_t) & (s)->failures)
#define SLOW_WORTH     10 /* near enough to the threshold of 20 to outlive a crowd */

struct slow *slow_find(const struct core *c, const struct addr *a)
{
	struct addr key = source_addr(a);

	return table_find(&c->slows, &c->slows_by, hash_addr(c->seed, &key), &key, sizeof(key));
}

uint32_t slow_most(const struct slow *s, uint32_t at)
{
	return window_most_at(WINDOW_OF((struct window_large *)(uintptr_t)&s->failures), at,
			      DAY_DS);
}

static uint32_t last_ds(const void *item)
{
	const struct slow *s = item;

	return s->failures.used ? s->failures.stamp[s->failures.used - 1] : 0;
}

static struct slow *slow_make(struct core *c, const struct source *s)
{
	struct slow *w;

	table_demote(c, &c->slows, last_ds, DAY_DS); /* a day that is over is as none */
	w = table_get(&c->slows, &c->slows_by, hash_addr(c->seed, &s->addr), &s->addr,
		      sizeof(s->addr), &c->stats.slows_evicted);
	if (!w)
		return NULL;
	w->alert = HANDLE_NONE;
	w->exists_ds = s->exists_ds > s->weak_ds ? s->exists_ds : s->weak_ds;
	for (unsigned i = 0; i < s->failures.used; i++)
		window_add(WINDOW_OF(&w->failures), s->failures.stamp[i], s->failures.count[i],
			   DAY_DS);
	return w;
}

static bool is_recent(uint32_t then, uint32_t now)
{
	return now < then + DAY_DS;
}

/* It has, or is about to get, a fast alert, for a day after its last failure: no row is needed. */
static bool is_fast(const struct core *c, const struct source *s, const struct event *e)
{
	uint32_t ds = core_ds(c, e->time_ns);
	struct window failures = window_exact(c, SLOW_WINDOW(s));

	if (!c->config.detections[DETECTION_auth_bruteforce].enabled)
		return false;
	if (is_recent(s->alerted_ds, ds))
		return true;
	return window_count(failures, ds, core_window_ds(c)) + e->count >
	       c->config.failed_logon_threshold;
}

/* Any day counts, not only the one that ends now: late ones complete it, too. */
static bool is_enough(const struct core *c, const struct source *s, const struct event *e)
{
	uint64_t threshold = c->config.detections[DETECTION_auth_slow_bruteforce].params[0];
	uint32_t ds = core_ds(c, e->time_ns);
	uint64_t n = window_most_at(SLOW_WINDOW(s), ds, DAY_DS) + (uint64_t)e->count;

	return n >= SLOW_FROM || n > threshold;
}

struct slow *slow_credit(struct core *c, const struct source *s, const struct event *e)
{
	struct slow *w = slow_find(c, &s->addr);
	uint32_t ds = core_ds(c, e->time_ns);
	bool fast;

	if (!w && !is_enough(c, s, e))
		return NULL;
	fast = is_fast(c, s, e);
	if (!w && !fast)
		w = slow_make(c, s);
	if (!w)
		return NULL;
	window_add(WINDOW_OF(&w->failures), ds, e->count, DAY_DS);
	if (!(e->flags & EVENT_ACCOUNT_UNKNOWN) && ds > w->exists_ds)
		w->exists_ds = ds;
	pool_touch(&c->slows, pool_slot(&c->slows, w),
		   slow_most(w, ds) >= SLOW_WORTH && !fast ? POOL_WORTH : POOL_HARMLESS);
	return w;
}
