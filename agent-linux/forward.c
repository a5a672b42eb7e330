/*
 * forward: see the header.
 *
 * A destination's process asks for nothing: it is handed rows of the outbox up to a window, and
 * says which of them are with the collector. If it dies, or does not know whether something
 * arrived, it is handed all from its cursor on again; what may have been sent before is marked as a
 * repeat. Alerts are handed over before anything else.
 */
#include "forward.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/out/event_id.h"
#include "common/out/privacy.h"
#include "common/out/metrics.h"
#include "common/out/schema.h"
#include "common/store/ledger.h"
#include "common/store/outbox.h"
#include "engine.h"
#include "forward_internal.h"
#include "metrics.h"

#define NS_PER_S     UINT64_C(1000000000)
#define SAVE_EVERY   NS_PER_S	    /* cursors: a kill repeats at most what was acked since */
#define RESTART_WAIT (2 * NS_PER_S) /* of a process that died */
#define RESTART_MOST (60 * NS_PER_S)
#define ANSWERS_MAX  64	  /* at once: it may be taken over */
#define HAND_AHEAD   1024 /* rows marked as handed over at once: one write for many */
#define READ_ROWS    256

/* --- what is put into the outbox */

static void failed(struct engine *e, int r, const char *what)
{
	if (r)
		engine_store_failed(e, what);
}

/* There may be something to hand over. */
static void look(struct forwarding *f)
{
	for (unsigned i = 0; i < f->count; i++)
		f->to[i].look = true;
}

void forward_alert(struct engine *e, const struct alert *a)
{
	struct forwarding *f = e->forwarding;

	if (!f || !(f->what & FORWARD_ALERTS))
		return;
	for (unsigned i = 0; i < f->count; i++)
		if (forward_wants(f->to[i].to, FORWARD_ALERTS, a->severity)) {
			failed(e, outbox_put_alert(e->store, a, clock_wall_ns()), "outbox");
			f->unsynced = true;
			look(f);
			return;
		}
}

static bool is_news(struct forwarding *f, const struct session *s)
{
	struct seen *seen =
		&f->seen[privacy_hash(span_of_array(s->id, sizeof(s->id)), 0) % SEEN_SIZE];

	if (!strcmp(seen->id, s->id) && seen->state == s->state && seen->worst == s->worst &&
	    seen->reconnects == s->reconnects &&
	    !strcmp(seen->effective_account, s->effective_account))
		return false;
	snprintf(seen->id, sizeof(seen->id), "%s", s->id);
	snprintf(seen->effective_account, sizeof(seen->effective_account), "%s",
		 s->effective_account);
	seen->state = s->state;
	seen->worst = s->worst;
	seen->reconnects = s->reconnects;
	return true;
}

void forward_session(struct engine *e, const struct session *s)
{
	struct forwarding *f = e->forwarding;

	if (!f || !(f->what & FORWARD_SESSIONS) || !is_news(f, s))
		return;
	failed(e, outbox_put_session(e->store, s, clock_wall_ns()), "outbox");
	look(f);
}

void forward_policy(const struct engine *e, const struct destination *d, struct out_policy *ret)
{
	*ret = e->policy;
	ret->pseudonymise = d->to->pseudonymise;
}

/* As it is written for a destination; the same text serves all that want it so. */
unsigned forward_event_form(const struct config_forwarder *to)
{
	return to->schema * 2 + to->pseudonymise;
}

