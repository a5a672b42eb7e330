/*
 * config_hours: BusinessHours as it is written; hours.c says whether a time is within.
 *
 *   BusinessHours:
 *     days: mon-fri
 *     hours: 08:00-18:00            # or a list: [08:00-12:00, 13:00-18:00]
 *     timezone: Europe/Berlin       # or a rule: CET-1CEST,M3.5.0,M10.5.0/3
 *     holidays: [2026-12-25]
 *     overrides:
 *       - {account: oncall, days: mon-sun, hours: 00:00-24:00}
 *       - {group: night, hours: 22:00-06:00}
 */
#include "config_reader.h"

#define DAY_MINUTES 1440

#define AT(field)      offsetof(struct config, hours.field)
#define OF_RULE(field) offsetof(struct hours_rule, field)

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static int day_of(struct span s)
{
	for (int i = 0; i < 7; i++)
		if (span_is(s, day_names[i]))
			return i;
	return -1;
}

static size_t find(struct span s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

/* "mon", "mon-fri", "sat-mon" */
static bool days_part(struct span s, uint8_t *ret)
{
	size_t dash = find(s, '-');
	int from = day_of(span_first(s, dash));
	int to = dash < s.len ? day_of(span_skip(s, dash + 1)) : from;

	if (from < 0 || to < 0)
		return false;
	for (int i = from;; i = (i + 1) % 7) {
		*ret = (uint8_t)(*ret | 1u << i);
		if (i == to)
			return true;
	}
}

static bool two_digits(struct span s, unsigned *ret)
{
	if (s.len != 2 || s.ptr[0] < '0' || s.ptr[0] > '9' || s.ptr[1] < '0' || s.ptr[1] > '9')
		return false;
	*ret = (unsigned)(s.ptr[0] - '0') * 10 + (unsigned)(s.ptr[1] - '0');
	return true;
}

/* "08:00"; "24:00" is the end of a day. */
static bool minute_of(struct span s, uint16_t *ret)
{
	unsigned h, m;

	if (s.len != 5 || s.ptr[2] != ':' || !two_digits(span_first(s, 2), &h) ||
	    !two_digits(span_skip(s, 3), &m) || m > 59 || h * 60 + m > DAY_MINUTES)
		return false;
	*ret = (uint16_t)(h * 60 + m);
	return true;
}

static bool range_of(struct span s, struct hours_range *ret)
{
	size_t dash = find(s, '-');

	return dash < s.len && minute_of(span_first(s, dash), &ret->from) &&
	       minute_of(span_skip(s, dash + 1), &ret->to) && ret->from != ret->to &&
	       ret->from < DAY_MINUTES;
}

/* One value, or a list of them, each given to take. */
static int read_each(struct config_reader *r, const struct config_key *k, void *base,
		     int (*take)(struct config_reader *r, const struct config_key *k, void *base))
{
	int err = 0;

	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		return take(r, k, base);
	for (;;) {
		err = reader_next(r);
		if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = take(r, k, base);
		if (err)
			return err;
	}
}

static int take_days(struct config_reader *r, const struct config_key *k, void *base)
{
	uint8_t *days = (uint8_t *)base + k->at;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err && !days_part(s, days))
		return reader_fail_value(r, k, "a day or a range such as mon-fri");
	return err;
}

int read_days(struct config_reader *r, const struct config_key *k, void *base)
{
	*((uint8_t *)base + k->at) = 0;
	return read_each(r, k, base, take_days);
}

static int take_range(struct config_reader *r, const struct config_key *k, void *base)
{
	struct hours_rule *rule = (struct hours_rule *)(void *)((char *)base + k->at);
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (rule->ranges_count == HOURS_RANGES_MAX)
		return reader_fail(r, "%s holds at most %u ranges", k->name, HOURS_RANGES_MAX);
	if (!range_of(s, &rule->ranges[rule->ranges_count]))
		return reader_fail_value(r, k, "a range such as 08:00-18:00");
	rule->ranges_count++;
	return 0;
}

