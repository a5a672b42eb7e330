/* What WireGuard's devices say of their peers, in both ways; keys that are private stay behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <string.h>

#include "agent-linux/wg_dump.h"

#define PEERS_MAX 8
#define KEY_A	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B	  "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SECRET	  "5ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7"
#define OF_A(rest)                                                                                 \
	"private_key=" SECRET "\nlisten_port=51820\nfwmark=7\npublic_key=" KEY_A                   \
	"\npreshared_key=" SECRET "\n" rest

struct got {
	struct wg_peer at[PEERS_MAX];
	unsigned n;
};

static void take(void *arg, const struct wg_peer *p)
{
	struct got *g = arg;

	assert_true(g->n < PEERS_MAX);
	g->at[g->n++] = *p;
}

/* The whole text in pieces of that many bytes, as a socket gives it; the reader's result. */
static long read_text(struct got *g, const char *text, size_t piece)
{
	struct wg_dump d = {.take = take, .arg = g, .peer.device = "wg0"};
	char buf[8192];
	size_t used = 0, all = strlen(text);
	long r = 0;

	*g = (struct got){0};
	for (size_t at = 0; at < all && r >= 0; at += piece) {
		size_t n = all - at < piece ? all - at : piece;

		memcpy(buf + used, text + at, n);
		used += n;
		r = wg_text(&d, buf, used);
		if (r >= 0) {
			used -= (size_t)r;
			memmove(buf, buf + r, used);
		}
	}
	wg_finish(&d);
	if (r < 0)
		return r;
	return d.ended ? 1 : 0;
}

static const char two[] =
	OF_A("protocol_version=1\nendpoint=203.0.113.10:58840\n"
	     "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\ntx_bytes=70\n"
	     "rx_bytes=50\npersistent_keepalive_interval=25\nallowed_ip=10.8.0.2/32\n"
	     "allowed_ip=fd00::2/128\n") "public_key=" KEY_B
					 "\nendpoint=[2001:db8::7]:1\nallowed_ip=10.9.0.0/24\n"
					 "errno=0\n\n";

static void text_of_two_peers(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(two); piece += 13) {
		struct got g;
		char buf[ADDR_TEXT_MAX];

		assert_int_equal(read_text(&g, two, piece), 1);
		assert_int_equal(g.n, 2);
		assert_int_equal(g.at[0].key[31], 0x1f);
		assert_string_equal(addr_format(&g.at[0].at.addr, buf), "203.0.113.10");
		assert_int_equal(g.at[0].at.port, 58840);
		assert_true(g.at[0].handshake_ns == 1700000000000000005ull);
		assert_int_equal(g.at[0].received, 50);
		assert_int_equal(g.at[0].sent, 70);
		assert_int_equal(g.at[0].port, 51820);
		assert_string_equal(g.at[0].inner, "10.8.0.2/32 fd00::2/128");
		assert_string_equal(g.at[1].device, "wg0");
		assert_int_equal(g.at[1].key[0], 0xff);
		assert_string_equal(addr_format(&g.at[1].at.addr, buf), "2001:db8::7");
		assert_true(!g.at[1].handshake_ns && !g.at[1].received);
		assert_string_equal(g.at[1].inner, "10.9.0.0/24");
	}
}

static bool holds(const void *where, size_t len, const void *what, size_t what_len)
{
	return memmem(where, len, what, what_len) != NULL;
}

static void text_leaves_secrets(void **state)
{
	struct got g;
	uint8_t raw[] = {0x5e, 0xc7, 0xe7, 0x5e};

	(void)state;
	assert_int_equal(read_text(&g, two, sizeof(two)), 1);
	assert_false(holds(&g, sizeof(g), "5ec7e7", 6));
	assert_false(holds(&g, sizeof(g), raw, sizeof(raw)));
}

static void text_that_is_no_answer(void **state)
{
	static const char *const bad[] = {
		"hello\n",
		"endpoint=203.0.113.10:1\n",
		"errno=5\n\n",
		"errno=0\nlisten_port=1\n",
		"\n",
		"listen_port=65536\n",
		"listen_port=\n",
		"public_key=00\n",
		"public_key=000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
		OF_A("endpoint=nowhere\n"),
		OF_A("allowed_ip=10.8.0.2/33\n"),
		OF_A("allowed_ip=10.8.0.2/24\n"),
		OF_A("rx_bytes=-1\n"),
		OF_A("last_handshake_time_sec=99999999999999999999\n"),
		OF_A("last_handshake_time_nsec=1000000000\n"),
	};
	static char line[2048];
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_text(&g, bad[i], 64), -EPROTO);
	memset(line, 'a', sizeof(line) - 1); /* a line without an end */
	assert_int_equal(read_text(&g, line, sizeof(line)), -EPROTO);
	assert_int_equal(read_text(&g, OF_A(""), 64), 0); /* cut: it has not ended */
}

static void no_network_is_cut(void **state)
{
	struct got g;
	char text[8192] = OF_A("");
	char last[WG_INNER];

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		strcat(text, "allowed_ip=fd00:1111:2222:3333:4444:5555:6666:7777/128\n");
	strcat(text, "errno=0\n\n");
	assert_int_equal(read_text(&g, text, 512), 1);
	assert_true(strlen(g.at[0].inner) < WG_INNER);
	strcpy(last, strrchr(g.at[0].inner, ' ') + 1);
	assert_string_equal(last, "fd00:1111:2222:3333:4444:5555:6666:7777/128");
}

/* --- netlink: messages as the kernel makes them */

struct message {
	uint8_t data[4096];
	size_t len;
};

static size_t open_attr(struct message *m, unsigned type)
{
	struct nlattr a = {.nla_type = (uint16_t)type};
	size_t at = m->len;

	memcpy(m->data + at, &a, sizeof(a));
	m->len += sizeof(a);
	return at;
}

