/*
 * outergate forget: an account, or an address or block, out of memory and store.
 *
 * Alerts, sessions, guesses, habits. A session that is open goes on and will be told again; what
 * other sinks have been sent is theirs.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"

static int run(const struct command *self, int argc, char **argv)
{
	const char *verb = NULL, *subject = NULL;
	struct query q = {0};
	struct cidr block;
	struct ask a;
	int r;

	for (int i = 1; i < argc; i++) {
		bool value = i + 1 < argc;

		if (!strcmp(argv[i], "--store") && value)
			q.store = argv[++i];
		else if (!strcmp(argv[i], "--config") && value)
			q.config = argv[++i];
		else if (!verb && !strcmp(argv[i], "--account") && value)
			verb = "forget-account", subject = argv[++i];
		else if (!verb && !strcmp(argv[i], "--origin") && value)
			verb = "forget-origin", subject = argv[++i];
		else
			return command_usage(self, "one --account NAME or --origin ADDRESS");
	}
	if (!verb || !subject[0])
		return command_usage(self, "whom? --account NAME or --origin ADDRESS");
	if (!strcmp(verb, "forget-origin") && !cidr_parse(span_of(subject), &block))
		return command_usage(self, "--origin is no address or CIDR block");
	r = ask_open(&q, &a);
	if (r != EXIT_FINE)
		return r;
	r = ask_agent(&a, verb, subject, "");
	ask_close(&a);
	return r;
}

const struct command command_forget = {
	.name = "forget",
	.usage = "(--account NAME | --origin ADDRESS) [--store PATH] [--config FILE]",
	.about = "removes an account or an address from memory and store",
	.help = "  --account NAME       its alerts, sessions, guesses and habits\n"
		"  --origin ADDRESS     of an address or CIDR block\n" QUERY_STORE_HELP
		"\nOpen sessions stay. The agent does it; when it does not run, at its start.\n",
	.run = run,
};
