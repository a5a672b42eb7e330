/*
 * outergate report: what the store holds as one HTML page to look at or to hand on: chains as
 * timelines, origins, alerts, sessions, what the sensors said of themselves.
 *
 * The page is one file: nothing is fetched, no script is run. It shows what `alerts` and `sessions`
 * show (Privacy was applied when it was stored), so it is written for its owner alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/detect/detection.h"
#include "common/out/html.h"
#include "common/out/out_parts.h"
#include "query.h"

#define ROWS_MAX    1000  /* of alerts, and of sessions, unless --limit says otherwise */
#define LIMIT_MAX   20000 /* a page that a browser can still show */
#define MOMENTS_MAX 512	  /* of one timeline */
#define CHAIN	    "chain.t1133"

struct moment {
	uint64_t time_ns;
	const char *what;
	char text[ALERT_EVIDENCE_MAX];
};

struct origin {
	struct addr addr;
	struct geo geo;
	uint64_t first_ns, last_ns;
	unsigned sessions, alerts;
	enum severity worst;
};

struct report {
	FILE *to;
	struct alert *alerts;
	struct session *sessions;
	struct origin *origins;
	unsigned alerts_n, sessions_n, origins_n, cap;
	unsigned moments_n;
	struct moment moments[MOMENTS_MAX];
	char text[2 * OUT_ALERT_MAX];
};

static bool on_alert(void *arg, const struct alert *a)
{
	struct report *r = arg;

	r->alerts[r->alerts_n++] = *a;
	return r->alerts_n < r->cap;
}

static bool on_session(void *arg, const struct session *s)
{
	struct report *r = arg;

	r->sessions[r->sessions_n++] = *s;
	return r->sessions_n < r->cap;
}

static void start(struct report *r, struct writer *w)
{
	writer_start(w, r->text, sizeof(r->text));
}

static int put(struct report *r, struct writer *w)
{
	int n = writer_finish(w);

	if (n < 0)
		return n;
	return fwrite(r->text, 1, (size_t)n, r->to) == (size_t)n ? 0 : -EIO;
}

/* --- origins */

static struct origin *origin_of(struct report *r, const struct addr *a)
{
	if (!a->family)
		return NULL;
	for (unsigned i = 0; i < r->origins_n; i++)
		if (addr_eq(&r->origins[i].addr, a))
			return &r->origins[i];
	r->origins[r->origins_n] = (struct origin){.addr = *a};
	return &r->origins[r->origins_n++];
}

static void origin_seen(struct origin *o, uint64_t first, uint64_t last, const struct geo *g,
			enum severity worst)
{
	if (!o->first_ns || (first && first < o->first_ns))
		o->first_ns = first;
	if (last > o->last_ns)
		o->last_ns = last;
	if (!o->geo.country[0] && !o->geo.asn)
		o->geo = *g;
	if (worst > o->worst)
		o->worst = worst;
}

static int by_weight(const void *a, const void *b)
{
	const struct origin *x = a, *y = b;

	if (x->worst != y->worst)
		return x->worst < y->worst ? 1 : -1;
	if (x->alerts != y->alerts)
		return x->alerts < y->alerts ? 1 : -1;
	return x->last_ns < y->last_ns ? 1 : x->last_ns > y->last_ns ? -1 : 0;
}

