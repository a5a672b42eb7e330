/*
 * schema_ecs: Elastic Common Schema 9.4, one JSON object a line.
 *
 * Alerts are event.kind alert (intrusion_detection), sessions and events are event.kind event with
 * the category and type that the schema expects of what happened. event.id is the same whenever a
 * record is sent again: use it as the document's _id. What the schema has no field for stands
 * under outergate.alert, outergate.session and outergate.event, as in the product's own JSON.
 */
#include "ecs_parts.h"

static void put_alert_event(struct writer *w, const struct alert *a)
{
	char id[RECORD_ID_MAX], code[8];
	struct writer d;

	writer_start(&d, code, sizeof(code));
	writer_number(&d, a->detection->number);
	writer_finish(&d);
	json_begin(w, "event", '{');
	json_put_str(w, "kind", "alert");
	ecs_put_words(w, "category",
		      !strcmp(a->detection->stage, "sensor") ? "host" : "intrusion_detection");
	ecs_put_words(w, "type", "info");
	json_put_str(w, "action", a->detection->id);
	json_put_str(w, "code", code);
	json_put_str(w, "id", record_alert_id(a, id));
	json_put_u64(w, "sequence", a->revision);
	json_put_str(w, "module", MODULE);
	json_put_str(w, "dataset", MODULE ".alert");
	json_put_str(w, "provider", MODULE);
	json_put_text(w, "reason",
		      span_of_array(*a->reason ? a->reason : a->numbers,
				    *a->reason ? sizeof(a->reason) : sizeof(a->numbers)));
	json_put_time(w, "start", a->first_ns);
	json_put_time(w, "end", a->last_ns);
	ecs_put_weight(w, a->severity);
	json_end(w, '}');
}

static void put_rule(struct writer *w, const struct detection *d)
{
	char uuid[OUT_MESSAGE_ID_MAX];

	json_begin(w, "rule", '{');
	json_put_str(w, "id", d->id);
	json_put_str(w, "name", d->title);
	json_put_str(w, "uuid", out_message_id(d->number, uuid));
	json_put_str(w, "version", OUTERGATE_VERSION);
	json_put_str(w, "category", d->stage);
	json_put_str(w, "ruleset", MODULE);
	json_end(w, '}');
}

/* The techniques of a row: those with a dot are sub-techniques, and their first part a technique.
 */
static void put_techniques(struct writer *w, const char *attack)
{
	struct span rest = span_of(attack), word, seen = {0};
	bool sub = false;

	json_begin(w, "technique", '{');
	json_begin(w, "id", '[');
	while (record_word(&rest, &word)) {
		const char *dot = memchr(word.ptr, '.', word.len);
		struct span one = dot ? span_first(word, (size_t)(dot - word.ptr)) : word;

		sub |= dot != NULL;
		if (!span_eq(one, seen))
			json_put_text(w, NULL, one);
		seen = one;
	}
	json_end(w, ']');
	if (sub) {
		json_begin(w, "subtechnique", '{');
		json_begin(w, "id", '[');
		for (rest = span_of(attack); record_word(&rest, &word);)
			if (memchr(word.ptr, '.', word.len))
				json_put_text(w, NULL, word);
		json_end(w, ']');
		json_end(w, '}');
	}
	json_end(w, '}');
}

static void put_threat(struct writer *w, const struct detection *d)
{
	struct span rest = span_of(d->tactic), word;

	if (!d->attack || !*d->attack)
		return;
	json_begin(w, "threat", '{');
	json_put_str(w, "framework", "MITRE ATT&CK");
	if (d->tactic && *d->tactic) {
		json_begin(w, "tactic", '{');
		ecs_put_words(w, "id", d->tactic);
		json_begin(w, "name", '[');
		while (record_word(&rest, &word))
			json_put_str(w, NULL, record_tactic_name(word));
		json_end(w, ']');
		json_end(w, '}');
	}
	put_techniques(w, d->attack);
	json_end(w, '}');
}

static void put_tags(struct writer *w, const struct alert *a)
{
	if (!a->learning && !a->observe && !a->test)
		return;
	json_begin(w, "tags", '[');
	json_put_str(w, NULL, a->learning ? "learning" : "");
	json_put_str(w, NULL, a->observe ? "observe" : "");
	json_put_str(w, NULL, a->test ? "test" : "");
	json_end(w, ']');
}

