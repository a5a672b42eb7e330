/*
 * config_text: durations, sizes and days as an operator writes them.
 *
 *   15m 900s 1h 2d 1w 900        seconds
 *   256MiB 64KiB 1GiB 4096       bytes; powers of 1024, and the unit says so
 *   2026-12-31                   the whole day counts, in UTC
 */
#include "config_reader.h"

struct text_unit {
	const char *suffix;
	uint64_t factor;
};

static const struct text_unit durations[] = {
	{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"", 1},
};

static const struct text_unit sizes[] = {
	{"KiB", 1u << 10},
	{"MiB", 1u << 20},
	{"GiB", 1u << 30},
	{"", 1},
};

static bool number_unit(struct span s, const struct text_unit *units, size_t n, uint64_t *ret)
{
	size_t digits = 0;
	uint64_t v;

	while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
		digits++;
	if (!span_u64(span_first(s, digits), &v))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!span_is(span_skip(s, digits), units[i].suffix))
			continue;
		if (v > UINT64_MAX / units[i].factor)
			return false;
		*ret = v * units[i].factor;
		return true;
	}
	return false;
}

bool config_duration(struct span s, uint64_t *ret_seconds)
{
	return number_unit(s, durations, sizeof(durations) / sizeof(durations[0]), ret_seconds);
}

bool config_bytes(struct span s, uint64_t *ret)
{
	return number_unit(s, sizes, sizeof(sizes) / sizeof(sizes[0]), ret);
}

static bool is_leap(uint64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static uint64_t month_days(uint64_t y, uint64_t m)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[m - 1] + (uint64_t)(m == 2 && is_leap(y));
}

bool config_until(struct span s, uint64_t *ret_ns)
{
	uint64_t y, m, d, days = 0;

	if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-')
		return false;
	if (!span_u64(span_first(s, 4), &y) || !span_u64(span_first(span_skip(s, 5), 2), &m) ||
	    !span_u64(span_skip(s, 8), &d))
		return false;
	if (y < 1970 || y > 2199 || m < 1 || m > 12 || d < 1 || d > month_days(y, m))
		return false;
	for (uint64_t i = 1970; i < y; i++)
		days += is_leap(i) ? 366 : 365;
	for (uint64_t i = 1; i < m; i++)
		days += month_days(y, i);
	*ret_ns = (days + d) * 86400 * 1000000000u - 1;
	return true;
}

bool config_fingerprint(struct span s)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (s.len != 7 + 43 || !span_starts(s, SPAN_LIT("SHA256:")))
		return false;
	for (size_t i = 7; i < s.len; i++)
		if (!memchr(set, s.ptr[i], sizeof(set) - 1))
			return false;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#define DISTANCE_MAX 48 /* longer than any key; the rest of a longer word is not compared */

/* Levenshtein, one row at a time. */
unsigned config_distance(struct span a, struct span b)
{
	unsigned row[DISTANCE_MAX + 1];

	a = span_first(a, DISTANCE_MAX);
	b = span_first(b, DISTANCE_MAX);
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned best = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

const char *config_quote(struct span s, char buf[CONFIG_QUOTE_MAX])
{
	size_t n = s.len < CONFIG_QUOTE_MAX - 4 ? s.len : CONFIG_QUOTE_MAX - 4;

	for (size_t i = 0; i < n; i++)
		buf[i] = s.ptr[i] >= ' ' && s.ptr[i] <= '~' ? s.ptr[i] : '?';
	memcpy(buf + n, n < s.len ? "..." : "", n < s.len ? 4 : 1);
	return buf;
}
