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

/* Whole fingerprints only: a piece of one would let other keys through. */
static int read_fingerprint(struct config_reader *r, const struct config_key *k, void *base)
{
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err && !config_fingerprint(s))
		return reader_fail_value(r, k, "a key fingerprint (SHA256:...)");
	return err ? err : read_text(r, k, base);
}

#define AT(field) offsetof(struct config_exception, field)
static const struct config_key exception_keys[] = {
	{"Detections.<id>.exceptions.origin", .read = read_origin, .at = AT(origin)},
	{"Detections.<id>.exceptions.account", .read = read_text, .at = AT(account),
	 .cap = ACCOUNT_TEXT_MAX},
	{"Detections.<id>.exceptions.service", .read = read_service, .at = AT(service)},
	{"Detections.<id>.exceptions.key", .read = read_fingerprint, .at = AT(key),
	 .cap = CONFIG_TEXT_MAX},
	{"Detections.<id>.exceptions.reason", .read = read_text, .at = AT(reason),
	 .cap = CONFIG_TEXT_MAX, .required = true},
	{"Detections.<id>.exceptions.until", .read = read_until, .at = AT(until_ns)},
	{0},
};
#undef AT

static int item_exception(struct config_reader *r, const struct config_key *k, void *item)
{
	struct config_exception *x = item;
	int err = read_map(r, k, item);

	if (err)
		return err;
	x->detection = r->detection;
	if (!x->has_origin && !x->account[0] && !x->key[0] && x->service == SERVICE_NONE)
		return reader_fail(r, "an exception needs an origin, account, service or key; to "
				      "silence the detection set enabled: false");
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
