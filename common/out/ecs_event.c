/*
 * ecs_event: one event in Elastic Common Schema; see schema_ecs.c. Of an event whose kind the
 * schema has no words for, host and info are said; outergate.event has all of it.
 */
#include "ecs_parts.h"

#include "../decode/decode.h"

/* What a kind of event is in the schema's words. */
struct ecs_kind {
	const char *category, *type; /* one or two each, separated by a space */
};

static const struct ecs_kind ecs_kinds[EVENT_COUNT] = {
	[EVENT_CONNECTION] = {"network", "connection start"},
	[EVENT_CONNECTION_CLOSE] = {"network", "connection end"},
	[EVENT_BYTES] = {"network", "connection info"},
	[EVENT_ATTEMPT] = {"authentication", "start"},
	[EVENT_AUTH_NOTE] = {"authentication", "info"},
	[EVENT_PAM] = {"authentication", "info"},
	[EVENT_SESSION_OPEN] = {"authentication session", "start"},
	[EVENT_SESSION_CLOSE] = {"authentication session", "end"},
	[EVENT_LISTEN] = {"network", "start"},
	[EVENT_FORK] = {"process", "start"},
	[EVENT_EXEC] = {"process", "start"},
	[EVENT_EXIT] = {"process", "end"},
	[EVENT_CONNECT] = {"network", "connection start"},
	[EVENT_CONNECT_CLOSE] = {"network", "connection end"},
	[EVENT_SNAPSHOT] = {"process", "info"},
	[EVENT_CONTAINER] = {"process", "start"},
	[EVENT_LOOPBACK] = {"network", "connection start"},
	[EVENT_HANDOFF] = {"process", "info"},
	[EVENT_SERVER_SHELL] = {"process", "start"},
	[EVENT_CLIENT] = {"network", "protocol"},
	[EVENT_PROXY_HEADER] = {"network", "protocol"},
	[EVENT_FILE] = {"file", "change"},
	[EVENT_MFA] = {"authentication", "info"},
	[EVENT_EXPOSURE] = {"network", "info"},
	[EVENT_CLOUD_ADDRESS] = {"configuration", "creation"},
};

static const char *const api_types[API_ACTION_COUNT] = {
	[API_OTHER] = "info",	   [API_HARMLESS] = "info", [API_READ] = "access",
	[API_CREATE] = "creation", [API_START] = "start",   [API_EXEC] = "access",
	[API_CHANGE] = "change",
};

static struct ecs_kind kind_of(const struct event *e)
{
	if (e->kind == EVENT_API)
		return (struct ecs_kind){"api", e->outcome == OUTCOME_REFUSED ? "denied"
						: (unsigned)e->api.action < API_ACTION_COUNT
							? api_types[e->api.action]
							: "info"};
	if ((unsigned)e->kind < EVENT_COUNT && ecs_kinds[e->kind].category)
		return ecs_kinds[e->kind];
	return (struct ecs_kind){"host", "info"};
}

static const char *outcome_of(const struct event *e)
{
	if (e->outcome == OUTCOME_SUCCESS)
		return "success";
	return e->outcome == OUTCOME_UNKNOWN ? "unknown" : "failure";
}

static void put_event(struct writer *w, const struct event *e, const char *id)
{
	struct ecs_kind k = kind_of(e);
	struct span source = decode_source_name(e);
	char code[12];
	struct writer d;

	json_begin(w, "event", '{');
	json_put_str(w, "kind", "event");
	ecs_put_words(w, "category", k.category);
	ecs_put_words(w, "type", k.type);
	json_put_str(w, "action", event_name(e->kind));
	json_put_str(w, "outcome", outcome_of(e));
	json_put_str(w, "id", id);
	json_put_str(w, "module", MODULE);
	json_put_str(w, "dataset", MODULE ".event");
	json_put_text(w, "provider", span_empty(source) ? span_of(MODULE) : source);
	if (e->win.id) {
		writer_start(&d, code, sizeof(code));
		writer_number(&d, e->win.id);
		writer_finish(&d);
		json_put_str(w, "code", code);
	}
	if (e->line)
		json_put_u64(w, "sequence", e->line);
	json_put_time(w, "start", e->opened_ns);
	json_end(w, '}');
}

/* Who does it, of events that are about a program. */
static bool has_process(const struct event *e)
{
	return e->proc.pid || e->kind == EVENT_EXEC || e->kind == EVENT_SNAPSHOT ||
	       e->kind == EVENT_SERVER_SHELL;
}

