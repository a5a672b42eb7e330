/*
 * sandbox: what the child cannot do any more.
 *
 * The seccomp filter refuses what a parser of hostile text never needs: running programs, other
 * namespaces, tracing, kernel programs, mounts, keys, network sockets. A refused call returns
 * EPERM and so shows up as an error of the operation that made it, never as silence.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const readers[] = {"systemd-journal", "adm"};

static const int refused[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(pidfd_getfd),
};

static int filter_load(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < sizeof(refused) / sizeof(refused[0]); i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
		if (r == -EDOM) /* this architecture has no such call */
			r = 0;
	}
	/* Only local sockets: the journal and the control socket. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	if (!r)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

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
		r = filter_load();
	}
	/* After setuid, which clears it. */
	if (!r && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		r = -errno;
	if (r)
		snprintf(err, cap, "cannot give up privilege (%s): %s", step, strerror(-r));
	return r;
}
