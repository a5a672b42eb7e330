/*
 * TCP state changes: accepted connections of watched listeners, their end with bytes, new
 * listeners, and connections that a session's process opens.
 *
 * CLOSE->SYN_SENT and CLOSE->LISTEN run in process context; the rest may run in softirq, where the
 * current process means nothing, so the owner of an outgoing socket is kept by its cookie.
 */

/* Sockets that a session's process opened. */
struct outgoing {
	struct wire_proc proc;
	__u64 session;
	__u32 flags, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct outgoing);
} outgoing SEC(".maps");

/* Daemons whose listener is watched on any port; comm as in sched.h, 15 characters. */
#define WATCHED_DAEMONS 16
const volatile char watched_daemons[WATCHED_DAEMONS][WIRE_COMM] = {
	"sshd",	     "dropbear", "xrdp",	   "in.telnetd",     "telnetd",	  "vsftpd",
	"dockerd",   "podman",	 "kubelet",	   "kube-apiserver", "dashboard", "dashboard-api",
	"Xtigervnc", "Xvnc",	 "x0tigervncserv", "x11vnc",
};

static __always_inline bool comm_is(const char *a, const volatile char *b)
{
	for (int i = 0; i < WIRE_COMM; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			return true;
	}
	return true;
}

/* 16 bits of the local address, never 0. */
static __always_inline __u16 listen_hash(struct sock *sk)
{
	struct wire_conn c = {};
	__u32 h = 1, word;

	conn_fill(&c, sk, 0);
	for (int i = 0; i < 16; i += 4) {
		__builtin_memcpy(&word, c.laddr + i, 4);
		h = h * 31 + word;
	}
	return (h ^ h >> 16) | 1;
}

static __always_inline void tcp_listens(struct sock *sk)
{
	struct task_struct *leader = current_leader();
	struct wire_listener_key k = {};
	__u64 now = bpf_ktime_get_boot_ns(), *told, pause;
	__u32 one = WIRE_WATCHED;
	char comm[WIRE_COMM] = {};
	enum share_level level;
	struct wire_listen *r;
	struct mark *m;

	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	k.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	bpf_get_current_comm(comm, sizeof(comm));
	for (int i = 0; i < WATCHED_DAEMONS; i++)
		if (comm_is(comm, watched_daemons[i]))
			bpf_map_update_elem(&watched, &k, &one, BPF_ANY);
	manager_listens(leader, &k);
	bpf_map_delete_elem(&looked, &k); /* somebody else, perhaps */
	/* The port alone says that somebody listens; with its address, what was told. */
	bpf_map_update_elem(&listen_told, &k, &now, BPF_ANY);
	k.pad = listen_hash(sk);
	told = bpf_map_lookup_elem(&listen_told, &k);
	/* A daemon of root's may be another one already; a user may listen in a loop. */
	pause = (__u32)bpf_get_current_uid_gid() ? 60000000000ull : 5000000000ull;
	if (told && now - *told < pause)
		return;
	m = leader ? mark_get(leader) : NULL;
	level = m ? SHARED_PRECIOUS : share_take((__u32)bpf_get_current_uid_gid(), KIND_LISTEN);
	if (level == SHARED_NONE)
		return; /* told when it listens again */
	bpf_map_update_elem(&listen_told, &k, &now, BPF_ANY);
	k.pad = 0;
	r = RECORD(level == SHARED_PRECIOUS, KIND_LISTEN, wire_listen);
	if (!r)
		return;
	if (leader) {
		proc_fill(&r->proc, leader);
		if (r->proc.euid == own_root(leader))
			r->flags |= WIRE_F_ROOT;
		if (m) {
			r->flags |= m->flags & 0xffff;
			r->session = m->conn.cookie;
		}
	}
	conn_fill(&r->conn, sk, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
	r->cgroup = sock_cgroup(sk);
	if (is_watched(&k))
		r->flags |= WIRE_F_WATCHED;
	if (level == SHARED_PRECIOUS)
		record_submit_precious(r);
	else
		record_submit_bulk(r, sizeof(*r));
}

static __always_inline void tcp_connects(struct sock *sk)
{
	struct task_struct *leader = current_leader();
	struct outgoing o = {};
	struct mark *m;
	__u32 forwards; /* LOOPBACK_PASSED, or 0 */
	__u64 cookie;

	if (!leader)
		return;
	m = mark_get(leader);
	forwards = is_forwarder(leader);
	if (forwards || stays_here(sk)) {
		loopback_note(sk, leader, forwards);
	} else {
		loopback_owner_connects(sk, leader);
		/* Should a shell come of it, it has a cookie. */
		outward_begins(sk, leader, sock_cookie(sk), m ? m->conn.cookie : 0);
	}
	if (!m)
		return;
	proc_fill(&o.proc, leader);
	o.session = m->conn.cookie;
	o.flags = m->flags & 0xffff;
	cookie = sock_cookie(sk);
	if (!cookie || bpf_map_update_elem(&outgoing, &cookie, &o, BPF_ANY))
		count(WIRE_STAT_map_full_outs);
}

static __always_inline void outgoing_emit(struct outgoing *o, struct sock *sk, __u64 cookie,
					  __u16 kind)
{
	struct wire_connect *r = record_begin(false, kind, sizeof(*r));

	if (!r)
		return;
	r->proc = o->proc;
	r->session = o->session;
	r->flags = o->flags;
	conn_fill(&r->conn, sk, cookie);
	conn_bytes(sk, &r->bytes_in, &r->bytes_out);
	record_submit_bulk(r, sizeof(*r));
}

/* Of an MPTCP connection, which is noted by the socket that a process holds. */
static __always_inline bool is_subflow(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp);
}

