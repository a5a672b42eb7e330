/* ranges: see ranges.h. Of rows that are disjoint only the last one that starts before can hold it.
 */
#include "ranges.h"

#include <stdlib.h>

static int order(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;
	int r = (int)x->addr.family - (int)y->addr.family;

	if (!r)
		r = memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));
	return r ? r : (int)x->bits - (int)y->bits;
}

void range_set_settle(struct range_set *s)
{
	uint32_t kept = 0;

	if (!s->count)
		return;
	qsort(s->rows, s->count, sizeof(*s->rows), order);
	for (uint32_t i = 0; i < s->count; i++)
		if (!kept || !cidr_has(&s->rows[kept - 1], &s->rows[i].addr))
			s->rows[kept++] = s->rows[i];
	s->count = kept;
}

bool range_set_has(const struct range_set *s, const struct addr *a)
{
	struct cidr key = {.addr = *a, .bits = UINT8_MAX};
	uint32_t from = 0, to = s ? s->count : 0;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (order(&s->rows[middle], &key) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from && cidr_has(&s->rows[from - 1], a);
}
