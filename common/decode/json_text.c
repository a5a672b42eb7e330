/*
 * json_text: see json_text.h. Strings without an escape are borrowed from the input; others are
 * written to the scratch, where they end when it is full.
 */
#include "json_text.h"

#include "text.h"

void json_space(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

bool json_char(struct json *j, char c)
{
	json_space(j);
	if (j->p >= j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

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
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (j->p >= j->end)
		return false;
	if (*j->p == 'u') {
		j->p++;
		return json_unicode(j);
	}
	at = *j->p ? strchr(from, *j->p) : NULL;
	if (!at)
		return false;
	j->p++;
	json_byte(j, (unsigned char)to[at - from]);
	return true;
}

/* A string; points into the input when it holds no escape, else into the scratch. */
bool json_quoted(struct json *j, struct span *ret)
{
	const char *start, *out;

	if (!json_char(j, '"'))
		return false;
	start = j->p;
	while (j->p < j->end && *j->p != '"' && *j->p != '\\')
		j->p++;
	if (j->p < j->end && *j->p == '"') {
		*ret = (struct span){start, (size_t)(j->p++ - start)};
		return true;
	}
	out = j->out;
	for (const char *c = start; c < j->p; c++)
		json_byte(j, (unsigned char)*c);
	while (j->p < j->end && *j->p != '"') {
		if (*j->p != '\\')
			json_byte(j, (unsigned char)*j->p++);
		else if (j->p++, !json_escape(j))
			return false;
	}
	*ret = (struct span){out, (size_t)(j->out - out)};
	return json_char(j, '"');
}

/* A number or a word (true, null); its text. */
bool json_bare(struct json *j, struct span *ret)
{
	const char *start;

	json_space(j);
	start = j->p;
	while (j->p < j->end && (text_is_digit(*j->p) || text_is_alpha(*j->p) || *j->p == '-' ||
				 *j->p == '+' || *j->p == '.'))
		j->p++;
	*ret = (struct span){start, (size_t)(j->p - start)};
	return j->p > start;
}
