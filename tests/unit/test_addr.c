/*
 * test_addr: text to address and back, blocks, folding; random text against inet_pton.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "common/addr.h"

/* want NULL: refused. want "": understood as no address. */
struct parse_case {
	const char *text, *want;
	uint16_t port;
};

static const struct parse_case parse_cases[] = {
	{"203.0.113.7", "203.0.113.7", 0},
	{"0.0.0.0", "0.0.0.0", 0},
	{"255.255.255.255", "255.255.255.255", 0},
	{"203.0.113.7:4711", "203.0.113.7", 4711},
	{"203.0.113.7:0", "203.0.113.7", 0},
	{"203.0.113.7:65535", "203.0.113.7", 65535},
	{"[203.0.113.7]:22", "203.0.113.7", 22},
	{"[203.0.113.7]", "203.0.113.7", 0},
	{"10.1.2.3%16777216", "10.1.2.3", 0},
	{"2001:db8::1", "2001:db8::1", 0},
	{"2001:DB8::A", "2001:db8::a", 0},
	{"[2001:db8::1]", "2001:db8::1", 0},
	{"[2001:db8::1]:22", "2001:db8::1", 22},
	{"fe80::1%10", "fe80::1", 0},
	{"fe80::1%eth0", "fe80::1", 0},
	{"fe80::1%br-0a1b2c3d4e5f", "fe80::1", 0},
	{"[fe80::1%eth0.100]:5985", "fe80::1", 5985},
	{"::", "::", 0},
	{"::1", "::1", 0},
	{"1::", "1::", 0},
	{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 0},
	{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", 0},
	{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", 0},
	{"1:0:0:2:0:0:0:3", "1:0:0:2::3", 0},
	{"1:0:0:2:3:0:0:4", "1::2:3:0:0:4", 0},
	{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", 0},
	{"2001:db8::192.0.2.1", "2001:db8::c000:201", 0},
	/* folding */
	{"::ffff:203.0.113.7", "203.0.113.7", 0},
	{"::ffff:cb00:7107", "203.0.113.7", 0},
	{"::FFFF:127.0.0.1", "127.0.0.1", 0},
	{"[::ffff:10.0.0.1]:22", "10.0.0.1", 22},
	{"64:ff9b::8.8.8.8", "8.8.8.8", 0},
	{"64:ff9b::808:808", "8.8.8.8", 0},
	{"64:ff9b::10.0.0.1", "64:ff9b::a00:1", 0},
	{"64:ff9b::127.0.0.1", "64:ff9b::7f00:1", 0},
	{"64:ff9b::100.64.0.1", "64:ff9b::6440:1", 0},
	{"64:ff9b::192.0.2.1", "64:ff9b::c000:201", 0},
	{"64:ff9b:1::8.8.8.8", "64:ff9b:1::808:808", 0},
	{"::fffe:1.2.3.4", "::fffe:102:304", 0},
	{"::1.2.3.4", "::102:304", 0},
	/* no address */
	{"", "", 0},
	{"-", "", 0},
	{"LOCAL", "", 0},
	/* refused */
	{"local", NULL, 0},
	{"--", NULL, 0},
	{" 1.2.3.4", NULL, 0},
	{"1.2.3.4 ", NULL, 0},
	{"1.2.3", NULL, 0},
	{"1.2.3.4.5", NULL, 0},
	{"1.2.3.4.", NULL, 0},
	{".1.2.3.4", NULL, 0},
	{"1..2.3", NULL, 0},
	{"1.2.3.256", NULL, 0},
	{"1.2.3.99999999999999999999", NULL, 0},
	{"01.2.3.4", NULL, 0},
	{"1.2.3.00", NULL, 0},
	{"0x1.2.3.4", NULL, 0},
	{"127.1", NULL, 0},
	{"2130706433", NULL, 0},
	{"1.2.3.-4", NULL, 0},
	{"1.2.3.4/24", NULL, 0},
	{"1.2.3.4:", NULL, 0},
	{"1.2.3.4:65536", NULL, 0},
	{"1.2.3.4:022", NULL, 0},
	{"1.2.3.4:2x", NULL, 0},
	{"1.2.3.4:+2", NULL, 0},
	{"1.2.3.4:1:2", NULL, 0},
	{"1.2.3.4%", NULL, 0},
	{":", NULL, 0},
	{":::", NULL, 0},
	{":1", NULL, 0},
	{"1:", NULL, 0},
	{"1:2", NULL, 0},
	{"1::2::3", NULL, 0},
	{"1:::2", NULL, 0},
	{"12345::", NULL, 0},
	{"g::", NULL, 0},
	{"1:2:3:4:5:6:7", NULL, 0},
	{"1:2:3:4:5:6:7:8:9", NULL, 0},
	{"1:2:3:4::5:6:7:8", NULL, 0},
	{"::1:2:3:4:5:6:7:8", NULL, 0},
	{"1:2:3:4:5:6:7:1.2.3.4", NULL, 0},
	{"::ffff:1.2.3.4:22", NULL, 0},
	{"::ffff:1.2.3", NULL, 0},
	{"::ffff:01.2.3.4", NULL, 0},
	{"fe80::1%", NULL, 0},
	{"fe80::1%a b", NULL, 0},
	{"fe80::1%0123456789abcdef", NULL, 0},
	{"fe80::1%a%b", NULL, 0},
	{"[", NULL, 0},
	{"[]", NULL, 0},
	{"[]:22", NULL, 0},
	{"[::1", NULL, 0},
	{"::1]", NULL, 0},
	{"[::1]22", NULL, 0},
	{"[::1]:", NULL, 0},
	{"[[::1]]", NULL, 0},
	{"[::1]%eth0", NULL, 0},
	{"[LOCAL]", NULL, 0},
	{"example.org", NULL, 0},
	{"1.2.3.4\n", NULL, 0},
};

static void check_parse(const struct parse_case *c)
{
	struct addr a;
	char buf[ADDR_TEXT_MAX];
	uint16_t port = 9;

	memset(&a, 0xaa, sizeof(a));
	if (addr_parse(span_of(c->text), &a, &port) != (c->want != NULL))
		fail_msg("'%s' %s", c->text, c->want ? "refused" : "accepted");
	if (!c->want) {
		assert_int_equal(a.family, 0xaa);
		assert_int_equal(port, 9);
		return;
	}
	if (strcmp(addr_format(&a, buf), c->want) != 0 || port != c->port)
		fail_msg("'%s' read as '%s' port %u", c->text, buf, port);
	assert_int_equal(a.family == ADDR_NONE, c->want[0] == '\0');
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++)
		check_parse(&parse_cases[i]);
}

/* The span is the bound: nothing behind it is read, and NUL inside it is no end. */
static void test_parse_span(void **state)
{
	static const char nul[] = "1.2.3.4\0.example.org";
	struct addr a;
	uint16_t port;

	(void)state;
	assert_true(addr_parse((struct span){"1.2.3.45", 7}, &a, &port));
	assert_int_equal(a.bytes[3], 4);
	assert_true(addr_parse((struct span){"::1:22", 3}, &a, NULL));
	assert_false(addr_parse((struct span){nul, sizeof(nul) - 1}, &a, NULL));
	assert_false(addr_parse((struct span){nul, 8}, &a, NULL));
	assert_true(addr_parse((struct span){NULL, 0}, &a, NULL));
}

static void test_bytes(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
	static const uint8_t loop[16] = {[15] = 1};
	struct addr a = addr_from_bytes(mapped, 16), b = addr_from_bytes(mapped + 12, 4);

	(void)state;
	assert_int_equal(a.family, ADDR_V4);
	assert_true(addr_eq(&a, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(addr_from_bytes(loop, 16).family, ADDR_V6);
	for (size_t len = 0; len < 20; len++)
		if (len != 4 && len != 16)
			assert_int_equal(addr_from_bytes(mapped, len > 16 ? 17 : len).family,
					 ADDR_NONE);
}

struct cidr_case {
	const char *text;
	int bits;	      /* -1: refused */
	const char *in, *out; /* "" = nothing to check */
};

static const struct cidr_case cidr_cases[] = {
	{"10.0.0.0/8", 8, "10.255.255.255", "11.0.0.0"},
	{"10.0.0.0/8", 8, "10.0.0.0", "9.255.255.255"},
	{"0.0.0.0/0", 0, "203.0.113.7", "::"},
	{"::/0", 0, "2001:db8::1", "203.0.113.7"},
	{"203.0.113.7", 32, "203.0.113.7", "203.0.113.6"},
	{"203.0.113.7/32", 32, "203.0.113.7", "203.0.113.8"},
	{"203.0.113.6/31", 31, "203.0.113.7", "203.0.113.8"},
	{"2001:db8::/33", 33, "2001:db8:7fff::", "2001:db8:8000::"},
	{"2001:db8::1", 128, "2001:db8::1", "2001:db8::2"},
	{"fe80::/10", 10, "febf::1", "fec0::"},
	{"::ffff:10.0.0.0/104", 8, "10.9.9.9", "11.0.0.0"},
	{"::ffff:10.0.0.1", 32, "10.0.0.1", "10.0.0.2"},
	{"64:ff9b::8.8.8.0/120", 24, "8.8.8.8", "8.8.9.0"},
	{"64:ff9b::10.0.0.0/104", 104, "64:ff9b::10.1.1.1", "10.1.1.1"},
	/* The seed of the mistake that text prefixes make. */
	{"10.0.0.0/8", 8, "10.1.1.1", "110.0.0.1"},
	{"10.0.0.1/8", -1, "", ""},
	{"2001:db8::1/64", -1, "", ""},
	{"10.0.0.0/33", -1, "", ""},
	{"::/129", -1, "", ""},
	{"10.0.0.0/", -1, "", ""},
	{"10.0.0.0/08", -1, "", ""},
	{"10.0.0.0/-1", -1, "", ""},
	{"10.0.0.0/8/8", -1, "", ""},
	{"10.0.0.0/8 ", -1, "", ""},
	{"/8", -1, "", ""},
	{"", -1, "", ""},
	{"-", -1, "", ""},
	{"LOCAL", -1, "", ""},
	{"[::1]/128", -1, "", ""},
	{"fe80::1%eth0/128", -1, "", ""},
	{"10.0.0.0:22/8", -1, "", ""},
};

static void check_cidr(const struct cidr_case *c)
{
	struct addr in, out;
	struct cidr block;

	if (cidr_parse(span_of(c->text), &block) != (c->bits >= 0))
		fail_msg("'%s' %s", c->text, c->bits >= 0 ? "refused" : "accepted");
	if (c->bits < 0)
		return;
	assert_true(addr_parse(span_of(c->in), &in, NULL));
	assert_true(addr_parse(span_of(c->out), &out, NULL));
	if (block.bits != c->bits || !cidr_has(&block, &in) || cidr_has(&block, &out))
		fail_msg("'%s' is wrong about %s or %s (/%d)", c->text, c->in, c->out, block.bits);
}

static void test_cidr(void **state)
{
	struct addr none = {0};
	struct cidr all;

	(void)state;
	for (size_t i = 0; i < sizeof(cidr_cases) / sizeof(cidr_cases[0]); i++)
		check_cidr(&cidr_cases[i]);
	assert_true(cidr_parse(SPAN_LIT("0.0.0.0/0"), &all));
	assert_false(cidr_has(&all, &none));
}

/* A linear congruential generator: the same strings in every run. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void test_mask(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned bits = 0; bits <= 130; bits++) {
		uint8_t bytes[16];
		struct addr a, m;

		for (unsigned i = 0; i < 16; i++)
			bytes[i] = (uint8_t)(next_random(&seed) | 1);
		bytes[0] = 0x2a;
		a = addr_from_bytes(bytes, 16);
		m = addr_mask(&a, bits);
		for (unsigned i = 0; i < 128; i++) {
			unsigned want = i < bits ? (unsigned)bytes[i / 8] >> (7 - i % 8) & 1 : 0;

			assert_int_equal(m.bytes[i / 8] >> (7 - i % 8) & 1, want);
		}
	}
}

static bool oracle(const char *text, struct addr *ret)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*ret = addr_from_bytes(bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret = addr_from_bytes(bytes, 16);
	else
		return false;
	return true;
}

static void check_oracle(const char *text, unsigned *accepted)
{
	struct addr want, got, again;
	struct cidr block;
	char buf[ADDR_TEXT_MAX];
	bool ok = oracle(text, &want);

	/* cidr_parse has no forms of its own for a bare address: the strict parser itself. */
	if (cidr_parse(span_of(text), &block) != ok)
		fail_msg("'%s': inet_pton says %d", text, ok);
	if (!ok)
		return;
	++*accepted;
	assert_true(addr_eq(&block.addr, &want));
	assert_true(addr_parse(span_of(text), &got, NULL));
	assert_true(addr_eq(&got, &want));
	assert_true(addr_parse(span_of(addr_format(&got, buf)), &again, NULL));
	if (!addr_eq(&got, &again))
		fail_msg("'%s' printed as '%s', which is another address", text, buf);
}

/* Pieces rather than letters, so that a good share of the strings are addresses. */
static void test_random(void **state)
{
	static const char *const pieces[] = {
		"::",  ":",   ".",     "0", "1",       "00",	"ffff",	     "fe80", "a", "F",
		"255", "256", "12345", "9", "1.2.3.4", "1:2:3", "4:5:6:7:8", "10.",  "g"};
	uint64_t seed = 42;
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < 400000; i++) {
		char text[128] = "";
		unsigned n = 1 + next_random(&seed) % 9;

		while (n--)
			strcat(text,
			       pieces[next_random(&seed) % (sizeof(pieces) / sizeof(char *))]);
		check_oracle(text, &accepted);
	}
	assert_in_range(accepted, 1000, 399000);
}

/* Every address survives printing and reading; glibc prints the same text (but for ::a.b.c.d). */
static void test_format(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		char ours[ADDR_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
		uint8_t bytes[16] = {0};
		struct addr a, b;

		for (unsigned j = 0; j < 8; j++)
			if (next_random(&seed) % 2)
				bytes[2 * j + 1] = (uint8_t)next_random(&seed);
		bytes[1] |= 1;
		a = addr_from_bytes(bytes, 16);
		inet_ntop(AF_INET6, bytes, theirs, sizeof(theirs));
		assert_string_equal(addr_format(&a, ours), theirs);
		assert_true(addr_parse(span_of(ours), &b, NULL));
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

/* Neighbours spread over a small table, and the seed moves every one of them. */
static void test_hash(void **state)
{
	unsigned buckets[256] = {0}, moved = 0, most = 0;

	(void)state;
	for (unsigned i = 0; i < 25600; i++) {
		const uint8_t bytes[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
		struct addr a = addr_from_bytes(bytes, 4);

		buckets[addr_hash(&a, 1) & 255]++;
		moved += (addr_hash(&a, 1) & 255) != (addr_hash(&a, 2) & 255);
	}
	for (unsigned i = 0; i < 256; i++)
		most = buckets[i] > most ? buckets[i] : most;
	assert_in_range(most, 100, 160);
	assert_in_range(moved, 25000, 25600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_span),
		cmocka_unit_test(test_bytes),  cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_mask),   cmocka_unit_test(test_random),
		cmocka_unit_test(test_format), cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
