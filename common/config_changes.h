/* config_changes: which keys of the configuration have another value now; what a reload says. */
#ifndef OUTERGATE_CONFIG_CHANGES_H
#define OUTERGATE_CONFIG_CHANGES_H

#include "config.h"

#define CONFIG_CHANGES_MAX 512

/* "TimeWindow, Forwarders" into ret; how many there are. */
unsigned config_changes(const struct config *a, const struct config *b,
			char ret[CONFIG_CHANGES_MAX]);

#endif
