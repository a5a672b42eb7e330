/*
 * decode: the registry, and the way of a line: frame, then the first decoder that wants it.
 *
 * Sees every line; decides by the frame (ident, transport) who reads it, never by searching the
 * text for words. A line of two sources in one file is decided for itself.
 */
#include "decode.h"

#include "cloud.h"
#include "frame.h"
#include "iis.h"
#include "json_tree.h"
#include "json_words.h"
#include "k8s_audit.h"
#include "nps_file.h"
#include "own.h"
#include "replayed.h"
#include "text.h"
#include "windows_sshd.h"
#include "windows.h"
#include "zeek.h"
#include "wrapped.h"

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

bool decode_only(struct decode_stream *s, struct span name)
{
	int own = own_find(s->own, name);

	s->forced_source = own < 0 ? decoder_find(name) : DECODER_own;
	s->forced_own = own + 1;
	return s->forced_source >= 0;
}

struct span decode_source_name(const struct event *e)
{
	if (e->source == DECODER_own)
		return e->own;
	return e->source < DECODER_COUNT ? span_of(decoders[e->source]->name) : text_none();
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

static bool is_json(struct span line)
{
	return line.len && line.ptr[0] == '{';
}

static bool is_xml(struct span line)
{
	return span_starts(line, SPAN_LIT("<Event ")) || span_starts(line, SPAN_LIT("<Event>"));
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
	if (decoder_mfa.wants(f)) /* in sshd's name, whichever way it came */
		return DECODER_mfa;
	if (decoder_juniper.wants(f)) /* which has its sshd and login say some things twice */
		return DECODER_juniper;
	if (frame_has_writer(f) && decoder_sshd_journal.wants(f))
		return DECODER_sshd_journal;
	if (frame_is_sshd(f->ident)) /* most lines of all */
		return DECODER_sshd;
	for (int i = 0; i < DECODER_COUNT; i++)
		if (decoders[i]->wants && decoders[i]->wants(f))
			return i;
	return -1;
}

/* Did the operator ask for another source than that? */
static bool is_unwanted(const struct decode_stream *s, enum decoder_index source)
{
	return s->forced_source >= 0 && s->forced_source != (int)source;
}

/* By what the configuration describes: only what nobody else reads. *reason NULL: nothing does. */
static enum decode_result read_own(struct decode_stream *s, const struct frame *f, bool truncated,
				   struct event *ret, const char **reason)
{
	*reason = NULL;
	if (!s->own || is_unwanted(s, DECODER_own))
		return DECODE_SKIPPED;
	fill_common(s, f, ret);
	ret->source = DECODER_own;
	if (truncated)
		ret->flags |= EVENT_TRUNCATED;
	return own_decode(s->own, s->forced_own - 1, f, ret, reason);
}

/* Text without an ident, and not what a bare line of sshd's looks like. */
static enum decode_result read_nameless(struct decode_stream *s, const struct frame *f,
					bool truncated, enum decode_result before,
					struct event *ret, const char **reason)
{
	const char *why = *reason;
	enum decode_result r = read_own(s, f, truncated, ret, reason);

	if (*reason)
		return r;
	*reason = before == DECODE_BAD
			  ? "no program's name in front, and not a line of a known source"
			  : why;
	return DECODE_SKIPPED;
}

static enum decode_result read_frame(struct decode_stream *s, struct frame *f, bool truncated,
				     struct event *ret, const char **reason)
{
	int i = pick_decoder(s, f);
	enum decode_result r;

