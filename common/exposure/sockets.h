/* sockets: the kernel's tables of sockets and addresses, as /proc/PID/net has them. */
#ifndef OUTERGATE_EXPOSURE_SOCKETS_H
#define OUTERGATE_EXPOSURE_SOCKETS_H

#include "../scope.h"

struct bound_socket {
	struct endpoint at;
	uint64_t inode; /* 0: the kernel's own */
	uint32_t uid;
	bool listens; /* TCP: LISTEN; UDP: bound and not connected */
};

/* A line of tcp, tcp6, udp or udp6; false: its head, or none. */
bool socket_line(struct span line, bool udp, struct bound_socket *ret);

/* Feed lines of fib_trie in order; true when one says that an address of this host is *ret. */
struct fib_reader {
	struct addr last;
};
bool fib_line(struct fib_reader *f, struct span line, struct addr *ret);
/* A line of if_inet6. */
bool inet6_line(struct span line, struct addr *ret);

#endif