static int alert(const struct alert *given, const struct out_policy *p, char *buf, size_t cap)
{
	struct ecs_related related = {0};
	struct alert a;
	struct writer w;

	privacy_alert(given, p, &a);
	ecs_relate_addr(&related, &a.origin.addr);
	ecs_relate_addr(&related, &a.local.addr);
	ecs_relate_addr(&related, &a.via.addr);
	ecs_relate_user(&related, span_of_array(a.account, sizeof(a.account)));
	ecs_relate_user(&related, span_of_array(a.effective_account, sizeof(a.effective_account)));
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ecs_put_base(&w, p, a.last_ns ? a.last_ns : a.first_ns);
	json_put_text(&w, "message", span_of_array(a.sentence, sizeof(a.sentence)));
	put_tags(&w, &a);
	put_alert_event(&w, &a);
	put_rule(&w, a.detection);
	put_threat(&w, a.detection);
	ecs_put_host(&w, p, (struct span){0});
	ecs_put_end(&w, (struct ecs_end){.key = "source", .at = &a.origin, .geo = &a.geo});
	ecs_put_end(&w, (struct ecs_end){.key = "destination", .at = &a.local});
	ecs_put_network(&w, a.service, &a.origin.addr, false, false, 0);
	ecs_put_service(&w, a.service);
	ecs_put_user(&w, span_of_array(a.account, sizeof(a.account)),
		     span_of_array(a.effective_account, sizeof(a.effective_account)), false, 0);
	ecs_put_related(&w, &related, p);
	json_begin(&w, MODULE, '{');
	json_begin(&w, "alert", '{');
	part_put_alert_rest(&w, &a, p);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}

static void put_session_event(struct writer *w, const struct session *s)
{
	static const char *const types[] = {"start", "info", "end"};
	static const char *const actions[] = {"session-opened", "session-lingering",
					      "session-closed"};
	char id[RECORD_ID_MAX];
	unsigned i = (unsigned)s->state <= SESSION_CLOSED ? (unsigned)s->state : 1;

	json_begin(w, "event", '{');
	json_put_str(w, "kind", "event");
	ecs_put_words(w, "category", "session");
	ecs_put_words(w, "type", types[i]);
	json_put_str(w, "action", actions[i]);
	json_put_str(w, "outcome", "success");
	json_put_str(w, "id", record_session_id(s, id));
	json_put_str(w, "module", MODULE);
	json_put_str(w, "dataset", MODULE ".session");
	json_put_str(w, "provider", MODULE);
	json_put_time(w, "start", s->open_ns);
	json_put_time(w, "end", s->close_ns);
	if (s->open_ns && s->close_ns >= s->open_ns)
		json_put_u64(w, "duration", s->close_ns - s->open_ns);
	if (s->fired)
		ecs_put_weight(w, s->worst);
	json_end(w, '}');
}

static void put_session_ends(struct writer *w, const struct session *s)
{
	ecs_put_end(w, (struct ecs_end){.key = "source",
					.at = &s->origin,
					.geo = &s->geo,
					.bytes_known = s->bytes_known,
					.bytes = s->bytes_in});
	ecs_put_end(w, (struct ecs_end){.key = "destination",
					.at = &s->local,
					.bytes_known = s->bytes_known,
					.bytes = s->bytes_out});
	ecs_put_network(w, s->service, &s->origin.addr, false, s->bytes_known,
			s->bytes_in + s->bytes_out);
	ecs_put_service(w, s->service);
}

static void relate_session(struct ecs_related *r, const struct session *s)
{
	ecs_relate_addr(r, &s->origin.addr);
	ecs_relate_addr(r, &s->local.addr);
	ecs_relate_addr(r, &s->via.addr);
	ecs_relate_addr(r, &s->claimed.addr);
	for (unsigned i = 0; i < s->dests_kept && i < SESSION_DESTS; i++)
		ecs_relate_addr(r, &s->dests[i].dest.addr);
	ecs_relate_user(r, span_of_array(s->account, sizeof(s->account)));
	ecs_relate_user(r, span_of_array(s->effective_account, sizeof(s->effective_account)));
}

static int session(const struct session *given, const struct out_policy *p, char *buf, size_t cap)
{
	struct ecs_related related = {0};
	struct session s;
	struct writer w;

	privacy_session(given, p, &s);
	relate_session(&related, &s);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ecs_put_base(&w, p, record_session_time(&s));
	put_session_event(&w, &s);
	ecs_put_host(&w, p, (struct span){0});
	put_session_ends(&w, &s);
	ecs_put_user(&w, span_of_array(s.account, sizeof(s.account)),
		     span_of_array(s.effective_account, sizeof(s.effective_account)), false, 0);
	json_begin(&w, "process", '{');
	ecs_put_entry(&w, s.service, &s.origin.addr);
	json_end(&w, '}');
	ecs_put_container(&w, span_of_array(s.container, sizeof(s.container)),
			  span_of_array(s.container_name, sizeof(s.container_name)),
			  span_of_array(s.image, s.elsewhere ? 0 : sizeof(s.image)),
			  span_of_array(s.pod, sizeof(s.pod)));
	ecs_put_related(&w, &related, p);
	json_begin(&w, MODULE, '{');
	json_begin(&w, "session", '{');
	part_put_session(&w, &s);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}

const struct out_schema schema_ecs = {
	.name = "ecs",
	.alert = alert,
	.session = session,
	.event = ecs_event,
	.repeat = ",\"resend\":true",
	.closing = 2,
};
