/*
 * body: an alert or a session as text that a later version can still read.
 *
 * One JSON object, one key a field, from one table of fields (body.c) used for both directions.
 * Enumerations are stored by name, detections by id, so that a reordered table changes nothing.
 * Text that is not UTF-8 is stored as {"hex": "..."}: what was read back is what was put. A key
 * that is missing is zero; a key that is not known is left alone: both are how versions differ.
 */
#ifndef OUTERGATE_BODY_H
#define OUTERGATE_BODY_H

#include "../alert.h"

/* The length or -ENOSPC. */
int body_put_alert(const struct alert *a, char *buf, size_t cap);
int body_put_session(const struct session *s, char *buf, size_t cap);
/*
 * 0 or -EBADMSG (*ret is then undefined). The alert's detection is NULL when this version has
 * none of that id; ret_detection holds the id in any case.
 */
int body_get_alert(const char *text, size_t len, struct alert *ret, char *ret_detection,
		   size_t detection_cap);
int body_get_session(const char *text, size_t len, struct session *ret);

/* For the test that no field was forgotten: is byte `at` of the structure covered by the table? */
bool body_covers_alert(size_t at);
bool body_covers_session(size_t at);

#endif
