/*
 * profile_json: see profile_json.h. A table of keys for each object; a key that is not in it, twice
 * in the line or of another type is an error: a misspelt habit would be a lost one.
 */
#include "profile_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/core/core.h"
#include "common/store/json_read.h"

struct reading {
	struct exported *to;
	uint32_t latest_day;
	char *reason;
};

static int fail(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->reason, PROFILE_REASON_MAX, format, ap);
	va_end(ap);
	return -EBADMSG;
}

static int read_number(struct reading *r, const char *key, const json_t *v, uint64_t max,
		       uint64_t *ret)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return fail(r, "%s: not a whole number of at most %llu", key,
			    (unsigned long long)max);
	*ret = (uint64_t)n;
	return 0;
}

static int read_text(struct reading *r, const char *key, const json_t *v, char *to, size_t cap)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);

	if (!s || !n || n >= cap)
		return fail(r, "%s: not a text of 1 to %zu bytes", key, cap - 1);
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return fail(r, "%s: holds what is not printable ASCII", key);
	memcpy(to, s, n + 1);
	return 0;
}

static int read_hex(struct reading *r, const char *key, const json_t *v, uint64_t *ret)
{
	char text[17], end;
	unsigned long long n;
	int err = read_text(r, key, v, text, sizeof(text));

	if (err)
		return err;
	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16 ||
	    sscanf(text, "%llx%c", &n, &end) != 1)
		return fail(r, "%s: not 16 hexadecimal digits", key);
	*ret = n;
	return 0;
}

/* "2026-11-22T00:00:00.000Z": the day counts. */
static int read_day(struct reading *r, const char *key, const json_t *v, uint32_t *ret)
{
	const char *s = json_string_value(v);
	uint64_t ns;

	if (!s || strlen(s) < 10 || !config_until((struct span){s, 10}, &ns) ||
	    (s[10] && s[10] != 'T'))
		return fail(r, "%s: not a day such as 2026-11-22", key);
	*ret = (uint32_t)(ns / (86400 * UINT64_C(1000000000)));
	if (*ret > r->latest_day)
		return fail(r, "%s: %.10s is in the future", key, s);
	return 0;
}

static int read_row(struct reading *r, const char *key, const json_t *v, size_t n, uint64_t max,
		    uint8_t *to)
{
	uint64_t x = 0;
	int err = 0;

	if (!json_is_array(v) || json_array_size(v) != n)
		return fail(r, "%s: not a list of %zu numbers", key, n);
	for (size_t i = 0; i < n && !err; i++) {
		err = read_number(r, key, json_array_get(v, i), max, &x);
		to[i] = (uint8_t)x;
	}
	return err;
}

/* --- one value of a kind */

static enum trait_kind kind_of(const char *name)
{
	for (unsigned k = TRAIT_COUNTRY; k < TRAIT_KINDS; k++)
		if (name && !strcmp(name, trait_kind_name((enum trait_kind)k)))
			return (enum trait_kind)k;
	return TRAIT_NONE;
}

static bool is_of_kind(const struct trait *t)
{
	struct span s = span_of(t->value);
	enum service service;
	struct addr addr;
	uint64_t n;

	switch ((enum trait_kind)t->kind) {
	case TRAIT_COUNTRY:
		return s.len == 2 && s.ptr[0] >= 'A' && s.ptr[0] <= 'Z' && s.ptr[1] >= 'A' &&
		       s.ptr[1] <= 'Z';
	case TRAIT_ASN:
		return span_u64(s, &n) && n && n <= UINT32_MAX;
	case TRAIT_NETWORK: /* what is longer than a value was cut when it was learned */
		return addr_parse(s, &addr, NULL) || s.len == TRAIT_VALUE - 1;
	case TRAIT_SERVICE:
		return service_from_name(s, &service) && service != SERVICE_NONE;
	case TRAIT_METHOD:
		return method_from_name(s) != METHOD_OTHER || span_is(s, "other");
	default:
		return true;
	}
}

static int trait_key(struct reading *r, struct trait *t, const char *key, const json_t *v)
{
	uint64_t n = 0;
	uint32_t day = 0;
	int err;

	if (!strcmp(key, "kind")) {
		t->kind = (uint8_t)kind_of(json_string_value(v));
		return t->kind ? 0 : fail(r, "seen.kind: not one that is known");
	}
	if (!strcmp(key, "value"))
		return read_text(r, "seen.value", v, t->value, TRAIT_VALUE);
	if (!strcmp(key, "learned")) {
		t->learned = json_is_true(v);
		return json_is_boolean(v) ? 0 : fail(r, "seen.learned: not true or false");
	}
	if (!strcmp(key, "count") || !strcmp(key, "days")) {
		bool days = *key == 'd';

		err = read_number(r, days ? "seen.days" : "seen.count", v,
				  days ? UINT8_MAX : UINT16_MAX, &n);
		if (days)
			t->days = (uint8_t)n;
		else
			t->count = (uint16_t)n;
		return err;
	}
	if (!strcmp(key, "first_day") || !strcmp(key, "last_day")) {
		err = read_day(r, key, v, &day);
		if (day > UINT16_MAX)
			return fail(r, "seen.%s: too far", key);
		*(*key == 'f' ? &t->first_day : &t->last_day) = (uint16_t)day;
		return err;
	}
	return fail(r, "seen: a key that is not known: %.40s", key);
}

