/*
 * sandbox_filter: the system calls and files of the unprivileged processes.
 *
 * What is not needed does not exist: a call outside sandbox_calls.def gives ENOSYS, so that a
 * library which tries a newer one takes the older, as on an older kernel. What only an intruder in
 * the process would try (another program, tracing, kernel programs, mounts, modules, keys, the
 * clock) ends it by SIGSYS, which its parent says aloud.
 */
#ifndef OUTERGATE_SANDBOX_FILTER_H
#define OUTERGATE_SANDBOX_FILTER_H

#include <stddef.h>

enum sandbox_role {
	SANDBOX_ENGINE,	   /* local sockets only, one thread */
	SANDBOX_FORWARDER, /* sockets of any internet family, threads, no file to write */
};

/* The seccomp filter, from now on, for good. Asks for no_new_privs first. 0 or -errno. */
int sandbox_filter(enum sandbox_role role);

/*
 * Landlock (Linux 5.13; Documentation/userspace-api/landlock.rst): below these paths alone may the
 * process read, and below those of write make, change and remove files; nothing may be run. Paths
 * that do not exist are passed over. Asks for no_new_privs first. 0; 1 where the kernel has it not
 * (or it is off); -errno.
 */
int sandbox_files(const char *const *read, size_t reads, const char *const *write, size_t writes);

#endif
