/*
 * forward: outergate-forward, the process that sends to one collector. One file a protocol, with
 * one row in protocols.def; main.c has the queue, the waiting after failures, and the answers to
 * the agent.
 *
 * It is single-threaded, keeps nothing on disk, and trusts neither side: a collector's answer is
 * read with bounds, the agent's records by their lengths.
 */
#ifndef OUTERGATE_FORWARD_H
#define OUTERGATE_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

enum item_state {
	ITEM_QUEUED,
	ITEM_PENDING, /* sent, and not acknowledged: take() says more later */
	ITEM_DONE,
	ITEM_REFUSED /* the collector does not want it: never sent again, counted */
};

struct item {
	struct forward_record head; /* head.uid and head.name end with NUL */
	enum item_state state;
	uint64_t ticket; /* the protocol's own, while it is pending */
	char text[];	 /* head.len bytes and a NUL; no newline in it */
};

enum sent {
	SENT,	    /* every item has its state now; those still queued are sent again soon */
	SENT_RETRY, /* it certainly did not arrive: the same again after the wait */
	SENT_UNSURE /* it may have arrived */
};

struct forwarder;

struct protocol {
	const char *name;
	unsigned batch; /* items at once */
	size_t bytes;	/* of their texts at once */
	/* Once, before anything is sent; 0 or -1 with f->why (then it ends). */
	int (*open)(struct forwarder *f);
	/* n > 0 items, all queued. On SENT_RETRY and SENT_UNSURE f->why says why. */
	enum sent (*send)(struct forwarder *f, struct item **items, unsigned n);
	/*
	 * While something is pending, at least every 100 ms (f->fd readable: at once): sets states
	 * by forward_resolve(). SENT_UNSURE: what is pending is not known any more. NULL: never
	 * pending.
	 */
	enum sent (*take)(struct forwarder *f);
	/* Numbers of now, Prometheus' text, that forward_want() has asked for. NULL: it takes none.
	 */
	void (*metrics)(struct forwarder *f, const char *text, size_t len);
	/* Instead of the queue: the whole life, until the agent has gone. NULL: the queue. */
	void (*serve)(struct forwarder *f);
	/* In order, within about 2 s. */
	void (*close)(struct forwarder *f);
};

#define QUEUE_MAX FORWARD_WINDOW_RECORDS

struct forwarder {
	struct forward_setup setup;
	const struct config_forwarder *to; /* of setup */
	uint32_t row;			   /* receive.c: whose files */
	const struct protocol *protocol;
	void *state;		       /* the protocol's */
	int fd;			       /* the protocol's socket while something is pending; -1 */
	struct item *queue[QUEUE_MAX]; /* a ring, in the order in which they came */
	unsigned head, count, pending;
	uint32_t round;		 /* of records that are taken */
	unsigned refused_streak; /* since one was delivered */
	uint64_t refused_ns;
	unsigned batch; /* at once now: halved when a batch is too much, doubled when one arrived */
	uint64_t retry_ns, wait_ns; /* nothing is sent before; how long the last wait was */
	uint64_t metrics_ns;	    /* when to ask for numbers again */
	uint64_t asked_wait_ns;	    /* Retry-After; 0: none */
	uint64_t delivered, refused, retries;
	bool failing, ending;
	char why[FORWARD_WHY_MAX];
};

void forward_want(struct forwarder *f);
uint64_t now_ns(void); /* CLOCK_MONOTONIC */
void forward_why(struct forwarder *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A reason of somebody else: printable, cut. */
void forward_said(struct forwarder *f, const char *what, const char *text, size_t len);
/* Every pending item whose ticket is at most that (equal: only that one) becomes state. */
void forward_resolve(struct forwarder *f, uint64_t ticket, bool equal, enum item_state state);
void forward_all(struct item **items, unsigned n, enum item_state state);

/*
 * May a record be given up that the collector does not want? A few, one after the other; when it
 * wants none of them it is not they who are wrong, and then one in ten minutes, so that nothing
 * stands for ever.
 */
bool forward_may_refuse(struct forwarder *f);

/*
 * A file of the configuration as it is now, at most cap - 1 bytes and a NUL: the length, 0 when
 * none is configured, or -errno (f->why says which). Asked for at every connection, so that a
 * certificate that was exchanged is used without a restart.
 */
#define FILE_MAX 65536
int forward_file(struct forwarder *f, enum forward_file which, char *buf, size_t cap);
/* Its first line: a token, at most TOKEN_MAX - 1 bytes. */
#define TOKEN_MAX 4096
int forward_token(struct forwarder *f, char *buf, size_t cap);
/* "high" ... as alerts have it */
const char *forward_severity(uint32_t severity);

extern const struct protocol *const protocols[FORWARD_KINDS];

#endif
