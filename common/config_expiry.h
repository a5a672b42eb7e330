/* config_expiry: what of a configuration ends on a day: exceptions, known places, journeys. */
#ifndef OUTERGATE_CONFIG_EXPIRY_H
#define OUTERGATE_CONFIG_EXPIRY_H

#include "config.h"

#define CONFIG_EXPIRY_TEXT 256
#define CONFIG_EXPIRY_DAYS 7 /* so long before it is said */

struct config_expiry {
	char what[CONFIG_EXPIRY_TEXT];
	uint64_t until_ns;
};

enum config_expiry_state {
	EXPIRY_FAR,
	EXPIRY_SOON,
	EXPIRY_OVER
};

/* The index-th that has an end; false past the last. */
bool config_expiry_at(const struct config *c, unsigned index, struct config_expiry *ret);
/* "the exception of auth.spray (a test) expires on 2026-12-31"; nothing when it is far. */
enum config_expiry_state config_expiry_say(const struct config_expiry *x, uint64_t now_ns,
					   char *buf, size_t cap);

#endif
