/* fuzz_schemas: whatever was decoded is one line in every schema, and as short as it says. */
#ifndef OUTERGATE_FUZZ_SCHEMAS_H
#define OUTERGATE_FUZZ_SCHEMAS_H

#include "common/out/schema.h"

#include "fuzz.h"

static inline void check_schemas(const struct event *e)
{
	static const struct out_policy policies[] = {
		{.keep_unknown_accounts = true, .command_lines = COMMANDS_FULL},
		{.privacy_key = 7, .host_id = "machine"},
		{.privacy_key = 7, .command_lines = COMMANDS_NONE, .pseudonymise = true},
	};
	static char buf[OUT_RECORD_MAX];
	static unsigned turn;
	const struct out_schema *s = out_schema_at(turn % 4);
	const struct out_policy *p = &policies[turn / 4 % 3];
	int n = s->event(e, p, buf, sizeof(buf));

	turn++; /* one after the other: each event in all of them would be slow */
	CHECK(n > 0 && buf[n] == '\0');
	for (int k = 0; k < n; k++)
		CHECK((unsigned char)buf[k] >= ' ');
}

#endif
