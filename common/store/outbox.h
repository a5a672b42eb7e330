/*
 * outbox: what waits for forwarders, in the order in which it happened. A row is put in the same
 * transaction as the alert or session that it tells of, so that a kill loses and invents nothing.
 *
 * Each destination has a cursor of its own and reads two lanes, each in its own order: alerts, and
 * everything else, so that a day's backlog of sessions never holds up an alert. A row goes when
 * every destination has it, or when the outbox is over its size: then the oldest events go first,
 * then sessions, then the least severe and oldest alerts; what was lost to whom is counted.
 *
 * All functions return 0 or -errno; store_error() is the sentence.
 */
#ifndef OUTERGATE_OUTBOX_H
#define OUTERGATE_OUTBOX_H

#include "../config_forward.h"
#include "store.h"

enum outbox_lane {
	OUTBOX_ALERTS,
	OUTBOX_OTHERS,
	OUTBOX_LANES
};

/* How far a destination is. Kept as it is in a named value of the store. */
struct outbox_cursor {
	uint32_t version;
	uint32_t pad;
	uint64_t acked[OUTBOX_LANES];  /* taken over by the collector, up to that number */
	uint64_t handed[OUTBOX_LANES]; /* may have been sent once: a repeat is marked */
	uint64_t delivered, refused, dropped;
};

struct outbox_row {
	uint64_t seq, made_ns;
	enum forward_what what;
	enum severity severity; /* of an alert; of an event: in which form it is written */
	const char *id;
	const char *body; /* as body.h; an event as it is sent */
	size_t len;
};

/* What is there word for word is not put again. */
int outbox_put_alert(struct store *s, const struct alert *a, uint64_t now_ns);
int outbox_put_session(struct store *s, const struct session *x, uint64_t now_ns);
/* An event cannot be read back whole: it is kept as it is sent. form: whoever reads knows. */
int outbox_put_event(struct store *s, unsigned form, const char *id, const char *text, size_t len,
		     uint64_t time_ns);

/* Rows after a number, in order; row returns false to stop. Spans live until it returns. */
int outbox_read(struct store *s, enum outbox_lane lane, uint64_t after, unsigned limit,
		bool (*row)(void *arg, const struct outbox_row *r), void *arg);
/* The number of the last row ever put; 0: none. */
int outbox_last(struct store *s, uint64_t *ret);

/* Of a destination that is new: at the end of what is there. */
int outbox_cursor_get(struct store *s, const char *name, struct outbox_cursor *ret);
int outbox_cursor_put(struct store *s, const char *name, const struct outbox_cursor *c);

/*
 * Rows that every one of them has (n 0: all rows) go, up to the number keep_after: the last seconds
 * stay, since an input that is read again after a kill tells of them again, and is told by them.
 */
int outbox_trim(struct store *s, const struct outbox_cursor *cursors, unsigned n,
		uint64_t keep_after);
/*
 * Brings it below max_bytes, and counts in each cursor the rows beyond `acked` that went: what it
 * will never get. *ret_rows: the most that one of them lost.
 */
int outbox_bound(struct store *s, uint64_t max_bytes, struct outbox_cursor *cursors, unsigned n,
		 uint64_t *ret_rows);
/* Rows with a number above the first and up to the last. */
int outbox_between(struct store *s, enum outbox_lane lane, uint64_t first, uint64_t last,
		   uint64_t *ret);
/* Rows that a destination wants and does not have yet. form: of its events. */
int outbox_waiting(struct store *s, const struct outbox_cursor *c,
		   const struct config_forwarder *to, unsigned form, uint64_t *ret);
/* Rows and bytes that wait in all. */
int outbox_size(struct store *s, uint64_t *ret_rows, uint64_t *ret_bytes);

/* An alert's body back; 0 or -EBADMSG. */
int outbox_alert(const struct outbox_row *r, struct alert *ret);
int outbox_session(const struct outbox_row *r, struct session *ret);

#endif
