/*
 * time_text: see time_text.h. Calendar arithmetic only; a day that its month does not have is no
 * time stamp. Years outside 1970..2199 are refused, so that no arithmetic can overflow.
 */
#include "time_text.h"

#include "text.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY_SECONDS   86400
/* "a backward step of over six months" */
#define HALF_YEAR_NS (INT64_C(183) * DAY_SECONDS * NS_PER_SECOND)
#define YEAR_FIRST   1970
#define YEAR_LAST    2199
#define YEAR_UNTOLD  2000

/* Three letters as one number, so that a month is found by comparing numbers. */
#define MONTH(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

static const uint32_t months[] = {
	MONTH('J', 'a', 'n'), MONTH('F', 'e', 'b'), MONTH('M', 'a', 'r'), MONTH('A', 'p', 'r'),
	MONTH('M', 'a', 'y'), MONTH('J', 'u', 'n'), MONTH('J', 'u', 'l'), MONTH('A', 'u', 'g'),
	MONTH('S', 'e', 'p'), MONTH('O', 'c', 't'), MONTH('N', 'o', 'v'), MONTH('D', 'e', 'c'),
};
static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

int64_t time_days(unsigned year, unsigned month, unsigned day)
{
	/* Years begin in March, so that the leap day is the last of a year. */
	unsigned y = month > 2 ? year : year - 1;
	unsigned doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return (int64_t)(y * 365 + y / 4 - y / 100 + y / 400 + doy) - 719468;
}

struct clock_text {
	unsigned year, month, day;
	unsigned seconds; /* of the day */
	uint32_t nanos;
};

static uint64_t clock_ns(const struct clock_text *c, int64_t east)
{
	int64_t s = time_days(c->year, c->month, c->day) * DAY_SECONDS + c->seconds - east;

	return s < 0 ? 0 : (uint64_t)(s * NS_PER_SECOND + c->nanos);
}

/* Exactly n digits at offset i. */
static bool digits_at(struct span s, size_t i, size_t n, unsigned *ret)
{
	unsigned v = 0;

	if (i + n > s.len)
		return false;
	for (size_t k = i; k < i + n; k++) {
		if (!text_is_digit(s.ptr[k]))
			return false;
		v = v * 10 + (unsigned)(s.ptr[k] - '0');
	}
	*ret = v;
	return true;
}

static bool char_at(struct span s, size_t i, char c)
{
	return i < s.len && s.ptr[i] == c;
}

/* "hh:mm:ss" at the start of *text, with a fraction of any length after '.' or ','. */
static bool take_clock(struct span *text, struct clock_text *c)
{
	unsigned h, m, s, digit;
	uint32_t unit = 100000000;
	size_t i = 8;

	if (!digits_at(*text, 0, 2, &h) || !char_at(*text, 2, ':') || !digits_at(*text, 3, 2, &m) ||
	    !char_at(*text, 5, ':') || !digits_at(*text, 6, 2, &s))
		return false;
	if (h > 23 || m > 59 || s > 60) /* 60: a leap second */
		return false;
	c->seconds = h * 3600 + m * 60 + s;
	c->nanos = 0;
	if ((char_at(*text, i, '.') || char_at(*text, i, ',')) &&
	    digits_at(*text, i + 1, 1, &digit))
		for (i++; digits_at(*text, i, 1, &digit); i++, unit /= 10)
			c->nanos += digit * unit;
	*text = span_skip(*text, i);
	return true;
}

/* 1..12, or 0. */
static unsigned month_at(struct span s)
{
	uint32_t key;

	if (s.len < 4 || s.ptr[3] != ' ')
		return 0;
	key = MONTH((unsigned char)s.ptr[0], (unsigned char)s.ptr[1], (unsigned char)s.ptr[2]);
	for (unsigned m = 0; m < 12; m++)
		if (months[m] == key)
			return m + 1;
	return 0;
}

/* "d", "dd" or " d", then a space. */
static bool take_day(struct span *text, unsigned *ret)
{
	struct span s = text_trim_left(*text);
	size_t n = s.len > 1 && text_is_digit(s.ptr[1]) ? 2 : 1;

	if (!digits_at(s, 0, n, ret) || !char_at(s, n, ' '))
		return false;
	*text = text_trim_left(span_skip(s, n));
	return true;
}

static bool day_exists(unsigned month, unsigned day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= month_days[month - 1];
}

/* "2015 " between the day and the time, as some relays write it; 0 when it is not there. */
static unsigned take_year(struct span *text)
{
	unsigned y;

	if (!digits_at(*text, 0, 4, &y) || !char_at(*text, 4, ' ') || y < YEAR_FIRST ||
	    y > YEAR_LAST)
		return 0;
	*text = span_skip(*text, 5);
	return y;
}

/* A time without a year: the stream's year, and one more on a backward step of over six months. */
static uint64_t infer_year(struct decode_stream *s, struct clock_text *c)
{
	uint64_t ns;

	if (s->year < YEAR_FIRST || s->year > YEAR_LAST)
		s->year = YEAR_UNTOLD;
	c->year = (unsigned)s->year;
	ns = clock_ns(c, s->tz_offset_s);
	if (s->last_ns > ns && s->last_ns - ns > HALF_YEAR_NS && s->year < YEAR_LAST) {
		c->year = (unsigned)++s->year;
		ns = clock_ns(c, s->tz_offset_s);
	}
	s->last_ns = ns;
	return ns;
}

