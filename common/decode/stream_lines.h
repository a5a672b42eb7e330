/*
 * stream_lines: lines out of a stream of bytes. Pure; the buffer is the caller's.
 *
 * Syslog over a stream comes in two framings (RFC 6587): a count of octets in front of each message
 * ("123 <34>1 ..."), or an end behind it (LF; NUL of some senders). Which one it is each message
 * says: digits, one space and '<' are a count. Anything else ends with LF or NUL.
 *
 * A counted message may hold LF: it stays one line, so that nobody puts a line of his own into it.
 */
#ifndef OUTERGATE_DECODE_STREAM_LINES_H
#define OUTERGATE_DECODE_STREAM_LINES_H

#include "decode.h"

struct stream_lines {
	size_t have;
	size_t skip;	/* octets of a counted message that was too long, still to come */
	bool skip_line; /* the rest of a line that was too long */
	char buf[DECODE_RECORD_MAX];
};

/* cut: it was longer than the buffer, and its beginning is all there is. */
typedef void (*stream_line_take)(void *arg, struct span line, bool cut);

/* Empty lines are not given. */
void stream_lines_feed(struct stream_lines *s, struct span data, stream_line_take take, void *arg);
/* The stream has ended: what is left is a line, unless a counted message is incomplete. */
void stream_lines_end(struct stream_lines *s, stream_line_take take, void *arg);

#endif
