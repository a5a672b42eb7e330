/*
 * A session manager that serves many by connections of this host: xrdp's. Who came from outside is
 * served by a process of xrdp's own, which asks the manager over loopback; the manager asks PAM and
 * starts the desktop.
 *
 * The process that connects to the manager serves a connection from outside: noted with the port
 * that it connects from. The manager does one thing after the other: when it asks PAM, the one
 * connection whose words it has read and not answered is what it serves, and the one from outside
 * whose port is the other end; so does the next process that it starts.
 *
 * Not seen: whose a try is when that fits two connections, or none while it holds several.
 *
 * Example: 203.0.113.9 to xrdp (pid 7), pid 7 to 127.0.0.1:3350, xrdp-sesman asks PAM.
 */

/* (Namespace, port) of managers. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, struct wire_listener_key);
	__type(value, __u32);
} managers SEC(".maps");

/* Connections to one: the cookie of the client end, until its handshake is done; then its port. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} manager_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct wire_listener_key);
	__type(value, __u64);
} manager_peers SEC(".maps");

static __always_inline bool is_manager(struct task_struct *leader)
{
	__u64 a, b;

	comm_words(leader, &a, &b);
	return word_is(a, "xrdp-ses", 8) && word_is(b, "man", 4);
}

static __always_inline void manager_listens(struct task_struct *leader,
					    const struct wire_listener_key *k)
{
	__u32 one = 1;

	if (leader && is_manager(leader))
		bpf_map_update_elem(&managers, k, &one, BPF_ANY);
}

/* True: it is a manager's, and no more is to be done of it. */
static __always_inline bool manager_called(struct sock *sk, const struct wire_listener_key *k,
					   const struct mark *m)
{
	__u64 cookie, served = m ? m->conn.cookie : 0;

	if (!bpf_map_lookup_elem(&managers, k))
		return false;
	cookie = sock_cookie(sk);
	if (cookie && served && !(served & HANDOFF_ID))
		bpf_map_update_elem(&manager_calls, &cookie, &served, BPF_ANY);
	return true;
}

static __always_inline void manager_established(struct sock *sk, __u64 cookie)
{
	__u64 *served = bpf_map_lookup_elem(&manager_calls, &cookie);
	struct wire_listener_key k = {};
	struct wire_conn c = {};

	if (!served)
		return;
	conn_fill(&c, sk, cookie);
	k.netns = c.netns;
	k.port = c.lport;
	bpf_map_update_elem(&manager_peers, &k, served, BPF_ANY);
	bpf_map_delete_elem(&manager_calls, &cookie);
}

static __always_inline void manager_let_go(struct task_struct *leader, __u64 cookie)
{
	if (mark_drop(leader))
		processes_add(cookie, -1);
}

/* One descriptor: all that came was read, and nothing was answered. */
__noinline int manager_held(__u64 slot)
{
	struct tcp_sock *tp = (struct tcp_sock *)slot_sock(slot);
	__u32 family;

	family = tp ? BPF_CORE_READ((struct sock *)tp, __sk_common.skc_family) : 0;
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ((struct sock *)tp, sk_protocol) != IPPROTO_TCP ||
	    !BPF_CORE_READ(tp, bytes_received) || BPF_CORE_READ(tp, bytes_sent) ||
	    BPF_CORE_READ(tp, copied_seq) != BPF_CORE_READ(tp, rcv_nxt))
		return 0;
	local_held(slot);
	return 0;
}

__noinline int manager_all_held(__u64 slots, __u32 max)
{
	for (__u32 fd = 0; slots && fd < LOCAL_FDS; fd++) {
		if (fd >= max)
			break;
		manager_held(slots + fd * sizeof(struct file *));
	}
	return 0;
}

/* It asks PAM: for which connection from outside? Into the scratch; 0: nobody knows. */
__noinline int manager_looks(void)
{
	struct task_struct *leader = current_leader();
	__u32 zero = 0;
	struct local_look *l = bpf_map_lookup_elem(&local_scratch, &zero);
	struct wire_listener_key k = {};
	struct fdtable *t;
	struct noted *n;
	__u64 *served, slots;
	__u32 max;

	if (!leader || !l)
		return 0;
	t = BPF_CORE_READ(leader, files, fdt);
	slots = (__u64)BPF_CORE_READ(t, fd);
	max = BPF_CORE_READ(t, max_fds);
	l->cookie = 0;
	l->found = 0;
	manager_all_held(slots, max);
	if (!l->found)
		local_all_held(slots, max);
	n = l->found == 1 ? bpf_map_lookup_elem(&noted, &l->cookie) : NULL;
	l->cookie = 0;
	if (!n)
		return 0;
	k.netns = n->conn.netns;
	k.port = n->conn.rport;
	served = bpf_map_lookup_elem(&manager_peers, &k);
	if (served)
		l->cookie = *served;
	return 0;
}

/* What it asked before is over. A function of its own, for the stack of 5.10. */
__noinline int manager_binds(void)
{
	struct task_struct *leader = current_leader();
	__u32 zero = 0;
	struct local_look *l = bpf_map_lookup_elem(&local_scratch, &zero);
	struct noted *n;
	struct mark *m;

	if (!leader || !l)
		return 0;
	m = mark_get(leader);
	if (m && (!(m->flags & MARK_BOUND) || m->conn.cookie == l->cookie))
		return 0; /* a desktop's, started by it; or the same */
	if (m)
		manager_let_go(leader, m->conn.cookie);
	n = bpf_map_lookup_elem(&noted, &l->cookie);
	m = n ? conn_bind(leader, n) : NULL;
	if (m)
		m->flags |= WIRE_F_LOCAL_PEER;
	return 0;
}

/* The child has its mark: the next one is somebody else's. */
static __always_inline void manager_forked(struct task_struct *leader, const struct mark *m)
{
	if ((m->flags & MARK_BOUND) && !(m->flags & MARK_IN_PAM) && is_manager(leader))
		manager_let_go(leader, m->conn.cookie);
}
