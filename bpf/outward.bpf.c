/*
 * Connections that a process of this host makes to a remote service elsewhere, or that a tool of
 * outside VPNs and remote access makes: by the port, or by the process's name. Told when the
 * handshake is done, once for a program, host and port in ten minutes. Any other connect() pays
 * for a few comparisons.
 *
 * Over UDP: see outward_udp.bpf.c. Not seen: a tool under another name on another port.
 */
#define OUTWARD_PAUSE 600000000000ull

/* Begun, by the cookie of the socket: the record as it will be. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct wire_outward);
} outwards SEC(".maps");

struct outward_key {
	__u64 exe, host;
	__u32 uid, port;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct outward_key);
	__type(value, __u64); /* when */
} outward_told SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_outward);
} outward_scratch SEC(".maps");

/* Remote services; OpenVPN, PPTP, TeamViewer, AnyDesk, cloudflared, RustDesk. */
static __always_inline bool is_outward_port(__u16 p)
{
	return p == 22 || p == 23 || p == 135 || p == 139 || p == 445 || p == 593 || p == 3389 ||
	       (p >= 5900 && p < 5910) || p == 5985 || p == 5986 || p == 1194 || p == 1723 ||
	       p == 5938 || p == 6568 || p == 7844 || (p >= 21115 && p <= 21119);
}

/* Names that user space knows; a prefix is enough here, since it looks again. */
static __always_inline bool is_outward_name(__u64 a)
{
	return word_is(a, "openvpn", 7) || word_is(a, "openconn", 8) || word_is(a, "vpnc", 5) ||
	       word_is(a, "sstpc", 5) || word_is(a, "pptp", 4) || word_is(a, "tailscal", 8) ||
	       word_is(a, "zerotier", 8) || word_is(a, "cloudfla", 8) || word_is(a, "ngrok", 6) ||
	       word_is(a, "teamview", 8) || word_is(a, "TeamView", 8) || word_is(a, "anydesk", 8) ||
	       word_is(a, "rustdesk", 8) || word_is(a, "frpc", 5) || word_is(a, "chisel", 7) ||
	       word_is(a, "gs-netca", 8) || word_is(a, "meshagen", 8) || word_is(a, "netbird", 8) ||
	       word_is(a, "wstunnel", 8) || word_is(a, "dwagsvc", 8) || word_is(a, "tor", 4);
}

/* Those whose servers are called the same: of them only what a client says first counts. */
static __always_inline bool is_vpn_name(__u64 a)
{
	return word_is(a, "openvpn", 7) || word_is(a, "charon", 6) || word_is(a, "pluto", 6) ||
	       word_is(a, "wireguar", 8) || word_is(a, "boringtu", 8);
}

/* A program that may speak a VPN's protocol over UDP: its cgroup is worth a look. task: its leader.
 * A global function of a number, for the verifier. */
__noinline int outward_look(__u64 task)
{
	struct task_struct *leader = (struct task_struct *)task;
	struct wire_look *r;
	__u64 a, b, cgroup;

	comm_words(leader, &a, &b);
	if ((!is_outward_name(a) && !is_vpn_name(a)) ||
	    share_take(BPF_CORE_READ(leader, cred, uid.val), KIND_LOOK) == SHARED_NONE)
		return 0;
	cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	r = RECORD(false, KIND_LOOK, wire_look);
	if (!r)
		return 0;
	r->cgroup = cgroup; /* and no connection */
	record_submit_bulk(r, sizeof(*r));
	return 0;
}

static __always_inline __u64 host_of(struct sock *sk)
{
	struct wire_conn c = {};
	__u64 half[2];

	conn_fill(&c, sk, 0);
	__builtin_memcpy(half, c.raddr, 16);
	return half[0] ^ half[1] * 31;
}

/* Has this program told of that host and port lately? */
static __always_inline bool outward_was_told(const struct outward_key *k)
{
	__u64 now = bpf_ktime_get_boot_ns(), *told = bpf_map_lookup_elem(&outward_told, k);

	if (told && now - *told < OUTWARD_PAUSE)
		return true;
	bpf_map_update_elem(&outward_told, k, &now, BPF_ANY);
	return false;
}

static __always_inline bool outward_is_known(struct sock *sk, struct task_struct *leader)
{
	struct outward_key k = {};
	__u32 dev;

	exe_of(leader, &k.exe, &dev);
	k.host = host_of(sk);
	k.uid = (__u32)bpf_get_current_uid_gid();
	k.port = sk->__sk_common.skc_dport;
	return outward_was_told(&k);
}

static __always_inline void outward_begins(struct sock *sk, struct task_struct *leader,
					   __u64 cookie, __u64 session)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u16 port = bpf_ntohs(sk->__sk_common.skc_dport);
	struct wire_outward *r;
	__u32 zero = 0;
	__u64 a, b;

	comm_words(leader, &a, &b);
	if ((!is_outward_port(port) && !is_outward_name(a)) || !cookie ||
	    outward_is_known(sk, leader))
		return;
	r = bpf_map_lookup_elem(&outward_scratch, &zero);
	if (!r || share_take((__u32)bpf_get_current_uid_gid(), KIND_OUTWARD) == SHARED_NONE)
		return;
	__builtin_memset(&r->hdr, 0, sizeof(r->hdr));
	__builtin_memset(&r->proc, 0, sizeof(r->proc));
	__builtin_memset(&r->conn, 0, sizeof(r->conn));
	__builtin_memset(r->args, 0, sizeof(r->args));
	r->hdr.kind = KIND_OUTWARD;
	r->hdr.version = WIRE_VERSION;
	r->hdr.size = sizeof(*r);
	proc_fill(&r->proc, leader);
	r->session = session;
	r->flags = r->spoken = 0;
	r->args_len = args_read(r->args, task, &r->flags);
	bpf_map_update_elem(&outwards, &cookie, r, BPF_ANY);
}

static __always_inline void outward_established(struct sock *sk, __u64 cookie)
{
	struct wire_outward *r = bpf_map_lookup_elem(&outwards, &cookie);

	if (!r)
		return;
	r->hdr.time = bpf_ktime_get_boot_ns();
	conn_fill(&r->conn, sk, cookie);
	count(WIRE_STAT_records);
	if (bpf_ringbuf_output(&bulk, r, sizeof(*r), 0))
		count(WIRE_STAT_lost_bulk);
	bpf_map_delete_elem(&outwards, &cookie);
}