static int read_trait(struct reading *r, struct trait *t, json_t *o)
{
	const char *key;
	json_t *v;
	int err = 0;

	if (!json_is_object(o))
		return fail(r, "seen: not a list of objects");
	json_object_foreach(o, key, v)
	{
		err = trait_key(r, t, key, v);
		if (err)
			return err;
	}
	if (!t->kind || !t->value[0] || !t->count || !t->first_day)
		return fail(r, "seen: one without kind, value, count or first_day");
	if (!is_of_kind(t))
		return fail(r, "seen: '%s' is no %s", t->value,
			    trait_kind_name((enum trait_kind)t->kind));
	if (t->last_day < t->first_day)
		return fail(r, "seen.last_day is before its first_day");
	if (!t->days) /* of an older export */
		t->days = 1;
	return 0;
}

static int read_seen(struct reading *r, const json_t *v)
{
	json_t *o;
	size_t i;
	int err = 0;

	if (!json_is_array(v) || json_array_size(v) > TRAITS_MAX)
		return fail(r, "seen: not a list of at most %d", TRAITS_MAX);
	json_array_foreach(v, i, o)
	{
		err = read_trait(r, &r->to->p.traits[i], o);
		if (err)
			return err;
	}
	return 0;
}

/* --- a profile */

static int read_hours(struct reading *r, const json_t *v)
{
	uint8_t hours[WEEK_HOURS] = {0};
	int err = read_row(r, "hours", v, WEEK_HOURS, 15, hours);

	for (unsigned i = 0; i < WEEK_HOURS && !err; i++)
		r->to->p.hours[i / 2] |= (uint8_t)(hours[i] << (i % 2 * 4));
	return err;
}

static int profile_key(struct reading *r, const char *key, const json_t *v)
{
	struct profile *p = &r->to->p;
	uint64_t n = 0;
	int err;

	if (!strcmp(key, "identity"))
		return read_text(r, key, v, p->name, PROFILE_NAME);
	if (!strcmp(key, "key"))
		return read_hex(r, key, v, &p->key);
	if (!strcmp(key, "of"))
		return read_hex(r, key, v, &r->to->mark);
	if (!strcmp(key, "first_day"))
		return read_day(r, key, v, &p->first_day);
	if (!strcmp(key, "last_day"))
		return read_day(r, key, v, &p->last_day);
	if (!strcmp(key, "seen"))
		return read_seen(r, v);
	if (!strcmp(key, "hours"))
		return read_hours(r, v);
	if (!strcmp(key, "sizes"))
		return read_row(r, key, v, PROFILE_SIZES, UINT8_MAX, p->sizes);
	if (!strcmp(key, "logins")) {
		err = read_number(r, key, v, UINT32_MAX / 2, &n);
		p->logins = (uint32_t)n;
		return err;
	}
	if (!strcmp(key, "days")) {
		err = read_number(r, key, v, UINT8_MAX, &n);
		p->days = (uint8_t)n;
		return err;
	}
	return fail(r, "a key that is not known: %.40s", key);
}

static int read_profile(struct reading *r, json_t *o)
{
	struct profile *p = &r->to->p;
	const char *key;
	json_t *v;
	int err;

	json_object_foreach(o, key, v)
	{
		err = profile_key(r, key, v);
		if (err)
			return err;
	}
	if (!p->name[0] || !p->first_day || !p->last_day)
		return fail(r, "without identity, first_day or last_day");
	if (p->last_day < p->first_day)
		return fail(r, "last_day is before first_day");
	if (!p->days)
		p->days = 1;
	return 0;
}

int profile_from_json(const char *line, size_t len, uint32_t latest_day, struct exported *ret,
		      char reason[PROFILE_REASON_MAX])
{
	struct reading r = {ret, latest_day, reason};
	json_error_t e;
	json_t *o = json_read(line, len, JSON_REJECT_DUPLICATES, &e);
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!json_is_object(o))
		err = fail(&r, "not a JSON object%s%.60s", o ? "" : ": ", o ? "" : e.text);
	else
		err = read_profile(&r, o);
	json_decref(o);
	return err;
}
