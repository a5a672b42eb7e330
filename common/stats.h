/* stats: named counters of one process. Plain data, owned by whoever holds it; no globals. */
#ifndef OUTERGATE_STATS_H
#define OUTERGATE_STATS_H

#include <stdint.h>

struct stats {
#define STAT(name, help) uint64_t name;
#include "stats.def"
#undef STAT
};

#endif
