/* wg_dump: see the header. */
#include "wg_dump.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define ATTR	 sizeof(struct nlattr)
#define LINE_MAX 1024 /* "private_key=" and 64 digits is the longest that there is */

static void emit(struct wg_dump *d)
{
	if (d->any)
		d->take(d->arg, &d->peer);
	d->any = false;
}

static void start(struct wg_dump *d)
{
	struct wg_peer *p = &d->peer;

	emit(d);
	d->any = true;
	p->at = (struct endpoint){0};
	p->handshake_ns = p->received = p->sent = 0;
	memset(p->inner, 0, sizeof(p->inner));
}

/* Never a part of one: that would be another network. */
static void add_inner(struct wg_peer *p, const struct addr *a, unsigned bits)
{
	char text[ADDR_TEXT_MAX], word[ADDR_TEXT_MAX + 8];
	struct addr net = addr_mask(a, bits);
	size_t used = strlen(p->inner);
	int n = snprintf(word, sizeof(word), "%s%s/%u", used ? " " : "", addr_format(&net, text),
			 bits);

	if (a->family && bits <= (a->family == ADDR_V4 ? 32 : 128) && n > 0 &&
	    (size_t)n < sizeof(word) && used + (size_t)n < sizeof(p->inner))
		memcpy(p->inner + used, word, (size_t)n + 1);
}

/* --- text */

static bool number(struct span s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s.len || s.len > 19)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	*ret = v;
	return v <= max;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool key(struct span s, uint8_t ret[WG_KEY])
{
	if (s.len != 2 * (size_t)WG_KEY)
		return false;
	for (size_t i = 0; i < WG_KEY; i++) {
		int a = digit(s.ptr[2 * i]), b = digit(s.ptr[2 * i + 1]);

		if (a < 0 || b < 0)
			return false;
		ret[i] = (uint8_t)(a << 4 | b);
	}
	return true;
}

static bool inner_text(struct wg_peer *p, struct span v)
{
	struct cidr net;

	if (!cidr_parse(v, &net))
		return false;
	add_inner(p, &net.addr, net.bits);
	return true;
}

/* Of a peer, behind its "public_key". */
static bool peer_line(struct wg_dump *d, struct span name, struct span v)
{
	struct wg_peer *p = &d->peer;
	uint64_t n;

	if (!d->any)
		return false;
	if (span_is(name, "endpoint"))
		return addr_parse(v, &p->at.addr, &p->at.port);
	if (span_is(name, "allowed_ip"))
		return inner_text(p, v);
	if (span_is(name, "rx_bytes"))
		return number(v, UINT64_MAX, &p->received);
	if (span_is(name, "tx_bytes"))
		return number(v, UINT64_MAX, &p->sent);
	if (span_is(name, "last_handshake_time_sec")) {
		if (!number(v, UINT64_MAX / NS_PER_S - 1, &n))
			return false;
		p->handshake_ns = n * NS_PER_S;
	} else if (span_is(name, "last_handshake_time_nsec")) {
		if (!number(v, NS_PER_S - 1, &n))
			return false;
		p->handshake_ns += n;
	}
	return true; /* preshared_key and what later versions tell */
}

static bool line(struct wg_dump *d, struct span s)
{
	struct span name = s, v = {0};
	uint64_t n;

	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '=') {
			name = span_first(s, i);
			v = span_skip(s, i + 1);
			break;
		}
	if (!s.len) /* the end */
		return d->ended;
	if (d->ended || !v.ptr)
		return false;
	if (span_is(name, "private_key") || span_is(name, "fwmark"))
		return true;
	if (span_is(name, "errno")) {
		d->ended = true;
		return span_is(v, "0");
	}
	if (span_is(name, "listen_port")) {
		if (!number(v, UINT16_MAX, &n))
			return false;
		d->peer.port = (uint16_t)n;
		return true;
	}
	if (!span_is(name, "public_key"))
		return peer_line(d, name, v);
	start(d);
	return key(v, d->peer.key);
}

long wg_text(struct wg_dump *d, const char *buf, size_t len)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(buf + at, '\n', len - at);

		if (!end)
			return len - at > LINE_MAX ? -EPROTO : (long)at;
		if (!line(d, (struct span){buf + at, (size_t)(end - buf) - at}))
			return -EPROTO;
		at = (size_t)(end - buf) + 1;
	}
}

/* --- netlink */

struct attr {
	unsigned type;
	const uint8_t *data;
	size_t len;
};

