/*
 * newest: a log whose name has a date in it. A path whose last part has a "*" or "?" stands for the
 * last of the files by name that fit: vpn_20261129.log comes after vpn_20261128.log.
 */
#ifndef OUTERGATE_NEWEST_H
#define OUTERGATE_NEWEST_H

#include <stdbool.h>
#include <stddef.h>

bool newest_is_pattern(const char *path);
/* Does a file of that name, in the directory of the pattern, fit? A plain path fits itself. */
bool newest_fits(const char *pattern, const char *name);
/*
 * The last that fits, or with `before` the one before it; paths are the host's (host.h). A plain
 * path is itself, and itself with ".1". 0, -ENOENT, or why the directory cannot be read.
 */
int newest_path(const char *pattern, bool before, char *ret, size_t cap);

#endif
