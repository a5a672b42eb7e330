/* text: see core_text.h. */
#include "core_text.h"

#include <stdarg.h>

struct text text_start(char *buf, size_t cap)
{
	buf[0] = '\0';
	return (struct text){buf, cap, 0};
}

struct text text_more(char *buf, size_t cap)
{
	return (struct text){buf, cap, strnlen(buf, cap - 1)};
}

static void put(struct text *t, char c)
{
	if (t->len + 1 >= t->cap)
		return;
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

static void put_string(struct text *t, const char *s, size_t n)
{
	if (n > t->cap - 1 - t->len)
		n = t->cap - 1 - t->len;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	t->buf[t->len] = '\0';
}

static void put_number(struct text *t, unsigned long long v)
{
	char digits[24];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	put_string(t, digits + at, sizeof(digits) - at);
}

/* %s, %c, %u and %llu; printf would be most of the cost of a failed login. */
void text_add(struct text *t, const char *format, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, format);
	while (*format) {
		size_t plain = 0;

		while (format[plain] && format[plain] != '%')
			plain++;
		put_string(t, format, plain);
		format += plain;
		if (!*format)
			break;
		format++;
		if (*format == 's') {
			s = va_arg(ap, const char *);
			put_string(t, s, strlen(s));
		} else if (*format == 'c') {
			put(t, (char)va_arg(ap, int));
		} else if (*format == 'u') {
			put_number(t, va_arg(ap, unsigned));
		} else if (strncmp(format, "llu", 3) == 0) {
			put_number(t, va_arg(ap, unsigned long long));
			format += 2;
		}
		format++;
	}
	va_end(ap);
}

void text_addr(struct text *t, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	if (a->family != ADDR_V4) {
		addr_format(a, text);
		put_string(t, text, strlen(text));
		return;
	}
	for (int i = 0; i < 4; i++) {
		if (i)
			put(t, '.');
		put_number(t, a->bytes[i]);
	}
}

#define EACH(byte) (0x0101010101010101ull * (byte))

/*
 * Eight at once: are all of 0x20 to 0x7e and none the quote? Nearly always. In each byte of the sum
 * the high bit is set of what is out of bounds; a carry can only come from a byte that is so
 * itself.
 */
static bool is_plain8(const char *p, char quote)
{
	uint64_t v, odd;

	memcpy(&v, p, sizeof(v));
	odd = v | (v + EACH(1)) | (v - EACH(0x20));
	if (quote) {
		v ^= EACH((unsigned char)quote);
		odd |= v - EACH(1);
	}
	return !(odd & EACH(0x80));
}

static void put_span(struct text *t, struct span s, size_t max, char quote)
{
	struct span cut = span_first(s, max);
	size_t room = t->cap - 1 - t->len, n = cut.len < room ? cut.len : room;
	char *to = t->buf + t->len;

	for (size_t i = 0; i < n;) {
		size_t piece = n - i < 8 ? n - i : 8;

		if (piece == 8 && is_plain8(cut.ptr + i, quote)) {
			memcpy(to + i, cut.ptr + i, 8);
			i += 8;
			continue;
		}
		for (size_t end = i + piece; i < end; i++) {
			char c = cut.ptr[i];

			to[i] = c < 0x20 || c > 0x7e || (quote && c == quote) ? '?' : c;
		}
	}
	to[n] = '\0';
	t->len += n;
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
