/*
 * A shell for somebody who did not come in: an agent on this host went out to them (a reverse
 * shell, a support or management agent, a tunnel's console). Told is a shell in no session whose
 * stdin and stdout are a connection that this host opened, or whose terminal is held by a process
 * which, or the one or two above which, has connections that it opened and none that it accepted.
 *
 * From then on the shell's tree is followed like that of a session, under that connection. Only
 * shells pay for the look. Not seen: a shell behind pipes; an agent that speaks UDP; one whose
 * terminal and whose connection are held by processes that are not related.
 */
struct agent_look {
	struct wire_conn conn; /* the one that counts */
	__u32 opened, accepted;
	/* Not on the stack, of which 5.10 has 512 bytes for all calls together. */
	struct wire_conn each;
	struct noted noted;
	struct mark mark;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct agent_look);
} agent_scratch SEC(".maps");

/* Of RFC 1918, 3927, 6598, 4193, 4291; user space judges the scope, this only prefers. */
static __always_inline bool looks_private(const struct wire_conn *c)
{
	__u32 a;

	__builtin_memcpy(&a, c->raddr, 4);
	a = bpf_ntohl(a);
	if (c->family == AF_INET6)
		return (a >> 25) == (0xfc000000 >> 25) || (a >> 22) == (0xfe800000 >> 22);
	return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe ||
	       (a >> 22) == (0x64400000 >> 22);
}

/* One descriptor; a function of numbers, looked at once by the verifier. */
__noinline int agent_held(__u64 slot)
{
	__u32 zero = 0;
	struct agent_look *l = bpf_map_lookup_elem(&agent_scratch, &zero);
	struct sock *sk = slot_conn(slot);
	struct wire_conn *c;

	if (!l || !sk)
		return 0;
	c = &l->each;
	__builtin_memset(c, 0, sizeof(*c));
	conn_fill(c, sk, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
	if (bytes_are_loopback(c))
		return 0;
	if (has_listener(c)) {
		l->accepted++;
		return 0;
	}
	if (c->cookie && (!l->opened || (looks_private(&l->conn) && !looks_private(c)))) {
		l->conn = *c;
		l->opened++;
	}
	return 0;
}

__noinline int agent_all_held(__u64 slots, __u32 max)
{
	for (__u32 fd = 0; slots && fd < LOOPBACK_FDS; fd++) {
		if (fd >= max)
			break;
		agent_held(slots + fd * sizeof(struct file *));
	}
	return 0;
}

static __always_inline struct agent_look *agent_look_fresh(void)
{
	__u32 zero = 0;
	struct agent_look *l = bpf_map_lookup_elem(&agent_scratch, &zero);

	if (l)
		l->opened = l->accepted = 0;
	return l;
}

static __always_inline __u64 slots_of(struct task_struct *task, __u32 *max)
{
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);

	*max = BPF_CORE_READ(t, max_fds);
	return (__u64)BPF_CORE_READ(t, fd);
}

/* Who holds the connection: the shell itself, or a process above it that holds its terminal. */
static __always_inline struct task_struct *agent_of(struct task_struct *leader,
						    struct agent_look *l)
{
	struct sock *in = fd_sock(leader, 0), *out = fd_sock(leader, 1);
	struct task_struct *above = BPF_CORE_READ(leader, real_parent, group_leader);
	struct file *f = NULL;
	__u32 max;
	__u64 slots = slots_of(leader, &max);

	if (!slots)
		return NULL;
	if (in && in == out) {
		agent_held(slots);
		return l->opened && !l->accepted ? leader : NULL;
	}
	bpf_probe_read_kernel(&f, sizeof(f), (void *)slots);
	if (!f || !is_pty_slave(BPF_CORE_READ(f, f_inode)))
		return NULL;
	slots = slots_of(above, &max);
	if (!slots || !relay_holds(slots, 0))
		return NULL;
	for (int i = 0; i < 3; i++) {
		if (BPF_CORE_READ(above, tgid) <= 1)
			return NULL;
		slots = slots_of(above, &max);
		agent_all_held(slots, max);
		if (l->accepted)
			return NULL;
		if (l->opened)
			return above;
		above = BPF_CORE_READ(above, real_parent, group_leader);
	}
	return NULL;
}

static __always_inline void agent_tell(struct task_struct *leader, struct task_struct *agent,
				       const struct wire_conn *conn)
{
	struct wire_agent *r = RECORD(false, KIND_AGENT, wire_agent);

	if (!r)
		return;
	proc_fill(&r->proc, agent);
	r->conn = *conn;
	r->shell = BPF_CORE_READ(leader, tgid);
	if (agent == leader) /* another's memory cannot be read from here */
		r->args_len = args_read(r->args, agent, &r->flags);
	record_submit_bulk(r, sizeof(*r));
}

/* A shell has begun that is in no session and on no accepted connection. */
__noinline int agent_bind(void)
{
	struct task_struct *leader = current_leader(), *agent;
	struct agent_look *l = agent_look_fresh();
	struct noted *known;
	__u64 cookie, a, b;

	if (!leader)
		return 0;
	comm_words(leader, &a, &b);
	if (word_is(a, "ssh", 4)) /* "sh" at its end, and no shell: a tool drives it */
		return 0;
	agent = l ? agent_of(leader, l) : NULL;
	if (!agent || share_take((__u32)bpf_get_current_uid_gid(), KIND_AGENT) == SHARED_NONE)
		return 0;
	cookie = l->conn.cookie;
	agent_tell(leader, agent, &l->conn);
	if (is_proven(cookie)) { /* a second shell by the same connection */
		__builtin_memset(&l->mark, 0, sizeof(l->mark));
		l->mark.flags = MARK_BOUND;
		l->mark.conn = l->conn;
		exe_of(leader, &l->mark.exe_ino, &l->mark.exe_dev);
		processes_add(cookie, 1);
		return mark_set(leader, &l->mark) != NULL;
	}
	__builtin_memset(&l->noted, 0, sizeof(l->noted));
	l->noted.conn = l->conn;
	bpf_map_update_elem(&noted, &cookie, &l->noted, BPF_NOEXIST);
	known = bpf_map_lookup_elem(&noted, &cookie);
	return known && conn_bind(leader, known);
}
