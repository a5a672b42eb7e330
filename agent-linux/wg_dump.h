/*
 * wg_dump: what a WireGuard device says of its peers, in the two ways that there are. Pure: bytes
 * in, peers out.
 *
 *   text      of a user space device's socket, "get=1" (wireguard.com/xplatform)
 *   netlink   of a kernel device, WG_CMD_GET_DEVICE (linux/wireguard.h)
 *
 * Both tell private and preshared keys, too. No value of those is looked at or copied; the caller
 * clears its buffer behind each call.
 */
#ifndef OUTERGATE_WG_DUMP_H
#define OUTERGATE_WG_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define WG_KEY	 32
#define WG_NAME	 16 /* IFNAMSIZ */
#define WG_INNER 192

struct wg_peer {
	uint8_t key[WG_KEY];   /* public */
	struct endpoint at;    /* family NONE: it has never been heard of */
	uint64_t handshake_ns; /* wall clock; 0: never */
	uint64_t received, sent;
	uint32_t pid, uid; /* who serves the device; pid 0: the kernel */
	uint16_t port;	   /* where the device listens */
	char device[WG_NAME];
	char comm[16];
	char inner[WG_INNER]; /* "10.8.0.2/32 10.9.0.0/24"; what does not fit is left out */
};

/* Where peers go as they are complete. */
struct wg_dump {
	void (*take)(void *arg, const struct wg_peer *p);
	void *arg;
	struct wg_peer peer; /* the one that is being told; its device, pid, uid and comm stay */
	bool any;	     /* there is one */
	bool ended;	     /* text: the last line came, and it says that all went well */
};

/*
 * Reads whole lines, and returns how many bytes it has used. -EPROTO: that is no answer to "get=1".
 */
long wg_text(struct wg_dump *d, const char *buf, size_t len);
/* One message behind its netlink header: a struct genlmsghdr and attributes. 0 or -EPROTO. */
int wg_netlink(struct wg_dump *d, const void *buf, size_t len);
/* Behind the last of either. */
void wg_finish(struct wg_dump *d);

#endif
