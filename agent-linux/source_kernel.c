/*
 * source_kernel: records from the two rings, in the order of their times, and from the snapshot
 * iterators.
 *
 * Precious records wake us at once. Bulk records wake us when they enter an empty ring; a timer
 * then drains while records keep coming and disarms after one empty round. Whatever woke us, both
 * rings are merged: the end of a session must not overtake what ran in it.
 */
#include "containers.h"
#include "engine.h"
#include "exposure.h"
#include "host.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "proc_table.h"

#define BULK_DRAIN_NS	10000000l /* 10 ms */
#define UID_USERS	1000	  /* login.defs: UID_MIN */
#define UID_NOBODY	65534
#define LIBPAM_SOON	20000000ull   /* a connection's process runs by then */
#define LIBPAM_PAUSE	2000000000ull /* a flood of connections asks for no more */
#define DRAIN_MAX	4096	      /* then other inputs get their turn */
#define DRAIN_ROUNDS	16	      /* as much as the larger ring holds */
#define SNAPSHOT_ROUNDS 16	      /* deeper process trees are completed by their next exec */
#define BYTES_BUSY	5000000000ull
#define BYTES_IDLE	30000000000ull

/*
 * Names for numbers: the account of a user's process found at start (daemons' own processes are
 * left to the core, which takes a name as proof of a login), and who runs a program on a
 * connection that nobody has logged in on.
 */
static void name_users(struct event *ev)
{
	bool found = ev->kind == EVENT_SNAPSHOT && ev->uid >= UID_USERS && ev->uid < UID_NOBODY;
	bool by_server = ev->kind == EVENT_SERVER_SHELL;
	bool unseen = ev->kind == EVENT_EXEC && !(ev->flags & (EVENT_PROVEN | EVENT_HELPER));
	const struct passwd *pw;

	if (!found && !unseen && !by_server && ev->kind != EVENT_OUTWARD)
		return;
	pw = host_user(ev->uid);
	if (!pw)
		return;
	ev->user = span_of(pw->pw_name);
	if ((found || by_server) && span_empty(ev->account))
		ev->account = ev->user;
}

/* Daemons that may have a libpam of their own: who listens, and who accepts without a verdict. */
static void libpam_hint(struct engine *e, const struct event *ev)
{
	uint64_t soon;

	if (ev->kind != EVENT_CONNECTION && ev->kind != EVENT_LISTEN)
		return;
	if (ev->kind == EVENT_LISTEN) {
		/* Anybody may listen in a root of their own making (unshare -r). */
		if (ev->flags & EVENT_ROOT)
			libpam_listener(e, ev->proc.pid);
		e->libpam_hint_ns = 0;
	}
	/* OpenSSH 10 maps it only in the process of a connection: look when that one runs. */
	soon = clock_wall_ns() + LIBPAM_SOON;
	if (soon > e->libpam_hint_ns + LIBPAM_PAUSE && soon < e->libpam_scan_ns) {
		e->libpam_scan_ns = soon;
		e->libpam_hint_ns = soon;
	}
}

/* A watched listener: what its clients say first is read where its sockets are. */
static void first_hint(struct engine *e, const struct event *ev)
{
	struct priv_msg m = {.kind = PRIV_FIRST, .value = {ev->cgroup}};
	int r;

	if (ev->kind != EVENT_LISTEN || !(ev->flags & EVENT_WATCHED) || !ev->cgroup)
		return;
	r = priv_call(e->setup.priv, &m, NULL);
	if (!r) {
		e->reads_first = true;
		return;
	}
	snprintf(e->first_reason, sizeof(e->first_reason), "of port %u: %s", ev->dest.port,
		 r == -EUSERS  ? "as many cgroups as can be are read already"
		 : r == -EBUSY ? SENSOR_CGROUP_TAKEN
			       : strerror(-r));
}

#define AGENT_DIR  "/tmp/ssh-"
#define AGENT_NAME "/agent."

/*
 * sshd and ssh-agent name an agent's socket after a process of theirs: of the same session it is
 * the one that was forwarded to it, or that it started.
 */
static void agent_owner(struct engine *e, struct event *ev)
{
	char path[128];
	const char *at;
	unsigned long pid;

	if (ev->kind != EVENT_HANDOFF || !span_starts(ev->path, SPAN_LIT(AGENT_DIR)))
		return;
	span_copy(path, sizeof(path), ev->path);
	at = strstr(path, AGENT_NAME);
	pid = at ? strtoul(at + sizeof(AGENT_NAME) - 1, NULL, 10) : 0;
	if (pid && pid <= UINT32_MAX && ev->conn &&
	    proc_table_conn(e->procs, (uint32_t)pid) == ev->conn)
		ev->flags |= EVENT_OWN;
}

