/*
 * replay: recorded input through the same decoders and the same correlation as live. Deterministic:
 * no clock, no host name, no key; the same input gives the same output on every machine.
 *
 * Events are printed as they are decoded. Alerts and sessions are printed at the end of the input
 * in their final state; nothing is closed artificially. The core forgets closed ones, so their
 * last state is collected here.
 */
#include "cli/command.h"
#include "cli/geo_files.h"

#include "cli/comparing.h"
#include "cli/input.h"
#include "cli/learning.h"
#include "cli/replay_order.h"
#include "cli/replay_store.h"
#include "cli/replay_table.h"
#include "common/decode/first_bytes.h"
#include "common/core/core.h"
#include "common/out/out_parts.h"
#include "common/out/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Windows: how long a logon waits for the word that says of which service it was. */
#define SETTLE_NS      20000000000ull
#define COMPLAINTS_MAX 5

enum replay_show {
	SHOW_ALERTS,
	SHOW_EVENTS,
	SHOW_SESSIONS,
	SHOW_NOTHING /* learn: what the core knows at the end; diff: what differs */
};

struct replay {
	enum replay_show show;
	bool json;
	const struct out_schema *schema; /* NULL: what is printed is not for a collector */
	const char *config_path;
	const char *store_path; /* NULL: nothing is kept */
	const char *geo_paths[CONFIG_GEO_MAX];
	unsigned geo_count;
	struct geo_files *geo; /* NULL: none are wanted */
	struct decode_stream stream;
	struct own *own; /* what the configuration describes, or NULL */
	struct first_table first;
	struct config config;
	struct core *core; /* NULL: events only */
	struct out_policy policy;
	struct replay_table alerts, sessions;
	uint64_t read, decoded, skipped, bad;
	bool records; /* kernel records were read */
	bool ordered; /* Windows events came: the rest is taken by time, at the end */
	struct replay_order order;
	const char *path;    /* being read */
	uint64_t first_line; /* lines before it */
	unsigned complaints;
	uint64_t latest_ns;	     /* of all events; text is not always in order */
	int failed;		     /* exit code when memory ran out */
	struct learning *learning;   /* learn only */
	struct comparing *comparing; /* diff only */
	struct replay *other;	     /* diff: the same events under the new configuration */
	struct core_out out;
	char buf[OUT_RECORD_MAX];
};

static void collect(struct replay *r)
{
	int err = 0;

	for (unsigned i = 0; i < r->out.count; i++) {
		const struct core_out_item *o = &r->out.items[i];

		if (o->kind == OUT_ALERT && o->alert)
			err |= replay_table_put(&r->alerts, o->alert->id, o->alert);
		if (o->kind == OUT_SESSION && o->session)
			err |= replay_table_put(&r->sessions, o->session->id, o->session);
	}
	if (err)
		r->failed = command_fail(EXIT_INPUT, "out of memory");
}

/* Time passes: every tick that the core asked for, in order. One that asks again gets no more. */
static void tick_until(struct replay *r, uint64_t now)
{
	uint64_t at = core_next_tick(r->core), last = 0;

	while (at <= now && (at > last || r->out.count == CORE_OUT_MAX)) {
		struct event tick = {.kind = EVENT_TICK, .time_ns = at, .count = 1};

		last = at;
		core_step(r->core, &tick, &r->out);
		collect(r);
		at = core_next_tick(r->core);
	}
}

static void print_event(struct replay *r, const struct event *e)
{
	char time[32], origin[ENDPOINT_TEXT_MAX];
	struct writer w;

	if (r->schema || r->json) {
		int n = r->schema ? r->schema->event(e, &r->policy, r->buf, sizeof(r->buf))
				  : out_event_json(e, r->buf, sizeof(r->buf));

		if (n > 0)
			puts(r->buf);
		else
			r->failed = command_fail(EXIT_INPUT, "an event was too long to print");
		return;
	}
	writer_start(&w, r->buf, sizeof(r->buf));
	w.cut = true;
	writer_column(&w, e->time_ns ? out_time(e->time_ns, time) : "-", 25);
	writer_column(&w, event_name(e->kind), 17);
	writer_column(&w, outcome_name(e->outcome), 8);
	writer_puts(&w, " ");
	writer_column(&w, part_endpoint_text(&e->origin, origin), 22);
	writer_puts(&w, " ");
	writer_escaped(&w, e->account);
	writer_puts(&w, "  ");
	writer_escaped(&w, e->text);
	writer_finish(&w);
	puts(r->buf);
}

