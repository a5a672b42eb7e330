/*
 * Who belongs to which connection: marks on processes, noted connections, proven sessions.
 *
 * A mark lives in task storage of the thread group leader (kernels from 5.12) or in a hash by
 * (tgid, start). It carries the connection itself, so that nothing an attacker can evict is
 * needed when the login comes.
 */
#ifndef OUTERGATE_BPF_SESSION_H
#define OUTERGATE_BPF_SESSION_H

#include "emit.h"

#define MARK_IN_PAM 0x10000 /* inside a pam_* call now */
#define MARK_BOUND  0x20000 /* bound itself (did not inherit) */
#define MARK_HOLDS  0x40000 /* counted as the client of a terminal multiplexer */

struct mark {
	struct wire_conn conn;
	__u32 flags; /* WIRE_F_HELPER, WIRE_F_USER_EXEC, MARK_* */
	__u32 pad;
	__u64 exe_ino; /* executable at the last exec, for SELF_EXEC */
	__u32 exe_dev, pad2;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks_task SEC(".maps");

struct mark_key {
	__u32 tgid, pad;
	__u64 start;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct mark_key);
	__type(value, struct mark);
} marks_hash SEC(".maps");

#define NOTED_BOUND 0x10000 /* a process serves it */

/* A connection that was accepted and has proven nothing yet; forgotten oldest first. */
struct noted {
	struct wire_conn conn;
	__u64 opened;
	__u32 flags; /* WIRE_F_WATCHED, NOTED_BOUND: its end is told */
	__u32 processes;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct noted);
} noted SEC(".maps");

/* A connection that passed authentication; refused and counted when full, never evicted. */
struct proven {
	struct wire_conn conn;
	__u64 opened;
	__u32 processes, closed;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10240);
	__type(key, __u64);
	__type(value, struct proven);
} proven SEC(".maps");

/* Task storage wants a pointer that the verifier knows. */
static __always_inline struct task_struct *current_leader(void)
{
	struct task_struct *task;

	if (use_task_storage) {
		task = bpf_get_current_task_btf();
		return task->group_leader;
	}
	task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, group_leader);
}

/* 0 before 5.12 unless somebody has asked for the cookie: the cgroup hooks do. */
static __always_inline __u64 sock_cookie(struct sock *sk)
{
	if (use_sock_helpers)
		return bpf_get_socket_cookie(sk);
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

static __always_inline struct mark *mark_get(struct task_struct *leader)
{
	if (use_task_storage)
		return bpf_task_storage_get(&marks_task, leader, NULL, 0);

	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};

	return bpf_map_lookup_elem(&marks_hash, &k);
}

static __always_inline struct mark *mark_set(struct task_struct *leader, const struct mark *m)
{
	struct mark *ret;

	if (use_task_storage) {
		ret = bpf_task_storage_get(&marks_task, leader, NULL,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (ret)
			*ret = *m;
		else
			count(WIRE_STAT_mark_failed);
		return ret;
	}

	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};

	if (bpf_map_update_elem(&marks_hash, &k, m, BPF_ANY))
		count(WIRE_STAT_mark_failed);
	return bpf_map_lookup_elem(&marks_hash, &k);
}

/* True for one caller only, though two threads end at the same time. */
static __always_inline bool mark_drop(struct task_struct *leader)
{
	if (use_task_storage)
		return !bpf_task_storage_delete(&marks_task, leader);

	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};

	return !bpf_map_delete_elem(&marks_hash, &k);
}

/*
 * A leader that ends before its other threads: should one of them call exec, it becomes the leader
 * and the storage of the old one is gone. The hash needs no such care: pid and start stay.
 */
static __always_inline void mark_lend(struct task_struct *leader)
{
	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};
	struct mark *m = use_task_storage ? mark_get(leader) : NULL;

	if (m && bpf_map_update_elem(&marks_hash, &k, m, BPF_ANY))
		count(WIRE_STAT_mark_failed);
}

static __always_inline struct mark *mark_return(struct task_struct *leader)
{
	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};
	struct mark *lent = use_task_storage ? bpf_map_lookup_elem(&marks_hash, &k) : NULL;

	if (!lent)
		return NULL;
	lent = mark_set(leader, lent);
	bpf_map_delete_elem(&marks_hash, &k);
	return lent;
}

static __always_inline void mark_forget(struct task_struct *leader)
{
	struct mark_key k = {.tgid = BPF_CORE_READ(leader, tgid),
			     .start = BPF_CORE_READ(leader, start_boottime)};

	if (use_task_storage)
		bpf_map_delete_elem(&marks_hash, &k);
}

/*
 * Adds, then reads: an atomic add that returns came with 5.12 and one such instruction keeps a
 * program from loading before. Of processes that end at the same time at least one reads 0.
 */
