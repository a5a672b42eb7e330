/*
 * status_json: the parts of `status` that are the same on every system, as both agents answer it.
 * New references, the caller's.
 */
#ifndef OUTERGATE_STATUS_JSON_H
#define OUTERGATE_STATUS_JSON_H

#include <jansson.h>

#include "common/core/core.h"
#include "geo_files.h"

/* Every row of stats.def. */
json_t *status_counters(struct core *core);
/* {"live": N, "existing": N} */
json_t *status_sessions(const struct core *core);
/* Each exception, how often it kept an alert back, and until when it may. */
json_t *status_exceptions(const struct core *core, const struct config *c);
/* What of the configuration ends soon or has ended, a sentence each. */
json_t *status_expiries(const struct config *c, uint64_t now_ns);
/* Databases, and what each knows. */
json_t *status_geo(const struct geo_files *g);
/* Appends what no database in use can tell, and what is therefore not detected. */
void status_geo_unseen(const struct geo_files *g, json_t *array);

#endif
