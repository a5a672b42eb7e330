/*
 * outergate diff: which alerts another configuration would have given.
 *
 * With files, all of the input is correlated under both. Without, the store is asked: its sessions
 * are made into events again (stored_events.c) and correlated under both, with the agent's habits
 * as they were before; that covers what is about logins and what sessions did (`rebuilt`). Of the
 * rest the store has no events, only the alerts themselves: those are judged by what each
 * configuration says of them (enabled, severity, Mode, exceptions), and a threshold that differs
 * is not tried; the command says so.
 *
 * Two alerts are one when they have one id, or are about the same at the same time: a threshold
 * that differs moves the first event, and with it the id.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "comparing.h"
#include "common/out/out_parts.h"
#include "common/out/privacy.h"
#include "input.h"
#include "query.h"
#include "stored_events.h"

#define CORE_BLOB     "core"
#define SINCE_DEFAULT "7d"
#define ROWS_MAX      1000000 /* more than a store of its largest size holds */

/* Where addresses were, as the sessions of the store say. */
struct place {
	struct addr addr;
	struct geo geo;
};

struct places {
	struct geo_source source; /* first: lookup() gets a pointer to it */
	struct place *rows;
	size_t count, cap;
};

struct comparing {
	struct query q;
	bool from_store;
	struct store *store;
	uint64_t since_ns;
	struct places places;
	unsigned sessions, alerts;
	uint32_t fed; /* sessions so far */
	/* feeding */
	struct compared *sides;
	void (*take)(void *arg, const struct event *e);
	void *take_arg;
	bool failed;
};

/* --- the store's side */

static int by_addr(const void *a, const void *b)
{
	return memcmp(&((const struct place *)a)->addr, &((const struct place *)b)->addr,
		      sizeof(struct addr));
}

static void place_lookup(const struct geo_source *g, const struct addr *a, struct geo *ret)
{
	const struct places *p = (const struct places *)(const void *)g;
	struct place key = {.addr = *a};
	const struct place *found =
		p->count ? bsearch(&key, p->rows, p->count, sizeof(*p->rows), by_addr) : NULL;

	if (found)
		*ret = found->geo;
}

const struct geo_source *compare_places(struct comparing *c)
{
	return c->from_store ? &c->places.source : NULL;
}

static bool add_place(void *arg, const struct session *s)
{
	struct comparing *c = arg;
	struct places *p = &c->places;

	c->sessions++;
	if (!s->geo.country[0] && !s->geo.asn)
		return true;
	if (p->count == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 256;
		struct place *rows = realloc(p->rows, cap * sizeof(*rows));

		c->failed = !rows;
		if (!rows)
			return false;
		p->rows = rows;
		p->cap = cap;
	}
	p->rows[p->count++] = (struct place){s->origin.addr, s->geo};
	return true;
}

static struct store_filter everything(const struct comparing *c)
{
	return (struct store_filter){.since_ns = c->since_ns, .limit = ROWS_MAX};
}

int compare_open_store(struct comparing *c, const char *old_config)
{
	struct store_filter f = everything(c);
	int r;

	c->from_store = true;
	c->q.config = old_config;
	c->places.source.lookup = place_lookup;
	r = query_open(&c->q, &c->store);
	if (r != EXIT_FINE)
		return r;
	r = store_sessions(c->store, &f, add_place, c);
	if (r)
		return query_failed(c->store, r);
	if (c->places.count)
		qsort(c->places.rows, c->places.count, sizeof(*c->places.rows), by_addr);
	return c->failed ? command_fail(EXIT_INPUT, "out of memory") : EXIT_FINE;
}

/* What the agent knew before: its habits of now without what they learned since. */
static int recall(struct comparing *c, struct core *core)
{
	void *blob = NULL;
	size_t len = 0;
	int r = store_get_blob(c->store, CORE_BLOB, &blob, &len);

	if (r)
		return r == -ENOENT ? EXIT_FINE : query_failed(c->store, r);
	if (!core_adopt(core, blob, len) && !core_take_lessons(core, blob, len))
		core_unlearn(core, c->since_ns);
	free(blob);
	return EXIT_FINE;
}

static bool feed_session(void *arg, const struct session *s)
{
	struct comparing *c = arg;

	/* They come newest first, and numbers rise with time. */
	stored_events(s, UINT32_MAX - c->fed++, c->take, c->take_arg);
	return true;
}

