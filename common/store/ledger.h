/*
 * ledger: a chain over the alerts, so that one that was deleted or edited shows.
 *
 * Whenever an alert is put, an entry is added: what its row holds as a SHA-256, and a link, the
 * SHA-256 of the link before it and of the entry. Rows that the agent itself removes (retention,
 * `forget`) get an entry that says so. Who is root can make the whole chain anew: therefore
 * the journal and collectors are told number and link of the newest entry with every alert, and
 * ledger_verify() takes what they were told. Newer entries than the last one told elsewhere can be
 * cut off unseen.
 */
#ifndef OUTERGATE_LEDGER_H
#define OUTERGATE_LEDGER_H

#include "store.h"

/* "57:0123456789abcdef0123456789abcdef": an entry's number and the first half of its link. */
#define LEDGER_TEXT_MAX 56

/* The newest committed entry's; "" when there is none. Kept in memory: costs no query. */
const char *ledger_head(const struct store *s);

struct ledger_summary {
	uint64_t entries, first, last;
	uint64_t alerts;    /* as their entries say */
	uint64_t uncovered; /* older than the chain: nothing can be said of them */
	uint64_t findings;
	char head[LEDGER_TEXT_MAX];
};

/*
 * Compares chain and alerts; told is called with one sentence for each finding, the first 100 of
 * them (the summary counts all). 0 whatever was found, -errno when the store cannot be read.
 */
int ledger_verify(struct store *s, void (*told)(void *arg, const char *sentence), void *arg,
		  struct ledger_summary *ret);

/*
 * The same a few rows at a time, for one who has something else to do meanwhile: over a connection
 * of its own, which sees the store as it was when this began, whatever is written since. Alerts
 * that are older than the chain are not counted.
 */
struct ledger_check;
int ledger_check_begin(const char *path, void (*told)(void *arg, const char *sentence), void *arg,
		       struct ledger_check **ret);
/* 1: there is more; 0: that was all; -errno: the store cannot be read. */
int ledger_check_step(struct ledger_check *c, unsigned rows);
const struct ledger_summary *ledger_check_summary(const struct ledger_check *c);
void ledger_check_end(struct ledger_check *c); /* NULL is none */

/*
 * An entry that was seen elsewhere (LEDGER_TEXT_MAX), against the chain: 0 it is there, 1 it is
 * not or another, with a sentence in why; 2: older than what is kept; -EINVAL: no such text.
 */
int ledger_expect(struct store *s, struct span text, char *why, size_t cap);

#endif
