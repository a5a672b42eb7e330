/*
 * geo_mmdb: MaxMind DB files (format 2), by libmaxminddb.
 *
 * Sees four shapes of records, and mixtures of them: nested (country.iso_code, location.latitude),
 * flat (country_code, latitude), networks (autonomous_system_number), and flags
 * (is_tor_exit_node). Which of them a file has is found when it is opened, by looking at records
 * from all over it, so that a lookup asks for nothing that is never there.
 * A file for IPv4 alone knows nothing of IPv6, which is no error.
 * Cannot see: damage inside a record that was not looked at; that is found when it is needed.
 *
 * Example: {"country": {"iso_code": "GB"}, "location": {"latitude": 51.5, "accuracy_radius": 10}}.
 */
#include "geo_db.h"

#include <errno.h>
#include <stdio.h>

#define SAMPLES 4096 /* records looked at when a file is opened */

/* A record as far as it was read. */
struct found {
	struct geo geo;
	bool has_latitude, has_longitude;
};

static struct span text_of(const MMDB_entry_data_s *d)
{
	if (d->type != MMDB_DATA_TYPE_UTF8_STRING)
		return (struct span){0};
	return (struct span){d->utf8_string, d->data_size};
}

static bool number_of(const MMDB_entry_data_s *d, double *ret)
{
	switch (d->type) {
	case MMDB_DATA_TYPE_DOUBLE:
		*ret = d->double_value;
		return true;
	case MMDB_DATA_TYPE_FLOAT:
		*ret = (double)d->float_value;
		return true;
	case MMDB_DATA_TYPE_UINT16:
		*ret = d->uint16;
		return true;
	case MMDB_DATA_TYPE_UINT32:
		*ret = d->uint32;
		return true;
	case MMDB_DATA_TYPE_INT32:
		*ret = d->int32;
		return true;
	case MMDB_DATA_TYPE_UINT64:
		*ret = (double)d->uint64;
		return true;
	default:
		return false;
	}
}

static bool take_country(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	(void)flag;
	return geo_country(text_of(d), f->geo.country);
}

/* In 1/10,000 of a degree; false also for what is no number. */
static bool take_degrees(const MMDB_entry_data_s *d, double most, int32_t *ret)
{
	double v;

	if (!number_of(d, &v) || !(v >= -most && v <= most))
		return false;
	*ret = (int32_t)(v * 10000 + (v < 0 ? -0.5 : 0.5));
	return true;
}

static bool take_latitude(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	(void)flag;
	return f->has_latitude = take_degrees(d, 90, &f->geo.latitude_e4);
}

static bool take_longitude(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	(void)flag;
	return f->has_longitude = take_degrees(d, 180, &f->geo.longitude_e4);
}

static bool take_radius(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	double v;

	(void)flag;
	if (!number_of(d, &v) || !(v >= 0 && v <= UINT16_MAX))
		return false;
	f->geo.radius_km = (uint16_t)v;
	return true;
}

static bool take_city(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	(void)flag;
	geo_text(text_of(d), f->geo.city, sizeof(f->geo.city));
	return f->geo.city[0];
}

static bool take_asn(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	double v;

	(void)flag;
	if (!number_of(d, &v) || !(v >= 1 && v <= UINT32_MAX))
		return false;
	f->geo.asn = (uint32_t)v;
	return true;
}

static bool take_org(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	(void)flag;
	geo_text(text_of(d), f->geo.as_org, sizeof(f->geo.as_org));
	return f->geo.as_org[0];
}

static bool take_flag(const MMDB_entry_data_s *d, uint32_t flag, struct found *f)
{
	if (d->type != MMDB_DATA_TYPE_BOOLEAN)
		return false;
	if (d->boolean)
		f->geo.flags |= flag;
	return true;
}

/* Rows that come together in files. */
enum group {
	GROUP_NESTED = 1u << 0,
	GROUP_FLAT = 1u << 1,
	GROUP_NETWORK = 1u << 2,
	GROUP_FLAGS = 1u << 3,
	GROUP_TRAITS = 1u << 4,
	GROUP_FLAT_POINT = 1u << 5, /* a file of countries alone is asked for nothing else */
};

