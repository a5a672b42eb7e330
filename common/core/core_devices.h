/* core_devices: network cards of the inside. Part of core_internal.h. */
#ifndef OUTERGATE_CORE_DEVICES_H
#define OUTERGATE_CORE_DEVICES_H

#include "../event.h"

struct core;

#define LEASES_MAX 256 /* by a hash of the address; the last of those that share a row counts */
struct device_lease {
	struct addr addr;
	uint64_t time_ns; /* 0: free */
	char mac[18], name[30];
};
/* A DHCP server gave an address. */
void device_leased(struct core *c, const struct event *e);
/* Who was given that address lately; NULL: nobody that is known. */
const struct device_lease *device_lease_of(const struct core *c, const struct addr *a,
					   uint64_t now_ns);

struct device_word {
	bool is_new, has_changed; /* the card; the address had another one */
	uint32_t watched_days;
};
/* What is known of that card at that address; from now on it is. */
struct device_word device_note(struct core *c, const struct addr *at, struct span mac,
			       uint32_t day);

#endif
