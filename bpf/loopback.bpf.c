/*
 * Remote services reached over loopback: who owns the client end of a connection from this host to
 * a watched listener of its own, and which other hosts that process is connected to. A tunnel
 * (ssh -R, Tor, a reverse tunnel tool) holds a connection that it opened itself; a local proxy one
 * that it accepted.
 *
 * The descriptors are looked at when the loopback connection is made, in the process's own
 * context; a process that goes out afterwards is remembered and told when it does. Not seen: a
 * tunnel whose two ends are held by different processes; the outer end over UDP.
 */
#define LOOPBACK_FDS 64

/* wire_loopback.flags, for this file alone */
#define LOOPBACK_BULK  0x10000 /* over its user's share */
#define LOOPBACK_OUTER 0x20000 /* waits for the outer connection of its owner */
#define LOOPBACK_PASSED                                                                            \
	0x40000 /* a port forwarder's: one connection to a container for each client */

/* A record in the making waits for its handshake, by cookie of the client end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct wire_loopback);
} loopbacks SEC(".maps");

/* Owners of such a connection that have gone nowhere yet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct mark_key);
	__type(value, struct wire_loopback);
} loopback_owners SEC(".maps");

/* Clients of port forwarders that have a connection to the container, by cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} passed_on SEC(".maps");

/* [0]: has there ever been one? Spares every other connect() a look-up. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} loopback_any SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_loopback);
} loopback_scratch SEC(".maps");

static __always_inline bool bytes_are_loopback(const struct wire_conn *c)
{
	__u32 word[4], own[4];

	__builtin_memcpy(word, c->raddr, 16);
	__builtin_memcpy(own, c->laddr, 16);
	if (c->family == AF_INET && bpf_ntohl(own[0]) >> 24 == 127)
		return true; /* nothing from there leaves */
	if (word[0] == own[0] && word[1] == own[1] && word[2] == own[2] && word[3] == own[3])
		return true; /* this host under another of its addresses */
	if (c->family == AF_INET)
		return bpf_ntohl(word[0]) >> 24 == 127;
	if (word[0] || word[1])
		return false;
	return (!word[2] && bpf_ntohl(word[3]) == 1) ||
	       (bpf_ntohl(word[2]) == 0xffff && bpf_ntohl(word[3]) >> 24 == 127);
}

/* Cheap, for every connect(): does it stay on this host? */
static __always_inline bool stays_here(struct sock *sk)
{
	struct wire_conn c = {};
	__u32 to, from;

	if (sk->__sk_common.skc_family == AF_INET) {
		to = sk->__sk_common.skc_daddr;
		from = sk->__sk_common.skc_rcv_saddr;
		return bpf_ntohl(to) >> 24 == 127 || bpf_ntohl(from) >> 24 == 127 || to == from;
	}
	conn_fill(&c, sk, 0);
	return bytes_are_loopback(&c);
}

/*
 * Docker's port forwarder, of root's: its process listens for one published port, and connects to
 * the container as often as it accepts. User space decides what the name is worth.
 */
static __always_inline __u32 is_forwarder(struct task_struct *leader)
{
	__u64 a, b;

	comm_words(leader, &a, &b);
	return word_is(a, "docker-p", 8) && word_is(b, "roxy", 5) &&
			       !(__u32)bpf_get_current_uid_gid()
		       ? LOOPBACK_PASSED
		       : 0;
}

static __always_inline bool is_same_host(const struct wire_conn *a, const struct wire_conn *b)
{
	__u64 x[2], y[2];

	__builtin_memcpy(x, a->raddr, 16);
	__builtin_memcpy(y, b->raddr, 16);
	return x[0] == y[0] && x[1] == y[1] && a->rport == b->rport;
}

/* What a forwarder's connection that is made now cannot be for: another's, or one to the container.
 */
static __always_inline bool is_passed_on(const struct wire_loopback *r, const struct wire_conn *c)
{
	__u64 cookie = c->cookie;

	return is_same_host(c, &r->conn) || bpf_map_lookup_elem(&passed_on, &cookie);
}

/*
 * Another TCP connection of that process which leaves this host. A global function of numbers: the
 * verifier looks at it once, not once a descriptor, which took minutes on 5.10 and 6.1.
 */
__noinline int loopback_peer(__u64 slot)
{
	struct sock *sk = slot_conn(slot);
	struct wire_conn c = {};
	struct wire_loopback *r;
	__u32 zero = 0, at;

	r = bpf_map_lookup_elem(&loopback_scratch, &zero);
	at = r ? r->peers_count : WIRE_PEERS;
	if (!r || !sk || at >= WIRE_PEERS)
		return 0;
	conn_fill(&c, sk, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
	if (bytes_are_loopback(&c) || (r->flags & LOOPBACK_PASSED && is_passed_on(r, &c)))
		return 0;
	/* The bound again where older verifiers see it: the check above is on a copy. */
	asm volatile("" : "+r"(at));
	r->peers[at & (WIRE_PEERS - 1)] = c;
	if (has_listener(&c))
		r->accepted |= 1u << at;
	r->peers_count = at + 1;
	return 0;
}

/* Into the scratch record. */
static __always_inline void peers_of(struct task_struct *task)
{
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);
	__u64 slots = (__u64)BPF_CORE_READ(t, fd);
	__u32 max = BPF_CORE_READ(t, max_fds);

	for (__u32 fd = 0; slots && fd < LOOPBACK_FDS; fd++) {
		if (fd >= max)
			break;
		loopback_peer(slots + fd * sizeof(struct file *));
	}
}

