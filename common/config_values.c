/*
 * config_values: the values that mean something here: addresses, services, days, words, paths.
 *
 * Text is copied whole or refused: a cut account name or path would match the wrong thing.
 */
#include "config_reader.h"

#include <stdio.h>

static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return true;
	return false;
}

int read_text(struct config_reader *r, const struct config_key *k, void *base)
{
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (span_empty(s) || has_control(s))
		return reader_fail_value(r, k, "one line of text");
	if (s.len >= k->cap)
		return reader_fail(r, "%s: longer than %u bytes", k->name, (unsigned)(k->cap - 1));
	span_copy((char *)base + k->at, k->cap, s);
	return 0;
}

static bool is_absolute(const char *path)
{
	char drive = path[0] & ~0x20;

	return path[0] == '/' ||
	       (drive >= 'A' && drive <= 'Z' && path[1] == ':' && path[2] == '\\');
}

int read_path(struct config_reader *r, const struct config_key *k, void *base)
{
	int err = read_text(r, k, base);

	if (!err && !is_absolute((char *)base + k->at))
		return reader_fail_value(r, k, "an absolute path");
	return err;
}

int read_port(struct config_reader *r, const struct config_key *k, void *base)
{
	const struct config_key plain = {.name = k->name, .min = 1, .max = UINT16_MAX};
	uint32_t v = 0;
	int err = read_u32(r, &plain, &v);

	if (!err)
		*(uint16_t *)base = (uint16_t)v;
	return err;
}

int read_cidr(struct config_reader *r, const struct config_key *k, void *base)
{
	struct cidr *c = (struct cidr *)(void *)((char *)base + k->at);
	struct span s = {0};
	struct addr a;
	int err = reader_scalar(r, k, &s);

	if (err || cidr_parse(s, c))
		return err;
	s = span_first(s, s.len && memchr(s.ptr, '/', s.len)
				  ? (size_t)((const char *)memchr(s.ptr, '/', s.len) - s.ptr)
				  : 0);
	if (s.len && addr_parse(s, &a, NULL) && a.family != ADDR_NONE)
		return reader_fail_value(r, k,
					 "a CIDR block: its length is wrong or host bits "
					 "are set");
	return reader_fail_value(r, k, "an address or CIDR block");
}

/* "a b c" of every name but the empty one, for a message. */
static int fail_words(struct config_reader *r, const struct config_key *k,
		      const char *(*name)(unsigned i), unsigned count)
{
	char want[224] = "one of:";
	size_t n = strlen(want);

	for (unsigned i = 0; i < count && n < sizeof(want); i++)
		if (name(i)[0])
			n += (size_t)snprintf(want + n, sizeof(want) - n, " %s", name(i));
	return reader_fail_value(r, k, want);
}

static const char *service_at(unsigned i)
{
	return service_name((enum service)i);
}

int read_service(struct config_reader *r, const struct config_key *k, void *base)
{
	enum service *to = (enum service *)(void *)((char *)base + k->at);
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (span_empty(s) || !service_from_name(s, to))
		return fail_words(r, k, service_at, SERVICE_COUNT);
	return 0;
}

int read_until(struct config_reader *r, const struct config_key *k, void *base)
{
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err && !config_until(s, (uint64_t *)(void *)((char *)base + k->at)))
		return reader_fail_value(r, k, "a day such as 2026-12-31");
	return err;
}

int read_from(struct config_reader *r, const struct config_key *k, void *base)
{
	uint64_t *to = (uint64_t *)(void *)((char *)base + k->at);
	int err = read_until(r, k, base);

	if (!err)
		*to -= UINT64_C(86400) * 1000000000 - 1;
	return err;
}

static int scalar_word(struct config_reader *r, const struct config_key *k, unsigned *ret)
{
	char want[160] = "one of:";
	size_t n = strlen(want);
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	for (unsigned i = 0; k->words[i]; i++) {
		if (span_is(s, k->words[i])) {
			*ret = i;
			return 0;
		}
		if (n < sizeof(want))
			n += (size_t)snprintf(want + n, sizeof(want) - n, " %s", k->words[i]);
	}
	return reader_fail_value(r, k, want);
}

int read_word(struct config_reader *r, const struct config_key *k, void *base)
{
	unsigned v = 0;
	int err = scalar_word(r, k, &v);

	/* Every enum here is unsigned int wide (asserted in config.c). */
	if (!err)
		memcpy((char *)base + k->at, &v, sizeof(v));
	return err;
}

int read_word_bool(struct config_reader *r, const struct config_key *k, void *base)
{
	unsigned v = 0;
	int err = scalar_word(r, k, &v);

	if (!err)
		*((bool *)base + k->at) = v != 0;
	return err;
}

/* Whole fingerprints only: a piece of one would let other keys through. */
int read_fingerprint(struct config_reader *r, const struct config_key *k, void *base)
{
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err && !config_fingerprint(s))
		return reader_fail_value(r, k, "a key fingerprint (SHA256:...)");
	return err ? err : read_text(r, k, base);
}
