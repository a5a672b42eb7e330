/*
 * sensor: the kernel side, loaded and attached.
 *
 * Feature probes, never version checks. What cannot be attached here is a row of `status` with
 * the kernel's own reason; the agent goes on with the rest.
 */
#include "sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/wire.h"
#include "cookies.h"
#include "first.h"
#include "lockdown.h"
#include "pam_files.h"
#include "pins.h"
#include "outergate.skel.h"

#define COUNTERS_BYTES 4096
/* With task storage the hash holds only marks of processes whose first thread has ended. */
#define LENT_MARKS 1024

struct sensor {
	struct outergate_bpf *skel;
	struct pins pins;
	struct sensor_row rows[SENSOR_PARTS];
	struct bpf_link *links[SENSOR_PARTS];
	struct bpf_link *wanted[2]; /* connect hooks; old kernels only */
	bool keeps_uprobes;
	bool blind; /* maps alone: no program could be loaded, and that is no mistake of ours */
	struct bpf_link *iters[SNAPSHOT_COUNT];
	const volatile uint64_t *counters;
	struct pam_files pam;
	bool took_over;
	int cgroup_root;		   /* -1: there is none */
	struct first_hooks first, outward; /* the latter: what programs say first over UDP */
};

static const struct sensor_row row_table[SENSOR_PARTS] = {
	[SENSOR_PEER4] = {"peer4", "cgroup/getpeername4", "whose IPv4 connection a process serves",
			  false, ""},
	[SENSOR_PEER6] = {"peer6", "cgroup/getpeername6", "the same for IPv6 and v4-mapped", false,
			  ""},
	[SENSOR_FORK] = {"fork", "tp_btf/sched_process_fork", "children of a session", false, ""},
	[SENSOR_EXEC] = {"exec", "tp_btf/sched_process_exec", "programs of a session", false, ""},
	[SENSOR_EXIT] = {"exit", "tp_btf/sched_process_exit", "when a session's last process ends",
			 false, ""},
	[SENSOR_TCP] = {"tcp", "tp_btf/inet_sock_set_state",
			"listeners, accepted and outgoing connections, bytes", false, ""},
	[SENSOR_SNAPSHOT] = {"snapshot", "iter/task_file, iter/task",
			     "sessions that were there before", false, ""},
	[SENSOR_PAM] = {"pam", "uprobe on libpam", "authentication verdicts", false,
			"no libpam attached yet"},
	[SENSOR_UNIX] = {"unix", "cgroup/connect_unix",
			 "hand-offs by any program: which daemon's socket a session reaches, "
			 "borrowed ssh agents",
			 false, ""},
	[SENSOR_FIRST] = {"first", "cgroup_skb",
			  "what clients say first: banner, TLS hello, HTTP requests, PROXY headers",
			  false, "no watched listener yet"},
};

/* libbpf says why on its log only: that is the reason we pass on. */
static char last_warning[SENSOR_REASON_MAX];

static int libbpf_log(enum libbpf_print_level level, const char *format, va_list ap)
{
	/* The first says which program or map; those after it only that something failed. */
	if (level != LIBBPF_WARN || last_warning[0])
		return 0;
	vsnprintf(last_warning, sizeof(last_warning), format, ap);
	last_warning[strcspn(last_warning, "\n")] = '\0';
	return 0;
}

static void row_failed(struct sensor_row *row, int err)
{
	row->on = false;
	snprintf(row->reason, sizeof(row->reason), "%s%s%s", strerror(err < 0 ? -err : err),
		 last_warning[0] ? ": " : "", last_warning);
	last_warning[0] = '\0';
}

/* Who we are was asked when the program was loaded: here EPERM is about the flags of others. */
static void cgroup_failed(struct sensor_row *row, int err)
{
	row_failed(row, err);
	if (err == EPERM)
		snprintf(row->reason, sizeof(row->reason), "%s", SENSOR_CGROUP_TAKEN);
}

/* A hook of a former run that is still on, or a fresh one that stays on when we die. */
static struct bpf_link *link_take(struct sensor *s, const char *name, struct bpf_program *prog,
				  int cgroup)
{
	struct bpf_link *link = pins_link(&s->pins, name);

	if (link) {
		s->took_over = true;
		return link;
	}
	link = cgroup >= 0 ? bpf_program__attach_cgroup(prog, cgroup) : bpf_program__attach(prog);
	if (link)
		(void)pins_keep(&s->pins, link, name);
	return link;
}

