/* engine: start, the loop, and what happens to one event. */
#include "engine.h"
#include "cli/kept.h"
#include "exposure.h"
#include "wireguard.h"
#include "forward.h"
#include "groups.h"
#include "guard.h"
#include "host.h"
#include "resident.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "proc_table.h"

#define NS_PER_S       1000000000ull
#define PRUNE_INTERVAL (3600 * NS_PER_S)
#define PRUNE_AGAIN    NS_PER_S /* while there is more */
#define FILE_POLL      (2 * NS_PER_S)
#define LOST_BLOB      "kernel-lost" /* boot id and the losses already told */
#define EPOLL_BATCH    16

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

void engine_store_failed(struct engine *e, const char *what)
{
	core_stats(e->core)->store_errors++;
	if (!e->store_failing)
		fprintf(stderr, "outergate: store: %s: %s\n", what, store_error(e->store));
	e->store_failing = e->store_missed = true;
}

bool engine_kept(struct engine *e, const char *name, void **ret, size_t *ret_len)
{
	int r = store_get_blob(e->store, name, ret, ret_len);

	if (r && r != -ENOENT)
		engine_store_failed(e, name);
	return r == 0;
}

static void store_check(struct engine *e, int r, const char *what)
{
	if (r)
		engine_store_failed(e, what);
	else
		e->store_failing = false;
}

void engine_transaction(struct engine *e)
{
	if (e->in_transaction)
		return;
	if (store_begin(e->store))
		engine_store_failed(e, "begin");
	else
		e->in_transaction = true;
}

/* User space knows better than the kernel that somebody is logged in (no PAM, snapshot). */
static void session_prove(struct engine *e, const struct session *s)
{
	struct priv_msg m = {.kind = PRIV_PROVE, .value = {s->conn}};

	if (s->conn && s->state == SESSION_OPEN)
		(void)priv_send(e->setup.priv, &m, -1);
}

static void out_deliver(struct engine *e)
{
	for (unsigned i = 0; i < e->out.count; i++) {
		const struct core_out_item *it = &e->out.items[i];

		engine_transaction(e);
		if (it->kind == OUT_ALERT) {
			/* Told first, kept second: a slow disk never delays an alert. */
			if (it->alert->notify && !it->alert->observe)
				sinks_alert(e, it->alert);
			e->alert_put = true;
			store_check(e, store_put_alert(e->store, it->alert), "alert");
			if (it->alert->notify && !it->alert->observe)
				forward_alert(e, it->alert);
		} else {
			session_prove(e, it->session);
			e->any_live |= it->session->state != SESSION_CLOSED;
			sinks_session(e, it->session);
			store_check(e, store_put_session(e->store, it->session), "session");
			forward_session(e, it->session);
		}
	}
}

#define API_ARM_NS 60000000000ull /* an image may have to come first */

/*
 * Somebody asks a container engine for something, as the kernel or a log has it: what it starts
 * meanwhile is told, with its id.
 */
static void api_hint(struct engine *e)
{
	struct priv_msg m = {.kind = PRIV_ARM,
			     .arg = WIRE_HANDOFF_CONTAINER,
			     .value = {clock_boot_ns() + API_ARM_NS}};

	if (core_engine_asked(e->core))
		(void)priv_send(e->setup.priv, &m, -1);
}

void engine_event(struct engine *e, const struct event *ev)
{
	struct priv_msg m = {.kind = PRIV_LET_GO};

	wireguard_before(e, ev);
	core_step(e->core, ev, &e->out);
	api_hint(e);
	while (ev->handoff && core_next_let_go(e->core, &m.value[0]))
		(void)priv_send(e->setup.priv, &m, -1);
	e->dirty = true;
	forward_event(e, ev);
	if (e->out.count)
		out_deliver(e);
}

void engine_sensor(struct engine *e, const char *text)
{
	struct event ev = {.kind = EVENT_SENSOR,
			   .time_ns = clock_wall_ns(),
			   .trust = TRUST_KERNEL,
			   .count = 1,
			   .text = span_of(text)};

	engine_event(e, &ev);
}

