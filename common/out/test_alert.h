/*
 * test_alert: an alert about nothing, so that somebody can see where alerts arrive.
 *
 * It says so in its sentence, its evidence and its `test` mark; it is closed from the first, so
 * that nobody waits for its end; the store does not take it. Its origin and account are no
 * real ones (RFC 5737).
 */
#ifndef OUTERGATE_TEST_ALERT_H
#define OUTERGATE_TEST_ALERT_H

#include "../alert.h"

#define TEST_ALERT_DETECTION "access.external" /* when none is named */

/* id: 32 hex digits. 0, or -ENOENT: no such detection. */
int test_alert(struct alert *ret, const char *detection, const char *id, uint64_t now_ns);

#endif
