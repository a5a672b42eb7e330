/*
 * Databases of places and networks: every shape, every kind of damage.
 */
#include "geo_world.h"

#include <errno.h>

static uint8_t *bytes;
static size_t len;
static char err[GEO_ERROR_MAX];

static int open_at(const char *path, struct geo_db *db)
{
	free(bytes);
	bytes = geo_read(path, &len);
	memset(err, 0, sizeof(err));
	return geo_db_open(path, bytes, len, db, err);
}

static struct geo_db open_made(const char *json)
{
	struct geo_db db = {0};
	static unsigned made;
	char path[128], name[32];

	snprintf(name, sizeof(name), "made-%u", made++); /* those before may be open still */
	geo_path(path, name);
	geo_make(path, json);
	if (open_at(path, &db))
		fail_msg("%s", err);
	return db;
}

static void open_bad(const void *p, size_t n, const char *want)
{
	struct geo_db db = {.fields = 77};
	char path[128];

	geo_path(path, "bad");
	geo_write(path, p, n);
	assert_int_equal(open_at(path, &db), -EINVAL);
	if (!strstr(err, want))
		fail_msg("'%s' says nothing of '%s'", err, want);
	assert_int_equal(db.fields, 77);
}

#define NESTED                                                                                     \
	"{\"record_size\": %d, \"ip_version\": %d, \"type\": \"Test-City\", \"networks\": {"       \
	"\"203.0.113.0/24\": {\"country\": {\"iso_code\": \"NL\"}, \"location\": {\"latitude\": "  \
	"52.37, \"longitude\": -4.9, \"accuracy_radius\": 20}, \"city\": {\"names\": {\"en\": "    \
	"\"Amsterdam\", \"de\": \"x\"}}},"                                                         \
	"\"203.0.113.64/26\": {\"country\": {\"iso_code\": \"BE\"}}%s}}"

static void nested_in_every_record_size(void **state)
{
	static const int sizes[] = {24, 28, 32};
	char json[1024];

	(void)state;
	for (int version = 4; version <= 6; version += 2)
		for (unsigned i = 0; i < 3; i++) {
			struct geo_db db;
			struct geo g;

			snprintf(json, sizeof(json), NESTED, sizes[i], version,
				 version == 6 ? ",\"2001:db8::/32\": {\"country\": {\"iso_code\": "
						"\"FR\"}}"
					      : "");
			db = open_made(json);
			assert_string_equal(db.type, "Test-City");
			assert_int_equal(db.fields, GEO_FIELD_COUNTRY | GEO_FIELD_POINT);
			assert_int_equal(db.built_s, 1767225600);
			g = geo_ask(&db, "203.0.113.9");
			assert_string_equal(g.country, "NL");
			assert_string_equal(g.city, "Amsterdam");
			assert_true(g.has_point);
			assert_int_equal(g.latitude_e4, 523700);
			assert_int_equal(g.longitude_e4, -49000);
			assert_int_equal(g.radius_km, 20);
			g = geo_ask(&db, "203.0.113.64");
			assert_string_equal(g.country, "BE");
			assert_false(g.has_point);
			assert_string_equal(g.city, "");
			assert_string_equal(geo_ask(&db, "203.0.113.128").country, "NL");
			assert_string_equal(geo_ask(&db, "203.0.112.255").country, "");
			assert_string_equal(geo_ask(&db, "203.0.114.0").country, "");
			/* Folded; and in a file for IPv4 alone IPv6 is unknown, not an error. */
			assert_string_equal(geo_ask(&db, "::ffff:203.0.113.9").country, "NL");
			assert_string_equal(geo_ask(&db, "2001:db8::1").country,
					    version == 6 ? "FR" : "");
			geo_db_close(&db);
		}
}

static void flat_with_floats(void **state)
{
	struct geo_db db = open_made(
		"{\"floats\": true, \"type\": \"city ipvAll\", \"networks\": {"
		"\"192.0.2.0/24\": {\"city\": \"Z\\u00fcrich\", \"country_code\": \"CH\", "
		"\"latitude\": 47.25, \"longitude\": 8.5, \"postcode\": \"8000\"},"
		"\"198.51.100.0/24\": {\"country_code\": \"ZZ\", \"latitude\": 91.0, "
		"\"longitude\": 8.5},"
		"\"203.0.113.0/24\": {\"country_code\": \"nl\", \"latitude\": 1.5},"
		"\"203.0.114.0/24\": {\"country_code\": 7, \"latitude\": \"x\", \"longitude\": {}},"
		"\"203.0.115.0/24\": \"a text\","
		"\"203.0.116.0/24\": {\"country_code\": \"A1\", \"latitude\": 90.0, "
		"\"longitude\": -180.0}}}");
	struct geo g = geo_ask(&db, "192.0.2.77");

	(void)state;
	assert_int_equal(db.fields, GEO_FIELD_COUNTRY | GEO_FIELD_POINT);
	assert_string_equal(g.country, "CH");
	assert_string_equal(g.city, "Z\xc3\xbcrich");
	assert_int_equal(g.latitude_e4, 472500);
	assert_int_equal(g.longitude_e4, 85000);
	assert_int_equal(g.radius_km, 0);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const unusable[] = {"198.51.100.1", "203.0.113.1", "203.0.114.1",
						       "203.0.115.1"};

		g = geo_ask(&db, unusable[i]);
		assert_string_equal(g.country, "");
		assert_false(g.has_point);
	}
	g = geo_ask(&db, "203.0.116.1");
	assert_string_equal(g.country, "");
	assert_true(g.has_point);
	assert_int_equal(g.latitude_e4, 900000);
	assert_int_equal(g.longitude_e4, -1800000);
	geo_db_close(&db);
}

