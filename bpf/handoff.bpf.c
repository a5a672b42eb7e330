/*
 * What a session has others do: systemd, D-Bus, at, cron, containers, a terminal multiplexer that
 * is older than the session. A process of a session that starts such a tool, or connects to such a
 * daemon's socket, arms a watch for a short time; what that daemon forks meanwhile is followed
 * under an id of its own, and user space decides whose it was (common/core/core_handoffs.c) or
 * lets go of it. While nothing is armed a fork pays for one load.
 *
 * Whether the daemon holds a connection of the session's process is seen by the credentials that
 * the kernel keeps with each accepted socket (SO_PEERCRED). Not seen: what is said on it.
 *
 * Example: systemd-run in a session; PID 1 forks while that process is connected to it.
 */
#define HANDOFF_ID	WIRE_HANDOFF_ID /* no socket cookie gets there */
#define HANDOFF_FDS	256
#define HANDOFF_NS	5000000000ull  /* between what is asked for and what is born */
#define HANDOFF_LONG_NS 60000000000ull /* a container's image, atd's next look */
#define ANY_UID		0xffffffffu    /* of a multiplexer, whose socket says who may */

#define BIT(kind) (1u << WIRE_HANDOFF_##kind)

struct handoff_request {
	__u64 session, until;
	__u32 uid, kinds;
};
/* By process id: what a broker's socket tells of its client. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct handoff_request);
} handoff_requests SEC(".maps");

/* kind << 32 | user of the broker: until when its children are followed. */
struct handoff_armed {
	__u64 until;
	__u32 holders, pad; /* clients that stay: a multiplexer's */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct handoff_armed);
} handoff_armed SEC(".maps");

/* [0]: is anything armed? */
struct handoff_any {
	__u64 until;
	__u32 any, holders;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handoff_any);
} handoff_any SEC(".maps");

/* By id: whose child it is. */
struct handoff_birth {
	__u64 held, broker_start;
	__u32 held_by, others;
	__u32 kind, broker, broker_uid, pad;
	char comm[WIRE_COMM];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct handoff_birth);
} handoff_births SEC(".maps");

struct handoff_look {
	struct handoff_birth b;
	__u64 listener; /* address of the socket that the session's process came by */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handoff_look);
} handoff_scratch SEC(".maps");

/* The first count bytes of a name, as a number to compare with. */
#define BYTES(n) (~0ull >> (64 - 8 * (n)))

static __always_inline bool word_is(__u64 word, const char *text, int n)
{
	__u64 want = 0;

	for (int i = 0; i < n; i++)
		want |= (__u64)(__u8)text[i] << (8 * i);
	return (word & BYTES(n)) == want;
}

static __always_inline bool path_starts(const char *path, const char *with, int n)
{
	for (int i = 0; i < n; i++)
		if (path[i] != with[i])
			return false;
	return true;
}

#define STARTS(path, text) path_starts(path, text, sizeof(text) - 1)

/* Of a daemon, by its name: user space and the user's number decide what it is worth. */
static __always_inline __u32 broker_kind(__u64 a, __u64 b)
{
	if (word_is(a, "systemd", 8))
		return WIRE_HANDOFF_SYSTEMD;
	if (word_is(a, "cron", 5) || word_is(a, "crond", 6))
		return WIRE_HANDOFF_CRON;
	if (word_is(a, "atd", 4))
		return WIRE_HANDOFF_AT;
	if (word_is(a, "tmux: se", 8))
		return WIRE_HANDOFF_TMUX;
	if (word_is(a, "screen", 7))
		return WIRE_HANDOFF_SCREEN;
	if (word_is(a, "containe", 8) || word_is(a, "dockerd", 8) || word_is(a, "podman", 7) ||
	    word_is(a, "conmon", 7) || word_is(a, "crio", 5))
		return WIRE_HANDOFF_CONTAINER;
	if (word_is(a, "dbus-dae", 8) || (word_is(a, "dbus-bro", 8) && word_is(b, "ker", 3)))
		return WIRE_HANDOFF_DBUS;
	return 0;
}