	if (i < 0) {
		r = read_own(s, f, truncated, ret, reason);
		if (!*reason)
			*reason = "no decoder reads this program's lines";
		return r;
	}
	fill_common(s, f, ret);
	f->spare = s->spare;
	ret->source = (uint16_t)i;
	if (truncated)
		ret->flags |= EVENT_TRUNCATED;
	r = decoders[i]->decode(f, ret, reason);
	if (r == DECODE_EVENT && ret->kind == EVENT_API)
		api_read(&s->words, ret);
	/* Without an ident only words that fit are sshd's; the rest is somebody else's text. */
	if (r != DECODE_EVENT && span_empty(f->ident))
		return read_nameless(s, f, truncated, r, ret, reason);
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

static enum decode_result read_windows(struct decode_stream *s, const struct windows_event *w,
				       enum decoder_index source, struct event *ret,
				       const char **reason)
{
	if (!is_unwanted(s, source))
		return windows_decode(s, w, source, ret, reason);
	*reason = "not of the source that was asked for";
	return DECODE_SKIPPED;
}

/* A JSON object that is no journal entry. */
static enum decode_result read_tree(struct decode_stream *s, struct span line, struct event *ret,
				    const char **reason)
{
	struct json j = {.p = line.ptr,
			 .end = line.ptr + line.len,
			 .out = s->scratch,
			 .out_end = s->scratch + sizeof(s->scratch)};
	struct windows_event w;
	struct json_tree t;

	*reason = json_tree_read(&j, &t);
	if (*reason)
		return DECODE_BAD;
	if (event_is_replayed(&t))
		return event_from_json(s, &t, ret, reason);
	if (windows_from_json(s, &t, &j, &w, reason))
		return read_windows(s, &w, DECODER_windows_json, ret, reason);
	if (*reason)
		return DECODE_BAD;
	*reason = NULL;
	return DECODE_SKIPPED;
}

/* An object that is nobody's is text to what the configuration describes. */
static enum decode_result read_object(struct decode_stream *s, struct span line, struct event *ret,
				      const char **reason)
{
	const struct frame f = {
		.uid = UINT32_MAX, .message = line, .whole = line, .time_ns = s->seen_ns};
	enum decode_result r = DECODE_SKIPPED;

	if (s->forced_source != DECODER_own) {
		r = read_tree(s, line, ret, reason);
		if (r != DECODE_SKIPPED || *reason)
			return r;
	}
	r = read_own(s, &f, false, ret, reason);
	if (!*reason)
		*reason = "JSON of no known kind";
	return r;
}

static enum decode_result read_json(struct decode_stream *s, struct span line, struct event *ret,
				    const char **reason)
{
	uint32_t words = json_words(line);
	enum decode_result r;
	const char *why;
	struct frame f;

	if (json_has_word(words, WORD_K8S_AUDIT) && k8s_audit_take(s, line, ret, &r, reason))
		return r;
	if ((json_has_word(words, WORD_JOURNAL) &&
	     frame_from_journal(s, line, &f, &why) == DECODE_EVENT) ||
	    (json_has_word(words, WORD_MAC) && frame_from_mac(s, line, &f)))
		return read_frame(s, &f, false, ret, reason);
	if (s->forced_source != DECODER_own && cloud_read(s, line, words, ret, &r, reason))
		return r;
	return read_object(s, line, ret, reason);
}

static enum decode_result read_xml(struct decode_stream *s, struct span line, struct event *ret,
				   const char **reason)
{
	struct json scratch = {.out = s->scratch, .out_end = s->scratch + sizeof(s->scratch)};
	struct windows_event w;

	if (!windows_from_xml(s, line, &scratch, &w, reason))
		return DECODE_BAD;
	return read_windows(s, &w, DECODER_windows_evtx, ret, reason);
}

/* Sysmon for Linux has it in syslog. */
static enum decode_result read_sysmon(struct decode_stream *s, struct span message,
				      struct event *ret, const char **reason)
{
	struct json scratch = {.out = s->scratch, .out_end = s->scratch + sizeof(s->scratch)};
	struct windows_event w;

	if (!windows_from_xml(s, message, &scratch, &w, reason))
		return DECODE_BAD;
	return read_windows(s, &w, DECODER_sysmon_linux, ret, reason);
}

static enum decode_result read_export(struct decode_stream *s, struct span entry, struct event *ret,
				      const char **reason)
{
	struct frame f;
	enum decode_result r = frame_from_export(s, entry, &f, reason);

	return r == DECODE_EVENT ? read_frame(s, &f, false, ret, reason) : r;
}

/* The next record of a list. */
static bool read_wrapped(struct decode_stream *s, struct event *ret, enum decode_result *ret_result,
			 const char **reason)
{
	struct span rest = s->more, record;

	s->more = text_none();
	if (!wrapped_cut(&rest, &record, &s->wrapped_open))
		return false;
	*ret_result = DECODE_BAD;
	if (record.len > DECODE_RECORD_MAX)
		*reason = "a record longer than 64 KiB";
	else if (!is_json(record))
		*reason = "a list of records, and one that is none";
	else
		*ret_result = read_json(s, record, ret, reason);
	if (!span_empty(s->more)) { /* who looks for it would find the outer one's end */
		*ret_result = DECODE_BAD;
		*reason = "a list within a list";
	}
	s->more = rest;
	s->wrapped = true;
	return true;
}

/* Is the line a list of records, or does it go on with one? */
static bool begins_wrapped(struct decode_stream *s, struct span line)
{
	bool continues = s->wrapped_open && line.len && line.ptr[0] == ',';
	struct span rest = line;

	s->wrapped_open = false;
	if (continues)
		s->line--; /* it is the same */
	else if (!wrapped_begin(line, &rest))
		return false;
	s->more = rest;
	return true;
}

static enum decode_result read_list(struct decode_stream *s, struct event *ret, const char **reason)
{
	enum decode_result r;