static int put_origins(struct report *r)
{
	char buf[ADDR_TEXT_MAX];
	struct writer w;
	int err;

	if (!r->origins)
		return -ENOMEM;
	for (unsigned i = 0; i < r->sessions_n; i++) {
		const struct session *s = &r->sessions[i];
		struct origin *o = origin_of(r, &s->origin.addr);

		if (o) {
			o->sessions++;
			origin_seen(o, s->open_ns, s->last_ns, &s->geo, s->worst);
		}
	}
	for (unsigned i = 0; i < r->alerts_n; i++) {
		const struct alert *a = &r->alerts[i];
		struct origin *o = origin_of(r, &a->origin.addr);

		if (o) {
			o->alerts++;
			origin_seen(o, a->first_ns, a->last_ns, &a->geo, a->severity);
		}
	}
	qsort(r->origins, r->origins_n, sizeof(*r->origins), by_weight);
	start(r, &w);
	html_table(&w, "Origins", "Address|Place|Worst|Alerts|Sessions|First|Last");
	err = put(r, &w);
	for (unsigned i = 0; i < r->origins_n && !err; i++) {
		const struct origin *o = &r->origins[i];

		start(r, &w);
		writer_puts(&w, "<tr>");
		html_cell(&w, addr_format(&o->addr, buf));
		html_cell_place(&w, &o->geo);
		html_cell_severity(&w, o->worst);
		html_cell_number(&w, o->alerts);
		html_cell_number(&w, o->sessions);
		html_cell_time(&w, o->first_ns);
		html_cell_time(&w, o->last_ns);
		writer_puts(&w, "</tr>\n");
		err = put(r, &w);
	}
	start(r, &w);
	html_table_end(&w, r->origins_n);
	return err ? err : put(r, &w);
}

/* --- chains */

static void moment_add(struct report *r, uint64_t time_ns, const char *what, struct span text)
{
	struct moment m = {.time_ns = time_ns, .what = what};

	span_copy(m.text, sizeof(m.text), text);
	for (unsigned i = 0; i < r->moments_n; i++)
		if (r->moments[i].time_ns == time_ns && !strcmp(r->moments[i].text, m.text))
			return; /* two alerts tell of one event */
	if (time_ns && r->moments_n < MOMENTS_MAX)
		r->moments[r->moments_n++] = m;
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static void moments_of_alert(struct report *r, const struct alert *a)
{
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++)
		moment_add(r, a->evidence[i].time_ns, event_name(a->evidence[i].kind),
			   span_of_array(a->evidence[i].text, sizeof(a->evidence[i].text)));
}

static void moments_of_session(struct report *r, const struct session *s)
{
	char text[ALERT_EVIDENCE_MAX], at[ENDPOINT_TEXT_MAX];

	snprintf(text, sizeof(text), "%s as %s from %s", service_name(s->service), s->account,
		 part_endpoint_text(&s->origin, at));
	moment_add(r, s->open_ns, "opened", span_of(text));
	for (uint32_t i = 0; i < s->commands_kept && i < SESSION_CMDS; i++)
		moment_add(r, s->commands[i].time_ns, "ran",
			   span_of_array(s->commands[i].text, sizeof(s->commands[i].text)));
	for (uint32_t i = 0; i < s->dests_kept && i < SESSION_DESTS; i++)
		moment_add(r, s->dests[i].first_ns, "went on to",
			   span_of(part_endpoint_text(&s->dests[i].dest, at)));
	moment_add(r, s->close_ns, "closed", span_of(s->account));
}

static int put_chain(struct report *r, const struct alert *chain)
{
	struct writer w;
	int err;

	r->moments_n = 0;
	moments_of_alert(r, chain);
	for (unsigned i = 0; i < r->alerts_n; i++)
		if (!strcmp(r->alerts[i].part_of, chain->id))
			moments_of_alert(r, &r->alerts[i]);
	for (unsigned i = 0; i < r->sessions_n; i++)
		if (!strcmp(r->sessions[i].alert_chain, chain->id) ||
		    (chain->session[0] && !strcmp(r->sessions[i].id, chain->session)))
			moments_of_session(r, &r->sessions[i]);
	qsort(r->moments, r->moments_n, sizeof(r->moments[0]), by_time);
	start(r, &w);
	writer_puts(&w, "<section><p>");
	html_text(&w, span_of_array(chain->sentence, sizeof(chain->sentence)));
	writer_puts(&w, "</p>\n<ol>\n");
	err = put(r, &w);
	for (unsigned i = 0; i < r->moments_n && !err; i++) {
		start(r, &w);
		html_moment(&w, r->moments[i].time_ns, r->moments[i].what,
			    span_of(r->moments[i].text));
		err = put(r, &w);
	}
	start(r, &w);
	writer_puts(&w, "</ol></section>\n");
	return err ? err : put(r, &w);
}

