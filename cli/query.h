/*
 * query: what `sessions`, `alerts` and `explain` share: options into a filter, the store opened for
 * reading, columns of a table.
 */
#ifndef OUTERGATE_QUERY_H
#define OUTERGATE_QUERY_H

#include "command.h"
#include "common/out/writer.h"
#include "common/store/store.h"

/* Options that all three understand, one a line, for --help. */
#define QUERY_STORE_HELP                                                                           \
	"  --store PATH         another store than the configuration's\n"                          \
	"  --config FILE        another configuration than " COMMAND_CONFIG_PATH "\n"
#define QUERY_FILTER_HELP                                                                          \
	"  --since TIME         not before: 2026-11-22T06:31:00Z, 2026-11-22, or 30m, 2h, 7d "     \
	"ago\n"                                                                                    \
	"  --until TIME         not after\n"                                                       \
	"  --service NAME       ssh, rdp, docker, ...\n"                                           \
	"  --account NAME       who logged in, or who it became\n"                                 \
	"  --origin ADDRESS     address or CIDR block of the remote end\n"                         \
	"  --severity LEVEL     at least: info, low, medium, high, critical\n"                     \
	"  --detection ID       alerts of it, or sessions it fired on\n"                           \
	"  --session ID         of this session only\n"                                            \
	"  --live               only what is not closed\n"                                         \
	"  --limit N            at most N, newest first (1000)\n"                                  \
	"  --format json|table  one object a line, or a table (table)\n" QUERY_STORE_HELP

struct query {
	const char *store, *config;
	bool json;
	struct store_filter filter; /* its spans point into argv */
	const char *word;	    /* the argument that is no option; NULL if none */
};

/*
 * filters: with the options of QUERY_FILTER_HELP and no word; else one word and no filter.
 * EXIT_FINE, or one sentence printed and the exit code.
 */
int query_parse(const struct command *c, int argc, char **argv, bool filters, struct query *ret);
/* EXIT_FINE, or one sentence printed and the exit code. */
int query_open(const struct query *q, struct store **ret);
/* The same for a failed read; r is -errno. */
int query_failed(struct store *s, int r);
/* Everything printed? Else one sentence and the exit code. */
int query_finish(void);

/* "2h" ago, a day, or RFC 3339 (UTC when it names no zone), as ns since 1970. */
bool query_time(struct span text, uint64_t now_ns, uint64_t *ret);

/* Columns: cut at their width, escaped, two spaces between. */
void column_text(struct writer *w, const char *text, size_t width);
void column_time(struct writer *w, uint64_t ns);
void column_endpoint(struct writer *w, const struct endpoint *e);
/* Country and network, as far as a database told: "NL AS64500". */
void column_place(struct writer *w, const struct geo *g);
/* A written line to stdout, trailing spaces removed. */
void column_end(struct writer *w);

/* What is read from the store has been through Privacy. */
extern const struct out_policy query_policy;

#endif
