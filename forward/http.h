/*
 * http: one POST by libcurl, and what its outcome means for the records in it. TLS is checked
 * always; files are read again for every new connection.
 */
#ifndef OUTERGATE_FORWARD_HTTP_H
#define OUTERGATE_FORWARD_HTTP_H

#include "buffer.h"
#include "forward.h"

#define HTTP_REPLY_MAX (1u << 20) /* of an answer; more is cut, and cut JSON is no JSON */

struct http_request {
	const char *url;
	const char *type;	     /* Content-Type */
	const char *const *headers;  /* "Name: value", NULL ends; may be NULL */
	const char *user, *password; /* basic; NULL: none */
	const char *body;	     /* NULL: a GET */
	size_t len;
	bool plain; /* never compressed */
};

struct http_reply {
	long status;
	char *text; /* in a buffer of this file until the next request */
	size_t len;
};

int http_open(struct forwarder *f);
void http_close(struct forwarder *f);
/*
 * SENT: a status of 2xx. SENT_RETRY or SENT_UNSURE as forward.h has them, with f->why; when the
 * status is one that means "not these records" (400, 413, 422), *ret_refused is true.
 */
enum sent http_send(struct forwarder *f, const struct http_request *q, struct http_reply *ret,
		    bool *ret_refused);
/*
 * The same for a batch whose body is in that buffer (filled: all of it). A batch that the collector
 * refuses is cut in halves until the record is found that it does not want. Only where *ret_taken
 * is true was it taken over, and the caller judges *ret; else the result is the caller's own.
 */
enum sent http_batch(struct forwarder *f, struct item **items, unsigned n, struct http_request *q,
		     const struct buffer *body, bool filled, struct http_reply *ret,
		     bool *ret_taken);

/* url with path put behind it, unless it has one already. */
void http_url(const char *url, const char *path, char *ret, size_t cap);

#endif
