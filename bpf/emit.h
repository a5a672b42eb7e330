/*
 * The only writer: two rings, counters, and the small state every program shares.
 *
 * Precious records (auth, session end, listen) wake the reader at once; bulk records wake it only
 * when they enter an empty ring, and its timer drains the rest. Every record is zeroed, every
 * failure counted.
 */
#ifndef OUTERGATE_EMIT_H
#define OUTERGATE_EMIT_H

#include "kernel.h"
#include "common/wire.h"

/*
 * Chosen by the loader: what this kernel loads. Task storage is there from 5.12 but for cgroup
 * programs, which mark too, only after 6.12; the helpers that take a struct sock from 5.12.
 */
const volatile bool use_task_storage = true;
const volatile bool use_sock_helpers = true;

/* One login makes about 6 precious records of at most 376 bytes: 512 KiB hold 200 logins. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} precious SEC(".maps");

/* 2,000 exec/s of 656 bytes for one second of a stalled reader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} bulk SEC(".maps");

/* Summed over CPUs by the loader; mmap-able so that the unprivileged reader needs no bpf(2). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_STAT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *v = bpf_map_lookup_elem(&counters, &which);

	if (v)
		__sync_fetch_and_add(v, 1);
}

static __always_inline void *record_begin(bool is_precious, __u16 kind, __u32 size)
{
	struct wire_hdr *h;

	h = is_precious ? bpf_ringbuf_reserve(&precious, size, 0)
			: bpf_ringbuf_reserve(&bulk, size, 0);
	if (!h) {
		count(is_precious ? WIRE_STAT_lost_precious : WIRE_STAT_lost_bulk);
		return NULL;
	}
	__builtin_memset(h, 0, size);
	h->kind = kind;
	h->version = WIRE_VERSION;
	h->size = size;
	h->time = bpf_ktime_get_boot_ns();
	return h;
}

static __always_inline void record_submit_precious(void *r)
{
	count(WIRE_STAT_records);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void record_submit_bulk(void *r, __u32 size)
{
	/* What is there beside this record (8 bytes of ring header)? Nothing: wake the reader. */
	__u64 avail = bpf_ringbuf_query(&bulk, BPF_RB_AVAIL_DATA);

	count(WIRE_STAT_records);
	bpf_ringbuf_submit(r, avail > size + 8 ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP);
}

/*
 * Each user's share of the rings for what anybody can cause (a listener, a connection to loopback):
 * so many a second are precious, some more are bulk, the rest is counted, so that a loop of one
 * user costs nobody's login its record.
 */
#define SHARE_PRECIOUS 32
#define SHARE_BULK     256
#define SHARE_NS       1000000000ull
enum share_level {
	SHARED_PRECIOUS,
	SHARED_BULK,
	SHARED_NONE
};
struct share {
	__u64 since;
	__u32 used, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64); /* user << 32 | what: a loop of one kind leaves the other its share */
	__type(value, struct share);
} shares SEC(".maps");

static __always_inline enum share_level share_take(__u32 uid, __u32 what)
{
	__u64 key = (__u64)uid << 32 | what, now = bpf_ktime_get_boot_ns();
	struct share *s = bpf_map_lookup_elem(&shares, &key), fresh = {};

	if (!s) {
		fresh.since = now;
		fresh.used = 1;
		bpf_map_update_elem(&shares, &key, &fresh, BPF_ANY);
		return SHARED_PRECIOUS;
	}
	if (now - s->since > SHARE_NS) {
		s->since = now;
		s->used = 0;
	}
	s->used++;
	if (s->used <= SHARE_PRECIOUS)
		return SHARED_PRECIOUS;
	if (s->used <= SHARE_BULK)
		return SHARED_BULK;
	count(WIRE_STAT_over_share);
	return SHARED_NONE;
}

#define RECORD(is_precious, KIND, type)                                                            \
	((struct type *)record_begin(is_precious, KIND, sizeof(struct type)))

enum {
#define KIND_ENUM(id, name, type, prec) KIND_##name = id,
	WIRE_KINDS(KIND_ENUM)
};

#endif
