/*
 * exposure_scan: sockets that listen (/proc/PID/net of one process in each network namespace), the
 * process that holds each (from the privileged half), what that is and what it was told.
 *
 * Cannot see: a socket that no process holds but WireGuard's own; what a firewall lets through;
 * command lines of others where /proc is mounted with hidepid.
 */
#include "exposure_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/exposure/sockets.h"
#include "common/exposure/sshd_config.h"
#include "containers.h"
#include "host.h"
#include "priv_exposure.h"
#include "proc_stat.h"

#define NETS_MAX     128
#define ARGS_MAX     8192
#define SETTINGS_MAX (256u * 1024)
#define PARTS_MAX    64
#define LINES_MAX    262144 /* of one table: connections are among them */
#define WIREGUARD    51820
#define PATIENCE_NS  2000000000ull /* with settings and names of all of them */

/* One network namespace, by a process in it. */
struct net {
	uint32_t netns, pid;
	bool external; /* an address of it counts as external */
};

struct scan {
	struct exposure_scan *s;
	struct exposure *rows;
	unsigned used;
	struct priv_socket *sockets; /* by their inode */
	size_t sockets_count;
	uint32_t host_netns;
	uint64_t until_ns;
	struct {
		uint32_t pid;
		uint64_t start_ns;
		char name[sizeof(((struct exposure *)0)->name)];
		char path[sizeof(((struct exposure *)0)->path)];
	} last; /* one process may hold thousands */
	struct net nets[NETS_MAX];
	unsigned nets_count;
};

/* Settings of one process. */
struct reader {
	int priv;
	uint64_t until_ns; /* of CLOCK_MONOTONIC: who does not answer must not keep us */
	uint32_t pid;
	bool listed;
	unsigned parts_count;
	char parts[PARTS_MAX][EXPOSURE_PATH];
};

