/*
 * outergate learn: trains habits, places and edges from history, without an alert.
 *
 * The history is replayed here; what it taught goes to the agent by way of the store, which merges
 * it into what it knows: at once, or when it runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "common/core/profile.h"
#include "learning.h"

#define CORE_BLOB    "core"
#define LESSONS_BLOB "lessons"

struct learning {
	struct query q;
	struct ask ask;
	bool asked; /* ask is open */
};

int learn_start(struct learning *l, struct core *core, const char *config_path)
{
	void *blob = NULL;
	size_t len = 0;
	int r;

	l->q.config = config_path;
	r = ask_open(&l->q, &l->ask);
	if (r != EXIT_FINE)
		return r;
	l->asked = true;
	r = store_get_blob(l->ask.store, CORE_BLOB, &blob, &len);
	if (r && r != -ENOENT)
		r = query_failed(l->ask.store, r);
	else if (r || core_adopt(core, blob, len))
		r = command_fail(EXIT_INPUT, "the agent has not saved anything yet: let it run "
					     "first");
	free(blob);
	return r;
}

static unsigned profiles_of(const struct core *core)
{
	unsigned n = 0;

	while (core_profile_at(core, n))
		n++;
	return n;
}

int learn_end(struct learning *l, struct core *core)
{
	size_t need = core_lessons(core, NULL, 0);
	void *blob = malloc(need ? need : 1);
	int r;

	if (!blob)
		return command_fail(EXIT_INPUT, "out of memory");
	core_lessons(core, blob, need);
	r = store_put_blob(l->ask.store, LESSONS_BLOB, blob, need);
	free(blob);
	if (r)
		return query_failed(l->ask.store, r);
	printf("%u identities and accounts in this history\n", profiles_of(core));
	return ask_agent(&l->ask, "learn", LESSONS_BLOB, "");
}

static int run(const struct command *self, int argc, char **argv)
{
	struct learning l = {0};
	int r;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--store") != 0)
			continue;
		l.q.store = argv[i + 1];
		memmove(&argv[i], &argv[i + 2], (size_t)(argc - i - 2) * sizeof(*argv));
		argc -= 2;
		break;
	}
	r = replay_learn(self, argc, argv, &l);
	if (l.asked)
		ask_close(&l.ask);
	return r;
}

const struct command command_learn = {
	.name = "learn",
	.usage = "[--source NAME] [--year YEAR] [--tz OFFSET] [--config FILE] [--geo FILE]... "
		 "[--store PATH] FILE...|-",
	.about = "trains what is usual from history, without alerts",
	.help = "  --source NAME   decoder of every line (auto)\n"
		"  --year YEAR     of times without one\n"
		"  --tz OFFSET     of times without one\n"
		"  --geo FILE      places and networks, as the agent's\n"
		"  --store PATH    another store than the configuration's\n"
		"  --config FILE   another configuration than " COMMAND_CONFIG_PATH "\n"
		"\nSessions on which something of medium or above would have fired teach only "
		"when\n"
		"the same was seen on three days, as ever. Learning the same history twice counts\n"
		"it twice.\n",
	.run = run,
};
