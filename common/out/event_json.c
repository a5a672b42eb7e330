/*
 * event_json: one decoded event as one JSON object (SPEC 5, replay --events), so that anybody can
 * check the decoder against labelled logs. Account names and command lines stand in full: this is
 * the input, shown to who already has it.
 *
 * After the keys of SPEC 5 follow count, key, dest, command, pid and time_approximate, each only
 * when it says something.
 */
#include "out_parts.h"

#include "../decode/decode.h"

/* Longest command line shown; wire records carry less. */
#define COMMAND_SHOWN 1024

static void put_command(struct writer *w, const struct event *e)
{
	char text[COMMAND_SHOWN];
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
	json_put_text(w, "key", e->key);
	part_put_endpoint(w, "dest", &e->dest);
	put_command(w, e);
	if (e->proc.pid)
		json_put_u64(w, "pid", e->proc.pid);
	if (e->flags & EVENT_TIME_APPROXIMATE)
		json_put_bool(w, "time_approximate", true);
}

int out_event_json(const struct event *e, char *buf, size_t cap)
{
	struct writer w;

	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	json_put_u64(&w, "line", e->line);
	json_put_str(&w, "kind", event_name(e->kind));
	json_put_time(&w, "time", e->time_ns);
	json_put_str(&w, "service", service_name(e->service));
	if (e->kind == EVENT_ATTEMPT || e->outcome != OUTCOME_UNKNOWN)
		json_put_str(&w, "outcome", outcome_name(e->outcome));
	json_put_text(&w, "account", e->account);
	part_put_endpoint(&w, "origin", &e->origin);
	json_put_str(&w, "method", method_name(e->method));
	json_put_text(&w, "client", e->client);
	if (e->source < DECODER_COUNT)
		json_put_str(&w, "source", decoders[e->source]->name);
	json_put_text(&w, "host", e->host);
	put_extra(&w, e);
	json_end(&w, '}');
	return writer_finish_json(&w);
}
