/*
 * zone: local time by a POSIX TZ rule ("CET-1CEST,M3.5.0,M10.5.0/3"), without locale or process
 * state, so that a replay says the same everywhere.
 *
 * The rule is today's: hours long ago, in a country that has changed its mind since, may be off by
 * one. Format: POSIX.1-2017, 8.3 "TZ", with the quoted names and hours up to 167 of RFC 8536 3.3.1.
 */
#ifndef OUTERGATE_ZONE_H
#define OUTERGATE_ZONE_H

#include "span.h"

#include <stdbool.h>
#include <stdint.h>

enum zone_day {
	ZONE_MONTH,  /* M: month, week (5 = last), weekday (0 = Sunday) */
	ZONE_JULIAN, /* J: 1-365, February 29 is never counted */
	ZONE_ZERO    /* 0-365, February 29 is */
};

struct zone_change {
	enum zone_day kind;
	int month, week, day; /* day: of the week, or of the year */
	int32_t at_s;	      /* seconds of the local day; may be below 0 or above a day */
};

/* All zero is UTC. */
struct zone {
	int32_t standard_s, summer_s; /* to add to UTC */
	bool has_summer;
	struct zone_change start, end; /* of summer time, in local time before the change */
};

/* false: no such rule, *ret untouched. */
bool zone_parse(struct span rule, struct zone *ret);
/* Seconds since 1970 of what a clock on the wall shows then. */
int64_t zone_local(const struct zone *z, uint64_t time_ns);
/* 0 = Monday 00:00 to 00:59 there; 167 = Sunday 23. */
unsigned zone_week_hour(const struct zone *z, uint64_t time_ns);
/* Days since 1970 of a date in the Gregorian calendar; month 1-12. */
int64_t zone_days(int64_t year, int month, int day);

#endif