/* Does a session of the store hold what makes it fire? */
static bool is_rebuilt(const struct detection *d)
{
	static const char *const groups[] = {"origin.", "session."};
	static const struct detection *const single[] = {
		&detection_access_external, &detection_activity_remote_shell,
		&detection_activity_file_transfer, &detection_activity_lateral_movement,
		&detection_activity_exfiltration};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strncmp(d->id, groups[i], strlen(groups[i])))
			return true;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (single[i] == d)
			return true;
	return false;
}

static bool is_kept_back(const struct config *c, unsigned detection, const struct alert *a)
{
	for (unsigned i = 0; i < c->exceptions_count; i++)
		if (c->exceptions[i].detection == detection &&
		    core_exception_fits(&c->exceptions[i], a))
			return true;
	return false;
}

/* What a configuration says of an alert of the store; its severity was that of the old one. */
static void judge(struct comparing *c, const struct alert *a, unsigned side)
{
	const struct config *config = c->sides[side].config;
	int i = detection_find(span_of(a->detection->id));
	struct alert copy = *a;
	const struct config_detection *d, *old;

	if (i < 0)
		return;
	d = &config->detections[i];
	old = &c->sides[0].config->detections[i];
	if (!d->enabled || is_kept_back(config, (unsigned)i, a))
		return;
	if (d->has_severity)
		copy.severity = d->severity;
	else if (side && old->has_severity)
		copy.severity = a->detection->severity;
	copy.observe = d->observe;
	c->failed |= replay_table_put(c->sides[side].alerts, copy.id, &copy) != 0;
}

static bool take_alert(void *arg, const struct alert *a)
{
	struct comparing *c = arg;

	if (is_rebuilt(a->detection))
		return true;
	c->alerts++;
	for (unsigned i = 0; i < 2; i++)
		judge(c, a, i);
	return !c->failed;
}

int compare_feed(struct comparing *c, struct compared sides[2],
		 void (*take)(void *arg, const struct event *e), void *arg)
{
	struct store_filter f = everything(c);
	int r;

	c->take = take;
	c->take_arg = arg;
	for (int i = 0; i < 2; i++) {
		r = recall(c, sides[i].core);
		if (r)
			return r;
	}
	r = store_sessions(c->store, &f, feed_session, c); /* newest first; they are sorted */
	return r ? query_failed(c->store, r) : EXIT_FINE;
}

/* --- what differs */

enum change_kind {
	CHANGE_GAINED,
	CHANGE_LOST,
	CHANGE_SEVERITY,
	CHANGE_MODE,
	CHANGE_KINDS
};

static const char *const change_names[CHANGE_KINDS] = {"gained", "lost", "severity", "mode"};

struct change {
	enum change_kind kind;
	const struct alert *old, *new; /* NULL: none */
};

struct changes {
	struct change *rows;
	size_t count;
	unsigned by_kind[CHANGE_KINDS];
};

static const struct alert *any_of(const struct change *c)
{
	return c->new ? c->new : c->old;
}

static int by_time(const void *a, const void *b)
{
	const struct alert *x = any_of(a), *y = any_of(b);

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* One thing, told from another event on. */
static bool is_same(const struct alert *a, const struct alert *b)
{
	return a->detection == b->detection && a->first_ns <= b->last_ns &&
	       b->first_ns <= a->last_ns && a->service == b->service &&
	       addr_eq(&a->origin.addr, &b->origin.addr) && !strcmp(a->account, b->account) &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->session, b->session);
}

static void change_add(struct changes *c, const struct alert *old, const struct alert *new)
{
	enum change_kind k = !old			      ? CHANGE_GAINED
			     : !new			      ? CHANGE_LOST
			     : old->severity != new->severity ? CHANGE_SEVERITY
							      : CHANGE_MODE;

	if (old && new && old->severity == new->severity && old->observe == new->observe)
		return;
	c->rows[c->count++] = (struct change){k, old, new};
	c->by_kind[k]++;
}

/* Rows that the other side has none of by id. */
static size_t unmatched(const struct replay_table *t, const struct replay_table *other,
			const struct alert **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct alert *a = t->rows[i];

		if (replay_table_get(other, a->id))
			continue;
		ret[n++] = a;
	}
	return n;
}

/* What is_same() compares for equality, in an order; the reason is left to it. */
static int by_subject(const void *x, const void *y)
{
	const struct alert *a = *(const struct alert *const *)x,
			   *b = *(const struct alert *const *)y;
	int r = strcmp(a->detection->id, b->detection->id);

	if (!r)
		r = memcmp(&a->origin.addr, &b->origin.addr, sizeof(a->origin.addr));
	if (!r)
		r = strcmp(a->account, b->account);
	return r ? r : strcmp(a->session, b->session);
}