bool time_take_bsd(struct decode_stream *s, struct span *text, struct time_text *ret)
{
	struct span t = *text;
	struct clock_text c = {.month = month_at(t)};

	if (!c.month)
		return false;
	t = span_skip(t, 4);
	if (!take_day(&t, &c.day) || !day_exists(c.month, c.day))
		return false;
	c.year = take_year(&t);
	if (!take_clock(&t, &c))
		return false;
	*text = text_trim_left(t);
	ret->approximate = true; /* there is no zone either way */
	ret->time_ns = c.year ? clock_ns(&c, s->tz_offset_s) : infer_year(s, &c);
	return true;
}

/* "Z", "+01:00", "-0530", "+01"; false when there is no zone. */
static bool take_zone(struct span *text, int64_t *ret_east)
{
	unsigned h, m = 0;
	size_t n = 3;

	if (char_at(*text, 0, 'Z') || char_at(*text, 0, 'z')) {
		*text = span_skip(*text, 1);
		*ret_east = 0;
		return true;
	}
	if (!(char_at(*text, 0, '+') || char_at(*text, 0, '-')) || !digits_at(*text, 1, 2, &h))
		return false;
	if (char_at(*text, 3, ':') && digits_at(*text, 4, 2, &m))
		n = 6;
	else if (digits_at(*text, 3, 2, &m))
		n = 5;
	if (h > 23 || m > 59)
		return false;
	*ret_east = (int64_t)(h * 3600 + m * 60) * (text->ptr[0] == '-' ? -1 : 1);
	*text = span_skip(*text, n);
	return true;
}

static bool take_iso(int64_t east, struct span *text, struct time_text *ret)
{
	struct span t = *text;
	struct clock_text c;
	unsigned year;

	if (!digits_at(t, 0, 4, &year) || !char_at(t, 4, '-') || !digits_at(t, 5, 2, &c.month) ||
	    !char_at(t, 7, '-') || !digits_at(t, 8, 2, &c.day))
		return false;
	if (!(char_at(t, 10, 'T') || char_at(t, 10, ' ') || char_at(t, 10, 't')))
		return false;
	t = span_skip(t, 11);
	if (year < YEAR_FIRST || year > YEAR_LAST || !day_exists(c.month, c.day) ||
	    !take_clock(&t, &c))
		return false;
	c.year = year;
	ret->approximate = !take_zone(&t, &east);
	ret->time_ns = clock_ns(&c, east);
	*text = text_trim_left(t);
	return true;
}

bool time_take_iso(const struct decode_stream *s, struct span *text, struct time_text *ret)
{
	return take_iso(s->tz_offset_s, text, ret);
}

bool time_take_utc(struct span *text, struct time_text *ret)
{
	return take_iso(0, text, ret);
}

/* A whole time without a zone: *ret and true when the day exists. */
static bool whole(const struct decode_stream *s, struct span *text, struct span rest,
		  const struct clock_text *c, struct time_text *ret)
{
	if (c->year < YEAR_FIRST || c->year > YEAR_LAST || !day_exists(c->month, c->day))
		return false;
	ret->approximate = true;
	ret->time_ns = clock_ns(c, s->tz_offset_s);
	*text = text_trim_left(rest);
	return true;
}

bool time_take_ctime(const struct decode_stream *s, struct span *text, struct time_text *ret)
{
	struct span t = span_skip(*text, 4);
	struct clock_text c = {.month = month_at(t)};

	if (!char_at(*text, 3, ' ') || !c.month)
		return false;
	t = span_skip(t, 4);
	if (!take_day(&t, &c.day) || !take_clock(&t, &c) || !char_at(t, 0, ' ') ||
	    !digits_at(t, 1, 4, &c.year))
		return false;
	return whole(s, text, span_skip(t, 5), &c, ret);
}

bool time_take_compact(const struct decode_stream *s, struct span *text, struct time_text *ret)
{
	struct span t = span_skip(*text, 9);
	struct clock_text c = {0};

	if (!digits_at(*text, 0, 4, &c.year) || !digits_at(*text, 4, 2, &c.month) ||
	    !digits_at(*text, 6, 2, &c.day) || !char_at(*text, 8, '-') || !take_clock(&t, &c))
		return false;
	return whole(s, text, t, &c, ret);
}

bool time_take_slashed(const struct decode_stream *s, struct span *text, struct time_text *ret)
{
	struct span t = span_skip(*text, 11);
	struct clock_text c = {0};

	if (!digits_at(*text, 0, 2, &c.day) || !char_at(*text, 2, '/') ||
	    !digits_at(*text, 3, 2, &c.month) || !char_at(*text, 5, '/') ||
	    !digits_at(*text, 6, 4, &c.year) || !char_at(*text, 10, ' ') || !take_clock(&t, &c))
		return false;
	return whole(s, text, t, &c, ret);
}