/* Of a tool, what it may reach: a set of kinds. */
static __always_inline __u32 tool_kinds(__u64 a, __u64 b)
{
	if ((word_is(a, "systemd-", 8) && word_is(b, "run", 4)) || word_is(a, "busctl", 7) ||
	    word_is(a, "gdbus", 6) || (word_is(a, "dbus-sen", 8) && word_is(b, "d", 2)) ||
	    word_is(a, "run0", 5))
		return BIT(SYSTEMD) | BIT(DBUS);
	if (word_is(a, "systemct", 8) && word_is(b, "l", 2))
		return BIT(SYSTEMD);
	if (word_is(a, "docker", 7) || word_is(a, "podman", 7) || word_is(a, "nerdctl", 8) ||
	    word_is(a, "crictl", 7) || word_is(a, "ctr", 4))
		return BIT(CONTAINER);
	if (word_is(a, "tmux", 5))
		return BIT(TMUX);
	if (word_is(a, "screen", 7))
		return BIT(SCREEN);
	if (word_is(a, "at", 3))
		return BIT(AT);
	return 0;
}

static __always_inline void comm_words(struct task_struct *task, __u64 *a, __u64 *b)
{
	__u64 w[2] = {};

	BPF_CORE_READ_INTO(&w, task, comm);
	*a = w[0];
	*b = w[1];
}

static __always_inline __u64 armed_key(__u32 kind, __u32 uid)
{
	return (__u64)kind << 32 | uid;
}

static __always_inline void arm_one(__u32 kind, __u32 uid, __u64 until, __u32 holders)
{
	__u64 key = armed_key(kind, uid);
	struct handoff_armed fresh = {.until = until, .holders = holders};
	struct handoff_armed *old = bpf_map_lookup_elem(&handoff_armed, &key);

	if (!old) {
		bpf_map_update_elem(&handoff_armed, &key, &fresh, BPF_ANY);
		return;
	}
	if (old->until < until)
		old->until = until;
	if (holders) /* of 0, clang would make another instruction, which 5.10 does not know */
		__sync_fetch_and_add(&old->holders, holders);
}

static __always_inline bool is_multiplexer(__u32 kind)
{
	return kind == WIRE_HANDOFF_TMUX || kind == WIRE_HANDOFF_SCREEN;
}

/* A session's process reached for one of those kinds. */
static __always_inline void handoff_arm(struct task_struct *leader, struct mark *m, __u32 kinds)
{
	struct handoff_request q = {.session = m->conn.cookie, .kinds = kinds};
	__u32 zero = 0, tgid = BPF_CORE_READ(leader, tgid), holders;
	struct handoff_any *any = bpf_map_lookup_elem(&handoff_any, &zero);
	__u64 now = bpf_ktime_get_boot_ns(), until;

	if (!any)
		return;
	q.uid = BPF_CORE_READ(leader, cred, euid.val);
	q.until = now + HANDOFF_LONG_NS;
	for (__u32 kind = WIRE_HANDOFF_SYSTEMD; kind <= WIRE_HANDOFF_SCREEN; kind++) {
		if (!(kinds >> kind & 1))
			continue;
		until = now + (kind == WIRE_HANDOFF_CONTAINER || kind == WIRE_HANDOFF_AT
				       ? HANDOFF_LONG_NS
				       : HANDOFF_NS);
		if (any->until < until)
			any->until = until;
		if (is_multiplexer(kind)) {
			holders = !(m->flags & MARK_HOLDS);
			arm_one(kind, ANY_UID, until, holders);
			__sync_fetch_and_add(&any->holders, holders);
			m->flags |= MARK_HOLDS;
			q.until = ~0ull;
			continue;
		}
		arm_one(kind, 0, until, 0);
		if (q.uid)
			arm_one(kind, q.uid, until, 0);
	}
	bpf_map_update_elem(&handoff_requests, &tgid, &q, BPF_ANY);
	any->any = 1;
}

/* The client of a multiplexer ends. */
static __always_inline void handoff_let_go(struct task_struct *leader)
{
	__u32 zero = 0, tgid = BPF_CORE_READ(leader, tgid);
	struct handoff_any *any = bpf_map_lookup_elem(&handoff_any, &zero);
	struct handoff_request *q = bpf_map_lookup_elem(&handoff_requests, &tgid);
	struct handoff_armed *armed;
	__u64 key;

	if (any && any->holders)
		__sync_fetch_and_add(&any->holders, -1);
	if (!q)
		return;
	key = armed_key(q->kinds & BIT(TMUX) ? WIRE_HANDOFF_TMUX : WIRE_HANDOFF_SCREEN, ANY_UID);
	armed = bpf_map_lookup_elem(&handoff_armed, &key);
	if (armed && armed->holders)
		__sync_fetch_and_add(&armed->holders, -1);
	q->until = bpf_ktime_get_boot_ns() + HANDOFF_NS;
}

