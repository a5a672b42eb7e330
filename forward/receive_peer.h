/* receive_peer: one connection to a receiver, clear or TLS; and what the kernel says of datagrams.
 */
#ifndef OUTERGATE_FORWARD_RECEIVE_PEER_H
#define OUTERGATE_FORWARD_RECEIVE_PEER_H

#include <sys/types.h>

#include "common/decode/stream_lines.h"
#include "forward.h"
#include "receive.h"

struct receive_count {
	uint64_t lost, refused;
	uint64_t told; /* both, as the agent knows them */
	uint64_t told_ns;
};

struct peer {
	bool used, greeting; /* a TLS handshake is under way */
	short wants;	     /* poll events of that */
	unsigned row;
	int fd;
	void *ssl; /* NULL: clear */
	struct addr from;
	uint64_t since_ns, last_ns;
	struct stream_lines lines;
};

enum {
	PEER_NOTHING = 0,
	PEER_END = -1,
	PEER_REFUSED = -2
};

/* A context for that row, of its files; false and why. Before privileges are given up. */
bool peer_tls(unsigned row, const struct config_receiver *r, char why[FORWARD_WHY_MAX]);
/* Takes fd in any case. */
bool peer_open(struct peer *p, unsigned row, int fd, const struct addr *from, bool tls);
/* Bytes, or one of the above. */
int peer_read(struct peer *p, char *buf, size_t cap);
bool peer_pending(const struct peer *p);
short peer_events(const struct peer *p);
bool peer_is_late(const struct peer *p); /* its handshake takes too long */
void peer_close(struct peer *p);

/* A descriptor and who it is (family NONE: a local socket's), or -1. */
int receive_accept(int fd, struct addr *ret_from);
/* Its length, or -1: there is none. *lost becomes what the kernel had no room for. */
ssize_t receive_datagram(int fd, char *buf, size_t cap, struct addr *ret_from, uint64_t *lost);

#endif
