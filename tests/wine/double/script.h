/* script: what the script's reader asks of the log and the channels (log.c). */
#ifndef OUTERGATE_DOUBLE_SCRIPT_H
#define OUTERGATE_DOUBLE_SCRIPT_H

#include "core.h"

/* Lines of the log that begin so. */
size_t log_count(const char *beginning);

/* With the lock held. */
void fault_add(const char *what, const WCHAR *where, DWORD code, long times);
struct channel *channel_made(const WCHAR *name);
void channel_add(struct channel *c, uint64_t id, uint32_t event, const WCHAR *xml);

#endif