/*
 * What the hook of exec does about hand-offs stands in functions of numbers, so that the verifier
 * looks at each once and not once for every way there.
 *
 * A program of a session has just begun: is it such a tool?
 */
__noinline int handoff_tool(void)
{
	struct task_struct *leader = current_leader();
	struct mark *m = leader ? mark_get(leader) : NULL;
	__u32 kinds;
	__u64 a, b;

	if (!m)
		return 0;
	comm_words(leader, &a, &b);
	kinds = tool_kinds(a, b);
	if (kinds)
		handoff_arm(leader, m, kinds);
	return 0;
}

/* Somebody in no session starts such a tool while a session's is at work: not to be mixed up. */
__noinline int handoff_stranger(void)
{
	__u32 zero = 0, kinds;
	struct handoff_any *any = bpf_map_lookup_elem(&handoff_any, &zero);
	struct task_struct *leader = current_leader();
	struct wire_handoff *r;
	__u64 a, b;

	if (!any || !any->any || !leader)
		return 0;
	comm_words(leader, &a, &b);
	kinds = tool_kinds(a, b) & (BIT(SYSTEMD) | BIT(CONTAINER));
	if (!kinds || any->until < bpf_ktime_get_boot_ns() ||
	    share_take((__u32)bpf_get_current_uid_gid(), KIND_HANDOFF) == SHARED_NONE)
		return 0;
	r = RECORD(false, KIND_HANDOFF, wire_handoff);
	if (!r)
		return 0;
	proc_fill(&r->proc, leader);
	r->flags = WIRE_F_REQUEST;
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
	return 0;
}

/*
 * Where systemd listens for what it is asked. It holds other connections, too: of its units with
 * journald (their file descriptor store), whose other end may be a process that asks for something
 * meanwhile, as a user's manager does.
 */
static __always_inline bool is_managers(const struct unix_address *a)
{
	char path[24] = {};

	bpf_core_read_str(path, sizeof(path), &a->name[0].sun_path);
	return STARTS(path, "/run/systemd/private") || STARTS(path, "/run/user/");
}

/*
 * One descriptor of a broker: is its other end a process that asked? A global function of numbers,
 * so that the verifier looks at it once. pass 0 finds that one; pass 1 counts the other clients of
 * the same listener.
 */
__noinline int handoff_peer(__u64 slot, __u32 pass)
{
	struct handoff_request *q;
	struct handoff_look *l;
	struct file *f = NULL;
	__u32 zero = 0, tgid;
	__u64 addr;
	struct sock *sk;
	struct pid *pid;

	l = bpf_map_lookup_elem(&handoff_scratch, &zero);
	bpf_probe_read_kernel(&f, sizeof(f), (void *)slot);
	if (!l || !f || !is_socket(f))
		return 0;
	sk = file_sock(f);
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	pid = BPF_CORE_READ(sk, sk_peer_pid);
	addr = (__u64)BPF_CORE_READ((struct unix_sock *)sk, addr);
	tgid = pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
	if (!tgid || !addr || tgid == l->b.broker)
		return 0;
	q = bpf_map_lookup_elem(&handoff_requests, &tgid);
	if (q && (!(q->kinds >> (l->b.kind & 31) & 1) || q->until < bpf_ktime_get_boot_ns()))
		q = NULL;
	if (pass == 0 && q && !l->b.held &&
	    (l->b.kind != WIRE_HANDOFF_SYSTEMD || is_managers((struct unix_address *)addr))) {
		l->b.held = q->session;
		l->b.held_by = tgid;
		l->listener = addr;
	} else if (pass == 1 && addr == l->listener &&
		   (!q || (l->b.kind == WIRE_HANDOFF_TMUX && q->session != l->b.held))) {
		l->b.others++; /* what another session asked for is told by its words */
	}
	return 0;
}

/* One pass over a table of descriptors; a function of numbers again, for its many ways out. */
__noinline int handoff_pass(__u64 slots, __u32 max, __u32 pass)
{
	for (__u32 fd = 0; slots && fd < HANDOFF_FDS; fd++) {
		if (fd >= max)
			break;
		handoff_peer(slots + fd * sizeof(struct file *), pass);
	}
	return 0;
}