static int put_chains(struct report *r)
{
	unsigned n = 0;
	struct writer w;
	int err;

	start(r, &w);
	writer_puts(&w, "<h2>Intrusions</h2>\n");
	err = put(r, &w);
	for (unsigned i = 0; i < r->alerts_n && !err; i++) {
		if (strcmp(r->alerts[i].detection->id, CHAIN))
			continue;
		n++;
		err = put_chain(r, &r->alerts[i]);
	}
	if (err || n)
		return err;
	start(r, &w);
	writer_puts(&w, "<p class=\"none\">none: no chain.t1133</p>\n");
	return put(r, &w);
}

/* --- alerts, sessions */

static bool is_sensor(const struct alert *a)
{
	return !strncmp(a->detection->id, "sensor.", 7);
}

static int put_alerts(struct report *r, const char *heading, bool sensors)
{
	unsigned n = 0;
	struct writer w;
	int err;

	start(r, &w);
	html_table(&w, heading, "Last|Severity|Detection|What|Count|State|Id");
	err = put(r, &w);
	for (unsigned i = 0; i < r->alerts_n && !err; i++) {
		if (is_sensor(&r->alerts[i]) != sensors)
			continue;
		n++;
		start(r, &w);
		html_alert_row(&w, &r->alerts[i]);
		err = put(r, &w);
	}
	start(r, &w);
	html_table_end(&w, n);
	return err ? err : put(r, &w);
}

static int put_sessions(struct report *r)
{
	struct writer w;
	int err;

	start(r, &w);
	html_table(
		&w, "Sessions",
		"Opened|Closed|Service|Account|Origin|Place|Method|What it did|Bytes out|Alerts");
	err = put(r, &w);
	for (unsigned i = 0; i < r->sessions_n && !err; i++) {
		start(r, &w);
		html_session_row(&w, &r->sessions[i]);
		err = put(r, &w);
	}
	start(r, &w);
	html_table_end(&w, r->sessions_n);
	return err ? err : put(r, &w);
}

static int put_head(struct report *r)
{
	char now[32], since[32];
	uint64_t oldest = 0;
	struct writer w;

	for (unsigned i = 0; i < r->alerts_n; i++)
		if (!oldest || r->alerts[i].first_ns < oldest)
			oldest = r->alerts[i].first_ns;
	for (unsigned i = 0; i < r->sessions_n; i++)
		if (!oldest || r->sessions[i].open_ns < oldest)
			oldest = r->sessions[i].open_ns;
	start(r, &w);
	html_head(&w, "Outergate: who came in");
	writer_puts(&w, "<p>Written ");
	writer_puts(&w, out_time((uint64_t)time(NULL) * UINT64_C(1000000000), now));
	writer_puts(&w, ": ");
	writer_number(&w, r->alerts_n);
	writer_puts(&w,
		    r->alerts_n == r->cap ? " alerts (as many as --limit lets in), " : " alerts, ");
	writer_number(&w, r->sessions_n);
	writer_puts(&w, r->sessions_n == r->cap ? " sessions (as many as --limit lets in)"
						: " sessions");
	if (oldest) {
		writer_puts(&w, ", the oldest of ");
		writer_puts(&w, out_time(oldest, since));
	}
	writer_puts(&w, ". All times are UTC.</p>\n");
	return put(r, &w);
}

static int put_foot(struct report *r)
{
	struct writer w;

	start(r, &w);
	writer_puts(&w, "<p>What is hooked now, and what is not seen: <code>outergate "
			"status</code>.</p>\n");
	html_foot(&w);
	return put(r, &w);
}

static int put_page(struct report *r)
{
	int err = put_head(r);

	if (!err)
		err = put_chains(r);
	if (!err)
		err = put_alerts(r, "Sensors", true);
	if (!err)
		err = put_origins(r);
	if (!err)
		err = put_alerts(r, "Alerts", false);
	if (!err)
		err = put_sessions(r);
	return err ? err : put_foot(r);
}

