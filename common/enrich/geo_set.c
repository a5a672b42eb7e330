/*
 * geo_set: all databases in use, asked in the operator's order; what the first does not know the
 * next may. A place (its point, radius and town) is taken whole from one, so is a network's number
 * with its name.
 *
 * Remembers the last answers, because a source that guesses asks for the same address each time.
 * The epoch is made of what the databases are, not of when they were opened: a restart with the
 * same files is no exchange.
 */
#include <errno.h>
#include <stdio.h>

#include "../out/writer.h"
#include "geo_db.h"

bool geo_country(struct span s, char ret[3])
{
	if (s.len != 2 || s.ptr[0] < 'A' || s.ptr[0] > 'Z' || s.ptr[1] < 'A' || s.ptr[1] > 'Z')
		return false;
	/* "Unknown", and what libloc says of hostile networks (it is a flag). */
	if (span_is(s, "XX") || span_is(s, "ZZ") || span_is(s, "XD"))
		return false;
	memcpy(ret, s.ptr, 2);
	ret[2] = '\0';
	return true;
}

void geo_text(struct span s, char *ret, size_t cap)
{
	size_t used = 0;

	while (s.len) {
		uint32_t c = 0;
		unsigned n = utf8_decode(s.ptr, s.len, &c);
		bool good = n && !utf8_hidden(c);
		size_t room = good ? n : 1;

		if (used + room >= cap)
			break;
		if (good)
			memcpy(ret + used, s.ptr, n);
		else
			ret[used] = '?';
		used += room;
		s = span_skip(s, n ? n : 1);
	}
	ret[used] = '\0';
}

int geo_db_open(const char *name, const uint8_t *bytes, size_t len, struct geo_db *ret,
		char err[GEO_ERROR_MAX])
{
	struct geo_db db = {0};
	int r;

	if (!len) {
		snprintf(err, GEO_ERROR_MAX, "an empty file");
		return -EINVAL;
	}
	r = geo_loc_is(bytes, len) ? geo_loc_open(bytes, len, &db, err)
				   : geo_mmdb_open(name, &db, err);
	if (!r)
		*ret = db;
	return r;
}

void geo_db_close(struct geo_db *db)
{
	if (db->kind == GEO_KIND_MMDB)
		MMDB_close(&db->mmdb);
	*db = (struct geo_db){0};
}

int geo_db_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret)
{
	switch (db->kind) {
	case GEO_KIND_MMDB:
		return geo_mmdb_lookup(db, a, ret);
	case GEO_KIND_LOC:
		return geo_loc_lookup(db, a, ret);
	default:
		return 0;
	}
}

const char *geo_db_attribution(const struct geo_db *db, const char *path)
{
	static const struct {
		const char *part, *text; /* of its type, or of its file's name */
	} asked[] = {
		{"libloc", "IPFire Location Database, CC BY-SA 4.0"},
		{"dbip", "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0"},
		{"DBIP", "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0"},
		{"GeoLite2", "GeoLite2 data created by MaxMind (https://www.maxmind.com)"},
		{"GeoIP2", "GeoIP2 data created by MaxMind (https://www.maxmind.com)"},
	};

	for (size_t i = 0; db->kind && i < sizeof(asked) / sizeof(asked[0]); i++)
		if (strstr(db->type, asked[i].part) || strstr(path, asked[i].part))
			return asked[i].text;
	return NULL;
}

static void ask_all(struct geo_set *s, const struct addr *a, struct geo *ret)
{
	for (unsigned i = 0; i < GEO_DBS_MAX; i++)
		if (geo_db_lookup(&s->dbs[i], a, ret))
			s->unreadable++;
	ret->epoch = s->epoch;
}

/* The set is the first member's owner; what it remembers changes no answer. */
static void lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	struct geo_set *s = (struct geo_set *)(uintptr_t)g;
	struct geo_memory *m = &s->memory[addr_hash(a, 0) % GEO_CACHE];

	if (!s->epoch)
		return;
	if (!addr_eq(&m->addr, a)) {
		m->geo = (struct geo){0};
		ask_all(s, a, &m->geo);
		m->addr = *a;
	}
	*ret = m->geo;
}

void geo_set_init(struct geo_set *s)
{
	memset(s, 0, sizeof(*s));
	s->source.lookup = lookup;
}

uint32_t geo_set_fields(const struct geo_set *s)
{
	uint32_t fields = 0;

	for (unsigned i = 0; i < GEO_DBS_MAX; i++)
		fields |= s->dbs[i].fields;
	return fields;
}

void geo_set_changed(struct geo_set *s)
{
	uint64_t h = 0x9e3779b97f4a7c15ull;
	bool any = false;

	for (unsigned i = 0; i < GEO_DBS_MAX; i++) {
		any |= s->dbs[i].kind != GEO_KIND_NONE;
		h = (h ^ s->dbs[i].identity) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	memset(s->memory, 0, sizeof(s->memory));
	s->epoch = any ? (uint32_t)h | 1 : 0;
}