void forward_event(struct engine *e, const struct event *ev)
{
	struct forwarding *f = e->forwarding;
	unsigned done = 0;

	if (!f || !(f->what & FORWARD_EVENTS) || ev->kind == EVENT_TICK)
		return;
	for (unsigned i = 0; i < f->count; i++) {
		unsigned form = forward_event_form(f->to[i].to);
		struct out_policy p;
		char id[ID_TEXT_MAX];
		int n;

		if (done >> form & 1 || !forward_wants(f->to[i].to, FORWARD_EVENTS, 0))
			continue;
		done |= 1u << form;
		forward_policy(e, &f->to[i], &p);
		n = f->to[i].schema->event(ev, &p, f->text, sizeof(f->text));
		if (n < 0) {
			core_stats(e->core)->sink_errors++;
			continue;
		}
		engine_transaction(e);
		n = outbox_put_event(e->store, form, event_id(ev, &p, id), f->text, (size_t)n,
				     ev->time_ns);
		failed(e, n, "outbox");
		f->unsure_events++;
		look(f);
		if (n)
			core_stats(e->core)->forward_dropped++;
	}
}

/* --- handing over */

static uint32_t in_flight(const struct destination *d)
{
	return d->records[OUTBOX_ALERTS] + d->records[OUTBOX_OTHERS];
}

static void hang_up(struct engine *e, struct destination *d, const char *why)
{
	bool told = d->failing && d->why[0];

	if (d->fd >= 0) {
		engine_unwatch(e, &d->watcher);
		close(d->fd);
	}
	d->fd = -1;
	d->failing = true;
	if (!told) /* it may have said why itself */
		snprintf(d->why, sizeof(d->why), "%s", why);
	d->wait_ns = d->wait_ns ? d->wait_ns * 2 : RESTART_WAIT;
	if (d->wait_ns > RESTART_MOST)
		d->wait_ns = RESTART_MOST;
	d->retry_ns = clock_boot_ns() + d->wait_ns;
}

/* What was on its way to somebody who forgot it, and has left the outbox meanwhile: lost after all.
 */
static void count_gone(struct engine *e, struct destination *d)
{
	uint64_t there = 0, n = 0;

	for (unsigned i = 0; i < OUTBOX_LANES; i++, there += n)
		if (outbox_between(e->store, i, d->cursor.acked[i], d->sent[i], &n))
			return;
	if (in_flight(d) <= there)
		return;
	d->cursor.dropped += in_flight(d) - there;
	core_stats(e->core)->forward_dropped += in_flight(d) - there;
	d->dirty = true;
}

/* From the cursor on, as to somebody who knows nothing. */
static void rewind_to_cursor(struct engine *e, struct destination *d)
{
	count_gone(e, d);
	for (unsigned i = 0; i < OUTBOX_LANES; i++) {
		d->sent[i] = d->cursor.acked[i];
		d->repeats[i] = d->cursor.handed[i];
	}
	memset(d->records, 0, sizeof(d->records));
	d->bytes = 0;
	d->look = true;
	d->full = false;
}

/*
 * Before they leave, and on the disk: a kill or a power cut after this marks them as repeats. Ahead
 * of what is there, so that it is one write for many; an orderly end takes back what was not used.
 */
static int mark_handed(struct engine *e, struct destination *d, unsigned lane, uint64_t seq)
{
	struct outbox_cursor c = d->cursor;
	int r;

	if (seq <= c.handed[lane])
		return 0;
	c.handed[lane] = seq + HAND_AHEAD;
	r = outbox_cursor_put(e->store, d->to->name, &c);
	if (!r)
		r = store_sync(e->store);
	if (!r)
		d->cursor = c;
	failed(e, r, "cursor");
	return r;
}

