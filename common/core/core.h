/*
 * core: events in, alerts and session changes out. Pure: no I/O, no clock, no allocation after
 * core_new(), no mutable global, no locale. Time is a field of the event; expiry is EVENT_TICK.
 * The same events give the same output, bit for bit, on every machine.
 */
#ifndef OUTERGATE_CORE_H
#define OUTERGATE_CORE_H

#include "../alert.h"
#include "../config.h"
#include "../geo.h"
#include "../stats.h"

struct profile; /* profile.h */
struct core;	/* opaque; core_internal.h for the core's own files */

enum out_kind {
	OUT_ALERT,
	OUT_SESSION
};

/* Pointers are into the core and valid until the next core_step() or core_free(). */
struct core_out_item {
	enum out_kind kind;
	const struct alert *alert;
	const struct session *session;
};

/* One step can touch a handful of alerts; a tick closes at most this many and does the rest next.
 */
#define CORE_OUT_MAX 64

struct core_out {
	unsigned count;
	struct core_out_item items[CORE_OUT_MAX];
};

struct core_identity {
	char host_id[ID_TEXT_MAX]; /* machine id; in a replay "replay" */
	char boot_id[40];
	char host_name[64]; /* as this host's logs have it; "" in a replay */
	uint64_t hash_seed; /* keyed hashing of attacker-chosen keys; fixed (0) in a replay */
	bool kernel_sensor; /* kernel records are expected: text alone proves less */
	const struct geo_source *geo; /* outlives the core; NULL = no databases */
	/* Is that account in that group of this host? NULL: nobody can say. */
	bool (*in_group)(const char *account, const char *group);
};

/* All memory is allocated here, sized by config->limits. NULL when out of memory. */
struct core *core_new(const struct config *config, const struct core_identity *id);
void core_free(struct core *core);

/* A reload: thresholds and lists apply from the next event; state is kept. */
void core_set_config(struct core *core, const struct config *config);

/* ret_out is overwritten. */
void core_step(struct core *core, const struct event *e, struct core_out *ret_out);

/*
 * What grew since it was last told: the end of a replay. As long as the output is full there is
 * more.
 */
void core_flush(struct core *core, struct core_out *ret_out);

/* Gives back what the store remembers, before the first event. Return -ENOSPC when full. */
int core_restore_session(struct core *core, const struct session *s);
int core_restore_alert(struct core *core, const struct alert *a);

/*
 * Onward edges, attempt windows and first-seen sets as one opaque, versioned, bounded blob: what
 * the core must remember across a restart beside sessions and alerts. core_export returns the
 * size needed (copying at most cap bytes); core_import returns 0 or -EINVAL (blob untouched).
 */
size_t core_export(const struct core *core, void *buf, size_t cap);
int core_import(struct core *core, const void *buf, size_t len);

/*
 * Training: a core that replays history adopts the seed of the one that is to learn from it, and
 * hands over what it has learned (the same blob as core_export, after open sessions have taught,
 * too). The other merges habits, places and edges into its own; -EINVAL: blob not sound, or of
 * another seed.
 */
int core_adopt(struct core *core, const void *blob, size_t len);
size_t core_lessons(struct core *core, void *buf, size_t cap);
int core_take_lessons(struct core *core, const void *blob, size_t len);
/*
 * A profile that was exported, for core_lessons(); key 0: of the account that it names. -EEXIST,
 * -ENOSPC. Keys are hashes under the seed of a host: those of another mark mean nothing here.
 */
int core_add_profile(struct core *core, const struct profile *p);
uint64_t core_mark(const struct core *core);
/*
 * Forgets what was first seen on that day or later, as far as habits say when that was: a past that
 * is replayed must not be judged by what came of it.
 */
void core_unlearn(struct core *core, uint64_t since_ns);

/* For status and replay; valid until the next step. NULL past the end. */
/* Has a stranger used a container API since the last call? What it starts is to be followed. */
bool core_engine_asked(struct core *core);

/* Has that container (its id) told its names? */
bool core_knows_container(struct core *core, struct span id);

const struct session *core_session_at(const struct core *core, unsigned index);
const struct alert *core_alert_at(const struct core *core, unsigned index);
const struct session *core_session_find(const struct core *core, struct span id);
/* Habits, in no order; NULL past the end. */
const struct profile *core_profile_at(const struct core *core, unsigned index);
/*
 * A person's word about an alert that is open: seen, noted (note may be NULL), closed, or that all
 * of it was expected, so that its session teaches what it did. -ENOENT when it is not in memory.
 */
enum core_word {
	CORE_SEEN,
	CORE_CLOSED,
	CORE_NOTED
};
int core_alert_word(struct core *core, const char *id, enum core_word word, const char *note,
		    uint64_t now_ns);
/* What that session did is expected; s may be of the store. */
void core_expect(struct core *core, const struct session *s);
/*
 * Habits, guesses and open alerts of an account, or of an origin (the other is empty); live
 * sessions stay. How many rows.
 */
unsigned core_forget(struct core *core, struct span account, const struct cidr *origin);
/* Profiles of that name: how many. */
unsigned core_forget_habits(struct core *core, struct span name);
/* The next id of what a broker had started and nobody needs the records of; false: none. */
bool core_next_let_go(struct core *core, uint64_t *ret_id);
/* By that name this host goes, in short or in full; "" does, too. */
bool core_is_own_host(const struct core *c, struct span host);
struct stats *core_stats(struct core *core);
/* Would that exception keep that alert back? */
bool core_exception_fits(const struct config_exception *x, const struct alert *a);
/* How often exception i of the configuration kept an alert back since it was read. */
uint64_t core_excepted(const struct core *core, unsigned i);

/* The earliest wall time (ns) at which a tick would change anything; UINT64_MAX = never. */
uint64_t core_next_tick(const struct core *core);

#endif