static __always_inline __u32 add_and_read(__u32 *v, int delta)
{
	if (delta < 0 && !*v)
		return 0;
	__sync_fetch_and_add(v, delta);
	return *(volatile __u32 *)v;
}

static __always_inline bool is_proven(__u64 cookie)
{
	return bpf_map_lookup_elem(&proven, &cookie) != NULL;
}

/*
 * Counts the processes of a connection, wherever it is kept now; returns how many are left, 0 too
 * when it was forgotten. Never below 0: a process that was never counted may exit.
 */
static __always_inline __u32 processes_add(__u64 cookie, int delta)
{
	struct proven *p = bpf_map_lookup_elem(&proven, &cookie);
	struct noted *n;

	if (p)
		return add_and_read(&p->processes, delta);
	n = bpf_map_lookup_elem(&noted, &cookie);
	return n ? add_and_read(&n->processes, delta) : 0;
}

/* From a pointer that only probe reads may follow. */
static __always_inline void conn_fill(struct wire_conn *c, struct sock *sk, __u64 cookie)
{
	c->cookie = cookie;
	c->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	c->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	c->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (c->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)c->laddr, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)c->raddr, sk, __sk_common.skc_daddr);
	} else if (c->family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)c->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)c->raddr, sk, __sk_common.skc_v6_daddr);
	}
}

/*
 * What a process holds of a connection: TCP, or MPTCP with TCP subflows that nobody holds. The
 * addresses are those of the first subflow.
 */
static __always_inline bool is_held(__u32 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

/* Bytes as the peer acknowledged them; sk must be TCP or MPTCP, whose subflows are summed. */
static __always_inline void conn_bytes(struct sock *sk, __u64 *in, __u64 *out)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct mptcp_sock *mp = (struct mptcp_sock *)sk;

	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP) {
		*in = *out = 0;
		if (bpf_core_field_exists(mp->bytes_acked)) {
			*in = BPF_CORE_READ(mp, bytes_received);
			*out = BPF_CORE_READ(mp, bytes_acked);
		}
		return;
	}
	*in = BPF_CORE_READ(tp, bytes_received);
	*out = BPF_CORE_READ(tp, bytes_acked);
}

/* Of the process that made the socket; an accepted one has its listener's. */
static __always_inline __u64 sock_cgroup(struct sock *sk)
{
	struct sock_cgroup_data *data = __builtin_preserve_access_index(&sk->sk_cgrp_data);
	struct sock_cgroup_data___old *old = (void *)data;
	struct cgroup *group = NULL;

	if (bpf_core_field_exists(data->cgroup))
		group = BPF_CORE_READ(data, cgroup);
	else if (bpf_core_field_exists(old->val))
		group = (struct cgroup *)BPF_CORE_READ(old, val);
	return group ? BPF_CORE_READ(group, kn, id) : 0;
}

static __always_inline void proc_fill(struct wire_proc *p, struct task_struct *leader)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);

	p->tgid = BPF_CORE_READ(leader, tgid);
	p->start = BPF_CORE_READ(leader, start_boottime);
	p->ppid = BPF_CORE_READ(parent, tgid);
	p->pstart = BPF_CORE_READ(parent, group_leader, start_boottime);
	p->uid = BPF_CORE_READ(leader, cred, uid.val);
	p->euid = BPF_CORE_READ(leader, cred, euid.val);
	p->loginuid = -1;
	p->sessionid = -1;
	if (bpf_core_field_exists(leader->loginuid)) {
		p->loginuid = BPF_CORE_READ(leader, loginuid.val);
		p->sessionid = BPF_CORE_READ(leader, sessionid);
	}
	p->cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&p->comm, leader, comm);
}

/*
 * The kernel id of root in the caller's own user namespace. Anybody may be root in one of their own
 * making (unshare -r), so only a namespace that root made counts: a container's with mapped ids.
 */
static __always_inline __u32 own_root(struct task_struct *task)
{
	struct user_namespace *ns = BPF_CORE_READ(task, cred, user_ns);

	if (BPF_CORE_READ(ns, uid_map.nr_extents) < 1 ||
	    BPF_CORE_READ(ns, uid_map.extent[0].first) || BPF_CORE_READ(ns, owner.val))
		return 0;
	return BPF_CORE_READ(ns, uid_map.extent[0].lower_first);
}

/* The command line as far as it fits; 0 and counted when it cannot be read. */
static __always_inline __u32 args_read(char dst[WIRE_ARGS], struct task_struct *task, __u32 *flags)
{
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	unsigned long len = BPF_CORE_READ(task, mm, arg_end) - start;

	if (len > WIRE_ARGS) {
		len = WIRE_ARGS;
		*flags |= WIRE_F_TRUNCATED;
	}
	/* The bound again where the verifier sees it: clang keeps the check on another register. */
	asm volatile("" : "+r"(len));
	if (len > 0 && len <= WIRE_ARGS && !bpf_probe_read_user(dst, len, (void *)start))
		return len;
	count(WIRE_STAT_read_failed);
	return 0;
}