/*
 * A forwarder has connected to the container for the one client that is left. A global function of
 * a number, since what the verifier walks would double else.
 */
__noinline int loopback_passed(__u32 forwards)
{
	__u32 zero = 0, one = 1;
	struct wire_loopback *r = bpf_map_lookup_elem(&loopback_scratch, &zero);
	__u64 cookie;

	if (!r || !forwards || r->peers_count != 1 || !r->peers[0].cookie)
		return 0;
	cookie = r->peers[0].cookie;
	bpf_map_update_elem(&passed_on, &cookie, &one, BPF_ANY);
	return 0;
}

/* A connect() that stays here: noted when its port is that of a remote service. */
static __always_inline void loopback_note(struct sock *sk, struct task_struct *leader,
					  __u32 forwards)
{
	struct wire_listener_key k = {};
	/* Its leader may have left, and with it the leader's files. */
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct mark *m = mark_get(leader);
	struct wire_loopback *r;
	enum share_level level;
	__u32 zero = 0, one = 1;
	__u64 cookie;

	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	k.port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (manager_called(sk, &k, m)) {
		bpf_map_update_elem(&loopback_any, &zero, &one, BPF_ANY);
		return;
	}
	if (!is_watched(&k))
		return;
	cookie = sock_cookie(sk);
	r = bpf_map_lookup_elem(&loopback_scratch, &zero);
	if (!cookie || !r)
		return;
	level = share_take((__u32)bpf_get_current_uid_gid(), KIND_LOOPBACK);
	if (level == SHARED_NONE)
		return;
	__builtin_memset(&r->hdr, 0, sizeof(r->hdr));
	r->hdr.kind = KIND_LOOPBACK;
	r->hdr.version = WIRE_VERSION;
	r->hdr.size = sizeof(*r);
	__builtin_memset(&r->proc, 0, sizeof(r->proc));
	proc_fill(&r->proc, leader);
	r->peers_count = r->accepted = r->args_len = 0;
	r->flags = level == SHARED_BULK ? LOOPBACK_BULK : 0;
	r->served = m ? m->conn.cookie : 0;
	__builtin_memset(r->peers, 0, sizeof(r->peers));
	__builtin_memset(r->args, 0, sizeof(r->args));
	__builtin_memset(&r->conn, 0, sizeof(r->conn));
	r->flags |= forwards;
	conn_fill(&r->conn, sk, cookie); /* again when it stands: its port is not known yet */
	peers_of(task);
	loopback_passed(r->flags & LOOPBACK_PASSED);
	r->args_len = args_read(r->args, task, &r->flags);
	bpf_map_update_elem(&loopbacks, &cookie, r, BPF_ANY);
	bpf_map_update_elem(&loopback_any, &zero, &one, BPF_ANY);
}

static __always_inline void loopback_tell(struct wire_loopback *r)
{
	r->hdr.time = bpf_ktime_get_boot_ns();
	count(WIRE_STAT_records);
	if (r->flags & LOOPBACK_BULK) {
		if (bpf_ringbuf_output(&bulk, r, sizeof(*r), 0))
			count(WIRE_STAT_lost_bulk);
	} else if (bpf_ringbuf_output(&precious, r, sizeof(*r), 0)) {
		count(WIRE_STAT_lost_precious);
	}
}

/* A handshake is done: that of the loopback connection, or of its owner's outer one. */
static __always_inline void loopback_established(struct sock *sk, __u64 cookie)
{
	__u32 zero = 0, *any = bpf_map_lookup_elem(&loopback_any, &zero);
	struct wire_loopback *r;
	struct mark_key k = {};

	if (!any || !*any)
		return;
	manager_established(sk, cookie);
	r = bpf_map_lookup_elem(&loopbacks, &cookie);
	if (!r)
		return;
	if (r->flags & LOOPBACK_OUTER) {
		conn_fill(&r->peers[0], sk, cookie);
		r->peers_count = 1;
		loopback_tell(r);
	} else {
		conn_fill(&r->conn, sk, cookie);
		if (r->peers_count) {
			loopback_tell(r);
		} else {
			k.tgid = r->proc.tgid;
			k.start = r->proc.start;
			bpf_map_update_elem(&loopback_owners, &k, r, BPF_ANY);
		}
	}
	bpf_map_delete_elem(&loopbacks, &cookie);
}

/* A process goes out: is it the client end of one? */
static __always_inline void loopback_owner_connects(struct sock *sk, struct task_struct *leader)
{
	__u32 zero = 0, *any = bpf_map_lookup_elem(&loopback_any, &zero);
	struct wire_loopback *r;
	struct mark_key k = {};
	enum share_level level;
	__u64 cookie;

	if (!any || !*any)
		return;
	k.tgid = BPF_CORE_READ(leader, tgid);
	k.start = BPF_CORE_READ(leader, start_boottime);
	r = bpf_map_lookup_elem(&loopback_owners, &k);
	cookie = r ? sock_cookie(sk) : 0;
	if (!cookie)
		return;
	level = share_take(r->proc.uid, KIND_LOOPBACK);
	if (level == SHARED_NONE)
		return;
	r->flags &= ~LOOPBACK_BULK;
	r->flags |= LOOPBACK_OUTER | (level == SHARED_BULK ? LOOPBACK_BULK : 0);
	bpf_map_update_elem(&loopbacks, &cookie, r, BPF_ANY);
}
