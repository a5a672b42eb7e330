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
