/*
 * queue: a ring of bytes between the ETW threads and the core's. A thread of ETW that waits loses
 * events for the whole machine, so a full ring drops and counts, and the event log, which has them,
 * is read instead.
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"

struct queue {
	CRITICAL_SECTION lock;
	HANDLE wake;
	size_t size, at, used; /* at: of the oldest byte */
	volatile LONG64 lost;
	char bytes[];
};

struct queue *queue_new(size_t size, HANDLE wake)
{
	struct queue *q = calloc(1, sizeof(*q) + size);

	if (!q)
		return NULL;
	InitializeCriticalSection(&q->lock);
	q->size = size;
	q->wake = wake;
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	DeleteCriticalSection(&q->lock);
	free(q);
}

static void put(struct queue *q, const void *data, size_t n)
{
	size_t end = (q->at + q->used) % q->size, first = q->size - end;

	if (first > n)
		first = n;
	memcpy(q->bytes + end, data, first);
	memcpy(q->bytes, (const char *)data + first, n - first);
	q->used += n;
}

static void take(struct queue *q, void *data, size_t n)
{
	size_t first = q->size - q->at;

	if (first > n)
		first = n;
	memcpy(data, q->bytes + q->at, first);
	memcpy((char *)data + first, q->bytes, n - first);
	q->at = (q->at + n) % q->size;
	q->used -= n;
}

bool queue_put(struct queue *q, const struct etw_copy *head, const void *payload)
{
	bool fits;

	EnterCriticalSection(&q->lock);
	fits = q->used + sizeof(*head) + head->size <= q->size;
	if (fits) {
		put(q, head, sizeof(*head));
		put(q, payload, head->size);
	}
	LeaveCriticalSection(&q->lock);
	if (!fits)
		InterlockedIncrement64(&q->lost);
	SetEvent(q->wake);
	return fits;
}

bool queue_take(struct queue *q, struct etw_copy *head, void *payload)
{
	bool any;

	EnterCriticalSection(&q->lock);
	any = q->used > 0;
	if (any) {
		take(q, head, sizeof(*head));
		take(q, payload, head->size);
	}
	LeaveCriticalSection(&q->lock);
	return any;
}

uint64_t queue_lost(const struct queue *q)
{
	return (uint64_t)q->lost;
}
