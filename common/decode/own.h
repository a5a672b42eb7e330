/*
 * own: sources that the configuration describes (`Decoders`), for products that no decoder here
 * knows. Each line of a description is a pattern of PCRE2 that the whole message must match; named
 * groups are the fields.
 *
 * Bounded by the tables, and each match by steps and memory: a pattern that gives up makes the line
 * a bad one. Groups that a source may have are in field_names; anything else is refused where the
 * configuration is read, and so is an example that its own pattern does not take.
 */
#ifndef OUTERGATE_DECODE_OWN_H
#define OUTERGATE_DECODE_OWN_H

#include "decode.h"

#define OWN_MAX		8  /* descriptions */
#define OWN_LINES_MAX	32 /* of all of them */
#define OWN_NAME_MAX	32
#define OWN_WORD_MAX	64
#define OWN_PATTERN_MAX 256
#define OWN_EXAMPLE_MAX 256
#define OWN_WHY_MAX	200

/* As configured; lines of a description lie one after the other. */
struct own_source {
	char name[OWN_NAME_MAX];
	char program[OWN_WORD_MAX];  /* syslog's tag or the journal's identifier; "": any */
	char contains[OWN_WORD_MAX]; /* what every line of it has; "": nothing */
	enum service service;
	uint32_t gateway; /* 1: it tells of sessions on another machine, or of inner addresses */
	uint32_t first, count;
};

struct own_line {
	char pattern[OWN_PATTERN_MAX];
	uint32_t event; /* enum own_event */
	enum outcome outcome;
	enum method method;
};

enum own_event {
	OWN_ATTEMPT,
	OWN_OPEN,
	OWN_CLOSE,
};

struct own_rows {
	const struct own_source *sources;
	unsigned count;
	const struct own_line *lines;
};

/* Compiled; it keeps no pointer to the rows. NULL, and why: out of memory, or a pattern that
 * own_check() refuses. Freed by own_free(), which takes NULL. */
struct own *own_new(const struct own_rows *rows, char why[OWN_WHY_MAX]);
void own_free(struct own *own);

/* Does the pattern compile, has it what its event needs, and is its example one? Else why not. */
bool own_check(const struct own_source *source, const struct own_line *line, const char *example,
	       char why[OWN_WHY_MAX]);

/* Could a source be called so? */
bool own_name(struct span name);
/* Of that name: its place, or -1. */
int own_find(const struct own *own, struct span name);

/*
 * The event of a frame that no decoder wants, by the first source that takes it; `only` is the only
 * one asked, -1: each. DECODE_SKIPPED with *reason NULL: none has this program or text.
 */
enum decode_result own_decode(const struct own *own, int only, const struct frame *f,
			      struct event *ret, const char **reason);

#endif
