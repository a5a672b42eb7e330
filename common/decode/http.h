/*
 * http: the head of a request and the status of an answer (RFC 9112). As much as says who asks for
 * what; nothing is decoded. Pure; every byte is the peer's.
 */
#ifndef OUTERGATE_HTTP_H
#define OUTERGATE_HTTP_H

#include "../span.h"

struct http_request {
	struct span method, target; /* target: as sent */
	struct span user_agent, host, forwarded_for, upgrade;
	struct span body;  /* as much as is there */
	uint64_t body_len; /* as it says; 0 = it does not */
	bool has_authorization;
	bool is_chunked; /* the body comes in chunks */
	bool is_whole;	 /* the head has its end */
};

/* Does a request begin here, as far as can be told? */
bool http_is_request(struct span bytes);
/* False: no request line. A head that is cut gives what is there. */
bool http_request_read(struct span bytes, struct http_request *ret);
/* A chunked body as it is without its chunks' heads, in place; returns its length. */
size_t http_unchunk(char *body, size_t len);
/* Of the head of a request or answer; name in small letters. False: it is not there. */
bool http_header(struct span bytes, struct span name, struct span *ret);
/* What follows the head; empty when its end is not there. */
struct span http_body(struct span bytes);
/* Does more of its head or body have to come? */
bool http_is_unfinished(const struct http_request *q);
/* Of "HTTP/1.1 200 OK". */
bool http_status(struct span bytes, uint32_t *ret);

#endif
