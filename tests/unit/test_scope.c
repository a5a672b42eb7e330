/*
 * test_scope: the one table of what is external. Every row of the registries by its edges: the
 * address before, the first, the last and the address after.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/scope.h"

enum {
	NO = SCOPE_NONE,
	LO = SCOPE_LOOPBACK,
	LL = SCOPE_LINK_LOCAL,
	PR = SCOPE_PRIVATE,
	SH = SCOPE_SHARED,
	RE = SCOPE_RESERVED,
	EX = SCOPE_EXTERNAL
};

struct edge_case {
	const char *block;
	int before; /* scope of the address below, NO = there is none */
	int inside;
	int after;
};

/* IANA IPv4 and IPv6 special-purpose address registries, and what RFC 4291 leaves unassigned. */
static const struct edge_case edge_cases[] = {
	{"0.0.0.0/8", NO, RE, EX},	   {"10.0.0.0/8", EX, PR, EX},
	{"100.64.0.0/10", EX, SH, EX},	   {"127.0.0.0/8", EX, LO, EX},
	{"169.254.0.0/16", EX, LL, EX},	   {"172.16.0.0/12", EX, PR, EX},
	{"192.0.0.0/29", EX, RE, RE},	   {"192.0.0.8/32", RE, RE, EX},
	{"192.0.0.9/32", RE, EX, EX},	   {"192.0.0.10/32", EX, EX, RE},
	{"192.0.0.170/31", RE, RE, RE},	   {"192.0.0.128/25", RE, RE, EX},
	{"192.0.2.0/24", EX, RE, EX},	   {"192.31.196.0/24", EX, EX, EX},
	{"192.52.193.0/24", EX, EX, EX},   {"192.88.99.0/24", EX, RE, EX},
	{"192.168.0.0/16", EX, PR, EX},	   {"192.175.48.0/24", EX, EX, EX},
	{"198.18.0.0/15", EX, RE, EX},	   {"198.51.100.0/24", EX, RE, EX},
	{"203.0.113.0/24", EX, RE, EX},	   {"224.0.0.0/4", EX, RE, RE},
	{"240.0.0.0/4", RE, RE, NO},	   {"255.255.255.255/32", RE, RE, NO},
	{"1.0.0.0/8", RE, EX, EX},	   {"::/128", NO, RE, LO},
	{"::1/128", RE, LO, RE},	   {"64:ff9b:1::/48", RE, RE, RE},
	{"100::/64", RE, RE, RE},	   {"100:0:0:1::/64", RE, RE, RE},
	{"2000::/16", RE, EX, RE},	   {"2001::/32", EX, RE, RE},
	{"2001:1::1/128", RE, EX, EX},	   {"2001:1::2/128", EX, EX, EX},
	{"2001:1::3/128", EX, EX, RE},	   {"2001:2::/48", RE, RE, RE},
	{"2001:3::/32", RE, EX, RE},	   {"2001:4:112::/48", RE, EX, RE},
	{"2001:10::/28", RE, RE, EX},	   {"2001:20::/28", RE, EX, EX},
	{"2001:30::/28", EX, EX, RE},	   {"2001:40::/26", EX, RE, RE},
	{"2001:100::/24", RE, RE, EX},	   {"2001:200::/23", RE, EX, EX},
	{"2001:db8::/32", EX, RE, EX},	   {"2002::/16", EX, RE, EX},
	{"2620:4f:8000::/48", EX, EX, EX}, {"3fff::/20", EX, RE, EX},
	{"3fff:1000::/20", RE, EX, EX},	   {"4000::/3", EX, RE, RE},
	{"5f00::/16", RE, RE, RE},	   {"fc00::/7", RE, PR, RE},
	{"fe80::/10", RE, LL, RE},	   {"fec0::/10", LL, RE, RE},
	{"ff00::/8", RE, RE, NO},
};

/* The address one below (step -1) or above the range, or false at the end of the family. */
static bool addr_step(struct addr *a, int step)
{
	for (int i = a->family == ADDR_V4 ? 3 : 15; i >= 0; i--) {
		a->bytes[i] = (uint8_t)(a->bytes[i] + step);
		if (a->bytes[i] != (step < 0 ? 0xff : 0))
			return true;
	}
	return false;
}

static struct addr cidr_last(const struct cidr *c)
{
	struct addr a = c->addr;
	unsigned len = a.family == ADDR_V4 ? 32 : 128;

	for (unsigned i = c->bits; i < len; i++)
		a.bytes[i / 8] |= (uint8_t)(0x80u >> i % 8);
	return a;
}

static void check_scope(const char *block, const char *edge, const struct addr *a, int want)
{
	enum scope got = scope_of(a, NULL);
	char buf[ADDR_TEXT_MAX];

	if ((int)got != want)
		fail_msg("%s: %s %s is '%s', not '%s'", block, edge, addr_format(a, buf),
			 scope_name(got), scope_name((enum scope)want));
}

static void check_edges(const struct edge_case *c)
{
	struct cidr block;
	struct addr before, after, last;

	if (!cidr_parse(span_of(c->block), &block))
		fail_msg("%s does not parse", c->block);
	before = block.addr;
	last = after = cidr_last(&block);
	check_scope(c->block, "the first", &block.addr, c->inside);
	check_scope(c->block, "the last", &last, c->inside);
	assert_int_equal(addr_step(&before, -1), c->before != NO);
	if (c->before != NO)
		check_scope(c->block, "the one before", &before, c->before);
	assert_int_equal(addr_step(&after, 1), c->after != NO);
	if (c->after != NO)
		check_scope(c->block, "the one after", &after, c->after);
}

