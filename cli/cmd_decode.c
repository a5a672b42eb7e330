/*
 * decode: which decoder takes a line and every field it finds, or why none does. For whoever
 * wonders why a line was not counted, and for the tests of the decoders.
 */
#include "cli/command.h"

#include "cli/input.h"
#include "common/out/out_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line at its bound, every byte escaped, in several fields. */
#define DECODE_SHOWN_MAX (DECODE_LINE_MAX * 24)

struct decode_job {
	struct decode_stream stream;
	bool json;
	bool undecoded; /* a line became no event */
	char buf[DECODE_SHOWN_MAX];
};

/* One place that names the fields; as JSON or as "  name  value". */
struct shown {
	struct writer w;
	bool json;
};

static void show_span(struct shown *x, const char *name, struct span value)
{
	if (x->json) {
		json_put_text(&x->w, name, value);
	} else if (!span_empty(value)) {
		writer_puts(&x->w, "  ");
		writer_column(&x->w, name, 12);
		writer_puts(&x->w, " ");
		writer_escaped(&x->w, value);
		writer_puts(&x->w, "\n");
	}
}

static void show(struct shown *x, const char *name, const char *value)
{
	show_span(x, name, span_of(value));
}

static void show_number(struct shown *x, const char *name, uint64_t value)
{
	char text[24];

	if (x->json) {
		json_put_u64(&x->w, name, value);
	} else {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
		show(x, name, text);
	}
}

static void show_endpoint(struct shown *x, const char *name, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	if (x->json)
		part_put_endpoint(&x->w, name, e);
	else if (e->addr.family != ADDR_NONE)
		show(x, name, part_endpoint_text(e, text));
}

static void show_flags(struct shown *x, uint32_t flags)
{
	if (x->json)
		json_begin(&x->w, "flags", '[');
	for (size_t i = 0; event_flag_names[i].name; i++) {
		if (!(flags & event_flag_names[i].flag))
			continue;
		if (x->json)
			json_put_str(&x->w, NULL, event_flag_names[i].name);
		else
			show(x, "flag", event_flag_names[i].name);
	}
	if (x->json)
		json_end(&x->w, ']');
}

static void show_windows(struct shown *x, const struct event_windows *w)
{
	if (!w->id)
		return;
	show_number(x, "event_id", w->id);
	show_number(x, "logon_type", w->logon_type);
	show_number(x, "status", w->status);
	show_number(x, "session", w->session);
	show_number(x, "logon", w->logon);
	show_number(x, "linked", w->linked);
}

static void show_gateway(struct shown *x, const struct event_gateway *g)
{
	char assigned[ADDR_TEXT_MAX];

	if (!g->told && span_empty(g->reason))
		return;
	show(x, "assigned", addr_format(&g->assigned, assigned));
	show_span(x, "group", g->group);
	show_span(x, "why", g->reason);
	if (g->session)
		show_number(x, "gateway_session", g->session);
}

static void show_api(struct shown *x, const struct event *e)
{
	char risks[160] = "";

	if (e->kind != EVENT_API)
		return;
	show(x, "action", api_action_name(e->api.action));
	show_span(x, "verb", e->subject);
	show_span(x, "target", e->path);
	show_number(x, "status", (uint64_t)e->result);
	for (size_t i = 0; api_risk_names[i].name; i++)
		if (e->api.risks & api_risk_names[i].flag)
			snprintf(risks + strlen(risks), sizeof(risks) - strlen(risks), "%s%s",
				 *risks ? "," : "", api_risk_names[i].name);
	show(x, "risks", risks);
	show(x, "anonymous", e->api.anonymous ? "true" : "");
	show_span(x, "container", e->api.container);
	show_span(x, "pod", e->api.pod);
	show_span(x, "image", e->api.image);
	show_span(x, "detail", e->api.detail);
	show_span(x, "via", e->via);
	show_span(x, "user", e->user);
}

/* What a change or a gateway's session is about, and what a sensor says. */
static void show_about(struct shown *x, const struct event *e)
{
	if (e->kind == EVENT_API)
		return;
	show_span(x, "about", e->subject);
	show_span(x, "path", e->path);
	if (e->parent.pid)
		show_number(x, "parent_pid", e->parent.pid);
	if (e->bytes_in || e->bytes_out) {
		show_number(x, "bytes_in", e->bytes_in);
		show_number(x, "bytes_out", e->bytes_out);
	}
	if (e->kind == EVENT_SENSOR)
		show_span(x, "text", e->text);
}

