/*
 * addr: parses, formats, masks and hashes addresses. Strict, locale-free, no platform header.
 *
 * Sees "203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:22", "fe80::1%eth0", "[192.0.2.1]:25",
 * "10.1.2.3%16777216" (Windows puts a zone on v4 too), "LOCAL", "-" and "". It refuses what
 * inet_pton refuses: octal-looking octets, short forms ("127.1"), more than one "::", white space.
 * A zone is dropped, because it names an interface of whoever wrote the line, not of this host.
 *
 * Folding: every v4-mapped address becomes v4; a NAT64 one only when its v4 part is external by
 * scope.c, so that 64:ff9b::10.0.0.1 never reads as a trusted private address.
 */
#include "addr.h"
#include "scope.h"

#include <stdio.h>

#define ZONE_MAX 15 /* IFNAMSIZ - 1 */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t nat64_prefix[12] = {0x00, 0x64, 0xff, 0x9b};

static struct addr addr_raw(uint8_t family, const void *bytes)
{
	struct addr a = {.family = family};

	memcpy(a.bytes, bytes, family == ADDR_V4 ? 4 : 16);
	return a;
}

static struct addr addr_fold(struct addr a)
{
	struct addr v4;

	if (a.family != ADDR_V6)
		return a;
	v4 = addr_raw(ADDR_V4, a.bytes + 12);
	if (!memcmp(a.bytes, mapped_prefix, sizeof(mapped_prefix)))
		return v4;
	if (!memcmp(a.bytes, nat64_prefix, sizeof(nat64_prefix)) &&
	    scope_of(&v4, NULL) == SCOPE_EXTERNAL)
		return v4;
	return a;
}

struct addr addr_from_bytes(const void *bytes, size_t len)
{
	if (len == 4)
		return addr_raw(ADDR_V4, bytes);
	if (len == 16)
		return addr_fold(addr_raw(ADDR_V6, bytes));
	return (struct addr){.family = ADDR_NONE};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A decimal number of at most max at the head of *s, without leading zeros; consumes it. */
static bool take_number(struct span *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;
	size_t n = 0;

	while (n < s->len && is_digit(s->ptr[n])) {
		v = v * 10 + (unsigned)(s->ptr[n] - '0');
		if (v > max || (n > 0 && s->ptr[0] == '0'))
			return false;
		n++;
	}
	if (n == 0)
		return false;
	*s = span_skip(*s, n);
	*ret = v;
	return true;
}

static bool v4_parse(struct span s, uint8_t *out)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v;