	if (read_wrapped(s, ret, &r, reason))
		return r;
	*reason = "a list without records";
	return DECODE_SKIPPED;
}

/* Those whose line is a whole record. */
static const struct {
	bool (*is)(struct span line);
	enum decode_result (*read)(struct decode_stream *s, struct span line, struct event *ret,
				   const char **reason);
} records[] = {
	{is_json, read_json},
	{is_xml, read_xml},
	{decode_is_export, read_export},
};

static enum decode_result read_record(struct decode_stream *s, size_t i, struct span line,
				      struct event *ret, const char **reason)
{
	struct span first = span_first(line, DECODE_RECORD_MAX);

	if (line.len > first.len && json_has_word(json_words(first), WORD_K8S_AUDIT) &&
	    k8s_audit_is(s, first)) /* its beginning tells enough */
		line = first;
	if (line.len <= DECODE_RECORD_MAX)
		return records[i].read(s, text_trim_right(line), ret, reason);
	*reason = "a record longer than 64 KiB";
	return DECODE_BAD;
}

/* Of text files that are no syslog: whose the line is; DECODER_COUNT: nobody's. */
static enum decoder_index table_of(const struct decode_stream *s, struct span line)
{
	char c = line.len ? line.ptr[0] : '\0';

	if ((c == '#' || text_is_digit(c)) && iis_is(s, line))
		return DECODER_iis;
	if ((c == '#' || text_is_digit(c)) && zeek_is(s, line))
		return DECODER_zeek;
	if (c == '"' && nps_file_is(line))
		return DECODER_nps_file;
	return text_is_digit(c) && windows_sshd_is(line) ? DECODER_windows_sshd : DECODER_COUNT;
}

static enum decode_result read_table(struct decode_stream *s, enum decoder_index source,
				     struct span line, struct event *ret, const char **reason)
{
	if (is_unwanted(s, source)) {
		*reason = "not of the source that was asked for";
		return DECODE_SKIPPED;
	}
	if (source == DECODER_iis)
		return iis_read(s, line, ret, reason);
	if (source == DECODER_zeek)
		return zeek_read_line(s, line, ret, reason);
	return source == DECODER_nps_file ? nps_file_read(s, line, ret, reason)
					  : windows_sshd_read(s, line, ret, reason);
}

static enum decode_result read_text(struct decode_stream *s, struct span line, struct event *ret,
				    const char **reason)
{
	enum decoder_index table = table_of(s, span_first(line, DECODE_LINE_MAX));
	bool truncated = line.len > DECODE_LINE_MAX;
	struct frame f;

	if (table != DECODER_COUNT && s->forced_source != DECODER_own)
		return read_table(s, table, span_first(line, DECODE_LINE_MAX), ret, reason);
	frame_from_text(s, text_trim_right(span_first(line, DECODE_LINE_MAX)), &f);
	if (span_is(f.ident, "sysmon") && is_xml(f.message))
		return read_sysmon(s, f.message, ret, reason);
	return read_frame(s, &f, truncated, ret, reason);
}

enum decode_result decode_line(struct decode_stream *s, struct span line, struct event *ret,
			       const char **reason)
{
	struct span first;

	s->line++;
	s->more = text_none();
	s->wrapped = false;
	if (s->line == 1)
		text_cut(&line, SPAN_LIT("\xEF\xBB\xBF")); /* a byte order mark */
	first = text_trim_left(line);
	if (!first.len || (first.ptr[0] <= ' ' && span_empty(text_trim_right(first)))) {
		*reason = "an empty line";
		return DECODE_SKIPPED;
	}
	if ((first.ptr[0] == '{' || first.ptr[0] == '[' || first.ptr[0] == ',') &&
	    begins_wrapped(s, first))
		return read_list(s, ret, reason);
	if (first.ptr[0] != '{' && first.ptr[0] != '<' && first.ptr[0] != '_')
		return read_text(s, line, ret, reason);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		if (records[i].is(first))
			return read_record(s, i, first, ret, reason);
	return read_text(s, line, ret, reason);
}

bool decode_next(struct decode_stream *s, struct event *ret, enum decode_result *ret_result,
		 const char **reason)
{
	return s->wrapped ? read_wrapped(s, ret, ret_result, reason)
			  : k8s_audit_next(s, ret, ret_result, reason);
}
