/*
 * session_json: one session as one JSON object, one line: who came from where, how, for how long,
 * what ran and where it went on to.
 *
 * `stages` are those its own record proves: attempts (failures of the same source before it),
 * access, anomaly (a detection of that stage fired on it), activity. Byte counts that no sensor
 * saw are said to be unknown, never zero.
 */
#include "out_parts.h"

#include "privacy.h"

static void put_who(struct writer *w, const struct session *s)
{
	char assigned[ADDR_TEXT_MAX];

	json_put_str(w, "id", s->id);
	json_put_str(w, "state", session_state_name(s->state));
	json_put_bool(w, "existing", s->existing);
	json_put_bool(w, "proven", s->proven);
	json_put_str(w, "service", service_name(s->service));
	part_put_origin(w, &s->origin, s->scope, s->origin_source, &s->geo, &s->via);
	part_put_endpoint(w, "origin_claimed", &s->claimed);
	part_put_endpoint(w, "local", &s->local);
	json_put_str(w, "account", s->account);
	json_put_str(w, "effective_account", s->effective_account);
	json_put_str(w, "method", method_name(s->method));
	json_put_bool(w, "method_inferred", s->method_inferred);
	json_put_str(w, "key", s->key);
	json_put_str(w, "client", s->client);
	json_put_str(w, "fingerprint", s->fingerprint);
	json_put_str(w, "container", s->container);
	json_put_str(w, "container_name", s->container_name);
	json_put_str(w, s->elsewhere ? "told_by" : "image", s->image);
	if (s->by_gateway) {
		json_begin(w, "gateway", '{');
		json_put_str(w, "assigned", addr_format(&s->gate.assigned, assigned));
		json_put_text(w, "group", span_of_array(s->gate.group, sizeof(s->gate.group)));
		json_end(w, '}');
	}
	if (s->by_vpn) {
		json_begin(w, "vpn", '{');
		json_put_str(w, "session", s->vpn.session);
		json_put_str(w, "account", s->vpn.account);
		json_end(w, '}');
	}
	json_put_str(w, s->service == SERVICE_RDGATEWAY ? "target" : "pod", s->pod);
}

static void put_when(struct writer *w, const struct session *s)
{
	json_put_time(w, "connected", s->conn_open_ns);
	json_put_time(w, "open", s->open_ns);
	json_put_time(w, "close", s->close_ns);
	json_put_time(w, "last_time", s->last_ns);
	if (s->reconnects)
		json_put_u64(w, "reconnects", s->reconnects);
	if (s->bytes_known) {
		json_put_u64(w, "bytes_in", s->bytes_in);
		json_put_u64(w, "bytes_out", s->bytes_out);
	} else {
		json_put_str(w, "bytes", "unknown");
	}
}

/* Who started it for the session; nothing when it did so itself. */
static void put_via(struct writer *w, const struct session *s, uint32_t via)
{
	char text[SESSION_VIA_MAX];

	if (via)
		json_put_str(w, "via", session_via(s, via, text));
}

