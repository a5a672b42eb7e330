/*
 * range_files: see range_files.h. Two forms: text with one block a line, where # begins a comment;
 * or JSON as providers publish it: every string in it that is a block with a length counts, which
 * is how AWS (ip-ranges.json), Google (cloud.json) and Azure (ServiceTags) write theirs.
 *
 * A file that is empty or that holds a block no network can have is an error: known would mean
 * nobody, or, of 0.0.0.0/0, everybody.
 */
#include "range_files.h"

#include "common/out/out.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/store/json_read.h"

#define FILE_MAX   (16u << 20)
#define RANGES_MAX 65536
#define DEPTH_MAX  16
#define BITS_MIN   8 /* a shorter prefix is no provider's */

struct reading {
	const char *config_name;
	const struct config_ranges *file;
	struct range_set *set;
	unsigned line; /* 0: of JSON */
	int code;
};

static int bad(struct reading *r, const char *what, struct span about)
{
	char shown[CONFIG_TEXT_MAX * 4], where[24] = "";

	if (out_escape(span_first(about, 40), shown, sizeof(shown)) < 0)
		shown[0] = '\0';
	if (r->line)
		snprintf(where, sizeof(where), ":%u", r->line);
	r->code = command_fail(EXIT_INPUT, "%s:%u: KnownRemoteIPs.file: %s%s: %s%s%s%s",
			       r->config_name, r->file->line, r->file->path, where, what,
			       about.len ? ": '" : "", shown, about.len ? "'" : "");
	return r->code;
}

static void add(struct reading *r, const struct cidr *c, struct span text)
{
	if (c->bits < BITS_MIN)
		bad(r, "wider than a /8", text);
	else if (r->set->count == RANGES_MAX)
		bad(r, "more than 65536 blocks", (struct span){NULL, 0});
	else
		r->set->rows[r->set->count++] = *c;
}

static struct span trim(struct span s)
{
	while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
		s = span_skip(s, 1);
	while (s.len && strchr(" \t\r", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static void read_lines(struct reading *r, struct span text)
{
	while (text.len && !r->code) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) : text.len;
		struct span line = span_first(text, n);
		const char *mark = line.len ? memchr(line.ptr, '#', line.len) : NULL;
		struct cidr c;

		text = span_skip(text, end ? n + 1 : n);
		r->line++;
		line = trim(mark ? span_first(line, (size_t)(mark - line.ptr)) : line);
		if (!line.len)
			continue;
		if (cidr_parse(line, &c))
			add(r, &c, line);
		else
			bad(r, "not an address or CIDR block without host bits", line);
	}
	r->line = 0;
}

static void read_json(struct reading *r, const json_t *v, unsigned depth)
{
	const char *key;
	json_t *inner;
	size_t i;
	struct cidr c;

	if (r->code)
		return;
	if (depth > DEPTH_MAX) {
		bad(r, "nested too deeply", (struct span){NULL, 0});
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, inner)
			read_json(r, inner, depth + 1);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, inner) read_json(r, inner, depth + 1);
	} else if (json_is_string(v)) {
		struct span s = {json_string_value(v), json_string_length(v)};

		if (s.len && memchr(s.ptr, '/', s.len) && cidr_parse(s, &c))
			add(r, &c, s);
	}
}

static void read_text(struct reading *r, struct span text)
{
	struct span start = text;
	json_error_t e;
	json_t *o;

	while (start.len && strchr(" \t\r\n", *start.ptr))
		start = span_skip(start, 1);
	if (!start.len || (*start.ptr != '{' && *start.ptr != '[')) {
		read_lines(r, text);
		return;
	}
	o = json_read(text.ptr, text.len, 0, &e);
	if (!o) {
		r->line = e.line > 0 ? (unsigned)e.line : 0;
		bad(r, "not JSON", span_of(e.text));
		return;
	}
	read_json(r, o, 0);
	json_decref(o);
}

static int read_file(const char *config_name, struct config_ranges *f)
{
	struct range_set *set = calloc(1, sizeof(*set));
	struct reading r = {.config_name = config_name, .file = f, .set = set};
	struct cidr *rows;
	char *text = NULL;
	size_t len = 0;
	int err;

	if (!set || !(set->rows = calloc(RANGES_MAX, sizeof(*set->rows)))) {
		free(set);
		return command_fail(EXIT_INPUT, "out of memory");
	}
	err = command_read_file(f->path, FILE_MAX, &text, &len);
	if (err)
		bad(&r, err == -EFBIG ? "larger than 16 MiB" : strerror(-err),
		    (struct span){NULL, 0});
	else
		read_text(&r, (struct span){text, len});
	free(text);
	if (!r.code && !set->count)
		bad(&r, "holds no block of addresses", (struct span){NULL, 0});
	if (r.code) {
		free(set->rows);
		free(set);
		return r.code;
	}
	range_set_settle(set);
	rows = realloc(set->rows, set->count * sizeof(*rows));
	if (rows)
		set->rows = rows;
	f->set = set;
	return EXIT_FINE;
}

int range_files_read(const char *config_name, struct config *c)
{
	int r = EXIT_FINE;

	for (unsigned i = 0; i < c->ranges_count && r == EXIT_FINE; i++)
		r = read_file(config_name, &c->ranges[i]);
	return r;
}

void range_files_free(struct config *c)
{
	for (unsigned i = 0; i < c->ranges_count; i++) {
		struct range_set *set = (struct range_set *)(uintptr_t)c->ranges[i].set;

		if (set)
			free(set->rows);
		free(set);
		c->ranges[i].set = NULL;
	}
}
