/*
 * config_own: the rows of `Decoders`: sources that nobody here foresaw, described by patterns, each
 * with an example that is tried when the configuration is read.
 */
#include "config_reader.h"
#include "decode/own.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define AT(field)      offsetof(struct own_source, field)
#define LINE_AT(field) offsetof(struct own_line, field)

static const char *const events[] = {"attempt", "session_open", "session_close", NULL};
static const char *const outcomes[] = {"unknown", "success", "failure", "refused", NULL};

/* It is shown, asked for (--source) and kept as a word. */
static int read_name(struct config_reader *r, const struct config_key *k, void *base)
{
	const char *name = (char *)base + k->at;
	int err = read_text(r, k, base);

	if (err)
		return err;
	if (!own_name(span_of(name)))
		return reader_fail_value(r, k, "a name of a-z, 0-9, - and _");
	if (decoder_find(span_of(name)) >= 0)
		return reader_fail_value(r, k, "a name of your own: `outergate sources` has it");
	if (config_own_has(r->config, name))
		return reader_fail_value(r, k, "another name: it is there twice");
	return 0;
}

static int read_method(struct config_reader *r, const struct config_key *k, void *base)
{
	struct own_line *line = base;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	line->method = method_from_name(s);
	if (line->method == METHOD_NONE || !span_is(s, method_name(line->method)))
		return reader_fail_value(r, k,
					 "password, publickey, keyboard-interactive, hostbased, "
					 "gssapi-with-mic, certificate, none or other");
	return 0;
}

/* It is tried when its source is known, and not kept. */
static int read_example(struct config_reader *r, const struct config_key *k, void *base)
{
	if (!r->own_examples)
		r->own_examples = calloc(OWN_LINES_MAX, sizeof(*r->own_examples));
	if (!r->own_examples)
		return reader_fail(r, "out of memory");
	(void)base;
	return read_text(r, &(struct config_key){.name = k->name, .cap = OWN_EXAMPLE_MAX},
			 r->own_examples[r->config->own_lines_count]);
}

static const struct config_key line_keys[] = {
	{"Decoders.lines.pattern", .read = read_text, .at = LINE_AT(pattern),
	 .cap = OWN_PATTERN_MAX, .required = true},
	{"Decoders.lines.example", .read = read_example, .required = true},
	{"Decoders.lines.event", .read = read_word, .at = LINE_AT(event), .words = events},
	{"Decoders.lines.outcome", .read = read_word, .at = LINE_AT(outcome), .words = outcomes},
	{"Decoders.lines.method", .read = read_method},
	{0},
};

static int item_line(struct config_reader *r, const struct config_key *k, void *item)
{
	struct own_line *line = item;
	int err = read_map(r, k, item);

	if (err)
		return err;
	if (line->event == OWN_ATTEMPT && line->outcome == OUTCOME_UNKNOWN)
		return reader_fail(r, "Decoders.lines: an attempt needs outcome: success, failure "
				      "or refused");
	if (line->event != OWN_ATTEMPT && line->outcome != OUTCOME_UNKNOWN)
		return reader_fail(r, "Decoders.lines: outcome is for attempts");
	if (line->event != OWN_CLOSE && line->method == METHOD_NONE)
		line->method = METHOD_PASSWORD;
	return 0;
}

static const struct config_list line_list = {
	.count_at = offsetof(struct config, own_lines_count),
	.item_size = sizeof(struct own_line),
	.max = OWN_LINES_MAX,
	.append = true,
};

/* All sources share one list. */
static int read_lines(struct config_reader *r, const struct config_key *k, void *base)
{
	struct own_source *s = base;
	struct config_key list = *k;
	int err;

	list.at = offsetof(struct config, own_lines);
	s->first = r->config->own_lines_count;
	err = read_list(r, &list, r->config);
	s->count = r->config->own_lines_count - s->first;
	return err;
}

/* 0: its service says it. */
enum {
	GATEWAY_TRUE = 1,
	GATEWAY_FALSE
};

static int read_gateway(struct config_reader *r, const struct config_key *k, void *base)
{
	bool v = false;
	int err = read_bool(r, &(struct config_key){.name = k->name}, &v);

	((struct own_source *)base)->gateway = v ? GATEWAY_TRUE : GATEWAY_FALSE;
	return err;
}

const struct config_key config_own_keys[] = {
	{"Decoders.name", .read = read_name, .at = AT(name), .cap = OWN_NAME_MAX, .required = true},
	{"Decoders.program", .read = read_text, .at = AT(program), .cap = OWN_WORD_MAX},
	{"Decoders.contains", .read = read_text, .at = AT(contains), .cap = OWN_WORD_MAX},
	{"Decoders.service", .read = read_service, .at = AT(service), .required = true},
	{"Decoders.gateway", .read = read_gateway},
	{"Decoders.lines", .read = read_lines, .list = &line_list, .item = item_line,
	 .sub = line_keys, .required = true},
	{0},
};

int config_own_new(const struct config *c, struct own **ret)
{
	const struct own_rows rows = {c->own, c->own_count, c->own_lines};
	char why[OWN_WHY_MAX]; /* which patterns are fine was found out when it was read */

	*ret = rows.count ? own_new(&rows, why) : NULL;
	return rows.count && !*ret ? -ENOMEM : 0;
}

bool config_own_has(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->own_count; i++)
		if (!strcmp(c->own[i].name, name))
			return true;
	return false;
}

int item_own(struct config_reader *r, const struct config_key *k, void *item)
{
	struct own_source *s = item;
	int err = read_map(r, k, item);
	char why[OWN_WHY_MAX];

	if (err)
		return err;
	if (!s->program[0] && !s->contains[0])
		return reader_fail(r,
				   "Decoders: %s: say with program or contains which lines are its",
				   s->name);
	if (!s->count)
		return reader_fail(r, "Decoders: %s: it has no lines", s->name);
	s->gateway = s->gateway ? s->gateway == GATEWAY_TRUE
				: s->service == SERVICE_VPN || s->service == SERVICE_CITRIX ||
					  s->service == SERVICE_RDGATEWAY;
	for (uint32_t i = 0; i < s->count; i++)
		if (!own_check(s, &r->config->own_lines[s->first + i],
			       r->own_examples[s->first + i], why))
			return reader_fail(r, "Decoders: %s: pattern %u: %s", s->name, i + 1, why);
	return 0;
}
