/* query_time: points in time as people type them. */
#include "query.h"

#define SECOND UINT64_C(1000000000)

static bool take_number(struct span *s, size_t digits, unsigned *ret)
{
	uint64_t v;

	if (s->len < digits || !span_u64(span_first(*s, digits), &v))
		return false;
	*ret = (unsigned)v;
	*s = span_skip(*s, digits);
	return true;
}

static bool take(struct span *s, const char *any)
{
	if (s->len == 0 || !*s->ptr || !strchr(any, *s->ptr))
		return false;
	*s = span_skip(*s, 1);
	return true;
}

/* "2h": that long before now. */
static bool parse_ago(struct span s, uint64_t now_ns, uint64_t *ret)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t n;

	if (s.len < 2 || !span_u64(span_first(s, s.len - 1), &n) || n > 1000000)
		return false;
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t ago = n * units[i].seconds * SECOND;

		if (s.ptr[s.len - 1] != units[i].unit)
			continue;
		*ret = ago < now_ns ? now_ns - ago : 1;
		return true;
	}
	return false;
}

static bool is_leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool parse_day(struct span *s, uint64_t *ret_days)
{
	static const unsigned before[] = {0,   31,  59,	 90,  120, 151, 181,
					  212, 243, 273, 304, 334, 365};
	unsigned y, m, d, leap, length;

	if (!take_number(s, 4, &y) || !take(s, "-") || !take_number(s, 2, &m) || !take(s, "-") ||
	    !take_number(s, 2, &d))
		return false;
	if (y < 1970 || m < 1 || m > 12)
		return false;
	leap = is_leap(y) ? 1 : 0;
	length = before[m] - before[m - 1] + (m == 2 ? leap : 0);
	if (d < 1 || d > length)
		return false;
	y--; /* whole years before this one, and their leap days since 1970 */
	*ret_days = (uint64_t)(y - 1969) * 365 + (y / 4 - y / 100 + y / 400) - 477 + before[m - 1] +
		    (m > 2 ? leap : 0) + d - 1;
	return true;
}

static bool parse_clock(struct span *s, uint64_t *ret_ns)
{
	unsigned h, m, sec = 0, digit;
	uint64_t fraction = 0, scale = SECOND;

	if (!take_number(s, 2, &h) || !take(s, ":") || !take_number(s, 2, &m))
		return false;
	if (take(s, ":") && !take_number(s, 2, &sec))
		return false;
	if (h > 23 || m > 59 || sec > 60)
		return false;
	if (take(s, ".,")) {
		while (scale > 1 && take_number(s, 1, &digit))
			fraction += digit * (scale /= 10);
		if (scale == SECOND)
			return false;
	}
	*ret_ns = (uint64_t)(h * 3600 + m * 60 + sec) * SECOND + fraction;
	return true;
}

/* "Z", "+02:00", or nothing (UTC); seconds to add to get UTC. */
static bool parse_zone(struct span *s, int64_t *ret)
{
	bool east = s->len && *s->ptr == '+';
	unsigned h, m;

	*ret = 0;
	if (s->len == 0 || take(s, "Zz"))
		return true;
	if (!take(s, "+-") || !take_number(s, 2, &h) || !take(s, ":") || !take_number(s, 2, &m) ||
	    h > 23 || m > 59)
		return false;
	*ret = (east ? -1 : 1) * (int64_t)(h * 3600 + m * 60);
	return true;
}

bool query_time(struct span text, uint64_t now_ns, uint64_t *ret)
{
	uint64_t days, clock = 0;
	int64_t zone = 0, ns;

	if (parse_ago(text, now_ns, ret))
		return true;
	if (!parse_day(&text, &days))
		return false;
	if (take(&text, "Tt ") && (!parse_clock(&text, &clock) || !parse_zone(&text, &zone)))
		return false;
	if (text.len || days > 106000) /* 2260: what 64 bits of ns hold */
		return false;
	ns = (int64_t)(days * 86400 * SECOND + clock) + zone * (int64_t)SECOND;
	*ret = ns > 0 ? (uint64_t)ns : 1;
	return true;
}