static void attach_peers(struct sensor *s)
{
	struct bpf_program *progs[] = {s->skel->progs.peer_asked4, s->skel->progs.peer_asked6};
	struct bpf_program *wanted[] = {s->skel->progs.peer_wanted4, s->skel->progs.peer_wanted6};
	struct sensor_row *local = &s->rows[SENSOR_UNIX];
	char root[PATH_MAX];
	int fd = -1, r = sensor_cgroup_root(root, sizeof(root));

	if (!r) {
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct sensor_row *row = &s->rows[SENSOR_PEER4 + i];

		if (r) {
			snprintf(row->reason, sizeof(row->reason), "no cgroup2 root: %s",
				 strerror(-r));
			continue;
		}
		s->links[SENSOR_PEER4 + i] = link_take(s, row->name, progs[i], fd);
		if (!s->skel->rodata->use_sock_helpers)
			s->wanted[i] = link_take(s, i ? "wanted6" : "wanted4", wanted[i], fd);
		row->on = s->links[SENSOR_PEER4 + i] != NULL;
		if (!row->on)
			cgroup_failed(row, errno);
	}
	if (!r && !local->reason[0]) {
		s->links[SENSOR_UNIX] =
			link_take(s, local->name, s->skel->progs.handoff_connects, fd);
		local->on = s->links[SENSOR_UNIX] != NULL;
		if (!local->on)
			cgroup_failed(local, errno);
	}
	s->cgroup_root = fd;
}

int sensor_first(struct sensor *s, uint64_t cgroup, bool look)
{
	if (s->cgroup_root < 0)
		return -ENOENT;
	return first_attach(&s->first, s->cgroup_root, cgroup, s->skel->progs.first_in,
			    s->skel->progs.first_out, look);
}

int sensor_look_outward(struct sensor *s, uint64_t cgroup)
{
	if (s->cgroup_root < 0)
		return -ENOENT;
	return first_attach(&s->outward, s->cgroup_root, cgroup, NULL, s->skel->progs.outward_udp,
			    true);
}

void sensor_look_end(struct sensor *s, uint64_t cgroup, bool outward)
{
	first_look_end(outward ? &s->outward : &s->first, cgroup);
}

static void attach_part(struct sensor *s, enum sensor_part part, struct bpf_program *prog)
{
	s->links[part] = link_take(s, s->rows[part].name, prog, -1);
	s->rows[part].on = s->links[part] != NULL;
	if (!s->links[part])
		row_failed(&s->rows[part], errno);
}

static void attach_snapshot(struct sensor *s)
{
	struct bpf_program *progs[SNAPSHOT_COUNT] = {
		s->skel->progs.snapshot_listeners, s->skel->progs.snapshot_holders,
		s->skel->progs.snapshot_children, s->skel->progs.snapshot_bytes,
		s->skel->progs.snapshot_libpam};

	s->rows[SENSOR_SNAPSHOT].on = true;
	for (unsigned i = 0; i < SNAPSHOT_COUNT; i++) {
		if (!bpf_program__autoload(progs[i]))
			continue;
		s->iters[i] = bpf_program__attach_iter(progs[i], NULL);
		if (!s->iters[i])
			row_failed(&s->rows[SENSOR_SNAPSHOT], errno);
	}
}

static bool is_watched_port(const struct config *config, uint32_t port)
{
	for (unsigned i = 0; i < config->watch_ports_count; i++)
		if (config->watch_ports[i] == port)
			return true;
	return false;
}

/* New ones first: of those that stay none is unwatched for a moment. */
int sensor_watch_ports(struct sensor *s, const struct config *config)
{
	int fd = bpf_map__fd(s->skel->maps.watch_ports);
	uint32_t port, next, one = WIRE_WATCHED;
	int end;

	for (unsigned i = 0; i < config->watch_ports_count; i++) {
		port = config->watch_ports[i];
		if (bpf_map_update_elem(fd, &port, &one, BPF_ANY))
			return -errno;
	}
	/* The map may be pinned, with the ports of a former configuration. */
	end = bpf_map_get_next_key(fd, NULL, &next);
	while (!end) {
		port = next;
		end = bpf_map_get_next_key(fd, &port, &next);
		if (!is_watched_port(config, port) && bpf_map_delete_elem(fd, &port))
			return -errno;
	}
	return 0;
}

