/* nps_file: one line of Network Policy Server's text log. Internal to decode/. */
#ifndef OUTERGATE_DECODE_NPS_FILE_H
#define OUTERGATE_DECODE_NPS_FILE_H

#include "decode.h"

bool nps_file_is(struct span line);
enum decode_result nps_file_read(struct decode_stream *s, struct span line, struct event *ret,
				 const char **reason);

#endif
