/*
 * outergate alerts: what fired, newest first, live and past; and a person's word about one.
 *
 * Reads the store, never the agent: what the agent has not yet written (it commits after every
 * batch) is not seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

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

/* One alert by the beginning of its id. */
struct match {
	char id[ID_TEXT_MAX];
	unsigned count;
};

static bool on_match(void *arg, const struct alert *a)
{
	struct match *m = arg;

	memcpy(m->id, a->id, sizeof(m->id));
	return ++m->count < 2;
}

static int whole_id(struct store *s, const char *word, char ret[ID_TEXT_MAX])
{
	struct store_filter f = {.id = span_of(word), .limit = 2};
	struct match m = {0};
	int r = store_alerts(s, &f, on_match, &m);

	if (r)
		return query_failed(s, r);
	if (m.count != 1)
		return command_fail(EXIT_INPUT,
				    m.count ? "more than one alert has an id that begins so"
					    : "no alert has an id that begins so");
	memcpy(ret, m.id, ID_TEXT_MAX);
	return EXIT_FINE;
}

/* alerts ack|close|note ID [--expected] [--note TEXT] */
struct word {
	const char *verb, *id, *note;
	bool expected;
	struct query q;
};

static int parse_word(const struct command *self, int argc, char **argv, struct word *ret)
{
	*ret = (struct word){.verb = argv[1], .note = ""};
	for (int i = 2; i < argc; i++) {
		bool value = i + 1 < argc;

		if (!strcmp(argv[i], "--expected"))
			ret->expected = true;
		else if (!strcmp(argv[i], "--note") && value)
			ret->note = argv[++i];
		else if (!strcmp(argv[i], "--store") && value)
			ret->q.store = argv[++i];
		else if (!strcmp(argv[i], "--config") && value)
			ret->q.config = argv[++i];
		else if (argv[i][0] != '-' && !ret->id)
			ret->id = argv[i];
		else if (argv[i][0] != '-' && !strcmp(ret->verb, "note") && !ret->note[0])
			ret->note = argv[i];
		else
			return command_usage(self, "unexpected argument");
	}
	if (!ret->id)
		return command_usage(self, "which alert?");
	if (!strcmp(ret->verb, "note") && !ret->note[0])
		return command_usage(self, "which note?");
	return EXIT_FINE;
}

static int say_word(const struct command *self, int argc, char **argv)
{
	char id[ID_TEXT_MAX];
	struct word w;
	struct ask a;
	int r = parse_word(self, argc, argv, &w);

	if (r == EXIT_FINE)
		r = ask_open(&w.q, &a);
	if (r != EXIT_FINE)
		return r;
	r = whole_id(a.store, w.id, id);
	if (r == EXIT_FINE && w.expected)
		r = ask_agent(&a, "expect", id, "");
	if (r == EXIT_FINE)
		r = ask_agent(&a, w.verb, id, w.note);
	ask_close(&a);
	return r;
}

static bool is_word(const char *s)
{
	return !strcmp(s, "ack") || !strcmp(s, "close") || !strcmp(s, "note");
}

static int run(const struct command *self, int argc, char **argv)
{
	struct listing *l;
	struct store *s = NULL;
	struct query q;
	int err, r;

	if (argc > 1 && is_word(argv[1]))
		return say_word(self, argc, argv);
	r = query_parse(self, argc, argv, true, &q);
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
	.usage = "[ack|close|note ID ...] [--since TIME] [--severity LEVEL] [--live] "
		 "[--format json|table] [OPTION...]",
	.about = "alerts of the local store, newest first; or a word about one",
	.help = QUERY_FILTER_HELP
	"\n  ack ID [--expected] [--note TEXT]    somebody looks at it\n"
	"  close ID [--expected] [--note TEXT]  it is over; what comes again is a new alert\n"
	"  note ID TEXT                         a note on it\n"
	"  --expected                           what its session did is learned as usual\n",
	.run = run,
};
