/*
 * first_bytes: what the first bytes of connections say, put in order: a PROXY header, what the
 * client is, HTTP requests with the server's answer, who was let in over VNC.
 *
 * Pure; the table is the caller's, zeroed once. Its size does not grow: who has been quiet longest
 * is forgotten first. Spans of an event point into the table and live until the next call.
 */
#ifndef OUTERGATE_FIRST_BYTES_H
#define OUTERGATE_FIRST_BYTES_H

#include "../enrich/fingerprint.h"
#include "../event.h"
#include "../wire.h"

#include "api_words.h"
#include "rfb.h"

#define FIRST_BYTES   4096 /* kept of a connection, and of each request */
#define FIRST_STREAMS 48

enum first_state {
	FIRST_OPEN, /* nothing is known yet */
	FIRST_HTTP, /* a request waits for its answer */
	FIRST_RFB,  /* VNC: how it is let in is not settled */
	FIRST_DONE
};

struct first_stream {
	uint64_t cookie; /* 0: free */
	uint64_t used;
	uint32_t from, have; /* of the stream: the place of data[0], and how many follow */
	uint32_t skip;	     /* a PROXY header before the protocol itself */
	uint32_t answered;   /* of the server's bytes, FIRST_RFB */
	uint8_t state;
	char answer[RFB_SERVER_MAX];
	char fingerprint[CLIENT_PRINT_MAX];
	char data[FIRST_BYTES];
};

struct first_table {
	uint64_t clock;
	uint64_t lost;		/* requests forgotten before their answer came */
	struct api_words words; /* of the request told last */
	struct first_stream streams[FIRST_STREAMS];
};

/*
 * Takes one record, whose lengths have been checked. True: ret's kind, outcome, result and texts
 * are set; who and where are the caller's to fill in.
 */
bool first_bytes_feed(struct first_table *t, const struct wire_data_head *w, const uint8_t *data,
		      struct event *ret);

#endif
