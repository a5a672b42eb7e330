/*
 * time: nanoseconds since 1970 as RFC 3339 text in UTC, by arithmetic alone: no time zone, no
 * locale, no C library calendar. Covers every value of 64 bits (until 2554). Leap seconds are not
 * counted, as in POSIX time.
 */
#include "out.h"

/* Days since 1970-01-01 to a date, in years that begin in March so that a leap day comes last. */
static void date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = days + 719468; /* days from 0000-03-01 to 1970-01-01 */
	uint64_t era = z / 146097, in_era = z % 146097;
	uint64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	uint64_t m = (5 * in_year + 2) / 153;

	*day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

static char *put_digits(char *p, unsigned v, unsigned n)
{
	for (unsigned i = n; i--; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

const char *out_time(uint64_t time_ns, char buf[32])
{
	uint64_t ms = time_ns / 1000000, s = ms / 1000;
	unsigned part[7], in_day = (unsigned)(s % 86400);
	static const struct {
		unsigned digits;
		char after;
	} shape[7] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '.'}, {3, 'Z'}};
	char *p = buf;

	date_of_days(s / 86400, &part[0], &part[1], &part[2]);
	part[3] = in_day / 3600;
	part[4] = in_day / 60 % 60;
	part[5] = in_day % 60;
	part[6] = (unsigned)(ms % 1000);
	for (unsigned i = 0; i < 7; i++) {
		p = put_digits(p, part[i], shape[i].digits);
		*p++ = shape[i].after;
	}
	*p = '\0';
	return buf;
}