static void close_attr(struct message *m, size_t at)
{
	uint16_t len = (uint16_t)(m->len - at);

	memcpy(m->data + at, &len, sizeof(len));
	m->len = (m->len + 3) & ~(size_t)3;
}

static void put(struct message *m, unsigned type, const void *data, size_t len)
{
	size_t at = open_attr(m, type);

	memcpy(m->data + m->len, data, len);
	m->len += len;
	close_attr(m, at);
}

static void put_allowed(struct message *m, uint8_t last, uint8_t bits)
{
	uint8_t net[4] = {10, 8, 0, last};
	uint16_t family = AF_INET;
	size_t one = open_attr(m, NLA_F_NESTED);

	put(m, WGALLOWEDIP_A_FAMILY, &family, 2);
	put(m, WGALLOWEDIP_A_IPADDR, net, 4);
	put(m, WGALLOWEDIP_A_CIDR_MASK, &bits, 1);
	close_attr(m, one);
}

/* A peer; its endpoint and times only in the first message that tells of it. */
static void put_peer(struct message *m, uint8_t key, bool first, uint8_t last)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(58840)};
	uint8_t public[WG_KEY] = {key}, secret[WG_KEY];
	int64_t time[2] = {1700000000, 5};
	uint64_t n = 50;
	size_t peer = open_attr(m, NLA_F_NESTED), nets;

	memset(secret, 0x5e, sizeof(secret));
	at.sin_addr.s_addr = htonl(0xcb00710a);
	put(m, WGPEER_A_PUBLIC_KEY, public, sizeof(public));
	if (first) {
		put(m, WGPEER_A_PRESHARED_KEY, secret, sizeof(secret));
		put(m, WGPEER_A_LAST_HANDSHAKE_TIME, time, sizeof(time));
		put(m, WGPEER_A_RX_BYTES, &n, sizeof(n));
		put(m, WGPEER_A_ENDPOINT, &at, sizeof(at));
	}
	nets = open_attr(m, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	put_allowed(m, last, 32);
	close_attr(m, nets);
	close_attr(m, peer);
}

static void begin(struct message *m, bool first)
{
	struct genlmsghdr g = {.cmd = WG_CMD_GET_DEVICE, .version = 1};
	uint8_t secret[WG_KEY];
	uint16_t port = 51820;

	*m = (struct message){0};
	memcpy(m->data, &g, sizeof(g));
	m->len = sizeof(g);
	memset(secret, 0x5e, sizeof(secret));
	if (first) {
		put(m, WGDEVICE_A_PRIVATE_KEY, secret, sizeof(secret));
		put(m, WGDEVICE_A_LISTEN_PORT, &port, 2);
	}
}

static void netlink_of_three_messages(void **state)
{
	struct got g = {0};
	struct wg_dump d = {.take = take, .arg = &g, .peer.device = "wg0"};
	struct message m;
	uint8_t secret[4] = {0x5e, 0x5e, 0x5e, 0x5e};
	size_t peers;
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < 3; i++) { /* the first peer goes on in the second message */
		begin(&m, i == 0);
		peers = open_attr(&m, WGDEVICE_A_PEERS | NLA_F_NESTED);
		put_peer(&m, i < 2 ? 1 : 3, i == 0, (uint8_t)(2 + i));
		if (i == 1)
			put_peer(&m, 2, true, 9);
		close_attr(&m, peers);
		assert_int_equal(wg_netlink(&d, m.data, m.len), 0);
	}
	wg_finish(&d);
	assert_int_equal(g.n, 3);
	assert_string_equal(g.at[0].inner, "10.8.0.2/32 10.8.0.3/32");
	assert_string_equal(addr_format(&g.at[0].at.addr, buf), "203.0.113.10");
	assert_int_equal(g.at[0].at.port, 58840);
	assert_true(g.at[0].handshake_ns == 1700000000000000005ull);
	assert_int_equal(g.at[0].received, 50);
	assert_int_equal(g.at[0].port, 51820);
	assert_string_equal(g.at[1].inner, "10.8.0.9/32");
	assert_true(!g.at[2].at.addr.family && !g.at[2].handshake_ns);
	assert_false(holds(&g, sizeof(g), secret, sizeof(secret)));
}

/* Every message that is cut, and every length that lies, is refused or read within its bounds. */
static void netlink_that_lies(void **state)
{
	struct message m, lie;
	size_t peers;

	(void)state;
	begin(&m, true);
	peers = open_attr(&m, WGDEVICE_A_PEERS | NLA_F_NESTED);
	put_peer(&m, 1, true, 2);
	close_attr(&m, peers);
	for (size_t len = 0; len < m.len; len++) {
		struct got g = {0};
		struct wg_dump d = {.take = take, .arg = &g};

		if (len > peers)
			assert_int_equal(wg_netlink(&d, m.data, len), -EPROTO);
		else
			(void)wg_netlink(&d, m.data, len);
	}
	for (size_t at = 4; at + 2 <= m.len; at += 4)
		for (unsigned v = 0; v < 256; v += 3) {
			struct got g = {0};
			struct wg_dump d = {.take = take, .arg = &g};

			lie = m;
			lie.data[at] = (uint8_t)v;
			lie.data[at + 1] = (uint8_t)(v * 7);
			(void)wg_netlink(&d, lie.data, lie.len);
			wg_finish(&d);
			assert_true(g.n <= 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_two_peers),	     cmocka_unit_test(text_leaves_secrets),
		cmocka_unit_test(text_that_is_no_answer),    cmocka_unit_test(no_network_is_cut),
		cmocka_unit_test(netlink_of_three_messages), cmocka_unit_test(netlink_that_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