#define UNIX_CONNECT (enum bpf_attach_type)49 /* BPF_CGROUP_UNIX_CONNECT of linux/bpf.h, 6.7 */

/* Does this kernel tell of connect() to local sockets? */
static bool has_unix_hook(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = UNIX_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, NULL, "Dual BSD/GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* libbpf of 1.1 does not know the section's name. */
static void unix_hook_set(struct sensor *s)
{
	struct bpf_program *prog = s->skel->progs.handoff_connects;
	struct sensor_row *row = &s->rows[SENSOR_UNIX];
	bool has = has_unix_hook();

	bpf_program__set_type(prog, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
	bpf_program__set_expected_attach_type(prog, UNIX_CONNECT);
	bpf_program__set_autoload(prog, has && !pins_has_link(&s->pins, row->name));
	snprintf(row->reason, sizeof(row->reason), "%s",
		 has ? ""
		     : "this kernel has no such hook (before 6.7): hand-offs are known by the name "
		       "of the tool; borrowed ssh agents are not seen");
}

/* Programs whose hook of a former run is still on are not loaded a second time. */
static void autoload_set(struct sensor *s)
{
	const struct {
		struct bpf_program *prog;
		const char *name;
	} hooks[] = {
		{s->skel->progs.peer_asked4, "peer4"}, {s->skel->progs.peer_asked6, "peer6"},
		{s->skel->progs.process_fork, "fork"}, {s->skel->progs.process_exec, "exec"},
		{s->skel->progs.process_exit, "exit"}, {s->skel->progs.tcp_state, "tcp"},
	};
	bool sock_helpers = s->skel->rodata->use_sock_helpers;

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		bpf_program__set_autoload(hooks[i].prog, !pins_has_link(&s->pins, hooks[i].name));
	/* Iterating over mappings came with 5.13; before, only the host's libpam is found. */
	bpf_program__set_autoload(s->skel->progs.snapshot_libpam,
				  libbpf_find_vmlinux_btf_id("task_vma", BPF_TRACE_ITER) > 0);
	bpf_program__set_autoload(s->skel->progs.peer_wanted4,
				  !sock_helpers && !pins_has_link(&s->pins, "wanted4"));
	bpf_program__set_autoload(s->skel->progs.peer_wanted6,
				  !sock_helpers && !pins_has_link(&s->pins, "wanted6"));
}

/*
 * What a kernel may lack: the same object is tried with less and less, newest kernels first. The
 * last is without programs: rings that stay empty, so that logs are still read.
 */
static const struct variant {
	bool task_storage, sock_helpers, no_programs;
} variants[] = {
	{true, true, false}, {false, true, false}, {false, false, false}, {false, false, true}};
#define VARIANTS (int)(sizeof(variants) / sizeof(variants[0]))

#define LOCKED_DOWN                                                                                \
	"this kernel is locked down (confidentiality): no program may read its memory; logins "    \
	"are known from logs alone"

static void programs_leave_out(struct sensor *s, const char *runtime)
{
	struct bpf_program *p;

	s->blind = true;
	pins_remove(runtime);
	s->pins.dir[0] = '\0';
	bpf_object__for_each_program(p, s->skel->obj) bpf_program__set_autoload(p, false);
	snprintf(s->pins.reason, sizeof(s->pins.reason), "there is no hook to keep");
	for (unsigned i = 0; i < SENSOR_PARTS; i++)
		snprintf(s->rows[i].reason, sizeof(s->rows[i].reason), "%s", LOCKED_DOWN);
	fputs("outergate: " LOCKED_DOWN "\n", stderr);
}

static int sensor_load(struct sensor *s, const char *runtime, int variant)
{
	const struct variant *v = &variants[variant];
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
	int r;

	/* Kernels before 5.11 account maps to RLIMIT_MEMLOCK; newer ones do not care. */
	(void)setrlimit(RLIMIT_MEMLOCK, &infinity);
	s->skel = outergate_bpf__open();
	if (!s->skel)
		return -errno;
	s->skel->rodata->use_task_storage = v->task_storage;
	s->skel->rodata->use_sock_helpers = v->sock_helpers;
	if (!v->task_storage)
		bpf_map__set_autocreate(s->skel->maps.marks_task, false);
	else
		bpf_map__set_max_entries(s->skel->maps.marks_hash, LENT_MARKS);
	if (v->no_programs) {
		programs_leave_out(s, runtime);
	} else {
		pins_open(&s->pins, runtime, s->skel->skeleton->data, s->skel->skeleton->data_sz,
			  variant);
		autoload_set(s);
		unix_hook_set(s);
	}
	last_warning[0] = '\0';
	r = pins_maps(&s->pins, s->skel->obj);
	if (!r)
		r = outergate_bpf__load(s->skel);
	if (r) {
		outergate_bpf__destroy(s->skel);
		s->skel = NULL;
	}
	return r;
}

static int sensor_map_counters(struct sensor *s)
{
	void *p = mmap(NULL, COUNTERS_BYTES, PROT_READ, MAP_SHARED,
		       bpf_map__fd(s->skel->maps.counters), 0);

	if (p == MAP_FAILED)
		return -errno;
	s->counters = p;
	return 0;
}

static void load_failed(int r, char *err)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(err, SENSOR_REASON_MAX,
			 "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing); Outergate "
			 "needs "
			 "a kernel built with CONFIG_DEBUG_INFO_BTF=y");
	else if (r == -EPERM) /* -EACCES is the verifier's word on a program */
		snprintf(err, SENSOR_REASON_MAX,
			 "loading kernel programs is not permitted: CAP_BPF, CAP_PERFMON, "
			 "CAP_NET_ADMIN "
			 "and CAP_SYS_ADMIN are needed (%s)",
			 strerror(-r));
	else
		snprintf(err, SENSOR_REASON_MAX, "cannot load the kernel programs: %s: %.100s",
			 strerror(-r), last_warning);
}

/* A uprobe is a link that can be pinned from 5.15; an older kernel does not know the kind. */
static bool can_keep_uprobes(const struct sensor *s)
{
	int fd = bpf_program__fd(s->skel->progs.pam_end_enter);

	return bpf_link_create(fd, -1, BPF_PERF_EVENT, NULL) == -EBADF;
}

static void attach_all(struct sensor *s)
{
	s->keeps_uprobes = can_keep_uprobes(s);
	if (!s->skel->rodata->use_sock_helpers)
		(void)cookies_make();
	attach_peers(s);
	attach_part(s, SENSOR_FORK, s->skel->progs.process_fork);
	attach_part(s, SENSOR_EXEC, s->skel->progs.process_exec);
	attach_part(s, SENSOR_EXIT, s->skel->progs.process_exit);
	attach_part(s, SENSOR_TCP, s->skel->progs.tcp_state);
	attach_snapshot(s);
	pins_sweep(&s->pins);
}

int sensor_open(const struct config *config, struct sensor **ret, char *err)
{
	struct sensor *s = calloc(1, sizeof(*s));
	int r = -ENOTSUP;

	if (!s)
		return -ENOMEM;
	libbpf_set_print(libbpf_log);
	memcpy(s->rows, row_table, sizeof(s->rows));
	s->cgroup_root = -1;
	for (int v = 0; v < VARIANTS && r && r != -EPERM; v++)
		if (!variants[v].no_programs || lockdown_is_confidential())
			r = sensor_load(s, config->runtime, v);
	if (!r) {
		last_warning[0] = '\0';
		r = sensor_map_counters(s);
	}
	if (!r)
		r = sensor_watch_ports(s, config);
	if (r) {
		load_failed(r, err);
		sensor_close(s);
		return r;
	}
	if (!s->blind)
		attach_all(s);
	*ret = s;
	return 0;
}

bool sensor_took_over(const struct sensor *s)
{
	return s->took_over;
}

/* Of a cgroup's link the kernel forgets the cgroup when it is detached; others cannot be. */
static bool is_detached(const struct bpf_link *link)
{
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_link__fd(link);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       info.type == BPF_LINK_TYPE_CGROUP && !info.cgroup.cgroup_id;
}

uint32_t sensor_hooks_gone(struct sensor *s, char *ret_name, size_t cap)
{
	uint32_t gone = 0;

	ret_name[0] = '\0';
	for (unsigned i = 0; i < SENSOR_PARTS; i++) {
		const char *name = s->rows[i].name;
		bool detached;

		if (!s->links[i] || i == SENSOR_PAM || i == SENSOR_FIRST || i == SENSOR_SNAPSHOT)
			continue;
		detached = is_detached(s->links[i]);
		if (!detached && (!s->pins.dir[0] || pins_has_link(&s->pins, name)))
			continue;
		if (!detached) /* it still watches; let it do so when we are dead, too */
			(void)pins_keep(&s->pins, s->links[i], name);
		if (!gone++)
			snprintf(ret_name, cap, "%s (%s)", name,
				 detached ? "detached" : "no longer kept in bpffs");
	}
	return gone;
}

void sensor_close(struct sensor *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->pam.count; i++)
		pam_file_release(&s->pam.items[i], false);
	for (unsigned i = 0; i < SENSOR_PARTS; i++)
		bpf_link__destroy(s->links[i]);
	first_detach_all(&s->first);
	first_detach_all(&s->outward);
	if (s->cgroup_root >= 0)
		close(s->cgroup_root);
	for (unsigned i = 0; i < 2; i++)
		bpf_link__destroy(s->wanted[i]);
	for (unsigned i = 0; i < SNAPSHOT_COUNT; i++)
		bpf_link__destroy(s->iters[i]);
	if (s->counters)
		munmap((void *)(uintptr_t)s->counters, COUNTERS_BYTES);
	outergate_bpf__destroy(s->skel);
	free(s);
}