static int render(struct engine *e, struct destination *d, const struct outbox_row *r)
{
	struct forwarding *f = e->forwarding;
	struct forward_record *h = &f->head;
	struct out_policy p;

	forward_policy(e, d, &p);
	h->time_ns = r->made_ns;
	h->severity = r->severity;
	if (r->what == FORWARD_ALERTS) {
		if (outbox_alert(r, &f->alert))
			return -EBADMSG;
		f->alert.notify = true;
		p.ledger = ledger_head(e->store);
		h->time_ns = f->alert.last_ns ? f->alert.last_ns : f->alert.first_ns;
		snprintf(h->uid, sizeof(h->uid), "%s-%u", f->alert.id, f->alert.revision);
		snprintf(h->name, sizeof(h->name), "%s", f->alert.detection->id);
		return d->schema->alert(&f->alert, &p, f->text, sizeof(f->text));
	}
	if (r->what == FORWARD_SESSIONS) {
		if (outbox_session(r, &f->session))
			return -EBADMSG;
		h->time_ns = f->session.last_ns;
		h->severity = f->session.worst;
		/* Of what it says: the state may change while the time does not. */
		snprintf(h->uid, sizeof(h->uid), "%s-%016llx", f->session.id,
			 (unsigned long long)privacy_hash((struct span){r->body, r->len}, 0));
		snprintf(h->name, sizeof(h->name), "session");
		return d->schema->session(&f->session, &p, f->text, sizeof(f->text));
	}
	h->severity = 0;
	snprintf(h->uid, sizeof(h->uid), "%s", r->id);
	snprintf(h->name, sizeof(h->name), "event");
	if (r->len >= sizeof(f->text))
		return -ENOSPC;
	memcpy(f->text, r->body, r->len);
	f->text[r->len] = '\0';
	return (int)r->len;
}

static bool wants(const struct destination *d, const struct outbox_row *r)
{
	if (r->what == FORWARD_EVENTS && (unsigned)r->severity != forward_event_form(d->to))
		return false;
	return forward_wants(d->to, r->what, r->severity);
}

