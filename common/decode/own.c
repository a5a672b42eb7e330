/*
 * own: see own.h. Sees text (and JSON that nobody else knows, as text) of one program or with one
 * mark in it; cannot see times without a date in a group, and lines that built-in decoders take.
 *
 * A pattern matches from the first byte to the last, so what somebody wrote into a longer line
 * begins nothing. Where a name could end at two places, ".*" takes the later one.
 *
 * Source: pcre2api(3), pcre2pattern(3).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#define PCRE2_STATIC	      /* on Windows, where it is linked so */
#include "own.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon_text.h"
#include "gateway.h"
#include "text.h"

#define STEPS_MAX  20000 /* of one match; a millisecond */
#define HEAP_MAX   64	 /* KiB of one match */
#define GROUPS_MAX 24
#define NEST_MAX   16

enum own_field {
	OWN_ACCOUNT,
	OWN_ORIGIN,
	OWN_PORT,
	OWN_ASSIGNED,
	OWN_GROUP,
	OWN_CLIENT,
	OWN_REASON,
	OWN_SESSION,
	OWN_HOST,
	OWN_TIME,
	OWN_METHOD,
	OWN_FIELDS
};

static const char *const field_names[OWN_FIELDS] = {
	[OWN_ACCOUNT] = "account", [OWN_ORIGIN] = "origin",   [OWN_PORT] = "port",
	[OWN_ASSIGNED] = "inner",  [OWN_GROUP] = "group",     [OWN_CLIENT] = "client",
	[OWN_REASON] = "reason",   [OWN_SESSION] = "session", [OWN_HOST] = "host",
	[OWN_TIME] = "time",	   [OWN_METHOD] = "method",
};
#define FIELD_WORDS                                                                                \
	"account, origin, port, inner, group, client, reason, session, host, time, method"

struct own_pattern {
	pcre2_code *code;
	uint8_t group[OWN_FIELDS]; /* 0: it has none of that name */
	uint32_t event;
	enum outcome outcome;
	enum method method;
};

struct own {
	struct own_source sources[OWN_MAX];
	unsigned count;
	struct own_pattern patterns[OWN_LINES_MAX];
	pcre2_match_data *found;
	pcre2_match_context *limits;
};

static bool compile(const struct own_line *line, struct own_pattern *ret, char why[OWN_WHY_MAX])
{
	pcre2_compile_context *x = pcre2_compile_context_create(NULL);
	int code = 0;
	size_t at = 0;

	*ret = (struct own_pattern){
		.event = line->event, .outcome = line->outcome, .method = line->method};
	snprintf(why, OWN_WHY_MAX, "out of memory");
	if (!x)
		return false;
	pcre2_set_parens_nest_limit(x, NEST_MAX);
	ret->code =
		pcre2_compile((PCRE2_SPTR)line->pattern, PCRE2_ZERO_TERMINATED,
			      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_NEVER_UTF |
				      PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
			      &code, &at, x);
	pcre2_compile_context_free(x);
	if (!ret->code) {
		int n = snprintf(why, OWN_WHY_MAX, "byte %u of the pattern: ", (unsigned)at + 1);

		pcre2_get_error_message(code, (PCRE2_UCHAR *)why + n, (size_t)(OWN_WHY_MAX - n));
	}
	return ret->code;
}

static int field_of(const char *name)
{
	for (int i = 0; i < OWN_FIELDS; i++)
		if (!strcmp(name, field_names[i]))
			return i;
	return -1;
}

/* Which group is which field. */
static bool read_groups(struct own_pattern *p, char why[OWN_WHY_MAX])
{
	uint32_t names = 0, size = 0, groups = 0;
	PCRE2_SPTR row = NULL;

	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &names);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &row);
	if (groups >= GROUPS_MAX) {
		snprintf(why, OWN_WHY_MAX, "a pattern has fewer than %d groups", GROUPS_MAX);
		return false;
	}
	for (uint32_t i = 0; i < names; i++, row += size) { /* two bytes of number, then the name */
		int field = field_of((const char *)row + 2);

		if (field < 0) {
			snprintf(why, OWN_WHY_MAX, "(?<%.32s>...) is none of " FIELD_WORDS,
				 (const char *)row + 2);
			return false;
		}
		p->group[field] = row[1];
	}
	return true;
}

static bool has_needed(const struct own_pattern *p, char why[OWN_WHY_MAX])
{
	bool names = p->group[OWN_ORIGIN] || p->group[OWN_SESSION] || p->group[OWN_ASSIGNED];

	if (p->event == OWN_CLOSE ? names : p->group[OWN_ORIGIN] != 0)
		return true;
	snprintf(why, OWN_WHY_MAX, "%s",
		 p->event == OWN_CLOSE
			 ? "an end needs (?<origin>...), (?<session>...) or (?<inner>...)"
			 : "a pattern needs (?<origin>...), the address of who came");
	return false;
}

static bool pattern_new(const struct own_line *line, struct own_pattern *ret, char why[OWN_WHY_MAX])
{
	if (!compile(line, ret, why))
		return false;
	if (read_groups(ret, why) && has_needed(ret, why))
		return true;
	pcre2_code_free(ret->code);
	ret->code = NULL;
	return false;
}

