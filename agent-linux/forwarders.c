/*
 * forwarders: see the header.
 *
 * outergate-forward lies beside our own program, or in libexec. It runs as user outergate-forward
 * (else nobody), which may not read the store: all that it is told comes by its socket, and files
 * (certificates, tokens) by descriptors. Another build's program refuses its setup and ends.
 */
#include "forwarders.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forward/wire.h"
#include "host.h"
#include "net_unit.h"
#include "priv.h"
#include "root_open.h"

#define USER	   "outergate-forward"
#define PROGRAM	   "outergate-forward"
#define KILL_MS	   2000
#define HANG_UP_MS 500
#define PATH_CAP   4096

void forwarders_init(struct forwarders *f, const struct config *c)
{
	f->config = c;
	for (unsigned i = 0; i < FORWARDERS_MAX; i++)
		f->rows[i] = (struct forwarder_process){.sock = -1, .conn = -1};
}

static int program_path(char path[PATH_CAP])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_CAP - 64);
	char *slash;

	if (n <= 0)
		return -ENOENT;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	snprintf(slash + 1, PATH_CAP - (size_t)(slash + 1 - path), PROGRAM);
	if (!access(path, X_OK))
		return 0;
	snprintf(slash, PATH_CAP - (size_t)(slash - path), "/../libexec/outergate/" PROGRAM);
	return access(path, X_OK) ? -errno : 0;
}

static int user_enter(void)
{
	const struct passwd *pw = getpwnam(USER);

	if (!pw)
		pw = getpwnam("nobody");
	if (!pw)
		return -ENOENT;
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		return -EPERM;
	return 0;
}

/* The three descriptors to their places, whatever numbers they had. */
static int descriptors_set(const int *fds, unsigned count)
{
	int high[SENDER_FDS_MAX];

	for (unsigned i = 0; i < count; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 32);
		if (fds[i] >= 0 && high[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < count; i++)
		if (high[i] >= 0 && dup2(high[i], FORWARD_FD_RECORDS + (int)i) < 0)
			return -errno;
	return 0;
}

static void child(const char *path, const int *fds, unsigned count, const char *name,
		  const char *mode)
{
	static char *const environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
	char title[FORWARD_NAME_MAX + 32];
	char option[16];
	char *const argv[] = {title, mode ? option : NULL, NULL};
	sigset_t none;
	/* Opened as root: the other user may not even look into the directory (a trial in /root).
	 */
	int opened = open(path, O_PATH | O_CLOEXEC);
	int program = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, 32);
	int r = program < 0 ? -errno : descriptors_set(fds, count);

	snprintf(title, sizeof(title), PROGRAM " %s", name);
	snprintf(option, sizeof(option), "%s", mode ? mode : "");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the group: the parent decides */
	if (!r)
		r = user_enter();
	if (!r) {
		fexecve(program, argv, environment);
		r = -errno;
	}
	fprintf(stderr, "outergate: cannot start %s: %s\n", path, strerror(-r));
	_exit(1);
}

int sender_start(struct forwarder_process *p, const int *fds, unsigned count, const char *name,
		 bool receive)
{
	char path[PATH_CAP];
	int r;

	if (net_unit_is_ours()) {
		r = net_unit_start(fds, count, receive);
		p->conn = r < 0 ? -1 : r;
		return r < 0 ? r : 0;
	}
	r = program_path(path);
	if (r)
		return r;
	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0)
		child(path, fds, count, name, receive ? "--receive" : NULL);
	if (p->pid > 0)
		return 0;
	r = -errno;
	p->pid = 0;
	return r;
}

void sender_kill(const struct forwarder_process *p, int sig)
{
	if (p->pid)
		kill(p->pid, sig);
	if (p->conn >= 0)
		net_unit_hang_up(p->conn);
}

static int setup_write(const struct forwarders *f, unsigned i, int fd)
{
	struct forward_setup s = {.size = sizeof(s), .version = OUTERGATE_VERSION};
	FILE *id = host_fopen("/etc/machine-id");

	s.to = f->config->forwarders[i];
	if (id && fgets(s.host_id, sizeof(s.host_id), id))
		s.host_id[strcspn(s.host_id, "\n")] = '\0';
	if (id)
		fclose(id);
	host_name(s.host_name, sizeof(s.host_name));
	/* Smaller than a pipe holds: never waits. */
	_Static_assert(sizeof(s) < 65536, "a pipe's buffer");
	return write(fd, &s, sizeof(s)) == (ssize_t)sizeof(s) ? 0 : -EIO;
}

