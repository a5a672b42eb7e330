/* queue: see the header. */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct item *queue_at(const struct forwarder *f, unsigned i)
{
	return f->queue[(f->head + i) % QUEUE_MAX];
}

struct item *queue_pop(struct forwarder *f)
{
	struct item *it = queue_at(f, 0);

	f->head = (f->head + 1) % QUEUE_MAX;
	f->count--;
	return it;
}

static bool is_whole(const struct forward_record *h, size_t len)
{
	return len >= sizeof(*h) && h->message == FORWARD_RECORD && h->len < FORWARD_TEXT_MAX &&
	       len == sizeof(*h) + h->len && h->lane < 2;
}

static int take_one(struct forwarder *f)
{
	static char buf[sizeof(struct forward_record) + FORWARD_TEXT_MAX + 1];
	struct forward_record head;
	struct item *it;
	ssize_t n = recv(FORWARD_FD_RECORDS, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EPIPE;
	memcpy(&head, buf, sizeof(head));
	if (!is_whole(&head, (size_t)n))
		return -EPIPE;
	if (head.what == FORWARD_METRICS) {
		buf[n] = '\0';
		if (f->protocol->metrics)
			f->protocol->metrics(f, buf + sizeof(head), head.len);
		return 0;
	}
	if (head.round != f->round)
		return 0;
	it = malloc(sizeof(*it) + (size_t)n + 1);
	if (!it)
		return -EPIPE; /* the agent starts another, and nothing is lost */
	it->head = head;
	it->head.uid[sizeof(it->head.uid) - 1] = it->head.name[sizeof(it->head.name) - 1] = '\0';
	memcpy(it->text, buf + sizeof(it->head), it->head.len);
	it->text[it->head.len] = '\0';
	it->state = ITEM_QUEUED;
	it->ticket = 0;
	f->queue[(f->head + f->count++) % QUEUE_MAX] = it;
	return 0;
}

bool queue_receive(struct forwarder *f)
{
	int r = 0;

	while (!r && f->count < QUEUE_MAX)
		r = take_one(f);
	return r != -EPIPE;
}

unsigned queue_batch(struct forwarder *f, struct item **ret)
{
	size_t bytes = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < f->count && n < f->batch; i++) {
		struct item *it = queue_at(f, i);

		if (it->state != ITEM_QUEUED)
			continue;
		bytes += it->head.len;
		if (n && bytes > f->protocol->bytes)
			break;
		ret[n++] = it;
	}
	return n;
}

bool queue_waiting(const struct forwarder *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (queue_at(f, i)->state == ITEM_QUEUED)
			return true;
	return false;
}

void queue_count(struct forwarder *f)
{
	f->pending = 0;
	for (unsigned i = 0; i < f->count; i++)
		f->pending += queue_at(f, i)->state == ITEM_PENDING;
}

void queue_clear(struct forwarder *f)
{
	while (f->count)
		free(queue_pop(f));
	f->pending = 0;
}

void forward_resolve(struct forwarder *f, uint64_t ticket, bool equal, enum item_state state)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct item *it = queue_at(f, i);

		if (it->state == ITEM_PENDING &&
		    (equal ? it->ticket == ticket : it->ticket <= ticket))
			it->state = state;
	}
	queue_count(f);
}

void forward_all(struct item **items, unsigned n, enum item_state state)
{
	for (unsigned i = 0; i < n; i++)
		items[i]->state = state;
}
