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
	const struct out_schema *s;

	turn = (turn + 1) % 3;
	for (unsigned i = 0; (s = out_schema_at(i)); i++) {
		int n = s->event(e, &policies[turn], buf, sizeof(buf));

		CHECK(n > 0 && buf[n] == '\0');
		for (int k = 0; k < n; k++)
			CHECK((unsigned char)buf[k] >= ' ');
	}
}

#endif
