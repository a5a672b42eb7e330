/* localtime: which time zone this machine keeps, as a POSIX rule. */
#include <stdio.h>
#include <windows.h>

#include "cli/zone_file.h"

/* Minutes west of UTC as "+5:30"; POSIX counts as Windows does. */
static size_t put_offset(char *to, size_t cap, long minutes)
{
	long m = minutes < 0 ? -minutes : minutes;

	return (size_t)snprintf(to, cap, "%s%ld:%02ld", minutes < 0 ? "-" : "", m / 60, m % 60);
}

/* "the last Sunday of March at 2:00"; Windows' day 5 is the last, POSIX' week 5 is, too. */
static size_t put_change(char *to, size_t cap, const SYSTEMTIME *t)
{
	return (size_t)snprintf(to, cap, ",M%u.%u.%u/%u:%02u", t->wMonth, t->wDay, t->wDayOfWeek,
				t->wHour, t->wMinute);
}

const char *plat_zone(char *buf, size_t cap)
{
	TIME_ZONE_INFORMATION z;
	size_t n;

	if (cap < 64 || GetTimeZoneInformation(&z) == TIME_ZONE_ID_INVALID)
		return "";
	n = (size_t)snprintf(buf, cap, "LT");
	buf[n++] = 'Z';
	n += put_offset(buf + n, cap - n, z.Bias + z.StandardBias);
	if (!z.StandardDate.wMonth || z.StandardDate.wYear) /* no change, or none that recurs */
		return buf;
	n += (size_t)snprintf(buf + n, cap - n, "LST");
	n += put_offset(buf + n, cap - n, z.Bias + z.DaylightBias);
	n += put_change(buf + n, cap - n, &z.DaylightDate);
	put_change(buf + n, cap - n, &z.StandardDate);
	return buf;
}