/* The first that is not before x. */
static size_t lower_bound(const struct alert **rows, size_t n, const struct alert *x)
{
	size_t low = 0;

	while (low < n) {
		size_t half = low + (n - low) / 2;

		if (by_subject(&rows[half], &x) < 0)
			low = half + 1;
		else
			n = half;
	}
	return low;
}

/* taken: as many as new, all false. */
static void pair_rest(struct changes *c, const struct alert **old, size_t olds,
		      const struct alert **new, size_t news, bool *taken)
{
	if (news)
		qsort(new, news, sizeof(const struct alert *), by_subject);
	for (size_t i = 0; i < olds; i++) {
		size_t k = lower_bound(new, news, old[i]);

		while (k < news && by_subject(&new[k], &old[i]) == 0 &&
		       (taken[k] || !is_same(old[i], new[k])))
			k++;
		if (k < news && by_subject(&new[k], &old[i]) != 0)
			k = news;
		change_add(c, old[i], k < news ? new[k] : NULL);
		if (k < news)
			taken[k] = true;
	}
	for (size_t k = 0; k < news; k++)
		if (!taken[k])
			change_add(c, NULL, new[k]);
}

static int find_changes(struct compared sides[2], struct changes *ret)
{
	const struct replay_table *old = sides[0].alerts, *new = sides[1].alerts;
	size_t all = old->count + new->count + 1;
	const struct alert **rest = calloc(all, sizeof(const struct alert *));
	bool *taken = calloc(all, sizeof(*taken));
	size_t olds, news;

	ret->rows = calloc(all, sizeof(*ret->rows));
	if (!rest || !taken || !ret->rows) {
		free(rest);
		free(taken);
		return -ENOMEM;
	}
	for (size_t i = 0; i < old->count; i++) {
		const struct alert *a = old->rows[i], *b = replay_table_get(new, a->id);

		if (b)
			change_add(ret, a, b);
	}
	olds = unmatched(old, new, rest);
	news = unmatched(new, old, rest + olds);
	pair_rest(ret, rest, olds, rest + olds, news, taken);
	free(rest);
	free(taken);
	if (ret->count)
		qsort(ret->rows, ret->count, sizeof(*ret->rows), by_time);
	return 0;
}

/* A rebuilt session tells nothing of what it was not rebuilt for. */
static void drop_others(struct replay_table *t)
{
	struct replay_table kept;
	int err = 0;

	replay_table_init(&kept, t->row_size, t->order);
	for (size_t i = 0; i < t->count; i++) {
		const struct alert *a = t->rows[i];

		if (is_rebuilt(a->detection))
			err |= replay_table_put(&kept, a->id, a);
	}
	replay_table_free(t);
	*t = kept;
	if (err)
		command_fail(EXIT_INPUT, "out of memory");
}

/* --- how it is told */

static const char *word(const struct alert *a)
{
	return !a ? "-" : severity_name(a->severity);
}

static void print_json(const struct change *c, const struct alert *a, char *buf)
{
	struct writer w;

	writer_start(&w, buf, OUT_ALERT_MAX);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "change", change_names[c->kind]);
	if (c->old)
		json_put_str(&w, "severity_before", severity_name(c->old->severity));
	if (c->new)
		json_put_str(&w, "severity", severity_name(c->new->severity));
	if (c->old && c->old->observe)
		json_put_bool(&w, "observe_before", true);
	if (c->new && c->new->observe)
		json_put_bool(&w, "observe", true);
	json_put_str(&w, "detection", a->detection->id);
	json_put_str(&w, "reason", a->reason);
	json_put_str(&w, "id", a->id);
	json_put_time(&w, "time", a->first_ns);
	json_put_str(&w, "service", service_name(a->service));
	json_put_str(&w, "account", a->account);
	part_put_endpoint(&w, "origin", &a->origin);
	json_put_u64(&w, "count", a->count);
	json_put_str(&w, "sentence", a->sentence);
	json_end(&w, '}');
	if (writer_finish_json(&w) > 0)
		puts(buf);
}

static void print_row(const struct change *c, const struct alert *a, char *buf)
{
	struct writer w;

	writer_start(&w, buf, OUT_ALERT_MAX);
	column_text(&w, change_names[c->kind], 8);
	column_text(&w,
		    c->kind == CHANGE_MODE ? (c->old->observe ? "observe" : "alert") : word(c->old),
		    8);
	column_text(&w,
		    c->kind == CHANGE_MODE ? (c->new->observe ? "observe" : "alert") : word(c->new),
		    8);
	column_time(&w, a->first_ns);
	column_text(&w, a->detection->id, 26);
	column_text(&w, a->account, 16);
	column_endpoint(&w, &a->origin);
	column_text(&w, a->reason, 16);
	column_end(&w);
}

