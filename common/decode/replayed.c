/*
 * replayed: events that `outergate replay --events` printed, read back: a decoded log can be kept,
 * cut, sorted or labelled, and still be correlated.
 *
 * Sees what event_json.c prints; line and source stay those of the first reading. Cannot see: what
 * the kernel alone told (process trees, byte counts, cookies): such records have a format of their
 * own. Whoever writes a file may write anything, so no event read back counts as the kernel's.
 *
 * Example: {"line":3,"kind":"attempt","time":"2015-12-10T06:55:48Z","service":"ssh",
 *           "outcome":"failure","account":"alice","origin":{"address":"203.0.113.9","port":4711}}
 */
#include "replayed.h"

#include "own.h"

#include "text.h"
#include "time_text.h"

#define COUNT_MAX 10000 /* as for "message repeated N times" */

bool event_is_replayed(const struct json_tree *t)
{
	return !span_empty(json_root_value(t, "kind")) && !span_empty(json_root_value(t, "line"));
}

static uint64_t number(struct span s)
{
	uint64_t v;

	return span_u64(s, &v) ? v : 0;
}

static void set_text(struct event *e, struct span name, struct span value)
{
	const struct {
		const char *name;
		struct span *at;
	} texts[] = {
		{"account", &e->account},
		{"client", &e->client},
		{"key", &e->key},
		{"host", &e->host},
		{"command", &e->args},
		{"program", &e->program},
		{"tty", &e->tty},
		{"text", &e->text},
		{"pam_service", &e->pam_service},
		{"mac", &e->mac},
		{"fingerprint", &e->fingerprint},
		{"about", &e->subject},
		{"path", &e->path},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (span_is(name, texts[i].name))
			*texts[i].at = value;
}

/* A name that no decoder here has is one of a configuration's own. */
static void set_source(struct event *e, struct span name)
{
	int source = decoder_find(name);

	if (source >= 0 && source != DECODER_own) {
		e->source = (uint16_t)source;
	} else if (own_name(name)) {
		e->source = DECODER_own;
		e->own = name;
	}
}

static void set_word(struct event *e, struct span name, struct span value)
{
	uint64_t v = number(value);

	if (span_is(name, "line") && v)
		e->line = v;
	else if (span_is(name, "outcome"))
		e->outcome = outcome_from_name(value);
	else if (span_is(name, "method"))
		e->method = method_from_name(value);
	else if (span_is(name, "source"))
		set_source(e, value);
	else if (span_is(name, "count") && v && v <= COUNT_MAX)
		e->count = (uint32_t)v;
	else if (span_is(name, "pid") && v <= UINT32_MAX)
		e->proc.pid = (uint32_t)v;
	else if (span_is(name, "parent_pid") && v <= UINT32_MAX)
		e->parent.pid = (uint32_t)v;
	else if (span_is(name, "bytes_in"))
		e->bytes_in = v;
	else if (span_is(name, "bytes_out"))
		e->bytes_out = v;
	else if (span_is(name, "time_approximate") && span_is(value, "true"))
		e->flags |= EVENT_TIME_APPROXIMATE;
	else if (span_is(name, "time_rest_ns") && v < 1000000)
		e->time_ns += v;
	else if (span_is(name, "trust"))
		e->trust = trust_from_name(value);
	else if (span_is(name, "witness"))
		e->witness = witness_from_name(value);
	else
		set_text(e, name, value);
}

static void set_endpoint(struct endpoint *to, struct span name, struct span value)
{
	uint64_t v = number(value);

	if (span_is(name, "port") && v <= UINT16_MAX)
		to->port = (uint16_t)v;
	else if (span_is(name, "address") && !addr_parse(value, &to->addr, NULL))
		to->addr = (struct addr){0};
}

static void set_windows(struct event_windows *w, struct span name, struct span value)
{
	const struct {
		const char *name;
		uint32_t *at;
	} words[] = {{"event_id", &w->id},
		     {"logon_type", &w->logon_type},
		     {"status", &w->status},
		     {"session", &w->session}};
	uint64_t v = number(value);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_is(name, words[i].name) && v <= UINT32_MAX)
			*words[i].at = (uint32_t)v;
	if (span_is(name, "logon"))
		w->logon = v;
	else if (span_is(name, "linked"))
		w->linked = v;
	else if (span_is(name, "activity"))
		w->activity = v;
	else if (span_is(name, "sid"))
		w->sid = v;
}