static void networks_and_hostile_names(void **state)
{
	struct geo_db db =
		open_made("{\"type\": \"Test-ASN\", \"networks\": {"
			  "\"192.0.2.0/24\": {\"autonomous_system_number\": 64500, "
			  "\"autonomous_system_organization\": "
			  "\"123456789012345678901234567890123456789\\u00e9 and more\"},"
			  "\"198.51.100.0/24\": {\"autonomous_system_number\": 4294967295, "
			  "\"autonomous_system_organization\": \"a\\u0000b\\nc\\u202ed\\udcffe\"},"
			  "\"203.0.113.0/24\": {\"autonomous_system_number\": 0, "
			  "\"autonomous_system_organization\": \"nobody\"}}}");
	struct geo g = geo_ask(&db, "192.0.2.1");

	(void)state;
	assert_int_equal(db.fields, GEO_FIELD_NETWORK);
	assert_int_equal(g.asn, 64500);
	assert_string_equal(g.as_org, "123456789012345678901234567890123456789");
	g = geo_ask(&db, "198.51.100.1");
	assert_int_equal(g.asn, UINT32_MAX);
	assert_string_equal(g.as_org, "a?b?c?d?e");
	g = geo_ask(&db, "203.0.113.1");
	assert_int_equal(g.asn, 0);
	assert_string_equal(g.as_org, "");
	geo_db_close(&db);
}

static void flags_of_every_name(void **state)
{
	static const struct {
		const char *json;
		uint32_t flags;
	} cases[] = {
		{"{\"is_anonymous\": true}", GEO_ANONYMOUS},
		{"{\"is_anonymous_vpn\": true}", GEO_ANONYMOUS},
		{"{\"is_public_proxy\": true}", GEO_ANONYMOUS},
		{"{\"is_residential_proxy\": true}", GEO_ANONYMOUS},
		{"{\"is_tor_exit_node\": true}", GEO_TOR},
		{"{\"is_hosting_provider\": true}", GEO_HOSTING},
		{"{\"is_anycast\": true}", GEO_ANYCAST},
		{"{\"is_satellite_provider\": true}", GEO_SATELLITE},
		{"{\"is_tor_exit_node\": false}", 0},
		{"{\"is_anonymous\": true, \"is_tor_exit_node\": true}", GEO_ANONYMOUS | GEO_TOR},
		{"{\"country\": {\"iso_code\": \"DE\"}, \"traits\": {\"is_anonymous_proxy\": true, "
		 "\"is_anycast\": true}}",
		 GEO_ANONYMOUS | GEO_ANYCAST},
	};
	char json[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct geo_db db;

		snprintf(json, sizeof(json), "{\"networks\": {\"192.0.2.0/24\": %s}}",
			 cases[i].json);
		db = open_made(json);
		assert_int_equal(geo_ask(&db, "192.0.2.1").flags, cases[i].flags);
		geo_db_close(&db);
	}
}

#define LIBLOC                                                                                     \
	"{\"format\": \"libloc\", \"networks\": {\"192.0.2.0/24\": {\"country\": \"DE\", "         \
	"\"asn\": 64500, \"as_name\": \"One\", \"flags\": 4}, \"192.0.2.128/25\": {\"country\": "  \
	"\"A1\", \"asn\": 64502, \"as_name\": \"Two\\nlines\", \"flags\": 1}, \"2001:db8::/32\": " \
	"{\"country\": \"XD\", \"asn\": 64503, \"flags\": 10}}}"

