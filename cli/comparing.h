/*
 * comparing: what `replay` and `diff` share: one input, correlated under two configurations at
 * once.
 */
#ifndef OUTERGATE_COMPARING_H
#define OUTERGATE_COMPARING_H

#include "command.h"
#include "common/core/core.h"
#include "replay_table.h"

struct comparing; /* cmd_diff.c */

struct compared {
	const struct config *config;
	struct core *core;
	struct replay_table *alerts; /* in their final state */
	const struct out_policy *policy;
};

/* Arguments: options of replay, OLD, NEW, and FILEs; without a FILE the store is fed. */
int replay_compare(const struct command *self, int argc, char **argv, struct comparing *c);

/* No FILE was given. EXIT_FINE, or one sentence printed and the code. */
int compare_open_store(struct comparing *c, const char *old_config);
/* Places as the store knows them; NULL when the input is files. */
const struct geo_source *compare_places(struct comparing *c);
int compare_feed(struct comparing *c, struct compared sides[2],
		 void (*take)(void *arg, const struct event *e), void *arg);
int compare_tell(struct comparing *c, struct compared sides[2], bool json);

#endif