static int read_whole(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n = 1;

	*ret = malloc(max + 1);
	while (*ret && len < max && n > 0) {
		n = read(fd, *ret + len, max - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	*ret_len = len;
	if (!*ret)
		return -ENOMEM;
	return n < 0 ? -EIO : n > 0 ? -EFBIG : 0;
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int settings_open(const struct reader *r, enum settings_file which, const char *name)
{
	struct priv_msg m = {.kind = PRIV_SETTINGS, .arg = r->pid, .arg2 = (uint32_t)which};
	int fd = -1, err;

	if (strlen(name) >= sizeof(m.name))
		return -ENAMETOOLONG;
	if (clock_ns() > r->until_ns)
		return -ETIMEDOUT;
	memcpy(m.name, name, strlen(name) + 1);
	err = priv_call(r->priv, &m, &fd);
	return err ? err : fd;
}

static int settings_read(void *arg, enum settings_file which, const char *name, char **ret,
			 size_t *ret_len)
{
	int fd = settings_open(arg, which, name), r;

	*ret = NULL;
	if (fd < 0)
		return fd;
	r = read_whole(fd, SETTINGS_MAX, ret, ret_len);
	if (r) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void parts_list(struct reader *r)
{
	int fd = settings_open(r, SETTINGS_SSHD_PART, "");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	r->listed = true;
	if (fd >= 0 && !dir)
		close(fd);
	while (dir && r->parts_count < PARTS_MAX && (d = readdir(dir))) {
		size_t len = strlen(d->d_name);

		if (len > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + len - 5, ".conf"))
			memcpy(r->parts[r->parts_count++], d->d_name, len + 1);
	}
	if (dir)
		closedir(dir);
	qsort(r->parts, r->parts_count, sizeof(r->parts[0]), by_name);
}

static bool settings_part(void *arg, unsigned i, char name[EXPOSURE_PATH])
{
	struct reader *r = arg;

	if (!r->listed)
		parts_list(r);
	if (i >= r->parts_count)
		return false;
	memcpy(name, r->parts[i], EXPOSURE_PATH);
	return true;
}

static int sockets_get(struct scan *s)
{
	struct priv_msg m = {.kind = PRIV_SOCKETS};
	char *text = NULL;
	size_t len = 0;
	int fd = -1, r = priv_call(s->s->priv, &m, &fd);

	if (!r)
		r = read_whole(fd, PRIV_SOCKETS_MAX * sizeof(struct priv_socket) + 1, &text, &len);
	if (r) {
		free(text);
		return r;
	}
	s->sockets = (struct priv_socket *)(void *)text;
	s->sockets_count = len / sizeof(struct priv_socket);
	return s->sockets_count > 1 ? 0 : -ESRCH;
}

static void nets_get(struct scan *s)
{
	for (size_t i = 0; i < s->sockets_count && s->nets_count < NETS_MAX; i++) {
		unsigned k = 0;

		while (k < s->nets_count && s->nets[k].netns != s->sockets[i].netns)
			k++;
		if (k == s->nets_count && s->sockets[i].netns)
			s->nets[s->nets_count++] = (struct net){.netns = s->sockets[i].netns,
								.pid = s->sockets[i].pid};
	}
}

static FILE *table_open(uint32_t pid, const char *table)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%u/net/%s", pid, table);
	return fopen(path, "re");
}

static bool counts(const struct scan *s, const struct addr *a)
{
	return scope_counts_as_external(scope_of(a, s->s->rules), s->s->rules);
}

static void net_addresses(const struct scan *s, struct net *n)
{
	struct fib_reader fib = {{0}};
	char line[256];
	struct addr at;
	FILE *f = table_open(n->pid, "fib_trie");

	while (f && !n->external && fgets(line, sizeof(line), f))
		n->external = fib_line(&fib, span_of(line), &at) && counts(s, &at);
	if (f)
		(void)fclose(f);
	f = table_open(n->pid, "if_inet6");
	while (f && !n->external && fgets(line, sizeof(line), f))
		n->external = inet6_line(span_of(line), &at) && counts(s, &at);
	if (f)
		(void)fclose(f);
}

static int by_inode(const void *a, const void *b)
{
	const struct priv_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/*
 * Its first holder that is not the one who starts all others; 0: none. Rather one in that namespace
 * than one that moved to another after it had bound.
 */
static uint32_t holder_of(const struct scan *s, const struct net *n, uint64_t inode)
{
	size_t low = 0, high = s->sockets_count;
	uint32_t best = 0, elsewhere = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->sockets[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i < s->sockets_count && s->sockets[i].inode == inode; i++) {
		uint32_t pid = s->sockets[i].pid;
		uint32_t *to = s->sockets[i].netns == n->netns ? &best : &elsewhere;

		if (!*to || *to == 1 || (pid != 1 && pid < *to))
			*to = pid;
	}
	return best ? best : elsewhere;
}

static struct span args_of(uint32_t pid, char buf[ARGS_MAX])
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return (struct span){0};
	n = read(fd, buf, ARGS_MAX);
	close(fd);
	return (struct span){buf, n > 0 ? (size_t)n : 0};
}

static void container_name(const struct scan *s, struct exposure *x)
{
	struct event ev = {.kind = EVENT_CONTAINER, .proc.pid = x->pid, .api.action = API_START};
	struct container_texts *t = calloc(1, sizeof(*t));
	struct span id;

	if (!t)
		return;
	id = container_of_process(x->pid, t->id);
	if (!span_empty(id)) {
		containers_ask(s->s->priv, &ev, 0, t);
		if (!span_empty(ev.api.pod_name))
			id = ev.api.pod_name;
		else if (!span_empty(ev.api.name))
			id = ev.api.name;
		else
			id = span_first(id, 12);
		(void)span_copy(x->container, sizeof(x->container), id);
		(void)span_copy(x->image, sizeof(x->image), ev.api.image);
		containers_done(t);
	}
	free(t);
}

static bool is_sshd(const struct exposure *x)
{
	return span_starts(span_base(span_of(x->path)), SPAN_LIT("sshd"));
}

static void process_look(struct scan *s, uint32_t pid)
{
	struct priv_msg m = {.kind = PRIV_PROGRAM, .arg = pid};

	memset(&s->last, 0, sizeof(s->last));
	s->last.pid = pid;
	(void)proc_name(pid, s->last.name, sizeof(s->last.name));
	s->last.start_ns = proc_stat(pid, 22);
	if (priv_call(s->s->priv, &m, NULL))
		return;
	m.name[sizeof(m.name) - 1] = '\0';
	(void)span_copy(s->last.path, sizeof(s->last.path), span_of(m.name));
}

/* Who holds it, and which service that makes it; false: no remote service. */
static bool describe(struct scan *s, struct exposure *x, char buf[ARGS_MAX], struct span *ret_args)
{
	if (x->pid) {
		if (x->pid != s->last.pid)
			process_look(s, x->pid);
		memcpy(x->name, s->last.name, sizeof(x->name));
		memcpy(x->path, s->last.path, sizeof(x->path));
		x->start_ns = s->last.start_ns;
	}
	x->service = exposure_service(span_of(x->path), span_of(x->name), x->at.port, x->udp);
	if (x->service == SERVICE_NONE)
		return false;
	*ret_args = x->pid ? args_of(x->pid, buf) : (struct span){0};
	/* sshd's process of a session listens for ssh -R: what is behind it is not known. */
	if (is_sshd(x) && sshd_title_account(*ret_args, x->account))
		x->service = SERVICE_OTHER;
	return true;
}

static void take(struct scan *s, const struct net *n, const struct bound_socket *b, bool udp)
{
	static const uint8_t zero[16];
	bool is_any = !memcmp(b->at.addr.bytes, zero, sizeof(zero)), v6;
	struct reader r = {.priv = s->s->priv, .until_ns = s->until_ns};
	struct exposure_reader reader = {&r, settings_read, settings_part};
	char buf[ARGS_MAX];
	struct span args;
	struct exposure *x;

	if (s->used == EXPOSURE_MAX) {
		s->s->left_out++;
		return;
	}
	v6 = b->at.addr.family == ADDR_V6;
	x = &s->rows[s->used];
	*x = (struct exposure){.udp = udp,
			       .at = b->at,
			       .any_v4 = is_any && !v6,
			       .any_v6 = is_any && v6,
			       .netns = n->netns,
			       .host_net = n->netns == s->host_netns,
			       .pid = b->inode ? holder_of(s, n, b->inode) : 0};
	if (!x->pid) /* the kernel's: of a name it has none */
		snprintf(x->name, sizeof(x->name), "kernel");
	if (!x->pid && (!udp || b->at.port != WIREGUARD))
		return;
	if (!describe(s, x, buf, &args))
		return;
	r.pid = x->pid;
	if (x->pid && clock_ns() < s->until_ns)
		container_name(s, x);
	if (s->s->session)
		s->s->session(s->s->arg, x);
	if (!x->container[0])
		package_of(s->s->packages, x->path, x->package, sizeof(x->package));
	x->reach = exposure_reach(x, n->external, s->s->rules);
	exposure_judge(x, args, &reader);
	s->used++;
}

static void table_read(struct scan *s, const struct net *n, const char *table, bool udp)
{
	FILE *f = table_open(n->pid, table);
	struct bound_socket b;
	char line[512];

	for (unsigned i = 0; f && i < LINES_MAX && fgets(line, sizeof(line), f); i++)
		if (socket_line(span_of(line), udp, &b) && b.listens)
			take(s, n, &b, udp);
	if (f)
		(void)fclose(f);
}

int exposure_scan(struct exposure_scan *given, struct exposure *rows)
{
	struct scan *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->s = given;
	s->rows = rows;
	s->until_ns = clock_ns() + PATIENCE_NS;
	given->left_out = 0;
	r = sockets_get(s);
	if (!r) {
		s->host_netns = s->sockets[host_is_ours()].netns;
		nets_get(s);
		qsort(s->sockets, s->sockets_count, sizeof(s->sockets[0]), by_inode);
	}
	for (unsigned i = 0; !r && i < s->nets_count; i++) {
		net_addresses(s, &s->nets[i]);
		table_read(s, &s->nets[i], "tcp", false);
		table_read(s, &s->nets[i], "tcp6", false);
		table_read(s, &s->nets[i], "udp", true);
		table_read(s, &s->nets[i], "udp6", true);
	}
	if (!r)
		r = (int)exposure_merge(rows, s->used);
	free(s->sockets);
	free(s);
	return r;
}