/* Where the program of a tunnel's or an agent's process lies; it may be gone by now. */
static void name_program(struct engine *e, struct event *ev, char path[PRIV_NAME_MAX])
{
	struct priv_msg m = {.kind = PRIV_PROGRAM, .arg = ev->proc.pid};

	if ((ev->kind != EVENT_LOOPBACK && ev->kind != EVENT_AGENT && ev->kind != EVENT_OUTWARD) ||
	    priv_call(e->setup.priv, &m, NULL))
		return;
	m.name[PRIV_NAME_MAX - 1] = '\0';
	memcpy(path, m.name, PRIV_NAME_MAX);
	ev->path = span_of(path);
}

/* The command line of an agent, which the kernel's program could not read. */
static void name_agent(struct event *ev, char words[WIRE_ARGS])
{
	char path[32];
	FILE *f;

	if (ev->kind != EVENT_AGENT || !span_empty(ev->args))
		return;
	snprintf(path, sizeof(path), "/proc/%u/cmdline", ev->proc.pid);
	f = fopen(path, "re");
	if (!f)
		return; /* it is gone */
	ev->args = (struct span){words, fread(words, 1, WIRE_ARGS, f)};
	(void)fclose(f);
}

static void record_deliver(struct engine *e, const void *data, size_t len)
{
	const char *reason = NULL;
	struct stats *st = core_stats(e->core);
	char program[PRIV_NAME_MAX], words[WIRE_ARGS], mac[NEIGHBOUR_TEXT];
	struct container_texts container;
	struct event ev;

	e->kernel_stream.boot_to_wall_ns = (int64_t)(clock_wall_ns() - clock_boot_ns());
	st->records_read++;
	switch (decode_wire(&e->kernel_stream, data, len, &ev, &reason)) {
	case DECODE_EVENT:
		name_users(&ev);
		proc_table_note(e->procs, &ev);
		agent_owner(e, &ev);
		name_program(e, &ev, program);
		name_agent(&ev, words);
		containers_name(e, &ev, &container);
		neighbour_name(e, &ev, mac);
		/* A job or a unit is written before somebody starts it. */
		if (ev.handoff && ev.kind == EVENT_EXEC)
			fanotify_source_take(e, ev.handoff);
		engine_event(e, &ev);
		fanotify_source_later(e);
		containers_done(&container);
		libpam_hint(e, &ev);
		first_hint(e, &ev);
		exposures_hint(e, &ev);
		break;
	case DECODE_BAD:
		st->records_bad++;
		break;
	case DECODE_SKIPPED:
		looks_hint(e, &ev);
		break;
	}
}

/* libbpf gives records to a callback; one that says "stop" after each makes it a reader. */
#define ONE_RECORD (-EAGAIN)

static int on_record(void *arg, void *data, size_t len)
{
	struct ring_slot *slot = arg;

	if (len > sizeof(slot->data))
		len = sizeof(struct wire_hdr); /* of no kind we know: decoded as bad, counted */
	memcpy(slot->data, data, len);
	slot->len = len;
	return ONE_RECORD;
}

static bool slot_fill(struct ring_slot *slot)
{
	if (!slot->len)
		ring_buffer__consume(slot->ring);
	return slot->len != 0;
}

static uint64_t slot_time(const struct ring_slot *slot)
{
	struct wire_hdr h;

	if (slot->len < sizeof(h))
		return 0;
	memcpy(&h, slot->data, sizeof(h));
	return h.time;
}

/* Delivers at most DRAIN_MAX records, oldest first; returns how many. */
static unsigned rings_drain(struct engine *e)
{
	unsigned n;

	for (n = 0; n < DRAIN_MAX; n++) {
		struct ring_slot *next = NULL;

		for (unsigned i = 0; i < KERNEL_RINGS; i++) {
			struct ring_slot *s = &e->setup.slots[i];

			if (slot_fill(s) && (!next || slot_time(s) < slot_time(next)))
				next = s;
		}
		if (!next)
			break;
		record_deliver(e, next->data, next->len);
		next->len = 0;
	}
	return n;
}

void kernel_source_drain(struct engine *e)
{
	for (unsigned i = 0; i < DRAIN_ROUNDS && rings_drain(e) == DRAIN_MAX; i++)
		;
}

static void bulk_timer(struct engine *e, long ns)
{
	struct itimerspec t = {.it_value.tv_nsec = ns};

	timerfd_settime(e->bulk_timer.fd, 0, &t, NULL);
}

static void on_ring(struct engine *e, struct watcher *w)
{
	(void)w;
	rings_drain(e);
	bulk_timer(e, BULK_DRAIN_NS);
}

static void on_bulk_timer(struct engine *e, struct watcher *w)
{
	uint64_t n;

	(void)!read(w->fd, &n, sizeof(n));
	if (rings_drain(e))
		bulk_timer(e, BULK_DRAIN_NS);
}

