/* priv_container: opens for the child what a runtime and Docker say of a container. */
#ifndef OUTERGATE_PRIV_CONTAINER_H
#define OUTERGATE_PRIV_CONTAINER_H

#include "priv.h"

/* Of a PRIV_CONTAINER; 0, -errno. *ret_fd is -1 or the caller's to close. */
int container_open(struct priv_msg *m, int *ret_fd);

#endif
