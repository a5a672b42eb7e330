/*
 * config_detect: the Detections map. The keys of one detection are those below plus the parameters
 * of its own row, so that a new detection needs nothing here.
 *
 *   Detections:
 *     auth.bruteforce: {severity: medium, Mode: observe}
 *     access.external:
 *       exceptions:
 *         - {origin: 203.0.113.0/28, account: backup, reason: nightly pull, until: 2026-12-31}
 */
#include "config_reader.h"

#include <stdio.h>

static int read_severity(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_detection *d = base;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (!severity_from_name(s, &d->severity))
		return reader_fail_value(r, k, "one of: info low medium high critical");
	d->has_severity = true;
	return 0;
}

static const char *const modes[] = {"alert", "observe", NULL};

static int read_mode(struct config_reader *r, const struct config_key *k, void *base)
{
	r->mode_is_own |= (uint64_t)1 << r->detection;
	return read_word_bool(r, k, base);
}

static int read_origin(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_exception *x = base;

	x->has_origin = true;
	return read_cidr(r, k, base);
}

static int read_method(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_exception *x = base;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	x->method = method_from_name(s);
	if (x->method == METHOD_OTHER && !span_is(s, method_name(METHOD_OTHER)))
		return reader_fail_value(r, k, "a method such as password or publickey");
	return 0;
}

static int read_country(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_exception *x = base;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err &&
	    (s.len != 2 || s.ptr[0] < 'A' || s.ptr[0] > 'Z' || s.ptr[1] < 'A' || s.ptr[1] > 'Z'))
		return reader_fail_value(r, k, "a country such as NL");
	if (!err)
		memcpy(x->country, s.ptr, 2);
	return err;
}

static bool has_reason(const struct detection *d, struct span word)
{
	struct span left = span_of(d->reasons);

	while (left.len) {
		const char *end = memchr(left.ptr, ' ', left.len);
		size_t n = end ? (size_t)(end - left.ptr) : left.len;

		if (span_eq(span_first(left, n), word))
			return true;
		left = span_skip(left, n < left.len ? n + 1 : n);
	}
	return false;
}

/* One that the detection never gives would silence nothing and look as if it did. */
static int read_cause(struct config_reader *r, const struct config_key *k, void *base)
{
	const struct detection *d = detections[r->detection];
	char want[160];
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (!d->reasons[0])
		return reader_fail(r, "%s: %s has only one", k->name, d->id);
	snprintf(want, sizeof(want), "one of: %s", d->reasons);
	return has_reason(d, s) ? read_text(r, k, base) : reader_fail_value(r, k, want);
}

static int read_own_port(struct config_reader *r, const struct config_key *k, void *base)
{
	return read_port(r, k, (char *)base + k->at);
}

#define AT(field) offsetof(struct config_exception, field)
static const struct config_key exception_keys[] = {
	{"Detections.<id>.exceptions.origin", .read = read_origin, .at = AT(origin)},
	{"Detections.<id>.exceptions.account", .read = read_text, .at = AT(account),
	 .cap = ACCOUNT_TEXT_MAX},
	{"Detections.<id>.exceptions.service", .read = read_service, .at = AT(service)},
	{"Detections.<id>.exceptions.method", .read = read_method},
	{"Detections.<id>.exceptions.port", .read = read_own_port, .at = AT(port)},
	{"Detections.<id>.exceptions.country", .read = read_country},
	{"Detections.<id>.exceptions.asn", .read = read_u32, .at = AT(asn), .min = 1,
	 .max = UINT32_MAX},
	{"Detections.<id>.exceptions.cause", .read = read_cause, .at = AT(cause),
	 .cap = CONFIG_CAUSE_MAX},
	{"Detections.<id>.exceptions.effective_account", .read = read_text,
	 .at = AT(effective_account), .cap = ACCOUNT_TEXT_MAX},
	{"Detections.<id>.exceptions.client", .read = read_text, .at = AT(client),
	 .cap = ACCOUNT_TEXT_MAX},
	{"Detections.<id>.exceptions.key", .read = read_fingerprint, .at = AT(key),
	 .cap = CONFIG_TEXT_MAX},
	{"Detections.<id>.exceptions.reason", .read = read_text, .at = AT(reason),
	 .cap = CONFIG_TEXT_MAX, .required = true},
	{"Detections.<id>.exceptions.until", .read = read_until, .at = AT(until_ns)},
	{0},
};
#undef AT

