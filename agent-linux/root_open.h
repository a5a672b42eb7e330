/*
 * root_open: opens a file below the root directory of another process (a container, a chroot),
 * where everything may be crafted: links that lead out, FIFOs, FUSE files that never answer.
 */
#ifndef OUTERGATE_ROOT_OPEN_H
#define OUTERGATE_ROOT_OPEN_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The first of the paths that is a regular file there. -EALREADY: that root is the host's; -ENOENT:
 * none; -ETIMEDOUT: whoever serves that file system does not answer. The caller closes.
 */
int open_in_root(unsigned pid, const char *const *paths, size_t count);

/* A regular file, never waiting for a FIFO's writer; or -errno. Where we are; or of the host. */
int open_regular(const char *path);
int open_regular_of_host(const char *path);

struct priv_msg;
/*
 * Does work, which returns 0 or -errno, fills *m and may open *ret_fd, in a short-lived process
 * that is killed when it is not done in time. *ret_fd is -1 or the caller's to close.
 */
int helper_run(int (*work)(void *arg, struct priv_msg *m, int *ret_fd), void *arg,
	       struct priv_msg *m, int *ret_fd);

#endif
