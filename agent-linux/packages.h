/* packages: which package a program of this host came with, as dpkg has it. */
#ifndef OUTERGATE_PACKAGES_H
#define OUTERGATE_PACKAGES_H

#include <stddef.h>

#define PACKAGES_KEPT 32

/* What was found stays found: a path's package has one name. */
struct packages {
	struct {
		char path[256], name[80];
	} at[PACKAGES_KEPT];
	unsigned next;
};

/* "" when no package has it, or there is no dpkg here. */
void package_of(struct packages *p, const char *path, char *ret, size_t cap);

#endif