static void put_process(struct writer *w, const struct event *e)
{
	char command[RECORD_COMMAND_MAX];
	bool path = !span_empty(e->program) && (*e->program.ptr == '/' || *e->program.ptr == '\\');

	json_begin(w, "process", '{');
	if (e->proc.pid)
		json_put_u64(w, "pid", e->proc.pid);
	json_put_text(w, "name", span_base(e->program));
	if (path)
		json_put_text(w, "executable", e->program);
	json_put_text(w, "command_line", record_command(e->args, command));
	if (e->kind == EVENT_EXIT && e->result >= 0)
		json_put_u64(w, "exit_code", (uint64_t)e->result);
	if (e->parent.pid) {
		json_begin(w, "parent", '{');
		json_put_u64(w, "pid", e->parent.pid);
		json_end(w, '}');
	}
	if (e->service != SERVICE_NONE && e->origin.addr.family)
		ecs_put_entry(w, e->service, &e->origin.addr);
	json_end(w, '}');
}

static bool is_sha256(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
			return false;
	return s.len == 64;
}

static void put_file(struct writer *w, const struct event *e)
{
	json_begin(w, "file", '{');
	json_put_text(w, "path", e->path);
	json_put_text(w, "name", span_base(e->path));
	if (is_sha256(e->after)) {
		json_begin(w, "hash", '{');
		json_put_text(w, "sha256", e->after);
		json_end(w, '}');
	}
	json_end(w, '}');
}

/* Docker is asked by methods of HTTP, a cluster by verbs of its own. */
static void put_request(struct writer *w, const struct event *e)
{
	if (e->service == SERVICE_DOCKER || e->result > 0) {
		json_begin(w, "http", '{');
		if (e->service == SERVICE_DOCKER && !span_empty(e->subject)) {
			json_begin(w, "request", '{');
			json_put_text(w, "method", e->subject);
			json_end(w, '}');
		}
		if (e->result > 0) {
			json_begin(w, "response", '{');
			json_put_u64(w, "status_code", (uint64_t)e->result);
			json_end(w, '}');
		}
		json_end(w, '}');
	}
	if (!span_empty(e->path)) {
		json_begin(w, "url", '{');
		json_put_text(w, "original", e->path);
		json_end(w, '}');
	}
	if (!span_empty(e->client)) {
		json_begin(w, "user_agent", '{');
		json_put_text(w, "original", e->client);
		json_end(w, '}');
	}
}

static void put_ends(struct writer *w, const struct event *e)
{
	bool out = e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_CLOSE;
	bool bytes = record_has_bytes(e);
	const struct endpoint *from = out ? &e->local : &e->origin;
	const struct endpoint *to =
		out || e->kind == EVENT_LOOPBACK || e->kind == EVENT_LISTEN ? &e->dest : &e->local;

	ecs_put_end(w, (struct ecs_end){.key = "source",
					.at = from,
					.bytes_known = bytes,
					.bytes = out ? e->bytes_out : e->bytes_in,
					.mac = e->mac});
	ecs_put_end(w, (struct ecs_end){.key = "destination",
					.at = to,
					.bytes_known = bytes,
					.bytes = out ? e->bytes_in : e->bytes_out});
	ecs_put_network(w, e->service, out ? &e->dest.addr : &e->origin.addr, out, bytes,
			e->bytes_in + e->bytes_out);
	ecs_put_service(w, e->service);
}

static void put_things(struct writer *w, const struct event *e)
{
	bool kernel = e->trust == TRUST_KERNEL && e->kind == EVENT_EXEC;

	ecs_put_user(w, span_empty(e->account) ? e->user : e->account, (struct span){0}, kernel,
		     e->uid);
	if (has_process(e))
		put_process(w, e);
	if (e->kind == EVENT_FILE && !span_empty(e->path))
		put_file(w, e);
	if (e->kind == EVENT_API)
		put_request(w, e);
	if (e->kind == EVENT_API || e->kind == EVENT_CONTAINER || e->kind == EVENT_EXEC ||
	    e->kind == EVENT_PAM)
		ecs_put_container(w, e->api.container, e->api.name, e->api.image, e->api.pod_name);
}

static void relate(struct ecs_related *r, const struct event *e)
{
	ecs_relate_addr(r, &e->origin.addr);
	ecs_relate_addr(r, &e->local.addr);
	ecs_relate_addr(r, &e->dest.addr);
	ecs_relate_user(r, e->account);
	ecs_relate_user(r, e->user);
}

int ecs_event(const struct event *given, const struct out_policy *p, char *buf, size_t cap)
{
	struct ecs_related related = {0};
	struct privacy_texts texts;
	char id[ID_TEXT_MAX];
	struct event e, all;
	struct writer w;

	privacy_event(given, p, &all, &texts);
	e = all;
	record_bound_texts(&e);
	relate(&related, &e);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ecs_put_base(&w, p, e.time_ns);
	if (e.trust != TRUST_KERNEL)
		json_put_text(&w, "message", span_first(e.text, PRIVACY_EVENT_TEXT));
	put_event(&w, &e, event_id(given, p, id));
	ecs_put_host(&w, p, e.host);
	put_ends(&w, &e);
	put_things(&w, &e);
	ecs_put_related(&w, &related, p);
	json_begin(&w, MODULE, '{');
	json_begin(&w, "event", '{');
	part_put_event(&w, &all);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}
