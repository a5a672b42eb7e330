/*
 * lines: what a source has read becomes an event, or is counted and the last of it kept as a
 * sample.
 */
#include "engine.h"

#include <stdio.h>

#include "common/core/core_text.h"

#define FUTURE_MAX (UINT64_C(48) * 3600 * 1000000000) /* zones and skewed clocks */

/* One of those that became no event, for `status`; printable, whatever it holds. */
static void sample_keep(struct source_status *s, struct span line, const char *why)
{
	struct text t = TEXT_IN(s->sample);

	text_plain(&t, line, sizeof(s->sample) - 8);
	snprintf(s->sample_why, sizeof(s->sample_why), "%s", why ? why : "");
}

static void line_account(struct engine *e, unsigned source, enum decode_result r, struct span line,
			 const char *why)
{
	struct source_status *s = &e->sources[source];
	struct stats *st = core_stats(e->core);

	st->lines_read++;
	s->lines++;
	s->skipped += r == DECODE_SKIPPED;
	s->bad += r == DECODE_BAD;
	if (r == DECODE_EVENT)
		st->lines_decoded++;
	else if (r == DECODE_SKIPPED)
		st->lines_skipped++;
	else
		st->lines_bad++;
	if (r == DECODE_BAD || (r == DECODE_SKIPPED && line.len))
		sample_keep(s, line, why);
}

void engine_frame(struct engine *e, unsigned source, struct decode_stream *s, const struct frame *f)
{
	const char *reason = NULL;
	struct event ev;
	enum decode_result r;

	r = decode_frame(s, f, &ev, &reason);
	/* Most of a journal is nothing to us: no samples of that. */
	line_account(e, source, r, r == DECODE_BAD ? f->message : (struct span){0}, reason);
	if (r == DECODE_EVENT && !echo_seen(&e->echo, source, &ev))
		engine_event(e, &ev);
}

/* What somebody sent is text, whatever it says of itself; and of its host where that is not ours.
 */
static void sent_mark(struct engine *e, struct span peer, struct event *ev)
{
	if (ev->trust > TRUST_FORGED)
		ev->trust = TRUST_TEXT;
	if (span_empty(ev->host))
		ev->host = peer;
	if (!core_is_own_host(e->core, ev->host))
		ev->flags |= EVENT_ELSEWHERE;
}

static void line_take(struct engine *e, unsigned source, struct decode_stream *s, struct span line,
		      const struct span *peer)
{
	const char *reason = NULL;
	struct event ev;
	enum decode_result r = decode_line(s, line, &ev, &reason);

	/* A year was guessed, and it cannot be: December's line read in January. */
	if (r == DECODE_EVENT && (ev.flags & EVENT_TIME_APPROXIMATE) &&
	    ev.time_ns > clock_wall_ns() + FUTURE_MAX) {
		s->year--;
		s->last_ns = 0;
		s->line--;
		r = decode_line(s, line, &ev, &reason);
	}
	do {
		line_account(e, source, r, line, reason);
		if (r == DECODE_EVENT && peer)
			sent_mark(e, *peer, &ev);
		if (r == DECODE_EVENT && !echo_seen(&e->echo, source, &ev))
			engine_event(e, &ev);
	} while (decode_next(s, &ev, &r, &reason));
}

void engine_line(struct engine *e, unsigned source, struct decode_stream *s, struct span line)
{
	line_take(e, source, s, line, NULL);
}

void engine_line_sent(struct engine *e, unsigned source, struct decode_stream *s, struct span line,
		      struct span peer)
{
	line_take(e, source, s, line, &peer);
}
