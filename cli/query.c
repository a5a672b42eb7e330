/* query: see query.h. */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/out/out_parts.h"

const struct out_policy query_policy = {.keep_unknown_accounts = true,
					.command_lines = COMMANDS_FULL};

struct option {
	const char *name;
	bool filter; /* not for explain */
	bool flag;   /* takes no value */
	bool (*set)(struct query *q, struct span value);
};

static uint64_t now_ns(void)
{
	return (uint64_t)time(NULL) * UINT64_C(1000000000);
}

static bool set_since(struct query *q, struct span v)
{
	return query_time(v, now_ns(), &q->filter.since_ns);
}

static bool set_until(struct query *q, struct span v)
{
	return query_time(v, now_ns(), &q->filter.until_ns);
}

static bool set_service(struct query *q, struct span v)
{
	return service_from_name(v, &q->filter.service) && q->filter.service != SERVICE_NONE;
}

static bool set_account(struct query *q, struct span v)
{
	q->filter.account = v;
	return v.len > 0;
}

static bool set_origin(struct query *q, struct span v)
{
	struct cidr c;

	q->filter.origin = v;
	return cidr_parse(v, &c);
}

static bool set_severity(struct query *q, struct span v)
{
	return severity_from_name(v, &q->filter.severity);
}

static bool set_detection(struct query *q, struct span v)
{
	q->filter.detection = v;
	return detection_find(v) >= 0;
}

static bool set_session(struct query *q, struct span v)
{
	q->filter.session = v;
	return v.len > 0;
}

static bool set_live(struct query *q, struct span v)
{
	(void)v;
	q->filter.live = true;
	return true;
}

static bool set_limit(struct query *q, struct span v)
{
	uint64_t n;

	if (!span_u64(v, &n) || n == 0 || n > 1000000000)
		return false;
	q->filter.limit = (unsigned)n;
	return true;
}

static bool set_format(struct query *q, struct span v)
{
	q->json = span_is(v, "json");
	return q->json || span_is(v, "table") || span_is(v, "text");
}

static bool set_store(struct query *q, struct span v)
{
	q->store = v.ptr;
	return v.len > 0;
}

static bool set_config(struct query *q, struct span v)
{
	q->config = v.ptr;
	return v.len > 0;
}

static const struct option options[] = {
	{"--since", true, false, set_since},
	{"--until", true, false, set_until},
	{"--service", true, false, set_service},
	{"--account", true, false, set_account},
	{"--origin", true, false, set_origin},
	{"--severity", true, false, set_severity},
	{"--detection", true, false, set_detection},
	{"--session", true, false, set_session},
	{"--live", true, true, set_live},
	{"--limit", true, false, set_limit},
	{"--format", false, false, set_format},
	{"--store", false, false, set_store},
	{"--config", false, false, set_config},
};

/* "--name" or "--name=value" */
static const struct option *find_option(const char *arg, bool filters, struct span *ret_value)
{
	const char *equals = strchr(arg, '=');
	struct span name = equals ? (struct span){arg, (size_t)(equals - arg)} : span_of(arg);

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!span_is(name, options[i].name) || (options[i].filter && !filters))
			continue;
		*ret_value = equals ? span_of(equals + 1) : (struct span){NULL, 0};
		return &options[i];
	}
	return NULL;
}

/* "what: text", the text cut and escaped. */
static int complain(const struct command *c, const char *what, struct span about)
{
	char shown[256], text[320];

	if (out_escape(span_first(about, 60), shown, sizeof(shown)) < 0)
		shown[0] = '\0';
	snprintf(text, sizeof(text), "%s: %s", what, shown);
	return command_usage(c, text);
}

static int bad_value(const struct command *c, const char *option, struct span value)
{
	char what[64];

	snprintf(what, sizeof(what), "not a value for %.30s", option);
	return complain(c, what, value);
}

/* The option at argv[*i] and its value. */
static int parse_option(const struct command *c, int argc, char **argv, int *i, bool filters,
			struct query *q)
{
	struct span value;
	const char *arg = argv[*i];
	const struct option *o = find_option(arg, filters, &value);

