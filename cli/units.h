/* units: seconds and bytes as the configuration writes them: 15m, 90d, 256MiB. */
#ifndef OUTERGATE_UNITS_H
#define OUTERGATE_UNITS_H

#include "common/detect/detection.h"

#define UNIT_TEXT_MAX 32

/* The largest unit that loses nothing; returns buf. */
const char *unit_format(uint64_t v, enum param_unit unit, char buf[UNIT_TEXT_MAX]);
const char *unit_name(enum param_unit unit);

#endif
