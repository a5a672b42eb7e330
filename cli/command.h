/*
 * command: one word of the command line. One file a command (cmd_<name>.c) + one line in
 * commands.def. Portable: stdio and common/ only; what needs the platform is in agent-<platform>/.
 */
#ifndef OUTERGATE_COMMAND_H
#define OUTERGATE_COMMAND_H

#include <stddef.h>

#include "common/config.h"
#include "common/plat.h"

/* Exit codes of every command (SPEC section 5). */
enum {
	EXIT_FINE = 0,
	EXIT_INPUT = 1,
	EXIT_USAGE = 2,
	EXIT_PERMISSION = 3
};

#define COMMAND_CONFIG_PATH PLAT_CONFIG

struct command {
	const char *name;
	const char *usage; /* "[--format json|text] FILE...", after the name */
	const char *about; /* one line */
	const char *help;  /* options, one a line, for --help */
	/* argv[0] is the command's name; --help is already handled. */
	int (*run)(const struct command *self, int argc, char **argv);
};

#define COMMAND(name) extern const struct command command_##name;
#include "commands.def"
#undef COMMAND
extern const struct command *const commands[];
extern const unsigned commands_count;

/* One sentence to stderr, "outergate: ..."; returns code. */
int command_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What was said last, for those who were not there to read it. */
#define COMMAND_FAILED_MAX 320
const char *command_failed(void);
/* "outergate NAME: unknown option ..., see outergate NAME --help"; returns EXIT_USAGE. */
int command_usage(const struct command *c, const char *what);
/*
 * The configuration: path, or the default path when path is NULL and that file exists, else the
 * embedded defaults. Returns 0 or prints one sentence and returns EXIT_INPUT.
 */
int command_config(const char *path, struct config *ret);
/*
 * Tells the running agent that somebody asked for something; 0 when it has done it, -errno when it
 * does not run. One a platform (agent-linux/cmd_status.c).
 */
int command_poke_agent(const struct config *c);
/* The shipped configuration as text (cmd_check.c). */
const char *command_shipped_config(void);
/* A whole file into memory (malloc'ed, NUL after the end), at most max bytes; 0 or -errno. */
int command_read_file(const char *path, size_t max, char **ret, size_t *ret_len);

#endif
