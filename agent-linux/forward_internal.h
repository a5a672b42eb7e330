/* forward_internal: what the files of the engine's side of forwarders share. */
#ifndef OUTERGATE_FORWARD_INTERNAL_H
#define OUTERGATE_FORWARD_INTERNAL_H

#include "common/out/schema.h"
#include "common/store/outbox.h"
#include "engine.h"
#include "forward/wire.h"

#define SEEN_SIZE  1024 /* sessions whose last told state is remembered */
#define KEEP_SAVES 4	/* rows stay for so many seconds; see outbox_trim() */
/* What was told of a session last; another one in its place costs one more record. */
struct seen {
	char id[ID_TEXT_MAX];
	enum session_state state;
	enum severity worst;
	uint32_t reconnects;
	char effective_account[ACCOUNT_MAX];
};

struct destination {
	struct watcher watcher;
	const struct config_forwarder *to;
	const struct out_schema *schema;
	unsigned index;
	int fd; /* -1: no process */
	struct outbox_cursor cursor;
	uint64_t sent[OUTBOX_LANES];	       /* handed to this process */
	uint64_t repeats[OUTBOX_LANES];	       /* up to here it is a repeat */
	uint32_t records[OUTBOX_LANES], bytes; /* of them not resolved */
	uint64_t base_delivered, base_refused;
	uint64_t retry_ns; /* when to start the process again */
	uint64_t process_retries;
	uint32_t round;
	uint64_t wait_ns;    /* before it is started again: doubled each time */
	uint64_t unreadable; /* the last row that could not be written out */
	bool look;	     /* something may wait for it */
	bool full;	     /* the socket takes no more now */
	bool dirty;
	bool failing;
	char why[FORWARD_WHY_MAX];
	char tested[64], tested_why[FORWARD_WHY_MAX];
};

struct forwarding {
	struct destination to[FORWARDERS_MAX];
	unsigned count;
	unsigned what; /* bits that anybody wants */
	bool unsynced; /* an alert is committed, and not yet on the disk */
	uint64_t saved_ns;
	uint64_t unsure_events;	   /* put in the transaction that is open */
	uint64_t lost_events;	   /* of those that failed; not told yet */
	uint64_t last[KEEP_SAVES]; /* the outbox's last number at each of the last saves */
	struct seen seen[SEEN_SIZE];
	struct forward_record head;
	char text[OUT_RECORD_MAX];
	struct alert alert;
	struct session session;
};

/* How its events are written: the same text serves all that want it so. */
unsigned forward_event_form(const struct config_forwarder *to);
void forward_policy(const struct engine *e, const struct destination *d, struct out_policy *ret);
/* To its process: 0, or -errno; -EAGAIN: not now. */
int forward_hand(struct destination *d, const struct forward_record *h, const char *text);

#endif