static void print_changes(const struct changes *found, const struct compared sides[2], bool json,
			  char *buf)
{
	if (!json && found->count)
		printf("%-8s  %-8s  %-8s  %-20s  %-26s  %-16s  %-24s  %s\n", "CHANGE", "OLD", "NEW",
		       "TIME", "DETECTION", "ACCOUNT", "ORIGIN", "REASON");
	for (size_t i = 0; i < found->count; i++) {
		const struct change *c = &found->rows[i];
		struct alert shown;

		privacy_alert(any_of(c), sides[c->new ? 1 : 0].policy, &shown);
		if (json)
			print_json(c, &shown, buf);
		else
			print_row(c, &shown, buf);
	}
	fprintf(json ? stderr : stdout,
		"%zu alerts under the old, %zu under the new: %u gained, %u lost, %u of another "
		"severity, %u of another mode\n",
		sides[0].alerts->count, sides[1].alerts->count, found->by_kind[CHANGE_GAINED],
		found->by_kind[CHANGE_LOST], found->by_kind[CHANGE_SEVERITY],
		found->by_kind[CHANGE_MODE]);
}

/* What was not tried must not look as if it made no difference. */
static void say_limits(const struct comparing *c)
{
	char day[32];

	out_time(c->since_ns, day);
	fprintf(stderr,
		"%u sessions of the store since %.10s were correlated again; %u alerts about "
		"attempts, sensors,\nchanges of files and chains were judged as they stand: "
		"thresholds of those are not tried. Give log files for that.\n",
		c->sessions, day, c->alerts);
}

int compare_tell(struct comparing *c, struct compared sides[2], bool json)
{
	struct store_filter f = everything(c);
	struct changes found = {0};
	char *buf = malloc(OUT_ALERT_MAX);
	int r = 0;

	c->sides = sides;
	for (unsigned i = 0; c->from_store && i < 2; i++)
		drop_others(sides[i].alerts);
	if (c->from_store)
		r = store_alerts(c->store, &f, take_alert, c);
	if (r) {
		free(buf);
		return query_failed(c->store, r);
	}
	if (!buf || c->failed || find_changes(sides, &found)) {
		r = command_fail(EXIT_INPUT, "out of memory");
	} else {
		print_changes(&found, sides, json, buf);
		if (c->from_store)
			say_limits(c);
		r = query_finish();
	}
	free(found.rows);
	free(buf);
	return r;
}

/* Takes the options that are its own out of argv; those of replay stay. */
static int take_options(const struct command *self, int *argc, char **argv, struct comparing *c)
{
	const char *since = SINCE_DEFAULT, *v;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if ((v = option_value("--since", *argc, argv, &i)))
			since = v;
		else if ((v = option_value("--store", *argc, argv, &i)))
			c->q.store = v;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	if (!query_time(span_of(since), (uint64_t)time(NULL) * UINT64_C(1000000000), &c->since_ns))
		return command_usage(self, "--since takes 7d, 2h, a day or a time");
	return EXIT_FINE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct comparing c = {0};
	int r = take_options(self, &argc, argv, &c);

	if (r == EXIT_FINE)
		r = replay_compare(self, argc, argv, &c);
	free(c.places.rows);
	store_close(c.store);
	return r;
}

const struct command command_diff = {
	.name = "diff",
	.usage = "[--since TIME] [--store PATH] [--format text|json] [--geo FILE]... OLD NEW "
		 "[FILE...]",
	.about = "which alerts another configuration would have given",
	.help = "  OLD, NEW        configurations\n"
		"  FILE...         recorded input, as for replay: correlated under both\n"
		"  --since TIME    without FILE: what the store has since then (7d)\n"
		"  --store PATH    another store than that of OLD\n"
		"  --format json   one object a change\n"
		"  --geo FILE      places and networks for both, as for replay\n" INPUT_OPTIONS
		"\nWithout FILE, the sessions of the store are correlated again. It keeps no "
		"failed\n"
		"attempts: alerts about attempts, sensors, changes of files and chains are judged "
		"by\n"
		"what each configuration says of them (enabled, severity, Mode, exceptions), not "
		"by\n"
		"thresholds. Changes are told as gained, lost, severity or mode. Exit: 0, "
		"differences\n"
		"or not; 1 a bad configuration or input.\n",
	.run = run,
};
