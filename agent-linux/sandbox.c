/*
 * sandbox: what the child cannot do any more.
 *
 * The seccomp filter refuses what a parser of hostile text never needs: running programs, other
 * namespaces, tracing, kernel programs, mounts, keys, network sockets. A refused call returns
 * EPERM and so shows up as an error of the operation that made it, never as silence.
 */
#include "sandbox.h"
#include "sandbox_filter.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const readers[] = {"systemd-journal", "adm"};

int sandbox_user(struct sandbox_user *ret)
{
	const char *names[] = {SANDBOX_USER, "nobody"};

	for (unsigned i = 0; i < 2; i++) {
		const struct passwd *pw = getpwnam(names[i]);

		if (!pw)
			continue;
		*ret = (struct sandbox_user){
			.uid = pw->pw_uid, .gid = pw->pw_gid, .name = names[i]};
		return 0;
	}
	return -ENOENT;
}

static int groups_set(void)
{
	gid_t groups[sizeof(readers) / sizeof(readers[0])];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct group *g = getgrnam(readers[i]);

		if (g)
			groups[n++] = g->gr_gid;
	}
	return setgroups(n, groups) ? -errno : 0;
}

int sandbox_enter(const struct sandbox_user *u, char *err, size_t cap)
{
	const char *step = "groups";
	int r = groups_set();

	if (!r) {
		step = "user";
		if (setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid))
			r = -errno;
	}
	if (!r) {
		step = "no_new_privs";
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			r = -errno;
	}
	if (!r) {
		step = "capabilities";
		capng_clear(CAPNG_SELECT_BOTH);
		if (capng_apply(CAPNG_SELECT_CAPS))
			r = -EPERM;
	}
	if (!r) {
		step = "seccomp";
		r = sandbox_filter(false);
	}
	/* After setuid, which clears it. */
	if (!r && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		r = -errno;
	if (r)
		snprintf(err, cap, "cannot give up privilege (%s): %s", step, strerror(-r));
	return r;
}
