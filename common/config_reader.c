/*
 * config_reader: the YAML side of the configuration: one map, one list, one value at a time.
 *
 * Sees libyaml events. Strict on purpose: a number is plain decimal, a truth value is true or
 * false, a key appears once, and an empty value is an error, because each of the lenient readings
 * has surprised somebody ("no" as a country, 010 as eight).
 */
#include "config_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void fail_at(struct config_reader *r, unsigned line, const char *format, va_list ap)
{
	int n = snprintf(r->err, CONFIG_ERROR_MAX, "%.120s:%u: ", r->name, line);

	vsnprintf(r->err + n, CONFIG_ERROR_MAX - (size_t)n, format, ap);
}

int reader_fail(struct config_reader *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fail_at(r, (unsigned)r->event.start_mark.line + 1, format, ap);
	va_end(ap);
	return -EINVAL;
}

int reader_fail_value(struct config_reader *r, const struct config_key *k, const char *want)
{
	struct span s = {(const char *)r->event.data.scalar.value, r->event.data.scalar.length};
	char quoted[CONFIG_QUOTE_MAX];

	return reader_fail(r, "%s: '%s' is not %s", k->name, config_quote(s, quoted), want);
}

/* libyaml gives an encoding error an offset, everything else a mark. */
static int fail_yaml(struct config_reader *r)
{
	const char *problem = r->yaml.problem ? r->yaml.problem : "unreadable";
	unsigned line = (unsigned)r->yaml.problem_mark.line + 1;

	if (r->yaml.error == YAML_MEMORY_ERROR)
		problem = "out of memory";
	if (r->yaml.error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < r->yaml.problem_offset && i < r->len; i++)
			line += r->text[i] == '\n';
	}
	snprintf(r->err, CONFIG_ERROR_MAX, "%.120s:%u: not YAML: %.100s", r->name, line, problem);
	return -EINVAL;
}

static bool has_anchor_or_tag(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return e->data.scalar.anchor || e->data.scalar.tag;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	if (e->type == YAML_MAPPING_START_EVENT)
		return e->data.mapping_start.anchor || e->data.mapping_start.tag;
	return false;
}

int reader_next(struct config_reader *r)
{
	yaml_event_delete(&r->event);
	memset(&r->event, 0, sizeof(r->event));
	if (!yaml_parser_parse(&r->yaml, &r->event))
		return fail_yaml(r);
	if (r->event.type == YAML_ALIAS_EVENT || has_anchor_or_tag(&r->event))
		return reader_fail(r, "anchors, aliases and tags are not supported here");
	return 0;
}

/* What the last part of a key's path is. */
static struct span key_word(const struct config_key *k)
{
	const char *dot = strrchr(k->name, '.');

	return span_of(dot ? dot + 1 : k->name);
}

static int fail_unknown(struct config_reader *r, const struct config_key *keys, struct span word)
{
	const struct config_key *best = keys;
	char quoted[CONFIG_QUOTE_MAX];

	for (const struct config_key *k = keys; k->name; k++)
		if (config_distance(key_word(k), word) < config_distance(key_word(best), word))
			best = k;
	return reader_fail(r, "unknown key '%s'; the nearest is %s", config_quote(word, quoted),
			   best->name);
}

/* The current event is a key: its index in keys, or the error. */
static int key_find(struct config_reader *r, const struct config_key *keys)
{
	struct span word = {(const char *)r->event.data.scalar.value, r->event.data.scalar.length};

	if (r->event.type != YAML_SCALAR_EVENT)
		return reader_fail(r, "expected a key, found a list or a map");
	for (int i = 0; keys[i].name; i++)
		if (span_eq(key_word(&keys[i]), word))
			return i;
	return fail_unknown(r, keys, word);
}

static int check_required(struct config_reader *r, const struct config_key *keys, uint64_t seen)
{
	for (unsigned i = 0; keys[i].name; i++)
		if (keys[i].required && !(seen >> i & 1))
			return reader_fail(r, "%s is missing", keys[i].name);
	return 0;
}

int read_map(struct config_reader *r, const struct config_key *k, void *base)
{
	uint64_t seen = 0;
	int err, i;

	if (r->event.type != YAML_MAPPING_START_EVENT)
		return reader_fail(r, "%s: expected keys and values", k->name);
	for (;;) {
		err = reader_next(r);
		if (err)
			return err;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return check_required(r, k->sub, seen);
		i = key_find(r, k->sub);
		if (i < 0)
			return i;
		if (seen >> i & 1)
			return reader_fail(r, "%s is given twice", k->sub[i].name);
		seen |= (uint64_t)1 << i;
		err = reader_next(r);
		if (!err)
			err = k->sub[i].read(r, &k->sub[i], base);
		if (err)
			return err;
	}
}

