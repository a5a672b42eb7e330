/*
 * stream: a TCP connection, with TLS 1.2 or newer by OpenSSL for tls://. The server's certificate
 * is checked against the system's authorities or `ca`, its name against the host or `server_name`,
 * and its key against `pin` where one is given.
 */
#ifndef OUTERGATE_FORWARD_STREAM_H
#define OUTERGATE_FORWARD_STREAM_H

#include "forward.h"

struct stream;

/* NULL and f->why when it cannot be had. port: when the URL has none. */
struct stream *stream_open(struct forwarder *f, const char *port);
/* All of it, within the destination's timeout; false and f->why. */
bool stream_write(struct forwarder *f, struct stream *s, const char *p, size_t n);
/* What is there: a length, 0: nothing yet, -1: the end, orderly or not. */
int stream_read(struct stream *s, char *buf, size_t cap);
/* Has the other side's kernel got everything that was written? */
bool stream_flushed(const struct stream *s);
int stream_fd(const struct stream *s);
/*
 * Both sides say that it is over before the connection ends: a receiver drops what it has not read
 * when a connection is reset, and an unread TLS session ticket makes that of a plain close. NULL is
 * fine.
 */
void stream_close(struct stream *s, bool orderly);

#endif