/* --- the command */

static void report_free(struct report *r)
{
	if (!r)
		return;
	free(r->alerts);
	free(r->sessions);
	free(r->origins);
	free(r);
}

static struct report *report_new(unsigned cap)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cap = cap;
	r->alerts = calloc(cap, sizeof(*r->alerts));
	r->sessions = calloc(cap, sizeof(*r->sessions));
	r->origins = calloc(2 * (size_t)cap, sizeof(*r->origins));
	if (r->alerts && r->sessions && r->origins)
		return r;
	report_free(r);
	return NULL;
}

/* A file of its own, for its owner: what is there already stays, and a link is not followed. */
static int open_page(const char *path, FILE **ret)
{
	int fd;

	if (!path || !strcmp(path, "-")) {
		*ret = stdout;
		return EXIT_FINE;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return command_fail(EXIT_INPUT, "%s: %s", path,
				    errno == EEXIST ? "exists; --out wants a new file"
						    : strerror(errno));
	*ret = fdopen(fd, "w");
	if (*ret)
		return EXIT_FINE;
	close(fd);
	return command_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
}

static int close_page(FILE *f, const char *path)
{
	if (f == stdout)
		return query_finish();
	if (!ferror(f) && !fflush(f)) {
		if (!fclose(f))
			return EXIT_FINE;
	} else {
		fclose(f);
	}
	return command_fail(EXIT_INPUT, "%s: could not be written", path);
}

static int write_page(struct store *s, const struct query *q, const char *path)
{
	struct report *r = report_new(q->filter.limit);
	int err, code;

	if (!r)
		return command_fail(EXIT_INPUT, "out of memory; try a smaller --limit");
	err = store_alerts(s, &q->filter, on_alert, r);
	if (!err)
		err = store_sessions(s, &q->filter, on_session, r);
	code = err ? query_failed(s, err) : open_page(path, &r->to);
	if (code == EXIT_FINE) {
		err = put_page(r);
		code = close_page(r->to, path);
		if (code == EXIT_FINE && err)
			code = command_fail(EXIT_INPUT, "the page could not be written");
	}
	report_free(r);
	return code;
}

/* Takes --out out of the arguments; the others are those of every query. */
static int take_out(const struct command *self, int *argc, char **argv, const char **ret)
{
	int to = 1;

	*ret = NULL;
	for (int i = 1; i < *argc; i++) {
		if (!strncmp(argv[i], "--out=", 6)) {
			*ret = argv[i] + 6;
		} else if (!strcmp(argv[i], "--out")) {
			if (++i == *argc)
				return command_usage(self, "a value is missing after: --out");
			*ret = argv[i];
		} else {
			argv[to++] = argv[i];
		}
	}
	*argc = to;
	if (*ret && !**ret)
		return command_usage(self, "not a value for --out: ");
	return EXIT_FINE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct store *s = NULL;
	const char *path;
	struct query q;
	int r = take_out(self, &argc, argv, &path);

	if (r == EXIT_FINE)
		r = query_parse(self, argc, argv, true, &q);
	if (r == EXIT_FINE && q.json)
		return command_usage(self, "a page has no --format");
	if (r == EXIT_FINE)
		r = query_open(&q, &s);
	if (r != EXIT_FINE)
		return r;
	if (!q.filter.limit)
		q.filter.limit = ROWS_MAX;
	if (q.filter.limit > LIMIT_MAX)
		r = command_usage(self, "--limit: at most 20000 for a page");
	else
		r = write_page(s, &q, path);
	store_close(s);
	return r;
}

const struct command command_report = {
	.name = "report",
	.usage = "[--since TIME] [--out FILE] [OPTION...]",
	.about = "what the store holds as one HTML page: intrusions, origins, alerts, sessions",
	.help = "  --out FILE           a new file, readable by its owner alone; else standard "
		"output\n" QUERY_FILTER_HELP,
	.run = run,
};