int kernel_rings_open(struct ring_slot slots[KERNEL_RINGS], const int maps[KERNEL_RINGS])
{
	for (unsigned i = 0; i < KERNEL_RINGS; i++) {
		slots[i].ring = ring_buffer__new(maps[i], on_record, &slots[i], NULL);
		if (!slots[i].ring)
			return -errno;
	}
	return 0;
}

int kernel_source_open(struct engine *e)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), r;

	e->kernel_stream.first = calloc(1, sizeof(*e->kernel_stream.first));
	if (fd < 0 || !e->kernel_stream.first)
		return -errno;
	r = engine_watch(e, &e->bulk_timer, fd, on_bulk_timer, NULL);
	for (unsigned i = 0; i < KERNEL_RINGS && !r; i++)
		r = engine_watch(e, &e->rings[i], ring_buffer__epoll_fd(e->setup.slots[i].ring),
				 on_ring, NULL);
	/* What the rings kept while nobody read comes before what is there now. */
	while (!r && rings_drain(e) == DRAIN_MAX)
		;
	return r;
}

int snapshot_read(struct engine *e, enum priv_snapshot which,
		  void (*take)(struct engine *e, const void *record, size_t len))
{
	struct priv_msg m = {.kind = PRIV_SNAPSHOT, .arg = (uint32_t)which};
	_Alignas(8) char buf[65536];
	size_t have = 0;
	int fd, count = 0, r = priv_call(e->setup.priv, &m, &fd);

	if (r)
		return r;
	for (;;) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have);
		size_t at = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		have += (size_t)n;
		while (have - at >= sizeof(struct wire_hdr)) {
			struct wire_hdr h;

			memcpy(&h, buf + at, sizeof(h));
			if (h.size < sizeof(h) || h.size > have - at)
				break;
			take(e, buf + at, h.size);
			at += h.size;
			count++;
		}
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	close(fd);
	return r ? r : count;
}

void kernel_source_snapshot(struct engine *e)
{
	int r = snapshot_read(e, SNAPSHOT_LISTENERS, record_deliver);

	if (r >= 0)
		r = snapshot_read(e, SNAPSHOT_HOLDERS, record_deliver);
	for (unsigned i = 0; r >= 0 && i < SNAPSHOT_ROUNDS; i++) {
		r = snapshot_read(e, SNAPSHOT_CHILDREN, record_deliver);
		if (r == 0)
			break;
	}
	if (r < 0)
		fprintf(stderr, "outergate: snapshot of live sessions failed: %s\n", strerror(-r));
}

/* Are there live sessions, and how much did they move in all? */
static bool live_bytes(const struct engine *e, uint64_t *ret_sum)
{
	const struct session *s;
	bool any = false;

	*ret_sum = 0;
	for (unsigned i = 0; (s = core_session_at(e->core, i)); i++) {
		if (s->state == SESSION_CLOSED || !s->conn)
			continue;
		any = true;
		*ret_sum += s->bytes_in + s->bytes_out;
	}
	return any;
}

/* Every 5 s while something moves in a live session, every 30 s when nothing did. */
void kernel_source_bytes(struct engine *e, uint64_t now)
{
	uint64_t before, after;

	if (!e->any_live || now < e->bytes_ns)
		return;
	e->any_live = live_bytes(e, &before);
	if (!e->any_live)
		return;
	if (snapshot_read(e, SNAPSHOT_BYTES, record_deliver) < 0)
		core_stats(e->core)->records_bad++;
	live_bytes(e, &after);
	e->bytes_ns = now + (after != before ? BYTES_BUSY : BYTES_IDLE);
}

uint64_t kernel_source_bytes_next(const struct engine *e)
{
	return e->any_live ? e->bytes_ns : UINT64_MAX;
}

/* Losses are told to the core as they grow, so that they become sensor.loss. */
void kernel_source_losses(struct engine *e)
{
	static const char *const what[] = {"auth, session and listen records",
					   "exec, connect and close records"};
	static const unsigned which[] = {WIRE_STAT_lost_precious, WIRE_STAT_lost_bulk,
					 WIRE_STAT_lost_data};
	struct stats *st = core_stats(e->core);

	st->requests_lost = e->kernel_stream.first->lost;
	for (unsigned i = 0; i < KERNEL_RINGS; i++) {
		uint64_t now = e->setup.counters[which[i]], lost = now - e->kernel_lost[i];
		struct event ev = {.kind = EVENT_LOSS, .trust = TRUST_KERNEL};

		if (!lost)
			continue;
		e->kernel_lost[i] = now;
		if (i == 2) { /* what a client is: a detail, told by the counter alone */
			st->records_lost_data += lost;
			continue;
		}
		*(i ? &st->records_lost_bulk : &st->records_lost_precious) += lost;
		ev.time_ns = clock_wall_ns();
		ev.count = lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX;
		ev.text = span_of(what[i]);
		engine_event(e, &ev);
	}
}
