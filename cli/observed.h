/*
 * observed: the logins of the store that nothing speaks against, as rows that can be sorted and
 * counted; what `setup` proposes from.
 *
 * Left out: a session on which anything of medium or above fired; every session of an origin that
 * such an alert names; names that are not plain text, since they would stand in a configuration.
 */
#ifndef OUTERGATE_OBSERVED_H
#define OUTERGATE_OBSERVED_H

#include "common/config.h"
#include "common/session.h"
#include "common/store/store.h"

struct login {
	char account[ACCOUNT_TEXT_MAX];
	char key[CONFIG_TEXT_MAX]; /* a whole fingerprint, or "" */
	struct addr addr, net;	   /* net: the /24 or /48 */
	char country[3];
	enum service service;
	uint32_t day;	      /* since 1970, UTC */
	uint16_t week_minute; /* local, Monday 00:00 is 0 */
	bool external, has_pty, by_key;
	bool in_crowd; /* its address is that of many accounts */
	unsigned onward;
};

struct onward {
	char account[ACCOUNT_TEXT_MAX];
	struct addr addr, net;
	enum service service;
	uint32_t day;
};

struct observed {
	struct login *logins;
	struct onward *onwards;
	size_t logins_count, logins_cap, onwards_count, onwards_cap;
	unsigned suspicious, unnamed; /* sessions left out, by reason */
	uint32_t first_day, last_day;
	/* while reading */
	const struct config *config;
	struct addr *bad_addrs; /* sorted */
	char (*bad_sessions)[ID_TEXT_MAX];
	size_t bad_addrs_count, bad_sessions_count, bad_cap;
	bool failed; /* out of memory */
};

/* 0, -ENOMEM or what the store says. */
int observed_read(struct store *s, uint64_t since_ns, const struct config *c, struct observed *ret);
void observed_free(struct observed *o);
/* Letters, digits and what else names of accounts are made of; it may stand in quotes in YAML. */
bool observed_plain_name(const char *name);

#endif
