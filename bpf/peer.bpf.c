/*
 * Whose connection is it. The getpeername hooks run inside accept() when an address is asked for
 * and at every later getpeername(), in process context. The first process that asks is the
 * acceptor and is never bound; another that asks later serves the connection: it is bound.
 *
 * Nearly every connection is asked for once and never again, so the first question costs one
 * store into a cache. Not seen here: accept(NULL) with no later getpeername (process.bpf.c looks
 * at the descriptors, whose sockets have cookies from connect.bpf.c; before Linux 5.12 they have
 * none).
 */

/*
 * Who asked first: (low half of the cookie) << 32 | tgid, in the slot of the cookie; one store, so
 * no reader sees half of it. A newer connection may take the slot: then the next asker counts as
 * the first, and PAM or exec must bind it.
 */
#define ASKED_SLOTS 32768
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ASKED_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} asked SEC(".maps");

/* Is this an accepted socket? Its own port has a listener; a connecting socket's has none. */
static __always_inline bool is_accepted(struct bpf_sock_addr *ctx, const struct wire_conn *c)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *found;
	bool ret = false;
	__u32 size;

	if (c->family == AF_INET) {
		__builtin_memcpy(&t.ipv4.daddr, c->laddr, 4);
		__builtin_memcpy(&t.ipv4.saddr, c->raddr, 4);
		t.ipv4.dport = bpf_htons(c->lport);
		size = sizeof(t.ipv4);
	} else {
		__builtin_memcpy(&t.ipv6.daddr, c->laddr, 16);
		__builtin_memcpy(&t.ipv6.saddr, c->raddr, 16);
		t.ipv6.dport = bpf_htons(c->lport);
		size = sizeof(t.ipv6);
	}
	/* Source port 0 matches no connection, so only a listener can be found. */
	found = bpf_skc_lookup_tcp(ctx, &t, size, BPF_F_CURRENT_NETNS, 0);
	if (found) {
		ret = found->state == KTCP_LISTEN;
		bpf_sk_release(found);
	}
	return ret;
}

/* The same of a socket that is no TCP socket to the helpers: MPTCP, in its owner's namespace. */
static __always_inline void conn_fill_held(struct wire_conn *c, struct bpf_sock_addr *ctx,
					   __u64 cookie)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 *laddr = (__u32 *)c->laddr, *raddr = (__u32 *)c->raddr;

	c->cookie = cookie;
	c->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	c->family = ctx->sk->family;
	c->lport = ctx->sk->src_port;
	c->rport = bpf_ntohs(ctx->sk->dst_port);
	if (c->family == AF_INET) {
		laddr[0] = ctx->sk->src_ip4;
		raddr[0] = ctx->sk->dst_ip4;
		return;
	}
	laddr[0] = ctx->sk->src_ip6[0];
	laddr[1] = ctx->sk->src_ip6[1];
	laddr[2] = ctx->sk->src_ip6[2];
	laddr[3] = ctx->sk->src_ip6[3];
	raddr[0] = ctx->sk->dst_ip6[0];
	raddr[1] = ctx->sk->dst_ip6[1];
	raddr[2] = ctx->sk->dst_ip6[2];
	raddr[3] = ctx->sk->dst_ip6[3];
}

static __always_inline void note_accepted(struct bpf_sock_addr *ctx, __u64 cookie)
{
	struct noted n = {.opened = bpf_ktime_get_boot_ns()};
	struct tcp_sock *tcp;

	if (ctx->protocol == IPPROTO_MPTCP) {
		conn_fill_held(&n.conn, ctx, cookie);
	} else {
		tcp = bpf_skc_to_tcp_sock(ctx->sk);
		if (!tcp)
			return;
		conn_fill(&n.conn, (struct sock *)tcp, cookie);
	}
	if (!is_accepted(ctx, &n.conn))
		return;
	if (conn_is_watched(&n.conn))
		n.flags = WIRE_F_WATCHED;
	if (bpf_map_update_elem(&noted, &cookie, &n, BPF_NOEXIST))
		count(WIRE_STAT_map_full_conns);
	else if (n.flags)
		conn_open_emit(&n.conn);
}

/* The connection of an accepted socket, noted now if at most its acceptor asked for it so far. */
static __always_inline struct noted *accepted_noted(struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	struct noted n = {}, *known;

	if (!cookie)
		return NULL;
	known = bpf_map_lookup_elem(&noted, &cookie);
	if (known)
		return known;
	if (is_proven(cookie))
		return NULL;
	conn_fill(&n.conn, sk, cookie);
	if (!n.conn.rport || !has_listener(&n.conn))
		return NULL; /* an outgoing socket, or the listener itself */
	n.opened = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&noted, &cookie, &n, BPF_NOEXIST);
	return bpf_map_lookup_elem(&noted, &cookie);
}

/* A second process asks: it serves the connection. */
static __always_inline void peer_bind(struct bpf_sock_addr *ctx, __u64 cookie)
{
	struct noted *n = bpf_map_lookup_elem(&noted, &cookie);
	struct task_struct *leader;

	if (!n) {
		if (is_proven(cookie))
			return;
		note_accepted(ctx, cookie);
		n = bpf_map_lookup_elem(&noted, &cookie);
		if (!n)
			return;
	}
	leader = current_leader();
	if (leader)
		conn_bind(leader, n);
}

static __always_inline int peer_asked(struct bpf_sock_addr *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, slot;
	__u64 cookie, *first;

	if (!is_held(ctx->protocol) || !ctx->sk)
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	slot = cookie & (ASKED_SLOTS - 1);
	first = bpf_map_lookup_elem(&asked, &slot);
	if (!first)
		return 1;
	if (*first >> 32 != (cookie & 0xffffffff)) {
		*first = cookie << 32 | tgid;
		/* The tracepoint had no cookie to note it by, or saw a subflow only. */
		if ((!use_sock_helpers || ctx->protocol == IPPROTO_MPTCP) && !is_proven(cookie))
			note_accepted(ctx, cookie);
	} else if ((__u32)*first != tgid) {
		peer_bind(ctx, cookie);
	}
	return 1;
}

SEC("cgroup/getpeername4")
int peer_asked4(struct bpf_sock_addr *ctx)
{
	return peer_asked(ctx);
}

SEC("cgroup/getpeername6")
int peer_asked6(struct bpf_sock_addr *ctx)
{
	return peer_asked(ctx);
}

/*
 * An outgoing socket gets its cookie here, before SYN_SENT, on kernels where the tracepoint cannot
 * make one.
 */
static __always_inline int peer_wanted(struct bpf_sock_addr *ctx)
{
	if (!use_sock_helpers)
		bpf_get_socket_cookie(ctx);
	return 1;
}

SEC("cgroup/connect4")
int peer_wanted4(struct bpf_sock_addr *ctx)
{
	return peer_wanted(ctx);
}

SEC("cgroup/connect6")
int peer_wanted6(struct bpf_sock_addr *ctx)
{
	return peer_wanted(ctx);
}
