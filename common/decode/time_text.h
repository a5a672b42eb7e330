/*
 * time_text: the time stamps of syslog, without libc's time zone or locale.
 *
 * "Dec 10 06:55:46" (RFC 3164; no year, no zone), "2023-11-14T00:20:42.738197+01:00" (RFC 3339,
 * also with a space for the T and "+0100"). Year inference is stream state: SPEC section 5.
 */
#ifndef OUTERGATE_DECODE_TIME_TEXT_H
#define OUTERGATE_DECODE_TIME_TEXT_H

#include "decode.h"

struct time_text {
	uint64_t time_ns;
	bool approximate; /* year or zone was inferred */
};

/* Each takes the time stamp off *text; false and untouched when there is none. */
bool time_take_bsd(struct decode_stream *s, struct span *text, struct time_text *ret);
bool time_take_iso(const struct decode_stream *s, struct span *text, struct time_text *ret);
/* The same of a time that is UTC when it names no zone. */
bool time_take_utc(struct span *text, struct time_text *ret);

/* Times of single programs' own files, without a zone. "Sat Nov 28 17:00:00 2026",
 * "20261128-17:00:00", "28/11/2026 17:00:00" (the day first). */
bool time_take_ctime(const struct decode_stream *s, struct span *text, struct time_text *ret);
bool time_take_compact(const struct decode_stream *s, struct span *text, struct time_text *ret);
bool time_take_slashed(const struct decode_stream *s, struct span *text, struct time_text *ret);

/* Days since 1970-01-01 in the Gregorian calendar; year from 1, month from 1. */
int64_t time_days(unsigned year, unsigned month, unsigned day);

#endif
