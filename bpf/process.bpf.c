/*
 * The process tree of a session: fork hands the mark on, exec and exit are told. A process in no
 * remote session costs one look-up in fork and exit, and a look at its descriptors 0 to 3 in exec.
 */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_struct *pleader = parent->group_leader;
	struct mark *m, c;
	struct wire_fork *r;

	if (!pleader || child->pid != child->tgid)
		return 0; /* a thread */
	m = mark_get(pleader);
	/* A container's shim lives on when what it had begun is let go of: its next child is new.
	 */
	if (m && m->conn.cookie & HANDOFF_ID && !handoff_kept(pleader, m))
		m = NULL;
	if (handoff_forked(pleader, child, m ? m->conn.cookie : 0) || !m)
		return 0;
	c = *m;
	if (c.flags & MARK_IN_PAM)
		c.flags |= WIRE_F_HELPER;
	c.flags &= ~(MARK_IN_PAM | MARK_BOUND | MARK_HOLDS);
	if (!mark_set(child, &c))
		return 0;
	processes_add(c.conn.cookie, 1);
	manager_forked(pleader, m);
	if (!is_proven(c.conn.cookie))
		return 0;
	r = RECORD(false, KIND_FORK, wire_fork);
	if (!r)
		return 0;
	proc_fill(&r->proc, child);
	/* real_parent is not set yet for a vfork in old kernels: the caller knows better. */
	r->proc.ppid = BPF_CORE_READ(pleader, tgid);
	r->proc.pstart = BPF_CORE_READ(pleader, start_boottime);
	r->cookie = c.conn.cookie;
	r->flags = (c.flags & 0xffff) | WIRE_F_PROVEN;
	record_submit_bulk(r, sizeof(*r));
	return 0;
}

/*
 * Rule (c): a program that starts with an accepted socket as descriptor 0 to 3 serves it. Most
 * programs start with one file as 0, 1 and 2, which is looked at once.
 */
static __always_inline struct noted *noted_in_files(struct file **slots, __u32 count)
{
	struct file *four[4] = {}, *last = NULL;
	struct noted *n;

	/* max_fds is at least NR_OPEN_DEFAULT (32 or 64), so 16 slots are always there. */
	for (__u32 fd = 0; fd < count; fd++) {
		struct file *f;

		if (fd % 4 == 0 && bpf_probe_read_kernel(four, sizeof(four), slots + fd))
			return NULL;
		f = four[fd % 4];
		if (!f || f == last)
			continue;
		last = f;
		if (!is_socket(f))
			continue;
		n = accepted_noted(file_sock(f));
		if (n)
			return n;
	}
	return NULL;
}

static __always_inline struct mark *bind_by_files(struct task_struct *leader, struct file **slots,
						  __u32 count)
{
	struct noted *n = noted_in_files(slots, count);

	return n ? conn_bind(leader, n) : NULL;
}

static __always_inline bool is_shell(const char *comm)
{
	/* sh, ash, bash, dash, ksh, zsh, fish, and busybox under its own name */
	for (int i = 0; i < 5; i++) {
		if (!comm[i])
			return false;
		if (comm[i] == 's' && comm[i + 1] == 'h' && !comm[i + 2])
			return true;
	}
	return comm[0] == 'b' && comm[1] == 'u' && comm[2] == 's' && comm[3] == 'y' &&
	       comm[4] == 'b' && comm[5] == 'o' && comm[6] == 'x';
}

/*
 * Does a process hold the other end: the master of a terminal, or the writing end of that pipe?
 * A global function of numbers, so that the verifier looks at its loop once.
 */
__noinline int relay_holds(__u64 slots, __u64 pipe)
{
	for (__u32 fd = 0; fd < 16; fd++) { /* as many as are always there */
		struct file *f = NULL;
		struct inode *i;

		bpf_probe_read_kernel(&f, sizeof(f), (void *)(slots + fd * sizeof(f)));
		if (!f)
			continue;
		i = BPF_CORE_READ(f, f_inode);
		if (pipe && (__u64)i == pipe && BPF_CORE_READ(f, f_mode) & FMODE_WRITE)
			return 1;
		if (!pipe && (BPF_CORE_READ(i, i_mode) & S_IFMT) == S_IFCHR &&
		    BPF_CORE_READ(i, i_rdev) == PTMX_RDEV)
			return 1;
	}
	return 0;
}

/*
 * Is what the shell reads written by that process? A supervisor that starts a script while it
 * holds somebody's connection relays nothing.
 */
static __always_inline bool is_relayed(struct task_struct *leader, struct file **parent_slots)
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd), *f = NULL;
	struct inode *i;
	__u32 mode;

	if (!slots || bpf_probe_read_kernel(&f, sizeof(f), slots) || !f)
		return false;
	i = BPF_CORE_READ(f, f_inode);
	mode = BPF_CORE_READ(i, i_mode) & S_IFMT;
	if (mode == S_IFSOCK)
		return true; /* a pair of local sockets, or the connection itself */
	if (mode == S_IFIFO)
		return relay_holds((__u64)parent_slots, (__u64)i);
	return is_pty_slave(i) && relay_holds((__u64)parent_slots, 0);
}

