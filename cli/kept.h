/*
 * kept: what an agent keeps in its store beside alerts and sessions, the same on every system: the
 * core's memory and its own random numbers.
 */
#ifndef OUTERGATE_KEPT_H
#define OUTERGATE_KEPT_H

#include "common/core/core.h"
#include "common/store/store.h"

#define KEPT_CORE    "core"
#define KEPT_PRIVACY "privacy-key"

/* n random bytes that stay the same from the first call on. 0 or -errno. */
int kept_random(struct store *s, const char *name, void *to, size_t n);
/*
 * Gives the core its memory, live sessions and open alerts back, before the first event. 0;
 * -EPROTO: the memory is of another version, and it starts without; or -errno: not all of it could
 * be read (store_error() may say more).
 */
int kept_restore(struct store *s, struct core *core, const struct config_limits *limits);
/* Puts the core's memory. 0; 1: it is larger than most, or there is no room; or -errno.
 * ret_size: its bytes, in each case. */
int kept_memory(struct store *s, const struct core *core, size_t most, size_t *ret_size);
/*
 * How long it waits to be put again, by its bytes, in ns: a second while it is small, at most that
 * much is lost by a kill; what is large as often as makes 256 KiB a second, every 30 s at least. A
 * full table of sources, written each second, would wear the disk and keep alerts waiting.
 */
uint64_t kept_interval(size_t bytes);
/* Cheap enough to put with every alert. */
#define KEPT_SMALL (256u << 10)

#endif