/* Of a listener that nobody watches: from outside, and not lately looked at? */
static __always_inline void look_wanted(struct sock *sk, const struct wire_listener_key *k)
{
	struct wire_conn c = {}; /* the peer alone: every accepted connection pays for it */
	struct wire_look *r;

	c.family = sk->__sk_common.skc_family;
	if (c.family == AF_INET)
		BPF_CORE_READ_INTO((__u32 *)c.raddr, sk, __sk_common.skc_daddr);
	else
		BPF_CORE_READ_INTO((struct in6_addr *)c.raddr, sk, __sk_common.skc_v6_daddr);
	if (peer_is_inside(&c) || !look_is_due(k->netns, k->port) ||
	    share_take(~0u, KIND_LOOK) == SHARED_NONE)
		return;
	r = RECORD(false, KIND_LOOK, wire_look);
	if (!r)
		return;
	conn_fill(&r->conn, sk, 0);
	r->cgroup = sock_cgroup(sk);
	record_submit_bulk(r, sizeof(*r));
}

static __always_inline void tcp_accepted(struct sock *sk)
{
	struct wire_listener_key k = {};
	struct noted n = {.flags = WIRE_F_WATCHED};
	__u64 cookie;

	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	k.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	/*
	 * accept() makes it otherwise, when it asks for the peer. One that never asks, by io_uring
	 * or with no place for an address, is known by it when a program has the socket.
	 */
	cookie = sock_cookie(sk);
	if (!is_watched(&k)) {
		if (!is_subflow(sk))
			look_wanted(sk, &k);
		return; /* noted when somebody asks for its peer */
	}
	if (!cookie || is_subflow(sk))
		return;
	n.opened = bpf_ktime_get_boot_ns();
	conn_fill(&n.conn, sk, cookie);
	if (bpf_map_update_elem(&noted, &cookie, &n, BPF_ANY))
		count(WIRE_STAT_map_full_conns);
	conn_open_emit(&n.conn);
}

static __always_inline void accepted_closes(struct sock *sk, __u64 cookie)
{
	struct proven *p = bpf_map_lookup_elem(&proven, &cookie);
	struct noted *n = p ? NULL : bpf_map_lookup_elem(&noted, &cookie);
	struct wire_conn_close *r;

	if (!p && !n)
		return;
	if (p || n->flags) {
		r = RECORD(p != NULL, KIND_CONN_CLOSE, wire_conn_close);
		if (r) {
			r->conn = p ? p->conn : n->conn;
			r->opened = p ? p->opened : n->opened;
			r->alive = p ? p->processes : n->processes;
			r->flags = p ? WIRE_F_PROVEN : n->flags & 0xffff;
			conn_bytes(sk, &r->bytes_in, &r->bytes_out);
			if (p)
				record_submit_precious(r);
			else
				record_submit_bulk(r, sizeof(*r));
		}
	}
	if (p) {
		p->closed = 1;
		if (!p->processes)
			bpf_map_delete_elem(&proven, &cookie);
	} else {
		bpf_map_delete_elem(&noted, &cookie);
	}
}

static __always_inline void tcp_closes(struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	struct outgoing *o;

	if (!cookie)
		return; /* nobody noted it */
	o = bpf_map_lookup_elem(&outgoing, &cookie);
	if (o) {
		outgoing_emit(o, sk, cookie, KIND_CONNECT_CLOSE);
		bpf_map_delete_elem(&outgoing, &cookie);
		return;
	}
	accepted_closes(sk, cookie);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int old, int new)
{
	struct outgoing *o;
	__u64 cookie;

	if (sk->sk_protocol != IPPROTO_TCP) {
		if (sk->sk_protocol == IPPROTO_MPTCP && new == KTCP_CLOSE)
			tcp_closes(sk);
		return 0;
	}
	if (new == KTCP_CLOSE) {
		tcp_closes(sk);
	} else if (new == KTCP_LISTEN) {
		tcp_listens(sk);
	} else if (old == KTCP_CLOSE && new == KTCP_SYN_SENT) {
		tcp_connects(sk);
	} else if (new == KTCP_ESTABLISHED && old == KTCP_SYN_RECV) {
		tcp_accepted(sk);
	} else if (new == KTCP_ESTABLISHED && old == KTCP_SYN_SENT) {
		cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		o = cookie ? bpf_map_lookup_elem(&outgoing, &cookie) : NULL;
		if (cookie) {
			loopback_established(sk, cookie);
			outward_established(sk, cookie);
		}
		if (o) {
			o->flags |= WIRE_F_ESTABLISHED;
			outgoing_emit(o, sk, cookie, KIND_CONNECT);
		}
	}
	return 0;
}
