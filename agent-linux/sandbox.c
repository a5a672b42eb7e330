/* sandbox: what the child cannot do any more. */
#include "sandbox.h"
#include "host.h"
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
#include <sys/syscall.h>
#include <unistd.h>

static const char *const readers[] = {"systemd-journal", "adm"};

static char own[64];

int sandbox_user(struct sandbox_user *ret)
{
	const char *names[] = {SANDBOX_USER, "nobody"};

	if (geteuid()) { /* no right to be another */
		const struct passwd *pw = getpwuid(geteuid());

		snprintf(own, sizeof(own), "%s", pw ? pw->pw_name : "?");
		*ret = (struct sandbox_user){.uid = geteuid(), .gid = getegid(), .name = own};
		return 0;
	}

	for (unsigned i = 0; i < 2; i++) {
		const struct passwd *pw;

		errno = 0;
		pw = getpwnam(names[i]);
		/* Nobody shall get what is the user's because a look-up failed. */
		if (!pw && (errno == EIO || errno == ENOMEM || errno == EMFILE || errno == ENFILE ||
			    errno == EACCES || errno == EINTR))
			return -errno;
		if (!pw)
			continue;
		*ret = (struct sandbox_user){
			.uid = pw->pw_uid, .gid = pw->pw_gid, .name = names[i]};
		return 0;
	}
	return -ENOENT;
}

/* Who starts one that is not root gives it these (SupplementaryGroups=). */
static int groups_set(void)
{
	gid_t groups[sizeof(readers) / sizeof(readers[0])];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct group *g = host_group(readers[i]); /* whose logs they are */

		if (g)
			groups[n++] = g->gr_gid;
	}
	return setgroups(n, groups) ? -errno : 0;
}

/* Where the C library, the journal's and /proc are read; a directory that is not there is no
 * matter. */
static const char *const readable[] = {
	"/etc",	     "/usr",	     "/lib",
	"/lib64",    "/proc",	     "/run",
	"/var/log",  "/var/run",     "/var/lib/sss",
	"/dev/null", "/dev/urandom", "/var/lib/dpkg/info", /* whose package a program is */
};

/* The same of a host whose container we are in: accounts, journal, logs. */
static const char *const readable_of_host[] = {"/etc", "/run/log", "/var/log",
					       "/var/lib/dpkg/info"};
#define READABLE (sizeof(readable) / sizeof(readable[0]))
#define OF_HOST	 (sizeof(readable_of_host) / sizeof(readable_of_host[0]))

static int files_only(const struct config *c)
{
	const char *read[READABLE + OF_HOST];
	char store[CONFIG_PATH_MAX], host[OF_HOST][48];
	size_t reads = READABLE;
	const char *writable[] = {store, c->runtime, "/dev/null"};
	char *slash;

	snprintf(store, sizeof(store), "%s", c->store);
	slash = strrchr(store, '/');
	if (slash && slash != store)
		*slash = '\0';
	memcpy(read, readable, sizeof(readable));
	for (size_t i = 0; i < OF_HOST && !host_is_ours(); i++) {
		snprintf(host[i], sizeof(host[i]), "/proc/self/fd/%d%s", host_root(),
			 readable_of_host[i]);
		read[reads++] = host[i];
	}
	return sandbox_files(read, reads, writable, sizeof(writable) / sizeof(writable[0]));
}

int sandbox_enter(const struct sandbox_user *u, const struct config *c, char *err, size_t cap)
{
	const char *step = "groups";
	int r = geteuid() ? 0 : groups_set();

	if (!r && u->uid != geteuid()) {
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
	/* After setuid, which clears it. */
	if (!r && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		r = -errno;
	if (!r) {
		step = "landlock";
		r = files_only(c);
		if (r > 0) /* a kernel without it */
			r = 0;
	}
	if (!r) {
		step = "seccomp";
		r = sandbox_filter(SANDBOX_ENGINE);
	}
	if (r)
		snprintf(err, cap, "cannot give up privilege (%s): %s", step, strerror(-r));
	return r;
}

/*
 * deploy/systemd/outergate.service says what each is for. The last three are those of one that is
 * root; of the others the last is only permitted, for sandbox_override().
 */
static const unsigned kept[] = {
	CAP_BPF,    CAP_PERFMON, CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
	CAP_SETUID, CAP_SETGID,	 CAP_KILL,
};
#define KEPT	   (sizeof(kept) / sizeof(kept[0]))
#define KEPT_ROOTS 3

int sandbox_parent(char *err, size_t cap)
{
	bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	bool override = geteuid() && capng_have_capability(CAPNG_EFFECTIVE, CAP_DAC_OVERRIDE);
	size_t count = geteuid() ? KEPT - KEPT_ROOTS : KEPT;
	bool have[KEPT];
	int r = 0;

	for (size_t i = 0; i < count; i++)
		have[i] = capng_have_capability(CAPNG_EFFECTIVE, kept[i]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < count; i++)
		if (have[i])
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				     kept[i]);
	if (override)
		capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_DAC_OVERRIDE);
	/* Without CAP_SETPCAP the bounding set is whoever's who started us. */
	if (capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS))
		r = -EPERM;
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		r = -errno;
	/* The other half's user is ours: it shall see nothing of us in /proc either. */
	if (!r && geteuid() && prctl(PR_SET_DUMPABLE, 0))
		r = -errno;
	if (r)
		snprintf(err, cap, "cannot give up capabilities: %s", strerror(-r));
	return r;
}

int sandbox_override(bool on)
{
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE))
		return 0; /* root, or one who may only try */
	capng_update(on ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, CAP_DAC_OVERRIDE);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Linux 5.9; older ones than 5.10 are not supported. */
static int close_between(unsigned first, unsigned last)
{
	return first <= last && syscall(__NR_close_range, first, last, 0) ? -errno : 0;
}

int sandbox_close(int *keep, unsigned count)
{
	unsigned next = STDERR_FILENO + 1;
	int r = 0;

	for (unsigned i = 1; i < count; i++) /* a handful: sorted by insertion */
		for (unsigned k = i; k && keep[k] < keep[k - 1]; k--) {
			int higher = keep[k - 1];

			keep[k - 1] = keep[k];
			keep[k] = higher;
		}
	for (unsigned i = 0; i < count && !r; i++) {
		if (keep[i] < (int)next)
			continue;
		if ((unsigned)keep[i] > next)
			r = close_between(next, (unsigned)keep[i] - 1);
		next = (unsigned)keep[i] + 1;
	}
	return r ? r : close_between(next, ~0u);
}
