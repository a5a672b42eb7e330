/*
 * settings: which keys of the configuration, beside a detection's own parameters, decide whether it
 * fires, and what they say now. For `detections` and `explain`.
 */
#ifndef OUTERGATE_OUT_SETTINGS_H
#define OUTERGATE_OUT_SETTINGS_H

#include "../config.h"

#define SETTING_TEXT_MAX 160

struct setting {
	const char *name; /* as in the configuration */
	const char *help;
	char value[SETTING_TEXT_MAX]; /* "5", "15m", "3 entries", "none" */
};

/* The n-th of that detection, as c has it; false: there is none any more. */
bool setting_of(const struct config *c, const char *detection, unsigned n, struct setting *ret);

#endif
