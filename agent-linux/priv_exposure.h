/* priv_exposure: which process holds which socket, and settings of daemons, opened and unread. */
#ifndef OUTERGATE_PRIV_EXPOSURE_H
#define OUTERGATE_PRIV_EXPOSURE_H

#include "priv.h"

/* A row of PRIV_SOCKETS. The first is process 1's namespace, the second ours, with no socket. */
struct priv_socket {
	uint32_t pid, netns;
	uint64_t inode;
};
#define PRIV_SOCKETS_MAX 262144

/* As PRIV_SOCKETS, PRIV_SETTINGS and PRIV_PROGRAM say; 0 or -errno. */
int priv_sockets(struct priv_msg *m, int *ret_fd);
int priv_settings(struct priv_msg *m, int *ret_fd);
int priv_program(struct priv_msg *m);

#endif
