/* buffer: text that grows, for what is sent at once. */
#ifndef OUTERGATE_FORWARD_BUFFER_H
#define OUTERGATE_FORWARD_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Grows as needed, never beyond cap; false: it did not fit. */
struct buffer {
	char *at;
	size_t len, room;
};
bool buffer_add(struct buffer *b, const char *p, size_t n);
bool buffer_puts(struct buffer *b, const char *s);
/* A JSON string with its quotes. */
bool buffer_json(struct buffer *b, const char *p, size_t n);
bool buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