static bool says_what(const struct config_exception *x)
{
	return x->has_origin || x->account[0] || x->key[0] || x->service != SERVICE_NONE ||
	       x->method != METHOD_NONE || x->port || x->country[0] || x->asn || x->cause[0] ||
	       x->effective_account[0] || x->client[0];
}

static int item_exception(struct config_reader *r, const struct config_key *k, void *item)
{
	struct config_exception *x = item;
	int err = read_map(r, k, item);

	if (err)
		return err;
	x->detection = r->detection;
	if (!says_what(x))
		return reader_fail(r, "an exception needs an origin, account, service, key or "
				      "another thing to match; to silence the detection set "
				      "enabled: false");
	return 0;
}

static const struct config_list exception_list = {
	.count_at = offsetof(struct config, exceptions_count),
	.item_size = sizeof(struct config_exception),
	.max = CONFIG_EXCEPTIONS_MAX,
	.append = true,
};

/* The list is shared by all detections and lives in the configuration, not in the row. */
static int read_exceptions(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_key list = *k;

	(void)base;
	list.at = offsetof(struct config, exceptions);
	return read_list(r, &list, r->config);
}

#define AT(field) offsetof(struct config_detection, field)
const struct config_key config_detection_keys[] = {
	{"Detections.<id>.enabled", .read = read_bool, .at = AT(enabled)},
	{"Detections.<id>.severity", .read = read_severity},
	{"Detections.<id>.Mode", .read = read_mode, .at = AT(observe), .words = modes},
	{"Detections.<id>.exceptions", .read = read_exceptions, .list = &exception_list,
	 .item = item_exception, .sub = exception_keys},
	{0},
};
#define FIXED_KEYS (sizeof(config_detection_keys) / sizeof(config_detection_keys[0]) - 1)

static int (*const unit_readers[])(struct config_reader *, const struct config_key *, void *) = {
	[UNIT_COUNT] = read_u64,
	[UNIT_SECONDS] = read_seconds,
	[UNIT_BYTES] = read_bytes,
};

static const uint64_t unit_max[] = {
	[UNIT_COUNT] = 1000000000,
	[UNIT_SECONDS] = 366 * 86400,
	[UNIT_BYTES] = (uint64_t)1 << 50,
};

/* The fixed keys, then the row's own parameters. */
static int read_detection(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_key keys[FIXED_KEYS + DETECTION_PARAMS_MAX + 1] = {0};
	struct config_key map = {.name = k->name, .sub = keys};
	const struct detection *d = detections[r->detection];

	memcpy(keys, config_detection_keys, sizeof(config_detection_keys));
	for (unsigned i = 0; i < DETECTION_PARAMS_MAX && d->params[i].name; i++)
		keys[FIXED_KEYS + i] = (struct config_key){
			.name = d->params[i].name,
			.read = unit_readers[d->params[i].unit],
			.at = AT(params) + i * sizeof(uint64_t),
			.max = d->param_max[i] ? d->param_max[i] : unit_max[d->params[i].unit],
		};
	return read_map(r, &map, base);
}
#undef AT

static int fail_no_detection(struct config_reader *r, struct span id)
{
	const char *best = detections[0]->id;
	char quoted[CONFIG_QUOTE_MAX];

	for (unsigned i = 1; i < DETECTION_COUNT; i++)
		if (config_distance(span_of(detections[i]->id), id) <
		    config_distance(span_of(best), id))
			best = detections[i]->id;
	return reader_fail(r, "unknown detection '%s'; the nearest is %s", config_quote(id, quoted),
			   best);
}

int read_detections(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config *c = base;
	uint64_t seen = 0;

	if (r->event.type != YAML_MAPPING_START_EVENT)
		return reader_fail(r, "%s: expected keys and values", k->name);
	for (;;) {
		struct config_key one = {0};
		struct span id = {0};
		int i, err = reader_next(r);

		if (err || r->event.type == YAML_MAPPING_END_EVENT)
			return err;
		err = reader_scalar(r, k, &id);
		if (err)
			return err;
		i = detection_find(id);
		if (i < 0)
			return fail_no_detection(r, id);
		one.name = detections[i]->id;
		if (seen >> i & 1)
			return reader_fail(r, "%s is given twice", one.name);
		seen |= (uint64_t)1 << i;
		r->detection = (uint16_t)i;
		err = reader_next(r);
		if (!err)
			err = read_detection(r, &one, &c->detections[i]);
		if (err)
			return err;
	}
}
