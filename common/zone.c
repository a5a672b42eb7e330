/* zone: see zone.h. */
#include "zone.h"

#include <string.h>

#define HOUR_S 3600
#define DAY_S  86400

/* Howard Hinnant's days_from_civil: eras of 400 years, years that begin in March. */
int64_t zone_days(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t days)
{
	int64_t year = 1970 + days / 366;

	while (zone_days(year + 1, 1, 1) <= days)
		year++;
	return year;
}

static bool is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* --- reading */

static bool take(struct span *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

static bool take_number(struct span *s, int most, int *ret)
{
	int n = 0;
	size_t i = 0;

	while (i < s->len && i < 4 && s->ptr[i] >= '0' && s->ptr[i] <= '9')
		n = n * 10 + (s->ptr[i++] - '0');
	if (i == 0 || n > most)
		return false;
	*s = span_skip(*s, i);
	*ret = n;
	return true;
}

/* Three letters or more, or anything in <>; only that it is there matters. */
static bool take_name(struct span *s)
{
	bool quoted = take(s, '<');
	size_t i = 0;

	for (; i < s->len; i++) {
		char c = s->ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(quoted && (c == '+' || c == '-' || (c >= '0' && c <= '9'))))
			break;
	}
	*s = span_skip(*s, i);
	return i >= 3 && (!quoted || take(s, '>'));
}

/* [+-]h[:m[:s]] */
static bool take_time(struct span *s, int most, int32_t *ret)
{
	int sign = take(s, '-') ? -1 : 1, h, m = 0, sec = 0;

	if (sign > 0)
		take(s, '+');
	if (!take_number(s, most, &h))
		return false;
	if (take(s, ':') && !take_number(s, 59, &m))
		return false;
	if (take(s, ':') && !take_number(s, 59, &sec))
		return false;
	*ret = sign * (h * HOUR_S + m * 60 + sec);
	return true;
}

static bool take_month(struct span *s, struct zone_change *c)
{
	c->kind = ZONE_MONTH;
	return take_number(s, 12, &c->month) && c->month && take(s, '.') &&
	       take_number(s, 5, &c->week) && c->week && take(s, '.') && take_number(s, 6, &c->day);
}

static bool take_change(struct span *s, struct zone_change *c)
{
	bool ok;

	if (!take(s, ','))
		return false;
	if (take(s, 'M')) {
		ok = take_month(s, c);
	} else {
		c->kind = take(s, 'J') ? ZONE_JULIAN : ZONE_ZERO;
		ok = take_number(s, 365, &c->day) && (c->kind == ZONE_ZERO || c->day);
	}
	c->at_s = 2 * HOUR_S;
	return ok && (!take(s, '/') || take_time(s, 167, &c->at_s));
}

bool zone_parse(struct span rule, struct zone *ret)
{
	struct zone z = {0};
	int32_t west;

	if (!take_name(&rule) || !take_time(&rule, 24, &west))
		return false;
	z.standard_s = z.summer_s = -west;
	if (rule.len) {
		z.has_summer = true;
		z.summer_s = z.standard_s + HOUR_S;
		if (!take_name(&rule))
			return false;
		if (rule.len && rule.ptr[0] != ',') {
			if (!take_time(&rule, 24, &west))
				return false;
			z.summer_s = -west;
		}
		if (!take_change(&rule, &z.start) || !take_change(&rule, &z.end))
			return false;
	}
	if (rule.len)
		return false;
	*ret = z;
	return true;
}

/* --- reckoning */

static int64_t day_of_change(const struct zone_change *c, int64_t year)
{
	int64_t first, day;
	int weekday;

	if (c->kind != ZONE_MONTH) {
		int n = c->kind == ZONE_JULIAN ? c->day - 1 : c->day;

		return zone_days(year, 1, 1) + n +
		       (c->kind == ZONE_JULIAN && is_leap(year) && c->day >= 60);
	}
	first = zone_days(year, c->month, 1);
	weekday = (int)((first + 4) % 7); /* 1970-01-01 was a Thursday */
	day = first + (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
	while (day >= zone_days(c->month == 12 ? year + 1 : year, c->month % 12 + 1, 1))
		day -= 7;
	return day;
}

static bool is_summer(const struct zone *z, int64_t utc)
{
	int64_t year = year_of((utc + z->standard_s) / DAY_S);
	int64_t start = day_of_change(&z->start, year) * DAY_S + z->start.at_s - z->standard_s;
	int64_t end = day_of_change(&z->end, year) * DAY_S + z->end.at_s - z->summer_s;

	return start < end ? utc >= start && utc < end : utc >= start || utc < end;
}

int64_t zone_local(const struct zone *z, uint64_t time_ns)
{
	int64_t utc = (int64_t)(time_ns / 1000000000u);

	return utc + (z->has_summer && is_summer(z, utc) ? z->summer_s : z->standard_s);
}

unsigned zone_week_hour(const struct zone *z, uint64_t time_ns)
{
	int64_t hours = (zone_local(z, time_ns) + DAY_S) / HOUR_S; /* never below 0 */

	return (unsigned)((hours + 2 * 24) % (7 * 24)); /* 1969-12-31 was a Wednesday */
}
