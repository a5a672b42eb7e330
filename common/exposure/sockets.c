/*
 * sockets: lines of /proc/PID/net/{tcp,tcp6,udp,udp6,fib_trie,if_inet6}. Addresses of sockets are
 * hexadecimal words in the order of this machine.
 *
 * Example: "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1"
 */
#include "sockets.h"

#define TCP_LISTENS 0x0a
#define UDP_IDLE    0x07

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to 8 digits. */
static bool hex(struct span s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s.len == 0 || s.len > 8)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int d = digit(s.ptr[i]);

		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	*ret = v;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct span next_word(struct span *rest)
{
	size_t at = 0, end;
	struct span word;

	while (at < rest->len && is_blank(rest->ptr[at]))
		at++;
	end = at;
	while (end < rest->len && !is_blank(rest->ptr[end]))
		end++;
	word = span_first(span_skip(*rest, at), end - at);
	*rest = span_skip(*rest, end);
	return word;
}

/* "0100007F:0016", or 32 digits in four words. */
static bool address(struct span text, struct endpoint *ret)
{
	size_t digits = text.len >= 5 ? text.len - 5 : 0;
	uint32_t words[4], port;

	if ((digits != 8 && digits != 32) || text.ptr[digits] != ':' ||
	    !hex(span_skip(text, digits + 1), &port) || port > UINT16_MAX)
		return false;
	for (size_t i = 0; i < digits / 8; i++)
		if (!hex(span_first(span_skip(text, i * 8), 8), &words[i]))
			return false;
	ret->addr = addr_from_bytes(words, digits / 2);
	ret->port = (uint16_t)port;
	ret->pad = 0;
	return ret->addr.family != ADDR_NONE;
}

bool socket_line(struct span line, bool udp, struct bound_socket *ret)
{
	struct span rest = line, number = next_word(&rest), local = next_word(&rest);
	struct span remote = next_word(&rest), state = next_word(&rest), word;
	struct endpoint other;
	uint64_t uid;
	uint32_t st;

	*ret = (struct bound_socket){0};
	if (span_empty(number) || number.ptr[number.len - 1] != ':' || !address(local, &ret->at) ||
	    !address(remote, &other) || !hex(state, &st))
		return false;
	for (unsigned skip = 0; skip < 3; skip++) /* queues, timer, retransmissions */
		(void)next_word(&rest);
	word = next_word(&rest);
	if (!span_u64(word, &uid) || uid > UINT32_MAX)
		return false;
	(void)next_word(&rest); /* timeout */
	ret->uid = (uint32_t)uid;
	ret->listens = udp ? st == UDP_IDLE && !other.port && ret->at.port : st == TCP_LISTENS;
	return span_u64(next_word(&rest), &ret->inode);
}

bool fib_line(struct fib_reader *f, struct span line, struct addr *ret)
{
	struct span rest = line, first = next_word(&rest), second = next_word(&rest);
	struct addr at;

	if (span_is(first, "|--")) {
		f->last = addr_parse(second, &at, NULL) ? at : (struct addr){0};
		return false;
	}
	if (!span_is(first, "/32") || !span_is(second, "host") ||
	    !span_is(next_word(&rest), "LOCAL") || f->last.family != ADDR_V4)
		return false;
	*ret = f->last;
	return true;
}

bool inet6_line(struct span line, struct addr *ret)
{
	struct span rest = line, word = next_word(&rest);
	uint8_t bytes[16];

	if (word.len != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int high = digit(word.ptr[2 * i]), low = digit(word.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = addr_from_bytes(bytes, sizeof(bytes));
	return ret->family != ADDR_NONE;
}