static void correlate(struct replay *r, const struct event *e)
{
	tick_until(r, e->time_ns);
	if (e->time_ns > r->latest_ns)
		r->latest_ns = e->time_ns;
	core_step(r->core, e, &r->out);
	collect(r);
}

static void hand_on(struct replay *r, const struct event *e)
{
	r->ordered |= e->source == DECODER_windows_evtx || e->source == DECODER_windows_json ||
		      e->source == DECODER_nps_file;
	if (!r->ordered)
		correlate(r, e);
	else if (replay_order_add(&r->order, e))
		r->failed = command_fail(EXIT_INPUT, "out of memory");
}

static void take_event(struct replay *r, const struct event *e)
{
	r->decoded++;
	if (r->show == SHOW_EVENTS)
		print_event(r, e);
	if (r->core)
		hand_on(r, e);
	if (r->other)
		hand_on(r->other, e);
}

/* What is bad, by file and place; after the first few only their number. */
static void complain(struct replay *r, uint64_t at, const char *reason)
{
	r->bad++;
	if (++r->complaints <= COMPLAINTS_MAX)
		fprintf(stderr, "outergate: %s:%llu: %s\n", r->path, (unsigned long long)at,
			reason);
}

static void take_result(struct replay *r, enum decode_result result, const struct event *e,
			const char *reason)
{
	r->read++;
	if (result == DECODE_EVENT)
		take_event(r, e);
	else if (result == DECODE_SKIPPED)
		r->skipped++;
	else
		complain(r, r->stream.line - r->first_line, reason);
}

static void take_line(void *arg, struct span line)
{
	struct replay *r = arg;
	const char *reason = "";
	struct event e;
	enum decode_result result = decode_line(&r->stream, line, &e, &reason);

	do
		take_result(r, result, &e, reason);
	while (decode_next(&r->stream, &e, &result, &reason));
}

static void take_record(void *arg, const void *record, size_t len, int64_t boot_to_wall_ns)
{
	struct replay *r = arg;
	const char *reason = "";
	struct event e;
	enum decode_result result;

	r->records = true;
	r->stream.boot_to_wall_ns = boot_to_wall_ns;
	r->stream.first = &r->first;
	result = decode_wire(&r->stream, record, len, &e, &reason);
	take_result(r, result, &e, reason);
}

static void take_bad(void *arg, uint64_t record, const char *reason)
{
	struct replay *r = arg;

	r->read++;
	r->stream.line++;
	complain(r, record, reason);
}

/* An alert or a session into r->buf; its length or -ENOSPC. */
static int write_row(struct replay *r, const void *row)
{
	const struct out_schema *s = r->schema;
	size_t cap = sizeof(r->buf);

	if (r->show == SHOW_ALERTS)
		return s	 ? s->alert(row, &r->policy, r->buf, cap)
		       : r->json ? out_alert_json(row, &r->policy, r->buf, cap)
				 : out_alert_line(row, &r->policy, false, r->buf, cap);
	return s	 ? s->session(row, &r->policy, r->buf, cap)
	       : r->json ? out_session_json(row, &r->policy, r->buf, cap)
			 : out_session_line(row, &r->policy, r->buf, cap);
}

static int print_all(struct replay *r)
{
	struct replay_table *t = r->show == SHOW_ALERTS ? &r->alerts : &r->sessions;

	if (r->show == SHOW_EVENTS)
		return 0;
	if (r->show == SHOW_NOTHING)
		return learn_end(r->learning, r->core);
	replay_table_sort(t);
	for (size_t i = 0; i < t->count; i++) {
		if (write_row(r, t->rows[i]) < 0)
			return command_fail(EXIT_INPUT, "an entry was too long to print");
		puts(r->buf);
	}
	return 0;
}