static __always_inline void handoff_peers(struct task_struct *broker, struct handoff_look *l)
{
	struct fdtable *t = BPF_CORE_READ(broker, files, fdt);
	__u64 slots = (__u64)BPF_CORE_READ(t, fd);
	__u32 max = BPF_CORE_READ(t, max_fds);

	handoff_pass(slots, max, 0);
	if (l->b.held)
		handoff_pass(slots, max, 1);
}

static __always_inline bool is_armed(__u32 kind, __u32 uid, __u64 now)
{
	__u64 key = armed_key(kind, is_multiplexer(kind) ? ANY_UID : uid);
	struct handoff_armed *a = bpf_map_lookup_elem(&handoff_armed, &key);

	return a && (a->holders || now < a->until);
}

/* The broker that a fork of parent's is the work of; a multiplexer's shells work for it, too. */
static __always_inline struct task_struct *broker_of(struct task_struct *parent, __u32 *kind)
{
	struct task_struct *above;
	__u64 a, b;

	comm_words(parent, &a, &b);
	*kind = broker_kind(a, b);
	if (*kind)
		return parent;
	above = BPF_CORE_READ(parent, real_parent, group_leader);
	comm_words(above, &a, &b);
	*kind = broker_kind(a, b);
	return is_multiplexer(*kind) ? above : NULL;
}

/* Follows the child under an id of its own; owner: the connection that its parent serves, or 0. */
static __always_inline bool handoff_follow(struct task_struct *parent, struct task_struct *child,
					   __u64 owner)
{
	struct mark m = {};
	struct proven p = {.closed = 1};
	struct task_struct *broker;
	struct handoff_look *l;
	__u32 zero = 0, kind;
	__u64 id, now;

	broker = broker_of(parent, &kind);
	l = bpf_map_lookup_elem(&handoff_scratch, &zero);
	if (!broker || !l || (owner && kind != WIRE_HANDOFF_TMUX))
		return false;
	now = bpf_ktime_get_boot_ns();
	__builtin_memset(l, 0, sizeof(*l));
	l->b.kind = kind;
	l->b.broker_uid = BPF_CORE_READ(broker, cred, uid.val);
	if (!is_armed(kind, l->b.broker_uid, now))
		return false;
	l->b.broker = BPF_CORE_READ(broker, tgid);
	l->b.broker_start = BPF_CORE_READ(broker, start_boottime);
	BPF_CORE_READ_STR_INTO(&l->b.comm, broker, comm);
	handoff_peers(broker, l);
	if (kind == WIRE_HANDOFF_TMUX && (!l->b.held || l->b.held == owner))
		return false;
	if (owner && l->b.others)
		return false;
	if (share_take(l->b.broker_uid, KIND_HANDOFF) == SHARED_NONE)
		return false;
	id = HANDOFF_ID | now;
	m.conn.cookie = p.conn.cookie = id;
	if (bpf_map_update_elem(&proven, &id, &p, BPF_NOEXIST)) {
		count(WIRE_STAT_map_full_sessions);
		return false;
	}
	bpf_map_update_elem(&handoff_births, &id, &l->b, BPF_ANY);
	if (!mark_set(child, &m)) {
		bpf_map_delete_elem(&proven, &id);
		return false;
	}
	processes_add(id, 1);
	return true;
}

/* Every fork of the host comes by here. */
static __always_inline bool handoff_forked(struct task_struct *parent, struct task_struct *child,
					   __u64 owner)
{
	__u32 zero = 0;
	struct handoff_any *any = bpf_map_lookup_elem(&handoff_any, &zero);

	if (!any || !any->any)
		return false;
	if (!any->holders && any->until < bpf_ktime_get_boot_ns()) {
		any->any = 0;
		return false;
	}
	return handoff_follow(parent, child, owner);
}

/* The name of what is standard input, where that is a file: atd's jobs. */
static __always_inline void stdin_name(struct task_struct *leader, char dst[WIRE_PATH])
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd), *f = NULL;

	if (slots)
		bpf_probe_read_kernel(&f, sizeof(f), slots);
	if (f && (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) == S_IFREG)
		bpf_probe_read_kernel_str(dst, WIRE_PATH,
					  BPF_CORE_READ(f, f_path.dentry, d_name.name));
}

/* Is it still followed? What user space let go of is forgotten here. */
static __always_inline bool handoff_kept(struct task_struct *leader, struct mark *m)
{
	if (is_proven(m->conn.cookie))
		return true;
	mark_drop(leader);
	return false;
}

