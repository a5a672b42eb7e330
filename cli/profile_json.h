/* profile_json: one exported profile read back, every value within its bounds or refused. */
#ifndef OUTERGATE_PROFILE_JSON_H
#define OUTERGATE_PROFILE_JSON_H

#include <stddef.h>

#include "common/core/profile.h"

#define PROFILE_REASON_MAX 160

struct exported {
	struct profile p; /* its key as exported */
	uint64_t mark;	  /* of the host whose keys these are; 0 = not told */
};

/* 0, or -EBADMSG and one sentence. latest_day: nothing may have been seen after it. */
int profile_from_json(const char *line, size_t len, uint32_t latest_day, struct exported *ret,
		      char reason[PROFILE_REASON_MAX]);

#endif
