/*
 * outergate explain ID: the whole story of an alert, or of a session with its alerts.
 *
 * The id may be cut (at least 4 characters) as long as it names one thing; what it could mean is
 * listed otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define MATCHES_MAX 8 /* as many as are listed */

struct story {
	struct store *store;
	const char *word;
	bool json;
	unsigned alerts, sessions; /* how many match, up to MATCHES_MAX + 1 */
	bool exact;		   /* one matches to the last character */
	struct config config;	   /* whose numbers are in force */
	struct alert alert;	   /* the match, when there is one */
	struct session session;	   /* the match, or the alert's session */
	bool has_session;
	char listed[MATCHES_MAX][2 * ID_TEXT_MAX + 32];
	char text[OUT_ALERT_MAX + OUT_SESSION_MAX];
};

static void list_match(struct story *s, const char *kind, const char *id, const char *what)
{
	unsigned n = s->alerts + s->sessions;

	if (n < MATCHES_MAX)
		snprintf(s->listed[n], sizeof(s->listed[n]), "  %-8s %.32s %.32s", kind, id, what);
}

static bool on_alert(void *arg, const struct alert *a)
{
	struct story *s = arg;

	list_match(s, "alert", a->id, a->detection->id);
	s->alerts++;
	s->alert = *a;
	s->exact = !strcmp(a->id, s->word);
	return !s->exact && s->alerts <= MATCHES_MAX;
}

static bool on_session(void *arg, const struct session *x)
{
	struct story *s = arg;

	list_match(s, "session", x->id, service_name(x->service));
	s->sessions++;
	s->session = *x;
	s->has_session = true;
	s->exact = !strcmp(x->id, s->word);
	return !s->exact && s->sessions <= MATCHES_MAX;
}

/* Sets exactly one of alerts and sessions to 1, or says why it cannot. */
static int find(struct story *s)
{
	struct store_filter f = {.id = span_of(s->word), .limit = 1000};
	char word[4 * 64 + 1];
	int r = store_alerts(s->store, &f, on_alert, s);

	if (!r && !s->exact)
		r = store_sessions(s->store, &f, on_session, s);
	if (r)
		return query_failed(s->store, r);
	if (s->exact) {
		s->alerts = s->has_session ? 0 : 1;
		s->sessions = s->has_session ? 1 : 0;
		return EXIT_FINE;
	}
	if (s->alerts + s->sessions == 1)
		return EXIT_FINE;
	if (out_escape(span_first(span_of(s->word), 64), word, sizeof(word)) < 0)
		word[0] = '\0';
	if (s->alerts + s->sessions == 0)
		return command_fail(EXIT_INPUT, "no alert or session has an id that begins with %s",
				    word);
	command_fail(EXIT_INPUT, "%s is the beginning of more than one id:", word);
	for (unsigned i = 0; i < s->alerts + s->sessions && i < MATCHES_MAX; i++)
		fprintf(stderr, "%s\n", s->listed[i]);
	return EXIT_INPUT;
}

static bool take_session(void *arg, const struct session *x)
{
	struct story *s = arg;

	s->session = *x;
	s->has_session = true;
	return false;
}

static bool print_alert_line(void *arg, const struct alert *a)
{
	struct story *s = arg;
	int n = s->json ? out_alert_json(a, &query_policy, s->text, sizeof(s->text))
			: out_alert_line(a, &query_policy, false, s->text, sizeof(s->text));

	if (n > 0)
		printf("%s%s\n", s->json ? "" : "  ", s->text);
	return true;
}

static int tell_alert(struct story *s)
{
	struct store_filter f = {.session = span_of(s->alert.session)};
	int n, r = 0;

	s->has_session = false;
	if (s->alert.session[0])
		r = store_sessions(s->store, &f, take_session, s);
	if (r)
		return query_failed(s->store, r);
	if (s->json) {
		print_alert_line(s, &s->alert);
		return EXIT_FINE;
	}
	n = out_alert_explain(&s->alert, s->has_session ? &s->session : NULL, &s->config,
			      &query_policy, s->text, sizeof(s->text));
	if (n < 0)
		return command_fail(EXIT_INPUT, "the story is too long to print");
	fputs(s->text, stdout);
	return EXIT_FINE;
}

static int tell_session(struct story *s)
{
	struct store_filter f = {.session = span_of(s->session.id)};
	int r, n = s->json ? out_session_json(&s->session, &query_policy, s->text, sizeof(s->text))
			   : out_session_explain(&s->session, &query_policy, s->text,
						 sizeof(s->text));

	if (n < 0)
		return command_fail(EXIT_INPUT, "the story is too long to print");
	puts(s->text + (*s->text == '\n'));
	if (!s->json)
		puts("Alerts");
	r = store_alerts(s->store, &f, print_alert_line, s);
	return r ? query_failed(s->store, r) : EXIT_FINE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct story *s;
	struct query q;
	int r = query_parse(self, argc, argv, false, &q);

	if (r != EXIT_FINE)
		return r;
	if (!q.word)
		return command_usage(self, "which alert or session?");
	s = calloc(1, sizeof(*s));
	if (!s)
		return command_fail(EXIT_INPUT, "out of memory");
	s->word = q.word;
	s->json = q.json;
	r = command_config(q.config, &s->config);
	if (r == EXIT_FINE)
		r = query_open(&q, &s->store);
	if (r == EXIT_FINE) {
		r = find(s);
		if (r == EXIT_FINE)
			r = s->alerts ? tell_alert(s) : tell_session(s);
		store_close(s->store);
	}
	free(s);
	return r == EXIT_FINE ? query_finish() : r;
}

const struct command command_explain = {
	.name = "explain",
	.usage = "[--format json|text] [--store PATH] [--config FILE] ID",
	.about = "the whole story of an alert or a session",
	.help = "  ID                   id of an alert or a session; its first characters (4 or "
		"more) do\n"
		"  --format json|text   one object a line, or text (text)\n" QUERY_STORE_HELP,
	.run = run,
};
