/*
 * Which listeners are remote services: by port, or by the daemon that listens.
 * Only their connections are reported; any other accepted connection is noted and no more.
 */
#ifndef OUTERGATE_BPF_WATCH_H
#define OUTERGATE_BPF_WATCH_H

#include "session.h"

/* What to report: (network namespace, port) of remote services. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wire_listener_key);
	__type(value, __u32);
} watched SEC(".maps");

/* Ports that are remote services wherever they listen. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} watch_ports SEC(".maps");

static __always_inline bool is_watched(const struct wire_listener_key *k)
{
	__u32 port = k->port;

	return bpf_map_lookup_elem(&watch_ports, &port) || bpf_map_lookup_elem(&watched, k);
}

/*
 * Listeners seen: (namespace, port) and when they were told, so that a listen() loop tells nothing
 * new, and an accepted socket is known by its port.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wire_listener_key);
	__type(value, __u64);
} listen_told SEC(".maps");

/* Where no look-up of sockets is allowed: has anybody listened on its local port? */
static __always_inline bool has_listener(const struct wire_conn *c)
{
	struct wire_listener_key k = {};

	k.netns = c->netns;
	k.port = c->lport;
	return is_watched(&k) || bpf_map_lookup_elem(&listen_told, &k);
}

static __always_inline bool conn_is_watched(const struct wire_conn *c)
{
	struct wire_listener_key k = {};

	k.netns = c->netns;
	k.port = c->lport;
	return is_watched(&k);
}

/*
 * Listeners that nobody watches, whose server's answers are looked at for a moment: the first of
 * an hour, each for WIRE_LOOK_NS and at most so often. Whoever reads attaches what sees them.
 */
#define LOOK_ANSWERS 4
#define LOOK_TRIES   4
#define LOOK_PAUSE   3600000000000ull
struct looked {
	__u64 until; /* no other look before */
	__u32 told, tries;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct wire_listener_key);
	__type(value, struct looked);
} looked SEC(".maps");

/*
 * RFC 1122, 1918, 3927, 6598, 4193, 4291, and those in IPv6: what cannot have come over the
 * internet. User space judges the scope; this only spares a look.
 */
__noinline int addr_is_inside(__u64 high, __u64 low, __u32 family)
{
	__u32 w0 = high, w2 = low, a = bpf_ntohl(w0);

	if (family == AF_INET6) {
		if (high)
			return a >> 25 == 0xfc000000 >> 25 || a >> 22 == 0xfe800000 >> 22;
		if (w2 != bpf_htonl(0xffff))
			return !w2;
		a = bpf_ntohl((__u32)(low >> 32));
	}
	return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
	       a >> 16 == 0xa9fe || a >> 22 == 0x64400000 >> 22;
}

static __always_inline bool peer_is_inside(const struct wire_conn *c)
{
	__u64 half[2];

	__builtin_memcpy(half, c->raddr, sizeof(half));
	return addr_is_inside(half[0], half[1], c->family);
}

/*
 * Is what a server there answers wanted now? Counts it. This and the next are global functions of
 * numbers, looked at once by the verifier.
 */
__noinline int look_takes(__u32 netns, __u32 port)
{
	struct wire_listener_key k = {.netns = netns, .port = port};
	struct looked *l = bpf_map_lookup_elem(&looked, &k);

	if (!l || l->told >= LOOK_ANSWERS || bpf_ktime_get_boot_ns() > l->until)
		return 0;
	__sync_fetch_and_add(&l->told, 1);
	return 1;
}

/* Somebody was accepted there: is it time for a look? */
__noinline int look_is_due(__u32 netns, __u32 port)
{
	struct wire_listener_key k = {.netns = netns, .port = port};
	struct looked *l = bpf_map_lookup_elem(&looked, &k), fresh = {.tries = 1};
	__u64 now = bpf_ktime_get_boot_ns();

	if (!l) {
		fresh.until = now + WIRE_LOOK_NS;
		return !bpf_map_update_elem(&looked, &k, &fresh, BPF_ANY);
	}
	if (now < l->until)
		return 0;
	if (l->told || l->tries >= LOOK_TRIES) {
		l->told = l->tries = 0;
		l->until = now + LOOK_PAUSE;
		return 0;
	}
	l->tries++;
	l->until = now + WIRE_LOOK_NS;
	return 1;
}

static __always_inline void conn_open_emit(const struct wire_conn *c)
{
	struct wire_conn_open *r = RECORD(false, KIND_CONN_OPEN, wire_conn_open);

	if (!r)
		return;
	r->conn = *c;
	r->flags = WIRE_F_WATCHED;
	record_submit_bulk(r, sizeof(*r));
}

#endif
