/*
 * json_text: see json_text.h. Strings without an escape are borrowed from the input; others are
 * written to the scratch, where they end when it is full.
 */
#include "json_text.h"

#include "scan.h"

void json_byte(struct json *j, unsigned byte)
{
	if (j->out < j->out_end)
		*j->out++ = (char)byte;
	else
		j->cut = true;
}

static void put_utf8(struct json *j, uint32_t c)
{
	if (c < 0x80) {
		json_byte(j, c);
	} else if (c < 0x800) {
		json_byte(j, 0xC0 | c >> 6);
		json_byte(j, 0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		json_byte(j, 0xE0 | c >> 12);
		json_byte(j, 0x80 | (c >> 6 & 0x3F));
		json_byte(j, 0x80 | (c & 0x3F));
	} else {
		json_byte(j, 0xF0 | c >> 18);
		json_byte(j, 0x80 | (c >> 12 & 0x3F));
		json_byte(j, 0x80 | (c >> 6 & 0x3F));
		json_byte(j, 0x80 | (c & 0x3F));
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at j->p; -1 when they are not there. */
static int64_t json_hex4(struct json *j)
{
	int64_t v = 0;

	if (j->end - j->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(j->p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	j->p += 4;
	return v;
}

/* After "\u". A surrogate without its pair becomes U+FFFD. */
static bool json_unicode(struct json *j)
{
	int64_t c = json_hex4(j), low;

	if (c < 0)
		return false;
	if (c >= 0xD800 && c < 0xDC00 && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u') {
		struct json ahead = *j;

		ahead.p += 2;
		low = json_hex4(&ahead);
		if (low >= 0xDC00 && low < 0xE000) {
			j->p = ahead.p;
			put_utf8(j, (uint32_t)(0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00)));
			return true;
		}
	}
	put_utf8(j, c >= 0xD800 && c < 0xE000 ? 0xFFFD : (uint32_t)c);
	return true;
}

static bool json_escape(struct json *j)
{
	static const char to[256] = {
		['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
	};
	char c;

	if (j->p >= j->end)
		return false;
	if (*j->p == 'u') {
		j->p++;
		return json_unicode(j);
	}
	c = to[(unsigned char)*j->p];
	if (!c)
		return false;
	j->p++;
	json_byte(j, (unsigned char)c);
	return true;
}

/* A run without an escape. */
static void put_run(struct json *j, const char *from, const char *to)
{
	size_t n = (size_t)(to - from), room = (size_t)(j->out_end - j->out);

	if (n > room) {
		j->cut = true;
		n = room;
	}
	if (n) {
		memcpy(j->out, from, n);
		j->out += n;
	}
}

bool json_quoted(struct json *j, struct span *ret)
{
	const char *start, *out;

	if (!json_char(j, '"'))
		return false;
	start = j->p;
	j->p = scan_string(start, j->end);
	if (j->p < j->end && *j->p == '"') {
		*ret = (struct span){start, (size_t)(j->p++ - start)};
		return true;
	}
	out = j->out;
	put_run(j, start, j->p);
	while (j->p < j->end && *j->p != '"') {
		j->p++;
		if (!json_escape(j))
			return false;
		start = j->p;
		j->p = scan_string(start, j->end);
		put_run(j, start, j->p);
	}
	*ret = (struct span){out, (size_t)(j->out - out)};
	return json_char(j, '"');
}

bool json_pass_quoted(struct json *j)
{
	struct json none;

	if (!json_char(j, '"'))
		return false;
	j->p = scan_string(j->p, j->end);
	while (j->p < j->end && *j->p != '"') {
		none = (struct json){.p = j->p + 1, .end = j->end};
		if (!json_escape(&none)) {
			j->p = none.p;
			return false;
		}
		j->p = scan_string(none.p, j->end);
	}
	return json_char(j, '"');
}

/* A number or a word (true, null); its text. */
bool json_bare(struct json *j, struct span *ret)
{
	static const bool is_bare[256] = {
		['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true,
		['-'] = true,	      ['+'] = true,	    ['.'] = true,
	};
	const char *start;

	json_space(j);
	start = j->p;
	while (j->p < j->end && is_bare[(unsigned char)*j->p])
		j->p++;
	*ret = (struct span){start, (size_t)(j->p - start)};
	return j->p > start;
}
