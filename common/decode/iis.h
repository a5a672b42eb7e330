/* iis: one line of an IIS log. Internal to decode/. */
#ifndef OUTERGATE_DECODE_IIS_H
#define OUTERGATE_DECODE_IIS_H

#include "decode.h"

/* A line of such a log, as far as the stream knows its columns? */
bool iis_is(const struct decode_stream *s, struct span line);
enum decode_result iis_read(struct decode_stream *s, struct span line, struct event *ret,
			    const char **reason);

#endif