/* The next of a sequence; false: there is none, or it does not fit (*left is not 0 then). */
static bool next(const uint8_t **at, size_t *left, struct attr *ret)
{
	struct nlattr h;
	size_t whole;

	if (*left < ATTR)
		return false;
	memcpy(&h, *at, sizeof(h));
	if (h.nla_len < ATTR || h.nla_len > *left)
		return false;
	ret->type = h.nla_type & (unsigned)NLA_TYPE_MASK;
	ret->data = *at + ATTR;
	ret->len = h.nla_len - ATTR;
	whole = ((size_t)h.nla_len + 3) & ~(size_t)3;
	if (whole > *left)
		whole = *left;
	*at += whole;
	*left -= whole;
	return true;
}

static bool endpoint(const struct attr *a, struct endpoint *ret)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->len == sizeof(v4)) {
		memcpy(&v4, a->data, sizeof(v4));
		if (v4.sin_family != AF_INET)
			return false;
		ret->addr = addr_from_bytes(&v4.sin_addr, 4);
		ret->port = ntohs(v4.sin_port);
		return true;
	}
	if (a->len != sizeof(v6))
		return false;
	memcpy(&v6, a->data, sizeof(v6));
	if (v6.sin6_family != AF_INET6)
		return false;
	ret->addr = addr_from_bytes(&v6.sin6_addr, 16);
	ret->port = ntohs(v6.sin6_port);
	return true;
}

static int allowed(struct wg_peer *p, const uint8_t *at, size_t left)
{
	struct addr net = {0};
	unsigned bits = UINT8_MAX;
	struct attr a;

	while (next(&at, &left, &a)) {
		if (a.type == WGALLOWEDIP_A_IPADDR)
			net = addr_from_bytes(a.data, a.len);
		else if (a.type == WGALLOWEDIP_A_CIDR_MASK && a.len == 1)
			bits = a.data[0];
	}
	if (left || !net.family || bits > 128)
		return -EPROTO;
	add_inner(p, &net, bits);
	return 0;
}

static int allowed_all(struct wg_peer *p, const uint8_t *at, size_t left)
{
	struct attr a;

	while (next(&at, &left, &a))
		if (allowed(p, a.data, a.len))
			return -EPROTO;
	return left ? -EPROTO : 0;
}

/* A peer that did not fit into a message is gone on with in the next, by its key and the rest. */
static int peer_key(struct wg_dump *d, const uint8_t *at, size_t left)
{
	struct attr a;

	while (next(&at, &left, &a)) {
		if (a.type != WGPEER_A_PUBLIC_KEY)
			continue;
		if (a.len != WG_KEY)
			return -EPROTO;
		if (d->any && !memcmp(d->peer.key, a.data, WG_KEY))
			return 0;
		start(d);
		memcpy(d->peer.key, a.data, WG_KEY);
		return 0;
	}
	return -EPROTO;
}

static int peer(struct wg_dump *d, const uint8_t *at, size_t left)
{
	struct wg_peer *p = &d->peer;
	struct attr a;
	int64_t time[2]; /* struct __kernel_timespec */

	if (peer_key(d, at, left))
		return -EPROTO;
	while (next(&at, &left, &a)) {
		if (a.type == WGPEER_A_ENDPOINT && !endpoint(&a, &p->at))
			return -EPROTO;
		if (a.type == WGPEER_A_ALLOWEDIPS && allowed_all(p, a.data, a.len))
			return -EPROTO;
		if (a.type == WGPEER_A_RX_BYTES && a.len == 8)
			memcpy(&p->received, a.data, 8);
		if (a.type == WGPEER_A_TX_BYTES && a.len == 8)
			memcpy(&p->sent, a.data, 8);
		if (a.type == WGPEER_A_LAST_HANDSHAKE_TIME && a.len == sizeof(time)) {
			memcpy(time, a.data, sizeof(time));
			if (time[0] > 0 && (uint64_t)time[0] < UINT64_MAX / NS_PER_S - 1)
				p->handshake_ns = (uint64_t)time[0] * NS_PER_S + (uint64_t)time[1];
		}
	}
	return left ? -EPROTO : 0;
}

int wg_netlink(struct wg_dump *d, const void *buf, size_t len)
{
	const uint8_t *at = buf, *peers;
	size_t left = len, peers_left;
	struct attr a, p;

	if (left < sizeof(struct genlmsghdr))
		return -EPROTO;
	at += GENL_HDRLEN;
	left -= sizeof(struct genlmsghdr);
	while (next(&at, &left, &a)) {
		if (a.type == WGDEVICE_A_LISTEN_PORT && a.len == 2)
			memcpy(&d->peer.port, a.data, 2);
		if (a.type != WGDEVICE_A_PEERS)
			continue;
		peers = a.data;
		peers_left = a.len;
		while (next(&peers, &peers_left, &p))
			if (peer(d, p.data, p.len))
				return -EPROTO;
		if (peers_left)
			return -EPROTO;
	}
	return left ? -EPROTO : 0;
}

void wg_finish(struct wg_dump *d)
{
	emit(d);
}
