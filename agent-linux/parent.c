/*
 * parent: fork, answer, watch.
 *
 * The child is the one that reads hostile input; whatever it sends is checked as if it came from
 * the intruder. A malformed message ends the child; a child that keeps dying ends the agent.
 */
#include "parent.h"
#include "forwarders.h"
#include "host.h"
#include "priv_container.h"
#include "priv_exposure.h"
#include "priv_wireguard.h"
#include "newest.h"
#include "priv_files.h"
#include "proc_stat.h"
#include "receivers.h"
#include "reload.h"
#include "resident.h"
#include "root_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* More deaths than this inside a minute: something is wrong that a restart does not mend. */
#define RESPAWN_MAX 5
/* A busy disk takes the last words in its own time; less than the unit's TimeoutStopSec. */
#define STOP_WAIT_MS 10000
/* The last words leave in this time, or wait in the outbox. */
#define FORWARD_STOP_MS 3000

/* Where distributions keep the host's libpam; duplicates are one inode and attach once. */
static const char *const libpam_paths[] = {
	"/lib/x86_64-linux-gnu/libpam.so.0",
	"/usr/lib/x86_64-linux-gnu/libpam.so.0",
	"/lib/aarch64-linux-gnu/libpam.so.0",
	"/usr/lib/aarch64-linux-gnu/libpam.so.0",
	"/lib64/libpam.so.0",
	"/usr/lib64/libpam.so.0",
	"/usr/lib/libpam.so.0",
	"/lib/libpam.so.0",
};
#define LIBPAM_PATHS (sizeof(libpam_paths) / sizeof(libpam_paths[0]))

struct parent {
	struct sensor *sensor;
	struct engine_setup *setup;
	const struct sandbox_user *user;
	int sock, signals;
	pid_t child;
	struct forwarders forwarders;
	struct receivers receivers;
	struct reload *reload;
	unsigned deaths;
	time_t first_death;
};

/* The agent ends, and nobody shall have to guess why. */
static int cannot(const char *what, int err)
{
	fprintf(stderr, "outergate: cannot %s: %s\n", what, strerror(-err));
	return 1;
}

static int answer_open_file(const struct parent *p, const struct priv_msg *m)
{
	const struct config *c = p->setup->config;
	char path[CONFIG_PATH_MAX + NAME_MAX];
	int r;

	if (m->arg2 == 2)
		return m->arg < c->geo_databases_count ? open_regular(c->geo_databases[m->arg])
						       : -EINVAL;
	if (m->arg >= c->files_count || m->arg2 > 1)
		return -EINVAL;
	r = newest_path(c->files[m->arg], m->arg2 == 1, path, sizeof(path));
	return r ? r : open_regular_of_host(path);
}

/* A child that was taken over must not read whatever some process has mapped. */
static bool is_libpam(int fd)
{
	char path[32], name[PATH_MAX];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = '\0';
	base = strrchr(name, '/');
	return base && !strncmp(base + 1, "libpam.so.", 10);
}

/*
 * A candidate path of the host; or the very file that a process has mapped, since map_files leads
 * to the inode whatever root or name it has; or the libpam of a process's own root directory.
 */
static int libpam_file(const struct priv_msg *m)
{
	char path[96];
	int fd;

	if (m->arg2)
		return open_in_root(m->arg, libpam_paths, LIBPAM_PATHS);
	if (!m->map_end)
		return m->arg < LIBPAM_PATHS ? open_regular_of_host(libpam_paths[m->arg]) : -ENXIO;
	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", m->arg,
		 (unsigned long long)m->map_start, (unsigned long long)m->map_end);
	fd = open_regular(path);
	if (fd < 0 || is_libpam(fd))
		return fd;
	close(fd);
	return -EACCES;
}

static int answer_libpam_attach(struct parent *p, const struct priv_msg *m)
{
	int fd = libpam_file(m), r;

	if (fd < 0)
		return fd;
	r = sensor_attach_libpam(p->sensor, fd, m->value);
	close(fd);
	return r;
}

static int answer_receive(struct parent *p, struct priv_msg *m)
{
	int32_t results[RECEIVERS_MAX] = {0};
	int fd = p->setup->config->receivers_count ? receivers_start(&p->receivers, results)
						   : -ENXIO;

	_Static_assert(sizeof(results) <= sizeof(m->name), "they fit");
	memcpy(m->name, results, sizeof(results));
	return fd;
}

