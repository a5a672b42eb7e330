/*
 * core_guess: who guesses slowly, from one autonomous system, or one account from many networks.
 * Part of core_internal.h.
 */
#ifndef OUTERGATE_CORE_GUESS_H
#define OUTERGATE_CORE_GUESS_H

#include "../session.h"
#include "core_table.h"
#include "core_window.h"

#define SLOW_FROM     6 /* failures within a day that a source alone remembers */
#define ASNS_MAX      64
#define ASN_ADDRESSES 16  /* distinct ones remembered; the threshold is 10 */
#define SPREADS_MAX   256 /* existing accounts that somebody guesses */
#define SPREAD_NETS   96  /* distinct ones remembered; the threshold is 10 or 3 times the usual */
#define SPREAD_TRAITS 64  /* what guessers of an account have in common: ASN, client */
#define SPREAD_DAYS   8	  /* today and the seven days of the median */

struct core;
struct event;
struct source;

/* Failures of networks that have no alert of their own; see core_asns.c. */
struct asn {
	uint64_t number;
	struct window_huge failures;
	uint32_t exists_ds, weak_ds;
	uint32_t who[ASN_ADDRESSES], net[ASN_ADDRESSES]; /* hashes; who 0 = free */
	uint32_t stamp[ASN_ADDRESSES];
};

/* Failures of a source in a day; see core_slow.c. */
struct slow {
	struct addr addr;
	struct handle alert;
	struct window_large failures;
	uint32_t exists_ds; /* last guess of an existing account; 0 never */
};

/* What a guesser of an account showed: its ASN or its client. */
struct guesser {
	uint32_t what, who, ds; /* hashes; what 0 = free */
};

/* Who guesses an account; see core_spread.c. */
struct spread {
	uint64_t key; /* hash of its name */
	struct handle alert;
	uint32_t net[SPREAD_NETS]; /* hashes; 0 = free */
	uint32_t stamp[SPREAD_NETS];
	struct guesser traits[SPREAD_TRAITS];
	uint32_t day;		      /* of busiest[0] */
	uint8_t busiest[SPREAD_DAYS]; /* most networks within one window, day by day */
};

/* --- core_slow.c: sources that fail slowly */
struct slow *slow_find(const struct core *c, const struct addr *a);
/* Before the failures are added to the source. */
struct slow *slow_credit(struct core *c, const struct source *s, const struct event *e);
/* The most in any 24 h that have that moment in them. */
uint32_t slow_most(const struct slow *s, uint32_t at);

/* --- core_asns.c: autonomous systems */
struct asn *asn_credit(struct core *c, const struct source *s, const struct event *e);
/* Distinct addresses in the window that ends at its newest failure. */
unsigned asn_addresses(const struct core *c, const struct asn *a);
uint32_t asn_count(const struct core *c, const struct asn *a);
/* Only the most specific counts: takes away what has an alert of its own. */
void asn_forget_source(struct core *c, struct asn *a, struct window failures,
		       const struct addr *source);
void asn_forget_net(struct core *c, struct asn *a, struct window failures, const struct addr *net);

/* --- core_spread.c: accounts and the networks that guess them */
struct spread *spread_find(const struct core *c, struct span account);
struct spread *spread_credit(struct core *c, const struct event *e, uint32_t ds);
/* Distinct networks in the window that ends at the newest of its failures. */
unsigned spread_networks(const struct core *c, const struct spread *p);
/* The median of the seven days before: most networks within one window of each. */
unsigned spread_usual(const struct spread *p);
/* Did another source that guessed that account, lately at at_ns, show the same? */
bool spread_shows(const struct core *c, const struct spread *p, const struct session *s,
		  uint64_t at_ns);

#endif
