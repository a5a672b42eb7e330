/*
 * table: see core_table.h. Removal from an index shifts the followers back, so that there are no
 * tombstones and a flood of comings and goings does not slow look-ups down.
 */
#include "core_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of an odd number modulo 2^64, by Newton's iteration: each step doubles the bits that are right.
 */
static uint64_t inverse_of(uint64_t odd)
{
	uint64_t x = odd; /* three bits are right: an odd square is 1 modulo 8 */

	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

int pool_init(struct pool *p, size_t item_size, uint32_t limit)
{
	memset(p, 0, sizeof(*p));
	p->items = calloc(limit, item_size);
	p->links = calloc(limit, sizeof(*p->links));
	if (!p->items || !p->links) {
		pool_free(p);
		return -ENOMEM;
	}
	p->item_size = (uint32_t)item_size;
	p->shift = (uint32_t)__builtin_ctzll(item_size);
	p->inverse = inverse_of(item_size >> p->shift);
	p->limit = limit;
	p->free = NIL;
	for (int i = 0; i < POOL_CLASSES; i++)
		p->head[i] = p->tail[i] = NIL;
	return 0;
}

void pool_free(struct pool *p)
{
	free(p->items);
	free(p->links);
	memset(p, 0, sizeof(*p));
}

size_t pool_memory(const struct pool *p)
{
	return (size_t)p->limit * (p->item_size + sizeof(*p->links));
}

static void chain_remove(struct pool *p, uint32_t slot)
{
	struct pool_link *l = &p->links[slot];

	p->count[l->class]--;
	if (l->prev == NIL)
		p->head[l->class] = l->next;
	else
		p->links[l->prev].next = l->next;
	if (l->next == NIL)
		p->tail[l->class] = l->prev;
	else
		p->links[l->next].prev = l->prev;
}

static void chain_push(struct pool *p, uint32_t slot, uint8_t class)
{
	struct pool_link *l = &p->links[slot];

	p->count[class]++;
	l->class = class;
	l->prev = NIL;
	l->next = p->head[class];
	if (l->next == NIL)
		p->tail[class] = slot;
	else
		p->links[l->next].prev = slot;
	p->head[class] = slot;
}

uint32_t pool_take(struct pool *p)
{
	uint32_t slot = p->free;

	if (slot != NIL)
		p->free = p->links[slot].next;
	else if (p->fresh < p->limit)
		p->links[slot = p->fresh++].generation = 1; /* a zeroed handle names nothing */
	else
		return NIL;
	p->used++;
	p->changes++;
	memset(pool_at(p, slot), 0, p->item_size);
	p->links[slot].tag = 0;
	chain_push(p, slot, POOL_HARMLESS);
	return slot;
}

void pool_give(struct pool *p, uint32_t slot)
{
	struct pool_link *l = &p->links[slot];

	chain_remove(p, slot);
	l->class = POOL_CLASSES;
	if (!++l->generation)
		l->generation = 1;
	l->next = p->free;
	p->free = slot;
	p->used--;
	p->changes++;
}

void pool_touch(struct pool *p, uint32_t slot, enum pool_class class)
{
	if (p->head[class] == slot)
		return;
	chain_remove(p, slot);
	chain_push(p, slot, (uint8_t) class);
}

uint32_t pool_victim(const struct pool *p)
{
	for (int i = 0; i < POOL_PINNED; i++)
		if (p->tail[i] != NIL)
			return p->tail[i];
	return NIL;
}

int index_init(struct index *x, uint32_t limit)
{
	uint32_t size = 16;

	while (size < limit + limit / 2) /* at most two thirds full */
		size *= 2;
	x->mask = size - 1;
	x->slots = calloc(size, sizeof(*x->slots));
	x->hashes = calloc(limit, sizeof(*x->hashes));
	x->slot_mask = 1;
	while (x->slot_mask < limit)
		x->slot_mask = x->slot_mask << 1 | 1;
	if (x->slots && x->hashes)
		return 0;
	index_free(x);
	return -ENOMEM;
}

void index_free(struct index *x)
{
	free(x->slots);
	free(x->hashes);
	memset(x, 0, sizeof(*x));
}

size_t index_memory(const struct index *x, uint32_t limit)
{
	return ((size_t)x->mask + 1 + limit) * sizeof(uint32_t);
}

void index_add(struct index *x, uint32_t slot, uint64_t hash)
{
	uint32_t h = index_fold(hash), at = h & x->mask;

	while (x->slots[at])
		at = (at + 1) & x->mask;
	x->slots[at] = (h & ~x->slot_mask) | (slot + 1);
	x->hashes[slot] = h;
}

void index_remove(struct index *x, uint32_t slot)
{
	uint32_t at = x->hashes[slot] & x->mask, hole, home;

	if (!x->hashes[slot])
		return;
	x->hashes[slot] = 0;
	while (index_slot(x, at) != slot)
		at = (at + 1) & x->mask;
	hole = at;
	for (at = (at + 1) & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
		home = x->hashes[index_slot(x, at)] & x->mask;
		if (((at - home) & x->mask) < ((at - hole) & x->mask))
			continue; /* its home lies behind the hole */
		x->slots[hole] = x->slots[at];
		hole = at;
	}
	x->slots[hole] = 0;
}