/* What wants no reply. 0, or -EPROTO when the message is none of ours. */
static int answer_none(struct parent *p, const struct priv_msg *m)
{
	switch (m->kind) {
	case PRIV_PROVE:
		(void)sensor_prove(p->sensor, m->value[0]);
		return 0;
	case PRIV_LET_GO:
		sensor_let_go(p->sensor, m->value[0]);
		return 0;
	case PRIV_ARM:
		if (m->arg < WIRE_HANDOFF_SYSTEMD || m->arg > WIRE_HANDOFF_SCREEN)
			return -EPROTO;
		(void)sensor_arm(p->sensor, m->arg, m->arg2, m->value[0]);
		return 0;
	case PRIV_READY:
		sd_notify(0, "READY=1");
		return 0;
	case PRIV_ALIVE:
		sd_notify(0, "WATCHDOG=1");
		return 0;
	default:
		return -EPROTO;
	}
}

static int answer_look(struct parent *p, const struct priv_msg *m)
{
	bool outward = m->arg & PRIV_LOOK_OUTWARD;

	if (m->arg & PRIV_LOOK_END) {
		sensor_look_end(p->sensor, m->value[0], outward);
		return 0;
	}
	return outward ? sensor_look_outward(p->sensor, m->value[0])
		       : sensor_first(p->sensor, m->value[0], true);
}