/* A program of what a broker started; its file's name, an address in the kernel. */
__noinline int handoff_execed(__u64 filename)
{
	struct task_struct *leader = current_leader();
	struct mark *m = leader ? mark_get(leader) : NULL;
	struct handoff_birth *b;
	struct wire_handoff *r;
	__u64 id;

	if (!m)
		return 0;
	id = m->conn.cookie;
	r = RECORD(false, KIND_HANDOFF, wire_handoff);
	if (!r)
		return 0;
	proc_fill(&r->proc, leader);
	r->cookie = id;
	r->flags = (m->flags & 0xffff) | stdio_flags(leader, id);
	b = bpf_map_lookup_elem(&handoff_births, &id);
	if (b) {
		r->held = b->held;
		r->held_by = b->held_by;
		r->others = b->others;
		r->kind = b->kind;
		r->broker = b->broker;
		r->broker_uid = b->broker_uid;
		r->broker_start = b->broker_start;
		__builtin_memcpy(r->comm, b->comm, sizeof(r->comm));
	}
	bpf_probe_read_kernel_str(r->exe, sizeof(r->exe), (const char *)filename);
	bpf_probe_read_kernel_str(r->unit, sizeof(r->unit),
				  BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, name));
	bpf_probe_read_kernel_str(
		r->above, sizeof(r->above),
		BPF_CORE_READ(leader, cgroups, dfl_cgrp, self.parent, cgroup, kn, name));
	stdin_name(leader, r->path);
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
	return 0;
}

/* --- sockets of such daemons, from Linux 6.7 */

void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/* What a local socket leads to; 0: nothing that starts programs for others. */
static __always_inline __u32 socket_kinds(const char *path)
{
	if (STARTS(path, "/run/systemd/private"))
		return BIT(SYSTEMD);
	if (STARTS(path, "/run/dbus/") || STARTS(path, "/run/user/"))
		return BIT(SYSTEMD) | BIT(DBUS);
	if (STARTS(path, "/run/docker") || STARTS(path, "/run/containerd") ||
	    STARTS(path, "/run/podman") || STARTS(path, "/run/crio"))
		return BIT(CONTAINER);
	if (STARTS(path, "/tmp/tmux-"))
		return BIT(TMUX);
	if (STARTS(path, "/run/screen"))
		return BIT(SCREEN);
	return 0;
}

/* Programs that reach for an agent wherever it is. */
static __always_inline bool is_ssh(__u64 a)
{
	return word_is(a, "ssh", 4) || word_is(a, "ssh-add", 8);
}

SEC("cgroup/connect_unix")
int handoff_connects(struct bpf_sock_addr *ctx)
{
	struct task_struct *leader = current_leader();
	struct bpf_sock_addr_kern *kern;
	struct sockaddr_un *addr;
	struct wire_handoff *r;
	char path[WIRE_PATH] = {};
	__u32 kinds;
	struct mark *m;
	__u64 a, b;

	m = leader ? mark_get(leader) : NULL;
	if (!m || m->flags & (MARK_IN_PAM | WIRE_F_HELPER) || !is_proven(m->conn.cookie))
		return 1;
	kern = bpf_cast_to_kern_ctx(ctx);
	addr = (struct sockaddr_un *)BPF_CORE_READ(kern, uaddr);
	bpf_probe_read_kernel_str(path, sizeof(addr->sun_path), addr->sun_path);
	if (STARTS(path, "/var/run/")) /* the same as /run, by a link */
		bpf_probe_read_kernel_str(path, sizeof(addr->sun_path) - 4, addr->sun_path + 4);
	comm_words(leader, &a, &b);
	kinds = socket_kinds(path);
	if (!kinds && !is_ssh(a) && !STARTS(path, "/tmp/ssh-"))
		return 1;
	if (share_take((__u32)bpf_get_current_uid_gid(), KIND_HANDOFF) == SHARED_NONE)
		return 1;
	if (kinds)
		handoff_arm(leader, m, kinds);
	r = RECORD(false, KIND_HANDOFF, wire_handoff);
	if (!r)
		return 1;
	proc_fill(&r->proc, leader);
	r->cookie = m->conn.cookie;
	r->flags = (m->flags & 0xffff) | WIRE_F_REQUEST;
	__builtin_memcpy(r->path, path, sizeof(path));
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
	return 1;
}
