/*
 * profiles_import: see profiles_import.h. All of the file is read before the agent is asked; it
 * takes the profiles as it takes those of `learn`. Keys of identities are hashes under a seed of
 * the host: of another host only the profiles of accounts can be taken, whose name says whose they
 * are.
 */
#include "profiles_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "common/core/core.h"
#include "profile_json.h"

#define FILE_MAX     (64u << 20)
#define LINE_MAX     16384 /* as exported */
#define CORE_BLOB    "core"
#define LESSONS_BLOB "lessons"

struct import {
	const char *path;
	struct ask ask;
	struct core *core;
	unsigned taken, foreign;
};

static int bad_line(const struct import *m, unsigned line, const char *reason)
{
	char shown[4 * PROFILE_REASON_MAX];

	if (out_escape(span_of(reason), shown, sizeof(shown)) < 0)
		shown[0] = '\0';
	return command_fail(EXIT_INPUT, "%s:%u: %s", m->path, line, shown);
}

/* Names are stored as sentences hold them: one that was cut or replaced names nobody for sure. */
static bool names_account(const char *name)
{
	size_t n = strlen(name);

	return !strchr(name, '?') && !strchr(name, ' ') && n < 44;
}

static int take(struct import *m, unsigned line, struct exported *x)
{
	char reason[PROFILE_REASON_MAX];
	int r;

	if (x->mark != core_mark(m->core)) {
		x->p.key = 0;
		if (!names_account(x->p.name)) {
			m->foreign++;
			return EXIT_FINE;
		}
	}
	r = core_add_profile(m->core, &x->p);
	if (r == -EEXIST)
		return bad_line(m, line, "the same identity a second time");
	if (r) {
		snprintf(reason, sizeof(reason), "more than Limits.Profiles (%u) profiles",
			 m->ask.config->limits.profiles);
		return bad_line(m, line, reason);
	}
	m->taken++;
	return EXIT_FINE;
}

static int take_line(struct import *m, unsigned line, struct span text)
{
	uint32_t today = (uint32_t)(time(NULL) / 86400);
	char reason[PROFILE_REASON_MAX];
	struct exported x;

	if (text.len > LINE_MAX)
		return bad_line(m, line, "a line of more than 16384 bytes");
	/* A day ahead: a clock that was wrong when it was learned. */
	if (profile_from_json(text.ptr, text.len, today + 1, &x, reason))
		return bad_line(m, line, reason);
	return take(m, line, &x);
}

static int take_lines(struct import *m, struct span text)
{
	int r = EXIT_FINE;

	for (unsigned line = 1; text.len && r == EXIT_FINE; line++) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) : text.len;
		struct span one = span_first(text, n);

		text = span_skip(text, end ? n + 1 : n);
		if (one.len)
			r = take_line(m, line, one);
	}
	return r;
}

/* A core that has the seed of the agent's, and nothing else of it. */
static int make_core(struct import *m)
{
	struct core_identity id = {.host_id = "import"};
	void *blob = NULL;
	size_t len = 0;
	int r;

	m->core = core_new(m->ask.config, &id);
	if (!m->core)
		return command_fail(EXIT_INPUT, "out of memory");
	r = store_get_blob(m->ask.store, CORE_BLOB, &blob, &len);
	if (r && r != -ENOENT)
		r = query_failed(m->ask.store, r);
	else if (r || core_adopt(m->core, blob, len))
		r = command_fail(EXIT_INPUT, "the agent has not saved anything yet: let it run "
					     "first");
	free(blob);
	return r;
}

static int hand_over(struct import *m)
{
	size_t need = core_lessons(m->core, NULL, 0);
	void *blob = malloc(need);
	int r;

	if (!blob)
		return command_fail(EXIT_INPUT, "out of memory");
	core_lessons(m->core, blob, need);
	r = store_put_blob(m->ask.store, LESSONS_BLOB, blob, need);
	free(blob);
	if (r)
		return query_failed(m->ask.store, r);
	printf("%u profiles", m->taken);
	if (m->foreign)
		printf(", and %u of keys of another host that are left out", m->foreign);
	putchar('\n');
	return ask_agent(&m->ask, "learn", LESSONS_BLOB, "");
}

static int import(struct import *m, const struct query *q)
{
	size_t len = 0;
	char *text = NULL;
	int r = command_read_file(m->path, FILE_MAX, &text, &len);

	if (r)
		return command_fail(EXIT_INPUT, "%s: %s", m->path,
				    r == -EFBIG ? "larger than 64 MiB" : strerror(-r));
	r = ask_open(q, &m->ask);
	if (r == EXIT_FINE) {
		r = make_core(m);
		if (r == EXIT_FINE)
			r = take_lines(m, (struct span){text, len});
		if (r == EXIT_FINE)
			r = hand_over(m);
		core_free(m->core);
		ask_close(&m->ask);
	}
	free(text);
	return r;
}

int profiles_import(const struct command *self, int argc, char **argv)
{
	struct import m = {0};
	struct query q;
	int r = query_parse(self, argc, argv, false, &q);

	if (r != EXIT_FINE)
		return r;
	m.path = q.word;
	return q.word ? import(&m, &q) : command_usage(self, "import what? a file is missing");
}
