/*
 * wire: what the agent and a process that sends (outergate-forward, one a destination) say to each
 * other over a SOCK_SEQPACKET pair. Both are of one build; fixed sizes, and one text at the end of
 * a record. The sender keeps nothing on disk: what is not acknowledged is handed to the next one.
 */
#ifndef OUTERGATE_FORWARD_WIRE_H
#define OUTERGATE_FORWARD_WIRE_H

#include <stdint.h>

#include "common/config_forward.h"

/* Descriptors that a sender begins with. */
#define FORWARD_FD_RECORDS 3
#define FORWARD_FD_SETUP   4 /* struct forward_setup, once */
#define FORWARD_FD_PARENT  5 /* struct priv_msg: PRIV_FORWARD_FILE */

#define FORWARD_TEXT_MAX 65536
#define FORWARD_UID_MAX	 72
#define FORWARD_WHY_MAX	 200

/* How much may be handed over and not yet acknowledged. */
#define FORWARD_WINDOW_RECORDS 4096
#define FORWARD_WINDOW_BYTES   (2u << 20)

struct forward_setup {
	uint32_t size; /* of this; another build has another */
	char version[28];
	struct config_forwarder to;
	char host_id[40], host_name[256];
};

enum forward_message {
	FORWARD_RECORD = 1, /* to the sender */
	FORWARD_ACK,	    /* from it: those are with the collector, or refused by it */
	FORWARD_AGAIN, /* what is not acknowledged may or may not have arrived: hand it over again
			*/
	FORWARD_STATE, /* how it goes */
	FORWARD_WANT,  /* from it: the metrics of now; the answer is a record (FORWARD_METRICS) */
	FORWARD_TESTED /* what became of the test record */
};

struct forward_record {
	uint32_t message; /* FORWARD_RECORD */
	uint32_t what;	  /* enum forward_what */
	uint32_t severity;
	uint32_t lane;
	uint64_t seq;	  /* 0: a test */
	uint64_t time_ns; /* wall clock, of what it tells */
	uint32_t len;	  /* of the text after this */
	uint32_t round;	  /* counts the AGAINs: what is on its way from before one is passed over */
	char uid[FORWARD_UID_MAX]; /* the same at a repeat */
	char name[56];		   /* a detection's id, or "session" or "event" */
};

struct forward_answer {
	uint32_t message;
	uint32_t failing; /* STATE: it does not arrive */
	uint64_t acked[2];
	uint32_t records[2], bytes; /* ACK: resolved since the last one, of each lane */
	uint32_t pad;
	uint64_t delivered, refused, retries; /* since it began */
	char why[FORWARD_WHY_MAX];
};

#endif
