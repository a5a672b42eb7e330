/*
 * host: the root directory of the host that is watched. It is our own, unless we run in a container
 * (`run --host-root /proc/1/root`): then accounts, logs, libpam and what somebody can come back by
 * are looked for there, and configuration, store and databases stay where we are.
 *
 * Set once, before the unprivileged half is made: that one inherits the descriptor and needs no
 * right to look at process 1.
 */
#ifndef OUTERGATE_HOST_H
#define OUTERGATE_HOST_H

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* 0 or -errno; "/" is our own. Also takes that host's time zone, unless TZ is set. */
int host_root_set(const char *path);
bool host_is_ours(void);
/* O_PATH descriptor of the root, or -1 when it is our own. */
int host_root(void);
int host_root_stat(struct stat *ret);

/* An absolute path of the host, links resolved inside its root; a descriptor or -errno. */
int host_open(const char *path, int flags);
FILE *host_fopen(const char *path);
ssize_t host_readlink(const char *path, char *buf, size_t cap);

/* The accounts of the host: of its databases when it is ours, else of its files. Valid until the
 * next. */
const struct passwd *host_user(uid_t uid);
const struct passwd *host_user_named(const char *name);
const struct group *host_group(const char *name);

/* What the host is called; a container has a name of its own, so it may be told. */
void host_name_set(const char *name);
void host_name(char *ret, size_t cap);

#endif
