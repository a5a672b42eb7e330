/*
 * json: the JSON half of writer.h. RFC 8259, one line, keys in the order they are put.
 *
 * Numbers are unsigned integers only, at most 2^63-1: more is refused by many readers. Times are
 * RFC 3339 text. NUL becomes U+FFFD: it is valid JSON, but many readers end a text there.
 */
#include "writer.h"

#include <errno.h>

#include "out.h"

int writer_finish_json(struct writer *w)
{
	int r = writer_finish(w);

	if (r < 0 && w->cap)
		w->buf[0] = '\0';
	return r;
}

static void put_unit(struct writer *w, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {
		'\\',	       'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
		hex[unit & 15]};

	writer_bytes(w, text, sizeof(text));
}

static void put_code_point(struct writer *w, uint32_t c)
{
	if (c == 0)
		c = 0xfffd;
	if (c < 0x10000) {
		put_unit(w, c);
		return;
	}
	c -= 0x10000;
	put_unit(w, 0xd800 + (c >> 10));
	put_unit(w, 0xdc00 + (c & 0x3ff));
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that is not plain; its length in bytes. */
static size_t put_special(struct writer *w, const char *p, size_t n)
{
	uint32_t c = 0;
	unsigned len;

	if (*p == '"' || *p == '\\') {
		writer_bytes(w, "\\", 1);
		writer_bytes(w, p, 1);
		return 1;
	}
	len = utf8_decode(p, n, &c);
	if (len == 0)
		put_unit(w, 0xfffd);
	else if (utf8_hidden(c))
		put_code_point(w, c);
	else
		writer_bytes(w, p, len);
	return len ? len : 1;
}

static void put_string(struct writer *w, struct span s)
{
	size_t i = 0;

	writer_bytes(w, "\"", 1);
	while (i < s.len && !w->overflow) {
		size_t run = i;

		while (run < s.len && is_plain(s.ptr[run]))
			run++;
		writer_bytes(w, s.ptr + i, run - i);
		i = run < s.len ? run + put_special(w, s.ptr + run, s.len - run) : run;
	}
	writer_bytes(w, "\"", 1);
}

static void put_key(struct writer *w, const char *key)
{
	if (w->comma)
		writer_bytes(w, ",", 1);
	w->comma = true;
	if (!key)
		return;
	writer_bytes(w, "\"", 1);
	writer_puts(w, key);
	writer_bytes(w, "\":", 2);
}

void json_begin(struct writer *w, const char *key, char bracket)
{
	put_key(w, key);
	writer_bytes(w, &bracket, 1);
	w->comma = false;
}

void json_end(struct writer *w, char bracket)
{
	writer_bytes(w, &bracket, 1);
	w->comma = true;
}

void json_put_text(struct writer *w, const char *key, struct span s)
{
	if (span_empty(s))
		return;
	put_key(w, key);
	put_string(w, s);
}

void json_put_str(struct writer *w, const char *key, const char *s)
{
	json_put_text(w, key, span_of(s));
}

void json_put_u64(struct writer *w, const char *key, uint64_t v)
{
	put_key(w, key);
	writer_number(w, v < INT64_MAX ? v : INT64_MAX);
}

void json_put_degrees(struct writer *w, const char *key, int32_t e4)
{
	uint64_t v = e4 < 0 ? (uint64_t) - (int64_t)e4 : (uint64_t)e4;
	char digits[6] = {'.', 0};

	put_key(w, key);
	if (e4 < 0)
		writer_bytes(w, "-", 1);
	writer_number(w, v / 10000);
	for (unsigned i = 4; i; i--, v /= 10)
		digits[i] = (char)('0' + v % 10);
	writer_bytes(w, digits, 5);
}

void json_put_bool(struct writer *w, const char *key, bool v)
{
	put_key(w, key);
	writer_puts(w, v ? "true" : "false");
}

void json_put_time(struct writer *w, const char *key, uint64_t ns)
{
	char buf[32];

	if (ns)
		json_put_str(w, key, out_time(ns, buf));
}

void json_put_words(struct writer *w, const char *key, const char *words, char separator)
{
	struct span rest = span_of(words);

	json_begin(w, key, '[');
	while (rest.len) {
		size_t n = 0;
		struct span word;

		while (n < rest.len && rest.ptr[n] != separator)
			n++;
		word = span_first(rest, n);
		while (word.len && *word.ptr == ' ')
			word = span_skip(word, 1);
		json_put_text(w, NULL, word);
		rest = span_skip(rest, n + 1);
	}
	json_end(w, ']');
}
