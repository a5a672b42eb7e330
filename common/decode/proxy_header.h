/*
 * proxy_header: the PROXY protocol, versions 1 and 2: whom a load balancer speaks for.
 * Source: haproxy's doc/proxy-protocol.txt, 2.1 and 2.2. Pure; bytes chosen by the peer.
 */
#ifndef OUTERGATE_PROXY_HEADER_H
#define OUTERGATE_PROXY_HEADER_H

#include "../addr.h"
#include "../span.h"

enum proxy_header_result {
	PROXY_HEADER_MORE,
	PROXY_HEADER_NONE, /* no such header, or malformed */
	PROXY_HEADER_DONE
};

/* Could these bytes be the beginning of one? */
bool proxy_header_may_be(struct span bytes);
/*
 * ret_client: the source, family ADDR_NONE for LOCAL, UNKNOWN and other families. ret_len: of the
 * header, so that what it stands before can be found.
 */
enum proxy_header_result proxy_header_read(struct span bytes, struct endpoint *ret_client,
					   size_t *ret_len);

#endif
