/*
 * receive: what the agent and the process that listens for it (outergate-forward --receive) say to
 * each other over a SOCK_SEQPACKET pair: one line a message, to the agent alone. Both are of one
 * build. The process keeps nothing; what the agent does not take waits in the kernel's buffers of
 * its senders, and what does not fit there is counted where the kernel says so (UDP).
 */
#ifndef OUTERGATE_FORWARD_RECEIVE_H
#define OUTERGATE_FORWARD_RECEIVE_H

#include "common/config_receive.h"

/* Beside FORWARD_FD_*: the place of row i, which the parent has bound, is this + i. */
#define RECEIVE_FD_FIRST 6

#define RECEIVE_LINE_MAX 65536

struct receive_setup {
	uint32_t size; /* of this; another build has another */
	char version[28];
	uint32_t count;
	bool bound[RECEIVERS_MAX];
	struct config_receiver rows[RECEIVERS_MAX];
};

enum receive_message {
	RECEIVE_LINE = 1,
	RECEIVE_STATE, /* of a row: the text is why it does not work; empty: it does */
};

struct receive_line {
	uint32_t message, row;
	uint32_t len;	  /* of the text after this */
	uint32_t cut;	  /* it was longer */
	struct addr peer; /* family NONE: of a program here */
	/* Since the process began, of that row: */
	uint64_t lost;	  /* datagrams for which the kernel had no room */
	uint64_t refused; /* peers whose lines are not taken, connections too many, bad TLS */
};

/* unit: the connection of outergate-net@.service, where the agent cannot bind; else -1. */
int receive_main(int unit);

#endif
