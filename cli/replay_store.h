/*
 * replay_store: what a replay found as a store of its own, so that `alerts`, `sessions` and
 * `explain` answer about a recorded incident as about the host's own past.
 */
#ifndef OUTERGATE_REPLAY_STORE_H
#define OUTERGATE_REPLAY_STORE_H

#include "cli/replay_table.h"
#include "common/out/out.h"

/* Could it be made? Asked before hours of input are read for nothing. */
int replay_keep_try(const char *path);
/* Into a file that does not exist yet. An exit code; what failed was printed. */
int replay_keep(const char *path, const struct out_policy *policy,
		const struct replay_table *alerts, const struct replay_table *sessions);

#endif