int engine_watch(struct engine *e, struct watcher *w, int fd,
		 void (*ready)(struct engine *, struct watcher *), void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};

	*w = (struct watcher){.fd = fd, .ready = ready, .arg = arg};
	return epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

void engine_unwatch(struct engine *e, struct watcher *w)
{
	epoll_ctl(e->epoll, EPOLL_CTL_DEL, w->fd, NULL);
}

void engine_watch_out(struct engine *e, struct watcher *w, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0u), .data.ptr = w};

	epoll_ctl(e->epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

/* Kept rings keep their counters: what was told before a restart is not told again. */
static void losses_save(struct engine *e)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64, e->identity.boot_id,
			 e->kernel_lost[0], e->kernel_lost[1]);

	store_check(e, store_put_blob(e->store, LOST_BLOB, text, (size_t)n + 1), "losses");
}

static void losses_restore(struct engine *e)
{
	uint64_t lost[2];
	char boot[40] = "";
	void *text = NULL;
	size_t len = 0;

	if (!engine_kept(e, LOST_BLOB, &text, &len))
		return;
	if (len && ((char *)text)[len - 1] == '\0' &&
	    sscanf(text, "%39s %" SCNu64 " %" SCNu64, boot, &lost[0], &lost[1]) == 3 &&
	    !strcmp(boot, e->identity.boot_id))
		for (unsigned i = 0; i < 2; i++)
			if (lost[i] <= e->setup.counters[i])
				e->kernel_lost[i] = lost[i];
	free(text);
}

static void transaction_end(struct engine *e)
{
	int r;

	if (!e->in_transaction)
		return;
	e->in_transaction = false;
	r = store_commit(e->store);
	forward_committed(e, r == 0);
	store_check(e, r, "commit");
}

/* Puts the core's memory and the cursors of its inputs; skips it when larger than most. */
static void memory_put(struct engine *e, size_t most)
{
	int r = kept_memory(e->store, e->core, most, &e->memory_bytes);

	if (r > 0)
		return;
	store_check(e, r, "core memory");
	losses_save(e);
	guard_alive(e);
	journal_source_save(e);
	for (unsigned i = 0; i < CONFIG_FILES_MAX; i++)
		if (e->files[i])
			file_source_save(e, e->files[i]);
	e->dirty = false;
	e->saved_ns = clock_wall_ns();
}

/*
 * An alert goes to disk together with what the core knew and how far its inputs were read, so that
 * a kill between the two cannot make the core count a try again that the alert has counted.
 */
void engine_flush(struct engine *e)
{
	if (e->in_transaction && e->alert_put && e->memory_bytes <= KEPT_SMALL)
		memory_put(e, KEPT_SMALL);
	e->alert_put = false;
	transaction_end(e);
}

void engine_save(struct engine *e)
{
	if (!e->dirty)
		return;
	engine_transaction(e);
	memory_put(e, SIZE_MAX);
	transaction_end(e);
}

#define CATCH_UP_EVERY (2 * NS_PER_S)

/* The store failed: does it work again? */
static void catch_up(struct engine *e, uint64_t now)
{
	if (!e->store_missed || now < e->catch_up_ns || e->in_transaction)
		return;
	e->catch_up_ns = now + CATCH_UP_EVERY;
	if (!engine_catch_up(e))
		return;
	e->store_missed = e->store_failing = false;
	e->dirty = true; /* the core's memory and the cursors, too */
	forward_caught_up(e);
}

static void prune(struct engine *e, uint64_t now)
{
	uint64_t rows = 0;

	/* While the store of the start is read, what is deleted would only make its log longer. */
	if (e->guard.check || now - e->pruned_ns < PRUNE_INTERVAL)
		return;
	expiries_tell(e, now);
	engine_flush(e);
	store_check(e,
		    store_prune(e->store, now, e->config->retention_alerts_s,
				e->config->retention_sessions_s, e->config->store_max_bytes, &rows),
		    "prune");
	e->pruned_ns = rows ? now - PRUNE_INTERVAL + PRUNE_AGAIN : now;
}

