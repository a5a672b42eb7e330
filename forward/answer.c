/* answer: see the header. */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event.h"
#include "common/out/out.h"
#include "queue.h"

#define REFUSED_MOST  8
#define REFUSED_EVERY (600 * NS_PER_S)

static void say(struct forwarder *f, struct forward_answer *a)
{
	a->delivered = f->delivered;
	a->refused = f->refused;
	a->retries = f->retries;
	(void)!send(FORWARD_FD_RECORDS, a, sizeof(*a), MSG_NOSIGNAL);
}

/* A test is answered by itself and counts as nothing else. */
static void answer_test(struct forwarder *f, const struct item *it)
{
	struct forward_answer a = {.message = FORWARD_TESTED};

	snprintf(a.why, sizeof(a.why), "%s%s",
		 it->state == ITEM_DONE ? "delivered" : "refused by the collector: ",
		 it->state == ITEM_DONE ? "" : f->why);
	say(f, &a);
}

void answer_acks(struct forwarder *f)
{
	struct forward_answer a = {.message = FORWARD_ACK};

	while (f->count) {
		struct item *it = queue_at(f, 0);

		if (it->state != ITEM_DONE && it->state != ITEM_REFUSED)
			break;
		it = queue_pop(f);
		if (it->head.seq == 0) {
			answer_test(f, it);
		} else {
			a.acked[it->head.lane] = it->head.seq;
			a.records[it->head.lane]++;
			a.bytes += it->head.len;
			f->delivered += it->state == ITEM_DONE;
			if (it->state == ITEM_DONE)
				f->refused_streak = 0;
			f->refused += it->state == ITEM_REFUSED;
		}
		free(it);
	}
	if (a.records[0] + a.records[1])
		say(f, &a);
}

void forward_want(struct forwarder *f)
{
	struct forward_answer a = {.message = FORWARD_WANT};

	(void)f;
	/* An agent that does not read is one that does not answer. */
	(void)!send(FORWARD_FD_RECORDS, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void answer_again(struct forwarder *f)
{
	struct forward_answer a = {.message = FORWARD_AGAIN};

	say(f, &a);
}

void answer_state(struct forwarder *f, bool failing)
{
	struct forward_answer a = {.message = FORWARD_STATE, .failing = failing};

	if (f->failing == failing && !failing)
		return;
	f->failing = failing;
	snprintf(a.why, sizeof(a.why), "%s", f->why);
	say(f, &a);
}

void forward_why(struct forwarder *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->why, sizeof(f->why), format, ap);
	va_end(ap);
}

void forward_said(struct forwarder *f, const char *what, const char *text, size_t len)
{
	char said[120];

	out_escape((struct span){text, len < 96 ? len : 96}, said, sizeof(said));
	forward_why(f, "%s%s%s", what, said[0] ? ": " : "", said);
}

const char *forward_severity(uint32_t severity)
{
	return severity < SEVERITY_COUNT ? severity_name((enum severity)severity) : "";
}

bool forward_may_refuse(struct forwarder *f)
{
	if (f->refused_streak >= REFUSED_MOST && now_ns() - f->refused_ns < REFUSED_EVERY)
		return false;
	f->refused_streak++;
	f->refused_ns = now_ns();
	return true;
}
