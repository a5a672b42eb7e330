/* outward: what processes of this host are connected to elsewhere. Part of core_internal.h. */
#ifndef OUTERGATE_CORE_OUTWARD_H
#define OUTERGATE_CORE_OUTWARD_H

#include "../event.h"

struct core;
struct detect_ctx;
struct fire;
struct text;
struct calert;

void outward_told(struct core *c, const struct event *e);
/* Its program's path, or its name when that was not to be read. */
struct span outward_program(const struct event *e);
/*
 * What of outside VPNs and remote access it is, by its name, its first bytes, else by the port;
 * NULL: nothing. *by: that reason.
 */
const char *outward_tool(const struct event *e, const char **by);
/* Over UDP? Then nobody has answered yet. */
bool outward_is_udp(const struct event *e);
/* Seen for the first time in PLACE_KEPT_DAYS? *days: since when anything of that kind is watched.
 */
bool outward_is_new(struct core *c, unsigned kind, const struct event *e, uint64_t what,
		    uint32_t *days);
/*
 * The alert of that program: the other end is its origin, the program its client, the user its
 * account; it names the session, if it is one's doing. NULL: kept back, or not new and not told.
 */
struct calert *outward_raise(struct detect_ctx *x, const struct event *e, const struct fire *f,
			     bool is_new);
/* "'/usr/bin/x' (pid 7, uid 33) is connected to 198.51.100.7:22 (external)" */
void say_outward(struct text *t, const struct detect_ctx *x, const struct event *e);

#endif
