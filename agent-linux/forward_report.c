/* forward_report: how forwarders fare: for `status`, for `test`, as numbers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/out/metrics.h"
#include "forward.h"
#include "forward_internal.h"
#include "metrics.h"

void forward_test(struct engine *e, const struct alert *a, char *ret, size_t cap)
{
	struct forwarding *f = e->forwarding;

	for (unsigned i = 0; f && i < f->count; i++) {
		struct destination *d = &f->to[i];
		size_t at = strlen(ret);
		struct out_policy p;
		int n, r = -ENOTCONN;

		if (d->to->kind == FORWARD_PROMETHEUS)
			continue;

		forward_policy(e, d, &p);
		f->head = (struct forward_record){.message = FORWARD_RECORD,
						  .what = FORWARD_ALERTS,
						  .severity = a->severity,
						  .round = d->round,
						  .time_ns = a->first_ns};
		snprintf(f->head.uid, sizeof(f->head.uid), "%s-%u", a->id, a->revision);
		snprintf(f->head.name, sizeof(f->head.name), "%s", a->detection->id);
		n = d->schema->alert(a, &p, f->text, sizeof(f->text));
		if (n >= 0 && n < FORWARD_TEXT_MAX && d->fd >= 0) {
			f->head.len = (uint32_t)n;
			r = forward_hand(d, &f->head, f->text);
		}
		snprintf(d->tested, sizeof(d->tested), "%.63s", a->id);
		d->tested_why[0] = '\0';
		snprintf(ret + at, cap - at, "%s%s %s", at ? ";" : "", d->to->name,
			 r ? strerror(-r) : "handed over");
	}
}

json_t *forward_status(const struct engine *e)
{
	const struct forwarding *f = e->forwarding;
	json_t *a = json_array();
	uint64_t last = 0;

	if (f)
		(void)outbox_last(e->store, &last);
	for (unsigned i = 0; f && i < f->count; i++) {
		const struct destination *d = &f->to[i];
		uint64_t waiting = 0;

		(void)outbox_waiting(e->store, &d->cursor, d->to, forward_event_form(d->to),
				     &waiting);
		json_array_append_new(
			a, json_pack("{ss ss ss sb ss sI sI sI sI sI sI ss ss}", "name",
				     d->to->name, "kind", forward_kinds[d->to->kind], "url",
				     d->to->url, "failing", d->failing, "reason", d->why, "waiting",
				     (json_int_t)waiting, "in_flight",
				     (json_int_t)d->records[0] + (json_int_t)d->records[1],
				     "delivered", (json_int_t)d->cursor.delivered, "refused",
				     (json_int_t)d->cursor.refused, "dropped",
				     (json_int_t)d->cursor.dropped, "retries",
				     (json_int_t)d->process_retries, "tested", d->tested,
				     "tested_result", d->tested_why));
	}
	return a;
}

void forward_metrics(const struct engine *e, struct writer *w)
{
	static const struct {
		const char *name, *help;
		bool counter;
	} rows[] = {
		{"forward_waiting", "records that wait for that collector", false},
		{"forward_failing", "1: nothing arrives there now", false},
		{"forward_delivered", "records that it has", true},
		{"forward_refused", "records that it did not want", true},
		{"forward_lost", "records that went because the outbox was full", true},
	};
	const struct forwarding *f = e->forwarding;

	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		metric_begin(w, rows[k].name, rows[k].help, rows[k].counter);
		for (unsigned i = 0; f && i < f->count; i++) {
			const struct destination *d = &f->to[i];
			uint64_t v[] = {0, d->failing, d->cursor.delivered, d->cursor.refused,
					d->cursor.dropped};

			if (!k)
				(void)outbox_waiting(e->store, &d->cursor, d->to,
						     forward_event_form(d->to), &v[0]);
			metric_put(w, rows[k].name, rows[k].counter, "forwarder", d->to->name,
				   v[k]);
		}
	}
}
