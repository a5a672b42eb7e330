/*
 * What was there before us: processes that hold an accepted connection, and their descendants.
 * Two passes: task_file finds and marks the holders; task marks children of marked parents, as
 * often as the loader runs it, and tells each once it is marked. Both also give live byte counts.
 *
 * Runs in the loader's context, over all namespaces.
 */

static __always_inline bool is_session_holder(struct task_struct *leader, struct sock *sk)
{
	struct wire_listener_key k = {};

	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	k.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	return is_watched(&k);
}

/* A listener found at start: watched by its port, or by the daemon that owns it. */
static __always_inline void snapshot_listener(struct seq_file *seq, struct task_struct *leader,
					      struct sock *sk)
{
	struct wire_listener_key k = {};
	struct wire_listen r = {
		.hdr = {.kind = KIND_LISTEN, .version = WIRE_VERSION, .size = sizeof(r)}};
	__u32 one = WIRE_WATCHED;

	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	k.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	proc_fill(&r.proc, leader);
	if (r.proc.euid == own_root(leader))
		r.flags |= WIRE_F_ROOT;
	for (int i = 0; i < WATCHED_DAEMONS; i++)
		if (comm_is(r.proc.comm, watched_daemons[i]))
			bpf_map_update_elem(&watched, &k, &one, BPF_ANY);
	manager_listens(leader, &k);
	r.hdr.time = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&listen_told, &k, &r.hdr.time, BPF_ANY);
	conn_fill(&r.conn, sk, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
	r.cgroup = sock_cgroup(sk);
	if (is_watched(&k))
		r.flags |= WIRE_F_WATCHED;
	bpf_seq_write(seq, &r, sizeof(r));
}

static __always_inline void snapshot_write(struct seq_file *seq, struct task_struct *leader,
					   const struct wire_conn *conn, struct sock *sk,
					   __u32 flags)
{
	struct wire_snapshot r = {
		.hdr = {.kind = KIND_SNAPSHOT, .version = WIRE_VERSION, .size = sizeof(r)}};

	r.hdr.time = bpf_ktime_get_boot_ns();
	proc_fill(&r.proc, leader);
	r.conn = *conn;
	r.flags = flags;
	if (sk)
		conn_bytes(sk, &r.bytes_in, &r.bytes_out);
	bpf_seq_write(seq, &r, sizeof(r));
}

/* Marks the holder of an accepted connection of a watched listener. */
static __always_inline void snapshot_holder(struct seq_file *seq, struct task_struct *leader,
					    struct sock *sk)
{
	__u64 cookie = sock_cookie(sk);
	struct noted n = {.flags = WIRE_F_WATCHED};
	struct mark m = {.flags = MARK_BOUND}, *old = mark_get(leader);

	if (!cookie || !is_session_holder(leader, sk))
		return;
	conn_fill(&m.conn, sk, cookie);
	if (!old || old->conn.cookie != cookie) {
		/* Whether somebody is logged in is for user space to say, which then proves it. */
		n.conn = m.conn;
		if (!is_proven(cookie))
			bpf_map_update_elem(&noted, &cookie, &n, BPF_NOEXIST);
		processes_add(cookie, 1);
		exe_of(leader, &m.exe_ino, &m.exe_dev);
		mark_set(leader, &m);
	}
	snapshot_write(seq, leader, &m.conn, sk, WIRE_F_LEADER);
}

/* Pass one: listeners only, so that pass two knows what is watched. */
SEC("iter/task_file")
int snapshot_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;

	if (!task || !file || task->pid != task->tgid)
		return 0;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket_ops_learn(task, file);
	sk = file_sock(file);
	if (!sk || !is_held(BPF_CORE_READ(sk, sk_protocol)))
		return 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == KTCP_LISTEN)
		snapshot_listener(ctx->meta->seq, task, sk);
	return 0;
}

SEC("iter/task_file")
int snapshot_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file || task->pid != task->tgid)
		return 0;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	if (use_sock_helpers) { /* a pointer the verifier knows, so that a cookie can be made */
		socket = bpf_sock_from_file(file);
		sk = socket ? socket->sk : NULL;
	} else {
		sk = file_sock(file);
	}
	if (!sk || !is_held(BPF_CORE_READ(sk, sk_protocol)) ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) != KTCP_ESTABLISHED)
		return 0;
	snapshot_holder(ctx->meta->seq, task, sk);
	return 0;
}

/* Pass three and on: a task whose parent is marked and which is not marked itself. */
SEC("iter/task")
int snapshot_children(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *parent;
	struct mark *m, c;

	if (!task || task->pid != task->tgid)
		return 0;
	outward_look((__u64)BPF_CORE_READ(task, group_leader));
	if (mark_get(task))
		return 0;
	parent = task->real_parent;
	parent = parent ? parent->group_leader : NULL;
	m = parent ? mark_get(parent) : NULL;
	if (!m)
		return 0;
	c = *m;
	c.flags &= ~(MARK_IN_PAM | MARK_BOUND);
	exe_of(task, &c.exe_ino, &c.exe_dev);
	if (!mark_set(task, &c))
		return 0;
	processes_add(c.conn.cookie, 1);
	snapshot_write(ctx->meta->seq, task, &c.conn, NULL, 0);
	return 0;
}

/*
 * Live bytes of session sockets: the accepted one, and what a session's process opened. A socket
 * that several processes hold is told several times with the same absolute numbers.
 */
SEC("iter/task_file")
int snapshot_bytes(struct bpf_iter__task_file *ctx)
{
	struct wire_bytes r = {
		.hdr = {.kind = KIND_BYTES, .version = WIRE_VERSION, .size = sizeof(r)}};
	struct file *file = ctx->file;
	struct outgoing *o;
	struct sock *sk;

	if (!ctx->task || !file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	sk = file_sock(file);
	if (!sk || !is_held(BPF_CORE_READ(sk, sk_protocol)))
		return 0;
	r.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (!r.cookie)
		return 0;
	if (is_proven(r.cookie)) {
		r.session = r.cookie;
	} else {
		o = bpf_map_lookup_elem(&outgoing, &r.cookie);
		if (!o)
			return 0;
		r.session = o->session;
	}
	r.hdr.time = bpf_ktime_get_boot_ns();
	conn_bytes(sk, &r.bytes_in, &r.bytes_out);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
