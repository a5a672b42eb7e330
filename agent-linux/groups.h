/* groups: is that account in that group of this host? */
#ifndef OUTERGATE_GROUPS_H
#define OUTERGATE_GROUPS_H

#include <stdbool.h>

bool group_has(const char *account, const char *group);

#endif
