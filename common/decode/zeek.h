/* zeek: Zeek's logs. Internal to decode/. */
#ifndef OUTERGATE_DECODE_ZEEK_H
#define OUTERGATE_DECODE_ZEEK_H

#include "cloud.h"

/* A line of a tab-separated log: of its header, or one that the header before told the columns of.
 */
bool zeek_is(const struct decode_stream *s, struct span line);
enum decode_result zeek_read_line(struct decode_stream *s, struct span line, struct event *ret,
				  const char **reason);
/* The same as JSON. */
bool zeek_read(struct cloud_record *r);

#endif
