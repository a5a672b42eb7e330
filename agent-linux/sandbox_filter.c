/* sandbox_filter: see the header. */
#include "sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whose a call is. */
enum {
	E = 1,
	F = 2,
	B = E | F
};

static const struct {
	int call, who;
} allowed[] = {
#define CALL(name, who) {SCMP_SYS(name), who},
#include "sandbox_calls.def"
#undef CALL
};

/* No library tries these for a good reason: the process is no longer ours. */
static const int fatal[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
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
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(acct),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(setuid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setreuid),
};

/* -EDOM: this architecture has no such call. */
static int rule(scmp_filter_ctx ctx, uint32_t action, int call)
{
	int r = seccomp_rule_add(ctx, action, call, 0);

	return r == -EDOM ? 0 : r;
}

static int tables(scmp_filter_ctx ctx, int who)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].who & who)
			r = rule(ctx, SCMP_ACT_ALLOW, allowed[i].call);
	for (size_t i = 0; !r && i < sizeof(fatal) / sizeof(fatal[0]); i++)
		r = rule(ctx, SCMP_ACT_KILL_PROCESS, fatal[i]);
	return r;
}

/* Memory that is data stays data: what comes by the network is never run. */
static int no_code(scmp_filter_ctx ctx)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(calls) / sizeof(calls[0]); i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1, data);
		if (r == -EDOM)
			r = 0;
	}
	return r;
}

static int sockets(scmp_filter_ctx ctx, bool network)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	int r = 0;

	for (size_t i = 0; !r && i < (network ? 4 : 1); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (unsigned)families[i]));
	/* "No such family" is an answer that libraries know. */
	if (!r && !network)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	return r;
}

/* A call in some forms only: its argument i is one of these. */
static int only(scmp_filter_ctx ctx, int call, unsigned i, const unsigned *values, size_t count)
{
	int r = 0;

	for (size_t k = 0; !r && k < count; k++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				     (struct scmp_arg_cmp){i, SCMP_CMP_EQ, values[k], 0});
		if (r == -EDOM)
			r = 0;
	}
	return r;
}

/*
 * No signal to another process of our user, as the privileged half may be one: not by tgkill, and
 * not by a descriptor whose events are somebody else's (F_SETOWN, F_SETSIG; FIOSETOWN).
 */
static int ours(scmp_filter_ctx ctx, bool forwarder)
{
	static const unsigned commands[] = {
		F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,	    F_SETFD,	 F_GETFL,     F_SETFL,
		F_GETLK,      F_SETLK,	       F_SETLKW,    F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		F_GETPIPE_SZ, F_SETPIPE_SZ,    F_ADD_SEALS, F_GET_SEALS,
	};
	static const unsigned terminal[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX};
	const unsigned self = (unsigned)getpid();
	const size_t count = sizeof(commands) / sizeof(commands[0]);
	int r = only(ctx, SCMP_SYS(tgkill), 0, &self, 1);

	if (!r)
		r = only(ctx, SCMP_SYS(fcntl), 1, commands, count);
	if (!r)
		r = only(ctx, SCMP_SYS(fcntl64), 1, commands, count);
	if (!r && forwarder) /* whose libraries know more of them, and whose user is no other's */
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
	return r ? r
		 : only(ctx, SCMP_SYS(ioctl), 1, terminal, sizeof(terminal) / sizeof(terminal[0]));
}

/*
 * A thread, never a process. clone3 hides its flags in memory, so it does not exist here (ENOSYS
 * is the rule for all) and the C library takes clone. prlimit64 on another process, prctl and kill
 * are of use to libraries in these forms only.
 */
static int forms(scmp_filter_ctx ctx, bool threads)
{
	int r = ours(ctx, threads);

	if (threads)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
				     SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
	return r;
}

int sandbox_filter(enum sandbox_role role)
{
	bool forwarder = role == SANDBOX_FORWARDER;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r = ctx ? 0 : -ENOMEM;

	if (!r)
		r = tables(ctx, forwarder ? F : E);
	if (!r)
		r = no_code(ctx);
	if (!r)
		r = sockets(ctx, forwarder);
	if (!r)
		r = forms(ctx, forwarder);
	if (!r)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
