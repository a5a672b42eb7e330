/*
 * Whose connection is it. The getpeername hooks run inside accept() when an address is asked for
 * and at every later getpeername(), in process context. The first process that asks is the
 * acceptor and is never bound; another that asks later serves the connection: it is bound.
 *
 * Not seen here: accept(NULL) with no later getpeername (process.bpf.c looks at the descriptors).
 */

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

static __always_inline void note_accepted(struct bpf_sock_addr *ctx, struct sock *sk, __u64 cookie,
					  __u32 tgid)
{
	struct noted n = {.opened = bpf_ktime_get_boot_ns(), .acceptor = tgid};

	conn_fill(&n.conn, sk, cookie);
	if (!is_accepted(ctx, &n.conn))
		return;
	if (conn_is_watched(&n.conn))
		n.flags = WIRE_F_WATCHED;
	if (bpf_map_update_elem(&noted, &cookie, &n, BPF_NOEXIST))
		count(WIRE_STAT_map_full_conns);
	else if (n.flags)
		conn_open_emit(&n.conn);
}

static __always_inline int peer_asked(struct bpf_sock_addr *ctx)
{
	struct task_struct *leader;
	struct tcp_sock *tcp;
	__u64 cookie;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct noted *n;

	if (ctx->protocol != IPPROTO_TCP || !ctx->sk)
		return 1;
	tcp = bpf_skc_to_tcp_sock(ctx->sk);
	if (!tcp)
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	n = bpf_map_lookup_elem(&noted, &cookie);
	if (!n) {
		if (!bpf_map_lookup_elem(&proven, &cookie))
			note_accepted(ctx, (struct sock *)tcp, cookie, tgid);
		return 1;
	}
	if (!n->acceptor)
		n->acceptor = tgid;
	if (n->acceptor == tgid)
		return 1;
	leader = current_leader();
	if (leader)
		conn_bind(leader, n);
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
 * An outgoing socket of a session gets its cookie here, before SYN_SENT, on kernels where the
 * tracepoint cannot make one.
 */
static __always_inline int peer_wanted(struct bpf_sock_addr *ctx)
{
	struct task_struct *leader = current_leader();

	if (!use_task_storage && leader && mark_get(leader))
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
