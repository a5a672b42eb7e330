/*
 * outergate alerts: what fired, newest first, live and past.
 *
 * Reads the store, never the agent: what the agent has not yet written (it commits after every
 * batch) is not seen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "query.h"

struct listing {
	bool json, headed;
	unsigned shown;
	char line[OUT_ALERT_MAX];
};

static void print_head(struct listing *l)
{
	printf("%-20s  %-8s  %-26s  %-16s  %-24s  %-13s  %6s  %-7s  %s\n", "TIME", "SEVERITY",
	       "DETECTION", "ACCOUNT", "ORIGIN", "PLACE", "COUNT", "STATE", "ID");
	l->headed = true;
}

static void print_row(struct listing *l, const struct alert *a)
{
	struct writer w;
	char count[24];

	if (!l->headed)
		print_head(l);
	writer_start(&w, l->line, sizeof(l->line));
	column_time(&w, a->last_ns ? a->last_ns : a->first_ns);
	column_text(&w, severity_name(a->severity), 8);
	column_text(&w, a->detection->id, 26);
	column_text(&w, a->account, 16);
	column_endpoint(&w, &a->origin);
	column_place(&w, &a->geo);
	snprintf(count, sizeof(count), "%6llu", (unsigned long long)a->count);
	column_text(&w, count, 6);
	column_text(&w, alert_state_name(a->state), 7);
	writer_escaped(&w, span_first(span_of(a->id), 12));
	column_end(&w);
}

static bool on_alert(void *arg, const struct alert *a)
{
	struct listing *l = arg;

	l->shown++;
	if (!l->json)
		print_row(l, a);
	else if (out_alert_json(a, &query_policy, l->line, sizeof(l->line)) > 0)
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
	err = store_alerts(s, &q.filter, on_alert, l);
	if (err)
		r = query_failed(s, err);
	else if (!l->shown && !l->json)
		puts("no alerts");
	free(l);
	store_close(s);
	return r == EXIT_FINE ? query_finish() : r;
}

const struct command command_alerts = {
	.name = "alerts",
	.usage = "[--since TIME] [--severity LEVEL] [--live] [--format json|table] [OPTION...]",
	.about = "alerts of the local store, newest first",
	.help = QUERY_FILTER_HELP,
	.run = run,
};
