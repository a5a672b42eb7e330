/*
 * zone_file: the time zone that the configuration names, from this host's zone files.
 */
#ifndef OUTERGATE_ZONE_FILE_H
#define OUTERGATE_ZONE_FILE_H

#include "common/zone.h"

/* 0, -ENOENT when there is no such zone here, or -EBADMSG. *ret is untouched then. */
int zone_from_file(const char *name, struct zone *ret);
/*
 * The zone of this host, by TZ or /etc/localtime: its name, or the POSIX rule that TZ is. "UTC"
 * when neither names one that is here.
 */
void zone_of_host(char name[64], struct zone *ret);

/* Of agent-*: the name or rule that this machine keeps; "" when it has none. */
const char *plat_zone(char *buf, size_t cap);

#endif
