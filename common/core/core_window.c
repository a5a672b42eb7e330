/* window: see core_window.h. */
#include "core_window.h"

#include <string.h>

static void moment_remove(struct window w, unsigned at)
{
	unsigned after = *w.used - at - 1u;

	memmove(&w.stamp[at], &w.stamp[at + 1], after * sizeof(*w.stamp));
	memmove(&w.count[at], &w.count[at + 1], after * sizeof(*w.count));
	--*w.used;
}

static void moment_insert(struct window w, unsigned at, uint32_t stamp, uint16_t count)
{
	unsigned after = *w.used - at;

	memmove(&w.stamp[at + 1], &w.stamp[at], after * sizeof(*w.stamp));
	memmove(&w.count[at + 1], &w.count[at], after * sizeof(*w.count));
	w.stamp[at] = stamp;
	w.count[at] = count;
	++*w.used;
}

static uint16_t add_saturated(uint16_t a, uint32_t b)
{
	return b > (uint32_t)(UINT16_MAX - a) ? UINT16_MAX : (uint16_t)(a + b);
}

/* Makes room for one more. Returns which moment went. */
static unsigned make_room(struct window w, uint32_t newest, uint32_t width)
{
	unsigned best = 0, used = *w.used;
	uint32_t least;

	if (newest - w.stamp[0] >= width * w.kept) {
		moment_remove(w, 0);
		return 0;
	}
	least = w.stamp[1] - w.stamp[0];
	for (unsigned i = 1; i + 1 < used; i++) {
		uint32_t gap = w.stamp[i + 1] - w.stamp[i];

		if (gap < least) {
			least = gap;
			best = i;
		}
	}
	w.count[best] = add_saturated(w.count[best], w.count[best + 1]);
	moment_remove(w, best + 1);
	return best + 1;
}

void window_add(struct window w, uint32_t stamp, uint32_t count, uint32_t width)
{
	unsigned at = *w.used;
	uint32_t newest = at ? w.stamp[at - 1] : stamp;

	if (stamp > newest)
		newest = stamp;
	while (at && w.stamp[at - 1] > stamp)
		at--;
	if (at && w.stamp[at - 1] == stamp) {
		w.count[at - 1] = add_saturated(w.count[at - 1], count);
		return;
	}
	if (*w.used == w.cap) {
		if (at == 0 && newest - stamp >= width * w.kept)
			return; /* later than late */
		at -= make_room(w, newest, width) < at;
	}
	moment_insert(w, at, stamp, add_saturated(0, count));
}

/* As many as are left of that moment; it goes when it is empty. */
static uint16_t moment_take(struct window w, unsigned at, uint16_t left)
{
	uint16_t n = w.count[at] < left ? w.count[at] : left;

	w.count[at] = (uint16_t)(w.count[at] - n);
	if (!w.count[at])
		moment_remove(w, at);
	return (uint16_t)(left - n);
}

/*
 * Either side may have taken moments as one at an earlier time. So a moment is looked for at its
 * time, then from the other's next moment backwards: what remains is rather too early than too
 * late, and leaves the window early.
 */
static void subtract_one(struct window w, uint32_t stamp, uint32_t next, uint16_t left)
{
	unsigned at = *w.used;

	while (at && w.stamp[at - 1] > stamp)
		at--;
	if (at && w.stamp[at - 1] == stamp)
		left = moment_take(w, at - 1, left);
	at = *w.used;
	while (at && w.stamp[at - 1] >= next)
		at--;
	for (; at && left; at--)
		left = moment_take(w, at - 1, left);
}

void window_subtract(struct window w, struct window other)
{
	for (unsigned i = 0; i < *other.used; i++) {
		uint32_t next = i + 1 < *other.used ? other.stamp[i + 1] : UINT32_MAX;

		subtract_one(w, other.stamp[i], next, other.count[i]);
	}
}

uint32_t window_count(struct window w, uint32_t at, uint32_t width)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < *w.used; i++)
		if (w.stamp[i] <= at && at - w.stamp[i] < width)
			n += w.count[i];
	return n;
}

uint32_t window_most(struct window w, uint32_t width)
{
	uint32_t most = 0, sum = 0;
	unsigned first = 0;

	for (unsigned i = 0; i < *w.used; i++) {
		sum += w.count[i];
		while (w.stamp[i] - w.stamp[first] >= width)
			sum -= w.count[first++];
		if (sum > most)
			most = sum;
	}
	return most;
}

/* What happened at a moment can make no other window full: an old crowd is no news. */
uint32_t window_most_at(struct window w, uint32_t at, uint32_t width)
{
	uint32_t most = window_count(w, at, width), sum = 0;
	unsigned first = 0;

	for (unsigned i = 0; i < *w.used; i++) {
		sum += w.count[i];
		while (w.stamp[i] - w.stamp[first] >= width)
			sum -= w.count[first++];
		if (w.stamp[i] >= at && w.stamp[i] - at < width && sum > most)
			most = sum;
	}
	return most;
}

uint32_t window_first(struct window w, uint32_t at, uint32_t width)
{
	for (unsigned i = 0; i < *w.used; i++)
		if (w.stamp[i] <= at && at - w.stamp[i] < width)
			return w.stamp[i];
	return at;
}
