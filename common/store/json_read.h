/*
 * json_read: jansson's reader, which leaves characters out of texts when memory runs out in the
 * middle of one and says nothing of it: an alert would have another id. Here that is no result.
 */
#ifndef OUTERGATE_JSON_READ_H
#define OUTERGATE_JSON_READ_H

#include <jansson.h>
#include <stddef.h>

/* As json_loadb(). error may be NULL. */
json_t *json_read(const char *text, size_t len, size_t flags, json_error_t *error);

#endif