/* Returns 0, or -EPROTO when the message is none of ours. */
static int answer(struct parent *p, struct priv_msg *m)
{
	int fd = -1, r = 0;

	switch (m->kind) {
	case PRIV_OPEN_FILE:
		r = fd = answer_open_file(p, m);
		break;
	case PRIV_SNAPSHOT:
		r = fd = sensor_snapshot(p->sensor, m->arg);
		break;
	case PRIV_LIBPAM_OPEN:
		r = fd = libpam_file(m);
		break;
	case PRIV_LIBPAM_ATTACH:
		r = answer_libpam_attach(p, m);
		break;
	case PRIV_LIBPAM_DETACH:
		r = sensor_detach_libpam(p->sensor, m->value[0], m->value[1]);
		break;
	case PRIV_DIR_WATCH:
		r = priv_files_watch(p->setup->files, m, &fd);
		break;
	case PRIV_FILE_READ:
		r = priv_files_read(m, &fd);
		break;
	case PRIV_PROGRAM:
		r = priv_program(m);
		break;
	case PRIV_CONTAINER:
		r = container_open(m, &fd);
		break;
	case PRIV_SOCKETS:
		r = priv_sockets(m, &fd);
		break;
	case PRIV_SETTINGS:
		r = priv_settings(m, &fd);
		break;
	case PRIV_WIREGUARD:
		r = priv_wireguard(m, &fd);
		break;
	case PRIV_FIRST:
		r = sensor_first(p->sensor, m->value[0], false);
		break;
	case PRIV_LOOK:
		r = answer_look(p, m);
		break;
	case PRIV_FORWARD:
		r = fd = forwarders_start(&p->forwarders, m->arg);
		break;
	case PRIV_RECEIVE:
		r = fd = answer_receive(p, m);
		break;
	case PRIV_HOOKS:
		m->arg2 = sensor_hooks_gone(p->sensor, m->name, sizeof(m->name));
		break;
	default:
		return answer_none(p, m);
	}
	if (r == -EPROTO)
		return r;
	m->result = r < 0 ? r : 0;
	r = priv_send(p->sock, m, fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static int child_main(struct parent *p, int sock)
{
	int keep[3 + KERNEL_RINGS] = {sock, p->setup->files, host_root()};
	char err[160];
	int r = kernel_rings_open(p->setup->slots, p->setup->ring_maps);

	if (r) {
		fprintf(stderr, "outergate: cannot map the rings: %s\n", strerror(-r));
		return 3;
	}
	/* No kernel program, map or hook: the rings are mapped now. */
	for (unsigned i = 0; i < KERNEL_RINGS; i++)
		keep[3 + i] = ring_buffer__epoll_fd(p->setup->slots[i].ring);
	if (sandbox_close(keep, sizeof(keep) / sizeof(keep[0]))) {
		fputs("outergate: cannot close the privileged half's descriptors\n", stderr);
		return 3;
	}
	p->setup->priv = sock;
	p->setup->parent = (uint32_t)getppid();
	p->setup->user = p->user->name;
	if (sandbox_enter(p->user, p->setup->config, err, sizeof(err))) {
		fprintf(stderr, "outergate: %s\n", err);
		return 3;
	}
	return engine_run(p->setup);
}

static int child_start(struct parent *p)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	sensor_look_end(p->sensor, 0, false);
	sensor_look_end(p->sensor, 0, true);
	fflush(NULL);
	p->child = fork();
	if (p->child < 0) {
		int r = -errno;

		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (p->child == 0) {
		close(pair[0]);
		_exit(child_main(p, pair[1]));
	}
	close(pair[1]);
	p->sock = pair[0];
	return 0;
}

/* Who ended us is among the last words. It may be gone already: then its number is all. */
static void end_tell(const struct parent *p, const struct signalfd_siginfo *si)
{
	struct priv_msg m = {.kind = PRIV_END};

	if (!si)
		m.value[0] = 1;
	else if (si->ssi_code == SI_USER || si->ssi_code == SI_QUEUE || si->ssi_code == SI_TKILL) {
		m.arg = si->ssi_pid;
		m.arg2 = si->ssi_uid;
		(void)proc_name(si->ssi_pid, m.name, sizeof(m.name));
	}
	(void)priv_send(p->sock, &m, -1);
	kill(p->child, SIGTERM); /* it may be in the middle of a call that takes the message */
}

/* Ends the child (si NULL: to begin again) and collects it; returns its exit code. */
static int child_stop(struct parent *p, const struct signalfd_siginfo *si)
{
	bool killed = false;
	int status = 0;

	end_tell(p, si);
	for (int waited = 0; waited < STOP_WAIT_MS; waited += 20) {
		pid_t r = waitpid(p->child, &status, WNOHANG);

		if (r == p->child || (r < 0 && errno != EINTR))
			goto out;
		poll(NULL, 0, 20);
	}
	fprintf(stderr,
		"outergate: the unprivileged half did not end within %d s and is killed; what it "
		"had not saved is lost\n",
		STOP_WAIT_MS / 1000);
	kill(p->child, SIGKILL);
	waitpid(p->child, &status, 0);
	killed = true;
out:
	close(p->sock);
	p->sock = -1;
	p->child = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (!killed)
		fprintf(stderr,
			"outergate: the unprivileged half died of signal %d while it ended\n",
			WTERMSIG(status));
	return 1;
}

/* A child that ends by itself: after an orderly failure at start the agent ends with its code. */
static int child_died(struct parent *p, bool *ret_again)
{
	int status = 0;
	time_t now = time(NULL);

	waitpid(p->child, &status, 0);
	close(p->sock);
	p->sock = -1;
	p->child = 0;
	*ret_again = false;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (now - p->first_death > 60) {
		p->first_death = now;
		p->deaths = 0;
	}
	if (++p->deaths > RESPAWN_MAX) {
		fprintf(stderr,
			"outergate: the unprivileged half died %u times in a minute (signal %d); "
			"giving up\n",
			p->deaths, WTERMSIG(status));
		return 1;
	}
	p->setup->died = WTERMSIG(status);
	fprintf(stderr, "outergate: the unprivileged half died of signal %d%s; starting it again\n",
		WTERMSIG(status),
		WTERMSIG(status) == SIGSYS ? " (it made a system call that it never needs)" : "");
	*ret_again = true;
	return 0;
}

/* A signal that arrived; SIGHUP for a change of the file, too. */
static bool signal_take(struct parent *p, const struct pollfd *signals, const struct pollfd *watch,
			struct signalfd_siginfo *ret)
{
	if (signals->revents && read(p->signals, ret, sizeof(*ret)) == sizeof(*ret))
		return true;
	*ret = (struct signalfd_siginfo){.ssi_signo = SIGHUP};
	return watch->revents && reload_is_due(p->reload);
}

static int stop(struct parent *p, const struct signalfd_siginfo *si)
{
	int code;

	sd_notify(0, "STOPPING=1");
	code = child_stop(p, si);
	receivers_stop(&p->receivers);
	forwarders_stop(&p->forwarders, FORWARD_STOP_MS);
	return code;
}

/*
 * The unprivileged half ends in order, which keeps all that it knows, and begins again with the new
 * configuration: whatever that says is in force as after a restart, and the rings and hooks, which
 * are ours, go on meanwhile.
 */
static int reload(struct parent *p)
{
	struct config *new = reload_read(p->reload, p->setup->config);
	char ready[64];
	struct timespec now;
	int code, r;

	if (!new)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(ready, sizeof(ready), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	sd_notify(0, ready);
	code = child_stop(p, NULL);
	receivers_stop(&p->receivers);
	forwarders_stop(&p->forwarders, FORWARD_STOP_MS);
	if (code)
		return code;
	p->setup->config = new;
	p->setup->died = 0;
	reload_settings(p->setup->config_name, p->setup->settings);
	p->setup->json = p->setup->json_asked || new->json;
	forwarders_init(&p->forwarders, new);
	receivers_init(&p->receivers, new);
	r = sensor_watch_ports(p->sensor, new);
	if (r)
		fprintf(stderr, "outergate: reload: ports cannot be watched: %s\n", strerror(-r));
	r = child_start(p);
	return r ? cannot("start its unprivileged half again", r) : 0;
}

#define FIXED_FDS 4 /* child, signals, configuration, receivers */

/* False: the child has ended, or is ended, since it cannot be understood. */
static bool heard(struct parent *p)
{
	struct priv_msg m;
	int fd, r = priv_recv(p->sock, &m, &fd);

	if (fd >= 0)
		close(fd); /* the child has nothing to give us */
	if (r == -EPIPE || r == -ECONNRESET)
		return false; /* it left */
	if (!r && !answer(p, &m))
		return true;
	if (r)
		fprintf(stderr, "outergate: cannot hear the unprivileged half: %s\n", strerror(-r));
	else
		fputs("outergate: malformed request from the unprivileged half\n", stderr);
	kill(p->child, SIGKILL);
	return false;
}

static int parent_loop(struct parent *p)
{
	for (;;) {
		struct pollfd set[FIXED_FDS + FORWARDERS_MAX] = {
			{.fd = p->sock, .events = POLLIN},
			{.fd = p->signals, .events = POLLIN},
			{.fd = p->reload->watch, .events = POLLIN},
			{.fd = p->receivers.process.sock, .events = POLLIN}};
		bool again = false;
		struct signalfd_siginfo si;
		int code;

		forwarders_poll(&p->forwarders, set + FIXED_FDS);
		if (poll(set, FIXED_FDS + FORWARDERS_MAX, -1) < 0) {
			if (errno != EINTR)
				return cannot("wait", -errno);
			continue;
		}
		forwarders_answer(&p->forwarders, set + FIXED_FDS);
		if (set[3].revents)
			receivers_answer(&p->receivers);
		if (signal_take(p, &set[1], &set[2], &si)) {
			p->setup->interrupted = si.ssi_signo == SIGINT;
			if (si.ssi_signo != SIGHUP)
				return stop(p, &si);
			code = reload(p);
			if (code)
				return code;
			continue;
		}
		if (!set[0].revents)
			continue;
		if (heard(p))
			continue;
		code = child_died(p, &again);
		if (!again)
			return code;
		code = child_start(p);
		if (code)
			return cannot("start its unprivileged half again", code);
	}
}

int parent_run(struct sensor *s, struct engine_setup *setup, const struct sandbox_user *user,
	       struct reload *reload)
{
	struct parent p = {.sensor = s, .setup = setup, .user = user, .reload = reload, .sock = -1};
	uint64_t within_us = 0;
	sigset_t set;
	int r;

	if (sd_watchdog_enabled(0, &within_us) > 0)
		setup->watchdog_ns = within_us * 1000;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (!setup->terminal) /* there it is the end of the terminal, and ours */
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	forwarders_init(&p.forwarders, setup->config);
	receivers_init(&p.receivers, setup->config);
	p.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (p.signals < 0)
		return cannot("take signals", -errno);
	setup->files = priv_files_open(setup->files_reason, sizeof(setup->files_reason));
	r = child_start(&p);
	if (r)
		return cannot("start its unprivileged half", r);
	resident_trim();
	return parent_loop(&p);
}