static void put_handoffs(struct writer *w, const struct session *s)
{
	if (!s->handoffs_total)
		return;
	json_put_u64(w, "handoffs_total", s->handoffs_total);
	json_begin(w, "handoffs", '[');
	for (uint32_t i = 0; i < s->handoffs_kept && i < SESSION_HANDOFFS; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		json_begin(w, NULL, '{');
		json_put_time(w, "time", h->time_ns);
		json_put_str(w, "kind", handoff_name(h->kind));
		json_put_str(w, "by", h->by);
		json_put_str(w, "to", h->to);
		json_put_u64(w, "count", h->count);
		json_put_str(w, "state", handoff_state_name(h->state));
		if (h->state != HANDOFF_ASKED) {
			json_put_str(w, "what", h->what);
			json_put_u64(w, "pid", h->pid);
			json_put_time(w, "born", h->born_ns);
			json_put_u64(w, "after_ms", part_after_ms(h));
		}
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_commands(struct writer *w, const struct session *s)
{
	json_put_u64(w, "processes", s->processes);
	json_put_u64(w, "commands_total", s->commands_total);
	json_begin(w, "commands", '[');
	for (uint32_t i = 0; i < s->commands_kept && i < SESSION_CMDS; i++) {
		const struct session_command *c = &s->commands[i];

		json_begin(w, NULL, '{');
		json_put_time(w, "time", c->time_ns);
		json_put_text(w, "text", span_of_array(c->text, sizeof(c->text)));
		json_put_u64(w, "uid", c->uid);
		json_put_u64(w, "pid", c->proc.pid);
		put_via(w, s, c->via);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_destination(struct writer *w, const struct session *s, const struct session_dest *d)
{
	char buf[ADDR_TEXT_MAX];

	json_begin(w, NULL, '{');
	json_put_str(w, "address", addr_format(&d->dest.addr, buf));
	json_put_u64(w, "port", d->dest.port);
	if (d->source.family) {
		json_put_str(w, "source_address", addr_format(&d->source, buf));
		json_begin(w, "source_ports", '[');
		for (unsigned i = 0; i < 2 && i < d->count; i++)
			if (d->source_ports[i])
				json_put_u64(w, NULL, d->source_ports[i]);
		json_end(w, ']');
	}
	json_put_str(w, "service", service_name(d->service));
	if (d->scope != SCOPE_NONE)
		json_put_str(w, "scope", scope_name(d->scope));
	json_put_u64(w, "count", d->count);
	json_put_str(w, "program", d->program);
	json_put_time(w, "time", d->first_ns);
	json_put_time(w, "last_time", d->last_ns);
	json_put_u64(w, "bytes_in", d->bytes_in);
	json_put_u64(w, "bytes_out", d->bytes_out);
	put_via(w, s, d->via);
	json_end(w, '}');
}

static void put_destinations(struct writer *w, const struct session *s)
{
	json_put_u64(w, "destinations_total", s->dests_total);
	json_begin(w, "destinations", '[');
	for (uint32_t i = 0; i < s->dests_kept && i < SESSION_DESTS; i++)
		put_destination(w, s, &s->dests[i]);
	json_end(w, ']');
}

static void put_listens(struct writer *w, const struct session *s)
{
	char buf[ADDR_TEXT_MAX];

	if (!s->listens_total)
		return;
	json_put_u64(w, "listens_total", s->listens_total);
	json_begin(w, "listens", '[');
	for (uint32_t i = 0; i < s->listens_kept && i < SESSION_LISTENS; i++) {
		json_begin(w, NULL, '{');
		json_put_str(w, "address", addr_format(&s->listens[i].at.addr, buf));
		json_put_u64(w, "port", s->listens[i].at.port);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_judgement(struct writer *w, const struct session *s)
{
	struct session_stage stages[SESSION_STAGES];

	part_session_stages(s, stages);
	json_begin(w, "stages", '[');
	for (unsigned i = 0; i < SESSION_STAGES; i++)
		if (stages[i].seen)
			json_put_str(w, NULL, stages[i].name);
	json_end(w, ']');
	json_put_u64(w, "failures_before", s->failures_before);
	json_put_u64(w, "alerts", s->fired);
	if (s->fired)
		json_put_str(w, "severity", severity_name(s->worst));
	json_put_str(w, "chain", s->alert_chain);
}

void part_put_session(struct writer *w, const struct session *s)
{
	put_who(w, s);
	put_when(w, s);
	put_commands(w, s);
	put_destinations(w, s);
	put_listens(w, s);
	put_handoffs(w, s);
	put_judgement(w, s);
}

int out_session_json(const struct session *s, const struct out_policy *p, char *buf, size_t cap)
{
	struct session shown;
	struct writer w;

	privacy_session(s, p, &shown);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	part_put_host(&w, p);
	part_put_session(&w, &shown);
	json_end(&w, '}');
	return writer_finish_json(&w);
}
