/*
 * Outergate. Every command is a row of cli/commands.def; `run` is in agent-linux/ and
 * agent-windows/.
 *
 *   outergate run                      watch this host
 *   outergate replay auth.log          the same correlation over recorded input
 */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void help_all(FILE *to)
{
	fputs("outergate " OUTERGATE_VERSION
	      ": sees every external remote service session on this host\n\n"
	      "usage: outergate COMMAND [OPTION...]\n\n",
	      to);
	for (unsigned i = 0; i < commands_count; i++)
		fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->about);
	fputs("\noutergate COMMAND --help tells more. Exit: 0 fine, 1 input or configuration bad, "
	      "2 usage, 3 not permitted.\n",
	      to);
}

static void help_one(const struct command *c)
{
	printf("usage: outergate %s %s\n\n%s\n", c->name, c->usage, c->about);
	if (c->help)
		printf("\n%s", c->help);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* What was said has arrived, or that is said. */
static int written(int code)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	return code ? code
		    : command_fail(EXIT_INPUT, "writing the output: %s",
				   errno ? strerror(errno) : "not all of it was taken");
}

int main(int argc, char **argv)
{
	plat_start();
	if (argc < 2) {
		help_all(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help_all(stdout);
		return written(EXIT_FINE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("outergate " OUTERGATE_VERSION);
		return written(EXIT_FINE);
	}
	for (unsigned i = 0; i < commands_count; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		if (asks_for_help(argc - 1, argv + 1)) {
			help_one(commands[i]);
			return written(EXIT_FINE);
		}
		return written(commands[i]->run(commands[i], argc - 1, argv + 1));
	}
	return command_fail(EXIT_USAGE, "unknown command %s; see outergate --help", argv[1]);
}