/* The next thing that time alone changes: the core's expiry, or what waits to be saved. */
static void timer_arm(struct engine *e)
{
	uint64_t now = clock_wall_ns(), next = core_next_tick(e->core),
		 bytes = kernel_source_bytes_next(e), files = fanotify_source_next(e);
	struct itimerspec t = {0};

	if (bytes < next)
		next = bytes;
	if (e->libpam_scan_ns < next)
		next = e->libpam_scan_ns;
	if (files < next)
		next = files;
	if (geo_source_next(e) < next)
		next = geo_source_next(e);
	if (forward_next(e) < next)
		next = forward_next(e);
	if (receive_source_next(e) < next)
		next = receive_source_next(e);
	if (looks_next(e) < next)
		next = looks_next(e);
	if (exposures_next(e) < next)
		next = exposures_next(e);
	if (wireguard_next(e) < next)
		next = wireguard_next(e);
	if (guard_next(e) < next)
		next = guard_next(e);
	if (!e->guard.check && e->pruned_ns + PRUNE_INTERVAL < next)
		next = e->pruned_ns + PRUNE_INTERVAL;
	if (e->store_missed && e->catch_up_ns < next)
		next = e->catch_up_ns;

	if (e->dirty && e->saved_ns + kept_interval(e->memory_bytes) < next)
		next = e->saved_ns + kept_interval(e->memory_bytes);
	for (unsigned i = 0; i < CONFIG_FILES_MAX; i++)
		if (file_source_needs_poll(e->files[i]) && next > now + FILE_POLL)
			next = now + FILE_POLL;
	next = next > now ? next - now : 0;
	if (next < NS_PER_S / 100)
		next = NS_PER_S / 100;
	t.it_value.tv_sec = (time_t)(next / NS_PER_S);
	t.it_value.tv_nsec = (long)(next % NS_PER_S);
	timerfd_settime(e->tick_timer.fd, 0, &t, NULL);
}

static void on_tick(struct engine *e, struct watcher *w)
{
	struct event ev = {.kind = EVENT_TICK, .time_ns = clock_wall_ns(), .count = 1};
	uint64_t expirations;
	bool was_dirty = e->dirty;

	(void)!read(w->fd, &expirations, sizeof(expirations));
	for (unsigned i = 0; i < CONFIG_FILES_MAX; i++)
		if (file_source_needs_poll(e->files[i]))
			file_source_poll(e, e->files[i]);
	kernel_source_losses(e);
	kernel_source_bytes(e, ev.time_ns);
	if (ev.time_ns >= e->libpam_scan_ns)
		libpam_scan(e);
	fanotify_source_poll(e, ev.time_ns);
	geo_source_poll(e, ev.time_ns);
	receive_source_poll(e, clock_boot_ns());
	forward_poll(e, ev.time_ns);
	guard_poll(e, ev.time_ns);
	exposures_poll(e, ev.time_ns);
	wireguard_poll(e, ev.time_ns);
	looks_tick(e, ev.time_ns);
	if (core_next_tick(e->core) <= ev.time_ns) {
		engine_event(e, &ev);
		e->dirty = was_dirty || e->out.count;
	}
	if (e->dirty && ev.time_ns - e->saved_ns >= kept_interval(e->memory_bytes))
		engine_save(e);
	prune(e, ev.time_ns);
}

static void on_signal(struct engine *e, struct watcher *w)
{
	struct signalfd_siginfo si;

	if (read(w->fd, &si, sizeof(si)) == sizeof(si))
		e->ended_by = si.ssi_pid;
	e->stop = true;
}

static void on_parent(struct engine *e, struct watcher *w)
{
	struct priv_msg m;
	int fd;

	/* The parent speaks only when asked, but at the end: anything here is that. */
	if (!priv_recv(w->fd, &m, &fd) && m.kind == PRIV_END)
		guard_end(e, &m);
	e->stop = true;
	if (fd >= 0)
		close(fd);
}

static int watch_signals(struct engine *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &set, NULL))
		return -errno;
	/* Ctrl-C reaches the whole group, and so may a reload: the parent decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : engine_watch(e, &e->signals, fd, on_signal, NULL);
}

static void read_id(FILE *f, char *ret, size_t cap)
{
	ret[0] = '\0';
	if (f && fgets(ret, (int)cap, f))
		ret[strcspn(ret, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* What is there and cannot be read is not begun without: it would be written over. */