	if (!o)
		return complain(c, "unknown option", span_of(arg));
	if (o->flag && value.ptr)
		return bad_value(c, o->name, value);
	if (!o->flag && !value.ptr) {
		if (*i + 1 >= argc)
			return complain(c, "a value is missing after", span_of(o->name));
		value = span_of(argv[++*i]);
	}
	if (!o->set(q, value))
		return bad_value(c, o->name, value);
	return EXIT_FINE;
}

int query_parse(const struct command *c, int argc, char **argv, bool filters, struct query *ret)
{
	bool words_only = false;

	*ret = (struct query){0};
	for (int i = 1; i < argc; i++) {
		int r;

		if (!words_only && !strcmp(argv[i], "--")) {
			words_only = true;
			continue;
		}
		if (words_only || argv[i][0] != '-') {
			if (filters || ret->word)
				return complain(c, "unexpected argument", span_of(argv[i]));
			ret->word = argv[i];
			continue;
		}
		r = parse_option(c, argc, argv, &i, filters, ret);
		if (r)
			return r;
	}
	return EXIT_FINE;
}

static int open_failed(const char *path, int r)
{
	if (r == -EACCES || r == -EPERM)
		return command_fail(EXIT_PERMISSION,
				    "%s: not permitted; root and the group outergate may read it",
				    path);
	if (r == -ENOENT)
		return command_fail(EXIT_INPUT,
				    "%s: there is no store yet; `outergate run` makes it", path);
	return command_fail(EXIT_INPUT, "%s: %s", path, store_open_reason(r));
}

int query_open(const struct query *q, struct store **ret)
{
	struct config *config = calloc(1, sizeof(*config));
	const char *path = q->store;
	int r = EXIT_FINE;

	if (!config)
		return command_fail(EXIT_INPUT, "out of memory");
	if (!path) {
		r = command_config(q->config, config);
		path = config->store;
	}
	if (r == EXIT_FINE) {
		int err = store_open(path, STORE_READ, ret);

		if (err)
			r = open_failed(path, err);
	}
	free(config);
	return r;
}

int query_failed(struct store *s, int r)
{
	const char *why = store_error(s);

	return command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_INPUT, "%s",
			    *why ? why : strerror(-r));
}

int query_finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		return command_fail(EXIT_INPUT, "writing the output: %s", strerror(errno));
	return EXIT_FINE;
}

void column_text(struct writer *w, const char *text, size_t width)
{
	char cell[512];
	size_t n;

	if (out_escape(span_first(span_of(*text ? text : "-"), sizeof(cell) / 4 - 1), cell,
		       sizeof(cell)) < 0)
		cell[0] = '\0';
	n = strlen(cell);
	if (n > width) {
		memcpy(cell + width - 2, "..", 3);
		/* not in the middle of a character */
		for (size_t i = width - 2; i && ((unsigned char)cell[i - 1] & 0xc0) == 0x80; i--)
			cell[i - 1] = '.';
	}
	writer_column(w, cell, width);
	writer_puts(w, "  ");
}

void column_time(struct writer *w, uint64_t ns)
{
	char buf[32];

	if (ns) {
		out_time(ns, buf);
		memcpy(buf + 19, "Z", 2); /* seconds are enough in a table */
	}
	column_text(w, ns ? buf : "-", 20);
}

void column_endpoint(struct writer *w, const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT_MAX];

	column_text(w, part_endpoint_text(e, buf), 24);
}

void column_place(struct writer *w, const struct geo *g)
{
	char buf[24] = "";

	if (g->asn)
		snprintf(buf, sizeof(buf), "%s%sAS%u", g->country, g->country[0] ? " " : "",
			 (unsigned)g->asn);
	column_text(w, g->asn ? buf : g->country, 13);
}

void column_end(struct writer *w)
{
	while (w->len && w->buf[w->len - 1] == ' ')
		w->len--;
	writer_finish(w);
	puts(w->buf);
}