struct own *own_new(const struct own_rows *rows, char why[OWN_WHY_MAX])
{
	struct own *own = calloc(1, sizeof(*own));
	bool fine = own && rows->count <= OWN_MAX;

	for (unsigned i = 0; fine && i < rows->count; i++) {
		const struct own_source *s = &rows->sources[i];

		own->sources[own->count++] = *s;
		fine = s->first + s->count <= OWN_LINES_MAX;
		for (uint32_t k = 0; fine && k < s->count; k++)
			fine = pattern_new(&rows->lines[s->first + k], &own->patterns[s->first + k],
					   why);
	}
	if (!own || fine)
		snprintf(why, OWN_WHY_MAX, "out of memory");
	if (fine) {
		own->found = pcre2_match_data_create(GROUPS_MAX, NULL);
		own->limits = pcre2_match_context_create(NULL);
		fine = own->found && own->limits;
	}
	if (!fine) {
		own_free(own);
		return NULL;
	}
	pcre2_set_match_limit(own->limits, STEPS_MAX);
	pcre2_set_depth_limit(own->limits, STEPS_MAX);
	pcre2_set_heap_limit(own->limits, HEAP_MAX);
	return own;
}

void own_free(struct own *own)
{
	if (!own)
		return;
	for (unsigned i = 0; i < OWN_LINES_MAX; i++)
		pcre2_code_free(own->patterns[i].code);
	pcre2_match_data_free(own->found);
	pcre2_match_context_free(own->limits);
	free(own);
}

bool own_name(struct span name)
{
	size_t n = 0;

	while (n < name.len &&
	       ((name.ptr[n] >= 'a' && name.ptr[n] <= 'z') || text_is_digit(name.ptr[n]) ||
		name.ptr[n] == '-' || name.ptr[n] == '_'))
		n++;
	return n && n == name.len && n < OWN_NAME_MAX;
}

int own_find(const struct own *own, struct span name)
{
	for (unsigned i = 0; own && i < own->count; i++)
		if (span_is(name, own->sources[i].name))
			return (int)i;
	return -1;
}

static struct span group(const struct own *own, const struct own_pattern *p, enum own_field field,
			 struct span text)
{
	const size_t *at = pcre2_get_ovector_pointer(own->found);
	unsigned n = p->group[field];

	/* \K can put the end before the beginning. */
	if (!n || n >= GROUPS_MAX || at[2 * n] == PCRE2_UNSET || at[2 * n] > at[2 * n + 1] ||
	    at[2 * n + 1] > text.len)
		return text_none();
	return (struct span){text.ptr + at[2 * n], at[2 * n + 1] - at[2 * n]};
}

/* 1732961234[.5], or "2026-11-30T10:00:00.5+01:00" with a blank for the T or before the zone. */
static void read_time(struct event *e, struct span t)
{
	struct span clock = span_skip(t, 11);
	size_t n = 0, digits = 0;

	while (digits < t.len && text_is_digit(t.ptr[digits]))
		digits++;
	if (digits > 8 && (digits == t.len || t.ptr[digits] == '.')) {
		gateway_time(e, gateway_epoch(span_first(t, digits)));
		return;
	}
	while (n < clock.len && (text_is_digit(clock.ptr[n]) || clock.ptr[n] == ':' ||
				 clock.ptr[n] == '.' || clock.ptr[n] == ','))
		n++;
	if (n < clock.len)
		gateway_time(e, gateway_clock(span_first(t, 10), span_first(clock, n),
					      text_trim_left(span_skip(clock, n))));
	else
		gateway_local(e, t);
}

static void read_outcome(const struct own_pattern *p, struct span method, struct event *e)
{
	e->outcome = p->outcome;
	e->method = span_empty(method) ? p->method : method_from_name(method);
	if (e->kind == EVENT_SESSION_OPEN)
		e->outcome = OUTCOME_SUCCESS;
	if (e->kind == EVENT_SESSION_CLOSE)
		e->outcome = OUTCOME_UNKNOWN;
	if (e->outcome == OUTCOME_SUCCESS)
		e->flags |= EVENT_ACCOUNT_EXISTS;
}

static bool fill(const struct own *own, const struct own_source *s, const struct own_pattern *p,
		 struct span text, struct event *e)
{
	static const enum event_kind kinds[] = {EVENT_ATTEMPT, EVENT_SESSION_OPEN,
						EVENT_SESSION_CLOSE};
	struct span host = group(own, p, OWN_HOST, text);
	struct span port = group(own, p, OWN_PORT, text);
	uint32_t number = text_u32(port, 0);
	bool origin;