static const struct row {
	const char *path[4];
	bool (*take)(const MMDB_entry_data_s *d, uint32_t flag, struct found *f);
	uint32_t group, field, flag;
} rows[] = {
	{{"country", "iso_code"}, take_country, GROUP_NESTED, GEO_FIELD_COUNTRY, 0},
	{{"location", "latitude"}, take_latitude, GROUP_NESTED, GEO_FIELD_POINT, 0},
	{{"location", "longitude"}, take_longitude, GROUP_NESTED, GEO_FIELD_POINT, 0},
	{{"location", "accuracy_radius"}, take_radius, GROUP_NESTED, 0, 0},
	{{"city", "names", "en"}, take_city, GROUP_NESTED, 0, 0},
	{{"country_code"}, take_country, GROUP_FLAT, GEO_FIELD_COUNTRY, 0},
	{{"latitude"}, take_latitude, GROUP_FLAT_POINT, GEO_FIELD_POINT, 0},
	{{"longitude"}, take_longitude, GROUP_FLAT_POINT, GEO_FIELD_POINT, 0},
	{{"city"}, take_city, GROUP_FLAT_POINT, 0, 0},
	{{"autonomous_system_number"}, take_asn, GROUP_NETWORK, GEO_FIELD_NETWORK, 0},
	{{"autonomous_system_organization"}, take_org, GROUP_NETWORK, 0, 0},
	{{"is_anonymous"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_ANONYMOUS},
	{{"is_anonymous_vpn"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_ANONYMOUS},
	{{"is_public_proxy"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_ANONYMOUS},
	{{"is_residential_proxy"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_ANONYMOUS},
	{{"is_tor_exit_node"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_TOR},
	{{"is_hosting_provider"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_HOSTING},
	{{"is_anycast"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_ANYCAST},
	{{"is_satellite_provider"}, take_flag, GROUP_FLAGS, GEO_FIELD_FLAGS, GEO_SATELLITE},
	{{"traits", "is_anonymous_proxy"}, take_flag, GROUP_TRAITS, 0, GEO_ANONYMOUS},
	{{"traits", "is_anycast"}, take_flag, GROUP_TRAITS, 0, GEO_ANYCAST},
	{{"traits", "is_satellite_provider"}, take_flag, GROUP_TRAITS, 0, GEO_SATELLITE},
	{{"traits", "autonomous_system_number"}, take_asn, GROUP_TRAITS, 0, 0},
	{{"traits", "autonomous_system_organization"}, take_org, GROUP_TRAITS, 0, 0},
};
#define ROWS	   (sizeof(rows) / sizeof(rows[0]))
#define ALL_GROUPS UINT32_MAX

/* That it is not there, or is of another shape, is no damage. */
static bool is_damage(int err)
{
	return err != MMDB_SUCCESS && err != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR &&
	       err != MMDB_INVALID_LOOKUP_PATH_ERROR;
}

/* A map of that name, or what the record is when there is none to look into. */
static bool has_map(MMDB_entry_s *entry, const char *name)
{
	const char *const path[] = {name, NULL};
	MMDB_entry_data_s d;

	return MMDB_aget_value(entry, &d, path) == MMDB_SUCCESS && d.has_data &&
	       d.type == MMDB_DATA_TYPE_MAP;
}

/* *fields and *groups gain what was there; either may be NULL. -EINVAL: damaged. */
static int read_entry(MMDB_entry_s *entry, uint32_t groups, struct found *f, uint32_t *fields,
		      uint32_t *seen)
{
	if (groups & GROUP_TRAITS && !has_map(entry, "traits"))
		groups &= ~(uint32_t)GROUP_TRAITS;
	for (size_t i = 0; i < ROWS; i++) {
		MMDB_entry_data_s d;
		int r;

		if (!(rows[i].group & groups))
			continue;
		r = MMDB_aget_value(entry, &d, rows[i].path);
		if (is_damage(r))
			return -EINVAL;
		if (r || !d.has_data || !rows[i].take(&d, rows[i].flag, f) || !fields)
			continue;
		*fields |= rows[i].field;
		*seen |= rows[i].group;
	}
	return 0;
}

static int sample(struct geo_db *db, MMDB_entry_s *entry)
{
	struct found f = {0};

	return read_entry(entry, ALL_GROUPS, &f, &db->fields, &db->groups);
}

static int fail(char err[GEO_ERROR_MAX], const char *what, uint32_t where)
{
	snprintf(err, GEO_ERROR_MAX, "damaged: %s %u of its tree", what, (unsigned)where);
	return -EINVAL;
}

static int side_check(struct geo_db *db, uint8_t type, MMDB_entry_s *entry, uint32_t node,
		      bool look, char err[GEO_ERROR_MAX])
{
	if (type == MMDB_RECORD_TYPE_INVALID)
		return fail(err, "out of the file leads node", node);
	if (type == MMDB_RECORD_TYPE_DATA && look && sample(db, entry))
		return fail(err, "no readable record is at node", node);
	return 0;
}

/* All nodes, and the records of some of them. */
static int tree_check(struct geo_db *db, char err[GEO_ERROR_MAX])
{
	uint32_t count = db->mmdb.metadata.node_count, every = count / SAMPLES + 1;

	for (uint32_t i = 0; i < count; i++) {
		MMDB_search_node_s n;
		int r = MMDB_read_node(&db->mmdb, i, &n);

		if (r)
			return fail(err, "unreadable is node", i);
		r = side_check(db, n.left_record_type, &n.left_record_entry, i, i % every == 0,
			       err);
		if (!r)
			r = side_check(db, n.right_record_type, &n.right_record_entry, i,
				       i % every == 0, err);
		if (r)
			return r;
	}
	return 0;
}

static uint64_t identity_of(const MMDB_s *m)
{
	uint64_t h = m->metadata.build_epoch * 31 + (uint64_t)m->file_size;

	for (const char *p = m->metadata.database_type; *p; p++)
		h = h * 31 + (unsigned char)*p;
	return h * 31 + m->metadata.node_count;
}

/* Nested files say their flags where they have any, in a map of their own. */
static int describe(struct geo_db *db, char err[GEO_ERROR_MAX])
{
	int r = tree_check(db, err);

	if (r)
		return r;
	if (!db->fields) {
		snprintf(err, GEO_ERROR_MAX,
			 "a database of type '%s': it tells no country, place, network or flag",
			 db->type);
		return -EINVAL;
	}
	if (db->groups & GROUP_NESTED)
		db->groups |= GROUP_TRAITS;
	db->built_s = db->mmdb.metadata.build_epoch;
	db->identity = identity_of(&db->mmdb);
	return 0;
}

int geo_mmdb_open(const char *name, struct geo_db *ret, char err[GEO_ERROR_MAX])
{
	int r = MMDB_open(name, MMDB_MODE_MMAP, &ret->mmdb);

	if (r) {
		snprintf(err, GEO_ERROR_MAX, "neither a MaxMind DB nor a libloc database: %s",
			 MMDB_strerror(r));
		return -EINVAL;
	}
	ret->kind = GEO_KIND_MMDB;
	geo_text(span_of(ret->mmdb.metadata.database_type), ret->type, sizeof(ret->type));
	r = describe(ret, err);
	if (r)
		geo_db_close(ret);
	return r;
}

static void merge(const struct found *f, struct geo *ret)
{
	if (!ret->country[0])
		memcpy(ret->country, f->geo.country, sizeof(ret->country));
	if (!ret->has_point && f->has_latitude && f->has_longitude) {
		ret->has_point = true;
		ret->latitude_e4 = f->geo.latitude_e4;
		ret->longitude_e4 = f->geo.longitude_e4;
		ret->radius_km = f->geo.radius_km;
		memcpy(ret->city, f->geo.city, sizeof(ret->city));
	}
	if (!ret->asn && f->geo.asn) {
		ret->asn = f->geo.asn;
		memcpy(ret->as_org, f->geo.as_org, sizeof(ret->as_org));
	}
	ret->flags |= f->geo.flags;
}

int geo_mmdb_lookup(const struct geo_db *db, const struct addr *a, struct geo *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	MMDB_lookup_result_s found;
	struct found f = {0};
	int err = MMDB_SUCCESS;

	if (a->family == ADDR_V6 && db->mmdb.metadata.ip_version == 4)
		return 0;
	if (a->family == ADDR_V6) {
		at.v6.sin6_family = AF_INET6;
		memcpy(&at.v6.sin6_addr, a->bytes, 16);
	} else {
		at.v4.sin_family = AF_INET;
		memcpy(&at.v4.sin_addr, a->bytes, 4);
	}
	found = MMDB_lookup_sockaddr(&db->mmdb, &at.any, &err);
	if (err)
		return -EINVAL;
	if (!found.found_entry)
		return 0;
	if (read_entry(&found.entry, db->groups, &f, NULL, NULL))
		return -EINVAL;
	merge(&f, ret);
	return 0;
}