const struct sensor_row *sensor_rows(const struct sensor *s)
{
	return s->rows;
}

const char *sensor_kept(const struct sensor *s)
{
	if (!s->pins.dir[0])
		return s->pins.reason;
	return s->keeps_uprobes ? ""
				: "PAM probes end with the agent: this kernel cannot keep them";
}

bool sensor_uses_task_storage(const struct sensor *s)
{
	return s->skel->rodata->use_task_storage;
}

int sensor_ring_precious(const struct sensor *s)
{
	return bpf_map__fd(s->skel->maps.precious);
}

int sensor_ring_bulk(const struct sensor *s)
{
	return bpf_map__fd(s->skel->maps.bulk);
}

int sensor_ring_first(const struct sensor *s)
{
	return bpf_map__fd(s->skel->maps.first);
}

const volatile uint64_t *sensor_counters(const struct sensor *s)
{
	return s->counters;
}

int sensor_snapshot(struct sensor *s, enum priv_snapshot which)
{
	int fd;

	if ((unsigned)which >= SNAPSHOT_COUNT)
		return -EINVAL;
	if (!s->iters[which])
		return -EOPNOTSUPP;
	fd = bpf_iter_create(bpf_link__fd(s->iters[which]));
	return fd < 0 ? -errno : fd;
}

