/* guess_world: what the tests of guessing share: a fake atlas, a kill, slow guesses. */
#ifndef TESTS_GUESS_WORLD_H
#define TESTS_GUESS_WORLD_H

#include "detect_world.h"

#define HOUR 3600.0

static inline void nth(char out[32], unsigned net, unsigned host)
{
	snprintf(out, 32, "20.%u.%u.%u", net / 250, net % 250, host);
}

/* --- geo: the second byte of an address names its system */
static inline void fake_lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	char text[ADDR_TEXT_MAX];
	unsigned first, second;

	(void)g;
	addr_format(a, text);
	if (sscanf(text, "%u.%u.", &first, &second) != 2)
		return;
	ret->asn = 64500 + second;
	strcpy(ret->as_org, "Example Hosting");
}

static const struct geo_source fake_geo __attribute__((unused)) = {fake_lookup};

static inline struct world *world_with_geo(void)
{
	struct world *w = world_make(false);

	w->id.geo = &fake_geo;
	return world_start(w);
}

/* A kill, and a start from what was stored. */
static inline void restarted(struct world *w)
{
	size_t n = core_export(w->core, NULL, 0);
	void *blob = malloc(n);

	assert_int_equal(core_export(w->core, blob, n), n);
	core_free(w->core);
	w->core = core_new(&w->config, &w->id);
	assert_int_equal(core_import(w->core, blob, n), 0);
	free(blob);
}

/* --- auth.slow_bruteforce */
static inline void slow_guesses(struct world *w, double at, const char *origin, unsigned n,
				double gap)
{
	for (unsigned i = 0; i < n; i++)
		failed(w, at + i * gap, origin, 1000 + i, "alice");
}

static inline void spray_at(struct world *w, double at, unsigned first, unsigned n)
{
	char name[16];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		failed(w, at + i, A, 100 + i, name);
	}
}

/* --- auth.distributed */
static inline void from_networks(struct world *w, double at, unsigned n, const char *account)
{
	char origin[32];

	for (unsigned i = 0; i < n; i++) {
		nth(origin, i, 7);
		failed(w, at + i, origin, 1 + i, account);
	}
}

/* --- auth.bruteforce, reason asn */
static inline struct seen_alert *asn_alert(struct world *w)
{
	for (unsigned i = 0; i < w->alerts_used; i++)
		if (strcmp(w->alerts[i].last.reason, "asn") == 0)
			return &w->alerts[i];
	return NULL;
}

/* n failures, times each, of addresses in a network each, all of one system. */
static inline void from_system(struct world *w, double at, unsigned n, unsigned times)
{
	char origin[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(origin, sizeof(origin), "%u.9.%u.1", 20 + i / 100, i % 100);
		for (unsigned k = 0; k < times; k++)
			failed(w, at + i + k * 0.1, origin, 1 + k, "alice");
	}
}

#endif
