/*
 * hours: is a time within BusinessHours? What is past midnight belongs to the day on which it
 * began. The first override that fits counts; holidays are for who has none.
 *
 * Example: mon-fri 22:00-06:00: Saturday 05:59 is within, Monday 05:59 is not.
 */
#include "config.h"

static bool is_holiday(const struct business_hours *h, int64_t day)
{
	for (unsigned i = 0; i < h->holidays_count; i++)
		if (h->holidays[i] == day)
			return true;
	return false;
}

/* A working day of the rule; an override says itself what it works on, holidays included. */
static bool works_on(const struct business_hours *h, const struct hours_rule *rule, int64_t day)
{
	if (!(rule->days >> (day + 3) % 7 & 1)) /* 1970-01-01 was a Thursday */
		return false;
	return rule != &h->rule || !is_holiday(h, day);
}

static bool is_within(const struct business_hours *h, const struct hours_rule *rule, int64_t local)
{
	int64_t day = local / 86400, minute = local % 86400 / 60;

	for (unsigned i = 0; i < rule->ranges_count; i++) {
		const struct hours_range *g = &rule->ranges[i];
		bool over = g->to < g->from;

		if (minute >= g->from && (over || minute < g->to) && works_on(h, rule, day))
			return true;
		if (over && minute < g->to && works_on(h, rule, day - 1))
			return true;
	}
	return false;
}

bool hours_rule_fits(const struct business_hours *h, const struct hours_rule *rule,
		     uint64_t time_ns)
{
	return is_within(h, rule, zone_local(&h->zone, time_ns));
}

bool hours_are_business(const struct business_hours *h, const char *account,
			bool (*in_group)(const char *account, const char *group), uint64_t time_ns)
{
	int64_t local = zone_local(&h->zone, time_ns);

	if (!h->rule.days)
		return true;
	for (unsigned i = 0; i < h->overrides_count; i++) {
		const struct hours_override *o = &h->overrides[i];

		if (o->account[0] ? strcmp(o->account, account) == 0
				  : in_group && in_group(account, o->group))
			return is_within(h, &o->rule, local);
	}
	return is_within(h, &h->rule, local);
}
