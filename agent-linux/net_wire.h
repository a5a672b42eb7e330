/*
 * net_wire: what the parent and outergate-net@.service say to each other, over a connection of the
 * unit's socket (SOCK_SEQPACKET). The packaged agent has no network and no right to become another
 * user, so systemd starts what needs one: outergate-forward, once a destination and once for all
 * receivers. It begins with the descriptors that the parent hands over, as one that the parent
 * starts itself (an agent of root's), and ends when the parent hangs up.
 *
 * The socket is root's and lies in a directory of root's: the engine, which has the parent's user,
 * may neither connect to it nor put another one in its place.
 */
#ifndef OUTERGATE_NET_WIRE_H
#define OUTERGATE_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config_receive.h"

#define NET_WIRE_PATH	"/run/outergate-net.socket"
#define NET_WIRE_FDS	16
#define NET_WIRE_OPTION "--unit"

/* From the parent, once, with the descriptors that are given, in that order. */
struct net_ask {
	uint32_t size; /* of this; another build may have another */
	char version[28];
	uint32_t receive;	     /* forward/receive.h instead of forward/wire.h */
	uint8_t given[NET_WIRE_FDS]; /* the descriptor FORWARD_FD_RECORDS + i */
};

/* The answer of one that receives: what it has bound, which the parent keeps for the next one. */
struct net_bound {
	int32_t results[RECEIVERS_MAX]; /* 0 or -errno */
	uint8_t given[RECEIVERS_MAX];
};

/* 0 or -errno. At most NET_WIRE_FDS descriptors. */
int net_wire_send(int sock, const void *data, size_t len, const int *fds, unsigned count);
/* As many bytes and descriptors as expected, else -EPROTO; -EPIPE: the other side is gone.
 * *ret_count of ret_fds are the caller's to close; none where it fails. */
int net_wire_recv(int sock, void *ret, size_t len, int ret_fds[NET_WIRE_FDS], unsigned *ret_count);

/* The place of a receiver of the network, bound: a descriptor or -errno. */
int net_bind(const struct config_receiver *r);
bool net_is_network(const struct config_receiver *r);
/* More room for datagrams than the system's limit allows; for who may. */
void net_make_room(int fd);

#endif
