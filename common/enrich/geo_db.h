/*
 * geo_db: one database of places or networks, whatever its format, and the set of those in use.
 *
 * A database is opened from bytes that nobody changes any more (the caller's private copy): a file
 * that is cut while it is mapped would end the process. Everything in it may be wrong all the same;
 * what cannot be read is unknown, and counted.
 *
 * Example: a country file and libloc's: 198.51.100.7 gets its country from the first, its network
 * and flags from the second.
 */
#ifndef OUTERGATE_GEO_DB_H
#define OUTERGATE_GEO_DB_H

#include <maxminddb.h>

#include "../geo.h"

#define GEO_DBS_MAX   8
#define GEO_TYPE_MAX  48
#define GEO_ERROR_MAX 128
#define GEO_CACHE     256 /* addresses; a guessing source asks for the same one again and again */

enum geo_kind {
	GEO_KIND_NONE,
	GEO_KIND_MMDB,
	GEO_KIND_LOC
};

/* What a database can tell. */
enum geo_field {
	GEO_FIELD_COUNTRY = 1u << 0,
	GEO_FIELD_POINT = 1u << 1,
	GEO_FIELD_NETWORK = 1u << 2,
	GEO_FIELD_FLAGS = 1u << 3,
};

/* libloc's sections, inside the caller's bytes; sizes in rows, of the pool in bytes. */
struct geo_loc {
	const uint8_t *nodes, *networks, *ases, *pool;
	uint32_t nodes_count, networks_count, ases_count, pool_size;
};

struct geo_db {
	enum geo_kind kind;
	uint32_t fields;   /* enum geo_field */
	uint32_t groups;   /* geo_mmdb.c: which rows of its table are worth asking */
	uint64_t built_s;  /* when it was made, UTC; 0 = it does not say */
	uint64_t identity; /* another build is another number */
	char type[GEO_TYPE_MAX];
	MMDB_s mmdb;
	struct geo_loc loc;
};

/*
 * The kind is found by content. name: a path by which a library may open the same bytes. 0, or
 * -EINVAL with one sentence in err and *ret untouched.
 */
int geo_db_open(const char *name, const uint8_t *bytes, size_t len, struct geo_db *ret,
		char err[GEO_ERROR_MAX]);
void geo_db_close(struct geo_db *db);
/* Adds nothing that ret already has. -EINVAL: what stands there cannot be read. */
int geo_db_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret);
/* Who must be named where its data is shown; NULL when nobody is known to ask for it. */
const char *geo_db_attribution(const struct geo_db *db, const char *path);

struct geo_set {
	struct geo_source source; /* first: what the core holds */
	struct geo_db dbs[GEO_DBS_MAX];
	uint32_t epoch;
	uint64_t unreadable; /* lookups that met damaged records */
	struct geo_memory {
		struct addr addr;
		struct geo geo;
	} memory[GEO_CACHE];
};

void geo_set_init(struct geo_set *s);
/* After a change of dbs: forgets answers, makes the epoch anew. */
void geo_set_changed(struct geo_set *s);
uint32_t geo_set_fields(const struct geo_set *s);

/* Of the formats; see geo_db_open() and geo_db_lookup(). */
int geo_mmdb_open(const char *name, struct geo_db *ret, char err[GEO_ERROR_MAX]);
int geo_mmdb_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret);
bool geo_loc_is(const uint8_t *bytes, size_t len);
int geo_loc_open(const uint8_t *bytes, size_t len, struct geo_db *ret, char err[GEO_ERROR_MAX]);
int geo_loc_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret);

/* Two letters that name a country; others ("A1", "XX") are none. */
bool geo_country(struct span s, char ret[3]);
/* Bounded, valid UTF-8 without hidden characters. */
void geo_text(struct span s, char *ret, size_t cap);

#endif