/* 0, or -errno; -EAGAIN: not now. */
int forward_hand(struct destination *d, const struct forward_record *h, const char *text)
{
	struct iovec iov[2] = {{.iov_base = (void *)(uintptr_t)h, .iov_len = sizeof(*h)},
			       {.iov_base = (void *)(uintptr_t)text, .iov_len = h->len}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	do
		n = sendmsg(d->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

struct handing {
	struct engine *e;
	struct destination *d;
	unsigned lane, rows;
	bool stop;
};

static bool is_full(const struct destination *d)
{
	return in_flight(d) >= FORWARD_WINDOW_RECORDS || d->bytes >= FORWARD_WINDOW_BYTES;
}

/* One row. What a destination does not want, and what cannot be read, is passed over. */
static bool on_row(void *arg, const struct outbox_row *r)
{
	struct handing *t = arg;
	struct destination *d = t->d;
	struct forwarding *f = t->e->forwarding;
	int n, err;

	t->rows++;
	if (wants(d, r)) {
		f->head = (struct forward_record){.message = FORWARD_RECORD,
						  .what = r->what,
						  .lane = t->lane,
						  .seq = r->seq,
						  .round = d->round};
		n = render(t->e, d, r);
		if (n >= 0 && r->seq <= d->repeats[t->lane])
			n = out_mark_repeat(d->schema, f->text, (size_t)n, sizeof(f->text));
		if (n >= 0 && n < FORWARD_TEXT_MAX) {
			f->head.len = (uint32_t)n;
			if (mark_handed(t->e, d, t->lane, r->seq))
				return t->stop = true, false;
			err = forward_hand(d, &f->head, f->text);
			if (err) {
				t->stop = true;
				d->full = err == -EAGAIN;
				return false;
			}
			d->records[t->lane]++;
			d->bytes += (uint32_t)n;
		} else if (r->seq > d->unreadable) {
			d->unreadable = r->seq;
			d->cursor.dropped++;
			d->dirty = true;
			core_stats(t->e->core)->forward_unreadable++;
		}
	}
	d->sent[t->lane] = r->seq;
	t->stop = is_full(d);
	return !t->stop;
}

/* Nothing in flight: what was passed over counts as done, too. */
static void settle(struct destination *d)
{
	for (unsigned i = 0; i < OUTBOX_LANES; i++)
		if (!d->records[i] && d->cursor.acked[i] != d->sent[i]) {
			d->cursor.acked[i] = d->sent[i];
			d->dirty = true;
		}
}

/* Only when there may be something: this is asked after every event. */
static void pump(struct engine *e, struct destination *d)
{
	struct handing t = {.e = e, .d = d};

	if (!d->look || d->fd < 0 || d->full || is_full(d))
		return;
	for (t.lane = 0; t.lane < OUTBOX_LANES && !t.stop; t.lane++) {
		do {
			int r;

			t.rows = 0;
			r = outbox_read(e->store, t.lane, d->sent[t.lane], READ_ROWS, on_row, &t);
			failed(e, r, "outbox");
			t.stop |= r != 0;
		} while (t.rows == READ_ROWS && !t.stop);
	}
	d->look = t.stop; /* a full window or socket, a failed read: there is more */
	settle(d);
	if (d->full)
		engine_watch_out(e, &d->watcher, true);
}

void forward_pump(struct engine *e)
{
	struct forwarding *f = e->forwarding;

	if (!f)
		return;
	if (f->unsynced) {
		failed(e, store_sync(e->store), "sync");
		f->unsynced = false;
	}
	for (unsigned i = 0; i < f->count; i++)
		pump(e, &f->to[i]);
}

/* --- what comes back */

static void take_ack(struct destination *d, const struct forward_answer *a)
{
	/* Its numbers are checked: it talks to strangers. */
	for (unsigned i = 0; i < OUTBOX_LANES; i++)
		if (a->acked[i] > d->cursor.acked[i] && a->acked[i] <= d->sent[i])
			d->cursor.acked[i] = a->acked[i];
	for (unsigned i = 0; i < OUTBOX_LANES; i++)
		d->records[i] -= a->records[i] < d->records[i] ? a->records[i] : d->records[i];
	d->wait_ns = 0; /* it works */
	d->bytes -= a->bytes < d->bytes ? a->bytes : d->bytes;
	d->cursor.delivered = d->base_delivered + a->delivered;
	d->cursor.refused = d->base_refused + a->refused;
	d->process_retries = a->retries;
	d->dirty = true;
	settle(d);
}

/* A snapshot for who asked; what does not fit into the socket is asked for again. */
static void hand_metrics(struct engine *e, struct destination *d)
{
	struct forwarding *f = e->forwarding;
	struct forward_record h = {
		.message = FORWARD_RECORD, .what = FORWARD_METRICS, .time_ns = clock_wall_ns()};
	struct writer w;
	int n;

	writer_start(&w, f->text, FORWARD_TEXT_MAX);
	metrics_put(e, &w);
	n = writer_finish(&w);
	if (n < 0)
		return;
	h.len = (uint32_t)n;
	(void)forward_hand(d, &h, f->text);
}

static void take_answer(struct engine *e, struct destination *d, struct forward_answer *a)
{
	a->why[sizeof(a->why) - 1] = '\0';
	switch (a->message) {
	case FORWARD_ACK:
		take_ack(d, a);
		break;
	case FORWARD_AGAIN:
		rewind_to_cursor(e, d);
		d->round++;
		break;
	case FORWARD_STATE:
		d->failing = a->failing != 0;
		d->process_retries = a->retries;
		out_escape(span_of(a->why), d->why, sizeof(d->why));
		break;
	case FORWARD_WANT:
		hand_metrics(e, d);
		break;
	case FORWARD_TESTED:
		out_escape(span_of(a->why), d->tested_why, sizeof(d->tested_why));
		break;
	default:
		break;
	}
}

static void on_answer(struct engine *e, struct watcher *w)
{
	struct destination *d = w->arg;
	struct forward_answer a;

	for (unsigned n_answers = 0; n_answers < ANSWERS_MAX; n_answers++) {
		ssize_t n = recv(d->fd, &a, sizeof(a), MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(a)) {
			take_answer(e, d, &a);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		hang_up(e, d, "its process ended; it is started again");
		return;
	}
	if (d->full) /* there may be room now: pump looks */
		engine_watch_out(e, w, false);
	d->full = false;
}

/* --- the process */

static void start(struct engine *e, struct destination *d)
{
	struct priv_msg m = {.kind = PRIV_FORWARD, .arg = d->index};
	int fd = -1, r = priv_call(e->setup.priv, &m, &fd);

	d->retry_ns = UINT64_MAX;
	if (!r)
		r = engine_watch(e, &d->watcher, fd, on_answer, d);
	if (r) {
		if (fd >= 0)
			close(fd);
		d->fd = -1;
		hang_up(e, d, "");
		snprintf(d->why, sizeof(d->why), "its process cannot be started: %s", strerror(-r));
		return;
	}
	d->fd = fd;
	d->base_delivered = d->cursor.delivered;
	d->base_refused = d->cursor.refused;
	d->round = 0;
	rewind_to_cursor(e, d);
}

int forward_open(struct engine *e)
{
	const struct config *c = e->config;
	struct forwarding *f;
	int r = 0;

	if (!c->forwarders_count)
		return outbox_trim(e->store, NULL, 0, INT64_MAX);
	f = e->forwarding = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->count = c->forwarders_count;
	for (unsigned i = 0; i < f->count && !r; i++) {
		struct destination *d = &f->to[i];

		*d = (struct destination){.to = &c->forwarders[i],
					  .index = i,
					  .fd = -1,
					  .schema = out_schema_at(c->forwarders[i].schema)};
		for (uint32_t k = 0; k < d->to->send_count; k++)
			f->what |= 1u << d->to->send[k];
		r = outbox_cursor_get(e->store, d->to->name, &d->cursor);
		if (!r && !d->schema)
			r = -EINVAL;
		if (!r)
			start(e, d);
	}
	return r;
}

static unsigned cursors_of(const struct forwarding *f, struct outbox_cursor ret[FORWARDERS_MAX])
{
	for (unsigned i = 0; i < f->count; i++) {
		const struct config_forwarder *to = f->to[i].to;

		ret[i] = f->to[i].cursor;
		/* What it does not want does not wait for it. */
		if (!forward_wants(to, FORWARD_ALERTS, SEVERITY_COUNT))
			ret[i].acked[OUTBOX_ALERTS] = INT64_MAX;
		if (!forward_wants(to, FORWARD_SESSIONS, 0) &&
		    !forward_wants(to, FORWARD_EVENTS, 0))
			ret[i].acked[OUTBOX_OTHERS] = INT64_MAX;
	}
	return f->count;
}

static void save(struct engine *e)
{
	struct outbox_cursor all[FORWARDERS_MAX];
	struct forwarding *f = e->forwarding;
	bool any = false;

	for (unsigned i = 0; i < f->count; i++) {
		struct destination *d = &f->to[i];

		if (!d->dirty)
			continue;
		engine_transaction(e);
		failed(e, outbox_cursor_put(e->store, d->to->name, &d->cursor), "cursor");
		d->dirty = false;
		any = true;
	}
	if (any)
		failed(e, outbox_trim(e->store, all, cursors_of(f, all), f->last[KEEP_SAVES - 1]),
		       "outbox");
	memmove(&f->last[1], &f->last[0], sizeof(f->last) - sizeof(f->last[0]));
	(void)outbox_last(e->store, &f->last[0]);
	f->saved_ns = clock_wall_ns();
}

/* Over its size: who loses what is counted, and told like any other loss. */
static void bound(struct engine *e)
{
	struct outbox_cursor all[FORWARDERS_MAX];
	struct forwarding *f = e->forwarding;
	uint64_t rows = 0, bytes = 0, lost = 0;
	struct event ev = {.kind = EVENT_LOSS, .trust = TRUST_KERNEL, .time_ns = clock_wall_ns()};

	if (outbox_size(e->store, &rows, &bytes) || bytes <= e->config->outbox_max_bytes)
		return;
	engine_transaction(e);
	cursors_of(f, all);
	for (unsigned i = 0; i < f->count;
	     i++) /* what is on its way will arrive, or is counted then */
		for (unsigned k = 0; k < OUTBOX_LANES; k++)
			if (all[i].acked[k] < f->to[i].sent[k])
				all[i].acked[k] = f->to[i].sent[k];
	failed(e, outbox_bound(e->store, e->config->outbox_max_bytes, all, f->count, &lost),
	       "outbox");
	for (unsigned i = 0; i < f->count; i++) {
		f->to[i].dirty |= f->to[i].cursor.dropped != all[i].dropped;
		f->to[i].cursor.dropped = all[i].dropped;
	}
	if (!lost)
		return;
	core_stats(e->core)->forward_dropped += lost;
	ev.count = lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX;
	ev.text = SPAN_LIT("waited for a collector until the outbox was full "
			   "(Retention.OutboxMaxBytes)");
	engine_event(e, &ev);
}

void forward_poll(struct engine *e, uint64_t now_ns)
{
	struct forwarding *f = e->forwarding;

	if (!f)
		return;
	for (unsigned i = 0; i < f->count; i++)
		if (f->to[i].fd < 0 && f->to[i].retry_ns <= clock_boot_ns())
			start(e, &f->to[i]);
	bound(e);
	if (now_ns - f->saved_ns >= SAVE_EVERY)
		save(e);
}

/* A moment of the boot clock, which nobody sets, on the wall's. */
static uint64_t in_wall(uint64_t boot_ns)
{
	uint64_t now = clock_boot_ns();

	return clock_wall_ns() + (boot_ns > now ? boot_ns - now : 0);
}

uint64_t forward_next(const struct engine *e)
{
	const struct forwarding *f = e->forwarding;
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; f && i < f->count; i++) {
		const struct destination *d = &f->to[i];

		if (d->fd < 0 && in_wall(d->retry_ns) < next)
			next = in_wall(d->retry_ns);
		if (d->dirty && f->saved_ns + SAVE_EVERY < next)
			next = f->saved_ns + SAVE_EVERY;
	}
	return next;
}

void forward_close(struct engine *e)
{
	struct forwarding *f = e->forwarding;

	if (!f)
		return;
	forward_pump(e); /* the last words: the processes send them before they end */
	for (unsigned i = 0; i < f->count; i++)
		for (unsigned k = 0; k < OUTBOX_LANES; k++)
			if (f->to[i].cursor.handed[k] > f->to[i].sent[k] && f->to[i].fd >= 0) {
				f->to[i].cursor.handed[k] = f->to[i].sent[k];
				f->to[i].dirty = true;
			}
	save(e);
	engine_flush(e);
	for (unsigned i = 0; i < f->count; i++)
		if (f->to[i].fd >= 0)
			close(f->to[i].fd);
	free(f);
	e->forwarding = NULL;
}

/* The transaction was committed, or not: then its events are gone, since nobody keeps them else. */
void forward_committed(struct engine *e, bool committed)
{
	struct forwarding *f = e->forwarding;

	if (!f)
		return;
	if (!committed) {
		core_stats(e->core)->forward_dropped += f->unsure_events;
		f->lost_events += f->unsure_events;
	}
	f->unsure_events = 0;
}

/* The store works again: sessions are told anew, and what nobody has any more is told as lost. */
void forward_caught_up(struct engine *e)
{
	struct forwarding *f = e->forwarding;
	struct event ev = {
		.kind = EVENT_LOSS, .trust = TRUST_KERNEL, .time_ns = clock_wall_ns(), .count = 1};

	if (!f || !f->lost_events)
		return;
	ev.count = f->lost_events < UINT32_MAX ? (uint32_t)f->lost_events : UINT32_MAX;
	ev.text = SPAN_LIT("events for collectors, while the store could not be written");
	f->lost_events = 0;
	engine_event(e, &ev);
}

void forward_forget_seen(struct engine *e)
{
	if (e->forwarding)
		memset(e->forwarding->seen, 0, sizeof(e->forwarding->seen));
}
