/* agent: start, the loop, and what happens to one event. */
#include "agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kept.h"
#include "common/plat.h"
#include "common/store/request_run.h"

#define NS_PER_S       1000000000ull
#define PRUNE_INTERVAL (3600 * NS_PER_S)
#define PRUNE_AGAIN    NS_PER_S /* while there is more */
#define QUEUE_SIZE     (8u << 20)
#define MACHINE_BLOB   "machine-id"
#define TAKE_MAX       512 /* records before the others get their turn */
#define REQUESTS_MAX   64
#define FILETIME_1970  116444736000000000ull

uint64_t clock_wall_ns(void)
{
	FILETIME t;

	GetSystemTimePreciseAsFileTime(&t);
	return (((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - FILETIME_1970) * 100;
}

static void store_check(struct agent *a, int r, const char *what)
{
	if (r) {
		core_stats(a->core)->store_errors++;
		if (!a->store_failing)
			agent_say(a, "store: %s: %s", what, store_error(a->store));
	}
	a->store_failing = r != 0;
}

static void transaction_begin(struct agent *a)
{
	if (a->in_transaction)
		return;
	if (store_begin(a->store))
		store_check(a, -1, "begin");
	else
		a->in_transaction = true;
}

static void transaction_end(struct agent *a)
{
	if (!a->in_transaction)
		return;
	a->in_transaction = false;
	store_check(a, store_commit(a->store), "commit");
}

static void out_deliver(struct agent *a)
{
	for (unsigned i = 0; i < a->out.count; i++) {
		const struct core_out_item *it = &a->out.items[i];

		transaction_begin(a);
		if (it->kind == OUT_ALERT) {
			/* Told first, kept second: a slow disk never delays an alert. */
			if (it->alert->notify && !it->alert->observe)
				sinks_alert(a, it->alert);
			a->alert_put = true;
			store_check(a, store_put_alert(a->store, it->alert), "alert");
		} else {
			store_check(a, store_put_session(a->store, it->session), "session");
		}
	}
}

static void step(struct agent *a, const struct event *e)
{
	core_step(a->core, e, &a->out);
	a->dirty = true;
	if (a->out.count)
		out_deliver(a);
}

void agent_event(struct agent *a, unsigned source, const struct event *e)
{
	struct event own = *e;

	own.host = (struct span){0}; /* all of it is of this machine, however it is called */
	if (!echo_seen(&a->echo, source, &own))
		step(a, &own);
}

void agent_sensor_at(struct agent *a, const char *text, uint64_t time_ns)
{
	struct event e = {.kind = EVENT_SENSOR,
			  .time_ns = time_ns,
			  .trust = TRUST_KERNEL,
			  .count = 1,
			  .text = span_of(text)};

	step(a, &e);
}

void agent_sensor(struct agent *a, const char *text)
{
	if (!a->behind)
		agent_sensor_at(a, text, clock_wall_ns());
	else if (a->waiting_count < WAITING_MAX)
		snprintf(a->waiting[a->waiting_count++], REASON_MAX, "%s", text);
}

void agent_loss(struct agent *a, const char *what, uint64_t count)
{
	struct event e = {.kind = EVENT_LOSS,
			  .time_ns = clock_wall_ns(),
			  .trust = TRUST_KERNEL,
			  .count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX,
			  .text = span_of(what)};

	core_stats(a->core)->records_lost_bulk += count;
	step(a, &e);
}

/* The core's memory and how far the log was read: one transaction. */
static void memory_put(struct agent *a, size_t most)
{
	int r = kept_memory(a->store, a->core, most, &a->memory_bytes);

	if (r > 0)
		return;
	store_check(a, r, "core memory");
	evt_save(a);
	tails_save(a);
	a->dirty = false;
	a->saved_ns = clock_wall_ns();
}

static void flush(struct agent *a)
{
	if (a->in_transaction && a->alert_put && a->memory_bytes <= KEPT_SMALL)
		memory_put(a, KEPT_SMALL);
	a->alert_put = false;
	transaction_end(a);
}

static void save(struct agent *a)
{
	if (!a->dirty)
		return;
	transaction_begin(a);
	memory_put(a, SIZE_MAX);
	transaction_end(a);
}

static void prune(struct agent *a, uint64_t now)
{
	uint64_t rows = 0;

	if (now - a->pruned_ns < PRUNE_INTERVAL)
		return;
	flush(a);
	store_check(a,
		    store_prune(a->store, now, a->config->retention_alerts_s,
				a->config->retention_sessions_s, a->config->store_max_bytes, &rows),
		    "prune");
	a->pruned_ns = rows ? now - PRUNE_INTERVAL + PRUNE_AGAIN : now;
}

/* What somebody has asked for by way of the store. */
static void requests(struct agent *a)
{
	struct event tick = {.kind = EVENT_TICK, .time_ns = clock_wall_ns(), .count = 1};
	char result[REQUEST_RESULT_MAX];
	struct store_request q;
	unsigned n = 0;

	if (a->behind)
		return;
	for (; n < REQUESTS_MAX && !store_request_next(a->store, &q); n++) {
		if (!strcmp(q.verb, "test"))
			sinks_test(a, q.subject, q.detail, result, sizeof(result));
		else
			request_run(a->core, a->store, &q, tick.time_ns, result);
		if (store_request_done(a->store, q.id, result))
			return;
	}
	if (!n)
		return;
	step(a, &tick);
	save(a);
	flush(a);
}

void agent_caught_up(struct agent *a)
{
	a->behind = false;
	for (unsigned i = 0; i < a->waiting_count; i++)
		agent_sensor(a, a->waiting[i]);
	a->waiting_count = 0;
	requests(a);
}

/* --- start */

/* What is there and cannot be read is not begun without: it would be written over. */
static int restore(struct agent *a)
{
	int r = kept_restore(a->store, a->core, &a->config->limits);
	const char *why = store_error(a->store);

	if (r == -EPROTO) {
		agent_say(a, "the core's saved memory is of another version; starting without it");
		return 0;
	}
	if (r)
		agent_say(a, "what the store %s keeps cannot be read: %s", a->config->store,
			  *why ? why : strerror(-r));
	return r;
}

static int open_store(struct agent *a)
{
	uint64_t id[2];
	int r = store_open(a->config->store, STORE_WRITE, &a->store);

	if (r) {
		agent_say(a, "cannot open the store %s: %s", a->config->store,
			  store_open_reason(r));
		return r;
	}
	if (store_error(a->store)[0])
		agent_say(a, "store: %s", store_error(a->store));
	r = kept_random(a->store, KEPT_PRIVACY, &a->policy.privacy_key,
			sizeof(a->policy.privacy_key));
	if (!r)
		r = kept_random(a->store, MACHINE_BLOB, id, sizeof(id));
	snprintf(a->identity.host_id, sizeof(a->identity.host_id), "%016llx%016llx",
		 (unsigned long long)id[0], (unsigned long long)id[1]);
	return r;
}

/* Copies of databases lie beside the store, where nobody else may write. */
static void store_directory(const char *store, char *ret, size_t cap)
{
	size_t end = 0;

	snprintf(ret, cap, "%s", store);
	for (size_t i = 0; ret[i]; i++)
		if (ret[i] == '\\' || ret[i] == '/')
			end = i;
	snprintf(ret + end, cap - end, "%s", end ? "" : ".");
}

static void geo_say(const char *sentence)
{
	fprintf(stderr, "outergate: %s\n", sentence);
}

static int open_core(struct agent *a)
{
	/* No number tells one start of Windows from another: when it was is one. */
	snprintf(a->identity.boot_id, sizeof(a->identity.boot_id), "%llu",
		 (unsigned long long)((clock_wall_ns() / 1000000 - GetTickCount64()) / 10000));
	if (plat_random(&a->identity.hash_seed, sizeof(a->identity.hash_seed)))
		return -EIO;
	a->policy.host_id = a->identity.host_id;
	a->policy.boot_id = a->identity.boot_id;
	store_set_policy(a->store, &a->policy);
	store_directory(a->config->store, a->geo.scratch, sizeof(a->geo.scratch));
	(void)geo_files_open(&a->geo, a->config);
	a->identity.geo = &a->geo.set.source;
	a->core = core_new(a->config, &a->identity);
	return a->core ? 0 : -ENOMEM;
}

static int agent_open(struct agent *a)
{
	int r;

	sinks_open(a);
	a->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
	a->queue = a->wake ? queue_new(QUEUE_SIZE, a->wake) : NULL;
	if (!a->queue)
		return -ENOMEM;
	r = open_store(a);
	if (!r)
		r = open_core(a);
	if (!r)
		r = config_own_new(a->config, &a->own);
	if (r)
		return r;
	r = restore(a);
	if (r)
		return r;
	requests(a);
	r = control_open(a);
	if (r)
		agent_say(a, "no pipe: %s (status will not work)", strerror(-r));
	/* What happens from now on waits in the queue while the log is read up to it. */
	etw_open(a);
	evt_open(a);
	tails_open(a);
	return 0;
}

static void say_ready(struct agent *a)
{
	unsigned sessions = 0, channels = 0;

	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		sessions += a->etw[i].on;
	for (unsigned i = 0; i < a->channels_count; i++)
		channels += a->channels[i].on;
	if (a->config->forwarders_count || a->config->receivers_count)
		agent_say(a, "Forwarders and Receivers are not there on Windows: nothing is sent "
			     "and nothing taken");
	agent_say(a,
		  "ready (%u of %u ETW sessions, %u of %u channels of the event log, "
		  "configuration: %s, store: %s)",
		  sessions, SESSIONS_MAX, channels, a->channels_count, a->config_name,
		  a->config->store);
	if (!channels && !sessions)
		agent_sensor(a, "etw-lost: neither the event log nor an ETW session can be read");
	else if (!a->channels[0].on && !a->etw[0].on)
		agent_sensor(a, "probe-missing: the Security log cannot be read");
}

/* --- the loop */

static bool take_records(struct agent *a)
{
	static char payload[65536];
	struct etw_copy head;

	for (unsigned i = 0; i < TAKE_MAX; i++) {
		if (!queue_take(a->queue, &head, payload))
			return false;
		etw_take(a, &head, payload);
	}
	return true;
}

static void tick(struct agent *a)
{
	struct event e = {.kind = EVENT_TICK, .time_ns = clock_wall_ns(), .count = 1};
	bool was_dirty = a->dirty;

	if (!a->behind && core_next_tick(a->core) <= e.time_ns) {
		step(a, &e);
		a->dirty = was_dirty || a->out.count;
	}
	if (!a->behind)
		(void)etw_look(a, e.time_ns);
	if (!a->behind)
		tails_look(a, e.time_ns);
	(void)evt_look(a, e.time_ns);
	audit_look(a, e.time_ns);
	(void)geo_files_poll(&a->geo, e.time_ns, geo_say);
	if (a->dirty && e.time_ns - a->saved_ns >= kept_interval(a->memory_bytes))
		save(a);
	prune(a, e.time_ns);
}

/* How long nothing is to be done: at most a second, for looks and saving. */
static DWORD patience(struct agent *a, bool more)
{
	uint64_t now = clock_wall_ns(), next = core_next_tick(a->core);

	if (more)
		return 0;
	if (next <= now)
		return 10;
	next = (next - now) / 1000000 + 1;
	return next < 1000 ? (DWORD)next : 1000;
}

static void loop(struct agent *a)
{
	HANDLE set[MAXIMUM_WAIT_OBJECTS];
	bool more = true;

	for (;;) {
		DWORD n = 0, r;

		set[n++] = a->stop;
		set[n++] = a->wake;
		if (a->pipe_event)
			set[n++] = a->pipe_event;
		for (unsigned i = 0; i < a->channels_count; i++)
			if (a->channels[i].on)
				set[n++] = a->channels[i].signal;
		flush(a);
		r = WaitForMultipleObjects(n, set, FALSE, patience(a, more));
		if (WaitForSingleObject(a->stop, 0) == WAIT_OBJECT_0)
			return;
		if (r == WAIT_FAILED)
			Sleep(100);
		if (a->pipe_event && WaitForSingleObject(a->pipe_event, 0) == WAIT_OBJECT_0) {
			requests(a);
			control_answer(a);
		}
		more = evt_read(a);
		if (!a->behind)
			more |= take_records(a);
		tick(a);
	}
}

static void agent_close(struct agent *a)
{
	etw_close(a);
	if (a->store && a->core) {
		while (take_records(a))
			;
		core_flush(a->core, &a->out);
		out_deliver(a);
		a->dirty = true;
		save(a);
	}
	evt_close(a);
	tails_close(a);
	control_close(a);
	geo_files_close(&a->geo);
	store_close(a->store);
	core_free(a->core);
	own_free(a->own);
	queue_free(a->queue);
	sinks_close(a);
}

int agent_run(struct agent *a)
{
	int r;

	a->started_ns = a->saved_ns = clock_wall_ns();
	a->behind = true;
	a->stream.forced_source = -1; /* every source; 0 is the first of them */
	a->policy.keep_unknown_accounts = a->config->keep_unknown_accounts;
	a->policy.command_lines = (int)a->config->command_lines;
	r = agent_open(a);
	if (r) {
		agent_say(a, "cannot start: %s", strerror(-r));
	} else {
		a->dirty = true;
		save(a);
		say_ready(a);
		loop(a);
	}
	agent_close(a);
	return r ? 1 : 0;
}