void sender_end(struct forwarder_process *p, int wait_ms)
{
	if (p->sock >= 0)
		close(p->sock);
	p->sock = -1;
	if (p->conn >= 0) {
		if (!net_unit_ended(p->conn, wait_ms)) {
			net_unit_hang_up(p->conn);
			(void)net_unit_ended(p->conn, HANG_UP_MS);
		}
		close(p->conn);
		p->conn = -1;
	}
	for (int waited = 0; p->pid; waited += 20) {
		if (waitpid(p->pid, NULL, WNOHANG) == p->pid) {
			p->pid = 0;
			return;
		}
		if (waited >= wait_ms) {
			kill(p->pid, SIGKILL);
			waitpid(p->pid, NULL, 0);
			p->pid = 0;
			return;
		}
		poll(NULL, 0, 20);
	}
}

int forwarders_start(struct forwarders *f, unsigned i)
{
	int records[2] = {-1, -1}, files[2] = {-1, -1}, setup[2] = {-1, -1};
	struct forwarder_process *p;
	int r = 0;

	if (i >= f->config->forwarders_count)
		return -EINVAL;
	p = &f->rows[i];
	sender_kill(p, SIGKILL); /* nobody is left to take its acknowledgements */
	sender_end(p, KILL_MS);
	if ((socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, records) ||
	     socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, files) ||
	     pipe2(setup, O_CLOEXEC)))
		r = -errno;
	if (!r)
		r = setup_write(f, i, setup[1]);
	if (!r)
		r = sender_start(p, (int[3]){records[1], setup[0], files[1]}, 3,
				 f->config->forwarders[i].name, false);
	if (!r)
		p->sock = files[0];
	for (int k = 0; k < 2; k++) {
		if (setup[k] >= 0)
			close(setup[k]);
		if (files[k] >= 0 && (k == 1 || r))
			close(files[k]);
	}
	if (records[1] >= 0)
		close(records[1]);
	if (r && records[0] >= 0)
		close(records[0]);
	return r ? r : records[0];
}

void forwarders_poll(const struct forwarders *f, struct pollfd *set)
{
	for (unsigned i = 0; i < FORWARDERS_MAX; i++)
		set[i] = (struct pollfd){.fd = f->rows[i].sock, .events = POLLIN};
}

/* A file of that row, regular, as it is now. */
static int open_file(const void *arg, const struct priv_msg *m)
{
	const struct config_forwarder *c = arg;

	if (m->arg >= FORWARD_FILES || !c->files[m->arg][0])
		return -EINVAL;
	return open_regular(c->files[m->arg]);
}

/* Who asks and does not read the answer shall not hold the parent. */
static bool is_writable(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

void sender_answer(struct forwarder_process *p, sender_open open, const void *arg)
{
	struct priv_msg m;
	int fd = -1, got = -1;
	bool asked = !priv_recv(p->sock, &m, &got) && m.kind == PRIV_FORWARD_FILE, told = false;

	if (got >= 0)
		close(got); /* it has nothing to give us */
	if (asked && is_writable(p->sock)) {
		fd = open(arg, &m);
		m.result = fd < 0 ? fd : 0;
		told = !priv_send(p->sock, &m, fd);
	}
	if (fd >= 0)
		close(fd);
	if (told)
		return;
	/* It ended, or says what it must not: the engine sees its socket close and asks again. */
	sender_kill(p, SIGTERM);
	sender_end(p, KILL_MS);
}

void forwarders_answer(struct forwarders *f, const struct pollfd *set)
{
	for (unsigned i = 0; i < FORWARDERS_MAX; i++)
		if (set[i].fd >= 0 && set[i].revents && set[i].fd == f->rows[i].sock)
			sender_answer(&f->rows[i], open_file, &f->config->forwarders[i]);
}

void forwarders_stop(struct forwarders *f, int wait_ms)
{
	struct timespec begun, now;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (unsigned i = 0; i < FORWARDERS_MAX; i++) {
		int left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = wait_ms - (int)((now.tv_sec - begun.tv_sec) * 1000);
		sender_end(&f->rows[i], left > 0 ? left : 0);
	}
}