static void libloc(void **state)
{
	struct geo_db db = open_made(LIBLOC);
	struct geo g = geo_ask(&db, "192.0.2.127");

	(void)state;
	assert_int_equal(db.kind, GEO_KIND_LOC);
	assert_int_equal(db.built_s, 1767225600);
	assert_string_equal(g.country, "DE");
	assert_int_equal(g.asn, 64500);
	assert_string_equal(g.as_org, "One");
	assert_int_equal(g.flags, GEO_ANYCAST);
	assert_false(g.has_point);
	g = geo_ask(&db, "192.0.2.128");
	assert_string_equal(g.country, "");
	assert_string_equal(g.as_org, "Two?lines");
	assert_int_equal(g.flags, GEO_ANONYMOUS);
	g = geo_ask(&db, "2001:db8::1");
	assert_string_equal(g.country, "");
	assert_int_equal(g.asn, 64503);
	assert_string_equal(g.as_org, "");
	assert_int_equal(g.flags, GEO_SATELLITE | GEO_DROP);
	assert_int_equal(geo_ask(&db, "192.0.3.0").asn, 0);
	assert_int_equal(geo_ask(&db, "2001:db9::").asn, 0);
	geo_db_close(&db);
}

static void be(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void libloc_damage(void **state)
{
	static const unsigned sections[] = {28, 36, 44, 60};
	struct geo_db db = open_made(LIBLOC);
	uint8_t *good = malloc(len), *bad = malloc(len);
	size_t n = len;
	uint32_t tree;

	(void)state;
	geo_db_close(&db);
	memcpy(good, bytes, n);
	open_bad(good, 8, "cut short: 8 bytes");
	open_bad(good, 4199, "cut short");
	open_bad(good, 4200, "cut short: its tree would end");
	for (unsigned i = 0; i < 4; i++) {
		memcpy(bad, good, n);
		be(bad + sections[i] + 4, 0xfffffff0);
		open_bad(bad, n, "cut short: its");
		be(bad + sections[i], 0xffffff00);
		open_bad(bad, n, "cut short: its");
	}
	memcpy(bad, good, n);
	bad[7] = 2;
	open_bad(bad, n, "libloc version 2");
	memcpy(bad, good, n);
	be(bad + 48, 0);
	open_bad(bad, n, "empty");
	tree = (uint32_t)good[44] << 24 | (uint32_t)good[45] << 16 | (uint32_t)good[46] << 8 |
	       good[47];
	for (unsigned i = 0; i < 3; i++) {
		memcpy(bad, good, n);
		be(bad + tree + 12 + 4 * i, 0x00ffffff);
		open_bad(bad, n, "damaged: node 1 of its tree");
	}
	free(good);
	free(bad);
}

/* Cut anywhere: an error, never a fault; what is missing is the end, where a MaxMind DB begins. */
static void mmdb_damage(void **state)
{
	char json[1024];
	uint8_t *good;
	struct geo_db db;
	size_t n;

	(void)state;
	snprintf(json, sizeof(json), NESTED, 28, 6, "");
	db = open_made(json);
	geo_db_close(&db);
	good = malloc(len);
	memcpy(good, bytes, len);
	n = len;
	open_bad("", 0, "an empty file");
	open_bad("country,start,end\n", 18, "neither a MaxMind DB nor a libloc database");
	for (size_t cut = 1; cut < n; cut += 13)
		open_bad(good, n - cut, "");
	/* The tree's beginning is gone: the metadata counts more nodes than there are. */
	open_bad(good + n / 2, n - n / 2, "");
	free(good);
	snprintf(json, sizeof(json),
		 "{\"type\": \"Test-Domain\", \"networks\": {\"192.0.2.0/24\": {\"domain\": "
		 "\"x\"}}}");
	{
		char path[128];

		geo_path(path, "made");
		geo_make(path, json);
		assert_int_equal(open_at(path, &db), -EINVAL);
		assert_string_equal(err, "a database of type 'Test-Domain': it tells no country, "
					 "place, network or flag");
	}
}

/* Every byte of a small database in turn: opened or refused, and asked. */
static void mmdb_flipped_bytes(void **state)
{
	char path[128], json[1024];
	struct geo_db db;
	unsigned refused = 0;
	uint8_t *good;
	size_t n;

	(void)state;
	snprintf(json, sizeof(json), NESTED, 24, 4, "");
	db = open_made(json);
	geo_db_close(&db);
	n = len;
	good = malloc(n);
	memcpy(good, bytes, n);
	geo_path(path, "flipped");
	for (size_t i = 0; i < n; i++) {
		struct addr a = {ADDR_V4, {0}, {203, 0, 113, 9}};
		struct geo g = {0};

		good[i] ^= 0xff;
		geo_write(path, good, n);
		good[i] ^= 0xff;
		if (open_at(path, &db)) {
			refused++;
			assert_true(err[0]);
			continue;
		}
		(void)geo_db_lookup(&db, &a, &g);
		geo_db_close(&db);
	}
	assert_in_range(refused, 50, n - 50);
	free(good);
}

static void a_set_asks_in_order(void **state)
{
	static struct geo_set s;
	struct addr a = {ADDR_V4, {0}, {192, 0, 2, 1}};
	struct geo g = {0};
	uint32_t epoch;

	(void)state;
	geo_set_init(&s);
	s.source.lookup(&s.source, &a, &g);
	assert_int_equal(g.epoch, 0);
	s.dbs[1] = open_made("{\"networks\": {\"192.0.2.0/24\": {\"country_code\": \"DE\", "
			     "\"autonomous_system_number\": 64500}}}");
	geo_set_changed(&s);
	assert_int_equal(geo_set_fields(&s), GEO_FIELD_COUNTRY | GEO_FIELD_NETWORK);
	s.source.lookup(&s.source, &a, &g);
	assert_string_equal(g.country, "DE");
	epoch = g.epoch;
	assert_int_not_equal(epoch, 0);
	/* Another in front: its answer comes first, and the old one is not remembered. */
	s.dbs[0] = open_made("{\"built\": 1767225601, \"networks\": {\"192.0.2.0/24\": "
			     "{\"country_code\": \"NL\", \"is_tor_exit_node\": true}}}");
	geo_set_changed(&s);
	g = (struct geo){0};
	s.source.lookup(&s.source, &a, &g);
	assert_string_equal(g.country, "NL");
	assert_int_equal(g.asn, 64500);
	assert_int_equal(g.flags, GEO_TOR);
	assert_int_not_equal(g.epoch, epoch);
	/* The same files again are no exchange. */
	geo_db_close(&s.dbs[0]);
	geo_set_changed(&s);
	g = (struct geo){0};
	s.source.lookup(&s.source, &a, &g);
	assert_int_equal(g.epoch, epoch);
	geo_db_close(&s.dbs[1]);
}

/* Against values that were worked out by another formula (the spherical law of cosines). */
static void distances(void **state)
{
	(void)state;
	assert_int_equal(geo_distance_m(515142, -931, 356895, 1396917) / 10, 955682);
	assert_int_equal(geo_distance_m(525200, 134050, 522297, 210122), 517173);
	assert_int_equal(geo_distance_m(0, 0, 0, 0), 0);
	assert_int_equal(geo_distance_m(0, 0, 0, 1800000) / 1000, 20015);
	assert_int_equal(geo_distance_m(900000, 0, -900000, 1234567) / 1000, 20015);
	assert_int_equal(geo_distance_m(0, -1799999, 0, 1799999), 22);
	assert_int_equal(geo_distance_m(0, 0, 0, 46315), 515000);
}

/* Real files, where the machine has them. */
static void recorded_databases(void **state)
{
	static const struct {
		const char *file, *address, *country, *org;
		uint32_t asn, flags, fields;
	} cases[] = {
		{"GeoIP2-City-Test", "81.2.69.160", "GB", "", 0, 0, 3},
		{"GeoIP2-City-Test", "2001:218::1", "JP", "", 0, 0, 3},
		{"GeoIP2-Country-Test", "81.2.69.160", "GB", "", 0, 0, 1},
		{"GeoLite2-ASN-Test", "1.128.0.1", "", "Telstra Pty Ltd", 1221, 0, 4},
		{"GeoIP2-Anonymous-IP-Test", "81.2.69.160", "", "", 0,
		 GEO_ANONYMOUS | GEO_TOR | GEO_HOSTING, 8},
	};
	const char *data = getenv("OUTERGATE_DATA");
	char path[512];

	(void)state;
	if (!data) {
		fputs("OUTERGATE_DATA is not set: recorded databases are not read\n", stderr);
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct geo_db db;
		struct geo g;

		snprintf(path, sizeof(path), "%s/mmdb/%s.mmdb", data, cases[i].file);
		assert_int_equal(open_at(path, &db), 0);
		assert_int_equal(db.fields, cases[i].fields);
		g = geo_ask(&db, cases[i].address);
		assert_string_equal(g.country, cases[i].country);
		assert_string_equal(g.as_org, cases[i].org);
		assert_int_equal(g.asn, cases[i].asn);
		assert_int_equal(g.flags, cases[i].flags);
		geo_db_close(&db);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_in_every_record_size),
		cmocka_unit_test(flat_with_floats),
		cmocka_unit_test(networks_and_hostile_names),
		cmocka_unit_test(flags_of_every_name),
		cmocka_unit_test(libloc),
		cmocka_unit_test(libloc_damage),
		cmocka_unit_test(mmdb_damage),
		cmocka_unit_test(mmdb_flipped_bytes),
		cmocka_unit_test(a_set_asks_in_order),
		cmocka_unit_test(distances),
		cmocka_unit_test(recorded_databases),
	};
	int r = cmocka_run_group_tests(tests, geo_dir_make, geo_dir_remove);

	free(bytes);
	return r;
}
