/*
 * windows_etw: see the header. Every length in a payload was chosen by whoever caused the event
 * (user and machine names come from the network), so each read is held against what is left.
 *
 * Cannot see: arrays and structures in a template (none of the events that are read has one); what
 * a number means that is a message of its own ("%%1833"), which is passed on as it is.
 *
 * Example: 4625, TargetUserName "a\0l\0i\0c\0e\0\0\0" is alice.
 */
#include "windows_etw.h"

#include <stdio.h>

#include "text.h"

#define SID_PARTS_MAX 15 /* SID_MAX_SUB_AUTHORITIES */
#define WORD_MAX      200

struct payload {
	const uint8_t *p;
	size_t left;
	bool is_64;
};

static uint64_t number_at(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static struct span put_word(struct json *j, const char *text)
{
	struct span s = {j->out, 0};

	for (; *text; text++)
		json_byte(j, (unsigned char)*text);
	s.len = (size_t)(j->out - s.ptr);
	return s;
}

static void put_utf8(struct json *j, uint32_t c)
{
	if (c < 0x80) {
		json_byte(j, c);
	} else if (c < 0x800) {
		json_byte(j, 0xc0 | c >> 6);
		json_byte(j, 0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		json_byte(j, 0xe0 | c >> 12);
		json_byte(j, 0x80 | (c >> 6 & 0x3f));
		json_byte(j, 0x80 | (c & 0x3f));
	} else {
		json_byte(j, 0xf0 | c >> 18);
		json_byte(j, 0x80 | (c >> 12 & 0x3f));
		json_byte(j, 0x80 | (c >> 6 & 0x3f));
		json_byte(j, 0x80 | (c & 0x3f));
	}
}

/* units of UTF-16; a surrogate without its pair becomes U+FFFD. */
static struct span utf16(struct json *j, const uint8_t *p, size_t units)
{
	struct span s = {j->out, 0};

	for (size_t i = 0; i < units; i++) {
		uint32_t c = (uint32_t)number_at(p + 2 * i, 2), low;

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < units) {
			low = (uint32_t)number_at(p + 2 * i + 2, 2);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i++;
			}
		}
		put_utf8(j, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	}
	s.len = (size_t)(j->out - s.ptr);
	return s;
}

/*
 * Up to its NUL, or as long as it is told to be. The end of the payload ends it as well, if at
 * least a unit of it is there; an odd byte at the end is half of one, so it was cut.
 */
static bool take_text(struct payload *d, struct json *j, size_t length, bool wide, struct span *ret)
{
	size_t unit = wide ? 2 : 1, units = d->left / unit, n = 0, used;

	if (units < (length ? length : 1))
		return false;
	if (length)
		units = length;
	while (n < units && number_at(d->p + n * unit, unit))
		n++;
	if (!length && n == units && d->left % unit)
		return false;
	used = (length ? length : n + (n < units)) * unit;
	if (wide)
		*ret = utf16(j, d->p, n);
	else
		*ret = (struct span){(const char *)d->p, n};
	d->p += used;
	d->left -= used;
	return true;
}

static bool take_sid(struct payload *d, struct json *j, struct span *ret)
{
	char text[WORD_MAX];
	unsigned count;
	uint64_t authority = 0;
	size_t n;

	if (d->left < 8 || d->p[1] > SID_PARTS_MAX || d->left < 8 + 4u * d->p[1])
		return false;
	count = d->p[1];
	for (unsigned i = 2; i < 8; i++)
		authority = authority << 8 | d->p[i];
	n = (size_t)snprintf(text, sizeof(text), "S-%u-%llu", d->p[0],
			     (unsigned long long)authority);
	for (unsigned i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "-%u",
				      (unsigned)number_at(d->p + 8 + 4u * i, 4));
	*ret = put_word(j, text);
	d->p += 8 + 4u * count;
	d->left -= 8 + 4u * count;
	return true;
}

static void say_guid(const uint8_t *p, char text[WORD_MAX])
{
	snprintf(text, WORD_MAX, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
		 (unsigned)number_at(p, 4), (unsigned)number_at(p + 4, 2),
		 (unsigned)number_at(p + 6, 2), p[8], p[9], p[10], p[11], p[12], p[13], p[14],
		 p[15]);
}

/* sockaddr_in, sockaddr_in6, or the bare bytes of an address. */
static struct span say_address(struct json *j, const uint8_t *p, size_t len)
{
	char text[ADDR_TEXT_MAX + 10], bare[ADDR_TEXT_MAX];
	struct addr a;
	unsigned port = 0;

	if (len == 4 || (len == 16 && number_at(p, 2) != 2)) {
		a = addr_from_bytes(p, (unsigned)len);
	} else if (len >= 16 && number_at(p, 2) == 2) { /* AF_INET */
		a = addr_from_bytes(p + 4, 4);
		port = (unsigned)p[2] << 8 | p[3];
	} else if (len >= 28 && number_at(p, 2) == 23) { /* AF_INET6 */
		a = addr_from_bytes(p + 8, 16);
		port = (unsigned)p[2] << 8 | p[3];
	} else {
		return text_none();
	}
	addr_format(&a, bare);
	if (!port)
		snprintf(text, sizeof(text), "%s", bare);
	else
		snprintf(text, sizeof(text), strchr(bare, ':') ? "[%s]:%u" : "%s:%u", bare, port);
	return put_word(j, text);
}

static size_t size_of(const struct etw_field *f, const struct payload *d, size_t length)
{
	static const uint8_t sizes[] = {
		[ETW_INT8] = 1,	    [ETW_UINT8] = 1,	   [ETW_INT16] = 2,   [ETW_UINT16] = 2,
		[ETW_INT32] = 4,    [ETW_UINT32] = 4,	   [ETW_INT64] = 8,   [ETW_UINT64] = 8,
		[ETW_FLOAT] = 4,    [ETW_DOUBLE] = 8,	   [ETW_BOOLEAN] = 4, [ETW_GUID] = 16,
		[ETW_FILETIME] = 8, [ETW_SYSTEMTIME] = 16, [ETW_HEX32] = 4,   [ETW_HEX64] = 8,
	};

	if (f->type == ETW_POINTER)
		return d->is_64 ? 8 : 4;
	if (f->type == ETW_BINARY)
		return length;
	return f->type < sizeof(sizes) ? sizes[f->type] : 0;
}

static struct span say_fixed(const struct etw_field *f, struct json *j, const uint8_t *p, size_t n)
{
	char text[WORD_MAX];
	uint64_t v = n <= 8 ? number_at(p, n) : 0;

	if (f->is_address)
		return say_address(j, p, n);
	switch (f->type) {
	case ETW_GUID:
		say_guid(p, text);
		break;
	case ETW_HEX32:
	case ETW_HEX64:
	case ETW_POINTER:
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
		break;
	case ETW_BOOLEAN:
		snprintf(text, sizeof(text), "%s", v ? "true" : "false");
		break;
	case ETW_INT8:
	case ETW_INT16:
	case ETW_INT32:
	case ETW_INT64:
		snprintf(text, sizeof(text), "%lld",
			 (long long)(int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n));
		break;
	case ETW_BINARY:
	case ETW_FLOAT:
	case ETW_DOUBLE:
	case ETW_SYSTEMTIME:
		return text_none(); /* nothing that is read is one */
	default:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	}
	return put_word(j, text);
}

bool windows_from_etw(const struct etw_template *t, struct span payload, bool is_64,
		      struct json *scratch, struct windows_event *ret, const char **reason)
{
	struct payload d = {(const uint8_t *)payload.ptr, payload.len, is_64};
	uint64_t numbers[ETW_FIELDS_MAX] = {0};

	for (unsigned i = 0; i < t->count && i < ETW_FIELDS_MAX; i++) {
		const struct etw_field *f = &t->fields[i];
		struct span value = text_none();
		size_t length = f->length_from < i ? (size_t)numbers[f->length_from] : f->length;
		bool read;

		if (f->type == ETW_UNICODE || f->type == ETW_ANSI) {
			/* A length of nothing is one, not "up to the NUL". */
			read = (f->length_from < i && !length) ||
			       take_text(&d, scratch, length, f->type == ETW_UNICODE, &value);
		} else if (f->type == ETW_SID) {
			read = take_sid(&d, scratch, &value);
		} else {
			size_t n = size_of(f, &d, length);

			read = n <= d.left && (n || f->type == ETW_BINARY);
			if (read) {
				numbers[i] = n <= 8 ? number_at(d.p, n) : 0;
				value = say_fixed(f, scratch, d.p, n);
				d.p += n;
				d.left -= n;
			}
		}
		if (!read) {
			*reason = "an ETW event that is cut short, or not as its template says";
			return i > 0;
		}
		windows_add(ret, span_of_array(f->name, sizeof(f->name)), value);
	}
	if (scratch->cut)
		*reason = "an ETW event whose texts are longer than there is room";
	return true;
}
