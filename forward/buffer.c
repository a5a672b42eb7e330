/* buffer: see the header. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out/writer.h"
#include "wire.h"

#define BUFFER_MAX (16u << 20)

bool buffer_add(struct buffer *b, const char *p, size_t n)
{
	if (b->len + n + 1 > b->room) {
		size_t room = b->room ? b->room : 65536;
		char *more;

		while (room < b->len + n + 1)
			room *= 2;
		if (room > BUFFER_MAX)
			return false;
		more = realloc(b->at, room);
		if (!more)
			return false;
		b->at = more;
		b->room = room;
	}
	memcpy(b->at + b->len, p, n);
	b->len += n;
	b->at[b->len] = '\0';
	return true;
}

bool buffer_puts(struct buffer *b, const char *s)
{
	return buffer_add(b, s, strlen(s));
}

bool buffer_json(struct buffer *b, const char *p, size_t n)
{
	static char text[FORWARD_TEXT_MAX * 6 + 8];
	struct writer w;
	int len;

	if (!n)
		return buffer_puts(b, "\"\"");
	writer_start(&w, text, sizeof(text));
	json_put_text(&w, NULL, (struct span){p, n});
	len = writer_finish(&w);
	return len >= 0 && buffer_add(b, text, (size_t)len);
}

bool buffer_format(struct buffer *b, const char *format, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < sizeof(text) && buffer_add(b, text, (size_t)n);
}
