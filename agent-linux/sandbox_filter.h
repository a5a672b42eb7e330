/* sandbox_filter: the seccomp filter of the unprivileged processes. */
#ifndef OUTERGATE_SANDBOX_FILTER_H
#define OUTERGATE_SANDBOX_FILTER_H

#include <stdbool.h>

/* From now on, for good. network: it may make sockets other than local ones. 0 or -errno. */
int sandbox_filter(bool network);

#endif
