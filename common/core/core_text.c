/* text: see core_text.h. */
#include "core_text.h"

#include <stdarg.h>
#include <stdio.h>

struct text text_start(char *buf, size_t cap)
{
	buf[0] = '\0';
	return (struct text){buf, cap, 0};
}

struct text text_more(char *buf, size_t cap)
{
	return (struct text){buf, cap, strnlen(buf, cap - 1)};
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buf + t->len, t->cap - t->len, format, ap);
	va_end(ap);
	if (n < 0)
		t->buf[t->len] = '\0';
	else
		t->len = t->len + (size_t)n < t->cap ? t->len + (size_t)n : t->cap - 1;
}

static void put(struct text *t, char c)
{
	if (t->len + 1 >= t->cap)
		return;
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

static void put_span(struct text *t, struct span s, size_t max, char quote)
{
	struct span cut = span_first(s, max);

	for (size_t i = 0; i < cut.len; i++) {
		char c = cut.ptr[i];

		put(t, c < 0x20 || c > 0x7e || (quote && c == quote) ? '?' : c);
	}
	if (cut.len < s.len)
		text_add(t, "...");
}

void text_plain(struct text *t, struct span s, size_t max)
{
	put_span(t, s, max, 0);
}

void text_quote(struct text *t, struct span s, size_t max)
{
	put(t, '\'');
	put_span(t, s, max, '\'');
	put(t, '\'');
}