static void show_event(struct shown *x, const struct event *e)
{
	char time[32];

	show_span(x, "decoder", decode_source_name(e));
	show(x, "kind", event_name(e->kind));
	if (e->time_ns)
		show(x, "time", out_time(e->time_ns, time));
	show(x, "service", service_name(e->service));
	show(x, "outcome", outcome_name(e->outcome));
	show_span(x, "account", e->account);
	show_endpoint(x, "origin", &e->origin);
	show_endpoint(x, "local", &e->local);
	show_endpoint(x, "dest", &e->dest);
	show(x, "method", method_name(e->method));
	show_span(x, "key", e->key);
	show_span(x, "client", e->client);
	show_span(x, "mac", e->mac);
	show_number(x, "count", e->count);
	show_span(x, "host", e->host);
	show_span(x, "program", e->program);
	show_number(x, "pid", e->proc.pid);
	show_span(x, "pam_service", e->pam_service);
	show_span(x, "tty", e->tty);
	show_span(x, "args", e->args);
	show_windows(x, &e->win);
	show_gateway(x, &e->gate);
	show_about(x, e);
	show_api(x, e);
	show(x, "trust", event_trust_name(e->trust));
	show(x, "witness", event_witness_name(e->witness));
	show_flags(x, e->flags);
}

static const char *result_name(enum decode_result r)
{
	return r == DECODE_EVENT ? "event" : r == DECODE_SKIPPED ? "skipped" : "bad";
}

static void show_one(struct decode_job *job, enum decode_result r, const struct event *e,
		     const char *reason)
{
	struct shown x = {.json = job->json};

	writer_start(&x.w, job->buf, sizeof(job->buf));
	if (x.json)
		json_begin(&x.w, NULL, '{');
	show_number(&x, "line", job->stream.line);
	show(&x, "result", result_name(r));
	if (r == DECODE_EVENT)
		show_event(&x, e);
	else
		show(&x, "reason", reason);
	job->undecoded |= r != DECODE_EVENT;
	if (x.json)
		json_end(&x.w, '}');
	if ((x.json ? writer_finish_json(&x.w) : writer_finish(&x.w)) >= 0)
		puts(job->buf);
}

static void decode_one(void *arg, struct span line)
{
	struct decode_job *job = arg;
	const char *reason = "";
	struct event e = {0};
	enum decode_result r = decode_line(&job->stream, line, &e, &reason);

	do
		show_one(job, r, &e, reason);
	while (decode_next(&job->stream, &e, &r, &reason));
}

static void refuse_record(void *arg, const void *record, size_t len, int64_t offset)
{
	(void)record, (void)len, (void)offset;
	((struct decode_job *)arg)->undecoded = true;
}

/* All arguments that are no options, in order. */
static int decode_all(struct decode_job *job, int argc, char **argv, int i)
{
	const struct input_sink sink = {decode_one, refuse_record, NULL, job};
	int r = 0;

	for (; i < argc && !r; i++) {
		if (!strcmp(argv[i], "-"))
			r = input_read("-", &sink);
		else
			decode_one(job, span_of(argv[i]));
	}
	return r ? r : job->undecoded ? EXIT_INPUT : EXIT_FINE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct decode_job *job = calloc(1, sizeof(*job));
	struct own *own = NULL;
	const char *v;
	int i, r = 0;

	if (!job)
		return command_fail(EXIT_INPUT, "out of memory");
	job->stream.forced_source = -1;
	r = input_own(argc, argv, &own, &job->stream);
	for (i = 1; i < argc && !r && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if ((v = option_value("--format", argc, argv, &i))) {
			job->json = !strcmp(v, "json");
			if (!job->json && strcmp(v, "text") != 0)
				r = command_usage(self, "--format is json or text");
			continue;
		}
		if (option_value("--config", argc, argv, &i)) /* read before */
			continue;
		r = input_option(self, argc, argv, &i, &job->stream);
		r = r < 0 ? EXIT_USAGE : r > 0 ? 0 : command_usage(self, "unknown option");
	}
	if (!r)
		r = i < argc ? decode_all(job, argc, argv, i)
			     : command_usage(self, "no line given");
	own_free(own);
	free(job);
	return r;
}

const struct command command_decode = {
	.name = "decode",
	.usage = "[--format json|text] [--config FILE] [--source NAME] [--year YEAR] [--tz OFFSET] "
		 "LINE...|-",
	.about = "which decoder takes a line and every field, or why none does",
	.help = "  --format json   one object a line\n"
		"  --config FILE   its Decoders, too\n" INPUT_OPTIONS
		"Exit: 0 when every line became an event, 1 when one did not.\n",
	.run = run,
};