		if (i > 0) {
			if (s.len == 0 || s.ptr[0] != '.')
				return false;
			s = span_skip(s, 1);
		}
		if (!take_number(&s, 255, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return s.len == 0;
}

/* One group of up to four hex digits; returns how many it consumed, 0 for none or too many. */
static size_t take_group(struct span s, uint8_t *out)
{
	unsigned v = 0;
	size_t n = 0;

	for (; n < s.len && hex_value(s.ptr[n]) >= 0; n++) {
		if (n == 4)
			return 0;
		v = v << 4 | (unsigned)hex_value(s.ptr[n]);
	}
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return n;
}

/* After a group: consumes ":" or "::" (noting the gap); false on anything else. */
static bool take_colon(struct span *s, unsigned used, int *gap)
{
	if (s->ptr[0] != ':')
		return false;
	*s = span_skip(*s, 1);
	if (s->len == 0)
		return false;
	if (s->ptr[0] != ':')
		return true;
	if (*gap >= 0)
		return false;
	*gap = (int)used;
	*s = span_skip(*s, 1);
	return true;
}

/* Moves what follows the "::" to the end and fills the hole with zeros. */
static bool v6_spread(uint8_t *out, unsigned used, int gap)
{
	unsigned tail;

	if (gap < 0)
		return used == 16;
	if (used == 16)
		return false;
	tail = used - (unsigned)gap;
	memmove(out + 16 - tail, out + gap, tail);
	memset(out + gap, 0, 16 - used);
	return true;
}

static bool v6_parse(struct span s, uint8_t *out)
{
	unsigned used = 0;
	int gap = -1;

	if (s.len >= 2 && s.ptr[0] == ':') {
		if (s.ptr[1] != ':')
			return false;
		gap = 0;
		s = span_skip(s, 2);
	}
	while (s.len) {
		size_t n;

		if (used == 16)
			return false;
		n = take_group(s, out + used);
		if (n == 0)
			return false;
		if (n < s.len && s.ptr[n] == '.') {
			if (used > 12 || !v4_parse(s, out + used))
				return false;
			used += 4;
			break;
		}
		used += 2;
		s = span_skip(s, n);
		if (s.len && !take_colon(&s, used, &gap))
			return false;
	}
	return v6_spread(out, used, gap);
}

/* Without zone, brackets or port; unfolded. */
static bool host_parse(struct span s, struct addr *ret)
{
	uint8_t bytes[16];

	if (v4_parse(s, bytes))
		*ret = addr_raw(ADDR_V4, bytes);
	else if (v6_parse(s, bytes))
		*ret = addr_raw(ADDR_V6, bytes);
	else
		return false;
	return true;
}

static size_t span_find(struct span s, char c)
{
	const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return p ? (size_t)(p - s.ptr) : s.len;
}

/* Cuts "%zone"; false when there is one that no interface could be called. */
static bool zone_cut(struct span *s)
{
	size_t at = span_find(*s, '%');
	struct span zone = span_skip(*s, at + 1);

	if (at == s->len)
		return true;
	if (zone.len == 0 || zone.len > ZONE_MAX)
		return false;
	for (size_t i = 0; i < zone.len; i++)
		if (zone.ptr[i] <= ' ' || zone.ptr[i] > '~' || strchr("%/:[]", zone.ptr[i]))
			return false;
	*s = span_first(*s, at);
	return true;
}

/* "" or ":port". */
static bool port_parse(struct span s, uint16_t *ret)
{
	unsigned v = 0;

	if (s.len) {
		if (s.ptr[0] != ':')
			return false;
		s = span_skip(s, 1);
		if (!take_number(&s, UINT16_MAX, &v) || s.len)
			return false;
	}
	*ret = (uint16_t)v;
	return true;
}

/* Where the address ends and the port begins. A bare v6 has several colons and no port. */
static bool endpoint_split(struct span text, struct span *ret_host, struct span *ret_port)
{
	size_t at;

	if (text.ptr[0] == '[') {
		text = span_skip(text, 1);
		at = span_find(text, ']');
		if (at == text.len)
			return false;
		*ret_host = span_first(text, at);
		*ret_port = span_skip(text, at + 1);
		return true;
	}
	at = span_find(text, ':');
	if (at < text.len && span_find(span_skip(text, at + 1), ':') != text.len - at - 1)
		at = text.len;
	*ret_host = span_first(text, at);
	*ret_port = span_skip(text, at);
	return true;
}

bool addr_parse(struct span text, struct addr *ret_addr, uint16_t *ret_port)
{
	struct addr a = {.family = ADDR_NONE};
	struct span host, rest;
	uint16_t port = 0;

	if (text.len && !span_is(text, "-") && !span_is(text, "LOCAL")) {
		if (!endpoint_split(text, &host, &rest) || !port_parse(rest, &port) ||
		    !zone_cut(&host) || !host_parse(host, &a))
			return false;
	}
	*ret_addr = addr_fold(a);
	if (ret_port)
		*ret_port = port;
	return true;
}

static unsigned addr_word(const struct addr *a, unsigned i)
{
	return (unsigned)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 4.2). */
static unsigned zero_run(const struct addr *a, unsigned *ret_at)
{
	unsigned best = 1, run = 0;

	for (unsigned i = 0; i < 8; i++) {
		run = addr_word(a, i) ? 0 : run + 1;
		if (run > best) {
			best = run;
			*ret_at = i + 1 - run;
		}
	}
	return best > 1 ? best : 0;
}

static void v6_format(const struct addr *a, char *buf)
{
	unsigned at = 8, run = zero_run(a, &at);
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (run && i == at) {
			n += (size_t)snprintf(buf + n, ADDR_TEXT_MAX - n, "::");
			i += run - 1;
			continue;
		}
		n += (size_t)snprintf(buf + n, ADDR_TEXT_MAX - n, "%s%x",
				      i == 0 || (run && i == at + run) ? "" : ":", addr_word(a, i));
	}
}

const char *addr_format(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	buf[0] = '\0';
	if (a->family == ADDR_V4)
		snprintf(buf, ADDR_TEXT_MAX, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2],
			 a->bytes[3]);
	else if (a->family == ADDR_V6)
		v6_format(a, buf);
	return buf;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static unsigned addr_bits(const struct addr *a)
{
	return a->family == ADDR_V4 ? 32 : a->family == ADDR_V6 ? 128 : 0;
}

struct addr addr_mask(const struct addr *a, unsigned bits)
{
	struct addr out = *a;
	unsigned whole = bits / 8;

	if (bits >= addr_bits(a))
		return out;
	out.bytes[whole] &= (uint8_t)(0xff00u >> (bits % 8));
	memset(out.bytes + whole + 1, 0, sizeof(out.bytes) - whole - 1);
	return out;
}

/* A block inside a folded range becomes the v4 block that its addresses become. */
static struct cidr cidr_fold(struct addr a, unsigned bits)
{
	struct cidr c = {.addr = a, .bits = (uint8_t)bits};
	struct addr folded = bits >= 96 ? addr_fold(a) : a;

	if (folded.family != a.family) {
		c.addr = folded;
		c.bits = (uint8_t)(bits - 96);
	}
	return c;
}

bool cidr_parse(struct span text, struct cidr *ret)
{
	size_t slash = span_find(text, '/');
	struct span tail = span_skip(text, slash + 1);
	struct addr a, masked;
	unsigned bits;

	if (!host_parse(span_first(text, slash), &a))
		return false;
	bits = addr_bits(&a);
	if (slash < text.len && (!take_number(&tail, bits, &bits) || tail.len))
		return false;
	masked = addr_mask(&a, bits);
	if (!addr_eq(&masked, &a))
		return false;
	*ret = cidr_fold(a, bits);
	return true;
}

bool cidr_has(const struct cidr *c, const struct addr *a)
{
	struct addr masked;

	if (a->family == ADDR_NONE || a->family != c->addr.family)
		return false;
	masked = addr_mask(a, c->bits);
	return addr_eq(&masked, &c->addr);
}

/* The finalizer of splitmix64: bijective, every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t addr_hash(const struct addr *a, uint64_t seed)
{
	uint64_t part[2] = {0, 0};

	/* Assembled by shifts: the same number on every byte order. */
	for (unsigned i = 0; i < 16; i++)
		part[i / 8] = part[i / 8] << 8 | a->bytes[i];
	return mix(mix(mix(seed + a->family) ^ part[0]) ^ part[1] ^ seed);
}
