/*
 * registry: every detection, once, in the order of detect.def.
 *
 * A line in detect.def without a file does not link; a file without a line is found by the lint.
 */
#include "detection.h"

#define DETECT(name) &detection_##name,
const struct detection *const detections[DETECTION_COUNT] = {
#include "detect.def"
};
#undef DETECT

int detection_find(struct span id)
{
	for (int i = 0; i < DETECTION_COUNT; i++)
		if (span_is(id, detections[i]->id))
			return i;
	return -1;
}