/*
 * Those that the configuration or the command line names. The built-in list is for the agent: a
 * replay says the same on every machine. One that cannot be read is an error, not a replay without.
 */
static int start_geo(struct replay *r)
{
	struct config *c = &r->config;

	if (c->geo_is_default)
		c->geo_databases_count = 0;
	c->geo_is_default = false;
	for (unsigned i = 0; i < r->geo_count; i++) {
		if (c->geo_databases_count == CONFIG_GEO_MAX)
			return command_fail(EXIT_USAGE, "replay: more than %u geo databases",
					    (unsigned)CONFIG_GEO_MAX);
		if (!span_copy(c->geo_databases[c->geo_databases_count++], CONFIG_PATH_MAX,
			       span_of(r->geo_paths[i])))
			return command_fail(EXIT_USAGE, "replay: --geo: the path is too long");
	}
	if (!c->geo_databases_count)
		return 0;
	r->geo = calloc(1, sizeof(*r->geo));
	if (!r->geo)
		return command_fail(EXIT_INPUT, "out of memory");
	return command_geo(r->geo, c);
}

/* The core, unless only events are wanted. Text alone proves less where records are expected. */
static int start_core(struct replay *r, int argc, char **argv)
{
	struct core_identity id = {.host_id = "replay"};
	int code;

	if (r->config_path && command_config(r->config_path, &r->config))
		return EXIT_INPUT;
	r->policy.keep_unknown_accounts = r->config.keep_unknown_accounts;
	r->policy.command_lines = (int)r->config.command_lines;
	r->policy.host_id = r->schema ? "replay" : NULL; /* which some schemas want */
	if (r->show == SHOW_EVENTS)
		return 0;
	code = start_geo(r);
	if (code)
		return code;
	id.geo = r->geo ? &r->geo->set.source : r->comparing ? compare_places(r->comparing) : NULL;
	for (int i = 0; i < argc; i++)
		id.kernel_sensor |= input_is_records(argv[i]);
	r->core = core_new(&r->config, &id);
	if (r->core && r->learning)
		return learn_start(r->learning, r->core, r->config_path);
	return r->core ? 0 : command_fail(EXIT_INPUT, "out of memory");
}

/* What did not fit into the last output, and what grew since it was told. */
static void end_core(struct replay *r)
{
	replay_order_sort(&r->order);
	for (size_t i = 0; i < r->order.count; i++)
		correlate(r, &r->order.rows[i]->e);
	tick_until(r, r->latest_ns + (r->ordered ? SETTLE_NS : 0));
	do {
		core_flush(r->core, &r->out);
		collect(r);
	} while (r->out.count == CORE_OUT_MAX);
}

/* File after file, until one cannot be read to its end. */
static int read_files(struct replay *r, int argc, char **argv)
{
	const struct input_sink sink = {take_line, take_record, take_bad, r};
	int code = 0;

	for (int i = 0; i < argc && !code && !r->failed; i++) {
		r->path = strcmp(argv[i], "-") ? argv[i] : "standard input";
		r->first_line = r->stream.line;
		code = input_read(argv[i], &sink);
		if (!code && r->stream.forced_source == DECODER_wire && !r->records)
			code = command_fail(EXIT_INPUT, "%s is no file of kernel records", argv[i]);
	}
	return code;
}

static void print_counts(const struct replay *r)
{
	fprintf(stderr, "read %llu, decoded %llu, skipped %llu, bad %llu\n",
		(unsigned long long)r->read, (unsigned long long)r->decoded,
		(unsigned long long)r->skipped, (unsigned long long)r->bad);
}

static void take_stored(void *arg, const struct event *e)
{
	take_event(arg, e);
}

static struct compared compared_of(struct replay *r)
{
	return (struct compared){&r->config, r->core, &r->alerts, &r->policy};
}

