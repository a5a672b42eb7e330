/* replayed: see replayed.c. Internal to decode/. */
#ifndef OUTERGATE_DECODE_REPLAYED_H
#define OUTERGATE_DECODE_REPLAYED_H

#include "json_tree.h"

/* Does `replay --events` print such objects? */
bool event_is_replayed(const struct json_tree *t);
enum decode_result event_from_json(struct decode_stream *s, const struct json_tree *t,
				   struct event *ret, const char **reason);

#endif
