/* units: what config_text.c reads, written back. */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Largest first; weeks are read but not written. */
static const struct unit units[][5] = {
	[UNIT_COUNT] = {{"", 1}},
	[UNIT_SECONDS] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}},
	[UNIT_BYTES] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"", 1}},
};

const char *unit_format(uint64_t v, enum param_unit unit, char buf[UNIT_TEXT_MAX])
{
	const struct unit *u = units[unit];

	while (u->factor > 1 && (v == 0 || v % u->factor))
		u++;
	snprintf(buf, UNIT_TEXT_MAX, "%" PRIu64 "%s", v / u->factor, u->suffix);
	return buf;
}

const char *unit_name(enum param_unit unit)
{
	static const char *const names[] = {
		[UNIT_COUNT] = "count",
		[UNIT_SECONDS] = "seconds",
		[UNIT_BYTES] = "bytes",
	};

	return names[unit];
}
