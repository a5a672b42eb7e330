/*
 * writer: bytes, escaped text and JSON into a caller's buffer; the only way text leaves the
 * product.
 *
 * Never allocates, never overruns: what does not fit sets `overflow` and nothing more is written.
 * With `cut` set, the part that fits is kept (text fields of a fixed size). Output is always valid
 * UTF-8: an invalid byte becomes \ufffd in JSON and \xNN in text; control characters, C1, line and
 * paragraph separators, bidirectional and invisible characters are escaped in both, so that nothing
 * from outside can start a line, end a field or turn a terminal around.
 */
#ifndef OUTERGATE_WRITER_H
#define OUTERGATE_WRITER_H

#include "../span.h"

struct writer {
	char *buf;
	size_t cap, len; /* one byte of cap is kept for the NUL */
	bool cut;
	bool overflow;
	bool comma; /* JSON: a value stands before the next one */
};

void writer_start(struct writer *w, char *buf, size_t cap);
/* Terminates; the length or -ENOSPC. */
int writer_finish(struct writer *w);
/* The same for JSON: half an object is nothing, so buf is "" when it did not fit. */
int writer_finish_json(struct writer *w);

void writer_bytes(struct writer *w, const char *p, size_t n);
void writer_puts(struct writer *w, const char *s);
void writer_number(struct writer *w, uint64_t v);
void writer_hex(struct writer *w, uint64_t v); /* 16 digits */
void writer_escaped(struct writer *w, struct span s);
/* puts, padded with spaces to a width in bytes. */
void writer_column(struct writer *w, const char *s, size_t width);

/* JSON. key NULL: an array element or the outermost value. */
void json_begin(struct writer *w, const char *key, char bracket);     /* '{' or '[' */
void json_end(struct writer *w, char bracket);			      /* '}' or ']' */
void json_put_text(struct writer *w, const char *key, struct span s); /* absent when empty */
void json_put_str(struct writer *w, const char *key, const char *s);  /* absent when empty */
void json_put_u64(struct writer *w, const char *key, uint64_t v);
/* Ten thousandths of a degree, as a number. */
void json_put_degrees(struct writer *w, const char *key, int32_t e4);
void json_put_bool(struct writer *w, const char *key, bool v);
void json_put_time(struct writer *w, const char *key, uint64_t ns); /* absent when 0 */
/* The words of a text, split at any of `separators` and trimmed of spaces, as an array. */
void json_put_words(struct writer *w, const char *key, const char *words, char separator);

/* One valid character at p (n > 0 bytes): its length and *ret, or 0. */
unsigned utf8_decode(const char *p, size_t n, uint32_t *ret);
/* Would it disturb a reader: control, separator, direction or invisible? */
bool utf8_hidden(uint32_t c);

#endif