/* Unix98 pty slaves, Documentation/admin-guide/devices.txt. */
static __always_inline bool is_pty_slave(struct inode *i)
{
	__u32 major = BPF_CORE_READ(i, i_rdev) >> 20;

	return (BPF_CORE_READ(i, i_mode) & S_IFMT) == S_IFCHR && major >= 136 && major <= 143;
}

static __always_inline void exe_of(struct task_struct *leader, __u64 *ino, __u32 *dev)
{
	struct inode *i = BPF_CORE_READ(leader, mm, exe_file, f_inode);

	*ino = BPF_CORE_READ(i, i_ino);
	*dev = BPF_CORE_READ(i, i_sb, s_dev);
}

/*
 * The operations of a socket's file, which are the same for all (net/socket.c, socket_file_ops), as
 * the agent's own sockets have them: one word of the file instead of the inode's mode, for what
 * every exec of the host pays. 0: not known yet.
 */
__u64 socket_ops;

static __always_inline bool is_socket(struct file *f)
{
	if (socket_ops)
		return (__u64)BPF_CORE_READ(f, f_op) == socket_ops;
	return (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* Somebody else's descriptor may be a socket's place in a file system, opened with O_PATH. */
static __always_inline void socket_ops_learn(struct task_struct *task, struct file *f)
{
	if (!socket_ops && task->tgid == (int)(bpf_get_current_pid_tgid() >> 32))
		socket_ops = (__u64)BPF_CORE_READ(f, f_op);
}

/* The file must be a socket. */
static __always_inline struct sock *file_sock(struct file *f)
{
	struct socket *s = BPF_CORE_READ(f, private_data);

	return BPF_CORE_READ(s, sk);
}

/* The socket behind a descriptor, by its place in the table of files; NULL when it is none. */
static __always_inline struct sock *slot_sock(__u64 slot)
{
	struct file *f = NULL;

	bpf_probe_read_kernel(&f, sizeof(f), (void *)slot);
	return f && is_socket(f) ? file_sock(f) : NULL;
}

/* The same, when it is a connection that stands. */
static __always_inline struct sock *slot_conn(__u64 slot)
{
	struct sock *sk = slot_sock(slot);
	__u32 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) != KTCP_ESTABLISHED ||
	    !is_held(BPF_CORE_READ(sk, sk_protocol)))
		return NULL;
	return sk;
}

/* The socket behind a descriptor of a task, NULL when it is none. */
static __always_inline struct sock *fd_sock(struct task_struct *leader, __u32 fd)
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd);

	if (!slots || fd >= BPF_CORE_READ(t, max_fds))
		return NULL;
	return slot_sock((__u64)(slots + fd));
}

/* Descriptor 0 and 1: a terminal, or the session's own socket? */
static __always_inline __u32 stdio_flags(struct task_struct *leader, __u64 cookie)
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd), *f = NULL;
	struct sock *in = fd_sock(leader, 0), *out = fd_sock(leader, 1);
	__u32 flags = 0, mode;

	if (in && in == out &&
	    BPF_CORE_READ(in, __sk_common.skc_cookie.counter) == (long long)cookie)
		flags |= WIRE_F_STDIN_SOCKET;
	if (slots)
		bpf_probe_read_kernel(&f, sizeof(f), slots);
	mode = f ? BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT : 0;
	if ((mode == S_IFSOCK && !(flags & WIRE_F_STDIN_SOCKET)) || mode == S_IFIFO)
		flags |= WIRE_F_STDIN_PIPE;
	if (f && is_pty_slave(BPF_CORE_READ(f, f_inode)))
		flags |= WIRE_F_STDIN_TTY;
	return flags;
}

/*
 * Makes the task the one that serves the connection. Counts it once; a mark of another connection
 * is replaced (a daemon inside a session that serves a stranger of its own).
 */
static __always_inline struct mark *conn_bind(struct task_struct *leader, struct noted *n)
{
	struct mark m = {.conn = n->conn, .flags = MARK_BOUND}, *old = mark_get(leader);
	__u64 was;

	if (old && old->conn.cookie == n->conn.cookie) {
		old->flags |= MARK_BOUND;
		return old;
	}
	if (old) {
		m.flags |= old->flags & WIRE_F_USER_EXEC;
		was = old->conn.cookie;
		if (!processes_add(was, -1) && was & WIRE_HANDOFF_ID)
			bpf_map_delete_elem(&proven, &was);
	}
	exe_of(leader, &m.exe_ino, &m.exe_dev);
	n->flags |= NOTED_BOUND;
	__sync_fetch_and_add(&n->processes, 1);
	return mark_set(leader, &m);
}

#endif