/*
 * A shell below a process that holds an accepted connection of its own: the terminal or the pipes
 * between them are relayed (socat with a pty, pty.spawn). Only shells pay for this look.
 */
static __always_inline struct mark *bind_by_relay(struct task_struct *leader)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
	struct fdtable *t = BPF_CORE_READ(parent, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd);
	struct noted *n;

	if (!slots || !is_relayed(leader, slots))
		return NULL;
	n = noted_in_files(slots, 16);
	return n ? conn_bind(leader, n) : NULL;
}

#include "agent.bpf.c"

static __always_inline struct mark *bind_by_descriptor(struct task_struct *leader, __u32 count)
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd);

	return slots ? bind_by_files(leader, slots, count) : NULL;
}

static __always_inline void exec_emit(struct task_struct *leader, const struct mark *m,
				      struct linux_binprm *bprm, __u32 flags)
{
	struct wire_exec *r = RECORD(false, KIND_EXEC, wire_exec);

	if (!r)
		return;
	proc_fill(&r->proc, leader);
	r->conn = m->conn;
	r->flags = (m->flags & 0xffff) | stdio_flags(leader, m->conn.cookie) | flags;
	bpf_probe_read_kernel_str(r->path, sizeof(r->path), BPF_CORE_READ(bprm, filename));
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct task_struct *leader = task->group_leader, *parent;
	struct mark *m, *bound;
	bool fresh = false, handed = false, self, is_ok;
	__u64 ino, old_ino;
	__u32 dev, old_dev, uid;

	if (!leader)
		return 0;
	outward_look((__u64)BPF_CORE_READ(task, group_leader));
	if (is_put_elsewhere(leader))
		container_tell((__u64)BPF_CORE_READ(bprm, filename));
	m = mark_get(leader);
	if (!m && old_pid != task->pid)
		m = mark_return(leader);
	if (m && m->conn.cookie & HANDOFF_ID) {
		handed = handoff_kept(leader, m);
		if (!handed)
			m = NULL;
	}
	if (!m || handed) {
		/* Plain loads: this is every exec of the host. */
		struct files_struct *files = leader->files;
		struct fdtable *t = files ? files->fdt : NULL;

		bound = t && t->fd ? bind_by_files(leader, t->fd, 4) : NULL;
		if (!bound && handed) {
			handoff_tool();
			handoff_execed((__u64)BPF_CORE_READ(bprm, filename));
			return 0;
		}
		if (!bound && is_shell(leader->comm)) {
			bound = bind_by_relay(leader);
			if (!bound && agent_bind())
				bound = mark_get(leader);
			if (!bound)
				server_shell();
		}
		if (!bound) {
			handoff_stranger();
			return 0;
		}
		m = bound;
		fresh = true;
	}
	exe_of(leader, &ino, &dev);
	if (fresh) {
		parent = BPF_CORE_READ(leader, real_parent);
		exe_of(parent, &old_ino, &old_dev);
	} else {
		old_ino = m->exe_ino;
		old_dev = m->exe_dev;
	}
	self = ino == old_ino && dev == old_dev;
	m->exe_ino = ino;
	m->exe_dev = dev;
	uid = BPF_CORE_READ(leader, cred, uid.val);
	if (uid)
		m->flags |= WIRE_F_USER_EXEC;
	else
		m->flags &= ~WIRE_F_USER_EXEC;
	is_ok = is_proven(m->conn.cookie);
	if (is_ok && !(m->flags & (MARK_IN_PAM | WIRE_F_HELPER)))
		handoff_tool();
	if (self && !is_ok)
		return 0; /* the daemon re-executes itself for every connection, port scans included
			   */
	exec_emit(leader, m, bprm, (self ? WIRE_F_SELF_EXEC : 0) | (is_ok ? WIRE_F_PROVEN : 0));
	return 0;
}

static __always_inline void exit_emit(struct task_struct *leader, const struct mark *m, __u32 alive)
{
	bool last = alive == 0;
	struct wire_exit *r = RECORD(last, KIND_EXIT, wire_exit);

	if (!r)
		return;
	proc_fill(&r->proc, leader);
	r->cookie = m->conn.cookie;
	r->code = BPF_CORE_READ(leader, exit_code);
	r->alive = alive;
	r->flags = (m->flags & 0xffff) | WIRE_F_PROVEN;
	if (last)
		record_submit_precious(r);
	else
		record_submit_bulk(r, sizeof(*r));
}

/* A process ends with its last thread, whichever that is; its leader may have left long before. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	bool is_leader = task->pid == task->tgid;
	struct mark *m, c;
	struct proven *p;
	__u32 alive;

	if (task->signal->live.counter) {
		if (is_leader)
			mark_lend(task);
		return 0;
	}
	m = leader ? mark_get(leader) : NULL;
	if (!m)
		return 0;
	c = *m;
	if (!is_leader)
		mark_forget(leader);
	if (c.flags & MARK_HOLDS)
		handoff_let_go(leader);
	if (!mark_drop(leader))
		return 0;
	alive = processes_add(c.conn.cookie, -1);
	p = bpf_map_lookup_elem(&proven, &c.conn.cookie);
	if (p) {
		exit_emit(leader, &c, alive);
		if (!alive && p->closed)
			bpf_map_delete_elem(&proven, &c.conn.cookie);
	}
	return 0;
}