/* Layout of struct noted and struct proven in bpf/session.h, as the skeleton cannot export it. */
struct noted_value {
	struct wire_conn conn;
	uint64_t opened;
	uint32_t flags, processes;
};
struct proven_value {
	struct wire_conn conn;
	uint64_t opened;
	uint32_t processes, closed;
};

int sensor_prove(struct sensor *s, uint64_t cookie)
{
	int noted = bpf_map__fd(s->skel->maps.noted), proven = bpf_map__fd(s->skel->maps.proven);
	struct noted_value n;
	struct proven_value p;

	if (!bpf_map_lookup_elem(proven, &cookie, &p))
		return 0;
	if (bpf_map_lookup_elem(noted, &cookie, &n))
		return -errno;
	p = (struct proven_value){.conn = n.conn, .opened = n.opened, .processes = n.processes};
	if (bpf_map_update_elem(proven, &cookie, &p, BPF_NOEXIST))
		return -errno;
	bpf_map_delete_elem(noted, &cookie);
	return 0;
}

/* bpf/handoff.bpf.c forgets the mark of a process whose id is not proven at its next exec. */
void sensor_let_go(struct sensor *s, uint64_t handoff)
{
	if (handoff & WIRE_HANDOFF_ID)
		bpf_map_delete_elem(bpf_map__fd(s->skel->maps.proven), &handoff);
}

