/*
 * event_json: one decoded event as one JSON object (SPEC 5, replay --events), so that anybody can
 * check the decoder against labelled logs. Account names and command lines stand in full: this is
 * the input, shown to who already has it.
 *
 * After the keys of SPEC 5 follow others, each only when it says something: count, key, dest,
 * command, pid, time_approximate, and what a decoded line needs to be read back (decode/replayed.c)
 * and give the same alerts: local, program, tty, pam_service, trust, witness, flags, text, windows,
 * risks, api.
 */
#include "out_parts.h"

#include "../decode/decode.h"

/* How much of a text is shown, in bytes: all of them escaped fit into OUT_EVENT_MAX. */
#define ACCOUNT_SHOWN 1024
#define COMMAND_SHOWN 512
#define WORD_SHOWN    255
#define TEXT_SHOWN    1024
#define TARGET_SHOWN  512

static void put_command(struct writer *w, const struct event *e)
{
	char text[COMMAND_SHOWN] = "";
	size_t n = e->args.len < sizeof(text) ? e->args.len : sizeof(text);

	for (size_t i = 0; i < n; i++)
		text[i] = e->args.ptr[i] ? e->args.ptr[i] : ' ';
	while (n && text[n - 1] == ' ')
		n--;
	json_put_text(w, "command", (struct span){text, n});
}

static void put_extra(struct writer *w, const struct event *e)
{
	if (e->count > 1)
		json_put_u64(w, "count", e->count);
	json_put_text(w, "key", span_first(e->key, WORD_SHOWN));
	json_put_text(w, "fingerprint", span_first(e->fingerprint, WORD_SHOWN));
	part_put_endpoint(w, "dest", &e->dest);
	put_command(w, e);
	if (e->proc.pid)
		json_put_u64(w, "pid", e->proc.pid);
	if (e->flags & EVENT_TIME_APPROXIMATE)
		json_put_bool(w, "time_approximate", true);
}

static void put_flags(struct writer *w, const char *key, uint32_t flags,
		      const struct event_flag_name *names)
{
	bool any = false;

	for (size_t i = 0; names[i].name; i++) {
		if (!(flags & names[i].flag))
			continue;
		if (!any)
			json_begin(w, key, '[');
		any = true;
		json_put_str(w, NULL, names[i].name);
	}
	if (any)
		json_end(w, ']');
}

static void put_windows(struct writer *w, const struct event_windows *v)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"logon_type", v->logon_type},
		    {"status", v->status},
		    {"session", v->session},
		    {"logon", v->logon},
		    {"linked", v->linked},
		    {"activity", v->activity},
		    {"sid", v->sid}};

	if (!v->id)
		return;
	json_begin(w, "windows", '{');
	json_put_u64(w, "event_id", v->id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value)
			json_put_u64(w, rows[i].name, rows[i].value);
	json_end(w, '}');
}

static void put_gateway(struct writer *w, const struct event *e)
{
	char buf[ADDR_TEXT_MAX];

	if (!e->gate.told)
		return;
	json_begin(w, "gateway", '{');
	json_put_bool(w, "told", true);
	json_put_text(w, "assigned", span_of(addr_format(&e->gate.assigned, buf)));
	json_put_text(w, "group", span_first(e->gate.group, WORD_SHOWN));
	json_put_text(w, "reason", span_first(e->gate.reason, WORD_SHOWN));
	if (e->gate.session)
		json_put_u64(w, "session", e->gate.session);
	json_end(w, '}');
}

/* A gateway's end of a session, and a change: what of, and what about it. */
static void put_about(struct writer *w, const struct event *e)
{
	if (e->kind == EVENT_API || e->kind == EVENT_CONTAINER)
		return; /* its own words */
	json_put_text(w, "about", span_first(e->subject, WORD_SHOWN));
	json_put_text(w, "path", span_first(e->path, TARGET_SHOWN));
	if (e->win.id && e->parent.pid)
		json_put_u64(w, "parent_pid", e->parent.pid);
	if (!(e->win.id || e->gate.told) || (!e->bytes_in && !e->bytes_out))
		return;
	json_put_u64(w, "bytes_in", e->bytes_in);
	json_put_u64(w, "bytes_out", e->bytes_out);
}

