/*
 * The first bytes of connections of watched listeners: what the client calls itself (a banner, an
 * algorithm list, a ClientHello), a PROXY header, HTTP requests. Attached to the cgroups whose
 * sockets those are, never to the whole host where there are others, so a segment of an unwatched
 * service runs nothing here.
 *
 * Told are the first FIRST_MAX bytes from the client, the first FIRST_ANSWER from the server, and
 * of HTTP each later request and status line. Whoever reads puts them in order by offset. They have
 * a ring of their own: a flood of banners costs no other record its place.
 *
 * Of a listener that nobody watches the first segment of a server's answer is told, for seconds
 * (watch.h).
 *
 * Not seen: inside TLS; a request that begins in the middle of a segment; more of a body than
 * FIRST_MAX; IPv6 with extension headers.
 */
#define FIRST_MAX    4096
#define FIRST_ANSWER 512

#define ETH_P_IP       0x0800 /* include/uapi/linux/if_ether.h */
#define ETH_P_IPV6     0x86dd
#define EXTENSIONS_MAX 8

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} first SEC(".maps");

/* A connection that speaks HTTP: so many more bytes of the last request are wanted. */
struct first_http {
	__u32 left, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct first_http);
} first_https SEC(".maps");

struct segment {
	__u32 at, len; /* payload, in the packet */
	__u32 seq;
};

/*
 * Where TCP begins behind extension headers (RFC 8200, section 4: hop-by-hop options, routing,
 * destination options); 0: nowhere. Fragments have been put together before. A global function, so
 * that the verifier walks on once and not once a number of headers.
 */
__noinline int tcp_in_ipv6(struct __sk_buff *skb)
{
	__u8 next = 0, head[2] = {};
	int at = 40;

	if (bpf_skb_load_bytes(skb, 6, &next, 1))
		return 0;
	for (int i = 0; i < EXTENSIONS_MAX && next != IPPROTO_TCP; i++) {
		if (next != 0 && next != 43 && next != 60)
			return 0;
		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)))
			return 0;
		next = head[0];
		at += (head[1] + 1) * 8;
	}
	return next == IPPROTO_TCP ? at : 0;
}

static __always_inline bool segment_of(struct __sk_buff *skb, struct segment *s)
{
	__u8 first_byte = 0, doff = 0;
	__u32 ip, seq = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, &first_byte, 1))
			return false;
		ip = (first_byte & 15) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		ip = (__u32)tcp_in_ipv6(skb);
		if (!ip)
			return false;
	} else {
		return false;
	}
	if (bpf_skb_load_bytes(skb, ip + 12, &doff, 1) ||
	    bpf_skb_load_bytes(skb, ip + 4, &seq, sizeof(seq)))
		return false;
	s->at = ip + (doff >> 4) * 4;
	s->seq = bpf_ntohl(seq);
	if (s->at >= skb->len)
		return false;
	s->len = skb->len - s->at;
	return true;
}

/* RFC 9110: the methods that remote services answer. */
static __always_inline bool is_request(__u32 word)
{
	return word == bpf_htonl(0x47455420) || word == bpf_htonl(0x504f5354) || /* GET POST */
	       word == bpf_htonl(0x50555420) || word == bpf_htonl(0x44454c45) || /* PUT DELE */
	       word == bpf_htonl(0x48454144) || word == bpf_htonl(0x50415443) || /* HEAD PATC */
	       word == bpf_htonl(0x4f505449) || word == bpf_htonl(0x434f4e4e);	 /* OPTI CONN */
}

static __always_inline bool is_answer(__u32 word)
{
	return word == bpf_htonl(0x48545450); /* HTTP */
}

/* As much of the segment as is wanted, from its beginning. Two sizes, since a ring wants constants.
 */
#define FIRST_EMIT(type, KIND)                                                                     \
	do {                                                                                       \
		struct type *r = bpf_ringbuf_reserve(&first, sizeof(*r), 0);                       \
		__u64 n;                                                                           \
                                                                                                   \
		if (!r) {                                                                          \
			count(WIRE_STAT_lost_data);                                                \
			return;                                                                    \
		}                                                                                  \
		r->head.hdr.kind = KIND;                                                           \
		r->head.hdr.version = WIRE_VERSION;                                                \
		r->head.hdr.size = sizeof(*r);                                                     \
		r->head.hdr.time = bpf_ktime_get_boot_ns();                                        \
		r->head.conn = *conn;                                                              \
		r->head.off = off;                                                                 \
		r->head.flags = flags;                                                             \
		r->head.pad = 0;                                                                   \
		/* 1 to its size, a power of two, in a way that the verifier of older kernels      \
		 * follows. */                                                                     \
		n = want - 1;                                                                      \
		asm volatile("" : "+r"(n));                                                        \
		n = (n & (sizeof(r->data) - 1)) + 1;                                               \
		if (bpf_skb_load_bytes(skb, s->at, r->data, n)) {                                  \
			bpf_ringbuf_discard(r, 0);                                                 \
			return;                                                                    \
		}                                                                                  \
		r->head.len = n;                                                                   \
		count(WIRE_STAT_records);                                                          \
		bpf_ringbuf_submit(r, 0);                                                          \
	} while (0)

