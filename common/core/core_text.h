/*
 * text: bounded sentences. What comes from outside goes in by text_quote() or text_plain() only:
 * printable ASCII stays, everything else becomes '?', so that no sentence can be broken or forged.
 */
#ifndef OUTERGATE_CORE_TEXT_H
#define OUTERGATE_CORE_TEXT_H

#include "../addr.h"

struct text {
	char *buf;
	size_t cap, len; /* always terminated; what does not fit is dropped */
};

struct text text_start(char *buf, size_t cap);
#define TEXT_IN(array) text_start((array), sizeof(array))
/* Goes on where the text in buf ends. */
struct text text_more(char *buf, size_t cap);
/* Of printf: %s %c %u %llu, without flags. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addr(struct text *t, const struct addr *a);
/* At most max bytes, then "...". */
void text_plain(struct text *t, struct span s, size_t max);
/* The same in single quotes; a quote inside becomes '?'. */
void text_quote(struct text *t, struct span s, size_t max);

#endif
