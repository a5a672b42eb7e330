/*
 * span: a piece of text somebody else owns.
 *
 * Text from outside (log lines, user names, banners) is never a C string: it may hold NUL, newlines
 * or invalid UTF-8 and is bounded by its length only. A span borrows; it is valid while the buffer
 * it points into is. Escaping happens on output, never here.
 */
#ifndef OUTERGATE_SPAN_H
#define OUTERGATE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *ptr; /* borrowed; may be NULL when len is 0 */
	size_t len;	 /* bytes */
};

#define SPAN_LIT(s) ((struct span){(s), sizeof(s) - 1})

static inline struct span span_of(const char *s)
{
	return (struct span){s, s ? strlen(s) : 0};
}

/* Text in a fixed array that may or may not be NUL-terminated. */
static inline struct span span_of_array(const char *s, size_t cap)
{
	return (struct span){s, strnlen(s, cap)};
}

static inline bool span_empty(struct span s)
{
	return s.len == 0;
}

static inline bool span_eq(struct span a, struct span b)
{
	/* The first byte tells most names apart, without a call. */
	return a.len == b.len &&
	       (a.len == 0 || (a.ptr[0] == b.ptr[0] && memcmp(a.ptr, b.ptr, a.len) == 0));
}

static inline bool span_is(struct span a, const char *lit)
{
	return span_eq(a, span_of(lit));
}

static inline bool span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && (!prefix.len || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline struct span span_skip(struct span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct span){n ? s.ptr + n : s.ptr, s.len - n}; /* NULL + 0 is undefined */
}

static inline struct span span_first(struct span s, size_t n)
{
	return (struct span){s.ptr, n < s.len ? n : s.len};
}

/* Is part somewhere in s? An empty one always is. */
static inline bool span_has(struct span s, struct span part)
{
	for (size_t i = 0; i + part.len <= s.len; i++)
		if (span_starts(span_skip(s, i), part))
			return true;
	return false;
}

/* The same, whatever the case of ASCII's letters. */
static inline bool span_has_folded(struct span s, struct span part)
{
	for (size_t i = 0; i + part.len <= s.len; i++) {
		size_t n = 0;

		for (; n < part.len; n++) {
			char a = s.ptr[i + n], b = part.ptr[n];

			if (a >= 'A' && a <= 'Z')
				a = (char)(a + 32);
			if (b >= 'A' && b <= 'Z')
				b = (char)(b + 32);
			if (a != b)
				break;
		}
		if (n == part.len)
			return true;
	}
	return false;
}

/* What follows the last '/' of a path. */
static inline struct span span_base(struct span path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/')
			return span_skip(path, i);
	return path;
}

/* The next of a NUL-separated list of arguments; false at its end. */
static inline bool span_cut_arg(struct span *rest, struct span *ret)
{
	const char *end;

	if (span_empty(*rest))
		return false;
	end = (const char *)memchr(rest->ptr, '\0', rest->len);
	*ret = span_first(*rest, end ? (size_t)(end - rest->ptr) : rest->len);
	*rest = span_skip(*rest, end ? ret->len + 1 : rest->len);
	return true;
}

/*
 * Copies at most cap - 1 bytes and terminates. Bytes are kept as they are (NUL becomes '?').
 * Returns true when the whole span fitted.
 */
static inline bool span_copy(char *dst, size_t cap, struct span s)
{
	size_t n = s.len < cap ? s.len : cap - 1;

	for (size_t i = 0; i < n; i++)
		dst[i] = s.ptr[i] ? s.ptr[i] : '?';
	dst[n] = '\0';
	return n == s.len;
}

/* Decimal digits only, whole span, no sign; returns false on anything else or on overflow. */
static inline bool span_u64(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 20)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned)(unsigned char)s.ptr[i] - '0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

#endif
