/* priv_wireguard: the privileged half of looking at WireGuard's peers. */
#ifndef OUTERGATE_PRIV_WIREGUARD_H
#define OUTERGATE_PRIV_WIREGUARD_H

#include "priv.h"

#define WG_PEERS_MAX 1024 /* rows of struct wg_peer (wg_dump.h) */

/*
 * The netlink socket of the host's network that systemd has handed over (outergate-netlink.socket),
 * or -1; to be called before descriptors are closed. It stays open and is no other process's.
 */
int priv_wireguard_take(void);
/* As PRIV_WIREGUARD says; 0 or -errno. */
int priv_wireguard(struct priv_msg *m, int *ret_fd);

#endif