static __always_inline void first_emit(struct __sk_buff *skb, const struct wire_conn *conn,
				       const struct segment *s, __u32 off, __u32 want, __u32 flags)
{
	if (want <= WIRE_DATA_MAX)
		FIRST_EMIT(wire_data, KIND_DATA);
	else
		FIRST_EMIT(wire_data_long, KIND_DATA_LONG);
}

/* Of an answer never more than FIRST_ANSWER is wanted. */
static __always_inline void first_emit_answer(struct __sk_buff *skb, const struct wire_conn *conn,
					      const struct segment *s, __u32 off, __u32 want,
					      __u32 flags)
{
	FIRST_EMIT(wire_data, KIND_DATA);
}

/* Of that listener: 0, or WIRE_DATA_LOOK where nobody watches it; -1: nothing is wanted. */
__noinline int first_wanted(__u32 netns, __u32 port, __u32 may_look)
{
	struct wire_listener_key k = {.netns = netns, .port = port};

	if (is_watched(&k))
		return 0;
	return may_look && look_takes(netns, port) ? WIRE_DATA_LOOK : -1;
}

static __always_inline __u32 came_from_outside(struct bpf_sock *sk)
{
	__u64 high, low = 0;

	if (sk->family == AF_INET) {
		high = sk->dst_ip4;
	} else {
		high = (__u64)sk->dst_ip6[1] << 32 | sk->dst_ip6[0];
		low = (__u64)sk->dst_ip6[3] << 32 | sk->dst_ip6[2];
	}
	return !addr_is_inside(high, low, sk->family);
}

/* Whose connection it is. may_look: a listener that nobody watches counts, too: then flags say so.
 */
static __always_inline bool first_conn(struct __sk_buff *skb, struct bpf_sock *sk,
				       struct wire_conn *conn, __u32 may_look, __u32 *flags)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	__u32 netns;
	int look;

	if (!tcp)
		return false;
	netns = BPF_CORE_READ((struct sock *)tcp, __sk_common.skc_net.net, ns.inum);
	look = first_wanted(netns, sk->src_port, may_look);
	if (look < 0)
		return false;
	*flags |= look;
	conn_fill(conn, (struct sock *)tcp, bpf_get_socket_cookie(skb));
	return conn->cookie != 0;
}

/* From the client. */
SEC("cgroup_skb/ingress")
int first_in(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	struct bpf_tcp_sock *tp = sk ? bpf_tcp_sock(sk) : NULL;
	struct first_http *http, fresh = {};
	__u32 flags = 0, off, word = 0, want;
	struct wire_conn conn = {};
	struct segment s;
	bool early, asks;

	if (!tp)
		return 1;
	early = tp->bytes_received < FIRST_MAX;
	http = bpf_sk_storage_get(&first_https, sk, NULL, 0);
	if ((!early && !http) || !segment_of(skb, &s))
		return 1;
	off = s.seq - (tp->rcv_nxt - (__u32)tp->bytes_received);
	(void)bpf_skb_load_bytes(skb, s.at, &word, sizeof(word));
	want = off < FIRST_MAX ? FIRST_MAX - off : 0;
	asks = is_request(word);
	if (asks) {
		flags = WIRE_DATA_REQUEST;
		want = FIRST_MAX;
	} else if (http && http->left) {
		want = http->left;
	} else if (!early || !want || off >= FIRST_MAX) {
		return 1;
	}
	if (want > s.len)
		want = s.len;
	if (!want || !first_conn(skb, sk, &conn, 0, &flags))
		return 1;
	if (asks && !http) {
		http = bpf_sk_storage_get(&first_https, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
		if (!http) /* its later requests are not seen */
			count(WIRE_STAT_mark_failed);
	}
	if (http)
		http->left = asks ? FIRST_MAX - want : http->left > want ? http->left - want : 0;
	first_emit(skb, &conn, &s, off, want, flags);
	return 1;
}

/* From the server. */
SEC("cgroup_skb/egress")
int first_out(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	struct bpf_tcp_sock *tp = sk ? bpf_tcp_sock(sk) : NULL;
	struct first_http *http;
	__u32 off, word = 0, want, flags = WIRE_DATA_ANSWER;
	struct wire_conn conn = {};
	struct segment s;

	if (!tp)
		return 1;
	http = bpf_sk_storage_get(&first_https, sk, NULL, 0);
	if ((tp->bytes_acked >= FIRST_ANSWER && !http) || !segment_of(skb, &s))
		return 1;
	off = s.seq - (tp->snd_una - (__u32)tp->bytes_acked);
	(void)bpf_skb_load_bytes(skb, s.at, &word, sizeof(word));
	want = off < FIRST_ANSWER ? FIRST_ANSWER - off : 0;
	if (http) {
		if (!is_answer(word))
			return 1;
		want = FIRST_ANSWER;
		flags |= WIRE_DATA_REQUEST;
	}
	if (want > s.len)
		want = s.len;
	if (!want || !first_conn(skb, sk, &conn, !off && came_from_outside(sk), &flags))
		return 1;
	first_emit_answer(skb, &conn, &s, off, want, flags);
	return 1;
}
