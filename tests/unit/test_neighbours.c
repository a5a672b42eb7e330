/* Lines of /proc/net/arp: whose card it is, and what says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/decode/neighbours.h"

static void lines(void **state)
{
	static const struct {
		const char *line, *mac;
	} rows[] = {
#define HEAD "10.20.0.2        0x1         "
		{"IP address       HW type     Flags       HW address            Mask     Device\n",
		 ""},
		{HEAD "0x2         52:54:00:aa:00:01     *        eth0\n", "52:54:00:aa:00:01"},
		{HEAD "0x6         52:54:00:aa:00:01     *        eth0", "52:54:00:aa:00:01"},
		{HEAD "0x0         00:00:00:00:00:00     *        eth0\n", ""},
		{HEAD "0x2         52:54:00:aa:00        *        eth0\n", ""},
		{"10.20.0.2 0x20 0x2 52:54:00:aa:00:01 * ib0\n", ""},
		{"10.20.0.20 0x1 0x2 52:54:00:aa:00:01 * eth0\n", ""},
		{"10.20.0.2", ""},
		{"10.20.0.2 0x1", ""},
		{"10.20.0.2 0x1 0x", ""},
		{"10.20.0.2 0x1 0x2", ""},
		{"", ""},
		{"                 ", ""},
	};
	struct addr a;

	(void)state;
	assert_true(addr_parse(SPAN_LIT("10.20.0.2"), &a, NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!span_is(neighbour_mac(span_of(rows[i].line), &a), rows[i].mac))
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
