/* lockdown: how far this kernel is locked down. */
#ifndef OUTERGATE_LOCKDOWN_H
#define OUTERGATE_LOCKDOWN_H

#include <stdbool.h>

/* Then it lets no program of ours read its memory. */
bool lockdown_is_confidential(void);

#endif