/* k->at is that of the rule. */
int read_hour_ranges(struct config_reader *r, const struct config_key *k, void *base)
{
	((struct hours_rule *)(void *)((char *)base + k->at))->ranges_count = 0;
	return read_each(r, k, base, take_range);
}

static bool is_zone_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/_+-";

	return name[0] != '/' && name[strspn(name, letters)] == '\0';
}

/* A rule is taken as it is; a name waits for the caller, who may read files. */
static int read_zone(struct config_reader *r, const struct config_key *k, void *base)
{
	struct business_hours *h = &r->config->hours;
	int err = read_text(r, k, base);

	if (err)
		return err;
	h->zone_line = 0;
	if (zone_parse(span_of(h->zone_name), &h->zone))
		return 0;
	if (!is_zone_name(h->zone_name))
		return reader_fail_value(r, k, "a zone such as Europe/Berlin or a POSIX rule");
	h->zone_line = (unsigned)r->event.start_mark.line + 1;
	return 0;
}

static int item_holiday(struct config_reader *r, const struct config_key *k, void *item)
{
	struct span s = {0};
	uint64_t end_ns;
	int err = reader_scalar(r, k, &s);

	if (!err && !config_until(s, &end_ns))
		return reader_fail_value(r, k, "a day such as 2026-12-25");
	if (!err)
		*(int32_t *)item = (int32_t)(end_ns / (86400 * 1000000000ull));
	return err;
}

static int item_override(struct config_reader *r, const struct config_key *k, void *item)
{
	struct hours_override *o = item;
	int err;

	o->rule = r->config->hours.rule; /* what is not said is as for everybody */
	err = read_map(r, k, item);
	if (!err && !o->account[0] == !o->group[0])
		return reader_fail(r, "%s: either an account or a group", k->name);
	return err;
}

static const struct config_list holidays_list = {
	.count_at = AT(holidays_count), .item_size = sizeof(int32_t), .max = HOURS_HOLIDAYS_MAX};
static const struct config_list overrides_list = {.count_at = AT(overrides_count),
						  .item_size = sizeof(struct hours_override),
						  .max = HOURS_OVERRIDES_MAX};

static const struct config_key override_keys[] = {
	{"BusinessHours.overrides.account", .read = read_text,
	 .at = offsetof(struct hours_override, account), .cap = ACCOUNT_TEXT_MAX},
	{"BusinessHours.overrides.group", .read = read_text,
	 .at = offsetof(struct hours_override, group), .cap = ACCOUNT_TEXT_MAX},
	{"BusinessHours.overrides.days", .read = read_days,
	 .at = offsetof(struct hours_override, rule.days)},
	{"BusinessHours.overrides.hours", .read = read_hour_ranges,
	 .at = offsetof(struct hours_override, rule)},
	{0},
};

const struct config_key config_hours_keys[] = {
	{"BusinessHours.days", .read = read_days, .at = AT(rule.days)},
	{"BusinessHours.hours", .read = read_hour_ranges, .at = AT(rule)},
	{"BusinessHours.timezone", .read = read_zone, .at = AT(zone_name), .cap = 64},
	{"BusinessHours.holidays", .read = read_list, .at = AT(holidays), .list = &holidays_list,
	 .item = item_holiday},
	{"BusinessHours.overrides", .read = read_list, .at = AT(overrides), .list = &overrides_list,
	 .item = item_override, .sub = override_keys},
	{0},
};

int read_hours(struct config_reader *r, const struct config_key *k, void *base)
{
	const struct hours_rule *rule = &r->config->hours.rule;
	int err = read_map(r, k, base);

	if (!err && !rule->days != !rule->ranges_count)
		return reader_fail(r, "%s.%s is missing", k->name, rule->days ? "hours" : "days");
	return err;
}
