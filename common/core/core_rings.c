/*
 * rings: room for windows that are too small for what goes on. Most sources fail once or twice and
 * have room for a few moments; one whose room is full while it is still below its threshold gets a
 * ring of a bounded, shared store, and stays exact up to a threshold of 65, with events up to one
 * window late. The one that was not used for longest loses its ring, and is approximate again.
 *
 * The small window goes on beside the ring: it is what a restart keeps.
 *
 * Example: NetworkThreshold 50 and 49 addresses of one /24 in 15 minutes: nothing; the 51st fires.
 */
#include "core_internal.h"

struct window window_exact(const struct core *c, struct window w)
{
	struct ring *r = *w.ring && *w.ring <= RINGS_MAX ? &c->rings[*w.ring - 1] : NULL;

	if (!r || r->owner != w.stamp)
		return w;
	return (struct window){r->stamp, r->count, &r->used, w.ring, RING_MOMENTS, 2};
}

/* The clock: a ring that was used since the hand last came by is passed once. */
static struct ring *ring_free(struct core *c)
{
	struct ring *r;

	for (;;) {
		r = &c->rings[c->rings_hand++ % RINGS_MAX];
		if (!r->recent)
			return r;
		r->recent = false;
	}
}

static struct window ring_take(struct core *c, struct window w)
{
	struct ring *r = ring_free(c);

	r->owner = w.stamp;
	r->used = *w.used;
	memcpy(r->stamp, w.stamp, *w.used * sizeof(*w.stamp));
	memcpy(r->count, w.count, *w.used * sizeof(*w.count));
	*w.ring = (uint16_t)(r - c->rings + 1);
	return window_exact(c, w);
}

/* Full, by moments that still may matter, and not decided. */
static bool wants_ring(struct window w, uint32_t stamp, uint32_t width, uint32_t threshold)
{
	uint32_t newest;

	if (*w.used < w.cap)
		return false;
	newest = w.stamp[*w.used - 1] > stamp ? w.stamp[*w.used - 1] : stamp;
	return newest - w.stamp[0] < 2 * width && window_most_at(w, stamp, width) <= threshold;
}

void window_note(struct core *c, struct window w, uint32_t stamp, uint32_t count,
		 uint32_t threshold)
{
	uint32_t width = core_window_ds(c);
	struct window exact = window_exact(c, w);

	if (exact.stamp == w.stamp && wants_ring(w, stamp, width, threshold))
		exact = ring_take(c, w);
	if (exact.stamp != w.stamp) {
		c->rings[*w.ring - 1].recent = true;
		window_add(exact, stamp, count, width);
	}
	window_add(w, stamp, count, width);
}
