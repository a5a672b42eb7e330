/*
 * exposure_scan: all remote services that listen on this host, in every network namespace. By the
 * agent's unprivileged half, or by one of `outergate exposure` where no agent runs: whatever needs
 * privilege is asked of the other half.
 */
#ifndef OUTERGATE_EXPOSURE_SCAN_H
#define OUTERGATE_EXPOSURE_SCAN_H

#include "common/exposure/exposure.h"
#include "packages.h"

struct exposure_scan {
	int priv; /* the privileged half */
	const struct scope_rules *rules;
	struct packages *packages;
	/* Sets conn and account where that process is of a session; NULL: nobody can say. */
	void (*session)(void *arg, struct exposure *x);
	void *arg;
	unsigned left_out; /* set: services beyond EXPOSURE_MAX */
};

/* rows: EXPOSURE_MAX of them. How many, or -errno. */
int exposure_scan(struct exposure_scan *s, struct exposure *rows);

#endif