static void test_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edge_cases) / sizeof(edge_cases[0]); i++)
		check_edges(&edge_cases[i]);
}

struct text_case {
	const char *text;
	int scope;
	bool external; /* counts as */
};

/* As sources write them: ports, zones, mapped, NAT64. */
static const struct text_case text_cases[] = {
	{"", NO, false},
	{"-", NO, false},
	{"LOCAL", NO, false},
	{"127.0.0.1:52114", LO, false},
	{"[::1]:52114", LO, false},
	{"::ffff:127.0.0.1", LO, false},
	{"::ffff:10.1.2.3", PR, false},
	{"::ffff:100.64.0.1", SH, true},
	{"::ffff:8.8.8.8", EX, true},
	{"::ffff:0.0.0.0", RE, true},
	{"fe80::1%10", LL, false},
	{"fe80::1%eth0", LL, false},
	{"fd00::1", PR, false},
	{"110.0.0.1", EX, true},
	{"[2a00:1450::1]:22", EX, true},
	{"203.0.113.7:22", RE, true},
	/* NAT64: an inner address that is not global never lends its scope. */
	{"64:ff9b::8.8.8.8", EX, true},
	{"64:ff9b::0.0.0.0", RE, true},
	{"64:ff9b::9.255.255.255", EX, true},
	{"64:ff9b::10.0.0.0", RE, true},
	{"64:ff9b::10.255.255.255", RE, true},
	{"64:ff9b::11.0.0.0", EX, true},
	{"64:ff9b::127.0.0.1", RE, true},
	{"64:ff9b::169.254.1.1", RE, true},
	{"64:ff9b::192.168.1.1", RE, true},
	{"64:ff9b::100.64.0.1", RE, true},
	{"64:ff9b::255.255.255.255", RE, true},
	{"64:ff9b::1:0:0", RE, true},
	{"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", RE, true},
	{"64:ff9b:1::10.0.0.1", RE, true},
	/* Claims inside a v6 address are claims. */
	{"2002:0a00:0001::1", RE, true},
	{"2001:0:4136:e378:8000:63bf:3fff:fdd2", RE, true},
	{"::10.0.0.1", RE, true},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *c = &text_cases[i];
		struct addr a;

		assert_true(addr_parse(span_of(c->text), &a, NULL));
		check_scope(c->text, "it,", &a, c->scope);
		if (scope_counts_as_external(scope_of(&a, NULL), NULL) != c->external)
			fail_msg("%s counts as %s", c->text, c->external ? "inside" : "external");
	}
}

static void override(struct scope_rules *r, const char *block, enum scope s)
{
	assert_true(cidr_parse(span_of(block), &r->rows[r->count].cidr));
	r->rows[r->count++].scope = s;
}

static enum scope scope_text(const char *text, const struct scope_rules *r)
{
	struct addr a;

	assert_true(addr_parse(span_of(text), &a, NULL));
	return scope_of(&a, r);
}

static void test_overrides(void **state)
{
	struct scope_rules r = {0};

	(void)state;
	override(&r, "198.51.0.0/16", SCOPE_PRIVATE);
	override(&r, "198.51.100.0/24", SCOPE_EXTERNAL);
	override(&r, "198.51.100.8/29", SCOPE_PRIVATE);
	override(&r, "10.66.0.0/16", SCOPE_EXTERNAL);
	override(&r, "2001:db8::/48", SCOPE_PRIVATE);
	assert_int_equal(scope_text("198.51.99.255", &r), SCOPE_PRIVATE);
	assert_int_equal(scope_text("198.51.100.7", &r), SCOPE_EXTERNAL);
	assert_int_equal(scope_text("198.51.100.8", &r), SCOPE_PRIVATE);
	assert_int_equal(scope_text("198.51.100.16", &r), SCOPE_EXTERNAL);
	assert_int_equal(scope_text("198.50.255.255", &r), SCOPE_EXTERNAL);
	assert_int_equal(scope_text("10.66.0.1", &r), SCOPE_EXTERNAL);
	assert_int_equal(scope_text("10.67.0.0", &r), SCOPE_PRIVATE);
	assert_int_equal(scope_text("2001:db8::1", &r), SCOPE_PRIVATE);
	assert_int_equal(scope_text("2001:db8:1::1", &r), SCOPE_RESERVED);
	assert_int_equal(scope_text("::ffff:198.51.99.1", &r), SCOPE_PRIVATE);
	assert_int_equal(scope_text("-", &r), SCOPE_NONE);
}

static void test_shared(void **state)
{
	struct scope_rules r = {.shared_is_local = true};

	(void)state;
	assert_int_equal(scope_text("100.64.0.1", &r), SCOPE_SHARED);
	assert_false(scope_counts_as_external(SCOPE_SHARED, &r));
	assert_true(scope_counts_as_external(SCOPE_EXTERNAL, &r));
	assert_true(scope_counts_as_external(SCOPE_RESERVED, &r));
	r.shared_is_local = false;
	assert_true(scope_counts_as_external(SCOPE_SHARED, &r));
}

static void test_names(void **state)
{
	enum scope s = SCOPE_NONE;

	(void)state;
	for (unsigned i = 1; i < SCOPE_COUNT; i++) {
		assert_true(scope_from_name(span_of(scope_name((enum scope)i)), &s));
		assert_int_equal(s, i);
	}
	assert_string_equal(scope_name(SCOPE_NONE), "");
	assert_string_equal(scope_name(SCOPE_COUNT), "");
	assert_false(scope_from_name(SPAN_LIT(""), &s));
	assert_false(scope_from_name(SPAN_LIT("External"), &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),	  cmocka_unit_test(test_texts),
		cmocka_unit_test(test_overrides), cmocka_unit_test(test_shared),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