int read_list(struct config_reader *r, const struct config_key *k, void *base)
{
	unsigned *count = (unsigned *)(void *)((char *)base + k->list->count_at);

	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		return reader_fail(r, "%s: expected a list; write [] for none", k->name);
	if (!k->list->append)
		*count = 0;
	for (;;) {
		char *item = (char *)base + k->at + *count * k->list->item_size;
		int err = reader_next(r);

		if (err)
			return err;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (*count == k->list->max)
			return reader_fail(r, "%s holds at most %u entries", k->name, *count);
		memset(item, 0, k->list->item_size);
		err = k->item(r, k, item);
		if (err)
			return err;
		++*count;
	}
}

int read_unsupported(struct config_reader *r, const struct config_key *k, void *base)
{
	(void)base;
	return reader_fail(r, "%s is not supported by this version", k->name);
}

int reader_scalar(struct config_reader *r, const struct config_key *k, struct span *ret)
{
	struct span s = {(const char *)r->event.data.scalar.value, r->event.data.scalar.length};

	if (r->event.type != YAML_SCALAR_EVENT)
		return reader_fail(r, "%s: expected one value, found a list or keys", k->name);
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (span_empty(s) || span_is(s, "~") || span_is(s, "null")))
		return reader_fail(r, "%s has no value", k->name);
	*ret = s;
	return 0;
}

/* A scalar that a quoted text may not stand for. */
static int scalar_plain(struct config_reader *r, const struct config_key *k, const char *want,
			struct span *ret)
{
	int err = reader_scalar(r, k, ret);

	if (!err && r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return reader_fail_value(r, k, want);
	return err;
}

int read_bool(struct config_reader *r, const struct config_key *k, void *base)
{
	const char *want = "true or false";
	struct span s = {0};
	int err = scalar_plain(r, k, want, &s);

	if (err)
		return err;
	if (!span_is(s, "true") && !span_is(s, "false"))
		return reader_fail_value(r, k, want);
	*(bool *)((char *)base + k->at) = span_is(s, "true");
	return 0;
}

static int check_range(struct config_reader *r, const struct config_key *k, uint64_t v,
		       const char *unit)
{
	char want[96];

	if (v >= k->min && v <= k->max)
		return 0;
	snprintf(want, sizeof(want), "between %llu and %llu%s", (unsigned long long)k->min,
		 (unsigned long long)k->max, unit);
	return reader_fail_value(r, k, want);
}

static int scalar_number(struct config_reader *r, const struct config_key *k, uint64_t *ret)
{
	const char *want = "a whole number";
	struct span s = {0};
	int err = scalar_plain(r, k, want, &s);

	if (err)
		return err;
	if (!span_u64(s, ret) || (s.len > 1 && s.ptr[0] == '0'))
		return reader_fail_value(r, k, want);
	return check_range(r, k, *ret, "");
}

int read_u32(struct config_reader *r, const struct config_key *k, void *base)
{
	uint64_t v = 0;
	int err = scalar_number(r, k, &v);

	if (!err)
		*(uint32_t *)(void *)((char *)base + k->at) = (uint32_t)v;
	return err;
}

int read_u64(struct config_reader *r, const struct config_key *k, void *base)
{
	uint64_t v = 0;
	int err = scalar_number(r, k, &v);

	if (!err)
		*(uint64_t *)(void *)((char *)base + k->at) = v;
	return err;
}

static int scalar_unit(struct config_reader *r, const struct config_key *k,
		       bool (*text)(struct span s, uint64_t *ret), const char *want,
		       const char *unit, uint64_t *ret)
{
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (!text(s, ret))
		return reader_fail_value(r, k, want);
	return check_range(r, k, *ret, unit);
}

int read_seconds(struct config_reader *r, const struct config_key *k, void *base)
{
	return scalar_unit(r, k, config_duration, "a duration such as 15m, 900s, 1h or 30d",
			   " seconds", (uint64_t *)(void *)((char *)base + k->at));
}

int read_seconds32(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_key at_zero = *k;
	uint64_t v = 0;
	int err;

	at_zero.at = 0;
	err = read_seconds(r, &at_zero, &v);
	if (!err)
		*(uint32_t *)(void *)((char *)base + k->at) = (uint32_t)v;
	return err;
}

int read_bytes(struct config_reader *r, const struct config_key *k, void *base)
{
	return scalar_unit(r, k, config_bytes, "a size such as 256MiB, 64KiB or bytes", " bytes",
			   (uint64_t *)(void *)((char *)base + k->at));
}
