/*
 * window: how often within a sliding time, in fixed memory.
 *
 * Moments are kept in order of time with a count each. While there is room the answer is exact,
 * whatever order events come in; when a window is full, moments that have left it are dropped
 * first, then the two nearest are taken as one at the earlier time: a count may leave the window
 * early, it never stays too long, so nothing fires on too few. What is full and still undecided
 * goes on in a larger one (core_rings.c).
 *
 * Time is in ticks of 0.1 s ("ds") since an origin that the core chooses. A moment exactly one
 * window old is outside.
 */
#ifndef OUTERGATE_CORE_WINDOW_H
#define OUTERGATE_CORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_DS	 864000u
#define DS_FIRST (8 * DAY_DS) /* none is earlier: never (0) is over a week before any moment */

/* Less than width before `at`? Not what never was, and not what came after: the difference wraps.
 */
static inline bool ds_within(uint32_t then, uint32_t at, uint32_t width)
{
	return at - then < width;
}

#define WINDOW_SMALL 6	 /* the sixth is more than 5, the default FailedLogonThreshold */
#define WINDOW_LARGE 32	 /* networks: 30 in TimeWindow; one slow source: 20 a day */
#define WINDOW_HUGE  304 /* autonomous systems: 300 */

/* Common head, so that one set of functions serves both sizes. */
struct window {
	uint32_t *stamp;
	uint16_t *count;
	uint16_t *used;
	uint16_t *ring; /* where it is exact when this is too small; core_rings.c */
	unsigned cap;
	unsigned kept; /* widths that a moment is kept when there is no room */
};

struct window_small {
	uint32_t stamp[WINDOW_SMALL];
	uint16_t count[WINDOW_SMALL];
	uint16_t used;
	uint16_t ring;
};

struct window_large {
	uint32_t stamp[WINDOW_LARGE];
	uint16_t count[WINDOW_LARGE];
	uint16_t used;
	uint16_t ring;
};

struct window_huge {
	uint32_t stamp[WINDOW_HUGE];
	uint16_t count[WINDOW_HUGE];
	uint16_t used;
	uint16_t ring; /* never one */
};

#define WINDOW_OF(w)                                                                               \
	((struct window){(w)->stamp, (w)->count, &(w)->used, &(w)->ring,                           \
			 (unsigned)(sizeof((w)->stamp) / sizeof((w)->stamp[0])), 1})

/* width: of the window, in ticks. */
void window_add(struct window w, uint32_t stamp, uint32_t count, uint32_t width);
/* Takes away what other holds, moment by moment as far as they still are apart. */
void window_subtract(struct window w, struct window other);
/* How many in (at - width, at]. */
uint32_t window_count(struct window w, uint32_t at, uint32_t width);
/* The most that any window of that width held; with at: of those that have that moment in them. */
uint32_t window_most(struct window w, uint32_t width);
uint32_t window_most_at(struct window w, uint32_t at, uint32_t width);
/* The earliest moment in (at - width, at]; at when there is none. */
uint32_t window_first(struct window w, uint32_t at, uint32_t width);

#endif
