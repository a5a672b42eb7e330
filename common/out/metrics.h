/*
 * metrics: numbers in Prometheus' text format, version 0.0.4. Names begin with outergate_, counters
 * end with _total; every row of stats.def is one. Labels are escaped.
 */
#ifndef OUTERGATE_OUT_METRICS_H
#define OUTERGATE_OUT_METRICS_H

#include "../stats.h"
#include "writer.h"

/* HELP and TYPE; before the values of that name. */
void metric_begin(struct writer *w, const char *name, const char *help, bool counter);
/* label NULL: none. */
void metric_put(struct writer *w, const char *name, bool counter, const char *label,
		const char *value, uint64_t v);
/* Both, for a number without a label. */
void metric_one(struct writer *w, const char *name, const char *help, bool counter, uint64_t v);
void metrics_stats(struct writer *w, const struct stats *st);

#endif
