/*
 * input: recorded input for replay, decode and the like: text line by line, entries of the journal
 * export format, Windows event logs (EVTX), or a file of kernel records ("OGWIRE1\n", wall minus
 * boot time in 8 bytes little-endian, records back to back). Each may be compressed with gzip.
 */
#ifndef OUTERGATE_INPUT_H
#define OUTERGATE_INPUT_H

#include "cli/command.h"
#include "common/decode/decode.h"

#define INPUT_MAGIC "OGWIRE1\n"
#define EVTX_MAGIC  "ElfFile" /* and a NUL */

struct input_sink {
	void (*line)(void *arg, struct span line);
	/* len may be shorter than a record is: a cut file. */
	void (*record)(void *arg, const void *record, size_t len, int64_t boot_to_wall_ns);
	/* A record of a container that holds no text: what is wrong with it. NULL: not told. */
	void (*bad)(void *arg, uint64_t record, const char *reason);
	void *arg;
};

/* A file, or standard input for "-". 0, or prints one sentence and returns EXIT_INPUT. */
int input_read(const char *path, const struct input_sink *sink);

/* input_evtx.c: that file as event XML, one line a record; name is what messages call it. */
int input_read_evtx(const char *path, const char *name, const struct input_sink *sink);

/* Is it a file of kernel records? False also when it cannot be read. */
bool input_is_records(const char *path);

/* The value of option `name` at argv[*i], as "--name VALUE" or "--name=VALUE"; NULL: another one.
 */
const char *option_value(const char *name, int argc, char **argv, int *i);

/*
 * --source, --year and --tz at argv[*i]. 1: taken; 0: another option; -1: a bad value, and the
 * sentence is printed.
 */
int input_option(const struct command *c, int argc, char **argv, int *i, struct decode_stream *s);
/*
 * The sources that the configuration at argv's --config describes, for s->own; they are there
 * before
 * --source is read. An exit code. *ret is freed by own_free().
 */
int input_own(int argc, char **argv, struct own **ret, struct decode_stream *s);
/* The same of a configuration that is known by its path. */
int input_own_of(const char *path, struct own **ret, struct decode_stream *s);

#define INPUT_OPTIONS                                                                              \
	"  --source NAME   one of `outergate sources`; default auto, decided line by line\n"       \
	"  --year YEAR     of the first time without a year; default 2000\n"                       \
	"  --tz OFFSET     of times without a zone: Z, +01:00, -0530; default Z\n"

#endif