	e->kind = kinds[p->event];
	e->service = s->service;
	e->witness = WITNESS_DAEMON;
	if (s->gateway)
		gateway_begin(e, e->kind, e->service);
	read_outcome(p, group(own, p, OWN_METHOD, text), e);
	gateway_account(e, group(own, p, OWN_ACCOUNT, text));
	origin = gateway_origin(e, group(own, p, OWN_ORIGIN, text));
	if (!span_empty(port))
		e->origin.port = number <= UINT16_MAX ? (uint16_t)number : 0;
	gateway_assigned(e, group(own, p, OWN_ASSIGNED, text));
	e->gate.group = group(own, p, OWN_GROUP, text);
	e->gate.reason = group(own, p, OWN_REASON, text);
	e->gate.session = gateway_number(group(own, p, OWN_SESSION, text));
	e->client = group(own, p, OWN_CLIENT, text);
	if (!span_empty(host))
		e->host = host;
	read_time(e, group(own, p, OWN_TIME, text));
	return origin ||
	       (p->event == OWN_CLOSE && (e->gate.session || e->gate.assigned.family != ADDR_NONE));
}

/* Of one source and one text; *ret changes only when it is an event. */
static enum decode_result read_by(const struct own *own, const struct own_source *s,
				  struct span text, struct event *ret, const char **reason)
{
	for (uint32_t k = 0; k < s->count; k++) {
		const struct own_pattern *p = &own->patterns[s->first + k];
		int n = pcre2_match(p->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, own->found,
				    own->limits);
		struct event e;

		if (n == PCRE2_ERROR_NOMATCH)
			continue;
		*reason = "a pattern of Decoders gave up on it: too many ways to match";
		if (n < 0)
			return DECODE_BAD;
		*reason = "a pattern of Decoders took it, but its origin is no address";
		e = *ret;
		if (!fill(own, s, p, text, &e))
			return DECODE_SKIPPED;
		*ret = e;
		return DECODE_EVENT;
	}
	*reason = "none of its source's patterns in Decoders is the whole line";
	return DECODE_SKIPPED;
}

/* "acmed: ..." or "acmed[123]: ..." of a line that has no time. */
static bool cut_program(struct span *s, const char *program)
{
	struct span rest = *s;
	size_t n = 0;

	if (!text_cut(&rest, span_of(program)))
		return false;
	if (text_cut(&rest, SPAN_LIT("["))) {
		while (n < rest.len && text_is_digit(rest.ptr[n]))
			n++;
		rest = span_skip(rest, n);
		if (!n || !text_cut(&rest, SPAN_LIT("]")))
			return false;
	}
	if (!text_cut(&rest, SPAN_LIT(": ")))
		return false;
	*s = rest;
	return true;
}

/* Its message, if the frame is of that source. */
static bool is_of(const struct own_source *s, const struct frame *f, struct span *ret)
{
	*ret = f->message;
	if (s->program[0] && !span_is(f->ident, s->program) &&
	    !(span_empty(f->ident) && cut_program(ret, s->program)))
		return false;
	return ret->ptr &&
	       (!s->contains[0] || text_find(*ret, span_of(s->contains), 0) != TEXT_NOT_FOUND);
}

enum decode_result own_decode(const struct own *own, int only, const struct frame *f,
			      struct event *ret, const char **reason)
{
	enum decode_result r = DECODE_SKIPPED;

	*reason = NULL;
	for (unsigned i = 0; own && i < own->count; i++) {
		const struct own_source *s = &own->sources[i];
		struct span message;

		if ((only >= 0 && only != (int)i) || !is_of(s, f, &message))
			continue;
		ret->own = span_of(s->name);
		daemon_trust_unit(f, ret);
		r = read_by(own, s, message, ret, reason);
		if (r == DECODE_SKIPPED && f->whole.len && f->whole.ptr != message.ptr &&
		    !s->program[0])
			r = read_by(own, s, f->whole, ret, reason);
		if (r != DECODE_SKIPPED)
			return r;
	}
	return r;
}

/* As it stands in a log, or the message alone. */
static bool takes_example(struct own *own, struct span example, char why[OWN_WHY_MAX])
{
	struct decode_stream *s = calloc(1, sizeof(*s));
	const char *reason = "out of memory";
	enum decode_result r = DECODE_BAD;
	struct event e;

	if (s) {
		struct frame f = {.uid = UINT32_MAX,
				  .ident = span_of(own->sources[0].program),
				  .message = example};

		s->forced_source = DECODER_own;
		s->own = own;
		r = decode_line(s, example, &e, &reason);
		if (r != DECODE_EVENT && f.ident.len)
			r = decode_frame(s, &f, &e, &reason);
	}
	free(s);
	if (r != DECODE_EVENT)
		snprintf(why, OWN_WHY_MAX, "the example is not taken: %s", reason);
	return r == DECODE_EVENT;
}

bool own_check(const struct own_source *source, const struct own_line *line, const char *example,
	       char why[OWN_WHY_MAX])
{
	struct own_source one = *source;
	struct own *own;
	bool fine;

	one.first = 0;
	one.count = 1;
	own = own_new(&(struct own_rows){&one, 1, line}, why);
	fine = own && takes_example(own, span_of(example), why);
	own_free(own);
	return fine;
}

const struct decoder decoder_own = {
	.name = "own",
	.about = "sources that the configuration describes (Decoders), by their names there",
	.example = "login ok user=alice from 203.0.113.9 assigned 10.8.0.2",
};