static void put_api(struct writer *w, const struct event *e)
{
	const struct event_api *a = &e->api;

	if (e->kind != EVENT_API && e->kind != EVENT_CONTAINER)
		return;
	put_flags(w, "risks", a->risks, api_risk_names);
	json_begin(w, "api", '{');
	json_put_str(w, "action", api_action_name(a->action));
	json_put_text(w, "verb", span_first(e->subject, WORD_SHOWN));
	json_put_text(w, "target", span_first(e->path, TARGET_SHOWN));
	if (e->result > 0)
		json_put_u64(w, "status", (uint64_t)e->result);
	if (a->anonymous)
		json_put_bool(w, "anonymous", true);
	json_put_text(w, "container", span_first(a->container, WORD_SHOWN));
	json_put_text(w, "name", span_first(a->name, WORD_SHOWN));
	json_put_text(w, "pod", span_first(a->pod, WORD_SHOWN));
	json_put_text(w, "pod_name", span_first(a->pod_name, WORD_SHOWN));
	json_put_text(w, "image", span_first(a->image, WORD_SHOWN));
	json_put_text(w, "detail", span_first(a->detail, WORD_SHOWN));
	json_put_text(w, "via", span_first(e->via, WORD_SHOWN));
	json_put_text(w, "user", span_first(e->user, WORD_SHOWN));
	json_end(w, '}');
}

/* What the core looks at besides. */
static void put_rest(struct writer *w, const struct event *e)
{
	part_put_endpoint(w, "local", &e->local);
	json_put_text(w, "program", span_first(e->program, WORD_SHOWN));
	if (e->time_ns % 1000000) /* `time` has milliseconds */
		json_put_u64(w, "time_rest_ns", e->time_ns % 1000000);
	json_put_text(w, "tty", span_first(e->tty, WORD_SHOWN));
	json_put_text(w, "pam_service", span_first(e->pam_service, WORD_SHOWN));
	json_put_text(w, "mac", span_first(e->mac, WORD_SHOWN));
	if (e->trust != TRUST_TEXT)
		json_put_str(w, "trust", event_trust_name(e->trust));
	if (e->witness != WITNESS_DAEMON)
		json_put_str(w, "witness", event_witness_name(e->witness));
	put_flags(w, "flags", e->flags & ~(uint32_t)EVENT_TIME_APPROXIMATE, event_flag_names);
	if (e->trust != TRUST_KERNEL)
		json_put_text(w, "text", span_first(e->text, TEXT_SHOWN));
	put_windows(w, &e->win);
	put_gateway(w, e);
	put_about(w, e);
	put_api(w, e);
}

void part_put_event(struct writer *w, const struct event *e)
{
	json_put_u64(w, "line", e->line);
	json_put_str(w, "kind", event_name(e->kind));
	json_put_time(w, "time", e->time_ns);
	json_put_str(w, "service", service_name(e->service));
	if (e->kind == EVENT_ATTEMPT || e->outcome != OUTCOME_UNKNOWN)
		json_put_str(w, "outcome", outcome_name(e->outcome));
	json_put_text(w, "account", span_first(e->account, ACCOUNT_SHOWN));
	part_put_endpoint(w, "origin", &e->origin);
	json_put_str(w, "method", method_name(e->method));
	json_put_text(w, "client", span_first(e->client, WORD_SHOWN));
	json_put_text(w, "source", decode_source_name(e));
	json_put_text(w, "host", span_first(e->host, WORD_SHOWN));
	put_extra(w, e);
	put_rest(w, e);
}

int out_event_json(const struct event *e, char *buf, size_t cap)
{
	struct writer w;

	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	part_put_event(&w, e);
	json_end(&w, '}');
	return writer_finish_json(&w);
}
