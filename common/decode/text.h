/*
 * text: cutting spans. Every function looks at no byte outside its span and keeps what is left
 * inside it; nothing here allocates, copies or depends on a locale.
 *
 * Where the left of a line is chosen by an attacker, decoders cut from the right (text_cut_end_*).
 */
#ifndef OUTERGATE_DECODE_TEXT_H
#define OUTERGATE_DECODE_TEXT_H

#include "../event.h"

#define TEXT_NOT_FOUND SIZE_MAX

static inline struct span text_none(void)
{
	return (struct span){0};
}

static inline bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool text_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Takes the literal prefix off; false and untouched when it is not there. */
static inline bool text_cut(struct span *s, struct span prefix)
{
	if (!span_starts(*s, prefix))
		return false;
	*s = span_skip(*s, prefix.len);
	return true;
}

static inline bool text_ends(struct span s, struct span suffix)
{
	return s.len >= suffix.len &&
	       memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0;
}

/* Takes the literal suffix off; false and untouched when it is not there. */
static inline bool text_cut_end(struct span *s, struct span suffix)
{
	if (!text_ends(*s, suffix))
		return false;
	s->len -= suffix.len;
	return true;
}

static inline struct span text_trim_left(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] == ' ')
		n++;
	return span_skip(s, n);
}

/* Spaces and line ends; other control characters belong to the text. */
static inline struct span text_trim_right(struct span s)
{
	while (s.len &&
	       (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* What stands before the first space; *s keeps what is after it. Never fails, may be empty. */
static inline struct span text_cut_word(struct span *s)
{
	size_t n = 0;
	struct span word;

	while (n < s->len && s->ptr[n] != ' ')
		n++;
	word = span_first(*s, n);
	*s = span_skip(*s, n < s->len ? n + 1 : n);
	return word;
}

/* The last word; *s keeps what is before it, its spaces at the end taken off. */
static inline struct span text_cut_end_word(struct span *s)
{
	size_t n;
	struct span word;

	*s = text_trim_right(*s);
	n = s->len;
	while (n && s->ptr[n - 1] != ' ')
		n--;
	word = span_skip(*s, n);
	*s = text_trim_right(span_first(*s, n));
	return word;
}

/* Offset of the first needle at or after from, or TEXT_NOT_FOUND. The needle is not empty. */
static inline size_t text_find(struct span s, struct span needle, size_t from)
{
	while (needle.len && from + needle.len <= s.len) {
		const char *p = memchr(s.ptr + from, needle.ptr[0], s.len - needle.len - from + 1);

		if (!p)
			break;
		if (memcmp(p, needle.ptr, needle.len) == 0)
			return (size_t)(p - s.ptr);
		from = (size_t)(p - s.ptr) + 1;
	}
	return TEXT_NOT_FOUND;
}

/* Offset of the last needle, or TEXT_NOT_FOUND. */
static inline size_t text_find_last(struct span s, struct span needle)
{
	if (!needle.len || !s.ptr || needle.len > s.len)
		return TEXT_NOT_FOUND;
	for (size_t i = s.len - needle.len + 1; i-- > 0;)
		if (s.ptr[i] == needle.ptr[0] && memcmp(s.ptr + i, needle.ptr, needle.len) == 0)
			return i;
	return TEXT_NOT_FOUND;
}

/* A decimal that fits 32 bits, or the given default. */
static inline uint32_t text_u32(struct span s, uint32_t otherwise)
{
	uint64_t v;

	return span_u64(s, &v) && v <= UINT32_MAX ? (uint32_t)v : otherwise;
}

#endif
