/*
 * writer: see writer.h. Plain bytes and escaped text; the JSON half is json.c.
 *
 * Text keeps the backslash as it is ("DOMAIN\user" stays readable), so `\x1b` on output may be
 * four literal characters of the input; it is never the control character itself.
 */
#include "writer.h"

#include <errno.h>
#include <limits.h>

#include "out.h"

void writer_start(struct writer *w, char *buf, size_t cap)
{
	*w = (struct writer){.buf = buf, .cap = cap, .overflow = cap == 0};
	if (cap)
		buf[0] = '\0';
}

int writer_finish(struct writer *w)
{
	if (w->cap)
		w->buf[w->len] = '\0';
	return w->overflow || w->len > INT_MAX ? -ENOSPC : (int)w->len;
}

void writer_bytes(struct writer *w, const char *p, size_t n)
{
	size_t room = w->cap ? w->cap - 1 - w->len : 0;

	if (w->overflow || n == 0)
		return;
	if (n > room) {
		w->overflow = true;
		if (!w->cut)
			return;
		n = room;
	}
	memcpy(w->buf + w->len, p, n);
	w->len += n;
}

void writer_puts(struct writer *w, const char *s)
{
	writer_bytes(w, s, strlen(s));
}

void writer_number(struct writer *w, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while (v /= 10);
	writer_bytes(w, digits + i, sizeof(digits) - i);
}

void writer_hex(struct writer *w, uint64_t v)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++)
		writer_bytes(w, &hex[v >> (60 - 4 * i) & 15], 1);
}

void writer_column(struct writer *w, const char *s, size_t width)
{
	size_t n = strlen(s);

	writer_bytes(w, s, n);
	for (; n < width; n++)
		writer_bytes(w, " ", 1);
}

static void put_hex_byte(struct writer *w, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

	writer_bytes(w, text, sizeof(text));
}

void writer_escaped(struct writer *w, struct span s)
{
	size_t i = 0;

	while (i < s.len && !w->overflow) {
		size_t run = i;
		uint32_t c;
		unsigned n;

		while (run < s.len && s.ptr[run] >= 0x20 && s.ptr[run] < 0x7f)
			run++;
		writer_bytes(w, s.ptr + i, run - i);
		i = run;
		if (i == s.len)
			return;
		n = utf8_decode(s.ptr + i, s.len - i, &c);
		if (n > 1 && !utf8_hidden(c)) {
			writer_bytes(w, s.ptr + i, n);
			i += n;
			continue;
		}
		for (unsigned end = n ? n : 1; end; end--)
			put_hex_byte(w, (unsigned char)s.ptr[i++]);
	}
}

int out_escape(struct span s, char *buf, size_t cap)
{
	struct writer w;

	writer_start(&w, buf, cap);
	writer_escaped(&w, s);
	return writer_finish(&w);
}
