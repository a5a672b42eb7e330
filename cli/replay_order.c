/* replay_order: see replay_order.h. */
#include "cli/replay_order.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROWS 1024

static int grow(struct replay_order *o)
{
	size_t cap = o->cap ? o->cap * 2 : FIRST_ROWS;
	struct held_event **more = realloc(o->rows, cap * sizeof(struct held_event *));

	if (!more)
		return -ENOMEM;
	o->rows = more;
	o->cap = cap;
	return 0;
}

int replay_order_add(struct replay_order *o, const struct event *e)
{
	struct held_event *h;

	if (o->count == o->cap && grow(o))
		return -ENOMEM;
	h = malloc(sizeof(*h) + event_text_size(e));
	if (!h)
		return -ENOMEM;
	h->seq = o->count;
	h->e = *e;
	event_move_texts(&h->e, h->texts);
	o->rows[o->count++] = h;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct held_event *x = *(struct held_event *const *)a;
	const struct held_event *y = *(struct held_event *const *)b;

	if (x->e.time_ns != y->e.time_ns)
		return x->e.time_ns < y->e.time_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

void replay_order_sort(struct replay_order *o)
{
	if (o->count)
		qsort(o->rows, o->count, sizeof(struct held_event *), by_time);
}

void replay_order_free(struct replay_order *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->rows[i]);
	free(o->rows);
	*o = (struct replay_order){0};
}