/* Layout of struct handoff_armed and struct handoff_any in bpf/handoff.bpf.c. */
struct armed_value {
	uint64_t until;
	uint32_t holders, pad;
};
struct any_value {
	uint64_t until;
	uint32_t any, holders;
};

int sensor_arm(struct sensor *s, uint32_t kind, uint32_t uid, uint64_t until_ns)
{
	int armed = bpf_map__fd(s->skel->maps.handoff_armed);
	int any = bpf_map__fd(s->skel->maps.handoff_any);
	uint64_t key = (uint64_t)kind << 32 | uid;
	struct armed_value v = {.until = until_ns}, old;
	struct any_value a;
	uint32_t zero = 0;

	if (!bpf_map_lookup_elem(armed, &key, &old)) {
		v.holders = old.holders;
		if (old.until > until_ns)
			v.until = old.until;
	}
	if (bpf_map_update_elem(armed, &key, &v, BPF_ANY) || bpf_map_lookup_elem(any, &zero, &a))
		return -errno;
	a.any = 1;
	if (a.until < until_ns)
		a.until = until_ns;
	return bpf_map_update_elem(any, &zero, &a, BPF_ANY) ? -errno : 0;
}

/* name tells the file, the function and entry or return, so that a former run's is found. */
static int attach_uprobe(struct sensor *s, struct bpf_program *prog, bool ret, const char *path,
			 uint64_t offset, const char *name, struct bpf_link **out)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = ret);

	*out = pins_link(&s->pins, name);
	if (*out)
		return 0;
	*out = bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts);
	if (*out)
		(void)pins_keep(&s->pins, *out, name);
	return *out ? 0 : -errno;
}

int sensor_attach_libpam(struct sensor *s, int fd, const uint64_t offsets[LIBPAM_SYMBOLS])
{
	struct bpf_program *progs[LIBPAM_SYMBOLS][2] = {
		{s->skel->progs.pam_authenticate_enter, s->skel->progs.pam_authenticate_leave},
		{s->skel->progs.pam_acct_mgmt_enter, s->skel->progs.pam_acct_mgmt_leave},
		{s->skel->progs.pam_open_session_enter, s->skel->progs.pam_open_session_leave},
		{s->skel->progs.pam_close_session_enter, s->skel->progs.pam_close_session_leave},
		{s->skel->progs.pam_end_enter, NULL},
	};
	struct pam_file *lib = &s->pam.items[s->pam.count];
	char path[64], name[96];
	struct stat st;
	unsigned n = 0;
	int r = 0;

	if (s->blind)
		return -EOPNOTSUPP;
	if (s->pam.count == PAM_FILES_MAX)
		return -ENOSPC;
	if (fstat(fd, &st))
		return -errno;
	if (pam_files_find(&s->pam, st.st_dev, st.st_ino))
		return 0;
	for (unsigned i = 0; i < LIBPAM_SYMBOLS; i++)
		if (!offsets[i] || offsets[i] >= (uint64_t)st.st_size)
			return -ERANGE;
	memset(lib, 0, sizeof(*lib));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* The return first: a call whose entry alone is seen would never end, and all that its
	 * process starts would pass for PAM's own helpers. */
	for (unsigned i = 0; i < LIBPAM_SYMBOLS && !r; i++) {
		for (int k = 1; k >= 0 && !r; k--) {
			if (!progs[i][k])
				continue;
			snprintf(name, sizeof(name), "pam_%llx_%llx_%u_%d",
				 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, i,
				 k);
			r = attach_uprobe(s, progs[i][k], k == 1, path, offsets[i], name,
					  &lib->links[n++]);
		}
	}
	if (r) {
		row_failed(&s->rows[SENSOR_PAM], r);
		pam_file_release(lib, true);
		return r;
	}
	lib->dev = st.st_dev;
	lib->ino = st.st_ino;
	s->pam.count++;
	s->rows[SENSOR_PAM].on = true;
	s->rows[SENSOR_PAM].reason[0] = '\0';
	return 0;
}

int sensor_detach_libpam(struct sensor *s, uint64_t dev, uint64_t ino)
{
	return pam_files_remove(&s->pam, dev, ino);
}
