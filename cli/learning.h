/* learning: what `replay` and `learn` share: a replay whose result is what it has learned. */
#ifndef OUTERGATE_LEARNING_H
#define OUTERGATE_LEARNING_H

#include "command.h"
#include "common/core/core.h"

struct learning; /* cmd_learn.c */

/* A replay with all its options; nothing is printed but the counts on stderr. */
int replay_learn(const struct command *self, int argc, char **argv, struct learning *learning);
/* Before the first event, and after the last. EXIT_FINE, or one sentence printed and the code. */
int learn_start(struct learning *l, struct core *core, const char *config_path);
int learn_end(struct learning *l, struct core *core);

#endif
