/*
 * forwarders: the parent's side: one process a destination, which it starts for the engine, as a
 * user of its own, and opens files for. The parent never reads what they hold.
 */
#ifndef OUTERGATE_FORWARDERS_H
#define OUTERGATE_FORWARDERS_H

#include <poll.h>

#include "engine.h"

struct forwarder_process {
	pid_t pid; /* 0: none, or systemd started it */
	int conn;  /* -1; else it ends when we hang up there (net_unit.h) */
	int sock;  /* it asks for files here */
};

struct forwarders {
	const struct config *config;
	struct forwarder_process rows[FORWARDERS_MAX];
};

void forwarders_init(struct forwarders *f, const struct config *c);
/* Ends the one that runs for that row and starts another; its other socket, or -errno. */
int forwarders_start(struct forwarders *f, unsigned i);
/* Puts FORWARDERS_MAX rows into set. */
void forwarders_poll(const struct forwarders *f, struct pollfd *set);
void forwarders_answer(struct forwarders *f, const struct pollfd *set);
/* They send what they have, at most for wait_ms, and are ended. */
void forwarders_stop(struct forwarders *f, int wait_ms);

/* Also for receivers.c: */
#define SENDER_FDS_MAX 16
/*
 * Starts the program with these as its descriptors from FORWARD_FD_RECORDS on (-1: none there),
 * without privilege: as a child, or where we are not root by systemd. 0 or -errno.
 */
int sender_start(struct forwarder_process *p, const int *fds, unsigned count, const char *name,
		 bool receive);
/* Ends one that runs; systemd's at once, whatever the signal. */
void sender_kill(const struct forwarder_process *p, int sig);
/* What it asks for: a descriptor of the caller's, or -errno. */
struct priv_msg;
typedef int (*sender_open)(const void *arg, const struct priv_msg *m);
/* Reads its question and answers it; one that says anything else, or has ended, is ended. */
void sender_answer(struct forwarder_process *p, sender_open open, const void *arg);
/* Hangs up, waits, kills. */
void sender_end(struct forwarder_process *p, int wait_ms);

#endif
