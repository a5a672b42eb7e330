/* sandbox: gives up privilege for good. Called once, in the child, before it touches any input. */
#ifndef OUTERGATE_SANDBOX_H
#define OUTERGATE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/config.h"

/*
 * The unprivileged half runs as this user; "nobody" where the package did not make it. Where the
 * whole is not root (the packaged unit) both halves are one user, which needs no right to become
 * another: capabilities, the sandbox and PR_SET_DUMPABLE divide them then (docs/ATTACKSURFACE.md).
 */
#define SANDBOX_USER "outergate"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

int sandbox_user(struct sandbox_user *ret);
/*
 * Groups that may read the journal and /var/log, then uid and gid, no capabilities, no new
 * privileges, death with the parent, Landlock where the kernel has it (the store's and the runtime
 * directory are all that it may write), a seccomp filter. 0 or -errno with one sentence in err.
 */
int sandbox_enter(const struct sandbox_user *u, const struct config *c, char *err, size_t cap);

/*
 * The privileged half, once its programs are loaded: of what it has it keeps what attaching later,
 * reading other users' files and processes, and making and ending the children takes. No new
 * privileges. 0 or -errno with one sentence in err. capng_get_caps_process() was called.
 */
int sandbox_parent(char *err, size_t cap);

/*
 * For as long as it is on, permissions of files do not count: to connect to sockets of root's,
 * where we are not root. 0 or -EPERM.
 */
int sandbox_override(bool on);

/* Closes every descriptor but the first three and these (sorted on return; -1: none). 0 or -errno.
 */
int sandbox_close(int *keep, unsigned count);

#endif
