/*
 * outergate profiles: what identities usually do, as the agent has learned it.
 *
 * Reads the core's memory from the store, as it was last saved (the agent saves it every few
 * seconds while something changes).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "common/core/core.h"
#include "common/core/profile.h"
#include "profiles_import.h"

#define CORE_BLOB   "core"
#define PROFILE_MAX 16384 /* JSON of one */
#define DAY_NS	    (86400 * 1000000000ull)

static void put_day(struct writer *w, const char *key, uint32_t day)
{
	json_put_time(w, key, day * DAY_NS);
}

static void put_hex(struct writer *w, const char *key, uint64_t v)
{
	char hex[17];

	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)v);
	json_put_str(w, key, hex);
}

static void put_sizes(struct writer *w, const struct profile *p)
{
	json_begin(w, "sizes", '[');
	for (unsigned i = 0; i < PROFILE_SIZES; i++)
		json_put_u64(w, NULL, p->sizes[i]);
	json_end(w, ']');
}

static void put_hours(struct writer *w, const struct profile *p)
{
	json_begin(w, "hours", '[');
	for (unsigned i = 0; i < WEEK_HOURS; i++)
		json_put_u64(w, NULL, p->hours[i / 2] >> (i % 2 * 4) & 15);
	json_end(w, ']');
}

static void put_traits(struct writer *w, const struct profile *p)
{
	json_begin(w, "seen", '[');
	for (unsigned i = 0; i < TRAITS_MAX; i++) {
		const struct trait *t = &p->traits[i];

		if (!t->kind)
			continue;
		json_begin(w, NULL, '{');
		json_put_str(w, "kind", trait_kind_name(t->kind));
		json_put_str(w, "value", t->value);
		json_put_bool(w, "learned", t->learned);
		json_put_u64(w, "count", t->count);
		json_put_u64(w, "days", t->days);
		put_day(w, "first_day", t->first_day);
		put_day(w, "last_day", t->last_day);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void print_json(const struct profile *p, uint64_t mark, char *buf)
{
	struct writer w;

	writer_start(&w, buf, PROFILE_MAX);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "identity", p->name);
	put_hex(&w, "key", p->key);
	put_hex(&w, "of", mark);
	json_put_u64(&w, "logins", p->logins);
	json_put_u64(&w, "days", p->days);
	put_day(&w, "first_day", p->first_day);
	put_day(&w, "last_day", p->last_day);
	put_traits(&w, p);
	put_hours(&w, p);
	put_sizes(&w, p);
	json_end(&w, '}');
	if (writer_finish_json(&w) > 0)
		puts(buf);
}

/* The learned values of a kind, most used first would need a sort: in the order of their coming. */
static void join(const struct profile *p, enum trait_kind kind, char ret[96])
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < TRAITS_MAX; i++) {
		const struct trait *t = &p->traits[i];

		if (t->kind == kind && n < 90)
			n += (size_t)snprintf(ret + n, 96 - n, "%s%s%s", n ? "," : "", t->value,
					      t->learned ? "" : "?");
	}
}

static void print_row(const struct profile *p, bool head)
{
	static const enum trait_kind shown[] = {TRAIT_COUNTRY, TRAIT_ASN, TRAIT_NETWORK};
	char line[512], cell[96];
	struct writer w;

	if (head)
		printf("%-28s  %6s  %-20s  %-12s  %-16s  %s\n", "IDENTITY", "LOGINS", "LAST DAY",
		       "COUNTRIES", "ASNS", "NETWORKS");
	writer_start(&w, line, sizeof(line));
	column_text(&w, p->name, 28);
	snprintf(cell, sizeof(cell), "%6u", p->logins);
	column_text(&w, cell, 6);
	column_time(&w, p->last_day * DAY_NS);
	for (unsigned i = 0; i < 3; i++) {
		join(p, shown[i], cell);
		column_text(&w, cell, i == 0 ? 12 : i == 1 ? 16 : 60);
	}
	column_end(&w);
}

static bool is_wanted(const struct profile *p, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return !name || (!strncmp(p->name, name, n) && (p->name[n] == '\0' || p->name[n] == ' '));
}

static int load(const struct query *q, struct store *s, struct core **ret)
{
	struct core_identity id = {.host_id = "profiles"};
	struct config *config = calloc(1, sizeof(*config));
	size_t len = 0;
	void *blob = NULL;
	int r = config ? command_config(q->config, config)
		       : command_fail(EXIT_INPUT, "out of memory");
	int got = r == EXIT_FINE ? store_get_blob(s, CORE_BLOB, &blob, &len) : -ENOENT;

	*ret = NULL;
	if (got && got != -ENOENT)
		r = query_failed(s, got);
	if (!got) {
		*ret = core_new(config, &id);
		if (!*ret || core_import(*ret, blob, len))
			r = command_fail(EXIT_INPUT, "the saved memory is not readable by this "
						     "version");
	}
	free(blob);
	free(config);
	return r;
}

static int list(const struct query *q)
{
	char *buf = malloc(PROFILE_MAX);
	const struct profile *p;
	struct core *core = NULL;
	struct store *s = NULL;
	unsigned shown = 0;
	int r = buf ? query_open(q, &s) : command_fail(EXIT_INPUT, "out of memory");

	if (r == EXIT_FINE)
		r = load(q, s, &core);
	for (unsigned i = 0; r == EXIT_FINE && core && (p = core_profile_at(core, i)); i++) {
		if (!is_wanted(p, q->word))
			continue;
		if (q->json)
			print_json(p, core_mark(core), buf);
		else
			print_row(p, !shown);
		shown++;
	}
	if (r == EXIT_FINE && !shown && !q->json)
		puts("no profiles");
	core_free(core);
	store_close(s);
	free(buf);
	return r == EXIT_FINE ? query_finish() : r;
}

static int run(const struct command *self, int argc, char **argv)
{
	const char *forget = NULL;
	struct query q;
	struct ask a;
	int r;

	if (argc > 1 && !strcmp(argv[1], "import"))
		return profiles_import(self, argc - 1, argv + 1);
	if (argc > 2 && !strcmp(argv[1], "--forget")) {
		forget = argv[2];
		argv += 2;
		argc -= 2;
	}
	r = query_parse(self, argc, argv, false, &q);
	if (r != EXIT_FINE || !forget)
		return r == EXIT_FINE ? list(&q) : r;
	if (q.word || !forget[0])
		return command_usage(self, "--forget takes one name");
	r = ask_open(&q, &a);
	if (r == EXIT_FINE) {
		r = ask_agent(&a, "forget-habits", forget, "");
		ask_close(&a);
	}
	return r;
}

const struct command command_profiles = {
	.name = "profiles",
	.usage = "[NAME | import FILE | --forget NAME] [--format json|table] [--store PATH] "
		 "[--config FILE]",
	.about = "what identities usually do: places, hours, keys, clients",
	.help = "  NAME                 of this account only\n"
		"  --forget NAME        the agent begins to learn it anew; its alerts stay\n"
		"  --format json|table  one object a line with all of it (an export), or a table\n"
		"  import FILE          what an export says is added to what is known, all of it "
		"or\n"
		"                       nothing; the same twice counts twice. Of another host "
		"only\n"
		"                       the profiles of accounts are taken, not those of their "
		"keys.\n"
		"                       An account of the name import: profiles -- import\n"
		"\nA value with ? is not learned yet: a session with a medium alert showed "
		"it.\n" QUERY_STORE_HELP,
	.run = run,
};
