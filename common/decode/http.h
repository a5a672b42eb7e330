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
	struct span body;		  /* as much as is there */
	bool has_authorization, is_whole; /* is_whole: the head has its end */
};

/* Does a request begin here, as far as can be told? */
bool http_is_request(struct span bytes);
/* False: no request line. A head that is cut gives what is there. */
bool http_request_read(struct span bytes, struct http_request *ret);
/* Of "HTTP/1.1 200 OK". */
bool http_status(struct span bytes, uint32_t *ret);

#endif
