/* seen: what was seen before, and on which days; core_learn.c keeps it. Part of core_internal.h. */
#ifndef OUTERGATE_CORE_SEEN_H
#define OUTERGATE_CORE_SEEN_H

#include "../event.h"

struct core;

enum {
	SEEN_PLACE,
	SEEN_EDGE,
	SEEN_CRITICAL, /* a critical host, from a VPN pool */
	SEEN_SERVER,   /* what a server has a shell run */
	SEEN_DEVICE,   /* a network card; an inside address; one at the other: core_devices.c */
	SEEN_ADDRESS,
	SEEN_PAIR,
	SEEN_DEVICES_SINCE,
	SEEN_AGENT,   /* a program that gives shells to whom it went out: core_agents.c */
	SEEN_SPOKEN,  /* what a port answers in */
	SEEN_TOOL,    /* a program that is a tool of outside VPNs: core_outward.c */
	SEEN_CLIENT,  /* a program that speaks to remote services elsewhere */
	SEEN_EXPOSED, /* a user's findings of a day: exposure_parts.c */
	SEEN_SMB,     /* a program that speaks SMB or RPC outside, on a day */
	SEEN_OUTWARD  /* a user's new programs of a day: core_outward.c */
};

uint64_t seen_key(const struct core *c, unsigned kind, uint64_t identity, const struct addr *a,
		  enum service s);
bool seen_is_learned(const struct core *c, uint64_t key);
/* Not within so many days; and from now on it was. */
bool seen_first(struct core *c, uint64_t key, uint32_t day, uint32_t days);
/*
 * One of the first few of that kind which that user has caused on that day? Root always: what
 * anybody can cause in a loop must not take the room of others.
 */
bool seen_few(struct core *c, unsigned kind, uint32_t uid, uint32_t day, unsigned few);
/* Seen on that day, in a session whose worst alert was that. */
void seen_add(struct core *c, uint64_t key, enum severity worst, uint32_t day);

#endif
