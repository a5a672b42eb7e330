/* replay_table: open addressing over rows that never move. */
#include "cli/replay_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024

_Static_assert(offsetof(struct alert, id) == 0 && offsetof(struct session, id) == 0,
	       "replay_table reads the id at the start of a row");

void replay_table_init(struct replay_table *t, size_t row_size,
		       int (*order)(const void *a, const void *b))
{
	*t = (struct replay_table){.row_size = row_size, .order = order};
}

void replay_table_free(struct replay_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->rows[i]);
	free(t->rows);
	free(t->slots);
}

/* FNV-1a; ids are hashes already. */
static uint64_t hash_id(const char *id)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return h;
}

/* The slot of that id, or the free one where it belongs. */
static size_t find_slot(const struct replay_table *t, const char *id)
{
	size_t i = (size_t)hash_id(id) & (t->slot_count - 1);

	while (t->slots[i] && strcmp(t->rows[t->slots[i] - 1], id) != 0)
		i = (i + 1) & (t->slot_count - 1);
	return i;
}

/* Twice the slots before they are half full. */
static int grow(struct replay_table *t)
{
	size_t slots = t->slot_count ? t->slot_count * 2 : FIRST_SLOTS;
	void **rows = realloc(t->rows, slots / 2 * sizeof(*rows));
	uint32_t *fresh;

	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	fresh = calloc(slots, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	free(t->slots);
	t->slots = fresh;
	t->slot_count = slots;
	t->cap = slots / 2;
	for (size_t i = 0; i < t->count; i++)
		t->slots[find_slot(t, t->rows[i])] = (uint32_t)i + 1;
	return 0;
}

int replay_table_put(struct replay_table *t, const char *id, const void *row)
{
	size_t slot;
	void *copy;

	if (t->count == t->cap && grow(t))
		return -ENOMEM;
	slot = find_slot(t, id);
	if (t->slots[slot]) {
		memcpy(t->rows[t->slots[slot] - 1], row, t->row_size);
		return 0;
	}
	copy = malloc(t->row_size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, row, t->row_size);
	t->rows[t->count++] = copy;
	t->slots[slot] = (uint32_t)t->count;
	return 0;
}

void *replay_table_get(const struct replay_table *t, const char *id)
{
	uint32_t row = t->slot_count ? t->slots[find_slot(t, id)] : 0;

	return row ? t->rows[row - 1] : NULL;
}

void replay_table_sort(struct replay_table *t)
{
	if (t->count)
		qsort(t->rows, t->count, sizeof(*t->rows), t->order);
}

static int compare(uint64_t time_a, uint64_t time_b, const char *id_a, const char *id_b)
{
	if (time_a != time_b)
		return time_a < time_b ? -1 : 1;
	return strcmp(id_a, id_b);
}

int replay_alert_order(const void *a, const void *b)
{
	const struct alert *x = *(const void *const *)a, *y = *(const void *const *)b;

	return compare(x->first_ns, y->first_ns, x->id, y->id);
}

int replay_session_order(const void *a, const void *b)
{
	const struct session *x = *(const void *const *)a, *y = *(const void *const *)b;

	return compare(x->open_ns, y->open_ns, x->id, y->id);
}
