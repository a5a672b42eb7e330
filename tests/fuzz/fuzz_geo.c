/*
 * fuzz_geo: any bytes as a database of places or networks.
 *
 * Beyond memory errors it holds the reader to its word: a failure is one sentence; what a database
 * tells is within its bounds, the same when asked twice, and text is valid UTF-8 that ends.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "common/enrich/geo_db.h"
#include "common/out/writer.h"

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "not so: %s\n", #what);                                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* libmaxminddb 1.7 forgets some kilobytes when it refuses damaged metadata: once a bad version. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static void check_text(const char *text, size_t cap)
{
	struct span s = span_of_array(text, cap);
	uint32_t c;

	MUST(s.len < cap);
	while (s.len) {
		unsigned n = utf8_decode(s.ptr, s.len, &c);

		MUST(n && !utf8_hidden(c));
		s = span_skip(s, n);
	}
}

static void check_answer(const struct geo *g)
{
	MUST(g->country[0] == '\0' ||
	     (g->country[0] >= 'A' && g->country[0] <= 'Z' && g->country[1] >= 'A' &&
	      g->country[1] <= 'Z' && g->country[2] == '\0'));
	MUST(g->latitude_e4 >= -900000 && g->latitude_e4 <= 900000);
	MUST(g->longitude_e4 >= -1800000 && g->longitude_e4 <= 1800000);
	check_text(g->as_org, sizeof(g->as_org));
	check_text(g->city, sizeof(g->city));
}

static void ask(const struct geo_db *db, const char *text)
{
	struct geo first = {0}, second = {0};
	struct addr a;

	MUST(addr_parse(span_of(text), &a, NULL));
	MUST(geo_db_lookup(db, &a, &first) == geo_db_lookup(db, &a, &second));
	MUST(!memcmp(&first, &second, sizeof(first)));
	check_answer(&first);
}

/* A copy of its own, so that reading past its end is seen; and a name for libmaxminddb. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = {
		"203.0.113.9",
		"192.0.2.1",
		"198.51.100.200",
		"0.0.0.0",
		"255.255.255.255",
		"2001:db8::1",
		"2001:db8:1::7",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::1",
	};
	char err[GEO_ERROR_MAX] = "", name[32];
	int fd = memfd_create("geo", MFD_CLOEXEC);
	struct geo_db db;

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (geo_db_open(name, data, size, &db, err)) {
		MUST(err[0] && memchr(err, '\0', sizeof(err)));
		close(fd);
		return 0;
	}
	MUST(db.fields && db.kind != GEO_KIND_NONE);
	check_text(db.type, sizeof(db.type));
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		ask(&db, addresses[i]);
	geo_db_close(&db);
	close(fd);
	return 0;
}
