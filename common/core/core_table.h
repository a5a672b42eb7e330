/*
 * table: fixed memory for things that come and go, and indices to find them.
 *
 * A pool hands out numbered slots that never move; used slots are chained by class, most recently
 * touched first, so that the oldest of the least precious class is the one to forget. An index
 * maps a 32-bit hash to slots by open addressing with linear probing; the caller compares keys.
 * All memory is taken at the start; nothing here knows what a slot holds.
 */
#ifndef OUTERGATE_CORE_TABLE_H
#define OUTERGATE_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIL UINT32_MAX

/* Precious classes come last; the last one is never given up by pool_victim(). */
enum pool_class {
	POOL_HARMLESS,
	POOL_WORTH,
	POOL_PINNED,
	POOL_CLASSES
};

struct pool_link {
	uint32_t prev, next;
	uint16_t generation; /* grows when the slot is given back */
	uint8_t class;	     /* POOL_CLASSES: free */
	uint8_t tag;	     /* the owner's: what an item may be found by without a look at it */
};

struct pool {
	uint8_t *items;
	struct pool_link *links;
	uint32_t item_size, limit;
	uint64_t inverse; /* of the odd part of item_size: what it divides is multiplied by this */
	uint32_t shift;	  /* item_size is that part times two to the power of this */
	uint32_t used, fresh; /* slots below fresh were handed out at least once */
	uint32_t free;	      /* chain of given back slots */
	uint32_t changes;     /* slots taken and given back so far */
	uint32_t head[POOL_CLASSES], tail[POOL_CLASSES];
	uint32_t count[POOL_CLASSES];
};

/* A slot and the generation it was seen in: tells a slot from its successor. */
struct handle {
	uint32_t slot, generation;
};
#define HANDLE_NONE ((struct handle){NIL, 0})

/* 0 or -ENOMEM. */
int pool_init(struct pool *p, size_t item_size, uint32_t limit);
void pool_free(struct pool *p);
size_t pool_memory(const struct pool *p);

static inline void *pool_at(const struct pool *p, uint32_t slot)
{
	return p->items + (size_t)slot * p->item_size;
}

static inline uint32_t pool_slot(const struct pool *p, const void *item)
{
	uint64_t offset = (uint64_t)((const uint8_t *)item - p->items);

	return (uint32_t)((offset >> p->shift) * p->inverse);
}

static inline bool pool_is_used(const struct pool *p, uint32_t slot)
{
	return slot < p->fresh && p->links[slot].class < POOL_CLASSES;
}

/* A zeroed slot of class POOL_HARMLESS, or NIL when all are in use. */
uint32_t pool_take(struct pool *p);
void pool_give(struct pool *p, uint32_t slot);
/* Most recently used of its class. */
void pool_touch(struct pool *p, uint32_t slot, enum pool_class class);
/* The least precious, least recently touched slot; NIL when only pinned ones are left. */
uint32_t pool_victim(const struct pool *p);

static inline struct handle pool_handle(const struct pool *p, uint32_t slot)
{
	return (struct handle){slot, p->links[slot].generation};
}

/* NULL when the slot was given back since. */
static inline void *pool_get(const struct pool *p, struct handle h)
{
	if (h.slot == NIL || !pool_is_used(p, h.slot))
		return NULL;
	return p->links[h.slot].generation == h.generation ? pool_at(p, h.slot) : NULL;
}

/* It named an item that has had to go since. */
static inline bool handle_gone(const struct pool *p, struct handle h)
{
	return h.generation && h.slot != NIL && !pool_get(p, h);
}

struct index {
	uint32_t *slots;  /* slot + 1, above it bits of its hash; 0 = empty */
	uint32_t *hashes; /* by slot; 0 = not in the index */
	uint32_t mask;
	uint32_t slot_mask; /* the bits of slots that are the slot */
};

int index_init(struct index *x, uint32_t limit);
void index_free(struct index *x);
size_t index_memory(const struct index *x, uint32_t limit);
void index_add(struct index *x, uint32_t slot, uint64_t hash);
void index_remove(struct index *x, uint32_t slot);

/* 0 marks "not in the index". */
static inline uint32_t index_fold(uint64_t hash)
{
	uint32_t h = (uint32_t)(hash ^ hash >> 32);

	return h ? h : 1;
}

static inline uint32_t index_slot(const struct index *x, uint32_t at)
{
	return (x->slots[at] & x->slot_mask) - 1;
}

/* Slots with that hash, one by one: start with *cursor = NIL; NIL at the end. */
static inline uint32_t index_next(const struct index *x, uint64_t hash, uint32_t *cursor)
{
	uint32_t h = index_fold(hash);
	uint32_t at = *cursor == NIL ? h & x->mask : (*cursor + 1) & x->mask;

	for (; x->slots[at]; at = (at + 1) & x->mask) {
		if ((x->slots[at] ^ h) & ~x->slot_mask)
			continue; /* another, which its own row need not say: that is seldom cached
				   */
		if (x->hashes[index_slot(x, at)] == h) {
			*cursor = at;
			return index_slot(x, at);
		}
	}
	return NIL;
}

#endif
