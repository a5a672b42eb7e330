/*
 * VPNs over UDP: what a program of this host says first to an outside address. Attached for a
 * minute to the cgroup of a program with the name of such a tool, when it begins (outward_look()):
 * no other socket pays. What a VPN's client says first is known by its bytes, whatever the
 * program's name; a server's answers are not. Of tools that have no servers here any datagram
 * counts, but DNS and NTP.
 *
 * Formats: WireGuard's protocol page (type 1, three zero bytes, 148 bytes in all); OpenVPN's RFC
 * draft (P_CONTROL_HARD_RESET_CLIENT_V2 and V3, key 0); RFC 7296, section 3.1 and RFC 2408 (the
 * responder has no number yet), RFC 3948 (four zero bytes before it on port 4500).
 *
 * Not seen: whose cgroup has no such program; a tool that waits longer than a minute; which session
 * the program belongs to; behind IPv6 extension headers.
 */
#define IPPROTO_UDP   17
#define UDP_DNS	      53
#define UDP_NTP	      123
#define UDP_IKE	      500
#define UDP_IKE_NAT   4500
#define UDP_OPENVPN   1194
#define WG_INITIATION 148
#define OVPN_RESET    14 /* without an HMAC */
#define OVPN_HMAC     42 /* with the shortest */
#define IKE_HEADER    28

struct datagram {
	__u32 at, len; /* payload */
	__u8 data[32];
};

static __always_inline bool datagram_of(struct __sk_buff *skb, struct wire_conn *c,
					struct datagram *d)
{
	__u8 head = 0;
	__u16 words[3] = {};
	__u32 ip;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, &head, 1) ||
		    bpf_skb_load_bytes(skb, 12, c->laddr, 4) ||
		    bpf_skb_load_bytes(skb, 16, c->raddr, 4))
			return false;
		ip = (head & 15) * 4;
		c->family = AF_INET;
	} else {
		if (bpf_skb_load_bytes(skb, 6, &head, 1) || head != IPPROTO_UDP ||
		    bpf_skb_load_bytes(skb, 8, c->laddr, 16) ||
		    bpf_skb_load_bytes(skb, 24, c->raddr, 16))
			return false;
		ip = 40;
		c->family = AF_INET6;
	}
	if (bpf_skb_load_bytes(skb, ip, words, sizeof(words)))
		return false;
	c->lport = bpf_ntohs(words[0]);
	c->rport = bpf_ntohs(words[1]);
	d->len = bpf_ntohs(words[2]) - 8;
	d->at = ip + 8;
	/* What a shorter one lacks stays zero. */
	if (bpf_skb_load_bytes(skb, d->at, d->data, sizeof(d->data)))
		(void)bpf_skb_load_bytes(skb, d->at, d->data, OVPN_RESET);
	return true;
}

static __always_inline bool is_ike(const __u8 *p, __u32 len)
{
	__u32 word[7];

	__builtin_memcpy(word, p, sizeof(word));
	return (word[0] || word[1]) && !word[2] && !word[3] && bpf_ntohl(word[6]) == len &&
	       /* IKEv2's IKE_SA_INIT; IKEv1's main and aggressive mode */
	       ((p[17] == 0x20 && p[18] == 34) || (p[17] == 0x10 && (p[18] == 2 || p[18] == 4)));
}

/* What a client begins a session with: WIRE_SPOKEN_*. */
static __always_inline __u32 spoken_of(const struct datagram *d, __u16 port, bool is_openvpn)
{
	const __u8 *p = d->data;

	if (d->len == WG_INITIATION && p[0] == 1 && !p[1] && !p[2] && !p[3])
		return WIRE_SPOKEN_WIREGUARD;
	if (d->len == OVPN_RESET && p[0] == 7 << 3 && !p[9] && !p[10] && !p[11] && !p[12] && !p[13])
		return WIRE_SPOKEN_OPENVPN;
	if (d->len >= OVPN_HMAC && (p[0] == 7 << 3 || p[0] == 10 << 3) &&
	    (is_openvpn || port == UDP_OPENVPN))
		return WIRE_SPOKEN_OPENVPN;
	if (port == UDP_IKE_NAT && d->len >= IKE_HEADER + 4 && !p[0] && !p[1] && !p[2] && !p[3])
		return is_ike(p + 4, d->len - 4) ? WIRE_SPOKEN_IKE : WIRE_SPOKEN_UDP;
	return d->len >= IKE_HEADER && is_ike(p, d->len) ? WIRE_SPOKEN_IKE : WIRE_SPOKEN_UDP;
}

static __always_inline void outward_udp_tell(struct __sk_buff *skb, struct task_struct *task,
					     const struct wire_conn *c, __u32 spoken)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct outward_key k = {};
	struct wire_outward *r;
	__u64 half[2];
	__u32 dev;

	exe_of(leader, &k.exe, &dev);
	__builtin_memcpy(half, c->raddr, sizeof(half));
	k.host = half[0] ^ half[1] * 31;
	k.uid = BPF_CORE_READ(leader, cred, uid.val);
	k.port = c->rport | 1u << 16; /* not TCP's */
	if (!k.exe || outward_was_told(&k) || share_take(k.uid, KIND_OUTWARD) == SHARED_NONE)
		return; /* the kernel's own: see wireguard.c of the agent */
	r = RECORD(false, KIND_OUTWARD, wire_outward);
	if (!r)
		return;
	proc_fill(&r->proc, leader);
	r->conn = *c;
	r->conn.cookie = bpf_get_socket_cookie(skb);
	r->conn.netns = BPF_CORE_READ(leader, nsproxy, net_ns, ns.inum);
	r->spoken = spoken;
	r->args_len = args_read(r->args, task, &r->flags);
	record_submit_bulk(r, sizeof(*r));
}

SEC("cgroup_skb/egress")
int outward_udp(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	struct task_struct *task;
	struct datagram d = {};
	struct wire_conn c = {};
	__u32 spoken;
	__u64 a, b;

	if (!sk || sk->protocol != IPPROTO_UDP || !datagram_of(skb, &c, &d) || peer_is_inside(&c))
		return 1;
	task = (struct task_struct *)bpf_get_current_task();
	comm_words(BPF_CORE_READ(task, group_leader), &a, &b);
	spoken = spoken_of(&d, c.rport, word_is(a, "openvpn", 7));
	if (spoken == WIRE_SPOKEN_UDP &&
	    (!is_outward_name(a) || is_vpn_name(a) || c.rport == UDP_DNS || c.rport == UDP_NTP))
		return 1;
	outward_udp_tell(skb, task, &c, spoken);
	return 1;
}
