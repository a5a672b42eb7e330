/*
 * decode: the registry, and the way of a line: frame, then the first decoder that wants it.
 *
 * Sees every line; decides by the frame (ident, transport) who reads it, never by searching the
 * text for words. A line of two sources in one file is decided for itself.
 */
#include "decode.h"

#include "frame.h"
#include "text.h"

#define DECODER(name) &decoder_##name,
const struct decoder *const decoders[DECODER_COUNT] = {
#include "decode.def"
};
#undef DECODER

int decoder_find(struct span name)
{
	for (int i = 0; i < DECODER_COUNT; i++)
		if (span_is(name, decoders[i]->name))
			return i;
	return -1;
}

/* What every event of a frame has. */
static void fill_common(const struct decode_stream *s, const struct frame *f, struct event *e)
{
	memset(e, 0, sizeof(*e)); /* cheaper than a compound literal of this size */
	e->trust = f->trust;
	e->time_ns = f->time_ns;
	e->line = s->line;
	e->count = 1;
	e->flags = f->time_approximate ? (uint32_t)EVENT_TIME_APPROXIMATE : 0;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->host = f->host;
	e->program = f->ident;
	e->text = f->message;
	e->proc.pid = f->pid;
}

/*
 * The decoder for a frame, or -1. A frame whose transport names the writer belongs to a journal's
 * decoder where the source has two; text without a writer never does.
 */
static int pick_decoder(const struct decode_stream *s, const struct frame *f)
{
	if (s->forced_source >= 0 && s->forced_source < DECODER_COUNT) {
		const struct decoder *d = decoders[s->forced_source];

		return d->wants && d->wants(f) ? s->forced_source : -1;
	}
	if (frame_has_writer(f) && decoder_sshd_journal.wants(f))
		return DECODER_sshd_journal;
	for (int i = 0; i < DECODER_COUNT; i++)
		if (decoders[i]->wants && decoders[i]->wants(f))
			return i;
	return -1;
}

static enum decode_result read_frame(const struct decode_stream *s, const struct frame *f,
				     bool truncated, struct event *ret, const char **reason)
{
	int i = pick_decoder(s, f);
	enum decode_result r;

	if (i < 0) {
		*reason = "no decoder reads this program's lines";
		return DECODE_SKIPPED;
	}
	fill_common(s, f, ret);
	ret->source = (uint16_t)i;
	if (truncated)
		ret->flags |= EVENT_TRUNCATED;
	r = decoders[i]->decode(f, ret, reason);
	/* Without an ident only words that fit are sshd's; the rest is somebody else's text. */
	if (r == DECODE_BAD && span_empty(f->ident)) {
		*reason = "no program's name in front, and not a line of a known source";
		return DECODE_SKIPPED;
	}
	return r;
}

enum decode_result decode_frame(struct decode_stream *s, const struct frame *f, struct event *ret,
				const char **reason)
{
	struct frame own = *f;
	bool truncated = own.message.len > DECODE_LINE_MAX;

	s->line++;
	own.message = text_trim_left(text_trim_right(span_first(own.message, DECODE_LINE_MAX)));
	if (frame_has_writer(&own))
		own.trust = frame_trust(&own);
	if (own.time_ns)
		s->seen_ns = own.time_ns;
	return read_frame(s, &own, truncated, ret, reason);
}

enum decode_result decode_line(struct decode_stream *s, struct span line, struct event *ret,
			       const char **reason)
{
	bool truncated = line.len > DECODE_LINE_MAX;
	enum decode_result r = DECODE_EVENT;
	struct span first;
	struct frame f;

	s->line++;
	line = text_trim_right(span_first(line, DECODE_LINE_MAX));
	first = text_trim_left(line);
	if (span_empty(first)) {
		*reason = "an empty line";
		return DECODE_SKIPPED;
	}
	if (first.ptr[0] != '{')
		frame_from_text(s, line, &f);
	else if ((r = frame_from_journal(s, first, &f, reason)) == DECODE_EVENT)
		f.trust = frame_trust(&f);
	if (r != DECODE_EVENT)
		return r;
	return read_frame(s, &f, truncated, ret, reason);
}
