/*
 * exposure_report: what `outergate exposure` tells, as one JSON object: what listens, what it asks
 * for, what applies, and what changed since the baseline. The agent keeps it in the store.
 */
#ifndef OUTERGATE_EXPOSURE_REPORT_H
#define OUTERGATE_EXPOSURE_REPORT_H

#include <jansson.h>
#include <stdint.h>

#include "common/exposure/exposure.h"

#define EXPOSURE_BLOB "exposure"

/* before: the last one, or NULL: then this is the baseline. A new reference, NULL: out of memory.
 */
json_t *exposure_report(const struct exposure *rows, unsigned n, unsigned left_out,
			const json_t *before, uint64_t now_ns, const char *by);
/* How many of its listeners have a finding, and how many of them are new or changed. */
void exposure_report_count(const json_t *report, unsigned *ret_findings, unsigned *ret_changes);
/* For a person, to stdout. note: a sentence about where it comes from. */
void exposure_report_print(const json_t *report, const char *note);

#endif
