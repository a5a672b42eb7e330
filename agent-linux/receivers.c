/*
 * receivers: see the header. All that is read here is the configuration, which is root's.
 *
 * A pipe is held open for reading and writing, so that it has no end when a writer goes. Sockets
 * and pipes are for their owner and group; a directory with the setgid bit says which group.
 */
#include "receivers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forward/receive.h"
#include "forward/wire.h"
#include "net_unit.h"
#include "priv.h"
#include "root_open.h"

#define BACKLOG 64
#define END_MS	500

void receivers_init(struct receivers *x, const struct config *c)
{
	x->config = c;
	x->process = (struct forwarder_process){.sock = -1, .conn = -1};
	for (unsigned i = 0; i < RECEIVERS_MAX; i++)
		x->bound[i] = -1;
}

/* A socket that an earlier run left behind is no use to anybody. */
static void remove_old(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
}

static int bind_unix(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	mode_t mask;

	if (fd < 0)
		return -errno;
	_Static_assert(RECEIVE_PATH_MAX <= sizeof(at.sun_path), "a socket's name");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	remove_old(path);
	mask = umask(0117);
	err = bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG) ? -errno : 0;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int open_pipe(const char *path)
{
	mode_t mask = umask(0117);
	int r = mkfifo(path, 0660) && errno != EEXIST ? -errno : 0, fd;
	struct stat st;

	umask(mask);
	if (r)
		return r;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return -EEXIST; /* something else has that name */
}

static int place_open(const struct config_receiver *r)
{
	switch (r->kind) {
	case RECEIVE_UNIX:
		return bind_unix(r->path);
	case RECEIVE_PIPE:
		return open_pipe(r->path);
	default:
		return net_bind(r);
	}
}

static int setup_fd(const struct receivers *x, int fds[2])
{
	static struct receive_setup s;

	s = (struct receive_setup){.size = sizeof(s),
				   .version = OUTERGATE_VERSION,
				   .count = x->config->receivers_count};
	memcpy(s.rows, x->config->receivers, sizeof(s.rows));
	for (unsigned i = 0; i < s.count; i++)
		s.bound[i] = x->bound[i] >= 0;
	/* Smaller than a pipe holds: never waits. */
	_Static_assert(sizeof(s) < 65536, "a pipe's buffer");
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	return write(fds[1], &s, sizeof(s)) == (ssize_t)sizeof(s) ? 0 : -EIO;
}

static void close_two(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void places_open(struct receivers *x, int32_t results[RECEIVERS_MAX])
{
	for (unsigned i = 0; i < x->config->receivers_count; i++) {
		const struct config_receiver *r = &x->config->receivers[i];

		results[i] = 0;
		if (x->bound[i] >= 0 || (net_unit_is_ours() && net_is_network(r)))
			continue; /* the process binds it, in the host's network */
		x->bound[i] = place_open(r);
		if (x->bound[i] < 0)
			results[i] = x->bound[i];
	}
}

/* What the process has bound is kept here, so that nothing is lost when another one follows. */
static int places_take(struct receivers *x, int32_t results[RECEIVERS_MAX])
{
	int r = net_unit_bound(x->process.conn, results, x->bound);

	if (r) {
		sender_kill(&x->process, SIGTERM);
		sender_end(&x->process, END_MS);
		return r;
	}
	for (unsigned i = 0; i < x->config->receivers_count; i++)
		if (x->bound[i] >= 0 && x->config->receivers[i].kind == RECEIVE_UDP)
			net_make_room(x->bound[i]);
	return 0;
}

int receivers_start(struct receivers *x, int32_t results[RECEIVERS_MAX])
{
	int lines[2] = {-1, -1}, files[2] = {-1, -1}, setup[2] = {-1, -1};
	int fds[3 + RECEIVERS_MAX], r = 0;

	sender_kill(&x->process, SIGTERM);
	sender_end(&x->process, END_MS);
	places_open(x, results);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, files))
		r = -errno;
	if (!r)
		r = setup_fd(x, setup);
	if (!r) {
		fds[0] = lines[1];
		fds[1] = setup[0];
		fds[2] = files[1];
		memcpy(fds + 3, x->bound, sizeof(x->bound));
		_Static_assert(3 + RECEIVERS_MAX <= SENDER_FDS_MAX, "they are handed over");
		r = sender_start(&x->process, fds, 3 + RECEIVERS_MAX, "receivers", true);
	}
	if (!r && x->process.conn >= 0)
		r = places_take(x, results);
	if (!r) {
		x->process.sock = files[0];
		files[0] = -1;
		r = lines[0];
		lines[0] = -1;
	}
	close_two(setup);
	close_two(files);
	close_two(lines);
	return r;
}

static int open_file(const void *arg, const struct priv_msg *m)
{
	const struct config *c = arg;

	if (m->arg >= FORWARD_FILES || m->arg2 >= c->receivers_count ||
	    !c->receivers[m->arg2].files[m->arg][0])
		return -EINVAL;
	return open_regular(c->receivers[m->arg2].files[m->arg]);
}

void receivers_answer(struct receivers *x)
{
	sender_answer(&x->process, open_file, x->config);
}

void receivers_stop(struct receivers *x)
{
	sender_kill(&x->process, SIGTERM);
	sender_end(&x->process, END_MS);
	for (unsigned i = 0; i < RECEIVERS_MAX; i++) {
		if (x->bound[i] >= 0)
			close(x->bound[i]);
		if (i < x->config->receivers_count && x->bound[i] >= 0 &&
		    x->config->receivers[i].kind == RECEIVE_UNIX)
			remove_old(x->config->receivers[i].path);
		x->bound[i] = -1;
	}
}
