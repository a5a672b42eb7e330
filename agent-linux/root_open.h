/*
 * root_open: opens a file below the root directory of another process (a container, a chroot),
 * where everything may be crafted: links that lead out, FIFOs, FUSE files that never answer.
 */
#ifndef OUTERGATE_ROOT_OPEN_H
#define OUTERGATE_ROOT_OPEN_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The first of the paths that is a regular file there. -EALREADY: that root is our own; -ENOENT:
 * none; -ETIMEDOUT: whoever serves that file system does not answer. The caller closes.
 */
int open_in_root(unsigned pid, const char *const *paths, size_t count);

#endif
