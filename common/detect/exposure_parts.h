/* exposure_parts: what the three findings about a listener have in common. */
#ifndef OUTERGATE_DETECT_EXPOSURE_PARTS_H
#define OUTERGATE_DETECT_EXPOSURE_PARTS_H

#include "../core/core_detect.h"

/* Raises it with a sentence that goes on after what, which begins one: "A service that ...: ". */
void exposure_raise(struct detect_ctx *x, const struct event *e, enum severity severity,
		    const char *what);

#endif
