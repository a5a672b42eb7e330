/*
 * Connections that others hold for somebody.
 *
 * A daemon that was reached over a local socket (AF_UNIX): whose connection is it? The kernel keeps
 * with an accepted local socket who connected it (SO_PEERCRED). When that process holds exactly one
 * accepted TCP connection, that is the origin: sshd behind a socket unit and a relay, xrdp's
 * session manager behind xrdp. With several it is ambiguous, and none is chosen.
 *
 * Not seen: a relay in more than one process; more than the first 64 descriptors; a client that is
 * a process of this host, without a connection of its own.
 *
 * And a web, mail or database server that has a shell run something, as another than root: told
 * with the one connection that it has accepted, if it is one. By the server's name: what it serves
 * is not to be seen from here.
 *
 * Example: socat TCP-LISTEN:2222,fork UNIX-CONNECT:/run/ssh.sock, with `sshd -i` behind it.
 */
#define LOCAL_FDS 64
#define LOCAL_OWN 16 /* descriptors of the daemon, as many as are always there */

struct local_look {
	__u64 cookie; /* of the one accepted connection that was found */
	__u32 found, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct local_look);
} local_scratch SEC(".maps");

/* The leader of a process, from what a socket keeps of it; NULL when that has ended. */
static __always_inline struct task_struct *pid_leader(struct pid *pid)
{
	struct hlist_node *first = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);

	if (!first)
		return NULL;
	return (void *)first - bpf_core_field_offset(struct task_struct, pid_links[PIDTYPE_TGID]);
}

/* One descriptor of that process; a function of numbers, looked at once by the verifier. */
__noinline int local_held(__u64 slot)
{
	__u32 zero = 0;
	struct local_look *l = bpf_map_lookup_elem(&local_scratch, &zero);
	struct sock *sk = slot_conn(slot);
	struct noted *n;

	if (!l || !sk)
		return 0;
	if (is_proven(BPF_CORE_READ(sk, __sk_common.skc_cookie.counter)))
		l->found++; /* somebody who has logged in already */
	n = accepted_noted(sk);
	if (n && n->conn.cookie != l->cookie) {
		l->cookie = n->conn.cookie;
		l->found++;
	}
	return 0;
}

__noinline int local_all_held(__u64 slots, __u32 max)
{
	for (__u32 fd = 0; slots && fd < LOCAL_FDS; fd++) {
		if (fd >= max)
			break;
		local_held(slots + fd * sizeof(struct file *));
	}
	return 0;
}

/* One descriptor of the daemon: what does the process at its other end hold? */
__noinline int local_peer(__u64 slot)
{
	struct task_struct *leader;
	struct sock *sk = slot_sock(slot);
	struct fdtable *t;
	struct pid *pid;
	__u64 slots;
	__u32 max;

	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	/* A name of its own: this is the end that was accepted. */
	if (!BPF_CORE_READ((struct unix_sock *)sk, addr))
		return 0;
	pid = BPF_CORE_READ(sk, sk_peer_pid);
	leader = pid ? pid_leader(pid) : NULL;
	if (!leader || (__u32)BPF_CORE_READ(leader, tgid) == bpf_get_current_pid_tgid() >> 32)
		return 0;
	t = BPF_CORE_READ(leader, files, fdt);
	slots = (__u64)BPF_CORE_READ(t, fd);
	max = BPF_CORE_READ(t, max_fds);
	local_all_held(slots, max);
	return 0;
}

static __always_inline struct mark *bind_by_local_peer(struct task_struct *leader)
{
	struct fdtable *t = BPF_CORE_READ(leader, files, fdt);
	__u64 slots = (__u64)BPF_CORE_READ(t, fd);
	__u32 zero = 0;
	struct local_look *l = bpf_map_lookup_elem(&local_scratch, &zero);
	struct noted *n;

	if (!l || !slots)
		return NULL;
	l->cookie = 0;
	l->found = 0;
	for (__u32 fd = 0; fd < LOCAL_OWN && !l->found; fd++)
		local_peer(slots + fd * sizeof(struct file *));
	if (l->found != 1)
		return NULL;
	n = bpf_map_lookup_elem(&noted, &l->cookie);
	return n ? conn_bind(leader, n) : NULL;
}

static __always_inline bool is_server(__u64 a, __u64 b)
{
	return word_is(a, "apache2", 8) || word_is(a, "httpd", 6) || word_is(a, "nginx", 6) ||
	       (word_is(a, "lighttpd", 8) && word_is(b, "", 1)) || word_is(a, "caddy", 6) ||
	       word_is(a, "php-fpm", 7) || word_is(a, "php-cgi", 7) || word_is(a, "uwsgi", 6) ||
	       word_is(a, "exim4", 6) || word_is(a, "exim", 5) || word_is(a, "dovecot", 8) ||
	       word_is(a, "sendmail", 8) || word_is(a, "local", 6) || word_is(a, "pipe", 5) ||
	       word_is(a, "mysqld", 7) || word_is(a, "mariadbd", 8) || word_is(a, "postgres", 8) ||
	       word_is(a, "redis-se", 8) || word_is(a, "mongod", 7);
}

/* A shell has begun that is in no session: is its parent such a server? */
__noinline int server_shell(void)
{
	struct task_struct *leader = current_leader(), *server;
	__u32 uid = (__u32)bpf_get_current_uid_gid(), zero = 0;
	struct local_look *l = bpf_map_lookup_elem(&local_scratch, &zero);
	struct wire_server_shell *r;
	struct noted *n;
	struct fdtable *t;
	__u64 a, b;

	if (!leader || !l || !uid)
		return 0;
	server = BPF_CORE_READ(leader, real_parent, group_leader);
	comm_words(server, &a, &b);
	if (!is_server(a, b) || share_take(uid, KIND_SERVER_SHELL) == SHARED_NONE)
		return 0;
	t = BPF_CORE_READ(server, files, fdt);
	l->cookie = 0;
	l->found = 0;
	local_all_held((__u64)BPF_CORE_READ(t, fd), BPF_CORE_READ(t, max_fds));
	n = l->found == 1 ? bpf_map_lookup_elem(&noted, &l->cookie) : NULL;
	r = RECORD(false, KIND_SERVER_SHELL, wire_server_shell);
	if (!r)
		return 0;
	proc_fill(&r->proc, leader);
	if (n)
		r->conn = n->conn;
	BPF_CORE_READ_STR_INTO(&r->server, server, comm);
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
	return 0;
}