/* OLD, NEW and the files: each event goes to both cores. */
static int compare_files(struct replay *r, int argc, char **argv)
{
	struct compared sides[2];
	int code;

	r->config_path = argv[0];
	r->other->config_path = argv[1];
	memcpy(r->other->geo_paths, r->geo_paths, sizeof(r->geo_paths));
	r->other->geo_count = r->geo_count;
	code = input_own_of(argv[1], &r->own, &r->stream);
	if (code)
		return code;
	code = argc > 2 ? 0 : compare_open_store(r->comparing, argv[0]);
	if (!code)
		code = start_core(r, argc - 2, argv + 2);
	if (!code)
		code = start_core(r->other, argc - 2, argv + 2);
	if (code)
		return code;
	sides[0] = compared_of(r);
	sides[1] = compared_of(r->other);
	r->ordered = r->other->ordered = argc == 2; /* sessions overlap */
	code = argc > 2 ? read_files(r, argc - 2, argv + 2)
			: compare_feed(r->comparing, sides, take_stored, r);
	if (r->failed || r->other->failed)
		return EXIT_INPUT;
	if (code)
		return code; /* half of an input would tell of alerts lost that are not */
	end_core(r);
	end_core(r->other);
	if (r->failed || r->other->failed)
		return EXIT_INPUT;
	code = compare_tell(r->comparing, sides, r->json);
	if (argc > 2)
		print_counts(r);
	return code;
}

/* What was read before something went wrong is told, too; the exit code says that it is not all. */
static int replay_files(struct replay *r, int argc, char **argv)
{
	int code, end = 0;

	if (r->comparing)
		return compare_files(r, argc, argv);
	code = start_core(r, argc, argv);
	if (code)
		return code;
	code = read_files(r, argc, argv);
	if (r->failed)
		return r->failed;
	if (code && !r->read)
		return code;
	if (r->core)
		end_core(r);
	end = r->failed ? r->failed : print_all(r);
	if (!end && r->store_path)
		end = replay_keep(r->store_path, &r->policy, &r->alerts, &r->sessions);
	if (!end && (fflush(stdout) || ferror(stdout)))
		end = command_fail(EXIT_INPUT, "cannot write to standard output");
	if (!end)
		print_counts(r);
	return end ? end : code;
}

static const struct {
	const char *option;
	enum replay_show show;
} shows[] = {
	{"--alerts", SHOW_ALERTS},
	{"--events", SHOW_EVENTS},
	{"--sessions", SHOW_SESSIONS},
};

static bool show_option(struct replay *r, const char *arg)
{
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++)
		if (!strcmp(arg, shows[i].option)) {
			r->show = shows[i].show;
			return true;
		}
	return false;
}

static int unknown_schema(const struct command *self)
{
	const struct out_schema *s;
	char names[128];
	struct writer w;

	writer_start(&w, names, sizeof(names));
	writer_puts(&w, "--schema is one of:");
	for (unsigned i = 0; (s = out_schema_at(i)); i++) {
		writer_puts(&w, " ");
		writer_puts(&w, s->name);
	}
	writer_finish(&w);
	return command_usage(self, names);
}

/* One option at argv[*i]; an exit code. */
static int read_option(const struct command *self, struct replay *r, int argc, char **argv, int *i)
{
	const char *v;
	int n;

	if (!r->comparing && show_option(r, argv[*i]))
		return 0;
	if (!r->comparing && (v = option_value("--config", argc, argv, i))) {
		r->config_path = v;
		return 0;
	}
	if (!r->comparing && !r->learning && (v = option_value("--store", argc, argv, i))) {
		r->store_path = v;
		return 0;
	}
	if (!r->comparing && !r->learning && (v = option_value("--schema", argc, argv, i))) {
		r->schema = out_schema_named(span_of(v));
		return r->schema ? 0 : unknown_schema(self);
	}
	if ((v = option_value("--geo", argc, argv, i))) {
		if (r->geo_count == CONFIG_GEO_MAX)
			return command_usage(self, "too many --geo");
		r->geo_paths[r->geo_count++] = v;
		return 0;
	}
	if ((v = option_value("--format", argc, argv, i))) {
		r->json = !strcmp(v, "json");
		return r->json || !strcmp(v, "text")
			       ? 0
			       : command_usage(self, "--format is json or text");
	}
	n = input_option(self, argc, argv, i, &r->stream);
	if (n)
		return n < 0 ? EXIT_USAGE : 0;
	command_fail(EXIT_USAGE, "%s: unknown option or missing value: %s; see outergate %s --help",
		     self->name, argv[*i], self->name);
	return EXIT_USAGE;
}

