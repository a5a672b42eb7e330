/*
 * replay_table: the last state of every alert or session that came by, by id. Grows with the input;
 * for the command line only, the agent keeps nothing here.
 */
#ifndef OUTERGATE_REPLAY_TABLE_H
#define OUTERGATE_REPLAY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/alert.h"

struct replay_table {
	size_t row_size;
	int (*order)(const void *a, const void *b); /* qsort over pointers to rows */
	void **rows;
	size_t count, cap;
	uint32_t *slots; /* 1 + index into rows; 0 = free; a power of two of them */
	size_t slot_count;
};

void replay_table_init(struct replay_table *t, size_t row_size,
		       int (*order)(const void *a, const void *b));
void replay_table_free(struct replay_table *t);

/* Copies row_size bytes over the row of that id, or adds it. The id is the row's first field. */
int replay_table_put(struct replay_table *t, const char *id, const void *row);

/* NULL when there is none; not after a sort. */
void *replay_table_get(const struct replay_table *t, const char *id);

/* Ends the table's use for put. */
void replay_table_sort(struct replay_table *t);

/* By first time, then id. */
int replay_alert_order(const void *a, const void *b);
int replay_session_order(const void *a, const void *b);

#endif