static int restore(struct engine *e)
{
	int r = kept_restore(e->store, e->core, &e->config->limits);

	if (r == -EPROTO) {
		fputs("outergate: the core's saved memory is of another version; starting without "
		      "it\n",
		      stderr);
	} else if (r) {
		const char *why = store_error(e->store);

		fprintf(stderr, "outergate: what the store %s keeps cannot be read: %s\n",
			e->config->store, *why ? why : strerror(-r));
		e->said = true;
		return r;
	}
	losses_restore(e);
	return 0;
}

static int engine_open_store(struct engine *e)
{
	int r = store_open(e->config->store, STORE_WRITE, &e->store);

	if (r) {
		fprintf(stderr, "outergate: cannot open the store %s: %s\n", e->config->store,
			store_open_reason(r));
		e->said = true;
		return r;
	}
	/* A damaged store was put aside and a new one begun: say where the old one is. */
	if (store_error(e->store)[0])
		fprintf(stderr, "outergate: store: %s\n", store_error(e->store));
	store_set_policy(e->store, &e->policy);
	/* Hashes of unknown accounts stay comparable across restarts. */
	return kept_random(e->store, KEPT_PRIVACY, &e->policy.privacy_key,
			   sizeof(e->policy.privacy_key));
}

static int engine_open_core(struct engine *e)
{
	read_id(host_fopen("/etc/machine-id"), e->identity.host_id, sizeof(e->identity.host_id));
	read_id(fopen("/proc/sys/kernel/random/boot_id", "re"), e->identity.boot_id,
		sizeof(e->identity.boot_id));
	if (getrandom(&e->identity.hash_seed, sizeof(e->identity.hash_seed), 0) < 0)
		return -errno;
	e->identity.kernel_sensor = e->setup.rows[SENSOR_TCP].on;
	e->identity.in_group = group_has;
	e->policy.host_id = e->identity.host_id;
	e->policy.boot_id = e->identity.boot_id;
	host_name(e->host_name, sizeof(e->host_name));
	if (e->host_name[0])
		e->policy.host_name = e->host_name;
	span_copy(e->identity.host_name, sizeof(e->identity.host_name), span_of(e->host_name));
	store_set_policy(e->store, &e->policy);
	geo_source_open(e);
	e->identity.geo = &e->geo.set.source;
	e->core = core_new(e->config, &e->identity);
	return e->core ? config_own_new(e->config, &e->own) : -ENOMEM;
}

static void engine_open_sources(struct engine *e)
{
	unsigned n = 0;

	if (e->config->journal) {
		snprintf(e->sources[n].name, sizeof(e->sources[n].name), "journal");
		journal_source_open(e, n++);
	}
	for (unsigned i = 0; i < e->config->files_count; i++) {
		snprintf(e->sources[n].name, sizeof(e->sources[n].name), "file %s",
			 e->config->files[i]);
		file_source_open(e, i, n++);
	}
	snprintf(e->sources[n].name, sizeof(e->sources[n].name), "changes of files (fanotify)");
	fanotify_source_open(e, n++);
	e->sources_count = n + e->config->receivers_count;
	receive_source_open(e, n);
}

bool engine_row_on(const struct engine *e, unsigned part)
{
	if (part == SENSOR_PAM)
		return e->libpam_attached > 0;
	return part == SENSOR_FIRST ? e->reads_first : e->setup.rows[part].on;
}

const char *engine_row_reason(const struct engine *e, unsigned part)
{
	if (part == SENSOR_PAM)
		return e->libpam_reason;
	if (part == SENSOR_FIRST && e->first_reason[0])
		return e->first_reason;
	return engine_row_on(e, part) ? "" : e->setup.rows[part].reason;
}

static void blind_rows(struct engine *e)
{
	char text[SENSOR_REASON_MAX + 64];

	for (unsigned i = 0; i < SENSOR_PARTS; i++) {
		const struct sensor_row *row = &e->setup.rows[i];

		if (i >= SENSOR_UNIX || engine_row_on(e, i))
			continue;
		snprintf(text, sizeof(text), "probe-missing: %s: %s", row->name,
			 engine_row_reason(e, i));
		engine_sensor(e, text);
	}
}