static int replay_run(const struct command *self, struct replay *r, int argc, char **argv)
{
	int files = 0, code = 0;
	bool options = true;

	if (!r->comparing)
		code = input_own(argc, argv, &r->own, &r->stream);
	for (int i = 1; i < argc && !code; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			code = read_option(self, r, argc, argv, &i);
		else
			argv[files++] = argv[i]; /* files move to the front */
	}
	if (code)
		return code;
	if (r->comparing && files < 2)
		return command_usage(self, "two configurations are needed");
	if (r->schema && !r->json)
		return command_usage(self, "--format text is for people, --schema for a collector");
	if (r->store_path && r->show == SHOW_EVENTS)
		return command_usage(self, "--store keeps alerts and sessions; --events has none");
	if (!files)
		return command_usage(self, "no file given");
	code = r->store_path ? replay_keep_try(r->store_path) : 0;
	return code ? code : replay_files(r, files, argv);
}

static struct replay *replay_new(void)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->json = true;
	r->stream.forced_source = -1;
	config_defaults(&r->config);
	replay_table_init(&r->alerts, sizeof(struct alert), replay_alert_order);
	replay_table_init(&r->sessions, sizeof(struct session), replay_session_order);
	return r;
}

static void replay_free(struct replay *r)
{
	if (!r)
		return;
	replay_order_free(&r->order);
	replay_table_free(&r->alerts);
	replay_table_free(&r->sessions);
	core_free(r->core);
	own_free(r->own);
	if (r->geo)
		geo_files_close(r->geo);
	free(r->geo);
	free(r);
}

static int run_as(const struct command *self, int argc, char **argv, struct learning *learning,
		  struct comparing *comparing)
{
	struct replay *r = replay_new();
	int code = EXIT_INPUT;

	if (r && comparing)
		r->other = replay_new();
	if (!r || (comparing && !r->other)) {
		command_fail(EXIT_INPUT, "out of memory");
	} else {
		r->learning = learning;
		r->comparing = comparing;
		if (learning || comparing)
			r->show = SHOW_NOTHING;
		if (r->other) {
			r->other->comparing = comparing;
			r->other->show = SHOW_NOTHING;
			r->json = false;
		}
		code = replay_run(self, r, argc, argv);
	}
	if (r)
		replay_free(r->other);
	replay_free(r);
	return code;
}

static int run(const struct command *self, int argc, char **argv)
{
	return run_as(self, argc, argv, NULL, NULL);
}

int replay_learn(const struct command *self, int argc, char **argv, struct learning *learning)
{
	return run_as(self, argc, argv, learning, NULL);
}

int replay_compare(const struct command *self, int argc, char **argv, struct comparing *c)
{
	return run_as(self, argc, argv, NULL, c);
}

const struct command command_replay = {
	.name = "replay",
	.usage = "[--source NAME] [--events|--sessions|--alerts] [--format json|text] "
		 "[--schema NAME] [--year YEAR] [--tz OFFSET] [--config FILE] [--geo FILE]... "
		 "[--store NEW] FILE...|-",
	.about = "decode and correlate recorded input; the same input gives the same output",
	.help = "  --alerts        every alert in its final state (default)\n"
		"  --sessions      every session in its final state\n"
		"  --events        every event as it is decoded\n"
		"  --format text   lines for people instead of JSON Lines\n"
		"  --schema NAME   as a collector is sent it: outergate, ecs, ocsf or cef\n"
		"  --config FILE   thresholds and lists; default: the built-in ones\n"
		"  --geo FILE      a database of places or networks, beside those of the "
		"configuration;\n"
		"                  without either there are none\n"
		"  --store NEW     keep alerts and sessions in a new store, for alerts, sessions "
		"and\n"
		"                  explain with --store NEW\n" INPUT_OPTIONS
		"Counts of what was read go to standard error.\n",
	.run = run,
};
