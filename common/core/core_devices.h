/* core_devices: network cards of the inside. Part of core_internal.h. */
#ifndef OUTERGATE_CORE_DEVICES_H
#define OUTERGATE_CORE_DEVICES_H

#include "../addr.h"

struct core;

struct device_word {
	bool is_new, has_changed; /* the card; the address had another one */
	uint32_t watched_days;
};
/* What is known of that card at that address; from now on it is. */
struct device_word device_note(struct core *c, const struct addr *at, struct span mac,
			       uint32_t day);

#endif
