/*
 * masquerade: a process that calls itself what it is not (T1036.004, T1036.005). Its name (comm, or
 * the first word of its command line) is that of a kernel thread or of a daemon that comes with the
 * system, while its program lies outside the vendor's directories, is gone, or is another program.
 *
 * Cannot see: a name that is not in the table; a program of the vendor that was replaced; a system
 * daemon that is itself made to do it.
 *
 * Example: "sshd: root@pts/0", whose program is /dev/shm/.x or /usr/bin/socat.
 */
#include "core_internal.h"
#include "core_masquerade.h"

/* Daemons of the system whose program has their name; scripts' daemons are not here. */
static const char *const daemons[] = {
	"agetty",
	"atd",
	"auditd",
	"avahi-daemon",
	"chronyd",
	"containerd",
	"cron",
	"crond",
	"cupsd",
	"dbus-broker",
	"dbus-daemon",
	"dhclient",
	"dockerd",
	"getty",
	"gssproxy",
	"init",
	"irqbalance",
	"kubelet",
	"login",
	"lvmetad",
	"mdadm",
	"multipathd",
	"NetworkManager",
	"nscd",
	"ntpd",
	"polkitd",
	"rpcbind",
	"rsyslogd",
	"sshd",
	"sshd-auth",
	"sshd-session",
	"sssd",
	"syslog-ng",
	"systemd",
	"systemd-journal",
	"systemd-journald",
	"systemd-logind",
	"systemd-network",
	"systemd-networkd",
	"systemd-resolve",
	"systemd-resolved",
	"systemd-timesyn",
	"systemd-timesyncd",
	"systemd-udevd",
	"udevd",
	"wpa_supplicant",
};

/* Threads of the kernel, which have no program and no sockets of their own. */
static const char *const threads[] = {"kworker/",   "kthreadd",	  "ksoftirqd/",
				      "migration/", "rcu_sched",  "kswapd",
				      "jbd2/",	    "khugepaged", "kdevtmpfs"};

/* One program under several names: whose file may be called otherwise. */
static const char *const shared[] = {"busybox", "systemd", "toybox"};

static const char *const vendor[] = {"/usr/bin/",     "/usr/sbin/", "/usr/lib/",   "/usr/lib64/",
				     "/usr/libexec/", "/bin/",	    "/sbin/",	   "/lib/",
				     "/lib64/",	      "/snap/",	    "/nix/store/", "/gnu/store/"};

/* The first word without its directory; "sshd: root@pts/0" is "sshd", "-bash" is "bash". */
static struct span called(struct span args)
{
	size_t n = 0;

	if (args.len && args.ptr[0] == '-')
		args = span_skip(args, 1);
	while (n < args.len && args.ptr[n] && args.ptr[n] != ' ' && args.ptr[n] != ':')
		n++;
	return span_base(span_first(args, n));
}

static bool is_thread(struct span name)
{
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		if (span_starts(name, span_of(threads[i])))
			return true;
	return false;
}

static const char *daemon_of(struct span name)
{
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (span_is(name, daemons[i]))
			return daemons[i];
	return NULL;
}

static bool is_vendors(struct span path)
{
	static const struct span deleted = SPAN_LIT(" (deleted)");

	/* An upgrade deletes a daemon's file while it runs; a memfd is at no such place. */
	if (path.len > deleted.len && span_starts(span_skip(path, path.len - deleted.len), deleted))
		path.len -= deleted.len;
	for (size_t i = 0; i < sizeof(vendor) / sizeof(vendor[0]); i++)
		if (span_starts(path, span_of(vendor[i])))
			return true;
	return false;
}

/* May a file of that name call itself so? "sshd" and "sshd-session" are one daemon's. */
static bool is_akin(struct span file, struct span name)
{
	size_t stem = 0;

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (span_is(file, shared[i]))
			return true;
	while (stem < name.len && name.ptr[stem] != '-')
		stem++;
	return span_starts(file, span_first(name, stem));
}

struct span masquerades_as(struct span comm, struct span args, struct span path)
{
	struct span names[2] = {comm, called(args)};

	if (span_empty(path))
		return (struct span){0}; /* not known: nothing is said */
	if (args.len && args.ptr[0] == '[')
		names[1] = span_skip(args, 1);
	for (unsigned i = 0; i < 2; i++) {
		if (is_thread(names[i]))
			return names[i];
		if (daemon_of(names[i]) &&
		    (!is_vendors(path) || !is_akin(span_base(path), names[i])))
			return names[i];
	}
	return (struct span){0};
}