static int engine_open(struct engine *e)
{
	int fd, r;

	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e->epoll < 0 || fd < 0)
		return -errno;
	r = watch_signals(e);
	if (!r)
		r = engine_watch(e, &e->tick_timer, fd, on_tick, NULL);
	if (!r)
		r = engine_open_store(e);
	if (!r)
		r = engine_open_core(e);
	if (r)
		return r;
	r = restore(e);
	if (!r)
		r = forward_open(e);
	if (r)
		return r;
	guard_start(e);
	engine_requests(e);
	e->procs = proc_table_new(); /* before the first record */
	if (!e->procs)
		return -ENOMEM;
	r = kernel_source_open(e);
	if (r)
		return r;
	libpam_open(e);
	wireguard_open(e);
	kernel_source_snapshot(e);
	blind_rows(e);
	engine_open_sources(e);
	exposures_open(e);
	r = control_open(e);
	if (r)
		fprintf(stderr, "outergate: no control socket in %s: %s (status will not work)\n",
			e->config->runtime, strerror(-r));
	e->dirty = true; /* `learn` asks the store for the seed of this host */
	engine_save(e);
	r = watchdog_open(e);
	return r ? r : engine_watch(e, &e->priv, e->setup.priv, on_parent, NULL);
}

static void engine_loop(struct engine *e)
{
	struct epoll_event ready[EPOLL_BATCH];

	while (!e->stop) {
		int n;

		engine_flush(e);
		catch_up(e, clock_wall_ns());
		forward_pump(e);
		timer_arm(e);
		n = epoll_wait(e->epoll, ready, EPOLL_BATCH, -1);
		for (int i = 0; i < n; i++) {
			struct watcher *w = ready[i].data.ptr;

			w->ready(e, w);
		}
	}
}

static void engine_close(struct engine *e)
{
	if (e->store && e->core) {
		guard_close(e);
		core_flush(e->core, &e->out); /* counts that grew since they were last told */
		out_deliver(e);
		e->dirty = true;
		engine_save(e);
		forward_close(e);
	}
	journal_source_close(e);
	for (unsigned i = 0; i < CONFIG_FILES_MAX; i++)
		file_source_close(e->files[i]);
	fanotify_source_close(e);
	receive_source_close(e);
	exposures_close(e);
	wireguard_close(e);
	geo_files_close(&e->geo);
	store_close(e->store);
	core_free(e->core);
	own_free(e->own);
}

static void say_ready(struct engine *e)
{
	struct priv_msg m = {.kind = PRIV_READY};
	unsigned on = 0;

	/* What only adds detail comes last and is not counted. */
	for (unsigned i = 0; i < SENSOR_UNIX; i++)
		on += engine_row_on(e, i);
	(void)priv_send(e->setup.priv, &m, -1);
	fprintf(stderr, "outergate: ready (%u of %u sensors, configuration: %s, store: %s)\n", on,
		(unsigned)SENSOR_UNIX, e->setup.config_name, e->config->store);
}

int engine_run(const struct engine_setup *setup)
{
	struct engine *e = calloc(1, sizeof(*e));
	struct priv_msg end;
	bool stopped;
	int r;

	if (!e) {
		fputs("outergate: out of memory\n", stderr);
		return 1;
	}
	/* What is saved is some megabytes, again and again: it goes back to the kernel. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	e->setup = *setup;
	e->config = setup->config;
	e->started_ns = e->saved_ns = clock_wall_ns(); /* pruned soon: some restart every hour */
	e->any_live = true;			       /* until the first look says otherwise */
	e->policy.keep_unknown_accounts = e->config->keep_unknown_accounts;
	e->policy.command_lines = (int)e->config->command_lines;
	r = engine_open(e);
	if (r && priv_ended(&end)) /* told to end while it began */
		e->stop = true;
	else if (r && !e->said)
		fprintf(stderr, "outergate: cannot start: %s\n", strerror(-r));
	if (!r) {
		engine_flush(e);
		say_ready(e);
		resident_trim();
		engine_loop(e);
	}
	engine_close(e);
	stopped = e->stop;
	free(e);
	return r && !stopped ? 1 : 0;
}
