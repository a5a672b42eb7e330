/*
 * outergate sessions: who was in, newest first, live and past.
 *
 * Reads the store, never the agent: a session appears as of its last change that was written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "query.h"

struct listing {
	bool json, headed;
	unsigned shown;
	char line[OUT_SESSION_MAX];
};

static void print_head(struct listing *l)
{
	printf("%-20s  %-9s  %-8s  %-16s  %-24s  %-13s  %-12s  %-8s  %-8s  %s\n", "OPENED", "STATE",
	       "SERVICE", "ACCOUNT", "ORIGIN", "PLACE", "METHOD", "COMMANDS", "SEVERITY", "ID");
	l->headed = true;
}

static void print_row(struct listing *l, const struct session *s)
{
	struct writer w;
	char count[24];

	if (!l->headed)
		print_head(l);
	writer_start(&w, l->line, sizeof(l->line));
	column_time(&w, s->open_ns);
	column_text(&w, session_state_name(s->state), 9);
	column_text(&w, service_name(s->service), 8);
	column_text(&w, s->account, 16);
	column_endpoint(&w, &s->origin);
	column_place(&w, &s->geo);
	column_text(&w, method_name(s->method), 12);
	snprintf(count, sizeof(count), "%8u", s->commands_total);
	column_text(&w, count, 8);
	column_text(&w, s->fired ? severity_name(s->worst) : "", 8);
	writer_escaped(&w, span_first(span_of(s->id), 12));
	column_end(&w);
}

static bool on_session(void *arg, const struct session *s)
{
	struct listing *l = arg;

	l->shown++;
	if (!l->json)
		print_row(l, s);
	else if (out_session_json(s, &query_policy, l->line, sizeof(l->line)) > 0)
		puts(l->line);
	return !ferror(stdout);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct listing *l;
	struct store *s = NULL;
	struct query q;
	int err, r = query_parse(self, argc, argv, true, &q);

	if (r == EXIT_FINE)
		r = query_open(&q, &s);
	if (r != EXIT_FINE)
		return r;
	l = calloc(1, sizeof(*l));
	if (!l) {
		store_close(s);
		return command_fail(EXIT_INPUT, "out of memory");
	}
	l->json = q.json;
	err = store_sessions(s, &q.filter, on_session, l);
	if (err)
		r = query_failed(s, err);
	else if (!l->shown && !l->json)
		puts("no sessions");
	free(l);
	store_close(s);
	return r == EXIT_FINE ? query_finish() : r;
}

const struct command command_sessions = {
	.name = "sessions",
	.usage = "[--since TIME] [--account NAME] [--live] [--format json|table] [OPTION...]",
	.about = "sessions of the local store, newest first",
	.help = QUERY_FILTER_HELP,
	.run = run,
};
