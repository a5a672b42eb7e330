/* sandbox: gives up privilege for good. Called once, in the child, before it touches any input. */
#ifndef OUTERGATE_SANDBOX_H
#define OUTERGATE_SANDBOX_H

#include <sys/types.h>

/* The unprivileged half runs as this user; "nobody" where the package did not make it. */
#define SANDBOX_USER "outergate"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

int sandbox_user(struct sandbox_user *ret);
/*
 * Groups that may read the journal and /var/log, then uid and gid, no capabilities, no new
 * privileges, a seccomp filter, death with the parent. 0 or -errno with one sentence in err.
 */
int sandbox_enter(const struct sandbox_user *u, char *err, size_t cap);

#endif