static void set_gateway(struct event_gateway *g, struct span name, struct span value)
{
	if (span_is(name, "told"))
		g->told = span_is(value, "true");
	else if (span_is(name, "session"))
		g->session = number(value);
	else if (span_is(name, "group"))
		g->group = value;
	else if (span_is(name, "reason"))
		g->reason = value;
	else if (span_is(name, "assigned") && !addr_parse(value, &g->assigned, NULL))
		g->assigned = (struct addr){0};
}

static void set_flag(uint32_t *flags, const struct event_flag_name *names, struct span name)
{
	for (size_t i = 0; names[i].name; i++)
		if (span_is(name, names[i].name))
			*flags |= names[i].flag;
}

static void set_api(struct event *e, struct span name, struct span value)
{
	const struct {
		const char *name;
		struct span *at;
	} texts[] = {
		{"verb", &e->subject},
		{"target", &e->path},
		{"container", &e->api.container},
		{"name", &e->api.name},
		{"pod", &e->api.pod},
		{"pod_name", &e->api.pod_name},
		{"image", &e->api.image},
		{"detail", &e->api.detail},
		{"via", &e->via},
		{"user", &e->user},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (span_is(name, texts[i].name))
			*texts[i].at = value;
	if (span_is(name, "action"))
		e->api.action = api_action_from_name(value);
	else if (span_is(name, "status") && number(value) <= INT32_MAX)
		e->result = (int32_t)number(value);
	else if (span_is(name, "anonymous"))
		e->api.anonymous = span_is(value, "true");
}

/* A member of one of the objects in the root. */
static void set_inner(struct event *e, struct span box, struct span name, struct span value)
{
	if (span_is(box, "origin"))
		set_endpoint(&e->origin, name, value);
	else if (span_is(box, "local"))
		set_endpoint(&e->local, name, value);
	else if (span_is(box, "dest"))
		set_endpoint(&e->dest, name, value);
	else if (span_is(box, "windows"))
		set_windows(&e->win, name, value);
	else if (span_is(box, "gateway"))
		set_gateway(&e->gate, name, value);
	else if (span_is(box, "flags"))
		set_flag(&e->flags, event_flag_names, value);
	else if (span_is(box, "risks"))
		set_flag(&e->api.risks, api_risk_names, value);
	else if (span_is(box, "api"))
		set_api(e, name, value);
}

static void read_members(const struct json_tree *t, struct event *e)
{
	for (unsigned i = 1; i < t->count; i++) {
		const struct json_node *n = &t->nodes[i];

		if (n->type == '{' || n->type == '[')
			continue;
		if (n->parent == 0)
			set_word(e, n->name, n->value);
		else if (n->parent < t->count && t->nodes[n->parent].parent == 0)
			set_inner(e, t->nodes[n->parent].name, n->name, n->value);
	}
}

static void keep_sound(struct event *e)
{
	if (e->trust == TRUST_KERNEL)
		e->trust = TRUST_TEXT;
	if (e->flags & EVENT_ACCOUNT_UNKNOWN)
		e->flags &= ~(uint32_t)EVENT_ACCOUNT_EXISTS;
}

enum decode_result event_from_json(struct decode_stream *s, const struct json_tree *t,
				   struct event *ret, const char **reason)
{
	struct span when = json_root_value(t, "time");
	struct time_text at;

	if (s->forced_source >= 0 && s->forced_source != DECODER_replayed) {
		*reason = "not of the source that was asked for";
		return DECODE_SKIPPED;
	}
	memset(ret, 0, sizeof(*ret));
	ret->line = s->line;
	ret->count = 1;
	ret->source = DECODER_replayed;
	ret->loginuid = ret->audit_session = UINT32_MAX;
	*reason = "an event with a kind or service that is not known";
	if (!event_from_name(json_root_value(t, "kind"), &ret->kind) || ret->kind == EVENT_TICK ||
	    (!service_from_name(json_root_value(t, "service"), &ret->service) &&
	     !span_empty(json_root_value(t, "service"))))
		return DECODE_BAD;
	*reason = "an event with a time that is none";
	if (time_take_iso(s, &when, &at))
		ret->time_ns = s->seen_ns = at.time_ns;
	else if (!span_empty(when))
		return DECODE_BAD;
	read_members(t, ret);
	keep_sound(ret);
	return DECODE_EVENT;
}

const struct decoder decoder_replayed = {
	.name = "outergate",
	.about = "events as outergate replay --events prints them",
	.example = "{\"line\":1,\"kind\":\"attempt\",\"time\":\"2015-12-10T09:32:20.000Z\","
		   "\"service\":\"ssh\",\"outcome\":\"failure\",\"account\":\"alice\","
		   "\"origin\":{\"address\":\"203.0.113.10\",\"port\":49116},\"method\":"
		   "\"password\",\"source\":\"sshd\",\"host\":\"bastion\"}",
};
